"""A keyed table of which only the cells that changed are repainted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.message import Message

from widgets.lists.columns import Column, changed_cells
from widgets.lists.filtering import Patience, PatternError, parse_filter
from widgets.lists.line_list import LineList


class GridRow(NamedTuple):
    """One row.

    Args:
        key: its identity.
        cells: one text for each column.
        tone: the tone of the cells whose column has none.
        tones: tones of single cells, where they differ from their column's.
        detail: anything; the widget never looks at it.
        by: values by column, which whoever sorts the rows may go by; the widget never looks at them.
    """

    key: str
    cells: tuple[str, ...]
    tone: str = ""
    tones: tuple[str, ...] = ()
    detail: object = None
    by: Mapping[str, object] | None = None


class Grid(LineList):
    """A table whose rows have names.

    Args:
        columns: declared once; at most one of width 0.
        empty: what to say while there are no rows: why, and what to do.
        follows: whether the cursor stays on the last row, the newest, until the operator moves it away.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space", "toggle_row", "Toggle", id="grid.toggle", show=False, tooltip="Toggle the row under the cursor"
        ),
    ]

    class _RowMessage(Message):
        def __init__(self, grid: Grid, row: GridRow) -> None:
            super().__init__()
            self.grid = grid
            self.row = row
            self.key = row.key

        @property
        def control(self) -> Grid:
            return self.grid

    class Highlighted(_RowMessage):
        """The cursor came to stand on another row."""

    class Selected(_RowMessage):
        """Enter, or a double click, on a row."""

    class Toggled(_RowMessage):
        """Space on a row."""

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str = "Nothing here yet.",
        follows: bool = False,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(columns, empty=empty, id=id, classes=classes)
        self._every: tuple[GridRow, ...] = ()
        self._rows: Sequence[GridRow] = ()
        self._newest_last = follows
        self._follows = follows
        self._following = follows

    @property
    def rows(self) -> tuple[GridRow, ...]:
        """The rows shown: those that the filter keeps."""
        return tuple(self._rows)

    @property
    def shown(self) -> int:
        """How many rows the filter keeps."""
        return len(self._rows)

    @property
    def looking(self) -> bool:
        """Whether the filter has not looked at every row yet."""
        return False

    @property
    def total(self) -> int:
        """How many rows there are."""
        return len(self._every)

    @property
    def current(self) -> GridRow | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    @property
    def following(self) -> bool:
        """Whether the cursor stays on the last row, the newest."""
        return self._following

    @property
    def at_first(self) -> bool:
        """Whether the cursor stands on the first row."""
        return self._cursor == 0

    def arrange_columns(self, names: Sequence[str], sort: str = "", *, reverse: bool = False) -> None:
        """As for every list; sorted rows have no newest end to follow."""
        super().arrange_columns(names, sort, reverse=reverse)
        follows = self._newest_last and not sort
        if follows != self._follows:
            self._follows = self._following = follows

    def set_rows(self, rows: Sequence[GridRow]) -> None:
        """Show these rows; the cursor stays on the row it stood on, by key, or on the last one while it follows."""
        every = tuple(rows)
        if every != self._every:
            self._every = every
            self._show_rows(*self._kept())

    def set_filter(self, text: str) -> str:
        """Show only the rows that match; what is wrong with the filter, or "" if nothing is.

        A filter that is refused leaves the one before in place.
        """
        try:
            self._filter = parse_filter(text)
        except PatternError as error:
            return str(error)
        rows, problem = self._kept()
        self._show_rows(rows)
        return problem

    def _filter_anew(self) -> None:
        self._show_rows(*self._kept())

    def _kept(self) -> tuple[tuple[GridRow, ...], str]:
        """The rows that the filter keeps, and what is wrong with it."""
        self._by.clear()
        if self._filter is None:
            return self._every, ""
        patience = Patience()
        kept: list[GridRow] = []
        for row in self._every:
            if patience.spent():
                self._filter = None
                return self._every, "The pattern is too slow on these rows; all are shown."
            if self._look(row.cells).kept:
                kept.append(row)
        return tuple(kept), ""

    def _show_rows(self, after: tuple[GridRow, ...], _problem: str = "") -> None:
        before, current = self._rows, self.current
        if before == after:
            return
        self._rows = after
        if self._measure((row.cells for row in after), anew=True):
            self.refresh()
        if [row.key for row in before] != [row.key for row in after]:
            if self._following:
                self._cursor = max(0, len(after) - 1)
            elif current is not None:
                self._cursor = next((i for i, row in enumerate(after) if row.key == current.key), self._cursor)
            self._keep_visible()
            self.refresh()
            if self.current is not None and (current is None or current.key != self.current.key):
                self._announce()
            return
        placed = self.placed()
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            if old.tone != new.tone or old.tones != new.tones:
                self._refresh_row(index)
            elif (part := changed_cells(placed, old.cells, new.cells)) is not None:
                self._refresh_row(index, *part)

    def go_to(self, key: str) -> bool:
        """Put the cursor on the row with this key; whether there is one."""
        for index, row in enumerate(self._rows):
            if row.key == key:
                self._move(index)
                return True
        return False

    def _count(self) -> int:
        return len(self._rows)

    def _row(self, index: int) -> tuple[Sequence[str], str, Sequence[str]]:
        row = self._rows[index]
        return row.cells, row.tone, row.tones

    def _moved(self) -> None:
        self._following = self._follows and self._cursor >= len(self._rows) - 1
        self._announce()

    def _announce(self) -> None:
        if (row := self.current) is not None and self.is_attached:
            self.post_message(Grid.Highlighted(self, row))

    def action_open(self) -> None:
        if (row := self.current) is not None:
            self.post_message(Grid.Selected(self, row))

    def action_toggle_row(self) -> None:
        if (row := self.current) is not None:
            self.post_message(Grid.Toggled(self, row))
