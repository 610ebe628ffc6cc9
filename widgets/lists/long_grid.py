"""A grid of as many rows as there are: a row is made when it is drawn, and no other one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import Any, Final

from textual.message import Message

from widgets.lists.columns import Column, changed_cells
from widgets.lists.filtering import PatternError, parse_filter
from widgets.lists.grid import Grid, GridRow

Make = Callable[[Any], GridRow]
SLICE_S: Final = 0.03
"""So long a filter looks at rows before keys are heard again; one row takes no longer than its pattern's bound."""
PAUSE_S: Final = 0.005
MOST_S: Final = 8.0
"""A filter that took longer than this over all rows is given up."""


class _Made(Sequence[GridRow]):
    """Rows that are made when they are asked for.

    Args:
        items: what they are made of.
        make: makes one.
    """

    def __init__(self, items: Sequence[Any] = (), make: Make = lambda item: GridRow(str(item), ())) -> None:
        self.items = items
        self.make = make

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self.make(item) for item in self.items[index]]
        return self.make(self.items[index])


class LongGrid(Grid):
    """A grid that knows its rows by what they are made of.

    Args:
        columns: declared once; at most one of width 0. Those that grow do so by the rows that were drawn.
        key_of: the identity of what a row is made of.
        empty: what to say while there are no rows: why, and what to do.
    """

    class Looked(Message):
        """The filter has looked at every row."""

    class TooSlow(Message):
        """A filter took too long and was given up: all rows are shown."""

    def __init__(
        self,
        columns: Sequence[Column],
        key_of: Callable[[Any], str],
        *,
        empty: str = "Nothing here yet.",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(columns, empty=empty, id=id, classes=classes)
        self._key_of = key_of
        self._items: Sequence[Any] = ()
        self._made = _Made()
        self._rows = self._made
        self._drawn: dict[int, GridRow] = {}
        self._looks: dict[str, tuple[Any, bool]] = {}
        self._todo: Iterator[Any] | None = None
        self._found: list[Any] = []
        self._spent_s = 0.0

    def cells_kept(self) -> Callable[[], list[Sequence[str]]]:
        """As for every list; here the rows are made when it is called."""
        items, make = tuple(self._made.items), self._made.make
        return lambda: [make(item).cells for item in items]

    @property
    def total(self) -> int:
        """How many rows there are."""
        return len(self._items)

    @property
    def on_screen(self) -> Sequence[Any]:
        """What the rows on screen are made of."""
        return self._made.items[self._top : self._top + self.page_height]

    @property
    def kept(self) -> Sequence[Any]:
        """What the rows are made of that the filter keeps."""
        return self._made.items

    def set_items(self, items: Sequence[Any], make: Make) -> None:
        """Show rows made of these; the cursor stays on the row it stood on, by key. Only lines that differ are drawn.

        Args:
            items: all of them; the very same sequence as before says that only what is made of them may differ.
            make: makes a row of one, as of now.
        """
        again = items is self._items
        self._items, self._made.make = items, make
        if not again:
            self._filter_anew()
        self._redraw()

    def _place(self, kept: Sequence[Any]) -> None:
        """Show these; the cursor stays by key."""
        before = self._made.items
        current = self._key_of(before[self._cursor]) if self._cursor < len(before) else None
        self._made.items = kept
        if current is not None and (self._cursor >= len(kept) or self._key_of(kept[self._cursor]) != current):
            found = (index for index, item in enumerate(kept) if self._key_of(item) == current)
            self._cursor = next(found, self._cursor)
        if self._keep_visible() or self._filter is not None or len(before) != len(kept):
            self._drawn.clear()
            self.refresh()

    def _redraw(self) -> None:
        visible = range(self._top, min(len(self._made), self._top + self.page_height))
        rows = {index: self._made.make(self._made.items[index]) for index in visible}
        if self._measure(row.cells for row in rows.values()):
            self.refresh()
        before, self._drawn, placed = self._drawn, rows, self.placed()
        for index, new in rows.items():
            old = before.get(index)
            if old is None or old.tone != new.tone or old.tones != new.tones:
                self._refresh_row(index)
            elif (part := changed_cells(placed, old.cells, new.cells)) is not None:
                self._refresh_row(index, *part)

    def _row(self, index: int) -> tuple[Sequence[str], str, Sequence[str]]:
        row = self._drawn.get(index)
        if row is None:
            if len(self._drawn) > 4 * max(1, self.page_height):
                self._drawn.clear()
            row = self._drawn[index] = self._made[index]
        return row.cells, row.tone, row.tones

    def go_to(self, key: str) -> bool:
        """Put the cursor on the row with this key; whether there is one."""
        for index, item in enumerate(self._made.items):
            if self._key_of(item) == key:
                self._move(index)
                return True
        return False

    # the filter

    @property
    def looking(self) -> bool:
        """Whether the filter has not looked at every row yet."""
        return self._todo is not None

    def set_filter(self, text: str) -> str:
        """Show only the rows that match; what is wrong with the filter, or "" if nothing is.

        It looks at rows in slices, so that no key waits for the last one; what matches is shown as it is found.
        """
        try:
            self._filter = parse_filter(text)
        except PatternError as error:
            return str(error)
        self._looks.clear()
        self._filter_anew()
        return ""

    def _filter_anew(self) -> None:
        self._by.clear()
        self._todo, self._found, self._spent_s = None, [], 0.0
        if self._filter is None:
            self._looks.clear()
            self._place(self._items)
        else:
            self._todo = iter(self._items)
            self._look_on(first=not self._looks)

    def _look_on(self, *, first: bool) -> None:
        """One slice.

        Args:
            first: whether nothing was found by this filter before, so that what is found is shown at once.
        """
        if self._todo is None:
            return
        began = perf_counter()
        for item in self._todo:
            key = self._key_of(item)
            known = self._looks.get(key)
            kept = known[1] if known is not None and known[0] == item else self._look(self._made.make(item).cells).kept
            self._looks[key] = (item, kept)
            if kept:
                self._found.append(item)
            if perf_counter() - began > SLICE_S:
                self._spent_s += perf_counter() - began
                if first:
                    self._place(tuple(self._found))
                if self._spent_s > MOST_S:
                    break
                self.set_timer(PAUSE_S, lambda: self._look_on(first=first))
                return
        slow, self._todo = self._spent_s > MOST_S, None
        if slow:
            self._filter = None
            self._looks.clear()
        self.post_message(LongGrid.TooSlow() if slow else LongGrid.Looked())
        self._place(self._items if slow else tuple(self._found))
