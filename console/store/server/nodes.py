"""What this process knows of Clusters: which nodes there were last, so that one is found again whatever is lost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisClusterException

from console.domain.errors import NoHello, StoreUnreachable
from console.domain.text import clean
from console.store.server.standing import Move
from console.store.server.trouble import explain
from console.store.server.url import Endpoint, Node

MOST: Final = 64
"""Nodes kept of one Cluster; a few are enough to find the others."""


class Known(NamedTuple):
    """What a Cluster is made of.

    Args:
        primaries: nodes that own slots.
        replicas: their replicas.
        covered: slots that somebody owns.
    """

    primaries: tuple[Node, ...] = ()
    replicas: tuple[Node, ...] = ()
    covered: int = 0

    @staticmethod
    def of(manager: Any) -> Known:
        """From what the client library's cluster client knows."""
        owners = {Node(str(nodes[0].host), int(nodes[0].port)) for nodes in manager.slots_cache.values() if nodes}
        nodes = {Node(str(node.host), int(node.port)) for node in manager.nodes_cache.values()}
        return Known(tuple(sorted(owners)), tuple(sorted(nodes - owners)), len(manager.slots_cache))


MOVES_KEPT: Final = 16
"""Of where one slot went, the newest."""

_AT: dict[tuple[object, ...], Node] = {}
_MOVES: dict[tuple[object, ...], tuple[Move, ...]] = {}
_KNOWN: dict[tuple[object, ...], Known] = {}


def remember(endpoint: Endpoint, known: Known) -> None:
    """Keep what a Cluster is made of."""
    _KNOWN[_name(endpoint)] = known


def forget(endpoint: Endpoint) -> None:
    """What is there is no Cluster any more."""
    _KNOWN.pop(_name(endpoint), None)


def unfound(endpoint: Endpoint, error: BaseException) -> RedisConnectionError:
    """Why no node says who owns what, carried through the client library.

    Args:
        endpoint: the Cluster's.
        error: as the client library's cluster client raised it.
    """
    names = ", ".join(f"{host}:{port}" for host, port in known_to(endpoint)[:5])
    refusal = error.__cause__
    if isinstance(refusal, RedisClusterException) and refusal.__context__ is not None:
        refusal = refusal.__context__  # the node's own words, which the client library takes for one meaning alone
    if "cluster support disabled" in str(refusal):
        forget(endpoint)
        words = f"{names}: no node of a Cluster answers there, but a server of its own."
        trouble = StoreUnreachable(words, "Write redis://HOST:PORT/DB.")
    else:
        reason = explain(refusal) if refusal is not None else None
        why = reason.message if reason is not None else clean(str(refusal or error), 200)
        hint = reason.hint if reason is not None else ""
        kind = NoHello if isinstance(reason, NoHello) else StoreUnreachable
        trouble = kind(f"No node of the Cluster says who owns which slot ({names}): {why}", hint)
    carried = RedisConnectionError(trouble.message)
    carried.__cause__ = trouble
    return carried


def known(endpoint: Endpoint) -> Known | None:
    """What the Cluster behind a URL was made of when it was asked last; None where there was none."""
    return _KNOWN.get(_name(endpoint))


def known_to(endpoint: Endpoint) -> list[Node]:
    """Whom to ask who owns what: the URL's nodes, then those that there were last."""
    there = known(endpoint) or Known()
    return list(dict.fromkeys((*endpoint.nodes, *there.primaries, *there.replicas)))[:MOST]


def at_home(endpoint: Endpoint, slot: int, node: Node) -> None:
    """A slot that somebody cares for lies on this node now."""
    key = (*_name(endpoint), slot)
    before = _AT.get(key)
    if before is not None and before != node:
        _MOVES[key] = (*_MOVES.get(key, ()), Move(datetime.now(UTC), before, node))[-MOVES_KEPT:]
    _AT[key] = node


def moves(endpoint: Endpoint, slot: int) -> tuple[Move, ...]:
    """Where a slot went since this process knows of it: by a failover, or since it was moved."""
    return _MOVES.get((*_name(endpoint), slot), ())


def _name(endpoint: Endpoint) -> tuple[object, ...]:
    return (endpoint.scheme, endpoint.nodes, endpoint.username)
