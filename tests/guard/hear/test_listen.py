"""Many streams on few connections: everything is heard, in order, once, and one bad key silences nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from console.guard.hear.listen import Listener
from console.guard.loops import Outage, end
from console.store.server.connect import connect
from tests.servers import Server
from tests.waiting import until_async

if TYPE_CHECKING:
    import redis.asyncio


class Heard:
    """What a listener hears, by stream."""

    def __init__(self, url: str, streams: int = 3000) -> None:
        self.entries: dict[str, list[str]] = {}
        self.spoiled: dict[str, Exception] = {}
        self.told: list[str] = []

        async def opened(timeout_s: float, name: str) -> redis.asyncio.Redis:
            return await connect(url, timeout_s=timeout_s, name=name)

        self.listener = Listener(opened, Outage(lambda event, **_fields: self.told.append(event)), streams=streams)

    def add(self, name: str, after: str = "0-0") -> None:
        def sink(_id: str, fields: Mapping[bytes, bytes]) -> None:
            value = fields[b"v"].decode()
            if value == "poison":
                raise ValueError(value)
            self.entries.setdefault(name, []).append(value)

        def spoiled(error: Exception) -> None:
            self.spoiled[name] = error

        self.listener.add(name, after, sink, spoiled)

    def heard(self, name: str, *values: str) -> Callable[[], Any]:
        async def so() -> bool:
            return self.entries.get(name) == list(values)

        return so

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.listener.run())
        try:
            yield
            assert not task.done()
        finally:
            await end([task])


async def test_every_entry_is_heard_in_its_order_also_what_was_there_before(
    valkey: redis.asyncio.Redis, store_url: str
) -> None:
    heard = Heard(store_url)
    first = await valkey.xadd("s", {"v": "1"})
    await valkey.xadd("s", {"v": "2"})
    heard.add("s", first.decode())
    async with heard.running():
        await until_async(heard.heard("s", "2"))
        for number in range(3, 300):
            await valkey.xadd("s", {"v": str(number)})
        await until_async(heard.heard("s", *(str(number) for number in range(2, 300))))


async def test_many_streams_need_few_connections_and_each_is_heard(valkey: redis.asyncio.Redis, store_url: str) -> None:
    heard = Heard(store_url, streams=100)
    for number in range(450):
        heard.add(f"s{number}")
    async with heard.running():
        for number in range(0, 450, 7):
            await valkey.xadd(f"s{number}", {"v": str(number)})
        for number in range(0, 450, 7):
            await until_async(heard.heard(f"s{number}", str(number)))
        names = [client["name"] for client in await valkey.client_list()]
        assert names.count("guard-listen") == 5


async def test_streams_may_come_and_go_while_it_listens(valkey: redis.asyncio.Redis, store_url: str) -> None:
    heard = Heard(store_url)
    async with heard.running():
        await asyncio.sleep(0.05)
        heard.add("a")
        await valkey.xadd("a", {"v": "1"})
        await until_async(heard.heard("a", "1"))
        heard.add("b")
        await valkey.xadd("b", {"v": "1"})
        await until_async(heard.heard("b", "1"))
        heard.listener.drop("a")
        await valkey.xadd("a", {"v": "2"})
        await valkey.xadd("b", {"v": "2"})
        await until_async(heard.heard("b", "1", "2"))
        assert heard.entries["a"] == ["1"]


async def test_a_key_that_is_no_stream_is_named_and_the_others_are_heard(
    valkey: redis.asyncio.Redis, store_url: str
) -> None:
    heard = Heard(store_url)
    await valkey.set("bad", "text")
    for name in ("a", "bad", "b"):
        heard.add(name)
    async with heard.running():
        await valkey.xadd("b", {"v": "1"})
        await until_async(heard.heard("b", "1"))
    assert "bad is a string" in str(heard.spoiled["bad"])
    assert list(heard.spoiled) == ["bad"]


async def test_an_entry_that_cannot_be_taken_is_its_own_streams_trouble(
    valkey: redis.asyncio.Redis, store_url: str
) -> None:
    heard = Heard(store_url)
    for name in ("a", "b"):
        heard.add(name)
    async with heard.running():
        for value in ("1", "poison", "2"):
            await valkey.xadd("a", {"v": value})
        await valkey.xadd("b", {"v": "1"})
        await until_async(heard.heard("b", "1"))
    assert (heard.entries["a"], str(heard.spoiled["a"])) == (["1"], "poison")


async def test_nothing_is_lost_over_a_store_that_was_away_and_both_are_said_once(
    valkey_server: Callable[..., Server],
) -> None:
    server = valkey_server()
    client = await connect(server.url, timeout_s=10.0)
    heard = Heard(server.url)
    heard.add("s")
    async with heard.running():
        await client.xadd("s", {"v": "1"})
        await until_async(heard.heard("s", "1"))
        server.restart()
        await client.aclose()
        client = await connect(server.url, timeout_s=10.0)
        await client.xadd("s", {"v": "2"})
        await until_async(heard.heard("s", "1", "2"))
    await client.aclose()
    assert heard.told[-1] == "store answers"
    assert heard.told.count("store answers") == 1
