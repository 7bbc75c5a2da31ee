"""Mass action, order status and mass status as messages, and what recovery says again."""

from tests.gateway.test_engine import NOW, SESSIONS, UB10, order, said, started

from ontherun.gateway.engine import Engine
from ontherun.gateway.entries import Entry, Kind
from ontherun.ilink import messages as m


def shared(seq_num: int) -> dict[str, object]:
    return {
        "party_details_list_req_id": 1,
        "manual_order_indicator": 0,
        "seq_num": seq_num,
        "sender_id": b"Trader1",
        "sending_time_epoch": NOW,
        "location": b"US,NY",
    }


def mass_action(seq_num: int, **changes: object) -> bytes:
    fields = shared(seq_num) | {"order_request_id": 5, "mass_action_scope": 7} | changes
    return m.OrderMassActionRequest(**fields).encode()  # type: ignore[arg-type]


def send(engine: Engine, frames: bytes, session: str = "AAA") -> list[m.Message]:
    engine.apply(Entry(Kind.FRAMES, SESSIONS.index(session), NOW, frames))
    return said(engine, session)


def test_a_mass_action_answers_with_every_field() -> None:
    engine = started()
    accepted, _ = send(engine, order(1).encode() + order(2, order_qty=7).encode())
    assert isinstance(accepted, m.ExecutionReportNew)
    (report,) = send(engine, mass_action(3, mass_action_scope=1, security_id=UB10, side=1))
    assert report == m.OrderMassActionReport(
        seq_num=3,
        uuid=accepted.uuid,
        sender_id=b"TRADER1",
        party_details_list_req_id=1,
        transact_time=NOW,
        sending_time_epoch=NOW,
        order_request_id=5,
        mass_action_report_id=400_000_000_000_003,
        location=b"US,NY",
        security_id=UB10,
        mass_action_response=1,
        manual_order_indicator=0,
        mass_action_scope=1,
        total_affected_orders=2,
        last_fragment=1,
        side=1,
        poss_retrans_flag=0,
        no_affected_orders=[
            m.OrderMassActionReportNoAffectedOrders(
                orig_ci_ord_id=b"ORDER%d" % number, affected_order_id=400_000_000_000_000 + number, cxl_quantity=qty
            )
            for number, qty in ((1, 5), (2, 7))
        ],
    )
    assert engine.market.orders_of(engine.lanes["AAA"].owner) == []


def test_more_orders_than_a_group_holds_come_in_fragments_under_one_id() -> None:
    engine = started()
    send(engine, b"".join(order(number).encode() for number in range(1, 301)))
    first, second = send(engine, mass_action(301))
    assert isinstance(first, m.OrderMassActionReport)
    assert isinstance(second, m.OrderMassActionReport)
    assert [len(report.no_affected_orders) for report in (first, second)] == [254, 46]
    assert (first.total_affected_orders, second.total_affected_orders) == (300, 300)
    assert (first.last_fragment, second.last_fragment) == (0, 1)
    assert first.mass_action_report_id == second.mass_action_report_id


def test_a_rejected_mass_action_says_why() -> None:
    (report,) = send(started(), mass_action(1, mass_action_scope=10, security_group=b"NONE"))
    assert isinstance(report, m.OrderMassActionReport)
    assert (report.mass_action_response, report.mass_action_reject_reason, report.last_fragment) == (0, 9, 1)


def test_an_order_status_answers_with_the_orders_state() -> None:
    engine = started()
    (accepted,) = send(engine, order(1, expire_date=21_000, time_in_force=6).encode())
    assert isinstance(accepted, m.ExecutionReportNew)
    send(engine, order(1, side=2, order_qty=2).encode(), "BBB")
    request = m.OrderStatusRequest(**shared(2), ord_status_req_id=88, order_id=accepted.order_id)  # type: ignore[arg-type]
    (report,) = send(engine, request.encode())
    assert isinstance(report, m.ExecutionReportStatus)
    assert (report.ord_status, report.cum_qty, report.leaves_qty) == (ord("1"), 2, 3)
    assert (report.ord_status_req_id, report.mass_status_req_id) == (88, m.UINT64_NULL)
    assert (report.expire_date, report.last_rpt_requested) == (21_000, m.UINT8_NULL)


def test_a_status_of_no_order_is_refused_with_the_requests_id() -> None:
    request = m.OrderStatusRequest(**shared(1), ord_status_req_id=88, order_id=7)  # type: ignore[arg-type]
    (report,) = send(started(), request.encode())
    assert isinstance(report, m.BusinessReject)
    assert (report.business_reject_reason, report.business_reject_ref_id, report.ref_msg_type) == (116, 88, b"H")


def test_a_mass_status_tells_every_order_and_which_is_the_last() -> None:
    engine = started()
    send(engine, order(1).encode() + order(2).encode())
    request = m.OrderMassStatusRequest(  # type: ignore[arg-type]
        **shared(3), mass_status_req_id=99, mass_status_req_type=100, market_segment_id=40
    )
    reports = send(engine, request.encode())
    assert [
        (r.mass_status_req_id, r.last_rpt_requested, r.ord_status)
        for r in reports
        if isinstance(r, m.ExecutionReportStatus)
    ] == [(99, 0, ord("0")), (99, 1, ord("0"))]
