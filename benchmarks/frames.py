"""Login frames and orders, as bytes for the load client."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from struct import pack

from ontherun.ilink.messages import Establish, Negotiate, NewOrderSingle
from ontherun.ilink.signing import establish_text, negotiate_text, sign

TICK = 15_625_000  # half a 32nd, in 1e-9
SYSTEM = (b"benchmarks", b"1", b"ontherun")
KEEP_ALIVE_MS = 60_000


@dataclass(frozen=True)
class Identity:
    """A session and its key pair; the defaults are for servers that check nothing."""

    session: bytes = b"A00"
    firm: bytes = b"BENCH"
    access_key_id: bytes = b"A" * 20
    secret: bytes = bytes(32)


@dataclass(frozen=True)
class Connection:
    """What one connection of the load client sends: an order, which it numbers, after the frames that log it in."""

    order: bytes
    login: Sequence[bytes]


def script(connections: Sequence[Connection]) -> bytes:
    """Lay the connections out as load.c reads them."""
    steps, size = len(connections[0].login), len(connections[0].order)
    parts = [pack("<III", len(connections), steps, size)]
    for connection in connections:
        parts.append(connection.order)
        for frame in connection.login:
            parts += (pack("<I", len(frame)), frame)
    return b"".join(parts)


def ilink_connections(identities: Sequence[Identity], count: int, security_id: int) -> list[Connection]:
    """Sign `count` logins, the identities in turn.

    The gateway takes a RequestTimestamp for 5 s, and for each session only growing ones, as the UUIDs must grow: both
    are taken from the clock and counted up.
    """
    base = time.time_ns()
    return [ilink_connection(identities[n % len(identities)], base + 2 * n, security_id) for n in range(count)]


def ilink_connection(identity: Identity, now: int, security_id: int) -> Connection:
    """One signed login under UUID `now` (ns), and a buy order of one lot with 20 characters of ClOrdID."""
    session, firm, key = identity.session, identity.firm, identity.access_key_id
    negotiate = Negotiate(
        hmac_signature=sign(identity.secret, negotiate_text(now, now, session, firm)),
        access_key_id=key,
        uuid=now,
        request_timestamp=now,
        session=session,
        firm=firm,
    )
    name, version, vendor = SYSTEM
    text = establish_text(now + 1, now, session, firm, name, version, vendor, 1, KEEP_ALIVE_MS)
    establish = Establish(
        hmac_signature=sign(identity.secret, text),
        access_key_id=key,
        trading_system_name=name,
        trading_system_version=version,
        trading_system_vendor=vendor,
        uuid=now,
        request_timestamp=now + 1,
        next_seq_no=1,
        session=session,
        firm=firm,
        keep_alive_interval=KEEP_ALIVE_MS,
    )
    order = NewOrderSingle(
        price=100 * 1_000_000_000,
        order_qty=1,
        security_id=security_id,
        side=1,
        seq_num=0,
        sender_id=b"BENCHMARKS",
        cl_ord_id=b"%010d%010d" % (now % 10**10, 0),
        party_details_list_req_id=1001,
        order_request_id=1,
        sending_time_epoch=0,
        location=b"US,NY",
        ord_type=ord("2"),
        time_in_force=0,
        manual_order_indicator=0,
        exec_inst=0,
    )
    return Connection(order.encode(), (negotiate.encode(), establish.encode()))


def fix_connections(count: int) -> list[Connection]:
    """FIX 4.4 Logons of C000, C001..., and 16-field orders."""
    return [fix_connection(f"C{n:03d}") for n in range(count)]


def fix_connection(sender: str) -> Connection:
    now = time.strftime("%Y%m%d-%H:%M:%S.000", time.gmtime())
    head = f"49={sender}|56=VENUE|52={now}"
    logon = f"35=A|34=1|{head}|98=0|108=60|141=Y|"
    order = f"35=D|34={0:09d}|{head}|11={0:09d}|1=ACCOUNT|21=1|55=UB10|54=1|60={now}|38=5|40=2|44=99.515625|59=0|"
    return Connection(fix_frame(order), [fix_frame(logon)])


def fix_frame(body: str) -> bytes:
    raw = body.replace("|", "\1").encode()
    message = b"8=FIX.4.4\0019=%d\1" % len(raw) + raw
    return message + b"10=%03d\1" % (sum(message) % 256)
