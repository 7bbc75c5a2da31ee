"""The outbox: written with the audit entry that causes it, claimed before anything is sent, settled once."""

import json
import sqlite3
from contextlib import closing
from itertools import product

import pytest

from ontherun.registry import (
    DELIVERY_LIFE,
    NOTICE_RULES,
    SYSTEM,
    Channel,
    ConflictError,
    Delivery,
    DeliveryEvent,
    DeliveryState,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    Notice,
    Registry,
    SendResult,
    UnavailableError,
)
from ontherun.registry.directory import Directory
from ontherun.registry.outbox import Outbox
from ontherun.registry.records import AuditEntry
from ontherun.registry.sealing import MasterKeys

from .conftest import Venue, broken_audit

CONFIRMED = SendResult(DeliveryEvent.CONFIRM, "250 OK", "<1@x>", "ab" * 32)


async def with_address(venue: Venue, *, mail: bool = True) -> None:
    venue.registry.notices.outbox.mail_configured = mail
    await venue.registry.notices.addresses.add(venue.admin, venue.ours.entity_id, "keys@ours.example")


async def newest(venue: Venue) -> tuple[Notice, Delivery]:
    return (await venue.registry.notices.deliveries.page(venue.admin, limit=1))[0]


async def test_every_key_event_is_due_to_the_addresses_of_its_entity_and_to_no_other(venue: Venue) -> None:
    await with_address(venue)
    pair = (await venue.registry.pairs.generate(venue.admin, "A00")).pair
    notice, delivery = await newest(venue)
    assert (notice.action, notice.actor, notice.happenings[0].subject) == (
        "key_pair.generated",
        "our admin",
        "session A00",
    )
    assert notice.happenings[0].details["access_key_id"] == pair.access_key_id
    assert (delivery.channel, delivery.address, delivery.state) == (
        Channel.MAIL,
        "keys@ours.example",
        DeliveryState.DUE,
    )
    await venue.registry.pairs.generate(venue.stranger, "A01")
    assert (await newest(venue))[0] == notice


async def test_without_a_mail_server_the_outbox_keeps_what_would_have_been_sent(venue: Venue) -> None:
    await with_address(venue, mail=False)
    await venue.registry.pairs.generate(venue.admin, "A00")
    delivery = (await newest(venue))[1]
    assert delivery.state is DeliveryState.NOT_CONFIGURED
    assert await venue.registry.notices.deliveries.due(Channel.MAIL, 10) == []
    with pytest.raises(ConflictError, match="--smtp-host"):
        await venue.registry.notices.deliveries.resend(venue.admin, delivery.delivery_id)


async def test_where_nobody_is_registered_the_outbox_says_so(venue: Venue) -> None:
    await venue.registry.pairs.generate(venue.admin, "A00")
    assert (await newest(venue))[1].state is DeliveryState.NO_RECIPIENT


async def test_an_address_gets_only_the_topics_that_were_chosen(venue: Venue) -> None:
    addresses = venue.registry.notices.addresses
    await addresses.add(venue.admin, 1, "expiry@ours.example", ["expiry"])
    await addresses.add(venue.admin, 1, "keys@ours.example", ["keys", "sessions"])
    await venue.registry.pairs.generate(venue.admin, "A00")
    found = await venue.registry.notices.deliveries.page(venue.admin)
    assert [each.address for _, each in found if each.address] == ["keys@ours.example"]


async def test_what_is_not_committed_tells_nobody(venue: Venue) -> None:
    await with_address(venue)
    before = await venue.registry.notices.deliveries.page(venue.admin)
    with broken_audit(venue.registry), pytest.raises(UnavailableError):
        await venue.registry.pairs.generate(venue.admin, "A00")
    assert await venue.registry.notices.deliveries.page(venue.admin) == before


async def test_a_delivery_is_claimed_once_and_settled_with_the_proof_of_its_sending(venue: Venue) -> None:
    await with_address(venue)
    await venue.registry.pairs.generate(venue.admin, "A00")
    deliveries = venue.registry.notices.deliveries
    delivery = (await newest(venue))[1]
    assert await deliveries.next_due_at(Channel.MAIL) == venue.clock.now()
    assert await deliveries.claim(delivery, "<1@x>")
    assert not await deliveries.claim(delivery, "<1@x>")
    assert (await newest(venue))[1].state is DeliveryState.SENDING
    assert await deliveries.due(Channel.MAIL, 10) == []
    await deliveries.settle(delivery, CONFIRMED)
    sent = (await newest(venue))[1]
    assert (sent.state, sent.attempts, sent.answer, sent.digest) == (DeliveryState.SENT, 1, "250 OK", "ab" * 32)
    entry = (await venue.registry.audit_entries(SYSTEM, limit=1))[0]
    assert (entry.action, entry.subject) == ("notice.sent", f"delivery {sent.delivery_id}")
    assert json.loads(entry.details)["message_id"] == "<1@x>"
    with pytest.raises(ConflictError, match="is sent"):
        await deliveries.resend(venue.admin, sent.delivery_id)


