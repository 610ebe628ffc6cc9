"""A thread that says how something stands, again and again, over a connection that can be lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from console.agent.blocking.link import Link
from console.agent.plain_secrets import logger
from console.domain.errors import ConsoleError
from console.domain.secrets import without_secrets

if TYPE_CHECKING:
    from types import TracebackType

_log = logger(__name__)


class Reporter:
    """Calls `work` every so often on a thread of its own, and sooner when woken.

    Args:
        name: of the thread.
        link: the connection that `work` uses; closed at the end.
        work: may raise `ConsoleError`: then it is called again, and `last_error` says why. So it is after anything else
            that it raises in the background, which is a defect and is logged; the first call raises it.
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
                self._attempt_again()

    def _attempt(self) -> None:
        try:
            self._work()
        except ConsoleError as error:
            self.last_error = error.message
        else:
            self.last_error = ""

    def _attempt_again(self) -> None:
        """What protects money must not end with a thread: a defect is told, and tried again."""
        try:
            self._attempt()
        except Exception as error:  # noqa: BLE001 - whatever it is, protection goes on, and it is told
            self.last_error = f"defect: {type(error).__name__}: {without_secrets(str(error))}"
            _log.exception("%s: a defect; it is tried again", self._name)


class Reporting:
    """What begins and ends with a reporter of its own."""

    _reporter: Reporter

    @property
    def last_error(self) -> str:
        """Why the store was last away; empty while it answers."""
        return self._reporter.last_error

    def start(self) -> None:
        """Begin, with what the store says now."""
        self._reporter.start()

    def stop(self) -> None:
        """Write down how things stand, and end."""
        self._reporter.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
