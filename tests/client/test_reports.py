from collections.abc import Callable
from dataclasses import FrozenInstanceError
from decimal import Decimal
from typing import Any

import pytest

from ontherun.client import (
    Accepted,
    BusinessRejected,
    Cancelled,
    CancelRejected,
    Eliminated,
    Fill,
    Instruments,
    Modified,
    Rejected,
    ReplaceRejected,
    Report,
    Side,
    TimeInForce,
    TradeChanged,
    Traded,
)
from ontherun.client.reading import read_report
from ontherun.ilink.codes import BusinessRejectReason
from ontherun.ilink.messages import (
    INT64_NULL,
    UINT8_NULL,
    ExecutionReportTradeAddendumOutrightNoOrderEvents,
    ExecutionReportTradeOutrightNoOrderEvents,
)
from ontherun.ilink.messages.enums import ExecReason
from ontherun.market.refusals import RejectReason

Build = Callable[..., Any]
UB10 = Instruments({"UB10": 400_010})


def read(message: Any) -> Any:
    return read_report(message, UB10)


def test_an_accepted_order_is_read_in_pythons_own_types(build: Build) -> None:
    message = build("ExecutionReportNew", seq_num=7, sending_time_epoch=9, transact_time=8, order_request_id=3)
    report = read(message)
    assert isinstance(report, Accepted)
    assert (report.security, report.security_id, report.side) == ("UB10", 400_010, Side.BUY)
    assert (report.price, report.order_qty) == (Decimal("99.515625"), 5)
    assert (report.cl_ord_id, report.order_id, report.sender_id) == ("C1", 4_000_001, "TRADER1")
    assert (report.seq_num, report.sending_time, report.transact_time, report.order_request_id) == (7, 9, 8, 3)
    assert report.time_in_force is TimeInForce.DAY
    assert not report.again
    assert report.message is message
    assert str(report) == "accepted: buy 5 UB10 at 99-16+, day, order 4000001"


def test_nulls_are_none_and_an_absent_time_in_force_is_day(build: Build) -> None:
    report = read(build("ExecutionReportReject", price=INT64_NULL, order_id=0, time_in_force=UINT8_NULL))
    assert (report.price, report.order_id) == (None, None)
    assert report.time_in_force is TimeInForce.DAY
    accepted = read(build("ExecutionReportNew"))
    assert (accepted.min_qty, accepted.display_qty) == (None, None)


def test_given_quantities_are_numbers(build: Build) -> None:
    report = read(build("ExecutionReportNew", min_qty=2, display_qty=3))
    assert (report.min_qty, report.display_qty) == (2, 3)


def test_a_message_fetched_again_says_so(build: Build) -> None:
    assert read(build("ExecutionReportNew", poss_retrans_flag=1)).again


def test_a_rejected_order_says_why(build: Build) -> None:
    report = read(build("ExecutionReportReject", ord_rej_reason=2115, text=b"Order quantity is outside"))
    assert isinstance(report, Rejected)
    assert report.reason is RejectReason.QUANTITY_OUT_OF_RANGE
    assert str(report) == ("rejected: buy 5 UB10 at 99-16+: 2115 (quantity out of range): Order quantity is outside")


def test_a_code_that_no_list_knows_stays_a_number(build: Build) -> None:
    report = read(build("ExecutionReportReject", ord_rej_reason=31_999, side=9))
    assert (report.reason, report.side) == (31_999, 9)
    assert "31999" in str(report)


def test_a_trade_holds_its_fills(build: Build) -> None:
    events = [
        ExecutionReportTradeOutrightNoOrderEvents(
            order_event_px=99_500_000_000, order_event_exec_id=number, order_event_qty=qty, order_event_reason=100
        )
        for number, qty in ((11, 1), (12, 2))
    ]
    report = read(
        build(
            "ExecutionReportTradeOutright",
            last_px=99_500_000_000,
            last_qty=3,
            cum_qty=3,
            leaves_qty=2,
            aggressor_indicator=1,
            no_order_events=events,
            no_fills=[],
        )
    )
    assert isinstance(report, Traded)
    assert (report.last_px, report.last_qty, report.leaves_qty) == (Decimal("99.5"), 3, 2)
    assert report.fills == (Fill(11, Decimal("99.5"), 1), Fill(12, Decimal("99.5"), 2))
    assert report.aggressor
    assert not report.filled
    assert str(report) == "traded: bought 3 UB10 at 99-16, 2 open, order 4000001"


