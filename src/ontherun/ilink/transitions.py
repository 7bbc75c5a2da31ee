"""The two session state machines as literal tables: a row per state, a column per event.

Two rules govern both tables.

1. Nothing changes a session's state but an entry of its table. Every (state, event) pair has one, of four kinds:
   - a state: the event is allowed; the session acts on it and is in that state afterwards. When what arrived turns out
     to be wrong in itself (a number, a UUID), the event that follows is END, or REJECTED for a login;
   - a TerminateCode (client: VIOLATION): the peer broke the protocol; say so in a Terminate and end;
   - IGNORE: it changes nothing and is not answered. After its own Terminate a side sends nothing more;
   - MISUSE: our own side asked for what the state does not allow; LocalProtocolError is raised and nothing changes.
2. What arrives from the peer and what our own side does or notices are both events; the columns stand in the order of
   the event's enum. Checking a login has states of its own (NEGOTIATING, BINDING, ESTABLISHING), because the answer
   about a key may come later: only then can "in progress" be said.

Sources: CME client wiki, Session Layer, Negotiate, Establish, Terminate, Fault Tolerance. Which state gives 2 or 3, 4
or 6, 19 or 23, and when 24, is not stated there: `SessionPolicy.violations` changes these entries.
"""

from enum import Enum

from ontherun.ilink.codes import TerminateCode


class GatewayState(Enum):
    """Where a connection is, seen from the gateway."""

    UNNEGOTIATED = "connected, nobody has logged in"
    NEGOTIATING = "a Negotiate is being checked"
    NEGOTIATED = "negotiated, Establish is due"
    BINDING = "an Establish without Negotiate on this connection is being checked"
    ESTABLISHING = "an Establish after Negotiate is being checked"
    ESTABLISHED = "business messages flow"
    BACKUP = "established on the designated backup, no business messages"
    TERMINATING = "our Terminate is out, its echo or the end of the connection is awaited"
    TERMINATED = "the client's Terminate is answered, the client closes"
    CLOSED = "the connection is gone"


class GatewayEvent(Enum):
    """What can happen to a connection, seen from the gateway."""

    NEGOTIATE = "Negotiate"
    ESTABLISH = "Establish"
    TERMINATE = "Terminate"
    GATEWAY_MESSAGE = "a template that only a gateway sends"
    UNDECODABLE = "unknown template, wrong schema, or a body that does not decode"
    BAD_FRAME = "bad length or encoding type in the SOFH"
    SEQUENCE = "Sequence"
    RETRANSMIT_REQUEST = "RetransmitRequest"
    BUSINESS = "business message"
    NEGOTIATE_ACCEPTED = "we accept the Negotiate"
    ESTABLISH_ACCEPTED = "we accept the Establish on a primary"
    BACKUP_ACCEPTED = "we accept the Establish on a backup"
    REJECTED = "we reject the login message"
    END = "we send Terminate"
    TIMEOUT = "the state's time is over"
    PROMOTE = "this backup becomes the primary"
    CLOSE = "the connection closed, or we close it"


class Outcome(Enum):
    """Entries of the tables that are no state and no code."""

    IGNORE = "ignored"
    MISUSE = "misuse"
    VIOLATION = "violation"


IGNORE = Outcome.IGNORE
MISUSE = Outcome.MISUSE
VIOLATION = Outcome.VIOLATION

GatewayEntry = GatewayState | TerminateCode | Outcome

# fmt: off
S, E = GatewayState, GatewayEvent
T1, T2, T3, T4, T5, T6, T7 = map(TerminateCode, range(1, 8))
T18, T19, T20, T23, T24 = map(TerminateCode, (18, 19, 20, 23, 24))

