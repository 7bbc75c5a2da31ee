"""Writes the methods that pack, encode and decode: one call of `struct` a block, where Python allows it."""

from ontherun.sbe.framing import HEADER_SIZE
from ontherun.sbe.generator.block import Block, Scalar, is_tuple
from ontherun.sbe.generator.text import Bracketed, chain, layout
from ontherun.sbe.layout import Group, MessageLayout, Schema

MAX_ARGUMENTS = 30
"""CPython's compiler hands more arguments than this over through a list and a tuple, which costs as much as packing."""


def constants(schema: Schema, message: MessageLayout, root: Block, entries: list[Block]) -> list[str]:
    """Return the module's constants: how frame, groups and data are packed."""
    variable = _is_variable(message)
    size = 0 if variable else HEADER_SIZE + message.block_length
    header = f"{size}, ENCODING_TYPE, {message.block_length}, {message.template_id}, {schema.id}, 0"
    head = "H8sH" if variable else "10sH"
    lines = [
        f"_START = HEADER.pack({header})[{'2:10' if variable else ':10'}]",
        f'_FRAME = Struct("<{head}{root.format}")',
        "_unpack = _FRAME.unpack_from",
    ]
    codes = ["".join(scalar.code for scalar in piece) for piece in _pieces(message, root)]
    codes[-1] += root.tail_padding
    if variable:
        lines += [f'_head = Struct("<{head}").pack', f'_block = Struct("<{root.format}").pack']
    else:
        codes[0] = head + codes[0]
    lines += [f'_pack_{number} = Struct("<{code}").pack' for number, code in enumerate(codes, 1)]
    for entry, group in zip(entries, message.groups, strict=True):
        block_length, count = group.dimension
        lines.append(f'_{group.attribute} = Dimension("{block_length}", "{count}")')
        lines.append(f'_{group.attribute}_entry = Struct("<{entry.format}")')
    return lines + [f'_{data.attribute} = Length("{data.length}")' for data in message.data]


def _is_variable(message: MessageLayout) -> bool:
    """Do groups or data follow the block, so that the frame's size varies?"""
    return bool(message.groups or message.data)


def _pieces(message: MessageLayout, root: Block) -> list[list[Scalar]]:
    """Return the block's scalars in as many pieces as calls are needed; the first leaves room for a fixed header."""
    first = MAX_ARGUMENTS - (0 if _is_variable(message) else 2)
    scalars = root.scalars
    rest = range(first, len(scalars), MAX_ARGUMENTS)
    return [scalars[:first], *(scalars[start : start + MAX_ARGUMENTS] for start in rest)]


def message_pack(schema: Schema, message: MessageLayout, root: Block) -> list[str]:
    """Return `pack`: typed for readers, at run time without a Python call of its own if the frame's size is fixed."""
    after = len(message.groups) + len(message.data)
    parameters = [f"{scalar.name}: {scalar.type}" for scalar in root.scalars]
    parameters += [f"{group.attribute}: abc.Sequence[bytes]" for group in message.groups]
    parameters += [f"{data.attribute}: bytes" for data in message.data]
    lines = _typed_pack(parameters, "Return the frame of these values; see `Structure.pack`.")
    if not after:
        return [*lines, f"        pack = staticmethod(partial(_FRAME.pack, _START, {schema.version}))"]
    last = [f"values[{index - after}]" for index in range(after)]
    parts = [
        f'_{group.attribute}.head({group.block_length}, len({blocks})) + b"".join({blocks})'
        for group, blocks in zip(message.groups, last, strict=False)
    ]
    data = last[len(message.groups) :]
    parts += [f"_{d.attribute}.pack({value})" for d, value in zip(message.data, data, strict=True)]
    head = f"_head({HEADER_SIZE + message.block_length} + len(tail), _START, {schema.version})"
    return [
        *lines,
        "",
        "        @staticmethod",
        "        def pack(*values):",
        *(f"            tail {'+=' if number else '='} {part}" for number, part in enumerate(parts)),
        f"            return {head} + _block(*values[:{-after}]) + tail",
    ]


def entry_pack(entry: Block, group: Group) -> list[str]:
    """Return `pack` of a group's entry."""
    parameters = [f"{scalar.name}: {scalar.type}" for scalar in entry.scalars]
    lines = _typed_pack(parameters, "Return the block of these values; see `Structure.pack`.")
    return [*lines, f"        pack = staticmethod(_{group.attribute}_entry.pack)"]


def _typed_pack(parameters: list[str], about: str) -> list[str]:
    return [
        "    if TYPE_CHECKING:",
        "",
        "        @staticmethod",
        *layout(Bracketed("def pack", [*parameters, "/"] if parameters else []), suffix=" -> bytes:", indent=8),
        f'            """{about}"""',
        "    else:",
    ]


