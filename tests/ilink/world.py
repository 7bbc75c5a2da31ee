"""Both machines against each other in a seeded random world: gaps, lost connections, duplicates, restarts of either
side, connections that one side still believes in, the designated backup and its promotion, a new trading week.

`python -m tests.fuzz --target conversation --case SEED` runs one world. What has to hold:

- the client gets every message that the gateway numbered once, in order, under every UUID, and is told of no loss
  (but for what a new week took away);
- each message of the client is applied once, or the client is told that it was not applied, never both (the client
  cannot know when it takes a new UUID meanwhile, or when its own Sequence filled a gap whose NotApplied is then lost);
- neither side finds fault with the other: no Terminate but those for silence, and those that a lost answer, a new week
  or a connection that is not noticed to be gone lead to.
"""

import random
from copy import deepcopy
from dataclasses import dataclass, field

from ontherun.ilink import (
    Action,
    BusinessMessage,
    ClientIdentity,
    ClientMemory,
    ClientSession,
    ClientState,
    Close,
    Event,
    GatewaySession,
    GatewayState,
    LoginRejected,
    MessagesLost,
    NegotiationAccepted,
    NumbersNotApplied,
    Record,
    Retransmit,
    Role,
    Send,
    SessionPolicy,
    Stream,
    StreamTable,
    Violation,
)
from ontherun.ilink.codes import TerminateCode
from ontherun.ilink.messages import BusinessReject, NewOrderSingle, NotApplied, Terminate
from ontherun.ilink.records import WeekStarted, from_bytes
from ontherun.ilink.templates import CLIENT_BUSINESS, GATEWAY_BUSINESS

from .conftest import KEY_ID, SECOND, SECRET, SEGMENT, START, Keys
from .test_terminate_codes import order

IDENTITY = ClientIdentity("ABC", "007", KEY_ID.decode(), "DemoGateway", "1.0.0", "ExampleCo")
POLICY = SessionPolicy(port_closure=False)
ORDER = NewOrderSingle.TEMPLATE_ID
ORDER_NUMBER_AT = CLIENT_BUSINESS[ORDER]
_STILL_THERE = (TerminateCode.ALREADY_NEGOTIATED, TerminateCode.ALREADY_ESTABLISHED)
FLAG_AT = GATEWAY_BUSINESS[BusinessReject.TEMPLATE_ID]


@dataclass
class Backup:
    """The connection to the designated backup."""

    client: ClientSession
    gateway: GatewaySession
    to_client: list[bytes] = field(default_factory=list)
    to_gateway: list[bytes] = field(default_factory=list)

    @property
    def warm(self) -> bool:
        return self.client.state is ClientState.BACKUP and self.gateway.state is GatewayState.BACKUP


