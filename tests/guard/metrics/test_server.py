"""The page over HTTP: whoever asks, and however, each gets an answer or is let go, and nobody else waits."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from console.domain.errors import UsageError
from console.guard.metrics import server as module
from console.guard.metrics.server import MOST_CLIENTS, MetricsServer, listening
from tests.guard.metrics.sights import Scene, samples_of, sight
from tests.waiting import until

TOKEN = "a-token-of-twenty-four-chars"


@contextmanager
def serving(token: str = "", scene: Scene | None = None) -> Iterator[MetricsServer]:
    server = MetricsServer(listening("127.0.0.1", 0), (scene or Scene(sight())).pages, token)
    server.start()
    try:
        yield server
    finally:
        server.close()


def connected(server: MetricsServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2].partition("/")[0])), timeout=30)


def received(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of all that comes until the end."""
    raw = b""
    while piece := client.recv(65_536):
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    return int(first.split()[1]), dict(line.lower().split(": ", 1) for line in rest), body


def asked(
    server: MetricsServer, *lines: str, first: str = "GET /metrics HTTP/1.1"
) -> tuple[int, dict[str, str], bytes]:
    with connected(server) as client:
        client.sendall("\r\n".join((first, *lines, "", "")).encode("latin-1"))
        return received(client)


def test_a_scraper_gets_the_page_packed_where_it_can_unpack_and_by_head_its_size() -> None:
    with serving() as server:
        status, headers, body = asked(server, "Host: localhost:9464")
        assert (status, int(headers["content-length"])) == (200, len(body))
        assert ("agent_console_epoch", frozenset({("agent", "agent")})) in samples_of(body)
        _status, packed, small = asked(server, "Host: 127.0.0.1", "Accept-Encoding: gzip, deflate")
        assert packed["content-encoding"] == "gzip"
        assert gzip.decompress(small) == body
        assert asked(server, "Host: localhost", first="HEAD /metrics HTTP/1.1")[2] == b""


@pytest.mark.parametrize(
    ("first", "lines", "status"),
    [
        ("GET / HTTP/1.1", ("Host: localhost",), 404),
        ("GET /metrics/../../etc/passwd HTTP/1.1", ("Host: localhost",), 404),
        ("POST /metrics HTTP/1.1", ("Host: localhost",), 405),
        ("GET /metrics HTTP/1.1", ("Host: evil.example",), 421),
        ("GET /metrics HTTP/1.1", (), 421),
        ("GET /metrics HTTP/1.1", ("no header",), 400),
        ("GET /metrics", (), 400),
        ("\x16\x03\x01\x02\x00\x01", (), 400),
        ("GET /metrics HTTP/9", ("Host: localhost",), 400),
        ("GET /metrics HTTP/1.1", ("Host: localhost", "X: " + "x" * 100_000), 431),
        ("GET /metrics HTTP/1.1", ("Host: localhost", "Content-Length: 99999999"), 200),
    ],
)
def test_what_is_no_request_for_the_page_is_refused_with_the_reason(
    first: str, lines: tuple[str, ...], status: int
) -> None:
    with serving() as server:
        try:
            assert asked(server, *lines, first=first)[0] == status
        except ConnectionResetError:
            assert status == 431, "it was not read to its end"
        assert asked(server, "Host: localhost")[0] == 200


def test_with_a_token_only_who_shows_it_gets_anything_under_whatever_name() -> None:
    with serving(TOKEN) as server:
        for lines in ((), ("Authorization: Bearer wrong",), (f"Authorization: Basic {TOKEN}",), ("Authorization:",)):
            assert asked(server, "Host: ops-1", *lines)[0] == 401
            assert asked(server, "Host: ops-1", *lines, first="GET / HTTP/1.1")[0] == 401
        assert asked(server, "Host: ops-1", f"Authorization: Bearer {TOKEN}")[0] == 200


def test_whoever_sends_nothing_is_let_go_and_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASK_S", 0.2)
    with serving() as server, connected(server) as slow:
        slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: lo")
        assert asked(server, "Host: localhost")[0] == 200
        assert received(slow)[0] == 408


def test_a_thousand_that_hang_take_no_place_from_one_that_asks() -> None:
    with serving() as server:
        hanging = [connected(server) for _ in range(4 * MOST_CLIENTS)]
        try:
            for client in hanging:
                client.sendall(b"GET /met")
            assert asked(server, "Host: localhost")[0] == 200
        finally:
            for client in hanging:
                client.close()
        assert asked(server, "Host: localhost")[0] == 200


def test_one_that_reads_nothing_is_let_go_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.3)
    scene = Scene(*(sight(f"a{number}") for number in range(200)))
    with serving(scene=scene) as server, connected(server) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert asked(server, "Host: localhost")[0] == 200
        until(lambda: not server.clients, "the deaf one is gone")


def test_one_that_reads_slowly_gets_the_page_whole() -> None:
    pages = Scene(*(sight(f"a{number}") for number in range(50))).pages
    sock = listening("127.0.0.1", 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    server = MetricsServer(sock, pages)
    server.start()
    try:
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            slow.connect(sock.getsockname())
            slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            _status, headers, body = received(slow)
        assert len(body) == int(headers["content-length"]) > 100_000
    finally:
        server.close()


def test_a_page_that_can_not_be_rendered_is_an_error_and_the_next_one_is_tried_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene(sight())
    scene.gathered.sights["broken"] = None  # type: ignore[assignment]
    with serving(scene=scene) as server:
        status, _headers, body = asked(server, "Host: localhost")
        assert (status, body) == (500, b"The page can't be rendered: AttributeError.\n")
        del scene.gathered.sights["broken"]
        assert asked(server, "Host: localhost")[0] == 200


def test_what_goes_wrong_beside_a_request_is_counted_and_writes_no_line_of_its_own(
    capfd: pytest.CaptureFixture[str],
) -> None:
    scene = Scene(sight())
    with serving(scene=scene) as server:
        server.loop.call_soon_threadsafe(lambda: [][0])
        until(lambda: scene.gathered.errors == 1)
        assert asked(server, "Host: localhost")[0] == 200
    assert capfd.readouterr().err == ""


def test_where_somebody_listens_already_it_is_refused_with_the_reason() -> None:
    with serving() as server:
        port = int(server.url.rpartition(":")[2].partition("/")[0])
        with pytest.raises(UsageError, match=f"can't be served on 127.0.0.1:{port}: Address already in use"):
            listening("127.0.0.1", port)
    with pytest.raises(UsageError, match="can't be served on"):
        listening("no-such-host.invalid", 9464)
