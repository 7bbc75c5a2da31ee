"""Killed at any write boundary, the venue goes on as if nothing had been: the design's first three invariants.

A client holds a conversation: logins, orders that rest and trade, a replace, a cancel, a gap, a Terminate. Once with
nobody killed; then once for each write that the venue makes in it, killed right there and started again. The client
always finds its UUID, its numbers, every message with the bytes it had, and the conversation ends in the same way.
"""

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.support.api import ask
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m

PRICE, TICK = 99 * 10**9, 15_625_000
KILLED_AT = str(Path(__file__).with_name("killed_at.py"))
GONE = (OSError, EOFError, AssertionError)


class Step(NamedTuple):
    """An order of the conversation, or what is done to the order `of` an earlier step."""

    kind: type[m.Message]
    name: bytes
    side: int = 1
    price: int = PRICE
    qty: int = 1
    of: bytes = b""


NEW, REPLACE, CANCEL = m.NewOrderSingle, m.OrderCancelReplaceRequest, m.OrderCancelRequest
CONVERSATION = (
    Step(NEW, b"BID", 1, PRICE, 5),
    Step(NEW, b"OFFER", 2, PRICE + 4 * TICK, 3),
    Step(NEW, b"HIT", 2, PRICE, 2),
    Step(REPLACE, b"BETTER", 1, PRICE + TICK, 7, of=b"BID"),
    Step(NEW, b"BAD", 1, PRICE + 1, 1),
    Step(CANCEL, b"PULL", 2, of=b"OFFER"),
    Step(CANCEL, b"AGAIN", 2, of=b"OFFER"),
    Step(NEW, b"SWEEP", 2, PRICE, 9),
)
LOGS_OUT_BEFORE = {b"BETTER", b"AGAIN"}


@dataclass
class Client:
    """What a client knows, over all its connections."""

    key: dict[str, Any]
    security_id: int
    uuid: int = 0
    negotiated: bool = False
    step: int = 0
    sent: int = 0
    """The number of the last message that was sent."""
    waits: bool = False
    """The answer to that message was not seen to end."""
    frames: dict[int, bytes] = field(default_factory=dict)
    order_ids: dict[bytes, int] = field(default_factory=dict)

    def talk(self, address: tuple[str, int]) -> None:
        """Go on with the conversation to its end, or until the venue is gone."""
        with Connection(address, self.key, self) as connection:
            connection.log_in()
            for step in CONVERSATION[self.step :]:
                if step.name in LOGS_OUT_BEFORE and not connection.fresh:
                    connection.terminate()
                    break
                connection.carry_out(step)
            else:
                connection.read_again()
        if self.step < len(CONVERSATION):
            self.talk(address)

    def outcome(self) -> list[str]:
        """What was said to the client, without times and ids."""
        said = []
        for _, frame in sorted(self.frames.items()):
            message = m.decode(frame)
            fields = ("cl_ord_id", "order_qty", "leaves_qty", "cum_qty", "last_qty", "last_px", "cxl_rej_reason")
            said.append(
                f"{type(message).__name__} "
                + " ".join(f"{n}={getattr(message, n)}" for n in fields if hasattr(message, n))
            )
        return said


