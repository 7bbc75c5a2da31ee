"""Findings about the pairs of a session, and scores."""

from ontherun.keys import Finding, Health, HealthPolicy, KeyUse, deactivate, delete, health_of_session, score_of_entity
from ontherun.keys.clock import DAY

from .conftest import Keyring, new_york

NOW = new_york("2026-03-02 10:30")


def used(at: int, count: int = 1) -> KeyUse:
    use = KeyUse()
    for _ in range(count):
        use = use.after(at, "192.0.2.1", "40 primary", ok=True)
    return use


def findings(ring: Keyring, now: int, uses: dict[str, KeyUse] | None = None) -> set[Finding]:
    return {concern.finding for concern in health_of_session(ring.pairs.values(), uses or {}, now).concerns}


def test_a_session_with_a_young_used_pair_is_well() -> None:
    ring = Keyring()
    pair = ring.generate(NOW)
    assert health_of_session([pair], {pair.access_key_id: used(NOW + DAY)}, NOW + 2 * DAY) == Health(100, ())


def test_a_session_that_never_had_a_pair_is_not_ill() -> None:
    assert health_of_session([], {}, NOW).score == 100


def test_a_session_without_a_valid_pair_cannot_log_in() -> None:
    ring = Keyring()
    pair = ring.generate(NOW)
    for gone in (delete(pair, NOW), deactivate(pair, NOW)):
        ring.put(gone)
        assert findings(ring, NOW) == {Finding.NO_VALID_PAIR}


def test_a_pair_that_nobody_used_for_a_week_was_never_used() -> None:
    ring = Keyring()
    pair = ring.generate(NOW)
    assert findings(ring, NOW + 7 * DAY - 1) == set()
    assert findings(ring, NOW + 7 * DAY) == {Finding.NEVER_USED}
    assert findings(ring, NOW + 7 * DAY, {pair.access_key_id: used(NOW)}) == set()


def test_an_old_key_that_still_logs_in_is_found_until_the_new_one_does() -> None:
    ring = Keyring()
    old, new = ring.generate(NOW), ring.generate(NOW + DAY)
    uses = {old.access_key_id: used(NOW + 2 * DAY)}
    assert findings(ring, NOW + 3 * DAY, uses) == {Finding.OLD_KEY_IN_USE}
    uses[new.access_key_id] = used(NOW + 3 * DAY)
    assert findings(ring, NOW + 3 * DAY, uses) == set()
    assert findings(ring, NOW + 3 * DAY, {old.access_key_id: used(NOW)}) == set()  # before the new one was made


def test_a_pair_is_older_than_policy_after_half_its_life() -> None:
    ring = Keyring()
    pair = ring.generate(NOW)
    uses = {pair.access_key_id: used(NOW)}
    assert findings(ring, NOW + 182 * DAY, uses) == set()
    assert findings(ring, NOW + 182 * DAY + 1, uses) == {Finding.OLD}
    ring.generate(NOW + 182 * DAY + 1)  # it has been replaced
    assert findings(ring, NOW + 182 * DAY + 1, uses) == set()


def test_four_weeks_before_the_expiry_a_successor_is_due() -> None:
    ring = Keyring()
    pair = ring.generate(NOW)
    uses = {pair.access_key_id: used(NOW)}
    due = pair.expires_at - 28 * DAY
    assert Finding.NO_SUCCESSOR not in findings(ring, due - 1, uses)
    assert Finding.NO_SUCCESSOR in findings(ring, due, uses)
    ring.generate(due)
    assert Finding.NO_SUCCESSOR not in findings(ring, due, uses)


def test_logins_that_fail_are_found_for_a_day_or_until_one_works() -> None:
    ring = Keyring()
    pair = ring.generate(NOW)
    failed = used(NOW).after(NOW + 1, "192.0.2.9", "40 primary", ok=False)
    uses = {pair.access_key_id: failed}
    (concern,) = health_of_session([pair], uses, NOW + 2).concerns
    assert concern.finding is Finding.FAILING
    assert "192.0.2.9" in concern.advice
    assert findings(ring, NOW + 2 * DAY, uses) == set()
    uses[pair.access_key_id] = failed.after(NOW + 2, "192.0.2.1", "40 primary", ok=True)
    assert findings(ring, NOW + 2, uses) == set()


def test_the_use_of_a_pair_is_counted_with_its_first_and_last_time_and_place() -> None:
    use = used(5).after(7, "192.0.2.2", "42 primary", ok=True).after(9, "192.0.2.3", "40 backup", ok=False)
    assert use == KeyUse(2, 1, 5, 7, "192.0.2.2", "42 primary", 9, "192.0.2.3")


def test_each_finding_costs_its_points_once_and_a_score_is_never_below_nought() -> None:
    ring = Keyring()
    ring.generate(NOW)
    ring.generate(NOW + DAY)
    health = health_of_session(ring.pairs.values(), {}, NOW + 10 * DAY)
    assert [concern.finding for concern in health.concerns] == [Finding.NEVER_USED, Finding.NEVER_USED]
    assert health.score == 100 - HealthPolicy().points(Finding.NEVER_USED)
    assert all(0 < HealthPolicy().points(finding) <= 100 for finding in Finding)


def test_the_score_of_an_entity_is_the_mean_of_its_sessions() -> None:
    assert score_of_entity([Health(100, ()), Health(41, ())]) == 70
    assert score_of_entity([]) == 100
