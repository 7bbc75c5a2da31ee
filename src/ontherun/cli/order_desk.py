"""What `ontherun order` does: log in, ask, tell every report, log out. A process for each request."""

import asyncio
import json
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import typer

from ontherun.cli.api import fail
from ontherun.client import ClientError, KeyFile, Login, LoginRefused, Refused, Session, Side, TimeInForce, Venue
from ontherun.client.reading import as_values
from ontherun.client.requests import OrderOptions
from ontherun.ilink.messages.enums import ExecInst, ExecMode
from ontherun.market.prices import PriceError, parse_price
from ontherun.sbe import EncodeError


@dataclass(frozen=True, slots=True)
class Where:
    """Who logs in where: a demo session of the running venue, changed by what is named."""

    data: Path
    session_id: str | None
    key: Path | None
    host: str | None
    port: int | None
    party_details: int | None
    sender_id: str

    def login(self) -> Login:
        """What to log in with. Leaves the command with a message when it cannot be found."""
        try:
            login = self._elsewhere() if self.host or self.port else self._here()
        except ClientError as error:
            fail(f"{error}")
        if self.party_details is not None:
            login = login.with_(party_details_list_req_id=self.party_details)
        return login.with_(sender_id=self.sender_id, manual=True)

    def _here(self) -> Login:
        login = Venue.load(self.data.expanduser()).login(self.session_id or 0)
        return login if self.key is None else login.with_(key=KeyFile.load(self.key))

    def _elsewhere(self) -> Login:
        if self.host is None or self.port is None or self.key is None:
            fail("A gateway elsewhere needs --host, --port and --key.")
        return Login(key=KeyFile.load(self.key), host=self.host, port=self.port)


class What(Protocol):
    """A request."""

    def check(self) -> None:
        """Leave the command with a message when the request cannot be meant."""

    async def ask(self, session: Session) -> None:
        """Send it and wait for the answer. Raises Refused, or another ClientError."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What kind of order it is."""

    time_in_force: str
    expire_date: datetime | None
    only_best: bool
    passive: bool
    min_qty: int | None
    display_qty: int | None
    cl_ord_id: str | None

    def options(self) -> OrderOptions:
        """The same for the session."""
        return {
            "time_in_force": TimeInForce[self.time_in_force.upper()],
            "expire_date": None if self.expire_date is None else self.expire_date.date(),
            "exec_inst": ExecInst.ONLY_BEST if self.only_best else ExecInst(0),
            "execution_mode": ExecMode.PASSIVE if self.passive else None,
            "min_qty": self.min_qty,
            "display_qty": self.display_qty,
            "cl_ord_id": self.cl_ord_id,
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """A new order; stay `wait` seconds for fills, or to its end."""

    side: str
    security: str
    price: str
    quantity: int
    kind: Kind
    wait: float

    def check(self) -> None:
        """Check the price."""
        _check_price(self.price)

    async def ask(self, session: Session) -> None:
        """Send it and wait until it is accepted."""
        send = session.buy if self.side == "buy" else session.sell
        order = await send(
            _security(self.security),
            self.price,
            self.quantity,
            **self.kind.options(),
        )
        await order.accepted()
        if self.wait:
            await asyncio.wait({asyncio.create_task(order.ended())}, timeout=self.wait)


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A cancel."""

    order: str
    is_cl_ord_id: bool
    security: str
    side: str

    def check(self) -> None:
        """Nothing to check."""

    async def ask(self, session: Session) -> None:
        """Send it and wait for the answer."""
        which = _which(self.order, self.is_cl_ord_id)
        await session.cancel(which, security=_security(self.security), side=Side[self.side.upper()])


@dataclass(frozen=True, slots=True)
class Replacement:
    """A replace; stay `wait` seconds for fills."""

    order: str
    is_cl_ord_id: bool
    security: str
    side: str
    price: str
    quantity: int
    time_in_force: str
    wait: float

    def check(self) -> None:
        """Check the price."""
        _check_price(self.price)

    async def ask(self, session: Session) -> None:
        """Send it and wait for the answer."""
        await session.replace(
            _which(self.order, self.is_cl_ord_id),
            price=self.price,
            quantity=self.quantity,
            security=_security(self.security),
            side=Side[self.side.upper()],
            time_in_force=TimeInForce[self.time_in_force.upper()],
        )
        await asyncio.sleep(self.wait)


def converse(where: Where, what: What, as_json: bool) -> int:
    """Log in, ask, tell every report, log out; 0, or 1 when something was refused or went wrong."""
    what.check()
    return asyncio.run(_converse(where.login(), what, as_json))


async def _converse(login: Login, what: What, as_json: bool) -> int:
    session = Session(login, reconnect=None)
    telling = asyncio.create_task(_tell(session, as_json))
    code = 1
    try:
        await session.open()
        await what.ask(session)
        code = 0
    except Refused:
        pass  # its report is told
    except (ClientError, EncodeError) as error:
        _tell_error(error, as_json)
    finally:
        await session.close()
        await telling
    return code


async def _tell(session: Session, as_json: bool) -> None:
    async for report in session.reports():
        sys.stdout.write((json.dumps(as_values(report)) if as_json else str(report)) + "\n")
        sys.stdout.flush()


def _tell_error(error: ClientError | EncodeError, as_json: bool) -> None:
    refused = error if isinstance(error, LoginRefused) else None
    if as_json:
        values: dict[str, object] = {"error": type(error).__name__, "detail": str(error)}
        if refused:
            values |= {"answer": refused.answer, "code": int(refused.code), "name": refused.name}
            values["causes"] = refused.causes
        sys.stdout.write(json.dumps(values) + "\n")
        return
    lines = [str(error)]
    if refused and refused.causes:
        lines += ["Typical causes:", *(f"  - {cause}" for cause in refused.causes)]
    sys.stderr.write("\n".join(lines) + "\n")


def _check_price(price: str) -> None:
    try:
        parse_price(price)
    except PriceError as error:
        raise typer.BadParameter(f"{error}", param_hint="PRICE") from error


def _which(order: str, is_cl_ord_id: bool) -> int | str:
    return order if is_cl_ord_id or not order.isdecimal() else int(order)


def _security(security: str) -> int | str:
    return int(security) if security.isdecimal() else security
