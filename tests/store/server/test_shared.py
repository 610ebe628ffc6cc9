"""Many tasks on one connection: every command once, every answer to whom it belongs, every error to its own caller."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.fence.replies import SwitchCode
from console.store.keys import Keys
from console.store.server.connect import connect
from console.store.server.shared import MOST, SharedRedis
from tests.servers import Server, free_port
from tests.waiting import until_async


@pytest.fixture
async def shared(store_url: str) -> AsyncIterator[SharedRedis]:
    client = await connect(store_url, timeout_s=10.0, name="shared", shared=True)
    assert isinstance(client, SharedRedis)
    yield client
    await client.aclose()


async def test_every_task_gets_its_own_answer(shared: SharedRedis) -> None:
    count = 3 * MOST
    answers = await asyncio.gather(*(shared.incr(f"n{number % 7}") for number in range(count)))
    for number in range(7):
        assert sorted(answers[number::7]) == list(range(1, len(answers[number::7]) + 1))


async def test_one_connection_is_enough_for_all(shared: SharedRedis) -> None:
    await asyncio.gather(*(shared.hset("h", str(number), "x") for number in range(500)))
    clients = await shared.client_list()
    assert sum(client["name"] == "shared" for client in clients) == 1
    assert await shared.hlen("h") == 500


async def test_what_the_server_refuses_is_refused_to_that_caller_alone(shared: SharedRedis) -> None:
    await shared.set("text", "x")
    answers = await asyncio.gather(
        shared.hgetall("text"),
        shared.get("text"),
        shared.execute_command("NONSENSE"),
        shared.hgetall("none"),
        return_exceptions=True,
    )
    assert [type(one) for one in answers] == [ResponseError, bytes, ResponseError, dict]


async def test_a_transaction_stays_whole_among_the_commands_of_others(shared: SharedRedis) -> None:
    async def pair(number: int) -> list[Any]:
        pipe: Any = shared.pipeline(transaction=True)
        pipe.set("both", str(number))
        pipe.get("both")
        pipe.hgetall("none")
        return list(await pipe.execute())

    answers = await asyncio.gather(
        *(pair(number) for number in range(50)), *(shared.set("both", "?") for _ in range(50))
    )
    assert [one[1] for one in answers[:50]] == [b"%d" % number for number in range(50)]
    assert answers[0][2] == {}


async def test_a_wrong_type_within_a_transaction_is_that_replys_own(shared: SharedRedis) -> None:
    await shared.set("text", "x")
    pipe: Any = shared.pipeline(transaction=True)
    pipe.hmget("text", ["a"])
    pipe.get("text")
    first, second = await pipe.execute(raise_on_error=False)
    assert (isinstance(first, ResponseError), second) == (True, b"x")
    pipe.hmget("text", ["a"])
    with pytest.raises(ResponseError):
        await pipe.execute()


async def test_scripts_run_as_on_any_client(shared: SharedRedis) -> None:
    fences = [AsyncFence(shared, Keys.of(f"a{number}")) for number in range(40)]
    answers = await asyncio.gather(
        *(fence.switch(SwitchRequest("blue", expected_epoch=0, mode="now", by="op")) for fence in fences)
    )
    assert {reply.code for reply in answers} == {SwitchCode.SWITCHED}


async def test_a_caller_that_gives_up_takes_nobody_elses_answer(shared: SharedRedis) -> None:
    tasks = [asyncio.create_task(shared.incr("n")) for _ in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await shared.set("k", "v") is True
    assert await shared.get("k") == b"v"


async def test_a_store_that_goes_away_is_told_to_everybody_and_found_again(
    valkey_server: Callable[..., Server],
) -> None:
    server = valkey_server()
    client = await connect(server.url, timeout_s=0.5, shared=True)
    server.kill()
    answers = await asyncio.gather(*(client.get(f"k{number}") for number in range(30)), return_exceptions=True)
    assert all(isinstance(one, RedisError) for one in answers)
    server.start()
    assert await client.set("k", "v") is True
    await client.aclose()


async def test_a_store_that_hangs_is_waited_for_no_longer_than_the_time_out(
    valkey_server: Callable[..., Server],
) -> None:
    server = valkey_server()
    client = await connect(server.url, timeout_s=0.2, shared=True)
    server.hang()
    answers = await asyncio.gather(*(client.incr("n") for _ in range(5)), return_exceptions=True)
    assert all(isinstance(one, RedisError) for one in answers)
    server.wake()
    assert await client.set("k", "v") is True, "late answers to what was given up belong to nobody"
    await client.aclose()


def test_a_reader_that_is_struck_by_the_end_of_the_process_leaves_nobody_waiting(store_url: str) -> None:
    loop = asyncio.new_event_loop()
    client: Any = loop.run_until_complete(connect(store_url, timeout_s=30.0, shared=True))

    def strike(_reply: object) -> None:
        raise KeyboardInterrupt

    client.response_callbacks["ECHO"] = strike  # is called where the answer is read
    late = client.execute_command("BLPOP", "never", "0.3")  # is answered after that
    waiting = [loop.create_task(client.echo("x")), loop.create_task(late)]
    loop.set_exception_handler(lambda _loop, _context: None)  # that the reader's task was struck is known here
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(asyncio.wait(waiting))
    done, hung = loop.run_until_complete(asyncio.wait(waiting, timeout=20))
    assert not hung and all(isinstance(one.exception(), RedisConnectionError) for one in done)
    del client.response_callbacks["ECHO"]
    assert loop.run_until_complete(client.echo("own")) == b"own", "the next one has a connection of its own"
    loop.run_until_complete(client.aclose())
    loop.close()


async def test_closing_it_answers_who_still_waits(shared: SharedRedis) -> None:
    waiting = asyncio.create_task(shared.execute_command("BLPOP", "never", "5"))
    await asyncio.sleep(0.05)
    queued = asyncio.create_task(shared.get("k"))
    await asyncio.sleep(0)
    await shared.aclose()
    for task in (waiting, queued):
        with pytest.raises(RedisConnectionError):
            await task
    with pytest.raises(RedisConnectionError):
        await shared.get("k")


async def test_what_can_not_be_sent_or_read_is_told_to_its_caller_alone(shared: SharedRedis) -> None:
    shared.set_response_callback("GET", lambda reply: int(reply))
    await shared.set("text", "x")
    answers = await asyncio.gather(
        shared.echo("\ud800"),
        shared.get("text"),
        *(shared.execute_command("ECHO", f"{number}") for number in range(20)),
        return_exceptions=True,
    )
    assert [type(one) for one in answers[:2]] == [UnicodeEncodeError, ValueError]
    assert answers[2:] == [b"%d" % number for number in range(20)]


async def test_one_wait_counts_the_replicas_of_all_that_leave_together(valkey_server: Callable[..., Server]) -> None:
    primary = valkey_server(port=str(free_port()), repl_diskless_sync_delay="0")
    valkey_server(replicaof=f"127.0.0.1 {primary.port}")
    client = await connect(primary.url, timeout_s=20.0, shared=True)

    async def pair(number: int) -> list[Any]:
        pipe: Any = client.pipeline(transaction=False)
        pipe.incr("n")
        pipe.execute_command("WAIT", 1 if number else 0, 20_000)
        return list(await pipe.execute())

    async def in_step() -> bool:
        return int((await client.info("replication"))["connected_slaves"]) == 1 and (await pair(1))[1] == 1

    await until_async(in_step)
    before = await _waits(client)
    answers = await asyncio.gather(*(pair(number) for number in range(50)), client.incr("n"))
    assert [one[1] for one in answers[:50]] == [1] * 50, "what stood between WAIT and its claim is no matter"
    assert len({one[0] for one in answers[:50]}) == 50
    assert await _waits(client) == before + 1
    await client.aclose()


async def _waits(client: SharedRedis) -> int:
    return int((await client.info("commandstats"))["cmdstat_wait"]["calls"])


async def test_what_is_asked_while_answers_are_on_their_way_does_not_wait_for_them(shared: SharedRedis) -> None:
    waiting = asyncio.create_task(shared.execute_command("BLPOP", "later", "0"))
    async with await connect(f"unix://{shared.connection_pool.connection_kwargs['path']}", timeout_s=10.0) as other:
        await until_async(lambda: _shared_is(other, lambda one: "b" in one["flags"]))
        behind = asyncio.create_task(shared.execute_command("ECHO", "behind it"))
        await until_async(lambda: _shared_is(other, lambda one: int(one["qbuf"]) > 0))
        await other.rpush("later", "x")
    assert (await waiting)[1] == b"x"
    assert await behind == b"behind it"


async def _shared_is(client: Any, holds: Callable[[dict[str, str]], bool]) -> bool:
    return any(one["name"] == "shared" and holds(one) for one in await client.client_list())


async def test_more_than_may_be_on_the_way_waits_in_the_order_of_coming(shared: SharedRedis) -> None:
    answers = await asyncio.gather(*(shared.execute_command("INCR", "turn") for _ in range(5 * MOST)))
    assert answers == list(range(1, 5 * MOST + 1))


async def test_what_can_not_be_sent_on_a_broken_connection_is_told_at_once(
    valkey_server: Callable[..., Server],
) -> None:
    server = valkey_server(port=str(free_port()))
    writers: list[asyncio.StreamWriter] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(str(server.socket))
        writers.extend((writer, inner_writer))
        while data := await reader.read(65536):
            inner_writer.write(data)
            writer.write(await inner_reader.read(65536))

    async with await asyncio.start_server(pass_on, "127.0.0.1", 0) as port:
        url = f"redis://127.0.0.1:{port.sockets[0].getsockname()[1]}"
        # Without a time-out nothing is awaited while it is sent: the error is there before anybody reads.
        client: Any = SharedRedis.over_one_connection(await connect(url, timeout_s=None))
        assert await client.ping() is True
        link = writers[-2].get_extra_info("socket")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writers[-2].transport.abort()  # the end is told as a reset
        await until_async(lambda: client._line.connection._reader.exception() is not None)
        async with asyncio.timeout(20):
            with pytest.raises(RedisError):
                await client.ping()
        await client.aclose()
        for writer in writers:
            writer.close()
