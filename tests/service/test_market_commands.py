"""What the operator does to a market of a running venue: by command and API, as the sessions see it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m

PRICE = 99 * 10**9


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path_factory.mktemp("market") / "data", "--no-fsync") as running:
        yield running


@pytest.fixture
def seller(venue: VenueProcess) -> Iterator[RawClient]:
    yield from logged_in(venue, 0)


@pytest.fixture
def buyer(venue: VenueProcess) -> Iterator[RawClient]:
    yield from logged_in(venue, 1)


def logged_in(venue: VenueProcess, number: int) -> Iterator[RawClient]:
    key = venue.key(number)
    with RawClient(venue.address, key) as client:
        client.log_in()
        yield client


def command(venue: VenueProcess, *words: str) -> tuple[int, str]:
    asked = [sys.executable, "-m", "ontherun", "market", *words, "--data", str(venue.data)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def tell(venue: VenueProcess, **command: object) -> httpx2.Response:
    """Tell market 40 to do something."""
    token = Path(venue.ready["token_file"]).read_text().strip()
    url = venue.ready["api_url"] + "/api/v1/markets/40/commands"
    with httpx2.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False) as api:
        return api.post(url, json=command)


def trade(venue: VenueProcess, seller: RawClient, buyer: RawClient) -> m.ExecutionReportTradeOutright:
    """One trade of 5; the report of the aggressor."""
    seller.order(venue.security_id("UB30"), 2, PRICE, 5, b"SELL")
    seller.expect(m.ExecutionReportNew)
    buyer.order(venue.security_id("UB30"), 1, PRICE, 5, b"BUY")
    buyer.expect(m.ExecutionReportNew)
    seller.expect(m.ExecutionReportTradeOutright)
    return buyer.expect(m.ExecutionReportTradeOutright)


def test_a_trade_is_corrected_and_then_cancelled(venue: VenueProcess, seller: RawClient, buyer: RawClient) -> None:
    report = trade(venue, seller, buyer)
    first = report.no_order_events[0].order_event_exec_id
    code, text = command(venue, "correct-trade", str(first), "99-01", "4")
    assert code == 0, text
    corrected = [client.expect(m.ExecutionReportTradeAddendumOutright) for client in (seller, buyer)]
    assert [c.side for c in corrected] == [2, 1]
    for addendum in corrected:
        (event,) = addendum.no_order_events
        assert (addendum.ord_status, addendum.exec_type, event.order_event_type) == (ord("G"), ord("G"), 101)
        assert (addendum.last_px, addendum.last_qty, event.original_order_event_exec_id) == (99_031_250_000, 4, first)
    second = corrected[0].no_order_events[0].order_event_exec_id
    assert {c.no_order_events[0].order_event_exec_id for c in corrected} == {second}
    assert corrected[1].exec_ref_id == report.exec_id
    assert corrected[1].orig_side_trade_id == report.side_trade_id
    assert corrected[1].orig_secondary_execution_id == report.sec_exec_id

    refused = tell(venue, do="cancel-trade", trade=first)
    assert (refused.status_code, "changed already" in refused.text) == (404, True)
    assert tell(venue, do="cancel-trade", trade=second).status_code == 200
    for client in (seller, buyer):
        gone = client.expect(m.ExecutionReportTradeAddendumOutright)
        assert (gone.ord_status, gone.last_qty, gone.no_order_events[0].order_event_type) == (ord("H"), 4, 100)
        assert gone.no_order_events[0].original_order_event_exec_id == second
    third = gone.no_order_events[0].order_event_exec_id
    assert tell(venue, do="cancel-trade", trade=third).status_code == 404


def test_an_order_is_cancelled_unasked_and_the_day_ends(venue: VenueProcess, seller: RawClient) -> None:
    orders = []
    for cl_ord_id, time_in_force in ((b"ONE", 0), (b"DAY", 0), (b"STAYS", 1)):
        seller.order(venue.security_id("UB30"), 2, PRICE, 1, cl_ord_id, time_in_force=time_in_force)
        orders.append(seller.expect(m.ExecutionReportNew).order_id)
    assert tell(venue, do="cancel-order", order_id=orders[0]).json()["reports"] == 1
    assert seller.expect(m.ExecutionReportCancel).exec_restatement_reason == 111
    assert tell(venue, do="end-day").json()["reports"] == 1
    assert seller.expect(m.ExecutionReportElimination).cl_ord_id == b"DAY"
    assert tell(venue, do="new-on-the-run", security_id=venue.security_id("UB30")).json()["reports"] == 1
    assert seller.expect(m.ExecutionReportElimination).cl_ord_id == b"STAYS"
    refused = tell(venue, do="cancel-order", order_id=orders[0])
    assert (refused.status_code, "working order" in refused.text) == (404, True)


def test_a_pause_is_a_pause_until_the_market_opens_again(venue: VenueProcess, seller: RawClient) -> None:
    code, text = command(venue, "state", "pause")
    assert code == 0, text
    code, text = command(venue, "list")
    assert (code, "pause" in text) == (0, True)
    seller.order(venue.security_id("UB30"), 2, PRICE, 1, b"LATE")
    assert seller.expect(m.ExecutionReportReject).ord_rej_reason == 1003
    assert tell(venue, do="set-state", state="open").status_code == 200
    seller.order(venue.security_id("UB30"), 2, PRICE, 1, b"NOW")
    seller.expect(m.ExecutionReportNew)


def test_the_audit_says_who_told_a_market_what(venue: VenueProcess) -> None:
    token = Path(venue.ready["token_file"]).read_text().strip()
    with httpx2.Client(
        base_url=venue.ready["api_url"] + "/api/v1", headers={"Authorization": f"Bearer {token}"}, trust_env=False
    ) as api:
        assert api.post("/markets/40/commands", json={"do": "set-state", "state": "pre-open"}).json()["market"] == {
            "segment": 40,
            "state": "pre-open",
            "trade_date": None,
            "next": None,
        }
        (entry, *_) = api.get("/audit?limit=1").json()["items"]
        assert (entry["action"], entry["subject"]) == ("market.command", "market segment 40")
        assert "pre-open" in str(entry["details"])
        assert api.post("/markets/40/commands", json={"do": "set-state", "state": "open"}).status_code == 200
        assert api.post("/markets/99/commands", json={"do": "end-day"}).status_code == 404
        refused = api.post(
            "/markets/40/commands", json={"do": "correct-trade", "trade": 1, "price": "99-99", "quantity": 1}
        )
        assert refused.status_code == 422
