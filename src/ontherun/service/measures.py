"""The measures of a running venue: what its parts have counted, read at each scrape."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import ontherun
from ontherun.ilink.messages import BY_TEMPLATE
from ontherun.journal.sample import BYTES, SECONDS
from ontherun.portal.measures import Kind, Labels, Measure, Spread
from ontherun.registry import SYSTEM

if TYPE_CHECKING:
    from ontherun.service.segment_runtime import SegmentRuntime
    from ontherun.service.venue import Venue

_PAGE = os.sysconf("SC_PAGE_SIZE")
Values = list[tuple[Labels, float]]


async def measures(venue: "Venue") -> list[Measure]:
    """Everything that can be measured of a venue now."""
    deliveries = await venue.registry.notices.deliveries.counts(SYSTEM)
    waiting: Values = [({"state": state.value}, float(count)) for state, count in sorted(deliveries.items())]
    return [
        Measure("info", "gauge", "The version that runs", [({"version": ontherun.__version__}, 1)]),
        Measure("resident_memory_bytes", "gauge", "Memory of the process", [({}, _resident())]),
        Measure("notices", "gauge", "Deliveries of notices by state; those due are the queue", waiting),
        Measure("traces_lost", "counter", "Trace entries that the disk did not take", [({}, venue.traces.lost)]),
        Measure("log_lines_lost", "counter", "Log lines that the disk did not take", [({}, venue.log.lost)]),
        *_of_segments(list(venue.segments.values())),
    ]


def _of_segments(segments: Sequence["SegmentRuntime"]) -> Iterator[Measure]:
    named = {str(segment.segment_id): segment for segment in segments}
    for name, kind, text, value in _NUMBERS:
        yield Measure(name, kind, text, [({"segment": at}, value(segment)) for at, segment in named.items()])
    yield Measure("connections", "gauge", "Connections by their session's state", _states(named))
    yield _logins(named)
    yield _messages(named)
    yield _refusals(named)
    for name, text, spread in _SPREADS:
        spreads = [({"segment": at}, spread(segment)) for at, segment in named.items()]
        yield Measure(name, "histogram", text, spreads=spreads)


_NUMBERS: Sequence[tuple[str, Kind, str, Callable[["SegmentRuntime"], float]]] = (
    ("connections_accepted", "counter", "TCP connections", lambda s: s.gateway.counts.accepted),
    ("slow_consumers", "counter", "Peers let go, since they did not read", lambda s: s.gateway.counts.slow_consumers),
    ("bad_frames", "counter", "Streams that could not be cut into messages", lambda s: s.gateway.counts.bad_frames),
    ("orders_working", "gauge", "Working orders", lambda s: s.engine.market.orders_working),
    ("orders_accepted", "counter", "Orders since the journal began", lambda s: s.engine.market.orders_accepted),
    ("journal_commits", "counter", "Batches committed since the journal began", lambda s: s.journal.last_row_id),
    ("journal_bytes", "gauge", "Size of the journal", lambda s: s.journal.path.stat().st_size),
    ("outbox_bytes", "gauge", "Size of the messages that can be asked for again", lambda s: s.gateway.outbox.size),
    ("ports_closed", "gauge", "Sessions whose ports bad logins closed", lambda s: len(s.gateway.closed_ports())),
)

_SPREADS: Sequence[tuple[str, str, Callable[["SegmentRuntime"], Spread]]] = (
    (
        "commit_seconds",
        "Duration of a commit with its fsync; each sixteenth is timed",
        lambda s: Spread(SECONDS, s.journal.sampled.seconds, s.journal.sampled.seconds_sum),
    ),
    (
        "commit_bytes",
        "Size of a commit; of each sixteenth",
        lambda s: Spread(BYTES, s.journal.sampled.bytes, float(s.journal.sampled.bytes_sum)),
    ),
    (
        "loop_delay_seconds",
        "How late a timer of the event loop was, four times a second: what a turn may wait for others",
        lambda s: Spread(s.gateway.counts.lag.bounds, s.gateway.counts.lag.counts, s.gateway.counts.lag.total),
    ),
)


def _states(segments: Mapping[str, "SegmentRuntime"]) -> Values:
    found = Counter(
        (name, connection.session.role.name.lower(), connection.session.state.name.lower())
        for name, segment in segments.items()
        for connection in segment.gateway.connections
    )
    return [
        ({"segment": name, "role": role, "state": state}, float(count))
        for (name, role, state), count in sorted(found.items())
    ]


def _logins(segments: Mapping[str, "SegmentRuntime"]) -> Measure:
    values: Values = [
        ({"segment": name, "message": message, "verdict": verdict, "code": code}, float(count))
        for name, segment in segments.items()
        for (message, verdict, code), count in sorted(segment.gateway.counts.logins.items())
    ]
    return Measure("logins", "counter", "Login messages by what became of them", values)


def _messages(segments: Mapping[str, "SegmentRuntime"]) -> Measure:
    values: Values = [
        ({"segment": name, "direction": direction, "message": message}, float(count))
        for name, segment in segments.items()
        for direction, counted in (
            ("received", segment.gateway.counts.received()),
            ("sent", segment.gateway.counts.sent()),
        )
        for message, count in counted.items()
    ]
    return Measure("messages", "counter", "Business messages", values)


def _refusals(segments: Mapping[str, "SegmentRuntime"]) -> Measure:
    values: Values = [
        (
            {
                "segment": name,
                "message": BY_TEMPLATE[template].__name__,
                "answer": BY_TEMPLATE[answer].__name__,
                "reason": str(reason),
            },
            float(count),
        )
        for name, segment in segments.items()
        for (template, answer, reason), count in sorted(segment.gateway.counts.refusals.items())
    ]
    return Measure("refusals", "counter", "Refused business messages; reason 8 of BusinessReject is a throttle", values)


def _resident() -> float:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - a file of the kernel
            return float(file.read().split()[1]) * _PAGE
    except OSError:  # not Linux
        return 0.0
