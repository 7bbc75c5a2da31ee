"""Who may do what, walked over the whole route table: a new route is covered the day it is written."""

from typing import Any

import pytest
from tests.support.people import make_user

from ontherun.registry import SYSTEM, DeliveryEvent, Role, SendResult

from .conftest import Portal, check_problem, done_so_far

PUBLIC = {("GET", "/health/live"), ("GET", "/health/ready")}
OUR_PAIR = {"session_id": "A00", "access_key_id": "ours"}  # `path_to_ours` fills it in
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/api/v1/entities"): {"name": "New"},
    ("POST", "/api/v1/firms"): {"entity_id": 1, "gfid": "OURS9", "name": "New"},
    ("POST", "/api/v1/sessions"): {"firms": ["OURS1"], "market_segments": [40]},
    ("POST", "/api/v1/sessions/{session_id}/party-details"): {"firm": "OURS1", "party_details_list_req_id": 8},
    ("POST", "/api/v1/tokens"): {"name": "new", "scopes": "read-only", "entity_id": 1},
    ("POST", "/api/v1/sign-in-links"): {},
    ("POST", "/api/v1/users/{user_id}/roles"): {"entity_id": 1, "role": "read-only"},
    ("PUT", "/api/v1/users/{user_id}/registered-administrator"): {"entity_id": 1, "marked": True},
    ("POST", "/api/v1/invitations"): {"email": "new@example.com", "entity_id": 1, "roles": ["auditor"]},
    ("POST", "/api/v1/leavers"): {"email": "leaver@example.com"},
    ("PUT", "/api/v1/lab/clock"): {"reset": True},
    ("PUT", "/api/v1/messaging-controls"): {"common": {"reject": 1, "logout": 2}},
    ("POST", "/api/v1/markets/{segment}/commands"): {"do": "end-day"},
    ("POST", "/api/v1/master-key/rotations"): {},
    ("POST", "/api/v1/sessions/{session_id}/keys/{access_key_id}/cut-over"): {"at": "2026-02-01T00:00:00Z"},
    ("POST", "/api/v1/sessions/{session_id}/keys/{access_key_id}/sealed-download"): {
        "public_key": "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEA3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=\n"
        "-----END PUBLIC KEY-----"
    },
    ("POST", "/api/v1/sessions/{session_id}/key-revocation"): {"reason": "lost"},
    ("POST", "/api/v1/firms/{gfid}/key-revocation"): {"reason": "lost"},
    ("POST", "/api/v1/keys/bulk-generation"): {"session_ids": ["A00"]},
    ("POST", "/api/v1/keys/bulk-deletion"): {"pairs": [OUR_PAIR]},
    ("POST", "/api/v1/keys/bulk-download"): {"pairs": [OUR_PAIR]},
    ("PATCH", "/api/v1/policies"): {"four_eyes": True},
    ("PATCH", "/api/v1/firms/{gfid}"): {"name": "Another name"},
    ("PATCH", "/api/v1/sessions/{session_id}/keys/{access_key_id}"): {"label": "algo 7"},
    ("PUT", "/api/v1/entities/{entity_id}/session-allowance"): {"allowance": 5},
    ("POST", "/api/v1/sessions/{session_id}/key-test"): {"frame": "00"},
    ("PATCH", "/api/v1/sessions/{session_id}"): {"label": "New"},
    ("POST", "/api/v1/sessions/{session_id}/clone"): {},
    ("PUT", "/api/v1/sessions/{session_id}/protocol"): {"protocol": "FIX"},
    ("POST", "/api/v1/requests"): {"kind": "create-sessions", "firms": ["OURS1"], "market_segments": [40]},
    ("POST", "/api/v1/request-preview"): {"kind": "register-firm", "entity_id": 1, "gfid": "OURS8", "name": "New"},
    ("PUT", "/api/v1/requests/{request_id}"): {
        "kind": "create-sessions",
        "firms": ["OURS1"],
        "market_segments": [40],
        "label": "amended",
    },
    ("POST", "/api/v1/requests/{request_id}/approve"): {},
    ("POST", "/api/v1/requests/{request_id}/reject"): {"reason": "no"},
    ("POST", "/api/v1/requests/{request_id}/cancel"): {"reason": "no"},
    ("POST", "/api/v1/drop-copy-groups"): {
        "name": "New",
        "firm": "OURS1",
        "market": "US",
        "sources": ["A00"],
        "messages": ["acks"],
    },
    ("PATCH", "/api/v1/drop-copy-groups/{group_id}"): {"name": "Other"},
    ("POST", "/api/v1/market-data-sessions"): {"firm": "OURS1", "market": "US", "products": ["us-repo"]},
    ("PATCH", "/api/v1/market-data-sessions/{session_id}"): {"label": "New"},
    ("POST", "/api/v1/notices/addresses"): {"entity_id": 1, "address": "new@ours.example"},
    ("POST", "/api/v1/notices/webhooks"): {"entity_id": 1, "url": "https://ours.example/hook"},
}
FOR_READERS = {("POST", "/api/v1/mark-messages-read"), ("POST", "/api/v1/messages/{message_id}/read")}
"""A reader's own marks."""

