"""Followed files, polled on a thread of their own: a mount that hangs delays neither a key nor the store's readings.

beside = Beside(logs, clock, turn_s)
beside.start(news)          # `news` is called on the thread whenever a reading differs
beside.reading()            # the last one, at once; `hung` names the file that does not answer
beside.stop()               # at once, too: a thread that hangs in a read is left behind, and ends with the process
beside.give_back(1.0)       # closes the files, once the thread has ended
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from console.domain.seen.observation import HungLog
from console.domain.text import clean

HUNG_AFTER_S: Final = 2.0
"""A file that has not answered for so long is said to hang; a slow disk takes a tenth of that."""
PATH_LIMIT: Final = 512

R = TypeVar("R")
Shown = TypeVar("Shown", covariant=True)


class Followed(Protocol[Shown]):
    """What is polled: files that are followed, and what they hold."""

    behind: bool

    @property
    def touching(self) -> str:
        """The path that a poll under way has asked the disk about last; empty between two polls."""

    def poll(self, now: datetime) -> bool:
        """Look at the files and read a bounded amount; whether anything differs."""

    def reading(self, now: datetime) -> Shown:
        """What they hold as of the last poll."""

    def close(self) -> None:
        """Give every descriptor back."""


class _Turn(NamedTuple):
    """A poll under way: its number, and the path that it touches, since when."""

    number: int
    path: str
    since: datetime


class Beside(Generic[R]):
    """Polls on a thread; everything but the thread's own work is called from one loop.

    Args:
        followed: touched by the thread alone from `start` on.
        clock: the time now, aware UTC.
        turn_s: from one poll to the next.
        behind_s: the same while more waits to be read; None for a tenth of `turn_s`.
    """

    def __init__(
        self, followed: Followed[R], clock: Callable[[], datetime], turn_s: float, behind_s: float | None = None
    ) -> None:
        self._followed = followed
        self._clock = clock
        self._turn_s = turn_s
        self._behind_s = turn_s / 10 if behind_s is None else behind_s
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._latest: R | None = None
        self._failure: BaseException | None = None
        self._waits: _Turn | None = None
        self._number = 0
        self.polled = False
        """Whether the thread has looked at the files at least once."""

    def start(self, news: Callable[[], None]) -> None:
        """Begin.

        Args:
            news: called on the thread after the first poll, and after each that found something else.
        """
        before, self._stop, self._failure = self._thread, threading.Event(), None
        self._thread = threading.Thread(
            target=self._run, args=(news, self._stop, before), name="log reader", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End after the poll under way; nobody waits for that."""
        self._stop.set()

    def give_back(self, wait_s: float) -> bool:
        """Close the files, if the thread ends within so long; whether it did. It blocks."""
        if self._thread is not None:
            self._thread.join(wait_s)
            if self._thread.is_alive():
                return False
        self._followed.close()
        return True

    def reading(self) -> R | None:
        """The last reading; None before the first.

        Raises:
            BaseException: what ended the thread.
        """
        if self._failure is not None:
            raise self._failure
        return self._latest

    def hung(self, now: datetime) -> HungLog | None:
        """The log that has not answered for `HUNG_AFTER_S`, and since when; None where all do."""
        number, path = self._number, self._followed.touching
        if not path:
            self._waits = None
        elif self._waits is None or self._waits[:2] != (number, path):
            self._waits = _Turn(number, path, now)
        elif (now - self._waits.since).total_seconds() >= HUNG_AFTER_S:
            return HungLog(clean(path, PATH_LIMIT), self._waits.since)
        return None

    def _run(self, news: Callable[[], None], stop: threading.Event, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()  # one thread alone touches the files
        try:
            while not stop.is_set():
                now = self._clock()
                self._number += 1
                differs = self._followed.poll(now)
                self._latest = self._followed.reading(now)
                first, self.polled = not self.polled, True
                if differs or first:
                    news()
                stop.wait(self._behind_s if self._followed.behind else self._turn_s)
        except BaseException as error:  # noqa: BLE001
            self._failure = error  # it ends the loop that asks for the reading
            self.polled = True
            news()
