"""Who may do what: roles, invitations, leavers, and API tokens that follow their owners."""

import asyncio

import pytest
from tests.support.people import HERE, MINUTE, PASSWORD, App, book, enrol, make_user, person

from ontherun.keys import Secret
from ontherun.registry import (
    EVERY_RIGHT,
    LOCAL_POLICY,
    RIGHTS_OF,
    SYSTEM,
    ConflictError,
    ForbiddenError,
    InvalidError,
    LinkPurpose,
    NotFoundError,
    NotRecognisedError,
    PeoplePolicy,
    Principal,
    Registry,
    Right,
    Role,
    SecondFactor,
    SecondFactorRequiredError,
    token_text,
)
from ontherun.registry.records_people import DAY

from .conftest import Venue

ANN, BEN, EVE = "ann@example.com", "ben@example.com", "eve@example.com"
OURS, THEIRS = 1, 2


@pytest.fixture
async def registry_with_people(venue: Venue) -> Registry:
    """Ann manages ours, Ben may view ours, Eve manages theirs."""
    await make_user(venue.registry, ANN, {OURS: Role.ADMIN_MANAGER})
    await make_user(venue.registry, BEN, {OURS: Role.READ_ONLY})
    await make_user(venue.registry, EVE, {THEIRS: Role.ADMIN_MANAGER})
    return venue.registry


@pytest.fixture
def people(registry_with_people: Registry) -> Registry:
    return registry_with_people


async def proof(registry: Registry, by: Principal) -> SecondFactor:
    return await registry.people.prove(by, None)


def user_id(registry: Registry, email: str) -> int:
    user = book(registry).user_of_email(email)
    assert user is not None
    return user.user_id


# Rights.


@pytest.mark.parametrize("role", Role)
async def test_a_role_gives_its_rights_at_its_entity_from_the_commit_on(people: Registry, role: Role) -> None:
    ann, ben = person(people, ANN), user_id(people, BEN)
    if role is not Role.READ_ONLY:
        await people.people.grant(ann, ben, OURS, role, await proof(people, ann))
        await people.people.revoke(ann, ben, OURS, Role.READ_ONLY, await proof(people, ann))
    assert person(people, BEN).grants == {OURS: RIGHTS_OF[role]}
    await people.people.revoke(SYSTEM, ben, OURS, role, None)
    assert person(people, BEN).grants == {}


async def test_roles_add_up_and_survive_a_restart(people: Registry) -> None:
    ben = user_id(people, BEN)
    await people.people.grant(SYSTEM, ben, OURS, Role.KEY_GENERATOR, None)
    await people.people.grant(SYSTEM, ben, THEIRS, Role.AUDITOR, None)
    await people.people.mark_administrator(SYSTEM, ben, OURS, marked=True)
    expected = {
        OURS: RIGHTS_OF[Role.READ_ONLY] | RIGHTS_OF[Role.KEY_GENERATOR],
        THEIRS: RIGHTS_OF[Role.AUDITOR],
    }
    assert person(people, BEN).grants == expected
    await people.close()
    again = await Registry.open(people.data_dir, people.clock, variables={})
    assert person(again, BEN).grants == expected
    assert [user.email for user in again.directory.registered_administrators(OURS)] == [ANN, BEN]
    assert [user.email for user in again.directory.registered_administrators(THEIRS)] == [EVE]
    await again.close()


async def test_granting_takes_a_second_factor(people: Registry) -> None:
    ann, ben = person(people, ANN), user_id(people, BEN)
    with pytest.raises(SecondFactorRequiredError):
        await people.people.grant(ann, ben, OURS, Role.AUDITOR, None)
    stale = SecondFactor(user_id(people, ANN), people.clock.now() - 2 * MINUTE - 1)
    other = SecondFactor(ben, people.clock.now())
    for wrong in (stale, other):
        with pytest.raises(SecondFactorRequiredError):
            await people.people.grant(ann, ben, OURS, Role.AUDITOR, wrong)


async def test_who_does_not_manage_people_grants_nothing(people: Registry) -> None:
    ben = person(people, BEN)
    with pytest.raises(ForbiddenError):
        await people.people.grant(ben, user_id(people, BEN), OURS, Role.ADMIN_MANAGER, await proof(people, ben))


