"""Webhooks to a real receiver, in another process, that verifies them with the sample of the documentation."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.support.mail_server import make_certificate
from tests.support.webhook_receiver import WebhookReceiver

from ontherun.keys import ManualClock
from ontherun.keys.clock import DAY, SECOND
from ontherun.notices import secret_text
from ontherun.notices.networks import LOOPBACK, Networks, NotReachableError
from ontherun.notices.webhooks import WebhookSender
from ontherun.registry import SYSTEM, Delivery, DeliveryState, Registry

from .conftest import Jobs, Log


async def deliveries(registry: Registry) -> list[Delivery]:
    found = await registry.notices.deliveries.page(SYSTEM)
    return [each for _, each in reversed(found) if each.webhook_id is not None]


async def add(registry: Registry, receiver: WebhookReceiver) -> None:
    _, secret = await registry.notices.webhooks.add(SYSTEM, 1, receiver.url, topics=["keys"])
    receiver.know(secret_text(secret))


async def test_a_receiver_verifies_the_signature_with_the_documented_sample(
    registry: Registry, jobs_of: Jobs, tmp_path: Path
) -> None:
    with WebhookReceiver(tmp_path / "hook") as receiver:
        await add(registry, receiver)
        pair = (await registry.pairs.generate(SYSTEM, "A00")).pair
        await jobs_of().settle()
        (request,) = receiver.requests
    (delivery,) = await deliveries(registry)
    assert (request["genuine"], request["altered"], request["fresh"]) == (True, False, False), (
        "the clock stands in 2026"
    )
    assert request["headers"]["webhook-id"] == delivery.message_id == f"notice_{delivery.delivery_id}"
    assert (request["path"], request["body"]["type"], request["body"]["topic"]) == (
        "/hook",
        "key_pair.generated",
        "keys",
    )
    assert request["body"]["events"][0]["details"]["access_key_id"] == pair.access_key_id
    assert (delivery.state, delivery.answer) == (DeliveryState.SENT, "200 thank you")
    assert receiver.url.startswith(delivery.address)


async def test_a_receiver_with_either_secret_verifies_during_a_rotation(
    registry: Registry, jobs_of: Jobs, tmp_path: Path, clock: ManualClock
) -> None:
    jobs = jobs_of()
    with WebhookReceiver(tmp_path / "old") as old, WebhookReceiver(tmp_path / "new") as new:
        await add(registry, old)
        await add(registry, new)
        await registry.notices.webhooks.rotate(SYSTEM, 1)
        new.know(secret_text(await registry.notices.webhooks.rotate(SYSTEM, 2)))
        await registry.pairs.generate(SYSTEM, "A00")
        await jobs.settle()
        assert [request["genuine"] for request in old.requests + new.requests] == [True, True]
        clock.advance(DAY)
        await registry.pairs.generate(SYSTEM, "A00")
        await jobs.settle()
        assert [receiver.requests[-1]["genuine"] for receiver in (old, new)] == [False, True]


async def test_what_is_answered_with_an_error_comes_again_under_the_same_id(
    registry: Registry, jobs_of: Jobs, tmp_path: Path, clock: ManualClock
) -> None:
    jobs = jobs_of()
    with WebhookReceiver(tmp_path / "hook", 500, 302) as receiver:
        await add(registry, receiver)
        await registry.pairs.generate(SYSTEM, "A00")
        for expected in (DeliveryState.FAILED, DeliveryState.FAILED, DeliveryState.SENT):
            await jobs.settle()
            (delivery,) = await deliveries(registry)
            assert delivery.state is expected
            assert len(delivery.answer) < 300
            clock.set(delivery.next_attempt_at or clock.now())
        ids = [request["headers"]["webhook-id"] for request in receiver.requests]
        assert ids == [delivery.message_id] * 3, "a redirect is not followed"
        assert {request["path"] for request in receiver.requests} == {"/hook"}


async def test_a_receiver_that_is_gone_is_given_up(registry: Registry, jobs_of: Jobs, tmp_path: Path) -> None:
    with WebhookReceiver(tmp_path / "hook", 410) as receiver:
        await add(registry, receiver)
        await registry.pairs.generate(SYSTEM, "A00")
        await jobs_of().settle()
    assert [each.state for each in await deliveries(registry)] == [DeliveryState.GIVEN_UP]


async def test_a_receiver_that_does_not_answer_costs_a_bounded_time(
    registry: Registry, tmp_path: Path, clock: ManualClock
) -> None:
    with WebhookReceiver(tmp_path / "hook", 0) as receiver:
        await add(registry, receiver)
        await registry.pairs.generate(SYSTEM, "A00")
        ((notice, delivery),) = [
            each for each in await registry.notices.deliveries.page(SYSTEM, limit=5) if each[1].webhook_id
        ]
        found = registry.notices.webhooks.to_send(1)
        assert found is not None
        sender = WebhookSender(Networks(LOOPBACK), "LOCAL", clock.now, timeout=0.3)
        result = await sender.send(*found, notice, delivery)
    assert (result.event.value, result.answer) == ("fail", "No answer within 0.3 s.")


async def test_a_test_goes_to_the_one_webhook(registry: Registry, jobs_of: Jobs, tmp_path: Path) -> None:
    with WebhookReceiver(tmp_path / "one") as one, WebhookReceiver(tmp_path / "two") as two:
        await add(registry, one)
        await add(registry, two)
        await registry.notices.webhooks.test(SYSTEM, 2)
        await jobs_of().settle()
        assert one.requests == []
        assert [request["body"]["type"] for request in two.requests] == ["notice.tested"]
        assert two.requests[0]["genuine"]


async def test_what_was_due_to_a_removed_webhook_is_given_up(registry: Registry, jobs_of: Jobs) -> None:
    await registry.notices.webhooks.add(SYSTEM, 1, "https://hooks.example/")
    await registry.pairs.generate(SYSTEM, "A00")
    await registry.notices.webhooks.remove(SYSTEM, 1)
    await jobs_of().settle()
    assert [(each.state, each.answer) for each in await deliveries(registry)] == [
        (DeliveryState.GIVEN_UP, "The webhook was removed.")
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://172.16.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://0.0.0.0/",
        "https://100.64.0.1/",
        "https://localhost/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://224.0.0.1/",
        "http://1.1.1.1/",
    ],
)
async def test_a_webhook_does_not_reach_the_venues_own_network(
    registry: Registry, jobs_of: Jobs, log: Log, url: str
) -> None:
    await registry.notices.webhooks.add(SYSTEM, 1, url)
    await registry.pairs.generate(SYSTEM, "A00")
    await jobs_of(networks=()).settle()
    (delivery,) = await deliveries(registry)
    assert delivery.state is DeliveryState.FAILED
    assert (
        "no public address" in delivery.answer or "use https://" in delivery.answer or "no address" in delivery.answer
    )


@pytest.mark.parametrize(
    "address",
    ["::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "::", "10.0.0.1"],
)
async def test_a_name_with_a_private_address_of_any_kind_is_not_reached(address: str) -> None:
    with pytest.raises(NotReachableError, match="no public address"):
        await Networks().resolve(address, 443)


async def test_the_operator_can_allow_a_network() -> None:
    networks = Networks(["10.1.0.0/16"])
    assert [str(address) for address in await networks.resolve("10.1.2.3", 443)] == ["10.1.2.3"]
    with pytest.raises(NotReachableError, match="--webhook-network"):
        await networks.resolve("10.2.2.3", 443)


@contextmanager
def https_receiver(folder: Path) -> Iterator[int]:
    """A receiver that speaks TLS, with a certificate for localhost and 127.0.0.1; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.headers["host"].encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = HTTPServer(("0.0.0.0", 0), Handler)
    folder.mkdir()
    server.socket = make_certificate(folder).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("host", "trusted", "state"),
    [
        ("localhost", True, DeliveryState.SENT),
        ("127.0.0.1", True, DeliveryState.SENT),
        ("127.0.0.2", True, DeliveryState.FAILED),
        ("localhost", False, DeliveryState.FAILED),
    ],
)
async def test_a_certificate_is_checked_against_the_name_though_the_connection_goes_to_a_checked_address(
    registry: Registry,
    jobs_of: Jobs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    trusted: bool,
    state: DeliveryState,
) -> None:
    with https_receiver(tmp_path / "tls") as port:
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls" / "ca.pem"))
        await registry.notices.webhooks.add(SYSTEM, 1, f"https://{host}:{port}/")
        await registry.pairs.generate(SYSTEM, "A00")
        await jobs_of().settle()
    (delivery,) = await deliveries(registry)
    assert delivery.state is state, delivery.answer
    words = f"200 {host}:{port}" if state is DeliveryState.SENT else "certificate verify failed"
    assert words in delivery.answer


async def test_a_webhook_that_fails_for_three_days_is_given_up(
    registry: Registry, jobs_of: Jobs, clock: ManualClock
) -> None:
    await registry.notices.webhooks.add(SYSTEM, 1, "https://127.0.0.1:1/")
    await registry.pairs.generate(SYSTEM, "A00")
    jobs, begin = jobs_of(), clock.now()
    while (delivery := (await deliveries(registry))[0]).state is not DeliveryState.GIVEN_UP:
        await jobs.settle()
        clock.set((await deliveries(registry))[0].next_attempt_at or clock.now())
    assert 3 * DAY <= delivery.changed_at - begin <= 3 * DAY + 3600 * SECOND
