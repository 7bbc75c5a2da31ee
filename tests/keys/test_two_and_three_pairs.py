"""The rules of two and three pairs (CME client wiki, Logon), with the calendar's edge cases."""

import pytest

from ontherun.keys import EndReason, KeyPairState, KeyPolicy, PairChoiceError, PairLimitError, TooEarlyError, delete
from ontherun.keys.clock import DAY

from .conftest import Keyring, make, new_york

NOW = new_york("2026-03-02 10:30")


def test_two_pairs_may_be_valid_side_by_side() -> None:
    ring = Keyring()
    ring.generate(NOW)
    ring.generate(NOW + DAY)
    assert len(ring.valid(NOW + DAY)) == 2


@pytest.mark.parametrize(
    ("generated", "older_expires"),
    [
        ("2026-11-23 10:00", "2026-12-21 17:30"),  # Monday, nothing special
        ("2026-11-26 10:00", "2026-12-24 14:00"),  # Thursday: an early close on Christmas Eve
        ("2026-11-26 16:00", "2026-12-24 14:00"),  # the day counts, not the hour
        ("2026-11-27 10:00", "2026-12-28 17:30"),  # Friday: Christmas is closed, so the next open day
        ("2026-12-03 10:00", "2026-12-31 14:00"),  # Thursday: an early close on New Year's Eve
        ("2026-12-04 10:00", "2027-01-04 17:30"),  # Friday: New Year is closed, so the next open day
        ("2026-11-28 10:00", "2026-12-28 17:30"),  # Saturday
        ("2026-03-06 10:00", "2026-04-03 12:00"),  # Good Friday with a jobs report: noon
        ("2026-02-20 10:00", "2026-03-20 17:30"),  # over the change of the clocks
        ("2026-11-23 23:59", "2026-12-21 17:30"),
    ],
)
def test_a_second_pair_makes_the_older_one_expire_four_weeks_later_at_market_close(
    generated: str, older_expires: str
) -> None:
    ring = Keyring()
    older = ring.generate(new_york(generated) - 30 * DAY)
    newer = ring.generate(new_york(generated))
    assert ring.again(older).expires_at == new_york(older_expires)
    assert ring.again(older).ends_by is EndReason.SUNSET
    assert newer.ends_by is EndReason.LIFE


def test_an_older_pair_that_ends_before_the_four_weeks_keeps_its_own_end() -> None:
    ring = Keyring()
    older = ring.generate(NOW)
    ring.generate(older.expires_at - 5 * DAY)
    assert ring.again(older) == older


def test_both_pairs_are_valid_until_the_close_and_one_from_then_on() -> None:
    ring = Keyring()
    older = ring.generate(NOW)
    newer = ring.generate(NOW + DAY)
    close = ring.again(older).expires_at
    assert len(ring.valid(close - 1)) == 2
    assert ring.valid(close) == [newer]


def test_a_third_pair_needs_a_choice_and_the_text_names_the_two_and_the_way_out() -> None:
    ring = Keyring()
    first, second = ring.generate(NOW), ring.generate(NOW + DAY)
    with pytest.raises(PairLimitError) as refused:
        ring.generate(NOW + 2 * DAY)
    assert refused.value.pairs == (ring.again(first), second)
    text = str(refused.value)
    assert f"{first.access_key_id} (expiring, expires 2026-03-31T21:30:00Z)" in text
    assert f"{second.access_key_id} (active, expires 2027-03-03T22:30:00Z)" in text
    assert "Delete one of them" in text
    assert "four weeks later at market close" in text


@pytest.mark.parametrize("which", [0, 1])
def test_for_a_third_pair_either_one_is_deleted_at_once_and_the_other_has_four_weeks(which: int) -> None:
    ring = Keyring()
    two = ring.generate(NOW), ring.generate(NOW + DAY)
    at = new_york("2026-03-16 10:00")
    third = ring.generate(at, delete=two[which].access_key_id)
    gone, stays = ring.again(two[which]), ring.again(two[1 - which])
    assert gone.state(at) is KeyPairState.DELETED
    assert ring.valid(at) == [stays, third]
    assert stays.expires_at == min(new_york("2026-04-13 17:30"), ring.again(stays).expires_at)
    assert stays.ends_by is EndReason.SUNSET


