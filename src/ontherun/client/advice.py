"""What the codes that end a login mean, and what typically causes them.

Sources: CME client wiki, Negotiation Reject, Establishment Reject and Terminate; the causes are the mistakes that
implementers report.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from ontherun.ilink.codes import EstablishmentRejectCode, NegotiationRejectCode, TerminateCode

LoginCode = NegotiationRejectCode | EstablishmentRejectCode | TerminateCode | int


class Advice(NamedTuple):
    """A code in plain words: what it means, and what to look at, most likely first."""

    meaning: str
    causes: tuple[str, ...] = ()


_CLOCK: Final = (
    "this machine's clock is wrong: RequestTimestamp must be within 5 s of the venue's",
    "the timestamp was used before: each login message needs a greater one",
    "RequestTimestamp is not in nanoseconds",
)
_FIRM_AND_PORT: Final = (
    "the session is not authorized for this Globex Firm ID",
    "the session is not authorized for this market segment: each segment has its own address",
    "the session is blocked",
)

_REJECT: Final[Mapping[int, Advice]] = {
    0: Advice(
        "the venue does not accept the key or the signature",
        (
            "the Access Key ID and the Secret Key are not from the same pair",
            "the key pair belongs to another session, has expired, or was deleted",
            "the Secret Key was signed with as text: it must be base64url-decoded to 32 bytes first",
            "the signed text ends with a line feed, or Firm was signed with its NUL padding",
        ),
    ),
    1: Advice(
        "the venue could not check the signature now", ("the venue's key service did not answer: try again later",)
    ),
    3: Advice("RequestTimestamp is stale, repeated or out of range", _CLOCK),
    4: Advice("HMACSignature is missing"),
    5: Advice("AccessKeyID is missing"),
    6: Advice("Session is missing"),
    7: Advice("Firm is missing"),
    9: Advice("RequestTimestamp is missing"),
    10: Advice("this session and firm may not log in at this address", _FIRM_AND_PORT),
    11: Advice("KeepAliveInterval is outside the limits", ("allowed are 5,000 to 60,000 ms",)),
    12: Advice("AccessKeyID holds a character that is not printable"),
    13: Advice("Session holds a character that is not printable"),
    14: Advice("Firm holds a character that is not printable"),
    15: Advice(
        "too many login messages in a short time (Volume Controls)", ("wait a few seconds before the next login",)
    ),
    16: Advice("a split login message was dropped"),
    17: Advice("too many split messages are queued"),
    18: Advice("TradingSystemName is missing"),
    19: Advice("TradingSystemVersion is missing"),
    20: Advice("TradingSystemVendor is missing"),
    21: Advice("KeepAliveInterval is missing"),
    22: Advice("NextSeqNo is missing"),
    23: Advice("TradingSystemName holds a character that is not printable"),
    24: Advice("TradingSystemVersion holds a character that is not printable"),
    25: Advice("TradingSystemVendor holds a character that is not printable"),
    27: Advice(
        "this is the designated backup, and the primary is not logged in", ("log in at the primary's address first",)
    ),
    28: Advice("Negotiate is not allowed on the backup while the primary is established", ("send Establish alone",)),
}

_TERMINATE: Final[Mapping[int, Advice]] = {
    0: Advice("the venue ended the session"),
    1: Advice("no Establish came within 60 s of the NegotiationResponse"),
    2: Advice(
        "this UUID is not negotiated", ("a new trading week began, or the venue lost its memory: negotiate a new UUID",)
    ),
    3: Advice("a message came before the session was established"),
    4: Advice("the session is already negotiated", ("another process is logged in with this session",)),
    6: Advice("the session is already established", ("another process is logged in with this session",)),
    8: Advice(
        "too many bad logins: the session's ports are closed",
        (
            "five bad logins came within 60 s",
            "an administrator must open the ports again: with ontherun, ontherun session open-port SESSION",
        ),
    ),
    9: Advice("too many messages (Volume Controls)"),
    10: Advice(
        "NextSeqNo is not what the venue expects",
        ("the client's state is older than the venue's", "at the start of a week the first number is 1"),
    ),
    13: Advice(
        "the UUID is not acceptable",
        ("a new UUID must be greater than every UUID that the session used before this week",),
    ),
    14: Advice("RequestTimestamp is out of range", _CLOCK),
    18: Advice("the venue could not find the message's frame", ("the address does not speak iLink 3",)),
    19: Advice("the venue could not decode the login message"),
    20: Advice("nothing was heard for two keep-alive intervals"),
    26: Advice("the primary ended, and with it this backup"),
}

_UNKNOWN: Final = Advice("the code is not in the standard's list")


def advice_for(answer: str, code: int) -> Advice:
    """What `code` means in the message `answer`: "NegotiationReject", "EstablishmentReject" or "Terminate"."""
    return (_TERMINATE if answer == "Terminate" else _REJECT).get(int(code), _UNKNOWN)


def code_text(code: LoginCode) -> str:
    """The standard's name of the code; "unknown" for a number that it does not list."""
    return getattr(code, "name", "unknown")
