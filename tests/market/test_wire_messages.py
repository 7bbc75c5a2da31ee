"""Decoded iLink messages go in as they are, and every field of every report has its source in an event."""

from ontherun.ilink import messages as wire
from ontherun.market import MarketSegment, parse_price
from ontherun.market.benchmarks import BENCHMARKS
from ontherun.market.terms import BUY, DAY, FILL_AND_KILL, LIMIT, SELL

from .messages import NOW, TRADE_DATE, UB10, Owner

REPORTS = {
    "OrderAccepted": wire.ExecutionReportNew,
    "OrderRejected": wire.ExecutionReportReject,
    "OrderEliminated": wire.ExecutionReportElimination,
    "OrderTraded": wire.ExecutionReportTradeOutright,
    "OrderModified": wire.ExecutionReportModify,
    "OrderCancelled": wire.ExecutionReportCancel,
    "CancelRejected": wire.OrderCancelReject,
    "ReplaceRejected": wire.OrderCancelReplaceReject,
    "BusinessRejected": wire.BusinessReject,
}

SESSION = {"seq_num": 1, "uuid": NOW // 1000, "sending_time_epoch": NOW, "poss_retrans_flag": 0, "transact_time": NOW}
"""What the session gives; TransactTime is the command's ``now``."""

OWN_NAMES = {
    "ord_rej_reason": "reason",
    "cxl_rej_reason": "reason",
    "business_reject_reason": "reason",
    "ref_tag_id": "ref_tag",
    "exec_restatement_reason": "restatement_reason",
    "last_px": "price",
    "last_qty": "qty",
    "aggressor_indicator": "aggressor",
}
"""Fields of reports whose attribute in the event is named after what it means there."""


def report(event):
    """The report of an event, each field taken from the first that has it: event, order, request, the order's terms."""
    kind = REPORTS[type(event).__name__]
    order, request = getattr(event, "order", None), getattr(event, "request", None)
    sources = [event, order, request, getattr(order, "terms", None)]
    fields = {}
    for name in kind.__slots__:
        inside = OWN_NAMES.get(name)
        if inside is not None and hasattr(event, inside):
            fields[name] = getattr(event, inside)
        elif name in SESSION:
            fields[name] = SESSION[name]
        else:
            holders = sources[1:] if name == "price" else sources  # a trade's own price is LastPx
            source = next((source for source in holders if hasattr(source, name)), None)
            if source is not None:
                fields[name] = getattr(source, name)
    if kind is wire.BusinessReject:
        fields |= {"ref_msg_type": request.MSG_TYPE.encode(), "ref_seq_num": request.seq_num}
        fields["business_reject_ref_id"] = request.order_request_id
    if kind is wire.ExecutionReportTradeOutright:
        fields |= {"ownership": 9, "ord_status": 1 if event.leaves_qty else 2}
        trade = wire.execution_report_trade_outright
        fields["no_fills"] = [
            trade.ExecutionReportTradeOutrightNoFills(
                fill_px=event.price, fill_qty=event.qty, fill_exec_id=b"00", fill_yield_type=1
            )
        ]
        fields["no_order_events"] = [
            trade.ExecutionReportTradeOutrightNoOrderEvents(
                order_event_px=event.price,
                order_event_exec_id=number,
                order_event_qty=qty,
                order_event_type=kind_of,
                order_event_reason=100,
            )
            for number, qty, kind_of in event.order_events
        ]
    return kind.decode(kind(**fields).encode())


class Client:
    def __init__(self, market, session):
        self.market = market
        self.owner = Owner(session)

    def new(self, cl_ord_id, side, qty, price, time_in_force=DAY, party=1):
        order = wire.NewOrderSingle(
            price=parse_price(price),
            order_qty=qty,
            security_id=UB10.security_id,
            side=side,
            seq_num=11,
            sender_id=b"TRADER",
            cl_ord_id=cl_ord_id,
            party_details_list_req_id=party,
            order_request_id=4711,
            sending_time_epoch=NOW,
            location=b"US,NY",
            ord_type=LIMIT,
            time_in_force=time_in_force,
            manual_order_indicator=1,
            exec_inst=0,
        )
        return self.send(self.market.new_order, order)

    def replace(self, cl_ord_id, side, qty, price):
        request = wire.OrderCancelReplaceRequest(
            price=parse_price(price),
            order_qty=qty,
            security_id=UB10.security_id,
            side=side,
            seq_num=12,
            sender_id=b"TRADER",
            cl_ord_id=cl_ord_id,
            party_details_list_req_id=1,
            order_request_id=4712,
            sending_time_epoch=NOW,
            location=b"US,NY",
            ord_type=LIMIT,
            time_in_force=DAY,
            manual_order_indicator=0,
            ofm_override=1,
            exec_inst=0,
        )
        return self.send(self.market.replace, request)

    def cancel(self, cl_ord_id, side):
        request = wire.OrderCancelRequest(
            party_details_list_req_id=1,
            manual_order_indicator=0,
            seq_num=13,
            sender_id=b"TRADER",
            cl_ord_id=cl_ord_id,
            order_request_id=4713,
            sending_time_epoch=NOW,
            location=b"US,NY",
            security_id=UB10.security_id,
            side=side,
        )
        return self.send(self.market.cancel, request)

    def send(self, command, message):
        assert message.fault() is None
        reports = [report(event) for event in command(self.owner, wire.decode(message.encode()), NOW)]
        assert [each.fault() for each in reports] == [None] * len(reports)
        return reports


def test_a_conversation_in_wire_messages():
    market = MarketSegment(40, BENCHMARKS)
    abc, xyz = Client(market, "ABC"), Client(market, "XYZ")

    [new] = abc.new(b"1", SELL, 5, "99-16")
    assert (new.cl_ord_id, new.order_qty, new.price, new.order_request_id) == (b"1", 5, 99_500_000_000, 4711)
    assert new.transact_time == NOW

    [modified] = abc.replace(b"1", SELL, 4, "99-16")
    assert (modified.order_id, modified.cum_qty, modified.leaves_qty) == (new.order_id, 0, 4)

    new, resting, aggressor, eliminated = xyz.new(b"9", BUY, 6, "99-17", FILL_AND_KILL)
    assert (resting.order_id, resting.last_px, resting.last_qty) == (modified.order_id, 99_500_000_000, 4)
    assert (aggressor.price, aggressor.last_px) == (99_531_250_000, 99_500_000_000)
    assert (aggressor.order_qty, aggressor.cum_qty, aggressor.leaves_qty, aggressor.ord_status) == (6, 4, 2, 1)
    assert (resting.ord_status, resting.trade_date, resting.aggressor_indicator) == (2, TRADE_DATE, 0)
    assert resting.no_order_events[0].order_event_exec_id == aggressor.no_order_events[0].order_event_exec_id
    assert (eliminated.order_id, eliminated.cum_qty) == (new.order_id, 4)

    abc.new(b"2", BUY, 1, "99-00")
    [cancelled] = abc.cancel(b"2", BUY)
    assert (cancelled.cl_ord_id, cancelled.order_request_id, cancelled.exec_restatement_reason) == (b"2", 4713, 255)

    [rejected] = abc.new(b"3", BUY, 0, "99-00")
    assert (rejected.ord_rej_reason, rejected.order_id) == (2115, 0)
    [rejected] = abc.cancel(b"3", BUY)
    assert rejected.cxl_rej_reason == 2045
    [rejected] = abc.replace(b"3", BUY, 1, "99-00")
    assert rejected.cxl_rej_reason == 2045
    [refused] = abc.new(b"4", BUY, 1, "99-00", party=9)
    assert (refused.business_reject_reason, refused.ref_tag_id, refused.ref_msg_type) == (1, 1505, b"D")
    assert (refused.ref_seq_num, refused.business_reject_ref_id) == (11, 4711)
