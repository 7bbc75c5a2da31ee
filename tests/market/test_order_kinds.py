"""GTC and GTD, only best, passive, all or none, minimum quantity: what each is for, and how long it lives."""

from dataclasses import replace

import pytest

from ontherun.market import OrderTraded, SecurityTradingStatus, parse_price
from ontherun.market.terms import (
    AGGRESSIVE,
    ALL_OR_NONE,
    BUY,
    FILL_AND_KILL,
    FILL_OR_KILL,
    GOOD_TILL_CANCEL,
    GOOD_TILL_DATE,
    NOT_HELD,
    ONLY_BEST,
    PASSIVE,
    SELL,
)

from .messages import NOW, TRADE_DATE, UB02, UB10, Trader, book, kinds, market

WHOLE = replace(UB10, symbol="AON", display_allowed=False, all_or_none=True)
UNHELD = replace(UB10, symbol="REPO", not_held_allowed=True)
OPEN, PAUSE, PRE_OPEN = (SecurityTradingStatus[name] for name in ("OPEN", "PAUSE", "PRE_OPEN"))


def named(events):
    """The events with the ClOrdIDs that they are about."""
    return [(type(event).__name__, event.order.terms.cl_ord_id) for event in events]


class TestGoodTill:
    def test_gtc_and_gtd_orders_stay_over_the_days_end_in_their_place(self, market, abc, xyz):
        abc.buy(b"cancel", 1, "99-16", time_in_force=GOOD_TILL_CANCEL)
        abc.buy(b"day", 2, "99-16")
        abc.buy(b"date", 3, "99-16", time_in_force=GOOD_TILL_DATE, expire_date=TRADE_DATE + 1)
        assert named(market.end_of_day(NOW)) == [("OrderEliminated", b"day")]
        abc.buy(b"late", 4, "99-16")
        assert book(market)[0] == [(parse_price("99-16"), [1, 3, 4])]

    def test_a_gtd_order_ends_with_the_day_of_its_expire_date(self, market, abc):
        market.set_state(OPEN, NOW, TRADE_DATE + 5)
        abc.buy(b"today", 1, "99-16", time_in_force=GOOD_TILL_DATE, expire_date=TRADE_DATE + 5)
        abc.buy(b"later", 1, "99-16", time_in_force=GOOD_TILL_DATE, expire_date=TRADE_DATE + 7)
        assert named(market.end_of_day(NOW)) == [("OrderEliminated", b"today")]
        market.set_state(OPEN, NOW, TRADE_DATE + 6)
        assert market.end_of_day(NOW) == []
        market.set_state(OPEN, NOW, TRADE_DATE + 8)  # the 7th was no trading day
        assert named(market.end_of_day(NOW)) == [("OrderEliminated", b"later")]

    def test_they_end_when_another_security_becomes_on_the_run(self, market, abc):
        abc.buy(b"cancel", 1, "99-16", time_in_force=GOOD_TILL_CANCEL)
        abc.buy(b"date", 1, "99-16", time_in_force=GOOD_TILL_DATE, expire_date=TRADE_DATE + 9)
        abc.buy(b"day", 1, "99-16")
        abc.buy(b"other", 1, "99-16", time_in_force=GOOD_TILL_CANCEL, security_id=UB02.security_id)
        events = market.new_on_the_run(UB10.security_id, NOW)
        assert named(events) == [("OrderEliminated", b"cancel"), ("OrderEliminated", b"date")]

    def test_a_lost_connection_leaves_them(self, market, abc):
        abc.buy(b"cancel", 1, "99-16", time_in_force=GOOD_TILL_CANCEL)
        abc.buy(b"day", 1, "99-16")
        assert named(market.cancel_day_orders(abc.owner, 100, NOW)) == [("OrderCancelled", b"day")]

    def test_a_day_order_becomes_gtc_in_its_place(self, market, abc):
        abc.buy(b"1", 1, "99-16")
        abc.buy(b"2", 2, "99-16")
        assert kinds(abc.replace(b"1", BUY, 1, "99-16", time_in_force=GOOD_TILL_CANCEL)) == ["OrderModified"]
        assert book(market)[0] == [(parse_price("99-16"), [1, 2])]
        assert named(market.end_of_day(NOW)) == [("OrderEliminated", b"2")]

    def test_a_trade_of_another_day_has_that_days_trade_date(self, market, abc, xyz):
        abc.buy(b"1", 2, "99-16", time_in_force=GOOD_TILL_CANCEL)
        market.set_state(OPEN, NOW, TRADE_DATE + 1)
        assert {event.trade_date for event in xyz.sell(b"X", 1, "99-16")[1:]} == {TRADE_DATE + 1}


