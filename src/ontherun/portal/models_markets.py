"""What the routes of the markets take and give."""

from typing import Annotated, Literal

from pydantic import Field

from ontherun.portal.models import Strict

UNSOLICITED = 111
"""ExecRestatementReason (378) of a cancel by the venue: system."""

_MAX_ID = 2**64 - 2


StateName = Literal["pre-open", "open", "pause", "post-close", "closed"]
"""The states of a market; a SecurityTradingStatus (326) each."""


class PhaseView(Strict):
    """What the market's hours do next."""

    at: str = Field(description="UTC")
    state: StateName
    trade_date: str


class MarketView(Strict):
    """A market segment as it trades. `trade_date` and `next` are null where the market is always open."""

    segment: int
    state: StateName
    trade_date: str | None
    next: PhaseView | None


class SetState(Strict):
    """Put the market into a state, until its hours or somebody else set another."""

    do: Literal["set-state"]
    state: StateName


class EndDay(Strict):
    """Eliminate the day orders, and the GTD orders whose date has come."""

    do: Literal["end-day"]


class NewOnTheRun(Strict):
    """The next security of a tenor becomes on-the-run: the GTC and GTD orders of this instrument end."""

    do: Literal["new-on-the-run"]
    security_id: Annotated[int, Field(gt=0, lt=2**31 - 1)]


class CancelOrder(Strict):
    """Cancel a working order, unasked; `restatement_reason` is ExecRestatementReason (378)."""

    do: Literal["cancel-order"]
    order_id: Annotated[int, Field(gt=0, le=_MAX_ID)]
    restatement_reason: Annotated[int, Field(ge=0, le=254)] = UNSOLICITED


class CancelTrade(Strict):
    """Cancel a trade; `trade` is the OrderEventExecID (1797) that the reports of both sides share."""

    do: Literal["cancel-trade"]
    trade: Annotated[int, Field(gt=0, lt=2**32 - 1)]


class CorrectTrade(Strict):
    """Correct a trade to another price and quantity."""

    do: Literal["correct-trade"]
    trade: Annotated[int, Field(gt=0, lt=2**32 - 1)]
    price: Annotated[str, Field(description="in 32nds or decimal", examples=["99-16+"])]
    quantity: Annotated[int, Field(gt=0, lt=2**32 - 1)]


Command = Annotated[
    SetState | EndDay | NewOnTheRun | CancelOrder | CancelTrade | CorrectTrade, Field(discriminator="do")
]


class CommandView(Strict):
    """What a command did: how many reports it led to, or the new OrderEventExecID of a changed trade."""

    reports: int | None = None
    trade: int | None = None
    market: MarketView
