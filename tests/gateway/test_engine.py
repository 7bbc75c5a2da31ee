"""The engine: the same entries give the same bytes."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontherun.gateway.engine import Engine, instruments_body
from ontherun.gateway.entries import Entry, Kind, decode, encode, json_body
from ontherun.gateway.lane import Lane
from ontherun.ilink import messages as m
from ontherun.ilink.codes import BusinessRejectReason
from ontherun.ilink.records import Established, Negotiated, Role
from ontherun.market.benchmarks import BENCHMARKS
from ontherun.market.policy import SegmentPolicy

NOW = 1_767_225_600_000_000_000
UUID = 1_767_225_600_000_000
UB10 = next(i.security_id for i in BENCHMARKS if i.symbol == "UB10")
PRICE = 99 * 10**9
TICK = 15_625_000
SESSIONS = ("AAA", "BBB")
NO_DETAILS: dict[str, object] = {"id": 1, "account": "", "self_match_prevention_id": m.UINT64_NULL}


def login_entries() -> list[Entry]:
    """Reference data, and two sessions that have logged in and may name party details 1."""
    entries = [Entry(Kind.MARKET, 0, NOW, instruments_body(BENCHMARKS))]
    for lane, session in enumerate(SESSIONS):
        entries += [
            Entry(Kind.LANE, lane, NOW, json_body({"session": session})),
            Entry(Kind.RECORD, lane, NOW, Negotiated(session, 40, NOW, "FIRM" + session[0], UUID, NOW).to_bytes()),
            Entry(
                Kind.RECORD,
                lane,
                NOW,
                Established(session, 40, NOW, "FIRM" + session[0], UUID, NOW + 1, Role.PRIMARY).to_bytes(),
            ),
            Entry(Kind.PARTY, lane, NOW, json_body(NO_DETAILS | {"firm": "FIRM" + session[0]})),
        ]
    return entries


def started() -> Engine:
    engine = Engine(40, SegmentPolicy())
    for entry in login_entries():
        engine.apply(entry)
    return engine


def order(seq_num: int, **changes: object) -> m.NewOrderSingle:
    fields: dict[str, object] = {
        "price": PRICE,
        "order_qty": 5,
        "security_id": UB10,
        "side": 1,
        "seq_num": seq_num,
        "sender_id": b"Trader1",
        "cl_ord_id": b"ORDER%d" % seq_num,
        "party_details_list_req_id": 1,
        "order_request_id": 77,
        "sending_time_epoch": NOW,
        "location": b"US,NY",
        "ord_type": ord("2"),
        "time_in_force": 0,
        "manual_order_indicator": 1,
        "exec_inst": 0,
    }
    return m.NewOrderSingle(**(fields | changes))  # type: ignore[arg-type]


def said(engine: Engine, session: str = "AAA") -> list[m.Message]:
    """What this turn says to one session, decoded; the turn is over then."""
    engine.outputs_crc()
    frames = list(engine.lanes[session].out)
    engine.end_turn()
    return [m.decode(frame) for frame in frames]


def test_the_report_of_an_accepted_order_has_every_field() -> None:
    engine = started()
    lane = engine.lanes["AAA"]
    frame = order(1).encode()
    assert engine.take(lane, frame, 0, len(frame), NOW + 5) == len(frame)
    (report,) = said(engine)
    assert report == m.ExecutionReportNew(
        seq_num=1,
        uuid=UUID,
        exec_id=b"40:1",
        sender_id=b"TRADER1",
        cl_ord_id=b"ORDER1",
        party_details_list_req_id=1,
        order_id=400_000_000_000_001,
        price=PRICE,
        transact_time=NOW + 5,
        sending_time_epoch=NOW + 5,
        order_request_id=77,
        location=b"US,NY",
        security_id=UB10,
        order_qty=5,
        ord_type=ord("2"),
        side=1,
        time_in_force=0,
        manual_order_indicator=1,
        poss_retrans_flag=0,
        exec_inst=0,
    )


def test_the_report_of_a_trade_has_every_field() -> None:
    engine = started()
    for session, side, quantity in (("BBB", 2, 2), ("BBB", 2, 2), ("AAA", 1, 3)):
        lane = engine.lanes[session]
        frame = order(lane.stream.next_inbound, side=side, order_qty=quantity, manual_order_indicator=0).encode()
        engine.take(lane, frame, 0, len(frame), NOW + 5)
    sold = [m.decode(frame) for frame in engine.lanes["BBB"].out[2:]]
    _, bought = said(engine)
    shared = {
        "uuid": UUID,
        "sender_id": b"TRADER1",
        "party_details_list_req_id": 1,
        "last_px": PRICE,
        "price": PRICE,
        "transact_time": NOW + 5,
        "sending_time_epoch": NOW + 5,
        "order_request_id": 77,
        "location": b"US,NY",
        "security_id": UB10,
        "trade_date": NOW // (86_400 * 10**9),
        "ord_type": ord("2"),
        "time_in_force": 0,
        "manual_order_indicator": 0,
        "poss_retrans_flag": 0,
        "exec_inst": 0,
        "ownership": 9,
        "md_trade_entry_id": 1,
    }
    assert bought == m.ExecutionReportTradeOutright(
        **shared,
        seq_num=2,
        exec_id=b"40:6",
        cl_ord_id=b"ORDER1",
        order_id=400_000_000_000_003,
        sec_exec_id=400_000_000_000_006,
        order_qty=3,
        last_qty=3,
        cum_qty=3,
        leaves_qty=0,
        side_trade_id=3,
        ord_status=2,
        side=1,
        aggressor_indicator=1,
        no_fills=[fill(3)],
        no_order_events=[order_event(1, 2, 4), order_event(2, 1, 5)],
    )
    first, second = sold
    assert second == m.ExecutionReportTradeOutright(
        **shared,
        seq_num=4,
        exec_id=b"40:5",
        cl_ord_id=b"ORDER2",
        order_id=400_000_000_000_002,
        sec_exec_id=400_000_000_000_005,
        order_qty=2,
        last_qty=1,
        cum_qty=1,
        leaves_qty=1,
        side_trade_id=2,
        ord_status=1,
        side=2,
        aggressor_indicator=0,
        no_fills=[fill(1)],
        no_order_events=[order_event(2, 1, 4)],
    )
    assert isinstance(first, m.ExecutionReportTradeOutright)
    assert (first.last_qty, first.leaves_qty, first.ord_status) == (2, 0, 2)


def fill(quantity: int) -> m.ExecutionReportTradeOutrightNoFills:
    return m.ExecutionReportTradeOutrightNoFills(
        fill_px=PRICE, fill_qty=quantity, fill_exec_id=b"00", fill_yield_type=1
    )


def order_event(exec_id: int, quantity: int, kind: int) -> m.ExecutionReportTradeOutrightNoOrderEvents:
    return m.ExecutionReportTradeOutrightNoOrderEvents(
        order_event_px=PRICE,
        order_event_exec_id=exec_id,
        order_event_qty=quantity,
        order_event_type=kind,
        order_event_reason=100,
    )


def test_frames_are_taken_up_to_the_first_that_is_not_whole() -> None:
    engine = started()
    lane = engine.lanes["AAA"]
    frames = order(1).encode() + order(2).encode()
    assert engine.take(lane, frames[:-1], 0, len(frames) - 1, NOW) == 144
    assert lane.stream.next_inbound == 2


def test_frames_are_taken_up_to_the_first_that_is_out_of_sequence() -> None:
    engine = started()
    lane = engine.lanes["AAA"]
    frames = order(1).encode() + order(3).encode()
    assert engine.take(lane, frames, 0, len(frames), NOW) == 144
    assert lane.stream.next_inbound == 2


def test_a_number_above_the_largest_is_left_to_the_session() -> None:
    engine = started()
    lane = engine.lanes["AAA"]
    lane.stream.next_inbound = 1_000_000_000
    frame = order(1_000_000_000).encode()
    assert engine.take(lane, frame, 0, len(frame), NOW) == 0


def test_a_mistake_of_ours_is_answered_with_138_and_the_next_order_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = started()
    lane = engine.lanes["AAA"]
    frames = order(1, cl_ord_id=b"BOOM").encode() + order(2).encode()
    place = engine.market.new_order

    class Faulty:
        """The market with a mistake in it, which no test could ask of the right one."""

        status = engine.market.status

        def rest(self, *_: object) -> None:
            return None

        def new_order(self, owner: object, command: m.NewOrderSingle, now: int) -> object:
            if command.cl_ord_id == b"BOOM":
                raise ZeroDivisionError
            return place(owner, command, now)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "market", Faulty())
    assert engine.take(lane, frames, 0, len(frames), NOW) == len(frames)
    reject, report = said(engine)
    assert isinstance(reject, m.BusinessReject)
    assert reject.business_reject_reason == BusinessRejectReason.INTERNAL_TECHNICAL_ERROR
    assert isinstance(report, m.ExecutionReportNew)
    assert len(engine.errors) == 1


def conversation(seed: int, length: int) -> tuple[Engine, list[tuple[bytes, int]]]:
    """A live engine under random commands, and its batches with their outputs' checksums."""
    chance = random.Random(seed)
    engine = Engine(40, SegmentPolicy())
    entries = login_entries()
    for entry in entries:
        engine.apply(entry)
    batches = [(b"".join(encode(*entry) for entry in entries), engine.outputs_crc())]
    working: list[tuple[Lane, m.ExecutionReportNew]] = []
    for turn in range(length):
        batch = []
        for lane in chance.sample(list(engine.lanes.values()), chance.randint(1, 2)):
            number = lane.stream.next_inbound
            data = b"".join(a_command(chance, number + k, working, lane) for k in range(chance.randint(1, 4)))
            now = NOW + turn
            stop = engine.take(lane, data, 0, len(data), now)
            assert stop == len(data)
            batch.append(encode(Kind.FRAMES, lane.number, now, data))
        batches.append((b"".join(batch), engine.outputs_crc()))
        for lane in engine.touched:
            reports = [m.decode(frame) for frame in lane.out]
            working += [(lane, report) for report in reports if isinstance(report, m.ExecutionReportNew)]
        engine.end_turn()
    return engine, batches


