"""Bad input is answered by a problem document that says where and what; never by a 5xx, never by an echo."""

from typing import Any

import pytest

from .conftest import Portal, check_problem

SESSION = {"firms": ["OURS1"], "market_segments": [40]}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "body.firms"),
        ({**SESSION, "firms": "OURS1"}, "body.firms"),
        ({**SESSION, "firms": ["ours1"]}, "body.firms[0]"),
        ({**SESSION, "firms": [1]}, "body.firms[0]"),
        ({**SESSION, "firms": []}, "body.firms"),
        ({**SESSION, "firms": ["OURS1"] * 101}, "body.firms"),
        ({**SESSION, "market_segments": ["40"]}, "body.market_segments[0]"),
        ({**SESSION, "market_segments": [40.5]}, "body.market_segments[0]"),
        ({**SESSION, "market_segments": [True]}, "body.market_segments[0]"),
        ({**SESSION, "market_segments": [2**63]}, "body.market_segments[0]"),
        ({**SESSION, "market_segments": [40, 40]}, "body.market_segments"),
        ({**SESSION, "cancel_on_disconnect": 1}, "body.cancel_on_disconnect"),
        ({**SESSION, "cancel_on_disconnect": "yes"}, "body.cancel_on_disconnect"),
        ({**SESSION, "label": "x" * 101}, "body.label"),
        ({**SESSION, "label": "a\x00b"}, "body.label"),
        ({**SESSION, "label": None}, "body.label"),
        ({**SESSION, "session_id": "AAA"}, "body.session_id"),
        ([], "body"),
        (None, "body"),
    ],
)
async def test_a_wrong_body_is_answered_with_the_place_and_what_would_be_right(
    portal: Portal, body: Any, where: str
) -> None:
    problem = check_problem(await portal.ask("admin", "POST", "/api/v1/sessions", json=body), 422, "invalid")
    assert where in [error["where"] for error in problem["errors"]]
    assert where in problem["detail"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"name": "\\ud800"}', b'{"name": NaN}', b"[" * 10_000])
async def test_what_is_no_json_is_refused(portal: Portal, content: bytes) -> None:
    answer = await portal.ask(
        "operator", "POST", "/api/v1/entities", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    check_problem(answer, answer.status_code, "invalid" if answer.status_code == 422 else "bad-request")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/entities/0",
        "/api/v1/entities/-1",
        "/api/v1/entities/9223372036854775808",
        f"/api/v1/entities/{'9' * 5000}",
        "/api/v1/entities/x",
        "/api/v1/sessions/a00",
        "/api/v1/sessions/A0",
        "/api/v1/sessions/A00%0A",
        "/api/v1/sessions/%00%00%00",
        "/api/v1/sessions/A00/keys/not%20a%20key",
        "/api/v1/firms/%F0%9F%92%A9",
        "/api/v1/audit?before=0",
        "/api/v1/audit?before=9223372036854775808",
        "/api/v1/audit?limit=1001",
        "/api/v1/sessions?after=nonsense",
        "/api/v1/sessions?limit=x",
        "/api/v1/sessions?limt=5",
        "/api/v1/entities/1?a=b",
        "/api/v1/sessions/A00/keys?deleted=perhaps",
    ],
)
async def test_ids_and_parameters_out_of_range_are_refused(portal: Portal, path: str) -> None:
    check_problem(await portal.ask("operator", "GET", path), 422, "invalid")


async def test_the_largest_id_is_simply_not_there(portal: Portal) -> None:
    check_problem(await portal.ask("operator", "GET", f"/api/v1/entities/{2**63 - 1}"), 404, "not-found")


async def test_unknown_paths_and_methods_are_problems_too(portal: Portal) -> None:
    check_problem(await portal.ask("admin", "GET", "/api/v1/nothing"), 404, "not-found")
    check_problem(await portal.ask("admin", "GET", "/api/v1/sessions/"), 404, "not-found")
    wrong = await portal.ask("admin", "PUT", "/api/v1/sessions")
    check_problem(wrong, 405, "method-not-allowed")
    assert wrong.headers["allow"]


async def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(portal: Portal) -> None:
    announced = await portal.ask(
        "operator", "POST", "/api/v1/entities", content=b" " * 65_537, headers={"Content-Type": "application/json"}
    )
    problem = check_problem(announced, 413, "request-entity-too-large")
    assert "at most 65536 bytes" in problem["detail"]

    async def pieces():  # type: ignore[no-untyped-def]
        for _ in range(70):
            yield b" " * 1024

    unannounced = await portal.ask(
        "operator", "POST", "/api/v1/entities", content=pieces(), headers={"Content-Type": "application/json"}
    )
    check_problem(unannounced, 413, "request-entity-too-large")
    assert (await portal.ask("operator", "GET", "/api/v1/entities")).status_code == 200


async def test_an_answer_never_repeats_what_a_body_held(portal: Portal) -> None:
    secret = "c2VjcmV0LXRoYXQtc29tZWJvZHktcGFzdGVk"
    for body in ({"name": [secret]}, {"name": "x", secret: 1}, {"name": secret * 10}, secret):
        answer = await portal.ask("operator", "POST", "/api/v1/entities", json=body)
        check_problem(answer, 422, "invalid")
        assert f'"{secret}"' not in answer.text


async def test_a_fault_of_our_own_is_logged_and_tells_the_caller_nothing_of_the_inside(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("inside knowledge")

    monkeypatch.setattr(portal.running, "connected", fail)
    answer = await portal.ask("admin", "GET", "/api/v1/status")
    problem = check_problem(answer, 500, "internal")
    assert "inside knowledge" not in str(problem)
    assert "inside knowledge" in caplog.text


@pytest.mark.parametrize("path", ["/api/v1/sessions", "/api/v1/keys", "/api/v1/keys/health"])
async def test_a_parameter_that_comes_twice_is_refused_not_half_ignored(portal: Portal, path: str) -> None:
    problem = check_problem(await portal.ask("reader", "GET", f"{path}?limit=1&limit=2"), 422, "invalid")
    assert problem["errors"] == [{"where": "query.limit", "message": "comes once at most"}]


async def test_a_parameter_that_is_a_list_may_come_more_than_once(portal: Portal) -> None:
    path = "/api/v1/requests?status=Submitted&status=Completed"
    assert (await portal.ask("reader", "GET", path)).status_code == 200
