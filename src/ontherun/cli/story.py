"""The story of `ontherun demo`: a venue in a temporary place, two firms that trade, every message that goes by."""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from ontherun.cli.screens import Screen, Sighting
from ontherun.cli.venue_process import VenueProcessError, venue_process
from ontherun.client import ClientError, LoginRefused, OrderRefused, Session, TimeInForce, Venue, connect

STRANGER: Final = "?"


def run(show: Screen) -> int:
    """Tell the story on a venue of its own; the process's exit code."""
    with tempfile.TemporaryDirectory(prefix="ontherun-demo-") as folder:
        try:
            with venue_process(Path(folder)) as ready:
                venue = Venue.load(ready)
                show.begin(venue)
                asyncio.run(Story(venue, show).tell())
        except (ClientError, VenueProcessError) as error:
            sys.stderr.write(f"the demo failed: {error}\n")
            return 1
    show.end()
    return 0


@dataclass(slots=True)
class Story:
    """What happens, scene by scene."""

    venue: Venue
    screen: Screen
    _seen: list[Sighting] = field(default_factory=list)

    async def tell(self) -> None:
        """Play it."""
        first, second = (self.venue.login(place) for place in (0, 1))
        one, two = first.key.firm, second.key.firm
        async with contextlib.AsyncExitStack() as stack:
            async with self._scene(f"{one} and {two} log in, each with the key pair that the portal made for it"):
                a = await stack.enter_async_context(connect(first, standby=False, observe=self._eye(one)))
                b = await stack.enter_async_context(connect(second, standby=False, observe=self._eye(two)))
            await self._trade(a, b, one, two)
            await self._refusals(a, one)
            async with self._scene("Both log out; orders that rest stay in the book"):
                await a.close()
                await b.close()

    async def _trade(self, a: Session, b: Session, one: str, two: str) -> None:
        async with self._scene(f"{one} offers 10 million of the 10-year note at 99 and 16.5/32", one):
            offer = await a.sell("UB10", "99-16+", 10)
            await offer.accepted()
        async with self._scene(f"{two} bids higher, for 15: 10 trade at the resting price, 5 rest", two):
            bid = await b.buy("UB10", "99-17", 15)
            await asyncio.gather(offer.filled(), bid.until_report(1))
        async with self._scene(f"{two} replaces what is left: 8 at 99-16", two):
            await bid.replace(price="99-16", quantity=8)
        async with self._scene(f"{one} sells 10, fill and kill: 8 trade, the rest is eliminated", one):
            hit = await a.sell("UB10", "99-16", 10, time_in_force=TimeInForce.FAK)
            await asyncio.gather(hit.ended(), bid.filled())
        async with self._scene(f"{two} bids for the 30-year bond and changes its mind", two):
            bond = await b.buy("UB30", "98-08", 2)
            await bond.accepted()
            await bond.cancel()

    async def _refusals(self, a: Session, one: str) -> None:
        async with self._scene(f"{one} bids at a price between two ticks"):
            refused = await a.buy("UB10", "99-163", 1)
            with contextlib.suppress(OrderRefused):
                await refused.accepted()
        async with self._scene("A stranger has the right Access Key ID and the wrong Secret Key"):
            forged = a.login.with_(key=replace(a.login.key, secret=bytes(32)))
            with contextlib.suppress(LoginRefused):
                await connect(forged, observe=self._eye(STRANGER))

    def _eye(self, firm: str) -> Callable[[bool, bytes], None]:
        return lambda sent, frame: self._seen.append(Sighting(firm, sent, frame))

    @contextlib.asynccontextmanager
    async def _scene(self, title: str, leader: str = "") -> AsyncIterator[None]:
        """A scene; what reaches `leader` is shown before what reaches the other, however the sockets had it."""
        yield
        seen, self._seen = self._seen, []
        self.screen.scene(title, sorted(seen, key=lambda sighting: sighting.firm != leader) if leader else seen)
