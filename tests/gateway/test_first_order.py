"""One real order, end to end, over a socket to another process."""

from collections.abc import Callable, Iterator
from types import ModuleType

import pytest
from tests.support.raw_client import RawClient
from tests.support.venue_process import VenueProcess

from ontherun.ilink import messages as m

PRICE = 99 * 10**9


@pytest.fixture
def firms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[VenueProcess, RawClient, RawClient]]:
    with (
        VenueProcess(tmp_path_factory.mktemp("first_order") / "data", "--no-fsync") as venue,
        RawClient(venue.address, venue.key(0)) as one,
        RawClient(venue.address, venue.key(1)) as two,
    ):
        one.log_in()
        two.log_in()
        yield venue, one, two


def test_two_firms_trade_and_both_are_told(firms: tuple[VenueProcess, RawClient, RawClient]) -> None:
    venue, seller, buyer = firms
    ub10 = venue.security_id("UB10")

    seller.order(ub10, 2, PRICE, 10, b"SELL-1")
    resting = seller.expect(m.ExecutionReportNew)
    assert (resting.seq_num, resting.uuid, resting.cl_ord_id) == (1, seller.uuid, b"SELL-1")

    buyer.order(ub10, 1, PRICE, 4, b"BUY-1", sender_id=b"trader2")
    accepted = buyer.expect(m.ExecutionReportNew)
    assert (accepted.seq_num, accepted.sender_id) == (1, b"TRADER2")
    bought = buyer.expect(m.ExecutionReportTradeOutright)
    sold = seller.expect(m.ExecutionReportTradeOutright)

    assert (bought.seq_num, bought.last_px, bought.last_qty, bought.cum_qty, bought.leaves_qty) == (2, PRICE, 4, 4, 0)
    assert (sold.seq_num, sold.last_px, sold.last_qty, sold.cum_qty, sold.leaves_qty) == (2, PRICE, 4, 4, 6)
    assert (bought.ord_status, sold.ord_status) == (2, 1)
    assert (bought.aggressor_indicator, sold.aggressor_indicator) == (1, 0)
    assert bought.md_trade_entry_id == sold.md_trade_entry_id
    assert bought.no_order_events[0].order_event_exec_id == sold.no_order_events[0].order_event_exec_id
    assert bought.order_id == accepted.order_id
    assert sold.order_id == resting.order_id


def test_an_order_is_replaced_and_cancelled(firms: tuple[VenueProcess, RawClient, RawClient]) -> None:
    venue, client, _ = firms
    ub10 = venue.security_id("UB10")
    order = client.order(ub10, 1, PRICE, 10, b"B1")
    order_id = client.expect(m.ExecutionReportNew).order_id

    shared = {
        name: getattr(order, name)
        for name in ("security_id", "side", "sender_id", "location", "party_details_list_req_id")
    }
    client.send(
        m.OrderCancelReplaceRequest(
            **shared,
            price=PRICE,
            order_qty=7,
            seq_num=2,
            cl_ord_id=b"B2",
            order_id=order_id,
            order_request_id=2,
            sending_time_epoch=1,
            ord_type=ord("2"),
            time_in_force=0,
            manual_order_indicator=0,
            ofm_override=0,
            exec_inst=0,
        ).encode()
    )
    modified = client.expect(m.ExecutionReportModify)
    assert (modified.order_id, modified.order_qty, modified.leaves_qty, modified.cl_ord_id) == (order_id, 7, 7, b"B2")

    client.send(
        m.OrderCancelRequest(
            **shared,
            order_id=order_id,
            seq_num=3,
            cl_ord_id=b"C1",
            order_request_id=3,
            sending_time_epoch=1,
            manual_order_indicator=0,
        ).encode()
    )
    cancelled = client.expect(m.ExecutionReportCancel)
    assert (cancelled.order_id, cancelled.exec_restatement_reason, cancelled.seq_num) == (order_id, m.UINT8_NULL, 3)


def test_what_could_not_fill_at_once_is_eliminated(firms: tuple[VenueProcess, RawClient, RawClient]) -> None:
    venue, seller, buyer = firms
    ub10 = venue.security_id("UB10")
    seller.order(ub10, 2, PRICE, 3, b"S1")
    seller.expect(m.ExecutionReportNew)

    buyer.order(ub10, 1, PRICE, 5, b"FAK", time_in_force=3)
    buyer.expect(m.ExecutionReportNew)
    assert buyer.expect(m.ExecutionReportTradeOutright).last_qty == 3
    assert buyer.expect(m.ExecutionReportElimination).cum_qty == 3

    buyer.order(ub10, 1, PRICE, 5, b"FOK", time_in_force=4)
    buyer.expect(m.ExecutionReportNew)
    assert buyer.expect(m.ExecutionReportElimination).cum_qty == 0


@pytest.mark.schema
@pytest.mark.parametrize("version", [8, 9])
def test_a_peer_on_the_exchanges_own_file_logs_in_and_trades(
    firms: tuple[VenueProcess, RawClient, RawClient],
    generated_from: Callable[[int], ModuleType],
    version: int,
) -> None:
    """A client whose messages were generated from the exchange's file of that version, and from nothing of ours."""
    venue, seller, buyer = firms
    buyer.terminate()
    theirs = generated_from(version)
    assert version == theirs.Negotiate.VERSION
    with RawClient(venue.address, venue.key(1), theirs) as client:
        assert client.log_in().next_seq_no == 1
        seller.order(venue.security_id("UB05"), 2, PRICE, 2, b"S1")
        seller.expect(m.ExecutionReportNew)
        client.order(venue.security_id("UB05"), 1, PRICE, 2, b"B1")
        assert client.expect(theirs.ExecutionReportNew).cl_ord_id == b"B1"
        traded = client.expect(theirs.ExecutionReportTradeOutright)
        assert (traded.last_qty, traded.no_order_events[0].order_event_qty) == (2, 2)
        assert client.terminate().error_codes == 0


def test_what_happens_while_logged_out_can_be_fetched(firms: tuple[VenueProcess, RawClient, RawClient]) -> None:
    venue, seller, buyer = firms
    ub10 = venue.security_id("UB10")
    seller.order(ub10, 2, PRICE, 10, b"S1")
    seller.expect(m.ExecutionReportNew)
    seller.terminate()
    buyer.order(ub10, 1, PRICE, 4, b"B1")
    buyer.expect(m.ExecutionReportNew)
    buyer.expect(m.ExecutionReportTradeOutright)

    with RawClient(venue.address, venue.key(0)) as again:
        again.uuid = seller.uuid
        again.establish(seller.next_seq_no)
        assert again.expect(m.EstablishmentAck).next_seq_no == 3
        again.send(m.RetransmitRequest(uuid=again.uuid, request_timestamp=1, from_seq_no=2, msg_count=1).encode())
        assert again.expect(m.Retransmission).msg_count == 1
        missed = again.expect(m.ExecutionReportTradeOutright)
        assert (missed.seq_num, missed.poss_retrans_flag, missed.last_qty) == (2, 1, 4)


def test_nothing_is_sent_after_the_terminate_of_this_side(firms: tuple[VenueProcess, RawClient, RawClient]) -> None:
    venue, seller, buyer = firms
    ub10 = venue.security_id("UB10")
    seller.order(ub10, 2, PRICE, 10, b"S1")
    seller.expect(m.ExecutionReportNew)
    seller.terminate()
    buyer.order(ub10, 1, PRICE, 4, b"B1")
    buyer.expect(m.ExecutionReportNew)
    buyer.expect(m.ExecutionReportTradeOutright)
    assert seller.rest() == b""
