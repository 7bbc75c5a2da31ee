"""Instruments: the caller's table of symbols, because orders name a security by its number only."""

from collections.abc import Iterator, Mapping

from ontherun.client.errors import UnknownSecurity


class Instruments(Mapping[str, int]):
    """Symbol -> SecurityID (48), readable both ways. A number is always a security, whether or not it has a symbol."""

    __slots__ = ("_ids", "_symbols")

    def __init__(self, table: Mapping[str, int] | None = None) -> None:
        self._ids = dict(table or {})
        self._symbols = {number: symbol for symbol, number in self._ids.items()}

    def __getitem__(self, symbol: str) -> int:
        return self._ids[symbol]

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        return f"Instruments({self._ids!r})"

    def security_id(self, security: str | int) -> int:
        """The number of a symbol; a number itself passes through. Raises UnknownSecurity."""
        if isinstance(security, int):
            return security
        try:
            return self._ids[security]
        except KeyError:
            known = ", ".join(self._ids) or "none"
            raise UnknownSecurity(f"unknown security {security!r}; known: {known}") from None

    def symbol(self, security_id: int) -> str:
        """The symbol of a number, or the number as text where it has none."""
        return self._symbols.get(security_id) or str(security_id)
