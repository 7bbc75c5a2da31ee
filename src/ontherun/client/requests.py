"""The business messages that a client sends, made from what a person says.

Their SeqNum (9726) stays 0 here: the session machine numbers a message when it leaves.
"""

from datetime import date
from typing import Final, NamedTuple, TypedDict

from ontherun.client.login import Login
from ontherun.client.values import to_wire_date
from ontherun.ilink.messages import (
    INT32_NULL,
    UINT8_NULL,
    UINT32_NULL,
    UINT64_NULL,
    NewOrderSingle,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderMassActionRequest,
    OrderMassStatusRequest,
    OrderStatusRequest,
)
from ontherun.ilink.messages.enums import (
    ExecInst,
    ExecMode,
    MassActionScope,
    MassStatusReqTyp,
    OrdType,
    TimeInForce,
)
from ontherun.ilink.messages.enums import SideReq as Side

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NO_INSTRUCTIONS: Final = ExecInst(0)
NO_MODE: Final = 0
"""ExecutionMode (5906) not given: aggressive."""


class OrderOptions(TypedDict, total=False):
    """What an order may say beyond side, security, price and quantity.

    - `time_in_force` (59): DAY, GTC, GTD, FAK or FOK, by default DAY; `expire_date` (432): with GTD;
    - `min_qty` (110), `display_qty` (1138): instrument's unit;
    - `exec_inst` (18), `execution_mode` (5906): aggressive when not given;
    - `cl_ord_id` (11): at most 20 characters, made up when not given.
    """

    time_in_force: TimeInForce
    expire_date: date | None
    min_qty: int | None
    display_qty: int | None
    exec_inst: ExecInst
    execution_mode: ExecMode | None
    cl_ord_id: str | None


class Scope(NamedTuple):
    """Which of the session's working orders a request is about: those of one instrument, one group, one market
    segment, or all. The first that is given counts."""

    security_id: int | None = None
    group: str = ""
    segment: int | None = None

    @property
    def kind(self) -> MassActionScope:
        """MassActionScope (1374)."""
        if self.security_id is not None:
            return MassActionScope.INSTRUMENT
        if self.group:
            return MassActionScope.INSTRUMENT_GROUP
        return MassActionScope.ALL if self.segment is None else MassActionScope.MARKET_SEGMENT_ID


_STATUS_TYPES: Final = {
    MassActionScope.INSTRUMENT: MassStatusReqTyp.INSTRUMENT,
    MassActionScope.INSTRUMENT_GROUP: MassStatusReqTyp.INSTRUMENT_GROUP,
    MassActionScope.MARKET_SEGMENT_ID: MassStatusReqTyp.MARKET_SEGMENT,
    MassActionScope.ALL: MassStatusReqTyp.ALL_ORDERS,
}


