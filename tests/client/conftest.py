import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from tests.support.cable import Cable
from tests.support.venue_process import VenueProcess

from ontherun.client import Login, LoginRefused, Venue, blocking
from ontherun.ilink import messages
from ontherun.ilink.messages import Message

UUID = 1_767_225_600_000_000
TERMS = {
    "uuid": UUID,
    "cl_ord_id": b"C1",
    "order_id": 4_000_001,
    "sender_id": b"TRADER1",
    "security_id": 400_010,
    "side": 1,
    "price": 99_515_625_000,
    "order_qty": 5,
    "time_in_force": 0,
}


@pytest.fixture
def build() -> Callable[..., Any]:
    """A message by its name: named values as given, else those of TERMS, else 0 and empty."""

    def make(name: str, **values: Any) -> Message:
        kind = getattr(messages, name)
        filled: dict[str, Any] = {}
        for parameter in inspect.signature(kind).parameters.values():
            if parameter.name in values:
                filled[parameter.name] = values.pop(parameter.name)
            elif parameter.name in TERMS:
                filled[parameter.name] = TERMS[parameter.name]
            elif parameter.default is inspect.Parameter.empty:
                filled[parameter.name] = b"" if parameter.annotation is bytes else 0
        assert not values, f"{name} has no {values}"
        message: Message = kind(**filled)
        return message

    return make


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """A venue in a process of its own, for every test that leaves it as it found it."""
    with VenueProcess(
        tmp_path_factory.mktemp("venue") / "data", "--no-fsync", "--messaging-controls", "off"
    ) as running:
        yield running


@pytest.fixture
def venue(process: VenueProcess) -> Venue:
    return Venue.load(process.ready_file)


@pytest.fixture
def first(venue: Venue) -> Login:
    """The first firm's login; no order of it works."""
    return without_orders(venue.login(0))


@pytest.fixture
def second(venue: Venue) -> Login:
    """The other firm's login; no order of it works."""
    return without_orders(venue.login(1))


def without_orders(login: Login) -> Login:
    """Cancel what earlier tests left, unless they left the session unable to log in."""
    with suppress(LoginRefused), blocking.connect(login) as session:
        session.mass_cancel()
    return login


@pytest.fixture
async def cable(first: Login) -> AsyncIterator[Cable]:
    """A cable to the venue; log in over it with `over(cable, first)`."""
    async with Cable.to((first.host, first.port)) as laid:
        yield laid


@pytest.fixture
def over() -> Callable[[Cable, Login], Login]:
    """The same login at the near end of a cable."""
    return lambda cable, login: login.with_(host=cable.address[0], port=cable.address[1])
