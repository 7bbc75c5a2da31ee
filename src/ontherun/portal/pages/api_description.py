"""The OpenAPI description of the REST API, made ready to be read: operations by subject, with flat lists of fields."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

_DEEPEST = 4
"""How many objects within objects are shown; no body of the API is deeper."""


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of a body. `name` of a field within another: "errors[].where"."""

    name: str
    kind: str
    required: bool
    about: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One sort of answer: its status, what it means, and its fields."""

    status: str
    about: str
    media_type: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the API can do. `example`: a body as JSON text, or None where nothing is sent."""

    name: str
    method: str
    path: str
    summary: str
    about: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    example: str | None
    answers: tuple[Answer, ...]

    @property
    def problems(self) -> tuple[Answer, ...]:
        """The answers that are problem documents."""
        return tuple(answer for answer in self.answers if answer.media_type == "application/problem+json")

    @property
    def results(self) -> tuple[Answer, ...]:
        """The answers of success."""
        return tuple(answer for answer in self.answers if answer.media_type != "application/problem+json")


@dataclass(frozen=True, slots=True)
class Subject:
    """The operations that belong together."""

    name: str
    operations: tuple[Operation, ...]


def subjects(openapi: Schema) -> list[Subject]:
    """Return the operations of an OpenAPI 3.1 description by their last tag, in the order of the description."""
    found: dict[str, list[Operation]] = {}
    for path, methods in openapi["paths"].items():
        for method, described in methods.items():
            tag = described.get("tags", ["venue"])[-1]
            found.setdefault(tag, []).append(_operation(openapi, path, method.upper(), described))
    return [Subject(name[:1].upper() + name[1:], tuple(operations)) for name, operations in found.items()]


def _operation(openapi: Schema, path: str, method: str, described: Schema) -> Operation:
    contents: Mapping[str, Schema] = described.get("requestBody", {}).get("content", {})
    body = next((content["schema"] for content in contents.values()), None)
    about = described.get("description", "")
    summary = described.get("summary", about)
    return Operation(
        described["operationId"].replace("_", "-"),
        method,
        path,
        summary,
        "" if about.rstrip(".").casefold() in summary.casefold() else about,
        tuple(
            Field(
                f"{parameter['name']}" + (" (header)" if parameter["in"] == "header" else ""),
                _kind(openapi, parameter["schema"]),
                parameter.get("required", False),
                _about(openapi, {**parameter["schema"], **parameter}),
            )
            for parameter in described.get("parameters", ())
        ),
        () if body is None else tuple(_fields(openapi, body)),
        None if body is None else json.dumps(_example(openapi, body), indent=2),
        tuple(_answer(openapi, status, answer) for status, answer in described["responses"].items()),
    )


def _answer(openapi: Schema, status: str, described: Schema) -> Answer:
    contents: Mapping[str, Schema] = described.get("content", {})
    media_type = next(iter(contents), "")
    content = contents.get(media_type, {})
    problem = media_type == "application/problem+json"
    about = described.get("description", "")
    fields = () if problem or "schema" not in content else tuple(_fields(openapi, content["schema"]))
    return Answer(status, "" if about == "Successful Response" else about, media_type, fields)


def _resolved(openapi: Schema, schema: Schema) -> Schema:
    """Follow references, and take the schema of a value that may be null for the value's own."""
    while True:
        if "$ref" in schema:
            schema = openapi["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        elif len(present := _choices(schema)) == 1:
            schema = {**present[0], **{name: schema[name] for name in ("description", "default") if name in schema}}
        else:
            return schema


def _choices(schema: Schema) -> list[Schema]:
    return [choice for choice in schema.get("anyOf", schema.get("oneOf", ())) if choice.get("type") != "null"]


def _fields(openapi: Schema, schema: Schema, prefix: str = "", depth: int = 0) -> Iterator[Field]:
    schema = _resolved(openapi, schema)
    if schema.get("type") == "array":
        schema, prefix = _resolved(openapi, schema["items"]), f"{prefix}[]" if prefix else ""
    required = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        path = f"{prefix}.{name}" if prefix else name
        yield Field(path, _kind(openapi, part), name in required, _about(openapi, part))
        if depth < _DEEPEST:
            yield from _fields(openapi, part, path, depth + 1)


def _kind(openapi: Schema, schema: Schema) -> str:
    nullable = any(choice.get("type") == "null" for choice in schema.get("anyOf", ()))
    schema = _resolved(openapi, schema)
    kind = str(schema.get("type", " or ".join(_kind(openapi, choice) for choice in _choices(schema)) or "any"))
    if kind == "array":
        kind = f"list of {_kind(openapi, schema['items'])}"
    return f"{kind} or null" if nullable else kind


def _about(openapi: Schema, schema: Schema) -> str:
    own = schema.get("description", "")
    schema = _resolved(openapi, schema)
    said = [own or schema.get("description", "")]
    if choices := schema.get("enum"):
        said.append("One of: " + ", ".join(map(str, choices)))
    if "minimum" in schema and "maximum" in schema:
        said.append(f"{schema['minimum']:.0f} to {schema['maximum']:.0f}")
    if "maxLength" in schema:
        said.append(f"at most {schema['maxLength']} characters")
    if schema.get("default") not in (None, "", [], {}):
        said.append(f"default {json.dumps(schema['default'])}")
    return ". ".join(part.rstrip(".") for part in said if part)


def _example(openapi: Schema, schema: Schema, name: str = "") -> object:
    schema = _resolved(openapi, schema)
    if schema.get("examples"):
        return schema["examples"][0]
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            required = schema.get("required", ())
            parts = schema.get("properties", {})
            shown = {key: part for key, part in parts.items() if key in required} or dict(list(parts.items())[:2])
            return {key: _example(openapi, part, key) for key, part in shown.items()}
        case "array":
            return [_example(openapi, schema["items"], name)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
    return name.upper() or "TEXT"
