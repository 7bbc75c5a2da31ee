"""What happens to a session when messages, the connection, the venue or the program are lost."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.cable import Cable, until
from tests.support.venue_process import ROOT, VenueProcess

from ontherun.client import (
    Accepted,
    Disconnected,
    Login,
    NotApplied,
    OrderState,
    Reconnect,
    Report,
    Session,
    Side,
    Terminated,
    TimeInForce,
    Traded,
    Venue,
    connect,
)
from ontherun.client.state import StateFile
from ontherun.ilink import messages as m

Over = Callable[[Cable, Login], Login]
LOGIN = 4
"""Messages of a login: Negotiate, Establish and their answers."""

GTC = TimeInForce.GTC
"""What a lost connection does not cancel."""

AT_ONCE = Reconnect(first_delay=0.01, greatest_delay=0.05)


async def reports_of(session: Session) -> list[Report]:
    """Close the session and give what was not read yet."""
    await session.close()
    return [report async for report in session.reports()]


async def away(session: Session) -> None:
    """Wait until the session has noticed that its connection is gone."""
    await until(lambda: not session.established)


async def dropped(session: Session) -> None:
    """Lose the connection and come back."""
    session.drop()
    assert not session.established
    await session.ready()


async def test_after_a_loss_the_session_goes_on_under_its_uuid_and_numbers(
    cable: Cable, first: Login, over: Over
) -> None:
    async with connect(over(cable, first), reconnect=AT_ONCE) as session:
        uuid = session.uuid
        order = await session.buy("UB05", "97", 1, time_in_force=GTC)
        await order.accepted()
        await dropped(session)
        assert session.uuid == uuid
        assert (await order.cancel()).seq_num == 2
        reports = await reports_of(session)
        assert [report.seq_num for report in reports] == [1, 2]
    assert len(cable.sent(m.Negotiate)) == 1
    assert [message.next_seq_no for message in cable.sent(m.Establish)] == [1, 2]  # type: ignore[attr-defined]


async def test_a_fill_during_a_loss_arrives_once_after_it(
    cable: Cable, first: Login, second: Login, over: Over
) -> None:
    async with connect(over(cable, first), reconnect=AT_ONCE) as a, connect(second) as b:
        offer = await a.sell("UB05", "99", 2, time_in_force=GTC)
        await offer.accepted()
        cable.plugged = False
        cable.cut()
        await (await b.buy("UB05", "99", 2)).filled()
        cable.plugged = True
        (trade,) = await offer.filled()
        assert trade.again
        assert [type(report) for report in await reports_of(a)] == [Accepted, Traded]


async def test_a_swallowed_report_is_fetched_and_the_order_kept(cable: Cable, first: Login, over: Over) -> None:
    async with connect(over(cable, first)) as session:
        cable.down = lambda message: getattr(message, "seq_num", 0) != 1
        lost = await session.buy("UB05", "97", 1)
        await until(lambda: len(cable.passed) == LOGIN + 2)
        cable.down = lambda _: True
        order = await session.buy("UB05", "97", 1)
        await order.accepted()
        assert (await lost.accepted()).again
        await lost.cancel()
        await order.cancel()
        assert [report.seq_num for report in await reports_of(session)] == [1, 2, 3, 4]
    (request,) = cable.sent(m.RetransmitRequest)
    assert (request.from_seq_no, request.msg_count) == (1, 1)  # type: ignore[attr-defined]


async def test_requests_that_never_arrived_are_told_and_not_sent_again(cable: Cable, first: Login, over: Over) -> None:
    async with connect(over(cable, first)) as session:
        cable.up = lambda message: getattr(message, "seq_num", 0) != 1
        swallowed = await session.buy("UB05", "97", 1)
        behind = await session.buy("UB05", "97", 1)
        for number, order in enumerate((swallowed, behind), 1):
            with pytest.raises(NotApplied) as caught:
                await order.accepted()
            assert caught.value.seq_num == number
            assert order.state is OrderState.UNKNOWN
        order = await session.buy("UB05", "97", 1)
        await order.cancel()
        assert session.orders == ()


async def test_a_cancel_that_never_arrived_is_told(cable: Cable, first: Login, over: Over) -> None:
    async with connect(over(cable, first), reconnect=AT_ONCE) as session:
        order = await session.buy("UB05", "97", 1, time_in_force=GTC)
        await order.accepted()
        cable.up = lambda message: not isinstance(message, m.OrderCancelRequest)
        cancel = asyncio.create_task(order.cancel())
        await until(lambda: bool(cable.sent(m.OrderCancelRequest)))
        cable.up = lambda _: True
        session.drop()
        with pytest.raises(NotApplied):
            await cancel
        assert order.state is OrderState.WORKING
        await order.cancel()


async def test_thousands_of_missed_reports_are_fetched_in_chunks(cable: Cable, first: Login, over: Over) -> None:
    async with connect(over(cable, first), reconnect=AT_ONCE) as session:
        cable.down = lambda message: not hasattr(message, "seq_num")
        orders = [
            await session.buy("UB05", "96", 1, cl_ord_id=f"CHUNK{number}", time_in_force=GTC) for number in range(2_600)
        ]
        await until(lambda: len(cable.passed) == LOGIN + 2 * 2_600)
        cable.down = lambda _: True
        await dropped(session)
        await asyncio.gather(*(order.accepted() for order in orders))
        await asyncio.gather(*(order.cancel() for order in orders))
        assert [report.seq_num for report in await reports_of(session)] == list(range(1, 5_201))
    counts = [request.msg_count for request in cable.sent(m.RetransmitRequest)]  # type: ignore[attr-defined]
    assert counts == [2_500, 100]


async def test_without_reconnect_a_loss_ends_the_session(cable: Cable, first: Login, over: Over) -> None:
    session = await connect(over(cable, first), reconnect=None)
    order = await session.buy("UB05", "97", 1, time_in_force=GTC)
    await order.accepted()
    cable.cut()
    with pytest.raises(Disconnected, match="lost"):
        await order.ended()
    with pytest.raises(Disconnected, match="lost"):
        await session.buy("UB05", "97", 1, time_in_force=GTC)
    assert [type(report) async for report in session.reports()] == [Accepted]
    await session.close()
    async with connect(first) as session:
        await session.cancel(order.cl_ord_id, security="UB05", side=Side.BUY)


async def test_the_tries_to_come_back_can_be_limited(cable: Cable, first: Login, over: Over) -> None:
    session = await connect(over(cable, first), reconnect=Reconnect(0.01, 0.02, tries=3))
    cable.plugged = False
    cable.cut()
    await away(session)
    with pytest.raises(Disconnected):
        await session.ready()
    await session.close()


async def test_while_it_is_away_a_session_takes_no_orders(cable: Cable, first: Login, over: Over) -> None:
    async with connect(over(cable, first), reconnect=AT_ONCE) as session:
        cable.plugged = False
        cable.cut()
        await away(session)
        with pytest.raises(Disconnected, match="not logged in now"):
            await session.buy("UB05", "97", 1)
        cable.plugged = True
        await session.ready()
        await (await session.buy("UB05", "97", 1)).cancel()


async def test_closing_while_away_ends_the_tries(cable: Cable, first: Login, over: Over) -> None:
    session = await connect(over(cable, first), reconnect=AT_ONCE)
    cable.plugged = False
    cable.cut()
    await away(session)
    await session.close()
    assert not session.established
    with pytest.raises(Disconnected, match="closed"):
        await session.ready()


async def test_a_restarted_program_goes_on_where_it_ended(tmp_path: Path, first: Login, second: Login) -> None:
    state = tmp_path / "session.json"
    async with connect(first, state=state) as session:
        uuid = session.uuid
        offer = await session.sell("UB07", "99", 2)
        await offer.accepted()
    async with connect(second) as other:
        await (await other.buy("UB07", "99", 2)).filled()
    session = await connect(first, state=state)
    (report,) = await reports_of(session)
    assert session.uuid == uuid
    assert isinstance(report, Traded)
    assert (report.order_id, report.seq_num) == (offer.order_id, 2)


async def test_a_report_that_the_reader_had_not_finished_with_comes_again_after_a_restart(
    tmp_path: Path, first: Login
) -> None:
    state = tmp_path / "session.json"
    session = await connect(first, state=state)
    order = await session.buy("UB07", "97", 1)
    await order.replace(quantity=2)
    await order.cancel()
    reader = aiter(session.reports())
    assert (await anext(reader)).seq_num == 1
    assert (await anext(reader)).seq_num == 2
    await session.close()
    reports = await reports_of(await connect(first, state=state))
    assert [(report.seq_num, report.again) for report in reports] == [(2, True), (3, True)]


async def test_without_a_state_only_what_is_new_is_told_unless_asked_otherwise(first: Login) -> None:
    async with connect(first) as session:
        uuid = session.uuid
        await (await session.buy("UB07", "97", 1)).cancel()
    assert await reports_of(await connect(first)) == []
    async with connect(first) as session:
        await (await session.buy("UB07", "97", 1)).cancel()
        last = session.uuid
    async with connect(first, catch_up=True) as session:
        reports = session.reports()
        assert [((report := await anext(reports)).uuid, report.seq_num) for _ in range(2)] == [(last, 1), (last, 2)]
        assert uuid < last < session.uuid


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param({"uuid": 5, "negotiated_uuid": 5}, id="a UUID that the venue does not know"),
        pytest.param({"next_outbound": 1}, id="a number that is too low"),
    ],
)
async def test_a_state_that_the_venue_does_not_share_leads_to_a_new_uuid(
    tmp_path: Path, first: Login, numbers: dict[str, int]
) -> None:
    state = tmp_path / "session.json"
    async with connect(first, state=state) as session:
        uuid = session.uuid
        await (await session.buy("UB07", "97", 1)).cancel()
    file = StateFile(state, first.key.session_id)
    memory = file.read()
    assert memory is not None
    file.write(replace(memory, **numbers))  # type: ignore[arg-type]
    async with connect(first, state=state) as session:
        assert session.uuid > uuid
        await (await session.buy("UB07", "97", 1)).cancel()


async def test_a_state_that_cannot_be_written_ends_the_session(tmp_path: Path, first: Login) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    session = await connect(first, state=folder / "session.json")
    (folder / "session.json").unlink()
    folder.rmdir()
    order = await session.buy("UB07", "97", 1)
    with pytest.raises(Exception, match="cannot be written"):
        await order.accepted()
    await session.close()


PROGRAM = """
import asyncio, sys
from ontherun.client import TimeInForce, Venue, connect

