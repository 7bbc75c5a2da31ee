from collections.abc import Callable
from typing import Any

import pytest

from ontherun.client import Instruments, Report, ReportsLost
from ontherun.client.feed import Feed
from ontherun.client.reading import read_report
from ontherun.ilink.client_inbound import ClientMemory, Missed

Reports = Callable[..., Report]


@pytest.fixture
def report(build: Callable[..., Any]) -> Reports:
    return lambda uuid, number: read_report(build("ExecutionReportNew", uuid=uuid, seq_num=number), Instruments())


async def test_what_nobody_reads_is_not_held_back_for_a_restart(report: Reports) -> None:
    feed = Feed(10)
    feed.put(report(7, 1))
    memory = ClientMemory(uuid=7, next_inbound=2)
    assert feed.unread(memory) is memory


async def test_what_the_reader_has_not_come_back_from_is_held_back(report: Reports) -> None:
    feed = Feed(10)
    memory = ClientMemory(uuid=7, next_inbound=4)
    for number in (1, 2, 3):
        feed.put(report(7, number))
    assert await feed.next() == report(7, 1)
    assert feed.unread(memory).next_inbound == 1
    await feed.next()
    assert feed.unread(memory).next_inbound == 2
    await feed.next()
    feed.end()
    assert await feed.next() is None
    assert feed.unread(memory) is memory


async def test_unread_reports_of_earlier_uuids_are_held_back_too(report: Reports) -> None:
    feed = Feed(10)
    for uuid, number in ((5, 8), (5, 9), (6, 1), (7, 1), (7, 2)):
        feed.put(report(uuid, number))
    await feed.next()
    held = feed.unread(ClientMemory(uuid=7, next_inbound=3, missed=[Missed(6, 2, 4)]))
    assert held.missed == [Missed(5, 8, 9), Missed(6, 1, 4)]
    assert held.next_inbound == 1
    await feed.next()
    await feed.next()
    await feed.next()
    assert feed.unread(ClientMemory(uuid=7, next_inbound=3)).next_inbound == 1


async def test_lost_reports_are_told_before_those_that_came_later(report: Reports) -> None:
    feed = Feed(10)
    feed.lose(ReportsLost(3, "out of range"))
    feed.put(report(7, 4))
    with pytest.raises(ReportsLost, match="3 reports are lost: out of range"):
        await feed.next()
    assert await feed.next() == report(7, 4)
