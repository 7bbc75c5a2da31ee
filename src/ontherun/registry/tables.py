"""The tables. Names of people and firms, ids and times are stored plainly; secrets only sealed, tokens only hashed."""

from typing import Any, ClassVar

from sqlalchemy import DDL, JSON, BigInteger, ForeignKey, Index, LargeBinary, MetaData, String, Text, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables of the registry."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
        }
    )
    type_annotation_map: ClassVar = {int: BigInteger, bytes: LargeBinary}


class EntityRow(Base):
    """A registered entity."""

    __tablename__ = "entity"
    entity_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    created_at: Mapped[int]


class GlobexFirmRow(Base):
    """A Globex firm. A withdrawn one keeps its row, so that its GFID is never given again."""

    __tablename__ = "globex_firm"
    gfid: Mapped[str] = mapped_column(String(5), primary_key=True)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.entity_id"))
    name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[int]
    withdrawn_at: Mapped[int | None]


class RouteThroughRow(Base):
    """That sessions of the primary firm, which is another entity's, may carry a firm."""

    __tablename__ = "route_through"
    gfid: Mapped[str] = mapped_column(ForeignKey("globex_firm.gfid"), primary_key=True)
    primary_gfid: Mapped[str] = mapped_column(ForeignKey("globex_firm.gfid"), primary_key=True)
    authorised_at: Mapped[int]


class SessionRow(Base):
    """A session of any service. `position` counts them in the order of their creation, from 0.

    What only one service has is in `settings`, a JSON object (see `ontherun.registry.records`).
    """

    __tablename__ = "session"
    session_id: Mapped[str] = mapped_column(String(5), primary_key=True)
    position: Mapped[int] = mapped_column(unique=True)
    service: Mapped[str] = mapped_column(String(20))
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.entity_id"))
    label: Mapped[str] = mapped_column(String(100))
    notes: Mapped[str] = mapped_column(Text)
    front_end_system: Mapped[str] = mapped_column(String(100))
    live_date: Mapped[str | None] = mapped_column(String(10))
    allowed_sources: Mapped[list[str]] = mapped_column(JSON)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[int]
    deleted_at: Mapped[int | None]


class SessionFirmRow(Base):
    """A firm that may use a session; `position` 0 is the primary one."""

    __tablename__ = "session_firm"
    session_id: Mapped[str] = mapped_column(ForeignKey("session.session_id"), primary_key=True)
    gfid: Mapped[str] = mapped_column(ForeignKey("globex_firm.gfid"), primary_key=True)
    position: Mapped[int]


class KeyPairRow(Base):
    """A secure key pair. A deleted one keeps its row, for the history, but not its secret."""

    __tablename__ = "key_pair"
    access_key_id: Mapped[str] = mapped_column(String(20), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("session.session_id"), index=True)
    label: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[int]
    expires_at: Mapped[int]
    ends_by: Mapped[str] = mapped_column(String(40))
    valid_from: Mapped[int | None]
    deactivated_at: Mapped[int | None]
    expired_at: Mapped[int | None]
    deleted_at: Mapped[int | None]
    sealed_secret: Mapped[bytes | None]
    master_key_id: Mapped[str | None] = mapped_column(String(16))


class PartyDetailsRow(Base):
    """Registered party details of a session and firm."""

    __tablename__ = "party_details"
    session_id: Mapped[str] = mapped_column(ForeignKey("session.session_id"), primary_key=True)
    gfid: Mapped[str] = mapped_column(ForeignKey("globex_firm.gfid"), primary_key=True)
    party_details_list_req_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account: Mapped[str] = mapped_column(String(20))
    self_match_prevention_id: Mapped[int | None]
    created_at: Mapped[int]


class AuditEntryRow(Base):
    """One link of the audit chain."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_entity_id_sequence", "entity_id", "sequence"),
        Index("ix_audit_entry_subject_sequence", "subject", "sequence"),
    )
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[int]
    actor: Mapped[str] = mapped_column(String(200))
    source: Mapped[str | None] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(50))
    entity_id: Mapped[int | None]
    subject: Mapped[str] = mapped_column(String(200))
    details: Mapped[str] = mapped_column(Text)
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes]


AUDIT_IS_APPEND_ONLY = tuple(
    f"CREATE TRIGGER audit_entry_no_{verb.lower()} BEFORE {verb} ON audit_entry "
    "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
    for verb in ("UPDATE", "DELETE")
)
"""SQLite triggers: whoever wants to change the past has to go out of their way, and the chain still shows it."""

for _trigger in AUDIT_IS_APPEND_ONLY:
    event.listen(AuditEntryRow.__table__, "after_create", DDL(_trigger).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]
