"""Commands as the market sees them: slots and raw wire values under the attribute names of the generated messages."""

from ontherun.market import BENCHMARKS, MarketSegment, SegmentPolicy, parse_price
from ontherun.market.terms import (
    BUY,
    CANCEL_NEWEST,
    CANCEL_OLDEST,
    DAY,
    INT32_NULL,
    INT64_NULL,
    LIMIT,
    SELL,
    UINT8_NULL,
    UINT32_NULL,
    UINT64_NULL,
)

NOW = 1_799_280_000_000_000_000  # 2027-01-06 16:00 UTC
TRADE_DATE = NOW // (86_400 * 10**9)
UB10 = next(instrument for instrument in BENCHMARKS if instrument.symbol == "UB10")
UB02 = next(instrument for instrument in BENCHMARKS if instrument.symbol == "UB02")


class Message:
    __slots__ = ("cl_ord_id", "location", "manual_order_indicator", "order_request_id", "party_details_list_req_id")
    __slots__ += ("security_id", "sender_id", "sending_time_epoch", "seq_num", "side", "liquidity_flag")

    def __init__(self, cl_ord_id, side, fields):
        self.cl_ord_id = cl_ord_id
        self.side = side
        self.security_id = UB10.security_id
        self.party_details_list_req_id = 1
        self.seq_num = 1
        self.sender_id = b"TRADER"
        self.order_request_id = 77
        self.sending_time_epoch = NOW
        self.location = b"US,NY"
        self.manual_order_indicator = 0
        self.liquidity_flag = UINT8_NULL
        for name, value in fields.items():
            setattr(self, name, value)

    def __repr__(self):
        return f"{type(self).__name__}({self.cl_ord_id!r})"


class _Terms(Message):
    __slots__ = ("discretion_price", "display_qty", "exec_inst", "execution_mode", "expire_date", "managed_order")
    __slots__ += ("min_qty", "ord_type", "order_qty", "price", "short_sale_type", "stop_px", "time_in_force")

    def __init__(self, cl_ord_id, side, qty, price, fields):
        self.order_qty = qty
        self.price = parse_price(price) if isinstance(price, str) else price
        self.ord_type = LIMIT
        self.time_in_force = DAY
        self.exec_inst = self.execution_mode = 0
        self.min_qty = self.display_qty = UINT32_NULL
        self.expire_date = 2**16 - 1
        self.stop_px = self.discretion_price = INT64_NULL
        self.managed_order = self.short_sale_type = UINT8_NULL
        super().__init__(cl_ord_id, side, fields)


class NewOrderSingle(_Terms):
    __slots__ = ("reservation_price",)

    def __init__(self, cl_ord_id, side, qty, price, **fields):
        self.reservation_price = INT64_NULL
        super().__init__(cl_ord_id, side, qty, price, fields)


class OrderCancelReplaceRequest(_Terms):
    __slots__ = ("ofm_override", "order_id")

    def __init__(self, cl_ord_id, side, qty, price, **fields):
        self.order_id = UINT64_NULL
        self.ofm_override = 0
        super().__init__(cl_ord_id, side, qty, price, fields)


class OrderCancelRequest(Message):
    __slots__ = ("order_id", "orig_order_user")

    def __init__(self, cl_ord_id, side, **fields):
        self.order_id = UINT64_NULL
        self.orig_order_user = b""
        super().__init__(cl_ord_id, side, fields)


class Inquiry(Message):
    """A request over many orders; every filter absent."""

    __slots__ = ("market_segment_id", "mass_action_scope", "mass_cancel_request_type", "mass_status_req_id")
    __slots__ += ("mass_status_req_type", "ord_status_req_id", "ord_status_req_type", "ord_type", "order_id")
    __slots__ += ("security_group", "time_in_force")

    def __init__(self, **fields):
        self.security_group = b""
        self.mass_action_scope = self.mass_status_req_type = 7
        self.market_segment_id = self.mass_cancel_request_type = self.ord_status_req_type = UINT8_NULL
        self.time_in_force = UINT8_NULL
        self.ord_type = 0
        super().__init__(b"", UINT8_NULL, {"security_id": INT32_NULL} | fields)


class PartyDetails:
    __slots__ = ("account", "self_match_prevention_id", "self_match_prevention_instruction")

    def __init__(self, account=b"ACCOUNT", guard=UINT64_NULL, instruction=0):
        self.account = account
        self.self_match_prevention_id = guard
        self.self_match_prevention_instruction = instruction


class Owner:
    __slots__ = ("firm", "party_details", "sender_comp")

    def __init__(self, session="ABC", firm="FIRM1"):
        self.sender_comp = session + firm
        self.firm = firm
        self.party_details = {1: PartyDetails(), 2: PartyDetails(), 3: PartyDetails(b"OTHER ACCOUNT")}
        self.party_details |= {4: PartyDetails(guard=77), 5: PartyDetails(guard=77, instruction=CANCEL_NEWEST)}
        self.party_details |= {6: PartyDetails(guard=88, instruction=CANCEL_OLDEST)}

    def on_demand(self, request):
        """Nobody here sends party details on demand."""


class Trader:
    """One SenderComp at a segment: a test says what it sends and reads what it gets, one call a step."""

    def __init__(self, market, session="ABC", firm="FIRM1"):
        self.market = market
        self.owner = Owner(session, firm)

    @staticmethod
    def order(cl_ord_id, side, qty, price, **fields):
        return NewOrderSingle(cl_ord_id, side, qty, price, **fields)

    def new(self, cl_ord_id, side, qty, price, **fields):
        return self.market.new_order(self.owner, NewOrderSingle(cl_ord_id, side, qty, price, **fields), NOW)

    def buy(self, cl_ord_id, qty, price, **fields):
        return self.new(cl_ord_id, BUY, qty, price, **fields)

    def sell(self, cl_ord_id, qty, price, **fields):
        return self.new(cl_ord_id, SELL, qty, price, **fields)

    def cancel(self, cl_ord_id, side=BUY, **fields):
        return self.market.cancel(self.owner, OrderCancelRequest(cl_ord_id, side, **fields), NOW)

    def replace(self, cl_ord_id, side, qty, price, **fields):
        return self.market.replace(self.owner, OrderCancelReplaceRequest(cl_ord_id, side, qty, price, **fields), NOW)


def market(*instruments, **policy):
    """A segment 40 with these instruments, by default the seven benchmarks."""
    return MarketSegment(40, instruments or BENCHMARKS, SegmentPolicy(**policy))


def kinds(events):
    """The names of events: what was told, in order."""
    return [type(event).__name__ for event in events]


def book(market, instrument=UB10):
    """Both sides of a book as ``(price, [open quantity, oldest first])``, best price first."""
    sides = market.books[instrument.security_id]
    return tuple(
        [(level.price, [order.leaves_qty for order in level]) for level in side] for side in (sides.bids, sides.asks)
    )


def prices(text):
    """Shorthand: ``prices("99-16 99-16+")`` is a list of wire prices."""
    return [parse_price(each) for each in text.split()]
