"""Serves the page over HTTP on a thread with a loop of its own: however somebody scrapes, the guard's never waits.

Bounded in everything that a client decides: how many there are, how long a request is, how long it takes to come, how
long its answer takes to go. Where all places are taken, the one who has been silent longest gives way.
"""

from __future__ import annotations

import asyncio
import gzip
import hmac
import socket
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Final, NamedTuple

from console.domain.errors import UsageError
from console.domain.text import clean
from console.guard.metrics.exposition import Page, Pages

PATH: Final = "/metrics"
MOST_CLIENTS: Final = 64
MOST_HEADER: Final = 8_192
"""Bytes of a request, up to the empty line."""
ASK_S: Final = 5.0
"""How long a request may take to come."""
ANSWER_S: Final = 30.0
"""How long its answer may take to go."""
PIECE: Final = 262_144
HAND_BACK_S: Final = 0.0005
"""How long rendering may keep the interpreter from the guard's loop at a time."""
GAP_S: Final = 0.02
"""Between two pages that are handed out, and"""
A_SECOND: Final = 50_000_000
"""so many bytes a second in all: one of a thousand agents is megabytes, and sending it takes the interpreter, too."""
END_S: Final = 2.0
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_REASONS: Final[Mapping[int, str]] = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    421: "Misdirected Request",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
}


class Answer(NamedTuple):
    """What one request gets.

    Args:
        status: of HTTP.
        body: of it; of a refusal, why, in a line.
        kind: its content type.
        more: further headers.
    """

    status: int
    body: bytes
    kind: str = "text/plain; charset=utf-8"
    more: tuple[str, ...] = ()


