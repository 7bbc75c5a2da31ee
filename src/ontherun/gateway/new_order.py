"""The plain new order, read and checked in one go: most of what a gateway is sent, and what has to be fast first.

`read` knows a NewOrderSingle (514) in our version's layout, a limit order without qualifiers whose every field is as
the protocol wants it, and gives up on anything else: `NewOrderSingle.decode` and its `fault` then say exactly what is
wrong, or that nothing is. It checks values while they are local, makes no object for what nobody will read, and keeps
one copy of texts that come again.
"""

from struct import Struct
from struct import error as StructError  # noqa: N812 - it is a class, spelled as one

from ontherun.ilink.messages import INT32_NULL, INT64_NULL, UINT8_NULL, UINT16_NULL, UINT32_NULL, NewOrderSingle
from ontherun.ilink.messages.enums import ExecMode, OrdType, TimeInForce
from ontherun.sbe.layout import UINT64_MAX
from ontherun.sbe.message import PRINTABLE

_SIZE = 144
_BLOCK = 132
_FRAME = Struct("<H2xH6xqIiBI20s20sQQQ8s5s10sBBBBB3s16x")  # without DiscretionPrice and ReservationPrice
_unpack = _FRAME.unpack_from
_NO_STOP = INT64_NULL.to_bytes(8, "little")
_NO_QUALIFIERS = b"\xff" * 10
"""MinQty, DisplayQty and ExpireDate."""
_NO_FLAGS = b"\xff" * 3
"""LiquidityFlag, ManagedOrder and ShortSaleType."""
_LIMIT = OrdType.LIMIT.value
_FAK = TimeInForce.FAK.value
_AGGRESSIVE = ExecMode.AGGRESSIVE.value
_MOST_TEXTS = 4096
_texts: dict[bytes, bytes] = {}
"""SenderIDs and Locations that were found good, by their padded form."""


class NewOrder:
    """A NewOrderSingle that passed: the attributes of the generated message that a market or a report reads.

    What all plain orders have in common stands in the class. SendingTimeEpoch, DiscretionPrice and ReservationPrice,
    which nothing on BrokerTec reads, are not kept.
    """

    __slots__ = (
        "cl_ord_id",
        "execution_mode",
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
    ord_type = _LIMIT
    exec_inst = 0
    liquidity_flag = UINT8_NULL
    managed_order = UINT8_NULL
    short_sale_type = UINT8_NULL
    cl_ord_id: bytes
    execution_mode: int
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
    """The order whose frame begins at `position`; None for any that is not plainly right."""
    order = NewOrder()
    try:
        (
            size,
            block,
            order.price,
            order.order_qty,
            order.security_id,
            side,
            order.seq_num,
            sender_id,
            cl_ord_id,
            party,
            request,
            sending_time,
            stop_px,
            location,
            qualifiers,
            ord_type,
            time_in_force,
            manual,
            exec_inst,
            mode,
            flags,
        ) = _unpack(data, position)
        order.sender_id = _texts[sender_id]
        order.location = _texts[location]
    except (StructError, KeyError):
        return None
    order.cl_ord_id = cl_ord_id = cl_ord_id.rstrip(b"\0")
    if (
        size != _SIZE
        or block != _BLOCK
        or side > 2
        or not side
        or ord_type != _LIMIT
        or (time_in_force and time_in_force != _FAK)
        or manual > 1
        or exec_inst
        or (mode and mode != _AGGRESSIVE)
        or qualifiers != _NO_QUALIFIERS
        or flags != _NO_FLAGS
        or stop_px != _NO_STOP
        or request > UINT64_MAX
        or sending_time > UINT64_MAX
        or party > UINT64_MAX
        or not cl_ord_id
        or cl_ord_id.translate(None, PRINTABLE)
        or order.order_qty == UINT32_NULL
        or order.security_id == INT32_NULL
    ):
        return None
    order.side = side
    order.party_details_list_req_id = party
    order.order_request_id = request
    order.time_in_force = time_in_force
    order.manual_order_indicator = manual
    order.execution_mode = mode
    return order


def remember(order: NewOrderSingle) -> None:
    """Let `read` know the texts of an order that was found right."""
    if len(_texts) < _MOST_TEXTS:
        _texts[order.sender_id.ljust(20, b"\0")] = order.sender_id
        _texts[order.location.ljust(5, b"\0")] = order.location
