"""Connecting to a Cluster, and the one place that knows whether a client is one's: an agent's keys are made here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from console.domain.errors import UsageError
from console.store.keys import Keys
from console.store.server.greeting import greeted, greeted_sync
from console.store.server.options import Wanted
from console.store.server.url import Endpoint

if TYPE_CHECKING:
    import redis
    import redis.asyncio

    from console.store.server.standing import Move

ClientT = TypeVar("ClientT")


def keys_on(client: Any, agent: str) -> Keys:
    """An agent's keys as they are on a client's store: hash-tagged where that is a Cluster. A Cluster's client that is
    about nobody yet is about this agent from now on: what has no key goes to its node.

    Args:
        client: of the client library, or one of ours.
        agent: its name.

    Raises:
        UsageError: the name can't be part of a key.
    """
    if not is_cluster(client):
        return Keys.of(agent)
    from console.store.server.slots import slot_of_key

    keys = Keys.of(agent, cluster=True)
    if client.home is None and not client.roams:
        client.home = slot_of_key(keys.ctl)
    return keys


def roaming(client: ClientT) -> ClientT:
    """A client that is about many agents: on a Cluster what has no key goes to any node that answers.

    Args:
        client: before an agent's keys were asked for.
    """
    if is_cluster(client):
        client.roams = True  # type: ignore[attr-defined]
    return client


def is_cluster(client: Any) -> bool:
    """Whether a client goes to the nodes of a Cluster."""
    return bool(getattr(client, "by_slots", False))


def unscanned(client: Any) -> list[str]:
    """The nodes of a Cluster that did not answer when they were looked through for keys; none of any other store."""
    return [f"{host}:{port}" for host, port in sorted(client.unscanned)] if is_cluster(client) else []


def home_of(client: Any) -> str:
    """Where the keys of the agent are that a Cluster's client is about, in words; empty for any other client."""
    if not is_cluster(client) or client.home is None:
        return ""
    host, port = client.owner(client.home)
    return f"slot {client.home} of a Cluster, at {host}:{port}, one of {len(client.primaries())} primaries"


def term_of(client: Any) -> int | None:
    """Which node has that agent's keys, as a number that rises with each one that is not the one before; None for any
    other client, which goes to one server as long as it is connected."""
    return int(client.term) if is_cluster(client) else None


def moves_of(client: Any) -> tuple[Move, ...]:
    """Where the keys of that agent went since this process knows of them."""
    return tuple(client.moves) if is_cluster(client) else ()


def is_away(reply: object) -> bool:
    """Whether what stands for a reply is that its node did not answer, or has nothing to say for its slots now: only
    where several nodes were asked, and others answered."""
    from redis import exceptions as told

    return isinstance(reply, told.ConnectionError | told.TimeoutError | told.ClusterDownError | OSError)


async def connect_cluster(url: str, wanted: Wanted) -> redis.asyncio.Redis:
    """A connected client for asyncio; what it knows of its nodes is learnt anew whenever one is lost.

    Args:
        url: of the store, for messages.
        wanted: how; the endpoint's nodes are some of the Cluster's.

    Raises:
        UsageError: it is named by a socket, of which the other nodes know nothing.
        StoreUnreachable: no node answers.
    """
    from console.store.server.cluster_aio import AsyncCluster

    return await greeted(AsyncCluster(_named(wanted)), url, wanted)


def connect_cluster_sync(url: str, wanted: Wanted) -> redis.Redis:
    """A connected blocking client; everything else is as in `connect_cluster`."""
    from console.store.server.cluster_blocking import BlockingCluster

    return greeted_sync(BlockingCluster(_named(wanted)), url, wanted)


def _named(wanted: Wanted) -> Wanted:
    endpoint = wanted.endpoint
    if endpoint.scheme == "unix":
        raise UsageError(
            "This socket is that of a Cluster's node, and the other nodes are known by their addresses.",
            "Name some of them: redis+cluster://HOST:PORT,HOST:PORT.",
        )
    if endpoint.db:
        raise UsageError("This is a Cluster, which has database 0 alone.", "Leave the database out of the URL.")
    return wanted._replace(endpoint=replace(endpoint, topology="cluster"))


def seen_as_cluster(endpoint: Endpoint) -> bool:
    """Whether what a plain URL names was a Cluster's node when it was asked last: then the node may be lost, and the
    Cluster is still there."""
    from console.store.server.nodes import known

    return endpoint.topology == "server" and known(endpoint) is not None
