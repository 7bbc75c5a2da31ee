"""SessionPolicy: what the sources leave open or an operator may want otherwise, each as a named field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from ontherun.ilink.codes import TerminateCode
from ontherun.ilink.transitions import GatewayEvent, GatewayState

SECOND = 1_000_000_000


class KeyExpiry(Enum):
    """What SecretKeySecureIDExpiration (39022) counts: the schema and the wiki disagree."""

    DAYS_LEFT = "whole days left until the key expires"  # description in the schema, id 8 version 9
    DAYS_SINCE_EPOCH = "the expiry date as days since 1970-01-01"  # CME client wiki, Negotiation Response


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """How a gateway session behaves where the protocol leaves room. Times are ns, keep-alive intervals ms.

    Certain by the sources (change them only to test a client):

    - `login_timeout`: Establish must arrive within 60 s of the NegotiationResponse, else Terminate 1. It also limits
      a connection that never logs in, for which the sources name no limit.
    - `stale_after`: a RequestTimestamp older than this is refused with code 3.
    - `authority_timeout`: without an answer about the key for this long the login is refused with code 1.
    - `keep_alive_min`, `keep_alive_max`: KeepAliveInterval outside is refused with code 11.
    - `port_closure`: the fifth bad login within 60 s closes the session's ports (Terminate 8). Off lets a test suite
      fail as often as it likes.

    Not stated, or stated differently by different sources:

    - `future_tolerance`: how far ahead of our clock a RequestTimestamp may be. Not stated; as wide as `stale_after`.
    - `versions`: schema versions accepted in a client's message header. Answers are always version 9 blocks: a
      version 8 peer skips the byte it does not know. Any other version, like any other schema id, is Terminate 19.
    - `environment_indicator`: EnvironmentIndicator (39032); no list of values is published, so null.
    - `key_expiry`: meaning of SecretKeySecureIDExpiration.
    - `close_after_reject`: whether the socket closes after a 502 or 505. Not stated; the text on port closure speaks
      of repeated attempts, so it stays open.
    - `close_grace`: how long after the last Terminate the socket stays open, so that the peer can read it.
    - `duplicate_negotiate`, `duplicate_establish`: answer to a second connection of a session that is established
      already; the first one stays. Not stated.
    - `ack_before_not_applied`: an Establish whose NextSeqNo is too high gets its 504 and then NotApplied (or the
      other way round).
    - `missing_next_seq_no_is_rejected`: an Establish with a null NextSeqNo gets reject 22, which only other
      implementations know, instead of Terminate 21.
    - `sign_padded_text`: canonical texts keep the NUL padding of Session and Firm. Not stated; everything points to
      trimmed texts.
    - `sequence_opens_gap`: a Sequence from the client that jumps ahead, with no NotApplied open, is answered with
      NotApplied, as FIXP does; otherwise it is taken as a gap fill at once.
    - `cut_retransmission`: a request under the current UUID that reaches beyond the last message is answered with
      what there is; otherwise RetransmitReject 0.
    - `backup_stays_primary`: after a promotion the designated backup's listener is the primary, and the designated
      primary's the backup, until the next promotion or start (CME client wiki, Fault Tolerance: CME may keep the
      backup as primary). Otherwise each listener has its designated role for whoever logs in next, and only the
      promoted sessions are primary on the other one. Read by the gateway.
    - `logins_per_window`: Negotiate and Establish messages of one session and segment within 3 s before code 15,
      Volume Controls. The limit for administrative messages is not published; the default is the published reject
      threshold of the Common module (500 messages a second over 3 s). 0 switches it off.
    - `split_safeguard`: whether business messages that arrive in pieces are told as such: SplitMsg in the answers, and
      Terminate 29 when more than `split_limit` of them are delayed at once. Certain for the exchange (50 messages on
      BrokerTec), but what it sees are TCP segments; whoever writes many messages at once is split by any network, so
      it is off, and SplitMsg is null.
    - `session_ends_with_key`: whether a live session ends, with Terminate 23, once the key pair that it logged in with
      is valid no longer: expired at a market close, deleted, deactivated. Not stated; the key is needed to log in, so
      a session stays until its next login.
    - `undecodable_business_is_rejected`: a business message whose body does not decode gets BusinessReject 109 and
      consumes its number; otherwise Terminate 19. Read by the gateway, which decodes business messages.
    - `clock_offset`: for a clock that can be moved (a lab's): how far it is ahead of the machine's, ns. A client under
      test keeps the machine's time, so a RequestTimestamp that is fresh by either clock is accepted, and a last one
      that lies in the future, since the clock was moved back, binds nobody. None: a clock that nobody moves.
    - `violations`: entries of the transition table to override, by (state, peer's event): another code, or None to
      ignore the message. The wiki lists the codes without saying which state gives which: 2 or 3 before
      establishment, 4 or 6 for a Negotiate when established, 19 or 23 for templates that only a gateway sends, 24 or
      silence for a second Terminate.
    """

    login_timeout: int = 60 * SECOND
    stale_after: int = 5 * SECOND
    future_tolerance: int = 5 * SECOND
    authority_timeout: int = 5 * SECOND
    keep_alive_min: int = 5_000
    keep_alive_max: int = 60_000
    port_closure: bool = True
    versions: frozenset[int] = frozenset({8, 9})
    environment_indicator: int = 255
    key_expiry: KeyExpiry = KeyExpiry.DAYS_LEFT
    close_after_reject: bool = False
    close_grace: int = SECOND
    duplicate_negotiate: TerminateCode = TerminateCode.ALREADY_NEGOTIATED
    duplicate_establish: TerminateCode = TerminateCode.ALREADY_ESTABLISHED
    ack_before_not_applied: bool = True
    missing_next_seq_no_is_rejected: bool = False
    sign_padded_text: bool = False
    sequence_opens_gap: bool = True
    cut_retransmission: bool = True
    backup_stays_primary: bool = True
    logins_per_window: int = 1_500
    split_safeguard: bool = False
    split_limit: int = 50
    session_ends_with_key: bool = False
    undecodable_business_is_rejected: bool = True
    clock_offset: Callable[[], int] | None = None
    violations: Mapping[tuple[GatewayState, GatewayEvent], TerminateCode | None] = field(default_factory=dict)
