"""The market against the reference: equal events on random commands, and what must hold whatever the commands are."""

import random
from collections import defaultdict

import pytest

from ontherun.market import BusinessRejected, OrderAccepted, OrderTraded, RejectReason, SecurityTradingStatus
from ontherun.market.terms import ONLY_BEST, PASSIVE

from .lockstep import INSTRUMENTS, Pair, books, run
from .messages import market


def check_structure(segment):
    """Queues, levels, sorted keys and indexes describe the same orders; orders that would trade do not rest."""
    in_books = []
    for sides in segment.books.values():
        for side in (sides.bids, sides.asks):
            assert side.keys == sorted(side.levels)
            for level in side:
                orders = list(level)
                assert orders
                assert level.side is side
                assert (level.head, level.tail) == (orders[0], orders[-1])
                assert [order.prev for order in orders] == [None, *orders[:-1]]
                assert all(order.level is level and 0 <= order.hidden_qty < order.leaves_qty for order in orders)
                assert [order.priority for order in orders] == sorted(order.priority for order in orders)
                in_books += orders
            assert {o.level.key for o in in_books if o.terms.exec_inst & ONLY_BEST and o.level.side is side} <= {
                *side.keys[-1:]
            }
        if segment.status is SecurityTradingStatus.OPEN and not sides.all_or_none:
            check_crossed(sides)
    assert sorted(order.order_id for order in in_books) == sorted(segment._orders)
    working = [(comp, key, order) for comp, orders in segment._working.items() for key, order in orders.items()]
    assert len(working) == len(in_books)
    for sender_comp, cl_ord_id, order in working:
        assert (order.owner.sender_comp, order.terms.cl_ord_id) == (sender_comp, cl_ord_id)
        assert order.namesakes is segment._working[sender_comp]


def check_crossed(sides):
    """Of two orders that cross, one is passive."""
    for bid in (order for level in sides.bids for order in level):
        for ask in (order for level in sides.asks for order in level):
            if bid.level.price >= ask.level.price:
                assert PASSIVE in (bid.terms.execution_mode, ask.terms.execution_mode)


def check_quantities(events):
    """What one side of a trade gets, the other gives; CumQty and LeavesQty make up OrderQty."""
    given, taken = defaultdict(int), defaultdict(int)
    for event in events:
        if isinstance(event, OrderTraded):
            (taken if event.aggressor else given)[event.md_trade_entry_id, event.price] += event.qty
            assert event.qty == sum(qty for _, qty, _ in event.order_events)
            assert event.leaves_qty >= 0
            assert event.cum_qty + event.leaves_qty == event.order.terms.order_qty
    assert given == taken


def play(seed, commands, look_every):
    pair = Pair(random.Random(seed))
    for number in range(commands):
        check_quantities(pair.step())
        if number % look_every == 0:
            assert books(pair.fast) == pair.plain.books()
            check_structure(pair.fast)
    return pair


def test_the_market_and_the_reference_say_the_same():
    counted = defaultdict(int)
    for seed in range(10):
        for what, times in play(seed, 2_000, 50).counted.items():
            counted[what] += times
    for kind in ("OrderAccepted", "OrderTraded", "OrderEliminated", "OrderModified", "OrderCancelled"):
        assert counted[kind, 0] > 500, kind
    reasons = {reason for kind, reason in counted if kind != "MassActionReported"} - {0}
    assert reasons == {*map(int, RejectReason), 1, 5, 115, 133}  # every code was met
    assert {reason for kind, reason in counted if kind == "MassActionReported"} == {0, 1, 9, 99}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_the_market_and_the_reference_say_the_same_for_long(seed):
    play(seed, 200_000, 5_000)


def test_a_refused_command_changes_nothing_but_the_counter_of_exec_ids():
    pair = Pair(random.Random(4711))
    refused = 0
    while refused < 400:
        before = pair.fast.state()
        [event, *_] = pair.step() or [None]
        if getattr(event, "reason", None) is not None:
            refused += 1
            segment_id, status, (order_ids, executions, *others), *rest = pair.fast.state()
            executions -= not isinstance(event, BusinessRejected)
            assert (segment_id, status, (order_ids, executions, *others), *rest) == before


@pytest.mark.parametrize("short", [True, False])
def test_the_same_commands_give_the_same_events_and_the_same_state(short):
    pair = Pair(random.Random(12))
    digests, events = [], []
    for _ in range(3_000):
        events += map(repr, pair.step())
        digests.append(pair.fast.state_digest() if len(digests) % 100 == 0 else None)
    again = market(*INSTRUMENTS)
    again.policy = pair.fast.policy
    repeated = []
    for (command, arguments), digest in zip(pair.history, digests, strict=True):
        repeated += map(repr, run(again, command, arguments, short=short))
        assert digest is None or again.state_digest() == digest
    assert repeated == events
    assert again.state() == pair.fast.state()


def test_the_state_digest_sees_every_change_of_an_order(market, abc):
    digests = {market.state_digest()}
    order = abc.buy(b"1", 5, "99-16")[0].order
    digests.add(market.state_digest())
    for change in (
        {"leaves_qty": 4},
        {"cum_qty": 1},
        {"hidden_qty": 1},
        {"ofm_override": 1},
        {"priority": 9},
        {"order_id": 1},
    ):
        for name, value in change.items():
            setattr(order, name, value)
        digests.add(market.state_digest())
    order.terms.location = b"JP"
    digests.add(market.state_digest())
    assert len(digests) == 9


def test_random_commands_reach_deep_and_crossed_books():
    """The generator's own worth: queues of several orders, many levels, and trades over several prices."""
    pair = Pair(random.Random(3))
    deepest = levels = prices = 0
    for _ in range(4_000):
        events = pair.step()
        prices = max(prices, len({event.price for event in events if isinstance(event, OrderTraded)}))
        for sides in pair.fast.books.values():
            levels = max(levels, len(sides.bids.keys))
            deepest = max([deepest, *(len(list(level)) for level in sides.bids)])
    assert sum(isinstance(event, OrderAccepted) for event in events) <= 1
    assert deepest >= 4
    assert levels >= 4
    assert prices >= 3
