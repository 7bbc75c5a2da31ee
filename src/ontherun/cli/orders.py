"""ontherun order: send, cancel and replace an order as a person would, and see what the venue says.

Each call logs in with a new UUID, waits for the answer, and logs out with Terminate, which leaves the order working.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ontherun.cli.api import DEFAULT_DATA, AsJson, Data, fail

if TYPE_CHECKING:
    from ontherun.client import ClientError, Login, Order, Session, Side

    Act = Callable[[Session], Awaitable[Order | None]]

app = typer.Typer(name="order", help="Send, cancel and replace orders.", no_args_is_help=True)


class SideName(StrEnum):
    """Which side the order is on."""

    BUY = "buy"
    SELL = "sell"


class Duration(StrEnum):
    """TimeInForce (59)."""

    DAY = "day"
    FAK = "fak"
    FOK = "fok"


Security = Annotated[str, typer.Argument(metavar="SECURITY", help="Symbol, for example UB10, or SecurityID.")]
Price = Annotated[str, typer.Argument(metavar="PRICE", help="In 32nds, 99-16+ or 99-162, or decimal, 99.515625.")]
Quantity = Annotated[int, typer.Argument(metavar="QUANTITY", min=1, help="In millions of face value.")]
Which = Annotated[str, typer.Argument(metavar="ORDER", help="OrderID, or ClOrdID.")]
IsClOrdId = Annotated[bool, typer.Option("--cl-ord-id", help="ORDER is a ClOrdID although it is a number.")]
OfSecurity = Annotated[str, typer.Option("--security", metavar="SECURITY", help="What the order trades.")]
OfSide = Annotated[SideName, typer.Option("--side", help="The order's side.")]
Tif = Annotated[Duration, typer.Option("--tif", help="Day; fill and kill (fak); fill or kill (fok).")]
MinQty = Annotated[int | None, typer.Option("--min-qty", min=1, help="Least quantity to trade at once.")]
DisplayQty = Annotated[int | None, typer.Option("--display-qty", min=1, help="Quantity to show (iceberg).")]
NewClOrdId = Annotated[str | None, typer.Option("--cl-ord-id", metavar="ID", help="Your own id. [made up]")]
Wait = Annotated[float, typer.Option("--wait", metavar="SECONDS", min=0, help="Stay for fills so long, or to the end.")]
SessionName = Annotated[
    str | None, typer.Option("--session", metavar="ID", help="Session ID. [the first demo session]")
]
Key = Annotated[Path | None, typer.Option("--key", metavar="FILE", help="Key file (JSON). [that of the session]")]
Host = Annotated[str | None, typer.Option("--host", help="Gateway elsewhere; needs --port and --key.")]
Port = Annotated[int | None, typer.Option("--port", min=1, max=65535, help="Port of that gateway.")]
Party = Annotated[int | None, typer.Option("--party-details", metavar="ID", help="PartyDetailsListReqID (1505).")]
Sender = Annotated[str, typer.Option("--sender-id", metavar="ID", help="Operator (5392), at most 20 characters.")]


@app.command("buy")
def buy(
    security: Security,
    price: Price,
    quantity: Quantity,
    tif: Tif = Duration.DAY,
    min_qty: MinQty = None,
    display_qty: DisplayQty = None,
    cl_ord_id: NewClOrdId = None,
    wait: Wait = 0,
    session: SessionName = None,
    key: Key = None,
    host: Host = None,
    port: Port = None,
    party_details: Party = None,
    sender_id: Sender = "ONTHERUN",
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Buy: ontherun order buy UB10 99-16+ 5."""
    login = _login(data, session, key, host, port, party_details, sender_id)
    _converse(login, _new(SideName.BUY, security, price, quantity, tif, min_qty, display_qty, cl_ord_id), wait, as_json)


