"""The console in a browser: who it is is asked before a console starts, and each ends with its visit."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.processes import Process
from tests.waiting import until, until_async
from tests.web.browser import CHROMIUM, page

TOKEN = "0123456789abcdef0123456789abcdef"
ADDRESS = re.compile(r"http://\S+")
PLAIN = re.compile(rb"\x1b\[[0-9;?<>=]*[a-zA-Z]|\x1b[()][A-Z0-9]")


class Serve:
    """`agent-console serve` in a process of its own."""

    def __init__(self, home: Path, url: str, *words: str, token: str = "") -> None:
        folders = {f"AGENT_CONSOLE_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "CACHE")}
        self.process = Process(
            "console",
            "serve",
            "--port",
            "0",
            *words,
            environment={**folders, "AGENT_CONSOLE_URL": url, **({"AGENT_CONSOLE_TOKEN": token} if token else {})},
        ).until("ctrl+c ends it")
        line = next(line for line in self.process.errors if "ctrl+c" in line)
        match = ADDRESS.search(line)
        assert match is not None
        self.address = match[0]

    @property
    def consoles(self) -> list[int]:
        """The processes that it has started and that go on."""
        return children(self.process.process.pid)


def children(pid: int) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def serve(tmp_path: Path, store_url: str) -> Iterator[type[Serve]]:
    """Starts servers, and ends them."""
    with ExitStack() as cleanup:

        class Started(Serve):
            def __init__(self, *words: str, token: str = "") -> None:
                super().__init__(tmp_path, store_url, *words, token=token)
                cleanup.callback(self.process.end)

        yield Started  # type: ignore[misc]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


class Visit:
    """A browser's socket, and all that was drawn on it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.drawn = b""

    async def until(self, text: str) -> None:
        async with asyncio.timeout(60):
            while text.encode() not in PLAIN.sub(b"", self.drawn):
                message = await self.socket.receive()
                assert message.type is aiohttp.WSMsgType.BINARY, (message, PLAIN.sub(b"", self.drawn)[-800:])
                self.drawn += message.data

    async def type(self, keys: str) -> None:
        await self.socket.send_json(["stdin", keys])

    async def over(self) -> None:
        """Wait for the end of the visit."""
        async with asyncio.timeout(60):
            while (await self.socket.receive()).type is aiohttp.WSMsgType.BINARY:
                pass


@contextlib.asynccontextmanager
async def visit(http: aiohttp.ClientSession, served: Serve, **headers: str) -> AsyncIterator[Visit]:
    own = {"Origin": served.address, **headers}
    async with http.ws_connect(f"{served.address}/ws?width=120&height=40", headers=own) as socket:
        yield Visit(socket)


async def test_by_default_it_is_on_this_machine_and_only_looks(
    serve: type[Serve], http: aiohttp.ClientSession, valkey_sync: object
) -> None:
    served = serve()

    assert served.address.startswith("http://127.0.0.1:")
    async with visit(http, served) as one:
        await one.until("RO")
        await one.until("no active version was ever set")
        await one.type("H")
        await one.until("read-only")


async def test_commands_go_through_where_that_was_asked_for_and_the_token_was_shown(
    serve: type[Serve], http: aiohttp.ClientSession
) -> None:
    served = serve("--write", token=TOKEN)

    async with visit(http, served, Authorization=f"Bearer {TOKEN}") as one:
        await one.until("RW")


@pytest.mark.parametrize("words", [["--write"], ["--host", "0.0.0.0"], ["--public-url", "https://console.example.org"]])
def test_without_a_token_anything_else_is_refused(words: list[str], tmp_path: Path, store_url: str) -> None:
    process = Process("console", "serve", *words, environment={"AGENT_CONSOLE_URL": store_url})

    assert process.process.wait(60) == 2
    until(lambda: any("needs a token" in line for line in process.errors))


async def test_no_console_starts_before_the_token_was_shown(serve: type[Serve], http: aiohttp.ClientSession) -> None:
    served = serve(token=TOKEN)

    async with http.get(served.address) as reply:
        assert reply.status == 401 and "Token" in await reply.text()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": "agent-console=wrong"}):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with visit(http, served, **headers):
                raise AssertionError("a console was opened")
        assert refused.value.status in (401, 403)
        async with http.get(f"{served.address}/download/x", headers=headers) as reply:
            assert reply.status == 401

    assert served.consoles == []


async def test_a_token_that_is_typed_is_remembered_by_a_cookie_that_no_script_reads(
    serve: type[Serve], http: aiohttp.ClientSession
) -> None:
    served = serve(token=TOKEN)
    own = {"Origin": served.address}

    async with http.post(f"{served.address}/login", data={"token": "wrong"}, headers=own) as reply:
        assert reply.status == 401 and TOKEN not in await reply.text()
    async with http.post(f"{served.address}/login", data={"token": TOKEN}, headers=own, allow_redirects=False) as reply:
        assert reply.status == 303
        cookie = reply.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and TOKEN not in cookie
    async with visit(http, served) as one:
        await one.until("RO")


async def test_who_guesses_has_to_wait(serve: type[Serve], http: aiohttp.ClientSession) -> None:
    served = serve(token=TOKEN)
    own = {"Origin": served.address}

    for _ in range(10):
        async with http.post(f"{served.address}/login", data={"token": "guess"}, headers=own) as reply:
            assert reply.status == 401
    async with http.post(f"{served.address}/login", data={"token": TOKEN}, headers=own) as reply:
        assert reply.status == 429