async def test_people_and_entities_of_others_do_not_exist(people: Registry) -> None:
    eve, ben = person(people, EVE), user_id(people, BEN)
    given = await proof(people, eve)
    with pytest.raises(NotFoundError):
        await people.people.grant(eve, ben, OURS, Role.AUDITOR, given)
    with pytest.raises(NotFoundError):
        await people.people.grant(eve, ben, THEIRS, Role.AUDITOR, given)
    for refused in (
        people.people.revoke(eve, ben, OURS, Role.READ_ONLY, given),
        people.people.unlock(eve, ben),
        people.people.reset(eve, ben, given),
        people.people.leave(eve, BEN),
        people.people.mark_administrator(eve, ben, OURS, marked=True),
    ):
        with pytest.raises(NotFoundError):
            await refused
    assert [user.email for user in people.people.list(eve)] == [EVE]
    with pytest.raises(NotFoundError):
        people.people.list(eve, OURS)


async def test_nobody_gives_a_right_that_they_do_not_have(people: Registry) -> None:
    """A token that may manage people and view must not make itself a friend who may download keys."""
    narrow, secret = await people.tokens.create(SYSTEM, "n", frozenset({Right.MANAGE_PEOPLE}), OURS)
    by = people.tokens.recognise(token_text(secret))
    assert by is not None
    ben = user_id(people, BEN)
    with pytest.raises(ForbiddenError, match="cannot give the role"):
        await people.people.grant(by, ben, OURS, Role.KEY_DOWNLOADER, None)
    with pytest.raises(ForbiddenError, match="cannot give the role"):
        await people.invitations.invite(by, "friend@example.com", OURS, [Role.ADMIN_MANAGER])
    with pytest.raises(ForbiddenError, match="cannot have a token do it"):
        await people.tokens.create(by, "wider", frozenset({Right.DOWNLOAD_KEYS}), OURS)
    assert narrow.scopes == {Right.MANAGE_PEOPLE, Right.VIEW}


async def test_the_last_admin_managers_cannot_be_taken_away(people: Registry) -> None:
    ann = user_id(people, ANN)
    with pytest.raises(ConflictError, match="at least 1 Admin Managers and would have 0"):
        await people.people.revoke(SYSTEM, ann, OURS, Role.ADMIN_MANAGER, None)
    with pytest.raises(ConflictError, match="at least 1"):
        await people.people.leave(SYSTEM, ANN)
    assert person(people, ANN).may(Right.MANAGE_PEOPLE, OURS)
    await people.people.grant(SYSTEM, user_id(people, BEN), OURS, Role.ADMIN_MANAGER, None)
    await people.people.revoke(SYSTEM, ann, OURS, Role.ADMIN_MANAGER, None)


async def test_two_admin_managers_who_remove_each_other_leave_one(people: Registry) -> None:
    ann, ben = user_id(people, ANN), user_id(people, BEN)
    await people.people.grant(SYSTEM, ben, OURS, Role.ADMIN_MANAGER, None)
    tries = [
        people.people.revoke(by, other, OURS, Role.ADMIN_MANAGER, await proof(people, by))
        for by, other in ((person(people, ANN), ben), (person(people, BEN), ann))
    ]
    said = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(answer, ConflictError) for answer in said) == 1
    assert len(book(people).admin_managers(OURS)) == 1


async def test_outside_of_a_local_venue_two_admin_managers_are_asked_for(people: Registry) -> None:
    await people.close()
    strict = await Registry.open(people.data_dir, people.clock, environment="CERT", variables={})
    assert strict.people_policy == PeoplePolicy()
    assert not strict.people.enough_managers(OURS)
    await strict.people.grant(SYSTEM, user_id(strict, BEN), OURS, Role.ADMIN_MANAGER, None)
    assert strict.people.enough_managers(OURS)
    with pytest.raises(ConflictError, match="at least 2"):
        await strict.people.revoke(SYSTEM, user_id(strict, BEN), OURS, Role.ADMIN_MANAGER, None)
    ann = person(strict, ANN)
    with pytest.raises(SecondFactorRequiredError):
        await strict.people.prove(ann, None)
    app = App(strict, strict.second_factors.offer_totp(ann).text)
    await strict.second_factors.enrol_totp(ann, app.code(), None)  # the first one takes none
    with pytest.raises(SecondFactorRequiredError):
        await strict.second_factors.enrol_totp(ann, app.code(1), None)
    await strict.people.grant(
        ann, user_id(strict, BEN), OURS, Role.AUDITOR, await strict.people.prove(ann, app.code(1))
    )
    await strict.close()


async def test_who_belongs_elsewhere_too_is_reset_only_by_who_manages_both(people: Registry) -> None:
    ben, ann = user_id(people, BEN), person(people, ANN)
    assert await people.people.reset(ann, ben, await proof(people, ann))
    await people.people.grant(SYSTEM, ben, THEIRS, Role.ADMIN_MANAGER, None)
    with pytest.raises(ForbiddenError, match="rights that you do not manage"):
        await people.people.reset(ann, ben, await proof(people, ann))


