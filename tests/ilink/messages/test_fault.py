"""`fault` finds the first field, in wire order, that the protocol does not allow."""

from typing import Any

import pytest

from ontherun.ilink.messages import (
    BY_TEMPLATE,
    UINT64_NULL,
    ExecutionReportTradeOutright,
    ExecutionReportTradeOutrightNoFills,
    Fault,
    Message,
    NewOrderSingle,
)
from ontherun.ilink.messages.enums import ExecInst, OrdType, SideReq, TimeInForce
from ontherun.sbe.layout import NULL_IS_A_VALUE, Composite, Enum, Field, Set, Type
from ontherun.sbe.message import Structure

EVERY = sorted(BY_TEMPLATE)


def good(field: Field) -> Any:
    """Return a value that the protocol allows."""
    kind = field.type
    if isinstance(kind, Enum):
        return kind.values[0].value
    if isinstance(kind, Composite):
        return 1
    if isinstance(kind, Type) and kind.is_text:
        return b"\x00\xff" * 16 if field.is_raw else b"A~ z"[: kind.size]
    return ord("A") if isinstance(kind, Type) and kind.primitive == "char" else 1


def bad(field: Field) -> list[tuple[Any, Fault]]:
    """Return values that it does not allow, with the fault that each is."""
    kind, tag = field.type, field.tag
    required = not isinstance(kind, Set) and not kind.optional and field.name not in NULL_IS_A_VALUE
    faults = []
    if required:
        null: Any = kind.carried[0].null if isinstance(kind, Composite) else kind.null  # type: ignore[union-attr]
        if isinstance(kind, Type) and kind.is_text:
            null = bytes(kind.size) if field.is_raw else b""
        faults.append((null, Fault(tag, "missing")))
    if isinstance(kind, Enum):
        allowed = {value.value for value in kind.values} | {kind.null}
        faults += [(value, Fault(tag, "value")) for value in (0, 17, 200, 254) if value not in allowed]
    if isinstance(kind, Type) and field.is_text:
        wrong = [b"\x1f", b"\x7f", b"\x80", b"\n", b"A\0B"]
        faults += [(value, Fault(tag, "text")) for value in wrong if len(value) <= kind.size]
    if isinstance(kind, Type) and kind.primitive == "char" and not kind.is_text:
        faults += [(value, Fault(tag, "text")) for value in (31, 127, 255)]
    if isinstance(kind, Type) and kind.primitive == "uint64":
        faults += [(value, Fault(tag, "range")) for value in (2**63, 2**64 - 2)]
    return faults


def single(field: Field) -> bool:
    return not (isinstance(field.type, Composite) and len(field.type.carried) > 1)


def valid(structure: type[Structure]) -> dict[str, Any]:
    return {field.attribute: good(field) for field in structure.FIELDS if field.constant is None and single(field)}


@pytest.mark.parametrize("template_id", EVERY)
def test_a_message_of_good_values_has_no_fault(template_id: int) -> None:
    message = BY_TEMPLATE[template_id]
    entries = {group.attribute: [entry(**valid(entry))] for group, entry in message.GROUPS}
    assert message(**valid(message), **entries).fault() is None


@pytest.mark.parametrize("template_id", EVERY)
def test_an_absent_optional_field_is_no_fault(template_id: int) -> None:
    message = BY_TEMPLATE[template_id]
    required = [f for f in message.FIELDS if f.constant is None and (isinstance(f.type, Set) or not f.type.optional)]
    assert message(**{field.attribute: good(field) for field in required}).fault() is None


@pytest.mark.parametrize("template_id", EVERY)
def test_each_bad_value_is_found_and_named(template_id: int) -> None:
    message = BY_TEMPLATE[template_id]
    for field in message.FIELDS:
        for value, fault in bad(field) if field.constant is None else []:
            assert message(**valid(message) | {field.attribute: value}).fault() == fault


@pytest.mark.parametrize("template_id", EVERY)
def test_of_several_faults_the_first_in_wire_order_is_found(template_id: int) -> None:
    message = BY_TEMPLATE[template_id]
    values, expected = valid(message), None
    for field in reversed([field for field in message.FIELDS if field.constant is None]):
        if faults := bad(field):
            values[field.attribute], expected = faults[-1]
        assert message(**values).fault() == expected


@pytest.mark.parametrize("template_id", [t for t in EVERY if BY_TEMPLATE[t].GROUPS])
def test_a_fault_in_any_entry_is_found(template_id: int) -> None:
    message = BY_TEMPLATE[template_id]
    for group, entry in message.GROUPS:
        for field in entry.FIELDS:
            for value, fault in bad(field) if field.constant is None else []:
                entries = [entry(**valid(entry)), entry(**valid(entry) | {field.attribute: value})]
                assert message(**valid(message), **{group.attribute: entries}).fault() == fault


def test_a_fault_in_the_block_comes_before_one_in_an_entry() -> None:
    entry = ExecutionReportTradeOutrightNoFills(**valid(ExecutionReportTradeOutrightNoFills) | {"fill_exec_id": b""})
    report = ExecutionReportTradeOutright(**valid(ExecutionReportTradeOutright), no_fills=[entry])
    assert report.fault() == Fault(1363, "missing")
    report.side = 9
    assert report.fault() == Fault(54, "value")


def test_the_null_of_party_details_is_the_on_demand_form() -> None:
    order = NewOrderSingle(**valid(NewOrderSingle) | {"party_details_list_req_id": UINT64_NULL})
    assert order.fault() is None


def test_enumerations_are_numbers_with_names() -> None:
    order = NewOrderSingle(**valid(NewOrderSingle))
    order.side, order.ord_type, order.time_in_force = SideReq.SELL, OrdType.LIMIT, TimeInForce.FAK
    order.exec_inst = ExecInst.ONLY_BEST | ExecInst.ALL_OR_NONE
    assert order.fault() is None
    decoded: Message = NewOrderSingle.decode(order.encode())
    assert decoded == order
    assert (order.side, order.ord_type, order.time_in_force, order.exec_inst) == (2, ord("2"), 3, 3)
