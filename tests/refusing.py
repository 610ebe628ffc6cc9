"""A port before a real server where some commands are refused: states that are hard to bring about."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

_SCRIPTS = (b"FCALL", b"EVALSHA")


@contextlib.contextmanager
def refusing(store: Path, line: str, commands: tuple[bytes, ...] = _SCRIPTS) -> Iterator[int]:
    """A port that hands everything on to the server behind a socket, except some commands, which get this error.

    Args:
        store: the socket of the server.
        line: the error without its `-`.
        commands: which are refused; a request whose first words have none of them passes.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=(listener, store, line.encode(), commands), daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _serve(listener: socket.socket, store: Path, line: bytes, commands: tuple[bytes, ...]) -> None:
    while True:
        try:
            client = listener.accept()[0]
        except OSError:
            return
        inner = socket.socket(socket.AF_UNIX)
        inner.connect(str(store))
        threading.Thread(target=_requests, args=(client, inner, line, commands), daemon=True).start()
        threading.Thread(target=_replies, args=(inner, client), daemon=True).start()


def _requests(client: socket.socket, inner: socket.socket, line: bytes, commands: tuple[bytes, ...]) -> None:
    with client, inner, contextlib.suppress(OSError):
        while data := client.recv(1 << 20):
            if any(word in data[:40] for word in commands):
                client.sendall(b"-" + line + b"\r\n")
            else:
                inner.sendall(data)


def _replies(inner: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := inner.recv(1 << 20):
            client.sendall(data)