def test_a_full_fill_and_a_sale_are_told(build: Build) -> None:
    report = read(build("ExecutionReportTradeOutright", side=2, last_qty=5, no_order_events=[], no_fills=[]))
    assert report.filled
    assert "sold 5 UB10" in str(report)
    assert "filled" in str(report)


def test_a_cancel_says_whether_it_was_asked_for(build: Build) -> None:
    asked = read(build("ExecutionReportCancel", cum_qty=2))
    unasked = read(build("ExecutionReportCancel", exec_restatement_reason=100))
    assert isinstance(asked, Cancelled)
    assert asked.restatement is None
    assert str(asked) == "cancelled: buy 5 UB10 at 99-16+, 2 of 5 filled, order 4000001"
    assert unasked.restatement is ExecReason.CANCEL_ON_DISCONNECT
    assert str(unasked).startswith("cancelled by the venue (cancel on disconnect)")


def test_a_changed_trade_says_what_it_was_and_is(build: Build) -> None:
    event = ExecutionReportTradeAddendumOutrightNoOrderEvents(
        order_event_px=99_500_000_000,
        order_event_exec_id=12,
        order_event_qty=4,
        order_event_type=101,
        order_event_reason=100,
        original_order_event_exec_id=11,
    )
    fields = {"last_px": 99_500_000_000, "last_qty": 4, "no_order_events": [event], "no_fills": []}
    corrected = read(build("ExecutionReportTradeAddendumOutright", exec_type=ord("G"), **fields))
    assert isinstance(corrected, TradeChanged)
    assert (corrected.exec_id, corrected.original_exec_id, corrected.cancelled) == (12, 11, False)
    assert str(corrected) == "trade 11 corrected: buy 4 UB10 at 99-16"
    assert "trade 11 cancelled" in str(
        read(build("ExecutionReportTradeAddendumOutright", exec_type=ord("H"), **fields))
    )


def test_the_other_reports_are_typed(build: Build) -> None:
    assert isinstance(read(build("ExecutionReportElimination", time_in_force=3)), Eliminated)
    assert isinstance(read(build("ExecutionReportModify", leaves_qty=5)), Modified)
    assert isinstance(read(build("OrderCancelReject", cxl_rej_reason=2045)), CancelRejected)
    assert isinstance(read(build("OrderCancelReplaceReject", cxl_rej_reason=2045)), ReplaceRejected)


def test_a_business_reject_names_the_message_and_the_field(build: Build) -> None:
    report = read(
        build(
            "BusinessReject",
            business_reject_reason=133,
            text=b"Duplicate ClOrdID: C1 not allowed",
            ref_seq_num=4,
            ref_tag_id=11,
            ref_msg_type=b"D",
            business_reject_ref_id=9,
        )
    )
    assert isinstance(report, BusinessRejected)
    assert report.reason is BusinessRejectReason.DUPLICATE_CL_ORD_ID
    assert (report.ref_seq_num, report.ref_tag, report.ref_msg_type, report.ref_id) == (4, 11, "D", 9)
    assert str(report) == "business reject: 133 (duplicate cl ord id): Duplicate ClOrdID: C1 not allowed, tag 11"
    assert read(build("BusinessReject")).ref_seq_num is None


def test_a_message_without_a_class_is_still_a_report(build: Build) -> None:
    message = build("RequestForQuoteAck", seq_num=3)
    report = read(message)
    assert type(report) is Report
    assert (report.seq_num, report.message) == (3, message)
    assert str(report) == "RequestForQuoteAck"


def test_a_report_cannot_be_changed(build: Build) -> None:
    with pytest.raises(FrozenInstanceError):
        read(build("ExecutionReportNew")).price = 1
