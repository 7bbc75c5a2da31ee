"""The audit outside the venue: how it is exported, and how an export or a stopped venue's database is verified.

JSON lines and CSV hold the same columns. Each entry's hash covers the entry and the hash of the one before it, so an
export that leaves entries out (a search) still proves each of its entries, and the order of those that follow on.
"""

import csv
import fcntl
import io
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ontherun.keys import utc_text
from ontherun.registry.audit import ChainHead, Witness, follow
from ontherun.registry.errors import AuditDamagedError, DataDirectoryInUseError, InvalidError
from ontherun.registry.locking import FILE_NAME as LOCK_FILE
from ontherun.registry.records import AuditEntry
from ontherun.registry.schema import FILE_NAME as DATABASE

COLUMNS = (
    "sequence",
    "at",
    "time",
    "actor",
    "source",
    "action",
    "entity_id",
    "subject",
    "details",
    "previous_hash",
    "hash",
)
"""The columns of an export: `at` is ns since 1970 UTC, `time` the same for people; `details` is a JSON object."""

_FORMULA = "'=+-@\t\r\uff1d\uff0b\uff0d\uff20"
"""What a spreadsheet takes for a formula at the beginning of a cell; such a cell gets an apostrophe in front."""


def json_line(entry: AuditEntry) -> str:
    """Write an entry as a line of JSON."""
    return json.dumps(_fields(entry)) + "\n"


def csv_line(entry: AuditEntry) -> str:
    """Write an entry as a line of CSV."""
    line = io.StringIO()
    csv.writer(line).writerow(_guarded(value) for value in _fields(entry).values())
    return line.getvalue()


EXPORTS: Mapping[str, tuple[str, str, Callable[[AuditEntry], str]]] = MappingProxyType(
    {"jsonl": ("application/x-ndjson", "", json_line), "csv": ("text/csv", ",".join(COLUMNS) + "\r\n", csv_line)}
)
"""Format -> media type, first line, how an entry is written."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was verified: how many entries, which is the last, its hash, and how many were left out before it."""

    entries: int
    last: int
    hash: str
    missing: int


def verify_path(path: Path, kept: str = "") -> Verified:
    """Verify an exported file, or the audit of a stopped venue's data directory, which is only read.

    `kept` is the hash of an entry (hexadecimal) that somebody wrote down elsewhere: it must be among them.
    AuditDamagedError at the first bad entry; InvalidError when it is no export and no data directory;
    DataDirectoryInUseError when a venue runs on it.
    """
    if path.is_dir():
        return _verify_database(path, Witness(kept))
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return _verify_export(_entries(file, str(path)), Witness(kept))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidError(str(path), f"cannot be read: {error}.", "an audit export, or a data directory") from None


def _verify_export(entries: Iterable[AuditEntry], witness: Witness) -> Verified:
    count = missing = 0
    head = ChainHead()
    for entry in entries:
        if entry.sequence <= head.sequence:
            raise AuditDamagedError(entry.sequence, f"stands after entry {head.sequence}: the order was changed.")
        missing += entry.sequence - head.sequence - 1
        if entry.sequence > head.sequence + 1:  # entries were left out: this one is judged from what it says of them
            head = ChainHead(entry.sequence - 1, entry.previous_hash)
        head = follow(head, witness.watch([entry]))
        count += 1
    witness.testify(head)
    return Verified(count, head.sequence, head.hash.hex(), missing)


def _verify_database(data_dir: Path, witness: Witness) -> Verified:
    database = data_dir / DATABASE
    if not database.is_file():
        raise InvalidError(str(data_dir), f"holds no {DATABASE}.", "the data directory of a venue")
    lock = _lock(data_dir)
    try:
        connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
        try:
            rows = connection.execute(
                "SELECT sequence, at, actor, source, action, entity_id, subject, details, previous_hash, hash "
                "FROM audit_entry ORDER BY sequence"
            )
            head = follow(ChainHead(), witness.watch(AuditEntry(*row) for row in rows))
        except (sqlite3.Error, TypeError) as error:
            raise InvalidError(str(database), f"cannot be read: {error}.", "the database of a venue") from None
        finally:
            connection.close()
    finally:
        if lock is not None:
            os.close(lock)
    witness.testify(head)
    return Verified(head.sequence, head.sequence, head.hash.hex(), 0)


def _lock(data_dir: Path) -> int | None:
    """Keep venues from starting meanwhile; None where none ever has. DataDirectoryInUseError when one runs."""
    try:
        descriptor = os.open(data_dir / LOCK_FILE, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise DataDirectoryInUseError(data_dir, holder) from None
    return descriptor


def _fields(entry: AuditEntry) -> dict[str, object]:
    return {
        "sequence": entry.sequence,
        "at": entry.at,
        "time": utc_text(entry.at),
        "actor": entry.actor,
        "source": entry.source,
        "action": entry.action,
        "entity_id": entry.entity_id,
        "subject": entry.subject,
        "details": entry.details,
        "previous_hash": entry.previous_hash.hex(),
        "hash": entry.hash.hex(),
    }


def _guarded(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in _FORMULA and value else value


def _unguarded(text: str) -> str:
    return text.removeprefix("'")


def _entries(file: io.TextIOBase, name: str) -> Iterator[AuditEntry]:
    """The entries of an exported file. InvalidError at the first line that is none."""
    first = file.readline()
    file.seek(0)
    lines: Iterator[Mapping[str, object]]
    if tuple(first.strip().split(",")) == COLUMNS:
        lines = ({key: _unguarded(cell) for key, cell in row.items()} for row in csv.DictReader(file))
    else:
        lines = (json.loads(line) for line in file)
    number = 0
    while True:
        number += 1
        try:
            fields = next(lines, None)
            if fields is None:
                return
            yield _entry(fields)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"has something else than an audit entry in line {number} ({type(error).__name__})."
            raise InvalidError(name, what, f"an export with the columns {', '.join(COLUMNS)}") from None


def _entry(fields: Mapping[str, object]) -> AuditEntry:
    source, entity_id = fields["source"], fields["entity_id"]
    return AuditEntry(
        int(str(fields["sequence"])),
        int(str(fields["at"])),
        str(fields["actor"]),
        None if source in (None, "") else str(source),
        str(fields["action"]),
        None if entity_id in (None, "") else int(str(entity_id)),
        str(fields["subject"]),
        str(fields["details"]),
        bytes.fromhex(str(fields["previous_hash"])),
        bytes.fromhex(str(fields["hash"])),
    )
