"""What the lab's routes take and give."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ontherun.portal.models import Label, Strict

_MOVES = "Exactly one of at, advance and reset says where the clock goes."


class MoveClock(Strict):
    """Where the lab clock is to go."""

    at: Annotated[
        str | None,
        Field(max_length=40, description="date and time, in `zone` or with an offset", examples=["2027-01-04T17:30"]),
    ] = None
    zone: Annotated[str, Field(max_length=60, description="time zone of `at`", examples=["America/New_York"])] = "UTC"
    advance: Annotated[
        str | None, Field(max_length=40, description="a span from now; negative: back", examples=["4w", "-1d12h"])
    ] = None
    reset: Annotated[bool, Field(description="back to the machine's time, running")] = False
    stands_still: Annotated[
        bool | None, Field(description="whether it stands still there; null: as before for advance, no for at")
    ] = None
    reason: Annotated[Label, Field(description="why, for the audit")] = ""

    @model_validator(mode="after")
    def _one_move(self) -> Self:
        if (self.at is not None) + (self.advance is not None) + self.reset != 1:
            raise ValueError(_MOVES)
        return self


class LabClockView(Strict):
    """The lab clock. `offset_ns` is how far it is ahead of the machine's clock, in nanoseconds."""

    now: str
    machine_now: str
    offset_ns: int
    stands_still: bool
