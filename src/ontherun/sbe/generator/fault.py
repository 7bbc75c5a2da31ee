"""Writes the method `fault` of a message: one check a field, in wire order, nothing for what cannot be wrong."""

from ontherun.sbe.generator.text import chain
from ontherun.sbe.layout import NULL_IS_A_VALUE, Composite, Enum, Field, Set, Type, null_name


def fault_method(fields: list[Field], groups: list[str]) -> list[str]:
    """Return the method's lines; `groups` are the attributes whose entries are checked after the block."""
    texts = [f"self.{field.attribute}" for field in fields if field.is_text]
    lines = ["    def fault(self) -> Fault | None:"]
    if len(texts) > 1:
        # Text is nearly always good: look at all of it at once, at each field only when something is wrong.
        lines += chain("+", texts, prefix="texts = ", indent=8)
        lines.append("        bad_text = texts.translate(PRINTABLE) != texts")
    for field in fields:
        for condition, kind in _checks(field, f"self.{field.attribute}", "bad_text and " if len(texts) > 1 else ""):
            lines += [f"        if {condition}:", f"            return Fault({field.tag}, {kind})"]
    if groups:
        entries = ", ".join(f"*self.{group}" for group in groups)
        lines += [
            f"        for entry in {f'({entries})' if len(groups) > 1 else f'self.{groups[0]}'}:",
            "            fault = entry.fault()",
            "            if fault is not None:",
            "                return fault",
        ]
    return [*lines, "        return None"]


def _checks(field: Field, value: str, when_bad_text: str) -> list[tuple[str, str]]:
    """Return conditions that are true when the value is wrong, each with the kind of fault as Python text."""
    kind = field.type
    if isinstance(kind, Composite):
        first = kind.carried[0]
        name = value if len(kind.carried) == 1 else f"{value}[0]"
        return [] if kind.optional else [(f"{name} == {null_name(first)}", '"missing"')]
    if isinstance(kind, Set):
        bits = sum(1 << choice.value for choice in kind.choices)
        unknown = ~bits & (1 << 8 * kind.size) - 1
        return [(f"{value} & {unknown}", '"value"')] if unknown else []
    if isinstance(kind, Enum):
        return _enum_checks(kind, value)
    if field.is_raw:
        return [] if kind.optional else [(f'{value} == b"\\0" * {kind.size}', '"missing"')]
    if field.is_text:
        missing = [] if kind.optional else [(f"not {value}", '"missing"')]
        return [*missing, (f"{when_bad_text}{value}.translate(PRINTABLE) != {value}", '"text"')]
    return _number_checks(field, kind, value)


def _enum_checks(kind: Enum, value: str) -> list[tuple[str, str]]:
    values = [value.value for value in kind.values]
    if kind.optional:
        return [(f"{value} not in {_set({*values, kind.null})}", '"value"')]
    return [(f"{value} not in {_set(set(values))}", f'"missing" if {value} == {null_name(kind)} else "value"')]


def _set(values: set[int]) -> str:
    return f"{{{', '.join(map(str, sorted(values)))}}}"


def _number_checks(field: Field, kind: Type, value: str) -> list[tuple[str, str]]:
    null = null_name(kind)
    if kind.primitive == "char":
        if kind.optional:
            return [(f"{value} != {null} and not 32 <= {value} <= 126", '"text"')]
        return [(f"not 32 <= {value} <= 126", f'"missing" if {value} == {null} else "text"')]
    may_be_null = kind.optional or field.name in NULL_IS_A_VALUE
    if kind.primitive == "uint64":
        if may_be_null:
            return [(f"{value} > UINT64_MAX and {value} != {null}", '"range"')]
        return [(f"{value} > UINT64_MAX", f'"missing" if {value} == {null} else "range"')]
    return [] if may_be_null else [(f"{value} == {null}", '"missing"')]
