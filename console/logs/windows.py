"""What the logs say of each version and each slot, kept up row by row in constant memory.

The same rows give the same statistics in whatever blocks they are read; only the latency quantiles depend on their
order, since they are taken over the newest rows. A row stamped more than FUTURE_S after the reader's clock counts at
the time it was read: one bad clock neither empties the last 24 hours nor stretches every series to the year 9999.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, localcontext
from itertools import chain, compress
from operator import itemgetter
from types import NoneType
from typing import Final, TypeVar, cast

from console.domain.observation import VersionReading
from console.domain.text import Safe, clean
from console.logs.ledger import WINDOW_BUCKETS, WINDOW_SHIFT, Ledger
from console.logs.money import EXACT
from console.logs.options import SLOTS, LogOptions
from console.logs.parse import Output, Parsed, version_text
from console.logs.tally import RATE_WINDOW_S, Tally

MAX_VERSIONS: Final = 64
MAX_LEDGERS: Final = 192
"""Over all versions and slots; a version trades in one currency or a few, dry or live."""
MAX_LEDGERS_EACH: Final = 8
MAX_VERSIONS_COUNTED: Final = 4096
"""How many further versions are told apart to be counted."""
FUTURE_S: Final = 300
VERSION_LIMIT: Final = 64
CURRENCY_LIMIT: Final = 16
_MAX_CACHED: Final = 1024
_FEW: Final = 4

_Key = tuple[str | int, str | None]
_Kind = tuple[str | None, bool | None]
_T = TypeVar("_T")


_Open = Callable[[Tally, Safe, bool], Ledger | None]


class Windows:
    """Statistics by version and by slot."""

    def __init__(self, options: LogOptions) -> None:
        self._options = options
        self._versions: dict[str, Tally] = {}
        self._slots: dict[str, Tally] = {}
        self._more: set[int] = set()
        self._resolved: dict[_Key, tuple[list[Tally], str]] = {}
        self._ledgers = 0
        self._newest_s = 0.0
        self._horizon = 0

    @property
    def versions_more(self) -> int:
        """How many versions beyond MAX_VERSIONS were seen (up to MAX_VERSIONS_COUNTED)."""
        return len(self._more)

    def add(self, parsed: Parsed, now_s: float) -> int:
        """Take in the accepted records of a block.

        Args:
            parsed: at least one record.
            now_s: the reader's clock, epoch seconds.

        Returns:
            How many records stated a PnL that could not be kept, because their version or slot already has as many
            currencies as are kept apart.
        """
        self._advance(min(max(parsed.times), now_s))
        versions = [record.agent_version for record in parsed.records]
        stated = [record.slot for record in parsed.records]
        latencies = [record.latency_ms for record in parsed.records]
        with localcontext(EXACT):
            if len(set(versions)) == 1 and len(set(stated)) == 1:
                tallies, slot = self._resolve((versions[0], stated[0]))
                for tally in tallies:
                    tally.latencies.extend(_stated(latencies))
                return _add_rows(tallies, slot, parsed.times, parsed.outputs, now_s, self._horizon, self._open)
            return self._add_groups(_places(versions, stated), parsed, latencies, now_s)

    def _add_groups(
        self, places: dict[_Key, list[int]], parsed: Parsed, latencies: list[float | None], now_s: float
    ) -> int:
        lost = 0
        touched: dict[Tally, list[list[int]]] = {}
        for key in sorted(places, key=lambda key: places[key][-1]):  # so that the slot of a version's last row stays
            where = places[key]
            tallies, slot = self._resolve(key)
            times, outputs = _pick(parsed.times, where), _pick(parsed.outputs, where)
            lost += _add_rows(tallies, slot, times, outputs, now_s, self._horizon, self._open)
            for tally in tallies:
                touched.setdefault(tally, []).append(where)
        picked = {id(where): _stated(_pick(latencies, where)) for where in places.values()}
        for tally, wheres in touched.items():
            if len(wheres) == 1:
                tally.latencies.extend(picked[id(wheres[0])])
            else:
                tally.latencies.extend(_stated(_pick(latencies, sorted(chain.from_iterable(wheres)))))
        return lost

    def tick(self, now_s: float) -> bool:
        """Let what depends on the clock follow it; whether anything changed."""
        second = int(now_s)
        return sum(tally.tick(second) for tally in self._all()) > 0

    def by_version(self) -> dict[str, VersionReading]:
        """The first MAX_VERSIONS versions, in the order in which they appeared."""
        with localcontext(EXACT):
            return {name: tally.reading() for name, tally in self._versions.items()}

    def by_slot(self) -> dict[str, VersionReading]:
        """Blue and green, as far as any record belongs to them."""
        with localcontext(EXACT):
            return {slot: self._slots[slot].reading() for slot in SLOTS if slot in self._slots}

    def _all(self) -> Iterable[Tally]:
        return (*self._versions.values(), *self._slots.values())

    def _advance(self, newest_s: float) -> None:
        self._newest_s = max(self._newest_s, newest_s)
        horizon = (int(self._newest_s) >> WINDOW_SHIFT) - WINDOW_BUCKETS + 1
        if horizon > self._horizon:
            self._horizon = horizon
            with localcontext(EXACT):
                for tally in self._all():
                    tally.expire(horizon)

    def _open(self, tally: Tally, currency: Safe, dry: bool) -> Ledger | None:
        if self._ledgers >= MAX_LEDGERS or len(tally.ledgers) >= MAX_LEDGERS_EACH:
            return None
        self._ledgers += 1
        ledger = tally.ledgers[currency, dry] = Ledger(currency, dry)
        return ledger

    def _resolve(self, key: _Key) -> tuple[list[Tally], str]:
        """The tallies that a record counts in, and its slot."""
        found = self._resolved.get(key)
        if found is None:
            name = clean(version_text(key[0]), VERSION_LIMIT)
            slot = self._options.slot_of(version_text(key[0]), key[1])
            tallies = []
            version = self._versions.get(name)
            if version is None and len(self._versions) < MAX_VERSIONS:
                version = self._versions[name] = Tally(name, slot)
            if version is not None:
                tallies.append(version)
            elif len(self._more) < MAX_VERSIONS_COUNTED:
                self._more.add(hash(name))
            if slot:
                tallies.append(self._slots.setdefault(slot, Tally(Safe(slot), slot)))
            found = tallies, slot
            if len(self._resolved) < _MAX_CACHED and len(name) < VERSION_LIMIT:
                self._resolved[key] = found
        return found


def _places(versions: Sequence[str | int], stated: Sequence[str | None]) -> dict[_Key, list[int]]:
    """Which rows have which version and stated slot."""
    distinct = set(versions)
    if len(set(stated)) == 1 and len(distinct) <= _FEW:
        rows = range(len(versions))
        return {
            (wanted, stated[0]): list(compress(rows, [version == wanted for version in versions]))
            for wanted in distinct
        }
    places: dict[_Key, list[int]] = {}
    for place, key in enumerate(zip(versions, stated, strict=True)):
        places.setdefault(key, []).append(place)
    return places


def _add_rows(
    tallies: Sequence[Tally],
    slot: str,
    times: Sequence[float],
    outputs: Sequence[Output],
    now_s: float,
    horizon: int,
    open_ledger: _Open,
) -> int:
    first_s, last_s = min(times), max(times)
    latest = now_s + FUTURE_S
    placed = times if last_s <= latest else [time if time <= latest else now_s for time in times]
    seconds = list(map(int, placed))
    since = int(now_s) - RATE_WINDOW_S
    arrivals = Counter([second for second in seconds if second > since]) if last_s >= since else Counter()
    for tally in tallies:
        tally.count(len(times), first_s, last_s, arrivals, slot)
    amounts = [output.pnl for output in outputs]
    currencies, dries = {output.currency for output in outputs}, {output.dry for output in outputs}
    if len(currencies) > 1 or len(dries) > 1 or NoneType in set(map(type, amounts)):
        return _add_mixed_money(tallies, seconds, outputs, horizon, open_ledger)
    kind = currencies.pop(), dries.pop()
    return _add_money(tallies, kind, seconds, cast("list[Decimal]", amounts), horizon, open_ledger)


def _add_mixed_money(
    tallies: Sequence[Tally], seconds: Sequence[int], outputs: Sequence[Output], horizon: int, open_ledger: _Open
) -> int:
    kinds: dict[_Kind, tuple[list[int], list[Decimal]]] = {}
    for second, output in zip(seconds, outputs, strict=True):
        if output.pnl is not None:
            of_kind = kinds.setdefault((output.currency, output.dry), ([], []))
            of_kind[0].append(second)
            of_kind[1].append(output.pnl)
    return sum(_add_money(tallies, kind, *rows, horizon, open_ledger) for kind, rows in kinds.items())


def _add_money(
    tallies: Sequence[Tally],
    kind: _Kind,
    seconds: Sequence[int],
    amounts: Sequence[Decimal],
    horizon: int,
    open_ledger: _Open,
) -> int:
    currency, dry = clean(kind[0] or "", CURRENCY_LIMIT), bool(kind[1])
    first, last = min(seconds), max(seconds)
    ledgers = []
    for tally in tallies:
        ledger = tally.ledgers.get((currency, dry)) or open_ledger(tally, currency, dry)
        if ledger is not None:
            ledger.cover(first, last)
            ledgers.append(ledger)
    if ledgers:
        shift = min(WINDOW_SHIFT, *(ledger.shift for ledger in ledgers))
        sums = _sums_by_bucket(seconds, amounts, shift)
        for ledger in ledgers:
            ledger.add(sums, shift, len(amounts), horizon)
    return len(amounts) if len(ledgers) < len(tallies) else 0


def _sums_by_bucket(seconds: Sequence[int], amounts: Sequence[Decimal], shift: int) -> dict[int, Decimal]:
    sums: dict[int, Decimal] = defaultdict(Decimal)
    buckets = (seconds[-1] >> shift) - (seconds[0] >> shift) + 1
    if buckets * 4 > len(seconds) or seconds != sorted(seconds):
        for second, amount in zip(seconds, amounts, strict=True):
            sums[second >> shift] += amount
        return sums
    start = 0
    while start < len(seconds):  # rows in the order of time, many to a bucket: sum whole runs
        bucket = seconds[start] >> shift
        end = bisect_left(seconds, (bucket + 1) << shift, start)
        sums[bucket] = sum(amounts[start:end], sums[bucket])
        start = end
    return sums


def _pick(column: Sequence[_T], where: Sequence[int]) -> Sequence[_T]:
    if len(where) == 1:
        return (column[where[0]],)
    picked: tuple[_T, ...] = itemgetter(*where)(column)
    return picked


def _stated(latencies: Iterable[float | None]) -> list[float]:
    return [latency for latency in latencies if latency is not None and latency >= 0.0]
