"""What becomes of each sending: claimed before a socket is opened, settled with the other side's answer.

A claim that is found at the start of a process was cut off by the end of the one before: nobody knows whether it
arrived. It is shown as unconfirmed, and only a person sends it again.
"""

import re
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, true, update

from ontherun.registry.errors import ConflictError, NotFoundError
from ontherun.registry.principal import SYSTEM, Principal, Right
from ontherun.registry.records_notices import (
    DELIVERY_LIFE,
    Channel,
    Delivery,
    DeliveryEvent,
    DeliveryState,
    Notice,
    SendResult,
    Topic,
    happenings_from,
)
from ontherun.registry.store import Change, Store
from ontherun.registry.tables_notices import DeliveryRow, NoticeRow

_ANSWER_LENGTH = 500
_WAITING = (DeliveryState.DUE.value, DeliveryState.FAILED.value)
_DELIVERY_ID = re.compile(r"(\d{1,18})-(\d{1,9})")
_AUDITED = {
    DeliveryEvent.CONFIRM: "notice.sent",
    DeliveryEvent.GIVE_UP: "notice.given_up",
    DeliveryEvent.LOSE: "notice.unconfirmed",
}
"""A failure that is tried again is no audit entry: a mail server that is down for a day would fill the audit."""


class Deliveries:
    """The deliveries of all notices. They are read from the database by page: there is no end to them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # What a person asks.

    async def page(
        self,
        by: Principal,
        *,
        before: str | None = None,
        limit: int = 100,
        state: DeliveryState | None = None,
        notice_id: int | None = None,
    ) -> list[tuple[Notice, Delivery]]:
        """Return up to `limit` deliveries that the principal sees, newest first, behind the one with id `before`."""
        statement = _joined().where(_seen(by)).limit(limit)
        if state is not None:
            statement = statement.where(DeliveryRow.state == state.value)
        if notice_id is not None:
            statement = statement.where(DeliveryRow.notice_id == notice_id)
        if before is not None:
            first, number = _parsed(before)
            statement = statement.where(
                or_(
                    DeliveryRow.notice_id < first,
                    and_(DeliveryRow.notice_id == first, DeliveryRow.number > number),
                )
            )
        return [_both(row) for row in await self._store.rows(statement)]

    async def get(self, by: Principal, delivery_id: str) -> tuple[Notice, Delivery]:
        """Return a delivery and its notice. NotFoundError when there is none for this principal."""
        notice_id, number = _parsed(delivery_id)
        statement = _joined().where(_seen(by), DeliveryRow.notice_id == notice_id, DeliveryRow.number == number)
        rows = await self._store.rows(statement)
        if not rows:
            raise NotFoundError(f"delivery {delivery_id}")
        return _both(rows[0])

    async def counts(self, by: Principal) -> dict[DeliveryState, int]:
        """Return how many deliveries that the principal sees are in each state."""
        statement = select(DeliveryRow.state, func.count()).where(_seen(by)).group_by(DeliveryRow.state)
        return {DeliveryState(state): count for state, count in map(tuple, await self._store.rows(statement))}

    async def resend(self, by: Principal, delivery_id: str) -> Delivery:
        """Have a delivery sent that has not, or perhaps not, arrived. ConflictError for one that has, or is under way.

        Takes the right to manage notices.
        """
        notice, delivery = await self.get(by, delivery_id)
        require_notices(by, notice.entity_id)
        if not delivery.state.may_be_resent:
            raise ConflictError(
                f"Delivery {delivery_id} is {delivery.state}. What failed, was given up or is unconfirmed can be sent "
                "again."
            )
        if delivery.channel is Channel.MAIL and not self._store.outbox.mail_configured:
            raise ConflictError("No mail server is configured. Restart the venue with --smtp-host and --mail-from.")
        async with self._store.change(by) as change:
            self._store.outbox.stir(delivery.channel)
            change.write(
                _of(delivery)
                .where(DeliveryRow.state == delivery.state.value)
                .values(state=DeliveryState.DUE.value, changed_at=change.now, next_attempt_at=change.now)
            )
            change.record(
                "notice.resend_requested", notice.entity_id, f"delivery {delivery_id}", was=delivery.state.value
            )
        return (await self.get(by, delivery_id))[1]

    # What sends.

    async def lost_at_the_start(self) -> int:
        """Mark every claim of an earlier process as unconfirmed; return how many there were."""
        statement = _joined().where(DeliveryRow.state == DeliveryState.SENDING.value)
        lost = [_both(row)[1] for row in await self._store.rows(statement)]
        if lost:
            async with self._store.change(SYSTEM) as change:
                for delivery in lost:
                    outcome = SendResult(
                        DeliveryEvent.LOSE, "The process ended while this was sent.", delivery.message_id
                    )
                    self._settle(change, delivery, outcome)
        return len(lost)

    async def due(self, channel: Channel, limit: int) -> list[tuple[Notice, Delivery]]:
        """Return up to `limit` deliveries whose time has come, the longest waiting first."""
        statement = (
            _joined()
            .where(
                DeliveryRow.state.in_(_WAITING),
                DeliveryRow.channel == channel.value,
                DeliveryRow.next_attempt_at <= self._store.clock.now(),
            )
            .order_by(None)
            .order_by(DeliveryRow.next_attempt_at, DeliveryRow.notice_id, DeliveryRow.number)
            .limit(limit)
        )
        return [_both(row) for row in await self._store.rows(statement)]

    async def next_due_at(self, channel: Channel) -> int | None:
        """Return when the next delivery is due, or None when none waits."""
        statement = select(func.min(DeliveryRow.next_attempt_at)).where(
            DeliveryRow.state.in_(_WAITING), DeliveryRow.channel == channel.value
        )
        found: int | None = (await self._store.rows(statement))[0][0]
        return found

    async def claim(self, delivery: Delivery, message_id: str) -> bool:
        """Commit that the delivery is being sent, before anything is; False when somebody else was faster."""
        claimed = await self._store.note(
            _of(delivery)
            .where(DeliveryRow.state.in_(_WAITING), DeliveryRow.attempts == delivery.attempts)
            .values(
                state=DeliveryState.SENDING.value,
                attempts=delivery.attempts + 1,
                changed_at=self._store.clock.now(),
                next_attempt_at=None,
                message_id=message_id,
            )
        )
        return claimed == 1

    async def settle(self, delivery: Delivery, outcome: SendResult, next_attempt_at: int | None = None) -> None:
        """Commit how the sending of a claimed delivery ended; `next_attempt_at` with FAIL."""
        if outcome.event is DeliveryEvent.FAIL:
            await self._store.note(_settled(delivery, outcome, self._store.clock.now(), next_attempt_at))
            return
        async with self._store.change(SYSTEM) as change:
            self._settle(change, delivery, outcome)

    def _settle(self, change: Change, delivery: Delivery, outcome: SendResult) -> None:
        change.write(_settled(delivery, outcome, change.now, None))
        change.record(
            _AUDITED[outcome.event],
            delivery.entity_id,
            f"delivery {delivery.delivery_id}",
            channel=delivery.channel.value,
            address=delivery.address,
            message_id=outcome.message_id,
            digest=outcome.digest,
            answer=outcome.answer[:_ANSWER_LENGTH],
        )


def require_notices(by: Principal, entity_id: int | None) -> None:
    """ForbiddenError unless the principal may manage the notices of an entity, or with None of the venue."""
    if entity_id is None:
        by.require_operator()
    else:
        by.require(Right.MANAGE_NOTICES, entity_id)


def visible_entities(by: Principal, column: Any) -> ColumnElement[bool]:
    """The condition that a row is one of an entity that the principal sees."""
    entities = by.entities(Right.VIEW)
    return true() if entities is None else column.in_(sorted(entities))


def notice_of(row: Row[Any]) -> Notice:
    """Make a notice of a row that has the columns of its table."""
    return Notice(
        row.notice_id,
        row.at,
        Topic(row.topic),
        row.action,
        row.entity_id,
        row.user_id,
        row.actor,
        happenings_from(row.happenings),
    )


def _settled(delivery: Delivery, outcome: SendResult, now: int, next_attempt_at: int | None) -> Any:
    return (
        _of(delivery)
        .where(DeliveryRow.state == DeliveryState.SENDING.value)
        .values(
            state=DELIVERY_LIFE[DeliveryState.SENDING, outcome.event].value,
            changed_at=now,
            next_attempt_at=next_attempt_at,
            answer=outcome.answer[:_ANSWER_LENGTH],
            message_id=outcome.message_id,
            digest=outcome.digest,
        )
    )


def _of(delivery: Delivery) -> Any:
    return update(DeliveryRow).where(DeliveryRow.notice_id == delivery.notice_id, DeliveryRow.number == delivery.number)


def _seen(by: Principal) -> ColumnElement[bool]:
    return visible_entities(by, DeliveryRow.entity_id)


def _parsed(delivery_id: str) -> tuple[int, int]:
    found = _DELIVERY_ID.fullmatch(delivery_id)
    if found is None:
        raise NotFoundError(f"delivery {delivery_id}")
    return int(found[1]), int(found[2])


_NOTICE_COLUMNS = tuple(
    column for column in NoticeRow.__table__.columns if column.name not in ("notice_id", "entity_id")
)


def _joined() -> Select[Any]:
    return (
        select(DeliveryRow.__table__, *_NOTICE_COLUMNS)
        .join(NoticeRow, NoticeRow.notice_id == DeliveryRow.notice_id)
        .order_by(DeliveryRow.notice_id.desc(), DeliveryRow.number)
    )


def _both(row: Row[Any]) -> tuple[Notice, Delivery]:
    delivery = Delivery(
        row.notice_id,
        row.number,
        row.entity_id,
        Channel(row.channel),
        row.address,
        row.webhook_id,
        DeliveryState(row.state),
        row.attempts,
        row.changed_at,
        row.next_attempt_at,
        row.answer,
        row.message_id,
        row.digest,
    )
    return notice_of(row), delivery
