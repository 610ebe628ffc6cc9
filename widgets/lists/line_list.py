"""A list with a cursor: what `Feed` and `Grid` have in common.

It keeps its own window on the rows instead of a scroll bar's: no bar to repaint, no layout, and a move of the cursor
repaints two lines.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType

from widgets.lists.arranging import ArrangeAsked, chosen_of, signed
from widgets.lists.columns import Column, Placed, header_spans, place, spans_of
from widgets.lists.filtering import Look, RowFilter
from widgets.text.line_widget import LineWidget, Span
from widgets.text.plain import width_of
from widgets.text.wrap import wrap_words

SHIFT_STEP = 8
"""Characters by which left and right move the flexible column."""

WHEEL_STEP = 3
"""Rows a turn of the wheel moves."""


class LineList(LineWidget, can_focus=True):
    """A list of rows under column titles.

    Args:
        columns: declared once; at most one of width 0.
        empty: what to say while there are no rows: why, and what to do.
    """

    DEFAULT_CSS = """
    LineList { height: 1fr; width: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", id="list.down", show=False, tooltip="One row down"),
        Binding("up,k", "move(-1)", "Up", id="list.up", show=False, tooltip="One row up"),
        Binding("left,h", "shift(-1)", "Left", id="list.left", show=False, tooltip="Show the start of long text"),
        Binding("right,l", "shift(1)", "Right", id="list.right", show=False, tooltip="Show more of long text"),
        Binding("pagedown", "page(1)", "Page down", id="list.page_down", show=False, tooltip="One page down"),
        Binding("pageup", "page(-1)", "Page up", id="list.page_up", show=False, tooltip="One page up"),
        Binding("home,g", "first", "First", id="list.first", show=False, tooltip="To the first row"),
        Binding("end,G", "last", "Last", id="list.last", show=False, tooltip="To the last row"),
        Binding("enter", "open", "Detail", id="list.open", show=False, tooltip="Show everything about this row"),
    ]

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str = "Nothing here yet.",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.columns: Final = tuple(columns)
        """As declared."""
        self._columns = self.columns
        self._chosen: tuple[int, ...] | None = None
        self._titled = any(column.title for column in self._columns)
        self._placed: tuple[Placed, ...] = ()
        self._placed_width = -1
        self._growing = tuple(index for index, column in enumerate(self._columns) if column.most)
        self._needs = [0] * len(self._columns)
        self._empty = empty
        self._cursor = 0
        self._top = 0
        self._shift = 0
        self._filter: RowFilter | None = None
        self._by: set[int] = set()

    # what a subclass provides

    @abstractmethod
    def _count(self) -> int:
        """How many rows there are to show."""

    @abstractmethod
    def _row(self, index: int) -> tuple[Sequence[str], str, Sequence[str]]:
        """Cells, tone, and tones of single cells of a row."""

    def _moved(self) -> None:
        """The cursor was moved by the operator."""

    def action_open(self) -> None:
        """Enter was pressed on a row."""

    @abstractmethod
    def _filter_anew(self) -> None:
        """Other columns are drawn than when the filter looked last."""

    # the filter

    @property
    def filter_text(self) -> str:
        """The filter as it was typed; empty for none."""
        return self._filter.text if self._filter is not None else ""

    @property
    def matched_by(self) -> tuple[str, ...]:
        """The titles of columns that are not drawn at this width, and by which the filter decided on some rows."""
        return tuple(self.columns[index].title for index in sorted(self._by) if index < len(self.columns))

    def _look(self, cells: Sequence[str]) -> Look:
        """What the filter makes of a row; notes a column that isn't drawn and decided it."""
        if self._filter is None:
            return Look(True)
        look = self._filter.look(cells, [spot.index for spot in self.placed()])
        if look.by is not None:
            self._by.add(look.by)
        return look

    @property
    def titles(self) -> tuple[str, ...]:
        """What stands above the columns, those that there is no room for too."""
        return tuple(column.title for column in self.columns)

    def cells_kept(self) -> Callable[[], list[Sequence[str]]]:
        """What makes the cells of every row that the filter keeps, drawn or not, as of now; on any thread."""
        rows = [self._row(index)[0] for index in range(self._count())]
        return lambda: rows

    # state set from outside

    @property
    def empty(self) -> str:
        """What is said while there are no rows."""
        return self._empty

    @empty.setter
    def empty(self, value: str) -> None:
        if value != self._empty:
            self._empty = value
            if not self._count():
                self.refresh()

    # geometry

    @property
    def _header_lines(self) -> int:
        return 1 if self._titled and self.content_size.height > 1 else 0

    @property
    def page_height(self) -> int:
        """Rows that fit."""
        return max(0, self.content_size.height - self._header_lines)

    def placed(self) -> tuple[Placed, ...]:
        """Where the columns stand at the present width."""
        width = self.content_size.width
        if width != self._placed_width:
            self._placed = place(self._columns, width, self._needs, self._chosen)
            self._placed_width = width
        return self._placed

    def arrange_columns(self, names: Sequence[str], sort: str = "", *, reverse: bool = False) -> None:
        """Show these of the columns, in this order; whoever gives the rows sorts them.

        Args:
            names: of the columns; empty for all, as declared.
            sort: the column that the rows are sorted by; empty for none.
            reverse: whether against its usual direction.
        """
        wanted = signed(self.columns, sort, reverse=reverse), chosen_of(self.columns, names)
        if wanted != (self._columns, self._chosen):
            self._columns, self._chosen = wanted
            self._placed_width = -1
            if self._filter is not None:
                self._filter_anew()
            if self.is_attached:
                self.refresh()

    def action_ask(self, what: str, step: int) -> None:
        """Whoever holds the list arranges it."""
        self.post_message(ArrangeAsked(what, step))

    def _measure(self, rows: Iterable[Sequence[str]], *, anew: bool = False) -> bool:
        """Take the widths of rows into account; whether a column stands elsewhere now.

        Args:
            rows: their cells.
            anew: whether these are all there are, so that columns may shrink.
        """
        if not self._growing:
            return False
        needs = [0] * len(self._columns) if anew else list(self._needs)
        for cells in rows:
            for index in self._growing:
                if index < len(cells):
                    needs[index] = max(needs[index], width_of(cells[index]))
        if needs == self._needs:
            return False
        before, self._needs, self._placed_width = self._placed, needs, -1
        return self.placed() != before

    def on_resize(self) -> None:
        if self._filter is not None:
            self._filter_anew()
        self._keep_visible()
        self.refresh()

    def _keep_visible(self) -> bool:
        """Move the window so that the cursor is in it; whether it moved."""
        height, count = self.page_height, self._count()
        self._cursor = min(max(0, self._cursor), max(0, count - 1))
        top = min(self._top, max(0, count - height))
        if height and self._cursor >= top + height:
            top = self._cursor - height + 1
        top = min(top, self._cursor)
        moved = top != self._top
        self._top = top
        return moved

    def move_to(self, index: int) -> None:
        """Put the cursor on a row, by its place among the rows shown."""
        before = self._cursor
        self._cursor = index
        if self._keep_visible():
            self.refresh()
        elif before != self._cursor:
            self._refresh_row(before)
            self._refresh_row(self._cursor)

    def _refresh_row(self, index: int, x: int = 0, width: int | None = None) -> None:
        y = index - self._top
        if 0 <= y < self.page_height:
            self.refresh_line(y + self._header_lines, x, width)

    def in_sight(self) -> Iterator[tuple[int, int]]:
        """The place of each row that is drawn, and its line in the list."""
        for y in range(min(self.page_height, self._count() - self._top)):
            yield self._top + y, y + self._header_lines

    def jump(self, index: int) -> None:
        """Put the cursor on a row, as the operator's keys do."""
        self._move(index)

    # drawing

    def _cursor_band(self) -> str:
        return "cursor" if self.has_focus else "cursor-blurred"

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        if y < self._header_lines:
            return header_spans(self._columns, self.placed()), ""
        count = self._count()
        if not count:
            return self._empty_line(y - self._header_lines, width), ""
        index = self._top + y - self._header_lines
        if index >= count:
            return (), ""
        cells, tone, tones = self._row(index)
        spans = spans_of(self._columns, self.placed(), cells, tone, tones, self._shift)
        if self._stale:
            spans = [(text, "stale") for text, _ in spans]
        return spans, self._cursor_band() if index == self._cursor else ""

    def _empty_line(self, y: int, width: int) -> Sequence[Span]:
        empty = self._empty if self._filter is None else f"No row matches “{self._filter.text}”; esc ends the filter."
        lines = wrap_words(empty, max(1, width - 2))
        return ((" " + lines[y], "dim"),) if y < len(lines) else ()

    def on_focus(self) -> None:
        self._refresh_row(self._cursor)

    def on_blur(self) -> None:
        self._refresh_row(self._cursor)

    # keys and mouse

    def _move(self, index: int) -> None:
        self.move_to(min(max(0, index), max(0, self._count() - 1)))
        self._moved()

    def action_move(self, step: int) -> None:
        self._move(self._cursor + step)

    def action_page(self, direction: int) -> None:
        self._move(self._cursor + direction * max(1, self.page_height - 1))

    def action_first(self) -> None:
        self._move(0)

    def action_last(self) -> None:
        self._move(self._count() - 1)

    def action_shift(self, direction: int) -> None:
        shift = max(0, self._shift + direction * SHIFT_STEP)
        if shift != self._shift and any(column.width == 0 for column in self._columns):
            self._shift = shift
            self.refresh()

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._move(self._cursor + WHEEL_STEP)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._move(self._cursor - WHEEL_STEP)

    async def _on_click(self, event: events.Click) -> None:
        await super()._on_click(event)
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self._header_lines:
            return
        index = self._top + offset.y - self._header_lines
        if index < self._count():
            self._move(index)
            if event.chain == 2:
                self.action_open()
