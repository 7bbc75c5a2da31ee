"""One test per reject code, and the order in which the checks are made."""

from dataclasses import replace

import pytest

from ontherun.market import (
    BusinessRejected,
    CancelRejected,
    DayMinQty,
    OrderRejected,
    RejectReason,
    ReplaceRejected,
    SecurityTradingStatus,
)
from ontherun.market.terms import (
    ALL_OR_NONE,
    BUY,
    DAY,
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

from .messages import NOW, TRADE_DATE, UB02, UB10, Trader, kinds, market

CHICAGO_LIKE = replace(UB10, symbol="LOTS", min_qty=10, max_qty=500, qty_increment=5)
CHICAGO_LIKE = replace(CHICAGO_LIKE, good_till_allowed=False, only_best_allowed=False)
PLAIN = replace(UB10, symbol="PLAIN", security_id=1, display_allowed=False, passive_allowed=False)
WHOLE = replace(UB10, symbol="WHOLE", security_id=2, display_allowed=False, all_or_none=True)
UNHELD = replace(UB10, symbol="UNHELD", security_id=3, not_held_allowed=True)


@pytest.fixture
def lots():
    """A trader on an instrument that trades 10 to 500 lots in fives."""
    return Trader(market(CHICAGO_LIKE, PLAIN, WHOLE, UNHELD))


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


def test_380_5_expire_date_missing(market, abc):
    abc.buy(b"1", 1, "99-16")
    for events in (
        abc.buy(b"2", 1, "99-16", time_in_force=GOOD_TILL_DATE),
        abc.replace(b"1", BUY, 1, "99-16", time_in_force=GOOD_TILL_DATE),
    ):
        assert refused(events, BusinessRejected, 5) == "Conditionally required field missing: 432-ExpireDate"
        assert events[0].ref_tag == 432


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


@pytest.mark.parametrize("terms", [{"time_in_force": FILL_OR_KILL}, {"execution_mode": PASSIVE}])
def test_103_1011_min_qty_where_it_has_no_meaning(market, abc, terms):
    assert "MinQty" in refused(abc.buy(b"1", 5, "99-16", min_qty=2, **terms), OrderRejected, 1011)


def test_103_1011_min_qty_of_a_day_order_where_the_policy_says_so():
    abc = Trader(market(day_min_qty=DayMinQty.REFUSE))
    assert "MinQty" in refused(abc.buy(b"1", 5, "99-16", min_qty=2), OrderRejected, 1011)


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


def test_103_5000_and_5001_only_best_behind_the_best_price(market, abc, xyz):
    xyz.buy(b"1", 1, "99-16")
    xyz.sell(b"2", 1, "99-20")
    text = refused(abc.buy(b"1", 1, "99-15", exec_inst=ONLY_BEST), OrderRejected, 5000)
    assert text == "Bid of 99.46875 not better than current Best Bid 99.5"
    text = refused(abc.sell(b"1", 1, "99-21", exec_inst=ONLY_BEST), OrderRejected, 5001)
    assert text == "Ask of 99.65625 not better than current Best Ask 99.625"


def test_103_5010_only_best_not_allowed(lots):
    text = refused(lots.buy(b"1", 10, "99-16", exec_inst=ONLY_BEST), OrderRejected, 5010)
    assert text == "ExecInstruction Only Best not allowed for this contract"


@pytest.mark.parametrize("time_in_force", [GOOD_TILL_CANCEL, GOOD_TILL_DATE])
def test_103_5011_only_best_beyond_the_day(market, abc, time_in_force):
    terms = {"time_in_force": time_in_force, "expire_date": TRADE_DATE, "exec_inst": ONLY_BEST}
    text = refused(abc.buy(b"1", 1, "99-16", **terms), OrderRejected, 5011)
    assert text == "ExecInstruction Only Best not allowed with Good Till Cancel or Good Till Date"


def test_103_2019_expire_date_before_the_session(market, abc):
    terms = {"time_in_force": GOOD_TILL_DATE}
    assert refused(abc.buy(b"1", 1, "99-16", expire_date=TRADE_DATE - 1, **terms), OrderRejected, 2019)
    assert kinds(abc.buy(b"1", 1, "99-16", expire_date=TRADE_DATE, **terms)) == ["OrderAccepted"]
    market.set_state(SecurityTradingStatus.OPEN, NOW, TRADE_DATE + 1)
    assert refused(abc.buy(b"2", 1, "99-16", expire_date=TRADE_DATE, **terms), OrderRejected, 2019)


@pytest.mark.parametrize(
    ("terms", "name"),
    [
        ({"exec_inst": ALL_OR_NONE}, "All or None"),
        ({"exec_inst": NOT_HELD, "time_in_force": FILL_AND_KILL}, "Not Held"),
        ({"exec_inst": 1 << 7}, "ExecInst 128"),
        ({"execution_mode": PASSIVE}, "Passive"),
        ({"security_id": WHOLE.security_id}, "Regular"),
    ],
)
def test_103_5512_qualifier_not_permitted(lots, terms, name):
    text = refused(lots.buy(b"1", 1, "99-16", **({"security_id": PLAIN.security_id} | terms)), OrderRejected, 5512)
    assert text == f"Order type not permitted for group 'group: USBD, order type: {name}'"


@pytest.mark.parametrize(
    ("instrument", "time_in_force", "terms", "name"),
    [
        (CHICAGO_LIKE, GOOD_TILL_CANCEL, {}, "Limit"),
        (CHICAGO_LIKE, GOOD_TILL_DATE, {"expire_date": TRADE_DATE}, "Limit"),
        (CHICAGO_LIKE, GOOD_FOR_SESSION, {}, "Limit"),
        (CHICAGO_LIKE, FILL_AND_KILL, {"execution_mode": PASSIVE}, "Passive"),
        (CHICAGO_LIKE, FILL_OR_KILL, {"execution_mode": PASSIVE}, "Passive"),
        (WHOLE, FILL_AND_KILL, {"exec_inst": ALL_OR_NONE}, "All or None"),
        (WHOLE, GOOD_TILL_CANCEL, {"exec_inst": ALL_OR_NONE}, "All or None"),
        (UNHELD, DAY, {"exec_inst": NOT_HELD}, "Not Held"),
    ],
)
def test_103_7047_type_and_duration_invalid(lots, instrument, time_in_force, terms, name):
    terms = terms | {"security_id": instrument.security_id, "time_in_force": time_in_force}
    text = refused(lots.buy(b"1", 10, "99-16", **terms), OrderRejected, 7047)
    assert text == f"Order Type / Duration Combo invalid. TIF: '{time_in_force}' / Order Type: '{name}'"


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


def test_102_2103_another_sender_id_where_the_market_minds():
    abc = Trader(market(replace_by_other_sender_id=False))
    abc.buy(b"1", 2, "99-16")
    text = refused(abc.replace(b"1", BUY, 1, "99-16", sender_id=b"OTHER"), ReplaceRejected, 2103)
    assert text == "The trader ID of the modify differs from that of the original order"
    assert kinds(abc.replace(b"1", BUY, 1, "99-16", sender_id=b"trader")) == ["OrderModified"]


def test_every_reason_that_exists_has_a_test_named_after_it():
    names = " ".join(name for name in globals() if name.startswith("test_"))
    assert [reason for reason in RejectReason if f"_{int(reason)}_" not in names] == []
