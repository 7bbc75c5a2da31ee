"""A database that is locked or full while notices are sent, a notice that cannot be written, and no secret anywhere."""

import asyncio
import base64
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.support.mail_server import MailServer
from tests.support.webhook_receiver import WebhookReceiver

from ontherun.keys.clock import DAY
from ontherun.notices import jobs as jobs_module
from ontherun.notices import secret_text
from ontherun.registry import SYSTEM, Channel, DeliveryState, Registry, Right, UnavailableError

from .conftest import Jobs, Log, mail_settings


def database(registry: Registry) -> sqlite3.Connection:
    return sqlite3.connect(registry.data_dir / "registry.sqlite3", isolation_level=None)


async def test_where_the_claim_cannot_be_written_nothing_is_sent_and_it_is_sent_once_later(
    registry: Registry, jobs_of: Jobs, mail_server: MailServer
) -> None:
    jobs = jobs_of(mail_settings(mail_server))
    await registry.notices.addresses.add(SYSTEM, 1, "keys@ours.example")
    await registry.pairs.generate(SYSTEM, "A00")
    full = database(registry)
    full.execute("CREATE TRIGGER full BEFORE UPDATE ON notice_delivery BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    with pytest.raises(UnavailableError, match="disk is full"):
        await jobs.send_due(Channel.MAIL)
    assert mail_server.messages == []
    full.execute("DROP TRIGGER full")
    full.close()
    await jobs.settle()
    await jobs.settle()
    assert len(mail_server.messages) == 1


async def test_where_the_confirmation_cannot_be_written_it_is_written_later_and_nothing_is_sent_again(
    registry: Registry, jobs_of: Jobs, mail_server: MailServer, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "DATABASE_PAUSE", 0.05)
    jobs = jobs_of(mail_settings(mail_server))
    await registry.notices.addresses.add(SYSTEM, 1, "keys@ours.example")
    await registry.pairs.generate(SYSTEM, "A00")
    full = database(registry)
    full.execute("CREATE TRIGGER full BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    sending = asyncio.create_task(jobs.send_due(Channel.MAIL))
    while not any("wait for the database" in line["event"] for line in log.lines):  # noqa: ASYNC110 - the log tells nobody
        await asyncio.sleep(0.01)
    assert len(mail_server.messages) == 1
    full.execute("DROP TRIGGER full")
    full.close()
    await sending
    assert (await registry.notices.deliveries.page(SYSTEM, limit=1))[0][1].state is DeliveryState.SENT
    await jobs.settle()
    assert len(mail_server.messages) == 1
    assert await registry.verify_audit() > 0


async def test_the_jobs_of_a_venue_survive_a_database_that_is_locked_for_a_while(
    registry: Registry, jobs_of: Jobs, mail_server: MailServer, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "DATABASE_PAUSE", 0.05)
    jobs = jobs_of(mail_settings(mail_server))
    await registry.notices.addresses.add(SYSTEM, 1, "keys@ours.example")

    def execute(statement: str) -> None:
        with closing(database(registry)) as other:
            other.execute(statement)

    execute("CREATE TRIGGER full BEFORE UPDATE ON notice_delivery BEGIN SELECT RAISE(ABORT, 'locked'); END")
    await registry.pairs.generate(SYSTEM, "A00")
    jobs.start()
    while not log.lines:  # noqa: ASYNC110 - the log tells nobody
        await asyncio.sleep(0.01)
    await asyncio.to_thread(execute, "DROP TRIGGER full")  # the venue may be writing, and needs the loop to end it
    async with asyncio.timeout(10):
        while not mail_server.messages:  # noqa: ASYNC110 - it is another process that has them
            await asyncio.sleep(0.02)
    await jobs.stop()
    assert len(mail_server.messages) == 1


async def test_one_notice_that_cannot_be_written_does_not_stop_the_others(
    registry: Registry, jobs_of: Jobs, mail_server: MailServer
) -> None:
    jobs = jobs_of(mail_settings(mail_server))
    await registry.notices.addresses.add(SYSTEM, 1, "keys@ours.example")
    for session_id in ("A00", "A00"):
        await registry.pairs.generate(SYSTEM, session_id)
    broken = database(registry)
    broken.execute(
        "UPDATE notice SET happenings = replace(happenings, 'key_pair.generated', 'no.such') "
        "WHERE notice_id = (SELECT min(notice_id) FROM notice_delivery WHERE state = 'due')"
    )
    broken.close()
    await jobs.settle()
    found = [each.state for _, each in await registry.notices.deliveries.page(SYSTEM) if each.address]
    assert sorted(found) == [DeliveryState.FAILED, DeliveryState.SENT]


async def test_no_secret_is_in_any_mail_webhook_or_row_of_the_outbox(
    registry: Registry, jobs_of: Jobs, mail_server: MailServer, tmp_path: Path, clock: Any
) -> None:
    jobs = jobs_of(mail_settings(mail_server))
    await registry.notices.addresses.add(SYSTEM, 1, "keys@ours.example")
    with WebhookReceiver(tmp_path / "hook") as receiver:
        _, signing = await registry.notices.webhooks.add(SYSTEM, 1, receiver.url)
        receiver.know(secret_text(signing))
        secrets = [signing.raw]
        _, token = await registry.tokens.create(SYSTEM, "script", frozenset({Right.VIEW}), 1)
        secrets.append(token.raw)
        for _ in range(2):
            pair = (await registry.pairs.generate(SYSTEM, "A00")).pair
            found = registry.directory.key(pair.access_key_id, "A00", clock.now())
            secrets.append(found.secret)  # type: ignore[union-attr]
        await registry.pairs.delete(SYSTEM, "A00", pair.access_key_id)
        clock.advance(400 * DAY)
        await jobs.settle()
        assert len(mail_server.messages) >= 4
        assert len(receiver.requests) >= 4
        seen = b"".join(mail_server.raw()) + b"".join(str(request).encode() for request in receiver.requests)
    rows = database(registry)
    for table in ("notice", "notice_delivery", "notice_address", "audit_entry"):
        seen += repr(rows.execute(f"SELECT * FROM {table}").fetchall()).encode()
    rows.close()
    assert pair.access_key_id.encode() in seen  # the search does look into it
    for secret in secrets:
        for form in (secret, secret.hex().encode(), base64.b64encode(secret), base64.urlsafe_b64encode(secret)):
            assert form.rstrip(b"=") not in seen
