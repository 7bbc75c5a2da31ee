"""One test per reject code, and the order in which the checks are made."""

from dataclasses import replace

import pytest

from ontherun.market import (
    BusinessRejected,
    CancelRejected,
    OrderRejected,
    RejectReason,
    ReplaceRejected,
    SecurityTradingStatus,
)
from ontherun.market.terms import (
    ALL_OR_NONE,
    BUY,
    FILL_AND_KILL,
    FILL_OR_KILL,
    GOOD_FOR_SESSION,
    GOOD_TILL_CANCEL,
    GOOD_TILL_DATE,
    INT64_NULL,
    MARKET_WITH_LEFTOVER_AS_LIMIT,
    MARKET_WITH_PROTECTION,
    NOT_HELD,
    ONLY_BEST,
    PASSIVE,
    SELL,
    STOP_LIMIT,
    STOP_WITH_PROTECTION,
    UINT32_NULL,
    UINT64_NULL,
)

from .messages import NOW, UB02, UB10, Trader, kinds, market

CHICAGO_LIKE = replace(UB10, symbol="LOTS", min_qty=10, max_qty=500, qty_increment=5)
PLAIN = replace(UB10, symbol="PLAIN", security_id=1, display_allowed=False)


@pytest.fixture
def lots():
    """A trader on an instrument that trades 10 to 500 lots in fives."""
    return Trader(market(CHICAGO_LIKE, PLAIN))


def refused(events, kind, reason):
    """The one event, which must be of this kind with this reason; its text without the quotes' noise."""
    [event] = events
    assert (type(event), event.reason) == (kind, reason)
    assert 0 < len(event.text) <= 256
    assert event.text.isascii()
    return event.text.decode()


# 521, BusinessRejectReason (380)


@pytest.mark.parametrize("party", [99, 0, UINT32_NULL, UINT64_NULL])
def test_380_1_unknown_party_details(market, abc, party):
    for command in (abc.buy, lambda *order, **fields: abc.replace(order[0], BUY, *order[1:], **fields)):
        [event] = command(b"1", 1, "99-16", party_details_list_req_id=party)
        assert (type(event), event.reason, event.ref_tag) == (BusinessRejected, 1, 1505)
        assert str(party) in event.text.decode()
    [event] = abc.cancel(b"1", party_details_list_req_id=party)
    assert (type(event), event.reason, event.ref_tag) == (BusinessRejected, 1, 1505)


def test_380_5_price_missing(market, abc):
    abc.buy(b"1", 1, "99-16")
    for events in (abc.buy(b"2", 1, INT64_NULL), abc.replace(b"1", BUY, 1, INT64_NULL)):
        assert refused(events, BusinessRejected, 5) == "Conditionally required field missing: 44-Price"
        assert events[0].ref_tag == 44


def test_380_115_undisclosed_side(market, abc):
    abc.buy(b"1", 1, "99-16")
    for events in (abc.new(b"2", 7, 1, "99-16"), abc.replace(b"1", 7, 1, "99-16"), abc.cancel(b"1", 7)):
        refused(events, BusinessRejected, 115)
        assert events[0].ref_tag == 54


def test_380_133_duplicate_cl_ord_id(market, abc):
    abc.buy(b"1", 1, "99-16")
    other = abc.buy(b"2", 1, "99-16")[0].order
    for events in (abc.sell(b"1", 1, "99-20"), abc.replace(b"1", BUY, 1, "99-16", order_id=other.order_id)):
        assert refused(events, BusinessRejected, 133) == "Duplicate ClOrdID: 1 not allowed"
        assert events[0].ref_tag == 11


# 523, OrdRejReason (103), and the same numbers on a replace, CxlRejReason (102)


def test_103_1003_market_closed(market, abc):
    market.set_state(SecurityTradingStatus.CLOSED, NOW)
    text = refused(abc.buy(b"1", 1, "99-16"), OrderRejected, 1003)
    assert text == "Orders may not be entered while the market is closed"


