"""The codes of Terminate that a connection can show (CME client wiki, Terminate), and how a session ends."""

import time
from typing import Any

import pytest
from tests.support.gateway_host import GatewayHost

from ontherun.ilink import messages as m
from ontherun.ilink.codes import TerminateCode

from .conftest import Client, Connect


def terminate(client: Client, **changes: Any) -> bytes:
    fields = {"uuid": client.uuid, "request_timestamp": time.time_ns(), "error_codes": 0} | changes
    return m.Terminate(**fields).encode()


def test_0_finished_echoes_the_clients_timestamp_and_says_nothing_after_it(established: Client) -> None:
    established.send(terminate(established, request_timestamp=77))
    assert established.expect_terminate(TerminateCode.FINISHED).request_timestamp == 77
    assert established.rest() == b""


def test_1_establishment_timeout(host: GatewayHost, negotiated: Client) -> None:
    host.advance(61)
    negotiated.expect_terminate(TerminateCode.ESTABLISHMENT_TIMEOUT)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        (TerminateCode.INVALID_UUID, {"uuid": 1}),
        (TerminateCode.INVALID_TIMESTAMP, {"request_timestamp": 2**63}),
        (TerminateCode.REQUIRED_UUID_MISSING, {"uuid": m.UINT64_NULL}),
        (TerminateCode.REQUIRED_REQUEST_TIMESTAMP_MISSING, {"request_timestamp": m.UINT64_NULL}),
        (TerminateCode.REQUIRED_CODE_MISSING, {"error_codes": m.UINT16_NULL}),
        (TerminateCode.OTHER, {"error_codes": 7}),
    ],
    ids=lambda value: f"{value.value} {value.name}" if isinstance(value, TerminateCode) else "",
)
def test_a_terminate_that_is_wrong_itself(established: Client, code: TerminateCode, changes: dict[str, int]) -> None:
    established.send(terminate(established, **changes))
    established.expect_terminate(code)


@pytest.mark.parametrize("frame", ["0b00feca" + "00" * 8, "1a00cafe" + "00" * 22], ids=["size", "encoding"])
def test_18_invalid_sofh(established: Client, frame: str) -> None:
    established.send(bytes.fromhex(frame))
    established.expect_terminate(TerminateCode.INVALID_SOFH)
    assert established.closed()


@pytest.mark.parametrize(
    ("at", "value"), [(6, 999), (8, 9), (10, 7), (4, 3)], ids=["template", "schema", "version", "block"]
)
def test_19_decoding_error(established: Client, at: int, value: int) -> None:
    frame = m.Sequence(uuid=established.uuid, next_seq_no=1, keep_alive_interval_lapsed=0).encode()
    established.send(frame[:at] + value.to_bytes(2, "little") + frame[at + 2 :])
    established.expect_terminate(TerminateCode.DECODING_ERROR)


def test_21_required_next_seq_no_missing(established: Client) -> None:
    established.sequence(m.UINT32_NULL)
    established.expect_terminate(TerminateCode.REQUIRED_NEXT_SEQ_NO_MISSING)


def test_22_required_keep_alive_interval_lapsed_missing(established: Client) -> None:
    established.sequence(1, lapsed=m.UINT8_NULL)
    established.expect_terminate(TerminateCode.REQUIRED_KEEP_ALIVE_INTERVAL_LAPSED_MISSING)


def test_26_when_the_client_leaves_the_primary(connect: Connect, established: Client) -> None:
    backup = connect(backup=True, uuid=established.uuid)
    backup.establish(0)
    backup.expect(m.EstablishmentAck)
    established.terminate()
    backup.expect_terminate(TerminateCode.DISCONNECT_OR_TERMINATE_FROM_PRIMARY)


def test_terminate_ends_the_binding_and_not_the_session(connect: Connect, established: Client) -> None:
    established.bids(2)
    established.terminate()
    again = connect(uuid=established.uuid)
    again.establish(3)
    again.expect(m.EstablishmentAck)
    again.bid(3)
    assert again.expect(m.ExecutionReportNew).seq_num == 3


def test_silence_for_two_intervals_is_a_ping_and_then_terminate_20(host: GatewayHost, established: Client) -> None:
    host.advance(10)
    message = established.receive(sequences=True)
    assert (type(message), message.keep_alive_interval_lapsed) == (m.Sequence, 1)
    host.advance(10)
    established.expect_terminate(TerminateCode.KEEP_ALIVE_INTERVAL_LAPSED)
