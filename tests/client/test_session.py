"""Trading over asyncio, with a venue in another process."""

import asyncio
from decimal import Decimal

import pytest

from ontherun.client import (
    Accepted,
    BusinessRejected,
    Cancelled,
    CancelRefused,
    Disconnected,
    Eliminated,
    Login,
    Modified,
    OrderEnded,
    OrderRefused,
    OrderState,
    ReplaceRefused,
    ReportsLost,
    Side,
    TimeInForce,
    Traded,
    UnknownSecurity,
    connect,
)
from ontherun.ilink.codes import BusinessRejectReason
from ontherun.ilink.messages import OrderStatusRequest
from ontherun.market.refusals import RejectReason
from ontherun.sbe import EncodeError


async def test_an_order_is_accepted_and_filled_by_the_other_firm(first: Login, second: Login) -> None:
    async with connect(first) as a, connect(second) as b:
        offer = await a.sell("UB02", "99-16+", 3)
        accepted = await offer.accepted()
        assert (accepted.security, accepted.side, accepted.price) == ("UB02", Side.SELL, Decimal("99.515625"))
        assert (offer.state, offer.order_id) == (OrderState.WORKING, accepted.order_id)
        assert a.orders == (offer,)
        bid = await b.buy("UB02", Decimal("99.515625"), 3)
        (bought,) = await bid.filled()
        (sold,) = await offer.filled()
        assert (bought.last_qty, bought.aggressor, sold.last_qty, sold.aggressor) == (3, True, 3, False)
        assert bought.fills[0].exec_id == sold.fills[0].exec_id
        assert (offer.state, offer.leaves_qty, offer.cum_qty) == (OrderState.FILLED, 0, 3)
        assert a.orders == b.orders == ()


async def test_the_session_yields_every_report_once_and_in_order(first: Login) -> None:
    session = await connect(first)
    order = await session.buy("UB02", "98", 1)
    await order.accepted()
    await order.replace(price="98-01")
    await order.cancel()
    await session.close()
    reports = [report async for report in session.reports()]
    assert [type(report) for report in reports] == [Accepted, Modified, Cancelled]
    assert [report.seq_num for report in reports] == [1, 2, 3]
    assert {report.uuid for report in reports} == {session.uuid}
    assert reports == order.reports


async def test_an_order_tells_its_own_reports_to_the_end(first: Login, second: Login) -> None:
    async with connect(first) as a, connect(second) as b:
        bid = await a.buy("UB03", "99", 5)
        await bid.accepted()
        await (await b.sell("UB03", "99", 2)).filled()
        hit = await b.sell("UB03", "99", 4, time_in_force=TimeInForce.FAK)
        assert [type(report) async for report in bid.updates()] == [Accepted, Traded, Traded]
        assert [type(report) async for report in hit.updates()] == [Accepted, Traded, Eliminated]
        assert hit.state is OrderState.ELIMINATED
        with pytest.raises(OrderEnded, match="was not filled") as caught:
            await hit.filled()
        assert caught.value.report is hit.reports[-1]


async def test_a_replaced_order_has_its_new_terms(first: Login) -> None:
    async with connect(first) as session:
        order = await session.buy("UB03", "98", 5)
        modified = await session.replace(order, price="98-02", quantity=7)
        assert (modified.price, modified.order_qty, modified.leaves_qty) == (Decimal("98.0625"), 7, 7)
        assert (order.price, order.order_qty, order.leaves_qty) == (Decimal("98.0625"), 7, 7)
        assert (await order.replace(quantity=6)).price == Decimal("98.0625")
        await session.cancel(order)
        assert order.state is OrderState.CANCELLED


async def test_an_order_of_an_earlier_login_is_found_by_either_id(first: Login) -> None:
    async with connect(first) as session:
        order = await session.buy("UB03", "97", 1, cl_ord_id="EARLIER-1")
        other = await session.buy("UB03", "97", 1, cl_ord_id="EARLIER-2")
        await order.accepted()
        await other.accepted()
    async with connect(first) as session:
        assert order.order_id is not None
        modified = await session.replace("EARLIER-1", price="97-01", quantity=2, security="UB03", side=Side.BUY)
        assert modified.order_id == order.order_id
        cancelled = await session.cancel(order.order_id, security="UB03", side=Side.BUY)
        assert cancelled.order_id == order.order_id
        assert (await session.cancel("EARLIER-2", security=other.security_id, side=Side.BUY)).order_id == other.order_id
        with pytest.raises(ValueError, match="security and side are needed"):
            await session.cancel(5)
        with pytest.raises(ValueError, match="price and quantity are needed"):
            await session.replace(5, price="97", security="UB03", side=Side.BUY)


async def test_a_refused_order_raises_with_code_and_words(first: Login) -> None:
    async with connect(first) as session:
        order = await session.buy("UB10", "99-163", 1)
        with pytest.raises(OrderRefused, match="tick") as caught:
            await order.accepted()
        assert caught.value.code == RejectReason.FIELD_INCORRECT
        assert order.state is OrderState.REJECTED
        with pytest.raises(OrderRefused):
            await order.filled()
        assert [report async for report in order.updates()] == [caught.value.report]


