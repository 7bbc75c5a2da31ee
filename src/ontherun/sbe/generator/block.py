"""What the generator asks of a block of fields: a message's root, or an entry of a group."""

from typing import NamedTuple

from ontherun.sbe.layout import Composite, Encoding, Field, Type, snake_case


class Scalar(NamedTuple):
    """One value in `struct`: a field's, or that of one member of a composite.

    `name` is the parameter or local that holds it alone, `value` where an object holds it, `type` its Python type,
    `code` its format, which begins with the padding in front of it.
    """

    name: str
    value: str
    type: str
    code: str


class Block(NamedTuple):
    """A block of fields, and the class that holds them."""

    class_name: str
    fields: tuple[Field, ...]
    length: int
    since: int

    @property
    def carried(self) -> list[Field]:
        """The fields that take bytes."""
        return [field for field in self.fields if field.constant is None]

    @property
    def scalars(self) -> list[Scalar]:
        """The values in wire order."""
        scalars: list[Scalar] = []
        end = 0
        for field in self.carried:
            skipped = padding(field.offset - end)
            for name, value, code in _scalars(field):
                kind = "bytes" if code.endswith("s") else "int"
                scalars.append(Scalar(name, value, kind, skipped + code))
                skipped = ""
            end = field.end
        return scalars

    @property
    def format(self) -> str:
        """The block's format in `struct`, without byte order."""
        return "".join(scalar.code for scalar in self.scalars) + self.tail_padding

    @property
    def tail_padding(self) -> str:
        """The format of what the block has after its last field."""
        return padding(self.length - max((field.end for field in self.carried), default=0))


def is_tuple(field: Field) -> bool:
    """Is the field's value a named tuple of several numbers?"""
    return isinstance(field.type, Composite) and len(field.type.carried) > 1


def value_type(kind: Encoding) -> str:
    """Return the Python type of a value of this encoding."""
    if isinstance(kind, Type) and kind.is_text:
        return "bytes"
    return kind.name if isinstance(kind, Composite) and len(kind.carried) > 1 else "int"


def padding(size: int) -> str:
    """Return the format of bytes that are skipped."""
    return f"{size}x" if size else ""


def _scalars(field: Field) -> list[tuple[str, str, str]]:
    """Return name, value and code of each scalar of the field."""
    name, value = field.attribute, f"self.{field.attribute}"
    if not isinstance(field.type, Composite) or len(field.type.carried) == 1:
        return [(name, value, field.type.code)]
    members = [(snake_case(member.name), member.code) for member in field.type.carried]
    return [(f"{name}_{member}", f"{value}.{member}", code) for member, code in members]
