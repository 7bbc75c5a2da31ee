"""Reads a standard SBE message schema (FIX Simple Binary Encoding 1.0, XML) into a `Schema`."""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping

from ontherun.sbe.errors import SchemaError
from ontherun.sbe.layout import (
    PRIMITIVES,
    Composite,
    Data,
    Encoding,
    Enum,
    Field,
    Group,
    MessageLayout,
    Schema,
    Set,
    Type,
    Value,
    snake_case,
)


def load_schema(xml_text: str) -> Schema:
    """Return the schema that the XML text describes.

    Supported: types, constants, enums, sets, composites of plain types, groups of plain fields, variable data, offsets
    and `sinceVersion`, under any namespace prefix. Raises SchemaError on anything else and on layouts that overlap.
    """
    try:
        root = ET.fromstring(xml_text)  # noqa: S314 - whoever runs the generator chose the file; no peer sends it
    except ET.ParseError as error:
        raise SchemaError(f"not XML: {error}") from error
    if _local(root) != "messageSchema":
        raise SchemaError(f"the root element is {_local(root)}, not messageSchema")
    if root.get("byteOrder", "littleEndian") != "littleEndian":
        raise SchemaError("only little-endian schemas are supported")
    types: dict[str, Encoding] = {name: Type(name, name, null=primitive.null) for name, primitive in PRIMITIVES.items()}
    for element in root:
        if _local(element) == "types":
            _load_types(element, types)
    declared = {name: encoding for name, encoding in types.items() if name not in PRIMITIVES}
    messages = [_message(element, types) for element in root if _local(element) == "message"]
    by_id = {message.template_id: message for message in messages}
    if len(by_id) != len(messages) or len({message.name for message in messages}) != len(messages):
        raise SchemaError("two messages have the same id or name")
    return Schema(root.get("package", ""), _int(root, "id"), _int(root, "version"), declared, by_id)


def _load_types(parent: ET.Element, types: dict[str, Encoding]) -> None:
    """Add every type, then those that name others: a schema may order them freely."""
    readers: Mapping[str, Callable[[ET.Element, Mapping[str, Encoding]], Encoding]] = {
        "type": _type,
        "composite": _composite,
        "enum": _enum,
        "set": _set,
    }
    for kind, read in readers.items():
        for element in parent:
            if _local(element) == kind:
                types[_name(element)] = read(element, types)
    for element in parent:
        if _local(element) not in readers:
            raise SchemaError(f"unknown kind of type: {_local(element)}")


def _type(element: ET.Element, _: Mapping[str, Encoding]) -> Type:
    name, primitive = _name(element), element.get("primitiveType", "")
    if primitive not in PRIMITIVES:
        raise SchemaError(f"type {name}: unknown primitive type {primitive!r}")
    length = _int(element, "length", 1)
    if length != 1 and primitive != "char":
        raise SchemaError(f"type {name}: arrays of {primitive} are not supported")
    null = _int(element, "nullValue", PRIMITIVES[primitive].null)
    if element.get("presence") == "constant":
        text = (element.text or "").strip()
        return Type(name, primitive, length, False, null, text if primitive == "char" else _number(name, text))
    return Type(name, primitive, length, element.get("presence") == "optional", null)


def _composite(element: ET.Element, types: Mapping[str, Encoding]) -> Composite:
    for child in element:
        if _local(child) != "type":
            raise SchemaError(f"composite {_name(element)}: {_local(child)} is not supported in it")
    return Composite(_name(element), tuple(_type(child, types) for child in element))


def _enum(element: ET.Element, types: Mapping[str, Encoding]) -> Enum:
    name, encoding = _name(element), _base(element, types)
    values = []
    for child in element:
        text = (child.text or "").strip()
        code = ord(text) if encoding.primitive == "char" and len(text) == 1 else _number(name, text)
        values.append(Value(_name(child), code, _int(child, "sinceVersion", 0)))
    return Enum(name, encoding.primitive, encoding.optional, encoding.null, tuple(values))


def _set(element: ET.Element, types: Mapping[str, Encoding]) -> Set:
    name, encoding = _name(element), _base(element, types)
    choices = [
        Value(_name(child), _number(name, (child.text or "").strip()), _int(child, "sinceVersion", 0))
        for child in element
    ]
    return Set(name, encoding.primitive, tuple(choices))


