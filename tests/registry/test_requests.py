"""Requests: every state and event, four eyes, the timetable, and carrying out exactly once."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ontherun.calendar import CENTRAL, local
from ontherun.keys import ManualClock
from ontherun.registry import (
    SYSTEM,
    TRANSITIONS,
    ChangeSession,
    ConflictError,
    CreateSessions,
    DeleteSession,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    PrincipalKind,
    Registry,
    Request,
    RequestEvent,
    RequestKind,
    RequestOrder,
    RequestQuery,
    RequestStatus,
    Role,
    SessionProtocol,
    SetProtocol,
    TimetableName,
    UnavailableError,
    terms_from_json,
    terms_to_json,
)
from ontherun.registry.request_states import after

from .conftest import Venue, principal

HOUR = 3_600 * 10**9
DAY = 24 * HOUR
NEW = CreateSessions(firms=("OURS1",), market_segments=(40,))
SECOND = principal("our second admin", Role.ADMIN_MANAGER, 1)


def central(venue: Venue, text: str) -> None:
    """Set the clock to what a clock in Chicago shows: "2026-07-01 11:59:59"."""
    from datetime import datetime

    at = datetime.fromisoformat(text).replace(tzinfo=CENTRAL)
    venue.clock.advance(int(at.timestamp()) * 10**9 - venue.clock.now())


async def reopened(venue: Venue) -> Registry:
    await venue.registry.close()
    return await Registry.open(venue.registry.data_dir, venue.clock, market_segments=(40, 41), variables={})


@pytest.fixture
async def exchange(venue: Venue) -> Venue:
    await venue.registry.policies.set(SYSTEM, timetable=TimetableName.EXCHANGE)
    central(venue, "2026-07-01 09:00:00")  # a Wednesday
    return venue


@pytest.fixture
async def four_eyes(venue: Venue) -> Venue:
    await venue.registry.policies.set(SYSTEM, four_eyes=True)
    return venue


@pytest.mark.parametrize("status", RequestStatus)
@pytest.mark.parametrize("event", RequestEvent)
def test_each_event_in_each_state_is_in_the_table_or_refused(status: RequestStatus, event: RequestEvent) -> None:
    if (status, event) in TRANSITIONS:
        assert after(status, event, 7) is TRANSITIONS[status, event]
    else:
        with pytest.raises(ConflictError, match=f"Request 7 is {status}, so that nobody can {event} it"):
            after(status, event, 7)


def test_every_open_state_has_a_way_out_and_no_finished_one_has() -> None:
    for status in RequestStatus:
        assert status.open == any(before is status for before, _ in TRANSITIONS)


@pytest.mark.parametrize("kind", RequestKind)
def test_each_kind_has_terms(kind: RequestKind) -> None:
    from ontherun.registry.terms import _OF_KIND

    assert _OF_KIND[kind].kind is kind


def test_terms_come_back_from_json_as_they_were() -> None:
    for terms in (NEW, SetProtocol(session_id="A00", protocol=SessionProtocol.FIX), ChangeSession(session_id="A00")):
        assert terms_from_json(terms.kind, terms_to_json(terms)) == terms


async def test_the_local_default_completes_a_request_in_the_transaction_that_submits_it(venue: Venue) -> None:
    request = await venue.registry.requests.submit(venue.admin, replace(NEW, number_of_sessions=3, label="algo"))
    assert (request.status, request.session_ids) == (RequestStatus.COMPLETED, ("A02", "A03", "A04"))
    assert {venue.registry.sessions.get(venue.reader, one).label for one in request.session_ids} == {"algo"}
    actions = [entry.action for entry in await venue.registry.audit_entries(venue.admin, limit=5)]
    assert actions == ["request.completed", *["session.created"] * 3, "request.submitted"]
    assert venue.registry.requests.next_due() is None


@pytest.mark.parametrize(
    ("now", "effective"),
    [
        ("2026-07-01 11:59:59", "2026-07-01 12:00"),
        ("2026-07-01 12:00:00", "2026-07-02 12:00"),  # exactly 12:00 waits
        ("2026-07-02 12:00:01", "2026-07-06 12:00"),  # Friday the 3rd is Independence Day, observed
        ("2026-07-04 10:00:00", "2026-07-06 12:00"),  # a Saturday
        ("2026-03-06 13:00:00", "2026-03-09 12:00"),  # clocks go forward in between
    ],
)
async def test_an_order_entry_request_waits_for_the_next_noon_of_a_business_day(
    exchange: Venue, now: str, effective: str
) -> None:
    central(exchange, now)
    request = await exchange.registry.requests.submit(exchange.admin, NEW)
    assert request.status is RequestStatus.IN_PROGRESS
    assert request.effective_at is not None
    assert f"{local(request.effective_at, CENTRAL):%Y-%m-%d %H:%M}" == effective


async def test_a_protocol_update_waits_for_16_00(exchange: Venue) -> None:
    terms = SetProtocol(session_id="A00", protocol=SessionProtocol.FIX)
    request = await exchange.registry.requests.submit(exchange.admin, terms)
    assert request.effective_at is not None
    assert f"{local(request.effective_at, CENTRAL):%Y-%m-%d %H:%M}" == "2026-07-01 16:00"


async def test_a_later_live_date_is_waited_for(exchange: Venue) -> None:
    request = await exchange.registry.requests.submit(exchange.admin, replace(NEW, live_date="2026-07-11"))
    assert request.effective_at is not None
    assert f"{local(request.effective_at, CENTRAL):%Y-%m-%d %H:%M}" == "2026-07-13 12:00"  # the 11th is a Saturday


@pytest.mark.parametrize("live_date", ["2026-06-30", "2029-01-01", "tomorrow", "20260708", "2026-02-30", "9" * 400])
async def test_a_live_date_is_a_day_from_today_on(exchange: Venue, live_date: str) -> None:
    with pytest.raises(InvalidError, match="live_date"):
        await exchange.registry.requests.submit(exchange.admin, replace(NEW, live_date=live_date))


async def test_what_is_due_is_carried_out_once_and_not_before(exchange: Venue) -> None:
    requests = exchange.registry.requests
    request = await requests.submit(exchange.admin, NEW)
    assert request.effective_at is not None
    assert requests.next_due() == request.effective_at
    assert await requests.run_due() == 0
    exchange.clock.advance(request.effective_at - exchange.clock.now())
    assert await requests.run_due() == 1
    assert await requests.run_due() == 0
    done = await requests.get(exchange.reader, request.request_id)
    assert (done.status, done.session_ids, done.finished_at) == (
        RequestStatus.COMPLETED,
        ("A02",),
        request.effective_at,
    )


async def test_a_clock_that_goes_back_undoes_and_repeats_nothing(exchange: Venue) -> None:
    requests = exchange.registry.requests
    await requests.submit(exchange.admin, NEW)
    exchange.clock.advance(DAY)
    assert await requests.run_due() == 1
    exchange.clock.advance(-2 * DAY)
    assert await requests.run_due() == 0
    await requests.submit(exchange.admin, NEW)
    exchange.clock.advance(2 * DAY)
    assert await requests.run_due() == 1
    assert len(exchange.registry.sessions.list(exchange.admin)) == 3


async def test_what_cannot_be_done_any_more_fails_with_its_reason_and_holds_up_nothing(exchange: Venue) -> None:
    requests = exchange.registry.requests
    first = await requests.submit(exchange.admin, DeleteSession(session_id="A00"))
    second = await requests.submit(exchange.admin, DeleteSession(session_id="A00"))
    third = await requests.submit(exchange.admin, NEW)
    exchange.clock.advance(DAY)
    assert await requests.run_due() == 3
    found = [await requests.get(exchange.admin, request.request_id) for request in (first, second, third)]
    assert [request.status for request in found] == [
        RequestStatus.COMPLETED,
        RequestStatus.FAILED,
        RequestStatus.COMPLETED,
    ]
    assert found[1].reason == "There is no session A00."


async def test_a_request_that_waits_is_amended_and_accepted_anew(exchange: Venue) -> None:
    requests = exchange.registry.requests
    request = await requests.submit(exchange.admin, NEW)
    exchange.clock.advance(4 * HOUR)  # 13:00: too late for today's run
    amended = await requests.amend(exchange.admin, request.request_id, replace(NEW, number_of_sessions=2), revision=0)
    assert (amended.revision, amended.status) == (1, RequestStatus.IN_PROGRESS)
    assert amended.effective_at is not None
    assert f"{local(amended.effective_at, CENTRAL):%d %H:%M}" == "02 12:00"
    with pytest.raises(ConflictError, match="was amended since"):
        await requests.amend(exchange.admin, request.request_id, NEW, revision=0)
    with pytest.raises(ConflictError, match="about another thing"):
        await requests.amend(exchange.admin, request.request_id, DeleteSession(session_id="A00"))
    exchange.clock.advance(DAY)
    await requests.run_due()
    assert (await requests.get(exchange.admin, request.request_id)).session_ids == ("A02", "A03")


async def test_a_request_that_waits_is_cancelled_and_nothing_happens(exchange: Venue) -> None:
    requests = exchange.registry.requests
    request = await requests.submit(exchange.admin, NEW)
    cancelled = await requests.cancel(exchange.admin, request.request_id, "not needed")
    assert (cancelled.status, cancelled.reason) == (RequestStatus.CANCELLED, "not needed")
    exchange.clock.advance(5 * DAY)
    assert await requests.run_due() == 0
    with pytest.raises(ConflictError, match="is Cancelled, so that nobody can cancel it"):
        await requests.cancel(exchange.admin, request.request_id)


async def test_what_waits_already_has_its_place_in_the_allowance(exchange: Venue) -> None:
    requests = exchange.registry.requests
    waiting = await requests.submit(exchange.admin, replace(NEW, number_of_sessions=60))
    with pytest.raises(ConflictError, match="requests for 60 more wait: 40 do not fit"):
        await requests.submit(exchange.admin, replace(NEW, number_of_sessions=40))
    await requests.amend(exchange.admin, waiting.request_id, replace(NEW, number_of_sessions=99))
    with pytest.raises(ConflictError, match="1 do not fit"):
        await requests.submit(exchange.admin, NEW)
    exchange.clock.advance(2 * DAY)
    assert await requests.run_due() == 1
    assert (await requests.get(exchange.admin, waiting.request_id)).status is RequestStatus.COMPLETED


async def test_four_eyes_are_those_of_two_people(four_eyes: Venue) -> None:
    requests = four_eyes.registry.requests
    request = await requests.submit(four_eyes.admin, NEW)
    assert (request.status, request.effective_at) == (RequestStatus.PENDING_APPROVAL, None)
    assert requests.to_do(four_eyes.admin) == []
    assert requests.to_do(four_eyes.stranger) == []
    assert requests.to_do(SECOND) == [request]
    with pytest.raises(ForbiddenError, match="another person has to approve it"):
        await requests.approve(four_eyes.admin, request.request_id)
    with pytest.raises(ForbiddenError, match="may not approve requests"):
        await requests.approve(principal("trader", Role.FULL_ACCESS, 1), request.request_id)
    with pytest.raises(NotFoundError):
        await requests.approve(four_eyes.stranger, request.request_id)
    done = await requests.approve(SECOND, request.request_id, revision=0)
    assert (done.status, done.decided_by) == (RequestStatus.COMPLETED, "our second admin")


async def test_one_person_under_two_names_is_still_one_person(four_eyes: Venue) -> None:
    requests = four_eyes.registry.requests
    person = replace(four_eyes.admin, kind=PrincipalKind.PERSON, user_id=5)
    request = await requests.submit(person, NEW)
    with pytest.raises(ForbiddenError, match="another person"):
        await requests.approve(replace(person, name="a token of the same person"), request.request_id)


async def test_a_rejection_needs_a_reason(four_eyes: Venue) -> None:
    requests = four_eyes.registry.requests
    request = await requests.submit(four_eyes.admin, NEW)
    for reason in ("", "  \n ", "a\x00b", "x" * 2001):
        with pytest.raises(InvalidError):
            await requests.reject(SECOND, request.request_id, reason)
    rejected = await requests.reject(SECOND, request.request_id, "wrong firm")
    assert (rejected.status, rejected.reason) == (RequestStatus.REJECTED, "wrong firm")
    assert len(four_eyes.registry.sessions.list(four_eyes.admin)) == 1


async def test_what_was_approved_is_what_was_looked_at(four_eyes: Venue) -> None:
    requests = four_eyes.registry.requests
    request = await requests.submit(four_eyes.admin, NEW)
    await requests.amend(four_eyes.admin, request.request_id, replace(NEW, number_of_sessions=50))
    with pytest.raises(ConflictError, match="was amended since you looked"):
        await requests.approve(SECOND, request.request_id, revision=0)


async def test_an_approved_request_that_is_amended_needs_approval_again(exchange: Venue) -> None:
    await exchange.registry.policies.set(SYSTEM, four_eyes=True)
    requests = exchange.registry.requests
    request = await requests.submit(exchange.admin, NEW)
    assert (await requests.approve(SECOND, request.request_id)).status is RequestStatus.IN_PROGRESS
    amended = await requests.amend(exchange.admin, request.request_id, replace(NEW, number_of_sessions=2))
    assert (amended.status, amended.decided_by) == (RequestStatus.PENDING_APPROVAL, None)


async def test_of_two_approvals_at_once_one_is_refused(four_eyes: Venue) -> None:
    requests = four_eyes.registry.requests
    request = await requests.submit(four_eyes.admin, NEW)
    third = principal("our third admin", Role.ADMIN_MANAGER, 1)
    found = await asyncio.gather(
        requests.approve(SECOND, request.request_id),
        requests.approve(third, request.request_id),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in found) == ["ConflictError", "Request"]
    assert len(four_eyes.registry.sessions.list(four_eyes.admin)) == 2


async def test_of_an_approval_and_a_cancellation_at_once_one_is_refused(four_eyes: Venue) -> None:
    requests = four_eyes.registry.requests
    for first_approves in (True, False):
        request = await requests.submit(four_eyes.admin, NEW)
        race = [
            requests.approve(SECOND, request.request_id),
            requests.cancel(four_eyes.admin, request.request_id),
        ]
        before = len(four_eyes.registry.sessions.list(four_eyes.admin))
        found = await asyncio.gather(*(race if first_approves else reversed(race)), return_exceptions=True)
        assert sorted(type(one).__name__ for one in found) == ["ConflictError", "Request"]
        after_race = (await requests.get(four_eyes.admin, request.request_id)).status
        created = len(four_eyes.registry.sessions.list(four_eyes.admin)) - before
        assert (after_race, created) in ((RequestStatus.COMPLETED, 1), (RequestStatus.CANCELLED, 0))


async def test_a_label_changes_without_approval_and_without_waiting(exchange: Venue) -> None:
    await exchange.registry.policies.set(SYSTEM, four_eyes=True)
    requests = exchange.registry.requests
    request = await requests.submit(exchange.admin, ChangeSession(session_id="A00", label="mine", notes="a\nb"))
    assert request.status is RequestStatus.COMPLETED
    both = await requests.submit(exchange.admin, ChangeSession(session_id="A00", label="x", cancel_on_disconnect=False))
    assert both.status is RequestStatus.PENDING_APPROVAL


async def test_requests_of_others_do_not_exist(exchange: Venue) -> None:
    requests = exchange.registry.requests
    request = await requests.submit(exchange.admin, NEW)
    for attempt in (
        requests.get(exchange.stranger, request.request_id),
        requests.cancel(exchange.stranger, request.request_id),
        requests.amend(exchange.stranger, request.request_id, NEW),
        requests.approve(exchange.stranger, request.request_id),
        requests.reject(exchange.stranger, request.request_id, "no"),
    ):
        with pytest.raises(NotFoundError, match="no request 1"):
            await attempt
    assert await requests.history.page(exchange.stranger, RequestQuery()) == []
    with pytest.raises(NotFoundError):
        await requests.submit(exchange.stranger, NEW)
    with pytest.raises(ForbiddenError):
        await requests.submit(exchange.reader, NEW)
    with pytest.raises(ForbiddenError):
        await requests.cancel(exchange.reader, request.request_id)


async def test_the_history_is_filtered_sorted_and_paged_by_the_database(venue: Venue) -> None:
    requests, history = venue.registry.requests, venue.registry.requests.history
    for number in range(6):
        await requests.submit(venue.admin, ChangeSession(session_id="A00", label=f"100%_{number}"))
    await requests.submit(SECOND, NEW)
    assert [request.request_id for request in await history.page(venue.reader, RequestQuery(limit=3))] == [7, 6, 5]
    page = RequestQuery(limit=3, before=5)
    assert [request.request_id for request in await history.page(venue.reader, page)] == [4, 3, 2]
    assert await history.count(venue.reader, RequestQuery(kinds=[RequestKind.CHANGE_SESSION])) == 6
    assert await history.count(venue.reader, RequestQuery(text="second admin")) == 1
    assert await history.count(venue.reader, RequestQuery(text="%")) == 0
    assert await history.count(venue.reader, RequestQuery(statuses=[RequestStatus.FAILED])) == 0
    for order in RequestOrder:
        for descending in (True, False):
            query = RequestQuery(order=order, descending=descending, offset=2, limit=4)
            assert len(await history.page(venue.reader, query)) == 4


async def test_everything_open_is_there_after_a_restart(exchange: Venue) -> None:
    await exchange.registry.policies.set(SYSTEM, four_eyes=True, session_allowance=7, fee_text="Costs nothing.")
    await exchange.registry.policies.set_allowance(SYSTEM, 1, 9)
    waiting = await exchange.registry.requests.submit(exchange.admin, replace(NEW, allowed_sources=("10.0.0.0/8",)))
    again = await reopened(exchange)
    try:
        assert await again.requests.get(exchange.admin, waiting.request_id) == waiting
        assert again.policies.current == exchange.registry.policies.current
        assert again.sessions.allowance(SYSTEM, 1) == (9, 1)
        assert again.sessions.allowance(SYSTEM, 2) == (7, 1)
        following = await again.requests.submit(exchange.admin, NEW)
        assert following.request_id == waiting.request_id + 1
    finally:
        await again.close()


async def test_a_database_that_cannot_be_written_leaves_the_request_due(exchange: Venue) -> None:
    requests = exchange.registry.requests
    request = await requests.submit(exchange.admin, NEW)
    exchange.clock.advance(DAY)
    database = sqlite3.connect(exchange.registry.data_dir / "registry.sqlite3", isolation_level=None)
    database.execute("CREATE TRIGGER full BEFORE INSERT ON session BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    with pytest.raises(UnavailableError, match="disk is full"):
        await requests.run_due()
    assert requests.next_due() == request.effective_at
    assert len(exchange.registry.sessions.list(exchange.admin)) == 1
    database.execute("DROP TRIGGER full")
    database.close()
    assert await requests.run_due() == 1


CHILD = """
import asyncio, os, sys
from pathlib import Path
from ontherun.keys import ManualClock
from ontherun.registry import Registry
from ontherun.registry.store import Store

