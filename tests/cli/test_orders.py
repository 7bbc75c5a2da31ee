"""`ontherun order`, run as a person runs it: a process for each call."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.venue_process import ROOT, VenueProcess

Order = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def order(process: VenueProcess) -> Order:
    def run(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "ONTHERUN_DATA": str(process.data)}
        command = [sys.executable, "-m", "ontherun", "order", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return run


def lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    return done.stdout.splitlines()


def reports(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(done)]


def test_an_order_stays_after_the_call_and_another_call_trades_with_it(order: Order) -> None:
    (accepted,) = lines(order("sell", "UB10", "99-16+", "5"))
    assert accepted.startswith("accepted: sell 5 UB10 at 99-16+, day, order 40")
    first, second = lines(order("buy", "UB10", "99.515625", "5", "--session", "A01"))
    assert first.startswith("accepted: buy 5 UB10 at 99-16+")
    assert second.startswith("traded: bought 5 UB10 at 99-16+, filled")


def test_an_order_is_replaced_and_cancelled_by_its_id(order: Order) -> None:
    (accepted,) = reports(order("buy", "UB10", "98", "5", "--json"))
    assert (accepted["report"], accepted["price"], accepted["side"]) == ("Accepted", "98", {"code": 1, "name": "BUY"})
    which = [str(accepted["order_id"]), "--security", "UB10", "--side", "buy"]
    (replaced,) = lines(order("replace", which[0], "98-02", "3", *which[1:]))
    assert replaced.startswith("replaced: buy 3 UB10 at 98-02, 3 open, order ")
    (cancelled,) = lines(order("cancel", *which))
    assert cancelled.startswith("cancelled: buy 3 UB10 at 98-02, unfilled, order ")
    (rejected,) = lines(order("cancel", *which, code=1))
    assert rejected.startswith("cancel rejected: 2045 (order not in book)")


def test_an_order_is_found_by_its_own_id_even_if_that_is_a_number(order: Order) -> None:
    order("buy", "400010", "98", "1", "--cl-ord-id", "17")
    order("cancel", "17", "--cl-ord-id", "--security", "UB10", "--side", "buy")
    order("buy", "UB10", "98", "1", "--cl-ord-id", "MINE")
    order("cancel", "MINE", "--security", "400010", "--side", "buy")


def test_fill_and_kill_tells_trade_and_elimination(order: Order) -> None:
    order("sell", "UB05", "99", "2")
    told = reports(order("buy", "UB05", "99", "3", "--tif", "fak", "--session", "A01", "--json"))
    assert [report["report"] for report in told] == ["Accepted", "Traded", "Eliminated"]
    assert (told[1]["last_qty"], told[1]["fills"][0]["qty"], told[2]["cum_qty"]) == (2, 2, 2)


def test_staying_ends_with_the_order(order: Order) -> None:
    order("sell", "UB05", "99", "1")
    assert len(lines(order("buy", "UB05", "99", "1", "--session", "A01", "--wait", "60"))) == 2
    (accepted,) = reports(order("buy", "UB05", "97", "1", "--wait", "0.05", "--json"))
    order("cancel", str(accepted["order_id"]), "--security", "UB05", "--side", "buy")


def test_a_refused_order_is_told_and_ends_with_1(order: Order) -> None:
    (rejected,) = lines(order("buy", "UB10", "99-163", "1", code=1))
    assert rejected.startswith("rejected: buy 1 UB10 at 99-163: 1011")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["buy", "UB11", "99", "1"], 1, "unknown security 'UB11'; known: UB02"),
        (["buy", "UB10", "99-40", "1"], 2, "32nds go from 00 to 31"),
        (["buy", "UB10", "99", "0"], 2, "greater than or equal to 1"),
        (["buy", "UB10", "99", "1", "--cl-ord-id", "X" * 21], 1, "ClOrdID"),
        (["buy", "UB10", "99", "1", "--data", "/nowhere"], 1, "ontherun up"),
        (["buy", "UB10", "99", "1", "--session", "XXX"], 1, "no demo session 'XXX'"),
        (["buy", "UB10", "99", "1", "--port", "1"], 1, "needs --host, --port and --key"),
        (["buy", "UB10", "99", "1", "--key", "none.json"], 1, "none.json"),
        (["cancel", "1", "--side", "buy"], 2, "--security"),
        (["cancel", "1", "--security", "UB10", "--side", "up"], 2, "buy"),
    ],
)
def test_a_mistake_is_explained(order: Order, arguments: list[str], code: int, words: str) -> None:
    done = order(*arguments, code=code)
    assert words in " ".join(done.stderr.replace("│", "").split())
    assert "Traceback" not in done.stderr


def test_another_key_and_address_can_be_named(order: Order, process: VenueProcess, tmp_path: Path) -> None:
    host, port = process.address
    address = ["--host", host, "--port", str(port), "--party-details", "1001"]
    key = Path(process.ready["demo"][0]["key_file"])
    (accepted,) = reports(order("buy", "400002", "98", "1", "--key", str(key), *address, "--json"))
    assert accepted["security"] == "400002"
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(json.loads(key.read_text()) | {"secret_key": "A" * 43}))
    done = order("buy", "400002", "98", "1", "--key", str(wrong), *address, code=1)
    assert "login refused by NegotiationReject 0 (HMAC_NOT_AUTHENTICATED)" in done.stderr
    assert "Typical causes:" in done.stderr
    (error,) = reports(order("buy", "400002", "98", "1", "--key", str(wrong), *address, "--json", code=1))
    assert (error["error"], error["code"], error["answer"]) == ("LoginRefused", 0, "NegotiationReject")
    assert "A" * 43 not in done.stderr + json.dumps(error)
