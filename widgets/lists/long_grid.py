"""A grid of as many rows as there are: a row is made when it is drawn, and no other one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from widgets.lists.columns import Column, changed_cells
from widgets.lists.filtering import Patience
from widgets.lists.grid import Grid, GridRow

Make = Callable[[Any], GridRow]


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
        self._texts: dict[str, tuple[Any, Sequence[str]]] = {}

    @property
    def total(self) -> int:
        """How many rows there are."""
        return len(self._items)

    def set_items(self, items: Sequence[Any], make: Make) -> None:
        """Show rows made of these; the cursor stays on the row it stood on, by key. Only lines that differ are drawn.

        Args:
            items: all of them; the very same sequence as before says that only what is made of them may differ.
            make: makes a row of one, as of now.
        """
        again = items is self._items
        self._items, self._made.make = items, make
        if not again:
            self._place(self._kept_items()[0])
        self._redraw()

    def _place(self, kept: Sequence[Any]) -> None:
        """Show these; the cursor stays by key."""
        before = self._made.items
        current = self._key_of(before[self._cursor]) if self._cursor < len(before) else None
        self._made.items = kept
        if current is not None and (self._cursor >= len(kept) or self._key_of(kept[self._cursor]) != current):
            found = (index for index, item in enumerate(kept) if self._key_of(item) == current)
            self._cursor = next(found, self._cursor)
        if self._keep_visible() or len(before) != len(kept):
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

    def _kept(self) -> tuple[tuple[GridRow, ...], str]:
        kept, problem = self._kept_items()
        self._place(kept)
        return (), problem

    def _show_rows(self, after: tuple[GridRow, ...], _problem: str = "") -> None:
        self._drawn.clear()
        self.refresh()

    def _kept_items(self) -> tuple[Sequence[Any], str]:
        """What the filter keeps, and what is wrong with it; a row whose item is the same is not made again for it."""
        self._by.clear()
        if self._filter is None:
            self._texts.clear()
            return self._items, ""
        texts: dict[str, tuple[Any, Sequence[str]]] = {}
        for item in self._items:
            key = self._key_of(item)
            known = self._texts.get(key)
            texts[key] = known if known is not None and known[0] == item else (item, self._made.make(item).cells)
        self._texts = texts
        patience, kept = Patience(), []
        for item, cells in texts.values():
            if patience.spent():
                self._filter = None
                return self._items, "The pattern is too slow on these rows; all are shown."
            if self._look(cells).kept:
                kept.append(item)
        return kept, ""