def _base(element: ET.Element, types: Mapping[str, Encoding]) -> Type:
    base = types.get(element.get("encodingType", ""))
    if not isinstance(base, Type) or base.is_text or base.constant is not None:
        raise SchemaError(f"{_name(element)}: its encoding type {element.get('encodingType')!r} is not one number")
    return base


def _message(element: ET.Element, types: Mapping[str, Encoding]) -> MessageLayout:
    template_id = _int(element, "id")
    name = _name(element).removesuffix(str(template_id))
    fields, block_length = _block(element, types, name)
    groups = tuple(_group(child, types, name) for child in element if _local(child) == "group")
    data = tuple(_data(child, types) for child in element if _local(child) == "data")
    _distinct([part.attribute for parts in (fields, groups, data) for part in parts], name)
    return MessageLayout(
        name,
        template_id,
        block_length,
        element.get("semanticType", ""),
        _int(element, "sinceVersion", 0),
        element.get("description", ""),
        fields,
        groups,
        data,
    )


def _block(parent: ET.Element, types: Mapping[str, Encoding], where: str) -> tuple[tuple[Field, ...], int]:
    """Return a block's fields and its length: the declared one, or what the fields need."""
    fields: list[Field] = []
    end = 0
    for element in parent:
        if _local(element) != "field":
            continue
        name, encoding = _name(element), types.get(element.get("type", ""))
        if encoding is None:
            raise SchemaError(f"{where}.{name}: unknown type {element.get('type')!r}")
        offset = _int(element, "offset", end)
        if offset < end:
            raise SchemaError(f"{where}.{name}: offset {offset} overlaps the field before it, which ends at {end}")
        since = _int(element, "sinceVersion", 0)
        fields.append(Field(name, snake_case(name), _int(element, "id"), encoding, offset, since))
        end = fields[-1].end
    _distinct((field.attribute for field in fields), where)
    length = _int(parent, "blockLength", end)
    if length < end:
        raise SchemaError(f"{where}: block length {length} is less than its fields need, {end}")
    return tuple(fields), length


def _group(element: ET.Element, types: Mapping[str, Encoding], message: str) -> Group:
    name = _name(element)
    for child in element:
        if _local(child) != "field":
            raise SchemaError(f"{message}.{name}: {_local(child)} is not supported in a group")
    dimension = types.get(element.get("dimensionType", "groupSizeEncoding"))
    if not isinstance(dimension, Composite) or [m.name for m in dimension.members] != ["blockLength", "numInGroup"]:
        raise SchemaError(f"{message}.{name}: its dimension type is not blockLength, numInGroup")
    block, count = dimension.members
    fields, block_length = _block(element, types, f"{message}.{name}")
    since = _int(element, "sinceVersion", 0)
    sizes = (block.primitive, count.primitive)
    return Group(name, snake_case(name), _int(element, "id"), since, block_length, sizes, fields)


def _data(element: ET.Element, types: Mapping[str, Encoding]) -> Data:
    name, kind = _name(element), types.get(element.get("type", ""))
    if not isinstance(kind, Composite) or [member.name for member in kind.members] != ["length", "varData"]:
        raise SchemaError(f"{name}: its type is not length, varData")
    since = _int(element, "sinceVersion", 0)
    return Data(name, snake_case(name), _int(element, "id"), since, kind.members[0].primitive)


def _distinct(names: Iterable[str], where: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise SchemaError(f"{where}: two fields would be called {name}")
        seen.add(name)


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _name(element: ET.Element) -> str:
    name = element.get("name", "")
    if not name.isidentifier():
        raise SchemaError(f"{_local(element)}: {name!r} is not a name")
    return name


def _int(element: ET.Element, attribute: str, default: int | None = None) -> int:
    text = element.get(attribute)
    if text is None:
        if default is None:
            raise SchemaError(f"{_local(element)} {element.get('name', '')}: no {attribute}")
        return default
    return _number(f"{_local(element)} {element.get('name', '')}: {attribute}", text)


def _number(where: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SchemaError(f"{where}: {text!r} is not a whole number") from None
