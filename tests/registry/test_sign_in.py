"""The door: passwords, second factors, one-time links, locks; and what attackers try at it."""

import asyncio
import json
import sqlite3
import time
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from tests.support.people import HERE, HOUR, MINUTE, PASSWORD, SECOND, book, enrol, link_for, make_user, person

from ontherun.keys import ManualClock, Secret
from ontherun.registry import (
    SYSTEM,
    InvalidError,
    LabClock,
    LinkPurpose,
    NotRecognisedError,
    Registry,
    Role,
    SecondFactorOwed,
    SecondFactorRequiredError,
    SecondFactorsSpentError,
    TooManyAttemptsError,
    UnavailableError,
    User,
    Visitor,
)
from ontherun.registry.attempts import source_key

from .conftest import START, Venue
from .test_audit import tamper

ANN = "ann@example.com"


@pytest.fixture
async def ann(venue: Venue) -> User:
    return await make_user(venue.registry, ANN, {venue.ours.entity_id: Role.FULL_ACCESS})


async def sign_in(registry: Registry, password: str = PASSWORD, email: str = ANN, source: str = "192.0.2.7") -> object:
    return await registry.sign_in.with_password(email, password, Visitor(source))


async def fail(registry: Registry, times: int, email: str = ANN, source: str = "192.0.2.7") -> None:
    for _ in range(times):
        with pytest.raises(NotRecognisedError):
            await sign_in(registry, "not the password", email, source)


# Passwords.


async def test_a_password_signs_in_and_only_its_hash_is_kept(venue: Venue, ann: User) -> None:
    cookie = await sign_in(venue.registry, email=" Ann@Example.com ")
    assert isinstance(cookie, Secret)
    found = await venue.registry.web_sessions.recognise(cookie.text, "192.0.2.8")
    assert found is not None
    assert (found.principal.name, found.principal.user_id, found.principal.source) == (ANN, 1, "192.0.2.8")
    stored = str(ann.password_hash)
    assert stored.startswith("$argon2id$")
    assert ",p=1$" in stored
    assert PASSWORD not in stored
    assert stored not in repr(ann)


async def test_a_hash_with_old_parameters_is_made_anew_at_the_sign_in(venue: Venue, ann: User) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    book(venue.registry).put_user(User(**{**{f: getattr(ann, f) for f in ann.__slots__}, "password_hash": weak}))
    await sign_in(venue.registry)
    renewed = book(venue.registry).users[1].password_hash
    assert renewed not in (weak, None)
    assert isinstance(await sign_in(venue.registry), Secret)


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "a" * 11,
        "a" * 257,
        "aaaaaaaaaaaaaaaa",
        "password12345",
        "Password2026!",
        "example-example",
        "ontherun2026",
        "zaq12wsxcde34rfv",
        "qwertyuiop[]asdf",
        "p4ssw0rd1234567",
        "1qaz2wsx3edc4rfv",
        "Elizabeth-1994",
    ],
)
async def test_passwords_that_are_easy_to_guess_are_refused(venue: Venue, ann: User, password: str) -> None:
    token = await link_for(venue.registry, ann, LinkPurpose.NEW_PASSWORD)
    with pytest.raises(InvalidError, match="password"):
        await venue.registry.sign_in.with_new_password(token.text, password, HERE)


@pytest.mark.parametrize(
    "password", ["seven brown horses", "ümlaut ünd mehr 漢字", "x8fk2!vm0ql_", "  lots of space  ", "x8fk2!vm0ql_" * 21]
)
async def test_any_long_enough_password_will_do(venue: Venue, ann: User, password: str) -> None:
    token = await link_for(venue.registry, ann, LinkPurpose.NEW_PASSWORD)
    await venue.registry.sign_in.with_new_password(token.text, password, HERE)
    assert isinstance(await sign_in(venue.registry, password), Secret)


