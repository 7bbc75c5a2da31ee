"""Who is told: registered administrators, who submitted a request, the person concerned; nobody who has left."""

import pytest
from tests.support.people import HERE, make_user, person

from ontherun.registry import (
    SYSTEM,
    Channel,
    CreateSessions,
    DeliveryState,
    NotFoundError,
    NotRecognisedError,
    Registry,
    Role,
)

from .conftest import Venue


@pytest.fixture
def registry_with_mail(venue: Venue) -> Registry:
    venue.registry.notices.outbox.mail_configured = True
    return venue.registry


async def told(registry: Registry, topic: str) -> list[str]:
    """Who is to get mail on a topic, each address as often as it is to get some."""
    found = await registry.notices.deliveries.due(Channel.MAIL, 1000)
    return sorted(delivery.address for notice, delivery in found if notice.topic == topic)


async def test_expiry_mail_goes_to_registered_administrators_and_not_to_who_has_left(
    venue: Venue, registry_with_mail: Registry
) -> None:
    registry = registry_with_mail
    for name, role in (("ann", Role.ADMIN_MANAGER), ("bob", Role.ADMIN_MANAGER), ("cy", Role.KEY_GENERATOR)):
        await make_user(registry, f"{name}@ours.example", {1: role})
    await make_user(registry, "dee@theirs.example", {2: Role.ADMIN_MANAGER})
    marked = await make_user(registry, "eve@ours.example", {1: Role.READ_ONLY})
    await registry.people.mark_administrator(SYSTEM, marked.user_id, 1, marked=True)
    pair = (await registry.pairs.generate(SYSTEM, "A00")).pair
    await registry.people.leave(SYSTEM, "bob@ours.example")
    venue.clock.set(pair.expires_at)
    await registry.notices.ladder.climb()
    assert await told(registry, "expiry") == ["ann@ours.example", "eve@ours.example"]


async def test_an_address_that_is_an_administrators_too_gets_one_mail(
    venue: Venue, registry_with_mail: Registry
) -> None:
    await make_user(registry_with_mail, "ann@ours.example", {1: Role.ADMIN_MANAGER})
    await registry_with_mail.notices.addresses.add(venue.admin, 1, "ann@ours.example")
    await registry_with_mail.pairs.generate(SYSTEM, "A00")
    assert await told(registry_with_mail, "keys") == ["ann@ours.example"]


async def test_a_request_is_confirmed_to_the_user_who_submitted_it(venue: Venue, registry_with_mail: Registry) -> None:
    registry = registry_with_mail
    await make_user(registry, "ann@ours.example", {1: Role.ADMIN_MANAGER})
    await make_user(registry, "fay@ours.example", {1: Role.FULL_ACCESS})
    await registry.requests.submit(
        person(registry, "fay@ours.example"), CreateSessions(firms=("OURS1",), market_segments=(40,))
    )
    assert await told(registry, "requests") == ["fay@ours.example"], "submitted and completed at once: one mail"
    (notice, _), *_ = [each for each in await registry.notices.deliveries.page(SYSTEM) if each[0].topic == "requests"]
    assert [each.action for each in notice.happenings] == ["request.submitted", "request.completed"]


async def test_a_locked_account_is_told_to_its_owner_alone(venue: Venue, registry_with_mail: Registry) -> None:
    registry = registry_with_mail
    await make_user(registry, "ann@ours.example", {1: Role.ADMIN_MANAGER})
    await make_user(registry, "fay@ours.example", {1: Role.FULL_ACCESS})
    before = await told(registry, "people")
    for email in ("fay@ours.example", "nobody@ours.example"):
        for _ in range(5):
            with pytest.raises(NotRecognisedError):
                await registry.sign_in.with_password(email, "wrong wrong", HERE)
    assert sorted(set(await told(registry, "people"))) == sorted({*before, "fay@ours.example"})
    fay, ann = person(registry, "fay@ours.example"), person(registry, "ann@ours.example")
    (message,) = [each for each in await registry.notices.messages.page(fay) if each.notice.action == "sign_in.locked"]
    with pytest.raises(NotFoundError):
        await registry.notices.messages.get(ann, message.notice.notice_id)


async def test_nobody_is_told_by_mail_of_another_entitys_events(venue: Venue, registry_with_mail: Registry) -> None:
    await make_user(registry_with_mail, "dee@theirs.example", {2: Role.ADMIN_MANAGER})
    await registry_with_mail.pairs.generate(SYSTEM, "A00")
    assert await told(registry_with_mail, "keys") == []
    found = await registry_with_mail.notices.deliveries.page(person(registry_with_mail, "dee@theirs.example"))
    assert {notice.entity_id for notice, _ in found} <= {2}
    assert DeliveryState.NO_RECIPIENT in {
        each.state for _, each in await registry_with_mail.notices.deliveries.page(SYSTEM)
    }
