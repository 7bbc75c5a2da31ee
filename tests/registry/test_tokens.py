"""API tokens: shown once, kept as a hash, revoked at once."""

import sqlite3
import stat
from pathlib import Path

import pytest

from ontherun.registry import SYSTEM, ConflictError, ForbiddenError, NotFoundError, Registry, Right, Role, token_text

from .conftest import Venue


async def test_a_token_stands_for_its_role_and_entity(venue: Venue) -> None:
    token, secret = await venue.registry.tokens.create(venue.admin, "ci", Role.READ_ONLY, venue.ours.entity_id)
    principal = venue.registry.tokens.recognise(token_text(secret), "192.0.2.9")
    assert principal is not None
    assert (principal.grants, principal.everywhere, principal.source) == (
        {venue.ours.entity_id: {Right.VIEW}},
        frozenset(),
        "192.0.2.9",
    )
    assert principal.name == f"token {token.token_id} (ci)"


async def test_a_token_is_recognised_after_a_restart_and_is_in_no_file(venue: Venue) -> None:
    registry = venue.registry
    _, secret = await registry.tokens.create(venue.admin, "ci", Role.ADMIN_MANAGER, venue.ours.entity_id)
    await registry.close()
    again = await Registry.open(registry.data_dir, venue.clock, variables={})
    assert again.tokens.recognise(token_text(secret)) is not None
    await again.close()
    content = b"".join(path.read_bytes() for path in registry.data_dir.iterdir())
    assert secret.text.encode() not in content
    assert secret.raw not in content


@pytest.mark.parametrize("text", ["", "otr_", "otr_" + "A" * 43, "\ud800", "x" * 100_000])
async def test_other_texts_stand_for_nobody(venue: Venue, text: str) -> None:
    assert venue.registry.tokens.recognise(text) is None


async def test_a_revoked_token_stands_for_nobody_at_once(venue: Venue) -> None:
    tokens = venue.registry.tokens
    token, secret = await tokens.create(venue.admin, "ci", Role.ADMIN_MANAGER, venue.ours.entity_id)
    revoked = await tokens.revoke(venue.admin, token.token_id)
    assert revoked.revoked_at == venue.clock.now()
    assert tokens.recognise(token_text(secret)) is None
    assert tokens.list(venue.reader) == [revoked]
    with pytest.raises(ConflictError, match="revoked already"):
        await tokens.revoke(venue.admin, token.token_id)


async def test_nobody_makes_a_token_that_may_more_than_they_may(venue: Venue) -> None:
    create = venue.registry.tokens.create
    with pytest.raises(ForbiddenError):
        await create(venue.admin, "wider", Role.ADMIN_MANAGER, None)
    with pytest.raises(NotFoundError):
        await create(venue.admin, "elsewhere", Role.ADMIN_MANAGER, venue.theirs.entity_id)
    with pytest.raises(NotFoundError):
        await create(SYSTEM, "nowhere", Role.ADMIN_MANAGER, 99)
    with pytest.raises(ForbiddenError):
        await create(venue.reader, "more", Role.ADMIN_MANAGER, venue.ours.entity_id)


async def test_tokens_of_others_do_not_exist(venue: Venue) -> None:
    token, _ = await venue.registry.tokens.create(venue.admin, "ci", Role.ADMIN_MANAGER, venue.ours.entity_id)
    assert venue.registry.tokens.list(venue.stranger) == []
    with pytest.raises(NotFoundError, match="no API token 1"):
        await venue.registry.tokens.revoke(venue.stranger, token.token_id)


async def test_the_local_token_file_is_written_once_for_its_owner_only(registry: Registry) -> None:
    path = await registry.local_token_file()
    content = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await registry.local_token_file() == path
    assert path.read_text() == content
    principal = registry.tokens.recognise(content.strip())
    assert principal is not None
    assert principal.operator


async def test_a_lost_or_spoilt_local_token_is_revoked_and_replaced(registry: Registry) -> None:
    path = await registry.local_token_file()
    for spoil in (path.unlink, lambda: path.write_text("otr_something_else\n")):
        old = path.read_text().strip()
        spoil()
        new = (await registry.local_token_file()).read_text().strip()
        assert registry.tokens.recognise(old) is None
        assert registry.tokens.recognise(new) is not None


async def test_only_the_hash_of_a_token_is_stored(registry: Registry, tmp_path: Path) -> None:
    await registry.local_token_file()
    with sqlite3.connect(registry.data_dir / "registry.sqlite3") as database:
        (row,) = database.execute("SELECT length(token_hash), owner, entity_id, expires_at FROM api_token").fetchall()
    assert row == (32, None, None, None)
