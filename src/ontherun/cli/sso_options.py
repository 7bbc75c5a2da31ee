"""The options of `ontherun up` for single sign-on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ontherun.cli.api import fail

if TYPE_CHECKING:
    from ontherun.portal.single_sign_on import Provider

Issuer = Annotated[
    str | None,
    typer.Option(
        "--oidc-issuer", envvar="ONTHERUN_OIDC_ISSUER", metavar="URL", help="Identity provider to sign in by."
    ),
]
ClientId = Annotated[
    str, typer.Option("--oidc-client-id", envvar="ONTHERUN_OIDC_CLIENT_ID", help="What it knows this venue as.")
]
ClientSecretFile = Annotated[
    Path | None,
    typer.Option(
        "--oidc-client-secret-file",
        envvar="ONTHERUN_OIDC_CLIENT_SECRET_FILE",
        help="File that holds the client secret, and nothing else. Without one: a public client, PKCE alone.",
    ),
]


def provider_of(issuer: str | None, client_id: str, secret_file: Path | None) -> "Provider | None":
    """Return the identity provider that the options name, or None. Leaves the command when they do not fit."""
    if issuer is None:
        return None
    if not client_id:
        fail("--oidc-issuer needs --oidc-client-id as well.")
    loopback = issuer.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]"))
    if not issuer.startswith("https://") and not loopback:
        fail(f"{issuer} is no address of an identity provider: https://..., or http:// on this machine.")
    from ontherun.portal.single_sign_on import Provider

    try:
        secret = None if secret_file is None else secret_file.expanduser().read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        fail(f"The client secret cannot be read: {error}")
    return Provider(issuer, client_id, secret)
