"""A client gets back exactly the messages it was sent, whichever numbers it asks for."""

import resource
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontherun.journal import JournalWriteFailed, Outbox


def frame(content: bytes) -> bytes:
    return (len(content) + 2).to_bytes(2, "little") + content


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox[str]]:
    with closing(Outbox[str](tmp_path / "outbox.bin")) as box:
        yield box


CLIENTS = st.integers(0, 3)
FRAMES = st.lists(st.binary(max_size=40).map(frame), max_size=5)
REQUESTS = st.lists(st.tuples(CLIENTS, st.integers(0, 80), st.integers(0, 80)), max_size=10)
STEPS = st.lists(st.tuples(CLIENTS, FRAMES, REQUESTS), max_size=30)


@settings(max_examples=200)
@given(starts=st.tuples(*[st.integers(1, 50)] * 4), steps=STEPS)
def test_any_request_gets_what_was_appended(
    tmp_path_factory: pytest.TempPathFactory,
    starts: tuple[int, ...],
    steps: list[tuple[int, list[bytes], list[tuple[int, int, int]]]],
) -> None:
    sent: list[dict[int, bytes]] = [{}, {}, {}, {}]
    with closing(Outbox[int](tmp_path_factory.mktemp("outbox") / "outbox.bin")) as box:
        for client, frames, requests in steps:
            first = starts[client] + len(sent[client])
            box.append(client, first, len(frames), b"".join(frames))
            sent[client].update(enumerate(frames, first))
            for asked, from_seq, count in requests:
                expected = [sent[asked][n] for n in range(from_seq, from_seq + count) if n in sent[asked]]
                assert box.read(asked, from_seq, count) == expected
        for client, frames_sent in enumerate(sent):
            assert list(box.stored(client)) == list(frames_sent)


def test_long_runs_are_cut_so_that_a_reader_skips_little(outbox: Outbox[str]) -> None:
    frames = [frame(n.to_bytes(4, "little") * 60) for n in range(1, 3001)]
    for n in range(0, 3000, 3):
        outbox.append("A", n + 1, 3, b"".join(frames[n : n + 3]))
    assert outbox.read("A", 1, 3000) == frames
    assert outbox.read("A", 1499, 2) == frames[1498:1500]
    assert outbox.read("A", 3000, 2500) == frames[-1:]


def test_a_gap_or_a_repeated_number_is_refused(outbox: Outbox[str]) -> None:
    outbox.append("A", 5, 1, frame(b"five"))
    for number in (5, 7):
        with pytest.raises(ValueError, match=f"message {number} cannot follow 5"):
            outbox.append("A", number, 1, frame(b"other"))
    assert outbox.read("A", 1, 100) == [frame(b"five")]


def test_a_key_never_seen_has_nothing(outbox: Outbox[str]) -> None:
    assert outbox.stored("A") == range(0)
    assert outbox.read("A", 1, 2500) == []


def test_a_new_outbox_is_empty_whatever_the_file_held(tmp_path: Path) -> None:
    (tmp_path / "outbox.bin").write_bytes(b"left by another process")
    with closing(Outbox[str](tmp_path / "outbox.bin")) as box:
        box.append("A", 1, 1, frame(b"first"))
        assert box.read("A", 1, 1) == [frame(b"first")]


def test_a_full_disk_is_reported(outbox: Outbox[str]) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        outbox.append("A", 1, 2, frame(bytes(60_000)) * 2)
        with pytest.raises(JournalWriteFailed, match=r"outbox\.bin cannot be written: File too large"):
            outbox.read("A", 1, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