@app.command("sell")
def sell(
    security: Security,
    price: Price,
    quantity: Quantity,
    tif: Tif = Duration.DAY,
    min_qty: MinQty = None,
    display_qty: DisplayQty = None,
    cl_ord_id: NewClOrdId = None,
    wait: Wait = 0,
    session: SessionName = None,
    key: Key = None,
    host: Host = None,
    port: Port = None,
    party_details: Party = None,
    sender_id: Sender = "ONTHERUN",
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Sell: ontherun order sell UB10 99-16+ 5."""
    login = _login(data, session, key, host, port, party_details, sender_id)
    _converse(
        login, _new(SideName.SELL, security, price, quantity, tif, min_qty, display_qty, cl_ord_id), wait, as_json
    )


@app.command("cancel")
def cancel(
    order: Which,
    security: OfSecurity,
    side: OfSide,
    is_cl_ord_id: IsClOrdId = False,
    session: SessionName = None,
    key: Key = None,
    host: Host = None,
    port: Port = None,
    party_details: Party = None,
    sender_id: Sender = "ONTHERUN",
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Cancel an order: ontherun order cancel 400000000000001 --security UB10 --side buy."""
    login = _login(data, session, key, host, port, party_details, sender_id)

    async def act(session: "Session") -> None:
        await session.cancel(_which(order, is_cl_ord_id), security=_security(security), side=_side(side))

    _converse(login, act, 0, as_json)


@app.command("replace")
def replace(
    order: Which,
    price: Price,
    quantity: Quantity,
    security: OfSecurity,
    side: OfSide,
    is_cl_ord_id: IsClOrdId = False,
    tif: Tif = Duration.DAY,
    wait: Wait = 0,
    session: SessionName = None,
    key: Key = None,
    host: Host = None,
    port: Port = None,
    party_details: Party = None,
    sender_id: Sender = "ONTHERUN",
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Give an order another price and quantity: ontherun order replace ORDER 99-17 8 --security UB10 --side buy."""
    login = _login(data, session, key, host, port, party_details, sender_id)
    _price(price)

    async def act(session: "Session") -> None:
        from ontherun.client import TimeInForce

        await session.replace(
            _which(order, is_cl_ord_id),
            price=price,
            quantity=quantity,
            security=_security(security),
            side=_side(side),
            time_in_force=TimeInForce[tif.name],
        )
        await asyncio.sleep(wait)

    _converse(login, act, 0, as_json)


def _new(
    side: SideName,
    security: str,
    price: str,
    quantity: int,
    tif: Duration,
    min_qty: int | None,
    display_qty: int | None,
    cl_ord_id: str | None,
) -> "Act":
    _price(price)

    async def act(session: "Session") -> "Order":
        from ontherun.client import TimeInForce

        send = session.buy if side is SideName.BUY else session.sell
        order = await send(
            _security(security),
            price,
            quantity,
            time_in_force=TimeInForce[tif.name],
            min_qty=min_qty,
            display_qty=display_qty,
            cl_ord_id=cl_ord_id,
        )
        await order.accepted()
        return order

    return act


def _login(
    data: Path,
    session_id: str | None,
    key: Path | None,
    host: str | None,
    port: int | None,
    party_details: int | None,
    sender_id: str,
) -> "Login":
    """Say who logs in where: a demo session of the running venue, changed by what the options name."""
    from ontherun.client import ClientError, KeyFile, Login, Venue

    try:
        if host is not None or port is not None:
            if host is None or port is None or key is None:
                fail("A gateway elsewhere needs --host, --port and --key.")
            login = Login(key=KeyFile.load(key), host=host, port=port)
        else:
            venue = Venue.load(data.expanduser())
            login = venue.login(session_id or 0)
            if key is not None:
                login = login.with_(key=KeyFile.load(key))
    except ClientError as error:
        fail(f"{error}")
    if party_details is not None:
        login = login.with_(party_details_list_req_id=party_details)
    return login.with_(sender_id=sender_id, manual=True)


def _converse(login: "Login", act: "Act", wait: float, as_json: bool) -> None:
    """Log in, act, log out; print each report; leave with exit code 1 when something was refused."""
    raise typer.Exit(asyncio.run(_conversation(login, act, wait, as_json)))


async def _conversation(login: "Login", act: "Act", wait: float, as_json: bool) -> int:
    from ontherun.client import ClientError, Refused, Session
    from ontherun.sbe import EncodeError

    session = Session(login, reconnect=None)
    printing = asyncio.create_task(_print_reports(session, as_json))
    code = 1
    try:
        await session.open()
        order = await act(session)
        if order is not None and wait:
            await _ended_or(order, wait)
        code = 0
    except Refused:
        pass  # its report is printed
    except (ClientError, EncodeError, ValueError) as error:
        _print_error(error, as_json)
    finally:
        await session.close()
        await printing
    return code


async def _ended_or(order: "Order", seconds: float) -> None:
    try:
        await asyncio.wait_for(order.ended(), seconds)
    except TimeoutError:
        return


async def _print_reports(session: "Session", as_json: bool) -> None:
    from ontherun.client.reports import as_values

    async for report in session.reports():
        typer.echo(json.dumps(as_values(report)) if as_json else str(report))


def _print_error(error: "ClientError | Exception", as_json: bool) -> None:
    from ontherun.client import LoginRefused

    if as_json:
        values: dict[str, object] = {"error": type(error).__name__, "detail": str(error)}
        if isinstance(error, LoginRefused):
            values |= {"answer": error.answer, "code": int(error.code), "name": error.name, "causes": error.causes}
        typer.echo(json.dumps(values))
        return
    typer.echo(f"{error}", err=True)
    if isinstance(error, LoginRefused) and error.causes:
        typer.echo("Typical causes:", err=True)
        for cause in error.causes:
            typer.echo(f"  - {cause}", err=True)


def _price(price: str) -> None:
    from ontherun.market.prices import PriceError, parse_price

    try:
        parse_price(price)
    except PriceError as error:
        raise typer.BadParameter(f"{error}", param_hint="PRICE") from error


def _which(order: str, is_cl_ord_id: bool) -> int | str:
    return order if is_cl_ord_id or not order.isdecimal() else int(order)


def _security(security: str) -> int | str:
    return int(security) if security.isdecimal() else security


def _side(side: SideName) -> "Side":
    from ontherun.client import Side

    return Side[side.name]