async def main():
    registry = await Registry.open(Path(sys.argv[1]), ManualClock(int(sys.argv[2])), market_segments=(40, 41),
                                   variables={})
    commits, commit = [0], Store._commit
    async def count(self, change):
        if sys.argv[3] == "before" and commits[0] == int(sys.argv[4]):
            os.kill(os.getpid(), 9)
        await commit(self, change)
        if sys.argv[3] == "after" and commits[0] == int(sys.argv[4]):
            os.kill(os.getpid(), 9)
        commits[0] += 1
    Store._commit = count
    await registry.requests.run_due()

asyncio.run(main())
"""


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("number", [0, 1])
async def test_each_due_request_happens_once_whenever_the_process_dies(
    exchange: Venue, place: str, number: int
) -> None:
    for _ in range(3):
        await exchange.registry.requests.submit(exchange.admin, NEW)
    exchange.clock.advance(DAY)
    await exchange.registry.close()
    arguments = [sys.executable, "-c", CHILD, str(exchange.registry.data_dir), str(exchange.clock.now())]
    died = await asyncio.to_thread(
        subprocess.run,
        [*arguments, place, str(number)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert died.returncode == -9, died.stderr
    again = await Registry.open(exchange.registry.data_dir, exchange.clock, market_segments=(40, 41), variables={})
    try:
        assert await again.requests.run_due() == 3 - number - (place == "after")
        assert len(again.sessions.list(exchange.admin)) == 4
        await again.verify_audit()
    finally:
        await again.close()


async def test_the_operator_alone_sets_policies(venue: Venue) -> None:
    with pytest.raises(ForbiddenError):
        await venue.registry.policies.set(venue.admin, four_eyes=True)
    with pytest.raises(ForbiddenError):
        await venue.registry.policies.set_allowance(venue.admin, 1, 5000)
    with pytest.raises(NotFoundError):
        await venue.registry.policies.set_allowance(venue.stranger, 1, 5000)
    with pytest.raises(ConflictError, match="Nothing would change"):
        await venue.registry.policies.set(SYSTEM, four_eyes=False)
    for wrong in ({"session_allowance": -1}, {"drop_copy_sources": 10**20}, {"fee_text": "a\x00"}):
        with pytest.raises(InvalidError):
            await venue.registry.policies.set(SYSTEM, **wrong)


async def test_a_preview_says_what_and_when_and_changes_nothing(exchange: Venue) -> None:
    await exchange.registry.policies.set(SYSTEM, four_eyes=True, fee_text="Each session costs.")
    before = await exchange.registry.verify_audit()
    preview = exchange.registry.requests.preview(exchange.admin, replace(NEW, number_of_sessions=2))
    assert preview.summary == "Create 2 Order Entry sessions of OURS1 on market segment 40"
    assert "97 sessions of the entity's allowance will be left." in preview.effects
    assert (preview.needs_approval, preview.fee_text) == (True, "Each session costs.")
    assert f"{local(preview.effective_at, CENTRAL):%H:%M}" == "12:00"
    assert await exchange.registry.verify_audit() == before


def test_a_request_names_its_kind() -> None:
    request = Request(
        request_id=1,
        entity_id=1,
        status=RequestStatus.SUBMITTED,
        terms=NEW,
        summary="",
        submitted_by="x",
        submitter="x",
        submitted_at=0,
    )
    assert (request.kind, request.live_date) == (RequestKind.CREATE_SESSIONS, None)
    assert ManualClock(0).now() == 0


def test_the_document_shows_the_table_of_states() -> None:
    document = (Path(__file__).parents[2] / "docs" / "requests.md").read_text(encoding="utf-8")
    _, _, rest = document.partition("| from | event | to |\n| --- | --- | --- |\n")
    table = [f"| {before} | {event} | {then} |" for (before, event), then in TRANSITIONS.items()]
    assert rest.partition("\n\n")[0].splitlines() == table
