"""Replicas, Sentinels and Clusters for fault runs, and how a test's agents connect to them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.domain.errors import StoreUnreachable
from console.store.keys import Keys
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
    """Connections to whatever the Sentinels call the primary; `pinned`
    is tried first: the way of someone who is cut off together with the old primary."""

    def connect(timeout_s: float) -> Redis:
        if pinned:
            with suppress(StoreUnreachable):
                return connect_sync(pinned, timeout_s=timeout_s)
        for host, port in addresses:
            with suppress(StoreUnreachable):
                with connect_sync(f"redis://{host}:{port}", timeout_s=0.5) as sentinel:
                    address: Any = sentinel.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
                if address:
                    return connect_sync(f"redis://{address[0].decode()}:{int(address[1])}", timeout_s=timeout_s)
        raise StoreUnreachable("No Sentinel names a primary.")

    return connect


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
    """One field of INFO replication."""
    for line in server.command("INFO", "replication").splitlines():
        if line.startswith(f"{name}:"):
            return line.partition(":")[2].strip()
    return ""


class Sentinels:
    """One primary, two replicas, and three Sentinels.

    Replicas, Sentinels and whoever asks these reach the first primary through `proxy`; cutting that isolates it
    together with those who connect to it directly.

    Args:
        folder: for all of them.
        down_ms: after how much silence the primary counts as down.
    """

    def __init__(self, folder: Path, *, down_ms: int = 1000, program: Path | None = None) -> None:
        self.program = program or find_server()
        self.servers = [self._server(folder / f"n{number}") for number in range(3)]
        self.primary = self.servers[0]
        self.proxy = Proxy(self.primary.port)
        for replica in self.servers[1:]:
            replica.command("REPLICAOF", "127.0.0.1", str(self.proxy.port))
        until(
            lambda: (
                info(self.primary, "connected_slaves") == "2"
                and all(info(replica, "master_link_status") == "up" for replica in self.servers[1:])
            )
        )
        self.sentinels = [self._sentinel(folder / f"s{number}", down_ms) for number in range(3)]
        until(lambda: all(self._knows(sentinel) for sentinel in self.sentinels))

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Of the Sentinels."""
        return [("127.0.0.1", sentinel.port) for sentinel in self.sentinels]

    def _server(self, folder: Path) -> Server:
        folder.mkdir()
        options = {"port": str(free_port()), "repl-diskless-sync-delay": "0", "repl-timeout": "10"}
        return Server(folder, options, self.program).start()

    def _sentinel(self, folder: Path, down_ms: int) -> Server:
        folder.mkdir()
        conf = folder / "sentinel.conf"
        conf.write_text(
            f"sentinel monitor {NAME} 127.0.0.1 {self.proxy.port} 2\n"
            f"sentinel down-after-milliseconds {NAME} {down_ms}\n"
            f"sentinel failover-timeout {NAME} 6000\n"
        )
        return _Configured(folder, {"port": str(free_port())}, self.program, conf=conf, mode="--sentinel").start()

    def _knows(self, sentinel: Server) -> bool:
        with connect_sync(f"redis://127.0.0.1:{sentinel.port}", timeout_s=1) as client:
            master: Any = client.execute_command("SENTINEL", "MASTER", NAME)
        pairs = master.items() if isinstance(master, dict) else zip(master[::2], master[1::2], strict=True)
        facts = {_text(name): _text(value) for name, value in pairs}
        return facts.get("num-slaves") == "2" and facts.get("num-other-sentinels") == "2"

    def stop(self) -> None:
        """End all of them."""
        self.proxy.close()
        for server in (*self.sentinels, *self.servers):
            server.kill()


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class _Configured(Server):
    """A server with a configuration file that it rewrites by itself."""

    def __init__(self, folder: Path, options: dict[str, str], program: Path, *, conf: Path, mode: str) -> None:
        super().__init__(folder, options, program)
        self.conf, self.mode = conf, mode

    def start(self) -> Server:
        """Start it and wait until it answers."""
        import subprocess

        port = self.options["port"]
        self.process = subprocess.Popen(
            [
                self.program or find_server(),
                str(self.conf),
                self.mode,
                "--port",
                port,
                "--dir",
                str(self.folder),
                "--logfile",
                str(self.folder / "log"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

        def answers() -> bool:
            with connect_sync(f"redis://127.0.0.1:{port}", timeout_s=1):
                return True

        until(answers)
        return self


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
