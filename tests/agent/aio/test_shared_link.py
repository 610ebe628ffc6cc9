"""Many tasks of one process on one connection: an answer belongs to its call, and a loss is told to everybody once."""

from __future__ import annotations

import asyncio
import os
import random
import select
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
from redis.asyncio import Redis

from console.agent import ActionRefused, AlreadyDone, Settings
from console.agent.aio import AgentController
from console.agent.aio.shared_link import MOST, SharedLink
from console.agent.fence.process import OtherProcess
from console.domain.errors import StoreUnreachable
from console.store.fence.aio import AsyncFence
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect, connect_sync
from console.store.server.line import _LOOKS
from tests.faults.proxy import Proxy
from tests.servers import Server, free_port
from tests.waiting import until_async

PATIENT = Settings(command_timeout_ms=20_000, claim_patience_ms=60_000, lease_ms=120_000, stale_after_ms=60_000)

BUSY = Settings(stale_after_ms=60_000, lease_ms=120_000, claim_patience_ms=60_000, money=False)


class Links:
    """A shared link to a store, and how often it was connected."""

    def __init__(self, url: str, timeout_s: float = 20.0) -> None:
        self.url, self.timeout_s, self.connects = url, timeout_s, 0
        self.link = SharedLink(self._connect, lambda _client: Keys.of())

    async def _connect(self) -> Redis:
        self.connects += 1
        return await connect(self.url, timeout_s=self.timeout_s, name="shared-link")

    async def ask(self, *command: Any) -> Any:
        """One command's answer."""

        async def work(fence: AsyncFence) -> Any:
            return await fence._read(*command)

        return await self.link.run(work)


@pytest.fixture
async def links(store_url: str) -> AsyncIterator[Links]:
    links = Links(store_url)
    yield links
    await links.link.close()


async def _connections(client: Redis, name: str) -> int:
    return sum(one["name"].startswith(name) for one in await client.client_list())


async def test_sixty_four_tasks_act_over_one_connection_each_key_once(store_url: str, valkey: Redis) -> None:
    await AsyncFence(valkey, Keys.of()).switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    acted: Counter[str] = Counter()
    async with AgentController(store_url, slot="blue", version="1", settings=PATIENT) as agent:

        async def work(number: int) -> None:
            for turn in range(3):
                key = f"bet-{number % 40}-{turn}"  # some of them want the same
                with suppress(ActionRefused):
                    async with agent.action(key) as act:
                        acted[key] += 1
                        await act.settle(f"result of {key}")

        await asyncio.gather(*(work(number) for number in range(64)))
        assert set(acted.values()) == {1} and len(acted) == 120
        assert await _connections(valkey, "ac:blue") == 3, "that of the heart, that of events, and one for all actions"
        for key in acted:
            with pytest.raises(AlreadyDone) as done:
                async with agent.action(key):
                    pytest.fail("it must not run")
            assert done.value.done.result == f"result of {key}"


async def test_a_storm_of_cancellations_leaves_everybody_with_the_own_answer(links: Links) -> None:
    dice = random.Random(7)

    async def echo(word: str) -> None:
        for turn in range(20):
            assert await links.ask("ECHO", f"{word}-{turn}") == f"{word}-{turn}".encode()

    tasks = [asyncio.create_task(echo(f"w{number}")) for number in range(200)]
    for task in dice.sample(tasks, 150):
        task.cancel()
        if dice.random() < 0.5:
            await asyncio.sleep(0)
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(answer) for answer in answers} == {type(None), asyncio.CancelledError}
    assert links.connects == 1, "nobody's cancellation costs the others their connection"


