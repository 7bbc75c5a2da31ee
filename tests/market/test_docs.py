"""``docs/market*.md`` say what the market does: their conversations run, the tables are complete."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ontherun.market import (
    BENCHMARKS,
    BusinessRejectReason,
    CancelRejected,
    OrderAccepted,
    OrderCancelled,
    OrderEliminated,
    OrderModified,
    OrderRejected,
    OrderTraded,
    RejectReason,
    format_32nds,
    format_price,
)
from ontherun.market.terms import BUY, SELL

from .messages import UB10, Trader, market

DOCS = Path(__file__, "../../../docs").resolve()
TEXT = (DOCS / "market.md").read_text("utf-8")
CONVERSATIONS = [
    pytest.param(conversation, id=f"{path.stem}-{number}")
    for path in sorted(DOCS.glob("market*.md"))
    for number, conversation in enumerate(
        re.findall(r"```conversation\n(.*?)```", path.read_text("utf-8"), re.DOTALL), start=1
    )
]
ALL_OR_NONE_BOOK = replace(UB10, symbol="AON", security_id=400_910, all_or_none=True, display_allowed=False)
SIDES = {"buy": BUY, "sell": SELL}


def written(event):
    """An event in the notation of the conversations."""
    match event:
        case OrderAccepted(order=order):
            return f"522 New {named(order)} 38={order.terms.order_qty} 44={format_32nds(order.terms.price)}"
        case OrderTraded(order=order):
            amounts = f"31={format_32nds(event.price)} 32={event.qty} 14={event.cum_qty} 151={event.leaves_qty}"
            state = f"39={1 if event.leaves_qty else 2} 1057={'NY'[event.aggressor]} 37711={event.md_trade_entry_id}"
            parts = " ".join(f"(1797={number} 1800={qty} 1796={kind})" for number, qty, kind in event.order_events)
            return f"525 Trade {named(order)} {amounts} {state} {parts}"
        case OrderEliminated(order=order):
            return f"524 Elimination {named(order)} 14={order.cum_qty}"
        case OrderModified(order=order):
            terms = f"38={order.terms.order_qty} 44={format_32nds(order.terms.price)}"
            return f"531 Modify {named(order)} {terms} 14={event.cum_qty} 151={event.leaves_qty}"
        case OrderCancelled(order=order):
            return f"534 Cancel {named(order)} 14={order.cum_qty} 378={event.restatement_reason}"
        case CancelRejected():
            return f"535 Cancel Reject 11={event.request.cl_ord_id.decode()} 102={int(event.reason)}"
        case OrderRejected():
            return f"523 Reject 11={event.request.cl_ord_id.decode()} 103={int(event.reason)}"


def named(order):
    return f"11={order.terms.cl_ord_id.decode()}"


def send(trader, words):
    """Carry out ``buy A1 2 99-16 time_in_force=3``, ``replace A1 buy 2 99-16`` or ``cancel A1 buy``."""
    fields = {name: int(value) for name, value in (word.split("=") for word in words if "=" in word)}
    command, cl_ord_id, *rest = (word for word in words if "=" not in word)
    match command, rest:
        case "cancel", [side]:
            return trader.cancel(cl_ord_id.encode(), SIDES[side], **fields)
        case "replace", [side, qty, price]:
            return trader.replace(cl_ord_id.encode(), SIDES[side], int(qty), price, **fields)
        case side, [qty, price]:
            return trader.new(cl_ord_id.encode(), SIDES[side], int(qty), price, **fields)


@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_a_conversation_of_the_documentation_is_what_happens(conversation):
    segment = market(*BENCHMARKS, ALL_OR_NONE_BOOK)
    traders = {session: Trader(segment, session) for session in ("ABC", "XYZ")}
    said = []
    for line in conversation.splitlines():
        session, direction, *words = line.split()
        if direction == ">":
            said.append(line)
            said += [f"{session_of(event)} < {written(event)}" for event in send(traders[session], words)]
    assert said == conversation.splitlines()


def session_of(event):
    owner = event.owner if hasattr(event, "owner") else event.order.owner
    return owner.sender_comp[:3]


def test_there_are_conversations():
    assert len(CONVERSATIONS) >= 8


def test_every_reject_code_is_in_the_table_of_checks():
    table = TEXT[TEXT.index("## Order of the checks") : TEXT.index("## States")]
    assert [reason for reason in RejectReason if not re.search(rf"\b{int(reason)}\b", table)] == []
    assert [reason for reason in BusinessRejectReason if f"380 = {int(reason)} " not in table] == []


def test_the_table_of_instruments_is_the_reference_data():
    for instrument in BENCHMARKS:
        row = next(line for line in TEXT.splitlines() if line.startswith(f"| {instrument.symbol} "))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[1] == str(instrument.security_id)
        assert cells[2].endswith(f"= {format_price(instrument.tick)}")
        assert (instrument.min_qty, instrument.max_qty, instrument.qty_increment) == (1, 5_000, 1)
        prices = (instrument.low_limit, instrument.high_limit, instrument.low_band, instrument.high_band)
        assert [format_price(price) for price in prices] == ["50", "150", "75", "125"]
