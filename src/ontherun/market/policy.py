"""Choices where the exchange's documents disagree or are silent. ``docs/market.md`` gives the reasons."""

from dataclasses import dataclass
from enum import Enum


class FillsTakenOff(Enum):
    """Which value of OFMOverride (9768) takes the quantity filled so far off a replaced quantity."""

    WHEN_ENABLED = 1
    """1: a replace to 5 of an order that filled 2 leaves 3 (the wiki's description and examples)."""
    WHEN_DISABLED = 0
    """0: the schema's field text, which says that 1 enters the quantity as stated."""


class OFMChain(Enum):
    """How OFMOverride (9768) holds over a chain of replaces of one order."""

    FIRST_DECIDES = "first"
    """The value of the first replace holds for the life of the order (wiki)."""
    ENABLED_STAYS = "latch"
    """Once 1 it stays 1; a 0 may still become 1 (schema)."""


class ExhaustedReplace(Enum):
    """What happens to a replace whose quantity is already filled when fills are taken off."""

    CANCEL = "cancel"
    """The order is cancelled: ExecutionReportCancel (534) answers the replace (wiki: negative in-flight mitigation)."""
    REJECT = "reject"
    """The replace is refused: OrderCancelReplaceReject (536) with 2115; the order stays as it was."""


class DayMinQty(Enum):
    """What MinQty (110) means on an order that is not FAK or FOK: the wiki allows it, and says no more."""

    ELIMINATE = "eliminate"
    """A condition of entry: an order that cannot trade that much at once is eliminated, else its rest rests."""
    REFUSE = "refuse"
    """Refused with 1011."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPolicy:
    """The named choices of one market segment."""

    fills_taken_off: FillsTakenOff = FillsTakenOff.WHEN_ENABLED
    ofm_chain: OFMChain = OFMChain.FIRST_DECIDES
    exhausted_replace: ExhaustedReplace = ExhaustedReplace.CANCEL
    day_min_qty: DayMinQty = DayMinQty.ELIMINATE
    self_match_prevention: bool = False
    """Whether self-match prevention is compulsory, as on all markets but US Treasuries: then orders of one firm that
    name no SelfMatchPreventionID do not trade with each other either; the oldest goes. How is not published."""
    replace_by_other_sender_id: bool = True
    """Whether another SenderID (5392) than the order's may replace it; False on US and EU Repo (2103)."""