async def trade():
    async with connect(Venue.load(sys.argv[1]).login(1), state=sys.argv[2]) as session:
        async def send():
            while True:
                order = await session.buy("UB20", "97", 1, time_in_force=TimeInForce.GTC)
                await order.accepted()
        sending = asyncio.create_task(send())
        async for report in session.reports():
            print(report.uuid, report.seq_num, report.order_id, flush=True)

asyncio.run(trade())
"""


def run_and_kill(ready_file: Path, state: Path) -> list[tuple[int, ...]]:
    """What the program printed before it was killed after its fiftieth report: UUID, number, OrderID."""
    command = [sys.executable, "-c", PROGRAM, str(ready_file), str(state)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as program:
        assert program.stdout is not None
        told = [program.stdout.readline() for _ in range(50)]
        program.send_signal(signal.SIGKILL)
        told += program.stdout.readlines()
    return [tuple(map(int, line.split())) for line in told if line.endswith("\n")]


async def test_a_killed_program_misses_no_report(tmp_path: Path, process: VenueProcess, second: Login) -> None:
    state = tmp_path / "session.json"
    lines = await asyncio.to_thread(run_and_kill, process.ready_file, state)
    session = await connect(second, state=state)
    order = await session.buy("UB20", "97", 1, time_in_force=GTC)
    await order.accepted()
    after = [(r.uuid, r.seq_num, r.order_id) for r in await reports_of(session) if isinstance(r, Accepted)]
    numbers = [number for _, number, _ in lines] + [number for _, number, _ in after]
    assert {uuid for uuid, _, _ in [*lines, *after]} == {session.uuid}
    assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))
    async with connect(second) as session:
        for order_id in {order_id for _, _, order_id in [*lines, *after]}:
            assert order_id is not None
            await session.cancel(order_id, security="UB20", side=Side.BUY)


def free_port_base() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port - 40


async def test_a_killed_venue_comes_back_and_the_session_with_it(tmp_path: Path) -> None:
    base = ("--gateway-port-base", str(free_port_base()))
    venue = VenueProcess(tmp_path / "data", *base)
    async with connect(Venue.load(venue.ready_file).login(), reconnect=AT_ONCE) as session:
        uuid = session.uuid
        orders = [await session.buy("UB02", "99", 1, time_in_force=GTC) for _ in range(20)]
        await asyncio.gather(*(order.accepted() for order in orders))
        venue.kill()
        await away(session)
        with await asyncio.to_thread(VenueProcess, tmp_path / "data", *base) as again:
            await session.ready()
            assert session.uuid == uuid
            await asyncio.gather(*(order.cancel() for order in orders))
            assert [report.seq_num for report in await reports_of(session)] == list(range(1, 41))
            assert again.process.poll() is None


async def test_an_orderly_stop_of_the_venue_is_told(tmp_path: Path) -> None:
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue:
        login = Venue.load(venue.ready_file).login()
        session = await connect(login, reconnect=None)
        order = await session.buy("UB02", "99", 1)
        await order.accepted()
        await asyncio.to_thread(venue.stop)
        with pytest.raises(Terminated, match=r"0 \(FINISHED\)"):
            await order.ended()
        await session.close()
        with pytest.raises(Disconnected, match="cannot connect"):
            await connect(login)
