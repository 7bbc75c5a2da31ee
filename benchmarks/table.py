"""The results as Markdown: what was measured, with the ratio to the C floor, and how it stands to the goals."""

from collections.abc import Callable, Iterable, Sequence
from statistics import median

from benchmarks.client import Result
from benchmarks.measure import (
    C_ECHO,
    FLAGS,
    FSYNC,
    HUNDRED,
    HUNDRED_DEEP,
    LOADS,
    LOOP_ECHO,
    PING_PONG,
    PIPELINED,
    POLLING,
    QUICKFIX,
    VENUE,
    Load,
    Measured,
)

COLUMNS = (C_ECHO, LOOP_ECHO, *FLAGS, QUICKFIX)
Get = Callable[[Result], float]


def middle(results: Iterable[Result] | None, get: Get) -> float | None:
    """The median over the rounds, None when there were none."""
    values = [get(result) for result in results or ()]
    return median(values) if values else None


def rounded(value: float) -> str:
    """Three significant digits or whole numbers, with thousands apart."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def cells(values: Sequence[float | None]) -> list[str]:
    """Values with their ratio to the first, the C floor."""
    floor, found = values[0], []
    for value in values:
        if value is None:
            found.append("-")
        elif floor and value is not floor:
            found.append(f"{rounded(value)} ({rounded(value / floor)}x)")
        else:
            found.append(rounded(value))
    return found


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose columns line up."""
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    padded.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def servers_table(measured: Measured) -> str:
    """Every load on every server."""

    def row(title: str, get: Get, of: Callable[[str], list[Result] | None]) -> list[str]:
        return [title, *cells([middle(of(column), get) for column in COLUMNS])]

    def on(load: Load) -> Callable[[str], list[Result] | None]:
        return lambda column: measured.loads.get((column, load))

    rows = [
        row("ping-pong p50, us", lambda r: r.p50, on(PING_PONG)),
        row("ping-pong p99, us", lambda r: r.p99, on(PING_PONG)),
        *(row(f"orders/s, {load.title}", lambda r: r.rate, on(load)) for load in LOADS[1:]),
        *(row(f"CPU us per order, {load.title}", lambda r: r.cpu, on(load)) for load in LOADS),
        row("50,000 orders/s over 100,000 resting: p50, us", lambda r: r.p50, measured.open_loop.get),
        row("50,000 orders/s over 100,000 resting: p99, us", lambda r: r.p99, measured.open_loop.get),
        row("logins/s, 64 in flight", lambda r: r.rate, measured.logins.get),
        row("CPU us per login", lambda r: r.cpu, measured.logins.get),
    ]
    return markdown(["", *COLUMNS], rows)


def micro_table(measured: Measured) -> str:
    """Single steps in one process."""
    return markdown(
        ["one step, best of the rounds", "ns"], [[name, f"{ns:,.0f}"] for name, ns in measured.micro.items()]
    )


def goals_table(measured: Measured) -> str:
    """Each goal: what was reached, against the floor and the peer, and whether it is met."""

    def load(column: str, which: Load, get: Get) -> float | None:
        return middle(measured.loads.get((column, which)), get)

    def ratio(value: float | None, to: float | None) -> float | None:
        return value / to if value is not None and to else None

    def line(
        title: str,
        value: float | None,
        goal: float,
        *,
        floor: float | None = None,
        peer: float | None = None,
        least: bool,
    ) -> list[str]:
        met = value is not None and (value >= goal if least else value <= goal)
        shown = [
            rounded(number) if number is not None else "-"
            for number in (value, ratio(value, floor), ratio(value, peer))
        ]
        return [title, *shown, f"{'>=' if least else '<='} {rounded(goal)}", "met" if met else "NOT MET"]

    def rate(title: str, column: str, which: Load, goal: float) -> list[str]:
        floor, peer = (load(other, which, lambda r: r.rate) for other in (C_ECHO, QUICKFIX))
        return line(title, load(column, which, lambda r: r.rate), goal, floor=floor, peer=peer, least=True)

    def ping_pong(title: str, column: str, goal: float) -> list[str]:
        floor, value, peer = (load(other, PING_PONG, lambda r: r.p50) for other in (C_ECHO, column, QUICKFIX))
        return line(title, ratio(value, floor), goal, floor=1.0, peer=ratio(peer, floor), least=False)

    micro, times = measured.micro, measured
    cpu = [load(column, PIPELINED, lambda r: r.cpu) for column in (VENUE, C_ECHO, QUICKFIX)]
    logins = [middle(measured.logins.get(column), lambda r: r.rate) for column in (VENUE, C_ECHO)]
    open_p99 = [middle(measured.open_loop.get(column), lambda r: r.p99) for column in (VENUE, C_ECHO)]
    rows = [
        rate("orders/s, 1 connection", VENUE, PIPELINED, 200_000),
        rate("orders/s, 100 connections, 1 outstanding each", VENUE, HUNDRED, 80_000),
        rate("orders/s, 100 connections, 16 outstanding each, fsync", FSYNC, HUNDRED_DEEP, 100_000),
        line("CPU us per order, 1 connection", cpu[0], 6, floor=cpu[1], peer=cpu[2], least=False),
        ping_pong("ping-pong p50, in C floors", VENUE, 1.15),
        ping_pong("ping-pong p50 with polling, in C floors", POLLING, 0.6),
        line("p99 us, 50,000/s over 100,000 resting", open_p99[0], 2_000, floor=open_p99[1], least=False),
        line("logins/s, 64 in flight", logins[0], 5_000, floor=logins[1], least=True),
        line("seconds to ready, empty folder", _middle(times.ready_first), 1.2, least=False),
        line("seconds to ready, 100 sessions", _middle(times.ready_again), 1.2, least=False),
        line("MB when ready", _middle(times.memory_ready), 110, least=False),
        *(
            line(f"us, {name}", micro[name] / 1000, goal, floor=micro[least] / 1000, least=False)
            for name, least, goal in (
                ("NewOrderSingle: decode", "NewOrderSingle: one struct unpack", 0.8),
                ("ExecutionReportNew: encode", "ExecutionReportNew: one struct pack", 0.9),
            )
            if name in micro
        ),
    ]
    return markdown(["goal for ontherun", "reached", "x floor", "x QuickFIX", "goal", ""], rows)


def _middle(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def report(measured: Measured) -> str:
    """Everything, ready to be read or pasted."""
    notes = [
        "Ratios are to the C echo floor of the same run; for the codec, to one struct call over the same bytes.",
        f"{VENUE}: the journal on, without fsync. {POLLING}: with adaptive polling of 60 us as well.",
        f"{FSYNC}: the journal on, each group commit on disk before its answers leave.",
    ]
    if measured.memory_order:
        notes.append(f"A resting order takes {median(measured.memory_order):,.0f} bytes of memory.")
    if not any(column == QUICKFIX for column, _ in measured.loads):
        notes.append("QuickFIX: absent. --quickfix-python PYTHON names an interpreter that has PyPI's quickfix.")
    if (others := measured.others()) > 0.1:
        notes.append(
            f"Other programs took {others:.0%} of a core meanwhile: absolute numbers are worse than they need be."
        )
    return "\n\n".join([servers_table(measured), goals_table(measured), micro_table(measured), "\n".join(notes)])
