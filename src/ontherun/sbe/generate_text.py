"""Python text, laid out as `ruff format` leaves it: on one line if it fits, else an item a line."""

from collections.abc import Sequence
from typing import NamedTuple

WIDTH = 120


class Bracketed(NamedTuple):
    """An expression with items in brackets: a call (`head` is what is called), a tuple (no head), an import's names."""

    head: str
    items: Sequence["str | Bracketed"]

    def flat(self) -> str:
        """Return it on one line."""
        items = ", ".join(item if isinstance(item, str) else item.flat() for item in self.items)
        return f"{self.head}({items}{',' if not self.head and len(self.items) == 1 else ''})"


def quoted(value: str | int) -> str:
    """Return a literal, with the formatter's quotes."""
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def layout(expression: Bracketed, *, prefix: str = "", suffix: str = "", indent: int = 0) -> list[str]:
    """Return the lines of `prefix expression suffix`, each indented by `indent` spaces."""
    space = " " * indent
    line = f"{space}{prefix}{expression.flat()}{suffix}"
    if len(line) <= WIDTH:
        return [line]
    lines = [f"{space}{prefix}{expression.head}("]
    for item in expression.items:
        if isinstance(item, str):
            lines.append(f"{space}    {item},")
        else:
            lines += layout(item, suffix=",", indent=indent + 4)
    return [*lines, f"{space}){suffix}"]


def chain(operator: str, operands: Sequence[str], *, prefix: str = "", suffix: str = "", indent: int = 0) -> list[str]:
    """Return the lines of `prefix a operator b ... suffix`: on one line, or in parentheses on the next, or one a line."""
    space = " " * indent
    joined = f" {operator} ".join(operands)
    if len(f"{space}{prefix}{joined}{suffix}") <= WIDTH:
        return [f"{space}{prefix}{joined}{suffix}"]
    lines = [f"{space}    {joined}"]
    if len(lines[0]) > WIDTH:
        lines = [f"{space}    {operands[0]}", *(f"{space}    {operator} {operand}" for operand in operands[1:])]
    return [f"{space}{prefix}(", *lines, f"{space}){suffix}"]


def imports(module: str, names: Sequence[str]) -> list[str]:
    """Return the lines of an import, none without names."""
    if not names:
        return []
    line = f"from {module} import {', '.join(names)}"
    return [line] if len(line) <= WIDTH else layout(Bracketed("", names), prefix=f"from {module} import ")
