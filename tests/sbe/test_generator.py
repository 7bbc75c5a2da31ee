"""Generated classes do what the schema says, also where the iLink schema has nothing of the kind."""

import struct
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import ontherun.sbe as sbe
from ontherun.sbe import DecodeError, EncodeError, Fault, SchemaError, generate, load_schema
from ontherun.sbe.__main__ import main
from ontherun.sbe.readable import from_dict, from_json, to_dict, to_json

BLOCK = bytes.fromhex(
    "0000 07000000 c8 41 0101 616263000000 000000000000000000 d204000000000000"
    "0f000000ff ea0703 feff 204e 0100000000000000 7e f9ffffffffffffff 0000"
)
FRAME = struct.pack("<HHHHHH", 12 + 64 + 4 + 11 + 4, 0xCAFE, 64, 5, 77, 3) + BLOCK
FRAME += struct.pack("<HH", 11, 1) + b"part\0\0" + struct.pack("<ib", 25, -1) + b"\3xyz"


def everything(toy: ModuleType) -> Any:
    return toy.Everything(
        count=7,
        paint=200,
        sign=ord("A"),
        flags=0x101,
        label=b"abc",
        px=1234,
        ratio=toy.composites.Decimal(15, -1),
        expires=toy.composites.MonthYear(2026, 3),
        delta=-2,
        day=20000,
        transact_time=1,
        from_=ord("~"),
        size_=-7,
        no_parts=[toy.EverythingNoParts(part_name=b"part", part_ratio=toy.composites.Decimal(25, -1))],
        extra=b"xyz",
    )


def test_gaps_and_padding_are_on_the_wire(toy: ModuleType) -> None:
    assert everything(toy).encode() == FRAME
    assert toy.decode(FRAME) == everything(toy)


def test_pack_takes_the_values_in_wire_order(toy: ModuleType) -> None:
    part = toy.EverythingNoParts.pack(b"part", 25, -1)
    values = (7, 200, 65, 257, b"abc", b"", 1234, 15, -1, 2026, 3, -2, 20000, 1, 126, -7)
    assert toy.Everything.pack(*values, [part], b"xyz") == FRAME


def test_optional_values_default_to_their_own_null(toy: ModuleType) -> None:
    message = toy.Everything(count=1, sign=65, label=b"a", transact_time=1, from_=65, size_=1)
    assert (message.paint, message.delta, message.px) == (250, 32767, 2**63 - 1)
    assert message.ratio == (2147483647, 127)
    assert message.expires == (65535, 255)
    assert (message.remark, message.flags, message.no_parts, message.extra) == (b"", 0, [], b"")
    assert message.fault() is None


def test_a_message_without_fields_is_a_header(toy: ModuleType) -> None:
    assert toy.Empty().encode() == struct.pack("<HHHHHH", 12, 0xCAFE, 0, 6, 77, 3)
    assert toy.decode(toy.Empty().encode()) == toy.Empty()


