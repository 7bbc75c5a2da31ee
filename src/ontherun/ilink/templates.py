"""Which template goes which way, and where a business message keeps its number.

Source: schema id 8 version 9. Session messages (500-513) carry no number of their own.
"""

from ontherun.ilink.messages import (
    BY_TEMPLATE,
    Establish,
    EstablishmentAck,
    EstablishmentReject,
    ExecutionAck,
    MassQuote,
    MassQuoteRequest,
    Message,
    Negotiate,
    NegotiationReject,
    NegotiationResponse,
    NewOrderCross,
    NewOrderSingle,
    NotApplied,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderMassActionRequest,
    OrderMassStatusRequest,
    OrderStatusRequest,
    PartyDetailsDefinitionRequest,
    PartyDetailsListRequest,
    QuoteCancel,
    QuoteCancelByGroup,
    QuoteCancelByInstrument,
    QuoteCancelBySet,
    RequestForCross,
    RequestForQuote,
    Retransmission,
    RetransmitReject,
    RetransmitRequest,
    SecurityDefinitionRequest,
    Sequence,
    Terminate,
)
from ontherun.ilink.transitions import ClientEvent, GatewayEvent
from ontherun.sbe.framing import HEADER_SIZE

SEQ_NUM = 9726
POSS_RETRANS_FLAG = 9765
SPLIT_MSG_TAG = 9553
MAX_SEQ_NUM = 999_999_999
MAX_TIME = 2**63 - 1
"""Largest value that counts as valid in a uInt64 field, as time or UUID (CME client wiki, iLink 3 SBE)."""
MAX_RETRANSMIT = 2_500
"""Most messages in one RetransmitRequest (CME client wiki, Retransmit Request)."""


def _offset(message: type[Message], tag: int) -> int:
    return HEADER_SIZE + next(field.offset for field in message.FIELDS if field.tag == tag)


CLIENT_BUSINESS: dict[int, int] = {
    message.TEMPLATE_ID: _offset(message, SEQ_NUM)
    for message in (
        NewOrderSingle,
        OrderCancelReplaceRequest,
        OrderCancelRequest,
        MassQuote,
        PartyDetailsDefinitionRequest,
        QuoteCancel,
        OrderMassActionRequest,
        OrderMassStatusRequest,
        OrderStatusRequest,
        PartyDetailsListRequest,
        ExecutionAck,
        RequestForQuote,
        NewOrderCross,
        SecurityDefinitionRequest,
        RequestForCross,
        MassQuoteRequest,
        QuoteCancelBySet,
        QuoteCancelByGroup,
        QuoteCancelByInstrument,
    )
}
"""Business templates of a client: where SeqNum stands, counted from the frame's first byte."""

_SESSION_TEMPLATES = range(500, 514)

GATEWAY_BUSINESS: dict[int, int] = {
    template: _offset(message, POSS_RETRANS_FLAG)
    for template, message in BY_TEMPLATE.items()
    if template not in CLIENT_BUSINESS and template not in _SESSION_TEMPLATES
}
"""Business templates of a gateway: where PossRetransFlag stands. SeqNum is at 12 and UUID at 16 in all of them."""

SPLIT_MSG: dict[int, int] = {
    template: _offset(BY_TEMPLATE[template], SPLIT_MSG_TAG)
    for template in GATEWAY_BUSINESS
    if any(field.tag == SPLIT_MSG_TAG for field in BY_TEMPLATE[template].FIELDS)
}
"""Where SplitMsg (9553) stands in those business templates of a gateway that have it."""

GATEWAY_SEQ_NUM_OFFSET = HEADER_SIZE
GATEWAY_UUID_OFFSET = HEADER_SIZE + 4

GATEWAY_EVENTS: dict[int, GatewayEvent] = {
    **dict.fromkeys(CLIENT_BUSINESS, GatewayEvent.BUSINESS),
    **dict.fromkeys(GATEWAY_BUSINESS, GatewayEvent.GATEWAY_MESSAGE),
    Negotiate.TEMPLATE_ID: GatewayEvent.NEGOTIATE,
    Establish.TEMPLATE_ID: GatewayEvent.ESTABLISH,
    Sequence.TEMPLATE_ID: GatewayEvent.SEQUENCE,
    Terminate.TEMPLATE_ID: GatewayEvent.TERMINATE,
    RetransmitRequest.TEMPLATE_ID: GatewayEvent.RETRANSMIT_REQUEST,
    NegotiationResponse.TEMPLATE_ID: GatewayEvent.GATEWAY_MESSAGE,
    NegotiationReject.TEMPLATE_ID: GatewayEvent.GATEWAY_MESSAGE,
    EstablishmentAck.TEMPLATE_ID: GatewayEvent.GATEWAY_MESSAGE,
    EstablishmentReject.TEMPLATE_ID: GatewayEvent.GATEWAY_MESSAGE,
    Retransmission.TEMPLATE_ID: GatewayEvent.GATEWAY_MESSAGE,
    RetransmitReject.TEMPLATE_ID: GatewayEvent.GATEWAY_MESSAGE,
    NotApplied.TEMPLATE_ID: GatewayEvent.GATEWAY_MESSAGE,
}
"""What the arrival of a template is to a gateway; any other template is UNDECODABLE."""

CLIENT_EVENTS: dict[int, ClientEvent] = {
    **dict.fromkeys(CLIENT_BUSINESS, ClientEvent.CLIENT_MESSAGE),
    **dict.fromkeys(GATEWAY_BUSINESS, ClientEvent.BUSINESS),
    Negotiate.TEMPLATE_ID: ClientEvent.CLIENT_MESSAGE,
    Establish.TEMPLATE_ID: ClientEvent.CLIENT_MESSAGE,
    RetransmitRequest.TEMPLATE_ID: ClientEvent.CLIENT_MESSAGE,
    NegotiationResponse.TEMPLATE_ID: ClientEvent.NEGOTIATION_RESPONSE,
    NegotiationReject.TEMPLATE_ID: ClientEvent.NEGOTIATION_REJECT,
    EstablishmentAck.TEMPLATE_ID: ClientEvent.ESTABLISHMENT_ACK,
    EstablishmentReject.TEMPLATE_ID: ClientEvent.ESTABLISHMENT_REJECT,
    Sequence.TEMPLATE_ID: ClientEvent.SEQUENCE,
    Terminate.TEMPLATE_ID: ClientEvent.TERMINATE,
    Retransmission.TEMPLATE_ID: ClientEvent.RETRANSMISSION,
    RetransmitReject.TEMPLATE_ID: ClientEvent.RETRANSMIT_REJECT,
    NotApplied.TEMPLATE_ID: ClientEvent.NOT_APPLIED,
}
"""What the arrival of a template is to a client; any other template is UNDECODABLE."""
