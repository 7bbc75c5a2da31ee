import pytest

from ontherun.market import OrderTraded, RejectReason, SecurityTradingStatus, parse_price
from ontherun.market.terms import BUY, DAY, FILL_AND_KILL, FILL_OR_KILL

from .messages import NOW, book, kinds

CLOSED, PRE_OPEN, OPEN, PAUSE, POST_CLOSE = (
    SecurityTradingStatus[name] for name in ("CLOSED", "PRE_OPEN", "OPEN", "PAUSE", "POST_CLOSE")
)


@pytest.mark.parametrize(
    ("status", "day", "immediate", "cancel"),
    [
        (CLOSED, 1003, 1003, 1003),
        (PRE_OPEN, None, 2130, None),
        (OPEN, None, None, None),
        (PAUSE, 1003, 1003, None),
        (POST_CLOSE, 2130, 2130, None),
    ],
)
def test_what_each_state_allows(market, abc, status, day, immediate, cancel):
    abc.buy(b"old", 1, "99-16")
    abc.buy(b"older", 1, "99-16")
    assert market.set_state(status, NOW) == []
    for time_in_force, reason in ((DAY, day), (FILL_AND_KILL, immediate), (FILL_OR_KILL, immediate)):
        [first, *_] = abc.buy(b"new%d" % time_in_force, 1, "99-16", time_in_force=time_in_force)
        assert getattr(first, "reason", None) == reason
        [first, *_] = abc.replace(b"older", BUY, 1, "99-15", time_in_force=time_in_force)
        assert getattr(first, "reason", None) == reason
        abc.buy(b"older", 1, "99-16")
    [answer] = abc.cancel(b"old")
    assert getattr(answer, "reason", None) == cancel


def test_a_segment_begins_open(market):
    assert market.status is OPEN


def test_a_status_that_does_not_exist_is_refused(market):
    with pytest.raises(ValueError, match="99"):
        market.set_state(99, NOW)
    assert market.status is OPEN


def test_orders_of_the_pre_open_may_cross_and_do_not_trade(market, abc, xyz):
    market.set_state(PRE_OPEN, NOW)
    assert kinds(abc.buy(b"1", 5, "99-20")) == ["OrderAccepted"]
    assert kinds(xyz.sell(b"1", 5, "99-16")) == ["OrderAccepted"]
    assert book(market) == ([(parse_price("99-20"), [5])], [(parse_price("99-16"), [5])])


def test_the_open_trades_what_crossed_as_if_it_came_in_again_by_time(market, abc, xyz):
    market.set_state(PRE_OPEN, NOW)
    abc.buy(b"first", 5, "99-20")
    xyz.sell(b"second", 3, "99-16")
    xyz.sell(b"third", 4, "99-18")
    abc.buy(b"apart", 1, "99-10")
    events = market.set_state(OPEN, NOW)
    assert all(isinstance(event, OrderTraded) for event in events)
    assert [(event.order.terms.cl_ord_id, event.qty, event.aggressor) for event in events] == [
        (b"first", 3, False),
        (b"second", 3, True),
        (b"first", 2, False),
        (b"third", 2, True),
    ]
    assert {event.price for event in events} == {parse_price("99-20")}  # the older order's
    assert book(market) == ([(parse_price("99-10"), [1])], [(parse_price("99-18"), [2])])
    assert not market.books[events[0].order.terms.security_id].crossed()


def test_the_open_leaves_orders_that_do_not_cross_where_they_are(market, abc, xyz):
    market.set_state(PRE_OPEN, NOW)
    abc.buy(b"1", 5, "99-16")
    abc.buy(b"2", 5, "99-16")
    xyz.sell(b"1", 5, "99-17")
    before = market.state()[3]
    assert market.set_state(OPEN, NOW) == []
    assert market.state()[3] == before


def test_a_pre_open_replace_moves_an_order_without_trading(market, abc, xyz):
    market.set_state(PRE_OPEN, NOW)
    abc.buy(b"1", 5, "99-16")
    xyz.sell(b"1", 5, "99-17")
    assert kinds(abc.replace(b"1", BUY, 5, "99-18")) == ["OrderModified"]
    assert kinds(market.set_state(OPEN, NOW)) == ["OrderTraded", "OrderTraded"]


def test_the_venue_may_cancel_and_eliminate_in_every_state(market, abc):
    for status in SecurityTradingStatus:
        market.set_state(OPEN, NOW)
        abc.buy(b"1", 1, "99-16")
        market.set_state(status, NOW)
        assert kinds(market.cancel_day_orders(abc.owner, 100, NOW)) == ["OrderCancelled"]
        market.set_state(OPEN, NOW)
        abc.buy(b"1", 1, "99-16")
        market.set_state(status, NOW)
        assert kinds(market.end_of_day(NOW)) == ["OrderEliminated"]


def test_the_reject_of_a_pause_says_paused(market, abc):
    market.set_state(PAUSE, NOW)
    [rejected] = abc.buy(b"1", 1, "99-16")
    assert (rejected.reason, rejected.text) == (
        RejectReason.MARKET_CLOSED_OR_PAUSED,
        b"Orders may not be entered while the market is paused",
    )
