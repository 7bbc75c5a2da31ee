"""ontherun order: send, cancel and replace an order as a person would, and see what the venue says.

Each call logs in with a new UUID, waits for the answer, and logs out with Terminate, which leaves the order working.
"""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ontherun.cli.api import DEFAULT_DATA, AsJson, Data

app = typer.Typer(name="order", help="Send, cancel and replace orders.", no_args_is_help=True)


class SideName(StrEnum):
    """Which side the order is on."""

    BUY = "buy"
    SELL = "sell"


class Duration(StrEnum):
    """TimeInForce (59)."""

    DAY = "day"
    GTC = "gtc"
    GTD = "gtd"
    FAK = "fak"
    FOK = "fok"


Security = Annotated[str, typer.Argument(metavar="SECURITY", help="Symbol, for example UB10, or SecurityID.")]
Price = Annotated[str, typer.Argument(metavar="PRICE", help="In 32nds, 99-16+ or 99-162, or decimal, 99.515625.")]
Quantity = Annotated[int, typer.Argument(metavar="QUANTITY", min=1, help="In millions of face value.")]
Which = Annotated[str, typer.Argument(metavar="ORDER", help="OrderID, or ClOrdID.")]
IsClOrdId = Annotated[bool, typer.Option("--cl-ord-id", help="ORDER is a ClOrdID although it is a number.")]
OfSecurity = Annotated[str, typer.Option("--security", metavar="SECURITY", help="What the order trades.")]
OfSide = Annotated[SideName, typer.Option("--side", help="The order's side.")]
Tif = Annotated[
    Duration, typer.Option("--tif", help="Day; till cancelled (gtc), till a date (gtd); fill and kill or fill or kill.")
]
ExpireDate = Annotated[
    datetime | None, typer.Option("--expire-date", formats=["%Y-%m-%d"], help="Last day of a gtd order.")
]
OnlyBest = Annotated[bool, typer.Option("--only-best", help="Cancel the order when a better price comes.")]
Passive = Annotated[bool, typer.Option("--passive", help="Do not trade on entry.")]
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
    expire_date: ExpireDate = None,
    only_best: OnlyBest = False,
    passive: Passive = False,
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
    from ontherun.cli import order_desk

    where = order_desk.Where(data, session, key, host, port, party_details, sender_id)
    kind = order_desk.Kind(tif, expire_date, only_best, passive, min_qty, display_qty, cl_ord_id)
    what = order_desk.Entry("buy", security, price, quantity, kind, wait)
    raise typer.Exit(order_desk.converse(where, what, as_json))


@app.command("sell")
def sell(
    security: Security,
    price: Price,
    quantity: Quantity,
    tif: Tif = Duration.DAY,
    expire_date: ExpireDate = None,
    only_best: OnlyBest = False,
    passive: Passive = False,
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
    from ontherun.cli import order_desk

    where = order_desk.Where(data, session, key, host, port, party_details, sender_id)
    kind = order_desk.Kind(tif, expire_date, only_best, passive, min_qty, display_qty, cl_ord_id)
    what = order_desk.Entry("sell", security, price, quantity, kind, wait)
    raise typer.Exit(order_desk.converse(where, what, as_json))


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
    from ontherun.cli import order_desk

    where = order_desk.Where(data, session, key, host, port, party_details, sender_id)
    what = order_desk.Cancellation(order, is_cl_ord_id, security, side)
    raise typer.Exit(order_desk.converse(where, what, as_json))


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
    from ontherun.cli import order_desk

    where = order_desk.Where(data, session, key, host, port, party_details, sender_id)
    what = order_desk.Replacement(order, is_cl_ord_id, security, side, price, quantity, tif, wait)
    raise typer.Exit(order_desk.converse(where, what, as_json))
