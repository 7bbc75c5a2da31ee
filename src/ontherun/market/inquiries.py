"""Requests over many orders: mass action, order status, mass status. All are limited to the owner's SenderComp.

Source: schema id 8 version 9, templates 529, 530, 532, 533 and 562; CME client wiki, mass action and mass order status.
A mass action while the market is closed, or for what this segment does not have, is rejected in the report (1375 = 0);
where the reasons' numbers are not published they are the standard's.
"""

from collections.abc import Callable

from ontherun.market import refusals
from ontherun.market.book import Order
from ontherun.market.days import Days
from ontherun.market.events import BusinessRejected, Event, MassActionReported, StatusReported
from ontherun.market.refusals import BusinessRefusal, MassActionRejectReason
from ontherun.market.states import PERMISSIONS
from ontherun.market.terms import (
    DAY,
    INT32_NULL,
    LIMIT,
    UINT8_NULL,
    OrderMassActionRequest,
    OrderMassStatusRequest,
    OrderStatusRequest,
    Owner,
    PartyDetails,
)

INSTRUMENT, ALL, SEGMENT, GROUP = 1, 7, 9, 10
"""MassActionScope (1374)."""
_STATUS_SCOPES = {1: INSTRUMENT, 3: GROUP, 7: ALL, 100: SEGMENT}
"""The same scopes as MassStatusReqType (585)."""
BY_SENDER_ID, BY_ACCOUNT = 100, 101
"""MassCancelRequestType (6115), OrdStatusReqType (5000)."""

Scoped = OrderMassActionRequest | OrderMassStatusRequest


class Inquiries(Days):
    """Commands over many orders. ``now`` is in ns since the epoch, UTC."""

    __slots__ = ()

    def mass_cancel(self, owner: Owner, request: OrderMassActionRequest, now: int) -> list[Event]:  # noqa: ARG002
        """Cancel the working orders of the owner in a scope, narrowed by side, type, duration, SenderID or account."""
        details, refusal = self._asked(owner, request, 1374, request.mass_action_scope)
        if refusal is not None or details is None:
            return [_refused(owner, request, refusal)]
        self._executions = number = self._executions + 1
        report_id = self._number_base + number
        reason = self._out_of_reach(request, request.mass_action_scope)
        if reason is None and PERMISSIONS[self.status].cancel is not None:
            reason = MassActionRejectReason.OTHER
        if reason is not None:
            return [MassActionReported(owner, request, report_id, reason, [])]
        in_scope = self._in_scope(request, request.mass_action_scope)
        wanted = _narrowed(request, request.mass_cancel_request_type, details)
        orders = [
            order
            for order in self.orders_of(owner)
            if in_scope(order)
            and wanted(order)
            and request.side in (UINT8_NULL, order.terms.side)
            and request.ord_type in (0, LIMIT)
        ]
        for order in orders:
            self._remove(order)
        cancelled = [(order.terms.cl_ord_id, order.order_id, order.leaves_qty) for order in orders]
        return [MassActionReported(owner, request, report_id, None, cancelled)]

    def order_status(self, owner: Owner, request: OrderStatusRequest, now: int) -> list[Event]:  # noqa: ARG002
        """Tell how a working order of the owner stands."""
        if self._details(owner, request) is None:
            refusal = refusals.unknown_party_details(request.party_details_list_req_id)
            return [_refused(owner, request, refusal)]
        order = self._orders.get(request.order_id)
        if order is None or order.owner.sender_comp != owner.sender_comp:
            return [_refused(owner, request, refusals.order_status_not_found(request.order_id))]
        return [StatusReported(order, request, UINT8_NULL, self._exec_id())]

    def mass_status(self, owner: Owner, request: OrderMassStatusRequest, now: int) -> list[Event]:  # noqa: ARG002
        """Tell how the working orders of the owner in a scope stand, by OrderID; the last one says so."""
        scope = _STATUS_SCOPES.get(request.mass_status_req_type, 0)
        details, refusal = self._asked(owner, request, 585, scope)
        if refusal is not None or details is None:
            return [_refused(owner, request, refusal)]
        in_scope = self._in_scope(request, scope)
        wanted = _narrowed(request, request.ord_status_req_type, details)
        orders = [order for order in self.orders_of(owner) if in_scope(order) and wanted(order)]
        if not orders:
            return [_refused(owner, request, refusals.NOTHING_TO_TELL)]
        return [StatusReported(order, request, order is orders[-1], self._exec_id()) for order in orders]

    def _details(self, owner: Owner, request: Scoped | OrderStatusRequest) -> PartyDetails | None:
        return owner.party_details.get(request.party_details_list_req_id) or owner.on_demand(request)

    def _asked(
        self, owner: Owner, request: Scoped, tag: int, scope: int
    ) -> tuple[PartyDetails | None, BusinessRefusal | None]:
        """The party details of a request, and what is wrong with its form."""
        details = self._details(owner, request)
        if details is None:
            return None, refusals.unknown_party_details(request.party_details_list_req_id)
        if scope == INSTRUMENT and request.security_id == INT32_NULL:
            return details, refusals.field_missing(48, "SecurityID")
        if scope == GROUP and not request.security_group:
            return details, refusals.field_missing(1151, "SecurityGroup")
        if scope == SEGMENT and request.market_segment_id == UINT8_NULL:
            return details, refusals.field_missing(1300, "MarketSegmentID")
        if scope not in (INSTRUMENT, ALL, SEGMENT, GROUP):
            name = "MassActionScope" if tag == 1374 else "MassStatusReqType"
            return details, refusals.enumeration_not_supported(tag, name)
        return details, None

    def _out_of_reach(self, request: OrderMassActionRequest, scope: int) -> MassActionRejectReason | None:
        """Why a scope is none of this segment's; None where it is."""
        if scope == INSTRUMENT and request.security_id not in self._books:
            return MassActionRejectReason.UNKNOWN_SECURITY
        if scope == SEGMENT and request.market_segment_id != self.segment_id:
            return MassActionRejectReason.UNKNOWN_MARKET_SEGMENT
        group = request.security_group.decode("ascii", "replace")
        if scope == GROUP and all(book.instrument.security_group != group for book in self._books.values()):
            return MassActionRejectReason.UNKNOWN_SECURITY_GROUP
        return None

    def _in_scope(self, request: Scoped, scope: int) -> Callable[[Order], bool]:
        if scope == INSTRUMENT:
            return lambda order: order.terms.security_id == request.security_id
        if scope == GROUP:
            group = request.security_group.decode("ascii", "replace")
            return lambda order: order.book.instrument.security_group == group
        return lambda _: scope == ALL or request.market_segment_id == self.segment_id


def _narrowed(request: Scoped, by: int, details: PartyDetails) -> Callable[[Order], bool]:
    """Whether an order has the duration, and the SenderID or account, that a request asks for."""
    sender_id = request.sender_id.upper()

    def wanted(order: Order) -> bool:
        terms = order.terms
        duration = DAY if terms.time_in_force == UINT8_NULL else terms.time_in_force
        return (
            request.time_in_force in (UINT8_NULL, duration)
            and (by != BY_SENDER_ID or terms.sender_id.upper() == sender_id)
            and (by != BY_ACCOUNT or order.party_details.account == details.account)
        )

    return wanted


def _refused(owner: Owner, request: Scoped | OrderStatusRequest, refusal: BusinessRefusal | None) -> BusinessRejected:
    assert refusal is not None
    return BusinessRejected(owner, request, *refusal)
