"""The live side of a session in the portal: its pages, who sees them, and what their buttons do."""

import re

import pytest
from tests.conftest import START
from tests.support.people import make_user

from ontherun.gateway.live import LastFrames
from ontherun.ilink.messages import NewOrderSingle
from ontherun.registry import SYSTEM, Role
from ontherun.trace import Level, TraceEntry, TraceKind

from .browser import Browser, signed_in
from .conftest import Portal

FACTS = {
    "message": "Negotiate",
    "verdict": "rejected",
    "code_name": "HMAC_NOT_AUTHENTICATED",
    "session": "A00",
    "firm": "OURS1",
    "access_key_id": "<b>AK",
    "uuid": 2**63,
    "request_timestamp": START,
    "clock_skew": -1_500_000_000,
    "key_state": "valid",
    "canonical_text": f"{START}\n9\nA00\nOURS1",
    "diagnosis": "the secret key was used as text",
}
ORDER = NewOrderSingle(
    price=99 * 10**9,
    order_qty=5,
    security_id=810,
    side=1,
    seq_num=30,
    sender_id=b"TRADER1",
    cl_ord_id=b"ORDER-30",
    party_details_list_req_id=1,
    order_request_id=30,
    sending_time_epoch=START,
    location=b"US,NY",
    ord_type=ord("2"),
    time_in_force=0,
    manual_order_indicator=0,
    exec_inst=0,
).encode()


def note(portal: Portal, session: str, reason: str, level: Level = Level.ERROR) -> None:
    portal.running.traces.note(
        TraceEntry(session, START, "40-x-1", "192.0.2.1:7", 40, "primary", TraceKind.LOGIN, level, reason, 0, FACTS)
    )


@pytest.fixture
async def browser(portal: Portal) -> Browser:
    return await signed_in(portal)


async def test_the_live_page_shows_numbers_connections_logins_and_messages(portal: Portal, browser: Browser) -> None:
    portal.running.frames["A00"] = [LastFrames(40, (ORDER,), ())]
    note(portal, "A00", "the signature is wrong")
    page = (await browser.get("/sessions/A00/live")).text
    for shown in ("192.0.2.7:50312", "40-mjvq8xs0-7", "29 is missing", "from 40 on", "412", "refused above 500"):
        assert shown in page
    assert "2 bad logins within the last minute" in page
    assert "the signature is wrong" in page
    assert "buy 5 UB10 at 99-00" in page
    assert 'hx-get="/sessions/A00/live"' in page


async def test_a_session_that_never_logged_in_is_told_where_to(portal: Portal, browser: Browser) -> None:
    page = (await browser.get("/sessions/A01/live")).text
    assert "It never logged in" in page
    assert "127.0.0.1:9040" in page


async def test_a_login_is_shown_whole_with_the_text_that_was_signed(portal: Portal, browser: Browser) -> None:
    note(portal, "A00", "the signature is wrong")
    note(portal, "A01", "somebody else's")
    listed = (await browser.get("/sessions/A00/traces")).text
    assert "somebody else" not in listed
    (number,) = set(re.findall(r"/sessions/A00/traces/(\d+)", listed))
    page = (await browser.get(f"/sessions/A00/traces/{number}")).text
    for shown in ("The signature is wrong", "the secret key was used as text", "RequestTimestamp", f"{START}", "OURS1"):
        assert shown in page
    assert "-1.500000 s" in page
    assert "<b>AK" not in page
    for missing in (f"/sessions/A01/traces/{number}", "/sessions/A00/traces/0", f"/sessions/A00/traces/{2**70}"):
        assert (await browser.get(missing)).status_code in (404, 422), missing


async def test_entries_are_filtered_and_paged(portal: Portal, browser: Browser) -> None:
    for number in range(60):
        what, level = ("refused", Level.ERROR) if number % 2 else ("accepted", Level.INFO)
        note(portal, "A00", f"{what}-{number:02}", level)
    first = (await browser.get("/sessions/A00/traces")).text
    assert "accepted-10" in first
    assert "refused-09" not in first
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    assert "refused-09" in (await browser.get(older[1].replace("&amp;", "&"))).text
    refused = (await browser.get("/sessions/A00/traces?show=refused")).text
    assert "refused-01" in refused
    assert "accepted-" not in refused
    assert "Nothing like that" in (await browser.get("/sessions/A00/traces?connection=another")).text


async def test_messages_are_decoded_field_by_field(portal: Portal, browser: Browser) -> None:
    portal.running.frames["A00"] = [LastFrames(40, (ORDER, ORDER[:8] + b"\xff\xff" + ORDER[10:]), ())]
    page = (await browser.get("/sessions/A00/last-messages")).text
    assert "ORDER-30" in page
    assert "ClOrdID" in page
    assert "not decoded" in page


async def test_connections_end_only_with_the_right_word(portal: Portal, browser: Browser) -> None:
    answer = await browser.post("/sessions/A00/end", confirm="A01")
    assert answer.status_code == 422
    assert "Type A00 as it stands there." in answer.text
    assert portal.running.ended == []
    assert (await browser.post("/sessions/A00/end", confirm="A00", audit_reason="a runaway")).status_code == 303
    assert portal.running.ended == [("A00", "an administrator ended the session")]
    (entry, *_) = await portal.registry.audit_entries(SYSTEM)
    assert (entry.action, entry.subject) == ("session.ended", "session A00")
    assert "a runaway" in entry.details


async def test_the_operator_promotes_a_backup(portal: Portal, browser: Browser) -> None:
    assert (await browser.post("/sessions/A00/promote", segment="40", confirm="yes")).status_code == 422
    assert (await browser.post("/sessions/A00/promote", segment="40", confirm="promote")).status_code == 303
    assert portal.running.promoted == [40]


async def test_a_reader_sees_it_all_and_may_change_nothing(portal: Portal) -> None:
    await make_user(portal.registry, "reader@example.com", {1: Role.READ_ONLY})
    reader = await signed_in(portal, "reader@example.com")
    page = (await reader.get("/sessions/A00/live")).text
    assert "End its connections" not in page
    assert (await reader.post("/sessions/A00/end", confirm="A00")).status_code == 403
    assert (await reader.post("/sessions/A00/promote", segment="40", confirm="promote")).status_code == 403
    for path in ("live", "traces", "last-messages"):
        assert (await reader.get(f"/sessions/A01/{path}")).status_code == 404