async def test_a_changed_password_ends_every_other_browser(venue: Venue, ann: User) -> None:
    registry = venue.registry
    first, second = await sign_in(registry), await sign_in(registry)
    assert isinstance(first, Secret)
    assert isinstance(second, Secret)
    with pytest.raises(NotRecognisedError):
        await registry.sign_in.change_password(person(registry, ANN), "wrong", "eight black crows", HERE)
    fresh = await registry.sign_in.change_password(person(registry, ANN), PASSWORD, "eight black crows", HERE)
    assert [await registry.web_sessions.recognise(cookie.text, None) is None for cookie in (first, second, fresh)] == [
        True,
        True,
        False,
    ]
    await fail(registry, 1)
    assert isinstance(await sign_in(registry, "eight black crows"), Secret)


# Locks.


async def test_five_failed_attempts_lock_an_account_for_three_hours(venue: Venue, ann: User) -> None:
    registry = venue.registry
    await fail(registry, 5)
    with pytest.raises(TooManyAttemptsError, match="2026-01-01T03:00:00Z"):
        await sign_in(registry)
    venue.clock.advance(3 * HOUR - 1)
    with pytest.raises(TooManyAttemptsError):
        await sign_in(registry)
    venue.clock.advance(1)
    assert isinstance(await sign_in(registry), Secret)


async def test_a_right_password_begins_the_count_anew(venue: Venue, ann: User) -> None:
    for _ in range(3):
        await fail(venue.registry, 4)
        await sign_in(venue.registry)


async def test_a_lock_survives_a_restart_and_a_clock_that_moves_back(venue: Venue, ann: User) -> None:
    registry = venue.registry
    await fail(registry, 5)
    await registry.close()
    again = await Registry.open(registry.data_dir, venue.clock, variables={})
    for moved in (0, -HOUR, -50 * HOUR):
        venue.clock.advance(moved)
        with pytest.raises(TooManyAttemptsError):
            await sign_in(again)
    await again.close()


async def test_a_clock_that_moves_back_forgives_no_failures(venue: Venue, ann: User) -> None:
    await fail(venue.registry, 4)
    venue.clock.advance(-24 * HOUR)
    await fail(venue.registry, 1)
    with pytest.raises(TooManyAttemptsError):
        await sign_in(venue.registry)


async def test_an_account_that_does_not_exist_is_answered_and_locked_alike(venue: Venue, ann: User) -> None:
    async def story(email: str) -> list[str]:
        said = []
        for _ in range(7):
            with pytest.raises((NotRecognisedError, TooManyAttemptsError)) as refused:
                await sign_in(venue.registry, "not the password", email)
            said.append(f"{type(refused.value).__name__} {refused.value}")
        return said

    assert await story(ANN) == await story("nobody@example.com")


async def test_an_account_that_does_not_exist_costs_the_same_work(venue: Venue, ann: User) -> None:
    async def cost(email: str) -> float:
        began = time.perf_counter()
        await fail(venue.registry, 1, email)
        return time.perf_counter() - began

    await cost("warm@example.com")
    known = min([await cost(ANN) for _ in range(3)])
    unknown = min([await cost("nobody@example.com") for _ in range(3)])
    assert 0.4 < unknown / known < 2.5


async def test_many_attempts_at_once_are_no_way_around_the_lock(venue: Venue, ann: User) -> None:
    tries = [sign_in(venue.registry, f"guess number {number}") for number in range(40)]
    said = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(answer, NotRecognisedError) for answer in said) == 5
    assert all(isinstance(answer, (NotRecognisedError, TooManyAttemptsError)) for answer in said)
    with pytest.raises(TooManyAttemptsError):
        await sign_in(venue.registry)


async def test_one_address_cannot_try_account_after_account(venue: Venue, ann: User) -> None:
    registry = venue.registry
    for number in range(30):
        await fail(registry, 1, f"user{number}@example.com")
    with pytest.raises(TooManyAttemptsError):
        await sign_in(registry)
    assert isinstance(await sign_in(registry, source="198.51.100.1"), Secret)
    venue.clock.advance(15 * MINUTE)
    assert isinstance(await sign_in(registry), Secret)


