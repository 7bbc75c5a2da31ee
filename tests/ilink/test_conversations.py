"""Both machines against each other in a seeded random world: gaps, lost connections, duplicates, restarts.

A failing seed is the test's parameter, so it can be run alone. What has to hold:

- the client gets every message that the gateway numbered once, in order, under every UUID, and is told of no loss;
- each message of the client is applied once, or the client is told that it was not applied, never both (the client
  cannot know when it takes a new UUID meanwhile, or when its own Sequence filled a gap whose NotApplied is then lost);
- neither side finds fault with the other: no Terminate but those for silence.
"""

import random
from copy import deepcopy

import pytest

from ontherun.ilink import (
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
from ontherun.ilink.records import from_bytes
from ontherun.ilink.templates import CLIENT_BUSINESS, GATEWAY_BUSINESS

from .conftest import KEY_ID, SECOND, SECRET, SEGMENT, START, Keys
from .test_terminate_codes import order

IDENTITY = ClientIdentity("ABC", "007", KEY_ID.decode(), "DemoGateway", "1.0.0", "ExampleCo")
POLICY = SessionPolicy(port_closure=False)
ORDER = NewOrderSingle.TEMPLATE_ID
ORDER_NUMBER_AT = CLIENT_BUSINESS[ORDER]
FLAG_AT = GATEWAY_BUSINESS[BusinessReject.TEMPLATE_ID]


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

    def restart_gateway(self) -> None:
        """The process stops; a new one rebuilds the streams from the journal and ends what was bound."""
        before = deepcopy(self.stream)
        self.gateway = None
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
                case MessagesLost():
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

    def step(self) -> None:
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
        if self.client is None or self.client.state is not ClientState.ESTABLISHED:
            self.connect(new_uuid=False)
        for _ in range(40):
            while self.to_gateway or self.to_client or self.replay:
                self.gateway_receives()
                self.client_receives()
                self.continue_replay(100)
            if self.client is None:
                self.connect(new_uuid=False)
            self.pass_time(SECOND)


def check(seed: int, steps: int) -> None:
    world = World(seed)
    for _ in range(steps):
        world.step()
        assert world.faults == [], seed
    world.settle()
    assert world.faults == [], seed
    assert world.delivered == world.published, seed
    assert len(world.applied) == len(set(world.applied)), f"{seed}: nothing is applied twice"
    assert not set(world.applied) & set(world.refused), f"{seed}: what was refused was not applied"
    pending = set(range(1, world.orders + 1)) - set(world.applied) - set(world.refused) - world.unknown
    assert not pending, f"{seed}: the fate of every order is known"


@pytest.mark.parametrize("seed", range(400))
def test_nothing_is_lost_and_nothing_comes_twice(seed: int) -> None:
    check(seed, 250)


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_comes_twice_in_ten_thousand_worlds() -> None:
    for seed in range(400, 10_400):
        check(seed, 250)


def test_the_world_is_rough_enough() -> None:
    """The random worlds do meet what they are made for."""
    seen: set[str] = set()
    for seed in range(60):
        world = World(seed)
        for _ in range(250):
            had_replay = bool(world.replay)
            world.step()
            seen |= {"replay"} if world.replay and had_replay else set()
            seen |= {"missed under an earlier UUID"} if world.memory.missed else set()
        seen |= {"not applied"} if world.refused else set()
        seen |= {"several UUIDs"} if len(world.outbox) > 2 else set()
        seen |= {"before the first login"} if world.outbox.get(0) else set()
    assert seen == {
        "replay",
        "missed under an earlier UUID",
        "not applied",
        "several UUIDs",
        "before the first login",
    }
