"""A seeded random world over sockets: several clients do right and wrong things, connections break at any time, the
venue is killed once. In the end every client can fetch all its numbered messages without a gap or a repetition, and
the orders that its reports say are working are exactly those that can be cancelled."""

import contextlib
import json
import random
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m
from ontherun.ilink.codes import TerminateCode

PRICE = 99 * 10**9
TICK = 15_625_000
Broken = (OSError, EOFError)
NEGOTIATED_SINCE = (TerminateCode.INVALID_UUID, TerminateCode.INVALID_NEXT_SEQ_NO)


class Wanderer:
    """A session that behaves as its seed has it. It counts on nothing but its key: each time it comes back it
    learns from the gateway where the two stand."""

    def __init__(self, number: int, seed: int, key: dict[str, Any]) -> None:
        self.number = number
        self.key = key
        self.chance = random.Random(seed * 100 + number)
        self.uuid = 0
        self.ended: dict[int, int] = {}  # last number under each UUID before the present one
        self.logins = 0
        self.orders: list[int] = []
        self.faults: list[BaseException] = []

    def wander(self, venue: VenueProcess, seconds: float) -> None:
        """Connect, do things, lose the connection, come back; until the time is over or the venue is gone."""
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                try:
                    with RawClient(venue.address, self.key) as client:
                        client.socket.settimeout(5)
                        self._session(client, venue.security_id("UB10"), until)
                except Broken:
                    if venue.process.poll() is not None:
                        return
        except BaseException as fault:  # noqa: BLE001 -- shown by the test, which runs in another thread
            self.faults.append(fault)

    def log_in(self, client: RawClient, *, same: bool = True) -> m.EstablishmentAck:
        """Log in under the same UUID where there is one, or under a new one."""
        if not self.uuid or not same:
            uuid = time.time_ns() // 1000
            client.negotiate(uuid)
            client.expect(m.NegotiationResponse)
            client.next_seq_no = 1
            client.establish(1)
            ack = client.expect(m.EstablishmentAck)
            self.uuid, self.orders = uuid, []
            self.ended[ack.previous_uuid] = ack.previous_seq_no
            return ack
        client.uuid = self.uuid
        client.establish(999_999_000)  # far ahead of everything: the answer says what is expected
        ack = client.receive()
        if isinstance(ack, m.Terminate) and ack.error_codes in NEGOTIATED_SINCE:
            self.uuid = 0
            raise EOFError("a login under a new UUID was interrupted")
        assert isinstance(ack, m.EstablishmentAck), ack
        self.ended[ack.previous_uuid] = ack.previous_seq_no
        client.next_seq_no = client.expect(m.NotApplied).from_seq_no
        client.send(m.Sequence(uuid=self.uuid, next_seq_no=client.next_seq_no, keep_alive_interval_lapsed=0).encode())
        return ack

    def _session(self, client: RawClient, security_id: int, until: float) -> None:
        chance = self.chance
        if chance.random() < 0.1:
            client.send(chance.randbytes(chance.randint(1, 60)))  # a stranger, not counted for any session
            client.closed() if chance.random() < 0.5 else None
            return
        self.log_in(client, same=chance.random() < 0.9)
        self.logins += 1
        steps: list[tuple[int, Callable[[RawClient, int], None]]] = [
            (60, self._order),
            (15, self._cancel),
            (5, self._bad_order),
            (4, self._unsupported),
            (4, self._sequence),
            (4, self._retransmit),
            (3, self._jump),
            (2, self._in_pieces),
        ]
        weights, acts = zip(*steps, strict=True)
        for _ in range(chance.randint(1, 80)):
            if time.monotonic() > until:
                break
            for act in chance.choices(acts, weights, k=chance.randint(1, 8)):
                act(client, security_id)
            if chance.random() < 0.7:
                self._read(client)
        self._leave(client)

    def _leave(self, client: RawClient) -> None:
        """Terminate, vanish, reset, or do what ends a session."""
        match self.chance.randint(0, 5):
            case 0 | 1:
                client.send(m.Terminate(uuid=self.uuid, request_timestamp=1, error_codes=0).encode())
                client.closed()
            case 2:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case 3:
                client.send(b"\0" * self.chance.randint(1, 40))
            case 4:
                client.send(struct.pack("<HHHHHH", 12, 0xCAFE, 0, self.chance.choice((514, 537, 999)), 8, 9))
            case 5:
                client.order(0, 1, PRICE, 1, b"REPEATED", seq_num=max(client.next_seq_no - 1, 0))

    def _read(self, client: RawClient) -> None:
        """Read what is there."""
        client.socket.settimeout(0.01)
        with contextlib.suppress(TimeoutError):
            while True:
                message = client.receive()
                if isinstance(message, m.ExecutionReportNew):
                    self.orders.append(message.order_id)
        client.socket.settimeout(5)

    def _order(self, client: RawClient, security_id: int) -> None:
        price = PRICE + self.chance.randint(-3, 3) * TICK
        kind = self.chance.choice((0, 0, 0, 0, 3, 4))
        name = b"%d-%d" % (self.number, self.chance.getrandbits(48))
        client.order(security_id, self.chance.randint(1, 2), price, self.chance.randint(1, 9), name, time_in_force=kind)

    def _cancel(self, client: RawClient, security_id: int) -> None:
        send_cancel(client, self.chance.choice(self.orders or [4711]), self.chance.randint(1, 2), security_id)

    def _bad_order(self, client: RawClient, security_id: int) -> None:
        wrong: dict[str, Any] = self.chance.choice(
            (
                {"sender_id": b""},
                {"ord_type": 57},
                {"min_qty": 5},
                {"location": b"\xff"},
                {"party_details_list_req_id": 5},
            )
        )
        price, qty = self.chance.choice(((PRICE, 1), (PRICE + 1, 1), (PRICE, 0), (2**63 - 1, 1), (PRICE, 2**32 - 2)))
        client.order(security_id, self.chance.choice((1, 2, 9)), price, qty, b"BAD", **wrong)

    def _unsupported(self, client: RawClient, security_id: int) -> None:
        frame = struct.pack("<HHHHHH", 100, 0xCAFE, 88, 533, 8, 9) + b"\0" * 17 + struct.pack("<I", client.next_seq_no)
        client.send(frame.ljust(100, b"\0"))
        client.next_seq_no += 1

    def _sequence(self, client: RawClient, security_id: int) -> None:
        lapsed = self.chance.randint(0, 1)
        number = client.next_seq_no
        client.send(m.Sequence(uuid=self.uuid, next_seq_no=number, keep_alive_interval_lapsed=lapsed).encode())

    def _retransmit(self, client: RawClient, security_id: int) -> None:
        first, count = self.chance.randint(0, 300), self.chance.choice((0, 1, 100, 2500, 2501))
        last = self.chance.choice((m.UINT64_NULL, 0, self.uuid, 4711))
        client.send(
            m.RetransmitRequest(
                uuid=self.uuid, last_uuid=last, request_timestamp=1, from_seq_no=first, msg_count=count
            ).encode()
        )

    def _jump(self, client: RawClient, security_id: int) -> None:
        """Leave a gap, which is answered with NotApplied, and give it up."""
        client.next_seq_no += self.chance.randint(1, 5)
        self._order(client, security_id)
        self._sequence(client, security_id)

    def _in_pieces(self, client: RawClient, security_id: int) -> None:
        send = client.send
        pieces: list[bytes] = []
        client.send = pieces.append  # type: ignore[method-assign]
        try:
            self._order(client, security_id)
        finally:
            client.send = send  # type: ignore[method-assign]
        for byte in b"".join(pieces):
            send(bytes([byte]))


