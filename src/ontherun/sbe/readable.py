"""Messages as people read them: a dict or JSON by the standard's field names, with tags; and back, without loss.

    {"message": "NewOrderSingle", "template_id": 514, "schema_id": 8, "version": 9,
     "fields": {"Price": {"tag": 44, "value": "99.515625"}, "Side": {"tag": 54, "value": "Buy"}, ...}}

A null is None. Prices and decimals are text, so that nothing is rounded; enumerations are names (numbers when unknown),
sets lists of names, text is text, timestamps (to the nanosecond) and dates are ISO 8601 in UTC, raw bytes and variable
data are hexadecimal, groups are lists under "entries". Constants are shown as well.
"""

import json
from collections.abc import Mapping
from struct import error as StructError  # noqa: N812 - it is a class, spelled as one
from typing import Any

from ontherun.sbe.errors import EncodeError
from ontherun.sbe.layout import Set
from ontherun.sbe.message import Message, Structure
from ontherun.sbe.readable_value import plain, scalars

Document = dict[str, Any]


def to_dict(message: Message) -> Document:
    """Return the message as a dict of JSON's types, its fields in wire order."""
    fields = _plain_block(message)
    for group, _ in message.GROUPS:
        entries = [_plain_block(entry) for entry in getattr(message, group.attribute)]
        fields[group.name] = {"tag": group.tag, "entries": entries}
    for data in message.DATA:
        fields[data.name] = {"tag": data.tag, "value": getattr(message, data.attribute).hex()}
    return {
        "message": type(message).__name__,
        "template_id": message.TEMPLATE_ID,
        "schema_id": message.SCHEMA_ID,
        "version": message.VERSION,
        "fields": fields,
    }


def to_json(message: Message, indent: int | None = None) -> str:
    """Return `to_dict` as JSON text."""
    return json.dumps(to_dict(message), indent=indent)


def from_dict(document: Mapping[str, Any], by_template: Mapping[int, type[Message]]) -> Message:
    """Return the message that a dict as of `to_dict` describes; `by_template` are the classes of its schema.

    Only "message" and "fields" are needed, a field may be its value alone, and optional fields may be left out. Numbers
    of the wire are taken in place of names. Raises EncodeError when something is unknown, missing or does not fit.
    """
    name = document.get("message")
    message = next((kind for kind in by_template.values() if kind.__name__ == name), None)
    if message is None:
        raise EncodeError(f"unknown message {name!r}")
    fields = dict(_mapping(document.get("fields"), message.__name__))
    after: list[Any] = []
    groups = [(group, entry, fields.pop(group.name, [])) for group, entry in message.GROUPS]
    for group, entry, given in groups:
        entries = given.get("entries") if isinstance(given, Mapping) else given
        if not isinstance(entries, list):
            raise EncodeError(f"{group.name}: a list of entries is expected")
        where = f"{message.__name__}.{group.name}"
        after.append([_packed(entry, _block(entry, dict(_mapping(item, where)), where)) for item in entries])
    after += [_hexadecimal(data.name, _value(fields.pop(data.name, ""))) for data in message.DATA]
    frame = _packed(message, _block(message, fields, message.__name__) + after)
    return message.decode(frame)


def from_json(text: str, by_template: Mapping[int, type[Message]]) -> Message:
    """Return the message that JSON text describes: see `from_dict`."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise EncodeError(f"not JSON: {error}") from error
    return from_dict(_mapping(document, "the document"), by_template)


def _plain_block(block: Structure) -> Document:
    """Return the fields of a message's root or of an entry."""
    fields: Document = {}
    for field in block.FIELDS:
        value = plain(field, getattr(block, field.attribute)) if field.constant is None else field.constant
        fields[field.name] = {"tag": field.tag, "value": value}
    return fields


def _block(block: type[Structure], given: dict[str, Any], where: str) -> list[Any]:
    """Return the values in wire order of the fields that are given; `given` is used up."""
    values: list[Any] = []
    for field in block.FIELDS:
        absent = field.name not in given
        value = _value(given.pop(field.name, None))
        if field.constant is not None:
            if not absent and value != field.constant:
                raise EncodeError(f"{where}.{field.name}: it is always {field.constant!r}")
            continue
        if absent and not isinstance(field.type, Set) and not field.type.optional:
            raise EncodeError(f"{where}.{field.name}: it is required")
        values += scalars(field, 0 if absent and isinstance(field.type, Set) else value)
    if given:
        raise EncodeError(f"{where} has no {', '.join(map(repr, given))}")
    return values


def _packed(block: type[Structure], values: list[Any]) -> bytes:
    try:
        return block.pack(*values)
    except StructError as error:
        raise EncodeError(f"{block.__name__}: {error}") from error


def _value(given: Any) -> Any:
    """Return the value of {"tag": ..., "value": ...}, or what is given in its place."""
    return given["value"] if isinstance(given, Mapping) and "value" in given else given


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise EncodeError(f"{where}: fields by name are expected")
    return value


def _hexadecimal(name: str, text: Any) -> bytes:
    try:
        return bytes.fromhex(text or "")
    except (TypeError, ValueError) as error:
        raise EncodeError(f"{name}: {text!r} is not hexadecimal") from error
