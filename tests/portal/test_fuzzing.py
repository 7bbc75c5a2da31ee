"""Schemathesis asks everything that the OpenAPI description allows and forbids: no 5xx, and answers as described."""

from collections.abc import Iterator
from typing import Any, cast

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from ontherun.portal import create_app
from ontherun.registry import Registry

# The description is the same for every registry and venue, so that it can be made without one.
schema = schemathesis.openapi.from_dict(create_app(cast("Registry", None), cast("Any", None)).openapi())


@pytest.fixture(scope="module")
def target(live_portal: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """The URL of a live portal, and headers with an operator's token, which still works when all is done."""
    headers = {"Authorization": f"Bearer {live_portal.token_file.read_text().strip()}"}
    yield live_portal.url, headers
    assert httpx2.get(f"{live_portal.url}/api/v1/status", headers=headers).status_code == 200
    verdict = httpx2.get(f"{live_portal.url}/api/v1/audit/verification", headers=headers).json()
    assert verdict["intact"]


BEYOND_A_SCHEMA = (
    "/session",
    "/request",
    "/drop-copy-groups",
    "/market-data-sessions",
    "/invitations",
    "/notices",
    "/messaging-controls",
    "/markets",
)
"""What is asked for here has days that must exist, networks, files, numbers beyond a double's, or fields that need each
other: no schema says which are right, or too long."""


def right_on_the_wire(case: schemathesis.Case) -> bool:
    """Whether what is wrong with a case is not sent: a token that our headers put back, or the type of a number in a
    query, which is text there."""
    parts = {} if case.meta is None else case.meta.components
    wrong = {place for place, part in parts.items() if part.mode.is_negative}
    token = ParameterLocation.HEADER not in wrong or "Authorization" not in (case.headers or {})
    number = ParameterLocation.QUERY not in wrong or any(_is_number(value) for value in (case.query or {}).values())
    return token and number and wrong <= {ParameterLocation.HEADER, ParameterLocation.QUERY}


def _is_number(value: object) -> bool:
    if isinstance(value, list):
        return len(value) == 1 and _is_number(value[0])
    return isinstance(value, int | float)


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described_and_none_is_a_5xx(
    case: schemathesis.Case, target: tuple[str, dict[str, str]]
) -> None:
    url, headers = target
    if case.path == "/api/v1/tokens/{token_id}" and str(case.path_parameters.get("token_id")) == "1":
        case.path_parameters["token_id"] = 10**9  # token 1 is the one that asks: revoking it would end the questions
    excluded = []
    if case.path.removeprefix("/api/v1").startswith(BEYOND_A_SCHEMA):
        excluded = [positive_data_acceptance, negative_data_rejection]
    elif right_on_the_wire(case):
        excluded = [negative_data_rejection]
    case.call_and_validate(base_url=url, headers=headers, excluded_checks=excluded)