class World:
    """A gateway that journals, a client that remembers, and the two directions of a connection between them."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.now = START
        self.keys = Keys()
        self.journal: list[bytes] = []
        self.outbox: dict[int, list[bytes]] = {}  # every message numbered under a UUID
        self.published: list[int] = []
        self.applied: list[int] = []
        self.sent: dict[tuple[int, int], int] = {}  # client's (UUID, number) -> its order
        self.delivered: list[int] = []
        self.refused: list[int] = []
        self.unknown: set[int] = set()  # orders whose fate the client gave up to learn, by taking a new UUID
        self.faults: list[object] = []
        self.lost: set[int] = set()  # published, and taken away by a new week
        self.backup: Backup | None = None
        self.stale: GatewaySession | None = None  # of a connection that only the client knows to be gone
        self.on_stale: list[bytes] = []  # what is still on its way there
        self.memory = ClientMemory()
        self.uuid = START // 1_000
        self.new_uuid_due = False
        self.orders = 0
        self.client: ClientSession | None = None
        self.gateway: GatewaySession | None = None
        self.to_client: list[bytes] = []
        self.to_gateway: list[bytes] = []
        self.replay: list[bytes] = []  # of the retransmission in progress
        self.streams = StreamTable(lambda session, segment: True)

    @property
    def stream(self) -> Stream:
        stream = self.streams.get("ABC", SEGMENT)
        assert stream is not None
        return stream

    def stored(self, stream: Stream, uuid: int) -> range:
        return range(1, len(self.outbox.get(uuid, ())) + 1)

    # The gateway

    def publish(self, *, skip: bool) -> None:
        """Number a message for the client; `skip` leaves it out of the connection, if there is one."""
        stream = self.stream
        frame = BusinessReject(
            seq_num=stream.next_outbound,
            uuid=stream.uuid,
            sending_time_epoch=self.now,
            business_reject_ref_id=len(self.published),
            business_reject_reason=0,
            ref_msg_type=b"D",
            poss_retrans_flag=0,
        ).encode()
        self.published.append(len(self.published))
        self.outbox.setdefault(stream.uuid, []).append(frame)
        stream.next_outbound += 1
        self.journal.append(b"out")
        if self.gateway is not None and self.gateway.state is GatewayState.ESTABLISHED and not skip:
            self.to_client.append(frame)
            self.gateway.last_sent = self.now

    def gateway_does(self, actions: list[object]) -> None:
        for action in actions:
            match action:
                case Record(record):
                    self.journal.append(record.to_bytes())
                case Send(frame):
                    self.to_client.append(frame)
                    if frame[6:8] == Terminate.TEMPLATE_ID.to_bytes(2, "little"):
                        self.judge(Terminate.decode(frame))
                case Retransmit(uuid, first, count):
                    frames = self.outbox[uuid][first - 1 : first - 1 + count]
                    assert len(frames) == count
                    self.replay = [frame[:FLAG_AT] + b"\1" + frame[FLAG_AT + 1 :] for frame in frames]
                case Close():
                    self.drop()
                    return

    def judge(self, terminate: Terminate) -> None:
        unheard = self.stream.negotiated_uuid > self.memory.negotiated_uuid
        if terminate.error_codes == TerminateCode.INVALID_UUID and unheard:
            self.new_uuid_due = True  # the answer to the last Negotiate was lost: the client takes a new UUID
        elif terminate.error_codes == TerminateCode.UNNEGOTIATED and not self.stream.negotiated_uuid:
            self.new_uuid_due = True  # a new week
        elif terminate.error_codes in _STILL_THERE and self.stale is not None:
            pass
        elif terminate.error_codes not in (TerminateCode.FINISHED, TerminateCode.KEEP_ALIVE_INTERVAL_LAPSED):
            self.faults.append(terminate)

    def continue_replay(self, count: int) -> None:
        self.to_client += self.replay[:count]
        del self.replay[:count]
        if not self.replay and self.gateway is not None:
            self.gateway.retransmitted()

    def gateway_receives(self) -> None:
        if not self.to_gateway or self.gateway is None:
            return
        frame = self.to_gateway.pop(0)
        gateway = self.gateway
        if gateway.state is GatewayState.ESTABLISHED and frame[6:8] == ORDER.to_bytes(2, "little"):
            number = int.from_bytes(frame[ORDER_NUMBER_AT : ORDER_NUMBER_AT + 4], "little")
            actions = gateway.business(number, self.now)
            if actions is None:
                self.applied.append(NewOrderSingle.decode(frame).order_request_id)
                self.journal.append(b"in")
            else:
                self.gateway_does(list(actions))
        else:
            self.gateway_does(list(gateway.receive(frame, self.now)))

    def start_week(self) -> None:
        """A new trading week: nothing of the old one can be fetched any more."""
        self.notice_stale()
        self.drop()
        record = WeekStarted("ABC", SEGMENT, self.now)
        self.stream.apply(record)
        self.journal.append(record.to_bytes())
        self.outbox.clear()
        self.lost |= set(self.published) - set(self.delivered)
        self.unknown |= set(self.sent.values()) - set(self.applied) - set(self.refused)
        self.sent.clear()

    def restart_gateway(self) -> None:
        """The process stops; a new one rebuilds the streams from the journal and ends what was bound."""
        before = deepcopy(self.stream)
        self.gateway = self.stale = self.backup = None
        self.drop()
        self.streams = StreamTable(lambda session, segment: True)
        for entry in self.journal:
            if entry == b"in":
                self.stream.next_inbound += 1
            elif entry == b"out":
                self.stream.next_outbound += 1
            else:
                self.streams.recover(from_bytes(entry))
        assert self.stream == before
        for record in self.stream.unbinding(self.now):
            self.stream.apply(record)
            self.journal.append(record.to_bytes())

    # The client

    def connect(self, *, new_uuid: bool) -> None:
        self.drop()
        self.now += 1_000
        self.gateway = GatewaySession(SEGMENT, Role.PRIMARY, POLICY, self.keys, self.streams, self, self.now)
        self.client = ClientSession(IDENTITY, SECRET, self.memory, self.now)
        if new_uuid or self.new_uuid_due or not self.memory.negotiated_uuid:
            self.new_uuid_due = False
            self.uuid += 1
            self.unknown |= set(self.sent.values()) - set(self.applied) - set(self.refused)
            self.sent.clear()
            self.to_gateway.append(self.client.negotiate(self.now, self.uuid))
        else:
            self.to_gateway.append(self.client.establish(self.now))

    def client_sends(self, *, skip: int) -> None:
        """Send an order, perhaps after losing numbers."""
        if self.client is None or self.client.state is not ClientState.ESTABLISHED:
            return
        self.memory.next_outbound += skip
        self.orders += 1
        message = order(0)
        message.order_request_id = self.orders
        self.to_gateway.append(self.client.number(message, self.now))
        self.sent[self.memory.uuid, message.seq_num] = self.orders

    def client_does(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Send(frame):
                    self.to_gateway.append(frame)
                case BusinessMessage(frame=frame):
                    self.delivered.append(BusinessReject.decode(frame).business_reject_ref_id)
                case NumbersNotApplied(first, count):
                    numbers = range(first, first + count)
                    told = [self.sent.pop((self.memory.uuid, number), None) for number in numbers]
                    self.refused += [order_id for order_id in told if order_id is not None]
                case NegotiationAccepted():
                    assert self.client is not None
                    self.to_gateway.append(self.client.establish(self.now))
                case LoginRejected(code=code) if code != 3:
                    self.faults.append(event)
                case MessagesLost(reason=reason) if reason != "a new trading week began":
                    self.faults.append(event)
                case Violation(reason) if "two keep-alive intervals" not in reason:
                    self.faults.append(event)
                case Close():
                    self.drop()
                    return

    def client_receives(self) -> None:
        if self.to_client and self.client is not None:
            self.client_does(self.client.receive(self.to_client.pop(0), self.now))

    def restart_client(self) -> None:
        """The client stops; what it remembers was stored after every step."""
        self.memory = deepcopy(self.memory)
        self.client = None
        self.drop()

    # Both

    def drop(self) -> None:
        """The connection breaks; what is on its way is lost."""
        for frame in self.to_client:
            if frame[6:8] == NotApplied.TEMPLATE_ID.to_bytes(2, "little"):
                self.forget_filled(NotApplied.decode(frame).from_seq_no)
        self.to_client, self.to_gateway, self.replay = [], [], []
        gateway, self.gateway = self.gateway, None
        client, self.client = self.client, None
        if gateway is not None:
            self.gateway_does(list(gateway.lost(self.now)))
            self.to_client = []
        if client is not None:
            client.lost()
        backup, self.backup = self.backup, None
        if backup is not None:
            self.record(backup.gateway.end(TerminateCode.DISCONNECT_OR_TERMINATE_FROM_PRIMARY, "", self.now))
            backup.client.lost()

    def record(self, actions: list[Action]) -> None:
        """Keep what a connection that nobody reads any more journals."""
        self.journal += [action.record.to_bytes() for action in actions if isinstance(action, Record)]

    # A connection of which only the client knows that it is gone

    def half_drop(self) -> None:
        """The client loses the connection; the gateway reads on what was sent, and answers nobody."""
        if self.stale is None and self.backup is None and self.gateway is not None and self.client is not None:
            self.stale, self.gateway = self.gateway, None
            self.on_stale, self.to_gateway = self.to_gateway, []
            self.drop()

    def stale_receives(self) -> None:
        """The gateway reads one more message of the connection that is gone, or notices its end."""
        if self.stale is None or not self.on_stale:
            self.notice_stale()
            return
        frame = self.on_stale.pop(0)
        if frame[6:8] == ORDER.to_bytes(2, "little") and self.stale.state is GatewayState.ESTABLISHED:
            number = int.from_bytes(frame[ORDER_NUMBER_AT : ORDER_NUMBER_AT + 4], "little")
            actions = self.stale.business(number, self.now)
            if actions is None:
                self.applied.append(NewOrderSingle.decode(frame).order_request_id)
                self.journal.append(b"in")
        else:
            actions = self.stale.receive(frame, self.now)
        for action in actions or ():
            if isinstance(action, Send) and action.frame[6:8] == NotApplied.TEMPLATE_ID.to_bytes(2, "little"):
                self.forget_filled(NotApplied.decode(action.frame).from_seq_no)
        self.record(actions or [])

    def notice_stale(self) -> None:
        stale, self.stale, self.on_stale = self.stale, None, []
        if stale is not None:
            self.record(stale.lost(self.now))

    # The designated backup

    def connect_backup(self) -> None:
        gateway, client = self.gateway, self.client
        if self.backup is not None or gateway is None or client is None:
            return
        if client.state is ClientState.ESTABLISHED and gateway.state is GatewayState.ESTABLISHED:
            there = GatewaySession(SEGMENT, Role.BACKUP, POLICY, self.keys, self.streams, self, self.now)
            self.backup = Backup(ClientSession(IDENTITY, SECRET, self.memory, self.now), there)
            self.now += 1_000
            self.backup.to_gateway.append(self.backup.client.establish(self.now, backup=True))

    def backup_talks(self) -> None:
        """One message each way between the client and the backup."""
        backup = self.backup
        if backup is not None and backup.to_gateway:
            self.backup_gateway_does(backup, backup.gateway.receive(backup.to_gateway.pop(0), self.now))
        if backup is not None and backup.to_client:
            self.backup_client_does(backup, backup.client.receive(backup.to_client.pop(0), self.now))

    def backup_gateway_does(self, backup: Backup, actions: list[Action]) -> None:
        self.record(actions)
        for action in actions:
            if isinstance(action, Send):
                backup.to_client.append(action.frame)
                if action.frame[6:8] == Terminate.TEMPLATE_ID.to_bytes(2, "little"):
                    self.judge(Terminate.decode(action.frame))

    def backup_client_does(self, backup: Backup, events: list[Event]) -> None:
        for event in events:
            match event:
                case Send(frame):
                    backup.to_gateway.append(frame)
                case Violation(reason) if "two keep-alive intervals" not in reason:
                    self.faults.append(event)
                case Close() | LoginRejected():
                    self.record(backup.gateway.lost(self.now))
                    self.backup = None

    def promote(self) -> None:
        """The primary fails; what it had still to say is lost; the backup is promoted, and the client trades there."""
        backup = self.backup
        if backup is None or not backup.warm or self.gateway is None or self.client is None:
            return
        for frame in self.to_client:
            if frame[6:8] == NotApplied.TEMPLATE_ID.to_bytes(2, "little"):
                self.forget_filled(NotApplied.decode(frame).from_seq_no)
        self.gateway.replaced()
        self.client.lost()
        self.backup, self.replay = None, []
        self.client, self.gateway = backup.client, backup.gateway
        self.to_client, self.to_gateway = backup.to_client, backup.to_gateway
        self.gateway_does(list(self.gateway.promote(self.now)))

    def forget_filled(self, first: int) -> None:
        """A NotApplied is lost. Numbers that a keep-alive Sequence filled meanwhile are not reported again."""
        for (_, number), order_id in self.sent.items():
            if first <= number < self.stream.next_inbound and order_id not in self.applied:
                self.unknown.add(order_id)

    def pass_time(self, nanoseconds: int) -> None:
        self.now += nanoseconds
        if self.gateway is not None:
            self.gateway_does(list(self.gateway.tick(self.now)))
        if self.client is not None:
            self.client_does(self.client.tick(self.now))
        if self.backup is not None:
            self.backup_gateway_does(self.backup, self.backup.gateway.tick(self.now))
        if self.backup is not None:
            self.backup_client_does(self.backup, self.backup.client.tick(self.now))

    def step(self) -> None:
        """Something happens."""
        seldom = self.rng.random()
        if seldom < 0.02:
            self.connect_backup()
        elif seldom < 0.08:
            self.backup_talks()
        elif seldom < 0.10:
            self.promote()
        elif seldom < 0.105:
            self.half_drop()
        elif seldom < 0.13:
            self.stale_receives()
        elif seldom < 0.132:
            self.start_week()
        else:
            self.everyday()

    def everyday(self) -> None:
        rng = self.rng
        choice = rng.random()
        if choice < 0.30:
            self.gateway_receives()
        elif choice < 0.60:
            self.client_receives()
        elif choice < 0.70:
            self.publish(skip=rng.random() < 0.25)
        elif choice < 0.82:
            self.client_sends(skip=rng.randrange(1, 4) if rng.random() < 0.1 else 0)
        elif choice < 0.90:
            self.continue_replay(rng.randrange(1, 5))
        elif choice < 0.94:
            self.pass_time(rng.choice([1_000, SECOND, 4 * SECOND]))
        elif self.client is None or choice > 0.995:
            self.connect(new_uuid=rng.random() < 0.2)
        elif choice < 0.95:
            self.drop()
        elif choice < 0.955:
            self.restart_gateway()
        elif choice < 0.96:
            self.restart_client()
        elif choice < 0.97 and self.to_client:
            self.duplicate()
        elif choice < 0.975 and self.client.state is ClientState.ESTABLISHED:
            self.to_gateway.append(self.client.terminate(self.now))

    def duplicate(self) -> None:
        """A message that the client has already is sent again, unasked, with PossRetransFlag 1."""
        frames = self.outbox.get(self.stream.uuid, ())
        if frames and self.client is not None and self.client.state is ClientState.ESTABLISHED:
            frame = self.rng.choice(frames[: self.memory.next_inbound - 1] or [b""])
            if frame:
                self.to_client.append(frame[:FLAG_AT] + b"\1" + frame[FLAG_AT + 1 :])

    def settle(self) -> None:
        """Everything calms down on one good connection, long enough for two keep-alives."""
        while self.stale is not None:
            self.stale_receives()
        if self.client is None or self.client.state is not ClientState.ESTABLISHED:
            self.connect(new_uuid=False)
        for _ in range(40):
            while self.to_gateway or self.to_client or self.replay:
                self.gateway_receives()
                self.client_receives()
                self.continue_replay(100)
            while self.backup is not None and (self.backup.to_gateway or self.backup.to_client):
                self.backup_talks()
            if self.client is None:
                self.connect(new_uuid=False)
            self.pass_time(SECOND)


def check(seed: int, steps: int = 250) -> None:
    """A world from its beginning to its end."""
    world = World(seed)
    for _ in range(steps):
        world.step()
        assert world.faults == [], seed
    world.settle()
    assert world.faults == [], seed
    assert world.delivered == [number for number in world.published if number not in world.lost], seed
    assert len(world.applied) == len(set(world.applied)), f"{seed}: nothing is applied twice"
    assert not set(world.applied) & set(world.refused), f"{seed}: what was refused was not applied"
    pending = set(range(1, world.orders + 1)) - set(world.applied) - set(world.refused) - world.unknown
    assert not pending, f"{seed}: the fate of every order is known"
