"""Which of its columns a list shows, in which order, and what its rows are sorted by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.binding import Binding
from textual.message import Message

from widgets.lists.columns import Column
from widgets.text.plain import width_of

RISES, FALLS = "↑", "↓"


def _key(key: str, what: str, label: str, id: str, tooltip: str) -> Binding:
    return Binding(key, f"ask({what})", label, id=id, show=False, tooltip=tooltip)


SORT_KEYS: Final = (
    _key("greater_than_sign", "'sort', 1", "Sort", "list.sort", "Sort by the next column"),
    _key("less_than_sign", "'sort', -1", "Sort", "list.sort_back", "Sort by the column before"),
)
ARRANGE_KEYS: Final = (
    *SORT_KEYS,
    _key("I", "'reverse', 0", "Reverse", "list.reverse", "Sort the other way round"),
    _key("C", "'columns', 0", "Columns", "list.columns", "Choose the columns"),
)
"""Of a list whose rows can be sorted; whoever holds the list binds them."""


class ArrangeAsked(Message):
    """Somebody wants a list arranged otherwise.

    Args:
        what: "sort", "reverse" or "columns".
        step: of a sort: to the next column, or the one before.
    """

    def __init__(self, what: str, step: int = 0) -> None:
        super().__init__()
        self.what, self.step = what, step


def names_of(columns: Sequence[Column]) -> tuple[str, ...]:
    """The columns that can be chosen, as declared."""
    return tuple(column.known_as for column in columns if column.known_as)


def chosen_of(columns: Sequence[Column], names: Sequence[str]) -> tuple[int, ...]:
    """The places of the columns to show, in this order; those without a name stay before or behind all others.

    Args:
        columns: as declared.
        names: of those that are wanted; empty for all. Unknown ones are passed over.
    """
    places = {column.known_as: place for place, column in enumerate(columns) if column.known_as}
    wanted = [places[name] for name in dict.fromkeys(names) if name in places] or list(places.values())
    first = min(places.values(), default=0)
    nameless = [place for place, column in enumerate(columns) if not column.known_as]
    return (*(p for p in nameless if p < first), *wanted, *(p for p in nameless if p >= first))


def signed(columns: Sequence[Column], sort: str, *, reverse: bool = False) -> tuple[Column, ...]:
    """The columns, the one that is sorted by with its sign; it is wide enough for that, and never left out."""
    return tuple(_signed(column, reverse=reverse) if sort and column.known_as == sort else column for column in columns)


def _signed(column: Column, *, reverse: bool) -> Column:
    title = f"{column.title}{FALLS if column.falls != reverse else RISES}"
    width = max(column.width, width_of(title)) if column.width else 0
    return column._replace(title=title, width=width, name=column.known_as, priority=0)
