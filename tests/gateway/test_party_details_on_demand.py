"""Party details on demand: acknowledged before the order's own report, and good for the next message only."""

import pytest
from tests.gateway.test_engine import NOW, UB10, order, said, started
from tests.gateway.test_inquiries import mass_action, send

from ontherun.ilink import messages as m

ALL_ONES = (0, 2**32 - 1, 2**64 - 1)


def definition(seq_num: int, list_req_id: int = 0, **changes: object) -> bytes:
    fields: dict[str, object] = {
        "party_details_list_req_id": list_req_id,
        "sending_time_epoch": NOW,
        "list_update_action": ord("A"),
        "seq_num": seq_num,
        "memo": b"a note",
        "self_match_prevention_id": 77,
        "no_party_details": [
            m.PartyDetailsDefinitionRequestNoPartyDetails(party_detail_id=b"ACCOUNT", party_detail_role=24),
            m.PartyDetailsDefinitionRequestNoPartyDetails(party_detail_id=b"OPERATOR", party_detail_role=118),
        ],
    }
    return m.PartyDetailsDefinitionRequest(**fields | changes).encode()  # type: ignore[arg-type]


@pytest.mark.parametrize("list_req_id", ALL_ONES)
def test_the_acknowledgement_comes_before_the_orders_report(list_req_id: int) -> None:
    engine = started()
    ack, report = send(engine, definition(1, list_req_id) + order(2, party_details_list_req_id=list_req_id).encode())
    assert isinstance(ack, m.PartyDetailsDefinitionRequestAck)
    assert (ack.seq_num, ack.party_details_list_req_id, ack.memo) == (1, list_req_id, b"a note")
    assert (ack.party_detail_request_status, ack.party_detail_definition_status) == (0, 0)
    assert [party.party_detail_id for party in ack.no_party_details] == [b"ACCOUNT", b"OPERATOR"]
    assert isinstance(report, m.ExecutionReportNew)
    assert report.party_details_list_req_id == list_req_id
    (resting,) = engine.market.books[UB10].orders()
    assert (resting.party_details.account, resting.party_details.self_match_prevention_id) == (b"ACCOUNT", 77)


@pytest.mark.parametrize("list_req_id", ALL_ONES)
def test_an_order_without_them_is_refused(list_req_id: int) -> None:
    (reject,) = send(started(), order(1, party_details_list_req_id=list_req_id).encode())
    assert isinstance(reject, m.BusinessReject)
    assert (reject.business_reject_reason, reject.ref_tag_id) == (1, 1505)


def test_they_are_spent_by_the_next_message() -> None:
    answers = send(
        started(),
        definition(1) + order(2, party_details_list_req_id=0).encode() + order(3, party_details_list_req_id=0).encode(),
    )
    assert [type(answer) for answer in answers[1:]] == [m.ExecutionReportNew, m.BusinessReject]


def test_another_message_in_between_spends_them() -> None:
    answers = send(started(), definition(1) + order(2).encode() + order(3, party_details_list_req_id=0).encode())
    assert [type(answer) for answer in answers[1:]] == [m.ExecutionReportNew, m.BusinessReject]


def test_the_message_behind_must_carry_the_same_id() -> None:
    answers = send(started(), definition(1) + order(2, party_details_list_req_id=2**64 - 1).encode())
    assert isinstance(answers[1], m.BusinessReject)


def test_they_go_with_replace_cancel_and_mass_action_too() -> None:
    engine = started()
    (accepted,) = send(engine, order(1).encode())
    assert isinstance(accepted, m.ExecutionReportNew)
    target: dict[str, object] = {
        "party_details_list_req_id": 0,
        "order_id": accepted.order_id,
        "security_id": UB10,
        "side": 1,
        "manual_order_indicator": 0,
        "sender_id": b"T",
        "cl_ord_id": b"ORDER1",
        "order_request_id": 1,
        "sending_time_epoch": NOW,
        "location": b"US,NY",
    }
    replace = m.OrderCancelReplaceRequest(
        **target,  # type: ignore[arg-type]
        seq_num=3,
        price=accepted.price,
        order_qty=4,
        ord_type=ord("2"),
        time_in_force=0,
        ofm_override=0,
        exec_inst=0,
    )
    cancel = m.OrderCancelRequest(**target, seq_num=5)  # type: ignore[arg-type]
    frames = definition(2) + replace.encode() + definition(4) + cancel.encode()
    frames += definition(6) + mass_action(7, party_details_list_req_id=0)
    answers = send(engine, frames)
    assert [type(answer) for answer in answers[1::2]] == [
        m.ExecutionReportModify,
        m.ExecutionReportCancel,
        m.OrderMassActionReport,
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"list_req_id": 5}, 108),
        ({"list_update_action": ord("D")}, 115),
        (
            {
                "no_party_details": [
                    m.PartyDetailsDefinitionRequestNoPartyDetails(party_detail_id=b"A", party_detail_role=24)
                ]
                * 2
            },
            110,
        ),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_code(changes: dict[str, object], reason: int) -> None:
    (reject,) = send(started(), definition(1, **changes))  # type: ignore[arg-type]
    assert isinstance(reject, m.BusinessReject)
    assert (reject.business_reject_reason, reject.ref_msg_type) == (reason, b"CX")


def test_two_orders_under_one_self_match_id_on_demand_do_not_trade() -> None:
    engine = started()
    send(engine, definition(1) + order(2, party_details_list_req_id=0).encode())
    answers = send(engine, definition(3) + order(4, side=2, party_details_list_req_id=0).encode())
    assert [type(answer) for answer in answers[1:]] == [m.ExecutionReportNew, m.ExecutionReportCancel]
    assert said(engine) == []
