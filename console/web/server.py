"""The web server: textual-serve's, with nothing from outside on its pages, and a door before its consoles."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp_jinja2
import jinja2
from aiohttp import WSMsgType, web
from textual_serve.server import Server

from console.domain.errors import ConsoleError, UsageError
from console.domain.text import clean
from console.web.access import VISIT_S, Access, is_loopback
from console.web.session import ConsoleSession, bounded

COOKIE: Final = "agent-console"
MOST_MESSAGE_BYTES: Final = 64 * 1024
"""Of one message of a browser: a key, a size, a text that was pasted."""
PING_S: Final = 15.0
"""A browser that does not answer a ping within half of that is gone."""

_HERE = Path(__file__).parent
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_OPEN: Final = ("/own/", "/static/")
"""What is the same for everybody, and tells nothing."""

log = logging.getLogger("agent-console.web")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Serving:
    """What is served, and where.

    Args:
        program: what is started for each visitor, and its arguments.
        environ: what its environment has beside the server's own.
        host, port: where to listen; port 0 for any that is free.
        public_url: under which browsers come, where something stands before the server; empty for none.
        title: of the page.
        visitors: how many consoles at once.
    """

    program: Sequence[str]
    environ: Mapping[str, str]
    host: str
    port: int
    public_url: str = ""
    title: str = "agent-console"
    visitors: int = 8


def checked_public_url(url: str) -> str:
    """An address under which browsers come, without a slash at its end.

    Raises:
        UsageError: it is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment or parts.username:
        raise UsageError(f"{clean(url, 120)!r} is no address of the form https://console.example.org/path.")
    return url.rstrip("/")


