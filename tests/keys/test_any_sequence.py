"""Whatever is done in whatever order, on a clock that moves both ways: the promises of the rules hold."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ontherun.keys import KeyPair, KeyRuleError, activate, cut_over, deactivate, delete, living
from ontherun.keys.clock import DAY

from .conftest import Keyring, new_york

START = new_york("2026-11-20 10:00")

STEPS = st.lists(
    st.tuples(
        st.sampled_from(("generate", "third", "planned", "delete", "deactivate", "activate", "cut over", "move")),
        st.integers(0, 3),
        st.integers(-400, 400),
    ),
    max_size=30,
)


def _step(ring: Keyring, what: str, which: int, days: int, now: int) -> None:
    pairs = list(ring.pairs.values())
    chosen = pairs[which % len(pairs)] if pairs else None
    match what:
        case "generate":
            ring.generate(now)
        case "planned":
            ring.generate(now, cut_over_at=now + abs(days) * DAY)
        case "third" if chosen:
            ring.generate(now, delete=chosen.access_key_id)
        case "delete" if chosen:
            ring.put(delete(chosen, now))
        case "deactivate" if chosen:
            ring.put(deactivate(chosen, now))
        case "activate" if chosen:
            ring.put(activate(chosen, now))
        case "cut over" if chosen:
            ring.put(*cut_over(pairs, chosen, now + days * DAY // 10, now))


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_never_more_than_two_pairs_live_and_no_life_is_ever_made_longer(
    steps: list[tuple[str, int, int]],
) -> None:
    ring, now, times = Keyring(), START, [START]
    for what, which, days in steps:
        if what == "move":
            now = max(0, now + days * DAY)
            times.append(now)
        before = dict(ring.pairs)
        try:
            _step(ring, what, which, days, now)
        except KeyRuleError:
            assert ring.pairs == before  # what is refused changes nothing
        for access_key_id, pair in before.items():
            _check_step(pair, ring.pairs[access_key_id])
        for at in times:
            assert len(living(ring.pairs.values(), at)) <= 2


def _check_step(before: KeyPair, after: KeyPair) -> None:
    assert after.expires_at <= before.expires_at
    if before.deleted_at is not None:
        assert after == before
    if before.expired_at is not None:
        assert after.expired_at is not None
    if before.valid_from is not None:
        assert after.valid_from is not None
        assert after.valid_from <= before.valid_from


@settings(max_examples=50, deadline=None)
@given(STEPS, st.integers(0, 500))
def test_what_comes_next_is_announced_for_any_pair(steps: list[tuple[str, int, int]], later: int) -> None:
    ring, now = Keyring(), START
    for what, which, days in steps:
        now = max(0, now + days * DAY) if what == "move" else now
        try:
            _step(ring, what, which, days, now)
        except KeyRuleError:
            continue
    at = now + later * DAY
    for pair in ring.pairs.values():
        change = pair.next_change(at)
        assert (change is None) == (not pair.state(at).living)
        if change is not None:
            assert at < change.at
            assert pair.state(change.at) is change.state is not pair.state(at)
