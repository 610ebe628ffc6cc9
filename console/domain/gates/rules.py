"""The thresholds of the gates; every one has a default that needs no configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from console.domain.errors import UsageError

RELEASE_BEFORE: Final = timedelta(minutes=30)
"""No risk is raised within this time before a scheduled auto-release …"""
RELEASE_AFTER: Final = timedelta(minutes=5)
"""… nor within this time after it: the venue's sweep moves the money later than it is due."""
AFTER_S: Final = 1800.0
WARM_S: Final = 86_400.0
DEAD_S: Final = 60.0
"""An instance that was not heard for so long is taken for dead."""
SILENT_S: Final = 60.0
"""A side whose processes beat and that has decided nothing for so long is silent."""
RECENT_S: Final = 86_400.0
"""How long an aborted canary counts against a side whose version is not known."""


@dataclass(frozen=True, slots=True)
class VolatilityRules:
    """How volatility is judged.

    Args:
        factor: from this many times its own trailing median on it is high.
        window_s: prices of so many seconds make one figure of realised volatility.
        fresh_s: a source whose newest figure is older is silent, which counts as high.
        windows: so many figures have to be behind the newest one before there is a median.
        limit: an absolute limit, for a source that gives one figure and no history; None for none.
    """

    factor: float = 2.0
    window_s: float = 300.0
    fresh_s: float = 120.0
    windows: int = 8
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A venue's maintenance, announced.

    Args:
        begins, ends: aware UTC.
        words: who announced what.
    """

    begins: datetime
    ends: datetime
    words: str = ""


@dataclass(frozen=True, slots=True)
class GateRules:
    """What the gates go by.

    Args:
        require: items that have to be open whatever their default is: *not checked* and unticked close them too.
        approvals: how many people an override of closed gates takes, the proposer among them: 1 or 2.
        approval_s: how long an approval holds.
        snapshot_s: the oldest snapshot that is fresh; exactly so old is.
        state_s: the oldest plain state file that is believed.
        shadow_rounds: shadow rounds of the very version, at least.
        shadow_divergence: the largest share of them that may have diverged; 1 leaves that to people.
        rehearsal_s: the oldest rehearsal of the version that is believed.
        rehearsal_rounds: rounds that it has to have compared, at least.
        pnl_margin: how much less than the live version the shadow may have earned, as a share of |live|.
        timeout_s: the longest wait for one source.
        volatility: see `VolatilityRules`.
        maintenance: announced by the operators themselves.
        slots: versions of each side, as `[slots]` says, for agents that don't say it themselves.
    """

    require: frozenset[str] = frozenset()
    approvals: int = 1
    approval_s: float = 900.0
    snapshot_s: Decimal = Decimal(300)
    state_s: float = 300.0
    shadow_rounds: int = 50
    shadow_divergence: float = 1.0
    rehearsal_s: float = 86_400.0
    rehearsal_rounds: int = 50
    pnl_margin: Decimal = Decimal("0.05")
    timeout_s: float = 2.0
    volatility: VolatilityRules = VolatilityRules()
    maintenance: tuple[Maintenance, ...] = ()
    slots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


DEFAULT_RULES: Final = GateRules()
"""Without any configuration."""


def maintenance_window(text: str) -> Maintenance:
    """`2026-03-14T09:00Z/2026-03-14T10:00Z what`: a window, and in words what happens in it.

    Raises:
        UsageError: it is none.
    """
    span, _, words = text.strip().partition(" ")
    begins, slash, ends = span.partition("/")
    try:
        first, last = datetime.fromisoformat(begins), datetime.fromisoformat(ends)
        if slash and first.tzinfo is not None and last.tzinfo is not None and first < last:
            return Maintenance(first, last, words.strip())
    except ValueError:
        pass  # said below
    raise UsageError(
        f"{text[:80]!r} is no window of maintenance.", "Write 2026-03-14T09:00Z/2026-03-14T10:00Z, and what it is."
    )
