"""A stretch of whole lines, and what is in it: enough to leave it unread, or to have its sums without reading it.

Everything in a block is exact. What would not fit (very many versions, types or currencies) is left out as a whole, and
the stretch is read where that would have to tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any, Final

import msgspec

from console.logs.lines.money import EXACT
from console.logs.lines.parse import Parsed, version_text

FEW: Final = 64
"""Of versions, types and sums that a block names one by one."""
LONGEST: Final = 200
"""Characters of a name that is kept."""

_Who = tuple[str, str | None]
"""A version, and the slot that its record states."""


class Sum(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Money of one version, slot and currency.

    Args:
        version, slot: as the records state them.
        currency: as stated; None where none is.
        dry: whether no real money moved.
        rounds: that state a PnL.
        total, least, most: of these.
    """

    version: str
    slot: str | None
    currency: str | None
    dry: bool
    rounds: int
    total: Decimal
    least: Decimal
    most: Decimal


class Block(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a stretch of a file holds.

    Args:
        start, end: of its bytes; complete lines.
        rows: accepted records.
        refused: lines that are none.
        bad_pnl: records whose PnL is no amount of money; they state none.
        first_s, last_s: the earliest and the latest time in it, epoch seconds; both 0 where it has no rows.
        who: versions with the slots they state; None where there are more than `FEW`.
        kinds: decision types; None where there are more than `FEW`.
        sums: money; None where there would be more than `FEW`.
        crc: of its bytes without the last newline; None where it was not taken.
    """

    start: int
    end: int
    rows: int
    refused: int
    bad_pnl: int
    first_s: float
    last_s: float
    who: tuple[_Who, ...] | None
    kinds: tuple[str, ...] | None
    sums: tuple[Sum, ...] | None
    crc: int | None = None


def block_of(parsed: Parsed, start: int, end: int, bad_pnl: int, refused: int) -> Block:
    """What was parsed of the bytes from start to end.

    Args:
        parsed: the lines.
        bad_pnl, refused: see `Block`; what was too long to be parsed counts among the refused.
    """
    if not len(parsed):
        return Block(start, end, 0, refused, bad_pnl, 0.0, 0.0, (), (), ())
    versions: Any = parsed.versions
    if set(map(type, versions)) != {str}:
        versions = [version if isinstance(version, str) else version_text(version) for version in versions]
    who: Any = set(zip(versions, parsed.slots, strict=True))
    kinds: Any = set(parsed.kinds)
    return Block(
        start,
        end,
        len(parsed),
        refused,
        bad_pnl,
        min(parsed.times),
        max(parsed.times),
        _few(who, lambda one: len(one[0]) + len(one[1] or "")),
        _few(kinds, len),
        sums_of(versions, parsed),
    )


def _few(names: set[Any], size: Any) -> tuple[Any, ...] | None:
    if len(names) > FEW or max(map(size, names)) > LONGEST:
        return None
    return tuple(sorted(names, key=str))


def sums_of(versions: Sequence[str], parsed: Parsed) -> tuple[Sum, ...] | None:
    """The money in a block; None where it is of too many kinds."""
    places: defaultdict[Any, list[Decimal]] = defaultdict(list)
    keys = zip(versions, parsed.slots, parsed.currencies, parsed.dries, strict=True)
    for key, amount in zip(keys, parsed.amounts, strict=True):
        if amount is not None:
            places[key].append(amount)
    if len(places) > FEW:
        return None
    with localcontext(EXACT):
        sums = tuple(
            Sum(version, slot, currency, bool(dry), len(amounts), sum(amounts, Decimal(0)), min(amounts), max(amounts))
            for (version, slot, currency, dry), amounts in places.items()
        )
    fits = all(len(one.version) + len(one.slot or "") + len(one.currency or "") <= 2 * LONGEST for one in sums)
    return sums if fits else None
