"""Second factors: the codes of an authenticator app, passkeys, recovery codes; and the day's budget of them.

Nothing proves twice: the last time step of the app is kept, a recovery code is erased with its use, a passkey signs a
challenge that is asked for once. Whoever proves one spends one of the day's ten, at the logon as well as later (CME
client wiki, Logon: the cap is shared by logon and download).
"""

import re
from base64 import b32encode
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import time, timedelta
from hashlib import sha256
from hmac import compare_digest
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, update
from sqlalchemy.dialects.sqlite import insert as upsert

from ontherun.calendar.instants import instant, local_day
from ontherun.keys import Secret
from ontherun.registry.attempts import AttemptCounter
from ontherun.registry.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotRecognisedError,
    SecondFactorRequiredError,
    SecondFactorsSpentError,
)
from ontherun.registry.lab_clock import machine_time
from ontherun.registry.passkeys import Passkeys
from ontherun.registry.principal import Principal, PrincipalKind, SecondFactor
from ontherun.registry.records_people import MINUTE, SECOND, PeoplePolicy, Totp, User
from ontherun.registry.sealing import MasterKeys, totp_identity
from ontherun.registry.store import Change, Store
from ontherun.registry.tables_people import RecoveryCodeRow, SecondFactorUseRow, TotpRow
from ontherun.registry.users import entity_of

CENTRAL = ZoneInfo("America/Chicago")
STEP = 30 * SECOND
"""The time step of a code (RFC 6238), in nanoseconds. One step before and one after the present are taken as well."""

AFTER_PROOF: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("after_proof", default=None)
"""What is called after a second factor was proved: the portal changes the cookie of the browser that asks."""

RECOVERY_CODES = 10
_RECOVERY_BYTES = 15
_TOTP_BYTES = 20
_OFFER_LIFE = 10 * MINUTE

WRONG_CODE = "This code is not right, or it was used before."


@dataclass(frozen=True, slots=True)
class Budget:
    """How many second factors a user has proved on this Central day, of how many, and when the next day begins."""

    used: int
    limit: int
    next_day_at: int

    @property
    def left(self) -> int:
        """How many are left today."""
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class TotpOffer:
    """A new secret for an authenticator app, which holds once a code of it was given back."""

    secret: Secret
    uri: str
    """What the QR code says: otpauth://totp/..."""
    made_at: int

    @property
    def text(self) -> str:
        """The secret as it is typed into an app: base32."""
        return base32(self.secret.raw)


