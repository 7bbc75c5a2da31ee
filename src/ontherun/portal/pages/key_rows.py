"""Key pairs as the pages show them: rows of tables, and the picture of their lives on a time line."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import time

from ontherun.calendar import CENTRAL, instant, local_day, months_later
from ontherun.keys import Concern, KeyPairState, KeyUse, NextChange
from ontherun.keys.clock import DAY
from ontherun.keys.pair import NOTICE, KeyPair
from ontherun.registry import AnySession, Registry, StoredKeyPair

_MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key pair as a page shows it. `others_valid`: how many other pairs its session could log in with."""

    stored: StoredKeyPair
    session: AnySession
    state: KeyPairState
    next: NextChange | None
    use: KeyUse
    concerns: tuple[Concern, ...]
    others_valid: int

    @property
    def pair(self) -> KeyPair:
        """The pair itself."""
        return self.stored.pair

    @property
    def url(self) -> str:
        """The pair's own page."""
        return f"/sessions/{self.pair.session_id}/keys/{self.pair.access_key_id}"


def rows_of(registry: Registry, stored: Collection[StoredKeyPair]) -> list[KeyRow]:
    """Return rows for pairs, in their order. Reads the directory only."""
    now = registry.clock.now()
    concerns = {each: registry.pairs.health(each).concerns for each in {found.pair.session_id for found in stored}}
    rows = []
    for found in stored:
        pair = found.pair
        session = registry.directory.session(pair.session_id)
        assert session is not None  # a foreign key
        valid = registry.directory.valid_pairs_of(pair.session_id, now)
        rows.append(
            KeyRow(
                found,
                session,
                found.state(now),
                pair.next_change(now),
                registry.pairs.use_of(pair.access_key_id),
                tuple(each for each in concerns[pair.session_id] if each.access_key_id == pair.access_key_id),
                sum(other.pair.access_key_id != pair.access_key_id for other in valid),
            )
        )
    return rows


# The picture: one bar for each pair, from when it is valid to when it ends.

WIDTH, LEFT, ROW, TOP = 960, 190, 34, 26
"""Units of the drawing: the whole width, the column of names, the height of a row, the room for the months' names."""

_BAR = 14
_LONGEST_PAST = 240 * DAY


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar: its place, its tone (a class of the style sheet), and what it says when pointed at."""

    x: float
    width: float
    tone: str
    title: str


@dataclass(frozen=True, slots=True)
class Bar:
    """The life of one pair: `y` is the top of the bar."""

    row: KeyRow
    y: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A time line. `ticks`: (x, month); `now`: where the present is."""

    height: int
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]
    now: float
    width: int = WIDTH
    left: int = LEFT
    bar: int = _BAR


def picture_of(rows: Sequence[KeyRow], now: int) -> Picture | None:
    """Return the lives of pairs as a picture; None without any. A long past is cut off."""
    if not rows:
        return None
    begin = max(min(row.pair.created_at for row in rows), now - _LONGEST_PAST) - 7 * DAY
    end = max(now, *(row.pair.expires_at for row in rows)) + 14 * DAY
    scale = (WIDTH - LEFT) / (end - begin)

    def place(at: int) -> float:
        return round(LEFT + (min(max(at, begin), end) - begin) * scale, 1)

    bars = []
    for number, row in enumerate(rows):
        parts = tuple(
            Part(place(since), max(2.0, round(place(until) - place(since), 1)), tone, title)
            for since, until, tone, title in _life(row)
            if until > begin
        )
        bars.append(Bar(row, TOP + number * ROW + (ROW - _BAR) // 2, parts))
    ticks = tuple((place(at), name) for at, name in _months(begin, end))
    return Picture(TOP + len(rows) * ROW + 6, tuple(bars), ticks, place(now))


def _life(row: KeyRow) -> Iterator[tuple[int, int, str, str]]:
    """Yield the pieces of a life: since, until, tone, words."""
    pair, state = row.pair, row.state
    valid_from = pair.valid_from or pair.created_at
    if pair.created_at < valid_from:
        yield pair.created_at, min(valid_from, pair.deleted_at or valid_from), "busy", "not yet valid"
    end = min(pair.expires_at, pair.deleted_at or pair.expires_at)
    if end <= valid_from:
        return
    if not state.living:
        yield valid_from, end, "idle", f"{state}"
    elif state is KeyPairState.DEACTIVATED:
        yield valid_from, end, "idle", "deactivated"
    else:
        nears = max(valid_from, end - NOTICE)
        if valid_from < nears:
            yield valid_from, nears, "good", "active"
        yield nears, end, "warn", f"expiring: {pair.ends_by}"


def _months(begin: int, end: int) -> Iterator[tuple[int, str]]:
    """Yield the first instants of months, Central, and their names: every month, or every third of a long time."""
    step = 1 if end - begin < 500 * DAY else 3
    first = local_day(begin, CENTRAL).replace(day=1)
    while (at := instant(first, _MIDNIGHT, CENTRAL)) < end:
        if at > begin and (first.month - 1) % step == 0:
            yield at, first.strftime("%b %Y") if first.month == 1 or step > 1 else first.strftime("%b")
        first = months_later(first, 1)
