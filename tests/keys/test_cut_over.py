"""A scheduled cut-over: one pair ends in the nanosecond in which the other begins."""

import pytest

from ontherun.keys import CutOverError, EndReason, KeyPairState, PairStateError, cut_over, deactivate, delete
from ontherun.keys.clock import DAY

from .conftest import Keyring, new_york

NOW = new_york("2026-03-02 10:30")
AT = new_york("2026-03-14 09:00")  # a Saturday, when nobody trades


def test_a_pair_made_for_a_cut_over_begins_when_the_older_one_ends() -> None:
    ring = Keyring()
    old = ring.generate(NOW - DAY)
    new = ring.generate(NOW, cut_over_at=AT)
    assert [pair.access_key_id for pair in ring.valid(AT - 1)] == [old.access_key_id]
    assert [pair.access_key_id for pair in ring.valid(AT)] == [new.access_key_id]
    assert (ring.again(old).expires_at, ring.again(old).ends_by) == (AT, EndReason.CUT_OVER)
    assert new.state(NOW) is KeyPairState.NOT_YET_VALID


def test_a_first_pair_may_begin_later_too() -> None:
    ring = Keyring()
    assert ring.generate(NOW, cut_over_at=AT).state(AT) is KeyPairState.ACTIVE


def test_a_cut_over_between_two_valid_pairs_ends_the_other_one() -> None:
    ring = Keyring()
    old, new = ring.generate(NOW - DAY), ring.generate(NOW)
    ring.put(*cut_over(ring.pairs.values(), new, AT, NOW))
    assert ring.again(old).expires_at == AT
    assert ring.again(new) == new


def test_a_cut_over_may_go_to_the_older_pair() -> None:
    ring = Keyring()
    old, new = ring.generate(NOW - DAY), ring.generate(NOW)
    ring.put(*cut_over(ring.pairs.values(), ring.again(old), AT, NOW))
    assert ring.again(new).expires_at == AT


def test_a_cut_over_may_be_brought_forward_and_never_put_off() -> None:
    ring = Keyring()
    old, new = ring.generate(NOW - DAY), ring.generate(NOW, cut_over_at=AT)
    with pytest.raises(CutOverError, match="too late"):
        cut_over(ring.pairs.values(), new, AT + DAY, NOW)
    ring.put(*cut_over(ring.pairs.values(), new, AT - DAY, NOW))
    assert (ring.again(old).expires_at, ring.again(new).valid_from) == (AT - DAY, AT - DAY)
    assert cut_over(ring.pairs.values(), ring.again(new), AT - DAY, NOW) == ()


def test_a_cut_over_never_leaves_a_gap() -> None:
    ring = Keyring()
    ring.generate(NOW - DAY)
    sunset = new_york("2026-03-30 17:30")
    with pytest.raises(CutOverError, match="Choose 2026-03-30T21:30:00Z or earlier"):
        ring.generate(NOW, cut_over_at=sunset + 1)
    ring.generate(NOW, cut_over_at=sunset)
    assert len(ring.valid(sunset - 1)) == len(ring.valid(sunset)) == 1


def test_a_first_pair_that_would_begin_after_its_own_end_is_refused() -> None:
    with pytest.raises(CutOverError, match="too late"):
        Keyring().generate(NOW, cut_over_at=NOW + 400 * DAY)


@pytest.mark.parametrize("at", [NOW, NOW - 1])
def test_a_cut_over_lies_ahead(at: int) -> None:
    ring = Keyring()
    ring.generate(NOW - DAY)
    with pytest.raises(CutOverError, match="lies in the past"):
        ring.generate(NOW, cut_over_at=at)


def test_a_cut_over_needs_a_pair_to_cut_over_from() -> None:
    ring = Keyring()
    only = ring.generate(NOW)
    with pytest.raises(CutOverError, match="no other key pair"):
        cut_over(ring.pairs.values(), only, AT, NOW)


def test_a_cut_over_goes_to_no_pair_that_is_deactivated_expired_or_deleted() -> None:
    ring = Keyring()
    old, new = ring.generate(NOW - DAY), ring.generate(NOW)
    with pytest.raises(CutOverError, match="is deactivated"):
        cut_over([old, new], deactivate(new, NOW), AT, NOW)
    for gone in (delete(new, NOW), new):
        with pytest.raises(PairStateError):
            cut_over([old, gone], gone, new.expires_at + DAY, new.expires_at)


def test_a_third_pair_may_be_made_for_a_cut_over() -> None:
    ring = Keyring()
    first, second = ring.generate(NOW - 2 * DAY), ring.generate(NOW - DAY)
    third = ring.generate(NOW, delete=first.access_key_id, cut_over_at=AT)
    assert [pair.access_key_id for pair in ring.valid(AT - 1)] == [second.access_key_id]
    assert ring.valid(AT) == [third]