_LOGIN: dict[GatewayState, tuple[GatewayEntry, ...]] = {
    #                NEGOTIATE      ESTABLISH       TERMINATE     GATEWAY_MESSAGE  UNDECODABLE  BAD_FRAME
    S.UNNEGOTIATED: (S.NEGOTIATING, S.BINDING,      T2,           T23,             T19,         T18),
    S.NEGOTIATING:  (T5,            T2,             T2,           T23,             T19,         T18),
    S.NEGOTIATED:   (T4,            S.ESTABLISHING, S.TERMINATED, T23,             T19,         T18),
    S.BINDING:      (T4,            T7,             T3,           T23,             T19,         T18),
    S.ESTABLISHING: (T4,            T7,             S.TERMINATED, T23,             T19,         T18),
    S.ESTABLISHED:  (T4,            T6,             S.TERMINATED, T23,             T19,         T18),
    S.BACKUP:       (S.BACKUP,      T6,             S.TERMINATED, T23,             T19,         T18),
    S.TERMINATING:  (IGNORE,        IGNORE,         S.CLOSED,     IGNORE,          IGNORE,      IGNORE),
    S.TERMINATED:   (IGNORE,        IGNORE,         T24,          IGNORE,          IGNORE,      IGNORE),
    S.CLOSED:       (IGNORE,        IGNORE,         IGNORE,       IGNORE,          IGNORE,      IGNORE),
}
_TRAFFIC: dict[GatewayState, tuple[GatewayEntry, ...]] = {
    #                SEQUENCE       RETRANSMIT_REQUEST  BUSINESS
    S.UNNEGOTIATED: (T2,            T2,                 T2),
    S.NEGOTIATING:  (T2,            T2,                 T2),
    S.NEGOTIATED:   (T3,            T3,                 T3),
    S.BINDING:      (T3,            T3,                 T3),
    S.ESTABLISHING: (T3,            T3,                 T3),
    S.ESTABLISHED:  (S.ESTABLISHED, S.ESTABLISHED,      S.ESTABLISHED),
    S.BACKUP:       (S.BACKUP,      S.BACKUP,           S.BACKUP),
    S.TERMINATING:  (IGNORE,        IGNORE,             IGNORE),
    S.TERMINATED:   (IGNORE,        IGNORE,             IGNORE),
    S.CLOSED:       (IGNORE,        IGNORE,             IGNORE),
}
_VERDICT: dict[GatewayState, tuple[GatewayEntry, ...]] = {
    #                NEGOTIATE_ACCEPTED  ESTABLISH_ACCEPTED  BACKUP_ACCEPTED  REJECTED
    S.UNNEGOTIATED: (MISUSE,             MISUSE,             MISUSE,          MISUSE),
    S.NEGOTIATING:  (S.NEGOTIATED,       MISUSE,             MISUSE,          S.UNNEGOTIATED),
    S.NEGOTIATED:   (MISUSE,             MISUSE,             MISUSE,          MISUSE),
    S.BINDING:      (MISUSE,             S.ESTABLISHED,      S.BACKUP,        S.UNNEGOTIATED),
    S.ESTABLISHING: (MISUSE,             S.ESTABLISHED,      MISUSE,          S.NEGOTIATED),
    S.ESTABLISHED:  (MISUSE,             MISUSE,             MISUSE,          MISUSE),
    S.BACKUP:       (MISUSE,             MISUSE,             MISUSE,          MISUSE),
    S.TERMINATING:  (MISUSE,             MISUSE,             MISUSE,          MISUSE),
    S.TERMINATED:   (MISUSE,             MISUSE,             MISUSE,          MISUSE),
    S.CLOSED:       (MISUSE,             MISUSE,             MISUSE,          MISUSE),
}
_OWN: dict[GatewayState, tuple[GatewayEntry, ...]] = {
    #                END            TIMEOUT         PROMOTE        CLOSE
    S.UNNEGOTIATED: (S.TERMINATING, T1,             MISUSE,        S.CLOSED),
    S.NEGOTIATING:  (S.TERMINATING, S.UNNEGOTIATED, MISUSE,        S.CLOSED),
    S.NEGOTIATED:   (S.TERMINATING, T1,             MISUSE,        S.CLOSED),
    S.BINDING:      (S.TERMINATING, S.UNNEGOTIATED, MISUSE,        S.CLOSED),
    S.ESTABLISHING: (S.TERMINATING, S.NEGOTIATED,   MISUSE,        S.CLOSED),
    S.ESTABLISHED:  (S.TERMINATING, T20,            MISUSE,        S.CLOSED),
    S.BACKUP:       (S.TERMINATING, T20,            S.ESTABLISHED, S.CLOSED),
    S.TERMINATING:  (IGNORE,        S.CLOSED,       MISUSE,        S.CLOSED),
    S.TERMINATED:   (S.TERMINATING, S.CLOSED,       MISUSE,        S.CLOSED),
    S.CLOSED:       (IGNORE,        IGNORE,         MISUSE,        IGNORE),
}
# fmt: on

GATEWAY: dict[GatewayState, dict[GatewayEvent, GatewayEntry]] = {
    state: dict(zip(E, _LOGIN[state] + _TRAFFIC[state] + _VERDICT[state] + _OWN[state], strict=True)) for state in S
}