def test_103_1003_market_paused(market, abc):
    market.set_state(SecurityTradingStatus.PAUSE, NOW)
    text = refused(abc.buy(b"1", 1, "99-16"), OrderRejected, 1003)
    assert text == "Orders may not be entered while the market is paused"


@pytest.mark.parametrize("price", ["99.51", "99-001", "99.500000001"])
def test_103_1011_price_off_tick(market, abc, price):
    assert "Price 99." in refused(abc.buy(b"1", 1, price), OrderRejected, 1011)
    assert kinds(abc.buy(b"1", 1, "99-001", security_id=UB02.security_id)) == ["OrderAccepted"]


def test_103_1011_min_qty_of_a_day_order(market, abc):
    for terms in ({}, {"time_in_force": FILL_OR_KILL}):
        assert "Fill And Kill only" in refused(abc.buy(b"1", 5, "99-16", min_qty=2, **terms), OrderRejected, 1011)


def test_103_1011_min_qty_above_order_qty(market, abc):
    events = abc.buy(b"1", 5, "99-16", min_qty=6, time_in_force=FILL_AND_KILL)
    assert "above OrderQty" in refused(events, OrderRejected, 1011)


def test_103_1011_display_quantity_off_increment(lots):
    assert "multiple of 5" in refused(lots.buy(b"1", 50, "99-16", display_qty=12), OrderRejected, 1011)


@pytest.mark.parametrize("price", [0, -UB10.tick, -1])
def test_103_1012_price_not_above_zero(market, abc, price):
    assert refused(abc.buy(b"1", 1, price), OrderRejected, 1012) == "Price must be greater than zero"


def test_103_1013_display_quantity_not_allowed(lots):
    text = refused(lots.buy(b"1", 5, "99-16", display_qty=1, security_id=PLAIN.security_id), OrderRejected, 1013)
    assert text == "Invalid order qualifier Symbol: PLAIN is ineligible for Display Quantity Order"


def test_103_2046_display_quantity_above_order_qty(market, abc):
    text = refused(abc.buy(b"1", 5, "99-16", display_qty=6), OrderRejected, 2046)
    assert text == "Disclosed Quantity cannot be greater than total or remaining qty"


def test_103_2047_unknown_contract(market, abc):
    abc.buy(b"1", 1, "99-16")
    assert refused(abc.buy(b"2", 1, "99-16", security_id=5), OrderRejected, 2047) == "Order contract is unknown"
    refused(abc.replace(b"1", BUY, 1, "99-16", security_id=5), ReplaceRejected, 2047)
    refused(abc.cancel(b"1", security_id=5), CancelRejected, 2047)


@pytest.mark.parametrize("qty", [0, UB10.max_qty + 1, UINT32_NULL])
def test_103_2115_quantity_out_of_range(market, abc, qty):
    assert (
        refused(abc.buy(b"1", qty, "99-16"), OrderRejected, 2115) == "Order quantity is outside of the allowable range"
    )


@pytest.mark.parametrize("status", [SecurityTradingStatus.PRE_OPEN, SecurityTradingStatus.POST_CLOSE])
def test_103_2130_not_in_pre_open_or_post_close(market, abc, status):
    market.set_state(status, NOW)
    text = refused(abc.buy(b"1", 1, "99-16", time_in_force=FILL_AND_KILL), OrderRejected, 2130)
    assert text == "Order type not permitted while the market is in Post Close/Pre-Open (PCP)"


def test_103_2137_outside_limits(market, abc):
    text = refused(abc.buy(b"1", 1, "150-00+"), OrderRejected, 2137)
    assert text == "Order price is outside the limits 'Bid of 150.015625 violates High Limit of 150'"
    text = refused(abc.sell(b"1", 1, "49-31+"), OrderRejected, 2137)
    assert text == "Order price is outside the limits 'Ask of 49.984375 violates Low Limit of 50'"


