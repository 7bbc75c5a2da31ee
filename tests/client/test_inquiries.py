"""Mass cancel, order status and mass status through the SDK; GTC, GTD, only best and passive orders."""

from datetime import date

import pytest

from ontherun.client import (
    ExecInst,
    ExecMode,
    InquiryRefused,
    Login,
    Modified,
    OrderState,
    Side,
    TimeInForce,
    blocking,
    connect,
)
from ontherun.ilink.messages.enums import OrderStatus


async def test_a_mass_cancel_ends_the_orders_of_its_scope(first: Login) -> None:
    async with connect(first) as session:
        one = await session.buy("UB20", "90", 1)
        two = await session.sell("UB20", "110", 2)
        other = await session.buy("UB30", "90", 3)
        for order in (one, two, other):
            await order.accepted()
        (gone,) = await session.mass_cancel(security="UB20", side=Side.SELL)
        assert (gone.cl_ord_id, gone.order_id, gone.qty) == (two.cl_ord_id, two.order_id, 2)
        assert (two.state, two.leaves_qty) == (OrderState.CANCELLED, 0)
        assert session.orders == (one, other)
        assert {order.order_id for order in await session.mass_cancel()} == {one.order_id, other.order_id}
        assert session.orders == ()
        assert await session.mass_cancel(segment=40) == ()
        with pytest.raises(InquiryRefused, match="9"):
            await session.mass_cancel(group="NONE")


async def test_orders_tell_their_status(first: Login, second: Login) -> None:
    async with connect(first) as session, connect(second) as other:
        order = await session.buy("UB20", "90", 5)
        await order.accepted()
        await (await other.sell("UB20", "90", 2)).filled()
        status = await session.order_status(order)
        assert (status.status, status.cum_qty, status.leaves_qty) == (OrderStatus.PARTIALLY_FILLED, 2, 3)
        assert "3 open" in str(status)
        more = await session.buy("UB30", "90", 1)
        await more.accepted()
        assert [s.order_id for s in await session.mass_status(group="USBD")] == [order.order_id, more.order_id]
        assert [s.last for s in await session.mass_status(segment=40)] == [False, True]
        await session.mass_cancel()
        with pytest.raises(InquiryRefused):
            await session.order_status(order)
        with pytest.raises(InquiryRefused):
            await session.mass_status()


async def test_the_kind_of_an_order_stays_with_its_replace(first: Login) -> None:
    async with connect(first) as session:
        day = date(2050, 1, 3)
        order = await session.buy(
            "UB20",
            "90",
            5,
            time_in_force=TimeInForce.GTD,
            expire_date=day,
            execution_mode=ExecMode.PASSIVE,
        )
        accepted = await order.accepted()
        assert (accepted.time_in_force, accepted.expire_date) == (TimeInForce.GTD, day)
        modified = await order.replace(quantity=4)
        assert isinstance(modified, Modified)
        assert (modified.expire_date, modified.execution_mode) == (day, ExecMode.PASSIVE)
        best = await session.buy("UB20", "90", 1, exec_inst=ExecInst.ONLY_BEST)
        assert (await best.accepted()).exec_inst == ExecInst.ONLY_BEST
        await session.mass_cancel()


def test_the_blocking_session_asks_the_same(first: Login) -> None:
    with blocking.connect(first) as session:
        order = session.buy("UB20", "90", 1)
        order.accepted()
        assert session.order_status(order, timeout=30).status == OrderStatus.NEW
        assert len(session.mass_status(timeout=30)) == 1
        assert len(session.mass_cancel(timeout=30)) == 1
