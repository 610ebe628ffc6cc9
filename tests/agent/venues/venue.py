"""A venue on loopback that answers as a path says, breaks off, hangs, stops listening; and doors that don't open."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from contextlib import suppress
from typing import Self

from tests.waiting import until


class Venue:
    """`/status/422` answers so; `/hang`, `/close`, `/garbage`, `/cut` and `/last/…` do what they are called.

    Args:
        tls: what it speaks TLS with; None for plain HTTP.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[tuple[str, str]] = []
        """Method and path of every request that arrived, in order."""
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_left: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while self._waited(self._listener):
            with suppress(OSError):  # it no longer listens
                connection = self._listener.accept()[0]
                self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
                self._threads[-1].start()

    def _waited(self, sock: socket.socket) -> bool:
        """Until something came, or all is over; whether something came."""
        while not self._over.is_set() and sock.fileno() >= 0:
            if select.select([sock], [], [], 0.02)[0]:
                return True
        return False

    def _serve(self, plain: socket.socket) -> None:
        connection = plain
        with suppress(OSError):
            plain.settimeout(10)
            if self._tls is not None:
                connection = self._tls.wrap_socket(plain, server_side=True)
            while self._waited(connection) and (request := _read(connection)) is not None:
                self.received.append(request)
                if not self._answer(connection, *request):
                    break
        connection.close()

    def _answer(self, connection: socket.socket, method: str, path: str) -> bool:
        """Whether the connection is kept."""
        if method == "CONNECT":  # taken for a proxy
            connection.sendall(_answer(403))
            return False
        kind, _, rest = path.strip("/").partition("/")
        match kind:
            case "hang":
                self._over.wait()
            case "garbage":
                connection.sendall(b"what?\r\n\r\n")
            case "cut":
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            case "last":  # the last one: nobody can connect any more
                self._stop_listening()
                if rest:
                    connection.sendall(_answer(int(rest)))
            case "moved":  # /moved/303/port
                status, _, port = rest.partition("/")
                connection.sendall(_answer(int(status), f"Location: http://127.0.0.1:{port}/status/200\r\n"))
                return True
            case "status":
                connection.sendall(_answer(int(rest)))
                return True
        return False

    def _stop_listening(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        until(lambda: _refused(self.port))


class Closed:
    """A port of ours that refuses every connection, since nobody listens on it."""

    def __enter__(self) -> Self:
        self._bound = socket.socket()
        self._bound.bind(("127.0.0.1", 0))
        self.port: int = self._bound.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_left: object) -> None:
        self._bound.close()


class Full:
    """A port whose queue of connections is full: the next one waits for ever."""

    def __enter__(self) -> Self:
        self._sockets = [socket.create_server(("127.0.0.1", 0), backlog=0)]
        self.port: int = self._sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        for _ in range(4):
            self._sockets.append(socket.socket())
            self._sockets[-1].setblocking(False)
            self._sockets[-1].connect_ex(("127.0.0.1", self.port))
        return self

    def __exit__(self, *_left: object) -> None:
        for sock in self._sockets:
            sock.close()


def _refused(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _read(connection: socket.socket) -> tuple[str, str] | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    while len(body) < sum(lengths):
        body += connection.recv(65536)
    method, path, _version = head.split(b"\r\n")[0].decode().split(" ")
    return method, path


def _answer(status: int, header: str = "") -> bytes:
    return f"HTTP/1.1 {status} So\r\n{header}Content-Length: 2\r\nContent-Type: application/json\r\n\r\n{{}}".encode()
