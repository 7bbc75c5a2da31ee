"""The page that describes the REST API."""

from typing import Any

from ontherun.portal.pages.api_description import subjects

from .conftest import Portal


async def test_every_operation_of_the_api_is_on_the_page(portal: Portal) -> None:
    text = (await portal.ask(None, "GET", "/api")).text
    for path, methods in portal.app.openapi()["paths"].items():
        assert f"<code>{path}</code>" in text
        for described in methods.values():
            assert f'id="{described["operationId"].replace("_", "-")}"' in text


async def test_an_operation_shows_its_fields_its_bounds_and_a_body_that_the_api_takes(portal: Portal) -> None:
    operations = {
        (operation.method, operation.path): operation
        for subject in subjects(portal.app.openapi())
        for operation in subject.operations
    }
    generating = operations["GET", "/api/v1/sessions"]
    limit = next(field for field in generating.parameters if field.name == "limit")
    assert (limit.kind, limit.required, limit.about) == ("integer", False, "1 to 1000. default 100")
    assert "items[].session_id" in [field.name for field in generating.results[0].fields]
    assert {answer.status for answer in generating.problems} >= {"401", "422"}
    creating = operations["POST", "/api/v1/entities"]
    assert creating.example is not None
    answer = await portal.ask(
        "operator", "POST", "/api/v1/entities", content=creating.example, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 201, answer.text


def test_a_schema_in_a_schema_is_shown_flat() -> None:
    inner: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string", "enum": ["x", "y"]}}}
    openapi = {
        "components": {"schemas": {"Inner": inner}},
        "paths": {
            "/p": {
                "put": {
                    "operationId": "put_p",
                    "requestBody": {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["many"],
                                    "properties": {
                                        "many": {"type": "array", "items": {"$ref": "#/components/schemas/Inner"}},
                                        "one": {"anyOf": [{"$ref": "#/components/schemas/Inner"}, {"type": "null"}]},
                                    },
                                }
                            }
                        }
                    },
                    "responses": {},
                }
            }
        },
    }
    (subject,) = subjects(openapi)
    (operation,) = subject.operations
    assert [(field.name, field.kind, field.required) for field in operation.body] == [
        ("many", "list of object", True),
        ("many[].a", "string", False),
        ("one", "object or null", False),
        ("one.a", "string", False),
    ]
    assert operation.example == '{\n  "many": [\n    {\n      "a": "x"\n    }\n  ]\n}'
