"""Mail through a real server, in another process, with STARTTLS and AUTH."""

import hashlib
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from tests.support.mail_server import MailServer

from ontherun.keys import ManualClock, Secret
from ontherun.keys.clock import DAY, SECOND
from ontherun.registry import SYSTEM, Delivery, DeliveryState, Notice, Registry

from .conftest import Jobs, Log, mail_settings

HOUR = 3600 * SECOND


async def outbox(registry: Registry, topic: str = "keys") -> list[tuple[Notice, Delivery]]:
    """The deliveries, oldest first."""
    found = await registry.notices.deliveries.page(SYSTEM)
    return [each for each in reversed(found) if each[0].topic == topic]


async def only(registry: Registry) -> Delivery:
    ((_, delivery),) = await outbox(registry)
    return delivery


async def test_a_key_event_arrives_as_mail_over_starttls_with_a_password(
    registry: Registry, jobs_of: Jobs, mail_server: MailServer
) -> None:
    jobs = jobs_of(mail_settings(mail_server))
    await registry.notices.addresses.add(SYSTEM, 1, "keys@ours.example")
    pair = (await registry.pairs.generate(SYSTEM, "A00")).pair
    await jobs.settle()
    (message,) = mail_server.messages
    assert message["subject"] == "[LOCAL] New key pair for session A00"
    assert (message["to"], message["from"]) == ("keys@ours.example", "ontherun <ontherun@bank.example>")
    assert message["auto-submitted"] == "auto-generated"
    text = message.get_body(["plain"]).get_content()  # type: ignore[union-attr]
    html = message.get_body(["html"]).get_content()  # type: ignore[union-attr]
    for part in (text, html):
        assert pair.access_key_id in part
        assert "Central (CST)" in part
        assert "New York (EST)" in part
        assert "UTC" in part
        assert "https://keys.bank.example/sessions/A00" in part
    assert "Ours & Sons" in text
    assert "Ours &amp; Sons" in html
    delivery = await only(registry)
    assert (delivery.state, delivery.attempts, delivery.answer) == (DeliveryState.SENT, 1, "250 2.0.0 queued as 1")
    assert delivery.message_id == message["message-id"]
    assert delivery.digest
    await jobs.settle()
    assert len(mail_server.messages) == 1


async def test_the_digest_is_that_of_the_bytes_that_arrived(
    registry: Registry, jobs_of: Jobs, mail_server: MailServer
) -> None:
    await registry.notices.addresses.add(SYSTEM, 1, "keys@ours.example")
    jobs = jobs_of(mail_settings(mail_server))
    await registry.pairs.generate(SYSTEM, "A00")
    await jobs.settle()
    (raw,) = mail_server.raw()
    assert message_from_bytes(raw, policy=policy.default).defects == []
    assert hashlib.sha256(raw).hexdigest() == (await only(registry)).digest


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"password": Secret(b"wrong")}, "535 the server refuses the user name or password"),
        ({"ca_file": None}, "certificate verify failed"),
        ({"user": ""}, "Authentication required"),
        ({"tls": "none"}, "STARTTLS"),
        ({"port": 1}, "127.0.0.1:1"),
        ({"ca_file": Path("/nowhere.pem")}, "/nowhere.pem"),
    ],
)
async def test_what_the_operator_can_put_right_fails_with_words_and_is_tried_again(
    registry: Registry, jobs_of: Jobs, mail_server: MailServer, log: Log, changes: dict[str, Any], answer: str
) -> None:
    jobs = jobs_of(mail_settings(mail_server, **changes))
    await registry.notices.addresses.add(SYSTEM, 1, "keys@ours.example")
    await registry.pairs.generate(SYSTEM, "A00")
    await jobs.settle()
    delivery = await only(registry)
    assert (delivery.state, mail_server.messages) == (DeliveryState.FAILED, [])
    assert answer in delivery.answer
    assert delivery.next_attempt_at == registry.clock.now() + 30 * SECOND
    assert [line["outcome"] for line in log.lines] == ["fail"]
    assert "wrong" not in str(log.lines)
    assert "correct horse" not in str(log.lines)


