"""`python -m ontherun.journal FILE`: check a journal that no process has open."""

import argparse
import sys
from contextlib import closing
from pathlib import Path

from ontherun.journal.errors import JournalError
from ontherun.journal.file import FileJournal


def main() -> int:
    """Print what the journal holds, or the first damage (exit status 1)."""
    parser = argparse.ArgumentParser(prog="python -m ontherun.journal", description="Check every row of a journal.")
    parser.add_argument("file", type=Path)
    path: Path = parser.parse_args().file
    if not path.is_file():
        parser.error(f"there is no file {path}")
    try:
        with closing(FileJournal(path)) as journal:
            found = journal.verify()
            cut = f", after a torn row of {journal.cut} bytes was cut off" if journal.cut else ""
    except JournalError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{path}: {found.rows} rows, {found.size} bytes, checksum {found.checksum:#010x}: good{cut}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