class ClientState(Enum):
    """Where a connection is, seen from the client."""

    CONNECTED = "connected, nothing asked"
    NEGOTIATING = "Negotiate is out"
    NEGOTIATED = "negotiated, Establish is due"
    BINDING = "Establish without Negotiate on this connection is out"
    BINDING_BACKUP = "Establish is out on the designated backup"
    ESTABLISHING = "Establish after Negotiate is out"
    ESTABLISHED = "business messages flow"
    BACKUP = "established on the designated backup, no business messages"
    TERMINATING = "our Terminate is out, the answer is awaited"
    CLOSED = "the connection is gone"


class ClientEvent(Enum):
    """What can happen to a connection, seen from the client."""

    NEGOTIATION_RESPONSE = "NegotiationResponse"
    NEGOTIATION_REJECT = "NegotiationReject"
    ESTABLISHMENT_ACK = "EstablishmentAck"
    ESTABLISHMENT_REJECT = "EstablishmentReject"
    SEQUENCE = "Sequence"
    RETRANSMISSION = "Retransmission"
    RETRANSMIT_REJECT = "RetransmitReject"
    NOT_APPLIED = "NotApplied"
    BUSINESS = "business message"
    TERMINATE = "Terminate"
    CLIENT_MESSAGE = "a template that only a client sends"
    UNDECODABLE = "unknown template, wrong schema, or a body that does not decode"
    BAD_FRAME = "bad length or encoding type in the SOFH"
    SEND_NEGOTIATE = "we send Negotiate"
    SEND_ESTABLISH = "we send Establish"
    SEND_BACKUP_ESTABLISH = "we send Establish to a backup"
    SEND_BUSINESS = "we send a business message or rewind its number"
    SEND_TERMINATE = "we send Terminate"
    TIMEOUT = "the state's time is over"
    PROMOTED = "this backup became the primary"
    CLOSE = "the connection closed, or we close it"


ClientEntry = ClientState | Outcome


# fmt: off
C = ClientState