class TestOnlyBest:
    @pytest.mark.parametrize("price", ["99-16", "99-16+"])
    def test_it_may_equal_or_improve_the_best_price(self, market, abc, price):
        abc.buy(b"plain", 1, "99-16")
        assert kinds(abc.buy(b"best", 1, price, exec_inst=ONLY_BEST)) == ["OrderAccepted"]

    def test_it_is_cancelled_when_a_better_price_comes(self, market, abc, xyz):
        abc.buy(b"plain", 1, "99-16")
        abc.buy(b"best", 2, "99-16", exec_inst=ONLY_BEST)
        abc.buy(b"display", 6, "99-16", exec_inst=ONLY_BEST, display_qty=2)
        events = xyz.buy(b"better", 1, "99-16+")
        assert named(events) == [
            ("OrderAccepted", b"better"),
            ("OrderCancelled", b"best"),
            ("OrderCancelled", b"display"),
        ]
        assert [(event.request, event.restatement_reason) for event in events[1:]] == [(None, 9), (None, 9)]
        assert book(market)[0] == [(parse_price("99-16+"), [1]), (parse_price("99-16"), [1])]

    @pytest.mark.parametrize("side", [BUY, SELL])
    def test_the_short_way_of_a_plain_order_looks_for_it_too(self, market, abc, xyz, side):
        for price in ("99-16", "99-17", "99-18"):  # prices that have passed the checks
            abc.new(b"pass", side, 1, price)
            abc.cancel(b"pass", side)
        abc.new(b"best", side, 1, "99-17", exec_inst=ONLY_BEST)
        for price in ("99-16", "99-17", "99-18"):
            assert market.rest(abc.owner, xyz.order(b"X", side, 1, price)) is None
        better = "99-18" if side == BUY else "99-16"
        assert named(xyz.new(b"X", side, 1, better))[1:] == [("OrderCancelled", b"best")]
        xyz.new(b"Y", side, 1, better)
        assert market.rest(abc.owner, xyz.order(b"Z", side, 1, better)) is not None

    def test_a_replace_to_a_better_price_cancels_it(self, market, abc, xyz):
        abc.sell(b"best", 1, "99-16", exec_inst=ONLY_BEST)
        xyz.sell(b"other", 1, "99-17")
        assert named(xyz.replace(b"other", SELL, 1, "99-15")) == [
            ("OrderModified", b"other"),
            ("OrderCancelled", b"best"),
        ]

    def test_its_own_price_does_not_hold_its_replace_back(self, market, abc, xyz):
        xyz.buy(b"other", 1, "99-14")
        abc.buy(b"best", 1, "99-16", exec_inst=ONLY_BEST)
        assert kinds(abc.replace(b"best", BUY, 1, "99-14", exec_inst=ONLY_BEST)) == ["OrderModified"]
        [event] = abc.replace(b"best", BUY, 1, "99-12", exec_inst=ONLY_BEST)
        assert (type(event).__name__, event.reason) == ("ReplaceRejected", 5000)

    def test_a_resting_order_becomes_only_best_by_a_replace(self, market, abc, xyz):
        abc.buy(b"1", 1, "99-16")
        abc.replace(b"1", BUY, 1, "99-16", exec_inst=ONLY_BEST)
        assert named(xyz.buy(b"X", 1, "99-17"))[1:] == [("OrderCancelled", b"1")]

    @pytest.mark.parametrize("time_in_force", [FILL_AND_KILL, FILL_OR_KILL])
    def test_it_goes_with_immediate_orders(self, market, abc, xyz, time_in_force):
        xyz.sell(b"1", 1, "99-16")
        events = abc.buy(b"1", 1, "99-16", exec_inst=ONLY_BEST, time_in_force=time_in_force)
        assert kinds(events) == ["OrderAccepted", "OrderTraded", "OrderTraded"]


