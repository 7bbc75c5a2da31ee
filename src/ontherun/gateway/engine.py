"""The deterministic heart of a gateway: journal entries in, numbered frames out.

The live gateway and recovery call the same methods with the same arguments, so replaying a journal says again, byte
for byte, what was said. Nothing here reads a clock, touches a socket or waits.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from struct import Struct
from typing import TypeVar
from zlib import crc32

from ontherun.gateway import addenda, new_order, party, rejects, split, venue_commands
from ontherun.gateway.acceptance import accept
from ontherun.gateway.entries import Entry, Kind, json_body
from ontherun.gateway.lane import Lane, Owner, PartyDetails
from ontherun.gateway.report_table import REPORTS
from ontherun.ilink import records
from ontherun.ilink.controls import MODULES, NO_CONTROLS, ControlPolicy, Controls, Module, Rate, Verdict
from ontherun.ilink.messages import (
    NewOrderSingle,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderMassActionRequest,
    OrderMassStatusRequest,
    OrderStatusRequest,
    PartyDetailsDefinitionRequest,
    PartyDetailsListRequest,
)
from ontherun.ilink.policy import SessionPolicy
from ontherun.ilink.stream import Stream
from ontherun.ilink.templates import CLIENT_BUSINESS, MAX_SEQ_NUM
from ontherun.market.events import Event
from ontherun.market.instruments import Instrument
from ontherun.market.policy import SegmentPolicy
from ontherun.market.segment import MarketSegment
from ontherun.market.states import SecurityTradingStatus
from ontherun.sbe import DecodeError
from ontherun.sbe.framing import ENCODING_TYPE, HEADER

SCHEMAS = frozenset(8 | version << 16 for version in SessionPolicy().versions)
"""Schema id and version as one number: what a client may send."""

_FRONT = Struct("<HH2xHI17xI")
"""The front of a business message's frame: size, encoding type, template id, schema id and version, SeqNum at byte
17 of the block."""

_ODD = PartyDetailsListRequest.TEMPLATE_ID
"""The one message whose SeqNum stands at byte 16 (schema id 8 version 9)."""

_PLAIN = new_order.SIZE
_read = new_order.read

RequestT = TypeVar(
    "RequestT",
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderMassActionRequest,
    OrderMassStatusRequest,
    OrderStatusRequest,
)

Handler = Callable[[Lane, bytes, int, int], None]
"""Carries out the message whose frame begins at an offset of the data: (lane, data, offset, now)."""


class Engine:
    """One market segment with the streams of its sessions.

    `lanes` by session id; `touched` are the lanes that this turn has something to say to, in the order in which it
    came up; `refusals` are the refused business messages of this turn and `errors` our own mistakes in carrying them
    out, both for the log.
    """

    def __init__(self, segment_id: int, policy: SegmentPolicy) -> None:
        self.segment_id = segment_id
        self.policy = policy
        self.instruments: tuple[Instrument, ...] = ()
        self.market = MarketSegment(segment_id, (), policy)
        self.controls = NO_CONTROLS
        self.week = 0
        """When the present trading week began, ns since the epoch; 0 before the first."""
        self.lanes: dict[str, Lane] = {}
        self.touched: list[Lane] = []
        self.refusals: list[rejects.Refusal] = []
        self.errors: list[Exception] = []
        self._numbered: list[Lane] = []
        carried_out: dict[int, Handler] = {
            NewOrderSingle.TEMPLATE_ID: self._new_order,
            OrderCancelReplaceRequest.TEMPLATE_ID: self._request(OrderCancelReplaceRequest, MarketSegment.replace),
            OrderCancelRequest.TEMPLATE_ID: self._request(OrderCancelRequest, MarketSegment.cancel),
            OrderMassActionRequest.TEMPLATE_ID: self._request(OrderMassActionRequest, MarketSegment.mass_cancel),
            OrderMassStatusRequest.TEMPLATE_ID: self._request(OrderMassStatusRequest, MarketSegment.mass_status),
            OrderStatusRequest.TEMPLATE_ID: self._request(OrderStatusRequest, MarketSegment.order_status),
            PartyDetailsDefinitionRequest.TEMPLATE_ID: partial(party.define, self),
        }
        self.received: Counter[int] = Counter()
        """Business messages that were carried out, by template; of new orders the market knows the count."""
        self.reported: Counter[type[Event]] = Counter()
        """Events that were told, by kind."""
        self._handlers = {
            template: _counted(MODULES.get(template), carried_out.get(template, partial(rejects.unsupported, self)))
            for template in CLIENT_BUSINESS
        }
        for template in CLIENT_BUSINESS.keys() - {NewOrderSingle.TEMPLATE_ID}:
            self._handlers[template] = _tallied(self.received, template, self._handlers[template])

    # What the gateway tells; recovery tells it again.

    def open_market(self, instruments: Iterable[Instrument]) -> None:
        """Take the reference data, before any order."""
        self.instruments = tuple(instruments)
        self.market = MarketSegment(self.segment_id, self.instruments, self.policy)

    def open_lane(self, session: str) -> Lane:
        """The lane of a session, made at first use; its number is the count of lanes before it."""
        lane = self.lanes.get(session)
        if lane is None:
            lane = self.lanes[session] = Lane(len(self._numbered), Stream(session, self.segment_id))
            self._numbered.append(lane)
        return lane

    def register(self, lane: Lane, firm: str, details: PartyDetails) -> None:
        """Let orders of a session and firm name these party details."""
        lane.owner_for(firm).party_details[details.party_details_list_req_id] = details

    def start_week(self, begins: int, now: int) -> None:
        """Begin a trading week: every stream without a UUID and with numbers from 1. Day orders that no close has
        eliminated are eliminated now; GTC and GTD orders stay.

        Whatever orders meet before the week's first login, these reports too, is numbered under UUID 0.
        """
        self.week = begins
        for lane in self._numbered:
            lane.stream.apply(records.WeekStarted(lane.stream.session, self.segment_id, now))
            lane.bind()
        self._report(self.market.end_of_day(now), now)

    def control(self, policy: ControlPolicy) -> None:
        """Take these limits of Messaging Controls from here on."""
        self.controls = policy
        for lane in self._numbered:
            lane.controls.look_again()

    def rates(self, lane: Lane, now: int) -> list[Rate]:
        """What the session has sent in the present window of Messaging Controls, beside its limits."""
        return lane.controls.rates(lane.stream.next_inbound, self.controls, now, closed=self._closed)

    def cancel_day_orders(self, lane: Lane, reason: int, now: int) -> int:
        """Cancel a session's resting Day orders, unasked, and count them; `reason` is ExecRestatementReason (378)."""
        count = 0
        for owner in lane.owners.values():
            cancelled = self.market.cancel_day_orders(owner, reason, now)
            count += len(cancelled)
            self._report(cancelled, now)
        return count

    def command(self, name: str, given: venue_commands.Arguments, now: int) -> int:
        """Carry out what the venue itself does to the market; how many events that were.

        Raises LookupError or ValueError, and nothing has changed then, where it cannot be done.
        """
        events = venue_commands.carry_out(self.market, name, given, now)
        self._report(events, now)
        return len(events)

    def lane_numbered(self, number: int) -> Lane:
        """The lane with this number."""
        return self._numbered[number]

    def take(self, lane: Lane, data: bytes, position: int, end: int, now: int) -> int:
        """Carry out the business messages in `data` from `position` on, as long as they are whole and in sequence.

        Returns where it stopped: at `end`, or at the first frame that is not whole, no business message, or out of
        sequence, which is the session's to judge; or for which Messaging Controls end the session, which
        `lane.over_limit` says then.
        """
        stream = lane.stream
        controls = lane.controls
        last = controls.last if controls.start <= now < controls.until else 0
        market = self.market
        while position < end:
            order = _read(data, position) if end - position >= _PLAIN else None
            if order is not None and order.seq_num == stream.next_inbound and order.seq_num <= last:
                stream.next_inbound = order.seq_num + 1
                try:
                    resting = market.rest(lane.owner, order) if order.form.rests else None
                    if resting is not None:
                        accept(self, lane, resting, market.exec_format % resting.priority, now)
                    else:
                        self._report(market.new_order(lane.owner, order, now), now)
                except Exception as error:  # noqa: BLE001 -- one client's message must not end the others' market
                    rejects.internal_error(self, lane, data, position, error, now)
                position += _PLAIN
            else:
                size = self._take_one(lane, data, position, end, last, now)
                if not size:
                    break
                position += size
                last = controls.last
        return position

    def _take_one(self, lane: Lane, data: bytes, position: int, end: int, last: int, now: int) -> int:
        """Carry out one message of any kind, as `take` does; its size, or 0 where it is not to be carried out.

        Messages up to number `last` are within the limits of Messaging Controls.
        """
        if end - position < _FRONT.size:
            return 0
        size, encoding, template, schema, number = _FRONT.unpack_from(data, position)
        handler = self._handlers.get(template)
        if (
            handler is None
            or schema not in SCHEMAS
            or encoding != ENCODING_TYPE
            or not _FRONT.size <= size <= end - position
        ):
            return 0
        if template == _ODD:
            number = self.number_of(data[position : position + size])
        if number != lane.stream.next_inbound:
            return 0
        if number > last:  # the session has sent much, or begins a window
            if number > MAX_SEQ_NUM:
                return 0
            verdict = lane.controls.judge(template, number, self.controls, now, closed=self._closed)
            if verdict is Verdict.LOGOUT:
                lane.over_limit = True
                return 0
            if verdict is Verdict.REJECT:
                handler = self._throttled
        lane.stream.next_inbound = number + 1
        try:
            handler(lane, data, position, now)
        except Exception as error:  # noqa: BLE001 -- one client's message must not end the others' market
            rejects.internal_error(self, lane, data, position, error, now)
        return int(size)

    def is_business(self, frame: bytes) -> bool:
        """Whether this is a client's business message, as far as its header says."""
        _, _, _, template, schema, version = HEADER.unpack_from(frame)
        return template in CLIENT_BUSINESS and schema | version << 16 in SCHEMAS

    def number_of(self, frame: bytes) -> int | None:
        """The SeqNum of a client's business message; None when it is too short to be taken."""
        at = CLIENT_BUSINESS[HEADER.unpack_from(frame)[3]]
        return int.from_bytes(frame[at : at + 4], "little") if len(frame) >= _FRONT.size else None

    def apply(self, entry: Entry) -> None:
        """Carry out one journal entry again."""
        if entry.kind is Kind.FRAMES:
            lane = self._numbered[entry.lane]
            lane.hear(entry.body)
            stop = self.take(lane, entry.body, 0, len(entry.body), entry.now)
            if stop != len(entry.body):
                raise ValueError(f"the frames of lane {entry.lane} stop at byte {stop} of {len(entry.body)}")
        elif entry.kind is Kind.RECORD:
            record = records.from_bytes(entry.body)
            lane = self.lanes[record.session]
            lane.stream.apply(record)
            lane.bind()
        elif entry.kind is Kind.SPLIT:
            lane = self._numbered[entry.lane]
            lane.hear(entry.body)
            split.take(self, lane, entry.body, len(entry.body), entry.now)
        elif entry.kind is Kind.CANCEL:
            reason = int(json.loads(entry.body)["reason"])
            self.cancel_day_orders(self._numbered[entry.lane], reason, entry.now)
        elif entry.kind is Kind.WEEK:
            self.start_week(int(json.loads(entry.body)["begins"]), entry.now)
        else:
            self._apply_json(entry, json.loads(entry.body))

    def outputs_crc(self) -> int:
        """Join what this turn says, lane by lane; the checksum over all lanes in the order in which they were
        touched."""
        crc = 0
        for lane in self.touched:
            lane.joined = joined = b"".join(lane.out)
            crc = crc32(joined, crc)
        return crc

    def end_turn(self) -> None:
        """Forget what this turn said: it is durable and on its way."""
        for lane in self.touched:
            lane.out = []
        self.touched.clear()

    def forget_refusals(self) -> None:
        """Forget what was refused: it is in the log."""
        self.refusals.clear()
        self.errors.clear()

    def _apply_json(self, entry: Entry, value: dict[str, object]) -> None:
        kind, lane = entry.kind, entry.lane
        if kind is Kind.COMMAND:
            self.command(str(value.pop("do")), {name: int(str(given)) for name, given in value.items()}, entry.now)
        elif kind is Kind.ADDENDUM:
            addenda.write(self, value, entry.now)
        elif kind is Kind.MARKET:
            self.open_market(instruments_from(value))
        elif kind is Kind.LANE:
            opened = self.open_lane(str(value["session"]))
            if opened.number != lane:
                raise ValueError(f"session {opened.stream.session} has lane {opened.number}, the journal says {lane}")
        elif kind is Kind.PARTY:
            numbers = int(str(value["id"])), int(str(value["self_match_prevention_id"]))
            details = PartyDetails(numbers[0], str(value["account"]).encode(), numbers[1])
            self.register(self._numbered[lane], str(value["firm"]), details)
        elif kind is Kind.CONTROLS:
            self.control(ControlPolicy.from_json(value))

    # Business messages, each in sequence already.

    def _new_order(self, lane: Lane, data: bytes, position: int, now: int) -> None:
        """A new order that is not plainly right, decoded in full."""
        try:
            order = NewOrderSingle.decode(data, position)
        except DecodeError as error:
            rejects.undecodable(self, lane, data, position, error, now)
            return
        fault = order.fault()
        if fault is not None:
            rejects.faulty(self, lane, order, fault, now)
            return
        new_order.remember(order, data, position)
        self._report(self.market.new_order(lane.owner, order, now), now)

    def _request(
        self, message: type[RequestT], answer: Callable[[MarketSegment, Owner, RequestT, int], list[Event]]
    ) -> Handler:
        """The handler of a request that is decoded in full and handed to the market."""

        def carry_out(lane: Lane, data: bytes, position: int, now: int) -> None:
            try:
                request = message.decode(data, position)
            except DecodeError as error:
                rejects.undecodable(self, lane, data, position, error, now)
                return
            fault = request.fault()
            if fault is not None:
                rejects.faulty(self, lane, request, fault, now)
            else:
                self._report(answer(self.market, lane.owner, request, now), now)

        return carry_out

    # Messaging Controls.

    @property
    def _closed(self) -> bool:
        return self.market.status is SecurityTradingStatus.CLOSED

    def _throttled(self, lane: Lane, data: bytes, position: int, now: int) -> None:
        rejects.throttled(self, lane, data, position, now)

    def _report(self, events: list[Event], now: int) -> None:
        for event in events:
            kind = event.__class__
            self.reported[kind] += 1
            REPORTS[kind](self, event, now)


def _tallied(tally: Counter[int], template: int, handler: Handler) -> Handler:
    """The handler of a message, counting how often it is called."""

    def tallied(lane: Lane, data: bytes, position: int, now: int) -> None:
        tally[template] += 1
        handler(lane, data, position, now)

    return tallied


def _counted(module: Module | None, handler: Handler) -> Handler:
    """The handler of a message that Messaging Controls do not count as Common, counting it as what it is."""
    if module is None:
        return handler
    count = Controls.count_cancel if module is Module.CANCEL else Controls.count_quote

    def counting(lane: Lane, data: bytes, position: int, now: int) -> None:
        count(lane.controls)
        handler(lane, data, position, now)

    return counting


def instruments_body(instruments: Iterable[Instrument]) -> bytes:
    """Reference data as the body of a MARKET entry."""
    return json_body({"instruments": [asdict(instrument) for instrument in instruments]})


def instruments_from(value: dict[str, object]) -> list[Instrument]:
    """Reference data from a MARKET entry."""
    listed = value["instruments"]
    assert isinstance(listed, list)
    return [Instrument(**fields) for fields in listed]
