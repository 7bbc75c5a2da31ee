"""Messaging Controls (CME client wiki): windows of 3 s, three modules, refused above one limit, ended above another."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontherun.ilink.controls import (
    EXCHANGE_CONTROLS,
    MODULES,
    NO_CONTROLS,
    SECOND,
    ControlPolicy,
    Controls,
    Limits,
    Module,
    Verdict,
)
from ontherun.ilink.messages import MassQuote, NewOrderSingle, OrderCancelRequest
from ontherun.ilink.templates import CLIENT_BUSINESS

NOW = 1_767_225_600 * SECOND
ORDER, CANCEL, QUOTE = NewOrderSingle.TEMPLATE_ID, OrderCancelRequest.TEMPLATE_ID, MassQuote.TEMPLATE_ID
SMALL = ControlPolicy(Limits(10, 15), Limits(2, 3), Limits(20, 30), Limits(8, 15))


class Session:
    """A client that sends and a gateway that judges, as the engine does: what is below `last` it does not look at."""

    def __init__(self, policy: ControlPolicy = SMALL) -> None:
        self.controls = Controls()
        self.policy = policy
        self.next = 1
        self.now = NOW
        self.closed = False
        self.looked = 0

    def send(self, template: int, count: int = 1) -> list[Verdict]:
        return [self._send(template) for _ in range(count)]

    def _send(self, template: int) -> Verdict:
        controls, number = self.controls, self.next
        if number > (controls.last if controls.start <= self.now < controls.until else 0):
            self.looked += 1
            verdict = controls.judge(template, number, self.policy, self.now, closed=self.closed)
        else:
            verdict = Verdict.ALLOW
        if verdict is not Verdict.LOGOUT:
            self.next += 1
        if verdict is Verdict.ALLOW and template in MODULES:
            (controls.count_cancel if MODULES[template] is Module.CANCEL else controls.count_quote)()
        return verdict


def counts(verdicts: list[Verdict]) -> tuple[int, int, int]:
    """How many were allowed, refused and answered with the end."""
    return tuple(verdicts.count(verdict) for verdict in Verdict)  # type: ignore[return-value]


def test_the_published_limits() -> None:
    assert EXCHANGE_CONTROLS.to_json() == {
        "common": {"reject": 500, "logout": 750},
        "common_closed": {"reject": 100, "logout": 150},
        "cancel": {"reject": 1000, "logout": 1500},
        "mass_quote": {"reject": 400, "logout": 750},
    }


def test_every_business_template_belongs_to_one_module() -> None:
    assert MODULES.keys() <= CLIENT_BUSINESS.keys()
    assert {CLIENT_BUSINESS[template] > 0 for template in MODULES} == {True}


@pytest.mark.parametrize(("template", "rate", "end"), [(ORDER, 10, 15), (CANCEL, 20, 30), (QUOTE, 8, 15)])
def test_a_window_takes_three_seconds_of_the_rate_then_refuses_then_ends(template: int, rate: int, end: int) -> None:
    session = Session()
    assert counts(session.send(template, 200)) == (3 * rate, 3 * (end - rate), 200 - 3 * end)


def test_a_calm_window_is_followed_by_a_new_one_with_the_next_message() -> None:
    session = Session()
    for _ in range(4):
        assert counts(session.send(ORDER, 30)) == (30, 0, 0)
        session.now += 3 * SECOND + 1


def test_messages_are_counted_from_the_windows_first_one() -> None:
    session = Session()
    session.send(ORDER)
    session.now += 2 * SECOND
    assert counts(session.send(ORDER, 30)) == (29, 1, 0)
    session.now = NOW + 3 * SECOND + 1
    assert counts(session.send(ORDER, 1)) == (0, 1, 0)  # 31 in 3 s and a bit: still above 10 a second
    session.now = NOW + 4 * SECOND
    assert counts(session.send(ORDER, 30)) == (30, 0, 0)


def test_after_too_much_messages_are_refused_until_the_average_has_fallen() -> None:
    session = Session()
    assert counts(session.send(ORDER, 40)) == (30, 10, 0)
    session.now = NOW + 4 * SECOND - 1
    assert session.send(ORDER) == [Verdict.REJECT]
    session.now = NOW + 4 * SECOND + SECOND // 10
    assert session.send(ORDER) == [Verdict.ALLOW]


def test_whoever_was_logged_out_is_logged_out_again_until_the_average_has_fallen() -> None:
    session = Session()
    assert session.send(ORDER, 46)[-1] is Verdict.LOGOUT
    assert session.send(ORDER) == [Verdict.LOGOUT]
    session.now += 3 * SECOND + 1
    assert session.send(ORDER) == [Verdict.REJECT]
    session.now = NOW + 5 * SECOND
    assert session.send(ORDER) == [Verdict.ALLOW]


def test_a_module_over_its_limit_leaves_the_others_alone() -> None:
    session = Session()
    session.send(ORDER, 30)
    assert session.send(ORDER) == [Verdict.REJECT]
    assert counts(session.send(CANCEL, 61)) == (60, 1, 0)
    assert counts(session.send(QUOTE, 25)) == (24, 1, 0)


def test_a_closed_market_takes_less() -> None:
    session = Session()
    session.closed = True
    assert counts(session.send(ORDER, 20)) == (6, 3, 11)
    assert counts(session.send(CANCEL, 60)) == (60, 0, 0)


def test_far_from_every_limit_messages_are_not_looked_at_one_by_one() -> None:
    session = Session(EXCHANGE_CONTROLS)
    session.send(ORDER, 1000)
    assert session.looked == 1


def test_without_limits_nothing_is_refused() -> None:
    session = Session(NO_CONTROLS)
    assert counts(session.send(ORDER, 5000)) == (5000, 0, 0)


def test_a_gap_that_is_given_up_and_a_new_uuid_are_not_messages() -> None:
    session = Session()
    session.send(ORDER, 20)
    for number in (1000, 1):
        session.controls.renumbered(session.next, number)
        session.next = number
        assert session.send(ORDER, 4) == [Verdict.ALLOW] * 4
    assert counts(session.send(ORDER, 3)) == (2, 1, 0)


def test_new_limits_hold_for_the_next_message() -> None:
    session = Session(EXCHANGE_CONTROLS)
    session.send(ORDER, 40)
    session.policy = SMALL
    session.controls.look_again()
    assert session.send(ORDER) == [Verdict.REJECT]


def test_a_clock_that_is_moved_back_begins_a_window() -> None:
    session = Session()
    session.send(ORDER, 40)
    session.now -= 3600 * SECOND
    assert counts(session.send(ORDER, 31)) == (30, 1, 0)


def test_rates_are_told_beside_their_limits() -> None:
    session = Session()
    session.send(ORDER, 12)
    session.send(CANCEL, 6)
    session.now += SECOND
    rates = session.controls.rates(session.next, SMALL, session.now, closed=False)
    assert [(rate.module, rate.messages, rate.per_second, rate.limits) for rate in rates] == [
        (Module.COMMON, 12, 4.0, SMALL.common),
        (Module.CANCEL, 6, 2.0, SMALL.cancel),
        (Module.MASS_QUOTE, 0, 0.0, SMALL.mass_quote),
    ]
    session.now += 3 * SECOND
    assert not any(rate.messages for rate in session.controls.rates(session.next, SMALL, session.now, closed=False))


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"orders": {"reject": 1, "logout": 2}}, "there is no module 'orders'"),
        ({"common": {"reject": 1}}, "common: expected reject and logout"),
        ({"common": {"reject": 3, "logout": 2}}, "common: expected 1 <= reject <= logout, got reject 3"),
        ({"common": {"reject": 0, "logout": 2}}, "common: expected 1 <= reject"),
        ({"cancel": {"reject": "1", "logout": 2}}, "cancel: expected 1 <= reject"),
    ],
)
def test_limits_that_make_no_sense_are_refused(value: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ControlPolicy.from_json(value)


def test_limits_survive_the_journal() -> None:
    assert ControlPolicy.from_json(SMALL.to_json()) == SMALL
    assert ControlPolicy.from_json({}) == EXCHANGE_CONTROLS


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([ORDER, CANCEL, QUOTE]), st.integers(1, 40), st.sampled_from([0, 1, SECOND, 2 * SECOND])
        ),
        max_size=30,
    )
)
def test_not_looking_at_most_messages_changes_no_verdict(traffic: list[tuple[int, int, int]]) -> None:
    quick, careful = Session(), Session()
    for template, count, pause in traffic:
        said = []
        for _ in range(count):
            careful.controls.look_again()
            said += careful.send(template)
        assert quick.send(template, count) == said
        quick.now += pause
        careful.now += pause
