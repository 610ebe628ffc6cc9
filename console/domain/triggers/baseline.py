"""What the version before did, frozen with its name: all comparing of a new version starts here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, datetime
from math import sqrt
from typing import Any, Final

from console.domain.statistics.payoffs import Payoffs
from console.domain.text import Safe, clean

MAX_CURRENCIES = 4
_KINDS: Final[tuple[Any, ...]] = (int, float, float, int, float, float, int)
"""Of the values of a `PnlBaseline`, in their order."""


@dataclass(frozen=True, slots=True)
class PnlBaseline:
    """One currency's rounds of the version before.

    Args:
        rounds, mean, deviation: over single rounds.
        blocks, block_mean, block_squares: over means of blocks: how many, their mean, their squared deviations' sum.
        block: rounds in a block.
        returns: the same rounds over the usual stake; None where most of them state none.
        payoffs: how they went as people meet it, as `Payoffs.state` gives it; None where an earlier guard kept none.
    """

    rounds: int
    mean: float
    deviation: float
    blocks: int = 0
    block_mean: float = 0.0
    block_squares: float = 0.0
    block: int = 1
    returns: PnlBaseline | None = None
    payoffs: Any = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was active before, as it was when it was replaced.

    Args:
        version, slot: whose figures these are.
        frozen_at: from when on they did not change any more.
        decisions: records they rest on.
        pnl: by currency; dry rounds are not in it.
        median_ms: of its decisions' latency; None where it stated none.
        gap_s: mean time between two of its decisions; 0 where there were too few.
    """

    version: Safe
    slot: str
    frozen_at: datetime
    decisions: int
    pnl: Mapping[str, PnlBaseline] = field(default_factory=dict)
    median_ms: float | None = None
    gap_s: float = 0.0


def as_document(baseline: Baseline) -> dict[str, Any]:
    """The baseline as plain JSON values."""
    return {
        "version": baseline.version,
        "slot": baseline.slot,
        "frozen_at": baseline.frozen_at.timestamp(),
        "decisions": baseline.decisions,
        "pnl": {currency: list(astuple(pnl)) for currency, pnl in baseline.pnl.items()},
        "median_ms": baseline.median_ms,
        "gap_s": baseline.gap_s,
    }


def from_document(document: Mapping[str, Any]) -> Baseline:
    """The baseline in a document.

    Raises:
        ValueError: it is none.
    """
    try:
        kept = list(document["pnl"].items())[:MAX_CURRENCIES]
        pnl = {str(clean(currency, 16)): _pnl_from(values) for currency, values in kept}
        median = document["median_ms"]
        return Baseline(
            version=clean(document["version"], 64),
            slot=str(clean(document["slot"], 8)),
            frozen_at=datetime.fromtimestamp(float(document["frozen_at"]), UTC),
            decisions=int(document["decisions"]),
            pnl=pnl,
            median_ms=None if median is None else float(median),
            gap_s=float(document["gap_s"]),
        )
    except (KeyError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise ValueError(f"not a baseline: {error}") from error


def _pnl_from(values: Sequence[Any]) -> PnlBaseline:
    own, further = values[: len(_KINDS)], values[len(_KINDS) :]  # earlier guards kept no returns
    returns = _pnl_from(further[0][: len(_KINDS)]) if further and further[0] is not None else None
    payoffs = further[1] if len(further) > 1 else None
    if payoffs is not None:
        Payoffs().restore(payoffs)
    baseline = PnlBaseline(*(kind(value) for kind, value in zip(_KINDS, own, strict=True)))
    return replace(baseline, returns=returns, payoffs=payoffs)


def deviation_of(squares: float, count: int) -> float:
    """Standard deviation from a sum of squared deviations; 0 below two values."""
    return sqrt(squares / (count - 1)) if count > 1 else 0.0