async def test_a_reset_takes_every_credential_and_browser(people: Registry) -> None:
    await enrol(people, BEN)
    link = await people.users.link(SYSTEM, user_id(people, BEN), LinkPurpose.SIGN_IN)
    cookie = await people.sign_in.with_link(link.text, HERE)
    ann = person(people, ANN)
    token = await people.people.reset(ann, user_id(people, BEN), await proof(people, ann))
    assert await people.web_sessions.recognise(cookie.text, None) is None
    assert not book(people).has_second_factor(user_id(people, BEN))
    with pytest.raises(NotRecognisedError):
        await people.sign_in.with_password(BEN, PASSWORD, HERE)
    assert isinstance(await people.sign_in.with_new_password(token, "eight black crows", HERE), Secret)


# Invitations.


async def invited(registry: Registry, email: str = "new@example.com", *roles: Role) -> str:
    ann = person(registry, ANN)
    made = await registry.invitations.invite(
        ann, email, OURS, roles or (Role.FULL_ACCESS,), second_factor=await proof(registry, ann)
    )
    return made.code


async def test_who_is_invited_becomes_a_user_with_the_roles(people: Registry) -> None:
    code = await invited(people, "New@Example.com", Role.FULL_ACCESS, Role.AUDITOR)
    cookie = await people.invitations.accept("new@example.com", code.lower(), "Nina New", "eight black crows", HERE)
    found = await people.web_sessions.recognise(cookie.text, None)
    assert found is not None
    assert found.principal.grants == {OURS: RIGHTS_OF[Role.FULL_ACCESS] | RIGHTS_OF[Role.AUDITOR]}
    assert isinstance(await people.sign_in.with_password("new@example.com", "eight black crows", HERE), Secret)


async def test_a_code_is_good_once_also_when_it_is_used_twice_at_once(people: Registry) -> None:
    code = await invited(people)
    tries = [
        people.invitations.accept("new@example.com", code, f"Nina {number}", "eight black crows", HERE)
        for number in range(3)
    ]
    said = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(answer, Secret) for answer in said) == 1
    assert len(book(people).users) == 4


async def test_a_code_is_good_for_the_invited_address_only_and_for_seven_days(people: Registry) -> None:
    code = await invited(people)
    for email, wrong in (("other@example.com", code), ("new@example.com", "AAAAAA-AAAAAA-AAAAAA-AAAAAA")):
        with pytest.raises(NotRecognisedError):
            await people.invitations.accept(email, wrong, "Nina", "eight black crows", HERE)
    people.clock.advance(7 * DAY)  # type: ignore[attr-defined]
    with pytest.raises(NotRecognisedError):
        await people.invitations.accept("new@example.com", code, "Nina", "eight black crows", HERE)


async def test_a_withdrawn_or_replaced_invitation_is_good_for_nothing(people: Registry) -> None:
    first = await invited(people)
    second = await invited(people)
    with pytest.raises(NotRecognisedError):
        await people.invitations.accept("new@example.com", first, "Nina", "eight black crows", HERE)
    (open_one,) = [found for found in people.invitations.list(person(people, ANN)) if found.state == "open"]
    await people.invitations.withdraw(person(people, ANN), open_one.invitation_id)
    with pytest.raises(NotRecognisedError):
        await people.invitations.accept("new@example.com", second, "Nina", "eight black crows", HERE)
    with pytest.raises(ConflictError):
        await people.invitations.withdraw(person(people, ANN), open_one.invitation_id)
    with pytest.raises(NotFoundError):
        await people.invitations.withdraw(person(people, EVE), open_one.invitation_id)


async def test_guessing_invitation_codes_is_stopped(people: Registry) -> None:
    code = await invited(people)
    for number in range(5):
        with pytest.raises(NotRecognisedError):
            await people.invitations.accept("new@example.com", f"guess{number}", "Nina", "eight black crows", HERE)
    with pytest.raises(Exception, match="too many failed attempts"):
        await people.invitations.accept("new@example.com", code, "Nina", "eight black crows", HERE)


async def test_who_has_an_account_accepts_signed_in_and_keeps_the_rights_elsewhere(people: Registry) -> None:
    code = await invited(people, EVE, Role.AUDITOR)
    with pytest.raises(ConflictError, match="Sign in first"):
        await people.invitations.accept(EVE, code, "Eve", "eight black crows", HERE)
    with pytest.raises(NotRecognisedError):
        await people.invitations.accept_as(person(people, BEN), code)
    await people.invitations.accept_as(person(people, EVE), code)
    assert set(person(people, EVE).grants) == {OURS, THEIRS}


