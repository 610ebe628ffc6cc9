"""A feed: rows that keep coming, of which only what is visible is ever drawn."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.message import Message

from widgets.lists.columns import Column
from widgets.lists.filtering import Patience, PatternError, RowFilter, parse_filter
from widgets.lists.line_list import LineList

DEFAULT_CAP = 2000


class FeedRow(NamedTuple):
    """One row.

    Args:
        key: its identity; a key is never used twice.
        cells: one text for each column.
        tone: the tone of the cells whose column has none.
        detail: anything; handed back with `Feed.Opened`.
        tones: tones of single cells, where they differ from their column's.
    """

    key: int
    cells: tuple[str, ...]
    tone: str = ""
    detail: object = None
    tones: tuple[str, ...] = ()


class Feed(LineList):
    """A list that follows its end until the operator moves away from it.

    Args:
        columns: declared once; at most one of width 0.
        empty: what to say while there are no rows: why, and what to do.
        cap: rows kept; older ones are dropped.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "find(1)", "Next", id="feed.next", show=False, tooltip="To the next match"),
        Binding("N", "find(-1)", "Previous", id="feed.previous", show=False, tooltip="To the previous match"),
    ]

    class Opened(Message):
        """Enter, or a double click, on a row."""

        def __init__(self, feed: Feed, row: FeedRow) -> None:
            super().__init__()
            self.feed = feed
            self.row = row
            self.key = row.key

        @property
        def control(self) -> Feed:
            return self.feed

    class Counted(Message):
        """How many rows there are, how many are shown, how many wait behind a pause; whether the end is followed."""

        def __init__(self, feed: Feed, total: int, shown: int, waiting: int, following: bool) -> None:
            super().__init__()
            self.feed = feed
            self.total = total
            self.shown = shown
            self.waiting = waiting
            self.following = following

        @property
        def control(self) -> Feed:
            return self.feed

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Feed.Counted) and message.feed is self.feed

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str = "Nothing here yet.",
        cap: int = DEFAULT_CAP,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(columns, empty=empty, id=id, classes=classes)
        self._rows: deque[FeedRow] = deque(maxlen=cap)
        self._shown: deque[FeedRow] = self._rows
        self._held: deque[FeedRow] = deque(maxlen=cap)
        self._waiting = 0
        self._paused = False
        self._following = True
        self._last_filter: RowFilter | None = None

    # what is shown

    @property
    def total(self) -> int:
        """Rows kept."""
        return len(self._rows)

    @property
    def waiting(self) -> int:
        """Rows that came since the pause."""
        return self._waiting

    @property
    def following(self) -> bool:
        """Whether the end is followed."""
        return self._following

    @property
    def current(self) -> FeedRow | None:
        """The row under the cursor."""
        return self._shown[self._cursor] if self._cursor < len(self._shown) else None

    def row_of(self, key: int) -> FeedRow | None:
        """The row with this key, while it is kept."""
        return next((row for row in reversed(self._rows) if row.key == key), None)

    def extend(self, rows: Iterable[FeedRow]) -> None:
        """Take in new rows, oldest first; while paused they are kept back and counted."""
        fresh = list(rows)
        if not fresh:
            return
        if self._paused:
            self._held.extend(fresh)
            self._waiting += len(fresh)
        else:
            self._take(fresh)
        self._tell()

    def clear(self) -> None:
        """Forget every row."""
        self._rows.clear()
        self._measure((), anew=True)
        self._shown.clear()
        self._held.clear()
        self._waiting = self._cursor = self._top = 0
        self._following = True
        self.refresh()
        self._tell()

    @property
    def paused(self) -> bool:
        """Whether the view stands still while rows are collected."""
        return self._paused

    @paused.setter
    def paused(self, value: bool) -> None:
        if value == self._paused:
            return
        self._paused = value
        if not value:
            held, self._waiting = list(self._held), 0
            self._held.clear()
            self._take(held)
        self._tell()

    def follow(self) -> None:
        """Go to the end and stay there."""
        self._following = True
        self.move_to(max(0, len(self._shown) - 1))
        self._tell()

    def set_filter(self, text: str) -> str:
        """Show only the rows that match; what is wrong with the filter, or "" if nothing is.

        A filter that is refused leaves the one before in place.
        """
        try:
            row_filter = parse_filter(text)
        except PatternError as error:
            return str(error)
        if row_filter is not None:
            self._last_filter = row_filter
        problem = self._apply(row_filter)
        self._tell()
        return problem

    # inside

    def _apply(self, row_filter: RowFilter | None) -> str:
        key = None if self._following or self.current is None else self.current.key
        kept: deque[FeedRow] = self._rows
        problem = ""
        self._filter = row_filter
        self._by.clear()
        if row_filter is not None:
            kept = deque(maxlen=self._rows.maxlen)
            patience = Patience()
            for row in self._rows:
                if patience.spent():
                    kept, row_filter = self._rows, None
                    problem = "The pattern is too slow on these rows; all are shown."
                    break
                if self._look(row.cells).kept:
                    kept.append(row)
        self._filter, self._shown = row_filter, kept
        last = max(0, len(kept) - 1)
        self._cursor = last if key is None else next((i for i, row in enumerate(kept) if row.key >= key), last)
        self._keep_visible()
        self.refresh()
        return problem

    def _filter_anew(self) -> None:
        if self.following:
            self._cursor = max(0, len(self._shown) - 1)
        self._apply(self._filter)

    def _take(self, fresh: list[FeedRow]) -> None:
        if not fresh:
            return
        before = len(self._shown)
        if self._measure(row.cells for row in fresh):
            self.refresh()
        dropped = self._append(fresh)
        if self._following:
            self._cursor = max(0, len(self._shown) - 1)
            self._keep_visible()
            if dropped or len(self._shown) != before:
                self.refresh()
            return
        height = self.page_height
        self._cursor = max(0, self._cursor - dropped)
        top_before = self._top
        self._top = max(0, self._top - dropped)
        lost_from_view = dropped > top_before
        page_was_full = before - top_before >= height
        if lost_from_view or not page_was_full:
            self._keep_visible()
            self.refresh()

    def _append(self, fresh: list[FeedRow]) -> int:
        """Add rows to what is kept and what is shown; how many were dropped from the front of what is shown."""
        cap = self._rows.maxlen or DEFAULT_CAP
        if self._filter is None:
            dropped = max(0, len(self._rows) + len(fresh) - cap)
            self._rows.extend(fresh)
            return dropped
        self._rows.extend(fresh)
        oldest = self._rows[0].key
        dropped = 0
        while self._shown and self._shown[0].key < oldest:
            self._shown.popleft()
            dropped += 1
        patience = Patience()
        for row in fresh[-cap:]:
            if patience.spent() or self._look(row.cells).kept:
                self._shown.append(row)
        return dropped

    def _tell(self) -> None:
        if self.is_attached:
            self.post_message(
                Feed.Counted(
                    self, len(self._rows), len(self._shown), self._waiting, self._following and not self._paused
                )
            )

    def _count(self) -> int:
        return len(self._shown)

    def _row(self, index: int) -> tuple[Sequence[str], str, Sequence[str]]:
        row = self._shown[index]
        return row.cells, row.tone, row.tones

    def _cursor_band(self) -> str:
        if self.has_focus:
            return "cursor"
        return "" if self._following else "cursor-blurred"

    def _moved(self) -> None:
        following = self._cursor >= len(self._shown) - 1
        if following != self._following:
            self._following = following
            self._tell()

    def action_open(self) -> None:
        if (row := self.current) is not None:
            self.post_message(Feed.Opened(self, row))

    def action_find(self, direction: int) -> None:
        """To the next or previous row that matches the filter, or the last one there was."""
        wanted = self._last_filter
        if wanted is None:
            return
        index = self._cursor + direction
        patience = Patience()
        while 0 <= index < len(self._shown) and not patience.spent():
            if wanted.keeps(" ".join(self._shown[index].cells)):
                self._move(index)
                return
            index += direction
        self.app.bell()
