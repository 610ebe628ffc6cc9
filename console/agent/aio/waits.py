"""How an asyncio agent waits and works beside itself; `console.agent.blocking.waits` has the same names for threads."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from typing import Any, ClassVar, Final, TypeVar

T = TypeVar("T")

_LOOPS: Final = ("asyncio", "uvloop")
"""A handler of one of these is a loop's own, which works for nobody once the loop has forgotten what it was for."""

Lock = asyncio.Lock
Exclusive = nullcontext
"""What keeps several threads out of a few lines without a wait in them; on one loop nobody can come between."""

sleep = asyncio.sleep


def mine(lock: Any) -> bool:
    """Whether whoever asks has a lock already: never, on one loop."""
    return False


async def asked() -> int:
    """How often this task was asked to end before, and has taken note of it; a request that is on its way comes first.

    Raises:
        CancelledError: there was one.
    """
    task = asyncio.current_task()
    if task is None or not task.cancelling():
        return 0
    await asyncio.sleep(0)
    return task.cancelling()


def interrupted(before: int) -> None:
    """Go no further where this task was asked to end since, even if somebody below has swallowed that.

    Args:
        before: what `asked` said.

    Raises:
        CancelledError: it was.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError


async def connection(client: Any) -> Any:
    """A client with one connection of its own, from what an author's `connect` gave."""
    return client


def followed(connect: Callable[[float], Awaitable[Any]]) -> Callable[[float], Awaitable[Any]]:
    """What an author's `connect` gives; where that is a client of a Cluster's node, one of the whole Cluster."""

    async def opened(timeout_s: float) -> Any:
        from console.store.server.adopting import adopt

        return await adopt(await connect(timeout_s))

    return opened


async def aside(work: Callable[[], T]) -> T:
    """The result of something that takes a while to compute, while the loop goes on."""
    return await asyncio.to_thread(work)


async def nothing() -> None:
    """Nothing to say at the end."""


class Termination:
    """Hears that the process is to end (SIGTERM), as long as it is asked to: any number of them on one loop, each of
    which is told.

    Args:
        end: called when it is.
        wake: called after it.
    """

    _all: ClassVar[list[Termination]] = []
    """Those that listen, on the main thread's loop; the first has the handler set, and the last has it taken off."""
    _before: ClassVar[Any] = None

    def __init__(self, end: Callable[[], None], wake: Callable[[], None]) -> None:
        self.asked = False
        self._end, self._wake = end, wake
        self._loop = asyncio.get_running_loop()
        self._hears = threading.current_thread() is threading.main_thread()
        if self._hears:
            self._all[:] = [one for one in self._all if not one._loop.is_closed()]
            if not self._all:
                Termination._before = signal.getsignal(signal.SIGTERM)
                self._loop.add_signal_handler(signal.SIGTERM, self._ask_all)
            self._all.append(self)

    @classmethod
    def _ask_all(cls) -> None:
        for one in cls._all:
            one.asked = True
            one._end()
            one._wake()

    @classmethod
    def forget(cls) -> None:
        """In a child of the process: what ends it is its own, and must not reach the parent's loop by the pipe that
        both have."""
        if cls._all:
            cls._all.clear()
            with suppress(ValueError):
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def over(self) -> None:
        """Listen no more."""
        if not self._hears or self not in self._all:
            return
        self._hears = False
        self._all.remove(self)
        if not self._all:
            self._loop.remove_signal_handler(signal.SIGTERM)
            before = Termination._before  # by its class: a function found through an object would be bound to it
            lost = before is None or str(getattr(before, "__module__", "")).partition(".")[0] in _LOOPS
            signal.signal(signal.SIGTERM, signal.SIG_DFL if lost else before)


os.register_at_fork(after_in_child=Termination.forget)


class Signal:
    """Something that happens again and again."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def is_set(self) -> bool:
        """Whether it has happened since it was cleared."""
        return self._event.is_set()

    def set(self) -> None:
        """It happens."""
        self._event.set()

    def clear(self) -> None:
        """Wait for the next time."""
        self._event.clear()

    async def wait(self, timeout_s: float) -> bool:
        """Wait for it; whether it happened in that time."""
        try:
            await asyncio.wait_for(self._event.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def set_after(self, delay_s: float) -> None:
        """Let it happen a little later."""
        asyncio.get_running_loop().call_later(delay_s, self._event.set)


class Changes:
    """Counts changes, and lets others wait for the next."""

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def add(self) -> None:
        """There was one."""
        self.count += 1
        self._next.set()  # for those who wait now; whoever comes later waits for the next
        self._next = asyncio.Event()

    async def wait(self, timeout_s: float, known: int | None, stopping: Signal) -> bool:
        """Wait until there are others than `known`, or for the next; whether there was one in that time."""
        if known is not None and known != self.count:
            return True
        try:
            await asyncio.wait_for(self._next.wait(), timeout_s)
        except TimeoutError:
            return False
        return True


class Workers:
    """What goes on beside the author's code."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Begin a task."""
        self._tasks.append(asyncio.ensure_future(work()))
        self._tasks[-1].set_name(f"agent-console-{name}")

    async def stop(self, farewell: Callable[[], Awaitable[object]], join_s: float) -> None:
        """End every task, then say goodbye."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await farewell()
