"""Errors of the session layer: the caller's misuse, kept apart from what a peer does.

What a peer does never raises. A gateway session answers it as the protocol says, a client session reports it as an
event. Only our own side can be wrong in a way that stops the program.
"""


class LocalProtocolError(Exception):
    """Our own side asked for something that the session's state does not allow. Nothing changed."""


class SecretError(ValueError):
    """The text is not a secret key: base64url, 32 bytes after decoding. The text itself is never in the message."""
