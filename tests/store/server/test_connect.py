"""Connecting to a store: every way in, and every way it can fail, said plainly and without the password."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from console.domain.errors import EXIT_UNREACHABLE, StoreUnreachable, WritesRefused
from console.store.server.connect import READ_RETRIES, connect, connect_sync, wrap_errors
from tests.servers import Server, free_port
from tests.store.server.fronts import TLS, in_front_of

Servers = Callable[..., Server]


async def refusal(url: str, timeout_s: float = 5.0) -> StoreUnreachable:
    with pytest.raises(StoreUnreachable) as caught:
        await connect(url, timeout_s=timeout_s)
    assert caught.value.exit_code == EXIT_UNREACHABLE
    return caught.value


async def test_a_client_speaks_resp3_and_is_named_in_the_servers_client_list(store_url: str) -> None:
    client = await connect(store_url, name="a-name")
    assert (await client.execute_command("HELLO"))[b"proto"] == 3
    assert any(one["name"] == "a-name" for one in await client.client_list())
    await client.aclose()


async def test_who_may_not_say_a_connections_name_is_let_in_without_one(valkey_server: Servers) -> None:
    server = valkey_server()
    server.command("ACL", "SETUSER", "quiet", "reset", "on", ">pw", "~*", "+@all", "-client|setname")
    url = server.url.replace("://", "://quiet:pw@")
    client = await connect(url, name="a-name")
    assert await client.ping()
    await client.aclose()
    with connect_sync(url, name="a-name") as blocking:
        assert blocking.ping()


async def test_a_unix_socket_url_may_name_a_database(valkey_server: Servers) -> None:
    server = valkey_server()
    client = await connect(f"{server.url}?db=3")
    await client.set("there", "yes")
    await client.aclose()
    with connect_sync(server.url) as other:
        assert other.get("there") is None
        other.select(3)
        assert other.get("there") == b"yes"


async def test_a_tcp_url_with_password_and_database_reaches_the_store(valkey_server: Servers) -> None:
    server = valkey_server(port=str(free_port()), requirepass="p:w/@")
    client = await connect(f"redis://:p%3Aw%2F%40@127.0.0.1:{server.port}/2")
    assert await client.ping() is True
    await client.aclose()


async def test_a_rediss_url_reaches_a_store_behind_tls(valkey_server: Servers) -> None:
    async with in_front_of(valkey_server(), tls=True) as port:
        client = await connect(f"rediss://localhost:{port}?ssl_ca_certs={TLS / 'cert.pem'}", timeout_s=5.0)
        assert await client.ping() is True
        await client.aclose()


async def test_a_certificate_nobody_vouches_for_is_refused(valkey_server: Servers) -> None:
    async with in_front_of(valkey_server(), tls=True) as port:
        error = await refusal(f"rediss://localhost:{port}")
    assert "certificate that can't be trusted" in error.message
    assert "ssl_ca_certs" in error.hint


async def test_tls_to_a_store_without_it_is_named(valkey_server: Servers) -> None:
    server = valkey_server(port=str(free_port()))
    error = await refusal(f"rediss://127.0.0.1:{server.port}", 0.5)
    assert "does not speak TLS: then use redis://" in error.hint


async def test_a_wrong_password_is_said_plainly_and_not_shown(valkey_server: Servers) -> None:
    server = valkey_server(port=str(free_port()), requirepass="right")
    error = await refusal(f"redis://:hunter2@127.0.0.1:{server.port}")
    assert "refused the user name or password" in error.message
    assert "hunter2" not in str(error)
    assert ":***@" in error.message


async def test_a_missing_password_is_said_plainly(valkey_server: Servers) -> None:
    server = valkey_server(requirepass="right")
    assert "asks for a password and none was given" in (await refusal(server.url)).message


async def test_a_password_for_a_store_without_one_is_said_plainly(valkey_server: Servers) -> None:
    server = valkey_server(port=str(free_port()))
    error = await refusal(f"redis://user:hunter2@127.0.0.1:{server.port}")
    assert "password" in error.message
    assert "hunter2" not in str(error)


async def test_an_unknown_host_is_said_plainly() -> None:
    assert "host name is unknown" in (await refusal("redis://no-such-host.invalid:6379", 10.0)).message


async def test_a_refused_connection_is_said_plainly() -> None:
    assert "nothing listens there" in (await refusal(f"redis://127.0.0.1:{free_port()}")).message


async def test_a_missing_socket_is_said_plainly(short_dir: Path) -> None:
    assert "no such socket" in (await refusal(f"unix://{short_dir}/none.sock")).message


async def test_a_hung_store_is_given_up_after_the_time_out(valkey_server: Servers) -> None:
    server = valkey_server()
    server.hang()
    error = await refusal(server.url, 0.2)
    assert "did not answer within 0.2 s" in error.message


async def test_something_that_is_no_store_is_said_plainly() -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    other = await asyncio.start_server(greet, "127.0.0.1", 0)
    error = await refusal(f"redis://127.0.0.1:{other.sockets[0].getsockname()[1]}")
    other.close()
    assert "does not answer like Redis" in error.message


async def test_an_unknown_database_is_said_plainly(valkey_server: Servers) -> None:
    assert "no such database" in (await refusal(f"{valkey_server().url}?db=9999")).message


async def test_the_blocking_client_fails_in_the_same_words(valkey_server: Servers, short_dir: Path) -> None:
    server = valkey_server(requirepass="right")
    with pytest.raises(StoreUnreachable, match="asks for a password"):
        connect_sync(server.url)
    with pytest.raises(StoreUnreachable, match="no such socket"):
        connect_sync(f"unix://{short_dir}/none.sock")
    server.hang()
    with pytest.raises(StoreUnreachable, match="did not answer"):
        connect_sync(server.url, timeout_s=0.2)


@pytest.mark.parametrize("retries", [0, READ_RETRIES])
async def test_a_command_is_sent_again_only_by_a_connection_that_allows_it(
    valkey_server: Servers, retries: int
) -> None:
    server = valkey_server()
    async with in_front_of(server, swallow=b"INCR") as port:
        client = await connect(f"redis://127.0.0.1:{port}", timeout_s=0.5, retries=retries)
        with pytest.raises(StoreUnreachable, match="did not answer"), wrap_errors(server.url):
            await client.incr("times")
        await client.aclose()
    assert server.command("GET", "times") == str(1 + retries)


async def test_after_a_restart_the_same_client_works_again(valkey_server: Servers) -> None:
    server = valkey_server()
    client = await connect(server.url, timeout_s=5.0)
    await client.set("a", "kept")
    server.kill()
    with pytest.raises(StoreUnreachable), wrap_errors(server.url):
        await client.get("a")
    server.start()
    assert await client.get("a") == b"kept"
    await client.aclose()


async def test_a_replica_refusing_a_write_is_said_plainly(valkey_server: Servers) -> None:
    server = valkey_server(replicaof=f"127.0.0.1 {free_port()}", replica_serve_stale_data="yes")
    client = await connect(server.url, timeout_s=5.0)
    with pytest.raises(StoreUnreachable, match="read-only replica"), wrap_errors(server.url):
        await client.set("a", "b")
    await client.aclose()


async def test_a_store_out_of_memory_is_said_plainly(valkey_server: Servers) -> None:
    server = valkey_server(maxmemory="1")
    client = await connect(server.url, timeout_s=5.0)
    with pytest.raises(StoreUnreachable, match="out of memory"), wrap_errors(server.url):
        await client.set("a", "b")
    pipe = client.pipeline(transaction=False)
    pipe.set("a", "b")
    with pytest.raises(StoreUnreachable, match="out of memory"), wrap_errors(server.url):
        await pipe.execute()
    await client.aclose()


async def test_a_store_that_cannot_save_is_said_plainly(valkey_server: Servers) -> None:
    server = valkey_server(appendonly="no", save="1 1", enable_protected_configs="yes")
    client = await connect(server.url, timeout_s=5.0)
    await client.config_set("dbfilename", "x" * 300)
    await client.set("a", "b")
    with pytest.raises(StoreUnreachable, match="can't save to its disk"), wrap_errors(server.url):
        while True:
            await client.set("a", "d")
            await asyncio.sleep(0.02)
    await client.aclose()


async def test_a_right_that_is_missing_is_named(valkey_server: Servers) -> None:
    server = valkey_server()
    client = await connect(server.url, timeout_s=5.0)
    await client.execute_command("ACL", "SETUSER", "looker", "on", ">pw", "~*", "+@read", "+@connection")
    looker = await connect(f"unix://looker:pw@{server.socket}", timeout_s=5.0)
    with pytest.raises(StoreUnreachable, match="does not permit") as caught, wrap_errors(server.url):
        await looker.set("a", "b")
    assert "set" in caught.value.message
    await looker.aclose()
    await client.aclose()


async def test_a_command_that_was_renamed_away_is_named(valkey_server: Servers) -> None:
    client = await connect(valkey_server(rename_command="ZCARD").url)
    with pytest.raises(WritesRefused, match=r"does not know a command that is needed .*ZCARD") as caught, wrap_errors():
        await client.zcard("a")
    assert "renamed away" in caught.value.hint
    await client.aclose()


async def test_a_wrong_command_is_our_own_defect_and_passes_through(store_url: str) -> None:
    client = await connect(store_url)
    await client.rpush("list", "a")
    with pytest.raises(ResponseError, match="WRONGTYPE"), wrap_errors(store_url):
        await client.get("list")
    await client.aclose()
