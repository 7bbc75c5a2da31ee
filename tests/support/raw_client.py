"""A client that is not the SDK: one blocking socket, one call a step, nothing done by itself."""

import socket
import time
from types import TracebackType
from typing import Any, Self, TypeVar

from ontherun.ilink import messages as ilink_messages
from ontherun.ilink.signing import decode_secret, establish_text, negotiate_text, sign
from ontherun.sbe.framing import Framer

Expected = TypeVar("Expected")

NAME, VERSION, VENDOR = b"RawClient", b"1.0", b"Tests"


class RawClient:
    """A session over TCP, in the messages of a generated package.

    `uuid` and `next_seq_no` are the caller's to keep over reconnects.
    """

    def __init__(self, address: tuple[str, int], key: dict[str, Any], messages: Any = ilink_messages) -> None:
        self.m = messages
        self.socket = socket.create_connection(address, timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.key = key
        self.session = key["session_id"].encode()
        self.firm = key["firm"].encode()
        self.access_key_id = key["access_key_id"].encode()
        self.secret = decode_secret(key["secret_key"])
        self.uuid = 0
        self.next_seq_no = 1
        self._framer = Framer()
        self._frames: list[bytes] = []

    # Session steps

    def negotiate(self, uuid: int | None = None, **changes: Any) -> int:
        """Send a signed Negotiate under a new UUID; `changes` replace fields after signing. Returns the timestamp."""
        self.uuid = uuid or time.time_ns() // 1000
        at = time.time_ns()
        text = negotiate_text(at, self.uuid, self.session, self.firm)
        fields: dict[str, Any] = {
            "hmac_signature": sign(self.secret, text),
            "access_key_id": self.access_key_id,
            "uuid": self.uuid,
            "request_timestamp": at,
            "session": self.session,
            "firm": self.firm,
            "credentials": b"",
        }
        self.send(self.m.Negotiate(**fields | changes).encode())
        return at

    def establish(self, next_seq_no: int | None = None, keep_alive: int = 10_000, **changes: Any) -> int:
        at = time.time_ns()
        number = self.next_seq_no if next_seq_no is None else next_seq_no
        text = establish_text(at, self.uuid, self.session, self.firm, NAME, VERSION, VENDOR, number, keep_alive)
        fields: dict[str, Any] = {
            "hmac_signature": sign(self.secret, text),
            "access_key_id": self.access_key_id,
            "trading_system_name": NAME,
            "trading_system_version": VERSION,
            "trading_system_vendor": VENDOR,
            "uuid": self.uuid,
            "request_timestamp": at,
            "next_seq_no": number,
            "session": self.session,
            "firm": self.firm,
            "keep_alive_interval": keep_alive,
            "credentials": b"",
        }
        self.send(self.m.Establish(**fields | changes).encode())
        return at

    def log_in(self) -> ilink_messages.EstablishmentAck:
        """Negotiate and Establish under a new UUID."""
        self.negotiate()
        self.expect(self.m.NegotiationResponse)
        self.next_seq_no = 1
        self.establish()
        return self.expect(self.m.EstablishmentAck)

    def terminate(self) -> ilink_messages.Terminate:
        self.send(self.m.Terminate(uuid=self.uuid, request_timestamp=time.time_ns(), error_codes=0).encode())
        return self.expect(self.m.Terminate)

    # Orders

    def order(
        self, security_id: int, side: int, price: int, qty: int, cl_ord_id: bytes, **changes: Any
    ) -> ilink_messages.NewOrderSingle:
        """Send a limit day order with the next number."""
        fields: dict[str, Any] = {
            "price": price,
            "order_qty": qty,
            "security_id": security_id,
            "side": side,
            "seq_num": self.next_seq_no,
            "sender_id": b"TRADER1",
            "cl_ord_id": cl_ord_id,
            "party_details_list_req_id": self.key["party_details_list_req_id"],
            "order_request_id": self.next_seq_no,
            "sending_time_epoch": time.time_ns(),
            "location": b"US,NY",
            "ord_type": ord("2"),
            "time_in_force": 0,
            "manual_order_indicator": 0,
            "exec_inst": 0,
        }
        message = self.m.NewOrderSingle(**fields | changes)
        self.send(message.encode())
        self.next_seq_no += 1
        return message

    # Bytes

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self, *, sequences: bool = False) -> Any:
        """The next message, decoded; Sequence messages are passed over unless they are asked for."""
        while True:
            while not self._frames:
                data = self.socket.recv(65536)
                if not data:
                    raise EOFError("the gateway closed the connection")
                self._frames = self._framer.feed(data)
            message = self.m.decode(self._frames.pop(0))
            if sequences or not isinstance(message, self.m.Sequence):
                return message

    def expect(self, kind: type[Expected]) -> Expected:
        message = self.receive()
        assert isinstance(message, kind), f"expected {kind.__name__}, got {message}"
        return message

    def rest(self) -> bytes:
        """Everything that still comes before the gateway closes the connection."""
        data = b"".join(self._frames)
        while piece := self.socket.recv(65536):
            data += piece
        return data

    def closed(self) -> bool:
        """Whether the gateway closes the connection now."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass
        return True

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