# Reading a secret, the venue's own audit check, and everything that changes something.
NOT_FOR_READERS = {
    ("GET", "/api/v1/sessions/{session_id}/keys/{access_key_id}/download"),
    ("GET", "/api/v1/audit"),
    ("GET", "/api/v1/audit/export"),
}
NOT_FOR_ENTITIES = {
    ("GET", "/metrics"),
    ("GET", "/api/v1/audit/verification"),
    ("POST", "/api/v1/entities"),
    ("POST", "/api/v1/sessions/{session_id}/open-port"),
    ("POST", "/api/v1/sign-in-links"),
    ("POST", "/api/v1/gateways/{segment}/promote"),
    ("PUT", "/api/v1/lab/clock"),
    ("POST", "/api/v1/week"),
    ("POST", "/api/v1/markets/{segment}/commands"),
    ("PUT", "/api/v1/messaging-controls"),
    ("GET", "/api/v1/master-key"),
    ("POST", "/api/v1/master-key/rotations"),
    ("PATCH", "/api/v1/policies"),
    ("PUT", "/api/v1/entities/{entity_id}/session-allowance"),
}


def routes(portal: Portal) -> list[tuple[str, str]]:
    """Return (method, path) of everything that the API describes."""
    description = portal.app.openapi()
    return [
        (method.upper(), path)
        for path, operations in description["paths"].items()
        for method in operations
        if (method.upper(), path) not in PUBLIC
    ]


CSV = {
    "content": b"firms,market_segments\nOURS1,40\n",
    "headers": {"Content-Type": "text/csv"},
}


def body_of(method: str, path: str) -> dict[str, Any]:
    """Return what is sent along with a request."""
    return dict(CSV) if "session-import" in path else {"json": BODIES.get((method, path))}


async def waiting_request(portal: Portal) -> int:
    """Return a request of the first entity that waits for somebody else's approval."""
    for request in (await portal.ask("operator", "GET", "/api/v1/requests?status=Pending%20Approval")).json()["items"]:
        return int(request["request_id"])
    await portal.registry.policies.set(SYSTEM, four_eyes=True)
    body = {"firms": ["OURS1"], "market_segments": [40]}
    request = (await portal.ask("operator", "POST", "/api/v1/sessions", json=body)).json()
    await portal.registry.policies.set(SYSTEM, four_eyes=False)
    return int(request["request_id"])


async def group_of_ours(portal: Portal) -> dict[str, Any]:
    """Return a Drop Copy group of the first entity."""
    groups = (await portal.ask("operator", "GET", "/api/v1/drop-copy-groups")).json()["items"]
    if not groups:
        (await portal.ask("operator", "POST", "/api/v1/drop-copy-groups", json=GROUP)).raise_for_status()
        groups = (await portal.ask("operator", "GET", "/api/v1/drop-copy-groups")).json()["items"]
    return dict(groups[0])


