"""What holds for a session's primary and its backup port alike: closure, and the addresses that it may come from."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.gateway_host import GatewayHost
from tests.support.raw_client import RawClient

from ontherun.ilink import messages as m
from ontherun.ilink.codes import EstablishmentRejectCode, NegotiationRejectCode, TerminateCode


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GatewayHost]:
    with GatewayHost(tmp_path) as running:
        yield running


def answered(address: tuple[str, int], host: GatewayHost, **changes: bytes) -> tuple[type[object], int]:
    """What answers a Negotiate of session ABC: which message, and its code."""
    with RawClient(address, host.key()) as client:
        client.negotiate(**changes)
        message = client.receive()
        return type(message), getattr(message, "error_codes", -1)


WRONG = {"hmac_signature": b"\1" * 32}


def test_bad_logins_on_either_port_close_both_and_an_administrator_opens_both(host: GatewayHost) -> None:
    rejected = (m.NegotiationReject, NegotiationRejectCode.HMAC_NOT_AUTHENTICATED)
    closed = (m.Terminate, TerminateCode.CME_ADMINISTERED_PORT_CLOSURE)
    said = [answered(address, host, **WRONG) for address in (host.address, host.backup, host.address, host.backup)]
    assert said == [rejected] * 4
    assert answered(host.backup, host, **WRONG) == closed
    assert [answered(address, host) for address in (host.address, host.backup)] == [closed] * 2
    host.ask(lambda: host.gateway.open_port("ABC"))
    assert answered(host.address, host) == (m.NegotiationResponse, -1)
    assert answered(host.backup, host)[1] == NegotiationRejectCode.DESIGNATED_BACKUP


def test_closed_ports_end_the_backup_with_the_primary(host: GatewayHost) -> None:
    with RawClient(host.address, host.key()) as primary, RawClient(host.backup, host.key()) as backup:
        primary.log_in()
        backup.uuid = primary.uuid
        backup.establish(0)
        backup.expect(m.EstablishmentAck)
        for _ in range(5):
            answered(host.address, host, **WRONG)
        for client in (primary, backup):
            assert client.expect(m.Terminate).error_codes in (
                TerminateCode.CME_ADMINISTERED_PORT_CLOSURE,
                TerminateCode.DISCONNECT_OR_TERMINATE_FROM_PRIMARY,
            )


def test_an_address_that_is_not_allowed_is_refused_on_both_ports_and_never_counted(host: GatewayHost) -> None:
    host.directory.elsewhere = True
    for _ in range(4):
        for address in (host.address, host.backup):
            assert answered(address, host) == (m.NegotiationReject, EstablishmentRejectCode.SESSION_BLOCKED)
    host.directory.elsewhere = False
    assert answered(host.address, host) == (m.NegotiationResponse, -1)
