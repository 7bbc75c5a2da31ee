"""Key pairs of sessions: generated, read, deleted, and seen by gateways at once."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from ontherun.keys import KeyPairState, PairDeletedError, PairLimitError
from ontherun.keys.clock import DAY
from ontherun.registry import SYSTEM, ForbiddenError, KeyFound, KeyRefused, MasterKeyError, NotFoundError

from .conftest import Venue


async def test_a_generated_pair_logs_in_at_once(venue: Venue) -> None:
    stored = await venue.registry.pairs.generate(venue.admin, "A00")
    key_file = await venue.registry.pairs.download(venue.admin, "A00", stored.pair.access_key_id, "json")
    found = venue.registry.directory.key(stored.pair.access_key_id, "A00", venue.clock.now())
    assert found == KeyFound(key_file.secret.raw, stored.pair.expires_at)
    assert "secret" not in repr(found)


async def test_a_pair_is_downloaded_as_often_as_wanted(venue: Venue) -> None:
    stored = await venue.registry.pairs.generate(venue.admin, "A00")
    files = [
        await venue.registry.pairs.download(venue.admin, "A00", stored.pair.access_key_id, "json") for _ in range(3)
    ]
    assert files[0] == files[1] == files[2]
    assert (files[0].firm, files[0].environment, len(files[0].secret.raw)) == ("OURS1", "LOCAL", 32)


async def test_a_deleted_pair_is_refused_at_once_and_its_secret_is_erased(venue: Venue) -> None:
    stored = await venue.registry.pairs.generate(venue.admin, "A00")
    access_key_id = stored.pair.access_key_id
    deleted = await venue.registry.pairs.delete(venue.admin, "A00", access_key_id)
    assert deleted.secret is None
    assert venue.registry.directory.key(access_key_id, "A00", venue.clock.now()) == KeyRefused("deleted")
    with pytest.raises(PairDeletedError):
        await venue.registry.pairs.download(venue.admin, "A00", access_key_id, "json")
    with pytest.raises(PairDeletedError):
        await venue.registry.pairs.delete(venue.admin, "A00", access_key_id)
    path = venue.registry.data_dir / "registry.sqlite3"
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT sealed_secret, master_key_id FROM key_pair").fetchall() == [(None, None)]


async def test_a_pair_is_refused_from_the_nanosecond_of_its_expiry(venue: Venue) -> None:
    pair = (await venue.registry.pairs.generate(venue.admin, "A00")).pair
    key = venue.registry.directory.key
    assert isinstance(key(pair.access_key_id, "A00", pair.expires_at - 1), KeyFound)
    assert key(pair.access_key_id, "A00", pair.expires_at) == KeyRefused("expired")


async def test_a_pair_is_of_no_use_to_another_session_and_an_unknown_one_to_none(venue: Venue) -> None:
    pair = (await venue.registry.pairs.generate(venue.admin, "A00")).pair
    key, now = venue.registry.directory.key, venue.clock.now()
    assert key(pair.access_key_id, "A01", now) == KeyRefused("belongs to another session")
    assert key("A" * 20, "A00", now) == KeyRefused("unknown")


async def test_a_third_pair_without_a_choice_is_refused_and_changes_nothing(venue: Venue) -> None:
    pairs = venue.registry.pairs
    for _ in range(2):
        await pairs.generate(venue.admin, "A00")
    two = pairs.list(venue.admin, "A00")
    with pytest.raises(PairLimitError):
        await pairs.generate(venue.admin, "A00")
    assert pairs.list(venue.admin, "A00") == two
    assert await venue.registry.verify_audit() == 9
    await pairs.generate(SYSTEM, "A01")  # the other session is not concerned


async def test_deleting_and_expiring_make_room_for_another_pair(venue: Venue) -> None:
    pairs = venue.registry.pairs
    first = await pairs.generate(venue.admin, "A00")
    venue.clock.advance(DAY)
    await pairs.generate(venue.admin, "A00")
    await pairs.delete(venue.admin, "A00", first.pair.access_key_id)
    second = await pairs.generate(venue.admin, "A00")
    venue.clock.set(second.pair.expires_at)
    assert second.state(venue.clock.now()) is KeyPairState.EXPIRED
    await pairs.generate(venue.admin, "A00")


async def test_two_generates_at_the_same_time_make_one_second_pair(venue: Venue) -> None:
    pairs = venue.registry.pairs
    await pairs.generate(venue.admin, "A00")
    results = await asyncio.gather(*(pairs.generate(venue.admin, "A00") for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(result, PairLimitError) for result in results) == 4
    assert len(pairs.list(venue.admin, "A00")) == 2


async def test_two_deletes_at_the_same_time_delete_once(venue: Venue) -> None:
    pairs = venue.registry.pairs
    access_key_id = (await pairs.generate(venue.admin, "A00")).pair.access_key_id
    results = await asyncio.gather(
        *(pairs.delete(venue.admin, "A00", access_key_id) for _ in range(2)), return_exceptions=True
    )
    assert sum(isinstance(result, PairDeletedError) for result in results) == 1


async def test_deleted_pairs_are_listed_only_when_asked_for(venue: Venue) -> None:
    pairs = venue.registry.pairs
    gone = await pairs.generate(venue.admin, "A00")
    kept = await pairs.generate(venue.admin, "A00")
    await pairs.delete(venue.admin, "A00", gone.pair.access_key_id)
    assert pairs.list(venue.reader, "A00") == [kept]
    assert len(pairs.list(venue.reader, "A00", deleted=True)) == 2


async def test_a_reader_sees_pairs_but_never_generates_reads_or_deletes_one(venue: Venue) -> None:
    pairs = venue.registry.pairs
    access_key_id = (await pairs.generate(venue.admin, "A00")).pair.access_key_id
    assert pairs.get(venue.reader, "A00", access_key_id).pair.access_key_id == access_key_id
    for attempt in (
        pairs.generate(venue.reader, "A00"),
        pairs.download(venue.reader, "A00", access_key_id, "json"),
        pairs.delete(venue.reader, "A00", access_key_id),
    ):
        with pytest.raises(ForbiddenError):
            await attempt


async def test_pairs_of_others_do_not_exist(venue: Venue) -> None:
    pairs = venue.registry.pairs
    access_key_id = (await pairs.generate(venue.admin, "A00")).pair.access_key_id
    for attempt in (
        pairs.generate(venue.stranger, "A00"),
        pairs.download(venue.stranger, "A00", access_key_id, "json"),
        pairs.download(venue.stranger, "A01", access_key_id, "json"),
        pairs.delete(venue.stranger, "A01", access_key_id),
    ):
        with pytest.raises(NotFoundError):
            await attempt


async def test_a_sealed_secret_that_was_altered_does_not_open(venue: Venue, tmp_path: Path) -> None:
    directory = venue.registry.directory
    stored = await venue.registry.pairs.generate(venue.admin, "A00")
    assert stored.secret is not None
    data = bytearray(stored.secret.sealed)
    data[20] ^= 1
    directory.put_pair(
        type(stored)(stored.pair, stored.entity_id, type(stored.secret)(stored.secret.master_key_id, bytes(data)))
    )
    with pytest.raises(MasterKeyError, match="altered"):
        directory.key(stored.pair.access_key_id, "A00", venue.clock.now())


async def test_no_access_key_id_begins_with_a_hyphen_which_a_command_line_takes_for_an_option(venue: Venue) -> None:
    changes = venue.registry.pairs.changes
    drawn = iter([b"\xfb" + bytes(14), b"\xf8" + bytes(14), b"\xff" + bytes(14)])
    changes._random_bytes = lambda count: next(drawn) if count == 15 else bytes(count)
    assert (await venue.registry.pairs.generate(SYSTEM, "A00")).pair.access_key_id == "_" + "w" + "A" * 18