class SecondFactors:
    """Enrol, prove and remove second factors."""

    def __init__(
        self,
        store: Store,
        master_keys: MasterKeys,
        attempts: AttemptCounter,
        passkeys: Passkeys,
        policy: PeoplePolicy,
        environment: str,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._book = store.directory.people
        self._master_keys = master_keys
        self._attempts = attempts
        self._passkeys = passkeys
        self._policy = policy
        self._environment = environment
        self._random_bytes = random_bytes
        self._door_now = machine_time(store.clock)
        self._offers: dict[int, TotpOffer] = {}

    # Proving.

    async def prove(self, by: Principal, answer: str | None) -> SecondFactor:
        """As `_prove`; then have the browser's cookie changed, where a browser asks (see `AFTER_PROOF`)."""
        proof, proved = await self._prove(by, answer)
        change_cookie = AFTER_PROOF.get()
        if proved and change_cookie is not None:
            await change_cookie()
        return proof

    async def _prove(self, by: Principal, answer: str | None) -> tuple[SecondFactor, bool]:
        """Take a code, a recovery code or a passkey's answer (JSON) of a person who is signed in; for one action.

        Without an answer: SecondFactorRequiredError, unless the policy is "if-enrolled" and the person has none.
        NotRecognisedError when it is wrong, TooManyAttemptsError after too many, SecondFactorsSpentError when today's
        are spent.
        """
        user = self._person(by)
        if not answer or not answer.strip():
            if self._policy.second_factor == "if-enrolled" and not self._book.has_second_factor(user.user_id):
                return SecondFactor(user.user_id, self._store.clock.now()), False
            raise SecondFactorRequiredError
        with self._attempts.attempt(user.email, by.source, self._store.clock.now()):
            async with self._store.change(by) as change:
                self.require_budget(user.user_id, change.now)
                kind = self.check(change, user, answer)
                entity_id, subject = entity_of(self._book, user.user_id), f"user {user.user_id}"
                if kind is not None:
                    self.spend(change, user.user_id)
                    self._attempts.forget(change, user.email)
                    change.record("second_factor.proved", entity_id, subject, kind=kind)
                    return SecondFactor(user.user_id, change.now), True
                change.record("second_factor.failed", entity_id, subject)
                if self._attempts.failed(change, user.email, by.source):
                    change.record("sign_in.locked", entity_id, subject)
        raise NotRecognisedError(WRONG_CODE)

    def check(self, change: Change, user: User, answer: str) -> str | None:
        """Return which kind of second factor an answer proves, used up with `change`; None when it proves nothing."""
        answer = answer.strip()
        if answer.startswith("{"):
            return "passkey" if self._passkeys.check(change, answer, user.user_id) is not None else None
        code = re.sub(r"[\s-]", "", answer)
        if re.fullmatch(r"[0-9]{6}", code):
            return "authenticator" if self._check_totp(change, user.user_id, code) else None
        return "recovery code" if self._check_recovery(change, user.user_id, code) else None

    def budget(self, by: Principal, now: int) -> Budget:
        """Return how much of the day's budget the person has spent."""
        return self._budget(self._person(by).user_id, now)

    def require_budget(self, user_id: int, now: int) -> None:
        """SecondFactorsSpentError when the user's second factors of this Central day are spent."""
        budget = self._budget(user_id, now)
        if not budget.left:
            raise SecondFactorsSpentError(budget.limit, budget.next_day_at)

    def spend(self, change: Change, user_id: int) -> None:
        """Count a second factor that was proved, with `change`."""
        key = (user_id, local_day(change.now, CENTRAL).isoformat())
        used = self._book.second_factors_used.get(key, 0) + 1
        statement = upsert(SecondFactorUseRow).values(user_id=user_id, day=key[1], used=used)
        change.write(statement.on_conflict_do_update(index_elements=["user_id", "day"], set_={"used": used}))
        change.then(lambda: self._book.second_factors_used.update({key: used}))

    def _budget(self, user_id: int, now: int) -> Budget:
        day = local_day(now, CENTRAL)
        used = self._book.second_factors_used.get((user_id, day.isoformat()), 0)
        return Budget(used, self._policy.second_factors_a_day, instant(day + timedelta(days=1), time(), CENTRAL))

    def _check_totp(self, change: Change, user_id: int, code: str) -> bool:
        held = self._book.totps.get(user_id)
        if held is None:
            return False
        secret = self._master_keys.open(held.secret, totp_identity(user_id))
        step = _step_of(secret, code, self._door_now(), held.last_step)
        if step is None:
            return False
        used = replace(held, last_step=step)
        change.write(update(TotpRow).where(TotpRow.user_id == user_id).values(last_step=step))
        change.then(lambda: self._book.totps.update({user_id: used}))
        return True

    def _check_recovery(self, change: Change, user_id: int, code: str) -> bool:
        key = _recovery_hash(user_id, code)
        if self._book.recovery_codes.get(key) != user_id:
            return False
        change.write(delete(RecoveryCodeRow).where(RecoveryCodeRow.code_hash == key))
        change.then(lambda: self._book.recovery_codes.pop(key, None))
        return True

    # Enrolling. What changes a credential takes a second factor where there is one, and is told to its owner.

    def offer_totp(self, by: Principal) -> TotpOffer:
        """Return a secret for an authenticator app: the same one for ten minutes, until a code of it is given back."""
        user, now = self._person(by), self._store.clock.now()
        offer = self._offers.get(user.user_id)
        if offer is None or not 0 <= now - offer.made_at < _OFFER_LIFE:
            secret = Secret(self._random_bytes(_TOTP_BYTES))
            offer = TotpOffer(secret, _uri(secret, user.email, self._environment), now)
            self._offers[user.user_id] = offer
        return offer

    async def enrol_totp(self, by: Principal, code: str, second_factor: SecondFactor | None) -> list[str]:
        """Take an authenticator app over, given a code of it; return recovery codes when there were none.

        It replaces the app before it. InvalidError when the code is not right.
        """
        user = self._enrolling(by, second_factor)
        async with self._store.change(by) as change:
            offer = self._offers.get(user.user_id)
            if offer is None or not 0 <= change.now - offer.made_at < _OFFER_LIFE:
                raise ConflictError("The secret for the app is too old. Scan the new one.")
            step = _step_of(offer.secret.raw, re.sub(r"\s", "", code), self._door_now(), 0)
            if step is None:
                raise InvalidError("code", "is not right.", "the six digits that the app shows now")
            sealed = self._master_keys.seal(offer.secret, totp_identity(user.user_id))
            self._put_totp(change, user.user_id, Totp(sealed, change.now, step))
            change.record("second_factor.enrolled", *self._of(user), kind="authenticator")
            change.then(lambda: self._offers.pop(user.user_id, None))
            return self._first_recovery_codes(change, user)

    async def remove_totp(self, by: Principal, second_factor: SecondFactor | None) -> None:
        """Remove one's authenticator app."""
        user = self._person(by)
        by.require_second_factor(second_factor, self._store.clock.now())
        async with self._store.change(by) as change:
            if user.user_id not in self._book.totps:
                raise ConflictError("There is no authenticator app to remove.")
            self.drop_totp(change, user.user_id)
            change.record("second_factor.removed", *self._of(user), kind="authenticator")

    async def enrol_passkey(
        self, by: Principal, answer: str, name: str, second_factor: SecondFactor | None
    ) -> list[str]:
        """Take a passkey over; return recovery codes when there were none. InvalidError when it is not good."""
        user = self._enrolling(by, second_factor)
        async with self._store.change(by) as change:
            passkey = self._passkeys.enrol(change, user, answer, name)
            change.record("second_factor.enrolled", *self._of(user), kind="passkey", name=passkey.name)
            return self._first_recovery_codes(change, user)

    async def remove_passkey(self, by: Principal, passkey_id: int, second_factor: SecondFactor | None) -> None:
        """Remove one of one's passkeys."""
        user = self._person(by)
        by.require_second_factor(second_factor, self._store.clock.now())
        async with self._store.change(by) as change:
            passkey = self._passkeys.remove(change, user.user_id, passkey_id)
            change.record("second_factor.removed", *self._of(user), kind="passkey", name=passkey.name)

    async def new_recovery_codes(self, by: Principal, second_factor: SecondFactor | None) -> list[str]:
        """Make ten new recovery codes; those before are good no more."""
        user = self._person(by)
        by.require_second_factor(second_factor, self._store.clock.now())
        async with self._store.change(by) as change:
            if not self._book.has_second_factor(user.user_id):
                raise ConflictError("Recovery codes stand in for a second factor. Enrol one first.")
            change.record("second_factor.recovery_codes_made", *self._of(user))
            return self._make_recovery_codes(change, user.user_id)

    def drop_totp(self, change: Change, user_id: int) -> None:
        """Remove a user's authenticator app with `change`."""
        change.write(delete(TotpRow).where(TotpRow.user_id == user_id))
        change.then(lambda: self._book.totps.pop(user_id, None))

    def drop_all(self, change: Change, user_id: int) -> None:
        """Remove every second factor of a user with `change`."""
        self.drop_totp(change, user_id)
        self._passkeys.drop_all(change, user_id)
        self._drop_recovery_codes(change, user_id)

    def _put_totp(self, change: Change, user_id: int, totp: Totp) -> None:
        values = {
            "sealed_secret": totp.secret.sealed,
            "master_key_id": totp.secret.master_key_id,
            "created_at": totp.created_at,
            "last_step": totp.last_step,
        }
        statement = upsert(TotpRow).values(user_id=user_id, **values)
        change.write(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))
        change.then(lambda: self._book.totps.update({user_id: totp}))

    def _first_recovery_codes(self, change: Change, user: User) -> list[str]:
        if self._book.recovery_codes_of(user.user_id):
            return []
        change.record("second_factor.recovery_codes_made", *self._of(user))
        return self._make_recovery_codes(change, user.user_id)

    def _make_recovery_codes(self, change: Change, user_id: int) -> list[str]:
        self._drop_recovery_codes(change, user_id)
        codes = [base32(self._random_bytes(_RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]
        hashes = {_recovery_hash(user_id, code): user_id for code in codes}
        change.write(insert(RecoveryCodeRow).values([{"code_hash": key, "user_id": user_id} for key in hashes]))
        change.then(lambda: self._book.recovery_codes.update(hashes))
        return ["-".join(code[place : place + 4] for place in range(0, 24, 4)) for code in codes]

    def _drop_recovery_codes(self, change: Change, user_id: int) -> None:
        old = self._book.recovery_codes_of(user_id)
        change.write(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id))
        change.then(lambda: [self._book.recovery_codes.pop(key, None) for key in old])

    def _person(self, by: Principal) -> User:
        user = self._book.user(by.user_id or 0)
        if by.kind is not PrincipalKind.PERSON or user is None or user.left_at is not None:
            raise SecondFactorRequiredError
        return user

    def require_proof(self, by: Principal, second_factor: SecondFactor | None) -> None:
        """Ask a person who gets a new credential for the second factor, or where there is none for a fresh sign-in.

        SecondFactorRequiredError, or ForbiddenError for a sign-in that is too old (policy `fresh_sign_in`).
        """
        if self._book.has_second_factor(by.user_id or 0):
            by.require_second_factor(second_factor, self._store.clock.now())
        elif self._policy.second_factor == "required":
            at, now = by.signed_in_at, self._door_now()
            if at is None or not 0 <= now - at <= self._policy.fresh_sign_in:
                raise ForbiddenError("Your sign-in is too old for this. Sign out, sign in again, and do it then.")

    def _enrolling(self, by: Principal, second_factor: SecondFactor | None) -> User:
        user = self._person(by)
        self.require_proof(by, second_factor)
        return user

    def _of(self, user: User) -> tuple[int | None, str]:
        return entity_of(self._book, user.user_id), f"user {user.user_id}"


def base32(data: bytes) -> str:
    """Encode as base32 without padding (RFC 4648, section 6)."""
    return b32encode(data).decode("ascii").rstrip("=")


def _uri(secret: Secret, email: str, environment: str) -> str:
    import pyotp

    return pyotp.TOTP(base32(secret.raw)).provisioning_uri(name=email, issuer_name=f"ontherun {environment}")


def _step_of(secret: bytes, code: str, now: int, last_step: int) -> int | None:
    """Return the time step that a code belongs to: the present one or a neighbour, and later than `last_step`."""
    import pyotp

    totp, present, found = pyotp.TOTP(base32(secret)), now // STEP, None
    for step in (present - 1, present, present + 1):
        right = compare_digest(totp.generate_otp(step).encode("ascii"), code.encode("utf-8", "surrogatepass"))
        if right and step > last_step and found is None:
            found = step
    return found


def _recovery_hash(user_id: int, code: str) -> bytes:
    plain = code.upper().encode("utf-8", "surrogatepass")
    return sha256(f"ontherun recovery code|{user_id}|".encode("ascii") + plain).digest()
