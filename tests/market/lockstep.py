"""Random commands, good and bad, and the two markets side by side."""

from collections import defaultdict
from dataclasses import replace

from ontherun.market import (
    BusinessRejected,
    CancelRejected,
    DayMinQty,
    ExhaustedReplace,
    MarketSegment,
    MassActionReported,
    OFMChain,
    OrderAccepted,
    OrderCancelled,
    OrderEliminated,
    OrderModified,
    OrderRejected,
    OrderTraded,
    ReplaceRejected,
    SecurityTradingStatus,
    SegmentPolicy,
)
from ontherun.market.segment import rests
from ontherun.market.terms import (
    ALL_OR_NONE,
    BUY,
    DAY,
    FILL_AND_KILL,
    FILL_OR_KILL,
    GOOD_TILL_CANCEL,
    GOOD_TILL_DATE,
    INT64_NULL,
    ONLY_BEST,
    PASSIVE,
    SELL,
    UINT8_NULL,
    UINT32_NULL,
    UINT64_NULL,
)

from .messages import NOW, UB02, UB10, Inquiry, NewOrderSingle, OrderCancelReplaceRequest, OrderCancelRequest, Owner
from .reference import TODAY, ReferenceMarket

LOTS = replace(UB10, symbol="LOTS", security_id=7, min_qty=2, qty_increment=2, display_allowed=False)
WHOLE = replace(UB10, symbol="WHOLE", security_id=8, all_or_none=True, display_allowed=False, max_qty=12)
STRICT = replace(UB10, symbol="STRICT", security_id=9, good_till_allowed=False, only_best_allowed=False)
STRICT = replace(STRICT, passive_allowed=False, not_held_allowed=True)
INSTRUMENTS = (UB10, UB02, LOTS, WHOLE, STRICT)
MIDDLE = UB10.reference_price


def told(event):
    """An event as a tuple, in the reference's words."""
    match event:
        case OrderAccepted(order=order, exec_id=exec_id):
            return ("accepted", order.order_id, order.terms.order_qty, exec_id)
        case OrderTraded(order=order, aggressor=aggressor):
            ids = (event.exec_id, event.sec_exec_id, event.side_trade_id, event.md_trade_entry_id)
            amounts = (event.price, event.qty, event.cum_qty, event.leaves_qty)
            return ("traded", order.order_id, *amounts, aggressor, *ids, event.order_events)
        case OrderEliminated(order=order, exec_id=exec_id):
            return ("eliminated", order.order_id, order.cum_qty, exec_id)
        case OrderModified(order=order, exec_id=exec_id):
            return ("modified", order.order_id, event.cum_qty, event.leaves_qty, exec_id)
        case OrderCancelled(order=order, exec_id=exec_id):
            return ("cancelled", order.order_id, order.cum_qty, event.restatement_reason, exec_id)
        case MassActionReported(report_id=report_id, reason=reason, cancelled=cancelled):
            return ("mass action", report_id, reason, cancelled)
        case BusinessRejected():
            return ("business rejected", int(event.reason), event.ref_tag)
        case OrderRejected() | CancelRejected() | ReplaceRejected():
            word = {OrderRejected: "rejected", CancelRejected: "cancel rejected", ReplaceRejected: "replace rejected"}
            return (word[type(event)], event.order_id, int(event.reason), event.exec_id)


