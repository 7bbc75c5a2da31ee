"""Lists in pages."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import TypeVar

R = TypeVar("R")


def page_after(
    records: Sequence[R], key: Callable[[R], str], after: str | None, limit: int
) -> tuple[list[R], str | None]:
    """Return up to `limit` records behind the one whose key is `after`, and the key to go on from, None at the end.

    An unknown `after` starts behind everything: an empty page.
    """
    start = 0
    if after is not None:
        start = next((place + 1 for place, record in enumerate(records) if key(record) == after), len(records))
    page = list(islice(records, start, start + limit))
    more = start + limit < len(records)
    return page, key(page[-1]) if more and page else None