async def test_inviting_says_nothing_about_whether_an_account_exists(people: Registry) -> None:
    ann = person(people, ANN)
    for email in (EVE, "nobody@example.com"):
        made = await people.invitations.invite(ann, email, OURS, [Role.AUDITOR], second_factor=await proof(people, ann))
        assert made.invitation.state == "open"


async def test_neither_the_code_nor_its_owner_is_in_the_audit_or_the_file(people: Registry) -> None:
    code = await invited(people)
    files = b"".join(path.read_bytes() for path in people.data_dir.iterdir() if path.is_file())
    assert code.replace("-", "").encode() not in files
    assert code.encode() not in files


@pytest.mark.parametrize("email", ["", "nobody", "a@b@c", "a b@example.com", "a@-x", "ä@example.com", "a@" + "x" * 300])
async def test_what_is_no_address_is_refused(people: Registry, email: str) -> None:
    ann = person(people, ANN)
    with pytest.raises(InvalidError, match="email"):
        await people.invitations.invite(ann, email, OURS, [Role.AUDITOR], second_factor=await proof(people, ann))


# Leavers.


async def test_a_leaver_loses_everything_at_once(people: Registry) -> None:
    ben, ann = person(people, BEN), person(people, ANN)
    number = user_id(people, BEN)
    await people.people.mark_administrator(SYSTEM, number, OURS, marked=True)
    app, _ = await enrol(people, BEN)
    people.clock.advance(MINUTE)  # type: ignore[attr-defined]
    cookie = await people.sign_in.with_link((await people.users.link(SYSTEM, number, LinkPurpose.SIGN_IN)).text, HERE)
    link = await people.users.link(SYSTEM, number, LinkPurpose.SIGN_IN)
    _, secret = await people.tokens.create(
        ben,
        "mine",
        frozenset({Right.VIEW}),
        None,
        service=False,
        second_factor=await people.people.prove(ben, app.code()),
    )
    await invited(people, BEN, Role.AUDITOR)
    left = await people.people.leave(ann, BEN.upper())
    assert (left.roles, left.web_sessions, left.api_tokens, left.invitations, left.account_closed) == (1, 1, 1, 1, True)
    assert await people.web_sessions.recognise(cookie.text, None) is None
    assert people.tokens.recognise(token_text(secret)) is None
    for refused in (
        people.sign_in.with_link(link.text, HERE),
        people.sign_in.with_password(BEN, PASSWORD, HERE),
    ):
        with pytest.raises(NotRecognisedError):
            await refused
    assert not book(people).has_second_factor(number)
    assert [user.email for user in people.directory.registered_administrators(OURS)] == [ANN]
    with pytest.raises(NotFoundError):
        await people.people.leave(ann, BEN)
    await people.close()
    again = await Registry.open(people.data_dir, people.clock, variables={})
    left_user = book(again).user_of_email(BEN)
    assert left_user is not None
    assert left_user.state == "left"
    assert book(again).grants.get(number) in (None, {})
    await again.close()


async def test_who_leaves_one_of_two_entities_keeps_the_other(people: Registry) -> None:
    await people.people.grant(SYSTEM, user_id(people, BEN), THEIRS, Role.READ_ONLY, None)
    left = await people.people.leave(person(people, ANN), BEN)
    assert not left.account_closed
    assert person(people, BEN).grants == {THEIRS: RIGHTS_OF[Role.READ_ONLY]}
    assert isinstance(await people.sign_in.with_password(BEN, PASSWORD, HERE), Secret)


async def test_who_left_and_is_invited_again_begins_with_nothing(people: Registry) -> None:
    await people.people.leave(person(people, ANN), BEN)
    code = await invited(people, BEN, Role.AUDITOR)
    await people.invitations.accept(BEN, code, "Ben Again", "eight black crows", HERE)
    assert person(people, BEN).grants == {OURS: RIGHTS_OF[Role.AUDITOR]}
    with pytest.raises(NotRecognisedError):
        await people.sign_in.with_password(BEN, PASSWORD, HERE)


async def test_the_tokens_of_services_that_a_leaver_made_are_named(people: Registry) -> None:
    ann = person(people, ANN)
    await people.people.grant(SYSTEM, user_id(people, BEN), OURS, Role.ADMIN_MANAGER, None)
    token, _ = await people.tokens.create(ann, "ci", Role.READ_ONLY, OURS, second_factor=await proof(people, ann))
    left = await people.people.leave(person(people, BEN), ANN)
    assert left.service_tokens == (token.token_id,)


# API tokens.


