"""Prices of decisions, where a record states them: by currency, exact, never summed over two, and never zero where none
is stated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Final, NamedTuple

from console.domain.errors import UsageError
from console.domain.text import clean

MAX_CURRENCIES: Final = 16
"""Beyond so many currencies a difference is not priced: they come from outside."""
_DIGITS: Final = 30
_FRACTION: Final = 59
_EXACT: Final = Context(prec=140, traps=[InvalidOperation, Inexact, Overflow])
_MISSING: Final = object()


class Money(NamedTuple):
    """An amount.

    Args:
        amount: exact.
        currency: empty where none is stated.
    """

    amount: Decimal
    currency: str


class Paths(NamedTuple):
    """Where in a record its outcome lies, as the settings of logs say; an empty path is nowhere.

    Args:
        pnl, currency, dry: what it earned, in what, and whether it moved no money.
        latency: how long it took.
    """

    pnl: str = "output.pnl"
    currency: str = "output.currency"
    dry: str = "output.dry"
    latency: str = "latency_ms"


DEFAULT_PATHS: Final = Paths()
"""Where they lie if nothing else is said."""


@dataclass(slots=True)
class Sums:
    """Money by currency; whoever adds bounds how many there are."""

    by_currency: dict[str, Decimal] = field(default_factory=dict)

    def add(self, currency: str, amount: Decimal) -> None:
        """One amount more."""
        self.by_currency[currency] = _EXACT.add(self.by_currency.get(currency, Decimal(0)), amount)

    def take_in(self, other: Sums) -> None:
        """All of another one's."""
        for currency, amount in other.by_currency.items():
            self.add(currency, amount)


def difference(one: Decimal, other: Decimal) -> Decimal:
    """One less the other, exact."""
    return _EXACT.subtract(one, other)


def money_in(record: object, paths: Paths) -> Money | None:
    """What a record says that it earned; None where it states nothing, nothing that is money, or moved none."""
    stated = value_at(record, paths.pnl)
    if value_at(record, paths.dry) is True or isinstance(stated, bool) or not isinstance(stated, str | int | Decimal):
        return None
    amount = _amount(stated)
    currency = value_at(record, paths.currency)
    return None if amount is None else Money(amount, str(clean(currency, 16)) if isinstance(currency, str) else "")


def parse_money(text: str) -> Money:
    """`5 USD`: a largest loss.

    Raises:
        UsageError: it is no amount of 0 or more with its currency.
    """
    words = text.split()
    amount = _amount(words[0]) if len(words) == 2 else None
    if amount is None or amount < 0:
        raise UsageError(f"{clean(text, 40)!r} is no amount.", 'Write it with its currency: "5 USD".')
    return Money(amount, str(clean(words[1], 16)))


def is_stated(record: object, path: str) -> bool:
    """Whether a record holds something at a path."""
    return value_at(record, path) is not _MISSING


def value_at(record: object, path: str) -> object:
    """What stands at a path of names joined by dots; something that is nothing else where there is none."""
    if not path:
        return _MISSING
    for name in path.split("."):
        if not isinstance(record, Mapping) or name not in record:
            return _MISSING
        record = record[name]
    return record


def without(record: Mapping[str, object], path: str) -> Mapping[str, object]:
    """The record without what stands at a path; the record itself is not changed."""
    head, _, rest = path.partition(".")
    if head not in record:
        return record
    inner = record[head]
    if rest and not isinstance(inner, Mapping):
        return record
    kept = {name: value for name, value in record.items() if name != head or rest}
    if rest:
        assert isinstance(inner, Mapping)
        kept[head] = without(inner, rest)
    return kept


def _amount(stated: str | int | Decimal) -> Decimal | None:
    """An amount that can be summed exactly."""
    if isinstance(stated, str) and len(stated) > 128:
        return None
    try:
        amount = Decimal(stated)
    except (InvalidOperation, ValueError):
        return None
    if not amount.is_finite():
        return None
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int)
    return amount if amount.adjusted() < _DIGITS and exponent >= -_FRACTION else None
