"""What generating a key pair gives (self-service rules, Generate)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontherun.calendar import EU, NEW_YORK, US_ACTIVES, local
from ontherun.keys import KeyPairState, KeyPolicy, generate
from ontherun.keys.clock import DAY

from .conftest import POLICY, make, new_york

NOW = new_york("2026-03-02 10:30")


def test_the_access_key_id_is_fifteen_random_bytes_as_twenty_base64url_characters() -> None:
    made = generate(
        "ABC", [], access_key_id_random=b"\xfb\xff" + bytes(13), secret_key_random=bytes(32), now=NOW, policy=POLICY
    )
    assert made.pair.access_key_id == "-_8AAAAAAAAAAAAAAAAA"


def test_the_secret_key_is_thirty_two_random_bytes_as_forty_three_base64url_characters() -> None:
    secret = generate(
        "ABC", [], access_key_id_random=bytes(15), secret_key_random=bytes(range(32)), now=NOW, policy=POLICY
    ).secret
    assert secret.text == "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    assert secret.raw == bytes(range(32))


@pytest.mark.parametrize(("access", "secret"), [(14, 32), (16, 32), (15, 31), (15, 33), (0, 0)])
def test_too_few_or_too_many_random_bytes_are_refused(access: int, secret: int) -> None:
    with pytest.raises(ValueError, match="15 and 32 random bytes"):
        generate("ABC", [], access_key_id_random=bytes(access), secret_key_random=bytes(secret), now=NOW, policy=POLICY)


def test_a_new_pair_is_active_at_once() -> None:
    assert make([], NOW).pair.state(NOW) is KeyPairState.ACTIVE


@pytest.mark.parametrize(
    ("created", "expires"),
    [
        ("2026-03-02 10:30", "2027-03-02 17:30"),
        ("2026-11-23 10:00", "2027-11-23 17:30"),
        ("2026-12-31 10:00", "2027-12-31 14:00"),  # an early close
        ("2025-12-25 10:00", "2026-12-28 17:30"),  # Christmas: the next open day
        ("2025-11-26 10:00", "2026-11-27 14:00"),  # Thanksgiving: the early Friday
        ("2028-02-29 10:00", "2029-02-28 17:30"),
    ],
)
def test_a_pair_lives_twelve_months_until_market_close(created: str, expires: str) -> None:
    assert make([], new_york(created)).pair.expires_at == new_york(expires)


def test_the_close_is_that_of_the_market_of_the_session() -> None:
    expires = make([], NOW, calendar=EU).pair.expires_at
    assert local(expires, EU.zone).isoformat() == "2027-03-02T17:30:00+00:00"


def test_by_policy_a_life_ends_at_the_time_of_day_it_began() -> None:
    policy = KeyPolicy(ends_at_close=False)
    assert policy.expiry(NOW, US_ACTIVES) == new_york("2027-03-02 10:30")


def test_a_shorter_month_ends_a_pair_on_its_last_day() -> None:
    policy = KeyPolicy(lifetime_months=3, ends_at_close=False)
    assert policy.expiry(new_york("2026-11-30 10:30"), US_ACTIVES) == new_york("2027-02-28 10:30")


@settings(max_examples=100, deadline=None)
@given(st.integers(0, new_york("2199-11-01 00:00")))
def test_a_life_is_twelve_months_and_at_most_five_days_until_the_next_trading_day(created: int) -> None:
    expires = POLICY.expiry(created, US_ACTIVES)
    assert 363 * DAY < expires - created <= 372 * DAY
    assert US_ACTIVES.close_on(local(expires, NEW_YORK).date()) == expires
