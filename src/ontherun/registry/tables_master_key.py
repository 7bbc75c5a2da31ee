"""Data keys: master keys that are kept in the database, wrapped by a key that never leaves its vault."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from ontherun.registry.tables import Base


class DataKeyRow(Base):
    """A wrapped data key; of several, the one with the highest `position` seals.

    `wrapper` is the key that wraps it, as ONTHERUN_MASTER_KEY names it: vault:transit/venue.
    """

    __tablename__ = "data_key"
    data_key_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    wrapper: Mapped[str] = mapped_column(String(300))
    wrapped: Mapped[bytes]
    position: Mapped[int] = mapped_column(unique=True)
    created_at: Mapped[int]
