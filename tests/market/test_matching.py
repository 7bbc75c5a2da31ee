from dataclasses import replace

import pytest

from ontherun.market import OrderTraded, parse_price
from ontherun.market.events import FILLED, PARTIALLY_FILLED
from ontherun.market.terms import FILL_AND_KILL, FILL_OR_KILL

from .messages import NOW, TRADE_DATE, UB10, Trader, book, kinds, market, prices


def fills(events):
    """Who traded what, in order: ClOrdID, quantity, price."""
    trades = [event for event in events if isinstance(event, OrderTraded)]
    return [(event.order.terms.cl_ord_id, event.qty, event.price) for event in trades]


def test_orders_that_do_not_meet_rest_on_both_sides(market, abc, xyz):
    abc.buy(b"1", 5, "99-16")
    xyz.sell(b"1", 5, "99-16+")
    low, high = prices("99-16 99-16+")
    assert book(market) == ([(low, [5])], [(high, [5])])


@pytest.mark.parametrize(("first", "second"), [("buy", "sell"), ("sell", "buy")])
def test_equal_prices_trade_whoever_came_first(market, abc, xyz, first, second):
    getattr(abc, first)(b"1", 5, "99-16")
    accepted, resting, aggressor = getattr(xyz, second)(b"2", 5, "99-16")
    assert kinds([accepted]) == ["OrderAccepted"]
    assert (resting.order.owner, aggressor.order.owner) == (abc.owner, xyz.owner)
    assert (resting.aggressor, aggressor.aggressor) == (False, True)
    assert book(market) == ([], [])


def test_a_trade_has_the_resting_orders_price(market, abc, xyz):
    abc.sell(b"1", 5, "99-16")
    _, resting, aggressor = xyz.buy(b"2", 5, "99-20")
    assert resting.price == aggressor.price == parse_price("99-16")


def test_the_best_price_trades_first_then_the_oldest(market, abc, xyz):
    for cl_ord_id, price in ((b"worse", "99-17"), (b"older", "99-16"), (b"newer", "99-16"), (b"worst", "99-18")):
        abc.sell(cl_ord_id, 2, price)
    best, worse = prices("99-16 99-17")
    assert fills(xyz.buy(b"X", 5, "99-17")) == [
        (b"older", 2, best),
        (b"newer", 2, best),
        (b"X", 4, best),
        (b"worse", 1, worse),
        (b"X", 1, worse),
    ]
    assert book(market) == ([], [(parse_price("99-17"), [1]), (parse_price("99-18"), [2])])


def test_what_is_left_of_an_aggressor_rests_at_its_own_price(market, abc, xyz):
    abc.sell(b"1", 2, "99-16")
    xyz.buy(b"1", 5, "99-18")
    assert book(market) == ([(parse_price("99-18"), [3])], [])


def test_a_partly_filled_order_keeps_its_place(market, abc, xyz):
    abc.buy(b"first", 5, "99-16")
    abc.buy(b"second", 5, "99-16")
    price = parse_price("99-16")
    assert fills(xyz.sell(b"X", 2, "99-16")) == [(b"first", 2, price), (b"X", 2, price)]
    assert fills(xyz.sell(b"Y", 4, "99-16")) == [(b"first", 3, price), (b"second", 1, price), (b"Y", 4, price)]


def test_the_aggressor_gets_one_report_per_price_with_every_counter_order(market, abc, xyz):
    abc.sell(b"1", 2, "99-16")
    abc.sell(b"2", 3, "99-16")
    abc.sell(b"3", 4, "99-17")
    _, one, two, at_16, three, at_17 = xyz.buy(b"X", 8, "99-17")
    assert [(event.cum_qty, event.leaves_qty) for event in (one, two, three)] == [(2, 0), (3, 0), (3, 1)]
    assert [(event.cum_qty, event.leaves_qty) for event in (at_16, at_17)] == [(5, 3), (8, 0)]
    assert [qty for _, qty, _ in at_16.order_events] == [2, 3]
    assert [qty for _, qty, _ in at_17.order_events] == [3]


def test_an_aggressor_that_meets_more_orders_than_a_group_holds_gets_a_further_report(market, abc, xyz):
    for number in range(300):
        abc.sell(b"%d" % number, 2, "99-16")
    reports = [event for event in xyz.buy(b"X", 599, "99-16") if isinstance(event, OrderTraded) and event.aggressor]
    assert [len(event.order_events) for event in reports] == [254, 46]
    assert [(event.qty, event.cum_qty, event.leaves_qty) for event in reports] == [(508, 508, 91), (91, 599, 0)]
    assert len({event.md_trade_entry_id for event in reports}) == 1
    assert book(market) == ([], [(parse_price("99-16"), [1])])
    events = xyz.buy(b"Y", 1, "99-16")
    assert events[1].md_trade_entry_id == reports[0].md_trade_entry_id + 1


def test_both_orders_of_a_match_share_its_order_event_exec_id(market, abc, xyz):
    abc.sell(b"1", 2, "99-16")
    abc.sell(b"2", 3, "99-16")
    _, one, two, aggressor = xyz.buy(b"X", 4, "99-16")
    assert aggressor.order_events == [
        (one.order_events[0][0], 2, PARTIALLY_FILLED),
        (two.order_events[0][0], 2, FILLED),
    ]
    assert [one.order_events[0][2], two.order_events[0][2]] == [FILLED, PARTIALLY_FILLED]
    assert len(one.order_events) == len(two.order_events) == 1
    assert one.order_events[0][0] != two.order_events[0][0]


