"""A venue with its own instruments: those of a file, kept for as long as its journal."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_thread import VenueThread

from ontherun.ilink import messages as m
from ontherun.journal import JournalError
from ontherun.market.benchmarks import BENCHMARKS
from ontherun.market.reference_data import read_instruments, write_instruments
from ontherun.market.terms import ALL_OR_NONE

WHOLE = replace(BENCHMARKS[0], security_id=400_902, symbol="AON02", all_or_none=True, display_allowed=False)


def test_a_file_makes_the_market_and_another_one_is_refused(tmp_path: Path) -> None:
    mine = read_instruments(write_instruments([WHOLE]))
    with VenueThread(tmp_path / "data", segments=mine) as venue, RawClient(venue.address(40), venue.key()) as client:
        client.log_in()
        client.order(WHOLE.security_id, 1, 99 * 10**9, 5, b"AON", exec_inst=ALL_OR_NONE)
        client.expect(m.ExecutionReportNew)
        client.order(BENCHMARKS[0].security_id, 1, 99 * 10**9, 5, b"OTHER")
        assert client.expect(m.ExecutionReportReject).ord_rej_reason == 2047
    with VenueThread(tmp_path / "data", segments=mine) as venue:
        assert [instrument.symbol for instrument in venue.venue.instruments()] == ["AON02"]
    other = read_instruments(write_instruments([replace(WHOLE, max_qty=7)]))
    with (
        pytest.raises(JournalError, match="began with other instruments"),
        VenueThread(tmp_path / "data", segments=other),
    ):
        pass
