"""How numbers, times, ages and money are written: the same on every screen, in every export and in every message."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from math import isfinite
from typing import Final

from console.domain.document import FORM

MINUS: Final = "−"
_LARGEST_EXPONENT: Final = 15
_SMALL: Final = Decimal("0.1")
_MOST_PLACES: Final = 18
_AMOUNT_CELLS: Final = 16
_MILLION: Final = Decimal(1_000_000)


def age_text(seconds: float) -> str:
    """An age or a duration in at most six characters: `0.3 s`, `47 s`, `12 min`, `5 h`, `3 d`.

    Args:
        seconds: how long; what is negative is shown as zero (clocks differ by a little).
    """
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 99.5 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} d"


def clock_text(seconds: float) -> str:
    """A countdown in at most nine characters, whose width does not change from second to second: `0:03:12`,
    `23:59:59`, `4 d 03 h`; `−0:03:12` once it is over.

    Args:
        seconds: until then; negative for over.
    """
    whole = int(abs(seconds))
    sign = MINUS if seconds <= -1 else ""
    if whole >= 86_400:
        return f"{sign}{min(9999, whole // 86_400)} d {whole % 86_400 // 3_600:02d} h"
    return f"{sign}{whole // 3_600}:{whole % 3_600 // 60:02d}:{whole % 60:02d}"


def milliseconds_text(value: float | None) -> str:
    """A latency: `0.4 ms`, `41 ms`, `2.3 s`; `–` where it is not known."""
    if value is None:
        return "–"
    if value < 9.95:
        return f"{max(0.0, value):.1f} ms"
    if value < 999.5:
        return f"{value:.0f} ms"
    return f"{value / 1000:.1f} s"


def rate_text(per_second: float) -> str:
    """A rate: `3.1/s`, `240/s`; a slow one by the minute."""
    if per_second >= 9.95:
        return f"{count_text(round(per_second))}/s"
    if per_second >= 0.1 or per_second <= 0:
        return f"{max(0.0, per_second):.1f}/s"
    return f"{per_second * 60:.1f}/min"


def percent_text(share: float) -> str:
    """A share of one: `18.7 %`."""
    return f"{share * 100:.1f} %"


def effect_text(value: float) -> str:
    """A difference of two means, per unit at risk and round: `+0.0121`, `−0.0312`, `−∞`; a huge one in short."""
    if not isfinite(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    return (f"{value:+.4f}" if abs(value) < 1000 else f"{value:+.2e}").replace("-", MINUS)


def count_text(value: int) -> str:
    """A count with its thousands parted: `1,204`."""
    return f"{value:,}"


def bytes_text(value: int) -> str:
    """A size: `512 B`, `1.4 MB`."""
    size = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 9.95 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def decimal_text(value: Decimal) -> str:
    """An exact number as text for programs; an absurd exponent stays an exponent."""
    if not value.is_finite() or abs(value.adjusted()) > 2 * _LARGEST_EXPONENT:
        return str(value)
    return format(value, "f")


def money_text(value: Decimal, *, places: int = 2) -> str:
    """An amount for people: `+123.40`, `−1,204.00`, `−0.00000012`; where `places` would round too much away, with
    as many as it takes: only nothing is shown as nothing.
    """
    if not value.is_finite():
        return str(value)
    if value and not -_MOST_PLACES < value.adjusted() <= _LARGEST_EXPONENT:
        return f"{value:+.3E}".replace("-", MINUS)
    rounded = value.quantize(Decimal(1).scaleb(-_places(value, places)), ROUND_HALF_EVEN)
    return (f"{rounded:+,f}" if rounded else f"{abs(rounded):,f}").replace("-", MINUS)


def _places(value: Decimal, places: int) -> int:
    """The decimals an amount is shown with: three significant figures of a small one, as far as it has them."""
    if not value or abs(value) >= _SMALL or not value.is_finite():
        return places
    has = -int(value.normalize().as_tuple().exponent)
    if has <= places:
        return places
    least = 6 if value.adjusted() < -places else 4
    return min(_MOST_PLACES, max(places, least, min(has, 2 - value.adjusted())))


def currency_text(value: Decimal, currency: str, *, dry: bool = False) -> str:
    """An amount with its currency, for a column of mixed ones: `+3.83 USD`, `−0.00000012 BTC dry`."""
    return " ".join(part for part in (short_money_text(value), currency, "dry" if dry else "") if part)


def short_money_text(value: Decimal) -> str:
    """An amount as `money_text`; a long one in millions (`+12,345.68M`): shorter, never cut."""
    whole = money_text(value)
    if len(whole) <= _AMOUNT_CELLS or not value.is_finite() or abs(value) < _MILLION or "E" in whole:
        return whole
    return f"{money_text(value / _MILLION)}M"


def amount_text(value: Decimal) -> str:
    """An amount that is no gain and no loss: `5.00`, `1,204.00`."""
    return money_text(value).removeprefix("+")


def time_text(at: datetime, now: datetime | None = None) -> str:
    """The time of day in UTC; the month and day instead where that is not the day of `now`."""
    at = at.astimezone(UTC)
    if now is not None and at.date() != now.astimezone(UTC).date():
        return f"{at:%b %d}"
    return f"{at:%H:%M:%S}"


def iso_text(at: datetime) -> str:
    """A time as ISO 8601 in UTC with milliseconds: `2026-03-14T14:03:11.250Z`."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def finite(bound: float) -> float | None:
    """A bound for programs: JSON knows no infinity."""
    return bound if isfinite(bound) else None


TIME: Final = {FORM: iso_text}
"""In the metadata of a record's field: how a document writes a time."""


def exact_time(at: datetime) -> str:
    """A time as ISO 8601 with as many digits as it has: `2026-03-14T14:03:11.250041Z`."""
    return at.isoformat().replace("+00:00", "Z")


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun: `1 decision`, `2 decisions`."""
    return f"{count_text(count)} {one if count == 1 else many or one + 's'}"
