"""Addresses of pages, for whoever writes them down."""


def sign_in_url(public_url: str, token: str) -> str:
    """Return the address of a one-time sign-in link."""
    return f"{public_url}/sign-in/link/{token}"
