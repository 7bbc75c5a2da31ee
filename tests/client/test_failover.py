"""The SDK against a venue whose primary fails, and whose week ends: nothing scripted."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.cable import until
from tests.support.venue_thread import VenueThread

from ontherun.client import (
    KeyFile,
    LoggedIn,
    Login,
    MessagesRecovered,
    Promoted,
    Reconnect,
    RecoveryEvent,
    TimeInForce,
    connect,
)
from ontherun.market.benchmarks import BENCHMARKS

UB10 = next(i.security_id for i in BENCHMARKS if i.symbol == "UB10")
AT_ONCE = Reconnect(first_delay=0.01, greatest_delay=0.05)


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueThread]:
    with VenueThread(tmp_path / "data") as running:
        yield running


def login(venue: VenueThread, number: int = 0) -> Login:
    key = venue.key(number)
    host, port = venue.address(40)
    return Login(
        key=KeyFile.load(key["key_file"]),
        host=host,
        port=port,
        backup=venue.address(40, "backup"),
        party_details_list_req_id=key["party_details_list_req_id"],
    )


async def test_a_session_trades_on_through_one_promotion_after_the_other(venue: VenueThread) -> None:
    heard: list[RecoveryEvent] = []
    async with connect(login(venue), reconnect=AT_ONCE, on_recovery=heard.append) as session:
        uuid = session.uuid
        orders = []
        for times in (1, 2, 3):
            await until(lambda: session.backup_ready)
            orders.append(await session.buy(UB10, "97", times))
            await orders[-1].accepted()
            assert await asyncio.to_thread(venue.call, lambda: venue.venue.promote(40)) == 1
            await until(lambda: sum(isinstance(event, Promoted) for event in heard) == times)  # noqa: B023
            await session.ready()
        assert session.uuid == uuid
        assert [(await order.cancel()).order_qty for order in orders] == [1, 2, 3], "no order went with the primary"
        assert sum(isinstance(event, LoggedIn) for event in heard) == 1


async def test_a_session_without_a_standby_comes_back_at_the_other_address(venue: VenueThread) -> None:
    heard: list[RecoveryEvent] = []
    async with connect(login(venue), reconnect=AT_ONCE, standby=False, on_recovery=heard.append) as session:
        uuid = session.uuid
        order = await session.buy(UB10, "97", 1, time_in_force=TimeInForce.GTC)
        await order.accepted()
        await asyncio.to_thread(venue.call, lambda: venue.venue.promote(40))
        await until(lambda: not session.established)
        await session.ready()
        assert session.uuid == uuid
        assert (await order.cancel()).order_id == order.order_id
        assert len({event.port for event in heard if isinstance(event, LoggedIn)}) == 2


async def test_a_fill_just_before_the_promotion_is_told_once(venue: VenueThread) -> None:
    heard: list[RecoveryEvent] = []
    async with (
        connect(login(venue), reconnect=AT_ONCE, on_recovery=heard.append) as seller,
        connect(login(venue, 1), reconnect=AT_ONCE) as buyer,
    ):
        offer = await seller.sell(UB10, "99", 1)
        await offer.accepted()
        await until(lambda: seller.backup_ready and buyer.backup_ready)
        hit = await buyer.buy(UB10, "99", 1)
        await hit.filled()  # before, the order might go with the primary, unread
        await asyncio.to_thread(venue.call, lambda: venue.venue.promote(40))
        (trade,) = await offer.filled()
        assert trade.last_qty == 1
        assert all(event.uuid == seller.uuid for event in heard if isinstance(event, MessagesRecovered))
