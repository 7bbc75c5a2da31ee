"""The pages about notices, as a browser sees them."""

import re
from html import unescape

import pytest

from ontherun.registry import SYSTEM, DeliveryEvent, SendResult

from .browser import Browser, signed_in
from .conftest import Portal


@pytest.fixture
async def browser(portal: Portal) -> Browser:
    return await signed_in(portal)


async def test_without_a_mail_server_the_outbox_page_shows_what_would_have_been_sent(
    portal: Portal, browser: Browser
) -> None:
    await portal.registry.notices.addresses.add(SYSTEM, 1, "team@ours.example")
    pair = (await portal.registry.pairs.generate(SYSTEM, "A00")).pair
    page = (await browser.get("/notices")).text
    assert "No mail server is configured" in page
    assert "--smtp-host" in page
    assert "New key pair for session A00" in page
    delivery = (await portal.registry.notices.deliveries.page(SYSTEM, limit=1))[0][1]
    shown = (await browser.get(f"/notices/deliveries/{delivery.delivery_id}")).text
    assert "Nothing was sent." in shown
    assert pair.access_key_id in shown
    assert "What to do" in shown
    filtered = await browser.get("/notices", params={"state": "not configured"})
    assert delivery.delivery_id in filtered.text
    assert delivery.delivery_id not in (await browser.get("/notices", params={"state": "sent"})).text


async def test_an_address_is_added_tested_and_removed(portal: Portal, browser: Browser) -> None:
    wrong = await browser.post("/notices/addresses", entity_id="1", address="<b>team", topics=["keys"])
    assert wrong.status_code == 422
    assert "is no mail address" in wrong.text
    assert "&lt;b&gt;team" in wrong.text
    added = await browser.post("/notices/addresses", entity_id="1", address="team@ours.example", topics=["keys"])
    assert added.status_code == 303
    assert "team@ours.example" in (await browser.get("/notices/addresses")).text
    tested = await browser.post("/notices/addresses/test", entity_id="1", address="team@ours.example")
    assert re.fullmatch(r"/notices/deliveries/\d+-1", tested.headers["location"])
    assert (await browser.get(tested.headers["location"])).status_code == 200
    await browser.post("/notices/addresses/remove", entity_id="1", address="team@ours.example")
    assert portal.registry.notices.addresses.list(SYSTEM) == []


async def test_the_signing_secret_of_a_webhook_is_on_one_page_only(portal: Portal, browser: Browser) -> None:
    made = await browser.post("/notices/webhooks", entity_id="1", url="https://ours.example/x?y", topics=["keys"])
    assert made.status_code == 200
    found = re.search(r"whsec_[A-Za-z0-9+/=]{44}", unescape(made.text))
    assert found is not None
    tested = await browser.post("/notices/webhooks/1/test")
    for path in ("/notices", "/notices/webhooks", "/messages", tested.headers["location"]):
        assert found[0] not in unescape((await browser.get(path)).text)
    assert (await browser.post("/notices/webhooks", entity_id="1", url="ftp://x")).status_code == 422
    await browser.post("/notices/webhooks/1/remove")
    assert portal.registry.notices.webhooks.list(SYSTEM) == []


async def test_a_message_is_read_once_it_was_shown_and_all_are_by_one_button(portal: Portal, browser: Browser) -> None:
    await portal.registry.pairs.generate(SYSTEM, "A00")
    await portal.registry.pairs.generate(SYSTEM, "A01")
    page = (await browser.get("/messages")).text
    (newest, *_) = re.findall(r'href="(/messages/\d+)"', page)
    message = await browser.get(newest)
    assert "What happens next" in message.text
    assert newest not in (await browser.get("/messages?unread=true")).text
    assert (await browser.post("/messages/read")).status_code == 303
    assert "Everything is read." in (await browser.get("/messages?unread=true")).text


async def test_a_delivery_that_was_given_up_is_sent_again_by_a_button(portal: Portal, browser: Browser) -> None:
    notices = portal.registry.notices
    notices.outbox.mail_configured = True
    await notices.addresses.add(SYSTEM, 1, "team@ours.example")
    await portal.registry.pairs.generate(SYSTEM, "A00")
    delivery = (await notices.deliveries.page(SYSTEM, limit=1))[0][1]
    path = f"/notices/deliveries/{delivery.delivery_id}"
    assert "Send again" not in (await browser.get(path)).text
    assert (await browser.post(f"{path}/resend")).status_code == 409
    await notices.deliveries.claim(delivery, "<1@x>")
    await notices.deliveries.settle(delivery, SendResult(DeliveryEvent.GIVE_UP, "550 nobody"))
    page = (await browser.get(path)).text
    assert "Send again" in page
    assert "550 nobody" in page
    assert (await browser.post(f"{path}/resend")).status_code == 303
    assert (await notices.deliveries.page(SYSTEM, limit=1))[0][1].state.value == "due"


async def test_the_secret_of_a_webhook_is_rotated_and_shown_once(portal: Portal, browser: Browser) -> None:
    await portal.registry.notices.webhooks.add(SYSTEM, 1, "https://hooks.example/")
    rotated = await browser.post("/notices/webhooks/1/rotate", overlap="24", audit_reason="yearly")
    assert "whsec_" in rotated.text
    assert "The secret before signs as well for a while." in rotated.text
    page = (await browser.get("/notices/webhooks")).text
    assert "two secrets sign" in page
    assert "whsec_" not in page
    gone = await browser.post("/notices/webhooks/1/rotate", overlap="0")
    assert "The secret before is erased." in gone.text
    assert "two secrets sign" not in (await browser.get("/notices/webhooks")).text
    assert (await browser.post("/notices/webhooks/1/rotate", overlap="169")).status_code == 422


async def test_the_calendar_is_downloaded_with_the_cookie_and_without_a_secret_in_the_address(
    portal: Portal, browser: Browser
) -> None:
    pair = (await portal.registry.pairs.generate(SYSTEM, "A00")).pair
    page = (await browser.get("/notices/calendar")).text
    assert 'href="/notices/expiries.ics"' in page
    answer = await browser.get("/notices/expiries.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    assert f"UID:{pair.access_key_id}.LOCAL@ontherun" in answer.text


async def test_a_form_without_the_portals_token_changes_nothing(portal: Portal, browser: Browser) -> None:
    for path in ("/notices/addresses", "/notices/webhooks", "/messages/read", "/notices/webhooks/1/remove"):
        answer = await browser.client.post(path, data={"entity_id": "1", "address": "x@y.example", "csrf": "no"})
        assert answer.status_code == 403
    assert portal.registry.notices.addresses.list(SYSTEM) == []
