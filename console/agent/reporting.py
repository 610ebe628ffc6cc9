"""A thread that says how something stands, again and again, over a connection that can be lost."""

from __future__ import annotations

import threading
from collections.abc import Callable

from console.agent.link import Link
from console.domain.errors import ConsoleError


class Reporter:
    """Calls `work` every so often on a thread of its own, and sooner when woken.

    Args:
        name: of the thread.
        link: the connection that `work` uses; closed at the end.
        work: may raise `ConsoleError`: then it is called again, and `last_error` says why.
        every_s: seconds between two calls.
        least_s: seconds between two calls at the least, however often it is woken.
    """

    def __init__(
        self, name: str, link: Link, work: Callable[[], None], *, every_s: float, least_s: float = 0.05
    ) -> None:
        self._name = name
        self._link = link
        self._work = work
        self._every_s = every_s
        self._least_s = least_s
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.last_error = ""
        """Why the last call failed; empty if it did not."""

    def start(self) -> None:
        """Call once, here, and then go on in the background."""
        if self._thread is None:
            self._attempt()
            self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Call once more, and end."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(5.0)
            self._thread = None
            self._attempt()
        self._link.close()

    def wake(self) -> None:
        """Call soon."""
        self._wake.set()

    def _loop(self) -> None:
        while not self._stopping.wait(self._least_s):
            self._wake.wait(max(0.0, self._every_s - self._least_s))
            self._wake.clear()
            if not self._stopping.is_set():
                self._attempt()

    def _attempt(self) -> None:
        try:
            self._work()
        except ConsoleError as error:
            self.last_error = error.message
        else:
            self.last_error = ""