def a_command(
    chance: random.Random, number: int, working: list[tuple[Lane, m.ExecutionReportNew]], lane: Lane
) -> bytes:
    mine = [report for owner, report in working if owner is lane]
    if mine and chance.random() < 0.4:
        target = chance.choice(mine)
        shared = {
            "party_details_list_req_id": 1,
            "manual_order_indicator": 0,
            "seq_num": number,
            "sender_id": b"T",
            "order_request_id": number,
            "sending_time_epoch": NOW,
            "location": b"US,NY",
            "security_id": UB10,
            "side": target.side,
            "order_id": target.order_id,
        }
        if chance.random() < 0.5:
            return m.OrderCancelRequest(**shared, cl_ord_id=b"C%d" % number).encode()  # type: ignore[arg-type]
        return m.OrderCancelReplaceRequest(
            **shared,  # type: ignore[arg-type]
            cl_ord_id=b"R%d" % number,
            price=PRICE + chance.randint(-3, 3) * TICK,
            order_qty=chance.randint(1, 9),
            ord_type=ord("2"),
            time_in_force=0,
            ofm_override=0,
            exec_inst=0,
        ).encode()
    if chance.random() < 0.1:
        return order(number, side=chance.randint(0, 9), sender_id=chance.choice([b"", b"\x01", b"T"])).encode()
    return order(
        number,
        side=chance.randint(1, 2),
        price=PRICE + chance.randint(-3, 3) * TICK,
        order_qty=chance.randint(1, 9),
        time_in_force=chance.choice([0, 0, 0, 3, 4]),
    ).encode()


@pytest.mark.parametrize("seed", range(20))
def test_replaying_the_batches_says_the_same_bytes_and_leaves_the_same_state(seed: int) -> None:
    live, batches = conversation(seed, 60)
    again = Engine(40, SegmentPolicy())
    for batch, outputs_crc in batches:
        for entry in decode(batch):
            again.apply(entry)
        assert again.outputs_crc() == outputs_crc
        again.end_turn()
    assert again.market.state_digest() == live.market.state_digest()
    for session in SESSIONS:
        assert again.lanes[session].stream == live.lanes[session].stream


@given(st.binary(max_size=400))
def test_garbage_is_never_taken_and_never_raises(data: bytes) -> None:
    engine = started()
    assert engine.take(engine.lanes["AAA"], data, 0, len(data), NOW) == 0


@given(st.data())
def test_a_mutated_order_is_answered_or_left_to_the_session(data: st.DataObject) -> None:
    engine = started()
    lane = engine.lanes["AAA"]
    frame = bytearray(order(1).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    stop = engine.take(lane, bytes(frame), 0, len(frame), time.time_ns())
    answers = said(engine)
    assert bool(stop) == bool(answers)
    assert not engine.errors
