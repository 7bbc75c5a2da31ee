"""The login of a GatewaySession: Negotiate and Establish in, their answers, records and traces out."""

import hmac

from ontherun.ilink.actions import Action, Record, Send, Trace
from ontherun.ilink.authority import AuthorityUnavailable, Key, KeyAnswer, KeyPending, NoKey
from ontherun.ilink.codes import EstablishmentRejectCode, NegotiationRejectCode, TerminateCode, words
from ontherun.ilink.diagnosis import diagnose
from ontherun.ilink.gateway_connection import GatewayConnection, told
from ontherun.ilink.login import Login, Refusal, check_before_key, check_next_seq_no, check_role
from ontherun.ilink.messages import (
    UINT8_NULL,
    UINT16_NULL,
    Establish,
    EstablishmentAck,
    EstablishmentReject,
    Negotiate,
    NegotiationReject,
    NegotiationResponse,
    Terminate,
)
from ontherun.ilink.policy import KeyExpiry
from ontherun.ilink.records import Established, Negotiated, Role
from ontherun.ilink.signing import SECRET_BYTES, sign
from ontherun.ilink.stream import Stream
from ontherun.ilink.trace import LoginTrace, Verdict
from ontherun.ilink.transitions import GatewayEvent, GatewayState, Outcome
from ontherun.sbe.errors import DecodeError

_STAND_IN = bytes(SECRET_BYTES)  # signs for an unknown key, so that the work is equal; what it signed never passes
_DAY = 86_400_000_000_000  # ns
_UNAVAILABLE = Refusal(EstablishmentRejectCode.HMAC_NOT_AVAILABLE, "the keys cannot be asked", counts=False)