class Request(NamedTuple):
    """What was asked, as far as it is needed."""

    method: str
    path: str
    headers: Mapping[str, str]


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        UsageError: nothing can listen there; said with the reason.
    """
    where = f"{clean(host, 80)}:{port}"
    try:
        family, kind, number, _name, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, number)
    except OSError as error:
        raise UsageError(f"Metrics can't be served on {where}: {error.strerror or error}.") from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(128)
    except OSError as error:
        sock.close()
        hint = "Give --metrics another port, or end what listens there."
        raise UsageError(f"Metrics can't be served on {where}: {error.strerror or error}.", hint) from error
    sock.setblocking(False)
    return sock


class MetricsServer:
    """Answers GET /metrics.

    Args:
        sock: as `listening` made it; it is closed in the end.
        pages: what is served.
        token: what has to be shown; empty where everybody who reaches it may look.
    """

    def __init__(self, sock: socket.socket, pages: Pages, token: str = "") -> None:
        self._sock, self._pages = sock, pages
        self._token = _digest(token) if token else b""
        self.clients: dict[asyncio.Task[None], bool] = {}
        """Those that are there, longest first, and whether their request has come."""
        self._packed: dict[str, tuple[Page, bytes]] = {}
        """By content type, what was packed last."""
        self._turns = asyncio.Lock()
        self._next_s = 0.0
        """When the next page may be handed out, on the clock of the loop."""
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda _loop, _context: pages.failed())  # no line of its own in the log
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._hosts = _LOCAL | {_host_of(sock)}

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{_host_of(self._sock)}:{self._sock.getsockname()[1]}{PATH}"

    def start(self) -> None:
        """Begin; while it serves, no thread keeps the interpreter for longer than half a millisecond."""
        self._before_s = sys.getswitchinterval()
        sys.setswitchinterval(min(self._before_s, HAND_BACK_S))
        self._thread.start()

    def close(self) -> None:
        """End it, and whatever is under way."""
        with suppress(RuntimeError):  # it has ended already
            self.loop.call_soon_threadsafe(self._over.set)
        self._thread.join(END_S)
        sys.setswitchinterval(self._before_s)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._serve())
        finally:
            self._sock.close()
            self.loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, sock=self._sock, limit=MOST_HEADER)
        try:
            await self._over.wait()
        finally:
            server.close()
            for task in list(self.clients):
                task.cancel()
            await asyncio.gather(*self.clients, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self.clients) >= MOST_CLIENTS:
            asked = next((one for one, whole in self.clients.items() if not whole), next(iter(self.clients)))
            self.clients.pop(asked)
            asked.cancel()
        self.clients[task] = False
        try:
            await self._talk(task, reader, writer)
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # it has gone, is too slow, or gave way to another
        finally:
            self.clients.pop(task, None)
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    async def _talk(self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer, head_only = Answer(408, b"No whole request came in time.\n"), False
        try:
            async with asyncio.timeout(ASK_S):
                request = _parsed(await reader.readuntil(b"\r\n\r\n"))
        except asyncio.LimitOverrunError:
            answer = Answer(431, b"The request is too large.\n")
        except asyncio.IncompleteReadError:
            return
        except TimeoutError:
            pass
        else:
            if task in self.clients:
                self.clients[task] = True
            head_only = request is not None and request.method == "HEAD"
            answer = self._refused(request) or await self._answer(request)
        await _send(writer, answer, head_only=head_only)

    def _refused(self, request: Request | None) -> Answer | None:
        """What one gets who gets no page."""
        if request is None:
            return Answer(400, b"This is no request of HTTP/1.\n")
        host = request.headers.get("host", "").lower()
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if not self._token and name not in self._hosts:
            return Answer(421, b"This name is not served without a token.\n")
        if self._token and not self._may(request.headers.get("authorization", "")):
            return Answer(401, b"A token is needed.\n", more=("WWW-Authenticate: Bearer",))
        if request.path != PATH:
            return Answer(404, f"There is only {PATH}.\n".encode())
        if request.method not in ("GET", "HEAD"):
            return Answer(405, b"Only GET and HEAD.\n", more=("Allow: GET, HEAD",))
        return None

    async def _answer(self, request: Request | None) -> Answer:
        """The page, one after the other: who asks without a pause is answered as often as that lets him."""
        assert request is not None
        async with self._turns:
            await asyncio.sleep(max(0.0, self._next_s - self.loop.time()))
            try:
                page = self._pages.page(request.headers.get("accept", ""))
            except Exception as error:  # noqa: BLE001 - it is told to who asks, and the next one is rendered anew
                return Answer(500, f"The page can't be rendered: {type(error).__name__}.\n".encode())
            finally:
                self._next_s = self.loop.time() + GAP_S
            self._next_s += len(page.body) / A_SECOND
            if "gzip" in request.headers.get("accept-encoding", ""):
                return Answer(200, self._pack(page), page.kind, ("Content-Encoding: gzip",))
            return Answer(200, page.body, page.kind)

    def _may(self, authorization: str) -> bool:
        kind, _, shown = authorization.partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(_digest(shown.strip()), self._token)

    def _pack(self, page: Page) -> bytes:
        packed = self._packed.get(page.kind)
        if packed is None or packed[0] is not page:
            packed = self._packed[page.kind] = page, gzip.compress(page.body, 1, mtime=0)
        return packed[1]


async def _send(writer: asyncio.StreamWriter, answer: Answer, *, head_only: bool) -> None:
    lines = (
        f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}",
        f"Content-Type: {answer.kind}",
        f"Content-Length: {len(answer.body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
        *answer.more,
    )
    writer.transport.set_write_buffer_limits(0)  # `drain` waits until all of it has gone
    async with asyncio.timeout(ANSWER_S):
        writer.write("\r\n".join((*lines, "", "")).encode("ascii"))
        body = memoryview(b"" if head_only else answer.body)
        for start in range(0, len(body), PIECE):  # a piece at a time: who reads slowly holds no more than that
            writer.write(body[start : start + PIECE])
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
        await writer.drain()


def _parsed(raw: bytes) -> Request | None:
    """A request; None for what is none."""
    try:
        first, *rest = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        method, target, version = first.split(" ")
    except ValueError:
        return None
    if not version.startswith("HTTP/1."):
        return None
    headers: dict[str, str] = {}
    for line in rest:
        name, colon, value = line.partition(":")
        if not colon:
            return None
        headers[name.strip().lower()] = value.strip()
    return Request(method, target.partition("?")[0], headers)


def _host_of(sock: socket.socket) -> str:
    host = str(sock.getsockname()[0])
    return f"[{host}]" if ":" in host else host


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogateescape")).digest()