def send_cancel(client: RawClient, order_id: int, side: int, security_id: int) -> None:
    client.send(
        m.OrderCancelRequest(
            order_id=order_id,
            party_details_list_req_id=client.key["party_details_list_req_id"],
            manual_order_indicator=0,
            seq_num=client.next_seq_no,
            sender_id=b"T",
            cl_ord_id=b"CANCEL",
            order_request_id=1,
            sending_time_epoch=1,
            location=b"US,NY",
            security_id=security_id,
            side=side,
        ).encode()
    )
    client.next_seq_no += 1


def more_sessions(venue: VenueProcess, count: int) -> list[dict[str, Any]]:
    """Keys of the demo's two sessions and of `count` new ones."""
    token = Path(venue.ready["token_file"]).read_text().strip()
    keys = [venue.key(0), venue.key(1)]
    with httpx2.Client(
        base_url=venue.ready["api_url"] + "/api/v1",
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    ) as api:
        for _ in range(count):
            created = api.post("/sessions", json={"firms": ["DEMO1"], "market_segments": [40]}).json()["session_ids"][0]
            api.post(f"/sessions/{created}/party-details", json={"firm": "DEMO1", "party_details_list_req_id": 7})
            key_id = api.post(f"/sessions/{created}/keys").json()["access_key_id"]
            key = api.get(f"/sessions/{created}/keys/{key_id}/download").json()
            keys.append(key | {"party_details_list_req_id": 7})
    return keys


