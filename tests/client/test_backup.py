"""The designated backup: kept warm, traded on after its promotion, and tried when nobody is at the primary."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests.support.cable import Cable, until
from tests.support.scripted_gateway import ScriptedGateway

from ontherun.client import (
    BackupLost,
    BackupReady,
    ConnectionLost,
    Disconnected,
    LoggedIn,
    Login,
    LoginRefused,
    NotApplied,
    Promoted,
    Reconnect,
    RecoveryEvent,
    Session,
    Terminated,
    TimeInForce,
    Venue,
    connect,
)
from ontherun.ilink import messages as m

from .test_seldom_answers import LOGIN, accept

Build = Callable[..., Any]
AT_ONCE = Reconnect(first_delay=0.01, greatest_delay=0.05)


@pytest.fixture
async def primary() -> AsyncIterator[ScriptedGateway]:
    async with ScriptedGateway.open() as gateway:
        yield gateway


@pytest.fixture
async def backup() -> AsyncIterator[ScriptedGateway]:
    async with ScriptedGateway.open() as gateway:
        yield gateway


def login(primary: ScriptedGateway, backup: ScriptedGateway) -> Login:
    return LOGIN.with_(port=primary.port, backup=("127.0.0.1", backup.port))


@contextlib.asynccontextmanager
async def warm(
    primary: ScriptedGateway, backup: ScriptedGateway, heard: list[RecoveryEvent], **options: Any
) -> AsyncIterator[Session]:
    """A session whose backup is established."""
    async with connect(login(primary, backup), reconnect=AT_ONCE, on_recovery=heard.append, **options) as session:
        await until(lambda: session.backup_ready)
        yield session


def promotion(uuid: int, next_seq_no: int) -> m.Sequence:
    return m.Sequence(uuid=uuid, next_seq_no=next_seq_no, fault_tolerance_indicator=1, keep_alive_interval_lapsed=0)


def kinds(heard: list[RecoveryEvent]) -> list[type]:
    return [type(event) for event in heard]


async def test_the_backup_is_established_under_the_primarys_uuid_and_without_a_number(
    primary: ScriptedGateway, backup: ScriptedGateway
) -> None:
    heard: list[RecoveryEvent] = []
    async with warm(primary, backup, heard):
        (establish,) = backup.logins
        assert isinstance(establish, m.Establish)
        assert (establish.uuid, establish.next_seq_no) == (primary.uuid, 0)
        assert establish.request_timestamp > primary.logins[-1].request_timestamp  # type: ignore[attr-defined]
        assert heard[1] == BackupReady("127.0.0.1", backup.port)


async def test_without_standby_nobody_connects_to_the_backup(primary: ScriptedGateway, backup: ScriptedGateway) -> None:
    async with connect(login(primary, backup), standby=False) as session:
        await session.buy("UB10", "99", 1)
        await primary.expect(m.NewOrderSingle)
        assert backup.logins == []


@pytest.mark.parametrize("primary_goes_first", [True, False])
async def test_after_the_promotion_orders_and_numbers_go_on_at_the_backup(
    primary: ScriptedGateway, backup: ScriptedGateway, build: Build, primary_goes_first: bool
) -> None:
    heard: list[RecoveryEvent] = []
    async with warm(primary, backup, heard) as session:
        order = await session.buy("UB10", "99", 1)
        await accept(primary, build, 1, 500)
        await order.accepted()
        if primary_goes_first:
            primary.cut()
            await until(lambda: not session.established)
        backup.send(promotion(primary.uuid, 2))
        await session.ready()
        await until(lambda: Promoted("127.0.0.1", backup.port) in heard)
        assert (await backup.expect(m.Sequence)).next_seq_no == 2
        other = await session.buy("UB10", "99", 1)
        assert (await accept(backup, build, 2, 501)).seq_num == 2
        await other.accepted()
        await until(lambda: session.backup_ready)
        assert [message.next_seq_no for message in primary.logins[1:]] == [1, 0], "the old primary is the backup now"  # type: ignore[attr-defined]
        assert session.orders == (order, other)
        assert (ConnectionLost in kinds(heard)) is primary_goes_first


async def test_reports_that_the_old_primary_kept_to_itself_are_fetched_at_the_new_one(
    primary: ScriptedGateway, backup: ScriptedGateway, build: Build
) -> None:
    heard: list[RecoveryEvent] = []
    async with warm(primary, backup, heard) as session:
        order = await session.buy("UB10", "99", 1)
        sent = await primary.expect(m.NewOrderSingle)
        primary.cut()
        backup.send(promotion(primary.uuid, 2))
        request = await backup_expect(backup, m.RetransmitRequest)
        assert (request.from_seq_no, request.msg_count, request.last_uuid) == (1, 1, m.UINT64_NULL)
        echo = {"cl_ord_id": sent.cl_ord_id, "order_request_id": sent.order_request_id, "order_id": 500}
        backup.send(
            build("Retransmission", uuid=backup.uuid, last_uuid=request.last_uuid, from_seq_no=1, msg_count=1,
                  request_timestamp=request.request_timestamp, split_msg=255),
            build("ExecutionReportNew", seq_num=1, uuid=backup.uuid, poss_retrans_flag=1, **echo),
        )  # fmt: skip
        assert (await order.accepted()).again


async def test_a_request_that_only_the_old_primary_got_is_told(
    primary: ScriptedGateway, backup: ScriptedGateway
) -> None:
    async with warm(primary, backup, []) as session:
        order = await session.buy("UB10", "99", 1)
        await primary.expect(m.NewOrderSingle)
        primary.cut()
        backup.send(promotion(primary.uuid, 1))
        assert (await backup.expect(m.Sequence)).next_seq_no == 2
        backup.send(m.NotApplied(uuid=primary.uuid, from_seq_no=1, msg_count=2))
        with pytest.raises(NotApplied):
            await order.accepted()


async def test_a_request_that_only_the_old_primary_got_is_sent_again_if_asked_for(
    primary: ScriptedGateway, backup: ScriptedGateway, build: Build
) -> None:
    async with warm(primary, backup, [], resend=True) as session:
        order = await session.buy("UB10", "99", 1)
        await primary.expect(m.NewOrderSingle)
        primary.cut()
        backup.send(promotion(primary.uuid, 1))
        await backup.expect(m.Sequence)
        backup.send(m.NotApplied(uuid=primary.uuid, from_seq_no=1, msg_count=2))
        assert (await accept(backup, build, 1, 500)).seq_num == 1
        await order.accepted()


async def test_a_backup_that_ends_with_the_primary_is_established_again_after_it(
    primary: ScriptedGateway, backup: ScriptedGateway
) -> None:
    heard: list[RecoveryEvent] = []
    async with warm(primary, backup, heard) as session:
        backup.send(m.Terminate(uuid=primary.uuid, request_timestamp=1, error_codes=26))
        primary.cut()
        await until(lambda: kinds(heard).count(BackupReady) == 2)
        assert session.established
        (lost,) = (event for event in heard if isinstance(event, BackupLost))
        assert isinstance(lost.why, Terminated)
        assert lost.why.code == 26
        assert len(primary.logins) == 3


async def test_a_backup_that_is_refused_leaves_the_session_alone(
    primary: ScriptedGateway, backup: ScriptedGateway
) -> None:
    heard: list[RecoveryEvent] = []
    backup.refusals = [27, 10]
    async with connect(login(primary, backup), reconnect=AT_ONCE, on_recovery=heard.append) as session:
        await until(lambda: kinds(heard).count(BackupLost) == 2)
        assert [event.why.code for event in heard if isinstance(event, BackupLost)] == [27, 10]  # type: ignore[attr-defined]
        assert session.established
        assert not session.backup_ready
        assert len(backup.logins) == 2, "27 passes, 10 does not"


async def test_nobody_at_the_primary_is_looked_for_at_the_backup(
    primary: ScriptedGateway, backup: ScriptedGateway
) -> None:
    heard: list[RecoveryEvent] = []
    nobody = login(primary, backup).with_(port=1, backup=("127.0.0.1", backup.port))
    async with connect(nobody, standby=False, on_recovery=heard.append):
        assert [type(message) for message in backup.logins] == [m.Negotiate, m.Establish]
        (logged_in,) = heard
        assert isinstance(logged_in, LoggedIn)
        assert logged_in.port == backup.port


async def test_a_primary_that_became_the_designated_backup_leads_to_the_other_address(
    primary: ScriptedGateway, backup: ScriptedGateway
) -> None:
    primary.refusals = [27]
    async with connect(login(primary, backup), standby=False) as session:
        assert session.established
        assert [type(message) for message in backup.logins] == [m.Negotiate, m.Establish]


async def test_when_both_addresses_are_designated_backups_the_refusal_is_told(
    primary: ScriptedGateway, backup: ScriptedGateway
) -> None:
    primary.refusals, backup.refusals = [27], [27]
    with pytest.raises(LoginRefused) as caught:
        await connect(login(primary, backup))
    assert caught.value.code == 27


async def test_an_address_where_nobody_is_weighs_more_than_a_backup(backup: ScriptedGateway) -> None:
    backup.refusals = [27]
    with pytest.raises(Disconnected, match="cannot connect"):
        await connect(LOGIN.with_(port=1, backup=("127.0.0.1", backup.port)))


async def backup_expect(backup: ScriptedGateway, kind: type[m.RetransmitRequest]) -> m.RetransmitRequest:
    """The next message of this kind; the Sequence before it is passed over."""
    await backup.expect(m.Sequence)
    return await backup.expect(kind)


async def test_the_backup_listener_of_a_venue_is_established_and_lost_with_the_primary(
    venue: Venue, first: Login, cable: Cable
) -> None:
    heard: list[RecoveryEvent] = []
    backup = venue.backup(venue.gateway().segment)
    assert first.backup == backup is not None
    over = first.with_(host=cable.address[0], port=cable.address[1], backup=backup)
    async with connect(over, reconnect=AT_ONCE, on_recovery=heard.append) as session:
        await until(lambda: session.backup_ready)
        order = await session.buy("UB10", "97", 1, time_in_force=TimeInForce.GTC)
        await order.accepted()
        session.drop()
        await asyncio.sleep(0)
        await until(lambda: kinds(heard).count(LoggedIn) == 2 and session.backup_ready)
        await order.cancel()
