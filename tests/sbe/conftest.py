"""A small schema of our own with everything that a schema can have."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from ontherun.sbe.__main__ import main

TOY = """<?xml version="1.0"?>
<ns9:messageSchema xmlns:ns9="urn:any" package="toy" id="77" version="3" byteOrder="littleEndian">
  <types>
    <enum name="Colour" encodingType="optionalByte">
      <validValue name="Red">1</validValue>
      <validValue name="DarkBlue" sinceVersion="2">200</validValue>
    </enum>
    <enum name="Letter" encodingType="char">
      <validValue name="Alpha">A</validValue>
      <validValue name="Omega">Z</validValue>
    </enum>
    <set name="Options" encodingType="uint16">
      <choice name="First">0</choice>
      <choice name="Ninth">8</choice>
    </set>
    <type name="optionalByte" primitiveType="uint8" presence="optional" nullValue="250"/>
    <type name="Signed" primitiveType="int16" presence="optional"/>
    <type name="Name" primitiveType="char" length="6"/>
    <type name="Note" primitiveType="char" length="9" presence="optional"/>
    <type name="Kind" primitiveType="char" length="1" presence="constant">K</type>
    <type name="Nine" primitiveType="uint8" presence="constant">9</type>
    <type name="LocalMktDate" primitiveType="uint16" presence="optional" nullValue="65535"/>
    <composite name="Price">
      <type name="mantissa" primitiveType="int64" presence="optional" nullValue="9223372036854775807"/>
      <type name="exponent" primitiveType="int8" presence="constant">-3</type>
    </composite>
    <composite name="Decimal">
      <type name="mantissa" primitiveType="int32" presence="optional" nullValue="2147483647"/>
      <type name="exponent" primitiveType="int8" presence="optional" nullValue="127"/>
    </composite>
    <composite name="MonthYear">
      <type name="year" primitiveType="uint16" presence="optional" nullValue="65535"/>
      <type name="month" primitiveType="uint8" presence="optional" nullValue="255"/>
    </composite>
    <composite name="wide">
      <type name="blockLength" primitiveType="uint16"/>
      <type name="numInGroup" primitiveType="uint16"/>
    </composite>
    <composite name="DATA">
      <type name="length" primitiveType="uint8"/>
      <type name="varData" primitiveType="char" length="0"/>
    </composite>
  </types>
  <ns9:message name="Everything5" id="5" blockLength="64" semanticType="E" description="All kinds of fields">
    <field name="Always" id="100" type="Kind"/>
    <field name="AlwaysNine" id="101" type="Nine"/>
    <field name="Count" id="1" type="uint32" offset="2"/>
    <field name="Paint" id="2" type="Colour" offset="6"/>
    <field name="Sign" id="3" type="Letter" offset="7"/>
    <field name="Flags" id="4" type="Options" offset="8"/>
    <field name="Label" id="5" type="Name" offset="10"/>
    <field name="Remark" id="6" type="Note" offset="16"/>
    <field name="Px" id="7" type="Price" offset="25"/>
    <field name="Ratio" id="8" type="Decimal" offset="33"/>
    <field name="Expires" id="9" type="MonthYear" offset="38"/>
    <field name="Delta" id="10" type="Signed" offset="41"/>
    <field name="Day" id="11" type="LocalMktDate" offset="43"/>
    <field name="TransactTime" id="60" type="uint64" offset="45"/>
    <field name="From" id="12" type="char" offset="53"/>
    <field name="Size" id="13" type="int64" offset="54" sinceVersion="2"/>
    <group name="NoParts" id="20" dimensionType="wide">
      <field name="PartName" id="21" type="Name"/>
      <field name="PartRatio" id="22" type="Decimal" sinceVersion="3"/>
    </group>
    <data name="Extra" id="30" type="DATA"/>
  </ns9:message>
  <ns9:message name="Empty" id="6" semanticType="N" sinceVersion="2"/>
</ns9:messageSchema>
"""


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Return the package that the command generates from it."""
    folder = tmp_path_factory.mktemp("toy")
    (folder / "toy.xml").write_text(TOY, encoding="utf-8")
    target = folder / "toy_messages"
    assert main([str(folder / "toy.xml"), str(target)]) == 0
    return import_package(target)


def import_package(folder: Path) -> ModuleType:
    sys.path.insert(0, str(folder.parent))
    try:
        return import_module(folder.name)
    finally:
        sys.path.remove(str(folder.parent))
