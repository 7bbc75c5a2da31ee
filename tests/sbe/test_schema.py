"""A schema file is read as the standard says; what is unknown or contradicts itself is refused with a reason."""

import pytest

from ontherun.sbe import SchemaError, load_schema
from ontherun.sbe.layout import Composite, Enum, Set, Type, Value, snake_case

HEAD = '<m:messageSchema xmlns:m="urn:x" package="p" id="1" version="0"><types>'


def schema(types: str = "", messages: str = "") -> str:
    return f"{HEAD}{types}</types>{messages}</m:messageSchema>"


def message(content: str, attributes: str = 'blockLength="8"') -> str:
    return f'<m:message name="M" id="1" {attributes}>{content}</m:message>'


def test_types_may_be_declared_after_their_use() -> None:
    enum = '<enum name="E" encodingType="T"><validValue name="A">1</validValue></enum>'
    loaded = load_schema(schema(enum + '<type name="T" primitiveType="int8"/>'))
    assert loaded.types["E"] == Enum("E", "int8", False, 127, (Value("A", 1),))


def test_every_kind_of_type_is_read() -> None:
    loaded = load_schema(
        schema(
            '<type name="T" primitiveType="char" length="4" presence="optional"/>'
            '<type name="C" primitiveType="uint8" presence="constant">7</type>'
            '<set name="S" encodingType="uint8"><choice name="A" sinceVersion="4">2</choice></set>'
            '<composite name="X"><type name="a" primitiveType="int32"/></composite>'
        )
    )
    assert loaded.types["T"] == Type("T", "char", 4, True, 0)
    assert loaded.types["C"] == Type("C", "uint8", 1, False, 255, 7)
    assert loaded.types["S"] == Set("S", "uint8", (Value("A", 2, 4),))
    assert loaded.types["X"] == Composite("X", (Type("a", "int32", null=2147483647),))


def test_a_field_without_offset_follows_the_one_before() -> None:
    fields = '<field name="A" id="1" type="uint16" offset="2"/><field name="B" id="2" type="uint8"/>'
    loaded = load_schema(schema("", message(fields)))
    assert [field.offset for field in loaded.messages[1].fields] == [2, 4]


def test_a_block_without_length_is_as_long_as_its_fields() -> None:
    loaded = load_schema(schema("", message('<field name="A" id="1" type="uint16" offset="2"/>', "")))
    assert loaded.messages[1].block_length == 4


def test_a_name_loses_its_template_number() -> None:
    loaded = load_schema(schema("", '<m:message name="Order514" id="514"/>'))
    assert loaded.messages[514].name == "Order"


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("SenderID", "sender_id"),
        ("ClOrdID", "cl_ord_id"),
        ("UUID", "uuid"),
        ("PartyDetailsListReqID", "party_details_list_req_id"),
        ("HMACSignature", "hmac_signature"),
        ("MDTradeEntryID", "md_trade_entry_id"),
        ("OFMOverride", "ofm_override"),
        ("BrokenDateGUID", "broken_date_guid"),
        ("TotNoQuoteEntries", "tot_no_quote_entries"),
        ("From", "from_"),
        ("Size", "size_"),
    ],
)
def test_an_attribute_is_the_name_in_snake_case(name: str, attribute: str) -> None:
    assert snake_case(name) == attribute


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<a", "not XML"),
        ("<other/>", "not messageSchema"),
        ('<messageSchema id="1" version="0" byteOrder="bigEndian"/>', "little-endian"),
        ('<messageSchema version="0"/>', "no id"),
        ('<messageSchema id="one" version="0"/>', "not a whole number"),
        (schema('<type name="T" primitiveType="float"/>'), "unknown primitive type 'float'"),
        (schema('<type name="T" primitiveType="uint8" length="4"/>'), "arrays of uint8"),
        (schema('<type name="2T" primitiveType="uint8"/>'), "is not a name"),
        (schema('<ref name="T"/>'), "unknown kind of type: ref"),
        (schema('<composite name="C"><ref name="T"/></composite>'), "ref is not supported"),
        (schema('<enum name="E" encodingType="Nothing"/>'), "is not one number"),
        (schema('<enum name="E" encodingType="char"><validValue name="A">AB</validValue></enum>'), "whole number"),
        (schema("", message('<field name="A" id="1" type="Nothing"/>')), "unknown type 'Nothing'"),
        (schema("", message('<field name="A" id="1" type="uint64" offset="1"/>')), "less than its fields need, 9"),
        (schema("", message('<field name="A" type="uint8"/>')), "no id"),
        (
            schema(
                "", message('<field name="A" id="1" type="uint8"/><field name="B" id="2" type="uint8" offset="0"/>')
            ),
            "overlaps the field before it, which ends at 1",
        ),
        (
            schema("", message('<field name="AB" id="1" type="uint8"/><field name="Ab" id="2" type="uint8"/>')),
            "M: two fields would be called ab",
        ),
        (schema("", message('<group name="G" id="1" dimensionType="uint8"/>')), "not blockLength, numInGroup"),
        (schema("", message('<data name="D" id="1" type="uint8"/>')), "not length, varData"),
        (schema("", message("") + message("")), "same id or name"),
    ],
)
def test_a_bad_schema_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        load_schema(text)


def test_a_group_in_a_group_is_refused() -> None:
    types = (
        '<composite name="groupSizeEncoding"><type name="blockLength" primitiveType="uint16"/>'
        '<type name="numInGroup" primitiveType="uint16"/></composite>'
    )
    inner = '<group name="G" id="1"><group name="H" id="2"/></group>'
    with pytest.raises(SchemaError, match="group is not supported in a group"):
        load_schema(schema(types, message(inner)))
