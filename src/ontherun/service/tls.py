"""TLS for the order entry gateways: ours, not the exchange's, which is reached over private lines."""

import ssl
from pathlib import Path


class TlsFilesError(Exception):
    """The certificate and key cannot be used; the text says which and why."""


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """A server's context of TLS 1.2 and up from PEM files: the certificate with its chain, and its key.

    Raises TlsFilesError.
    """
    for name, file in (("certificate", certificate), ("key", key)):
        try:
            text = file.read_bytes()
        except OSError as error:
            raise TlsFilesError(f"the TLS {name} {file} cannot be read: {error.strerror}") from None
        if b"-----BEGIN" not in text:
            raise TlsFilesError(f"the TLS {name} {file} is no PEM file: it has no line that says BEGIN")
        if b"ENCRYPTED" in text and name == "key":
            raise TlsFilesError(
                f"the TLS key {file} is encrypted; give one without a passphrase, that only you can read"
            )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            why = "the key is not that of the certificate"
        else:
            why = f"one of them is damaged, or no certificate or key ({error.reason or error})"
        raise TlsFilesError(f"the TLS certificate {certificate} and key {key} do not go together: {why}") from None
    return context