def test_constants_and_names_are_the_schemas(toy: ModuleType) -> None:
    assert [toy.Everything.ALWAYS, toy.Everything.ALWAYS_NINE, toy.Everything.MSG_TYPE] == ["K", 9, "E"]
    assert toy.Everything.__doc__ == "All kinds of fields (template 5, MsgType E)."
    enums = import_module(f"{toy.__name__}.enums")
    assert [colour.name for colour in enums.Colour] == ["RED", "DARK_BLUE"]
    assert ord("Z") == enums.Letter.OMEGA
    assert enums.Options.FIRST | enums.Options.NINTH == 257


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"paint": 2}, Fault(2, "value")),
        ({"paint": 255}, Fault(2, "value")),
        ({"flags": 2}, Fault(4, "value")),
        ({"flags": 0x8000}, Fault(4, "value")),
        ({"from_": 0}, Fault(12, "missing")),
        ({"label": b""}, Fault(5, "missing")),
        ({"remark": b"\t"}, Fault(6, "text")),
        ({"size_": 2**63 - 1}, Fault(13, "missing")),
    ],
)
def test_faults_follow_the_schema(toy: ModuleType, change: dict[str, Any], fault: Fault) -> None:
    message = everything(toy)
    for name, value in change.items():
        setattr(message, name, value)
    assert message.fault() == fault


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label": b"1234567"}, "Label: 7 bytes in a field of 6"),
        ({"count": 2**32}, "Everything: "),
        ({"count": -1}, "Everything: "),
        ({"count": None}, "Everything: "),
        ({"px": 2**63}, "Everything: "),
        ({"extra": bytes(255)}, "255 bytes of data where at most 254"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(toy: ModuleType, change: dict[str, Any], reason: str) -> None:
    message = everything(toy)
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(EncodeError, match=reason):
        message.encode()


def test_an_entry_that_does_not_fit_is_refused(toy: ModuleType) -> None:
    with pytest.raises(EncodeError, match="PartName: 8 bytes in a field of 6"):
        toy.Everything.encode(with_part(toy, part_name=b"too long"))


def with_part(toy: ModuleType, **values: Any) -> Any:
    message = everything(toy)
    message.no_parts = [toy.EverythingNoParts(**values)]
    return message


def test_a_frame_longer_than_its_size_can_say_is_refused(toy: ModuleType) -> None:
    message = with_part(toy, part_name=b"p")
    message.no_parts *= 6000
    with pytest.raises(EncodeError):
        message.encode()


def test_groups_of_up_to_65534_entries_can_be_counted(toy: ModuleType) -> None:
    message = with_part(toy, part_name=b"p")
    message.no_parts *= 1000
    assert toy.decode(message.encode()) == message
    message.no_parts = message.no_parts[:1] * 65535
    with pytest.raises(EncodeError, match="65535 entries in a group of at most 65534"):
        message.encode()


def test_entries_of_an_older_version_are_filled_up(toy: ModuleType) -> None:
    old = struct.pack("<HHHHHH", 12 + 54 + 4 + 12 + 1, 0xCAFE, 54, 5, 77, 1) + BLOCK[:54]
    old += struct.pack("<HH", 6, 2) + b"one\0\0\0" + b"two\0\0\0" + b"\0"
    message = toy.decode(old)
    assert [(part.part_name, part.part_ratio) for part in message.no_parts] == [
        (b"one", (2147483647, 127)),
        (b"two", (2147483647, 127)),
    ]
    assert message.size_ == 2**63 - 1
    for wrong in (5, 7):
        with pytest.raises(DecodeError):
            toy.decode(old[:66] + struct.pack("<H", wrong) + old[68:])


def test_messages_read_and_write_as_json(toy: ModuleType) -> None:
    message = everything(toy)
    fields = to_dict(message)["fields"]
    assert {name: field["value"] for name, field in fields.items() if "value" in field} == {
        "Always": "K",
        "AlwaysNine": 9,
        "Count": 7,
        "Paint": "DarkBlue",
        "Sign": "Alpha",
        "Flags": ["First", "Ninth"],
        "Label": "abc",
        "Remark": None,
        "Px": "1.234",
        "Ratio": "1.5",
        "Expires": {"year": 2026, "month": 3},
        "Delta": -2,
        "Day": "2024-10-04",
        "TransactTime": "1970-01-01T00:00:00.000000001Z",
        "From": "~",
        "Size": -7,
        "Extra": "78797a",
    }
    part = {"PartName": {"tag": 21, "value": "part"}, "PartRatio": {"tag": 22, "value": "2.5"}}
    assert fields["NoParts"] == {"tag": 20, "entries": [part]}
    assert from_json(to_json(message), toy.BY_TEMPLATE) == message


def test_unknown_values_are_shown_as_numbers_and_kept(toy: ModuleType) -> None:
    message = everything(toy)
    message.paint, message.sign, message.flags, message.from_ = 77, 0xFF, 0x8003, 0x81
    message.label, message.ratio = b"\xff\n", toy.composites.Decimal(2147483647, 3)
    fields = to_dict(message)["fields"]
    assert [fields[name]["value"] for name in ("Paint", "Sign", "Flags")] == [77, 255, ["First", 1, 15]]
    assert fields["Ratio"]["value"] == {"mantissa": None, "exponent": 3}
    assert from_dict(to_dict(message), toy.BY_TEMPLATE) == message


def test_the_command_says_how_it_is_used(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([]) == 2
    assert "SCHEMA.xml OUT_DIR" in capsys.readouterr().err
    assert main([str(tmp_path / "absent.xml"), str(tmp_path)]) == 1
    assert "absent.xml" in capsys.readouterr().err


def test_the_command_removes_modules_of_messages_that_are_gone(tmp_path: Path) -> None:
    source, target = tmp_path / "s.xml", tmp_path / "out"
    for name in ("Old", "New"):
        source.write_text(f'<messageSchema id="1" version="0"><message name="{name}" id="1"/></messageSchema>')
        assert main([str(source), str(target)]) == 0
    assert sorted(path.name for path in target.iterdir()) == [
        "__init__.py",
        "composites.py",
        "enums.py",
        "new.py",
        "types.py",
    ]


@pytest.mark.parametrize("name", ["Fault", "Types", "Struct", "Field"])
def test_a_message_with_a_name_that_is_taken_is_refused(name: str) -> None:
    with pytest.raises(SchemaError, match="the name is taken"):
        generate(load_schema(f'<messageSchema id="1" version="0"><message name="{name}" id="1"/></messageSchema>'))


def test_the_package_offers_what_it_names() -> None:
    for name in sbe.__all__:
        assert getattr(sbe, name) is not None
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        sbe.nothing_of_the_kind  # noqa: B018
