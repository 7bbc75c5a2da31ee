"""Answers to requests over many orders: the mass action report and the status reports."""

from typing import TYPE_CHECKING

from ontherun.gateway.lane import Owner
from ontherun.gateway.reports import lane_of, next_number
from ontherun.ilink.messages import (
    UINT8_NULL,
    UINT64_NULL,
    ExecutionReportStatus,
    OrderMassActionReport,
    OrderMassActionReportNoAffectedOrders,
    OrderMassStatusRequest,
    OrderStatusRequest,
)
from ontherun.ilink.messages.enums import MassActionResponse, OrderStatus
from ontherun.market.book import OFM_UNDECIDED, Order
from ontherun.market.events import MassActionReported, StatusReported

if TYPE_CHECKING:
    from ontherun.gateway.engine import Engine

MAX_AFFECTED_ORDERS = 254
"""The most entries of a group on the wire; further orders go into further reports, LastFragment (893) on the last."""


def mass_action(engine: "Engine", event: MassActionReported, now: int) -> None:
    """OrderMassActionReport (562), in as many fragments as the cancelled orders need."""
    owner, request = event.owner, event.request
    assert isinstance(owner, Owner)
    lane = owner.lane
    total = len(event.cancelled)
    for first in range(0, total or 1, MAX_AFFECTED_ORDERS):
        listed = event.cancelled[first : first + MAX_AFFECTED_ORDERS]
        lane.out.append(
            OrderMassActionReport(
                seq_num=next_number(engine, lane),
                uuid=lane.stream.uuid,
                sender_id=request.sender_id.upper(),
                party_details_list_req_id=request.party_details_list_req_id,
                transact_time=now,
                sending_time_epoch=now,
                order_request_id=request.order_request_id,
                mass_action_report_id=event.report_id,
                security_group=request.security_group,
                location=request.location,
                security_id=request.security_id,
                mass_action_response=(
                    MassActionResponse.ACCEPTED if event.reason is None else MassActionResponse.REJECTED
                ),
                manual_order_indicator=request.manual_order_indicator,
                mass_action_scope=request.mass_action_scope,
                total_affected_orders=total,
                last_fragment=first + len(listed) == total,
                mass_action_reject_reason=UINT8_NULL if event.reason is None else event.reason,
                market_segment_id=request.market_segment_id,
                mass_cancel_request_type=request.mass_cancel_request_type,
                side=request.side,
                ord_type=request.ord_type,
                time_in_force=request.time_in_force,
                liquidity_flag=request.liquidity_flag,
                poss_retrans_flag=0,
                no_affected_orders=[
                    OrderMassActionReportNoAffectedOrders(
                        orig_ci_ord_id=cl_ord_id, affected_order_id=order_id, cxl_quantity=qty
                    )
                    for cl_ord_id, order_id, qty in listed
                ],
            ).encode()
        )


def status(engine: "Engine", event: StatusReported, now: int) -> None:
    """ExecutionReportStatus (532)."""
    order, request = event.order, event.request
    lane, terms = lane_of(order), order.terms
    lane.out.append(
        ExecutionReportStatus(
            seq_num=next_number(engine, lane),
            uuid=lane.stream.uuid,
            exec_id=event.exec_id,
            sender_id=terms.sender_id.upper(),
            cl_ord_id=terms.cl_ord_id,
            party_details_list_req_id=terms.party_details_list_req_id,
            order_id=order.order_id,
            price=terms.price,
            transact_time=now,
            sending_time_epoch=now,
            order_request_id=terms.order_request_id,
            ord_status_req_id=request.ord_status_req_id if isinstance(request, OrderStatusRequest) else UINT64_NULL,
            mass_status_req_id=(
                request.mass_status_req_id if isinstance(request, OrderMassStatusRequest) else UINT64_NULL
            ),
            location=terms.location,
            security_id=terms.security_id,
            order_qty=terms.order_qty,
            cum_qty=order.cum_qty,
            leaves_qty=order.leaves_qty,
            min_qty=terms.min_qty,
            display_qty=terms.display_qty,
            expire_date=terms.expire_date,
            ord_status=_status_of(order),
            ord_type=terms.ord_type,
            side=terms.side,
            time_in_force=terms.time_in_force,
            manual_order_indicator=terms.manual_order_indicator,
            poss_retrans_flag=0,
            last_rpt_requested=event.last,
            exec_inst=terms.exec_inst,
            execution_mode=terms.execution_mode,
            liquidity_flag=terms.liquidity_flag,
            managed_order=terms.managed_order,
            short_sale_type=terms.short_sale_type,
        ).encode()
    )


def _status_of(order: Order) -> OrderStatus:
    """OrdStatus (39) of a working order: partly filled before replaced before new."""
    if order.cum_qty:
        return OrderStatus.PARTIALLY_FILLED
    return OrderStatus.NEW if order.ofm_override == OFM_UNDECIDED else OrderStatus.REPLACED
