"""What the key test takes and gives."""

from typing import Annotated

from pydantic import Field

from ontherun.portal.models import WHOLE, Strict
from ontherun.registry import LARGEST_ID

Uint64 = Annotated[int, Field(ge=0, le=LARGEST_ID), WHOLE]
Ascii = Annotated[str, Field(pattern=r"^[ -~]*$", max_length=30)]
SignedText = Annotated[
    str | None, Field(max_length=500, description="what your client signed, to be compared with the canonical text")
]
Signature = Annotated[str, Field(max_length=200, description="32 bytes as hexadecimal or base64 text")]


class PastedFrame(Strict):
    """A whole Negotiate or Establish, with its SOFH or without, as hexadecimal or base64 text."""

    frame: Annotated[str, Field(min_length=1, max_length=8192)]
    signed_text: SignedText = None


class PastedNegotiate(Strict):
    """The values of a Negotiate and its signature. Session and Firm default to the session's own."""

    request_timestamp: Uint64
    uuid: Uint64
    access_key_id: Annotated[Ascii, Field(max_length=20)]
    signature: Signature
    session: Annotated[Ascii, Field(max_length=3)] | None = None
    firm: Annotated[Ascii, Field(max_length=5)] | None = None
    signed_text: SignedText = None


class PastedEstablish(PastedNegotiate):
    """The values of an Establish and its signature. `keep_alive_interval` is in ms."""

    trading_system_name: Ascii
    trading_system_version: Annotated[Ascii, Field(max_length=10)]
    trading_system_vendor: Annotated[Ascii, Field(max_length=10)]
    next_seq_no: Annotated[int, Field(ge=0, le=2**32 - 1), WHOLE]
    keep_alive_interval: Annotated[int, Field(ge=0, le=2**16 - 1), WHOLE]


class SignedValue(Strict):
    """One value of the canonical text."""

    name: str
    value: str


class PairFindingView(Strict):
    """What one key pair says. `named`: its id is the message's AccessKeyID; `mistake`: what made the signature."""

    access_key_id: str
    state: str
    named: bool
    verifies: bool
    mistake: str


class FindingView(Strict):
    """What came out of a key test. `clock_skew_ns`: how far RequestTimestamp is behind the venue's clock."""

    message: str
    accepted: bool
    verdict: str
    advice: list[str]
    canonical_text: str
    values: list[SignedValue]
    clock_skew_ns: int | None
    key_pairs: list[PairFindingView]