async def market_data_of_ours(portal: Portal) -> str:
    """Return a Market Data session of the first entity."""
    path = "/api/v1/market-data-sessions"
    sessions = (await portal.ask("operator", "GET", path)).json()["items"]
    if not sessions:
        (await portal.ask("operator", "POST", path, json=BODIES["POST", path])).raise_for_status()
        sessions = (await portal.ask("operator", "GET", path)).json()["items"]
    return str(sessions[0]["session_id"])


GROUP = {"name": "Ours only", "firm": "OURS1", "market": "US", "sources": ["A00"], "messages": ["acks"]}


async def path_to_ours(portal: Portal, path: str) -> str:
    """Fill a path with things that belong to the first entity."""
    names = {
        "session_id": "A00",
        "gfid": "OURS1",
        "entity_id": 1,
        "token_id": 3,
        "access_key_id": "",
        "primary": "THEI1",
        "segment": 40,
    }
    if path == "/api/v1/firms/{gfid}":
        names["gfid"] = "OURS3"  # which no session carries: it can be withdrawn
        if not portal.registry.directory.gfid_taken("OURS3"):
            await portal.registry.firms.create(SYSTEM, 1, "OURS3", "Ours, unused")
    if "{request_id}" in path:
        names["request_id"] = await waiting_request(portal)
    if "{group_id}" in path:
        names["group_id"] = (await group_of_ours(portal))["group_id"]
    if path.startswith("/api/v1/market-data"):
        names["session_id"] = await market_data_of_ours(portal)
    if any(part in path for part in ("{access_key_id}", "bulk-", "revocation")):
        (pair, *_) = (await portal.ask("operator", "GET", "/api/v1/sessions/A00/keys")).json()["items"] or [None]
        if pair is None:
            pair = (await portal.ask("operator", "POST", "/api/v1/sessions/A00/keys")).json()
        names["access_key_id"] = OUR_PAIR["access_key_id"] = pair["access_key_id"]
    if "{role}" in path or "{user_id}" in path or "invitation" in path or "leavers" in path:
        names |= await of_people(portal)
    return path.format(**names, **await of_notices(portal))


async def of_people(portal: Portal) -> dict[str, object]:
    """A user with two roles, one who is about to leave, and an open invitation, all of the first entity."""
    registry = portal.registry
    for email in ("ours@example.com", "leaver@example.com"):
        if registry.directory.people.user_of_email(email) is None:
            await make_user(registry, email, {1: Role.AUDITOR})
    user = registry.directory.people.user_of_email("ours@example.com")
    assert user is not None
    now = registry.clock.now()
    if not registry.invitations.of("invited@example.com", now):
        await registry.invitations.invite(SYSTEM, "invited@example.com", 1, [Role.AUDITOR])
    (invitation,) = registry.invitations.of("invited@example.com", now)
    return {"user_id": user.user_id, "role": "auditor", "invitation_id": invitation.invitation_id}


async def of_notices(portal: Portal) -> dict[str, object]:
    """An address, a webhook, a message and a delivery that could be sent again, of the first entity."""
    notices, names = portal.registry.notices, dict[str, object]()
    if not notices.webhooks.list(SYSTEM):
        await notices.addresses.add(SYSTEM, 1, "team@ours.example")
        await notices.webhooks.add(SYSTEM, 1, "https://ours.example/")
        await portal.registry.sessions.create(SYSTEM, ["OURS1"], [40])
        notice, delivery = (await notices.deliveries.page(SYSTEM, limit=1))[0]
        assert await notices.deliveries.claim(delivery, "")
        await notices.deliveries.settle(delivery, SendResult(DeliveryEvent.GIVE_UP, "no"))
        portal.of_notices = {"delivery_id": delivery.delivery_id, "message_id": notice.notice_id}
    names |= {"webhook_id": 1, "address": "team@ours.example", **portal.of_notices}
    return names