async def test_a_users_token_shrinks_and_grows_with_the_users_rights(people: Registry) -> None:
    ann, ben = person(people, ANN), user_id(people, BEN)
    _, secret = await people.tokens.create(
        ann,
        "mine",
        frozenset({Right.VIEW, Right.GENERATE_KEYS}),
        None,
        service=False,
        second_factor=await proof(people, ann),
    )

    def rights() -> object:
        found = people.tokens.recognise(token_text(secret))
        assert found is not None
        return found.grants

    assert rights() == {OURS: {Right.VIEW, Right.GENERATE_KEYS}}
    await people.people.grant(SYSTEM, ben, OURS, Role.ADMIN_MANAGER, None)
    await people.people.grant(SYSTEM, user_id(people, ANN), OURS, Role.READ_ONLY, None)
    await people.people.revoke(SYSTEM, user_id(people, ANN), OURS, Role.ADMIN_MANAGER, None)
    assert rights() == {OURS: {Right.VIEW}}
    await people.people.grant(SYSTEM, user_id(people, ANN), THEIRS, Role.KEY_GENERATOR, None)
    assert rights() == {OURS: {Right.VIEW}, THEIRS: {Right.VIEW, Right.GENERATE_KEYS}}


async def test_no_token_is_wider_than_its_maker(people: Registry) -> None:
    ben = person(people, BEN)
    given = await proof(people, ben)
    create = people.tokens.create
    for scopes, entity_id, service in (
        (frozenset({Right.DOWNLOAD_KEYS}), None, False),
        (frozenset({Right.DOWNLOAD_KEYS}), OURS, False),
        (EVERY_RIGHT, None, False),
        (EVERY_RIGHT, None, True),
        (frozenset({Right.VIEW}), OURS, True),
    ):
        with pytest.raises(ForbiddenError):
            await create(ben, "wide", scopes, entity_id, service=service, second_factor=given)
    with pytest.raises(NotFoundError):
        await create(ben, "there", frozenset({Right.VIEW}), THEIRS, service=False, second_factor=given)
    _, secret = await create(ben, "mine", frozenset({Right.VIEW}), OURS, service=False, second_factor=given)
    by = people.tokens.recognise(token_text(secret))
    assert by is not None
    with pytest.raises(ForbiddenError, match="one entity"):
        await create(by, "all of them", frozenset({Right.VIEW}), None, service=False)


async def test_a_token_ends_after_90_days_or_at_most_a_year(people: Registry) -> None:
    token, secret = await people.tokens.create(SYSTEM, "ci", Role.READ_ONLY, OURS)
    assert token.expires_at == people.clock.now() + 90 * DAY
    for life in (0, -1, 366 * DAY):
        with pytest.raises(InvalidError, match="1 to 365 days"):
            await people.tokens.create(SYSTEM, "ci", Role.READ_ONLY, OURS, life=life)
    people.clock.advance(90 * DAY - 1)  # type: ignore[attr-defined]
    assert people.tokens.recognise(token_text(secret)) is not None
    people.clock.advance(1)  # type: ignore[attr-defined]
    assert people.tokens.recognise(token_text(secret)) is None


async def test_the_last_use_of_a_token_is_kept(people: Registry) -> None:
    token, secret = await people.tokens.create(SYSTEM, "ci", Role.READ_ONLY, OURS)
    assert token.used_at is None
    await people.tokens.used(token_text(secret))
    await people.close()
    again = await Registry.open(people.data_dir, people.clock, variables={})
    assert book(again).tokens[token.token_id].used_at == people.clock.now()
    await again.close()


async def test_one_sees_the_tokens_of_people_whom_one_manages(people: Registry) -> None:
    ben, ann, eve = person(people, BEN), person(people, ANN), person(people, EVE)
    token, secret = await people.tokens.create(
        ben, "mine", frozenset({Right.VIEW}), None, service=False, second_factor=await proof(people, ben)
    )
    assert [found.token_id for found in people.tokens.list(ann)] == [token.token_id]
    assert [found.token_id for found in people.tokens.list(ben)] == [token.token_id]
    assert people.tokens.list(eve) == []
    with pytest.raises(NotFoundError):
        await people.tokens.revoke(eve, token.token_id)
    await people.tokens.revoke(ann, token.token_id)
    assert people.tokens.recognise(token_text(secret)) is None


# The local default.


async def test_in_a_local_venue_the_person_at_the_machine_is_operator_and_admin_manager(venue: Venue) -> None:
    registry = venue.registry
    assert registry.people_policy == LOCAL_POLICY
    user = await registry.seed_local_operator()
    assert await registry.seed_local_operator() == user
    assert user.operator
    assert registry.directory.registered_administrators(OURS) == [user]
