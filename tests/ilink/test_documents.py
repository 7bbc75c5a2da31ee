"""The documents say what the code does: tables and diagrams are made from it, examples run."""

import doctest
from pathlib import Path

from ontherun.ilink.codes import EstablishmentRejectCode, NegotiationRejectCode, RetransmitRejectCode
from ontherun.ilink.diagrams import markdown, mermaid
from ontherun.ilink.policy import SessionPolicy
from ontherun.ilink.records import StreamRecord
from ontherun.ilink.transitions import CLIENT, GATEWAY

from .test_streams import RECORDS

DOCS = Path(__file__).parents[2] / "docs"


def test_the_session_document_shows_both_tables_and_diagrams_as_they_are() -> None:
    text = (DOCS / "session.md").read_text()
    for made in (markdown(GATEWAY), mermaid(GATEWAY), markdown(CLIENT), mermaid(CLIENT)):
        assert made in text, f"docs/session.md should hold:\n{made}"


def test_the_login_document_s_example_is_right() -> None:
    failed, attempted = doctest.testfile(str(DOCS / "login.md"), module_relative=False)
    assert attempted > 5
    assert failed == 0


def test_the_documents_name_every_policy_field() -> None:
    text = (DOCS / "session.md").read_text()
    assert [name for name in SessionPolicy.__slots__ if f"`{name}`" not in text] == []


def test_the_login_document_names_every_code_that_the_gateway_uses() -> None:
    text = (DOCS / "login.md").read_text()
    unused = {16, 17}  # split messages: a session never reports any
    for kind in (NegotiationRejectCode, EstablishmentRejectCode):
        for code in kind:
            assert code in unused or any(
                f" {code}" in line.split("|")[1] or f", {code}" in line.split("|")[1]
                for line in text.splitlines()
                if line.startswith(("| N", "| E"))
            ), code
    assert len(RetransmitRejectCode) == 10


def test_the_session_document_gives_every_record_and_its_size() -> None:
    text = (DOCS / "session.md").read_text()
    for record, _ in RECORDS:
        line = next(line for line in text.splitlines() if line.startswith("|") and type(record).__name__ in line)
        assert line.endswith(f" {len(record.to_bytes())} |")
    assert len(RECORDS) == len(StreamRecord.__args__)
