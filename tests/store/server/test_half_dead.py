"""Half of the Sentinels cut off, one that lies: whoever is left leads to the new primary, and what is wrong is told."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from console.domain.errors import StoreUnreachable
from console.guard.run.process import Guard
from console.guard.setup.options import GuardOptions
from console.logs.options import LogOptions
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import GuardKeys, Keys
from console.store.server.connect import connect, connect_sync
from console.store.server.sentinel import standing_of
from tests.faults.proxy import Proxy
from tests.store.server.fronts import lying
from tests.topologies import Sentinels, info, sentinel_url
from tests.waiting import until, until_async

pytestmark = pytest.mark.long


def fails_over(setup: Sentinels) -> None:
    """One Sentinel's failover, as an operator asks for it; all of them know of it."""
    setup.sentinels[0].command("SENTINEL", "FAILOVER", "main")
    until(lambda: info(setup.servers[1], "role") == "master")
    port = str(setup.servers[1].port)
    until(lambda: all(one.fields().get("port") == port for one in setup.sentinels))
    until(lambda: info(setup.servers[0], "role") == "slave")


async def test_a_guard_follows_with_half_of_its_sentinels_cut_off_and_one_that_names_the_old_primary(
    short_dir: Path,
) -> None:
    setup = await asyncio.to_thread(Sentinels, short_dir, replicas=1, sentinels=3)
    old, new = setup.servers
    cut = [Proxy(one.port) for one in setup.sentinels]  # of six that are named
    stop, told = asyncio.Event(), list[str]()
    try:
        async with AsyncExitStack() as stack:
            port = await stack.enter_async_context(lying(setup.sentinels[2], new.port, old.port))
            addresses = [("127.0.0.1", port), *setup.addresses[:2], *(("127.0.0.1", one.port) for one in cut)]
            url = sentinel_url(addresses)
            client = await connect(url, timeout_s=1.0)
            await until_async(lambda: standing_of(client).answering == 6)  # type: ignore[union-attr]
            keys = Keys.of()
            await asyncio.to_thread(_begin, old.url)
            guard = Guard(
                GuardOptions(url, "agent", (), LogOptions(), name="g"), lambda event, **_more: told.append(event)
            )
            await guard.open()
            task = asyncio.create_task(guard.run(stop))
            for one in cut:
                one.cut()
            await until_async(lambda: standing_of(client).answering == 3)  # type: ignore[union-attr]
            await asyncio.to_thread(fails_over, setup)
            direct = await connect(new.url)
            beats = await direct.hgetall(GuardKeys.of(keys).guards)

            async def beaten() -> bool:
                return await direct.hgetall(GuardKeys.of(keys).guards) != beats

            await until_async(beaten, "the guard beats on the new primary")
            standing = standing_of(client)
            assert standing is not None and standing.primary == ("127.0.0.1", new.port)
            assert len(standing.problems) == 3
            assert (await client.role())[0] == b"master"
            assert "failover" in told and "sentinels" in told
            stop.set()
            await asyncio.wait([task], timeout=10)
            await guard.aclose()
            await direct.aclose()
            await client.aclose()
    finally:
        await asyncio.to_thread(setup.stop)


def _begin(url: str) -> None:
    with connect_sync(url) as control:
        Fence(control, Keys.of()).switch(SwitchRequest("blue", expected_epoch=0, by="op"))


async def test_one_of_two_sentinels_that_names_a_demoted_server_is_not_believed(short_dir: Path) -> None:
    setup = await asyncio.to_thread(Sentinels, short_dir, replicas=1, sentinels=1)
    old, new = setup.servers
    try:
        async with lying(setup.sentinels[0], new.port, old.port) as port:
            url = sentinel_url([("127.0.0.1", port), *setup.addresses])
            client = await connect(url, timeout_s=1.0)
            await asyncio.to_thread(fails_over, setup)

            async def leads_there() -> bool:
                with suppress(RedisError):
                    await client.set("k", "v")
                    return (await client.info("server"))["tcp_port"] == new.port
                return False

            await until_async(leads_there)
            anew = sentinel_url([*setup.addresses, ("127.0.0.1", port)])  # nothing is known before they are asked

            async def leads_there_anew() -> bool:
                with suppress(StoreUnreachable):
                    other = await connect(anew)
                    await other.aclose()
                    return True
                return False

            await until_async(leads_there_anew)
            alone = sentinel_url([("127.0.0.1", port)])
            with pytest.raises(StoreUnreachable, match=f"{old.port}, which the Sentinels call the primary"):
                await connect(alone)
            await client.aclose()
    finally:
        await asyncio.to_thread(setup.stop)
