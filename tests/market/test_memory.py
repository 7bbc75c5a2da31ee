"""Memory on the order path is freed by reference counting: the process runs with the cyclic collector off."""

import gc
import random

import pytest

from ontherun.market import BookSide, Level, Order
from ontherun.market.events import Event

from .lockstep import INSTRUMENTS, Pair, run
from .messages import NOW, Message, Trader, market


@pytest.fixture
def without_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def alive(*kinds):
    return sum(isinstance(thing, kinds) for thing in gc.get_objects())


@pytest.mark.usefixtures("without_collector")
class TestWithoutTheCollector:
    def test_nothing_is_left_of_orders_that_are_gone(self):
        before = alive(Order, Level, Event)
        segment = market()
        abc, xyz = Trader(segment), Trader(segment, "XYZ")
        sides = alive(BookSide)
        for number in range(200):
            abc.buy(b"%d" % number, 3, 99_500_000_000 - number % 7 * 15_625_000)
        assert alive(Order) == 200
        for number in range(0, 100, 2):
            abc.cancel(b"%d" % number)
            abc.replace(b"%d" % (number + 1), 1, 2, "99-00")
        xyz.sell(b"X", 300, "99-08")
        segment.cancel_day_orders(abc.owner, 100, NOW)
        assert segment.orders_of(xyz.owner) == []
        assert alive(Order, Level, Event) == before
        assert alive(BookSide) == sides

    def test_nothing_is_left_after_random_commands(self):
        pair = Pair(random.Random(99))
        for _ in range(3_000):
            pair.step()
        before = alive(Order, Level, Event)
        segment = market(*INSTRUMENTS)
        segment.policy = pair.fast.policy
        for command, arguments in pair.history:
            run(segment, command, arguments)
        assert alive(Order) > before
        for instrument in INSTRUMENTS:
            segment.new_on_the_run(instrument.security_id, NOW)
        segment.end_of_day(NOW)
        assert alive(Order, Level, Event) == before

    def test_a_commands_message_goes_with_its_order(self):
        segment = market()
        abc = Trader(segment)
        before = alive(Message)
        abc.buy(b"1", 3, "99-16")
        abc.replace(b"1", 1, 2, "99-16")
        assert alive(Message) == before + 1  # the terms in force
        abc.cancel(b"1")
        assert alive(Message) == before