async def test_nothing_but_the_health_and_the_start_page_is_shown_to_nobody(portal: Portal) -> None:
    found = routes(portal)
    assert len(found) >= 20
    for method, path in found:
        target = await path_to_ours(portal, path)
        nobody = await portal.ask(None, method, target, **body_of(method, path))
        check_problem(nobody, 401, "unauthorized")
        assert nobody.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer nonsense", "Basic YTpi", "bearer otr_", "Bearer \xe9"])
async def test_a_bad_token_is_as_good_as_none(portal: Portal, header: str) -> None:
    answer = await portal.ask(None, "GET", "/api/v1/sessions", headers={"Authorization": header.encode("latin-1")})
    check_problem(answer, 401, "unauthorized")


async def test_a_read_only_token_reads_everything_of_its_entity_but_no_secret_and_changes_nothing(
    portal: Portal,
) -> None:
    await path_to_ours(portal, "{access_key_id}{request_id}{group_id}{user_id}")
    await path_to_ours(portal, "/api/v1/firms/{gfid}")
    await market_data_of_ours(portal)
    before = await done_so_far(portal)
    for method, path in routes(portal):
        target = await path_to_ours(portal, path)
        answer = await portal.ask("reader", method, target, **body_of(method, path))
        if (method, path) in FOR_READERS:
            assert answer.status_code == 204
        elif method != "GET" or (method, path) in NOT_FOR_READERS | NOT_FOR_ENTITIES:
            check_problem(answer, 403, "forbidden")
        else:
            assert answer.status_code == 200, (path, answer.text)
    assert await done_so_far(portal) == before


async def test_things_of_another_entity_do_not_exist(portal: Portal) -> None:
    await path_to_ours(portal, "{access_key_id}{request_id}{group_id}{user_id}")
    await path_to_ours(portal, "/api/v1/firms/{gfid}")
    await market_data_of_ours(portal)
    before = await done_so_far(portal)
    walked = 0
    for method, path in routes(portal):
        if "{" not in path or "{segment}" in path:  # a gateway belongs to the venue
            continue
        walked += 1
        target = await path_to_ours(portal, path)
        answer = await portal.ask("stranger", method, target, **body_of(method, path))
        check_problem(answer, 404, "not-found")
    assert walked >= 10
    assert await done_so_far(portal) == before


async def test_lists_show_nothing_of_another_entity(portal: Portal) -> None:
    await path_to_ours(portal, "{access_key_id}{request_id}{group_id}")
    await market_data_of_ours(portal)
    for method, path in routes(portal):
        if method == "GET" and "{" not in path and (method, path) not in NOT_FOR_ENTITIES:
            answer = await portal.ask("stranger", method, path)
            assert answer.status_code == 200
            for ours in ("OURS1", '"A00"', "Ours", "reader"):
                assert ours not in answer.text, path


async def test_what_a_body_names_of_another_entity_does_not_exist_either(portal: Portal) -> None:
    for (method, path), body in BODIES.items():
        if (method, path) in NOT_FOR_ENTITIES or "{" in path:
            continue
        check_problem(await portal.ask("stranger", method, path, json=body), 404, "not-found")


async def test_an_admin_may_do_all_of_it_within_the_entity(portal: Portal) -> None:
    # The session and everything that hangs off it go last.
    deletes_last = sorted(
        routes(portal), key=lambda route: (route[0] == "DELETE", route[1] == "/api/v1/sessions/{session_id}")
    )
    for method, path in deletes_last:
        target = await path_to_ours(portal, path)
        if path.endswith("/cut-over"):  # it takes a second pair
            await portal.ask("admin", "POST", "/api/v1/sessions/A00/keys")
        answer = await portal.ask("admin", method, target, **body_of(method, path))
        if (method, path) in NOT_FOR_ENTITIES:
            check_problem(answer, 403, "forbidden")
        else:
            assert answer.is_success, (method, path, answer.text)