class Connection(RawClient):
    """One connection of the client."""

    def __init__(self, address: tuple[str, int], key: dict[str, Any], client: Client) -> None:
        super().__init__(address, key)
        self.client = client
        self.fresh = False
        """Nothing was sent on this connection yet but its login."""

    def log_in(self) -> None:  # type: ignore[override]
        """Establish under the UUID that was negotiated, or negotiate; then learn what was missed, and what was not
        applied."""
        client = self.client
        if not client.negotiated:
            self.negotiate()
            client.uuid = self.expect(m.NegotiationResponse).uuid
            client.negotiated = True
        self.uuid, self.next_seq_no = client.uuid, client.sent + 1
        self.establish(keep_alive=60_000)
        ack = self.expect(m.EstablishmentAck)
        assert ack.next_seq_no > max(client.frames, default=0), "a message was said that the journal does not have"
        missing = [number for number in range(1, ack.next_seq_no) if number not in client.frames]
        not_applied = self.until_answered()
        if client.waits:
            client.step += not_applied is None
            client.waits = False
        if missing:
            self.fetch(missing[0], missing[-1] - missing[0] + 1)
        self.fresh = True

    def carry_out(self, step: Step) -> None:
        """Send it with the next number and read everything that it brings."""
        client, self.fresh = self.client, False
        client.sent, client.waits = self.next_seq_no, True
        if step.kind is NEW:
            self.order(client.security_id, step.side, step.price, step.qty, step.name)
        else:
            self.send(self.change(step))
            self.next_seq_no += 1
        self.until_answered()
        client.waits = False
        client.step += 1

    def change(self, step: Step) -> bytes:
        fields: dict[str, Any] = {
            "order_id": self.client.order_ids[step.of],
            "party_details_list_req_id": self.key["party_details_list_req_id"],
            "manual_order_indicator": 0,
            "seq_num": self.next_seq_no,
            "sender_id": b"TRADER1",
            "cl_ord_id": step.name,
            "order_request_id": self.next_seq_no,
            "sending_time_epoch": time.time_ns(),
            "location": b"US,NY",
            "security_id": self.client.security_id,
            "side": step.side,
        }
        if step.kind is REPLACE:
            replaced: dict[str, Any] = {"price": step.price, "order_qty": step.qty, "ord_type": ord("2")}
            fields |= replaced | {"time_in_force": 0, "exec_inst": 0, "ofm_override": 0}
        return step.kind(**fields).encode()

    def until_answered(self) -> m.NotApplied | None:
        """Ask for a sign of life, and keep what comes before it; the NotApplied among it."""
        ping = m.Sequence(uuid=self.uuid, next_seq_no=self.next_seq_no, keep_alive_interval_lapsed=1)
        self.send(ping.encode())
        not_applied = None
        while not isinstance(message := self.receive(sequences=True), m.Sequence):
            if isinstance(message, m.NotApplied):
                not_applied = message
            else:
                self.keep(message)
        return not_applied

    def fetch(self, first: int, count: int) -> None:
        request = m.RetransmitRequest(
            uuid=self.uuid, request_timestamp=time.time_ns(), from_seq_no=first, msg_count=count
        )
        self.send(request.encode())
        assert self.expect(m.Retransmission).msg_count == count
        for number in range(first, first + count):
            message = self.receive()
            assert message.seq_num == number
            assert message.poss_retrans_flag == 1
            self.keep(message, again=True)

    def read_again(self) -> None:
        """Everything once more, byte for byte."""
        if self.client.frames:
            self.fetch(1, max(self.client.frames))

    def keep(self, message: Any, *, again: bool = False) -> None:
        message.poss_retrans_flag = 0
        frame = message.encode()
        known = self.client.frames.setdefault(message.seq_num, frame)
        assert known == frame, f"message {message.seq_num} is another one now"
        assert again or known is frame, f"message {message.seq_num} came twice"
        if isinstance(message, m.ExecutionReportNew):
            self.client.order_ids[message.cl_ord_id] = message.order_id


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a venue whose demo session keeps its orders when it is lost."""
    data = tmp_path_factory.mktemp("prepared") / "data"
    with VenueProcess(data, "--no-fsync") as venue:
        session = venue.ready["demo"][0]["session_id"]
        ask(venue, "PATCH", f"sessions/{session}", {"cancel_on_disconnect": False})
    return data


def held(prepared: Path, folder: Path, *kills: int) -> tuple[list[str], list[str]]:
    """Hold the conversation, with one start killed for each of `kills`: how it ended, and the boundaries of the first
    start."""
    data = folder / "data"
    shutil.copytree(prepared, data)
    client: Client | None = None
    names = folder / "boundaries"
    for number, kill_at in enumerate((*kills, 0)):
        names = folder / f"boundaries-{number}"
        try:
            with VenueProcess(data, "--fsync", program=(KILLED_AT, str(kill_at), str(names))) as venue:
                client = client or Client(venue.key(), venue.security_id("UB10"))
                client.talk(venue.address)
                assert not kill_at, "it was not killed"
        except GONE:
            if not kill_at or not killed(names, kill_at):
                raise
    assert client is not None
    return client.outcome(), (folder / "boundaries-0").read_text().splitlines()


def killed(names: Path, kill_at: int) -> bool:
    return len(names.read_text().splitlines()) == kill_at


@pytest.fixture(scope="module")
def undisturbed(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    return held(prepared, tmp_path_factory.mktemp("undisturbed"))


def test_the_conversation_reaches_every_kind_of_boundary(undisturbed: tuple[list[str], list[str]]) -> None:
    outcome, boundaries = undisturbed
    assert {line.split()[0] for line in outcome} == {
        "ExecutionReportNew",
        "ExecutionReportTradeOutright",
        "ExecutionReportModify",
        "ExecutionReportCancel",
        "ExecutionReportReject",
        "OrderCancelReject",
    }
    assert set(boundaries) == {
        *("a row before it is written", "a row half written", "a row written"),
        *("before the disk confirms", "the disk has confirmed"),
        *("before the socket", "the socket has it", "before the outbox", "the outbox has it"),
    }


@pytest.mark.parametrize("shard", ["a few", *(pytest.param(f"{n} of 8", marks=pytest.mark.slow) for n in range(1, 9))])
def test_killed_at_a_write_boundary_the_conversation_ends_as_if_nobody_was(
    prepared: Path, undisturbed: tuple[list[str], list[str]], tmp_path: Path, shard: str
) -> None:
    outcome, boundaries = undisturbed
    few = range(len(boundaries) // 6, len(boundaries) + 1, len(boundaries) // 4)
    for kill_at in few if shard == "a few" else range(int(shard[0]), len(boundaries) + 1, 8):
        said, _ = held(prepared, tmp_path / str(kill_at), kill_at)
        assert said == outcome, f"killed at boundary {kill_at}, {boundaries[kill_at - 1]}"


@pytest.mark.slow
def test_killed_again_while_it_starts_the_conversation_ends_as_if_nobody_was(
    prepared: Path, undisturbed: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    outcome, boundaries = undisturbed
    for again in range(1, 7):
        said, _ = held(prepared, tmp_path / str(again), len(boundaries) // 2, again)
        assert said == outcome, f"killed at boundary {again} of the second start"
