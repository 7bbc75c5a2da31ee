"""What the market says: one small record per report.

An event names the order or the refused request and holds what the report needs beyond ``order.terms``. Numbers that a
later event of the same command changes (CumQty, LeavesQty) are held as they were; everything else is read from the
order, so a report is to be made before the next command is carried out. TransactTime of every event is the ``now`` of
its command.

Source: schema id 8 version 9, templates 521 to 525, 531, 532, 534 to 536 and 562.
"""

from ontherun.market.book import Order
from ontherun.market.refusals import BusinessRejectReason, MassActionRejectReason, RejectReason
from ontherun.market.terms import (
    NewOrderSingle,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderMassActionRequest,
    Owner,
    Request,
    StatusRequest,
)

PARTIALLY_FILLED = 4
FILLED = 5
"""OrderEventType (1796): what the event left of the order that is reported."""

NO_LONGER_BEST = 9
"""ExecRestatementReason (378): a better price than that of an only-best order."""
SELF_MATCH_OLDEST = 103
"""The same: a resting order that an order of the same SelfMatchPreventionID met."""
SELF_MATCH_NEWEST = 107
"""The same: an incoming order that met one of the same SelfMatchPreventionID."""

AffectedOrder = tuple[bytes, int, int]
"""An entry of NoAffectedOrders (534): OrigCIOrdID, AffectedOrderID, CxlQuantity."""

OrderEvent = tuple[int, int, int]
"""An entry of NoOrderEvents (1795): OrderEventExecID, OrderEventQty, OrderEventType. OrderEventPx is LastPx."""


class Event:
    """Something that the market has to tell an owner."""

    __slots__: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


class OrderAccepted(Event):
    """ExecutionReportNew (522)."""

    __slots__ = ("exec_id", "order")

    def __init__(self, order: Order, exec_id: bytes) -> None:
        self.order = order
        self.exec_id = exec_id


class OrderRejected(Event):
    """ExecutionReportReject (523). ``order_id`` is 0: a refused order never had one."""

    __slots__ = ("exec_id", "order_id", "owner", "reason", "request", "text")

    def __init__(
        self, owner: Owner, request: NewOrderSingle, order_id: int, reason: RejectReason, text: bytes, exec_id: bytes
    ) -> None:
        self.owner = owner
        self.request = request
        self.order_id = order_id
        self.reason = reason
        self.text = text
        self.exec_id = exec_id


class OrderTraded(Event):
    """ExecutionReportTradeOutright (525): one per price for the aggressor, one per match for a resting order.

    OrdStatus (39) is 2 when ``leaves_qty`` is 0, else 1. NoFills (1362) has one entry: the price and the quantity of
    the report. ``trade_date`` is in days since the epoch.
    """

    __slots__ = (
        "aggressor",
        "cum_qty",
        "exec_id",
        "leaves_qty",
        "md_trade_entry_id",
        "order",
        "order_events",
        "price",
        "qty",
        "sec_exec_id",
        "side_trade_id",
        "trade_date",
    )

    def __init__(
        self,
        order: Order,
        exec_id: bytes,
        price: int,
        qty: int,
        cum_qty: int,
        leaves_qty: int,
        aggressor: bool,
        sec_exec_id: int,
        side_trade_id: int,
        md_trade_entry_id: int,
        trade_date: int,
        order_events: list[OrderEvent],
    ) -> None:
        self.order = order
        self.exec_id = exec_id
        self.price = price
        self.qty = qty
        self.cum_qty = cum_qty
        self.leaves_qty = leaves_qty
        self.aggressor = aggressor
        self.sec_exec_id = sec_exec_id
        self.side_trade_id = side_trade_id
        self.md_trade_entry_id = md_trade_entry_id
        self.trade_date = trade_date
        self.order_events = order_events


class OrderEliminated(Event):
    """ExecutionReportElimination (524): the rest of a FAK, a FOK that failed, a day order at the end of the day."""

    __slots__ = ("exec_id", "order")

    def __init__(self, order: Order, exec_id: bytes) -> None:
        self.order = order
        self.exec_id = exec_id


