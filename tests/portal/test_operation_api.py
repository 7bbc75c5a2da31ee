"""Health and measures as the portal answers them."""

import sqlite3

import pytest

from ontherun.registry import UnavailableError

from .conftest import Portal, check_problem


async def test_what_is_not_ready_says_why_and_stays_alive(portal: Portal) -> None:
    portal.running.wrong.append("the journal of market segment 40 cannot be written")
    answer = await portal.ask(None, "GET", "/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "reasons": portal.running.wrong}
    assert (await portal.ask(None, "GET", "/health/live")).status_code == 200


async def test_measures_are_for_the_venue(portal: Portal) -> None:
    check_problem(await portal.ask("admin", "GET", "/metrics"), 403, "forbidden")
    answer = await portal.ask("operator", "GET", "/metrics")
    assert 'ontherun_orders_working{segment="40"} 3.0' in answer.text
    assert 'ontherun_http_requests_total{method="GET",sort="operation",status="403"} 1.0' in answer.text


async def test_a_registry_that_cannot_be_written_is_found(portal: Portal) -> None:
    await portal.registry.check_writable()
    database = sqlite3.connect(portal.registry.data_dir / "registry.sqlite3", isolation_level=None)
    database.execute("ALTER TABLE api_token RENAME TO elsewhere")
    with pytest.raises(UnavailableError):
        await portal.registry.check_writable()
    database.execute("ALTER TABLE elsewhere RENAME TO api_token")
    database.close()
    await portal.registry.check_writable()
