"""What people write is understood, or refused with the field's name; nothing is rounded."""

import json
from typing import Any

import pytest

from ontherun.ilink.messages import BY_TEMPLATE, INT64_NULL, UINT64_NULL, NewOrderSingle
from ontherun.sbe import EncodeError
from ontherun.sbe.readable import from_dict, from_json, to_dict, to_json

ORDER = {
    "Price": "99.515625",
    "OrderQty": 5,
    "SecurityID": 1001,
    "Side": "Buy",
    "SeqNum": 1,
    "SenderID": "TRADER1",
    "ClOrdID": "A-1",
    "PartyDetailsListReqID": None,
    "OrderRequestID": 7,
    "SendingTimeEpoch": "2026-01-01T00:00:00.123456789Z",
    "Location": "US,NY",
    "OrdType": "Limit",
    "ManualOrderIndicator": "Automated",
}


def order(**changes: Any) -> NewOrderSingle:
    message = from_dict({"message": "NewOrderSingle", "fields": ORDER | changes}, BY_TEMPLATE)
    assert isinstance(message, NewOrderSingle)
    return message


def test_a_message_can_be_written_by_hand() -> None:
    message = order()
    assert message.price == 99_515_625_000
    assert (message.side, message.ord_type, message.time_in_force) == (1, ord("2"), 255)
    assert (message.sender_id, message.stop_px, message.exec_inst) == (b"TRADER1", INT64_NULL, 0)
    assert message.party_details_list_req_id == UINT64_NULL
    assert message.sending_time_epoch == 1767225600_123456789
    assert message.fault() is None


def test_it_reads_as_it_was_written() -> None:
    document = to_dict(order())
    assert {name: document["fields"][name]["value"] for name in ORDER} == ORDER
    assert document["fields"]["Price"]["tag"] == 44
    assert [document[key] for key in ("message", "template_id", "schema_id", "version")] == [
        "NewOrderSingle",
        514,
        8,
        9,
    ]
    assert json.loads(to_json(order())) == document


@pytest.mark.parametrize(
    ("price", "mantissa"),
    [
        ("0.000000001", 1),
        ("-9223372036.854775808", -(2**63)),
        ("9223372036.854775806", 2**63 - 2),
        (99, 99_000_000_000),
        (99.5, 99_500_000_000),
        ("1E+2", 100_000_000_000),
        ("0", 0),
        (None, INT64_NULL),
    ],
)
def test_a_price_is_exact(price: Any, mantissa: int) -> None:
    assert order(Price=price).price == mantissa
    assert order(Price=to_dict(order(Price=price))["fields"]["Price"]["value"]).price == mantissa


@pytest.mark.parametrize(
    ("field", "value", "attribute", "expected"),
    [
        ("Side", 2, "side", 2),
        ("OrdType", "2", "ord_type", ord("2")),
        ("OrdType", 75, "ord_type", 75),
        ("TimeInForce", "FAK", "time_in_force", 3),
        ("TimeInForce", {"tag": 59, "value": "FOK"}, "time_in_force", 4),
        ("ExecInst", ["OnlyBest"], "exec_inst", 2),
        ("ExecInst", 5, "exec_inst", 5),
        ("ExecutionMode", "Passive", "execution_mode", ord("P")),
        ("ExpireDate", "2026-03-09", "expire_date", 20521),
        ("SendingTimeEpoch", 17, "sending_time_epoch", 17),
        ("SendingTimeEpoch", "2026-01-01T00:00:00Z", "sending_time_epoch", 1767225600_000000000),
        ("LiquidityFlag", "True", "liquidity_flag", 1),
    ],
)
def test_names_and_numbers_are_both_understood(field: str, value: Any, attribute: str, expected: int) -> None:
    assert getattr(order(**{field: value}), attribute) == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Side", "Purchase"),
        ("Side", 256),
        ("Price", "99.0000000001"),
        ("Price", "1e99"),
        ("Price", "NaN"),
        ("Price", "cheap"),
        ("Price", [1]),
        ("OrderQty", -1),
        ("OrderQty", "five"),
        ("OrderQty", 1.5),
        ("SenderID", "a sender that is too long"),
        ("SenderID", "€"),
        ("SenderID", 5),
        ("ExecInst", ["Sometimes"]),
        ("ExecInst", [8]),
        ("SendingTimeEpoch", "yesterday"),
        ("SendingTimeEpoch", "2026-01-01T00:00:00.1234567890Z"),
        ("ExpireDate", "2026-13-01"),
        ("OrdType", "Limited"),
    ],
)
def test_what_a_field_cannot_hold_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(EncodeError, match=rf"{field}|NewOrderSingle"):
        order(**{field: value})


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, "unknown message None"),
        ({"message": "NewOrder"}, "unknown message 'NewOrder'"),
        ({"message": "NewOrderSingle"}, "fields by name are expected"),
        ({"message": "NewOrderSingle", "fields": {}}, "OrderQty: it is required"),
        ({"message": "NewOrderSingle", "fields": ORDER | {"Colour": 1}}, "has no 'Colour'"),
        ({"message": "Negotiate", "fields": {"CustomerFlow": "OTHER"}}, "it is always 'IDEMPOTENT'"),
        ({"message": "Negotiate", "fields": {"Credentials": "zz"}}, "Credentials: 'zz' is not hexadecimal"),
        ({"message": "Negotiate", "fields": {"HMACSignature": "00"}}, "HMACSignature: '00'"),
        ({"message": "RequestForQuote", "fields": {"NoRelatedSym": 5}}, "a list of entries is expected"),
        ({"message": "RequestForQuote", "fields": {"NoRelatedSym": [5]}}, "fields by name are expected"),
    ],
)
def test_a_document_that_is_no_message_is_refused_with_the_reason(document: dict[str, Any], reason: str) -> None:
    with pytest.raises(EncodeError, match=reason):
        from_dict(document, BY_TEMPLATE)


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '"Sequence"'])
def test_text_that_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(EncodeError):
        from_json(text, BY_TEMPLATE)
