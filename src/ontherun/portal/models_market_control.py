"""What the routes of the trading week and of the messaging controls take and give."""

from typing import Annotated

from pydantic import Field

from ontherun.portal.models import Strict

PerSecond = Annotated[int, Field(ge=1, le=1_000_000_000, description="messages a second, averaged over 3 s")]


class SegmentWeekView(Strict):
    """The trading week of one market segment, times in UTC."""

    segment: int
    began_at: str
    next_at: str


class WeeksView(Strict):
    """The trading week of each market segment."""

    segments: list[SegmentWeekView]


class LimitsView(Strict):
    """Above `reject` messages are refused, above `logout` the session is ended."""

    reject: PerSecond
    logout: PerSecond


class NewControls(Strict):
    """The modules to change; the others get their defaults. `reject` is at most `logout`."""

    common: LimitsView | None = None
    common_closed: LimitsView | None = None
    cancel: LimitsView | None = None
    mass_quote: LimitsView | None = None


class ControlsView(Strict):
    """The limits of each module."""

    common: LimitsView
    common_closed: LimitsView
    cancel: LimitsView
    mass_quote: LimitsView
