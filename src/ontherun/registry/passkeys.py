"""Passkeys (WebAuthn): public keys of authenticators that verify their user, bound to where the portal is reached.

A challenge is asked for once, by one browser, and answered within two minutes; it is kept in memory only.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal
from urllib.parse import urlsplit

from sqlalchemy import delete, insert, update

from ontherun.registry.checks import checked_name
from ontherun.registry.errors import ConflictError, InvalidError, NotFoundError
from ontherun.registry.people_book import PeopleBook
from ontherun.registry.records_people import MINUTE, Passkey, User
from ontherun.registry.store import Change, Store
from ontherun.registry.tables_people import PasskeyRow

_CHALLENGE_BYTES = 32
_CHALLENGE_LIFE = 2 * MINUTE
_MOST_CHALLENGES = 1000
MOST_OF_A_USER = 10
"""Passkeys of one user."""

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_NAME = "ontherun"
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError)


@dataclass(frozen=True, slots=True)
class _Challenge:
    purpose: Literal["enrol", "prove"]
    user_id: int | None
    made_at: int


class Passkeys:
    """Enrol and check passkeys. `public_url` says where the portal is reached now; on this machine as localhost."""

    def __init__(self, store: Store, random_bytes: Callable[[int], bytes]) -> None:
        self._store = store
        self._book: PeopleBook = store.directory.people
        self._random_bytes = random_bytes
        self._challenges: dict[bytes, _Challenge] = {}
        self.public_url: Callable[[], str] = lambda: "http://localhost"

    def enrol_options(self, user: User) -> str:
        """Return what a browser needs to make a passkey, as JSON. ConflictError when the user has too many."""
        import webauthn
        from webauthn.helpers import structs

        held = self._book.passkeys_of(user.user_id)
        if len(held) >= MOST_OF_A_USER:
            raise ConflictError(f"A user has at most {MOST_OF_A_USER} passkeys. Remove one first.")
        options = webauthn.generate_registration_options(
            rp_id=self._rp_id(),
            rp_name=_NAME,
            user_name=user.email,
            user_id=f"ontherun-{user.user_id}".encode("ascii"),
            user_display_name=user.name,
            challenge=self._challenge("enrol", user.user_id),
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.REQUIRED,
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=key.credential_id) for key in held],
        )
        return webauthn.options_to_json(options)

    def prove_options(self, user_id: int | None) -> str:
        """Return what a browser needs to answer with a passkey, as JSON; of a user, or whosever it is."""
        import webauthn
        from webauthn.helpers import structs

        held = [] if user_id is None else self._book.passkeys_of(user_id)
        options = webauthn.generate_authentication_options(
            rp_id=self._rp_id(),
            challenge=self._challenge("prove", user_id),
            allow_credentials=[structs.PublicKeyCredentialDescriptor(id=key.credential_id) for key in held],
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        )
        return webauthn.options_to_json(options)

    def enrol(self, change: Change, user: User, answer: str, name: str) -> Passkey:
        """Add the passkey that a browser made, with `change`. InvalidError when the answer is not good."""
        import webauthn
        from webauthn.helpers.exceptions import WebAuthnException

        refused = InvalidError("passkey", "was not accepted.", "the answer of this browser to the last request")
        challenge = self._take(answer, "enrol")
        if challenge is None or challenge[1].user_id != user.user_id:
            raise refused
        try:
            made = webauthn.verify_registration_response(
                credential=answer,
                expected_challenge=challenge[0],
                expected_rp_id=self._rp_id(),
                expected_origin=self._origins(),
                require_user_verification=True,
            )
        except (WebAuthnException, *_MALFORMED):
            raise refused from None
        if made.credential_id in self._book.passkeys or len(self._book.passkeys_of(user.user_id)) >= MOST_OF_A_USER:
            raise refused
        number = max((key.passkey_id for key in self._book.passkeys.values()), default=0) + 1
        passkey = Passkey(
            number,
            made.credential_id,
            user.user_id,
            checked_name("name", name.strip() or f"Passkey {number}"),
            made.credential_public_key,
            made.sign_count,
            change.now,
        )
        change.write(
            insert(PasskeyRow).values(
                passkey_id=number,
                credential_id=passkey.credential_id,
                user_id=user.user_id,
                name=passkey.name,
                public_key=passkey.public_key,
                sign_count=passkey.sign_count,
                created_at=change.now,
            )
        )
        change.then(lambda: self._book.passkeys.update({passkey.credential_id: passkey}))
        return passkey

    def check(self, change: Change, answer: str, user_id: int | None) -> Passkey | None:
        """Return the passkey that an answer proves, of a user or whosever it is; None when it proves nothing.

        Its counter is kept with `change`; one that runs backwards is a copy, and refused.
        """
        import webauthn
        from webauthn.helpers.exceptions import WebAuthnException

        challenge = self._take(answer, "prove")
        passkey = self._named(answer)
        if challenge is None or passkey is None or user_id not in (None, passkey.user_id):
            return None
        if challenge[1].user_id not in (None, passkey.user_id):
            return None
        try:
            proved = webauthn.verify_authentication_response(
                credential=answer,
                expected_challenge=challenge[0],
                expected_rp_id=self._rp_id(),
                expected_origin=self._origins(),
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except (WebAuthnException, *_MALFORMED):
            return None
        used = replace(passkey, sign_count=proved.new_sign_count, used_at=change.now)
        row = update(PasskeyRow).where(PasskeyRow.passkey_id == passkey.passkey_id)
        change.write(row.values(sign_count=used.sign_count, used_at=change.now))
        change.then(lambda: self._book.passkeys.update({used.credential_id: used}))
        return used

    def remove(self, change: Change, user_id: int, passkey_id: int) -> Passkey:
        """Remove a user's passkey with `change`. NotFoundError when the user has none of that number."""
        for passkey in self._book.passkeys_of(user_id):
            if passkey.passkey_id == passkey_id:
                change.write(delete(PasskeyRow).where(PasskeyRow.passkey_id == passkey_id))
                change.then(partial(self._book.passkeys.pop, passkey.credential_id, None))
                return passkey
        raise NotFoundError(f"passkey {passkey_id} of yours")

    def drop_all(self, change: Change, user_id: int) -> None:
        """Remove every passkey of a user with `change`."""
        held = self._book.passkeys_of(user_id)
        change.write(delete(PasskeyRow).where(PasskeyRow.user_id == user_id))
        change.then(lambda: [self._book.passkeys.pop(passkey.credential_id, None) for passkey in held])

    def _challenge(self, purpose: Literal["enrol", "prove"], user_id: int | None) -> bytes:
        challenge = self._random_bytes(_CHALLENGE_BYTES)
        while len(self._challenges) >= _MOST_CHALLENGES:
            del self._challenges[next(iter(self._challenges))]
        self._challenges[challenge] = _Challenge(purpose, user_id, self._store.clock.now())
        return challenge

    def _take(self, answer: str, purpose: str) -> tuple[bytes, _Challenge] | None:
        """Use up the challenge that an answer names; None when it is not one of ours, or not one any more."""
        from webauthn import base64url_to_bytes

        with suppress(*_MALFORMED):
            said = json.loads(base64url_to_bytes(json.loads(answer)["response"]["clientDataJSON"]))
            challenge = base64url_to_bytes(said["challenge"])
            found = self._challenges.pop(challenge, None)
            now = self._store.clock.now()
            if found is not None and found.purpose == purpose and 0 <= now - found.made_at < _CHALLENGE_LIFE:
                return challenge, found
        return None

    def _named(self, answer: str) -> Passkey | None:
        from webauthn import base64url_to_bytes

        with suppress(*_MALFORMED):
            return self._book.passkeys.get(base64url_to_bytes(json.loads(answer)["rawId"]))
        return None

    def _rp_id(self) -> str:
        host = urlsplit(self.public_url()).hostname or "localhost"
        return "localhost" if host in _LOOPBACK else host

    def _origins(self) -> list[str]:
        url = urlsplit(self.public_url())
        if self._rp_id() != "localhost":
            return [f"{url.scheme}://{url.netloc}"]
        return [f"{url.scheme}://localhost" + (f":{url.port}" if url.port else "")]