class TestPassive:
    def test_it_rests_where_it_could_trade(self, market, abc, xyz):
        abc.buy(b"1", 2, "99-16")
        assert kinds(xyz.sell(b"P", 2, "99-15", execution_mode=PASSIVE)) == ["OrderAccepted"]
        assert book(market) == ([(parse_price("99-16"), [2])], [(parse_price("99-15"), [2])])

    def test_an_aggressive_order_trades_with_it(self, market, abc, xyz):
        xyz.sell(b"P", 2, "99-15", execution_mode=PASSIVE)
        trades = abc.buy(b"1", 2, "99-16", execution_mode=AGGRESSIVE)[1:]
        assert [event.price for event in trades] == [parse_price("99-15")] * 2
        assert [event.aggressor for event in trades] == [False, True]

    def test_two_passive_orders_do_not_trade_with_each_other(self, market, abc, xyz):
        xyz.sell(b"P", 2, "99-15", execution_mode=PASSIVE)
        assert kinds(abc.buy(b"P", 2, "99-16", execution_mode=PASSIVE)) == ["OrderAccepted"]
        assert kinds(abc.sell(b"X", 2, "99-16")) == ["OrderAccepted", "OrderTraded", "OrderTraded"]

    def test_a_replace_to_aggressive_trades(self, market, abc, xyz):
        abc.buy(b"1", 2, "99-16")
        xyz.sell(b"P", 2, "99-15", execution_mode=PASSIVE)
        events = xyz.replace(b"P", SELL, 2, "99-15", execution_mode=AGGRESSIVE)
        assert kinds(events) == ["OrderModified", "OrderTraded", "OrderTraded"]

    def test_opening_again_changes_nothing_between_orders_that_have_met(self, market, abc, xyz):
        abc.sell(b"1", 2, "99-15")
        xyz.buy(b"P", 2, "99-16", execution_mode=PASSIVE)
        for _ in range(2):
            market.set_state(PAUSE, NOW)
            assert market.set_state(OPEN, NOW) == []


class TestAllOrNone:
    @pytest.fixture
    def traders(self):
        segment = market(WHOLE)
        return Trader(segment), Trader(segment, "XYZ")

    def test_it_trades_with_an_order_of_equal_price_and_quantity(self, traders):
        abc, xyz = traders
        for cl_ord_id, qty in ((b"2", 2), (b"5", 5), (b"also 5", 5)):
            abc.sell(cl_ord_id, qty, "99-16", exec_inst=ALL_OR_NONE)
        accepted, resting, aggressor = xyz.buy(b"X", 5, "99-16", exec_inst=ALL_OR_NONE)
        assert kinds([accepted]) == ["OrderAccepted"]
        assert (resting.order.terms.cl_ord_id, resting.qty, resting.leaves_qty, resting.aggressor) == (
            b"5",
            5,
            0,
            False,
        )
        assert (aggressor.cum_qty, aggressor.leaves_qty, aggressor.aggressor) == (5, 0, True)
        assert resting.order_events == aggressor.order_events
        assert book(abc.market, WHOLE) == ([], [(parse_price("99-16"), [2, 5])])

    @pytest.mark.parametrize(("qty", "price"), [(4, "99-16"), (6, "99-16"), (5, "99-17"), (5, "99-15")])
    def test_it_rests_beside_any_other_order(self, traders, qty, price):
        abc, xyz = traders
        abc.sell(b"5", 5, "99-16", exec_inst=ALL_OR_NONE)
        assert kinds(xyz.buy(b"X", qty, price, exec_inst=ALL_OR_NONE)) == ["OrderAccepted"]

    def test_a_replace_to_the_quantity_of_the_other_trades(self, traders):
        abc, xyz = traders
        abc.sell(b"5", 5, "99-16", exec_inst=ALL_OR_NONE)
        xyz.buy(b"X", 6, "99-16", exec_inst=ALL_OR_NONE)
        events = xyz.replace(b"X", BUY, 5, "99-16", exec_inst=ALL_OR_NONE)
        assert kinds(events) == ["OrderModified", "OrderTraded", "OrderTraded"]

    def test_it_goes_with_only_best(self, traders):
        abc, xyz = traders
        abc.buy(b"1", 5, "99-16", exec_inst=ALL_OR_NONE | ONLY_BEST)
        assert named(xyz.buy(b"X", 1, "99-17", exec_inst=ALL_OR_NONE))[1:] == [("OrderCancelled", b"1")]


