"""Each step repairs the fault that was answered and meets the next: the checks are made in the documented order."""

from dataclasses import replace

import pytest

from ontherun.market import SecurityTradingStatus
from ontherun.market.terms import (
    ALL_OR_NONE,
    BUY,
    DAY,
    FILL_AND_KILL,
    GOOD_TILL_CANCEL,
    GOOD_TILL_DATE,
    INT64_NULL,
    ONLY_BEST,
    SELL,
)

from .messages import NOW, TRADE_DATE, UB02, UB10, Trader, kinds, market

DAYS_ONLY = replace(UB10, symbol="DAYS", min_qty=10, max_qty=500, qty_increment=5, good_till_allowed=False)
DAYS_ONLY = replace(DAYS_ONLY, only_best_allowed=False)


@pytest.fixture
def lots():
    """A trader on an instrument that trades 10 to 500 lots in fives, for the day only."""
    return Trader(market(DAYS_ONLY))


NEW_ORDER_STEPS = [
    (1, {"party_details_list_req_id": 1}),
    (5, {"price": -1}),
    (115, {"side": SELL}),
    (133, {"cl_ord_id": b"free"}),
    (2047, {"security_id": DAYS_ONLY.security_id}),
    (2311, {"ord_type": ord("2")}),
    (5512, {"exec_inst": ONLY_BEST}),
    (7047, {"time_in_force": FILL_AND_KILL}),
    (5010, {"exec_inst": 0}),
    (2115, {"order_qty": 7}),
    (5003, {"order_qty": 12}),
    (5006, {"order_qty": 100}),
    (2046, {"display_qty": 5}),
    (5004, {"display_qty": 10}),
    (5005, {"min_qty": 15}),
    (7613, {"min_qty": 10}),
    (1012, {"price": 1}),
    (1011, {"price": 200 * 10**9}),
    (2137, {"price": 140 * 10**9}),
    (2179, {"price": 100 * 10**9}),
]


def worst_terms():
    """An order with every fault at once."""
    return {
        "cl_ord_id": b"taken",
        "side": 7,
        "qty": 0,
        "price": INT64_NULL,
        "party_details_list_req_id": 9,
        "security_id": 5,
        "ord_type": ord("1"),
        "exec_inst": ALL_OR_NONE | ONLY_BEST,
        "time_in_force": GOOD_TILL_CANCEL,
        "display_qty": 101,
        "min_qty": 1,
    }


def repair(terms, fields):
    terms.update(fields)
    if "order_qty" in fields:
        terms["qty"] = terms.pop("order_qty")


def test_a_new_order_is_checked_in_the_documented_order(lots):
    lots.buy(b"taken", 10, "99-16")
    terms = worst_terms()
    for reason, fields in NEW_ORDER_STEPS:
        [event] = lots.new(**terms)
        assert event.reason == reason
        repair(terms, fields)
    assert kinds(lots.new(**terms)) == ["OrderAccepted", "OrderEliminated"]


def test_the_checks_of_orders_that_stay_and_of_only_best_have_their_places(market, abc, xyz):
    xyz.sell(b"1", 1, "99-20")
    terms = {"cl_ord_id": b"1", "side": 7, "qty": 0, "price": "99-21", "exec_inst": ONLY_BEST}
    terms["time_in_force"] = GOOD_TILL_DATE
    for reason, fields in [
        (5, {"expire_date": TRADE_DATE - 1}),
        (115, {"side": SELL}),
        (2019, {"expire_date": TRADE_DATE}),
        (5011, {"time_in_force": DAY}),
        (2115, {"qty": 1}),
        (5001, {"price": "99-20"}),
    ]:
        [event] = abc.new(**terms)
        assert event.reason == reason
        terms |= fields
    assert kinds(abc.new(**terms)) == ["OrderAccepted"]


def test_a_replace_is_checked_in_the_documented_order(lots):
    lots.buy(b"taken", 10, "99-16")
    theirs = Trader(lots.market, "XYZ").sell(b"theirs", 10, "100-00")[0].order.order_id
    mine = lots.buy(b"mine", 10, "99-16", display_qty=10)[0].order.order_id
    terms = worst_terms() | {"order_id": 12345}
    target = [(2045, {"order_id": theirs}), (2048, {"order_id": mine}), (2051, {"side": BUY})]
    steps = NEW_ORDER_STEPS[:5] + target + NEW_ORDER_STEPS[5:]
    for reason, fields in steps:
        [event] = lots.replace(**terms)
        assert event.reason == reason
        repair(terms, fields)
    assert kinds(lots.replace(**terms))[0] == "OrderModified"


def test_a_cancel_is_checked_in_the_documented_order(market, abc, xyz):
    theirs = xyz.buy(b"1", 1, "99-16")[0].order.order_id
    mine = abc.buy(b"1", 1, "99-16")[0].order.order_id
    market.set_state(SecurityTradingStatus.CLOSED, NOW)
    terms = {"side": 7, "party_details_list_req_id": 9, "security_id": 5, "order_id": 12345}
    for reason, fields in [
        (1, {"party_details_list_req_id": 1}),
        (115, {"side": SELL}),
        (2047, {"security_id": UB02.security_id}),
        (1003, {}),
        (2045, {"order_id": theirs}),
        (2048, {"order_id": mine}),
        (2045, {"security_id": UB10.security_id}),
        (2051, {"side": BUY}),
    ]:
        [event] = abc.cancel(b"1", **terms)
        assert event.reason == reason
        terms |= fields
        if reason == 1003:
            market.set_state(SecurityTradingStatus.OPEN, NOW)
    assert kinds(abc.cancel(b"1", **terms)) == ["OrderCancelled"]
