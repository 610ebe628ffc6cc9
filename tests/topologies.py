"""Replicas, Sentinels and Clusters of real servers, and how a test's agents connect to them."""

from __future__ import annotations

import secrets
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from console.domain.errors import StoreUnreachable
from console.store.keys import Keys
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


def cluster_connect(ports: list[int]) -> Connect:
    """Connections to the node that owns the agent's slot now: `WAIT` counts only there."""
    slot_key = Keys.of(cluster=True).active

    def connect(timeout_s: float) -> Redis:
        for port in ports:
            with suppress(StoreUnreachable, OSError):
                with connect_sync(f"redis://127.0.0.1:{port}", timeout_s=0.5) as node:
                    slot = int(node.execute_command("CLUSTER", "KEYSLOT", slot_key))  # type: ignore[arg-type]
                    ranges: Any = node.execute_command("CLUSTER", "SLOTS")
                for low, high, (host, owner, *_rest), *_replicas in ranges:
                    if int(low) <= slot <= int(high):
                        name = host.decode() if isinstance(host, bytes) else str(host or "127.0.0.1")
                        return connect_sync(f"redis://{name or '127.0.0.1'}:{int(owner)}", timeout_s=timeout_s)
        raise StoreUnreachable("No node of the cluster answers.")

    return connect


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


def _is_free(port: int) -> bool:
    if port > 65_535:
        return False
    with socket.socket() as listening:
        try:
            listening.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Cluster:
    """Three primaries; the one with the default agent's slot has two replicas, so that a failover leaves one."""

    def __init__(self, folder: Path, *, timeout_ms: int = 1000, program: Path | None = None) -> None:
        self.nodes: list[Server] = []
        for number in range(5):
            home = folder / f"c{number}"
            home.mkdir()
            port = free_port()
            while not _is_free(port + 10_000):  # the bus listens 10,000 higher
                port = free_port()
            options = {
                "port": str(port),
                "cluster-enabled": "yes",
                "cluster-node-timeout": str(timeout_ms),
                "cluster-config-file": str(home / "nodes.conf"),
                "repl-diskless-sync-delay": "0",
            }
            self.nodes.append(Server(home, options, program or find_server()).start())
        first = self.nodes[0]
        bounds = [(0, 5460), (5461, 10922), (10923, 16383)]
        for node, (low, high) in zip(self.nodes[:3], bounds, strict=True):
            node.command("CLUSTER", "ADDSLOTSRANGE", str(low), str(high))
        for number, node in enumerate(self.nodes):
            node.command("CLUSTER", "SET-CONFIG-EPOCH", str(number + 1))
        for node in self.nodes[1:]:
            node.command("CLUSTER", "MEET", "127.0.0.1", str(first.port))
        until(lambda: all("cluster_known_nodes:5" in node.command("CLUSTER", "INFO") for node in self.nodes))
        first_id = first.command("CLUSTER", "MYID")
        for replica in self.nodes[3:]:
            until(lambda replica=replica: replica.command("CLUSTER", "REPLICATE", first_id) == "OK")  # type: ignore[misc]
        until(lambda: all("cluster_state:ok" in node.command("CLUSTER", "INFO") for node in self.nodes))
        until(lambda: info(first, "connected_slaves") == "2")
        until(lambda: all(info(node, "master_link_status") == "up" for node in self.nodes[3:]))

    @property
    def ports(self) -> list[int]:
        """Of all nodes."""
        return [node.port for node in self.nodes]

    def owner(self) -> Server:
        """The node that owns the default agent's slot."""
        client = cluster_connect(self.ports)(1.0)
        port = int(client.connection_pool.connection_kwargs["port"])
        client.close()
        return next(node for node in self.nodes if node.port == port)

    def stop(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.kill()