async def test_a_claim_that_is_found_at_the_start_is_unconfirmed_and_only_a_person_sends_it_again(
    venue: Venue,
) -> None:
    await with_address(venue)
    await venue.registry.pairs.generate(venue.admin, "A00")
    deliveries = venue.registry.notices.deliveries
    await deliveries.claim((await newest(venue))[1], "<1@x>")
    assert await deliveries.lost_at_the_start() == 1
    assert await deliveries.lost_at_the_start() == 0
    lost = (await newest(venue))[1]
    assert lost.state is DeliveryState.UNCONFIRMED
    assert await deliveries.due(Channel.MAIL, 10) == []
    with pytest.raises(ForbiddenError):
        await deliveries.resend(venue.reader, lost.delivery_id)
    with pytest.raises(NotFoundError):
        await deliveries.resend(venue.stranger, lost.delivery_id)
    again = await deliveries.resend(venue.admin, lost.delivery_id)
    assert again.state is DeliveryState.DUE
    assert [each for _, each in await deliveries.due(Channel.MAIL, 10)] == [again]


def test_the_life_of_a_delivery_is_what_the_table_says() -> None:
    for state, event in product(DeliveryState, DeliveryEvent):
        following = DELIVERY_LIFE.get((state, event))
        if event is DeliveryEvent.CLAIM:
            assert (following is DeliveryState.SENDING) == (state in (DeliveryState.DUE, DeliveryState.FAILED))
        elif event is DeliveryEvent.RESEND:
            assert following in (None, DeliveryState.DUE)
            assert (following is None) == (
                state in (DeliveryState.DUE, DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.NO_RECIPIENT)
            )
        else:
            assert (following is not None) == (state is DeliveryState.SENDING)


async def test_the_message_centre_shows_what_the_reader_sees_and_remembers_what_was_read(venue: Venue) -> None:
    messages = venue.registry.notices.messages
    await venue.registry.pairs.generate(venue.admin, "A00")
    await venue.registry.pairs.generate(venue.stranger, "A01")
    seen = await messages.page(venue.reader)
    assert {message.notice.entity_id for message in seen} == {1}
    assert messages.unread(venue.reader) == len(seen)
    await messages.mark_read(venue.reader, seen[0].notice.notice_id)
    await messages.mark_read(venue.reader, seen[0].notice.notice_id)
    assert messages.unread(venue.reader) == len(seen) - 1
    assert len(await messages.page(venue.reader, unread=True)) == len(seen) - 1
    assert messages.unread(venue.admin) == len(seen), "each reader has marks of their own"
    await messages.mark_all_read(venue.reader)
    await messages.mark_all_read(venue.reader)
    assert messages.unread(venue.reader) == 0
    await venue.registry.pairs.generate(venue.admin, "A00")
    assert messages.unread(venue.reader) == 1
    with pytest.raises(NotFoundError):
        await messages.mark_read(venue.stranger, seen[0].notice.notice_id)
    counts = [messages.unread(by) for by in (venue.reader, venue.admin, venue.stranger, SYSTEM)]
    await venue.registry.close()
    registry = await Registry.open(venue.registry.data_dir, venue.clock, variables={})
    again = [registry.notices.messages.unread(by) for by in (venue.reader, venue.admin, venue.stranger, SYSTEM)]
    await registry.close()
    assert again == counts, "as many wait after a restart"
    assert counts[0] == 1 < counts[1] < counts[3]


async def test_lists_go_on_where_the_page_before_ended(venue: Venue) -> None:
    for address in ("a@ours.example", "b@ours.example", "c@ours.example"):
        await venue.registry.notices.addresses.add(venue.admin, 1, address)
    for _ in range(2):
        await venue.registry.pairs.generate(venue.admin, "A00")
    deliveries, messages = venue.registry.notices.deliveries, venue.registry.notices.messages
    whole = [each.delivery_id for _, each in await deliveries.page(venue.admin)]
    paged: list[str] = []
    while page := await deliveries.page(venue.admin, before=paged[-1] if paged else None, limit=2):
        paged += [each.delivery_id for _, each in page]
    assert paged == whole
    ids = [message.notice.notice_id for message in await messages.page(venue.admin)]
    assert [each.notice.notice_id for each in await messages.page(venue.admin, before=ids[0])] == ids[1:]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "@b",
        "a b@c",
        "a@b\r\nBcc: x@y",
        "a@b,c@d",
        "\xe4@b.example",
        "a@-b",
        "x@" + "y" * 64 + ".example",
        "x@" + "y.example." * 30 + "com",
        "<a@b>",
        "a..b@c.example",
    ],
)
async def test_what_is_no_mail_address_is_refused(venue: Venue, address: str) -> None:
    with pytest.raises(InvalidError, match="name@domain"):
        await venue.registry.notices.addresses.add(venue.admin, 1, address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://a.example/",
        "https://",
        "https:///x",
        "https://user:pw@a.example/",
        "https://a.example/#x",
        "https://a.example:99999/",
        "https://[::1]/",
        "https://a.example/ x",
        "https://a.example/\n",
        "https://a.example/" + "x" * 500,
        "javascript:alert(1)",
    ],
)
async def test_what_is_no_webhook_url_is_refused(venue: Venue, url: str) -> None:
    with pytest.raises(InvalidError, match="https://host/path"):
        await venue.registry.notices.webhooks.add(venue.admin, 1, url)


