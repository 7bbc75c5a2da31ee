"""What the lab's routes take and give."""

from typing import Annotated, Literal

from pydantic import Field

from ontherun.portal.models import Label, Strict

Reason = Annotated[Label, Field(description="why, for the audit")]


class MoveTo(Strict):
    """Go to a date and time, in `zone` unless it has an offset of its own, and run on or stand still there."""

    at: Annotated[str, Field(max_length=40, examples=["2027-01-04T17:30"])]
    zone: Annotated[str, Field(max_length=60, examples=["America/New_York"])] = "UTC"
    stands_still: bool = False
    reason: Reason = ""


class MoveBy(Strict):
    """Go on by a span of time, or back; the clock runs or stands on as before where `stands_still` is null."""

    advance: Annotated[str, Field(max_length=40, examples=["4w", "-1d12h"])]
    stands_still: bool | None = None
    reason: Reason = ""


class MoveBack(Strict):
    """Go back to the machine's time."""

    reset: Literal[True]
    reason: Reason = ""


class LabClockView(Strict):
    """The venue's clock. `lab`: whether it can be moved; `offset_ns`: how far it is ahead of the machine's, ns."""

    lab: bool
    now: str
    machine_now: str
    offset_ns: int
    stands_still: bool
