"""The live browser: pages of whole logs and hits in them, read on a thread, so that the longest log delays no key."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from console.domain.errors import ConsoleError
from console.domain.seen.asking import parse_ask
from console.domain.seen.browsing import Browsed, Page, Spot, as_of
from console.domain.text import Safe, clean
from console.logs.options import LogOptions

if TYPE_CHECKING:
    from console.logs.index.logs import LogIndex
    from console.logs.index.pages import Pages
    from console.logs.index.sought import Sought

SLICE_S: Final = 0.01
"""How long the thread looks for hits, or builds the index, before it lets others go on."""
REST_S: Final = 0.004
TOLD_EVERY_S: Final = 0.15
"""Hits are told at once where they are the first ones, else so often."""
ENDS_WITHIN_S: Final = 1.0
BACK_FROM_END: Final = 6
"""Steps back from the end within which a row of the newest is looked for."""

_Wish = Callable[[], None]


class LiveBrowser:
    """Reads pages and hits: a `Browser`. It is asked, and tells, on the event loop of the screen.

    Args:
        patterns: the paths and patterns of the logs.
        options: how they are read.
        folder: of their indexes; None to keep none.
        pattern: makes the test of a `re:` pattern, or raises UsageError.
        clock: the time now, aware UTC.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        options: LogOptions,
        folder: Path | None,
        pattern: Callable[[str], Callable[[str], bool]],
        clock: Callable[[], datetime],
    ) -> None:
        self._patterns, self._options, self._folder = tuple(patterns), options, folder
        self._pattern, self._clock = pattern, clock
        self.told: Callable[[], None] = lambda: None
        self.until: datetime | None = None
        self._seen = Browsed()
        self._home: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._wishes: deque[_Wish] = deque()
        self._number = 0
        """Of the last wish for a page; what is being read for an older one is given up."""
        self._asked = 0
        """Of the last question; what was found for an older one is not told."""
        self._ended = False
        # on the thread
        self._logs: LogIndex | None = None
        self._pages: Pages | None = None
        self._sought: Sought | None = None
        self._told_at = float("-inf")
        self._told_hits = -1
        self._built = False

    @property
    def able(self) -> bool:
        """Whether there are logs to be read."""
        return bool(self._patterns)

    @property
    def seen(self) -> Browsed:
        """What was read last."""
        return self._seen

    # what is wished

    def before(self, source: str, offset: int) -> None:
        """The page before a row that is among the newest; the logs are opened anew."""
        self._page(lambda stop: self._before(source, offset, stop))

    def oldest(self) -> None:
        """The first page of all."""
        self._page(self._oldest)

    def older(self) -> None:
        """More rows before the page."""
        self._page(lambda stop: self._moved(lambda pages: pages.older(stop=stop)))

    def newer(self) -> None:
        """More rows after the page."""
        self._page(lambda stop: self._moved(lambda pages: pages.newer(stop=stop)))

    def around(self, spot: Spot) -> None:
        """The page in which a row stands."""
        self._page(lambda stop: self._around(spot, stop))

    def search(self, text: str) -> None:
        """Look for what a text asks; what was looked for before is forgotten.

        Raises:
            UsageError: the question can't be understood.
        """
        until = self.until
        ask = parse_ask(text, until or self._clock(), self._pattern)
        if until is not None:
            after = until + timedelta(microseconds=1)
            ask = ask._replace(until=after if ask.until is None else min(ask.until, after))
        self._asked += 1
        number = self._asked
        self._seen = self._seen._replace(hits=None)

        def begin() -> None:
            if number != self._asked:
                return
            from console.logs.index.sought import Sought

            logs = self._open(anew=self._pages is None)
            self._sought = Sought(text, ask, logs.files, self._options, self._clock().timestamp())
            self._told_hits, self._told_at = -1, float("-inf")

        self._wish(begin)

    def stop(self) -> None:
        """Look no further; what was found stays."""

        def end() -> None:
            if self._sought is not None and not self._sought.done:
                self._sought.stop()
                self._tell_hits()

        self._wish(end)

    def leave(self) -> None:
        """Nobody looks any more: the logs are closed."""
        self._number += 1
        self._asked += 1
        self._seen = Browsed()
        if self._thread is not None:
            self._wish(self._close)

    async def aclose(self) -> None:
        """End the thread; one that hangs on a disk is not waited for."""
        self._ended = True
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._number += 1
        with self._changed:
            self._changed.notify()
        await asyncio.to_thread(thread.join, ENDS_WITHIN_S)

    def _page(self, read: Callable[[Callable[[], bool]], None]) -> None:
        self._number += 1
        number = self._number
        self._seen = self._seen._replace(busy=True)

        def turn() -> None:
            if number == self._number:
                read(lambda: number != self._number or self._ended)

        self._wish(turn)

    def _wish(self, wish: _Wish) -> None:
        if self._ended:
            return
        if self._thread is None:
            self._home = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._run, name="browser", daemon=True)
            self._thread.start()
        with self._changed:
            self._wishes.append(wish)
            self._changed.notify()

    # on the thread

    def _run(self) -> None:
        while not self._ended:
            with self._changed:
                self._changed.wait_for(self._anything)
                wish = self._wishes.popleft() if self._wishes else self._work
            try:
                wish()
            except ConsoleError as error:
                self._failed(clean(error.message, 200))
            except OSError as error:
                self._failed(clean(f"A log can't be read: {error.strerror or error}.", 200))
            except Exception as error:  # noqa: BLE001 - told on the screen, and nothing old is shown in its place
                self._failed(clean(f"{type(error).__name__}: {error}", 200))
        self._close()

    def _anything(self) -> bool:
        """Whether there is anything to be done: a wish, or what goes on by itself, or to end."""
        seeking = self._sought is not None and not self._sought.done
        return bool(self._wishes) or seeking or self._ended or (self._logs is not None and not self._built)

    def _work(self) -> None:
        """A slice of what goes on by itself: hits first, then the index, that counts lines."""
        if self._ended:
            return
        if self._sought is not None and not self._sought.done:
            self._sought.step(SLICE_S)
            self._tell_hits()
        elif self._logs is not None:
            self._built = self._logs.step(SLICE_S)
            if self._built and self._pages is not None:
                self._tell_page(self._pages.page())
        time.sleep(REST_S)

    def _open(self, *, anew: bool) -> LogIndex:
        from console.logs.index.logs import LogIndex

        if anew:
            self._close()
        if self._logs is None:
            self._logs = LogIndex(self._patterns, self._options, self._folder)
            self._built = False
        return self._logs

    def _close(self) -> None:
        logs, self._logs, self._pages, self._sought = self._logs, None, None, None
        if logs is not None:
            logs.close()

    def _new_pages(self) -> Pages:
        from console.logs.index.pages import Pages

        logs = self._open(anew=self._sought is None)
        self._pages = Pages(logs.files, self._options, self._clock().timestamp())
        return self._pages

    def _before(self, source: str, offset: int, stop: Callable[[], bool]) -> None:
        pages = self._new_pages()
        pages.to_end()
        key = ""
        for _step in range(BACK_FROM_END):
            more = pages.older(stop=stop)
            key = pages.key_of(source, offset)
            if key or not more or stop():
                break
        pages.older(stop=stop)
        if not stop():
            self._tell_page(pages.page(key))

    def _oldest(self, stop: Callable[[], bool]) -> None:
        pages = self._new_pages()
        pages.to_start()
        pages.newer(stop=stop)
        if not stop():
            self._tell_page(pages.page())

    def _moved(self, move: Callable[[Pages], int]) -> None:
        if self._pages is not None:
            move(self._pages)
            self._tell_page(self._pages.page())

    def _around(self, spot: Spot, stop: Callable[[], bool]) -> None:
        pages = self._new_pages()
        pages.to(spot.key, spot.decision.at.timestamp())
        pages.newer(stop=stop)
        pages.older(stop=stop)
        if not stop():
            self._tell_page(pages.page(spot.key))

    # telling

    def _tell_page(self, page: Page) -> None:
        number, left, page = self._number, self._left(), as_of(page, self.until)
        self._tell(
            lambda seen: (
                seen._replace(page=page, busy=False, problem=Safe(""), left=left) if number == self._number else seen
            )
        )

    def _tell_hits(self) -> None:
        sought, now = self._sought, time.monotonic()
        if sought is None:
            return
        found = sought.found
        if not sought.done and now - self._told_at < TOLD_EVERY_S and not (found and self._told_hits <= 0):
            return
        self._told_at, self._told_hits = now, found
        hits, number, left = sought.hits(), self._asked, self._left()
        self._tell(
            lambda seen: seen._replace(hits=hits, problem=Safe(""), left=left) if number == self._asked else seen
        )

    def _left(self) -> tuple[Safe, ...]:
        logs = self._logs
        return tuple(clean(f"{one.path}: {one.why}", 200) for one in logs.left) if logs is not None else ()

    def _failed(self, problem: Safe) -> None:
        self._close()
        self._tell(lambda seen: seen._replace(busy=False, problem=problem))

    def _tell(self, change: Callable[[Browsed], Browsed]) -> None:
        def take() -> None:
            after = change(self._seen)
            if after is not self._seen:
                self._seen = after
                self.told()

        home = self._home
        if home is not None and not self._ended and not home.is_closed():
            home.call_soon_threadsafe(take)
