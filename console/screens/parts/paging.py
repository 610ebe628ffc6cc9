"""The lists of screen 2: the feed that says when somebody goes beyond its first row, and pages of whole logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from console.domain.seen.browsing import Spot
from console.domain.seen.decision import Decision
from console.screens.parts.feeding import DecisionFeed
from console.screens.parts.shapes import DECISION_COLUMNS, decision_feed_row
from console.views.browsing import moment_text
from console.views.lists import decision_row
from widgets.lists.columns import Column
from widgets.lists.grid import GridRow
from widgets.lists.long_grid import LongGrid

PAGE_COLUMNS = (Column("", 1, tone="warn"), Column("time", 8, tone="dim", most=19, whole=True), *DECISION_COLUMNS[1:])
HIT = "▸"


class EdgeFeed(DecisionFeed):
    """A feed of decisions that is the end of something longer."""

    class Beyond(Message):
        """Somebody goes on where the feed begins.

        Args:
            step: rows up; 0 for the very first.
        """

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def __init__(self, columns: Sequence[Column], *, id: str | None = None) -> None:
        super().__init__(columns, id=id)
        self.longer = False
        """Whether there is anything before its first row."""

    @property
    def spots(self) -> tuple[Spot, ...]:
        """The decisions shown, oldest first."""
        shown = (row.detail for row in self._shown)
        return tuple(Spot(one.source, one) for one in shown if isinstance(one, Decision))

    @property
    def oldest(self) -> Decision | None:
        """The first decision shown; a row that counts what went by unseen is none."""
        return next((row.detail for row in self._shown if isinstance(row.detail, Decision)), None)

    def _move(self, index: int) -> None:
        if self.longer and index < 0 and self._cursor == 0:
            self.post_message(EdgeFeed.Beyond(-index))
        else:
            super()._move(index)

    def action_first(self) -> None:
        if self.longer:
            self.post_message(EdgeFeed.Beyond(0))
        else:
            super().action_first()


class PageList(LongGrid):
    """Rows of whole logs: a page of them, or hits."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "hit(1)", "Older hit", id="page.older_hit", show=False, tooltip="To the next older hit"),
        Binding("N", "hit(-1)", "Newer hit", id="page.newer_hit", show=False, tooltip="To the next newer hit"),
        Binding(
            "i", "around", "Around", id="page.around", show=False, tooltip="The hit among its neighbours, and back"
        ),
    ]

    class Beyond(Message):
        """The cursor is near an end, or somebody wants to go over it.

        Args:
            step: -1 to older rows, 1 to newer ones.
            far: whether to the very end.
            over: whether a row behind the last one was wanted.
        """

        def __init__(self, step: int, *, far: bool = False, over: bool = False) -> None:
            super().__init__()
            self.step = step
            self.far = far
            self.over = over

    class Hit(Message):
        """To another hit: 1 to an older one, -1 to a newer one."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class Around(Message):
        """What lies around the row under the cursor is wanted, or no more."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(PAGE_COLUMNS, key_of, empty="Reading.", id=id)

    @property
    def index(self) -> int:
        """The place of the row under the cursor."""
        return self._cursor

    @property
    def spot(self) -> Spot | None:
        """The row under the cursor."""
        row = self.current
        return row.detail if row is not None and isinstance(row.detail, Spot) else None

    def put(
        self, spots: Sequence[Spot], make: Callable[[Any], GridRow], cursor: int | None = None, *, middle: bool = False
    ) -> None:
        """Show these; the row under the cursor stays where it is on the screen.

        Args:
            spots: oldest first.
            make: makes a row of one.
            cursor: on which the cursor is to be; None for the one where it is now.
            middle: whether it is to stand in the middle of the screen.
        """
        height = self.page_height // 2 if middle else self._cursor - self._top
        self.set_items(spots, make)
        if cursor is not None:
            self._cursor = min(max(0, cursor), max(0, len(spots) - 1))
        self._top = max(0, self._cursor - height)
        self._keep_visible()
        self._drawn.clear()
        self._redraw()
        self.refresh()
        self._announce()

    def place_of(self, key: str) -> int | None:
        """Where the row with this key stands; None where it is not here."""
        return next((place for place, spot in enumerate(self._items) if spot.key == key), None)

    def _move(self, index: int) -> None:
        over = index >= self._count() and self._cursor >= self._count() - 1
        super()._move(index)
        if index < self.page_height:
            self.post_message(PageList.Beyond(-1))
        elif index >= self._count() - self.page_height:
            self.post_message(PageList.Beyond(1, over=over))

    def action_first(self) -> None:
        self.post_message(PageList.Beyond(-1, far=True))

    def action_last(self) -> None:
        self.post_message(PageList.Beyond(1, far=True))

    def action_hit(self, step: int) -> None:
        self.post_message(PageList.Hit(step))

    def action_around(self) -> None:
        self.post_message(PageList.Around())


def key_of(spot: Spot) -> str:
    """A row's identity."""
    return spot.key


def ranked_key(spot: Spot) -> str:
    """The same, also of a decision of which nobody knows where its line stands."""
    return spot.key if spot.path else f"#{spot.decision.sequence}"


def page_row(spot: Spot, now: datetime, *, hit: bool) -> GridRow:
    """A row of whole logs."""
    row = decision_feed_row(decision_row(spot.decision, now))
    return GridRow(
        key=spot.key,
        cells=(HIT if hit else "", moment_text(spot.decision.at, now), *row.cells[1:]),
        tones=("", *row.tones),
        detail=spot,
    )
