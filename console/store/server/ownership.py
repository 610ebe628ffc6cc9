"""Who owns which slot of a Cluster, and whom to ask: the same for a client of either world."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from redis.exceptions import AskError, MovedError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from console.domain.errors import KeysMoved
from console.store.server import slots
from console.store.server.nodes import at_home, moves
from console.store.server.options import Wanted
from console.store.server.standing import Move
from console.store.server.url import Node

AWAY = (RedisConnectionError, RedisTimeoutError, OSError)
"""What is raised where a node does not answer."""


class Ownership:
    """Part of a Cluster's client: what the client library's own has learnt of the nodes, and what is doubted of it."""

    by_slots = True
    """That it goes to the nodes of a Cluster."""

    def know(self, wanted: Wanted) -> None:
        """Begin, with nothing asked of any node.

        Args:
            wanted: how it is connected; the endpoint's nodes are some of the Cluster's.
        """
        self.home: int | None = None
        """The slot of the agent that this client is about: what has no key goes to its node."""
        self.term = 0
        """How often another node than before turned out to have the home's keys: by a failover, or since they moved."""
        self._home_at: Node | None = None
        self.roams = False
        """Whether it is about many agents: what has no key goes to any node that answers."""
        self.named = wanted.endpoint.nodes
        """The nodes by which the Cluster is named."""
        self.unscanned: set[Node] = set()
        """Nodes that did not answer `scan` when they were asked last: what they hold was not seen."""
        self._wanted = wanted
        self._manager: Any = None
        self._primaries: list[Node] | None = None
        self._away: dict[Node, float] = {}
        """Nodes that did not answer, and until when they are given nothing that any node may answer."""
        self._doubted: str | None = ""
        """The node whose loss makes us ask anew who owns what; empty for never asked; None while all is well."""

    @property
    def _nodes(self) -> Any:
        """The client library's manager of nodes."""
        if self._manager is None:
            raise RedisConnectionError("no node of the Cluster was asked yet")
        return self._manager

    def doubt(self, node: Node | None = None) -> None:
        """Ask anew before the next command.

        Args:
            node: that is away.
        """
        self._doubted = f"{node.host}:{node.port}" if node is not None else ""
        if node is not None:
            self._away[node] = time.monotonic() + slots.AWAY_S

    def primaries(self) -> list[Node]:
        """Every primary that owns slots, as far as is known."""
        if self._primaries is None:
            self._primaries = sorted(
                {Node(one[0].host, int(one[0].port)) for one in self._nodes.slots_cache.values() if one}
            )
        return self._primaries

    def owner(self, slot: int | None) -> Node:
        """The node that owns a slot; without one the home's, or any.

        Raises:
            ConnectionError: nobody does.
        """
        slot = self.home if slot is None else slot
        if slot is None:
            nodes = self.primaries()
            if nodes:
                now = time.monotonic()
                return next((node for node in nodes if self._away.get(node, 0.0) <= now), nodes[0])
            raise RedisConnectionError("no node of the Cluster owns a slot")
        owners = self._nodes.slots_cache.get(slot)
        if not owners:
            self.doubt()
            raise RedisConnectionError(f"no node of the Cluster owns slot {slot}")
        node = Node(owners[0].host, int(owners[0].port))
        if slot == self.home:
            if node != self._home_at:
                self.term += self._home_at is not None
                self._home_at = node
            at_home(self._wanted.endpoint, slot, node)
        return node

    def hold_to_term(self, unit: slots.Unit, commands: Sequence[slots.Command]) -> None:
        """Send nothing to a node that has the home's keys since after the caller has looked.

        Args:
            unit: what is to be sent to the node that `owner` has just named.
            commands: of which it is a part; one may carry the term that it is meant for.

        Raises:
            KeysMoved: it is meant for another.
        """
        for place in unit.at:
            term = commands[place][1].get(slots.TERM)
            if term is not None and term != self.term:
                raise KeysMoved(
                    f"The agent's keys have come to the Cluster's node {self._home_at} since the store was looked at.",
                    "It is looked at before anything is begun there.",
                )

    @property
    def moves(self) -> tuple[Move, ...]:
        """Where the home went since this process knows of it."""
        return moves(self._wanted.endpoint, self.home) if self.home is not None else ()

    def elsewhere(self, node: Node, error: BaseException) -> Node | MovedError | None:
        """What a refusal that did nothing says: the node to ask this once; or that a slot has moved, for the manager of
        nodes to learn; None where it names none: then everybody is asked anew.

        Args:
            node: that refused.
            error: as the client library raised it.
        """
        if not isinstance(error, AskError):
            self.doubt()
            return None
        error.host = error.host or node.host  # none is named where it is the same
        if not isinstance(error, MovedError):
            return Node(error.host, error.port)
        if error.slot_id in self._nodes.slots_cache:
            self._primaries = None
            return error
        self.doubt()
        return None