def message_encode(schema: Schema, message: MessageLayout, root: Block) -> list[str]:
    """Return `encode`."""
    tail = [
        f"_{group.attribute}.pack({group.block_length}, [entry.encode() for entry in self.{group.attribute}])"
        for group in message.groups
    ]
    tail += [f"_{data.attribute}.pack(self.{data.attribute})" for data in message.data]
    pieces = [[scalar.value for scalar in piece] for piece in _pieces(message, root)]
    if not tail:
        pieces[0] = ["_START", str(schema.version), *pieces[0]]
    calls = [Bracketed(f"_pack_{number}", piece) for number, piece in enumerate(pieces, 1)]
    if tail:
        size = f"{HEADER_SIZE + message.block_length} + len(tail)"
        calls.insert(0, Bracketed("_head", [size, "_START", str(schema.version)]))
    lines = ["    def encode(self) -> bytes:", *_length_check(root)]
    lines += [f"        tail {'+=' if number else '='} {part}" for number, part in enumerate(tail)]
    lines.append("        try:")
    for number, call in enumerate(calls):
        if tail or number < len(calls) - 1:
            prefix = "frame += " if number else "frame = "
        else:
            prefix = "return frame + " if number else "return "
        lines += layout(call, prefix=prefix, indent=12)
    lines += _refusal()
    return [*lines, "        return frame + tail"] if tail else lines


def entry_encode(entry: Block, group: Group) -> list[str]:
    """Return `encode` of a group's entry."""
    call = Bracketed(f"_{group.attribute}_entry.pack", [scalar.value for scalar in entry.scalars])
    lines = ["    def encode(self) -> bytes:", *_length_check(entry), "        try:"]
    return [*lines, *layout(call, prefix="return ", indent=12), *_refusal()]


def _refusal() -> list[str]:
    return ["        except StructError as error:", "            raise unfit(self, error) from error"]


def _length_check(block: Block) -> list[str]:
    """Return the lines that refuse what `struct` would cut or fill up: text too long, raw bytes of another length."""
    checks = [
        f"len(self.{field.attribute}) {'!=' if field.is_raw else '>'} {field.type.size}"
        for field in block.carried
        if field.is_text or field.is_raw
    ]
    return [*chain("or", checks, prefix="if ", suffix=":", indent=8), "            raise unfit(self)"] if checks else []


def message_decode(message: MessageLayout, root: Block, groups: dict[str, str]) -> list[str]:
    """Return `decode`: our version's frames at once, others through `adapted`; `groups` are classes by attribute."""
    targets = [*(["size"] if _is_variable(message) else []), "start", "_", *_targets(root)]
    lines = [
        "    @classmethod",
        "    def decode(cls, buffer: bytes, offset: int = 0) -> Self:",
        "        self = new(cls)",
        "        try:",
        *layout(Bracketed("", targets), suffix=" = _unpack(buffer, offset)", indent=12),
    ]
    end = f"offset + {HEADER_SIZE + message.block_length}"
    for name, entry in groups.items():
        read = Bracketed("read_group", [entry, f"_{name}", "buffer", end])
        lines += layout(read, prefix=f"self.{name}, end = ", indent=12)
        end = "end"
    for data in message.data:
        lines.append(f"            self.{data.attribute}, end = _{data.attribute}.unpack(buffer, {end})")
        end = "end"
    return [
        *lines,
        "        except StructError:",
        "            return cls.decode(adapted(cls, buffer, offset))",
        f"        if start != _START{' or end != offset + size' if _is_variable(message) else ''}:",
        "            return cls.decode(adapted(cls, buffer, offset))",
        *_finish(root),
        "        return self",
    ]


def entry_decode(entry: Block, group: Group) -> list[str]:
    """Return `decode` of a group's entry."""
    unpack = f" = _{group.attribute}_entry.unpack_from(buffer, offset)"
    targets = _targets(entry)
    return [
        "    @classmethod",
        "    def decode(cls, buffer: bytes, offset: int) -> Self:",
        "        self = new(cls)",
        *layout(Bracketed("", targets), suffix=unpack, indent=8),
        *_finish(entry),
        "        return self",
    ]


def _targets(block: Block) -> list[str]:
    """Return what a block is unpacked into: the attributes, or locals where a value needs more work."""
    fields = {field.attribute: field for field in block.carried}
    return [
        f"self.{scalar.name}" if scalar.name in fields and not fields[scalar.name].is_text else scalar.name
        for scalar in block.scalars
    ]


def _finish(block: Block) -> list[str]:
    """Return the lines that make values of those locals."""
    lines = []
    for field in block.carried:
        if field.is_text:
            lines.append(f'        self.{field.attribute} = {field.attribute}.rstrip(b"\\0")')
        elif is_tuple(field):
            names = [scalar.name for scalar in block.scalars if scalar.value.startswith(f"self.{field.attribute}.")]
            lines += layout(Bracketed(field.type.name, names), prefix=f"self.{field.attribute} = ", indent=8)
    return lines
