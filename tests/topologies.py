"""Replicas and Sentinels of real servers, and how a test's agents connect to them."""

from __future__ import annotations

import secrets
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from console.domain.errors import StoreUnreachable
from console.store.server.bare import ask
from console.store.server.connect import connect_sync
from console.store.server.embedded import find_server
from tests import waiting
from tests.faults.proxy import Proxy
from tests.servers import Server, free_port

if TYPE_CHECKING:
    from redis import Redis

Connect = Callable[[float], "Redis"]
NAME = "main"


def sentinel_connect(addresses: list[tuple[str, int]], pinned: str | None = None) -> Connect:
    """Connections to whatever the Sentinels call the primary; `pinned` is tried first: the way of someone who is cut
    off together with the old primary."""
    url = sentinel_url(addresses)

    def connect(timeout_s: float) -> Redis:
        if pinned:
            with suppress(StoreUnreachable):
                return connect_sync(pinned, timeout_s=timeout_s)
        return connect_sync(url, timeout_s=timeout_s)

    return connect


def sentinel_url(addresses: Sequence[tuple[str, int]], *, user: str = "", options: str = "") -> str:
    """The URL of the store that Sentinels know as `NAME`."""
    hosts = ",".join(f"{host}:{port}" for host, port in addresses)
    return f"redis+sentinel://{user}{hosts}/{NAME}{options}"


# a failover is waited through: on its way the store is away
until = partial(waiting.until, despite=(StoreUnreachable,))


def info(server: Server, name: str) -> str:
    """One field of INFO replication; empty where there is no answer: a Sentinel that makes a server a replica ends its
    connections."""
    for line in (ask(server.socket, [["INFO", "replication"]], timeout_s=5.0) or [""])[0].splitlines():
        if line.startswith(f"{name}:"):
            return line.partition(":")[2].strip()
    return ""


class Sentinel(Server):
    """A Sentinel; it rewrites its configuration by itself."""

    @property
    def conf(self) -> Path:
        """Its configuration, which has to be there before it starts."""
        return self.folder / "sentinel.conf"

    def start(self) -> Server:
        """Start it and wait until it answers."""
        options = {"unixsocket": str(self.socket), "dir": str(self.folder), "logfile": str(self.folder / "log")}
        arguments = [part for name, value in (options | self.options).items() for part in (f"--{name}", value)]
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [self.program or find_server(), self.conf, *arguments, "--sentinel"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        until(lambda: bool(ask(self.socket, [["PING"]], timeout_s=1.0)))
        return self

    def fields(self) -> dict[str, str]:
        """What it knows of the primary."""
        words = self.command("SENTINEL", "MASTER", NAME).split("\n")
        return dict(zip(words[::2], words[1::2], strict=False))


class Sentinels:
    """One primary, its replicas, and Sentinels.

    Args:
        folder: for all of them.
        replicas, sentinels: how many.
        down_ms: after how much silence the primary counts as down.
        failover_ms: how long a failover may take; twice that lies between two.
        proxied: whether replicas, Sentinels and whoever asks these reach the first primary through `proxy`: cutting
            that isolates it together with those who connect to it directly.
        options: of each server of the store, e.g. `requirepass`.
        lines: of each Sentinel's configuration, beside those that it needs.
    """

    def __init__(
        self,
        folder: Path,
        *,
        replicas: int = 2,
        sentinels: int = 3,
        down_ms: int = 1000,
        failover_ms: int = 6000,
        program: Path | None = None,
        proxied: bool = False,
        options: Mapping[str, str] = MappingProxyType({}),
        lines: Sequence[str] = (),
    ) -> None:
        self.program = program or find_server()
        self._options, self._lines, self._failover_ms = options, lines, failover_ms
        self.servers = [self._server(folder / f"n{number}") for number in range(1 + replicas)]
        self.primary = self.servers[0]
        """The first one; `current` is the one by now."""
        self.proxy = Proxy(self.primary.port) if proxied else None
        self._first_port = self.proxy.port if self.proxy is not None else self.primary.port
        for replica in self.servers[1:]:
            replica.command("REPLICAOF", "127.0.0.1", str(self._first_port))
        until(
            lambda: (
                info(self.primary, "connected_slaves") == str(replicas)
                and all(info(replica, "master_link_status") == "up" for replica in self.servers[1:])
            )
        )
        self._watchers = [(free_port(), secrets.token_hex(20)) for _ in range(sentinels)]
        self.sentinels = [self._sentinel(folder / f"s{number}", number, down_ms) for number in range(sentinels)]
        until(lambda: all(self._knows(sentinel) for sentinel in self.sentinels))

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Of the Sentinels."""
        return [("127.0.0.1", sentinel.port) for sentinel in self.sentinels]

    @property
    def url(self) -> str:
        """Of the store."""
        return sentinel_url(self.addresses)

    @property
    def current(self) -> Server:
        """The server that most Sentinels call the primary."""
        ports = Counter(
            sentinel.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME).split("\n")[-1]
            for sentinel in self.sentinels
            if sentinel.process is not None
        )
        port = int(ports.most_common(1)[0][0])
        return next(
            server
            for server in self.servers
            if server.port == (self.primary.port if port == self._first_port else port)
        )

    def cut(self) -> None:
        """Cut the first primary off from everybody who reaches it through `proxy`."""
        assert self.proxy is not None, "these were started without a proxy"
        self.proxy.cut()

    def fail_over(self) -> Server:
        """Kill the primary, and wait until the Sentinels have made a replica the new one, which this gives."""
        old = self.current
        old.kill()
        until(lambda: self.current is not old and info(self.current, "role") == "master")
        return self.current

    def _server(self, folder: Path) -> Server:
        folder.mkdir(parents=True)
        options = {"port": str(free_port()), "repl-diskless-sync-delay": "0", "repl-timeout": "10"}
        return Server(folder, options | dict(self._options), self.program).start()

    def _sentinel(self, folder: Path, number: int, down_ms: int) -> Sentinel:
        folder.mkdir(parents=True)
        port, mine = self._watchers[number]
        sentinel = Sentinel(folder, {"port": str(port)}, self.program)
        lines = (
            f"sentinel monitor {NAME} 127.0.0.1 {self._first_port} {len(self._watchers) // 2 + 1}",
            f"sentinel down-after-milliseconds {NAME} {down_ms}",
            f"sentinel failover-timeout {NAME} {self._failover_ms}",
            *self._lines,
            f"sentinel myid {mine}",  # and what they would find out about each other within some seconds
            *(f"sentinel known-replica {NAME} 127.0.0.1 {replica.port}" for replica in self.servers[1:]),
            *(f"sentinel known-sentinel {NAME} 127.0.0.1 {at} {name}" for at, name in self._watchers if name != mine),
        )
        sentinel.conf.write_text("".join(f"{line}\n" for line in lines))
        sentinel.start()
        return sentinel

    def _knows(self, sentinel: Sentinel) -> bool:
        fields = sentinel.fields()
        others = (len(self.servers) - 1, len(self._watchers) - 1)
        return (fields.get("num-slaves"), fields.get("num-other-sentinels")) == tuple(map(str, others))

    def stop(self) -> None:
        """End all of them."""
        if self.proxy is not None:
            self.proxy.close()
        for server in (*self.sentinels, *self.servers):
            server.kill()
