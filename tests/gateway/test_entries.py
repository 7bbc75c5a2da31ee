"""Entries of the journal's batches."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontherun.gateway.entries import HEAD, Entry, Kind, decode, encode, json_body

ENTRIES = st.builds(
    Entry,
    st.sampled_from(Kind),
    st.integers(0, 2**16 - 1),
    st.integers(0, 2**64 - 1),
    st.binary(max_size=300),
)


@given(st.lists(ENTRIES))
def test_a_batch_gives_back_its_entries(entries: list[Entry]) -> None:
    assert list(decode(b"".join(encode(*entry) for entry in entries))) == entries


@given(st.lists(ENTRIES, min_size=1), st.data())
def test_a_batch_that_is_cut_is_refused(entries: list[Entry], data: st.DataObject) -> None:
    batch = b"".join(encode(*entry) for entry in entries)
    ends = {0}
    for entry in entries:
        ends.add(max(ends) + HEAD.size + len(entry.body))
    cut = data.draw(st.integers(1, len(batch) - 1).filter(lambda position: position not in ends))
    with pytest.raises(ValueError, match="runs past the batch's end"):
        list(decode(batch[:cut]))


@given(st.binary(max_size=200))
def test_garbage_is_entries_or_a_value_error(batch: bytes) -> None:
    with contextlib.suppress(ValueError):
        list(decode(batch))


def test_equal_values_are_equal_bytes() -> None:
    assert json_body({"b": 1, "a": 2}) == json_body({"a": 2, "b": 1})
