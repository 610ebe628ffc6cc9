"""Several commands in one go: each has its own answer, and a store that does not answer is said to be one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from redis.exceptions import ClusterDownError, ResponseError

from console.domain.errors import StoreUnreachable
from console.store.server.connect import connect
from console.store.server.together import absent, together
from tests.servers import Server

if TYPE_CHECKING:
    import redis.asyncio


async def test_what_is_refused_stands_where_its_reply_would_and_the_rest_is_carried_out(
    valkey: redis.asyncio.Redis,
) -> None:
    set_, wrong, got = await together(valkey, [("SET", "a", "1"), ("LLEN", "a"), ("GET", "a")])
    assert (set_, got) == (b"OK", b"1") or (set_, got) == (True, b"1")
    assert isinstance(wrong, ResponseError)


async def test_a_store_that_does_not_answer_is_unreachable_and_is_no_reply(
    valkey_server: Callable[..., Server],
) -> None:
    server = valkey_server()
    client = await connect(server.url, timeout_s=5.0)
    server.kill()
    with pytest.raises(StoreUnreachable):
        await together(client, [("GET", "a")])
    await client.aclose()


async def test_a_node_is_away_on_a_cluster_alone(valkey: redis.asyncio.Redis) -> None:
    down = ClusterDownError("CLUSTERDOWN The cluster is down")
    assert not absent(valkey, down)
    assert not absent(valkey, b"reply")
