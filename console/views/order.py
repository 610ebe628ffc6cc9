"""What the rows of a list are sorted by: values, never the texts that stand for them, where the two differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from math import isnan
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar

Item = TypeVar("Item")
By = Mapping[str, Any]
"""A row's values by column, of those whose text does not sort by itself; None is not known."""

NO_VALUES: Final[By] = MappingProxyType({})
_NOTHING: Final = frozenset({"", "–"})
"""Cells that say that there is nothing, or that it is not known."""


class Order(NamedTuple):
    """What the rows are sorted by.

    Args:
        column: its name; empty for the order in which they are given.
        reverse: against its usual direction.
    """

    column: str = ""
    reverse: bool = False


def in_order(items: Iterable[Item], value: Callable[[Item], Any], *, falls: bool) -> tuple[Item, ...]:
    """The items sorted, as they are given where they are alike, and what is not known last whatever the direction.

    Args:
        items: in the order of the list.
        value: what an item is sorted by; None, or no number, is not known. Values of several kinds are kept apart.
        falls: whether the largest stands first.
    """
    known: list[tuple[Any, Item]] = []
    unknown: list[Item] = []
    for item in items:
        key = _comparable(value(item))
        if key is None:
            unknown.append(item)
        else:
            known.append((key, item))
    try:
        ranked = sorted(known, key=itemgetter(0), reverse=falls)
    except TypeError:  # of several kinds: each by itself
        ranked = sorted(known, key=lambda pair: (type(pair[0]).__name__, pair[0]), reverse=falls)
    return (*(item for _key, item in ranked), *unknown)


def text_value(cell: str) -> str | None:
    """What a cell is sorted by that has no value: its letters, large or small; None where it says nothing."""
    text = cell.strip()
    return None if text in _NOTHING else text.casefold()


def money_value(amount: Decimal | None, currency: str) -> tuple[str, Decimal] | None:
    """What an amount is sorted by: never compared with one of another currency."""
    return None if amount is None or amount.is_nan() else (currency, amount)


def _comparable(value: Any) -> Any:
    if isinstance(value, Decimal):
        return None if value.is_nan() else value
    return None if isinstance(value, float) and isnan(value) else value