def together(wanderers: list[Wanderer], venue: VenueProcess, seconds: float) -> None:
    threads = [threading.Thread(target=wanderer.wander, args=(venue, seconds)) for wanderer in wanderers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for wanderer in wanderers:
        assert not wanderer.faults, f"session {wanderer.key['session_id']}: {wanderer.faults[0]!r}"


def every_message(client: RawClient, uuid: int, stop: int) -> list[Any]:
    """The messages 1 to `stop` - 1 that were numbered under a UUID, fetched in chunks."""
    found: list[Any] = []
    while len(found) < stop - 1:
        first = len(found) + 1
        count = min(stop - first, 2500)
        client.send(
            m.RetransmitRequest(
                uuid=client.uuid, last_uuid=uuid, request_timestamp=1, from_seq_no=first, msg_count=count
            ).encode()
        )
        client.expect(m.Retransmission)
        found += [client.receive() for _ in range(count)]
    assert [(message.uuid, message.seq_num, message.poss_retrans_flag) for message in found] == [
        (uuid, number, 1) for number in range(1, stop)
    ]
    return found


def working(reports: list[Any]) -> dict[int, tuple[int, int, int]]:
    """What reports say is working: side, filled and open quantity by OrderID."""
    orders: dict[int, tuple[int, int, int]] = {}
    for report in reports:
        if isinstance(report, m.ExecutionReportNew):
            orders[report.order_id] = report.side, 0, report.order_qty
        elif isinstance(report, m.ExecutionReportTradeOutright):
            if report.leaves_qty and report.order_id in orders:
                orders[report.order_id] = report.side, report.cum_qty, report.leaves_qty
            else:
                orders.pop(report.order_id, None)
        elif isinstance(report, m.ExecutionReportCancel | m.ExecutionReportElimination):
            orders.pop(report.order_id, None)
    return orders


def check(wanderer: Wanderer, venue: VenueProcess) -> None:
    """Fetch everything under every UUID; cancel what is working; nothing else is."""
    with contextlib.suppress(EOFError), RawClient(venue.address, wanderer.key) as client:
        wanderer.log_in(client)
        client.terminate()
    with RawClient(venue.address, wanderer.key) as client:
        ack = wanderer.log_in(client)
        number = ack.next_seq_no
        reports = []
        for uuid, stop in sorted({**wanderer.ended, wanderer.uuid: number - 1}.items()):
            reports += every_message(client, uuid, stop + 1)
        for order_id, (side, filled, _) in working(reports).items():
            send_cancel(client, order_id, side, venue.security_id("UB10"))
            cancelled = client.expect(m.ExecutionReportCancel)
            assert (cancelled.order_id, cancelled.cum_qty, cancelled.seq_num) == (order_id, filled, number)
            number += 1
        client.terminate()


@pytest.mark.parametrize(
    ("seed", "sessions", "seconds"),
    [(1, 3, 1.0), *(pytest.param(seed, 8, 15.0, marks=pytest.mark.slow) for seed in range(2, 6))],
)
def test_a_random_world_with_a_kill_keeps_every_promise(
    tmp_path: Path, seed: int, sessions: int, seconds: float
) -> None:
    data = tmp_path / "data"
    with VenueProcess(data, "--no-fsync", "--messaging-controls", "off") as venue:
        wanderers = [Wanderer(number, seed, key) for number, key in enumerate(more_sessions(venue, sessions - 2))]
        killer = threading.Timer(seconds, venue.kill)
        killer.start()
        together(wanderers, venue, seconds * 2)
        killer.join()
    with VenueProcess(data, "--no-fsync") as venue:
        together(wanderers, venue, seconds)
        code, output = venue.stop()
        assert (code, "Traceback" in output, "xception" in output) == (0, False, False), output
    with VenueProcess(data, "--no-fsync") as venue:
        for wanderer in wanderers:
            check(wanderer, venue)
        log = [json.loads(line) for line in (data / "ontherun.log").read_text().splitlines()]
        assert not [line for line in log if line["event"] in ("internal_error", "journal_failed")]
    assert sum(wanderer.logins for wanderer in wanderers) >= sessions
