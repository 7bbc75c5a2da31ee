"""The client's side of a connection: bytes of a gateway that has lost its mind."""

import random

from ontherun.ilink import (
    BusinessMessage,
    ClientIdentity,
    ClientMemory,
    ClientSession,
    ClientState,
    Close,
    Event,
    LocalProtocolError,
    Missed,
    NegotiationAccepted,
    Send,
)
from ontherun.ilink import messages as m
from ontherun.ilink.messages import UINT64_NULL, decode
from ontherun.sbe import Framer, FramingError

from .breaking import broken, pieces, random_frame

START = 1_767_225_600_000_000_000
UUID = START // 1_000
SECOND = 1_000_000_000
LOGGING_IN = (ClientState.NEGOTIATING, ClientState.ESTABLISHING, ClientState.BINDING, ClientState.BINDING_BACKUP)
IDENTITY = ClientIdentity("ABC", "007", "EXAMPLEKEYID00000001", "Fuzz", "1", "Tests")


class Case:
    """One client, and what a gateway may say to it."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.now = START
        self.memory = ClientMemory()
        if self.rng.random() < 0.5:
            self.memory = ClientMemory(UUID, UUID, self.rng.randrange(1, 6), self.rng.randrange(1, 6), START)
            if self.rng.random() < 0.5:
                self.memory.missed = [Missed(UUID - 9, 1, self.rng.randrange(4))]
        self.asked: list[m.Message] = []
        self.passed: set[tuple[int, int]] = set()
        self.connect()

    def connect(self) -> None:
        """A new connection, with a login under way."""
        self.session = ClientSession(IDENTITY, bytes(32), self.memory, self.now, gap_fill=self.rng.random() < 0.7)
        self.framer = Framer()
        known = self.memory.negotiated_uuid
        if not known or self.rng.random() < 0.3:
            self.send(self.session.negotiate(self.now, max(known, self.memory.uuid) + 1))
        else:
            self.send(self.session.establish(self.now, backup=self.rng.random() < 0.3))

    def send(self, frame: bytes) -> None:
        """What the client says must be readable."""
        self.asked.append(decode(frame))

    def answer(self) -> bytes:
        """What a gateway might say now, right or nearly right."""
        rng, uuid = self.rng, self.session.uuid
        asked = self.asked[-1]
        at = getattr(asked, "request_timestamp", self.now)
        expected = self.memory.next_inbound
        number = expected if rng.random() < 0.8 else max(0, expected + rng.randrange(-2, 4))
        if self.session.state in (ClientState.BINDING_BACKUP, ClientState.BACKUP) and rng.random() < 0.9:
            number = 0
        logging_in = self.session.state in LOGGING_IN
        kind = 0 if logging_in and rng.random() < 0.9 else rng.randrange(0 if rng.random() < 0.05 else 3, 10)
        if kind < 3 and isinstance(asked, m.Negotiate):
            return m.NegotiationResponse.pack(uuid, at, 65_535, 1, 255, rng.randrange(4), UUID - 5, 255, b"")
        if kind < 3 and isinstance(asked, m.Establish):
            interval = rng.choice((10_000, 10_000, 5_000, 0))
            return m.EstablishmentAck.pack(uuid, at, number, 2, UUID - 5, interval, 65_535, 1, 255, 255)
        if kind < 3 and isinstance(asked, m.RetransmitRequest):
            first, count = asked.from_seq_no, asked.msg_count
            return m.Retransmission.pack(uuid, asked.last_uuid, at, first, rng.choice((count, count, 1)), 255)
        if kind == 3:
            return m.Sequence.pack(uuid, number, rng.choice((255, 255, 1)), rng.choice((0, 0, 1)))
        if kind == 4:
            return m.NotApplied.pack(uuid, self.memory.next_outbound - rng.randrange(4) & 7, rng.randrange(5), 255)
        if kind == 5:
            return m.RetransmitReject.pack(b"", uuid, UINT64_NULL, at, rng.randrange(11), 255)
        if kind == 6 and rng.random() < 0.3:
            return m.Terminate.pack(b"", uuid, at, rng.randrange(31), 255)
        other = asked.last_uuid if isinstance(asked, m.RetransmitRequest) else UINT64_NULL
        again = other != UINT64_NULL or rng.random() < 0.3
        return self.report(uuid if other == UINT64_NULL else other, number, again=again)

    def report(self, uuid: int, number: int, *, again: bool) -> bytes:
        """A business message."""
        return m.BusinessReject(
            seq_num=number,
            uuid=uuid,
            sending_time_epoch=self.now,
            business_reject_reason=0,
            ref_msg_type=b"D",
            poss_retrans_flag=again,
        ).encode()

    def hear(self, data: bytes) -> None:
        """Bytes arrive, as the SDK's wire would read them."""
        for part in pieces(self.rng, data):
            try:
                frames, fault = self.framer.feed(part), None
            except FramingError as error:
                frames, fault = error.frames, error
            for frame in frames:
                self.act(self.session.receive(frame, self.now))
            if fault is not None:
                self.act(self.session.framing_fault(fault, self.now))

    def act(self, events: list[Event]) -> None:
        """Carry out what the machine says; it says nothing after Close."""
        for place, event in enumerate(events):
            match event:
                case Send(frame):
                    self.send(frame)
                case BusinessMessage(uuid=uuid, seq_num=number):
                    if (
                        number and uuid == self.memory.uuid
                    ):  # where earlier ones ended is this gateway's to say, wrongly
                        assert (uuid, number) not in self.passed, "passed on twice"
                        self.passed.add((uuid, number))
                case NegotiationAccepted():
                    if self.rng.random() < 0.95:
                        self.send(self.session.establish(self.now))
                case Close():
                    assert place == len(events) - 1
                    assert self.session.state is ClientState.CLOSED

    def own(self) -> None:
        """Something that the client's user does."""
        try:
            if self.rng.random() < 0.8:
                order = m.OrderStatusRequest(
                    sending_time_epoch=0, ord_status_req_id=1, manual_order_indicator=0, seq_num=0, sender_id=b"A",
                    party_details_list_req_id=0, order_id=1, location=b"US,NY",
                )  # fmt: skip
                self.send(self.session.number(order, self.now))
            elif self.rng.random() < 0.5:
                self.session.rewind(self.rng.randrange(0, 4))
            else:
                self.send(self.session.terminate(self.now))
        except LocalProtocolError:
            pass


def a_client_survives_any_gateway(seed: int) -> None:
    """No bytes raise anything, no message is passed on twice, and whatever the client says is a message."""
    case = Case(seed)
    rng = case.rng
    for _ in range(rng.randrange(3, 40)):
        data = b"".join(case.answer() for _ in range(rng.choice((1, 1, 1, 2, 3))))
        choice = rng.random()
        if choice < 0.06:
            data = broken(rng, data)
        elif choice < 0.08:
            data = random_frame(rng)
        if choice > 0.85:
            case.own()
        case.hear(data)
        case.now += rng.choice((1, 1, 1, SECOND, 6 * SECOND))
        case.act(case.session.tick(case.now))
        assert case.session.deadline() > case.now
        assert case.memory.next_inbound >= 1
        if case.session.state is ClientState.CLOSED:
            case.connect()