class Maker:
    """Makes requests for one login; `now` is ns since the epoch, prices are wire units of 1e-9."""

    __slots__ = ("_location", "_login", "_manual", "_sender_id")

    def __init__(self, login: Login) -> None:
        self._login = login
        self._sender_id = login.sender_id.encode("ascii")
        self._location = login.location.encode("ascii")
        self._manual = int(login.manual)

    def new_order(
        self,
        security_id: int,
        side: Side,
        price: int,
        quantity: int,
        order_request_id: int,
        now: int,
        options: OrderOptions,
    ) -> NewOrderSingle:
        """NewOrderSingle (514), a limit order. A ClOrdID that is not given is made from `order_request_id`."""
        return NewOrderSingle(
            price=price,
            order_qty=quantity,
            security_id=security_id,
            side=side,
            seq_num=0,
            sender_id=self._sender_id,
            cl_ord_id=(options.get("cl_ord_id") or base36(order_request_id)).encode("ascii"),
            party_details_list_req_id=self._login.party_details_list_req_id,
            order_request_id=order_request_id,
            sending_time_epoch=now,
            location=self._location,
            min_qty=_or_null(options.get("min_qty"), UINT32_NULL),
            display_qty=_or_null(options.get("display_qty"), UINT32_NULL),
            expire_date=to_wire_date(options.get("expire_date")),
            ord_type=OrdType.LIMIT,
            time_in_force=options.get("time_in_force", TimeInForce.DAY),
            manual_order_indicator=self._manual,
            exec_inst=options.get("exec_inst", _NO_INSTRUCTIONS),
            execution_mode=_or_null(options.get("execution_mode"), NO_MODE),
        )

    def replace(
        self,
        security_id: int,
        side: Side,
        price: int,
        quantity: int,
        *,
        order_id: int | None,
        cl_ord_id: str,
        order_request_id: int,
        now: int,
        time_in_force: TimeInForce | int,
        expire_date: date | None,
        min_qty: int | None,
        display_qty: int | None,
        exec_inst: int,
        execution_mode: int,
        ofm_override: bool,
    ) -> OrderCancelReplaceRequest:
        """OrderCancelReplaceRequest (515); without `order_id` the order is found by its ClOrdID."""
        return OrderCancelReplaceRequest(
            price=price,
            order_qty=quantity,
            security_id=security_id,
            side=side,
            seq_num=0,
            sender_id=self._sender_id,
            cl_ord_id=cl_ord_id.encode("ascii"),
            party_details_list_req_id=self._login.party_details_list_req_id,
            order_id=_or_null(order_id, UINT64_NULL),
            order_request_id=order_request_id,
            sending_time_epoch=now,
            location=self._location,
            min_qty=_or_null(min_qty, UINT32_NULL),
            display_qty=_or_null(display_qty, UINT32_NULL),
            expire_date=to_wire_date(expire_date),
            ord_type=OrdType.LIMIT,
            time_in_force=time_in_force,
            manual_order_indicator=self._manual,
            ofm_override=ofm_override,
            exec_inst=exec_inst,
            execution_mode=execution_mode,
        )

    def cancel(
        self, security_id: int, side: Side, *, order_id: int | None, cl_ord_id: str, order_request_id: int, now: int
    ) -> OrderCancelRequest:
        """OrderCancelRequest (516); without `order_id` the order is found by its ClOrdID."""
        return OrderCancelRequest(
            order_id=_or_null(order_id, UINT64_NULL),
            party_details_list_req_id=self._login.party_details_list_req_id,
            manual_order_indicator=self._manual,
            seq_num=0,
            sender_id=self._sender_id,
            cl_ord_id=cl_ord_id.encode("ascii"),
            order_request_id=order_request_id,
            sending_time_epoch=now,
            location=self._location,
            security_id=security_id,
            side=side,
        )

    def mass_cancel(
        self, scope: Scope, side: Side | None, time_in_force: TimeInForce | None, order_request_id: int, now: int
    ) -> OrderMassActionRequest:
        """OrderMassActionRequest (529)."""
        return OrderMassActionRequest(
            party_details_list_req_id=self._login.party_details_list_req_id,
            order_request_id=order_request_id,
            manual_order_indicator=self._manual,
            seq_num=0,
            sender_id=self._sender_id,
            sending_time_epoch=now,
            security_group=scope.group.encode("ascii"),
            location=self._location,
            security_id=_or_null(scope.security_id, INT32_NULL),
            mass_action_scope=scope.kind,
            market_segment_id=_or_null(scope.segment, UINT8_NULL),
            side=_or_null(side, UINT8_NULL),
            time_in_force=_or_null(time_in_force, UINT8_NULL),
        )

    def order_status(self, order_id: int, status_id: int, now: int) -> OrderStatusRequest:
        """OrderStatusRequest (533)."""
        return OrderStatusRequest(
            party_details_list_req_id=self._login.party_details_list_req_id,
            ord_status_req_id=status_id,
            manual_order_indicator=self._manual,
            seq_num=0,
            sender_id=self._sender_id,
            order_id=order_id,
            sending_time_epoch=now,
            location=self._location,
        )

    def mass_status(
        self, scope: Scope, time_in_force: TimeInForce | None, status_id: int, now: int
    ) -> OrderMassStatusRequest:
        """OrderMassStatusRequest (530)."""
        return OrderMassStatusRequest(
            party_details_list_req_id=self._login.party_details_list_req_id,
            mass_status_req_id=status_id,
            manual_order_indicator=self._manual,
            seq_num=0,
            sender_id=self._sender_id,
            sending_time_epoch=now,
            security_group=scope.group.encode("ascii"),
            location=self._location,
            security_id=_or_null(scope.security_id, INT32_NULL),
            mass_status_req_type=_STATUS_TYPES[scope.kind],
            time_in_force=_or_null(time_in_force, UINT8_NULL),
            market_segment_id=_or_null(scope.segment, UINT8_NULL),
        )


def base36(number: int) -> str:
    """A number in as few characters as a ClOrdID likes: digits and capital letters."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


def _or_null(value: int | None, null: int) -> int:
    return null if value is None else value
