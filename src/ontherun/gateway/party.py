"""Party details on demand: a PartyDetailsDefinitionRequest (518) on an order gateway, for the one message behind it.

It carries an id that announces on-demand details (1505: 0 by the wiki, all ones by the schema); so does the message
that follows, under the very next number. The acknowledgement (519) leaves before that message's own report. Details
to be used again are registered at the Order Entry Service Gateway, or in the portal, and refused here.

Source: CME client wiki, iLink Binary Order Entry for BrokerTec Markets, administrative data; schema id 8 version 9.
"""

from typing import TYPE_CHECKING

from ontherun.gateway import rejects
from ontherun.gateway.lane import Lane, OnDemand, PartyDetails
from ontherun.gateway.reports import next_number
from ontherun.ilink.codes import BusinessRejectReason
from ontherun.ilink.messages import (
    PartyDetailsDefinitionRequest,
    PartyDetailsDefinitionRequestAck,
    PartyDetailsDefinitionRequestAckNoPartyDetails,
    PartyDetailsDefinitionRequestAckNoTrdRegPublications,
)
from ontherun.ilink.messages.enums import ListUpdAct, PartyDetailRole
from ontherun.market.terms import ON_DEMAND_PARTY_DETAILS
from ontherun.sbe import DecodeError

if TYPE_CHECKING:
    from ontherun.gateway.engine import Engine

ACCEPTED = 0
"""PartyDetailRequestStatus (1878) and PartyDetailDefinitionStatus (1879)."""

_ID, _ACTION, _ROLE = 1505, 1324, 1693
_ACCOUNT = PartyDetailRole.CUSTOMER_ACCOUNT


def define(engine: "Engine", lane: Lane, data: bytes, position: int, now: int) -> None:
    """Keep the details for the next message and acknowledge them; or refuse them with BusinessReject."""
    try:
        request = PartyDetailsDefinitionRequest.decode(data, position)
    except DecodeError as error:
        rejects.undecodable(engine, lane, data, position, error, now)
        return
    fault = request.fault()
    if fault is not None:
        rejects.faulty(engine, lane, request, fault, now)
        return
    roles = [party.party_detail_role for party in request.no_party_details]
    if request.party_details_list_req_id not in ON_DEMAND_PARTY_DETAILS:
        reason, tag = BusinessRejectReason.INVALID_PARTY_DETAILS_LIST_REQ_ID, _ID
        text = "party details to be used again are registered at the service gateway or in the portal, not here"
    elif request.list_update_action != ListUpdAct.ADD:
        reason, tag = BusinessRejectReason.ENUM_NOT_SUPPORTED, _ACTION
        text = "ListUpdateAction (1324): details on demand are added only"
    elif len(roles) != len(set(roles)):
        reason, tag = BusinessRejectReason.DUPLICATE_GROUP_ENTRY, _ROLE
        text = "PartyDetailRole (1693) is given twice"
    else:
        account = next((p.party_detail_id for p in request.no_party_details if p.party_detail_role == _ACCOUNT), b"")
        details = PartyDetails(
            request.party_details_list_req_id,
            account,
            request.self_match_prevention_id,
            request.self_match_prevention_instruction,
        )
        lane.on_demand = OnDemand(request.seq_num, details)
        lane.out.append(_acknowledgement(engine, lane, request, now))
        return
    rejects.refuse(engine, lane, request, reason, text.encode(), tag, now)


def _acknowledgement(engine: "Engine", lane: Lane, request: PartyDetailsDefinitionRequest, now: int) -> bytes:
    """PartyDetailsDefinitionRequestAck (519): what came, echoed."""
    return PartyDetailsDefinitionRequestAck(
        seq_num=next_number(engine, lane),
        uuid=lane.stream.uuid,
        memo=request.memo,
        avg_px_group_id=request.avg_px_group_id,
        party_details_list_req_id=request.party_details_list_req_id,
        sending_time_epoch=now,
        self_match_prevention_id=request.self_match_prevention_id,
        party_detail_request_status=ACCEPTED,
        cust_order_capacity=request.cust_order_capacity,
        clearing_account_type=request.clearing_account_type,
        self_match_prevention_instruction=request.self_match_prevention_instruction,
        avg_px_indicator=request.avg_px_indicator,
        clearing_trade_price_type=request.clearing_trade_price_type,
        cmta_giveup_cd=request.cmta_giveup_cd,
        cust_order_handling_inst=request.cust_order_handling_inst,
        list_update_action=request.list_update_action,
        party_detail_definition_status=ACCEPTED,
        executor=request.executor,
        idm_short_code=request.idm_short_code,
        poss_retrans_flag=0,
        no_party_details=[
            PartyDetailsDefinitionRequestAckNoPartyDetails(
                party_detail_id=party.party_detail_id, party_detail_role=party.party_detail_role
            )
            for party in request.no_party_details
        ],
        no_trd_reg_publications=[
            PartyDetailsDefinitionRequestAckNoTrdRegPublications(
                trd_reg_publication_type=published.trd_reg_publication_type,
                trd_reg_publication_reason=published.trd_reg_publication_reason,
            )
            for published in request.no_trd_reg_publications
        ],
    ).encode()
