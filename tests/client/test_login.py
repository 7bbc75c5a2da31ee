"""How logins end: what the venue refuses, what nobody answers, and what a key's life does to a session."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.cable import Cable, until
from tests.support.venue_process import VenueProcess

from ontherun.cli.api import Api
from ontherun.client import Disconnected, KeyFile, Login, LoginRefused, Reconnect, Venue, connect
from ontherun.ilink import messages as m
from ontherun.ilink.codes import EstablishmentRejectCode, NegotiationRejectCode, TerminateCode

Over = Callable[[Cable, Login], Login]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """A venue of its own, whose keys may be deleted."""
    with VenueProcess(tmp_path_factory.mktemp("venue") / "data", "--no-fsync") as running:
        yield running


@pytest.fixture
def api(process: VenueProcess) -> Api:
    return Api(process.ready["api_url"], Path(process.ready["token_file"]).read_text().strip())


@pytest.fixture
def fresh(venue: Venue, api: Api) -> Login:
    """A new session of the first firm: the fifth bad login within 60 s would close its ports."""
    session_id = api.post("sessions", body={"firms": ["DEMO1"], "market_segments": [40]})["session_ids"][0]
    return venue.login().with_(key=key_of(api, session_id))


def key_of(api: Api, session_id: str) -> KeyFile:
    """A new key pair."""
    pair = api.post("sessions", session_id, "keys")["access_key_id"]
    return KeyFile.from_values(api.get("sessions", session_id, "keys", pair, "download", format="json"))


async def refused(login: Login, **options: object) -> LoginRefused:
    with pytest.raises(LoginRefused) as caught:
        await connect(login, **options)  # type: ignore[arg-type]
    return caught.value


async def test_a_wrong_secret_is_refused_and_explained(fresh: Login) -> None:
    error = await refused(fresh.with_(key=replace(fresh.key, secret=bytes(32))))
    assert error.answer == "NegotiationReject"
    assert error.code is NegotiationRejectCode.HMAC_NOT_AUTHENTICATED
    assert error.name == "HMAC_NOT_AUTHENTICATED"
    assert "does not accept the key" in error.meaning
    assert any("base64url" in cause for cause in error.causes)
    assert fresh.key.access_key_id not in str(error)


async def test_another_sessions_key_is_refused_like_a_wrong_secret(first: Login, fresh: Login) -> None:
    error = await refused(fresh.with_(key=replace(first.key, session_id=fresh.key.session_id)))
    assert error.code is NegotiationRejectCode.HMAC_NOT_AUTHENTICATED


async def test_a_firm_that_the_session_may_not_trade_for_is_refused(fresh: Login) -> None:
    error = await refused(fresh.with_(key=fresh.key.with_firm("OTHER")))
    assert error.code is NegotiationRejectCode.SESSION_BLOCKED
    assert any("Globex Firm ID" in cause for cause in error.causes)


async def test_a_keep_alive_interval_outside_the_limits_is_refused(fresh: Login) -> None:
    error = await refused(fresh.with_(keep_alive_interval=4_000))
    assert error.answer == "EstablishmentReject"
    assert error.code is EstablishmentRejectCode.INVALID_KEEP_ALIVE_INTERVAL


async def test_a_clock_that_is_behind_is_refused(fresh: Login) -> None:
    error = await refused(fresh, clock=lambda: time.time_ns() - 10**10)
    assert error.code is NegotiationRejectCode.INVALID_TIMESTAMP
    assert "clock" in error.causes[0]


async def test_a_uuid_that_is_not_greater_is_refused(fresh: Login) -> None:
    async with connect(fresh):
        pass
    error = await refused(fresh, uuid=1)
    assert (error.answer, error.code) == ("Terminate", TerminateCode.INVALID_UUID)
    assert "greater" in error.causes[0]


async def test_a_session_that_is_logged_in_already_is_refused_and_the_first_login_stays(second: Login) -> None:
    async with connect(second) as session:
        error = await refused(second)
        assert error.code in (TerminateCode.ALREADY_NEGOTIATED, TerminateCode.ALREADY_ESTABLISHED)
        assert "another process" in error.causes[0]
        await (await session.buy("UB02", "98", 1)).cancel()


async def test_a_uuid_is_microseconds_of_the_given_clock_or_the_callers_own(fresh: Login) -> None:
    now = time.time_ns() - 10**9
    async with connect(fresh, clock=lambda: now) as session:
        assert session.uuid == now // 1000
        uuid = session.uuid + 7
    async with connect(fresh, uuid=uuid) as session:
        assert session.uuid == uuid


async def test_a_key_is_rotated_without_a_new_uuid_and_orders_stay(first: Login, api: Api) -> None:
    async with connect(first) as session:
        uuid = session.uuid
        order = await session.buy("UB02", "98", 1)
        await order.accepted()
        key = key_of(api, first.key.session_id)
        await session.rotate_key(key)
        api.delete("sessions", first.key.session_id, "keys", first.key.access_key_id)
        assert session.login.key == key
        assert session.uuid == uuid
        assert (await order.cancel()).seq_num == 2


async def test_a_deleted_key_ends_the_session_at_the_next_login_and_it_is_not_tried_again(
    second: Login, api: Api, over: Over
) -> None:
    async with Cable.to((second.host, second.port)) as cable:
        session = await connect(over(cable, second), reconnect=Reconnect(0.001, 0.001))
        order = await session.buy("UB02", "98", 1)
        await order.accepted()
        api.delete("sessions", second.key.session_id, "keys", second.key.access_key_id)
        cable.cut()
        with pytest.raises(LoginRefused) as caught:
            await order.ended()
        assert caught.value.code is EstablishmentRejectCode.HMAC_NOT_AUTHENTICATED
        await asyncio.sleep(0.05)
        assert len(cable.sent(m.Establish)) == 2
        with pytest.raises(LoginRefused):
            await session.ready()
        assert len([report async for report in session.reports()]) == 1
        await session.close()


async def test_nobody_at_the_address_is_told(first: Login) -> None:
    with pytest.raises(Disconnected, match="cannot connect to 127"):
        await connect(first.with_(port=1))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="another protocol"),
        pytest.param(bytes.fromhex("1a00feca0e00fa01080009000040204648470600" + "01000000ff00"), id="a Sequence"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_an_address_that_answers_strangely_is_told(first: Login, answer: bytes) -> None:
    async def strange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(strange, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Disconnected, match=r"broke the protocol|was lost"):
            await connect(first.with_(port=port))


@pytest.mark.slow
async def test_silence_is_noticed_and_ended_by_keep_alive(fresh: Login, over: Over) -> None:
    async with Cable.to((fresh.host, fresh.port)) as cable:
        login = over(cable, fresh.with_(keep_alive_interval=5_000))
        session = await connect(login, reconnect=Reconnect(0.01, 0.01, tries=1))
        cable.down = lambda _: False
        await until(lambda: not session.established)
        sequences = cable.sent(m.Sequence)
        assert 1 in {sequence.keep_alive_interval_lapsed for sequence in sequences}  # type: ignore[attr-defined]
        await session.close()


@pytest.mark.slow
async def test_a_login_that_nobody_answers_is_given_up(first: Login) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(100):
            pass
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Disconnected, match="no answer to the login"):
            await connect(first.with_(port=port, keep_alive_interval=5_000))
