"""Writes the module of one message: its class, the classes of its groups' entries and what both need."""

import re

from ontherun.sbe.generator.block import Block, value_type
from ontherun.sbe.generator.codec import (
    constants,
    entry_decode,
    entry_encode,
    entry_pack,
    message_decode,
    message_encode,
    message_pack,
)
from ontherun.sbe.generator.fault import fault_method
from ontherun.sbe.generator.text import BANNER, Bracketed, imports, layout, quoted
from ontherun.sbe.layout import PRIMITIVES, Composite, Field, Group, MessageLayout, Schema, Set, Type, null_name

RUNTIME = ("PRINTABLE", "Dimension", "Entry", "Fault", "Length", "Message", "new", "read_group", "unfit")
"""What `ontherun.sbe.message` has for the classes."""

IMPORTED = frozenset({*RUNTIME, "Data", "Field", "Group", "Self", "Struct", "StructError"})
"""Names with capitals that a message's module imports: no class can have one."""


def message_module(schema: Schema, message: MessageLayout) -> list[str]:
    """Return the lines of the message's module."""
    entries = [
        Block(message.name + group.name, group.fields, group.block_length, max(message.since, group.since))
        for group in message.groups
    ]
    root = Block(message.name, message.fields, message.block_length, message.since)
    body = constants(schema, message, root, entries)
    for entry, group in zip(entries, message.groups, strict=True):
        body += ["", "", *_entry_class(entry, group)]
    body += ["", "", *_message_class(schema, message, root, entries)]
    imported = _imports([root, *entries], "\n".join(body))
    return [f'"""{message.name}, template {message.template_id}. {BANNER}"""', "", *imported, "", *body]


def _imports(blocks: list[Block], body: str) -> list[str]:
    """Return the imports of what the body names."""
    words = set(re.findall(r"\w+", body))

    def imported(module: str, *names: str) -> list[str]:
        return imports(module, [name for name in names if name in words])

    values = {value_type(field.type) for block in blocks for field in block.carried} - {"int", "bytes"}
    nulls = [f"{primitive.upper()}_NULL" for primitive in PRIMITIVES]
    return [
        *imported("collections", "abc"),
        *imported("functools", "partial"),
        "from struct import Struct",
        "from struct import error as StructError",
        "from typing import TYPE_CHECKING, Self",
        "",
        "from ontherun.sbe.adapt import adapted",
        "from ontherun.sbe.framing import ENCODING_TYPE, HEADER",
        *imported("ontherun.sbe.layout", *sorted(nulls), "UINT64_MAX", "Data", "Field", "Group"),
        *imported("ontherun.sbe.message", *RUNTIME),
        "",
        "from . import types",
        *imported(".composites", *sorted(values)),
    ]


def _message_class(schema: Schema, message: MessageLayout, root: Block, entries: list[Block]) -> list[str]:
    """Return the message's class."""
    attributes = [field.attribute for field in root.carried]
    attributes += [group.attribute for group in message.groups] + [data.attribute for data in message.data]
    about = f"template {message.template_id}, MsgType {message.msg_type}"
    lines = [
        f"class {message.name}(Message):",
        f'    """{message.description or message.name} ({about})."""',
        "",
        *layout(Bracketed("", [quoted(name) for name in attributes]), prefix="__slots__ = ", indent=4),
        f"    TEMPLATE_ID = {message.template_id}",
        f"    SCHEMA_ID = {schema.id}",
        f"    VERSION = {schema.version}",
        f"    MSG_TYPE = {quoted(message.msg_type)}",
        *_block_attributes(root),
    ]
    classes = [entry.class_name for entry in entries]
    if message.groups:
        groups = [Bracketed("", [_group(g), name]) for g, name in zip(message.groups, classes, strict=True)]
        lines += layout(Bracketed("", groups), prefix="GROUPS = ", indent=4)
    if message.data:
        data = [
            Bracketed("Data", [quoted(d.name), quoted(d.attribute), str(d.tag), str(d.since), quoted(d.length)])
            for d in message.data
        ]
        lines += layout(Bracketed("", data), prefix="DATA = ", indent=4)
    group_classes = {group.attribute: name for group, name in zip(message.groups, classes, strict=True)}
    return [
        *lines,
        *_init(root, group_classes, [data.attribute for data in message.data]),
        "",
        *message_pack(schema, message, root),
        "",
        *message_encode(schema, message, root),
        "",
        *message_decode(message, root, group_classes),
        "",
        *fault_method(root.carried, [group.attribute for group in message.groups]),
    ]


def _group(group: Group) -> Bracketed:
    dimension = Bracketed("", [quoted(primitive) for primitive in group.dimension])
    numbers = [str(group.tag), str(group.since), str(group.block_length)]
    return Bracketed("Group", [quoted(group.name), quoted(group.attribute), *numbers, dimension])


def _entry_class(entry: Block, group: Group) -> list[str]:
    """Return the class of a group's entry."""
    attributes = [quoted(field.attribute) for field in entry.carried]
    return [
        f"class {entry.class_name}(Entry):",
        f'    """An entry of {group.name} (tag {group.tag})."""',
        "",
        *layout(Bracketed("", attributes), prefix="__slots__ = ", indent=4),
        *_block_attributes(entry),
        *_init(entry, {}, []),
        "",
        *entry_pack(entry, group),
        "",
        *entry_encode(entry, group),
        "",
        *entry_decode(entry, group),
        "",
        *fault_method(entry.carried, []),
    ]


def _block_attributes(block: Block) -> list[str]:
    """Return the class attributes that describe a block, and its constant fields."""
    calls = []
    for field in block.fields:
        since = [str(field.since)] if field.since else []
        head = [quoted(field.name), quoted(field.attribute), str(field.tag), f"types.{field.type.name}"]
        calls.append(Bracketed("Field", [*head, str(field.offset), *since]))
    lines = [f"    BLOCK_LENGTH = {block.length}", f"    SINCE = {block.since}"]
    lines += layout(Bracketed("", calls), prefix="FIELDS = ", indent=4)
    for field in block.fields:
        if field.constant is not None:
            lines.append(f"    {field.attribute.upper()} = {quoted(field.constant)}")
    return lines


def _init(block: Block, groups: dict[str, str], data: list[str]) -> list[str]:
    """Return `__init__`, in which optional fields default to null; `groups` are classes by attribute."""
    parameters = []
    for field in block.carried:
        default = _default(field)
        text = f"{field.attribute}: {value_type(field.type)}"
        parameters.append(text if default is None else f"{text} = {default}")
    parameters += [f"{name}: abc.Iterable[{entry}] = ()" for name, entry in groups.items()]
    parameters += [f'{name}: bytes = b""' for name in data]
    if not parameters:
        return []
    return [
        "",
        *layout(Bracketed("def __init__", ["self", "*", *parameters]), suffix=" -> None:", indent=4),
        *(f"        self.{field.attribute} = {field.attribute}" for field in block.carried),
        *(f"        self.{name} = list({name})" for name in groups),
        *(f"        self.{name} = {name}" for name in data),
    ]


def _default(field: Field) -> str | None:
    """Return what a field's argument defaults to: null, for a set nothing; None for a required field."""
    kind = field.type
    if isinstance(kind, Set):
        return "0"
    if not kind.optional:
        return None
    if isinstance(kind, Composite):
        return null_name(kind.carried[0]) if len(kind.carried) == 1 else f"{kind.name}()"
    return 'b""' if isinstance(kind, Type) and kind.is_text else null_name(kind)