class OrderModified(Event):
    """ExecutionReportModify (531). ``order.terms`` is the replace request; quantities are those before it trades."""

    __slots__ = ("cum_qty", "exec_id", "leaves_qty", "order")

    def __init__(self, order: Order, exec_id: bytes, cum_qty: int, leaves_qty: int) -> None:
        self.order = order
        self.exec_id = exec_id
        self.cum_qty = cum_qty
        self.leaves_qty = leaves_qty


class OrderCancelled(Event):
    """ExecutionReportCancel (534). ``request`` is the cancel (or the replace that left nothing open), None when
    nobody asked.

    ``restatement_reason`` is ExecRestatementReason (378), the null 255 when a request asked.
    """

    __slots__ = ("exec_id", "order", "request", "restatement_reason")

    def __init__(
        self,
        order: Order,
        request: OrderCancelRequest | OrderCancelReplaceRequest | None,
        restatement_reason: int,
        exec_id: bytes,
    ) -> None:
        self.order = order
        self.request = request
        self.restatement_reason = restatement_reason
        self.exec_id = exec_id


class CancelRejected(Event):
    """OrderCancelReject (535). ``order_id`` is the one that the request gave or that its ClOrdID led to, else 0."""

    __slots__ = ("exec_id", "order_id", "owner", "reason", "request", "text")

    def __init__(
        self,
        owner: Owner,
        request: OrderCancelRequest,
        order_id: int,
        reason: RejectReason,
        text: bytes,
        exec_id: bytes,
    ) -> None:
        self.owner = owner
        self.request = request
        self.order_id = order_id
        self.reason = reason
        self.text = text
        self.exec_id = exec_id


class ReplaceRejected(Event):
    """OrderCancelReplaceReject (536). ``order_id`` as in CancelRejected."""

    __slots__ = ("exec_id", "order_id", "owner", "reason", "request", "text")

    def __init__(
        self,
        owner: Owner,
        request: OrderCancelReplaceRequest,
        order_id: int,
        reason: RejectReason,
        text: bytes,
        exec_id: bytes,
    ) -> None:
        self.owner = owner
        self.request = request
        self.order_id = order_id
        self.reason = reason
        self.text = text
        self.exec_id = exec_id


class MassActionReported(Event):
    """OrderMassActionReport (562). ``reason`` is MassActionRejectReason (1376), None where the request was accepted;
    ``cancelled`` lists OrigCIOrdID, AffectedOrderID and CxlQuantity, by OrderID. The reports share ``report_id``."""

    __slots__ = ("cancelled", "owner", "reason", "report_id", "request")

    def __init__(
        self,
        owner: Owner,
        request: OrderMassActionRequest,
        report_id: int,
        reason: MassActionRejectReason | None,
        cancelled: list[AffectedOrder],
    ) -> None:
        self.owner = owner
        self.request = request
        self.report_id = report_id
        self.reason = reason
        self.cancelled = cancelled


class StatusReported(Event):
    """ExecutionReportStatus (532). ``last`` is LastRptRequested (912), null in answer to an OrderStatusRequest."""

    __slots__ = ("exec_id", "last", "order", "request")

    def __init__(self, order: Order, request: StatusRequest, last: int, exec_id: bytes) -> None:
        self.order = order
        self.request = request
        self.last = last
        self.exec_id = exec_id


class BusinessRejected(Event):
    """BusinessReject (521). ``ref_tag`` is RefTagID (371); what else the report refers to is in ``request``."""

    __slots__ = ("owner", "reason", "ref_tag", "request", "text")

    def __init__(self, owner: Owner, request: Request, reason: BusinessRejectReason, text: bytes, ref_tag: int) -> None:
        self.owner = owner
        self.request = request
        self.reason = reason
        self.text = text
        self.ref_tag = ref_tag
