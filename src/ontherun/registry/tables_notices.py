"""The tables of notices. A webhook's secret is stored sealed; no other secret comes here."""

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ontherun.registry.tables import Base


class NoticeRow(Base):
    """A notice; its id is the sequence of the first audit entry that it tells of."""

    __tablename__ = "notice"
    notice_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[int]
    topic: Mapped[str] = mapped_column(String(20))
    action: Mapped[str] = mapped_column(String(50))
    entity_id: Mapped[int | None] = mapped_column(index=True)
    user_id: Mapped[int | None]
    actor: Mapped[str] = mapped_column(String(200))
    happenings: Mapped[str] = mapped_column(Text)


class DeliveryRow(Base):
    """One sending of a notice to one address."""

    __tablename__ = "notice_delivery"
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.notice_id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entity_id: Mapped[int | None] = mapped_column(index=True)
    channel: Mapped[str] = mapped_column(String(10))
    address: Mapped[str] = mapped_column(String(500))
    webhook_id: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(20))
    attempts: Mapped[int]
    changed_at: Mapped[int]
    next_attempt_at: Mapped[int | None]
    answer: Mapped[str] = mapped_column(String(500))
    message_id: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))

    __table_args__ = (Index("ix_notice_delivery_due", "state", "channel", "next_attempt_at"),)


class NoticeReadRow(Base):
    """That somebody has read a notice in the portal."""

    __tablename__ = "notice_read"
    reader: Mapped[str] = mapped_column(String(200), primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.notice_id"), primary_key=True, autoincrement=False)


class NoticeReaderRow(Base):
    """Up to which notice somebody has marked everything as read."""

    __tablename__ = "notice_reader"
    reader: Mapped[str] = mapped_column(String(200), primary_key=True)
    all_read_up_to: Mapped[int]


class NoticeAddressRow(Base):
    """A team's mail address. `topics` are names, divided by a space."""

    __tablename__ = "notice_address"
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.entity_id"), primary_key=True)
    address: Mapped[str] = mapped_column(String(254), primary_key=True)
    topics: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[int]


class WebhookRow(Base):
    """A webhook. A removed one keeps its row, for the history, but not its secret."""

    __tablename__ = "webhook"
    webhook_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.entity_id"))
    url: Mapped[str] = mapped_column(String(500))
    label: Mapped[str] = mapped_column(String(100))
    topics: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[int]
    removed_at: Mapped[int | None]
    sealed_secret: Mapped[bytes | None]
    master_key_id: Mapped[str | None] = mapped_column(String(16))


class WebhookEarlierSecretRow(Base):
    """The secret that a webhook had before its last rotation; it signs, too, until `valid_until`."""

    __tablename__ = "webhook_earlier_secret"
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.webhook_id"), primary_key=True, autoincrement=False)
    valid_until: Mapped[int]
    sealed_secret: Mapped[bytes]
    master_key_id: Mapped[str] = mapped_column(String(16))


class ExpiryRungRow(Base):
    """That a pair's expiry was announced so many days before, or with 0 that it has expired."""

    __tablename__ = "expiry_rung"
    access_key_id: Mapped[str] = mapped_column(ForeignKey("key_pair.access_key_id"), primary_key=True)
    expires_at: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    days: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    announced_at: Mapped[int]
