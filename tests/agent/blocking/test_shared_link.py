"""Many threads of one process on a few connections, each used by one at a time: an answer belongs to its call."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from redis import Redis

from console.agent import ActionRefused, AgentController, AlreadyDone, Settings
from console.agent.blocking.shared_link import LANES, SharedLink
from console.domain.errors import StoreUnreachable
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests.faults.proxy import Proxy
from tests.servers import Server, free_port
from tests.waiting import until

PATIENT = Settings(command_timeout_ms=20_000, claim_patience_ms=60_000, lease_ms=120_000, stale_after_ms=60_000)


class Links:
    """A shared link to a store, and how often it was connected."""

    def __init__(self, url: str) -> None:
        self.url, self.connects = url, Counter[int]()
        self.link = SharedLink(self._connect, lambda _client: Keys.of())

    def _connect(self) -> Redis:
        self.connects[threading.get_ident()] += 1
        return connect_sync(self.url, timeout_s=20.0, name="shared-link")

    def ask(self, *command: Any) -> Any:
        """One command's answer."""
        return self.link.run(lambda fence: fence._read(*command))


@pytest.fixture
def links(store_url: str) -> Iterator[Links]:
    links = Links(store_url)
    yield links
    links.link.close()


def test_sixty_four_threads_act_over_a_few_connections_each_key_once(store_url: str, valkey_sync: Redis) -> None:
    Fence(valkey_sync, Keys.of()).switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    acted: Counter[str] = Counter()
    with AgentController(store_url, slot="blue", version="1", settings=PATIENT) as agent:

        def work(number: int) -> None:
            for turn in range(3):
                key = f"bet-{number % 40}-{turn}"  # some of them want the same
                with suppress(ActionRefused), agent.action(key) as act:
                    acted[key] += 1
                    act.settle(f"result of {key}")

        def connections() -> int:
            return sum(one["name"].startswith("ac:blue") for one in valkey_sync.client_list())

        with ThreadPoolExecutor(64) as pool:
            list(pool.map(work, range(64)))
        assert set(acted.values()) == {1} and len(acted) == 120
        assert agent._link.opened <= LANES, "each lane was opened once"
        # One that was closed stays in the server's list for a moment.
        until(lambda: connections() <= LANES + 2, "beside those for actions the heart's, and that of events")
        for key in acted:
            with pytest.raises(AlreadyDone) as done, agent.action(key):
                pytest.fail("it must not run")
            assert done.value.done.result == f"result of {key}"


def test_one_thread_needs_one_connection(links: Links) -> None:
    for number in range(3 * LANES):
        assert links.ask("ECHO", str(number)) == str(number).encode()
    assert links.link.opened == 1


def test_sixteen_threads_ask_at_the_same_time_and_of_more_the_others_wait(links: Links) -> None:
    begun, together, asking, most = threading.Barrier(32), threading.Barrier(16), [0], [0]
    lock = threading.Lock()

    def work(_number: int) -> None:
        def ask(fence: Fence) -> None:
            with lock:
                asking[0] += 1
                most[0] = max(most[0], asking[0])
            together.wait(timeout=60)  # each waits for the other fifteen, in the midst of a call
            fence._read("PING")
            with lock:
                asking[0] -= 1

        begun.wait(timeout=60)  # all are there before one ends: each is another thread
        links.link.run(ask)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 16 and links.link.opened == 16


def test_a_thread_keeps_its_connection_and_more_threads_share_them_evenly(links: Links) -> None:
    started = threading.Barrier(4 * LANES)

    def work(number: int) -> list[int]:
        started.wait()
        return [int(links.ask("CLIENT", "ID")) for _ in range(3)]

    with ThreadPoolExecutor(4 * LANES) as pool:
        used = list(pool.map(work, range(4 * LANES)))
    assert all(len(set(one)) == 1 for one in used)
    assert set(Counter(one[0] for one in used).values()) == {4}


class Struck(Exception):
    """Raised wherever a signal comes."""


@pytest.mark.timeout(120)
def test_signals_in_the_midst_of_calls_leave_every_thread_with_its_own_answer(links: Links) -> None:
    over = threading.Event()
    wrong: list[object] = []
    asked_by_handler: list[object] = []

    def echo(name: str) -> int:
        count = 0
        while not over.is_set():
            count += 1
            if (answer := links.ask("ECHO", f"{name}-{count}")) != f"{name}-{count}".encode():
                wrong.append(answer)
        return count

    def strike(_number: int, _frame: object) -> None:
        asked_by_handler.append(links.ask("ECHO", "handler"))
        raise Struck

    before = signal.signal(signal.SIGALRM, strike)
    struck = count = 0
    try:
        with ThreadPoolExecutor(2 * LANES) as pool:  # one of them shares the main thread's connection
            others = [pool.submit(echo, f"t{number}") for number in range(2 * LANES)]
            while struck < 30:
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0.001)
                    while True:
                        count += 1
                        if (answer := links.ask("ECHO", f"main-{count}")) != f"main-{count}".encode():
                            wrong.append(answer)
                except Struck:
                    struck += 1
            over.set()
            assert all(one.result() for one in others)
    finally:
        over.set()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert wrong == []
    assert asked_by_handler == [b"handler"] * struck


def test_whoever_waits_for_a_connection_that_can_not_be_opened_is_told_with_the_first() -> None:
    count, waiting, calls = 64, threading.Semaphore(0), list[int]()
    go = threading.Event()

    def connect() -> Redis:
        calls.append(1)
        go.wait()
        raise StoreUnreachable("nothing listens there")

    link = SharedLink(connect, lambda _client: Keys.of())

    def ask(_number: int) -> BaseException | None:
        waiting.release()
        try:
            link.run(lambda fence: None)
        except StoreUnreachable as error:
            return error
        return None

    with ThreadPoolExecutor(count) as pool:
        errors = [pool.submit(ask, number) for number in range(count)]
        for _ in range(count):
            waiting.acquire()
        time.sleep(0.05)  # so that most of them stand before the lock; who comes later asks for itself
        go.set()
        told = [one.result() for one in errors]
    assert all(isinstance(one, StoreUnreachable) for one in told)
    assert len({id(one) for one in told}) == count, "each has an error of its own"
    assert LANES <= len(calls) < count
    assert link.failures == len(calls)


def test_through_lines_that_are_cut_again_and_again_nothing_is_executed_twice_or_lost(
    valkey_server: Callable[..., Server],
) -> None:
    server = valkey_server(port=str(free_port()))
    admin = connect_sync(server.url, timeout_s=20.0)
    fence = Fence(admin, Keys.of())
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    proxy = Proxy(server.port)
    executed: Counter[str] = Counter()
    with AgentController(proxy.url, slot="blue", version="1", settings=PATIENT) as agent:

        def work(number: int) -> None:
            for turn in range(3):
                key = f"bet-{number}-{turn}"
                while True:
                    try:
                        with agent.action(key) as act:
                            executed[key] += 1
                            if number % 16 == 0:  # claims and results of others are on their way
                                proxy.cut()
                                proxy.heal()
                            act.settle(key)
                    except AlreadyDone:
                        break
                    except ActionRefused:
                        time.sleep(0.02)
                    else:
                        break

        with ThreadPoolExecutor(32) as pool:
            list(pool.map(work, range(32)))
        until(lambda: not len(agent.spool))
    assert set(executed.values()) == {1} and len(executed) == 96
    for key in executed:
        assert admin.exists(fence.keys.done(key)), key
    assert fence.open_claims() == []
    admin.close()
    proxy.close()