class TestMinQty:
    def test_a_day_order_that_reaches_it_trades_and_rests(self, market, abc, xyz):
        abc.sell(b"1", 3, "99-16")
        assert kinds(xyz.buy(b"X", 5, "99-16", min_qty=3)) == ["OrderAccepted", "OrderTraded", "OrderTraded"]
        assert book(market)[0] == [(parse_price("99-16"), [2])]

    def test_a_day_order_that_does_not_is_eliminated(self, market, abc, xyz):
        abc.sell(b"1", 3, "99-16")
        assert kinds(xyz.buy(b"X", 5, "99-16", min_qty=4)) == ["OrderAccepted", "OrderEliminated"]
        assert book(market) == ([], [(parse_price("99-16"), [3])])

    def test_it_was_a_condition_of_entry_and_binds_no_later_trade_or_replace(self, market, abc, xyz):
        abc.sell(b"1", 3, "99-16")
        xyz.buy(b"X", 5, "99-16", min_qty=3)
        assert kinds(xyz.replace(b"X", BUY, 6, "99-17", min_qty=3)) == ["OrderModified"]
        assert [event.qty for event in abc.sell(b"2", 1, "99-17") if isinstance(event, OrderTraded)] == [1, 1]

    def test_nothing_is_reached_while_nothing_trades(self, market, abc, xyz):
        market.set_state(PRE_OPEN, NOW)
        abc.sell(b"1", 3, "99-16")
        assert kinds(xyz.buy(b"X", 5, "99-16", min_qty=3)) == ["OrderAccepted", "OrderEliminated"]

    def test_a_replace_to_fak_with_an_unreached_min_qty_trades_nothing(self, market, abc, xyz):
        abc.sell(b"1", 3, "99-16")
        xyz.buy(b"X", 5, "99-15")
        events = xyz.replace(b"X", BUY, 5, "99-16", min_qty=4, time_in_force=FILL_AND_KILL)
        assert kinds(events) == ["OrderModified", "OrderEliminated"]


def test_a_fak_that_is_not_held_is_a_fak_where_there_is_no_work_up():
    segment = market(UNHELD)
    abc, xyz = Trader(segment), Trader(segment, "XYZ")
    abc.sell(b"1", 1, "99-16")
    events = xyz.buy(b"X", 2, "99-16", time_in_force=FILL_AND_KILL, exec_inst=NOT_HELD)
    assert kinds(events) == ["OrderAccepted", "OrderTraded", "OrderTraded", "OrderEliminated"]


def test_the_venue_cancels_one_order_unasked(market, abc):
    order = abc.buy(b"1", 1, "99-16")[0].order
    [event] = market.cancel_order(order.order_id, 111, NOW)
    assert (event.request, event.restatement_reason) == (None, 111)
    with pytest.raises(KeyError):
        market.cancel_order(order.order_id, 111, NOW)
