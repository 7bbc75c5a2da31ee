"""What single steps cost in this process: codec, signature, journal commit."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from struct import Struct
from timeit import timeit

from benchmarks.frames import Identity, ilink_connection
from benchmarks.native import BUILD
from ontherun.ilink.messages import ExecutionReportNew, NewOrderSingle
from ontherun.ilink.signing import negotiate_text, sign
from ontherun.journal import FileJournal

# The least that interpreted Python can do: the whole frame in one call to a Struct, values in a tuple.
ORDER = Struct("<10sHqIiBI20s20sQQQq5sIIHBBBBBBBBqq")
REPORT = Struct("<10sHIQ40s20s20sQQqqQQQQQ5siIIIHHBBBBBBBBBBBBQqqB")
BATCHES = {"200 B": 200, "20 KB": 20_000}


def report() -> ExecutionReportNew:
    """An acceptance with everything filled in that the gateway fills in."""
    return ExecutionReportNew(
        seq_num=1,
        uuid=1_767_225_600_000_000,
        exec_id=b"40:1767225600:1",
        sender_id=b"BENCHMARKS",
        cl_ord_id=b"00000000000000000001",
        party_details_list_req_id=1001,
        order_id=40_000_000_000_001,
        price=100 * 10**9,
        transact_time=1_767_225_600_000_000_000,
        sending_time_epoch=1_767_225_600_000_000_000,
        order_request_id=1,
        location=b"US,NY",
        security_id=400_010,
        order_qty=1,
        ord_type=ord("2"),
        side=1,
        time_in_force=0,
        manual_order_indicator=0,
        poss_retrans_flag=0,
        exec_inst=0,
    )


def steps(journals: dict[str, FileJournal]) -> dict[str, tuple[Callable[[], object], int]]:
    """Each step with how often to repeat it in one measurement."""
    order = ilink_connection(Identity(), 1_767_225_600_000_000_000, 400_010).order
    decoded, answer = NewOrderSingle.decode(order), report()
    order_values, answer_values = ORDER.unpack(order), REPORT.unpack(answer.encode())
    found: dict[str, tuple[Callable[[], object], int]] = {
        "NewOrderSingle: decode": (lambda: NewOrderSingle.decode(order), 20_000),
        "NewOrderSingle: one struct unpack": (lambda: ORDER.unpack(order), 20_000),
        "NewOrderSingle: check (fault)": (decoded.fault, 20_000),
        "NewOrderSingle: encode": (decoded.encode, 20_000),
        "NewOrderSingle: one struct pack": (lambda: ORDER.pack(*order_values), 20_000),
        "ExecutionReportNew: encode": (answer.encode, 20_000),
        "ExecutionReportNew: one struct pack": (lambda: REPORT.pack(*answer_values), 20_000),
        "Negotiate: canonical text and HMAC": (
            lambda: sign(b"k" * 32, negotiate_text(1_767_225_600_000_000_000, 1, b"A00", b"BENCH")),
            10_000,
        ),
    }
    for name, journal in journals.items():
        for size, length in BATCHES.items():
            batch = bytes(length)
            repeat = (20 if journal.fsync else 1_000) if length < 1_000 else (10 if journal.fsync else 100)
            found[f"journal commit, {size}, {name}"] = (lambda j=journal, b=batch: j.commit(b, 0), repeat)  # type: ignore[misc]
    return found


def measure(rounds: int, scale: float) -> dict[str, float]:
    """ns of each step, the best of so many interleaved rounds; `scale` shortens or lengthens a round."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=BUILD)))
        journals = {
            name: stack.enter_context(closing(FileJournal(folder / name.replace(" ", "-"), fsync=fsync)))
            for name, fsync in (("no fsync", False), ("fsync", True))
        }
        times: dict[str, list[float]] = {}
        for _ in range(rounds):
            for name, (step, repeat) in steps(journals).items():
                number = max(5, int(repeat * scale))
                times.setdefault(name, []).append(timeit(step, number=number) / number * 1e9)
        return {name: min(values) for name, values in times.items()}
