"""A port in front of a real server, over TLS where that is wanted, that may change or keep back what passes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.servers import Server

TLS = Path(__file__).parent / "tls"
Opened = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
Passing = Callable[[bytes, bool], bytes]
"""What is passed on of some bytes, and of replies or not."""


@asynccontextmanager
async def front(opened: Opened, passing: Callable[[], Passing], *, tls: bool = False) -> AsyncIterator[int]:
    """A port.

    Args:
        opened: connects to the server behind it.
        passing: what passes, for each connection anew.
        tls: speak TLS.
    """
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await opened()
        passes = passing()

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, replies: bool) -> None:
            while data := await source.read(65536):
                if told := passes(data, replies):
                    sink.write(told)
                    await sink.drain()
            sink.close()

        tasks.add(asyncio.create_task(pump(reader, inner_writer, False)))
        tasks.add(asyncio.create_task(pump(inner_reader, writer, True)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def in_front_of(server: Server, *, tls: bool = False, swallow: bytes = b"") -> AsyncIterator[int]:
    """A port that passes everything on to the server's socket.

    Args:
        tls: speak TLS.
        swallow: never pass on a reply once a request has held these bytes.
    """

    def passing() -> Passing:
        silent = False

        def passes(data: bytes, replies: bool) -> bytes:
            nonlocal silent
            silent = silent or (not replies and bool(swallow) and swallow in data)
            return b"" if replies and silent else data

        return passes

    async with front(lambda: asyncio.open_unix_connection(str(server.socket)), passing, tls=tls) as port:
        yield port


@asynccontextmanager
async def lying(sentinel: Server, truth: int, lie: int | list[int], *, tls: bool = False) -> AsyncIterator[int]:
    """A port of a Sentinel that names another address than it knows: both ports have as many digits.

    Args:
        lie: what it names; one in a list may be replaced later.
        tls: speak TLS, and call the host by a name that a certificate can have.
    """

    def told(data: bytes, _replies: bool) -> bytes:
        named = lie if isinstance(lie, int) else lie[0]
        changed = data.replace(str(truth).encode(), str(named).encode())
        return changed.replace(b"127.0.0.1", b"localhost") if tls else changed

    async with front(lambda: asyncio.open_connection("127.0.0.1", sentinel.port), lambda: told, tls=tls) as port:
        yield port
