"""What the market reads: commands, owners and party details, as structural types in the standard's field names.

A decoded iLink message is such a command as it is; the market never copies it. Values are the wire's own: ``int`` and
``bytes``, prices in units of 1e-9, an absent field as the null of its type.

Source: schema id 8 version 9, templates 514, 515 and 516.
"""

from collections.abc import Mapping
from typing import Final, Protocol

UINT8_NULL: Final = 2**8 - 1
UINT16_NULL: Final = 2**16 - 1
INT32_NULL: Final = 2**31 - 1
UINT32_NULL: Final = 2**32 - 1
UINT64_NULL: Final = 2**64 - 1
INT64_NULL: Final = 2**63 - 1

PRICE_UNIT: Final = 10**9
"""One price point in wire units."""

BUY: Final = 1
SELL: Final = 2

MARKET_WITH_PROTECTION: Final = ord("1")
LIMIT: Final = ord("2")
STOP_WITH_PROTECTION: Final = ord("3")
STOP_LIMIT: Final = ord("4")
MARKET_WITH_LEFTOVER_AS_LIMIT: Final = ord("K")

DAY: Final = 0
GOOD_TILL_CANCEL: Final = 1
FILL_AND_KILL: Final = 3
FILL_OR_KILL: Final = 4
GOOD_TILL_DATE: Final = 6
GOOD_FOR_SESSION: Final = 99

IMMEDIATE: Final = frozenset({FILL_AND_KILL, FILL_OR_KILL})
"""TimeInForce of orders that never rest."""
GOOD_TILL: Final = frozenset({GOOD_TILL_CANCEL, GOOD_TILL_DATE})
"""TimeInForce of orders that stay over the day's end."""

ALL_OR_NONE: Final = 1 << 0
ONLY_BEST: Final = 1 << 1
NOT_HELD: Final = 1 << 2

CANCEL_NEWEST: Final = ord("N")
CANCEL_OLDEST: Final = ord("O")

AGGRESSIVE: Final = ord("A")
PASSIVE: Final = ord("P")

ON_DEMAND_PARTY_DETAILS: Final = frozenset({0, UINT32_NULL, UINT64_NULL})
"""Values of PartyDetailsListReqID that announce on-demand details: 0 by the wiki, all ones by the schema."""


class PartyDetails(Protocol):
    """A registered set of party details, as far as the market reads it."""

    @property
    def account(self) -> bytes:
        """The customer account (PartyDetailRole 24), empty without one."""

    @property
    def self_match_prevention_id(self) -> int:
        """SelfMatchPreventionID (2362), the null of its type without one."""

    @property
    def self_match_prevention_instruction(self) -> int:
        """SelfMatchPreventionInstruction (8000): the character's number, 0 where it is absent, which means oldest."""


class Owner(Protocol):
    """Who sends commands: one per SenderComp. The market keeps it on each order and hands it back in events."""

    @property
    def sender_comp(self) -> str:
        """Session id and firm id: what owns orders and scopes ClOrdID."""

    @property
    def firm(self) -> str:
        """The Globex firm id."""

    @property
    def party_details(self) -> Mapping[int, PartyDetails]:
        """The registered party details by PartyDetailsListReqID."""

    def on_demand(self, request: "PartyUser") -> PartyDetails | None:
        """The on-demand party details that came right before this request; None where there are none."""


class PartyUser(Protocol):
    """A request that names party details."""

    seq_num: int
    party_details_list_req_id: int


class OrderTerms(Protocol):
    """What NewOrderSingle (514) and OrderCancelReplaceRequest (515) share: what an order in the book says of itself."""

    price: int
    order_qty: int
    security_id: int
    side: int
    seq_num: int
    sender_id: bytes
    cl_ord_id: bytes
    party_details_list_req_id: int
    order_request_id: int
    location: bytes
    min_qty: int
    display_qty: int
    expire_date: int
    ord_type: int
    time_in_force: int
    manual_order_indicator: int
    exec_inst: int
    execution_mode: int
    liquidity_flag: int
    managed_order: int
    short_sale_type: int


class NewOrderSingle(OrderTerms, Protocol):
    """Template 514."""

    @property
    def stop_px(self) -> int:
        """StopPx (99), which a reject echoes."""


class OrderCancelReplaceRequest(OrderTerms, Protocol):
    """Template 515."""

    order_id: int
    ofm_override: int


class OrderCancelRequest(Protocol):
    """Template 516."""

    order_id: int
    party_details_list_req_id: int
    manual_order_indicator: int
    seq_num: int
    sender_id: bytes
    cl_ord_id: bytes
    order_request_id: int
    location: bytes
    security_id: int
    side: int
    liquidity_flag: int


class OrderMassActionRequest(Protocol):
    """Template 529."""

    party_details_list_req_id: int
    order_request_id: int
    manual_order_indicator: int
    seq_num: int
    sender_id: bytes
    security_group: bytes
    location: bytes
    security_id: int
    mass_action_scope: int
    market_segment_id: int
    mass_cancel_request_type: int
    side: int
    ord_type: int
    time_in_force: int
    liquidity_flag: int


class OrderMassStatusRequest(Protocol):
    """Template 530."""

    party_details_list_req_id: int
    mass_status_req_id: int
    manual_order_indicator: int
    seq_num: int
    sender_id: bytes
    security_group: bytes
    location: bytes
    security_id: int
    mass_status_req_type: int
    ord_status_req_type: int
    time_in_force: int
    market_segment_id: int


class OrderStatusRequest(Protocol):
    """Template 533."""

    party_details_list_req_id: int
    ord_status_req_id: int
    manual_order_indicator: int
    seq_num: int
    sender_id: bytes
    order_id: int
    location: bytes


StatusRequest = OrderMassStatusRequest | OrderStatusRequest
Request = NewOrderSingle | OrderCancelReplaceRequest | OrderCancelRequest | OrderMassActionRequest | StatusRequest
