"""The log file holds what goes wrong anywhere in the process."""

import json
import logging
from pathlib import Path

from ontherun.service.log import JsonLog


def test_a_fault_that_is_given_to_pythons_logging_is_a_line_of_the_log(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "ontherun.log", lambda: 1_700_000_000 * 10**9)
    logger, handler = logging.getLogger("ontherun.test_log"), log.handler()
    logger.addHandler(handler)
    logger.propagate = False
    try:
        raise ValueError("broken\nline")
    except ValueError:
        logger.exception("GET %s failed", "/people/{user_id}")
    logger.warning("refused: %s", "a\nb")
    logger.info("nobody needs this")
    logger.removeHandler(handler)
    log.close()
    fault, refused = map(json.loads, (tmp_path / "ontherun.log").read_text().splitlines())
    assert (fault["level"], fault["event"], fault["logger"]) == (
        "error",
        "GET /people/{user_id} failed",
        "ontherun.test_log",
    )
    assert fault["traceback"].endswith("ValueError: broken\nline")
    assert (refused["level"], refused["event"]) == ("warning", "refused: a\nb")
