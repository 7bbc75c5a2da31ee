"""No secret is in any log, audit entry, error, page or file: the things are searched for it."""

import logging
from base64 import b64encode, urlsafe_b64encode

import pytest

from .conftest import Portal, broken_database

PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VuAyEA3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=
-----END PUBLIC KEY-----"""


def forms_of(secret: bytes) -> list[str]:
    """Return how a secret might show up in text."""
    return [
        urlsafe_b64encode(secret).decode().rstrip("="),
        b64encode(secret).decode().rstrip("="),
        secret.hex(),
        repr(secret)[2:-1],
    ]


async def test_no_secret_is_in_logs_audit_errors_or_files(portal: Portal, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answers = []

    async def ask(*arguments: str, **more: object) -> str:
        answer = await portal.ask(arguments[0], *arguments[1:], **more)
        answers.append(answer.text)
        return answer.text

    keys = []
    for session_id in ("A00", "A00", "A00", "A01"):  # the third of A00 is refused
        await ask("operator", "POST", f"/api/v1/sessions/{session_id}/keys")
    for session_id in ("A00", "A01"):
        for pair in portal.registry.directory.pairs_of(session_id):
            keys.append(f"/api/v1/sessions/{session_id}/keys/{pair.pair.access_key_id}")
    for key in keys:  # downloads are not kept in `answers`: they are what secrets are for
        assert "secret_key" in (await portal.ask("operator", "GET", f"{key}/download")).text
    to = {"public_key": PUBLIC_KEY, "reason": "sealed"}
    assert "sealed_secret_key" in await ask("operator", "POST", f"{keys[0]}/sealed-download", json=to)
    for what in ("deactivate", "activate"):
        await ask("operator", "POST", f"{keys[0]}/{what}")
    for path in ("/api/v1/keys", "/api/v1/keys/calendar", "/api/v1/keys/health"):
        await ask("operator", "GET", path)
    with broken_database(portal.registry):
        await ask("operator", "POST", "/api/v1/sessions/A01/keys")
        await ask("operator", "GET", f"{keys[0]}/download")
        await ask("operator", "DELETE", keys[0])
    for who in ("reader", "stranger", None):
        await ask(who, "GET", f"{keys[0]}/download")
    await ask("operator", "GET", f"{keys[0]}/download?format=xml")
    await ask("operator", "DELETE", keys[0])
    await ask("operator", "GET", f"{keys[0]}/download")
    for path in ("/api/v1/audit?limit=1000", "/api/v1/sessions", "/api/v1/sessions/A00/keys?deleted=true", "/"):
        await ask("operator", "GET", path)

    secrets = [made for made in portal.made_random if len(made) == 32]
    assert len(secrets) >= 4 + 4 + 1  # tokens, key pairs, the master key
    content = b"".join(
        path.read_bytes()
        for path in portal.registry.data_dir.iterdir()
        if path.name not in ("master.key", "admin.token")
    )
    texts = [caplog.text, *answers]
    for secret in secrets:
        assert secret not in content
        for form in forms_of(secret):
            assert form.encode() not in content
            assert not any(form in text for text in texts)
    assert b"key_pair.downloaded" in content  # the search does look into the database
    assert "aiosqlite" in caplog.text  # and the log does hold what the lower floors say
