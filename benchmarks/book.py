"""What one command costs in the market, in process: ``python benchmarks/book.py``.

The collector is off, as in the gateway. Each row is in microseconds per command, with its events made and dropped:
for each batch of commands the best of several rounds, so that what else the machine does counts little and a growing
book counts in full. Deep rows run over 100,000 resting orders.
"""

import gc
import time

from ontherun.market import BENCHMARKS, MarketSegment
from ontherun.market.terms import (
    BUY,
    DAY,
    FILL_AND_KILL,
    INT64_NULL,
    LIMIT,
    SELL,
    UINT32_NULL,
    UINT64_NULL,
    OrderTerms,
)

ROUNDS = 7
COUNT = 20_000
BATCH = 200
DEEP = 100_000
NOW = 1_800_000_000 * 10**9
INSTRUMENT = BENCHMARKS[4]
MIDDLE = INSTRUMENT.reference_price


class Message:
    """A decoded message: slots, raw values, as the generated classes have them."""

    __slots__ = (*OrderTerms.__annotations__, "ofm_override", "order_id", "stop_px")

    def __init__(self, number, side=BUY, ticks=0, qty=1, **fields):
        self.price = MIDDLE + ticks * INSTRUMENT.tick
        self.order_qty = qty
        self.security_id = INSTRUMENT.security_id
        self.side = side
        self.seq_num = number
        self.sender_id = b"TRADER"
        self.cl_ord_id = b"C%d" % number
        self.party_details_list_req_id = 7
        self.order_request_id = number
        self.stop_px = INT64_NULL
        self.location = b"US,NY"
        self.min_qty = self.display_qty = UINT32_NULL
        self.expire_date = 65535
        self.ord_type = LIMIT
        self.time_in_force = DAY
        self.manual_order_indicator = 0
        self.exec_inst = 0
        self.execution_mode = 0
        self.liquidity_flag = self.managed_order = self.short_sale_type = 255
        self.order_id = UINT64_NULL
        self.ofm_override = 0
        for name, value in fields.items():
            setattr(self, name, value)


class Details:
    account = b"ACCOUNT"
    self_match_prevention_id = UINT64_NULL
    self_match_prevention_instruction = 0


class Owner:
    __slots__ = ("firm", "party_details", "sender_comp")

    def __init__(self, name):
        self.firm = name
        self.sender_comp = name
        self.party_details = {7: Details()}


OWNERS = [Owner("ABCFIRM"), Owner("DEFOTHR")]


def segment(resting=0):
    """A segment with this many resting orders, spread over 200 prices on each side."""
    made = MarketSegment(40, BENCHMARKS)
    for number in range(resting):
        side = BUY if number % 2 else SELL
        ticks = 1 + number // 2 % 200
        made.new_order(OWNERS[1], Message(10**8 + number, side, -ticks if side == BUY else ticks, 5), NOW)
    return made


def timed(command, message):
    """Time ``command`` over ``message(0)``, ``message(1)``...: made in batches, as a gateway decodes one read."""
    spent = []
    owner = OWNERS[0]
    for first in range(0, COUNT, BATCH):
        messages = [message(number) for number in range(first, first + BATCH)]
        started = time.perf_counter_ns()
        for each in messages:
            command(owner, each, NOW)
        spent.append(time.perf_counter_ns() - started)
    return spent


def resting_new(depth):
    return timed(segment(depth).new_order, lambda n: Message(n, BUY, -1 - n % 200))


def cancels(depth, by_cl_ord_id=False):
    market = segment(depth)
    orders = [market.new_order(OWNERS[0], Message(n, BUY, -1 - n % 200), NOW)[0].order for n in range(COUNT)]
    order_ids = [UINT64_NULL if by_cl_ord_id else order.order_id for order in orders]
    del orders
    return timed(market.cancel, lambda n: Message(n, BUY, order_id=order_ids[n]))


def new_level_and_back(depth):
    market = segment(depth)

    def come_and_go(owner, message, now):
        market.new_order(owner, message, now)
        market.cancel(owner, message, now)

    return timed(come_and_go, Message)


def one_to_one(depth, time_in_force=DAY):
    market = segment(depth)
    for number in range(COUNT):
        market.new_order(OWNERS[1], Message(number, SELL, 0, 1), NOW)
    return timed(market.new_order, lambda n: Message(n, BUY, 0, 1, time_in_force=time_in_force))


def replaces(depth, ticks):
    market = segment(depth)
    for number in range(COUNT):
        market.new_order(OWNERS[0], Message(number, BUY, -1 - number % 200, 5), NOW)
    return timed(market.replace, lambda n: Message(n, BUY, -1 - n % 200 - ticks, 4))


def refusals():
    return timed(segment().new_order, lambda n: Message(n, BUY, 0, 10**6))


ROWS = [
    ("resting new order", lambda: resting_new(0)),
    ("resting new order, deep book", lambda: resting_new(DEEP)),
    ("cancel by OrderID", lambda: cancels(0)),
    ("cancel by OrderID, deep book", lambda: cancels(DEEP)),
    ("cancel by ClOrdID", lambda: cancels(0, by_cl_ord_id=True)),
    ("new best price and its cancel, deep book", lambda: new_level_and_back(DEEP)),
    ("crossing order, one to one", lambda: one_to_one(0)),
    ("crossing order, one to one, deep book", lambda: one_to_one(DEEP)),
    ("crossing FAK, one to one", lambda: one_to_one(0, FILL_AND_KILL)),
    ("replace, priority kept", lambda: replaces(0, 0)),
    ("replace, price changed", lambda: replaces(0, 1)),
    ("refused (quantity)", refusals),
]


def main():
    gc.freeze()
    gc.disable()
    print(f"{'command':44}{'us':>7}")
    for name, row in ROWS:
        rounds = [row() for _ in range(ROUNDS)]
        gc.collect()
        print(f"{name:44}{sum(map(min, zip(*rounds, strict=True))) / COUNT / 1000:7.2f}")


if __name__ == "__main__":
    main()
