"""What generating a key pair gives and when it is refused."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontherun.keys import KeyPair, KeyPolicy, PairLimitError, Secret, delete, generate
from ontherun.keys.clock import DAY, SECOND

POLICY = KeyPolicy()


def at(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, 15, 30, tzinfo=UTC).timestamp()) * SECOND


NOW = at(2026, 3, 2)


def make(pairs: list[KeyPair], now: int = NOW, seed: int = 1) -> tuple[KeyPair, Secret]:
    return generate(
        "ABC",
        pairs,
        access_key_id_random=bytes([seed] * 15),
        secret_key_random=bytes([seed] * 32),
        now=now,
        policy=POLICY,
    )


def test_the_access_key_id_is_fifteen_random_bytes_as_twenty_base64url_characters() -> None:
    pair, _ = generate(
        "ABC", [], access_key_id_random=b"\xfb\xff" + bytes(13), secret_key_random=bytes(32), now=NOW, policy=POLICY
    )
    assert pair.access_key_id == "-_8AAAAAAAAAAAAAAAAA"


def test_the_secret_key_is_thirty_two_random_bytes_as_forty_three_base64url_characters() -> None:
    _, secret = generate(
        "ABC", [], access_key_id_random=bytes(15), secret_key_random=bytes(range(32)), now=NOW, policy=POLICY
    )
    assert secret.text == "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    assert secret.raw == bytes(range(32))


@pytest.mark.parametrize(("access", "secret"), [(14, 32), (16, 32), (15, 31), (15, 33), (0, 0)])
def test_too_few_or_too_many_random_bytes_are_refused(access: int, secret: int) -> None:
    with pytest.raises(ValueError, match="15 and 32 random bytes"):
        generate("ABC", [], access_key_id_random=bytes(access), secret_key_random=bytes(secret), now=NOW, policy=POLICY)


@pytest.mark.parametrize(
    ("created", "expires"),
    [
        (at(2026, 3, 2), at(2027, 3, 2)),
        (at(2026, 12, 31), at(2027, 12, 31)),
        (at(2028, 2, 29), at(2029, 2, 28)),
    ],
)
def test_a_pair_lives_twelve_months(created: int, expires: int) -> None:
    assert make([], created)[0].expires_at == expires


def test_a_shorter_month_ends_a_pair_on_its_last_day() -> None:
    assert KeyPolicy(lifetime_months=3).expiry(at(2026, 11, 30)) == at(2027, 2, 28)


@settings(max_examples=200)
@given(st.integers(0, at(2199, 12, 31)))
def test_a_pair_lives_between_364_and_366_days_and_expires_on_a_whole_second(created: int) -> None:
    expires = POLICY.expiry(created)
    assert 364 * DAY < expires - created <= 366 * DAY
    assert expires % SECOND == 0


def test_two_pairs_may_be_valid_side_by_side() -> None:
    first, _ = make([])
    second, _ = make([first], NOW + DAY, seed=2)
    assert first.state(NOW + DAY).valid
    assert second.state(NOW + DAY).valid


def test_a_third_valid_pair_is_refused_and_the_text_names_the_two_and_the_way_out() -> None:
    first, _ = make([])
    second, _ = make([first], NOW + DAY, seed=2)
    with pytest.raises(PairLimitError) as refused:
        make([second, first], NOW + 2 * DAY, seed=3)
    assert refused.value.valid == (first, second)
    text = str(refused.value)
    assert f"{first.access_key_id} (active, expires 2027-03-02T15:30:00Z)" in text
    assert f"{second.access_key_id} (active, expires 2027-03-03T15:30:00Z)" in text
    assert "Delete one of them" in text


def test_deleting_either_pair_makes_room_for_another() -> None:
    first, _ = make([])
    second, _ = make([first], NOW + DAY, seed=2)
    for pairs in ([delete(first, NOW + DAY), second], [first, delete(second, NOW + DAY)]):
        assert make(pairs, NOW + 2 * DAY, seed=3)[0].state(NOW + 2 * DAY).valid


def test_an_expired_pair_makes_room_for_another() -> None:
    first, _ = make([])
    later = first.expires_at
    second, _ = make([first], later - DAY, seed=2)
    assert make([first, second], later, seed=3)[0].state(later).valid
