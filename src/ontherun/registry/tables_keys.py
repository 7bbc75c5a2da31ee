"""The table of what gateways saw of key pairs. The pairs themselves are in `ontherun.registry.tables`."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ontherun.registry.tables import Base


class KeyUseRow(Base):
    """The logins with a key pair; written in batches, a few seconds late."""

    __tablename__ = "key_use"
    access_key_id: Mapped[str] = mapped_column(ForeignKey("key_pair.access_key_id"), primary_key=True)
    successes: Mapped[int]
    failures: Mapped[int]
    first_used_at: Mapped[int | None]
    last_used_at: Mapped[int | None]
    last_source: Mapped[str] = mapped_column(String(100))
    last_gateway: Mapped[str] = mapped_column(String(100))
    last_failed_at: Mapped[int | None]
    last_failed_source: Mapped[str] = mapped_column(String(100))