def test_the_sunset_of_the_pair_that_stays_is_never_later_than_it_was() -> None:
    ring = Keyring()
    first, second = ring.generate(NOW), ring.generate(NOW + DAY)
    before = ring.again(first).expires_at
    ring.generate(NOW + 20 * DAY, delete=second.access_key_id)
    assert ring.again(first).expires_at == before


def test_by_policy_only_the_oldest_is_deleted_for_a_third_pair() -> None:
    ring = Keyring(KeyPolicy(oldest_only=True))
    first, second = ring.generate(NOW), ring.generate(NOW + DAY)
    with pytest.raises(PairLimitError, match=f"Delete the oldest, {first.access_key_id}"):
        ring.generate(NOW + 2 * DAY)
    with pytest.raises(PairChoiceError, match=f"Choose {first.access_key_id}"):
        ring.generate(NOW + 2 * DAY, delete=second.access_key_id)
    ring.generate(NOW + 2 * DAY, delete=first.access_key_id)
    assert ring.again(first).deleted_at == NOW + 2 * DAY


@pytest.mark.parametrize("chosen", ["unknown", "deleted"])
def test_a_choice_that_is_none_of_the_two_is_refused_and_changes_nothing(chosen: str) -> None:
    ring = Keyring()
    gone = ring.generate(NOW)
    ring.put(delete(gone, NOW))
    ring.generate(NOW)
    ring.generate(NOW + DAY)
    before = dict(ring.pairs)
    with pytest.raises(PairChoiceError, match="Choose"):
        ring.generate(NOW + 2 * DAY, delete=gone.access_key_id if chosen == "deleted" else chosen)
    assert ring.pairs == before


def test_nothing_is_deleted_for_a_second_pair() -> None:
    ring = Keyring()
    first = ring.generate(NOW)
    with pytest.raises(PairChoiceError, match="has room for another key pair"):
        ring.generate(NOW + DAY, delete=first.access_key_id)
    assert ring.again(first) == first


def test_by_policy_a_second_pair_is_made_only_within_four_weeks_of_the_first_one_s_expiry() -> None:
    ring = Keyring(KeyPolicy(near_expiry_only=True))
    first = ring.generate(NOW)
    opens = first.expires_at - 28 * DAY
    with pytest.raises(TooEarlyError, match="in the four weeks before that") as refused:
        ring.generate(opens - 1)
    assert refused.value.opens_at == opens
    ring.generate(opens)
    assert len(ring.valid(opens)) == 2


def test_deleting_either_pair_makes_room_without_a_choice() -> None:
    for which in (0, 1):
        ring = Keyring()
        two = ring.generate(NOW), ring.generate(NOW + DAY)
        ring.put(delete(ring.again(two[which]), NOW + DAY))
        assert ring.generate(NOW + 2 * DAY).state(NOW + 2 * DAY).valid


def test_an_expired_pair_makes_room_for_another() -> None:
    ring = Keyring()
    first = ring.generate(NOW)
    ring.generate(NOW + DAY)
    at = ring.again(first).expires_at
    assert ring.generate(at).state(at).valid
    assert len(ring.valid(at)) == 2


def test_a_pair_that_expired_when_a_new_one_was_made_stays_expired_on_a_clock_that_is_moved_back() -> None:
    ring = Keyring()
    first = ring.generate(NOW)
    ring.generate(NOW + DAY)
    at = ring.again(first).expires_at
    ring.generate(at)
    assert ring.again(first).state(at - DAY) is KeyPairState.EXPIRED
    assert len(ring.valid(at - DAY)) == 2


def test_the_new_pair_s_life_does_not_depend_on_the_older_ones() -> None:
    ring = Keyring()
    ring.generate(NOW)
    assert ring.generate(NOW + DAY).expires_at == make([], NOW + DAY).pair.expires_at
