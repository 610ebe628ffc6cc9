"""Servers that speak RESP2 alone, or refuse the handshake of RESP3: they are worked with as any other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.domain.errors import NoHello, NotPrimary
from console.store.fence.aio import AsyncFence
from console.store.fence.blocking import Fence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.reading.place import Place
from console.store.server.adopting import adopt, adopt_sync
from console.store.server.cluster import is_cluster, keys_on
from console.store.server.connect import connect, connect_sync
from console.store.server.sentinel import sentinels_of
from tests.clusters import Cluster
from tests.servers import Server, free_port
from tests.store.server.fronts import Passing, front
from tests.topologies import Sentinels, info
from tests.waiting import until

Servers = Callable[..., Server]
NO_HELLO = {"rename-command": "HELLO"}


async def works(url: str) -> None:
    """Both worlds switch and beat there, and read the same."""
    client = await connect(url, timeout_s=5.0)
    fence = AsyncFence(client, keys_on(client, "agent"))
    epoch = (await fence.switch(SwitchRequest("blue", expected_epoch="any", by="op"))).epoch
    await fence.beat(Heartbeat("blue-1", "blue"), epoch=epoch, seen=epoch)

    def blocking() -> Any:
        with connect_sync(url, timeout_s=5.0) as other:
            second = Fence(other, keys_on(other, "agent"))
            second.beat(Heartbeat("blue-2", "blue"), epoch=epoch, seen=epoch)
            return second.authority(), second.heartbeats(), second.wait_log("0", 10)

    assert await asyncio.to_thread(blocking) == (
        await fence.authority(),
        await fence.heartbeats(),
        await fence.wait_log("0", 10),
    )
    assert len(await fence.heartbeats()) == 2
    await client.aclose()


async def test_a_server_that_does_not_know_the_handshake_is_spoken_to_in_resp2(valkey_server: Servers) -> None:
    server = valkey_server(port=str(free_port()), **NO_HELLO)
    await works(server.url)
    client = await connect(server.tcp_url, shared=True)
    assert await asyncio.gather(*(client.incr("n") for _ in range(3))) == [1, 2, 3]
    await client.aclose()


async def test_a_server_that_refuses_protocol_3_is_spoken_to_in_resp2(valkey_server: Servers) -> None:
    server = valkey_server()

    def passing() -> Passing:
        return lambda data, _replies: data.replace(b"HELLO\r\n$1\r\n3", b"HELLO\r\n$1\r\n9")  # NOPROTO is the answer

    async with front(lambda: asyncio.open_unix_connection(str(server.socket)), passing) as port:
        await works(f"redis://127.0.0.1:{port}")


async def test_a_user_who_may_not_shake_hands_is_let_in_all_the_same(valkey_server: Servers) -> None:
    server = valkey_server()
    server.command("ACL", "SETUSER", "ann", "on", ">pw", "~*", "&*", "+@all", "-hello")
    await works(f"unix://ann:pw@{server.socket}")


@pytest.mark.long
async def test_a_clusters_node_that_speaks_resp2_is_recognised(short_dir: Path) -> None:
    cluster = Cluster(short_dir, primaries=1, options=NO_HELLO)
    try:
        for url in (cluster.url, cluster.url_of(cluster.nodes[0])):
            client = await connect(url)
            assert is_cluster(client)
            await client.aclose()
        import redis
        import redis.asyncio

        port = cluster.nodes[0].port
        adopted = await adopt(redis.asyncio.Redis(port=port, protocol=2))
        assert is_cluster(adopted) and await adopted.ping()
        await adopted.aclose()
        with await asyncio.to_thread(adopt_sync, redis.Redis(port=port, protocol=2)) as client:
            assert is_cluster(client) and client.ping()
        await works(cluster.url)
    finally:
        cluster.stop()


async def test_sentinels_and_servers_that_speak_resp2_are_followed_to_the_primary_alone(short_dir: Path) -> None:
    setup = Sentinels(short_dir, replicas=1, sentinels=1, options=NO_HELLO)
    try:
        await works(setup.url)
        client = await connect(f"redis://127.0.0.1:{setup.sentinels[0].port}")
        assert sentinels_of(client) is not None
        setup.primary.command("REPLICAOF", "127.0.0.1", str(setup.servers[1].port))
        for connecting in (lambda: connect(setup.url), lambda: asyncio.to_thread(connect_sync, setup.url)):
            with pytest.raises(Exception, match="is a replica"):
                await connecting()
        await client.aclose()
    finally:
        setup.stop()


async def test_a_console_hears_that_its_server_became_a_replica(valkey_server: Servers) -> None:
    server = valkey_server(**NO_HELLO)
    client: Any = await connect(server.url)
    place = Place(client)

    async def look() -> None:
        place._asked_at = float("-inf")
        pipe = client.pipeline(transaction=False)
        for command in place.commands():
            pipe.execute_command(*command)
        place.take(*await pipe.execute(raise_on_error=False))

    await look()  # finds out that HELLO is not known
    await look()
    server.command("REPLICAOF", "127.0.0.1", "1")
    await asyncio.to_thread(until, lambda: info(server, "role") == "slave")
    with pytest.raises(NotPrimary):
        await look()
    await client.aclose()


async def test_what_refuses_both_protocols_is_told(valkey_server: Servers) -> None:
    server = valkey_server()
    error = b"-NOPROTO unsupported protocol version\r\n"

    def passing() -> Passing:
        return lambda data, replies: error if replies else data  # whatever it is asked

    async with front(lambda: asyncio.open_unix_connection(str(server.socket)), passing) as port:
        with pytest.raises(NoHello, match="refuses the handshake of RESP3"):
            await connect(f"redis://127.0.0.1:{port}")
        with pytest.raises(NoHello):
            await asyncio.to_thread(connect_sync, f"redis://127.0.0.1:{port}")
