"""Exact sums of money: the contexts in which nothing is ever rounded, and which amounts are taken for money at all."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, localcontext
from typing import Final

INTEGER_DIGITS: Final = 30
FRACTION_DIGITS: Final = 59
"""An amount of 10^30 or more, or one with more than 59 digits after the point, is no money: summing such amounts
exactly could cost any amount of memory (1e999999 plus 1e-999999 has two million digits)."""

_LOUD: Final = (InvalidOperation, Inexact, Overflow)
EXACT: Final = Context(prec=140, traps=list(_LOUD))
"""Holds the sum of 10^50 amounts without rounding; would it have to round, it raises."""

_SCREEN: Final = Context(prec=FRACTION_DIGITS + 1, Emax=INTEGER_DIGITS - 1, Emin=0, traps=list(_LOUD))
_ROUNDING: Final = Context(prec=140, traps=[InvalidOperation, Overflow])
_GRID: Final = Decimal(1).scaleb(-FRACTION_DIGITS)


def is_money(amount: Decimal) -> bool:
    """Whether the amount is finite, below 10^30, and has at most 59 digits after the point."""
    if not amount.is_finite():
        return False
    if not amount:
        return True
    if amount.adjusted() >= INTEGER_DIGITS or amount.adjusted() < -FRACTION_DIGITS:
        return False
    return amount == amount.quantize(_GRID, context=_ROUNDING)


def surely_money(amounts: Sequence[Decimal]) -> bool:
    """Whether all amounts pass `is_money`, found out in one fast sum; False can also mean: ask them one by one.

    The sum of the magnitudes overflows, would have to be rounded, or is not finite if any single amount is out of
    range.
    """
    with localcontext(_SCREEN):
        try:
            return sum(map(abs, amounts), Decimal(0)).is_finite()
        except DecimalException:
            return False
