"""A full disk: the venue stops rather than say what it cannot keep."""

import resource
import subprocess
import sys
from pathlib import Path

from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m

PRICE = 99 * 10**9


def test_a_full_disk_stops_the_venue_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    acknowledged = []
    venue = VenueProcess(tmp_path / "data", "--no-fsync", "--messaging-controls", "off")
    resource.prlimit(venue.process.pid, resource.RLIMIT_FSIZE, (600_000, 600_000))
    with RawClient(venue.address, venue.key()) as client:
        client.log_in()
        ub10 = venue.security_id("UB10")
        try:
            while True:
                name = b"O%d" % client.next_seq_no
                client.order(ub10, 1, PRICE, 1, name)
                acknowledged.append(client.expect(m.ExecutionReportNew).cl_ord_id)
        except (EOFError, ConnectionError):
            pass
        uuid, sent = client.uuid, client.next_seq_no
    output = venue.process.communicate(timeout=20)[0]
    assert venue.process.returncode == 1
    assert "ontherun stopped:" in output
    assert len(acknowledged) > 100

    with VenueProcess(tmp_path / "data", "--no-fsync") as again, RawClient(again.address, again.key()) as client:
        client.uuid = uuid
        client.establish(sent)
        assert client.expect(m.EstablishmentAck).next_seq_no >= len(acknowledged) + 1


def test_a_second_venue_on_the_same_data_is_refused_with_a_clear_message(tmp_path: Path) -> None:
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue:
        second = subprocess.run(
            [sys.executable, "-m", "ontherun", "up", "--data", str(venue.data), "--portal-port", "0"],
            env={"PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src"), "PATH": ""},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert second.returncode == 1
        assert "ontherun cannot start:" in second.stderr
        assert "Traceback" not in second.stderr


def test_a_port_that_is_taken_is_refused_with_a_clear_message(tmp_path: Path) -> None:
    with VenueProcess(tmp_path / "one", "--no-fsync") as venue:
        port = venue.ready["api_url"].rpartition(":")[2]
        second = subprocess.run(
            [
                sys.executable,
                "-m",
                "ontherun",
                "up",
                "--data",
                str(tmp_path / "two"),
                "--portal-port",
                port,
                "--gateway-port-base",
                "0",
            ],
            env={"PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src"), "PATH": ""},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert second.returncode == 1
        assert port in second.stderr
        assert "Traceback" not in second.stderr


def test_ctrl_c_ends_the_sessions_in_order_and_a_second_start_continues(tmp_path: Path) -> None:
    with VenueProcess(tmp_path / "data", "--no-fsync") as venue, RawClient(venue.address, venue.key()) as client:
        client.log_in()
        client.order(venue.security_id("UB10"), 1, PRICE, 1, b"KEPT")
        accepted = client.expect(m.ExecutionReportNew)
        code, output = venue.stop()
        assert code == 0
        assert output.endswith("stopped\n")
        assert client.expect(m.Terminate).error_codes == 0
        uuid = client.uuid
    with VenueProcess(tmp_path / "data", "--no-fsync") as again, RawClient(again.address, again.key()) as client:
        client.uuid = uuid
        client.establish(2)
        ack = client.expect(m.EstablishmentAck)
        assert (ack.next_seq_no, ack.uuid) == (2, uuid)
        cancel = m.OrderCancelRequest(
            order_id=accepted.order_id,
            party_details_list_req_id=client.key["party_details_list_req_id"],
            manual_order_indicator=0,
            seq_num=2,
            sender_id=b"T",
            cl_ord_id=b"C",
            order_request_id=1,
            sending_time_epoch=1,
            location=b"US,NY",
            security_id=accepted.security_id,
            side=1,
        )
        client.send(cancel.encode())
        assert client.expect(m.ExecutionReportCancel).order_id == accepted.order_id
