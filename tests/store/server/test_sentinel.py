"""Connecting through Sentinels: to the primary alone, in bounded time, and told in words where that can't be."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.domain.errors import Refused, StoreUnreachable, WritesRefused
from console.store.fence.memory import store_name
from console.store.server.connect import connect, connect_sync, wrap_errors
from console.store.server.lookout import lookout_for
from console.store.server.sentinel import sentinels_of, standing_of
from tests.servers import Server, free_port
from tests.store.server.fronts import TLS, in_front_of, lying
from tests.topologies import NAME, Sentinels, sentinel_url
from tests.waiting import until_async

Servers = Callable[..., Server]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sentinels]:
    """One primary and one Sentinel."""
    setup = Sentinels(tmp_path_factory.mktemp("s").resolve(), replicas=0, sentinels=1)
    yield setup
    setup.stop()


async def refusal(url: str) -> StoreUnreachable:
    with pytest.raises(StoreUnreachable) as caught:
        await connect(url)
    with pytest.raises(StoreUnreachable) as blocking:
        await asyncio.to_thread(connect_sync, url)
    assert str(blocking.value) == str(caught.value), "both worlds say the same"
    return caught.value


async def test_both_worlds_reach_the_primary_and_its_database(watched: Sentinels) -> None:
    client = await connect(f"{watched.url}/3", name="found")
    await client.set("there", "yes")
    assert any(one["name"] == "found" for one in await client.client_list())
    await client.aclose()
    with connect_sync(f"{watched.url}/3") as other:
        assert other.get("there") == b"yes"
        other.select(0)
        assert other.get("there") is None


async def test_many_tasks_share_one_connection_to_the_primary(watched: Sentinels) -> None:
    client = await connect(watched.url, name="shared", shared=True)
    assert sorted(await asyncio.gather(*(client.incr("n") for _ in range(50)))) == list(range(1, 51))
    assert sum(one["name"] == "shared" for one in await client.client_list()) == 1
    await client.aclose()


async def test_a_plain_url_of_a_sentinel_that_knows_one_store_leads_there(watched: Sentinels) -> None:
    for database in ("", "/3"):
        client = await connect(f"redis://127.0.0.1:{watched.sentinels[0].port}{database}")
        assert (endpoint := sentinels_of(client)) is not None and endpoint.master == NAME
        assert await client.set("led", "here") is True
        await client.aclose()
        with connect_sync(f"redis://127.0.0.1:{watched.sentinels[0].port}{database}") as other:
            assert other.get("led") == b"here"


async def test_a_plain_url_of_a_sentinel_that_knows_several_names_them_and_the_url_to_write(
    tmp_path: Path, short_dir: Path
) -> None:
    lines = ("sentinel monitor other 127.0.0.1 1 1",)
    setup = Sentinels(short_dir, replicas=0, sentinels=1, lines=lines)
    try:
        port = setup.sentinels[0].port
        for connecting in (
            connect(f"redis://127.0.0.1:{port}"),
            asyncio.to_thread(connect_sync, f"redis://127.0.0.1:{port}"),
        ):
            with pytest.raises(Refused) as caught:
                await connecting
            assert f"127.0.0.1:{port} is a Sentinel" in caught.value.message and "main, other" in caught.value.message
            assert f"redis+sentinel://127.0.0.1:{port}/main/0" in caught.value.hint
    finally:
        setup.stop()


async def test_a_name_that_no_sentinel_knows_is_told_with_those_that_it_knows(watched: Sentinels) -> None:
    error = await refusal(watched.url.replace(f"/{NAME}", "/mian"))
    assert "knows no store called mian; it knows: main." in error.message


async def test_sentinels_that_are_down_are_each_named(watched: Sentinels) -> None:
    error = await refusal("redis+sentinel://127.0.0.1:1,127.0.0.1:2/main")
    assert "None of 2 Sentinels names the primary of main" in error.message
    assert "Sentinel 127.0.0.1:1 refused the connection" in error.message


async def test_one_sentinel_that_answers_is_enough_where_others_are_down_or_hung(
    watched: Sentinels, valkey_server: Servers
) -> None:
    hung = valkey_server(port=str(free_port()))
    hung.hang()
    try:
        url = sentinel_url([("127.0.0.1", 1), ("127.0.0.1", hung.port), *watched.addresses])
        client = await connect(url)
        assert await client.ping() is True
        await until_async(lambda: (standing := standing_of(client)) is not None and len(standing.problems) == 2)
        standing = standing_of(client)
        assert standing is not None and (standing.answering, standing.asked) == (1, 3)
        assert any("did not answer within" in problem for problem in standing.problems)
        await client.aclose()
        alone = await refusal(f"redis+sentinel://127.0.0.1:{hung.port}/main")
        assert "The one Sentinel does not name the primary of main" in alone.message
    finally:
        hung.wake()


async def test_a_sentinels_password_is_its_own(short_dir: Path) -> None:
    setup = Sentinels(short_dir, replicas=0, sentinels=1)
    setup.sentinels[0].command("SENTINEL", "SET", NAME, "auth-pass", "of-the-store")
    setup.sentinels[0].command("ACL", "SETUSER", "default", "resetpass", ">of-the-sentinel")
    setup.primary.command("CONFIG", "SET", "requirepass", "of-the-store")
    try:
        url = sentinel_url(setup.addresses, user=":of-the-store@")
        client = await connect(f"{url}?sentinel_password=of-the-sentinel")
        assert await client.ping() is True
        await client.aclose()
        for wrong in (url, f"{url}?sentinel_password=of-the-store"):
            error = await refusal(wrong)
            assert f"Sentinel 127.0.0.1:{setup.sentinels[0].port}" in error.message and "password" in error.message
            assert "of-the-store" not in str(error) and "sentinel_password=" in error.hint
        error = await refusal(f"{setup.url}?sentinel_password=of-the-sentinel")
        assert "which the Sentinels call the primary of main" in error.message
        assert "asks for a password" in error.message
    finally:
        setup.stop()


async def test_what_answers_like_no_sentinel_is_named(valkey_server: Servers) -> None:
    server = valkey_server(port=str(free_port()))
    error = await refusal(f"redis+sentinel://127.0.0.1:{server.port}/main")
    assert f"Sentinel 127.0.0.1:{server.port}" in error.message and "unknown command" in error.message.lower()


async def test_a_replica_that_a_sentinel_calls_the_primary_is_not_connected_to(
    watched: Sentinels, valkey_server: Servers
) -> None:
    replica = valkey_server(port=str(free_port()))
    replica.command("REPLICAOF", "127.0.0.1", str(watched.primary.port))
    async with lying(watched.sentinels[0], watched.primary.port, replica.port) as port:
        error = await refusal(f"redis+sentinel://127.0.0.1:{port}/main")
    assert f"127.0.0.1:{replica.port}, which the Sentinels call the primary of main, is a replica" in error.message


async def test_tls_goes_to_the_sentinels_and_to_the_store(watched: Sentinels) -> None:
    async with (
        in_front_of(watched.primary, tls=True) as store,
        lying(watched.sentinels[0], watched.primary.port, store, tls=True) as port,
    ):
        url = f"rediss+sentinel://localhost:{port}/main"
        client = await connect(f"{url}?ssl_ca_certs={TLS / 'cert.pem'}", timeout_s=5.0)
        blocking = await asyncio.to_thread(connect_sync, f"{url}?ssl_ca_certs={TLS / 'cert.pem'}", timeout_s=5.0)
        assert await client.set("over", "tls") is True
        assert await asyncio.to_thread(blocking.get, "over") == b"tls"
        await client.aclose()
        blocking.close()
        error = await refusal(url)
        assert f"Sentinel localhost:{port} showed a certificate that can't be trusted" in error.message


async def test_a_primary_that_does_not_answer_is_named_by_its_address(watched: Sentinels) -> None:
    nobody = free_port()
    async with lying(watched.sentinels[0], watched.primary.port, nobody) as port:
        error = await refusal(f"redis+sentinel://127.0.0.1:{port}/main")
    assert f"127.0.0.1:{nobody}, which the Sentinels call the primary of main, refused" in error.message


async def test_a_connection_that_was_refused_a_write_as_a_replica_does_is_given_up(
    watched: Sentinels, valkey_server: Servers
) -> None:
    demoted = valkey_server(port=str(free_port()))
    async with lying(watched.sentinels[0], watched.primary.port, demoted.port) as port:
        url = f"redis+sentinel://127.0.0.1:{port}/main"
        client, blocking = await connect(url), await asyncio.to_thread(connect_sync, url)
        demoted.command("REPLICAOF", "127.0.0.1", str(watched.primary.port))
        with pytest.raises(WritesRefused), wrap_errors(url):
            await client.set("a", "b")
        with pytest.raises(StoreUnreachable, match="is a replica"), wrap_errors(url):
            await client.get("a")
        with pytest.raises(WritesRefused), wrap_errors(url):
            await asyncio.to_thread(blocking.set, "a", "b")
        with pytest.raises(StoreUnreachable, match="is a replica"), wrap_errors(url):
            await asyncio.to_thread(blocking.get, "a")
        await client.aclose()
        blocking.close()


async def test_a_connection_to_a_primary_that_still_answers_is_ended_when_another_one_is_named(
    watched: Sentinels, valkey_server: Servers
) -> None:
    old, new = watched.primary, valkey_server(port=str(free_port()))
    named = [old.port]
    async with lying(watched.sentinels[0], old.port, named) as port:
        url = f"redis+sentinel://127.0.0.1:{port}/main"
        client, listening = await connect(url), await connect(url, timeout_s=None)
        blocking = await asyncio.to_thread(connect_sync, url, timeout_s=None)
        waits = asyncio.create_task(listening.xread({"s": "$"}, block=0))
        waits_blocking = asyncio.create_task(asyncio.to_thread(blocking.xread, {"s": "$"}, block=0))
        await until_async(lambda: "blocked_clients:2" in old.command("INFO", "clients"))
        named[0] = new.port
        with pytest.raises(StoreUnreachable), wrap_errors(url):
            await waits
        with pytest.raises(StoreUnreachable), wrap_errors(url):
            await waits_blocking
        await client.set("where", "on the new one")  # idle before: nothing is lost, and nothing is said
        assert new.command("GET", "where") == "on the new one" and old.command("GET", "where") == ""
        standing = standing_of(client)
        assert standing is not None and [move.after.port for move in standing.moves] == [new.port]
        await client.aclose()
        await listening.aclose()
        blocking.close()


async def test_a_store_behind_sentinels_is_remembered_by_them_wherever_its_primary_is(watched: Sentinels) -> None:
    client = await connect(f"{watched.url}/1")
    assert store_name(client) == f"sentinel 127.0.0.1:{watched.sentinels[0].port}/main/1"
    await client.aclose()


async def test_a_child_of_a_process_asks_the_sentinels_by_itself(watched: Sentinels) -> None:
    client = await connect(watched.url)
    child = os.fork()
    if child == 0:  # the parent's thread is not in it
        try:
            with connect_sync(watched.url) as own:
                os._exit(0 if own.set("child", "here") else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, child, 0))[1]) == 0
    assert await client.get("child") == b"here"
    await client.aclose()


async def test_a_process_asks_the_sentinels_of_a_store_on_one_thread_however_many_connections_it_has(
    watched: Sentinels,
) -> None:
    clients = [await connect(watched.url) for _ in range(5)]
    endpoint = sentinels_of(clients[0])
    assert endpoint is not None
    assert len({id(lookout_for(endpoint)) for _ in clients}) == 1
    for client in clients:
        await client.aclose()


async def test_who_may_not_say_a_connections_name_is_let_in_without_one(watched: Sentinels) -> None:
    watched.primary.command("ACL", "SETUSER", "quiet", "reset", "on", ">pw", "~*", "+@all", "-client|setname")
    url = sentinel_url(watched.addresses, user="quiet:pw@")
    client = await connect(url, name="a-name")
    assert await client.ping()
    await client.aclose()
    with connect_sync(url, name="a-name") as blocking:
        assert blocking.ping()
