"""The markets: their states and hours, and what the operator does to them."""

from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Request

from ontherun.keys import utc_text
from ontherun.market.prices import PriceError, parse_price
from ontherun.market.states import SecurityTradingStatus
from ontherun.portal import models
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.models_markets import (
    CancelOrder,
    CancelTrade,
    Command,
    CommandView,
    CorrectTrade,
    EndDay,
    MarketView,
    NewOnTheRun,
    PhaseView,
    SetState,
    StateName,
)
from ontherun.portal.problems import answers
from ontherun.portal.routes_sessions import status_of
from ontherun.portal.status import MarketSummary, Status
from ontherun.registry import InvalidError, NotFoundError

_EPOCH = date(1970, 1, 1)
_STATES: dict[StateName, SecurityTradingStatus] = {
    "pre-open": SecurityTradingStatus.PRE_OPEN,
    "open": SecurityTradingStatus.OPEN,
    "pause": SecurityTradingStatus.PAUSE,
    "post-close": SecurityTradingStatus.POST_CLOSE,
    "closed": SecurityTradingStatus.CLOSED,
}

router = APIRouter(prefix="/markets", tags=["markets"])


@router.get("", summary="List the market segments with their states")
async def list_markets(_by: Asking, request: Request) -> models.Page[MarketView]:
    """List markets."""
    return models.Page(items=[_view(market) for market in status_of(request).markets()])


@router.post(
    "/{segment}/commands",
    responses=answers(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
    summary="Set a state, end the day, cancel an order, cancel or correct a trade (operator of the venue only)",
)
async def command_market(
    by: Asking, registry: Serving, request: Request, segment: models.Segment, command: Annotated[Command, Body()]
) -> CommandView:
    """Do something to a market. The audit says what was asked; what cannot be done is answered with 404."""
    status = status_of(request)
    by.require_operator()
    if all(market.segment != segment for market in status.markets()):
        raise NotFoundError(f"market segment {segment} in this venue")
    price = _price(command)
    await registry.market_control.record_command(by, segment, command.model_dump(mode="json"))
    try:
        reports, trade = _carry_out(status, segment, command, price)
    except LookupError as error:
        raise NotFoundError(_what(command)) from error
    market = next(market for market in status.markets() if market.segment == segment)
    return CommandView(reports=reports, trade=trade, market=_view(market))


def _carry_out(status: Status, segment: int, command: Command, price: int | None) -> tuple[int | None, int | None]:
    """How many reports a command led to, or the new number of a changed trade. Raises LookupError."""
    match command:
        case SetState():
            return status.market_command(segment, "set_state", status=_STATES[command.state]), None
        case EndDay():
            return status.market_command(segment, "end_of_day"), None
        case NewOnTheRun():
            return status.market_command(segment, "new_on_the_run", security_id=command.security_id), None
        case CancelOrder():
            given = {"order_id": command.order_id, "reason": command.restatement_reason}
            return status.market_command(segment, "cancel_order", **given), None
        case CancelTrade():
            return None, status.change_trade(segment, command.trade, None, None)
        case CorrectTrade():
            return None, status.change_trade(segment, command.trade, price, command.quantity)


def _price(command: Command) -> int | None:
    """The price of a correction in wire units."""
    if not isinstance(command, CorrectTrade):
        return None
    try:
        return parse_price(command.price)
    except PriceError as error:
        raise InvalidError("price", f"{error}.", "a price such as 99-16+ or 99.515625") from error


def _what(command: Command) -> str:
    match command:
        case CancelOrder():
            return f"working order {command.order_id} in this market"
        case NewOnTheRun():
            return f"instrument {command.security_id} in this market"
        case CancelTrade() | CorrectTrade():
            return f"trade {command.trade} in this market, or it was changed already,"
    return "it"


def _view(market: MarketSummary) -> MarketView:
    coming = market.next
    return MarketView(
        segment=market.segment,
        state=_name_of(market.status),
        trade_date=_day(market.trade_date) if market.trade_date else None,
        next=None
        if coming is None
        else PhaseView(at=utc_text(coming.at), state=_name_of(coming.status), trade_date=_day(coming.trade_date)),
    )


def _name_of(status: int) -> StateName:
    return next(name for name, number in _STATES.items() if number == status)


def _day(days: int) -> str:
    return (_EPOCH + timedelta(days)).isoformat()
