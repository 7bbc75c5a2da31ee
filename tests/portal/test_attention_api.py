"""What needs attention, by API."""

from .conftest import Portal


async def test_what_needs_attention_is_listed_in_pages(portal: Portal) -> None:
    portal.running.closed.add("A00")
    first = (await portal.ask("operator", "GET", "/api/v1/attention", params={"limit": 2})).json()
    assert [(need["kind"], need["subject"], need["at"]) for need in first["items"]] == [
        ("port-closed", "A00", None),
        ("no-valid-key", "A00", None),
    ]
    rest = (await portal.ask("operator", "GET", "/api/v1/attention", params={"after": first["next"]})).json()
    assert [(need["kind"], need["subject"]) for need in rest["items"]] == [("no-valid-key", "A01")]
    assert rest["next"] is None
