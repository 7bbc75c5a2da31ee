"""A conversation in plain words: any iLink 3 message as its name, its number and one line that a person understands.

Nothing here can show a secret: the wire carries none, and signatures are shown by their ends.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from ontherun.client.advice import advice_for
from ontherun.client.instruments import Instruments
from ontherun.client.reading import read_report
from ontherun.client.reports import (
    Accepted,
    BusinessRejected,
    CancelRejected,
    Eliminated,
    Rejected,
    ReplaceRejected,
    Traded,
)
from ontherun.client.values import duration, member, name, optional, price_text, text
from ontherun.ilink import messages
from ontherun.ilink.codes import EstablishmentRejectCode, NegotiationRejectCode, RetransmitRejectCode, TerminateCode
from ontherun.ilink.messages import UINT8_NULL, UINT16_NULL, UINT64_NULL, Message
from ontherun.ilink.messages.enums import SideReq as Side
from ontherun.ilink.messages.enums import TimeInForce

_TEN_YEARS: Final = 3653
"""SecretKeySecureIDExpiration (39022) counts days left (schema) or days since the epoch (CME client wiki)."""


class Mood(Enum):
    """What a message means to the one who reads it; a screen may give each its colour."""

    ASKS = "asks"
    AGREES = "agrees"
    TRADES = "trades"
    REFUSES = "refuses"
    KEEPS_ALIVE = "keeps alive"


class Line(NamedTuple):
    """A message in words. `number` is its SeqNum (9726), None for the messages of the session layer."""

    name: str
    number: int | None
    words: str
    mood: Mood


def describe(message: Message, instruments: Instruments | None = None) -> Line:
    """The message in words; securities by their symbol where `instruments` knows them."""
    table = instruments or Instruments()
    title = type(message).__name__
    session_words = _SESSION.get(type(message))
    if session_words is not None:
        return Line(title, None, *session_words(message))
    number: int | None = getattr(message, "seq_num", None)
    request_words = _REQUESTS.get(type(message))
    if request_words is not None:
        return Line(title, number, request_words(message, table), Mood.ASKS)
    if not hasattr(message, "poss_retrans_flag"):
        return Line(title, number, "", Mood.ASKS)
    report = read_report(message, table)
    again = " (sent again)" if report.again else ""
    words = "" if str(report) == title else str(report)
    if isinstance(report, Rejected | CancelRejected | ReplaceRejected | BusinessRejected):
        return Line(title, number, words + again, Mood.REFUSES)
    if isinstance(report, Accepted | Eliminated):
        return Line(title, number, words + again, Mood.AGREES)
    return Line(title, number, words + again, Mood.TRADES if isinstance(report, Traded) else Mood.AGREES)


def _negotiate(m: Any) -> tuple[str, Mood]:
    who = f"as {text(m.session)}/{text(m.firm)}, UUID {m.uuid}"
    return f"{who}, key {_ends(text(m.access_key_id))}, HMAC {_ends(m.hmac_signature.hex())}", Mood.ASKS


def _negotiation_response(m: Any) -> tuple[str, Mood]:
    before = f", {_previous(m)}" if m.previous_seq_no else ""
    return f"signature verified{_expiry(m)}{before}", Mood.AGREES


def _negotiation_reject(m: Any) -> tuple[str, Mood]:
    return _refusal(m, "NegotiationReject", member(NegotiationRejectCode, m.error_codes)), Mood.REFUSES


def _establish(m: Any) -> tuple[str, Mood]:
    system = " ".join(map(text, (m.trading_system_name, m.trading_system_version)))
    words = f"next number {m.next_seq_no}, keep-alive {_seconds(m.keep_alive_interval)}, {system}"
    return f"{words}, HMAC {_ends(m.hmac_signature.hex())}", Mood.ASKS


def _establishment_ack(m: Any) -> tuple[str, Mood]:
    before = f", {_previous(m)}" if m.previous_seq_no else ""
    words = f"established, the venue's next number {m.next_seq_no}, keep-alive {_seconds(m.keep_alive_interval)}"
    return words + before, Mood.AGREES


def _establishment_reject(m: Any) -> tuple[str, Mood]:
    return _refusal(m, "EstablishmentReject", member(EstablishmentRejectCode, m.error_codes)), Mood.REFUSES


def _sequence(m: Any) -> tuple[str, Mood]:
    words = f"next number {m.next_seq_no}"
    return words + (", is anyone there?" if m.keep_alive_interval_lapsed == 1 else ""), Mood.KEEPS_ALIVE


def _terminate(m: Any) -> tuple[str, Mood]:
    if m.error_codes == TerminateCode.FINISHED:
        return "finished" + (f": {text(m.reason)}" if m.reason else ""), Mood.AGREES
    return _refusal(m, "Terminate", member(TerminateCode, m.error_codes)), Mood.REFUSES


def _retransmit_request(m: Any) -> tuple[str, Mood]:
    return f"please send again {_range(m.from_seq_no, m.msg_count)}{_of_uuid(m)}", Mood.ASKS


def _retransmission(m: Any) -> tuple[str, Mood]:
    return f"sending again {_range(m.from_seq_no, m.msg_count)}{_of_uuid(m)}", Mood.AGREES


def _retransmit_reject(m: Any) -> tuple[str, Mood]:
    code = member(RetransmitRejectCode, m.error_codes)
    return f"refused: {int(code)} ({name(code)}){': ' + text(m.reason) if m.reason else ''}", Mood.REFUSES


def _not_applied(m: Any) -> tuple[str, Mood]:
    return f"not applied: {_range(m.from_seq_no, m.msg_count)} of yours", Mood.REFUSES


_SESSION: Final[Mapping[type[Message], Callable[[Any], tuple[str, Mood]]]] = MappingProxyType(
    {
        messages.Negotiate: _negotiate,
        messages.NegotiationResponse: _negotiation_response,
        messages.NegotiationReject: _negotiation_reject,
        messages.Establish: _establish,
        messages.EstablishmentAck: _establishment_ack,
        messages.EstablishmentReject: _establishment_reject,
        messages.Sequence: _sequence,
        messages.Terminate: _terminate,
        messages.RetransmitRequest: _retransmit_request,
        messages.Retransmission: _retransmission,
        messages.RetransmitReject: _retransmit_reject,
        messages.NotApplied: _not_applied,
    }
)


def _new_order(m: Any, instruments: Instruments) -> str:
    return f"{_terms(m, instruments)}, {_time_in_force(m)}, ClOrdID {text(m.cl_ord_id)}"


def _replace(m: Any, instruments: Instruments) -> str:
    return f"replace {_which(m)} by: {_terms(m, instruments)}, {_time_in_force(m)}"


def _cancel(m: Any, instruments: Instruments) -> str:
    side = name(member(Side, m.side))
    return f"cancel {_which(m)}, {side} {instruments.symbol(m.security_id)}"


_REQUESTS: Final[Mapping[type[Message], Callable[[Any, Instruments], str]]] = MappingProxyType(
    {
        messages.NewOrderSingle: _new_order,
        messages.OrderCancelReplaceRequest: _replace,
        messages.OrderCancelRequest: _cancel,
    }
)


def _terms(m: Any, instruments: Instruments) -> str:
    side = name(member(Side, m.side))
    return f"{side} {m.order_qty} {instruments.symbol(m.security_id)} at {price_text(m.price)}"


def _which(m: Any) -> str:
    return f"ClOrdID {text(m.cl_ord_id)}" if m.order_id == UINT64_NULL else f"order {m.order_id}"


def _time_in_force(m: Any) -> str:
    return "day" if m.time_in_force == UINT8_NULL else duration(member(TimeInForce, m.time_in_force))


def _refusal(m: Any, answer: str, code: NegotiationRejectCode | EstablishmentRejectCode | TerminateCode | int) -> str:
    words = f"{int(code)} ({name(code)}): {advice_for(answer, code).meaning}"
    reason = text(m.reason)
    return f"{words}; {reason}" if reason and reason.lower() != name(code) else words


def _ends(characters: str) -> str:
    return f"{characters[:4]}…{characters[-4:]}"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:g} s"


def _range(first: int, count: int) -> str:
    if count == 1:
        return f"number {first}"
    return f"numbers {first} to {first + count - 1}" if count else f"all from number {first}"


def _of_uuid(m: Any) -> str:
    last = optional(m.last_uuid, UINT64_NULL)
    return "" if last is None or last == m.uuid else f" of UUID {last}"


def _previous(m: Any) -> str:
    return f"UUID {m.previous_uuid} ended at number {m.previous_seq_no}"


def _expiry(m: Any) -> str:
    days = optional(m.secret_key_secure_id_expiration, UINT16_NULL)
    if days is None:
        return ""
    if days < _TEN_YEARS:
        return f", the key expires in {days} days"
    return f", the key expires on {date(1970, 1, 1) + timedelta(days)}"
