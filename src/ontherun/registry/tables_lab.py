"""Where the lab clock is: one row at most."""

from sqlalchemy.orm import Mapped, mapped_column

from ontherun.registry.tables import Base


class LabClockRow(Base):
    """The position of the lab clock; `row_id` is always 1. Times in ns."""

    __tablename__ = "lab_clock"
    row_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offset: Mapped[int]
    stands_at: Mapped[int | None]
