"""Tables as files: CSV, Excel and PDF. What a cell holds stays text: no program that opens the file may run it.

The PDF uses the fonts that every reader has, which know Latin-1 only: other characters are shown as a question mark,
and the page says so. CSV and Excel hold them as they are.
"""

import csv
import io
from collections.abc import Sequence
from typing import Literal

ExportFormat = Literal["csv", "xlsx", "pdf"]

MEDIA_TYPES: dict[ExportFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}

MOST_ROWS = 10_000
"""The most rows of an export; a PDF has fewer."""

MOST_PDF_ROWS = 1_000

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet take a cell for a formula: in full width, too (OWASP, CSV Injection)."""


def neutral(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: with an apostrophe before it where it looks like one."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def as_file(export_format: ExportFormat, title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    """Return a table as a file. `rows` beyond what a format takes are left out, and a last row says so."""
    most = MOST_PDF_ROWS if export_format == "pdf" else MOST_ROWS
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows[:most]]
    if len(rows) > most:
        texts.append([f"{len(rows) - most} more rows are left out.", *[""] * (len(heads) - 1)])
    match export_format:
        case "csv":
            return _csv(heads, texts)
        case "xlsx":
            return _xlsx(title, heads, texts)
        case "pdf":
            return _pdf(title, heads, texts)


def _csv(heads: Sequence[str], rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _xlsx(title: str, heads: Sequence[str], rows: list[list[str]]) -> bytes:
    # When the first file is asked for: a start must not wait for it.
    from xlsxwriter import Workbook  # type: ignore[import-untyped]

    file = io.BytesIO()
    workbook = Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = workbook.add_worksheet(title[:31])
    bold = workbook.add_format({"bold": True})
    for column, head in enumerate(heads):
        sheet.write_string(0, column, head, bold)
        widest = max([len(head), *(len(row[column]) for row in rows)])
        sheet.set_column(column, column, min(widest + 2, 60))
    for place, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            sheet.write_string(place, column, cell)
    sheet.freeze_panes(1, 0)
    workbook.close()
    return file.getvalue()


def _pdf(title: str, heads: Sequence[str], rows: list[list[str]]) -> bytes:
    from fpdf import FPDF

    pdf = FPDF(orientation="landscape", format="A4")
    pdf.set_title(_latin(title))
    pdf.add_page()
    pdf.set_font("Helvetica", size=14, style="B")
    pdf.cell(text=_latin(title), new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Helvetica", size=7)
    if any(_latin(cell) != cell for row in rows for cell in row):
        pdf.cell(
            text="Characters outside Latin-1 are shown as ?. The CSV and Excel files hold them.",
            new_x="LMARGIN",
            new_y="NEXT",
        )
    with pdf.table(first_row_as_headings=True, line_height=4) as table:
        for row in [list(heads), *rows]:
            table.row([_latin(cell) for cell in row])
    return bytes(pdf.output())


def _latin(text: str) -> str:
    return text.encode("latin-1", "replace").decode("latin-1")
