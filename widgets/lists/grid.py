"""A keyed table of which only the cells that changed are repainted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from widgets.lists.columns import Column, changed_cells
from widgets.lists.line_list import LineList


@dataclass(frozen=True, slots=True)
class GridRow:
    """One row.

    Args:
        key: its identity.
        cells: one text for each column.
        tone: the tone of the cells whose column has none.
        tones: tones of single cells, where they differ from their column's.
        detail: anything; the widget never looks at it.
    """

    key: str
    cells: tuple[str, ...]
    tone: str = ""
    tones: tuple[str, ...] = ()
    detail: object = None


class Grid(LineList):
    """A table whose rows have names.

    Args:
        columns: declared once; at most one of width 0.
        empty: what to say while there are no rows: why, and what to do.
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
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(columns, empty=empty, id=id, classes=classes)
        self._rows: tuple[GridRow, ...] = ()

    @property
    def rows(self) -> tuple[GridRow, ...]:
        """The rows shown."""
        return self._rows

    @property
    def current(self) -> GridRow | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    def set_rows(self, rows: Sequence[GridRow]) -> None:
        """Show these rows; the cursor stays on the row it stood on, by key."""
        before, after = self._rows, tuple(rows)
        if before == after:
            return
        current = self.current
        self._rows = after
        if self._measure((row.cells for row in after), anew=True):
            self.refresh()
        if [row.key for row in before] != [row.key for row in after]:
            if current is not None:
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
