"""What a client session tells its user, and what it asks of its socket, in this order, after each call."""

from dataclasses import dataclass

from ontherun.ilink.actions import Close, Send


@dataclass(slots=True)
class NegotiationAccepted:
    """NegotiationResponse: send Establish next. `key_expiry` is SecretKeySecureIDExpiration, 65535 if unknown.

    `new_week`: the gateway knows no UUID of ours any more; what is missing now was published under UUID 0.
    """

    previous_uuid: int
    previous_seq_no: int
    key_expiry: int
    new_week: bool = False


@dataclass(slots=True)
class EstablishmentAccepted:
    """EstablishmentAck: on a primary, business may flow; the messages missed are asked for already."""

    backup: bool
    previous_uuid: int
    previous_seq_no: int
    keep_alive_interval: int
    key_expiry: int


@dataclass(slots=True)
class LoginRejected:
    """NegotiationReject or EstablishmentReject; `message` is "Negotiate" or "Establish"."""

    message: str
    code: int
    code_name: str
    reason: str


@dataclass(slots=True)
class BusinessMessage:
    """One business message, in order and once: `frame` is whole, `seq_num` counts under `uuid`."""

    template_id: int
    uuid: int
    seq_num: int
    poss_retrans: bool
    frame: bytes


@dataclass(slots=True)
class NumbersNotApplied:
    """The gateway applied none of our messages `from_seq_no` .. `from_seq_no + count - 1`.

    `filled`: a Sequence of ours gives these numbers up. Otherwise call `rewind(from_seq_no)` and send again what
    still holds.
    """

    from_seq_no: int
    count: int
    filled: bool


@dataclass(slots=True)
class MessagesRequested:
    """These messages of the gateway did not come, or may not have come: a RetransmitRequest asks for them."""

    uuid: int
    from_seq_no: int
    count: int


@dataclass(slots=True)
class MessagesRecovered:
    """The messages that were asked for from `from_seq_no` on have come; `count` of them."""

    uuid: int
    from_seq_no: int
    count: int


@dataclass(slots=True)
class MessagesLost:
    """These messages of the gateway cannot be fetched; the session goes on after them."""

    uuid: int
    from_seq_no: int
    count: int
    reason: str


@dataclass(slots=True)
class PromotedToPrimary:
    """This backup is the primary now: trade here."""


@dataclass(slots=True)
class Violation:
    """The gateway broke the protocol, or fell silent; the session ends."""

    reason: str


@dataclass(slots=True)
class Ended:
    """The session ended by a Terminate with this code, or because a login got no answer (code -1)."""

    code: int
    code_name: str
    reason: str


Event = (
    Send
    | Close
    | NegotiationAccepted
    | EstablishmentAccepted
    | LoginRejected
    | BusinessMessage
    | NumbersNotApplied
    | MessagesRequested
    | MessagesRecovered
    | MessagesLost
    | PromotedToPrimary
    | Violation
    | Ended
)
