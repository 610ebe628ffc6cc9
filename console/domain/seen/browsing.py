"""The door to whole decision logs, however long: a screen asks for a page or for hits, and waits for neither."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol

from console.domain.seen.decision import Decision
from console.domain.text import Safe


class Spot(NamedTuple):
    """A decision, and where its line stands.

    Args:
        path: of its log, as it was opened.
        decision: what can be shown of it; `offset` is where its line begins.
    """

    path: str
    decision: Decision

    @property
    def key(self) -> str:
        """PATH:OFFSET: what `decisions show` takes."""
        return f"{self.path}:{self.decision.offset}"


class Page(NamedTuple):
    """Rows that lie beside each other in all logs together.

    Args:
        rows: the oldest first.
        newer: how many lines follow the newest of them.
        exact: whether these were counted; else they are reckoned from what was counted.
        first, last: whether the oldest, the newest decision of all is among them.
        at: the key of the row that was asked for; empty where none was.
    """

    rows: tuple[Spot, ...] = ()
    newer: int = 0
    exact: bool = False
    first: bool = False
    last: bool = False
    at: str = ""


def as_of(page: Page, moment: datetime | None) -> Page:
    """A page without what came after a moment; as it is where there is none."""
    rows = page.rows if moment is None else tuple(spot for spot in page.rows if spot.decision.at <= moment)
    if len(rows) == len(page.rows):
        return page
    return page._replace(rows=rows, newer=0, exact=True, last=True)


class Hits(NamedTuple):
    """What a question found so far, of everything that was there when it was asked.

    Args:
        text: the question.
        rows: the newest hits, the oldest of them first.
        looked, of: bytes that were looked at or left out by the index, of so many.
        done: whether everything was looked at, or enough was found.
        more: whether older hits may follow that are not among the rows.
        stopped: whether somebody ended it before.
    """

    text: str
    rows: tuple[Spot, ...] = ()
    looked: int = 0
    of: int = 0
    done: bool = False
    more: bool = False
    stopped: bool = False


class Browsed(NamedTuple):
    """What was read last.

    Args:
        page: None until one was read.
        hits: of the last question; None where none was asked.
        busy: whether a page is being read.
        problem: why the last reading failed; empty where it did not.
        left: a sentence for each log that can't be read.
    """

    page: Page | None = None
    hits: Hits | None = None
    busy: bool = False
    problem: Safe = Safe("")
    left: tuple[Safe, ...] = ()


class Browser(Protocol):
    """Reads pages and hits on a thread of its own."""

    told: Callable[[], None]
    """Called when something new is in `seen`; on the thread that asked."""
    until: datetime | None
    """The moment that is looked back at: nothing later is shown or found; None for now."""

    @property
    def able(self) -> bool:
        """Whether there are logs to be read."""
        ...

    @property
    def seen(self) -> Browsed:
        """What was read last."""
        ...

    def before(self, source: str, offset: int) -> None:
        """The page before a row that is among the newest; the logs are opened anew.

        Args:
            source: the name of its log.
            offset: where in it the row begins, in bytes.
        """
        ...

    def oldest(self) -> None:
        """The first page of all."""
        ...

    def older(self) -> None:
        """More rows before the page."""
        ...

    def newer(self) -> None:
        """More rows after the page."""
        ...

    def around(self, spot: Spot) -> None:
        """The page in which a row stands."""
        ...

    def search(self, text: str) -> None:
        """Look for what a text asks; what was looked for before is forgotten.

        Raises:
            UsageError: the question can't be understood.
        """
        ...

    def stop(self) -> None:
        """Look no further; what was found stays."""
        ...

    def leave(self) -> None:
        """Nobody looks any more: the logs are closed."""
        ...


class NoBrowser:
    """Of a picture, or of a replay: there are no whole logs behind it."""

    able = False
    seen = Browsed()

    def __init__(self) -> None:
        self.told: Callable[[], None] = lambda: None
        self.until: datetime | None = None

    def before(self, source: str, offset: int) -> None:
        """Nothing is read."""

    def oldest(self) -> None:
        """Nothing is read."""

    def older(self) -> None:
        """Nothing is read."""

    def newer(self) -> None:
        """Nothing is read."""

    def around(self, spot: Spot) -> None:
        """Nothing is read."""

    def search(self, text: str) -> None:
        """Nothing is looked for."""

    def stop(self) -> None:
        """Nothing was looked for."""

    def leave(self) -> None:
        """Nothing was opened."""
