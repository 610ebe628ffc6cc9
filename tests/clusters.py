"""Clusters for tests: real nodes on this machine, whose slots move and whose primaries die."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import RedisError
from redis.retry import Retry

from console.domain.errors import StoreUnreachable
from console.store.keys import Keys
from console.store.server.embedded import find_server
from tests import waiting
from tests.servers import Server, free_port

SLOTS = 16_384
until: Callable[..., Any] = partial(waiting.until, despite=(StoreUnreachable, RedisError))


def slot_of_agent(agent: str) -> int:
    """The slot in which all keys of an agent lie."""
    return int(key_slot(Keys.of(agent, cluster=True).ctl.encode()))


class Cluster:
    """Primaries that own even shares of the slots, each with as many replicas as are wanted.

    Args:
        folder: for all of them.
        primaries: at least 3 for a failover: a majority of them votes.
        replicas: of each primary.
        timeout_ms: after how much silence a node counts as lost.
        program: the server's binary; ours by default.
        options: of every node, beside those that make it one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        primaries: int = 3,
        replicas: int = 0,
        timeout_ms: int = 1000,
        program: Path | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        self._program, self._timeout_ms, self._options = program or find_server(), timeout_ms, options or {}
        self._folder = folder
        self.nodes: list[Server] = []
        for _ in range(primaries * (1 + replicas)):
            self._begin()
        self.primaries = self.nodes[:primaries]
        share = SLOTS / primaries
        for number, node in enumerate(self.primaries):
            node.command("CLUSTER", "ADDSLOTSRANGE", str(round(number * share)), str(round((number + 1) * share) - 1))
        for number, node in enumerate(self.nodes):
            node.command("CLUSTER", "SET-CONFIG-EPOCH", str(number + 1))
        first = self.nodes[0]
        for node in self.nodes[1:]:
            node.command("CLUSTER", "MEET", "127.0.0.1", str(first.port))
        count = f"cluster_known_nodes:{len(self.nodes)}"
        until(lambda: all(count in node.command("CLUSTER", "INFO") for node in self.nodes))
        for number, replica in enumerate(self.nodes[primaries:]):
            name = self.id_of(self.primaries[number % primaries])
            until(partial(self._replicates, replica, name))
        until(lambda: all("cluster_state:ok" in node.command("CLUSTER", "INFO") for node in self.nodes))
        until(
            lambda: all(
                "master_link_status:up" in node.command("INFO", "replication") for node in self.nodes[primaries:]
            )
        )

    def _begin(self) -> Server:
        home = self._folder / f"c{len(self.nodes)}"
        home.mkdir()
        port = free_port()
        while not _is_free(port + 10_000):  # the bus listens 10,000 higher
            port = free_port()
        options = {
            "port": str(port),
            "cluster-enabled": "yes",
            "cluster-node-timeout": str(self._timeout_ms),
            "cluster-config-file": str(home / "nodes.conf"),
            "repl-diskless-sync-delay": "0",
            **self._options,
        }
        self.nodes.append(Server(home, options, self._program).start())
        return self.nodes[-1]

    @staticmethod
    def _replicates(replica: Server, primary: str) -> bool:
        return replica.command("CLUSTER", "REPLICATE", primary) == "OK"

    @property
    def ports(self) -> list[int]:
        """Of all nodes."""
        return [node.port for node in self.nodes]

    @property
    def url(self) -> str:
        """As a Cluster's, with three of its nodes."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in self.ports[:3])

    def url_of(self, node: Server) -> str:
        """One node's own, which says nothing of a Cluster."""
        return f"redis://127.0.0.1:{node.port}"

    def client(self, node: Server) -> Redis:
        """A plain client of one node."""
        return Redis(port=node.port, socket_timeout=5, retry=Retry(NoBackoff(), 0))

    def id_of(self, node: Server) -> str:
        """A node's name among the others."""
        return node.command("CLUSTER", "MYID")

    def owner(self, agent: str = "agent") -> Server:
        """The node that owns an agent's slot, by the word of a majority."""
        slot, votes = slot_of_agent(agent), list[int]()
        for node in self.nodes:
            try:
                with self.client(node) as client:
                    ranges: Any = client.execute_command("CLUSTER", "SLOTS")
            except RedisError:
                continue
            votes += [int(own[1]) for low, high, own, *_more in _ranges(ranges) if low <= slot <= high]
        if not votes:
            raise StoreUnreachable("no node says who owns the slot")
        port = max(set(votes), key=votes.count)
        return next(node for node in self.nodes if node.port == port)

    def agent_on(self, node: Server) -> str:
        """The name of an agent whose slot a node owns."""
        return next(name for name in map("agent-{}".format, range(1_000)) if self.owner(name) is node)

    def move(self, agent: str, to: Server, *, pause_s: float = 0.0) -> None:
        """Move an agent's slot key by key, as a reshard does.

        Args:
            agent: whose.
            to: a primary.
            pause_s: how long a part of the keys is here and a part there.
        """
        slot, source = slot_of_agent(agent), self.owner(agent)
        if source is to:
            return
        with self.client(source) as here, self.client(to) as there:
            there.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", self.id_of(source))
            here.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", self.id_of(to))
            while True:
                keys: Any = here.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 4)
                if not keys:
                    break
                here.execute_command("MIGRATE", "127.0.0.1", to.port, "", 0, 5000, "KEYS", *keys)
                time.sleep(pause_s)
            for client in (there, here):
                client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", self.id_of(to))
        for node in self.primaries:
            if node not in (source, to) and node.process is not None:
                node.command("CLUSTER", "SETSLOT", str(slot), "NODE", self.id_of(to))

    def move_at_once(self, agent: str, to: Server) -> None:
        """Move an agent's slot as a whole, which Valkey 9 can."""
        slot, source = slot_of_agent(agent), self.owner(agent)
        if source is to:
            return
        with self.client(source) as here:
            here.execute_command("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", self.id_of(to))
        until(lambda: self.owner(agent) is to)

    def stop(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.kill()


def _ranges(reply: Any) -> list[Any]:
    """Slot ranges as CLUSTER SLOTS tells them, parsed by the client library or not."""
    if isinstance(reply, dict):
        return [[low, high, told["primary"]] for (low, high), told in reply.items()]
    return list(reply)


def _is_free(port: int) -> bool:
    if port > 65_535:
        return False
    with socket.socket() as listening:
        try:
            listening.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