class WebServer(Server):
    """Serves consoles until it is told to end.

    Args:
        serving: what and where.
        token: what visitors have to show; empty for nothing.
        ready: called with the address once the server listens.
    """

    def __init__(self, serving: Serving, token: str, ready: Callable[[str], None]) -> None:
        super().__init__(serving.program[0], serving.host, serving.port, serving.title, serving.public_url or None)
        self._serving = serving
        self._token = token
        self._ready = ready
        self._visitors: set[ConsoleSession] = set()
        self._sockets: set[web.WebSocketResponse] = set()
        self.access = Access(token, frozenset())

    async def run(self) -> None:
        """Listen until SIGINT or SIGTERM; then end every console.

        Raises:
            ConsoleError: the server can't listen there.
        """
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, over.set)
        runner = web.AppRunner(await self._make_app(), handle_signals=False, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self.host, self.port, shutdown_timeout=1.0)
            try:
                await site.start()
            except OSError as error:
                where = f"{clean(self.host, 80)}:{self.port}"
                raise ConsoleError(f"Nothing can listen on {where}: {error.strerror or error}.") from error
            self._name(runner.addresses[0][1])
            self._ready(self.public_url)
            await over.wait()
        finally:
            await asyncio.gather(*(socket.close() for socket in set(self._sockets)), return_exceptions=True)
            await asyncio.gather(*(visitor.stop() for visitor in set(self._visitors)), return_exceptions=True)
            await runner.cleanup()

    def _name(self, port: int) -> None:
        """What browsers may call the server: where it listens, and what it is called in public."""
        self.port = port
        if self._serving.public_url:
            hosts = {urlsplit(self.public_url).netloc.lower()}
        else:
            shown = f"[{self.host}]" if ":" in self.host else self.host
            self.public_url = f"http://{shown}:{self.port}"
            hosts = {f"{shown}:{self.port}".lower()}
        if is_loopback(self.host):
            hosts |= {f"{name}:{self.port}" for name in ("localhost", "127.0.0.1", "[::1]")}
        self.access = Access(self._token, frozenset(hosts))

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[self._door], client_max_size=16 * 1024)
        aiohttp_jinja2.setup(app, loader=jinja2.FileSystemLoader(_HERE / "templates"), autoescape=True)
        app.add_routes(
            [
                web.get("/", self.handle_index, name="index"),
                web.post("/login", self.handle_login, name="login"),
                web.get("/ws", self.handle_websocket, name="websocket"),
                web.get("/download/{key}", self.handle_download, name="download"),
                web.static("/static", self.statics_path, name="static"),
                web.static("/own", _HERE / "static", name="own"),
            ]
        )
        return app

    @web.middleware
    async def _door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What is not meant for this server, comes from another page, or shows no token goes no further."""
        try:
            response = await self._passed(request, handler)
        except web.HTTPException as error:
            error.headers.update(_HEADERS)
            raise
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    async def _passed(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self.access.answers_to(request.host):
            raise web.HTTPMisdirectedRequest(text="This server has another name.\n")
        if request.path in ("/ws", "/login") and not self._from_here(request):
            raise web.HTTPForbidden(text="This was sent by a page of somebody else.\n")
        if request.path.startswith(_OPEN) or request.path == "/login":
            return await handler(request)
        if self.access.has_to_wait and "Authorization" in request.headers:
            raise web.HTTPTooManyRequests(text="Too many wrong tokens.\n", headers={"Retry-After": "60"})
        if self.access.may(request.headers.get("Authorization", ""), request.cookies.get(COOKIE, "")):
            return await handler(request)
        if request.path == "/":
            return self._login_page(request, "", 401)
        raise web.HTTPUnauthorized(text="A token is needed.\n")

    def _from_here(self, request: web.Request) -> bool:
        """Whether one of our own pages sent it; what is no browser names no page, and shows the token itself."""
        origin = request.headers.get("Origin")
        if origin is None:
            return not self._token or "Authorization" in request.headers
        return self.access.answers_to(urlsplit(origin).netloc)

    def _login_page(self, request: web.Request, problem: str, status: int) -> web.Response:
        context = {"title": self.title, "problem": problem, "base": self._base}
        return aiohttp_jinja2.render_template("login.html", request, context, status=status)

    @property
    def _base(self) -> str:
        """The path below which the server stands; empty where it has a name of its own."""
        return urlsplit(self.public_url).path.rstrip("/")

    async def handle_login(self, request: web.Request) -> web.StreamResponse:
        """A token was typed."""
        if self.access.has_to_wait:
            return self._login_page(request, "Too many wrong tokens; wait a minute.", 429)
        shown = (await request.post()).get("token", "")
        if not isinstance(shown, str) or not self.access.is_right(shown.strip()):
            return self._login_page(request, "That is not the token.", 401)
        response = web.HTTPSeeOther(f"{self._base}/")
        response.set_cookie(
            COOKIE,
            self.access.enter(),
            max_age=int(VISIT_S),
            path=f"{self._base}/",
            httponly=True,
            samesite="Strict",
            secure=self.public_url.startswith("https:"),
        )
        return response

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page with the terminal."""
        size = request.query.get("fontsize", "")
        scheme = "wss" if self.public_url.startswith("https:") else "ws"
        host = request.host if not self._serving.public_url else urlsplit(self.public_url).netloc
        context = {
            "title": self.title,
            "base": self._base,
            "socket": f"{scheme}://{host}{self._base}/ws",
            "font_size": min(max(int(size), 6), 48) if size.isdecimal() and len(size) < 4 else 16,
        }
        return aiohttp_jinja2.render_template("console.html", request, context)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A visitor: a console starts, and ends with the visit."""
        if len(self._visitors) >= self._serving.visitors:
            raise web.HTTPServiceUnavailable(text="As many consoles are open as may be.\n")
        socket = web.WebSocketResponse(heartbeat=PING_S, max_msg_size=MOST_MESSAGE_BYTES)

        async def close() -> None:
            await socket.close()

        session = ConsoleSession(
            self._serving.program,
            self._serving.environ,
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=close,
            download_manager=self.download_manager,
        )
        self._visitors.add(session)
        self._sockets.add(socket)
        try:
            await socket.prepare(request)
            await session.start(*bounded(_number(request, "width", 80), _number(request, "height", 24)))
            await self._talk(socket, session)
        finally:
            with contextlib.suppress(ConnectionError):
                await session.stop()
            self._visitors.discard(session)
            self._sockets.discard(socket)
            await socket.close()
        return socket

    async def _talk(self, socket: web.WebSocketResponse, session: ConsoleSession) -> None:
        """Hand on what the browser sends; what is nothing that it could send ends the visit."""
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            match _envelope(message.data):
                case ["stdin", str(keys)]:
                    await session.send_bytes(keys.encode("utf-8", "ignore"))
                case ["resize", {"width": int(width), "height": int(height)}]:
                    await session.set_terminal_size(width, height)
                case ["ping", data]:
                    await socket.send_json(["pong", data])
                case ["blur", *_]:
                    await session.blur()
                case ["focus", *_]:
                    await session.focus()
                case _:
                    log.warning("A browser sent what no page of ours sends; its visit is over.")
                    return


def _envelope(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 6 else default
