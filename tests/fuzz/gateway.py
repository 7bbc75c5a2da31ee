"""The whole gateway of a segment without its sockets: connections, sessions, engine, market, journal, and recovery."""

import asyncio
import random
import socket
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ontherun.gateway.connection import Connection
from ontherun.gateway.engine import Engine, instruments_body
from ontherun.gateway.entries import Kind
from ontherun.gateway.gateway import Gateway
from ontherun.gateway.lane import PartyDetails
from ontherun.gateway.recovery import recover
from ontherun.ilink import GatewayState, KeyFound, KeyRefused, Role, SessionPolicy
from ontherun.ilink import messages as m
from ontherun.ilink.codes import TerminateCode
from ontherun.ilink.messages import UINT64_NULL, decode
from ontherun.ilink.signing import establish_text, negotiate_text, sign
from ontherun.ilink.templates import CLIENT_BUSINESS, GATEWAY_BUSINESS
from ontherun.journal import Journal, MemoryJournal, Outbox
from ontherun.market.benchmarks import BENCHMARKS
from ontherun.market.policy import SegmentPolicy
from ontherun.sbe import Framer
from ontherun.trace import TraceEntry

from .breaking import broken, pieces, random_frame

START = 1_767_225_600_000_000_000
SECOND = 1_000_000_000
SECRET = bytes(range(32))
FIRM, NAME, KEY = b"FIRM", b"Fuzz", b"EXAMPLEKEYID00000001"
UB10 = next(i.security_id for i in BENCHMARKS if i.symbol == "UB10")
PRICE, TICK = 99 * 10**9, 15_625_000
_BUSINESS = sorted(CLIENT_BUSINESS)


class Registry:
    """Two sessions with one key, who may do everything."""

    def session(self, session_id: str) -> object | None:
        return session_id if session_id in ("AAA", "BBB") else None

    def allowed(self, session: str, firm: str, segment: int) -> bool:
        return firm == FIRM.decode()

    def source_allowed(self, session: str, source: str) -> bool:
        return True

    def key(self, access_key_id: str, session: str, now: int) -> KeyFound | KeyRefused:
        return KeyFound(SECRET) if access_key_id == KEY.decode() else KeyRefused("unknown")

    def key_used(self, trace: object, source: str) -> None:
        pass

    def key_is_valid(self, access_key_id: str, now: int) -> bool:
        return access_key_id == KEY.decode()

    def cancel_on_disconnect(self, session: str) -> bool:
        return session == "AAA"

    def party_details(self, session: str, firm: str) -> Mapping[int, PartyDetails]:
        return {1: PartyDetails(1, b"ACCOUNT")}


class Log:
    """Keeps what the gateway calls its own mistakes."""

    def __init__(self) -> None:
        self.errors: list[object] = []

    def error(self, event: str, **facts: object) -> None:
        self.errors.append((event, facts))

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class Client:
    """The far end of a connection: it sees that the gateway says whole messages, counts, and ends with Terminate."""

    def __init__(self, case: "Case", role: Role) -> None:
        self.case = case
        self.closing = False
        self.framer = Framer()
        self.uuid = 0
        self.session = case.rng.choice((b"AAA", b"BBB"))
        self.expected = 0
        self.terminated = False
        self.connection = Connection(*case.listener(role))
        self.connection.connection_made(self)  # type: ignore[arg-type]

    # What a Connection asks of its transport.

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self.case.socket if name == "socket" else ("192.0.2.1", 1)

    def set_write_buffer_limits(self, high: int) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.closing = True

    close = abort

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: bytes) -> None:
        assert not self.closing
        for frame in self.framer.feed(data):
            message = decode(frame)
            again = isinstance(message, m.Terminate) and message.error_codes == TerminateCode.TERMINATE_IN_PROGRESS
            assert again or not self.terminated, "nothing follows the gateway's Terminate"
            self.terminated = isinstance(message, m.Terminate)
            if isinstance(message, m.EstablishmentAck):
                self.expected, self.uuid = message.next_seq_no, message.uuid
            elif isinstance(message, m.Sequence) and message.fault_tolerance_indicator == Role.PRIMARY:
                assert message.uuid == self.uuid
                self.expected = message.next_seq_no
            elif message.TEMPLATE_ID in GATEWAY_BUSINESS:
                self.hear(message)
        assert not self.framer.pending, "a write ends with a frame"

    def hear(self, message: Any) -> None:
        """A business message: new ones are numbered without a gap."""
        if self.connection.session.role is Role.BACKUP or message.poss_retrans_flag:
            return
        assert (message.uuid, message.seq_num) == (self.uuid, self.expected)
        self.expected += 1


