"""A request that is to have one effect at most, however often it comes: the mark that its first commit leaves.

Whoever serves a request puts a mark into the context; the first change that is committed meanwhile commits the mark
with it, in the same transaction. So the mark is there exactly when there was an effect.
"""

from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy import Executable, Index, String, delete, insert
from sqlalchemy.orm import Mapped, mapped_column

from ontherun.registry.tables import Base

LIFE = 86_400 * 1_000_000_000
"""How long a mark is kept: 24 hours, in nanoseconds."""


class IdempotencyRow(Base):
    """A request that had an effect, by who sent it and its Idempotency-Key. `sequence` is its audit entry.

    The answer follows the effect; without one (`status` null) it is not known, or not to be kept for it shows a secret.
    """

    __tablename__ = "idempotency"
    __table_args__ = (Index("ix_idempotency_at", "at"),)
    principal: Mapped[str] = mapped_column(String(200), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_hash: Mapped[bytes]
    at: Mapped[int]
    sequence: Mapped[int]
    status: Mapped[int | None]
    media_type: Mapped[str | None] = mapped_column(String(100))
    body: Mapped[bytes | None]


@dataclass(slots=True)
class Mark:
    """A request under way. `sequence` is the audit entry of its first effect, None until there is one."""

    principal: str
    key: str
    request_hash: bytes
    sequence: int | None = None
    over: bool = False

    def statements(self, now: int, sequence: int) -> tuple[Executable, ...]:
        """What the first commit of the request executes as well; forgets what is older than a day."""
        if self.over or self.sequence is not None:
            return ()
        row = IdempotencyRow
        return (
            delete(row).where((row.at <= now - LIFE) | (row.principal == self.principal) & (row.key == self.key)),
            insert(row).values(
                principal=self.principal, key=self.key, request_hash=self.request_hash, at=now, sequence=sequence
            ),
        )


MARK: ContextVar[Mark | None] = ContextVar("idempotency_mark", default=None)
"""The mark of the request that is being served."""