class Pair:
    """The market and the reference under the same commands; ``step`` makes, carries out and compares one."""

    def __init__(self, random):
        self.random = random
        latches, cancels, day_min_qty, any_sender, compulsory = (random.random() < 0.5 for _ in range(5))
        policy = SegmentPolicy(
            ofm_chain=OFMChain.ENABLED_STAYS if latches else OFMChain.FIRST_DECIDES,
            exhausted_replace=ExhaustedReplace.CANCEL if cancels else ExhaustedReplace.REJECT,
            day_min_qty=DayMinQty.ELIMINATE if day_min_qty else DayMinQty.REFUSE,
            replace_by_other_sender_id=any_sender,
            self_match_prevention=compulsory,
        )
        self.fast = MarketSegment(40, INSTRUMENTS, policy)
        self.plain = ReferenceMarket(40, INSTRUMENTS, latches, cancels, day_min_qty, any_sender, compulsory)
        self.owners = [Owner("ABC", "FIRM1"), Owner("ABC", "FIRM2"), Owner("XYZ", "FIRM2"), Owner("XYZ", "FIRM2")]
        self.known = []  # (OrderID, ClOrdID, SecurityID, Side) of what was once accepted
        self.history = []
        self.counted = defaultdict(int)

    def step(self):
        command, *arguments = self.command()
        self.history.append((command, arguments))
        events = run(self.fast, command, arguments)
        said = [told(event) for event in events]
        assert said == getattr(self.plain, command)(*arguments), f"command {len(self.history)}: {command}{arguments}"
        for event in events:
            self.counted[type(event).__name__, int(getattr(event, "reason", None) or 0)] += 1
            if isinstance(event, OrderAccepted):
                terms = event.order.terms
                self.known.append((event.order.order_id, terms.cl_ord_id, terms.security_id, terms.side))
        return events

    # Commands

    def command(self):
        pick = self.random.random()
        owner = self.random.choice(self.owners)
        if self.fast.status is not SecurityTradingStatus.OPEN and self.random.random() < 0.05:
            return "set_state", SecurityTradingStatus.OPEN
        if pick < 0.55 or not self.known:
            return "new_order", owner, self.new_order()
        if pick < 0.70:
            request = self.cancel()
            return "cancel", self.sender(request, owner), request
        if pick < 0.985:
            request = self.replace()
            return "replace", self.sender(request, owner), request
        if pick < 0.993:
            return "mass_cancel", owner, self.mass_cancel()
        if pick < 0.994:
            return "cancel_day_orders", owner, 100
        if pick < 0.995:
            return ("end_of_day",)
        if pick < 0.996:
            return "new_on_the_run", self.random.choice(INSTRUMENTS).security_id
        return "set_state", self.random.choice(list(SecurityTradingStatus))

    def mass_cancel(self):
        scope = self.random.choice((1, 1, 7, 10))
        fields = {"security_id": self.security(), "security_group": self.random.choice((b"USBD", b"USBD", b"NONE"))}
        fields["side"] = self.random.choice((UINT8_NULL, BUY, SELL))
        fields["time_in_force"] = self.random.choice((UINT8_NULL, UINT8_NULL, DAY, GOOD_TILL_CANCEL, GOOD_TILL_DATE))
        fields["mass_cancel_request_type"] = self.random.choice((UINT8_NULL, 101))
        fields["party_details_list_req_id"] = 9 if self.rarely() else self.random.choice((1, 3))
        return Inquiry(mass_action_scope=scope, **fields)

    def new_order(self):
        side, qty, price, fields = self.terms()
        cl_ord_id = b"%d" % self.random.randrange(400)
        fields["security_id"] = self.security()
        return NewOrderSingle(cl_ord_id, side, qty, price, **self.fitting(fields))

    def replace(self):
        order_id, cl_ord_id, security_id, order_side = self.target()
        side, qty, price, fields = self.terms()
        side = side if self.rarely() else order_side
        fields |= {"order_id": order_id, "security_id": security_id, "ofm_override": self.random.randrange(2)}
        if self.random.random() < 0.2:
            cl_ord_id = b"%d" % self.random.randrange(400)
        old = next((order.terms for order in self.plain.orders if order.order_id == order_id), None)
        if old is not None and not self.rarely():
            fields.pop("display_qty", None)
            if old.display_qty != UINT32_NULL:
                fields["display_qty"] = self.random.randint(1, max(qty, 1))
            fields |= {"exec_inst": old.exec_inst, "execution_mode": old.execution_mode}
            if self.random.random() < 0.4:
                price = old.price
        if self.rarely():
            fields["sender_id"] = self.random.choice((b"trader", b"OTHER"))
        return OrderCancelReplaceRequest(cl_ord_id, side, qty, price, **self.fitting(fields))

    def cancel(self):
        order_id, cl_ord_id, security_id, side = self.target()
        party = 9 if self.rarely() else 1
        side = self.random.choice((BUY, SELL, 7)) if self.rarely() else side
        fields = {"order_id": order_id, "security_id": security_id, "party_details_list_req_id": party}
        return OrderCancelRequest(cl_ord_id, side, **fields)

    def target(self):
        """What a cancel or replace names: mostly a working order, by OrderID or ClOrdID, now and then nonsense."""
        if self.plain.orders and self.random.random() < 0.8:
            order = self.random.choice(self.plain.orders)
            order_id, terms = order.order_id, order.terms
            cl_ord_id, security_id, side = terms.cl_ord_id, terms.security_id, terms.side
        else:
            order_id, cl_ord_id, security_id, side = self.random.choice(self.known[-60:])
        if self.rarely():
            order_id = self.random.choice((0, 1, 2**63, UINT64_NULL - 1))
        elif self.random.random() < 0.4:
            order_id = UINT64_NULL
        return order_id, cl_ord_id, self.security() if self.rarely() else security_id, side

    def sender(self, request, other):
        """Mostly who owns the order that a request names."""
        order = next((order for order in self.plain.orders if order.order_id == request.order_id), None)
        if order is None:
            order = next((order for order in self.plain.orders if order.terms.cl_ord_id == request.cl_ord_id), None)
        return other if order is None or self.rarely() else order.owner

    def terms(self):
        qty = 2 * self.random.randint(1, 8) if self.random.random() < 0.9 else self.random.randint(1, 15)
        fields = {}
        pick = self.random.random()
        if pick < 0.12:
            fields["time_in_force"] = FILL_AND_KILL
            if pick < 0.04:
                fields["min_qty"] = self.random.randint(1, qty)
        elif pick < 0.18:
            fields["time_in_force"] = FILL_OR_KILL
        elif pick < 0.20:
            fields["time_in_force"] = UINT8_NULL
        elif pick < 0.26:
            fields["display_qty"] = self.random.randint(1, max(qty, 1))
        elif pick < 0.30:
            fields["min_qty"] = self.random.randint(1, max(qty, 1))
        elif pick < 0.34:
            fields |= {"time_in_force": GOOD_TILL_DATE, "expire_date": TODAY + self.random.randint(-1, 2)}
        elif pick < 0.38:
            fields["time_in_force"] = GOOD_TILL_CANCEL
        if self.random.random() < 0.08:
            fields["execution_mode"] = PASSIVE
        if self.random.random() < 0.08:
            fields["exec_inst"] = ONLY_BEST
        fields["party_details_list_req_id"] = self.random.choice((1, 1, 1, 2, 3, 4, 4, 5, 6))
        side = self.random.choice((BUY, SELL))
        away = self.random.randint(-3, 9)  # from the other side: below 0 it is likely to trade
        price = MIDDLE + (away if side == SELL else -away) * UB10.tick
        if self.rarely():
            side, qty, price = self.spoil(side, qty, price, fields)
        return side, qty, price, fields

    def fitting(self, fields):
        """Mostly what an all-or-none book takes, where the order is for one."""
        if fields["security_id"] == WHOLE.security_id and not self.rarely():
            fields["exec_inst"] = fields.get("exec_inst", 0) & ONLY_BEST | ALL_OR_NONE
            for name in ("display_qty", "min_qty", "time_in_force"):
                fields.pop(name, None)
        return fields

    def spoil(self, side, qty, price, fields):
        """Break some of the terms' rules, often more than one."""
        for _ in range(self.random.randint(1, 3)):
            match self.random.randrange(10):
                case 0:
                    side = 7
                case 1:
                    qty = self.random.choice((0, 1, 3, 5_001, UINT32_NULL))
                case 2:
                    price = self.random.choice((INT64_NULL, 0, -UB10.tick, 1, MIDDLE + 1, UB10.tick))
                case 3:
                    price = self.random.choice((151, 150, 49, 50, 126, 74, 125, 75)) * 10**9
                case 4:
                    fields["party_details_list_req_id"] = self.random.choice((0, 9, UINT64_NULL))
                case 5:
                    fields["ord_type"] = self.random.choice(b"134K")
                case 6:
                    fields["exec_inst"] = self.random.choice((ALL_OR_NONE, ONLY_BEST, 4, 5, 128))
                case 7:
                    fields["execution_mode"] = self.random.choice((PASSIVE, ord("A")))
                case 8:
                    fields["time_in_force"] = self.random.choice((GOOD_TILL_CANCEL, GOOD_TILL_DATE, 99, DAY))
                case 9:
                    fields["display_qty"] = self.random.choice((0, 1, 3, 4_000, UINT32_NULL))
                    fields["min_qty"] = self.random.choice((0, 1, 2, 9_000, UINT32_NULL))
        return side, qty, price

    def security(self):
        return 99 if self.rarely() else self.random.choices(INSTRUMENTS, (6, 2, 2, 2, 1))[0].security_id

    def rarely(self):
        return self.random.random() < 0.06


def run(segment, command, arguments, *, short=True):
    """One command of a Pair's history on a segment; what can rest at once goes the `short` way, as in the gateway."""
    if short and command == "new_order" and rests(arguments[1]):
        resting = segment.rest(*arguments)
        if resting is not None:
            return [OrderAccepted(resting, segment.exec_format % resting.priority)]
    return getattr(segment, command)(*arguments, NOW)


def books(segment):
    """The market's books in the form of ``ReferenceMarket.books``."""
    seen = {}
    for security_id, sides in segment.books.items():
        for side, levels in ((BUY, sides.bids), (SELL, sides.asks)):
            seen[security_id, side] = [
                (level.price, order.order_id, order.leaves_qty, order.leaves_qty - order.hidden_qty)
                for level in levels
                for order in level
            ]
    return seen