async def test_a_page_of_somebody_else_opens_nothing(serve: type[Serve], http: aiohttp.ClientSession) -> None:
    served = serve()

    for origin in ("http://evil.example", "null", "http://127.0.0.1:1", f"{served.address}.evil.example"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with visit(http, served, Origin=origin):
                raise AssertionError("a console was opened")
        assert refused.value.status == 403
    async with http.get(served.address, headers={"Host": "rebound.example"}) as reply:
        assert reply.status == 421
    assert served.consoles == []


async def test_its_page_takes_nothing_from_outside(serve: type[Serve], http: aiohttp.ClientSession) -> None:
    served = serve()

    async with http.get(f"{served.address}/?fontsize=%22%3E%3Cscript%3E") as reply:
        text = await reply.text()
        policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert not re.findall(r"""(?:src|href)="(?!/)""", text) and "<script>" not in text


async def test_no_secret_is_among_the_arguments_that_everybody_sees(
    serve: type[Serve], http: aiohttp.ClientSession, store_url: str
) -> None:
    served = serve("--agent", "atlas", token=TOKEN)

    async with visit(http, served, Authorization=f"Bearer {TOKEN}") as one:
        await one.until("atlas")
        (console,) = served.consoles
        for pid in (console, served.process.process.pid):
            assert store_url not in Path(f"/proc/{pid}/cmdline").read_text()
            assert TOKEN not in Path(f"/proc/{pid}/cmdline").read_text()
        assert TOKEN not in Path(f"/proc/{console}/environ").read_text()


async def test_a_console_ends_with_its_visit(serve: type[Serve], http: aiohttp.ClientSession) -> None:
    served = serve()

    async with visit(http, served) as one:
        await one.until("RO")
        (console,) = served.consoles
        assert alive(console)
    await until_async(lambda: not alive(console), "the console has ended")


async def test_who_quits_sees_the_end_of_it(serve: type[Serve], http: aiohttp.ClientSession) -> None:
    served = serve()

    async with visit(http, served) as one:
        await one.until("RO")
        await one.type("q")
        await one.over()
    await until_async(lambda: served.consoles == [])


@pytest.mark.long
async def test_a_console_that_was_killed_ends_the_visit(serve: type[Serve], http: aiohttp.ClientSession) -> None:
    served = serve()

    async with visit(http, served) as one:
        await one.until("RO")
        os.kill(served.consoles[0], signal.SIGKILL)
        await one.over()
    async with visit(http, served) as another:
        await another.until("RO")


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long), signal.SIGKILL]
)
async def test_no_console_outlives_its_server(number: int, serve: type[Serve], http: aiohttp.ClientSession) -> None:
    served = serve()

    async with visit(http, served) as one:
        await one.until("RO")
        (console,) = served.consoles
        served.process.send(number)
        await one.over()
        await until_async(lambda: not alive(console), "the console has ended")
    assert served.process.process.wait(60) == (0 if number != signal.SIGKILL else -signal.SIGKILL)


@pytest.mark.long
async def test_a_frozen_console_is_killed_when_its_visit_is_over(
    serve: type[Serve], http: aiohttp.ClientSession
) -> None:
    served = serve()

    async with visit(http, served) as one:
        await one.until("RO")
        (console,) = served.consoles
        os.kill(console, signal.SIGSTOP)
    await until_async(lambda: not alive(console), "the console has ended")


@pytest.mark.long
async def test_only_so_many_consoles_are_open_at_once(serve: type[Serve], http: aiohttp.ClientSession) -> None:
    served = serve("--visitors", "1")

    async with visit(http, served) as one:
        await one.until("RO")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with visit(http, served):
                raise AssertionError("a console was opened")
        assert refused.value.status == 503


@pytest.mark.long
async def test_what_no_browser_sends_ends_the_visit_and_nothing_else(
    serve: type[Serve], http: aiohttp.ClientSession
) -> None:
    served = serve()

    junk = ("", "{}", "[]", "[" * 5_000, '["stdin", 5]', '["resize", {"width": "a"}]', '["nothing"]', "x" * 70_000)
    for text in junk:
        async with visit(http, served) as one:
            await one.socket.send_str(text)
            await one.over()
    async with visit(http, served) as one:
        await one.socket.send_str('["stdin", "\\ud800"]')
        await one.until("RO")
    await until_async(lambda: served.consoles == [])


@pytest.mark.long
async def test_a_size_that_no_screen_has_is_cut_to_one(serve: type[Serve], http: aiohttp.ClientSession) -> None:
    served = serve()

    async with visit(http, served) as one:
        await one.until("RO")
        await one.socket.send_json(["resize", {"width": 2_000_000_000, "height": -5}])
        await one.type("?")
        await one.until("Keys")


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
async def test_a_browser_shows_it_and_types_into_it(serve: type[Serve], tmp_path: Path) -> None:
    served = serve(token=TOKEN)

    async with page(tmp_path / "profile") as one:
        await one.go(served.address)
        await one.until("document.activeElement && document.activeElement.id === 'token'")
        await one.type(TOKEN)
        await one.value("document.querySelector('button').click()")
        await one.until("document.body.classList.contains('-first-byte')")
        await one.until("document.activeElement.tagName === 'TEXTAREA'")
        assert len(served.consoles) == 1
        assert all(url.split("//", 1)[1].startswith(served.address.split("//", 1)[1]) for url in one.requested)
        assert not [text for text in one.told if "Content Security Policy" in text]
        await one.type("q")
        await one.until("getComputedStyle(document.getElementById('ended')).display === 'block'")
    await until_async(lambda: served.consoles == [])
