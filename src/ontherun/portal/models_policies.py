"""The venue's policies and allowances, as the API takes and shows them."""

from typing import Annotated, Literal

from pydantic import Field

from ontherun.portal.models import WHOLE, Strict
from ontherun.registry import NOTES_LENGTH, NOTES_PATTERN

Count = Annotated[int, Field(ge=0, le=36**3), WHOLE]
TimetableName = Literal["at-once", "exchange"]
FeeText = Annotated[str, Field(pattern=NOTES_PATTERN, max_length=NOTES_LENGTH)]


class PoliciesView(Strict):
    """How the venue treats requests, and which of the contradicting key rules hold."""

    four_eyes: bool
    timetable: TimetableName
    session_allowance: int
    drop_copy_sources: int
    fee_text: str
    second_key_near_expiry_only: bool
    third_key_deletes_oldest: bool


class PolicyChange(Strict):
    """What is to be different; what is left out stays."""

    four_eyes: bool | None = None
    timetable: TimetableName | None = None
    session_allowance: Count | None = None
    drop_copy_sources: Count | None = None
    fee_text: FeeText | None = None
    second_key_near_expiry_only: bool | None = None
    third_key_deletes_oldest: bool | None = None


class RunView(Strict):
    """When what is asked for now takes effect."""

    kind: Literal["order-entry-session", "session-protocol", "drop-copy-group", "market-data-session"]
    effective_at: str
    seconds_left: int


class TimetableView(Strict):
    """When requests are carried out; `runs` is empty where that is at once."""

    timetable: TimetableName
    four_eyes: bool
    now: str
    runs: list[RunView]


class AllowanceView(Strict):
    """How many Order Entry sessions an entity may have, and has. `own`: not the venue's `session_allowance`."""

    entity_id: int
    allowance: int
    used: int
    own: bool


class NewAllowance(Strict):
    """An entity's own allowance; null: the venue's `session_allowance`."""

    allowance: Count | None