class Case:
    """A gateway with some connections, and the seed that says what they do."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng = random.Random(seed)
        self.now = START
        self.folder = folder
        self.socket, self._other = socket.socketpair()
        self.journal = self.new_journal()
        self.log = Log()
        self.broken: list[Exception] = []
        self.policy = SessionPolicy(
            port_closure=self.rng.random() < 0.3,
            sequence_opens_gap=self.rng.random() < 0.7,
            cut_retransmission=self.rng.random() < 0.7,
            undecodable_business_is_rejected=self.rng.random() < 0.7,
        )
        self.engine = Engine(40, SegmentPolicy())
        self.outbox: Outbox[tuple[str, int]] = Outbox(folder / "outbox.bin")
        self.noted: list[TraceEntry] = []
        self.gateway = self.new_gateway(self.engine, self.journal, self.outbox)
        self.gateway.journal(Kind.MARKET, 0, self.now, instruments_body(BENCHMARKS))
        self.engine.open_market(BENCHMARKS)
        self.clients: list[Client] = []

    def new_journal(self) -> Journal:
        return MemoryJournal()

    def new_gateway(self, engine: Engine, journal: Journal | None, outbox: "Outbox[tuple[str, int]]") -> Gateway:
        return Gateway(
            engine,
            journal,
            outbox,
            Registry(),
            self.policy,
            lambda: self.now,
            self.log,
            self.broken.append,
            self.noted.append,
        )

    def listener(self, role: Role) -> tuple[Gateway, Role]:
        """Where a client connects that wants this role, and what that listener is designated as."""
        return self.gateway, role

    def end(self) -> None:
        """Release what the case holds."""
        self.outbox.close()
        self.socket.close()
        self._other.close()

    # What clients say.

    def negotiate(self, client: Client) -> bytes:
        self.now += 1
        client.uuid = self.negotiated(client) + self.rng.choice((1, 1, 1, 1, 1, 0))
        text = negotiate_text(self.now, client.uuid, client.session, FIRM)
        signature = sign(SECRET if self.rng.random() < 0.97 else bytes(32), text)
        return m.Negotiate.pack(signature, KEY, client.uuid, self.now, client.session, FIRM, b"")

    def establish(self, client: Client) -> bytes:
        self.now += 1
        client.uuid = self.negotiated(client)
        number = self.number(client)
        text = establish_text(self.now, client.uuid, client.session, FIRM, NAME, NAME, NAME, number, 10_000)
        return m.Establish.pack(
            sign(SECRET, text), KEY, NAME, NAME, NAME, client.uuid, self.now, number, client.session, FIRM, 10_000, b""
        )

    def negotiated(self, client: Client) -> int:
        """The UUID that this client's session negotiated last."""
        lane = self.engine.lanes.get(client.session.decode())
        return 0 if lane is None else lane.stream.negotiated_uuid

    def number(self, client: Client) -> int:
        """The number that the gateway expects from this client, or another one."""
        if client.connection.session.role is Role.BACKUP:
            return 0
        lane = self.engine.lanes.get(client.session.decode())
        expected = 1 if lane is None or lane.stream.uuid != client.uuid else lane.stream.next_inbound
        return expected if self.rng.random() < 0.96 else max(0, expected + self.rng.choice((-1, 1, 2, 10)))

    def order(self, client: Client, number: int) -> bytes:
        rng = self.rng
        common: dict[str, Any] = {
            "party_details_list_req_id": rng.choice((1, 1, 1, 2)),
            "sender_id": b"TRADER",
            "seq_num": number,
            "order_request_id": rng.randrange(9),
            "location": b"US,NY",
            "security_id": UB10,
            "sending_time_epoch": self.now,
            "side": rng.choice((1, 2)),
            "manual_order_indicator": 0,
            "cl_ord_id": b"C%d" % rng.randrange(20),
        }
        kind = rng.randrange(4)
        if kind == 0:
            return m.OrderCancelRequest(**common, order_id=self.order_id()).encode()
        terms: dict[str, Any] = {
            "price": PRICE + TICK * rng.randrange(-3, 4),
            "order_qty": rng.randrange(0, 6),
            "ord_type": ord("2"),
            "time_in_force": rng.choice((0, 0, 3, 4)),
            "exec_inst": 0,
        }
        if kind == 1:
            return m.OrderCancelReplaceRequest(
                **common, **terms, order_id=self.order_id(), ofm_override=rng.randrange(2)
            ).encode()
        return m.NewOrderSingle(**common, **terms).encode()

    def order_id(self) -> int:
        return self.rng.choice((400_000_000_000_000 + self.rng.randrange(9), UINT64_NULL))

    def says(self, client: Client) -> bytes:
        """What fits the connection's state, mostly."""
        rng, state = self.rng, client.connection.session.state
        if rng.random() < 0.03:
            return random_frame(rng)
        if state is GatewayState.UNNEGOTIATED and rng.random() < 0.95:
            backup = client.connection.session.role is Role.BACKUP
            bind = self.negotiated(client) and rng.random() < (0.9 if backup else 0.5)
            return self.establish(client) if bind else self.negotiate(client)
        if state is GatewayState.NEGOTIATED and rng.random() < 0.95:
            return self.establish(client)
        return self.traffic(client)

    def traffic(self, client: Client) -> bytes:
        """What an established client says."""
        rng, choice = self.rng, self.rng.random()
        if choice < 0.65:
            first, frames = self.number(client), b""
            for number in range(first, first + rng.randrange(1, 6)):
                frames += self.order(client, number)
            return frames
        if choice < 0.75:
            return m.Sequence.pack(client.uuid, self.number(client), 255, rng.choice((0, 0, 1)))
        if choice < 0.88:
            last = rng.choice((UINT64_NULL, UINT64_NULL, max(client.uuid - 1, 0), 0, client.uuid))
            return m.RetransmitRequest.pack(client.uuid, last, self.now, rng.randrange(4), rng.choice((0, 1, 3, 2_501)))
        if choice < 0.90:
            return m.Terminate.pack(b"", client.uuid, self.now, 0, 255)
        frame = random_frame(rng, _BUSINESS)
        at = CLIENT_BUSINESS[int.from_bytes(frame[6:8], "little")]
        return (frame[:at] + self.number(client).to_bytes(4, "little") + frame[at + 4 :])[: len(frame)]

    def step(self) -> None:
        rng = self.rng
        self.now += 6 * SECOND if rng.random() < 0.05 else rng.choice((1, 1_000, 1_000_000))
        if not self.clients or (len(self.clients) < 4 and rng.random() < 0.15):
            self.clients.append(Client(self, Role.BACKUP if rng.random() < 0.15 else Role.PRIMARY))
        client = rng.choice(self.clients)
        data = b"".join(self.says(client) for _ in range(rng.choice((1, 1, 1, 2))))
        if rng.random() < 0.05:
            data = broken(rng, data)
        for part in pieces(rng, data):
            client.connection.data_received(part)
            if rng.random() < 0.5:
                self.gateway.flush()
        if rng.random() < 0.6:
            self.gateway.flush()
        for other in list(self.clients):
            session = other.connection.session
            if session.deadline() <= self.now and not other.closing:
                other.connection.tick(self.now)
            if other.closing or rng.random() < 0.02:
                self.clients.remove(other)
                other.closing = True
                other.connection.connection_lost(None)

    def check(self) -> None:
        """No mistake of ours, and the journal says it all again."""
        self.gateway.flush()
        assert not self.broken, self.broken
        assert not self.log.errors, self.log.errors
        again = Engine(40, SegmentPolicy())
        outbox: Outbox[tuple[str, int]] = Outbox(self.folder / "again.bin")
        recover(again, self.journal, outbox)
        for session, lane in self.engine.lanes.items():
            assert again.lanes[session].stream == lane.stream
            for uuid in range(lane.stream.uuid + 1):
                stored = self.outbox.stored((session, uuid))
                assert outbox.stored((session, uuid)) == stored
                read = self.outbox.read((session, uuid), 1, len(stored))
                assert outbox.read((session, uuid), 1, len(stored)) == read
        outbox.close()


async def _run(seed: int) -> None:
    with TemporaryDirectory() as folder:
        case = Case(seed, Path(folder))
        try:
            for _ in range(case.rng.randrange(5, 60)):
                case.step()
            case.check()
        finally:
            case.end()


def a_gateway_survives_any_clients(seed: int) -> None:
    """Whatever clients send, the gateway makes no mistake of its own, speaks in order, and recovers the same."""
    asyncio.run(_run(seed))
