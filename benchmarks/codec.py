"""What encoding, decoding and checking one message costs: `python benchmarks/codec.py`.

Nanoseconds, the least of many short runs: on a busy machine that is the figure that still means something.
"""

import timeit
from collections.abc import Callable

from ontherun.ilink.messages import ExecutionReportNew, NewOrderSingle, decode

ORDER = NewOrderSingle(
    price=99_515_625_000,
    order_qty=5,
    security_id=1001,
    side=1,
    seq_num=1,
    sender_id=b"TRADER1",
    cl_ord_id=b"ORDER-000001",
    party_details_list_req_id=1767225600000001,
    order_request_id=7,
    sending_time_epoch=1767225600_000000001,
    location=b"US,NY",
    ord_type=ord("2"),
    time_in_force=0,
    manual_order_indicator=0,
)
REPORT = ExecutionReportNew(
    seq_num=1,
    uuid=1767225600000000,
    exec_id=b"40176722560000000000000001",
    sender_id=ORDER.sender_id,
    cl_ord_id=ORDER.cl_ord_id,
    party_details_list_req_id=ORDER.party_details_list_req_id,
    order_id=4017672256000001,
    price=ORDER.price,
    transact_time=1767225600_000100001,
    sending_time_epoch=1767225600_000100002,
    order_request_id=ORDER.order_request_id,
    location=ORDER.location,
    security_id=ORDER.security_id,
    order_qty=ORDER.order_qty,
    ord_type=ORDER.ord_type,
    side=ORDER.side,
    time_in_force=ORDER.time_in_force,
    manual_order_indicator=ORDER.manual_order_indicator,
    poss_retrans_flag=0,
    exec_inst=0,
)
"""The answer to ORDER."""


def nanoseconds(call: Callable[[], object], number: int = 5000, repeats: int = 100) -> float:
    """Return the least time of one call, of `repeats` runs of `number` calls each."""
    return min(timeit.repeat(call, number=number, repeat=repeats)) / number * 1e9


def main() -> None:
    order_frame, report_frame = ORDER.encode(), REPORT.encode()
    values = tuple(getattr(REPORT, name) for name in REPORT.__slots__)
    pack, decode_order, decode_report = ExecutionReportNew.pack, NewOrderSingle.decode, ExecutionReportNew.decode
    rows: list[tuple[str, Callable[[], object], int | None]] = [
        ("NewOrderSingle.decode", lambda: decode_order(order_frame), 800),
        ("NewOrderSingle.fault", ORDER.fault, 350),
        ("NewOrderSingle.encode", ORDER.encode, None),
        ("decode, NewOrderSingle by its template", lambda: decode(order_frame), None),
        ("ExecutionReportNew.pack", lambda: pack(*values), None),
        ("ExecutionReportNew.encode", REPORT.encode, 900),
        ("ExecutionReportNew.decode", lambda: decode_report(report_frame), None),
        ("ExecutionReportNew.fault", REPORT.fault, None),
    ]
    overhead = nanoseconds(lambda: None)
    print(f"{'operation':<40} {'ns':>6} {'goal':>6}")
    for name, call, goal in rows:
        print(f"{name:<40} {nanoseconds(call):>6.0f} {goal or '':>6}")
    print(f"{'(an empty call, included above)':<40} {overhead:>6.0f}")


if __name__ == "__main__":
    main()
