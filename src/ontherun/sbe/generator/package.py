"""Writes the Python package of a schema: one module a message, and the types and enumerations that they share.

The text is laid out as `ruff format` would leave it, so that the generator needs no formatter.
"""

from ontherun.sbe.errors import SchemaError
from ontherun.sbe.generator.block import value_type
from ontherun.sbe.generator.message import IMPORTED, message_module
from ontherun.sbe.generator.text import BANNER, Bracketed, imports, layout, quoted
from ontherun.sbe.layout import Composite, Encoding, Enum, MessageLayout, Schema, Set, Value, null_name, snake_case

SHARED = frozenset({"composites", "enums", "types"})
"""Modules of the package that are no message."""

NULLS = tuple(f"{kind}{bits}_NULL" for kind in ("INT", "UINT") for bits in (8, 16, 32, 64))


def generate(schema: Schema) -> dict[str, str]:
    """Return the package's modules: text by file name. Raises SchemaError when a name cannot be a class."""
    messages = list(schema.messages.values())
    _check_names(messages)
    used = _used(messages)
    modules = {
        "__init__.py": _package(schema, messages),
        "composites.py": _composites(used),
        "enums.py": _enums(used),
        "types.py": _types(used),
    }
    for message in messages:
        modules[f"{snake_case(message.name)}.py"] = message_module(schema, message)
    return {name: "\n".join(lines) + "\n" for name, lines in modules.items()}


def _check_names(messages: list[MessageLayout]) -> None:
    """Raise SchemaError when a class or module would take the name of another, or of what the modules import."""
    taken = set(IMPORTED)
    for message in messages:
        for name in (message.name, *(message.name + group.name for group in message.groups)):
            if name in taken:
                raise SchemaError(f"a class cannot be called {name}: the name is taken")
            taken.add(name)
        if snake_case(message.name) in SHARED:
            raise SchemaError(f"a module cannot be called {snake_case(message.name)}: the name is taken")


def _used(messages: list[MessageLayout]) -> list[Encoding]:
    """Return the types that fields have, by name."""
    blocks = [fields for m in messages for fields in (m.fields, *(group.fields for group in m.groups))]
    used = {field.type.name: field.type for fields in blocks for field in fields}
    return [used[name] for name in sorted(used)]


def _package(schema: Schema, messages: list[MessageLayout]) -> list[str]:
    """Return `__init__.py`: every class, the nulls, BY_TEMPLATE and decode."""
    classes = {m.name: [m.name, *(m.name + group.name for group in m.groups)] for m in messages}
    lines = [
        f'"""Every message of schema {schema.id} version {schema.version} ({schema.package}). {BANNER}',
        "",
        "A message holds raw wire values: whole numbers with the wire's own nulls, prices as mantissas, text as bytes",
        "without its padding, enumerations as numbers (see `enums`) and characters by their code.",
        '"""',
        "",
        "from struct import error as StructError",
        "",
        *imports("ontherun.sbe.layout", NULLS),
        "from ontherun.sbe.message import Fault, Message, template_at, unknown",
        "",
    ]
    for module, names in sorted((snake_case(name), names) for name, names in classes.items()):
        lines += imports(f".{module}", sorted(names))
    lines += ["", "BY_TEMPLATE: dict[int, type[Message]] = {"]
    lines += [f"    {message.template_id}: {message.name}," for message in messages]
    lines += [
        "}",
        '"""Every message class by its template id."""',
        "",
        "",
        "def decode(frame: bytes, offset: int = 0) -> Message:",
        '    """Return the message whose frame begins at `offset`.',
        "",
        "    Raises DecodeError when its template or schema is unknown, or when it does not fit its layout.",
        '    """',
        "    try:",
        "        message = BY_TEMPLATE[template_at(frame, offset)[0]]",
        "    except (KeyError, StructError):",
        "        raise unknown(frame, offset) from None",
        "    return message.decode(frame, offset)",
        "",
        "",
        "__all__ = [",
    ]
    exported = ["BY_TEMPLATE", "Fault", "Message", "decode", *NULLS, *(n for m in messages for n in classes[m.name])]
    return [*lines, *(f"    {quoted(name)}," for name in exported), "]"]


