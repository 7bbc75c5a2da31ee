"""Passkeys: enrolled, proved, and everything about an answer that can be wrong."""

import asyncio
import json

import pytest
from tests.support.authenticator import PRESENT, Authenticator, decode, encode
from tests.support.people import HERE, MINUTE, PASSWORD, book, enrol, make_user, person

from ontherun.keys import Secret
from ontherun.registry import (
    ConflictError,
    InvalidError,
    NotFoundError,
    NotRecognisedError,
    Registry,
    Role,
    SecondFactorOwed,
)

from .conftest import Venue

ANN, BEN = "ann@example.com", "ben@example.com"


@pytest.fixture
async def ours(venue: Venue) -> Registry:
    await make_user(venue.registry, ANN, {1: Role.READ_ONLY})
    await make_user(venue.registry, BEN, {1: Role.READ_ONLY})
    return venue.registry


@pytest.fixture
async def device(ours: Registry) -> Authenticator:
    device = Authenticator()
    await add(ours, device)
    return device


async def add(registry: Registry, device: Authenticator, email: str = ANN, answer: str | None = None) -> list[str]:
    by, user = person(registry, email), book(registry).user_of_email(email)
    assert user is not None
    proof = await registry.people.prove(by, None)
    made = answer or device.make(registry.passkeys.enrol_options(user))
    return await registry.second_factors.enrol_passkey(by, made, "A device", proof)


async def test_a_passkey_signs_in_alone_and_after_a_password(ours: Registry, device: Authenticator) -> None:
    registry = ours
    answer = device.prove(registry.passkeys.prove_options(None))
    assert isinstance(await registry.sign_in.with_passkey(answer, HERE), Secret)
    owed = await registry.sign_in.with_password(ANN, PASSWORD, HERE)
    assert isinstance(owed, SecondFactorOwed)
    assert owed.passkeys
    answer = device.prove(registry.passkeys.prove_options(None))
    assert isinstance(await registry.sign_in.with_second_factor(owed.ticket, answer, HERE), Secret)
    assert registry.people.budget(person(registry, ANN), registry.clock.now()).used == 2


async def test_the_first_passkey_comes_with_recovery_codes(ours: Registry) -> None:
    assert len(await add(ours, Authenticator())) == 10


async def test_an_answer_is_taken_once_also_when_it_is_sent_twice_at_once(
    ours: Registry, device: Authenticator
) -> None:
    answer = device.prove(ours.passkeys.prove_options(None))
    tries = [ours.sign_in.with_passkey(answer, HERE) for _ in range(4)]
    said = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(found, Secret) for found in said) == 1


async def test_a_challenge_is_good_for_two_minutes(venue: Venue, ours: Registry, device: Authenticator) -> None:
    for moved in (2 * MINUTE, -1):
        answer = device.prove(ours.passkeys.prove_options(None))
        venue.clock.advance(moved)
        with pytest.raises(NotRecognisedError):
            await ours.sign_in.with_passkey(answer, HERE)


async def refused(registry: Registry, answer: str) -> None:
    with pytest.raises(NotRecognisedError):
        await registry.sign_in.with_passkey(answer, HERE)


async def test_an_answer_for_another_site_is_refused(ours: Registry, device: Authenticator) -> None:
    device.origin = "http://localhost.evil.example"
    await refused(ours, device.prove(ours.passkeys.prove_options(None)))
    device.origin, device.rp_id = "http://localhost", "evil.example"
    await refused(ours, device.prove(ours.passkeys.prove_options(None)))


async def test_an_answer_without_its_user_verified_is_refused(ours: Registry, device: Authenticator) -> None:
    device.flags = PRESENT
    await refused(ours, device.prove(ours.passkeys.prove_options(None)))


async def test_a_counter_that_runs_backwards_is_a_copy(ours: Registry, device: Authenticator) -> None:
    device.count = 10
    answer = device.prove(ours.passkeys.prove_options(None))
    await ours.sign_in.with_passkey(answer, HERE)
    device.count = 5
    await refused(ours, device.prove(ours.passkeys.prove_options(None)))


