"""The table shows medians, ratios to the floor and the peer, and says of every goal whether it is met."""

from benchmarks.client import Result
from benchmarks.measure import C_ECHO, PING_PONG, PIPELINED, QUICKFIX, VENUE, Measured
from benchmarks.table import goals_table, report, servers_table


def result(rate: float = 1000, p50: float = 60.0, cpu: float = 1.0) -> Result:
    return Result(count=int(rate), seconds=1.0, p50=p50, p99=2 * p50, cpu=cpu, others=0.0)


def rows(table: str) -> dict[str, list[str]]:
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {line[0]: line[1:] for line in lines}


def measured(rate: float, p50: float) -> Measured:
    found = Measured()
    found.loads[C_ECHO, PIPELINED] = [result(rate=5_000_000)]
    found.loads[VENUE, PIPELINED] = [result(rate=rate / 2), result(rate=rate, cpu=4.0), result(rate=rate * 2, cpu=9.0)]
    found.loads[QUICKFIX, PIPELINED] = [result(rate=20_000, cpu=50.0)]
    found.loads[C_ECHO, PING_PONG] = [result(p50=60.0)]
    found.loads[VENUE, PING_PONG] = [result(p50=p50)]
    return found


def test_medians_and_ratios_are_shown() -> None:
    shown = rows(servers_table(measured(250_000, 66.0)))
    assert shown["orders/s, 1 connection, 1,000 outstanding"][0] == "5,000,000"
    assert shown["orders/s, 1 connection, 1,000 outstanding"][2] == "250,000 (0.05x)"
    assert shown["ping-pong p50, us"][2] == "66 (1.1x)"
    assert shown["ping-pong p99, us"][3] == "-"


def test_goals_are_met_or_not() -> None:
    good, bad = rows(goals_table(measured(250_000, 66.0))), rows(goals_table(measured(150_000, 75.0)))
    assert good["orders/s, 1 connection"] == ["250,000", "0.05", "12.5", ">= 200,000", "met"]
    assert good["ping-pong p50, in C floors"] == ["1.1", "1.1", "-", "<= 1.15", "met"]
    assert good["CPU us per order, 1 connection"] == ["4", "4", "0.08", "<= 6", "met"]
    assert bad["orders/s, 1 connection"][-1] == bad["ping-pong p50, in C floors"][-1] == "NOT MET"
    assert good["logins/s, 64 in flight"][-1] == "NOT MET"  # never measured


def test_an_absent_peer_is_reported() -> None:
    assert "QuickFIX: absent." in report(Measured())
    assert "QuickFIX: absent." not in report(measured(250_000, 66.0))