async def test_the_addresses_of_one_network_are_one_address(venue: Venue, ann: User) -> None:
    """An IPv6 network of 64 bits is the least that a subscriber gets, with more addresses than can be counted."""
    registry = venue.registry
    for number in range(30):
        await fail(registry, 1, f"user{number}@example.com", f"2001:db8:1:2::{number:x}")
    with pytest.raises(TooManyAttemptsError):
        await sign_in(registry, source="2001:db8:1:2:ffff::1")
    assert isinstance(await sign_in(registry, source="2001:db8:1:3::1"), Secret)
    assert source_key("::ffff:192.0.2.7") == source_key("192.0.2.7")


async def test_a_flood_of_failures_pushes_no_lock_out(venue: Venue, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ontherun.registry.attempts._MOST_KEPT", 12)
    await fail(venue.registry, 5)
    for number in range(15):
        await fail(venue.registry, 1, f"user{number}@example.com", f"198.51.100.{number}")
    assert venue.registry.people.locked_until(ann) is not None


async def test_an_admin_manager_unlocks(venue: Venue, ann: User) -> None:
    await fail(venue.registry, 5)
    assert venue.registry.people.locked_until(ann) == START + 3 * HOUR
    await venue.registry.people.unlock(venue.admin, ann.user_id)
    assert venue.registry.people.locked_until(ann) is None
    assert isinstance(await sign_in(venue.registry), Secret)


# Second factors.


async def signed_in_with(registry: Registry, answer: str) -> Secret:
    owed = await sign_in(registry)
    assert isinstance(owed, SecondFactorOwed)
    return await registry.sign_in.with_second_factor(owed.ticket, answer, HERE)


async def test_who_has_a_second_factor_needs_it_at_the_door(venue: Venue, ann: User) -> None:
    app, codes = await enrol(venue.registry, ANN)
    assert len(codes) == 10
    venue.clock.advance(MINUTE)
    cookie = await signed_in_with(venue.registry, app.code())
    assert await venue.registry.web_sessions.recognise(cookie.text, None) is not None


async def test_a_code_is_never_taken_twice(venue: Venue, ann: User) -> None:
    app, _ = await enrol(venue.registry, ANN)
    venue.clock.advance(MINUTE)
    code = app.code()
    await signed_in_with(venue.registry, code)
    for moved in (0, 20 * SECOND, -20 * SECOND, -HOUR):
        venue.clock.advance(moved)
        with pytest.raises(NotRecognisedError):
            await signed_in_with(venue.registry, code)


async def test_a_code_that_is_sent_twice_at_once_is_taken_once(venue: Venue, ann: User) -> None:
    app, _ = await enrol(venue.registry, ANN)
    venue.clock.advance(MINUTE)
    by, code = person(venue.registry, ANN), app.code()
    said = await asyncio.gather(*(venue.registry.people.prove(by, code) for _ in range(4)), return_exceptions=True)
    assert sum(not isinstance(answer, Exception) for answer in said) == 1


async def test_codes_of_the_step_before_and_after_are_taken_and_no_others(venue: Venue, ann: User) -> None:
    app, _ = await enrol(venue.registry, ANN)
    venue.clock.advance(HOUR)
    by = person(venue.registry, ANN)
    for steps in (-2, 2):
        with pytest.raises(NotRecognisedError):
            await venue.registry.people.prove(by, app.code(steps))
    for steps in (-1, 0, 1):
        await venue.registry.people.prove(by, app.code(steps))


async def test_guessing_codes_locks_the_account(venue: Venue, ann: User) -> None:
    app, _ = await enrol(venue.registry, ANN)
    venue.clock.advance(MINUTE)
    by = person(venue.registry, ANN)
    wrong = f"{(int(app.code()) + 7) % 1_000_000:06}"
    said = await asyncio.gather(*(venue.registry.people.prove(by, wrong) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(answer, NotRecognisedError) for answer in said) == 5
    with pytest.raises(TooManyAttemptsError):
        await venue.registry.people.prove(by, app.code())
    with pytest.raises(TooManyAttemptsError):
        await sign_in(venue.registry)


async def test_a_recovery_code_is_good_once(venue: Venue, ann: User) -> None:
    _, codes = await enrol(venue.registry, ANN)
    by = person(venue.registry, ANN)
    typed = codes[3].lower().replace("-", " ")
    said = await asyncio.gather(*(venue.registry.people.prove(by, typed) for _ in range(4)), return_exceptions=True)
    assert sum(not isinstance(answer, Exception) for answer in said) == 1
    assert len(book(venue.registry).recovery_codes_of(ann.user_id)) == 9


async def test_new_recovery_codes_replace_the_old(venue: Venue, ann: User) -> None:
    app, codes = await enrol(venue.registry, ANN)
    venue.clock.advance(MINUTE)
    by = person(venue.registry, ANN)
    fresh = await venue.registry.second_factors.new_recovery_codes(
        by, await venue.registry.people.prove(by, app.code())
    )
    assert not set(fresh) & set(codes)
    with pytest.raises(NotRecognisedError):
        await venue.registry.people.prove(by, codes[0])
    await venue.registry.people.prove(by, fresh[0])


async def test_recovery_codes_of_one_are_not_good_for_another(venue: Venue, ann: User) -> None:
    await make_user(venue.registry, "ben@example.com", {1: Role.READ_ONLY})
    _, codes = await enrol(venue.registry, ANN)
    await enrol(venue.registry, "ben@example.com")
    with pytest.raises(NotRecognisedError):
        await venue.registry.people.prove(person(venue.registry, "ben@example.com"), codes[0])


async def test_ten_second_factors_a_central_day_shared_by_logon_and_later(venue: Venue, ann: User) -> None:
    app, _ = await enrol(venue.registry, ANN)
    by, people = person(venue.registry, ANN), venue.registry.people
    for number in range(10):
        venue.clock.advance(MINUTE)
        assert people.budget(by, venue.clock.now()).left == 10 - number
        if number % 2:
            await people.prove(by, app.code())
        else:
            await signed_in_with(venue.registry, app.code())
    venue.clock.advance(MINUTE)
    with pytest.raises(SecondFactorsSpentError, match="2026-01-01T06:00:00Z"):  # midnight in Chicago
        await people.prove(by, app.code())
    with pytest.raises(SecondFactorsSpentError):
        await signed_in_with(venue.registry, app.code())
    venue.clock.advance(START + 6 * HOUR - venue.clock.now())
    await people.prove(by, app.code())
    venue.clock.advance(-HOUR)
    with pytest.raises(SecondFactorsSpentError):
        await people.prove(by, app.code())


async def test_without_a_second_factor_the_policy_decides(venue: Venue, ann: User) -> None:
    assert await venue.registry.people.prove(person(venue.registry, ANN), None)
    app, _ = await enrol(venue.registry, ANN)
    for answer in (None, "", "  "):
        with pytest.raises(SecondFactorRequiredError):
            await venue.registry.people.prove(person(venue.registry, ANN), answer)
    with pytest.raises(SecondFactorRequiredError):
        await venue.registry.people.prove(venue.admin, app.code())  # a token is no person


async def test_the_secret_of_an_app_rests_sealed_and_bound_to_its_owner(venue: Venue, ann: User) -> None:
    app, codes = await enrol(venue.registry, ANN)
    files = b"".join(path.read_bytes() for path in venue.registry.data_dir.iterdir() if path.is_file())
    for secret in (app.totp.secret.encode(), app.totp.byte_secret(), *(code.encode() for code in codes)):
        assert secret not in files
    await make_user(venue.registry, "ben@example.com", {1: Role.READ_ONLY})
    book(venue.registry).totps[2] = book(venue.registry).totps[1]
    with pytest.raises(Exception, match="moved from the row"):
        await venue.registry.people.prove(person(venue.registry, "ben@example.com"), app.code(1))


async def test_a_ticket_is_good_for_five_minutes_and_once(venue: Venue, ann: User) -> None:
    app, _ = await enrol(venue.registry, ANN)
    venue.clock.advance(MINUTE)
    owed = await sign_in(venue.registry)
    assert isinstance(owed, SecondFactorOwed)
    await venue.registry.sign_in.with_second_factor(owed.ticket, app.code(), HERE)
    venue.clock.advance(MINUTE)
    for ticket in (owed.ticket, "", "x" * 43):
        with pytest.raises(NotRecognisedError, match="too long"):
            await venue.registry.sign_in.with_second_factor(ticket, app.code(), HERE)
    late = await sign_in(venue.registry)
    assert isinstance(late, SecondFactorOwed)
    venue.clock.advance(5 * MINUTE)
    with pytest.raises(NotRecognisedError, match="too long"):
        await venue.registry.sign_in.with_second_factor(late.ticket, app.code(), HERE)


# One-time links.


async def test_a_link_that_is_used_twice_at_once_signs_in_once(venue: Venue, ann: User) -> None:
    token = await link_for(venue.registry, ann)
    tries = [venue.registry.sign_in.with_link(token.text, HERE) for _ in range(5)]
    said = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(answer, Secret) for answer in said) == 1


async def test_a_link_for_a_password_signs_nobody_in_and_the_other_way_round(venue: Venue, ann: User) -> None:
    registry = venue.registry
    reset, way_in = await link_for(registry, ann, LinkPurpose.NEW_PASSWORD), await link_for(registry, ann)
    with pytest.raises(NotRecognisedError):
        await registry.sign_in.with_link(reset.text, HERE)
    with pytest.raises(NotRecognisedError):
        await registry.sign_in.with_new_password(way_in.text, "eight black crows", HERE)
    assert await registry.sign_in.with_link(way_in.text, HERE)


async def test_a_link_survives_a_restart_and_ends_with_the_clock(venue: Venue, ann: User) -> None:
    token = await link_for(venue.registry, ann)
    await venue.registry.close()
    again = await Registry.open(venue.registry.data_dir, venue.clock, variables={})
    venue.clock.advance(-SECOND)
    with pytest.raises(NotRecognisedError):
        await again.sign_in.with_link(token.text, HERE)
    venue.clock.advance(15 * MINUTE)
    assert await again.sign_in.with_link(token.text, HERE)
    await again.close()


# Sessions of browsers.


async def test_browsers_stay_signed_in_over_a_restart(venue: Venue, ann: User) -> None:
    cookie = await sign_in(venue.registry)
    assert isinstance(cookie, Secret)
    venue.clock.advance(20 * MINUTE)
    await venue.registry.web_sessions.recognise(cookie.text, None)
    await venue.registry.close()
    again = await Registry.open(venue.registry.data_dir, venue.clock, variables={})
    venue.clock.advance(20 * MINUTE)
    assert await again.web_sessions.recognise(cookie.text, None) is not None
    await again.close()


async def test_a_session_from_the_future_is_none(venue: Venue, ann: User) -> None:
    cookie = await sign_in(venue.registry)
    assert isinstance(cookie, Secret)
    venue.clock.advance(-2 * MINUTE)
    assert await venue.registry.web_sessions.recognise(cookie.text, None) is None


async def test_browsers_and_apps_go_by_the_machines_time_when_a_lab_moves_its_clock(tmp_path: Path) -> None:
    machine = ManualClock(START)
    registry = await Registry.open(tmp_path / "lab", LabClock(machine), variables={})
    await make_user(registry, ANN, {})
    app, _ = await enrol(registry, ANN)
    cookie = await registry.sign_in.with_link((await link_for(registry, book(registry).users[1])).text, HERE)
    await registry.lab.advance(SYSTEM, 400 * 24 * HOUR)
    machine.advance(MINUTE)
    assert await registry.web_sessions.recognise(cookie.text, None) is not None
    code = app.totp.generate_otp(machine.now() // (30 * SECOND))
    assert await registry.people.prove(person(registry, ANN), code)
    await registry.close()


async def test_one_sees_and_ends_ones_own_browsers_only(venue: Venue, ann: User) -> None:
    registry = venue.registry
    await make_user(registry, "ben@example.com", {1: Role.ADMIN_MANAGER})
    cookie = await sign_in(registry)
    assert isinstance(cookie, Secret)
    ben, me = person(registry, "ben@example.com"), person(registry, ANN)
    (session,) = registry.web_sessions.list(me)
    assert (session.agent, session.source) == ("", "192.0.2.7")
    assert registry.web_sessions.list(ben) == []
    with pytest.raises(Exception, match="There is no session"):
        await registry.web_sessions.end(ben, session.web_session_id)
    await registry.web_sessions.end(me, session.web_session_id)
    assert await registry.web_sessions.recognise(cookie.text, None) is None


async def test_one_signs_every_other_browser_of_ones_own_out(venue: Venue, ann: User) -> None:
    registry = venue.registry
    await make_user(registry, "ben@example.com", {1: Role.READ_ONLY})
    cookies = [await sign_in(registry) for _ in range(3)]
    bens = await sign_in(registry, email="ben@example.com")
    assert isinstance(cookies[0], Secret)
    assert isinstance(bens, Secret)
    assert await registry.web_sessions.end_others(person(registry, ANN), cookies[0].text) == 2
    assert [session.user_id for session in book(registry).web_sessions.values()] == [ann.user_id, ann.user_id + 1]
    assert await registry.web_sessions.recognise(cookies[0].text, None)
    assert await registry.web_sessions.end_others(person(registry, ANN), cookies[0].text) == 0


async def test_a_user_has_at_most_twenty_browsers(venue: Venue, ann: User) -> None:
    cookies = [
        await venue.registry.sign_in.with_link((await link_for(venue.registry, ann)).text, HERE) for _ in range(22)
    ]
    found = [await venue.registry.web_sessions.recognise(cookie.text, None) is not None for cookie in cookies]
    assert found == [False] * 2 + [True] * 20


# The audit, and a database that cannot be written.


async def test_every_way_in_and_every_failure_is_audited_without_what_was_typed(venue: Venue, ann: User) -> None:
    registry = venue.registry
    before = (await registry.audit_entries(venue.admin, limit=1))[0].sequence
    with pytest.raises(NotRecognisedError):
        await sign_in(registry, "my secret guess")
    with pytest.raises(NotRecognisedError):
        await sign_in(registry, "my secret guess", "someone@example.com")
    await sign_in(registry)
    entries = [entry for entry in await registry.audit_entries(SYSTEM, limit=50) if entry.sequence > before]
    assert [(entry.action, entry.subject) for entry in reversed(entries)] == [
        ("sign_in.failed", "user 1"),
        ("sign_in.failed", "no user"),
        ("sign_in.succeeded", "user 1"),
    ]
    text = json.dumps([entry.details for entry in entries])
    assert "guess" not in text
    assert "someone" not in text


async def test_nobody_is_let_in_and_no_code_is_used_up_while_there_is_no_audit(venue: Venue, ann: User) -> None:
    registry = venue.registry
    app, _ = await enrol(registry, ANN)
    venue.clock.advance(MINUTE)
    owed = await sign_in(registry)
    assert isinstance(owed, SecondFactorOwed)
    tamper(registry, "CREATE TRIGGER no_audit BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'no room'); END")
    code = app.code()
    for _ in range(2):
        with pytest.raises(UnavailableError):
            await registry.sign_in.with_second_factor(owed.ticket, code, HERE)
    assert book(registry).web_sessions == {}
    with sqlite3.connect(registry.data_dir / "registry.sqlite3") as database:
        database.execute("DROP TRIGGER no_audit")
    assert await registry.sign_in.with_second_factor(owed.ticket, code, HERE)
