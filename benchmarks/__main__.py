"""`python -m benchmarks`: one run, one table."""

import argparse
import os
import platform
import sys

from benchmarks import micro
from benchmarks.client import LoadError
from benchmarks.measure import Plan, measure, say
from benchmarks.servers import has_quickfix
from benchmarks.table import report


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what an order costs.")
    parser.add_argument("--quick", action="store_true", help="one short round: about a minute")
    parser.add_argument("--rounds", type=int, default=5, help="medians are over so many rounds (5)")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one run (1)")
    parser.add_argument("--tries", type=int, default=3, help="take a disturbed run again, so many in all (3)")
    parser.add_argument(
        "--quickfix-python",
        default=os.environ.get("QUICKFIX_PYTHON", sys.executable),
        help="an interpreter that has PyPI's quickfix, for the peer (environment: QUICKFIX_PYTHON)",
    )
    return parser.parse_args()


def main() -> int:
    """Measure, print, and say with the exit status whether the run is worth anything; not whether goals are met."""
    chosen = arguments()
    cores = sorted(os.sched_getaffinity(0))
    alone = len(cores) >= 2
    rounds, seconds = (1, 0.3) if chosen.quick else (chosen.rounds, chosen.seconds)
    plan = Plan(
        rounds=rounds,
        seconds=seconds,
        logins=1_000 if chosen.quick else 2_000,
        tries=1 if chosen.quick else chosen.tries,
        server_core=cores[0] if alone else None,
        client_core=cores[1] if alone else None,
        quickfix_python=chosen.quickfix_python if has_quickfix(chosen.quickfix_python) else None,
    )
    where = (
        f"servers on core {cores[0]}, client on core {cores[1]}" if alone else "everything on one core: compare nothing"
    )
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {where}; {rounds} rounds of {seconds:g} s\n")
    try:
        measured = measure(plan)
    except LoadError as error:
        say(f"stopped: {error}")
        return 1
    say("single steps")
    os.sched_setaffinity(0, cores[:1])
    measured.micro = micro.measure(rounds + 4, 0.2 if chosen.quick else 1.0)
    print(report(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
