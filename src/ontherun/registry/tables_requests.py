"""The tables of requests, Drop Copy groups, session allowances and the venue's policies."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ontherun.registry.tables import Base


class RequestRow(Base):
    """A request. `terms` is the JSON object of its kind (see `ontherun.registry.terms`)."""

    __tablename__ = "request"
    request_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.entity_id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(20), index=True)
    terms: Mapped[dict[str, Any]] = mapped_column(JSON)
    summary: Mapped[str] = mapped_column(Text)
    submitted_by: Mapped[str] = mapped_column(String(200))
    submitter: Mapped[str] = mapped_column(String(200))
    submitted_at: Mapped[int]
    revision: Mapped[int]
    effective_at: Mapped[int | None]
    decided_by: Mapped[str | None] = mapped_column(String(200))
    decided_at: Mapped[int | None]
    reason: Mapped[str] = mapped_column(Text)
    finished_at: Mapped[int | None]
    session_ids: Mapped[list[str]] = mapped_column(JSON)


class DropCopyGroupRow(Base):
    """A Drop Copy group. `sources` and `messages` are JSON arrays."""

    __tablename__ = "drop_copy_group"
    group_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.entity_id"))
    name: Mapped[str] = mapped_column(String(100))
    market: Mapped[str] = mapped_column(String(2))
    target: Mapped[str] = mapped_column(ForeignKey("session.session_id"), unique=True)
    sources: Mapped[list[str]] = mapped_column(JSON)
    messages: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[int]
    deleted_at: Mapped[int | None]


class SessionAllowanceRow(Base):
    """How many Order Entry sessions an entity may have, where that is not the venue's default."""

    __tablename__ = "session_allowance"
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.entity_id"), primary_key=True, autoincrement=False)
    allowance: Mapped[int]


class VenuePolicyRow(Base):
    """One of the venue's policies that is not at its default; `value` is JSON."""

    __tablename__ = "venue_policy"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
