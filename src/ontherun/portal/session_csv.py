"""Order Entry sessions as CSV: a line creates sessions; several firms, segments or networks are separated by spaces."""

import csv
import io
from collections.abc import Iterator, Sequence

from ontherun.portal.exports import neutral
from ontherun.registry import CreateSessions, OrderEntrySession

COLUMNS = (
    "firms",
    "market_segments",
    "number_of_sessions",
    "cancel_on_disconnect",
    "label",
    "notes",
    "front_end_system",
    "allowed_sources",
    "live_date",
)
"""What a line may say; the first two it must."""

ONLY_OUT = ("session_id", "protocol", "created_at", "valid_key_pairs")
"""What an export has besides. An import does not look at it."""

MOST_LINES = 1000
MOST_FAULTS = 50
"""How many faults are told at once."""

Fault = tuple[int, str, str]
"""Number of the line (the heading is 1), column, what is wrong and what would be right."""


class CsvFaultsError(Exception):
    """The file cannot be imported."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults[:MOST_FAULTS])
        super().__init__(f"{len(faults)} faults")


def parse(content: bytes) -> list[tuple[int, CreateSessions]]:
    """Return what each line asks for, with the line's number. CsvFaultsError names every fault."""
    rows = _rows(_text(content))
    try:
        first, heads = next(rows)
    except StopIteration:
        raise CsvFaultsError([(1, "", "The file is empty. Expected: a heading and at least one line.")]) from None
    _check_heads(first, heads)
    found: list[tuple[int, CreateSessions]] = []
    faults: list[Fault] = []
    for number, cells in rows:
        if not any(cells):
            continue
        if len(found) + len(faults) >= MOST_LINES:
            raise CsvFaultsError([(number, "", f"There are more lines than {MOST_LINES}. Import them in parts.")])
        if len(cells) != len(heads):
            faults.append((number, "", f"There are {len(cells)} cells. Expected: {len(heads)}, as in the heading."))
            continue
        values = dict(zip(heads, cells, strict=True))
        wrong = [(number, column, fault) for column, fault in _faults(values)]
        faults.extend(wrong)
        if not wrong:
            found.append((number, _terms(values)))
    if faults:
        raise CsvFaultsError(faults)
    if not found:
        raise CsvFaultsError([(first + 1, "", "There is no line after the heading.")])
    return found


def row_of(session: OrderEntrySession, valid_key_pairs: int, created_at: str) -> list[object]:
    """Return a session as a row of an export, under ONLY_OUT and COLUMNS."""
    return [
        session.session_id,
        session.protocol.value,
        created_at,
        valid_key_pairs,
        " ".join(session.firms),
        " ".join(map(str, session.market_segments)),
        1,
        "yes" if session.cancel_on_disconnect else "no",
        session.label,
        session.notes,
        session.front_end_system,
        " ".join(session.allowed_sources),
        "",
    ]


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CsvFaultsError([(line, "", "This is no UTF-8. Save the file as CSV UTF-8.")]) from None
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        raise CsvFaultsError([(line, "", "There is a NUL character. Save the file as CSV UTF-8.")])
    return text


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise CsvFaultsError([(line, "", f"This is no CSV: {error}.")]) from None
        yield line, cells


def _check_heads(line: int, heads: list[str]) -> None:
    known = ", ".join(COLUMNS)
    faults = [
        (line, head[:40], f"There is no such column. Expected: {known}.")
        for head in heads
        if head not in COLUMNS and head not in ONLY_OUT
    ]
    faults += [(line, head, "The column is missing.") for head in COLUMNS[:2] if head not in heads]
    if len(set(heads)) != len(heads):
        faults.append((line, "", "A column comes twice."))
    if faults:
        raise CsvFaultsError(faults)


def _faults(values: dict[str, str]) -> Iterator[tuple[str, str]]:
    for column, cell in values.items():
        if column in COLUMNS and neutral(cell) != cell:
            yield column, "This looks like a formula. Expected: text; an apostrophe before it makes it one."
    for column in COLUMNS[:2]:
        if not values[column].split():
            yield column, "This is empty. Expected: at least one."
    if not all(_is_number(part, 254) for part in values["market_segments"].split()):
        yield "market_segments", "Expected: numbers of market segments, separated by spaces."
    if (number := values.get("number_of_sessions", "")) and not _is_number(number, MOST_LINES):
        yield "number_of_sessions", f"Expected: a number from 1 to {MOST_LINES}, or nothing for 1."
    if values.get("cancel_on_disconnect", "") not in ("", "yes", "no"):
        yield "cancel_on_disconnect", "Expected: yes or no, or nothing for yes."


def _is_number(text: str, most: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 4 and int(text) <= most


def _terms(values: dict[str, str]) -> CreateSessions:
    plain = {column: _plain(cell) for column, cell in values.items()}
    return CreateSessions(
        firms=tuple(plain["firms"].split()),
        market_segments=tuple(int(part) for part in plain["market_segments"].split()),
        number_of_sessions=int(plain.get("number_of_sessions") or 1),
        cancel_on_disconnect=plain.get("cancel_on_disconnect") != "no",
        label=plain.get("label", ""),
        notes=plain.get("notes", ""),
        front_end_system=plain.get("front_end_system", ""),
        allowed_sources=tuple(plain.get("allowed_sources", "").split()),
        live_date=plain.get("live_date") or None,
    )


def _plain(cell: str) -> str:
    """Take away the apostrophe that an export puts before what looks like a formula."""
    return cell[1:] if cell.startswith("'") and neutral(cell[1:]) != cell[1:] else cell
