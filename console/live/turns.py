"""Reading in turns on a thread of its own, while somebody looks: no list however long and no disk delays a key."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

EVERY_S: Final = 1.0
"""Between two readings of what is looked at; a reading that takes long is made less often."""
MOST_S: Final = 15.0
SHARE: Final = 8.0
"""How many times as long as a reading took is waited until the next: it never takes more than a ninth of a core."""
ENDS_WITHIN_S: Final = 1.0


def pause_s(took_s: float) -> float:
    """How long to wait after a reading that took so long."""
    return min(MOST_S, max(EVERY_S, SHARE * took_s))


class Turns(ABC):
    """A thread that reads in turns. It is made, and told, on the event loop of the screen.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._home: asyncio.AbstractEventLoop | None = None
        self._away: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._ended = False

    # on the screen's loop

    def begin(self) -> None:
        """Start the thread, where it does not run yet, and let it take a turn now."""
        if self._ended:
            return
        if self._thread is None:
            self._home = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()  # its first turn is now
        else:
            self.again()

    def again(self) -> None:
        """Take a turn now, if the thread runs: something was changed."""
        if self._wake is not None and self._away is not None and not self._ended:
            self._away.call_soon_threadsafe(self._wake.set)

    async def aclose(self) -> None:
        """End the thread; one that hangs on a disk is not waited for."""
        self._ended = True
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._away is not None and self._wake is not None:
            with_loop, wake = self._away, self._wake
            if not with_loop.is_closed():
                with_loop.call_soon_threadsafe(wake.set)
        await asyncio.to_thread(thread.join, ENDS_WITHIN_S)

    # on the thread

    @abstractmethod
    async def turn(self) -> float | None:
        """One reading; how many seconds until the next, or None to wait until somebody asks."""

    @abstractmethod
    async def drop(self) -> None:
        """Give the connection back."""

    def tell(self, take: Callable[[], None]) -> None:
        """Let the screen's loop do something."""
        if self._home is not None and not self._ended and not self._home.is_closed():
            self._home.call_soon_threadsafe(take)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._wake = asyncio.Event()
        self._away = asyncio.get_running_loop()
        try:
            while not self._ended:
                wait_s = await self.turn()
                try:
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()
                except TimeoutError:
                    continue
                self._wake.clear()
        finally:
            await self.drop()
