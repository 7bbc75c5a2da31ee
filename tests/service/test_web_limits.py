"""What peers without a token can take of the process that portal and gateways share: little, and not for long."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ontherun.service import web
from ontherun.service.web import WebServer

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


async def echo_source(scope: Any, receive: Any, send: Any) -> None:
    """Say where a request comes from, once its body is there."""
    while (await receive()).get("more_body"):
        pass
    text = f"{scope['client'][0]} {scope['scheme']}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text})


@pytest.fixture
async def address() -> AsyncIterator[tuple[str, int]]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = WebServer(echo_source, listening)
    await server.ready()
    yield listening.getsockname()
    await server.stop()


async def ended(reader: asyncio.StreamReader) -> bool:
    """Wait for the end of a connection."""
    try:
        return await asyncio.wait_for(reader.read(), 20) == b""
    except ConnectionError:
        return True


async def ask(address: tuple[str, int], head: bytes = HEAD) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(head + b"Content-Length: 1\r\nConnection: close\r\n\r\nx")
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return answer


async def test_nobody_chooses_the_address_that_they_come_from(address: tuple[str, int]) -> None:
    spoof = b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nForwarded: for=203.0.113.9\r\n"
    assert (await ask(address, HEAD + spoof)).endswith(b"127.0.0.1 http")


async def test_a_body_that_never_ends_is_cut_off(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "BODY_IN", 0.2)
    reader, writer = await asyncio.open_connection(*address)
    writer.write(HEAD + b"Content-Length: 1000\r\n\r\na")
    assert await ended(reader)
    writer.close()
    assert (await ask(address)).endswith(b"127.0.0.1 http")


async def test_a_head_that_never_ends_is_cut_off(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "HEAD_IN", 0.2)
    reader, writer = await asyncio.open_connection(*address)
    writer.write(HEAD)
    assert await ended(reader)
    writer.close()


async def test_where_there_are_too_many_who_owes_the_longest_gives_way(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "MOST_CONNECTIONS", 4)
    slow = []
    for _ in range(4):
        slow.append(await asyncio.open_connection(*address))
        slow[-1][1].write(HEAD)
        await asyncio.sleep(0.05)
    assert (await ask(address)).endswith(b"127.0.0.1 http")
    assert await ended(slow[0][0])
    slow[3][1].write(b"Content-Length: 0\r\nConnection: close\r\n\r\n")
    assert (await asyncio.wait_for(slow[3][0].read(), 20)).endswith(b"127.0.0.1 http")
    for _, writer in slow:
        writer.close()
