"""Our schema says what the exchange's file says, and the generated classes say what our schema says."""

import struct
from pathlib import Path

import pytest

from ontherun.ilink import messages
from ontherun.sbe import generate
from ontherun.sbe.layout import Composite, Encoding, Enum, Field, Schema, Set, Type
from ontherun.sbe.message import Structure

GENERATED = Path(messages.__file__).parent


def wire(kind: Encoding) -> object:
    """What a type means on the wire: everything but the names that a schema gives to types and values."""
    if isinstance(kind, Enum):
        values = [(value.value, value.since) for value in kind.values]
        return "enum", kind.primitive, kind.optional, kind.null, sorted(values)
    if isinstance(kind, Set):
        return "set", kind.primitive, sorted((choice.value, choice.since) for choice in kind.choices)
    if isinstance(kind, Composite):
        return "composite", [(member.name, wire(member)) for member in kind.members]
    return "type", kind.primitive, kind.length, kind.optional, kind.null, kind.constant


def rows(fields: tuple[Field, ...]) -> list[object]:
    return [(f.name, f.attribute, f.tag, f.offset, f.type.size, f.since, wire(f.type)) for f in fields]


@pytest.mark.schema
def test_the_schema_is_the_same_version(ours: Schema, official: Schema) -> None:
    assert (ours.package, ours.id, ours.version) == (official.package, official.id, official.version)


@pytest.mark.schema
def test_every_template_is_there(ours: Schema, official: Schema) -> None:
    assert len(official.messages) == 56
    assert list(ours.messages) == list(official.messages)


@pytest.mark.schema
@pytest.mark.parametrize("template_id", list(messages.BY_TEMPLATE))
def test_every_message_has_the_official_layout(ours: Schema, official: Schema, template_id: int) -> None:
    mine, theirs = ours.messages[template_id], official.messages[template_id]
    assert (mine.name, mine.block_length, mine.msg_type, mine.since) == (
        theirs.name,
        theirs.block_length,
        theirs.msg_type,
        theirs.since,
    )
    assert rows(mine.fields) == rows(theirs.fields)
    assert [group._replace(fields=()) for group in mine.groups] == [g._replace(fields=()) for g in theirs.groups]
    assert [rows(group.fields) for group in mine.groups] == [rows(group.fields) for group in theirs.groups]
    assert mine.data == theirs.data


@pytest.mark.schema
def test_every_type_has_the_official_meaning(ours: Schema, official: Schema) -> None:
    renamed = {"OrderTypeReq": "OrdType", "OrderType": "OrdTypeNULL"}
    assert {name: wire(kind) for name, kind in ours.types.items()} == {
        renamed.get(name, name): wire(kind) for name, kind in official.types.items()
    }


@pytest.mark.schema
@pytest.mark.parametrize("template_id", list(messages.BY_TEMPLATE))
def test_every_field_is_encoded_at_its_official_offset(official: Schema, template_id: int) -> None:
    """Not through our own layout: the bytes are looked for where the exchange's file says they stand."""
    message = messages.BY_TEMPLATE[template_id]
    assert block_offsets(message) == {
        field.name: field.offset for field in official.messages[template_id].fields if field.constant is None
    }


def block_offsets(message: type[messages.Message]) -> dict[str, int]:
    """Find each field's offset by changing it alone in a packed frame."""
    scalars = [(f.name, code) for f in message.FIELDS if f.constant is None for code in codes(f.type)]
    tail: list[object] = [[] for _ in message.GROUPS] + [b"" for _ in message.DATA]
    zero: list[object] = [b"" if code.endswith("s") else 0 for _, code in scalars]
    plain = message.pack(*zero, *tail)
    offsets: dict[str, int] = {}
    for index, (name, code) in enumerate(scalars):
        full: object = b"\xff" * struct.calcsize(code) if code.endswith("s") else -1 if code.islower() else None
        if full is None:
            full = (1 << 8 * struct.calcsize(f"<{code}")) - 1
        changed = message.pack(*zero[:index], full, *zero[index + 1 :], *tail)
        different = [at for at, (a, b) in enumerate(zip(plain, changed, strict=True)) if a != b]
        assert len(different) == struct.calcsize(f"<{code}")
        offsets.setdefault(name, different[0] - 12)
    return offsets


def codes(kind: Encoding) -> list[str]:
    return [member.code for member in kind.carried] if isinstance(kind, Composite) else [kind.code]


def test_the_generated_classes_hold_the_schema(ours: Schema) -> None:
    for template_id, layout in ours.messages.items():
        message = messages.BY_TEMPLATE[template_id]
        assert message.__name__ == layout.name
        assert (template_id, ours.id, ours.version) == (message.TEMPLATE_ID, message.SCHEMA_ID, message.VERSION)
        assert (layout.block_length, layout.msg_type) == (message.BLOCK_LENGTH, message.MSG_TYPE)
        assert (layout.fields, layout.data, layout.since) == (message.FIELDS, message.DATA, message.SINCE)
        assert [group._replace(fields=entry.FIELDS) for group, entry in message.GROUPS] == list(layout.groups)


def test_constants_are_attributes_of_the_class() -> None:
    assert messages.ExecutionReportNew.ORD_STATUS == "0"
    assert messages.Negotiate.HMAC_VERSION == "CME-1-SHA-256"
    assert messages.QuoteCancelBySet.QUOTE_CANCEL_TYPE == 100


def test_the_generated_package_is_what_the_schema_generates(ours: Schema) -> None:
    """Run `python -m ontherun.sbe src/ontherun/ilink/schema/ilink.xml src/ontherun/ilink/messages` when this fails."""
    written = {path.name: path.read_text(encoding="utf-8") for path in GENERATED.glob("*.py")}
    assert written == generate(ours)


def test_a_class_knows_no_attribute_beyond_its_fields() -> None:
    every: list[type[Structure]] = [*messages.BY_TEMPLATE.values()]
    every += [entry for message in messages.BY_TEMPLATE.values() for _, entry in message.GROUPS]
    for structure in every:
        assert not hasattr(structure.__new__(structure), "__dict__")


def test_types_are_shared_not_repeated(ours: Schema) -> None:
    assert isinstance(ours.types["uInt8NULL"], Type)
    assert messages.Sequence.FIELDS[0].type is messages.Terminate.FIELDS[1].type
