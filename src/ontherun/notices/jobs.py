"""The work that nobody asks for: announce expiries, and send what is due. One asyncio task of the venue.

It sleeps until the next thing is due, and wakes at each commit and whenever the clock was moved (`wake`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

from ontherun.notices.letters import Letter, Sender, letter
from ontherun.notices.mail import MailSender, compose, message_id
from ontherun.notices.networks import Networks
from ontherun.notices.settings import NoticeSettings
from ontherun.notices.webhooks import WebhookSender
from ontherun.registry import (
    Channel,
    Delivery,
    DeliveryEvent,
    MasterKeyError,
    Notice,
    Registry,
    SendResult,
    UnavailableError,
)

T = TypeVar("T")

_SECOND = 1_000_000_000
BATCH = 16
"""Deliveries that are looked up at once."""

AT_ONCE = {Channel.MAIL: 2, Channel.WEBHOOK: 8}
"""How many are sent at the same time."""

LONGEST_SLEEP = 60.0
"""Seconds after which the clock is looked at again, should it have been moved behind our back."""

FINISH_IN = 5.0
"""Seconds that a stop waits for what is being sent."""

DATABASE_PAUSE = 1.0
"""Seconds to wait before the database is tried again."""

FIRST_PAUSE, LONGEST_PAUSE, PATIENCE = 30 * _SECOND, 3600 * _SECOND, 72 * 3600 * _SECOND
"""A failed delivery is tried again after 30 s, then after twice as long each time, up to an hour; given up after three
days. A mail server that is down for a day has the mail within an hour of coming back."""


class Log(Protocol):
    """Where the jobs say what went wrong."""

    def warning(self, event: str, **facts: object) -> None:
        """Something that its owner should look at."""


def next_attempt_at(notice: Notice, delivery: Delivery, now: int) -> int | None:
    """Return when a delivery whose attempt failed at `now` is tried again; None: it is given up.

    `delivery.attempts` counts those before the one that failed.
    """
    if now - notice.at >= PATIENCE:
        return None
    return int(now + min(FIRST_PAUSE * 2 ** min(delivery.attempts, 20), LONGEST_PAUSE))


def write_letter(registry: Registry, notice: Notice, public_url: str) -> Letter:
    """Write the letter for a notice of a registry."""
    entity = None if notice.entity_id is None else registry.directory.entity(notice.entity_id)
    return letter(notice, Sender(registry.environment, public_url), entity.name if entity else "")


class NoticeJobs:
    """Announces and sends for one registry. `public_url` says where people reach the portal, for links."""

    def __init__(self, registry: Registry, settings: NoticeSettings, log: Log, public_url: Callable[[], str]) -> None:
        self._registry = registry
        self._notices = registry.notices
        self._log = log
        self._public_url = public_url
        self._mail = MailSender(settings.mail) if settings.mail else None
        self._webhooks = WebhookSender(Networks(settings.webhook_networks), registry.environment, registry.clock.now)
        self._wakers: list[asyncio.Event] = []
        self._running: asyncio.Task[None] | None = None
        self._stopping = False
        self._notices.outbox.mail_configured = self._mail is not None

    def start(self) -> None:
        """Work from now on, in a task of its own."""
        self._running = asyncio.create_task(self.run())

    async def stop(self) -> None:
        """Finish what is being sent, within FINISH_IN; a sending that takes longer is unconfirmed at the next start."""
        if self._running is None:
            return
        self._stopping = True
        self.wake()
        await asyncio.wait({self._running}, timeout=FINISH_IN)
        self._running.cancel()
        await asyncio.wait({self._running})

    async def run(self) -> None:
        """Mark what an earlier process left in the middle, then work until `stop`."""
        await self._patiently(self._notices.deliveries.lost_at_the_start)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._forever(None, self.announce, self._next_rung_at))
            for channel in Channel:
                next_at = partial(self._notices.deliveries.next_due_at, channel)
                tasks.create_task(self._forever(channel, partial(self.send_due, channel), next_at))

    def wake(self) -> None:
        """Look at the clock again: it was moved."""
        for event in self._wakers:
            event.set()

    async def announce(self) -> int:
        """Announce the expiries that are due, and erase the secrets of webhooks that sign no more.

        Return how many pairs were announced.
        """
        await self._notices.webhooks.erase_what_is_over()
        return await self._notices.ladder.climb()

    async def send_due(self, channel: Channel) -> int:
        """Send what is due now, BATCH deliveries at most; return how many were tried."""
        due = await self._notices.deliveries.due(channel, BATCH)
        turn = asyncio.Semaphore(AT_ONCE[channel])

        async def one(notice: Notice, delivery: Delivery) -> None:
            async with turn:
                await self._send(notice, delivery)

        await asyncio.gather(*(one(notice, delivery) for notice, delivery in due))
        return len(due)

    async def settle(self) -> None:
        """Announce and send until nothing is due now: what tests and a moved clock need."""
        await self.announce()
        for channel in Channel:
            while await self.send_due(channel):
                pass

    async def _send(self, notice: Notice, delivery: Delivery) -> None:
        if delivery.channel is Channel.MAIL:
            await self._send_mail(notice, delivery)
        else:
            await self._send_webhook(notice, delivery)

    async def _send_mail(self, notice: Notice, delivery: Delivery) -> None:
        if self._mail is None:  # it was configured when the notice was written
            await self._hold(notice, delivery, "No mail server is configured any more.")
            return
        sender = self._mail.settings.mail_from
        name = message_id(notice, delivery, sender)
        try:
            written = write_letter(self._registry, notice, self._public_url())
            content = compose(written, delivery.address, name, sender, self._registry.clock.now())
        except Exception as error:  # noqa: BLE001 - one notice that cannot be written must not stop the others
            await self._hold(notice, delivery, f"The notice could not be written: {error!r}")
            return
        if await self._notices.deliveries.claim(delivery, name):
            await self._settled(notice, delivery, await self._mail.send(delivery.address, content, name))

    async def _send_webhook(self, notice: Notice, delivery: Delivery) -> None:
        assert delivery.webhook_id is not None
        try:
            found = self._notices.webhooks.to_send(delivery.webhook_id)
        except MasterKeyError as error:
            await self._hold(notice, delivery, str(error))
            return
        if not await self._notices.deliveries.claim(delivery, f"notice_{delivery.delivery_id}"):
            return
        if found is None:
            outcome = SendResult(DeliveryEvent.GIVE_UP, "The webhook was removed.")
        else:
            outcome = await self._webhooks.send(*found, notice, delivery)
        await self._settled(notice, delivery, outcome)

    async def _hold(self, notice: Notice, delivery: Delivery, why: str) -> None:
        """Count an attempt that could not even begin."""
        if await self._notices.deliveries.claim(delivery, ""):
            await self._settled(notice, delivery, SendResult(DeliveryEvent.FAIL, why))

    async def _settled(self, notice: Notice, delivery: Delivery, outcome: SendResult) -> None:
        """Keep how a sending ended. It is tried until the database takes it, for what was sent stays sent."""
        again = None
        if outcome.event is DeliveryEvent.FAIL:
            again = next_attempt_at(notice, delivery, self._registry.clock.now())
            if again is None:
                outcome = SendResult(DeliveryEvent.GIVE_UP, outcome.answer, outcome.message_id, outcome.digest)
        if outcome.event is not DeliveryEvent.CONFIRM:
            self._log.warning(
                "notice not sent",
                delivery=delivery.delivery_id,
                channel=delivery.channel.value,
                outcome=outcome.event.value,
                answer=outcome.answer,
            )
        await self._patiently(lambda: self._notices.deliveries.settle(delivery, outcome, again))

    async def _forever(
        self, channel: Channel | None, work: Callable[[], Awaitable[int]], next_at: Callable[[], Awaitable[int | None]]
    ) -> None:
        """Do what is due, sleep until the next thing is, or until somebody wakes us."""
        woken = self._notices.outbox.watch(channel)
        self._wakers.append(woken)
        try:
            while not self._stopping:
                woken.clear()
                if await self._patiently(work):
                    continue
                at = await self._patiently(next_at)
                wait = LONGEST_SLEEP if at is None else (at - self._registry.clock.now()) / _SECOND
                try:
                    async with asyncio.timeout(max(0.0, min(wait, LONGEST_SLEEP))):
                        await woken.wait()
                except TimeoutError:
                    pass
        finally:
            self._wakers.remove(woken)
            self._notices.outbox.unwatch(woken)

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work`, again and again while the database cannot be used: nothing is lost, it only comes later."""
        while True:
            try:
                return await work()
            except UnavailableError as error:
                self._log.warning("notices wait for the database", reason=str(error))
                await asyncio.sleep(DATABASE_PAUSE)

    async def _next_rung_at(self) -> int | None:
        return self._notices.ladder.next_at()