def test_all_trades_at_one_price_share_the_market_data_trade_id(market, abc, xyz):
    abc.sell(b"1", 2, "99-16")
    abc.sell(b"2", 2, "99-16")
    abc.sell(b"3", 2, "99-17")
    _, one, two, at_16, three, at_17 = xyz.buy(b"X", 6, "99-17")
    assert one.md_trade_entry_id == two.md_trade_entry_id == at_16.md_trade_entry_id
    assert three.md_trade_entry_id == at_17.md_trade_entry_id == at_16.md_trade_entry_id + 1


def test_every_trade_report_has_its_own_side_trade_id_and_sec_exec_id(market, abc, xyz):
    abc.sell(b"1", 2, "99-16")
    abc.sell(b"2", 2, "99-17")
    trades = xyz.buy(b"X", 4, "99-17")[1:]
    assert len({event.side_trade_id for event in trades}) == 4
    assert len({event.sec_exec_id for event in trades}) == 4
    assert {str(event.sec_exec_id)[:2] for event in trades} == {"40"}


def test_the_trade_date_is_the_day_of_now_in_utc(market, abc, xyz):
    abc.sell(b"1", 1, "99-16")
    assert [event.trade_date for event in xyz.buy(b"X", 1, "99-16")[1:]] == [TRADE_DATE, TRADE_DATE]
    assert TRADE_DATE * 86_400 * 10**9 <= NOW < (TRADE_DATE + 1) * 86_400 * 10**9


def test_an_owner_may_trade_with_itself_without_self_match_prevention(market, abc):
    abc.sell(b"1", 1, "99-16")
    assert fills(abc.buy(b"2", 1, "99-16")) == [(b"1", 1, parse_price("99-16")), (b"2", 1, parse_price("99-16"))]


def test_a_fak_with_min_qty_trades_at_least_that_or_nothing(market, abc, xyz):
    abc.sell(b"1", 3, "99-16")
    terms = {"time_in_force": FILL_AND_KILL}
    assert kinds(xyz.buy(b"X", 5, "99-16", min_qty=4, **terms)) == ["OrderAccepted", "OrderEliminated"]
    events = xyz.buy(b"Y", 5, "99-16", min_qty=3, **terms)
    assert kinds(events) == ["OrderAccepted", "OrderTraded", "OrderTraded", "OrderEliminated"]


def test_a_display_quantity_order_shows_its_next_part_at_the_end_of_the_queue(market, abc, xyz):
    iceberg = abc.buy(b"ice", 10, "99-16", display_qty=3)[0].order
    abc.buy(b"plain", 4, "99-16")
    price = parse_price("99-16")
    assert fills(xyz.sell(b"X", 2, "99-16")) == [
        (b"ice", 2, price),
        (b"X", 2, price),
    ]  # 1 of 3 still shown, in its place
    assert (iceberg.leaves_qty, iceberg.hidden_qty) == (8, 7)
    assert fills(xyz.sell(b"Y", 3, "99-16"))[:2] == [(b"ice", 1, price), (b"plain", 2, price)]
    assert (iceberg.leaves_qty, iceberg.hidden_qty) == (7, 4)
    assert fills(xyz.sell(b"Z", 3, "99-16"))[:2] == [(b"plain", 2, price), (b"ice", 1, price)]


def test_a_large_order_trades_with_every_part_of_a_display_quantity_order(market, abc, xyz):
    abc.buy(b"ice", 7, "99-16", display_qty=3)
    abc.buy(b"plain", 1, "99-16")
    price = parse_price("99-16")
    events = xyz.sell(b"X", 9, "99-16")
    assert fills(events) == [
        (b"ice", 3, price),
        (b"plain", 1, price),
        (b"ice", 3, price),
        (b"ice", 1, price),
        (b"X", 8, price),
    ]
    assert book(market) == ([], [(price, [1])])


def test_a_fok_counts_what_a_display_quantity_order_hides(market, abc, xyz):
    abc.buy(b"ice", 7, "99-16", display_qty=1)
    events = xyz.sell(b"X", 7, "99-16", time_in_force=FILL_OR_KILL)
    assert events[-1].leaves_qty == 0
    assert book(market) == ([], [])


def test_an_aggressive_display_quantity_order_trades_in_full_and_shows_only_its_rest(market, abc, xyz):
    abc.sell(b"1", 4, "99-16")
    order = xyz.buy(b"ice", 10, "99-16", display_qty=5)[0].order
    assert (order.leaves_qty, order.hidden_qty) == (6, 1)
    order = xyz.buy(b"small", 4, "99-15", display_qty=4)[0].order
    assert (order.leaves_qty, order.hidden_qty) == (4, 0)


def test_negative_prices_match_where_the_instrument_has_them():
    spread = replace(
        UB10, symbol="UB2:10", positive_price=False, low_limit=-(10**9), high_limit=10**9, reference_price=0, tick=10**6
    )
    segment = market(spread)
    abc, xyz = Trader(segment), Trader(segment, "XYZ")
    abc.sell(b"1", 1, "-0.002")
    abc.sell(b"2", 1, "0.001")
    assert fills(xyz.buy(b"X", 2, "0")) == [(b"1", 1, -2_000_000), (b"X", 1, -2_000_000)]
    assert book(segment, spread) == ([(0, [1])], [(1_000_000, [1])])