async def test_a_business_reject_refuses_the_order_that_it_names(first: Login) -> None:
    async with connect(first) as session:
        order = await session.buy("UB03", "97", 1, cl_ord_id="TWICE")
        await order.accepted()
        again = await session.buy("UB03", "97", 1, cl_ord_id="TWICE")
        with pytest.raises(OrderRefused) as caught:
            await again.accepted()
        assert isinstance(caught.value.report, BusinessRejected)
        assert caught.value.report.reason is BusinessRejectReason.DUPLICATE_CL_ORD_ID
        assert order.state is OrderState.WORKING
        await order.cancel()


async def test_unknown_party_details_are_refused(first: Login) -> None:
    async with connect(first.with_(party_details_list_req_id=77)) as session:
        order = await session.buy("UB03", "97", 1)
        with pytest.raises(OrderRefused) as caught:
            await order.accepted()
        assert caught.value.code == BusinessRejectReason.UNKNOWN_ID


async def test_a_cancel_and_a_replace_can_be_refused(first: Login) -> None:
    async with connect(first) as session:
        order = await session.buy("UB03", "97", 1)
        await order.cancel()
        with pytest.raises(CancelRefused) as cancel:
            await order.cancel()
        with pytest.raises(ReplaceRefused) as replace:
            await order.replace(price="97-01")
        assert cancel.value.code == replace.value.code == RejectReason.ORDER_NOT_IN_BOOK
        order = await session.buy("UB03", "97", 1)
        with pytest.raises(ReplaceRefused, match="quantity out of range"):
            await order.replace(quantity=999_999_999)
        await order.cancel()


async def test_what_cannot_be_sent_uses_no_number(first: Login) -> None:
    async with connect(first) as session:
        with pytest.raises(UnknownSecurity, match="UB11"):
            await session.buy("UB11", "99", 1)
        with pytest.raises(ValueError, match="no price"):
            await session.buy("UB10", "cheap", 1)
        with pytest.raises(TypeError, match="text or a Decimal"):
            await session.buy("UB10", 99.5, 1)  # type: ignore[arg-type]
        with pytest.raises(EncodeError, match="ClOrdID"):
            await session.buy("UB10", "99", 1, cl_ord_id="X" * 21)
        order = await session.buy("UB10", "97", 1)
        assert (await order.accepted()).seq_num == 1
        await order.cancel()


async def test_any_message_of_the_protocol_can_be_sent(first: Login) -> None:
    async with connect(first) as session:
        message = OrderStatusRequest(
            party_details_list_req_id=first.party_details_list_req_id,
            ord_status_req_id=1,
            manual_order_indicator=0,
            seq_num=0,
            sender_id=b"TRADER1",
            order_id=1,
            sending_time_epoch=0,
            location=b"US,NY",
        )
        assert await session.send(message) == 1
        report = await anext(aiter(session.reports()))
        assert isinstance(report, BusinessRejected)
        assert report.ref_seq_num == 1


async def test_whoever_waits_when_the_session_is_closed_is_told(first: Login) -> None:
    session = await connect(first)
    order = await session.buy("UB03", "96", 1)
    await order.accepted()
    waiting = asyncio.create_task(order.filled())
    await asyncio.sleep(0)
    await session.close()
    with pytest.raises(Disconnected, match="closed"):
        await waiting
    with pytest.raises(Disconnected, match="closed"):
        await session.buy("UB03", "96", 1)
    await session.close()
    async with connect(first) as session:
        await session.cancel(order.order_id or 0, security="UB03", side=Side.BUY)


async def test_a_reader_who_is_too_late_is_told_how_many_reports_are_gone(first: Login) -> None:
    session = await connect(first, backlog=2)
    order = await session.buy("UB03", "96", 1)
    for quantity in (2, 3):
        await order.replace(quantity=quantity)
    await order.cancel()
    await session.close()
    with pytest.raises(ReportsLost, match="2 reports are lost") as caught:
        await anext(aiter(session.reports()))
    assert caught.value.count == 2
    assert [report.seq_num async for report in session.reports()] == [3, 4]


async def test_a_reader_may_stop_and_read_on(first: Login) -> None:
    session = await connect(first)
    order = await session.buy("UB03", "96", 1)
    await order.cancel()
    await session.close()
    seen = []
    for _ in range(2):
        async for report in session.reports():
            seen.append(report.seq_num)
            break
    assert seen == [1, 2]


async def test_a_session_and_an_order_describe_themselves(first: Login) -> None:
    async with connect(first) as session:
        assert "DEMO1" in repr(session)
        assert "established" in repr(session)
        order = await session.buy("UB03", "96", 1)
        assert "buy 1 UB03 at 96-00, sent" in repr(order)
        await order.cancel()
    assert "not established" in repr(session)