def test_103_2179_outside_bands(market, abc):
    text = refused(abc.sell(b"1", 1, "125-00+"), OrderRejected, 2179)
    assert (
        text
        == "Order price is outside bands 'Ask of 125.015625 violates High Band 125 using Delta .00, Stlmt equals 100'"
    )
    text = refused(abc.buy(b"1", 1, "50-00"), OrderRejected, 2179)
    assert text == "Order price is outside bands 'Bid of 50 violates Low Band 75 using Delta .00, Stlmt equals 100'"
    assert kinds(abc.buy(b"1", 1, "75-00") + abc.sell(b"2", 1, "125-00")) == ["OrderAccepted"] * 2


@pytest.mark.parametrize(
    "ord_type", [MARKET_WITH_PROTECTION, STOP_WITH_PROTECTION, STOP_LIMIT, MARKET_WITH_LEFTOVER_AS_LIMIT]
)
def test_103_2311_order_type_not_permitted(market, abc, ord_type):
    text = refused(abc.buy(b"1", 1, "99-16", ord_type=ord_type), OrderRejected, 2311)
    assert text == f"Order type not permitted for group Symbol: UB10 order type: {chr(ord_type)}, Allowed types: 2"


def test_103_5003_below_the_minimum_trade_volume(lots):
    assert (
        refused(lots.buy(b"1", 5, "99-16"), OrderRejected, 5003)
        == "Order Quantity is less than the Min Trade Volume: 10"
    )


def test_103_5004_display_quantity_below_the_minimum_trade_volume(lots):
    text = refused(lots.buy(b"1", 50, "99-16", display_qty=5), OrderRejected, 5004)
    assert text == "Order Max Show is less than the Min Trade Volume: 10"


def test_103_5005_min_qty_below_the_minimum_trade_volume(lots):
    text = refused(lots.buy(b"1", 50, "99-16", min_qty=5, time_in_force=FILL_AND_KILL), OrderRejected, 5005)
    assert text == "Order Minimum Qty is less than the Minimum Trade Volume: 10"


def test_103_5006_quantity_off_increment(lots):
    text = refused(lots.buy(b"1", 17, "99-16"), OrderRejected, 5006)
    assert text == (
        "Order quantity is not compatible with increment size "
        "'Quantity: '17' isn't compatible with OrderIncrementSize: '5'"
    )


def test_103_5010_only_best_not_allowed(market, abc):
    text = refused(abc.buy(b"1", 1, "99-16", exec_inst=ONLY_BEST), OrderRejected, 5010)
    assert text == "ExecInstruction Only Best not allowed for this contract"


@pytest.mark.parametrize(
    ("terms", "name"),
    [
        ({"exec_inst": ALL_OR_NONE}, "All or None"),
        ({"exec_inst": NOT_HELD, "time_in_force": FILL_AND_KILL}, "Not Held"),
        ({"exec_inst": 1 << 7}, "ExecInst 128"),
        ({"execution_mode": PASSIVE}, "Passive"),
    ],
)
def test_103_5512_qualifier_not_permitted(market, abc, terms, name):
    text = refused(abc.buy(b"1", 1, "99-16", **terms), OrderRejected, 5512)
    assert text == f"Order type not permitted for group 'group: USBD, order type: {name}'"


@pytest.mark.parametrize("time_in_force", [GOOD_TILL_CANCEL, GOOD_TILL_DATE, GOOD_FOR_SESSION])
def test_103_7047_type_and_duration_invalid(market, abc, time_in_force):
    text = refused(abc.buy(b"1", 1, "99-16", time_in_force=time_in_force), OrderRejected, 7047)
    assert text.startswith(f"Order Type / Duration Combo invalid. TIF: '{time_in_force}' / ")


def test_103_7613_display_quantity_below_min_qty(market, abc):
    text = refused(
        abc.buy(b"1", 9, "99-16", display_qty=3, min_qty=4, time_in_force=FILL_AND_KILL), OrderRejected, 7613
    )
    assert text == "Disclosed quantity cannot be smaller than the minimum quantity"