def _types(used: list[Encoding]) -> list[str]:
    """Return `types.py`: the layout of every type that a field has, under the schema's name."""
    lines = [
        f'"""The types of fields, under the schema\'s names. {BANNER}"""',
        "",
        "from ontherun.sbe import layout",
        "",
    ]
    for encoding in used:
        lines += layout(_encoding(encoding), prefix=f"{encoding.name} = ")
    return lines


def _encoding(encoding: Encoding) -> Bracketed:
    """Return the call that makes this encoding."""
    name = quoted(encoding.name)
    if isinstance(encoding, Composite):
        return Bracketed("layout.Composite", [name, Bracketed("", [_encoding(member) for member in encoding.members])])
    primitive = quoted(encoding.primitive)
    if isinstance(encoding, Set):
        return Bracketed("layout.Set", [name, primitive, _values(encoding.choices)])
    null = [str(encoding.optional), str(encoding.null)]
    if isinstance(encoding, Enum):
        return Bracketed("layout.Enum", [name, primitive, *null, _values(encoding.values)])
    constant = [] if encoding.constant is None else [quoted(encoding.constant)]
    return Bracketed("layout.Type", [name, primitive, str(encoding.length), *null, *constant])


def _values(values: tuple[Value, ...]) -> Bracketed:
    calls = []
    for value in values:
        since = [str(value.since)] if value.since else []
        calls.append(Bracketed("layout.Value", [quoted(value.name), str(value.value), *since]))
    return Bracketed("", calls)


def _composites(used: list[Encoding]) -> list[str]:
    """Return `composites.py`: a named tuple for each composite of several values; without arguments it is null."""
    composites = [encoding for encoding in used if isinstance(encoding, Composite) and len(encoding.carried) > 1]
    members = [member for composite in composites for member in composite.carried]
    nulls = sorted({name for member in members if (name := null_name(member)).endswith("_NULL")})
    lines = [f'"""Values of several numbers; made without arguments they are null. {BANNER}"""', ""]
    if composites:
        lines += ["from typing import NamedTuple", ""]
    if nulls:
        lines += [*imports("ontherun.sbe.layout", nulls), ""]
    for composite in composites:
        lines += ["", f"class {composite.name}(NamedTuple):", f'    """The composite {composite.name}."""', ""]
        lines += [f"    {snake_case(m.name)}: {value_type(m)} = {null_name(m)}" for m in composite.carried]
        lines += [""]
    return lines[:-1]


def _enums(used: list[Encoding]) -> list[str]:
    """Return `enums.py`: an IntEnum for each enumeration, an IntFlag for each set."""
    lines = [
        f'"""Enumerations and sets, under the schema\'s names. {BANNER}"""',
        "",
        "from enum import IntEnum, IntFlag",
        "",
    ]
    for encoding in used:
        if isinstance(encoding, Enum):
            base, values = "IntEnum", encoding.values
        elif isinstance(encoding, Set):
            base, values = "IntFlag", encoding.choices
        else:
            continue
        lines += ["", f"class {encoding.name}({base}):", f'    """{_values_text(encoding)}"""', ""]
        for value in values:
            code = f"1 << {value.value}" if base == "IntFlag" else str(value.value)
            if encoding.primitive == "char":
                code = f"ord({quoted(chr(value.value))})"
            since = f"  # since version {value.since}" if value.since else ""
            lines.append(f"    {snake_case(value.name).upper().rstrip('_')} = {code}{since}")
        lines.append("")
    return lines[:-1]


def _values_text(encoding: Enum | Set) -> str:
    if isinstance(encoding, Set):
        return f"Bits of one {encoding.primitive}."
    null = f"; null is {encoding.null}" if encoding.optional else ""
    return f"Values of one {encoding.primitive}{null}."
