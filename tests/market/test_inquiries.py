"""Mass action, order status and mass status: their scopes, their filters, their refusals."""

from dataclasses import replace

import pytest

from ontherun.market import SecurityTradingStatus
from ontherun.market.refusals import MassActionRejectReason
from ontherun.market.terms import (
    BUY,
    DAY,
    GOOD_TILL_CANCEL,
    LIMIT,
    SELL,
    STOP_LIMIT,
    UINT8_NULL,
)

from .messages import NOW, UB02, UB10, Inquiry, Trader, kinds, market

SPREAD = replace(UB10, symbol="UB2:10", security_id=11, security_group="USSY")


@pytest.fixture
def segment():
    return market(UB10, UB02, SPREAD)


@pytest.fixture
def abc(segment):
    """A trader with an order of every kind that a filter may ask for."""
    trader = Trader(segment)
    trader.buy(b"plain", 1, "99-16")
    trader.sell(b"sell", 2, "100-16")
    trader.buy(b"gtc", 3, "99-16", time_in_force=GOOD_TILL_CANCEL)
    trader.buy(b"other", 4, "99-16", security_id=UB02.security_id)
    trader.buy(b"spread", 5, "99-16", security_id=SPREAD.security_id)
    trader.buy(b"sender", 6, "99-16", sender_id=b"Second")
    trader.buy(b"account", 7, "99-16", party_details_list_req_id=3)
    Trader(segment, "XYZ", "FIRM2").buy(b"theirs", 1, "99-15")
    return trader


EVERY = ["plain", "sell", "gtc", "other", "spread", "sender", "account"]

FILTERS = [
    ({}, EVERY),
    ({"scope": 1, "security_id": UB02.security_id}, ["other"]),
    ({"scope": 10, "security_group": b"USSY"}, ["spread"]),
    ({"scope": 9, "market_segment_id": 40}, EVERY),
    ({"time_in_force": GOOD_TILL_CANCEL}, ["gtc"]),
    ({"time_in_force": DAY}, [name for name in EVERY if name != "gtc"]),
    ({"by": 100, "sender_id": b"SECOND"}, ["sender"]),
    ({"by": 101, "party_details_list_req_id": 3}, ["account"]),
]
SIDES_AND_TYPES = [
    ({"side": SELL}, ["sell"]),
    ({"side": BUY, "scope": 1, "security_id": UB10.security_id}, ["plain", "gtc", "sender", "account"]),
    ({"ord_type": LIMIT}, EVERY),
    ({"ord_type": STOP_LIMIT}, []),
]
STATUS_SCOPES = {1: 1, 10: 3, 9: 100, 7: 7}


def mass_cancel(trader, scope=7, by=UINT8_NULL, **fields):
    request = Inquiry(mass_action_scope=scope, mass_cancel_request_type=by, **fields)
    return trader.market.mass_cancel(trader.owner, request, NOW)


def mass_status(trader, scope=7, by=UINT8_NULL, **fields):
    request = Inquiry(mass_status_req_type=STATUS_SCOPES.get(scope, scope), ord_status_req_type=by, **fields)
    return trader.market.mass_status(trader.owner, request, NOW)


@pytest.mark.parametrize(("asked", "names"), FILTERS + SIDES_AND_TYPES)
def test_a_mass_action_cancels_what_it_asks_for_and_nothing_else(segment, abc, asked, names):
    [event] = mass_cancel(abc, **asked)
    assert event.reason is None
    assert [cl_ord_id.decode() for cl_ord_id, _, _ in event.cancelled] == names
    assert [qty for _, _, qty in event.cancelled] == [EVERY.index(name) + 1 for name in names]
    left = [order.terms.cl_ord_id.decode() for order in segment.orders_of(abc.owner)]
    assert left == [name for name in EVERY if name not in names]


@pytest.mark.parametrize(("asked", "names"), FILTERS)
def test_a_mass_status_tells_what_it_asks_for_the_last_one_marked(abc, asked, names):
    events = mass_status(abc, **asked)
    assert [event.order.terms.cl_ord_id.decode() for event in events] == names
    assert [event.last for event in events] == [False] * (len(names) - 1) + [True]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"scope": 1, "security_id": 99}, MassActionRejectReason.UNKNOWN_SECURITY),
        ({"scope": 9, "market_segment_id": 42}, MassActionRejectReason.UNKNOWN_MARKET_SEGMENT),
        ({"scope": 10, "security_group": b"NONE"}, MassActionRejectReason.UNKNOWN_SECURITY_GROUP),
    ],
)
def test_a_mass_action_for_what_is_not_here_is_rejected(segment, abc, asked, reason):
    [event] = mass_cancel(abc, **asked)
    assert (event.reason, event.cancelled) == (reason, [])
    assert len(segment.orders_of(abc.owner)) == len(EVERY)


def test_a_mass_action_while_the_market_is_closed_is_rejected(segment, abc):
    segment.set_state(SecurityTradingStatus.CLOSED, NOW)
    [event] = mass_cancel(abc)
    assert event.reason is MassActionRejectReason.OTHER


def test_a_mass_action_with_nothing_to_cancel_is_accepted(segment, abc):
    [event] = mass_cancel(Trader(segment, "NEW", "FIRM3"))
    assert (event.reason, event.cancelled) == (None, [])


@pytest.mark.parametrize("ask", [mass_cancel, mass_status])
@pytest.mark.parametrize(
    ("scope", "reason", "tag"),
    [(1, 5, 48), (10, 5, 1151), (9, 5, 1300), (55, 115, {mass_cancel: 1374, mass_status: 585})],
)
def test_a_scope_needs_its_field(abc, ask, scope, reason, tag):
    [event] = ask(abc, scope)
    assert (event.reason, event.ref_tag) == (reason, tag if isinstance(tag, int) else tag[ask])


def test_380_1_a_request_under_unknown_party_details_is_refused(segment, abc):
    status = segment.order_status(abc.owner, Inquiry(party_details_list_req_id=9, order_id=1), NOW)
    for [event] in (
        mass_cancel(abc, party_details_list_req_id=9),
        mass_status(abc, party_details_list_req_id=9),
        status,
    ):
        assert (event.reason, event.ref_tag) == (1, 1505)


def test_380_117_a_mass_status_of_nothing_is_refused(segment):
    [event] = mass_status(Trader(segment, "NEW", "FIRM3"))
    assert event.reason == 117


def test_an_order_tells_its_status(segment, abc):
    order = segment.orders_of(abc.owner)[0]
    [event] = segment.order_status(abc.owner, Inquiry(order_id=order.order_id), NOW)
    assert kinds([event]) == ["StatusReported"]
    assert (event.order, event.last) == (order, UINT8_NULL)


def test_380_116_an_order_that_is_gone_or_anothers_has_no_status(segment, abc):
    theirs = next(iter(segment.books[UB10.security_id].bids.levels[99_468_750_000]))
    for order_id in (theirs.order_id, 12345):
        [event] = segment.order_status(abc.owner, Inquiry(order_id=order_id), NOW)
        assert (event.reason, event.ref_tag) == (116, 37)