async def test_tasks_that_have_to_look_at_the_same_moment_share_one_look(store_url: str, valkey: Redis) -> None:
    await AsyncFence(valkey, Keys.of()).switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    settings = PATIENT._replace(heartbeat_ms=600_000, stale_after_ms=1_200_000)
    async with AgentController(store_url, slot="blue", version="1", settings=settings) as agent:

        async def act(key: str) -> None:
            async with agent.action(key) as act:
                await act.settle()

        await act("first")
        calls = await _calls(valkey)
        agent.core.beaten_at = float("-inf")  # nobody has heard of it for longer than it may be silent
        await asyncio.gather(*(act(f"k{number}") for number in range(30)))
        looks = await _calls(valkey) - calls - 2 * 30
        assert 1 <= looks <= 5, "beside claims and results one for all, and what the heart does meanwhile"


async def test_a_look_that_was_interrupted_is_nobody_elses(valkey_server: Callable[..., Server]) -> None:
    server = valkey_server(port=str(free_port()))
    with connect_sync(server.url) as control:
        Fence(control, Keys.of()).switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    settings = PATIENT._replace(heartbeat_ms=600_000, stale_after_ms=1_200_000, money=False)
    proxy = Proxy(server.port)
    async with AgentController(proxy.url, slot="blue", version="1", settings=settings) as agent:
        async with agent.action("first") as act:
            await act.settle()
        proxy.back.stalled = True
        agent.core.beaten_at = float("-inf")
        claimer = agent._claimer
        first, second, third = (asyncio.create_task(agent.action(f"k{n}").__aenter__()) for n in range(3))
        await until_async(lambda: len(claimer._looking._waiters or ()) == 2, "two wait for the look of the first")
        looks = claimer._looks
        first.cancel()
        await until_async(lambda: claimer._looks == looks + 1, "the second looks")
        second.cancel()
        await asyncio.wait([first, second])
        proxy.back.stalled = False
        await third
        assert claimer._looks == looks + 2, "it has looked itself"


async def _calls(client: Redis) -> int:
    stats: Any = await client.info("commandstats")
    return int(stats["cmdstat_fcall"]["calls"])


async def test_what_was_cancelled_before_it_was_sent_is_never_sent(links: Links) -> None:
    await links.ask("SET", "n", "0")
    tasks = [asyncio.create_task(links.ask("INCR", "n")) for _ in range(10)]
    await asyncio.sleep(0)  # each has asked; none of it has left
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await links.ask("GET", "n") == b"0"


async def test_a_loss_is_told_to_all_who_wait_and_the_next_connection_is_opened_once(
    links: Links, valkey: Redis
) -> None:
    await links.ask("PING")
    waiting = [asyncio.create_task(links.ask("BLPOP", f"never-{number}", "0")) for number in range(64)]
    await until_async(lambda: _blocked(valkey))
    await valkey.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(answer) for answer in answers} == {StoreUnreachable}
    await asyncio.gather(*(links.ask("ECHO", str(number)) for number in range(64)))
    assert (links.connects, links.link.opened) == (2, 2)


async def _blocked(client: Redis) -> bool:
    return int((await client.info("clients"))["blocked_clients"]) == 1


