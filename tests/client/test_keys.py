"""Several key pairs, bad logins, requests sent again, and what is told of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.cable import until
from tests.support.scripted_gateway import ScriptedGateway

from ontherun.client import (
    ConnectionLost,
    KeyFile,
    KeyRefused,
    LoggedIn,
    LoginPostponed,
    LoginRefused,
    MessagesRecovered,
    MessagesRequested,
    NotApplied,
    Reconnect,
    RecoveryEvent,
    RequestsNotApplied,
    connect,
)
from ontherun.client.state import StateFile
from ontherun.ilink import messages as m
from ontherun.ilink.client_inbound import ClientMemory

from .test_seldom_answers import LOGIN, accept

Build = Callable[..., Any]
AT_ONCE = Reconnect(first_delay=0.01, greatest_delay=0.02)
OLD = replace(LOGIN.key, access_key_id="OLDOLDOLDOLDOLDOLD01", expires_at="2027-01-01T00:00:00Z")
NEW = replace(LOGIN.key, access_key_id="NEWNEWNEWNEWNEWNEW01", expires_at="2028-01-01T00:00:00Z")
NOW = 1_800_000_000_000_000_000  # 2027-01-15, ns


@pytest.fixture
async def gateway() -> AsyncIterator[ScriptedGateway]:
    async with ScriptedGateway.open() as gateway:
        yield gateway


def used(gateway: ScriptedGateway) -> list[str]:
    """The Access Key ID of every login message."""
    return [message.access_key_id.decode() for message in gateway.logins]  # type: ignore[attr-defined]


@pytest.mark.parametrize("given", [(OLD, NEW), (NEW, OLD)])
async def test_of_two_pairs_the_one_that_expires_last_logs_in(
    gateway: ScriptedGateway, given: tuple[KeyFile, KeyFile]
) -> None:
    async with connect(LOGIN.with_(port=gateway.port, key=given[0], spare_keys=given[1:])) as session:
        assert session.login.key == NEW
    assert set(used(gateway)) == {NEW.access_key_id}


async def test_an_expired_pair_is_tried_last(gateway: ScriptedGateway) -> None:
    forever = replace(OLD, expires_at="2027-01-14")
    later = replace(NEW, expires_at="2027-01-15")
    login = LOGIN.with_(port=gateway.port, key=forever, spare_keys=(later,))
    async with connect(login, clock=lambda: NOW) as session:
        assert session.login.key == later


async def test_a_pair_that_is_not_accepted_gives_way_to_the_other(gateway: ScriptedGateway) -> None:
    heard: list[RecoveryEvent] = []
    gateway.refusals = [0]
    login = LOGIN.with_(port=gateway.port, key=OLD, spare_keys=(NEW,))
    async with connect(login, on_recovery=heard.append) as session:
        assert session.login.key == OLD
    assert used(gateway) == [NEW.access_key_id, OLD.access_key_id, OLD.access_key_id]
    assert heard[0] == KeyRefused(NEW.access_key_id, OLD.access_key_id)


async def test_when_no_pair_is_accepted_the_login_is_refused(gateway: ScriptedGateway) -> None:
    gateway.refusals = [0, 0, 0]
    with pytest.raises(LoginRefused):
        await connect(LOGIN.with_(port=gateway.port, key=OLD, spare_keys=(NEW,)))
    assert used(gateway) == [NEW.access_key_id, OLD.access_key_id]


async def test_a_pair_that_expires_in_the_middle_of_the_week_gives_way_to_the_other(gateway: ScriptedGateway) -> None:
    login = LOGIN.with_(port=gateway.port, key=OLD, spare_keys=(NEW,))
    async with connect(login, reconnect=AT_ONCE) as session:
        uuid = session.uuid
        gateway.refusals = [0]
        session.drop()
        await until(lambda: session.login.key == OLD and session.established)
        assert session.uuid == uuid
    assert used(gateway)[-2:] == [NEW.access_key_id, OLD.access_key_id]


async def test_a_rotation_to_a_pair_that_is_not_accepted_is_told_and_the_session_goes_on(
    gateway: ScriptedGateway,
) -> None:
    async with connect(LOGIN.with_(port=gateway.port, key=OLD)) as session:
        gateway.refusals = [0]
        with pytest.raises(LoginRefused):
            await session.rotate_key(NEW)
        assert session.established
        assert session.login.key == OLD


@pytest.mark.parametrize("bad_logins", [3, 4])
async def test_the_fifth_bad_login_within_60_s_is_not_tried(
    gateway: ScriptedGateway, tmp_path: Path, bad_logins: int
) -> None:
    """The bad logins of an earlier process are in the state file."""
    now = [NOW]
    heard: list[RecoveryEvent] = []
    state = tmp_path / "state.json"
    StateFile(state, LOGIN.key.session_id).write(ClientMemory(bad_logins=[NOW - 1_000_000] * bad_logins))
    gateway.refusals = [0]
    login = asyncio.create_task(
        connect(
            LOGIN.with_(port=gateway.port), state=state, clock=lambda: now[0], on_recovery=heard.append
        ).__aenter__()
    )
    if bad_logins == 3:
        with pytest.raises(LoginRefused):
            await login
        memory = StateFile(state, LOGIN.key.session_id).read()
        assert memory is not None
        assert memory.bad_logins == [NOW - 1_000_000] * 3 + [NOW]
        return
    await until(lambda: bool(heard))
    (postponed,) = heard
    assert isinstance(postponed, LoginPostponed)
    assert 60 < postponed.seconds < 62
    assert postponed.why is None
    assert gateway.logins == []
    login.cancel()
    await asyncio.gather(login, return_exceptions=True)


async def test_requests_that_never_arrived_are_sent_again_if_asked_for(gateway: ScriptedGateway, build: Build) -> None:
    heard: list[RecoveryEvent] = []
    async with connect(LOGIN.with_(port=gateway.port), resend=True, on_recovery=heard.append) as session:
        orders = [await session.buy("UB10", "99", quantity) for quantity in (1, 2, 3)]
        for number in (1, 2, 3):
            assert (await gateway.expect(m.NewOrderSingle)).seq_num == number
        gateway.send(m.NotApplied(uuid=gateway.uuid, from_seq_no=2, msg_count=2))
        for number in (2, 3):
            again = await accept(gateway, build, number - 1, 500 + number)
            assert (again.seq_num, again.order_qty) == (number, number)
        await orders[1].accepted()
        await orders[2].accepted()
        assert heard[-1] == RequestsNotApplied(2, 2, 2)


async def test_of_the_requests_that_never_arrived_some_may_be_sent_again(
    gateway: ScriptedGateway, build: Build
) -> None:
    def large(message: Any) -> bool:
        return bool(message.order_qty > 1)

    async with connect(LOGIN.with_(port=gateway.port), resend=large) as session:
        small, big = [await session.buy("UB10", "99", quantity) for quantity in (1, 2)]
        for _ in range(2):
            await gateway.expect(m.NewOrderSingle)
        gateway.send(m.NotApplied(uuid=gateway.uuid, from_seq_no=1, msg_count=2))
        assert (await accept(gateway, build, 1, 500)).seq_num == 1, "the number is free again"
        with pytest.raises(NotApplied):
            await small.accepted()
        await big.accepted()
        other = await session.buy("UB10", "99", 1)
        assert (await accept(gateway, build, 2, 501)).seq_num == 2
        await other.accepted()


async def test_when_nothing_is_sent_again_a_sequence_answers_the_gap(gateway: ScriptedGateway) -> None:
    async with connect(LOGIN.with_(port=gateway.port), resend=lambda _: False) as session:
        order = await session.buy("UB10", "99", 1)
        await gateway.expect(m.NewOrderSingle)
        gateway.send(m.NotApplied(uuid=gateway.uuid, from_seq_no=1, msg_count=1))
        assert (await gateway.expect(m.Sequence)).next_seq_no == 1
        with pytest.raises(NotApplied):
            await order.accepted()


async def test_a_gap_its_end_and_a_loss_are_told(gateway: ScriptedGateway, build: Build) -> None:
    heard: list[RecoveryEvent] = []
    async with connect(LOGIN.with_(port=gateway.port), reconnect=AT_ONCE, on_recovery=heard.append) as session:
        gateway.send(m.Sequence(uuid=gateway.uuid, next_seq_no=2, keep_alive_interval_lapsed=0))
        request = await gateway.expect(m.RetransmitRequest)
        shared = {"uuid": gateway.uuid, "request_timestamp": request.request_timestamp}
        gateway.send(
            build("Retransmission", **shared, last_uuid=m.UINT64_NULL, from_seq_no=1, msg_count=1, split_msg=255),
            build("ExecutionReportNew", seq_num=1, uuid=gateway.uuid, poss_retrans_flag=1),
        )
        await until(lambda: len(heard) == 3)
        gateway.next_seq_no = 2
        session.drop()
        await until(lambda: len(heard) == 5)
    first, asked, recovered, lost, second = heard
    assert isinstance(first, LoggedIn)
    assert (first.new_uuid, first.access_key_id) == (True, LOGIN.key.access_key_id)
    assert asked == MessagesRequested(gateway.uuid, 1, 1)
    assert recovered == MessagesRecovered(gateway.uuid, 1, 1)
    assert isinstance(lost, ConnectionLost)
    assert isinstance(second, LoggedIn)
    assert not second.new_uuid


async def test_a_new_week_is_told_and_the_messages_of_uuid_0_are_fetched(
    gateway: ScriptedGateway, tmp_path: Path
) -> None:
    heard: list[RecoveryEvent] = []
    state = tmp_path / "state.json"
    StateFile(state, LOGIN.key.session_id).write(ClientMemory(uuid=5, negotiated_uuid=5, next_inbound=9))
    gateway.previous = (0, 2)
    login = LOGIN.with_(port=gateway.port)
    async with connect(login, state=state, uuid=10, on_recovery=heard.append):
        request = await gateway.expect(m.RetransmitRequest)
        assert (request.uuid, request.last_uuid, request.from_seq_no, request.msg_count) == (10, 0, 1, 2)
    (first, asked, *_) = heard
    assert isinstance(first, LoggedIn)
    assert (first.uuid, first.new_uuid, first.new_week) == (10, True, True)
    assert asked == MessagesRequested(0, 1, 2)
