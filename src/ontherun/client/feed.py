"""Feed: the reports that nobody has taken yet, in order."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace

from ontherun.client.errors import ReportsLost
from ontherun.client.reports import Report
from ontherun.ilink.client_inbound import ClientMemory, Missed


class Feed:
    """A queue of reports with one reader, who may come late or never; the oldest are forgotten beyond `backlog`."""

    def __init__(self, backlog: int) -> None:
        self._backlog = backlog
        self._reports: deque[Report] = deque()
        self._losses: deque[ReportsLost] = deque()
        self._forgotten = 0
        self._ended = False
        self._read = False
        self._current: Report | None = None  # in the reader's hands: it has not come back for the next one
        self._waiting: asyncio.Future[None] | None = None

    def put(self, report: Report) -> None:
        """A report came."""
        if len(self._reports) >= self._backlog:
            self._reports.popleft()
            self._forgotten += 1
        self._reports.append(report)
        self._wake()

    def lose(self, loss: ReportsLost) -> None:
        """Reports that the venue cannot send again."""
        self._losses.append(loss)
        self._wake()

    def end(self) -> None:
        """Nothing more comes."""
        self._ended = True
        self._wake()

    async def read(self) -> AsyncIterator[Report]:
        """Every report, each once. Ends when the session ended.

        Raises ReportsLost where reports are missing; call again to read on.
        """
        try:
            while (report := await self.next()) is not None:
                yield report
        finally:
            self._current = None

    @property
    def ready(self) -> bool:
        """Whether `next` has an answer at once."""
        return bool(self._forgotten or self._losses or self._reports or self._ended)

    async def wait(self) -> None:
        """Wait until `next` has an answer; may be given up without losing anything."""
        while not self.ready:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting

    async def next(self) -> Report | None:
        """The next report; None when the session ended. Raises ReportsLost."""
        self._read = True
        self._current = None
        await self.wait()
        if self._forgotten:
            count, self._forgotten = self._forgotten, 0
            raise ReportsLost(count, "nobody read them; raise `backlog` or read faster")
        if self._losses:
            raise self._losses.popleft()
        if self._reports:
            self._current = self._reports.popleft()
        return self._current

    def unread(self, memory: ClientMemory) -> ClientMemory:
        """The memory as it was before what the reader has not read, so that a restart fetches that again."""
        oldest = self._current or (self._reports[0] if self._reports else None)
        if oldest is None or not self._read:
            return memory
        if oldest.uuid == memory.uuid:
            return replace(memory, next_inbound=oldest.seq_num)
        spans: dict[int, Missed] = {}
        for report in (oldest, *self._reports):
            span = spans.setdefault(report.uuid, Missed(report.uuid, report.seq_num, report.seq_num))
            span.last_seq_no = report.seq_num
        for missed in memory.missed:
            spans.setdefault(missed.uuid, missed).last_seq_no = missed.last_seq_no
        current = spans.pop(memory.uuid, None)
        number = memory.next_inbound if current is None else current.next_seq_no
        return replace(memory, next_inbound=number, missed=list(spans.values()))

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