class GatewayLogin(GatewayConnection):
    """Negotiate and Establish."""

    __slots__ = ()

    def _receive_login(self, kind: type[Negotiate | Establish], frame: bytes, now: int) -> list[Action]:
        answer = self._take(GatewayEvent.NEGOTIATE if kind is Negotiate else GatewayEvent.ESTABLISH)
        if isinstance(answer, Outcome):
            return []
        try:
            login = Login(kind.decode(frame))
        except DecodeError as fault:
            trace = LoginTrace(kind.__name__, now, self.segment, self.role)
            code = TerminateCode.DECODING_ERROR if answer is None else answer.code
            actions = self._end_by(answer or Refusal(code, str(fault), counts=False), now)
            return [*actions, told(trace, Verdict.TERMINATED, code, str(fault))]
        if answer is not None:
            login.stream = self._known_stream()
            return self._refuse(login, answer, now)
        if self._bound:
            login.stream = self.stream
            reason = "Negotiate on a backup that is established"
            refusal = Refusal(EstablishmentRejectCode.NEGOTIATE_NOT_ALLOWED, reason, counts=False)
            return self._refuse(login, refusal, now)
        login.stream = self._streams.get(login.session, self.segment)
        return self._judge(login, now)

    def _judge(self, login: Login, now: int) -> list[Action]:
        """Everything that can be said before the key is known, then the key."""
        stream = login.stream
        if not self._authority.source_allowed(login.session, self._source):
            reason = f"the address {self._source} is not in the allow-list of session {login.session}"
            return self._refuse(login, Refusal(EstablishmentRejectCode.SESSION_BLOCKED, reason, counts=False), now)
        refusal = self._check(login, now)
        if refusal is not None:
            return self._refuse(login, refusal, now)
        try:
            if stream is None or not self._authority.allowed(login.session, login.firm, self.segment):
                who = f"session {login.session} with firm {login.firm}"
                blocked = Refusal(EstablishmentRejectCode.SESSION_BLOCKED, f"{who} may not log in to this segment")
                return self._refuse(login, blocked, now)
            answer = self._authority.key(login.key_id, login.session, now)
        except AuthorityUnavailable:
            return self._refuse(login, _UNAVAILABLE, now)
        if isinstance(answer, KeyPending):
            self._login = login
            self._deadline = now + self._policy.authority_timeout
            return []
        return self._verify(login, stream, answer, now)

    def _check(self, login: Login, now: int) -> Refusal | None:
        negotiated = self.stream if self.state is GatewayState.ESTABLISHING else None
        return check_before_key(login, self.role, negotiated, self._policy, now)

    def resolve(self, answer: KeyAnswer | None, now: int) -> list[Action]:
        """Go on with a login for which the authority said KeyPending; None: the keys cannot be asked.

        An answer that comes when the connection has gone on without it changes nothing.
        """
        login = self._login
        if login is None or login.stream is None or isinstance(answer, KeyPending):
            return []
        if answer is None:
            return self._refuse(login, _UNAVAILABLE, now)
        refusal = self._check(login, now)  # again: another connection may have logged in meanwhile
        if refusal is not None:
            return self._refuse(login, refusal, now)
        return self._verify(login, login.stream, answer, now)

    def _verify(self, login: Login, stream: Stream, answer: Key | NoKey, now: int) -> list[Action]:
        message = login.message
        secret: bytes | None = getattr(answer, "secret", None)
        key = _STAND_IN if secret is None else secret
        matches = hmac.compare_digest(sign(key, login.sign_text(self._policy)), message.hmac_signature)
        if secret is None or not matches:
            mistake = diagnose(message.hmac_signature, key, message.access_key_id, login.text)
            if secret is None:
                login.key_state = getattr(answer, "state", "unknown")
                reason = f"no valid key: {login.key_state}"
            else:
                login.key_state, login.diagnosis = "valid", mistake
                reason = "HMACSignature is not what this key makes of the received values"
            return self._refuse(login, Refusal(EstablishmentRejectCode.HMAC_NOT_AUTHENTICATED, reason), now)
        login.key_state = "valid"
        refusal = check_role(message, stream, self.role, self._policy)
        if refusal is None and isinstance(message, Establish):
            refusal = check_next_seq_no(message, stream, self.role)
        if refusal is not None:
            return self._refuse(login, refusal, now)
        self.stream = stream
        self.key_expires_at = getattr(answer, "expires_at", 0)
        return self._accept(login, now)

    # Acceptance

    def _accept(self, login: Login, now: int) -> list[Action]:
        message = login.message
        self._login = None
        self.uuid = message.uuid
        self.firm = login.firm
        self.access_key_id = login.key_id
        self.last_sent = now
        trace = self._trace(login, now)
        trace.verdict, trace.reason = Verdict.ACCEPTED, "accepted"
        if isinstance(message, Negotiate):
            trace.code_name = "NegotiationResponse"
            actions = self._accept_negotiate(message, now)
        else:
            trace.code_name = "EstablishmentAck"
            actions = self._accept_establish(message, now)
        actions.append(Trace(trace))
        return actions

    def _accept_negotiate(self, message: Negotiate, now: int) -> list[Action]:
        stream, timestamp = self.stream, message.request_timestamp
        record = Negotiated(stream.session, self.segment, now, self.firm, message.uuid, timestamp)
        stream.apply(record)
        self._step(GatewayEvent.NEGOTIATE_ACCEPTED)
        self._login_by = self._deadline = now + self._policy.login_timeout
        frame = NegotiationResponse.pack(
            message.uuid,
            timestamp,
            self._key_expiry(now),
            self.role,
            UINT8_NULL,
            stream.next_outbound - 1,
            stream.uuid,
            self._policy.environment_indicator,
            b"",
        )
        return [Record(record), Send(frame)]

    def _accept_establish(self, message: Establish, now: int) -> list[Action]:
        stream, timestamp = self.stream, message.request_timestamp
        record = Established(stream.session, self.segment, now, self.firm, message.uuid, timestamp, self.role)
        stream.apply(record)
        primary = self.role is Role.PRIMARY
        self._step(GatewayEvent.ESTABLISH_ACCEPTED if primary else GatewayEvent.BACKUP_ACCEPTED)
        self._bound = True
        self.keep_alive_interval = message.keep_alive_interval
        frame = EstablishmentAck.pack(
            message.uuid,
            timestamp,
            stream.next_outbound if primary else 0,
            stream.previous_seq_no,
            stream.previous_uuid,
            message.keep_alive_interval,
            self._key_expiry(now),
            self.role,
            UINT8_NULL,
            self._policy.environment_indicator,
        )
        actions: list[Action] = [Record(record), Send(frame)]
        if primary and message.next_seq_no > stream.next_inbound:
            gap = self._not_applied(message.next_seq_no, now)
            actions.insert(2 if self._policy.ack_before_not_applied else 1, gap)
        return actions

    def _key_expiry(self, now: int) -> int:
        if not self.key_expires_at:
            return UINT16_NULL
        since = now if self._policy.key_expiry is KeyExpiry.DAYS_LEFT else 0
        return min(max(self.key_expires_at - since, 0) // _DAY, UINT16_NULL - 1)

    # Refusal

    def _refuse(self, login: Login, refusal: Refusal, now: int) -> list[Action]:
        """Answer a login message with its reject or with Terminate, and trace it."""
        message = login.message
        if login is self._login:
            self._login = None
        rejected = isinstance(refusal.code, EstablishmentRejectCode)
        reject = NegotiationReject if isinstance(message, Negotiate) else EstablishmentReject
        template = reject.TEMPLATE_ID if rejected else Terminate.TEMPLATE_ID
        refusal, actions = self._count(refusal, login.stream, template, now)
        code = refusal.code
        trace = self._trace(login, now)
        if isinstance(code, TerminateCode):
            actions += self._end(code, words(code), message.uuid, message.request_timestamp, now)
            return [*actions, told(trace, Verdict.TERMINATED, code, refusal.reason)]
        actions.append(self._reject(login, code, now))
        if not self._bound:
            self._step(GatewayEvent.REJECTED)
            self._deadline = self._login_by
        name = NegotiationRejectCode(code) if isinstance(message, Negotiate) else code
        actions.append(told(trace, Verdict.REJECTED, name, refusal.reason))
        if self._policy.close_after_reject:
            actions += self._close(now)
        return actions

    def _reject(self, login: Login, code: EstablishmentRejectCode, now: int) -> Send:
        message = login.message
        reason, uuid, timestamp = words(code).encode(), message.uuid, message.request_timestamp
        environment = self._policy.environment_indicator
        self.last_sent = now
        if isinstance(message, Negotiate):
            return Send(NegotiationReject.pack(reason, uuid, timestamp, code, self.role, UINT8_NULL, environment))
        number = login.stream.next_outbound if login.stream is not None and self.role is Role.PRIMARY else 0
        return Send(EstablishmentReject.pack(reason, uuid, timestamp, number, code, self.role, UINT8_NULL, environment))
