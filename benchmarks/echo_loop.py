"""The loop's own floor: a uvloop Protocol that answers every frame with a constant report. Prints its port."""

import asyncio

import uvloop

HEADER = 12


def frame(size: int, template_id: int) -> bytes:
    header = (size, 0xCAFE, size - HEADER, template_id, 8, 9)
    return b"".join(value.to_bytes(2, "little") for value in header) + bytes(size - HEADER)


ANSWERS = {500: frame(47, 501), 503: frame(51, 504)}
REPORT = frame(238, 522)


class Echo(asyncio.Protocol):
    def __init__(self) -> None:
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.write = transport.write  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if self.rest:
            data = self.rest + data
        at, have, reports = 0, len(data), 0
        while have - at >= HEADER:
            size = data[at] | data[at + 1] << 8
            if have - at < size:
                break
            answer = ANSWERS.get(data[at + 6] | data[at + 7] << 8)
            if answer is None:
                reports += 1
            else:
                self.write(answer)
            at += size
        self.rest = data[at:]
        if reports:
            self.write(REPORT * reports)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


uvloop.run(main())