async def test_another_key_under_the_same_name_is_refused(ours: Registry, device: Authenticator) -> None:
    thief = Authenticator()
    thief.credential_id = device.credential_id
    await refused(ours, thief.prove(ours.passkeys.prove_options(None)))


async def test_a_made_up_challenge_is_refused(ours: Registry, device: Authenticator) -> None:
    await refused(ours, device.prove(json.dumps({"challenge": encode(bytes(32))})))


async def test_a_passkey_of_one_proves_nothing_for_another(ours: Registry, device: Authenticator) -> None:
    registry = ours
    await enrol(registry, BEN)
    ben = person(registry, BEN)
    for options in (registry.passkeys.prove_options(ben.user_id), registry.passkeys.prove_options(None)):
        with pytest.raises(NotRecognisedError):
            await registry.people.prove(ben, device.prove(options))


@pytest.mark.parametrize(
    "answer",
    [
        "{}",
        "{",
        '{"response": 1}',
        '{"response": {"clientDataJSON": "e30"}}',
        "{" * 5000,
        '{"rawId": [], "response": {}}',
    ],
)
async def test_nonsense_is_refused(ours: Registry, device: Authenticator, answer: str) -> None:
    await refused(ours, answer)
    with pytest.raises(InvalidError):
        await ours.second_factors.enrol_passkey(
            person(ours, BEN),
            answer,
            "x",
            await ours.people.prove(person(ours, BEN), None),
        )


async def test_a_spoilt_signature_is_refused(ours: Registry, device: Authenticator) -> None:
    good = json.loads(device.prove(ours.passkeys.prove_options(None)))
    signature = bytearray(decode(good["response"]["signature"]))
    signature[-1] ^= 1
    good["response"]["signature"] = encode(bytes(signature))
    await refused(ours, json.dumps(good))


async def test_a_passkey_is_not_enrolled_for_another_or_twice(ours: Registry) -> None:
    registry, device = ours, Authenticator()
    ben = book(registry).user_of_email(BEN)
    assert ben is not None
    with pytest.raises(InvalidError):
        await add(registry, device, ANN, device.make(registry.passkeys.enrol_options(ben)))
    answer = device.make(registry.passkeys.enrol_options(ben))
    await add(registry, device, BEN, answer)
    assert len(book(registry).passkeys) == 1
    twin = Authenticator()
    twin.credential_id = device.credential_id
    with pytest.raises(InvalidError):
        await add(registry, twin, ANN)


async def test_a_removed_passkey_lets_nobody_in(ours: Registry, device: Authenticator) -> None:
    registry = ours
    by = person(registry, ANN)
    (passkey,) = book(registry).passkeys_of(by.user_id or 0)
    proof = await registry.people.prove(by, device.prove(registry.passkeys.prove_options(by.user_id)))
    ben = person(registry, BEN)
    with pytest.raises(NotFoundError):
        await registry.second_factors.remove_passkey(ben, passkey.passkey_id, await registry.people.prove(ben, None))
    await registry.second_factors.remove_passkey(by, passkey.passkey_id, proof)
    await refused(registry, device.prove(registry.passkeys.prove_options(None)))


async def test_a_passkey_survives_a_restart(ours: Registry, device: Authenticator) -> None:
    await ours.close()
    again = await Registry.open(ours.data_dir, ours.clock, variables={})
    answer = device.prove(again.passkeys.prove_options(None))
    assert isinstance(await again.sign_in.with_passkey(answer, HERE), Secret)
    await again.close()


async def test_a_user_has_at_most_ten_passkeys(ours: Registry) -> None:
    registry = ours
    ann = book(registry).user_of_email(ANN)
    assert ann is not None
    device = Authenticator()
    await add(registry, device)
    by = person(registry, ANN)
    for _ in range(9):
        proof = await registry.people.prove(by, device.prove(registry.passkeys.prove_options(by.user_id)))
        made = Authenticator().make(registry.passkeys.enrol_options(ann))
        await registry.second_factors.enrol_passkey(by, made, "", proof)
    with pytest.raises(ConflictError, match="at most 10"):
        registry.passkeys.enrol_options(ann)
