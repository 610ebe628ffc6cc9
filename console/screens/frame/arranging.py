"""Lists that somebody arranges: sorted by any column, with the columns of their own; one way for every screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from textual.binding import BindingsMap

from console.domain.seen.playback import Playback
from console.screens.frame.panels import PanelScreen
from console.screens.parts.arrangements import Arrangement, Arrangements
from console.views.order import Order, in_order, text_value
from widgets.lists.arranging import ARRANGE_KEYS, FALLS, RISES, SORT_KEYS, ArrangeAsked, names_of
from widgets.lists.columns import Column
from widgets.lists.grid import Grid, GridRow
from widgets.lists.line_list import LineList

REVERSE_WORDS: Final = ("reverse", "reversed", "desc")
Value = Callable[[Any, str], Any]
"""What an item of a list is sorted by, by the name of a column."""


def grid_value(row: GridRow, place: int, name: str) -> Any:
    """What a row is sorted by: its value where it has one, else the letters of its cell."""
    if row.by is not None and name in row.by:
        return row.by[name]
    return text_value(row.cells[place]) if place < len(row.cells) else None


class _Sorted(NamedTuple):
    """What was sorted last, and what came of it."""

    items: Sequence[Any]
    order: Order
    rows: tuple[Any, ...]


class Arranging(PanelScreen):
    """A screen some of whose lists can be arranged: it says which, and sorts what it gives them."""

    def __init__(self) -> None:
        super().__init__()
        self._arranged: dict[LineList, str] = {}
        self._last_sorted: dict[str, _Sorted] = {}

    def arrangeable(self, name: str, *lists: LineList, home: Arrangement = Arrangement()) -> None:  # noqa: B008
        """These lists are one that can be arranged, known by this name; called before they are shown.

        Args:
            name: in the configuration.
            lists: with the same columns.
            home: how it is shown where nobody wants it otherwise.
        """
        self.host.arrangements.begin(name, home)
        for rows in lists:
            self._arranged[rows] = name
            # in a replay the keys of a sort are those of its speed: there `:sort` does it
            keys = [key for key in ARRANGE_KEYS if not (isinstance(self.host.source, Playback) and key in SORT_KEYS)]
            rows._bindings = BindingsMap.merge([rows._bindings, BindingsMap(keys)])
            self._arrange(rows)

    @property
    def _kept(self) -> Arrangements:
        return self.host.arrangements

    def arrangement(self, name: str) -> Arrangement:
        """How a list is wanted."""
        return self._kept.of(name, self.host.settings.profile)

    def _arrange(self, rows: LineList) -> None:
        wanted = self.arrangement(self._arranged[rows])
        rows.arrange_columns(wanted.shown_of(rows.columns), wanted.order.column, reverse=wanted.order.reverse)

    # for whoever shows rows

    def in_order(
        self, rows: LineList, items: Sequence[Any], value: Value | None = None, *, leading: int = 0
    ) -> Sequence[Any]:
        """The items of a list, sorted as it is wanted; once for each order and each sequence of them.

        Args:
            rows: the list.
            items: in its own order: rows, or what they are made of.
            value: what an item is sorted by; None where these are rows.
            leading: so many of them stand first whatever the order: what must not get out of sight.
        """
        name = self._arranged[rows]
        order = self.arrangement(name).order
        place = next((at for at, one in enumerate(rows.columns) if one.known_as == order.column), -1)
        if not order.column or place < 0:
            return items
        last = self._last_sorted.get(name)
        if last is not None and last.order == order and (last.items is items or last.items == items):
            return last.rows
        column = order.column
        by = (lambda one: grid_value(one, place, column)) if value is None else (lambda one: value(one, column))
        ranked = in_order(items[leading:], by, falls=rows.columns[place].falls != order.reverse)
        ranked = (*items[:leading], *ranked)
        self._last_sorted[name] = _Sorted(items, order, ranked)
        return ranked

    # keys and words

    def on_arrange_asked(self, event: ArrangeAsked) -> None:
        """A key of a list that can be arranged."""
        event.stop()
        rows = self.current_list
        if rows is None or rows not in self._arranged:
            return
        if event.what == "sort":
            wanted = self.arrangement(self._arranged[rows])
            self.rearrange(rows, wanted.sorted_by_next(rows.columns, event.step, self._home(rows).order))
            self._say_order(rows)
        elif event.what == "reverse":
            self.reverse(rows)
        else:
            self.choose_columns()

    def _home(self, rows: LineList) -> Arrangement:
        return self._kept.home(self._arranged[rows])

    def reverse(self, rows: LineList) -> None:
        """Sorted the other way round."""
        wanted = self.arrangement(self._arranged[rows])
        if not wanted.order.column:
            self.say(f"It is in its own order; {self._key('list.sort')} sorts it by a column.", "info")
            return
        self.rearrange(rows, wanted.reversed())
        self._say_order(rows)

    def rearrange(self, rows: LineList, wanted: Arrangement) -> None:
        """Show a list as it is wanted from now on, and keep that in mind."""
        name = self._arranged[rows]
        untouched = isinstance(rows, Grid) and (rows.following or rows.at_first)
        self._kept.keep(name, self.host.settings.profile, wanted)
        for one, known in self._arranged.items():
            if known == name:
                self._arrange(one)
        self.show_again()
        if isinstance(rows, Grid) and rows.following:
            rows.move_to(max(0, rows.shown - 1))
        elif isinstance(rows, Grid) and untouched:  # whoever has chosen a row keeps it
            rows.move_to(0)

    def show_again(self) -> None:
        """Draw what is shown, otherwise."""
        raise NotImplementedError

    def order_text(self, rows: LineList, own: str) -> str:
        """What its rows are sorted by, for its title; its own order where nobody sorted them."""
        order = self.arrangement(self._arranged[rows]).order
        return f"sorted by {order.column}" if order.column else own

    def _say_order(self, rows: LineList) -> None:
        order = self.arrangement(self._arranged[rows]).order
        column = next((one for one in rows.columns if order.column and one.known_as == order.column), None)
        if column is None:
            self.say("In its own order again.", "info")
            return
        sign = FALLS if column.falls != order.reverse else RISES
        self.say(f"Sorted by {column.known_as} {sign}; {self._key('list.reverse')} turns it round.", "info")

    def _key(self, name: str) -> str:
        return next(self.host.key_text(key) for key in ARRANGE_KEYS if key.id == name)

    def _arrangeable_now(self) -> LineList | None:
        """The list with the keys, where it can be arranged; else that is said."""
        rows = self.current_list
        if rows is not None and rows in self._arranged:
            return rows
        self.say("The list with the keys has one order, and all of its columns.", "info")
        return None

    def choose_columns(self) -> None:
        """One column after the other, until escape."""
        if (rows := self._arrangeable_now()) is not None:
            self.host.run_worker(self._choose(rows), group="columns", exit_on_error=False, exclusive=True)

    async def _choose(self, rows: LineList) -> None:
        from console.screens.parts.dialogs import ChoiceScreen

        offered = [column for column in rows.columns if column.known_as and not column.always]
        chosen = offered[0].known_as if offered else ""
        while chosen and rows.is_attached:
            wanted = self.arrangement(self._arranged[rows])
            shown = wanted.shown_of(rows.columns)
            choices = [
                (one.known_as, f"{'✔' if one.known_as in shown else ' '} {one.help or _what(one)}") for one in offered
            ]
            chosen = await self.host.ask(ChoiceScreen("Columns", choices, chosen=chosen))
            if chosen and rows.is_attached:
                self.rearrange(rows, wanted.toggled(rows.columns, chosen, self._home(rows).order))

    def sort_by(self, words: Sequence[str]) -> None:
        """`:sort COLUMN [reverse]`: a column's name may have spaces; none names what there is."""
        rows = self._arrangeable_now()
        if rows is None:
            return
        wanted = self.arrangement(self._arranged[rows])
        backwards = len(words) > 1 and words[-1] in REVERSE_WORDS
        asked = " ".join(words[:-1] if backwards else words)
        names = names_of(rows.columns)
        fitting = [name for name in names if name.casefold() == asked.casefold()]
        if not asked or not fitting:
            self.say(f"sort: by which column? {', '.join(names)}.", "info" if not asked else "warn", 30)
            return
        shown = wanted.shown_of(rows.columns)
        columns = wanted.columns if fitting[0] in shown else (*shown, fitting[0])
        self.rearrange(rows, Arrangement(columns, Order(fitting[0], backwards)))
        self._say_order(rows)


def _what(column: Column) -> str:
    return column.title if column.title != column.known_as else ""