async def test_whoever_stands_in_line_when_the_store_is_away_is_told_with_the_first() -> None:
    links = Links("redis://127.0.0.1:1", timeout_s=5.0)

    async def work(fence: AsyncFence) -> None:
        pytest.fail("there is no store")

    answers = await asyncio.gather(*(links.link.begin(work) for _ in range(10 * MOST)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {StoreUnreachable}
    assert len({id(answer) for answer in answers}) == len(answers), "each has an error of its own"
    assert links.connects == 1


async def test_what_ends_an_action_passes_ten_thousand_that_want_to_begin(links: Links) -> None:
    order: list[str] = []

    async def claim(fence: AsyncFence) -> None:
        await fence._read("ECHO", "claim")
        order.append("claim")

    claims = [asyncio.create_task(links.link.begin(claim)) for _ in range(10_000)]
    await until_async(lambda: order)
    asked = len(order)
    await links.ask("ECHO", "settle")
    assert len(order) - asked <= 2 * MOST
    await asyncio.gather(*claims)
    assert len(order) == 10_000


async def test_a_store_that_hangs_fails_every_call_and_its_late_answers_belong_to_nobody(
    valkey_server: Callable[..., Server],
) -> None:
    server = valkey_server()
    links = Links(server.url, timeout_s=0.2)
    await links.ask("PING")
    server.hang()
    answers = await asyncio.gather(*(links.ask("INCR", "n") for _ in range(64)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {StoreUnreachable}
    server.wake()
    links.timeout_s = 20.0
    words = [str(number).encode() for number in range(64)]
    assert await asyncio.gather(*(links.ask("ECHO", word) for word in words)) == words
    await links.link.close()


async def test_a_loop_that_was_busy_elsewhere_takes_what_has_come_meanwhile_for_no_time_out(
    links: Links, valkey: Redis
) -> None:
    await links.ask("PING")
    assert links.link.fence is not None
    client: Any = links.link.fence.client
    line = client._line
    waiting = asyncio.create_task(links.ask("BLPOP", "later", "0"))
    await until_async(lambda: _blocked(valkey))
    with connect_sync(links.url, timeout_s=20.0) as other:
        other.rpush("later", "x")
    there, _, _ = select.select([line.connection._writer.get_extra_info("socket")], [], [], 60.0)
    assert there
    line.connection.socket_timeout = 0.0  # all the while the author's code computed, and the time is over by now
    line._watch(_LOOKS)
    assert (await waiting)[1] == b"x"
    line.connection.socket_timeout = 20.0
    assert (await links.ask("ECHO", "y"), links.connects) == (b"y", 1)


async def test_an_end_while_a_connection_is_opened_cancels_nobody(store_url: str) -> None:
    go = asyncio.Event()

    async def slowly() -> Redis:
        await go.wait()
        return await connect(store_url, timeout_s=20.0)

    link = SharedLink(slowly, lambda _client: Keys.of())
    asking = [asyncio.create_task(link.run(lambda fence: fence._read("ECHO", "x"))) for _ in range(8)]
    await asyncio.sleep(0)
    ending = asyncio.create_task(link.close())
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*asking) == [b"x"] * 8
    await ending
    assert link.fence is None


@pytest.mark.long
async def test_ten_thousand_claims_at_once_starve_no_heartbeat(store_url: str, valkey: Redis) -> None:
    await AsyncFence(valkey, Keys.of()).switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    gaps: list[float] = []
    async with AgentController(store_url, slot="blue", version="1", settings=BUSY) as agent:
        began, acted = time.monotonic(), 0

        async def work(number: int) -> None:
            nonlocal acted
            async with agent.action(f"bet-{number}") as act:
                gaps.append(time.monotonic() - max(agent.core.beaten_at, began))
                await act.settle("done")
                acted += 1

        await asyncio.gather(*(work(number) for number in range(10_000)))
        assert acted == 10_000
        assert max(gaps) < (time.monotonic() - began) / 2, "it went on all the while"
        assert agent.core.in_doubt == set() and not len(agent.spool)


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_anywhere_in_the_loop_leaves_nobody_waiting(
    store_url: str, interrupt: type[BaseException]
) -> None:
    loop = asyncio.new_event_loop()
    links = Links(store_url)

    def strike() -> None:
        raise interrupt

    async def many() -> list[Any]:
        return await asyncio.gather(*(links.ask("ECHO", str(number)) for number in range(100)), return_exceptions=True)

    for turn in range(12):
        asked = loop.create_task(many())
        for _ in range(turn):
            loop.call_soon(loop.stop)
            loop.run_forever()
        loop.call_soon(strike)
        with suppress(KeyboardInterrupt, SystemExit):
            loop.run_until_complete(asked)
        answers = loop.run_until_complete(asked)
        for number, answer in enumerate(answers):
            assert answer == str(number).encode() or isinstance(answer, StoreUnreachable)
    loop.run_until_complete(links.link.close())
    loop.close()


def test_an_interrupt_while_answers_are_read_is_a_lost_connection_to_who_waits(store_url: str) -> None:
    loop = asyncio.new_event_loop()
    links = Links(store_url)
    loop.run_until_complete(links.ask("PING"))
    struck = 0

    def strike(reply: bytes) -> bytes:
        nonlocal struck
        if reply == b"50":
            struck += 1
            raise KeyboardInterrupt
        return reply

    async def many() -> list[Any]:
        assert links.link.fence is not None
        links.link.fence.client.set_response_callback("ECHO", strike)
        return await asyncio.gather(*(links.ask("ECHO", str(number)) for number in range(100)), return_exceptions=True)

    asked = loop.create_task(many())
    with suppress(KeyboardInterrupt):
        loop.run_until_complete(asked)
    answers = loop.run_until_complete(asked)
    assert struck == 1
    assert answers[:50] == [str(number).encode() for number in range(50)]
    assert {type(answer) for answer in answers[50:]} == {StoreUnreachable}
    assert loop.run_until_complete(links.ask("ECHO", "after")) == b"after"
    loop.run_until_complete(links.link.close())
    loop.close()


def test_a_connection_of_a_loop_that_is_over_answers_nobody_on_the_next(store_url: str) -> None:
    links = Links(store_url)

    async def leave_one_on_the_way() -> None:
        await links.ask("PING")
        task = asyncio.create_task(links.ask("ECHO", "of the last loop"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task

    for _ in range(3):
        asyncio.run(leave_one_on_the_way())
        assert asyncio.run(links.ask("ECHO", "mine")) == b"mine"


async def test_a_child_of_the_process_sends_nothing_on_its_parents_connection(links: Links) -> None:
    await links.ask("SET", "n", "0")
    waiting = [asyncio.create_task(links.ask("INCR", "n")) for _ in range(5)]
    await asyncio.sleep(0)
    pid = os.fork()
    if not pid:
        code = 1
        try:
            links.link.run(None).send(None)  # type: ignore[arg-type]
        except OtherProcess:
            with suppress(StopIteration):
                links.link.close().send(None)
                code = 3
            code = 0 if code == 1 else code
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, pid, 0))[1]) == 0
    assert sorted(await asyncio.gather(*waiting)) == [1, 2, 3, 4, 5]
    assert await links.ask("GET", "n") == b"5" and links.connects == 1


async def test_through_a_line_that_is_cut_again_and_again_nothing_is_executed_twice_or_lost(
    valkey_server: Callable[..., Server],
) -> None:
    server = valkey_server(port=str(free_port()))
    admin = await connect(server.url, timeout_s=20.0)
    fence = AsyncFence(admin, Keys.of())
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    proxy = Proxy(server.port)
    executed: Counter[str] = Counter()
    async with AgentController(proxy.url, slot="blue", version="1", settings=PATIENT) as agent:
        cuts = 0

        async def work(number: int) -> None:
            nonlocal cuts
            for turn in range(4):
                key = f"bet-{number}-{turn}"
                while True:
                    try:
                        async with agent.action(key) as act:
                            executed[key] += 1
                            if len(executed) // 40 > cuts:  # claims and results of others are on their way
                                cuts += 1
                                proxy.cut()
                                proxy.heal()
                            await act.settle(key)
                    except AlreadyDone:
                        break
                    except ActionRefused:
                        await asyncio.sleep(0.02)
                    else:
                        break

        await asyncio.gather(*(work(number) for number in range(64)))
        await until_async(lambda: not len(agent.spool))
    assert cuts == 6
    assert set(executed.values()) == {1} and len(executed) == 256
    for key in executed:
        assert await admin.exists(fence.keys.done(key)), key
    assert await fence.open_claims() == []
    await admin.aclose()
    proxy.close()