# 535 and 536, CxlRejReason (102)


def test_102_1003_no_cancel_while_closed(market, abc):
    abc.buy(b"1", 1, "99-16")
    market.set_state(SecurityTradingStatus.CLOSED, NOW)
    for events, kind in ((abc.cancel(b"1"), CancelRejected), (abc.replace(b"1", BUY, 1, "99-15"), ReplaceRejected)):
        assert refused(events, kind, 1003) == "Orders may not be cancelled while the market is closed"


def test_102_2045_order_not_in_the_book(market, abc):
    order_id = abc.buy(b"1", 1, "99-16")[0].order.order_id
    abc.cancel(b"1")
    gone = {"order_id": order_id}
    for events, kind in (
        (abc.cancel(b"1", **gone), CancelRejected),
        (abc.replace(b"1", BUY, 1, "99-16", **gone), ReplaceRejected),
    ):
        assert refused(events, kind, 2045) == "This order is not in the book"
        assert events[0].order_id == order_id
    [rejected] = abc.cancel(b"never was")
    assert (rejected.reason, rejected.order_id) == (2045, 0)


def test_102_2045_order_of_another_instrument(market, abc):
    order_id = abc.buy(b"1", 1, "99-16")[0].order.order_id
    other = {"order_id": order_id, "security_id": UB02.security_id}
    refused(abc.cancel(b"1", **other), CancelRejected, 2045)
    refused(abc.replace(b"1", BUY, 1, "99-16", **other), ReplaceRejected, 2045)


def test_102_2048_order_of_another_sender_comp(market, abc):
    order_id = abc.buy(b"1", 1, "99-16")[0].order.order_id
    same_firm = Trader(market, "XYZ", "FIRM1")
    for events, kind in (
        (same_firm.cancel(b"1", order_id=order_id), CancelRejected),
        (same_firm.replace(b"1", BUY, 1, "99-16", order_id=order_id), ReplaceRejected),
    ):
        text = refused(events, kind, 2048)
        assert text == "The order was submitted with a different SenderCompID than the requesting cancel"


def test_the_same_sender_comp_on_a_new_connection_still_owns_its_orders(market, abc):
    abc.buy(b"1", 1, "99-16")
    reconnected = Trader(market, "ABC", "FIRM1")
    assert reconnected.owner is not abc.owner
    assert kinds(reconnected.replace(b"1", BUY, 1, "99-15") + reconnected.cancel(b"1")) == [
        "OrderModified",
        "OrderCancelled",
    ]


def test_102_2051_another_side(market, abc):
    abc.buy(b"1", 1, "99-16")
    for events, kind in (
        (abc.cancel(b"1", SELL), CancelRejected),
        (abc.replace(b"1", SELL, 1, "99-16"), ReplaceRejected),
    ):
        assert refused(events, kind, 2051) == "The Order was submitted with a different side than the requesting Cancel"


def test_a_reject_names_the_order_that_cl_ord_id_led_to(market, abc):
    order_id = abc.buy(b"1", 1, "99-16")[0].order.order_id
    assert abc.cancel(b"1", SELL)[0].order_id == order_id


def test_a_refused_new_order_has_no_order_id(market, abc):
    assert abc.buy(b"1", 0, "99-16")[0].order_id == 0


# The order of the checks: each step repairs the fault that was answered and meets the next.

NEW_ORDER_STEPS = [
    (1, {"party_details_list_req_id": 1}),
    (5, {"price": -1}),
    (115, {"side": SELL}),
    (133, {"cl_ord_id": b"free"}),
    (2047, {"security_id": CHICAGO_LIKE.security_id}),
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


def test_every_reason_that_exists_has_a_test_named_after_it():
    names = " ".join(name for name in globals() if name.startswith("test_"))
    assert [reason for reason in RejectReason if f"_{int(reason)}_" not in names] == []
