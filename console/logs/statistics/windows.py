"""What the logs say of each version and each slot, kept up row by row in constant memory.

The same rows give the same statistics in whatever order and blocks they are read. A row stamped more than FUTURE_S
after the reader's clock counts at the time it was read, or, where it was not read as it came, at the time of its
neighbour in the file: one bad clock neither empties the last 24 hours nor stretches every series to the year 9999.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext
from itertools import compress
from operator import itemgetter
from types import NoneType
from typing import Final, NamedTuple, TypeVar, cast

from console.domain.seen.observation import VersionReading
from console.domain.text import Safe, clean
from console.logs.lines.money import EXACT
from console.logs.lines.parse import Parsed, version_text
from console.logs.options import SLOTS, LogOptions
from console.logs.statistics.ledger import WINDOW_BUCKETS, WINDOW_SHIFT, Ledger
from console.logs.statistics.reach import Reach
from console.logs.statistics.tally import RATE_WINDOW_S, Tally

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
_T = TypeVar("_T")


_Kind = tuple[str | None, bool | None]
"""Currency, and whether no real money moved."""


class _Rows(NamedTuple):
    """Rows of one version and slot, as columns.

    Args:
        kind: of all rows, where all state a PnL and are of one kind; `kinds` says it of each row where not.
        ordered: whether they are known to be in the order of time.
    """

    times: Sequence[float]
    amounts: Sequence[Decimal | None]
    kind: _Kind | None
    kinds: Sequence[_Kind]
    ordered: bool

    @classmethod
    def of(cls, parsed: Parsed) -> _Rows:
        """All rows of a block."""
        ordered = parsed.times == sorted(parsed.times)
        currencies, dries = set(parsed.currencies), set(parsed.dries)
        if len(currencies) == len(dries) == 1 and NoneType not in set(map(type, parsed.amounts)):
            return cls(parsed.times, parsed.amounts, (currencies.pop(), dries.pop()), (), ordered)
        return cls(parsed.times, parsed.amounts, None, list(zip(parsed.currencies, parsed.dries, strict=True)), ordered)

    def pick(self, where: Sequence[int]) -> _Rows:
        """Some of the rows, in their order."""
        kinds = _pick(self.kinds, where) if self.kind is None else ()
        return _Rows(_pick(self.times, where), _pick(self.amounts, where), self.kind, kinds, self.ordered)

    def by_kind(self) -> list[_Rows]:
        """The rows that state a PnL, those of each kind apart."""
        if self.kind is not None:
            return [self]
        places: dict[_Kind, list[int]] = {}
        for place, (amount, kind) in enumerate(zip(self.amounts, self.kinds, strict=True)):
            if amount is not None:
                places.setdefault(kind, []).append(place)
        return [self.pick(where)._replace(kind=kind) for kind, where in places.items()]

    def sums_by_bucket(self, shift: int) -> dict[int, Decimal]:
        """The sum of the amounts, none of which may be None, in each bucket of 2^shift seconds."""
        times, amounts = self.times, cast("Sequence[Decimal]", self.amounts)
        sums: dict[int, Decimal] = defaultdict(Decimal)
        buckets = (int(times[-1]) >> shift) - (int(times[0]) >> shift) + 1
        if not self.ordered or buckets * 4 > len(times):
            for time, amount in zip(times, amounts, strict=True):
                sums[int(time) >> shift] += amount
            return sums
        start = 0
        while start < len(times):  # in the order of time, and many to a bucket: whole runs are summed
            bucket = int(times[start]) >> shift
            end = bisect_left(times, (bucket + 1) << shift, start)
            sums[bucket] = sum(amounts[start:end], sums[bucket])
            start = end
        return sums


class Windows:
    """Statistics by version and by slot."""

    def __init__(self, options: LogOptions) -> None:
        self._options = options
        self._versions: dict[str, Tally] = {}
        self._slots: dict[str, Tally] = {}
        self._more: set[int] = set()
        self._resolved: dict[_Key, tuple[list[Tally], str]] = {}
        self._ledgers = 0
        self._horizon = 0
        self._late = Reach()
        self._ticked_s = -1
        """The second to which all rates belong; -1 after new rows."""

    @property
    def versions_more(self) -> int:
        """How many versions beyond MAX_VERSIONS were seen (up to MAX_VERSIONS_COUNTED)."""
        return len(self._more)

    def add(self, parsed: Parsed, now_s: float, reach: Reach | None = None, *, live: bool = True) -> int:
        """Take in the accepted records of a block.

        Args:
            parsed: at least one record.
            now_s: the reader's clock, epoch seconds.
            reach: of the file, where it was there at the start; all that came later have one together.
            live: whether they were read as they came, so that none is older than the last reading.

        Returns:
            How many records stated a PnL that could not be kept, because their version or slot already has as many
            currencies as are kept apart.
        """
        self._ticked_s = -1
        self._advance(now_s)
        rows = _Rows.of(parsed)
        if max(rows.times) > now_s + FUTURE_S:
            rows = rows._replace(times=_in_time(rows.times, now_s, live=live), ordered=False)
        reach = reach or self._late
        if (first_s := min(rows.times)) < reach.first_s:
            reach.first_s = first_s
            self.reached()
        with localcontext(EXACT):
            versions, slots = set(parsed.versions), set(parsed.slots)
            if len(versions) == len(slots) == 1:
                tallies, slot = self._resolve((parsed.versions[0], parsed.slots[0]))
                for tally in tallies:
                    tally.took(rows.times, parsed.latencies)
                return self._add_rows(tallies, slot, rows, now_s, reach)
            return self._add_groups(_places(parsed, versions, slots), rows, parsed.latencies, now_s, reach)

    def reached(self) -> None:
        """Files were read further back, whoever's lines stood there."""
        for tally in self._all():
            tally.reached()

    def _add_groups(
        self,
        places: dict[_Key, list[int]],
        rows: _Rows,
        latencies: list[float | None],
        now_s: float,
        reach: Reach,
    ) -> int:
        lost = 0
        resolved = {key: self._resolve(key) for key in sorted(places, key=lambda key: places[key][0])}
        for key in sorted(places, key=lambda key: places[key][-1]):  # so that the slot of a version's last row stays
            tallies, slot = resolved[key]
            picked = rows.pick(places[key])
            lost += self._add_rows(tallies, slot, picked, now_s, reach)
            taken = _pick(latencies, places[key])
            for tally in tallies:
                tally.took(picked.times, taken)
        return lost

    def _add_rows(self, tallies: Sequence[Tally], slot: str, rows: _Rows, now_s: float, reach: Reach) -> int:
        first_s, last_s = min(rows.times), max(rows.times)
        since = int(now_s) - RATE_WINDOW_S + 1
        arrivals = Counter([int(time) for time in rows.times if time >= since]) if last_s >= since else Counter()
        for tally in tallies:
            tally.count(len(rows.times), first_s, last_s, arrivals, slot, reach)
        return sum(self._add_money(tallies, alike.kind, alike) for alike in rows.by_kind() if alike.kind is not None)

    def _add_money(self, tallies: Sequence[Tally], kind: _Kind, rows: _Rows) -> int:
        currency, dry = clean(kind[0] or "", CURRENCY_LIMIT), bool(kind[1])
        first, last = int(min(rows.times)), int(max(rows.times))
        ledgers = []
        for tally in tallies:
            ledger = tally.ledgers.get((currency, dry)) or self._open(tally, currency, dry)
            if ledger is not None:
                ledger.cover(first, last)
                ledgers.append(ledger)
        if ledgers:
            shift = min(WINDOW_SHIFT, *(ledger.shift for ledger in ledgers))
            sums = rows.sums_by_bucket(shift)
            for ledger in ledgers:
                ledger.add(sums, shift, len(rows.times), self._horizon)
        return len(rows.times) if len(ledgers) < len(tallies) else 0

    def tick(self, now_s: float) -> bool:
        """Let what depends on the clock follow it; whether anything changed."""
        second = int(now_s)
        if second == self._ticked_s:
            return False
        self._ticked_s = second
        return self._advance(second) + sum(tally.tick(second) for tally in self._all()) > 0

    def by_version(self) -> dict[str, VersionReading]:
        """The first MAX_VERSIONS versions, in the order in which they appeared."""
        with localcontext(EXACT):
            return {name: tally.reading() for name, tally in self._versions.items()}

    def by_slot(self) -> dict[str, VersionReading]:
        """Blue and green, as far as any record belongs to them."""
        with localcontext(EXACT):
            return {slot: self._slots[slot].reading() for slot in SLOTS if slot in self._slots}

    def unplaced(self) -> VersionReading | None:
        """Records that belong to neither; None where there are none."""
        with localcontext(EXACT):
            return self._slots[""].reading() if "" in self._slots else None

    def _all(self) -> Iterable[Tally]:
        return (*self._versions.values(), *self._slots.values())

    def _advance(self, now_s: float) -> int:
        """Let the 24 hours end now; how many tallies lost money by that."""
        horizon = (int(now_s) >> WINDOW_SHIFT) - WINDOW_BUCKETS + 1
        if horizon <= self._horizon:
            return 0
        self._horizon = horizon
        with localcontext(EXACT):
            return sum(tally.expire(horizon) for tally in self._all())

    def _open(self, tally: Tally, currency: Safe, dry: bool) -> Ledger | None:
        if self._ledgers >= MAX_LEDGERS or len(tally.ledgers) >= MAX_LEDGERS_EACH:
            return None
        self._ledgers += 1
        ledger = tally.ledgers[currency, dry] = Ledger(currency, dry)
        return ledger

    def _resolve(self, key: _Key) -> tuple[list[Tally], str]:
        """The tallies that a record counts in, and its slot."""
        resolved = self._resolved.get(key)
        if resolved is None:
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
            tallies.append(self._slots.setdefault(slot, Tally(Safe(slot), slot)))
            resolved = tallies, slot
            if len(self._resolved) < _MAX_CACHED and len(name) < VERSION_LIMIT:
                self._resolved[key] = resolved
        return resolved


def _places(parsed: Parsed, versions: set[str | int], slots: set[str | None]) -> dict[_Key, list[int]]:
    """Which rows have which version and stated slot."""
    if len(slots) == 1 and len(versions) <= _FEW:
        rows = range(len(parsed))
        return {
            (wanted, parsed.slots[0]): list(compress(rows, [version == wanted for version in parsed.versions]))
            for wanted in versions
        }
    places: dict[_Key, list[int]] = {}
    for place, key in enumerate(zip(parsed.versions, parsed.slots, strict=True)):
        places.setdefault(key, []).append(place)
    return places


def _pick(column: Sequence[_T], where: Sequence[int]) -> Sequence[_T]:
    if len(where) == 1:
        return (column[where[0]],)
    picked: tuple[_T, ...] = itemgetter(*where)(column)
    return picked


def _in_time(times: Sequence[float], now_s: float, *, live: bool) -> list[float]:
    """Times with none far in the future."""
    latest = now_s + FUTURE_S
    before_s = now_s if live else next((time for time in times if time <= latest), now_s)
    kept = []
    for time in times:
        if time <= latest and not live:
            before_s = time
        kept.append(time if time <= latest else before_s)
    return kept
