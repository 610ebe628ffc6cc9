"""What was earned in 24 hours and since the last switch: exact, or said to be counted still; never a part of it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from console.domain.seen.earned import Counted
from console.domain.seen.observation import PnlTotal
from console.views.cover import is_whole_day, since_text


class Cover(StrEnum):
    """What a figure over 24 hours is of."""

    EXACT = "exact"
    COUNTING = "counting"
    """Whole logs are being counted; the figure covers what was read of their ends."""
    PART = "part"
    """Nobody counts whole logs, or one of them can't be read; the figure covers what was read of their ends."""


class DayFigure(NamedTuple):
    """Profit and loss over 24 hours.

    Args:
        cover: what it is of.
        amount: of these 24 hours where it is exact, of what was read where not.
        label: `24 h`, or `since 13:05` where it is a part.
        share: how much of the logs is counted, from 0 to 1.
    """

    cover: Cover
    amount: Decimal
    label: str
    share: float = 1.0


def day_figure(total: PnlTotal, slot: str, since: datetime | None, now: datetime, counted: Counted | None) -> DayFigure:
    """One currency's profit and loss over 24 hours.

    Args:
        total: of the lines that were read.
        since: from when on all was read.
        counted: exact sums over whole logs; None where nobody counts them.
    """
    if is_whole_day(since, now):
        return DayFigure(Cover.EXACT, total.last_24h, "24 h")
    exact = counted.of_day(slot, total.currency, dry=total.dry) if counted is not None else None
    if exact is not None:
        return DayFigure(Cover.EXACT, exact.amount, "24 h")
    if counted is not None and not counted.problem:
        return DayFigure(Cover.COUNTING, total.last_24h, "24 h", counted.share)
    return DayFigure(Cover.PART, total.last_24h, since_text(since, now))


def counting_text(share: float) -> str:
    """That whole logs are being counted, and how far: `counting… 43 %`."""
    return f"counting… {int(share * 100)} %" if share > 0.0 else "counting…"
