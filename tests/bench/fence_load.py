"""Twenty raw connections with one claim on the way each: the server is the limit, not a client library."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CLIENTS = 20


def encode(command: tuple[Any, ...]) -> bytes:
    """A command as the server reads it."""
    parts = [part if isinstance(part, bytes) else str(part).encode() for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


def rate(path: Path, command: Callable[[int], tuple[Any, ...]], seconds: float, *, expect: bytes) -> float:
    """Answers a second.

    Args:
        path: the server's Unix socket.
        command: the n-th command.
        seconds: about how long.
        expect: what every answer must hold.
    """
    ahead = int(seconds * 25_000)
    ready = [encode(command(number)) for number in range(ahead)]  # nothing is built while the clock runs
    sockets = []
    with selectors.EpollSelector() as selector:
        for _ in range(CLIENTS):
            one = socket.socket(socket.AF_UNIX)
            one.connect(str(path))
            sockets.append(one)
            selector.register(one, selectors.EVENT_READ)
        sent = answered = 0
        began = time.perf_counter()
        for one in sockets:
            one.sendall(ready[sent])
            sent += 1
        until = began + seconds
        while answered < sent:
            for key, _events in selector.select(5.0):
                one = key.fileobj  # type: ignore[assignment]
                said = one.recv(65536)
                if expect not in said:
                    raise RuntimeError(f"the server said {said[:200]!r}")
                answered += 1
                if sent < ahead and time.perf_counter() < until:
                    one.sendall(ready[sent])
                    sent += 1
        took = time.perf_counter() - began
    for one in sockets:
        one.close()
    return answered / took


class Reference:
    """Other scripts of the same protocol, loaded as a function library.

    Args:
        client: a connection.
        folder: with prelude.lua and one file for each script.
    """

    def __init__(self, client: Any, folder: Path) -> None:
        self._client = client
        prefix = "ac:{bench:active_version}:"
        self._keys = [prefix + name for name in ("ctl", "open", "infl", "acts")]
        self._keys += ["bench:active_version", prefix + "log", prefix + "done:", prefix + "inst"]
        names = ("claim", "switch", "beat")
        text = "#!lua name=acbenchreference\n" + (folder / "prelude.lua").read_text()
        text += "".join((folder / f"{name}.lua").read_text() + "\n" for name in names)
        text += "".join(f"redis.register_function('acbench_{name}', {name})\n" for name in names)
        client.function_load(text, replace=True)
        self._epoch = ""

    def reset(self) -> None:
        """Begin anew."""
        self._client.delete(*self._keys[:6])
        self._client.set(self._keys[4], "blue")
        said = self._client.execute_command(
            "FCALL", "acbench_switch", 6, *self._keys[:6], "", 0, "now", 0, "", "init", "", 0, 0
        )
        self._epoch = said[1].decode()

    def claim(self, number: int) -> tuple[Any, ...]:
        """The n-th claim."""
        key = f"k{number}"
        return (
            "FCALL",
            "acbench_claim",
            7,
            *self._keys[:6],
            self._keys[6] + key,
            "blue",
            self._epoch,
            key,
            f"{key:0>32}",
            "blue-bench",
            "f" * 20,
            60_000,
            "5",
            "{}",
            self._epoch,
        )


def reference(client: Any, folder: Path) -> Reference:
    """The scripts in a folder."""
    return Reference(client, folder)