async def test_a_webhook_is_kept_with_its_secret_sealed_and_erased_when_it_is_removed(
    venue: Venue, clock: object
) -> None:
    webhooks = venue.registry.notices.webhooks
    hook, secret = await webhooks.add(venue.admin, 1, "https://hooks.example/T000/B000/private", topics=["keys"])
    assert hook.origin == "https://hooks.example"
    assert webhooks.to_send(hook.webhook_id) == (hook, [secret])
    await venue.registry.pairs.generate(venue.admin, "A00")
    found = await venue.registry.notices.deliveries.due(Channel.WEBHOOK, 10)
    assert [(each.webhook_id, each.address) for _, each in found] == [(1, "https://hooks.example")]
    for somebody in (venue.reader,):
        with pytest.raises(ForbiddenError):
            await webhooks.remove(somebody, 1)
    with pytest.raises(NotFoundError):
        webhooks.get(venue.stranger, 1)
    await webhooks.remove(venue.admin, 1)
    assert webhooks.to_send(1) is None
    await venue.registry.pairs.generate(venue.admin, "A00")
    assert len(await venue.registry.notices.deliveries.due(Channel.WEBHOOK, 10)) == 1


async def test_webhooks_and_addresses_are_there_after_a_restart(venue: Venue) -> None:
    notices = venue.registry.notices
    await notices.addresses.add(venue.admin, 1, "keys@ours.example", ["keys"])
    hook, secret = await notices.webhooks.add(venue.admin, 1, "https://hooks.example/")
    await notices.webhooks.add(venue.admin, 1, "https://removed.example/")
    await notices.webhooks.remove(venue.admin, 2)
    await venue.registry.close()
    registry = await Registry.open(venue.registry.data_dir, venue.clock, variables={})
    assert registry.notices.addresses.list(venue.admin) == notices.addresses.list(venue.admin)
    assert registry.notices.webhooks.list(venue.admin) == [hook]
    assert registry.notices.webhooks.to_send(1) == (hook, [secret])
    assert (await registry.notices.webhooks.add(venue.admin, 1, "https://third.example/"))[0].webhook_id == 3
    await registry.close()


def test_one_change_is_one_notice_for_each_topic_and_entity() -> None:
    def entry(sequence: int, action: str, entity_id: int) -> AuditEntry:
        return AuditEntry(sequence, 5, "x", None, action, entity_id, f"session {sequence}", "{}", b"", b"")

    outbox = Outbox(Directory(MasterKeys([bytes(32)], bytes)))
    entries = [entry(1, "key_pair.generated", 1), entry(2, "key_pair.sunset_set", 1), entry(3, "session.created", 1)]
    entries += [entry(4, "key_pair.generated", 2), entry(5, "entity.created", 2)]
    (_, notices), (_, deliveries) = outbox.derive(entries)
    assert [(each["notice_id"], each["topic"], each["entity_id"]) for each in notices] == [
        (1, "keys", 1),
        (3, "sessions", 1),
        (4, "keys", 2),
    ]
    assert [each["action"] for each in json.loads(notices[0]["happenings"])] == [
        "key_pair.generated",
        "key_pair.sunset_set",
    ]
    assert len(deliveries) == 2  # sessions are not mailed
    assert "entity.created" not in NOTICE_RULES


async def test_after_a_rotation_two_secrets_sign_until_the_overlap_is_over(venue: Venue) -> None:
    webhooks = venue.registry.notices.webhooks
    _, first = await webhooks.add(venue.admin, 1, "https://hooks.example/")
    second = await webhooks.rotate(venue.admin, 1)
    found = webhooks.to_send(1)
    assert found is not None
    assert found[1] == [second, first]
    await venue.registry.close()
    registry = await Registry.open(venue.registry.data_dir, venue.clock, variables={})
    webhooks = registry.notices.webhooks
    found = webhooks.to_send(1)
    assert found is not None
    assert found[1] == [second, first]
    venue.clock.advance(24 * 3600 * 10**9)
    found = webhooks.to_send(1)
    assert found is not None
    assert found[1] == [second]
    await webhooks.erase_what_is_over()
    with closing(sqlite3.connect(registry.data_dir / "registry.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM webhook_earlier_secret").fetchall() == [(0,)]
    await registry.close()


async def test_a_secret_that_leaked_is_replaced_at_once(venue: Venue) -> None:
    webhooks = venue.registry.notices.webhooks
    await webhooks.add(venue.admin, 1, "https://hooks.example/")
    await webhooks.rotate(venue.admin, 1)
    third = await webhooks.rotate(venue.admin, 1, 0)
    found = webhooks.to_send(1)
    assert found is not None
    assert found[1] == [third]
    with pytest.raises(InvalidError, match="0 to 168"):
        await webhooks.rotate(venue.admin, 1, 169)
    with pytest.raises(ForbiddenError):
        await webhooks.rotate(venue.reader, 1)
    with pytest.raises(NotFoundError):
        await webhooks.rotate(venue.stranger, 1)
