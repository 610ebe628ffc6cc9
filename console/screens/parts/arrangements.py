"""How somebody wants each list: its columns and its order; kept by profile, and begun by the configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from console.domain.errors import UsageError
from console.domain.text import clean
from console.views.order import Order
from widgets.lists.arranging import names_of
from widgets.lists.columns import Column


class Arrangement(NamedTuple):
    """How one list is wanted.

    Args:
        columns: the names of those that are shown, in this order; empty for all.
        order: what its rows are sorted by.
    """

    columns: tuple[str, ...] = ()
    order: Order = Order()

    def shown_of(self, columns: Sequence[Column]) -> tuple[str, ...]:
        """The names of those that are shown; a column that says which row it is always is."""
        names = names_of(columns)
        shown = [name for name in dict.fromkeys(self.columns) if name in names]
        always = [column.known_as for column in columns if column.always and column.known_as not in shown]
        return (*always, *shown) if shown else names

    def sorted_by_next(self, columns: Sequence[Column], step: int, home: Order) -> Arrangement:
        """Sorted by the next of the columns that are shown, or the one before; behind the last comes the list's own
        order again.

        Args:
            columns: of the list.
            step: 1 or -1.
            home: its own order.
        """
        names = self.shown_of(columns)
        ways = names if home.column in names else ("", *names)
        at = ways.index(self.order.column) if self.order.column in ways else -max(0, step)
        return self._replace(order=Order(ways[(at + step) % len(ways)]))

    def reversed(self) -> Arrangement:
        """Sorted the other way round."""
        return self._replace(order=self.order._replace(reverse=not self.order.reverse))

    def toggled(self, columns: Sequence[Column], name: str, home: Order) -> Arrangement:
        """A column more, at its usual place, or less; the last one that is shown stays."""
        names, shown = names_of(columns), self.shown_of(columns)
        wanted = tuple(one for one in names if (one in shown) != (one == name))
        if not wanted:
            return self
        kept = self.order.column in wanted or not self.order.column
        return Arrangement(wanted, self.order if kept else home if home.column in wanted else Order())


class Arrangements:
    """Every list's, of each profile that the console is attached to.

    Args:
        configured: list → its columns, as the configuration says.
    """

    def __init__(self, configured: Mapping[str, Sequence[str]]) -> None:
        self._configured = {name: tuple(columns) for name, columns in configured.items() if columns}
        self._homes: dict[str, Arrangement] = {}
        self._wanted: dict[tuple[str, str], Arrangement] = {}

    def begin(self, name: str, home: Arrangement) -> None:
        """How a list is shown where nobody wants it otherwise."""
        columns = self._configured.get(name, home.columns)
        self._homes[name] = Arrangement(columns, home.order if not columns or home.order.column in columns else Order())

    def home(self, name: str) -> Arrangement:
        """How a list begins."""
        return self._homes.get(name, Arrangement())

    def of(self, name: str, profile: str) -> Arrangement:
        """How a list is wanted."""
        return self._wanted.get((profile, name)) or self.home(name)

    def keep(self, name: str, profile: str, wanted: Arrangement) -> None:
        """It is wanted so from now on."""
        self._wanted[profile, name] = wanted


def checked_columns(
    configured: Mapping[str, Sequence[str]], lists: Mapping[str, Sequence[Column]]
) -> Mapping[str, Sequence[str]]:
    """The columns as configured, if all of them are there.

    Args:
        configured: list → names of columns.
        lists: every list that can be arranged.

    Raises:
        UsageError: a list or a column is unknown; everything that is wrong is said in one message.
    """
    problems: list[str] = []
    for name, columns in configured.items():
        if name not in lists:
            problems.append(f"there is no list {clean(name, 40)!r}; the lists are: {', '.join(lists)}")
            continue
        known = names_of(lists[name])
        unknown = [repr(clean(column, 40)) for column in columns if column not in known]
        if unknown:
            problems.append(f"{name} has no column {', '.join(unknown)}; its columns are: {', '.join(known)}")
    if problems:
        raise UsageError(f"[ui.columns]: {'; '.join(problems)}.", "Mend or remove them.")
    return configured
