"""Answers that a venue gives seldom: from a gateway that does as it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests.support.scripted_gateway import ScriptedGateway

from ontherun.client import (
    BusinessRejected,
    Cancelled,
    CancelRefused,
    KeyFile,
    Login,
    OrderRefused,
    OrderState,
    ReportsLost,
    Session,
    connect,
)
from ontherun.ilink import messages as m

Build = Callable[..., Any]

LOGIN = Login(
    key=KeyFile("ABC", "007", "EXAMPLEKEYID00000001", bytes(32)),
    host="127.0.0.1",
    port=0,
    instruments={"UB10": 400_010},
)


@pytest.fixture
async def gateway() -> AsyncIterator[ScriptedGateway]:
    async with ScriptedGateway.open() as gateway:
        yield gateway


@pytest.fixture
async def session(gateway: ScriptedGateway) -> AsyncIterator[Session]:
    async with connect(LOGIN.with_(port=gateway.port), reconnect=None) as session:
        yield session


async def accept(gateway: ScriptedGateway, build: Build, number: int, order_id: int) -> m.NewOrderSingle:
    order = await gateway.expect(m.NewOrderSingle)
    echo = {"cl_ord_id": order.cl_ord_id, "order_request_id": order.order_request_id, "order_id": order_id}
    gateway.send(build("ExecutionReportNew", seq_num=number, uuid=gateway.uuid, **echo))
    return order


async def test_a_number_that_was_not_consumed_is_used_again(
    gateway: ScriptedGateway, session: Session, build: Build
) -> None:
    order = await session.buy("UB10", "99", 1)
    refused = await gateway.expect(m.NewOrderSingle)
    gateway.send(
        build(
            "BusinessReject",
            seq_num=1,
            uuid=gateway.uuid,
            business_reject_reason=8,
            business_reject_ref_id=refused.order_request_id,
            ref_msg_type=b"D",
        )
    )
    with pytest.raises(OrderRefused) as caught:
        await order.accepted()
    assert isinstance(caught.value.report, BusinessRejected)
    assert caught.value.report.ref_seq_num is None
    await session.buy("UB10", "99", 1)
    assert (await gateway.expect(m.NewOrderSingle)).seq_num == refused.seq_num == 1


async def test_a_number_that_was_not_consumed_is_gone_when_others_followed(
    gateway: ScriptedGateway, session: Session, build: Build
) -> None:
    for _ in range(2):
        await session.buy("UB10", "99", 1)
    refused = await gateway.expect(m.NewOrderSingle)
    await gateway.expect(m.NewOrderSingle)
    reject = {"business_reject_reason": 8, "business_reject_ref_id": refused.order_request_id, "ref_msg_type": b"D"}
    gateway.send(build("BusinessReject", seq_num=1, uuid=gateway.uuid, **reject))
    assert isinstance(await anext(aiter(session.reports())), BusinessRejected)
    await session.buy("UB10", "99", 1)
    assert (await gateway.expect(m.NewOrderSingle)).seq_num == 3


async def test_an_unasked_cancel_ends_the_order_and_answers_no_request(
    gateway: ScriptedGateway, session: Session, build: Build
) -> None:
    order = await session.buy("UB10", "99", 1)
    sent = await accept(gateway, build, 1, 7)
    await order.accepted()
    echo = {"cl_ord_id": sent.cl_ord_id, "order_request_id": sent.order_request_id, "order_id": 7}
    gateway.send(build("ExecutionReportCancel", seq_num=2, uuid=gateway.uuid, exec_restatement_reason=111, **echo))
    ended = await order.ended()
    assert isinstance(ended, Cancelled)
    assert ended.restatement is not None
    assert order.state is OrderState.CANCELLED


async def test_a_business_reject_refuses_the_cancel_that_it_names(
    gateway: ScriptedGateway, session: Session, build: Build
) -> None:
    order = await session.buy("UB10", "99", 1)
    await accept(gateway, build, 1, 7)
    await order.accepted()

    async def refuse() -> None:
        cancel = await gateway.expect(m.OrderCancelRequest)
        reject = {"business_reject_reason": 1, "ref_seq_num": cancel.seq_num, "ref_msg_type": b"F"}
        gateway.send(build("BusinessReject", seq_num=2, uuid=gateway.uuid, **reject))

    refusing = asyncio.create_task(refuse())
    with pytest.raises(CancelRefused):
        await order.cancel()
    await refusing
    assert order.state is OrderState.WORKING


async def test_a_report_of_an_older_order_with_the_same_client_id_is_not_taken_for_this_ones(
    gateway: ScriptedGateway, session: Session, build: Build
) -> None:
    order = await session.buy("UB10", "99", 1, cl_ord_id="AGAIN")
    await accept(gateway, build, 1, 7)
    await order.accepted()
    stranger = {"cl_ord_id": b"AGAIN", "order_request_id": 5, "order_id": 6}
    gateway.send(build("ExecutionReportElimination", seq_num=2, uuid=gateway.uuid, **stranger))
    reports = session.reports()
    assert [(await anext(reports)).seq_num, (await anext(reports)).seq_num] == [1, 2]
    assert order.state is OrderState.WORKING


async def test_a_message_that_does_not_decode_is_told_as_lost(
    gateway: ScriptedGateway, session: Session, build: Build
) -> None:
    whole = build(
        "ExecutionReportTradeOutright", seq_num=1, uuid=gateway.uuid, no_fills=[], no_order_events=[]
    ).encode()
    cut = (len(whole) - 3).to_bytes(2, "little") + whole[2:-3]
    gateway._writer.write(cut)
    with pytest.raises(ReportsLost, match="number 1 could not be decoded"):
        await anext(aiter(session.reports()))


async def test_messages_that_the_venue_cannot_send_again_are_told_as_lost(
    gateway: ScriptedGateway, session: Session, build: Build
) -> None:
    gateway.send(build("ExecutionReportNew", seq_num=3, uuid=gateway.uuid))
    request = await gateway.expect(m.RetransmitRequest)
    assert (request.from_seq_no, request.msg_count) == (1, 2)
    gateway.send(build("RetransmitReject", uuid=gateway.uuid, request_timestamp=request.request_timestamp))
    with pytest.raises(ReportsLost, match="numbers 1 to 2"):
        await anext(aiter(session.reports()))
    assert (await anext(aiter(session.reports()))).seq_num == 3


async def test_messages_of_the_week_before_the_first_login_are_fetched_by_a_new_program(build: Build) -> None:
    async with ScriptedGateway.open() as gateway:
        gateway.previous = (0, 2)
        async with connect(LOGIN.with_(port=gateway.port), reconnect=None) as session:
            request = await gateway.expect(m.RetransmitRequest)
            assert (request.last_uuid, request.from_seq_no, request.msg_count) == (0, 1, 2)
            again = [build("ExecutionReportNew", seq_num=n, uuid=0, poss_retrans_flag=1) for n in (1, 2)]
            echo = {"request_timestamp": request.request_timestamp, "from_seq_no": 1, "msg_count": 2}
            gateway.send(build("Retransmission", uuid=gateway.uuid, last_uuid=0, **echo), *again)
            reports = session.reports()
            assert [(await anext(reports)).seq_num for _ in again] == [1, 2]


async def test_a_new_program_does_not_fetch_what_an_earlier_one_was_told(build: Build) -> None:
    async with ScriptedGateway.open() as gateway:
        gateway.previous = (5, 2)
        async with connect(LOGIN.with_(port=gateway.port), reconnect=None) as session:
            await session.buy("UB10", "99", 1)
            await gateway.expect(m.NewOrderSingle)
