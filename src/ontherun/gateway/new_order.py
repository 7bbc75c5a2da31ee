"""The plain new order, read and checked in one go: most of what a gateway is sent, and what has to be fast first.

`read` knows a NewOrderSingle (514) in our version's layout, a limit order without qualifiers whose every field is as
the protocol wants it, and gives up on anything else: `NewOrderSingle.decode` and its `fault` then say exactly what is
wrong, or that nothing is. It checks values while they are local, makes no object for what nobody will read, and looks
what comes again and again (a sender, and all that stands behind the numbers) up instead of checking it again.
"""

from struct import Struct

from ontherun.ilink.messages import INT32_NULL, INT64_NULL, UINT8_NULL, UINT16_NULL, UINT32_NULL, NewOrderSingle
from ontherun.ilink.messages.enums import ExecMode, OrdType, TimeInForce
from ontherun.market.segment import rests
from ontherun.sbe.framing import ENCODING_TYPE, HEADER
from ontherun.sbe.layout import UINT64_MAX

SIZE = HEADER.size + NewOrderSingle.BLOCK_LENGTH
"""Bytes in the frame of a plain order."""

_HEAD = HEADER.pack(
    SIZE,
    ENCODING_TYPE,
    NewOrderSingle.BLOCK_LENGTH,
    NewOrderSingle.TEMPLATE_ID,
    NewOrderSingle.SCHEMA_ID,
    NewOrderSingle.VERSION,
)
_unpack = Struct("<12sqIiBI20s20sQQQ31s16x").unpack_from  # without DiscretionPrice and ReservationPrice
_FORM_AT, _FORM_END = 97, 128
_MOST_KNOWN = 4096


class Form:
    """What orders have in common that differ in their numbers only: StopPx to ShortSaleType, 31 bytes of a frame."""

    __slots__ = ("accepted", "rests")

    def __init__(self, order: NewOrderSingle) -> None:
        self.rests = rests(order)
        """Whether such an order rests where it finds nothing to trade with."""
        self.accepted: tuple[bytes, bytes, bytes] | None = None
        """How an acceptance says the same: CrossID to Location; OrdType and what is behind, of a buy, of a sell."""


_senders: dict[bytes, bytes] = {}
"""SenderIDs that were found good, by their padded form."""
_forms: dict[bytes, tuple[Form, bytes, int, int, int]] = {}
"""Forms that were found good, as they stand in the frame."""


class NewOrder:
    """A NewOrderSingle that passed: the attributes of the generated message that a market or a report reads.

    What all plain orders have in common stands in the class, what many have in their form. SendingTimeEpoch,
    DiscretionPrice and ReservationPrice, which nothing on BrokerTec reads, are not kept.
    """

    __slots__ = (
        "cl_ord_id",
        "execution_mode",
        "form",
        "location",
        "manual_order_indicator",
        "order_qty",
        "order_request_id",
        "party_details_list_req_id",
        "price",
        "security_id",
        "sender_id",
        "seq_num",
        "side",
        "time_in_force",
    )
    TEMPLATE_ID = NewOrderSingle.TEMPLATE_ID
    MSG_TYPE = NewOrderSingle.MSG_TYPE
    stop_px = INT64_NULL
    min_qty = UINT32_NULL
    display_qty = UINT32_NULL
    expire_date = UINT16_NULL
    ord_type = OrdType.LIMIT.value
    exec_inst = 0
    liquidity_flag = UINT8_NULL
    managed_order = UINT8_NULL
    short_sale_type = UINT8_NULL
    cl_ord_id: bytes
    execution_mode: int
    form: Form
    location: bytes
    manual_order_indicator: int
    order_qty: int
    order_request_id: int
    party_details_list_req_id: int
    price: int
    security_id: int
    sender_id: bytes
    seq_num: int
    side: int
    time_in_force: int


def read(data: bytes, position: int) -> NewOrder | None:
    """The order whose frame, wholly in `data`, begins at `position`; None for any that is not plainly right."""
    order = NewOrder()
    (
        head,
        order.price,
        order.order_qty,
        order.security_id,
        side,
        order.seq_num,
        sender_id,
        cl_ord_id,
        order.party_details_list_req_id,
        request,
        sending_time,
        form,
    ) = _unpack(data, position)
    if head != _HEAD or not 0 < side < 3 or request > UINT64_MAX or sending_time > UINT64_MAX:
        return None
    try:
        order.sender_id = _senders[sender_id]
        order.form, order.location, order.time_in_force, order.manual_order_indicator, order.execution_mode = _forms[
            form
        ]
        order.cl_ord_id = cl_ord_id = cl_ord_id.rstrip(b"\0")
        if not (cl_ord_id and cl_ord_id.decode("ascii").isprintable()):
            return None
    except (KeyError, UnicodeDecodeError):
        return None
    order.side = side
    order.order_request_id = request
    return order if order.order_qty != UINT32_NULL and order.security_id != INT32_NULL else None


def remember(order: NewOrderSingle, data: bytes, position: int) -> None:
    """Let `read` know the sender and the form of an order that was found right, where it is a plain one."""
    if (
        data.startswith(_HEAD, position)
        and order.ord_type == OrdType.LIMIT
        and order.time_in_force in (TimeInForce.DAY, TimeInForce.FAK)
        and order.execution_mode in (0, ExecMode.AGGRESSIVE)
        and not order.exec_inst
        and order.stop_px == INT64_NULL
        and order.min_qty == order.display_qty == UINT32_NULL
        and order.expire_date == UINT16_NULL
        and order.liquidity_flag == order.managed_order == order.short_sale_type == UINT8_NULL
        and len(_senders) < _MOST_KNOWN
        and len(_forms) < _MOST_KNOWN
    ):
        _senders[order.sender_id.ljust(20, b"\0")] = order.sender_id
        _forms[data[position + _FORM_AT : position + _FORM_END]] = (
            Form(order),
            order.location,
            order.time_in_force,
            order.manual_order_indicator,
            order.execution_mode,
        )