async def test_a_recipient_that_is_refused_for_good_is_given_up_and_one_that_is_not_is_tried_again(
    registry: Registry, jobs_of: Jobs, mail_server: MailServer
) -> None:
    jobs = jobs_of(mail_settings(mail_server))
    for address in ("a@refused.example", "b@busy.example", "c@ours.example"):
        await registry.notices.addresses.add(SYSTEM, 1, address)
    await registry.pairs.generate(SYSTEM, "A00")
    await jobs.settle()
    found = {delivery.address[0]: delivery for _, delivery in await outbox(registry)}
    assert (found["a"].state, found["a"].answer) == (
        DeliveryState.GIVEN_UP,
        f"127.0.0.1:{mail_server.port}: 550 5.1.1 nobody of that name here",
    )
    assert (found["b"].state, found["c"].state) == (DeliveryState.FAILED, DeliveryState.SENT)


async def test_a_mail_server_that_is_down_for_a_day_has_each_mail_once_within_an_hour_of_coming_back(
    registry: Registry, jobs_of: Jobs, mail_server: MailServer, clock: ManualClock
) -> None:
    jobs = jobs_of(mail_settings(mail_server))
    await registry.notices.addresses.add(SYSTEM, 1, "keys@ours.example")
    mail_server.stop()
    await registry.pairs.generate(SYSTEM, "A00")
    down_until = clock.now() + DAY
    while clock.now() < down_until:
        await jobs.settle()
        at = await registry.notices.deliveries.next_due_at((await only(registry)).channel)
        assert at is not None
        clock.set(min(at, down_until))
    assert 20 < (await only(registry)).attempts < 40
    mail_server.start()
    clock.advance(HOUR)
    await jobs.settle()
    assert (await only(registry)).state is DeliveryState.SENT
    clock.advance(30 * DAY)
    await jobs.settle()
    assert len(mail_server.messages) == 1


async def test_a_mail_that_cannot_be_delivered_for_three_days_is_given_up_and_a_person_can_send_it_again(
    registry: Registry, jobs_of: Jobs, mail_server: MailServer, clock: ManualClock
) -> None:
    jobs = jobs_of(mail_settings(mail_server))
    await registry.notices.addresses.add(SYSTEM, 1, "keys@ours.example")
    mail_server.stop()
    await registry.pairs.generate(SYSTEM, "A00")
    await jobs.settle()
    clock.advance(3 * DAY)
    await jobs.settle()
    assert (await only(registry)).state is DeliveryState.GIVEN_UP
    mail_server.start()
    await jobs.settle()
    assert mail_server.messages == []
    await registry.notices.deliveries.resend(SYSTEM, (await only(registry)).delivery_id)
    await jobs.settle()
    assert (await only(registry)).state is DeliveryState.SENT
    assert len(mail_server.messages) == 1


async def test_a_server_that_dies_before_it_answers_leaves_the_mail_unconfirmed_and_it_is_not_sent_again(
    registry: Registry, jobs_of: Jobs, mail_server: MailServer, clock: ManualClock
) -> None:
    jobs = jobs_of(mail_settings(mail_server))
    await registry.notices.addresses.add(SYSTEM, 1, "keys@lost.example")
    await registry.pairs.generate(SYSTEM, "A00")
    await jobs.settle()
    assert len(mail_server.messages) == 1
    assert (await only(registry)).state is DeliveryState.UNCONFIRMED
    mail_server.start()
    clock.advance(DAY)
    await jobs.settle()
    assert len(mail_server.messages) == 1


async def test_the_ladder_arrives_as_one_mail_for_many_pairs(
    registry: Registry, jobs_of: Jobs, mail_server: MailServer, clock: ManualClock
) -> None:
    jobs = jobs_of(mail_settings(mail_server))
    await registry.notices.addresses.add(SYSTEM, 1, "keys@ours.example", ["expiry"])
    for _ in range(3):
        session = await registry.sessions.create(SYSTEM, ["OURS1"], [40])
        pair = (await registry.pairs.generate(SYSTEM, session.session_id)).pair
    clock.set(pair.expires_at - 7 * DAY)
    await jobs.settle()
    (message,) = mail_server.messages
    assert "3 key pairs expire" in message["subject"]
    assert message["subject"].endswith("in 7 days")
    text = message.get_body(["plain"]).get_content()  # type: ignore[union-attr]
    assert all(f"session {session_id} expires" in text for session_id in ("A01", "A02", "A03"))
