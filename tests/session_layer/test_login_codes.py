"""Every code of NegotiationReject and EstablishmentReject that a message of its own can bring about (CME client wiki,
pages of these names), and the port closure that bad logins lead to."""

from typing import Any

import pytest

from ontherun.ilink import messages as m
from ontherun.ilink.codes import EstablishmentRejectCode as Code
from ontherun.ilink.codes import TerminateCode

from .conftest import Client, Connect

BOTH: list[tuple[Code, dict[str, Any]]] = [
    (Code.HMAC_NOT_AUTHENTICATED, {"hmac_signature": b"\x01" * 32}),
    (Code.HMAC_NOT_AUTHENTICATED, {"access_key_id": b"EXAMPLEKEYID00000009"}),
    (Code.INVALID_TIMESTAMP, {"request_timestamp": 2**63}),
    (Code.REQUIRED_HMAC_SIGNATURE_MISSING, {"hmac_signature": bytes(32)}),
    (Code.REQUIRED_ACCESS_KEY_ID_MISSING, {"access_key_id": b""}),
    (Code.REQUIRED_SESSION_MISSING, {"session": b""}),
    (Code.REQUIRED_FIRM_MISSING, {"firm": b""}),
    (Code.REQUIRED_REQUEST_TIMESTAMP_MISSING, {"request_timestamp": m.UINT64_NULL}),
    (Code.SESSION_BLOCKED, {"firm": b"OTHER"}),
    (Code.INVALID_ACCESS_KEY_ID, {"access_key_id": b"EXAMPLEKEYID000\x070001"}),
    (Code.INVALID_SESSION, {"session": b"A\x07C"}),
    (Code.INVALID_FIRM, {"firm": b"DE\xe9O"}),
]
ESTABLISH_ONLY: list[tuple[Code, dict[str, Any]]] = [
    (Code.INVALID_KEEP_ALIVE_INTERVAL, {"keep_alive_interval": 4_999}),
    (Code.INVALID_KEEP_ALIVE_INTERVAL, {"keep_alive_interval": 60_001}),
    (Code.REQUIRED_TRADING_SYSTEM_NAME_MISSING, {"trading_system_name": b""}),
    (Code.REQUIRED_TRADING_SYSTEM_VERSION_MISSING, {"trading_system_version": b""}),
    (Code.REQUIRED_TRADING_SYSTEM_VENDOR_MISSING, {"trading_system_vendor": b""}),
    (Code.REQUIRED_KEEP_ALIVE_INTERVAL_MISSING, {"keep_alive_interval": m.UINT16_NULL}),
    (Code.INVALID_TRADING_SYSTEM_NAME, {"trading_system_name": b"A\x01"}),
    (Code.INVALID_TRADING_SYSTEM_VERSION, {"trading_system_version": b"A\x01"}),
    (Code.INVALID_TRADING_SYSTEM_VENDOR, {"trading_system_vendor": b"A\x01"}),
]


def named(rows: list[tuple[Code, dict[str, Any]]]) -> list[Any]:
    return [pytest.param(code, changes, id=f"{code.value} {code.name} {next(iter(changes))}") for code, changes in rows]


@pytest.mark.parametrize(("code", "changes"), named(BOTH))
def test_negotiate_is_rejected(stranger: Client, code: Code, changes: dict[str, Any]) -> None:
    asked = stranger.negotiate(**changes)
    reject = stranger.expect(m.NegotiationReject)
    assert (reject.error_codes, reject.uuid) == (code, stranger.uuid)
    assert reject.request_timestamp == changes.get("request_timestamp", asked)


@pytest.mark.parametrize(("code", "changes"), named(BOTH + ESTABLISH_ONLY))
def test_establish_is_rejected(negotiated: Client, code: Code, changes: dict[str, Any]) -> None:
    asked = negotiated.establish(1, **changes)
    reject = negotiated.expect(m.EstablishmentReject)
    assert (reject.error_codes, reject.uuid) == (code, negotiated.uuid)
    assert reject.request_timestamp == changes.get("request_timestamp", asked)


def test_a_timestamp_that_was_used_is_reject_3(stranger: Client) -> None:
    at = stranger.negotiate(hmac_signature=bytes(31) + b"\1")
    stranger.expect(m.NegotiationReject)
    used = stranger.negotiate()
    stranger.expect(m.NegotiationResponse)
    stranger.establish(1, request_timestamp=used)
    assert stranger.expect(m.EstablishmentReject).error_codes == Code.INVALID_TIMESTAMP
    assert at < used


def test_the_backup_before_the_primary_is_reject_27(connect: Connect) -> None:
    backup = connect(backup=True)
    backup.negotiate()
    assert backup.expect(m.NegotiationReject).error_codes == Code.DESIGNATED_BACKUP


def test_negotiate_on_the_backup_of_an_established_primary_is_reject_28(connect: Connect, established: Client) -> None:
    backup = connect(backup=True)
    backup.negotiate(established.uuid + 1)
    assert backup.expect(m.NegotiationReject).error_codes == Code.NEGOTIATE_NOT_ALLOWED


def test_a_rejected_login_may_be_tried_again_on_the_same_connection(stranger: Client) -> None:
    stranger.negotiate(hmac_signature=b"\x01" * 32)
    stranger.expect(m.NegotiationReject)
    stranger.log_in()


def test_the_fifth_bad_login_within_60_s_is_terminate_8_and_closes_both_ports(connect: Connect) -> None:
    for _ in range(4):
        client = connect()
        client.negotiate(hmac_signature=b"\x01" * 32)
        client.expect(m.NegotiationReject)
    fifth = connect()
    fifth.negotiate(hmac_signature=b"\x01" * 32)
    fifth.expect_terminate(TerminateCode.CME_ADMINISTERED_PORT_CLOSURE)
    for backup in (False, True):
        good = connect(backup=backup)
        good.negotiate()
        good.expect_terminate(TerminateCode.CME_ADMINISTERED_PORT_CLOSURE)