_ANSWERS: dict[ClientState, tuple[ClientEntry, ...]] = {
    #                  NEGOTIATION_RESPONSE  NEGOTIATION_REJECT  ESTABLISHMENT_ACK  ESTABLISHMENT_REJECT
    C.CONNECTED:      (VIOLATION,            VIOLATION,          VIOLATION,         VIOLATION),
    C.NEGOTIATING:    (C.NEGOTIATED,         C.CONNECTED,        VIOLATION,         VIOLATION),
    C.NEGOTIATED:     (VIOLATION,            VIOLATION,          VIOLATION,         VIOLATION),
    C.BINDING:        (VIOLATION,            VIOLATION,          C.ESTABLISHED,     C.CONNECTED),
    C.BINDING_BACKUP: (VIOLATION,            VIOLATION,          C.BACKUP,          C.CONNECTED),
    C.ESTABLISHING:   (VIOLATION,            VIOLATION,          C.ESTABLISHED,     C.NEGOTIATED),
    C.ESTABLISHED:    (VIOLATION,            VIOLATION,          VIOLATION,         VIOLATION),
    C.BACKUP:         (VIOLATION,            VIOLATION,          VIOLATION,         VIOLATION),
    C.TERMINATING:    (IGNORE,               IGNORE,             IGNORE,            IGNORE),
    C.CLOSED:         (IGNORE,               IGNORE,             IGNORE,            IGNORE),
}
_FLOW: dict[ClientState, tuple[ClientEntry, ...]] = {
    #                  SEQUENCE       RETRANSMISSION  RETRANSMIT_REJECT  NOT_APPLIED    BUSINESS
    C.CONNECTED:      (VIOLATION,     VIOLATION,      VIOLATION,         VIOLATION,     VIOLATION),
    C.NEGOTIATING:    (VIOLATION,     VIOLATION,      VIOLATION,         VIOLATION,     VIOLATION),
    C.NEGOTIATED:     (VIOLATION,     VIOLATION,      VIOLATION,         VIOLATION,     VIOLATION),
    C.BINDING:        (VIOLATION,     VIOLATION,      VIOLATION,         C.BINDING,     VIOLATION),
    C.BINDING_BACKUP: (VIOLATION,     VIOLATION,      VIOLATION,         VIOLATION,     VIOLATION),
    C.ESTABLISHING:   (VIOLATION,     VIOLATION,      VIOLATION,         C.ESTABLISHING, VIOLATION),
    C.ESTABLISHED:    (C.ESTABLISHED, C.ESTABLISHED,  C.ESTABLISHED,     C.ESTABLISHED, C.ESTABLISHED),
    C.BACKUP:         (C.BACKUP,      VIOLATION,      VIOLATION,         VIOLATION,     C.BACKUP),
    C.TERMINATING:    (IGNORE,        IGNORE,         IGNORE,            C.TERMINATING, C.TERMINATING),
    C.CLOSED:         (IGNORE,        IGNORE,         IGNORE,            IGNORE,        IGNORE),
}
_ENDS: dict[ClientState, tuple[ClientEntry, ...]] = {
    #                  TERMINATE  CLIENT_MESSAGE  UNDECODABLE  BAD_FRAME
    C.CONNECTED:      (C.CLOSED,  VIOLATION,      VIOLATION,   VIOLATION),
    C.NEGOTIATING:    (C.CLOSED,  VIOLATION,      VIOLATION,   VIOLATION),
    C.NEGOTIATED:     (C.CLOSED,  VIOLATION,      VIOLATION,   VIOLATION),
    C.BINDING:        (C.CLOSED,  VIOLATION,      VIOLATION,   VIOLATION),
    C.BINDING_BACKUP: (C.CLOSED,  VIOLATION,      VIOLATION,   VIOLATION),
    C.ESTABLISHING:   (C.CLOSED,  VIOLATION,      VIOLATION,   VIOLATION),
    C.ESTABLISHED:    (C.CLOSED,  VIOLATION,      VIOLATION,   VIOLATION),
    C.BACKUP:         (C.CLOSED,  VIOLATION,      VIOLATION,   VIOLATION),
    C.TERMINATING:    (C.CLOSED,  IGNORE,         IGNORE,      IGNORE),
    C.CLOSED:         (IGNORE,    IGNORE,         IGNORE,      IGNORE),
}
_CLIENT_OWN: dict[ClientState, tuple[ClientEntry, ...]] = {
    #                  SEND_NEGOTIATE SEND_ESTABLISH  ..._BACKUP_ESTABLISH SEND_BUSINESS  SEND_TERMINATE
    C.CONNECTED:      (C.NEGOTIATING, C.BINDING,      C.BINDING_BACKUP,    MISUSE,        MISUSE),
    C.NEGOTIATING:    (MISUSE,        MISUSE,         MISUSE,              MISUSE,        MISUSE),
    C.NEGOTIATED:     (MISUSE,        C.ESTABLISHING, MISUSE,              MISUSE,        C.TERMINATING),
    C.BINDING:        (MISUSE,        MISUSE,         MISUSE,              MISUSE,        MISUSE),
    C.BINDING_BACKUP: (MISUSE,        MISUSE,         MISUSE,              MISUSE,        MISUSE),
    C.ESTABLISHING:   (MISUSE,        MISUSE,         MISUSE,              MISUSE,        C.TERMINATING),
    C.ESTABLISHED:    (MISUSE,        MISUSE,         MISUSE,              C.ESTABLISHED, C.TERMINATING),
    C.BACKUP:         (MISUSE,        MISUSE,         MISUSE,              MISUSE,        C.TERMINATING),
    C.TERMINATING:    (MISUSE,        MISUSE,         MISUSE,              MISUSE,        MISUSE),
    C.CLOSED:         (MISUSE,        MISUSE,         MISUSE,              MISUSE,        MISUSE),
}
_CLIENT_NOTICED: dict[ClientState, tuple[ClientEntry, ...]] = {
    #                  TIMEOUT    PROMOTED       CLOSE
    C.CONNECTED:      (IGNORE,    MISUSE,        C.CLOSED),
    C.NEGOTIATING:    (C.CLOSED,  MISUSE,        C.CLOSED),
    C.NEGOTIATED:     (IGNORE,    MISUSE,        C.CLOSED),
    C.BINDING:        (C.CLOSED,  MISUSE,        C.CLOSED),
    C.BINDING_BACKUP: (C.CLOSED,  MISUSE,        C.CLOSED),
    C.ESTABLISHING:   (C.CLOSED,  MISUSE,        C.CLOSED),
    C.ESTABLISHED:    (VIOLATION, MISUSE,        C.CLOSED),
    C.BACKUP:         (VIOLATION, C.ESTABLISHED, C.CLOSED),
    C.TERMINATING:    (C.CLOSED,  MISUSE,        C.CLOSED),
    C.CLOSED:         (IGNORE,    MISUSE,        IGNORE),
}
# fmt: on

CLIENT: dict[ClientState, dict[ClientEvent, ClientEntry]] = {
    state: dict(
        zip(
            ClientEvent,
            _ANSWERS[state] + _FLOW[state] + _ENDS[state] + _CLIENT_OWN[state] + _CLIENT_NOTICED[state],
            strict=True,
        )
    )
    for state in C
}
