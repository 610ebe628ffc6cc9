"""How often a shadow differs, by field and kind, beside how often a version differs from itself.

A version that is asked twice and answers twice (an agent that is a language model) differs from itself; that noise is
measured by running one version twice on a sample, and is taken off the raw rate, but never off a field that moves
money.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from typing import Final

from console.domain.shadow.compare import Comparison, Kind, Mismatch
from console.domain.shadow.pairs import PairSums
from console.domain.text import Safe

MAX_PATHS: Final = 500
OTHER: Final = Safe("…")
"""The path under which everything beyond `MAX_PATHS` is counted."""

_INDEX = re.compile(r"(?<![^.])[0-9]+(?![^.])")


def field_of(mismatch: Mismatch) -> tuple[Safe, Kind]:
    """What a mismatch is counted under: its path with `*` for positions in lists, and its kind."""
    return Safe(_INDEX.sub("*", mismatch.path)), mismatch.kind


@dataclass(frozen=True, slots=True)
class FieldRate:
    """One field and kind of difference.

    Args:
        path: positions in lists are `*`.
        kind: how it differs.
        rounds: rounds in which it did.
        rate: their share of the shadow rounds.
        noise: share of the repeated rounds in which a version differed so from itself; None where none was repeated.
        excess: what the shadow adds: the rate less the noise; all of the rate where the field moves money.
        money: whether the field moves money.
    """

    path: Safe
    kind: Kind
    rounds: int
    rate: float
    noise: float | None
    excess: float
    money: bool


@dataclass(frozen=True, slots=True)
class ShadowReading:
    """What a shadow's rounds have shown.

    Args:
        rounds: compared.
        diverged: of them, those with any difference.
        noise_rounds, noise_diverged: the same for the repeated rounds.
        ignored, tolerated: fields, summed over the rounds.
        fields: by excess, largest first.
        dropped: rounds not looked at, since the queue was full, the state could not be copied, or the shadow stuck.
        timed_out: rounds in which the shadow missed its deadline.
        raised: rounds in which the shadow raised.
        intents: real actions the shadow tried, all of which failed for want of the capability.
        live_pnl, shadow_pnl: priced by the author's function, over the same rounds; None without one.
        unpriced: rounds that function could not price, or priced at what can be no result.
        pairs: the differences of those that it could; None without it.
        returned: the same, each version's result over its own usual stake; of fewer rounds where some state no stake.
        own: the shadow's results, each over its own stake: how far they spread; None without a price.
    """

    rounds: int = 0
    diverged: int = 0
    noise_rounds: int = 0
    noise_diverged: int = 0
    ignored: int = 0
    tolerated: int = 0
    fields: tuple[FieldRate, ...] = ()
    dropped: int = 0
    timed_out: int = 0
    raised: int = 0
    intents: int = 0
    live_pnl: Decimal | None = None
    shadow_pnl: Decimal | None = None
    unpriced: int = 0
    pairs: PairSums | None = None
    returned: PairSums | None = None
    own: PairSums | None = None


@dataclass(slots=True)
class _Count:
    rounds: int = 0
    noise: int = 0
    money: bool = False


@dataclass(slots=True)
class Tally:
    """Counts comparisons, round by round, over a bounded number of fields."""

    rounds: int = 0
    diverged: int = 0
    noise_rounds: int = 0
    noise_diverged: int = 0
    ignored: int = 0
    tolerated: int = 0
    _counts: dict[tuple[Safe, Kind], _Count] = field(default_factory=dict)

    def add(self, comparison: Comparison) -> None:
        """One round of live against shadow."""
        self.rounds += 1
        self.diverged += not comparison.equal
        self.ignored += comparison.ignored
        self.tolerated += comparison.tolerated
        for count in self._touched(comparison):
            count.rounds += 1

    def add_noise(self, comparison: Comparison) -> None:
        """One round of a version against itself."""
        self.noise_rounds += 1
        self.noise_diverged += not comparison.equal
        for count in self._touched(comparison):
            count.noise += 1

    def _touched(self, comparison: Comparison) -> list[_Count]:
        """The counts of every field and kind that differs, each once, however often it does in this round."""
        touched: dict[tuple[Safe, Kind], _Count] = {}
        for mismatch in comparison.mismatches:
            key = field_of(mismatch)
            count = self._counts.get(key)
            if count is None and len(self._counts) >= MAX_PATHS:
                key = (OTHER, mismatch.kind)
                count = self._counts.get(key)
            if count is None:
                count = self._counts[key] = _Count()
            count.money = count.money or mismatch.money
            touched[key] = count
        return list(touched.values())

    def fields(self) -> tuple[FieldRate, ...]:
        """Every field and kind seen, by what the shadow adds to the noise, largest first."""
        rates = [self._rate(path, kind, count) for (path, kind), count in self._counts.items()]
        return tuple(sorted(rates, key=lambda rate: (-rate.excess, not rate.money, rate.path, rate.kind)))

    def _rate(self, path: Safe, kind: Kind, count: _Count) -> FieldRate:
        rate = count.rounds / self.rounds if self.rounds else 0.0
        noise = count.noise / self.noise_rounds if self.noise_rounds else None
        excess = rate if count.money or noise is None else max(0.0, rate - noise)
        return FieldRate(path, kind, count.rounds, rate, noise, excess, count.money)


@dataclass(frozen=True, slots=True)
class Divergence:
    """A recorded difference, as plain agents write it too: `{state, live, shadow, timestamp}`.

    Args:
        at: aware UTC.
        state: what both decided on.
        live, shadow: what they decided; untrusted where it comes from a file: clean it before drawing.
    """

    at: datetime
    state: object
    live: object
    shadow: object

    def as_record(self) -> dict[str, object]:
        """The record's four fields, the time in epoch seconds."""
        return {"state": self.state, "live": self.live, "shadow": self.shadow, "timestamp": self.at.timestamp()}


def parse_divergence(record: object) -> Divergence:
    """A divergence from a parsed JSON line.

    Raises:
        ValueError: it is not an object, a field is missing, or its timestamp is no time.
    """
    if not isinstance(record, Mapping):
        raise ValueError("not an object")  # noqa: TRY004 - what is wrong is the record, not the call
    missing = [name for name in ("state", "live", "shadow", "timestamp") if name not in record]
    if missing:
        raise ValueError(f"missing {', '.join(missing)}")
    timestamp = record["timestamp"]
    if isinstance(timestamp, bool) or not isinstance(timestamp, int | float) or not isfinite(timestamp):
        raise ValueError("bad timestamp")
    try:
        at = datetime.fromtimestamp(timestamp, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError("bad timestamp") from error
    return Divergence(at, record["state"], record["live"], record["shadow"])
