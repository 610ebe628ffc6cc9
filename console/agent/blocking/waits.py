"""How a blocking agent waits and works beside itself; `console.agent.aio.waits` has the same names for tasks."""

from __future__ import annotations

import _thread
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")

Lock = threading.RLock
"""Lets one thread in after the other; one of C, in which no signal leaves it locked."""
Exclusive = threading.RLock
"""What keeps several threads out of a few lines without a wait in them; not a signal's handler that comes there."""

sleep = time.sleep


def mine(lock: Any) -> bool:
    """Whether this very thread has a lock: then a signal's handler asks, in the middle of what the thread does."""
    return bool(lock._is_owned())


def asked() -> int:
    """A thread is never asked to end."""
    return 0


def interrupted(before: int) -> None:
    """Its exceptions come by themselves."""


def connection(client: Any) -> Any:
    """A client with one connection of its own and no pool in between, from what an author's `connect` gave."""
    own = client.client()
    connection = getattr(own, "connection", None)
    if connection is not None:  # a Cluster's are made as they are needed
        connection.sole = True  # see `console.store.server.following`
    return own


def followed(connect: Callable[[float], Any]) -> Callable[[float], Any]:
    """What an author's `connect` gives; where that is a client of a Cluster's node, one of the whole Cluster."""

    def opened(timeout_s: float) -> Any:
        from console.store.server.adopting import adopt_sync

        return adopt_sync(connect(timeout_s))

    return opened


def aside(work: Callable[[], T]) -> T:
    """The result of something that takes a while to compute; whoever asks is a thread beside the author's."""
    return work()


def nothing() -> None:
    """Nothing to say at the end."""


class Termination:
    """Hears that the process is to end (SIGTERM), as long as it is asked to.

    Args:
        end: called when it is; waits for nothing.
        wake: called soon after it, on a thread of its own: a handler must not wait for a lock.
    """

    _all: ClassVar[list[Termination]] = []
    """Those that listen."""

    def __init__(self, end: Callable[[], None], wake: Callable[[], None]) -> None:
        self.asked = False
        self._end, self._wake = end, wake
        self._before: Any = None
        self._hears = threading.current_thread() is threading.main_thread()
        if self._hears:
            self._before = signal.signal(signal.SIGTERM, self._ask)
            self._all.append(self)

    def _ask(self, _number: int, _frame: object) -> None:
        self.asked = True
        self._end()
        _thread.start_new_thread(self._wake, ())  # a Thread's own start waits for a lock that we may be interrupting

    def over(self) -> None:
        """Listen no more."""
        if self._hears and self in self._all:
            self._all.remove(self)
            signal.signal(signal.SIGTERM, self._before if self._before is not None else signal.SIG_DFL)

    @classmethod
    def forget(cls) -> None:
        """In a child of the process: it ends as any other."""
        while cls._all:
            with suppress(ValueError):
                cls._all[-1].over()


os.register_at_fork(after_in_child=Termination.forget)


class Signal:
    """Something that happens again and again. One thread waits for it; whoever sets it may be interrupted in the middle
    of that, by a handler that sets it, too, or raises: no lock is left behind."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[None] = SimpleQueue()
        self._is_set = False

    def is_set(self) -> bool:
        """Whether it has happened since it was cleared."""
        return self._is_set

    def set(self) -> None:
        """It happens."""
        if not self._is_set:
            self._is_set = True
            self._queue.put(None)

    def clear(self) -> None:
        """Wait for the next time."""
        self._is_set = False
        with suppress(Empty):
            while True:
                self._queue.get_nowait()

    def wait(self, timeout_s: float) -> bool:
        """Wait for it; whether it happened in that time."""
        if not self._is_set:
            with suppress(Empty):
                self._queue.get(timeout=timeout_s)
        return self._is_set

    def set_after(self, delay_s: float) -> None:
        """Let it happen a little later."""
        time.sleep(delay_s)
        self.set()


class Changes:
    """Counts changes, and lets others wait for the next; who waits may be interrupted, and leaves no lock behind."""

    def __init__(self) -> None:
        self.count = 0
        self._waiting: list[SimpleQueue[None]] = []

    def add(self) -> None:
        """There was one."""
        self.count += 1
        for queue in tuple(self._waiting):
            queue.put(None)

    def wait(self, timeout_s: float, known: int | None, stopping: Signal) -> bool:
        """Wait until there are others than `known`, or for the next; whether there was one in that time."""
        before = self.count if known is None else known
        queue: SimpleQueue[None] = SimpleQueue()
        self._waiting.append(queue)
        try:
            if self.count == before and not stopping.is_set():
                with suppress(Empty):
                    queue.get(timeout=max(0.0, timeout_s))
        finally:
            self._waiting.remove(queue)
        return self.count != before or stopping.is_set()


class Workers:
    """What goes on beside the author's code."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []

    def __bool__(self) -> bool:
        return bool(self._threads)

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Begin a thread."""
        thread = threading.Thread(target=work, name=f"agent-console-{name}", daemon=True)
        thread.start()  # first: whoever stops meanwhile joins only what runs
        self._threads.append(thread)

    def stop(self, farewell: Callable[[], object], join_s: float) -> None:
        """Say goodbye, which also wakes the thread that waits for an event, then wait for every thread's end."""
        farewell()
        for thread in tuple(self._threads):
            thread.join(join_s)
        self._threads.clear()
