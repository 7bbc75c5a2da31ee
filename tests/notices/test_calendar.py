"""The calendar of expiries: RFC 5545, read back by rules of our own."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ontherun.keys import ManualClock
from ontherun.keys.clock import DAY
from ontherun.notices import calendar
from ontherun.notices.calendar_feed import _folded
from ontherun.registry import SYSTEM, Registry


def lines_of(content: bytes) -> list[str]:
    """Unfold, as a reader of RFC 5545 does."""
    assert content.endswith(b"\r\n")
    for line in content.split(b"\r\n"):
        assert len(line) <= 75
        assert b"\n" not in line
        line.decode("utf-8")
    return content.replace(b"\r\n ", b"").decode("utf-8").removesuffix("\r\n").split("\r\n")


async def test_each_pair_is_an_event_with_reminders_that_keeps_its_uid_when_it_moves(
    registry: Registry, clock: ManualClock
) -> None:
    session = registry.directory.session("A00")
    assert session is not None
    registry.directory.put_session(replace(session, label="a; b, c\\d, äöü " + "x" * 60))
    stored = await registry.pairs.generate(SYSTEM, "A00")
    moved = replace(stored, pair=replace(stored.pair, expires_at=stored.pair.expires_at - 3 * DAY))
    first, second = (
        lines_of(calendar([each], registry.directory, "LOCAL", "https://x.example/", clock.now()))
        for each in (stored, moved)
    )
    assert [line for line in first if line.startswith("UID:")] == [line for line in second if line.startswith("UID:")]
    assert [line for line in first if line.startswith("DTSTART:")] != [
        line for line in second if line.startswith("DTSTART:")
    ]
    assert first[0] == "BEGIN:VCALENDAR"
    assert first[-1] == "END:VCALENDAR"
    assert first.count("BEGIN:VALARM") == first.count("END:VALARM") == 3
    assert "TRIGGER:-P14D" in first
    (summary,) = [line for line in first if line.startswith("SUMMARY:")]
    assert "a\\; b\\, c\\\\d\\, äöü" in summary
    assert "URL:https://x.example/sessions/A00" in first


async def test_a_deleted_pair_is_in_no_calendar(registry: Registry, clock: ManualClock) -> None:
    stored = await registry.pairs.generate(SYSTEM, "A00")
    deleted = replace(stored, pair=replace(stored.pair, deleted_at=1))
    assert b"VEVENT" not in calendar([deleted], registry.directory, "LOCAL", "", clock.now())


@given(st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=300))
def test_any_line_is_folded_within_75_octets_and_unfolds_to_itself(line: str) -> None:
    folded = _folded(line)
    assert all(len(part) <= 75 for part in folded.split(b"\r\n"))
    assert folded.replace(b"\r\n ", b"").removesuffix(b"\r\n") == line.encode("utf-8")
