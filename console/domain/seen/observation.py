"""What was seen, and when: the frozen snapshot from which every view is built.

The store and the logs are read at different times and fail apart from each other, so each reading carries its own time.
Whether the data came live, from a recording or from a demo can't be told from here, and that is the point.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from console.domain.fence.claims import OpenClaim
from console.domain.fence.deployment import Deployment
from console.domain.fence.sent import Sending
from console.domain.operator.receipt import AuditEntry
from console.domain.seen.decision import Decision, FirstDecisions
from console.domain.seen.earned import Counted
from console.domain.state.flags import FlagReading
from console.domain.text import Safe

if TYPE_CHECKING:
    from console.domain.canary.run import CanaryReading
    from console.domain.experiment.record import ExperimentView
    from console.domain.guard.alerts import Alert, GuardReading
    from console.domain.seen.looking import Looking
    from console.domain.shadow.rates import FieldRate
    from console.domain.shadow.report import DivergenceReading, ShadowReport
    from console.domain.upgrade.reading import UpgradeReading
    from console.domain.venue.deadman import Deadman


class LinkState(StrEnum):
    """How the connection to the store stands."""

    CONNECTING = "CONNECTING"
    LIVE = "LIVE"
    STALE = "STALE"
    RECONNECTING = "RECONNECTING"
    OFFLINE = "OFFLINE"


class Link(NamedTuple):
    """The connection to the store.

    Args:
        state: LIVE only while answers arrive.
        url: redacted.
        latency_ms: round trip of the last reading.
        attempts: tries since the last answer.
        error: why the last try failed; empty when it did not.
        next_try_at: when the next try is due, while there is no connection.
        replica: whether the server is a replica: what was read is old, and nothing can be commanded.
    """

    state: LinkState
    url: Safe
    latency_ms: float | None = None
    attempts: int = 0
    error: Safe = Safe("")
    next_try_at: datetime | None = None
    replica: bool = False


class Walk(StrEnum):
    """How far the keyspace was walked through."""

    WHOLE = "whole"
    """Once at least, from one end to the other."""
    BEGUN = "begun"
    """Not yet to its end: what was not met yet is not known."""
    REFUSED = "refused"
    """Not at all: the server does not permit it."""


class StoreReading(NamedTuple):
    """One reading of an agent's keys.

    Args:
        at: when the answer arrived; our own clock, aware UTC.
        server_at: the server's clock in the same reading.
        server: its name and version, e.g. "valkey 9.1.2".
        latency_ms: round trip of the reading.
        deployment: who may act.
        flags: by name, sorted; a flag whose key has a wrong type is in here too, with its problem.
        flags_walk: how far the walk through the keyspace that finds flags has come: until it was whole once, there
            may be flags that are not in `flags`.
        place: the server that Sentinels call the primary now, and how many of them say so; empty where none are asked.
        refuses: the server's words where it takes no writes now; empty where it takes them.
        flags_more: how many more flags there are than are shown (a bound on hostile stores).
        audit: the newest receipts, and what changed who may act without one; newest last.
        open_claims: claims that have no end yet, oldest first, up to a bound; `Authority.in_doubt` counts all.
        sendings: of those in doubt, by key: when it was sent first, and until when it may be sent again.
        guards: newest heartbeat first, silent ones too: their age (against `server_at`) tells; what each trigger says
            is in them.
        alerts: oldest first; those that nobody has acknowledged are open.
        canary: the run that goes on, or the last one; None where there never was one.
        shadows: every shadow that ever reported, newest word first.
        divergences: the newest rounds in which a shadow decided otherwise, oldest first.
        experiments: by name.
        broken: where the chain of what was read does not hold; empty where it does.
        deadman: the venue's dead man's switch as guards keep it; None where there is none.
        upgrade: the run to another version that goes on, or the last one; None where there never was one.
        barred: whether the store's user that we are may change nothing of this agent.
        unfit: why the server could make the same key executable twice; empty where nothing is known.
        fills: how full the server is, where it is nearly so; empty else.
    """

    at: datetime
    server_at: datetime
    server: Safe
    latency_ms: float
    deployment: Deployment
    flags: Mapping[str, FlagReading]
    flags_more: int = 0
    audit: tuple[AuditEntry, ...] = ()
    open_claims: tuple[OpenClaim, ...] = ()
    guards: tuple[GuardReading, ...] = ()
    alerts: tuple[Alert, ...] = ()
    canary: CanaryReading | None = None
    shadows: tuple[ShadowReport, ...] = ()
    divergences: tuple[DivergenceReading, ...] = ()
    experiments: tuple[ExperimentView, ...] = ()
    broken: Safe = Safe("")
    unfit: Safe = Safe("")
    fills: Safe = Safe("")
    barred: bool = False
    flags_walk: Walk = Walk.WHOLE
    refuses: Safe = Safe("")
    deadman: Deadman | None = None
    upgrade: UpgradeReading | None = None
    sendings: Mapping[str, Sending] = MappingProxyType({})
    place: Safe = Safe("")

    @property
    def damage(self) -> tuple[Safe, ...]:
        """What the store has lost or holds wrong; see `Deployment`."""
        return (*self.deployment.damage, self.broken) if self.broken else self.deployment.damage


class PnlTotal(NamedTuple):
    """Profit and loss summed over one currency, dry or live.

    Args:
        currency: "" where the log states none.
        dry: whether these rounds moved no real money.
        total: sum over all rounds read.
        last_24h: sum over the last 24 hours, as far as `VersionReading.since` reaches back.
        rounds: how many records had a PnL.
        series: running total at the end of equal steps of time, oldest first; for drawing only, hence floats.
        series_start, series_step_s: where the series begins and how far apart its points lie.
    """

    currency: Safe
    dry: bool
    total: Decimal
    last_24h: Decimal
    rounds: int
    series: tuple[float, ...] = ()
    series_start: datetime | None = None
    series_step_s: float = 0.0


class VersionReading(NamedTuple):
    """What the logs say about one version (or one slot).

    Args:
        version: `agent_version`, or the slot's name in `LogReading.by_slot`.
        slot: "blue", "green" or "".
        decisions: records read.
        first_at, last_at: the log's own times.
        rate_per_s: decisions per second over the last 60 s, or over the seconds that were read if they are fewer.
        p50_ms, p99_ms: latency quantiles over the newest `latencies` decisions; None where no record states a latency.
        latencies: how many those are.
        since: from when on every record of the files counts in this; None where nothing is known of what was left out.
        pnl: one total for each currency, dry and live apart; live first.
    """

    version: Safe
    slot: str
    decisions: int
    first_at: datetime | None
    last_at: datetime | None
    rate_per_s: float = 0.0
    p50_ms: float | None = None
    p99_ms: float | None = None
    pnl: tuple[PnlTotal, ...] = ()
    latencies: int = 0
    since: datetime | None = None


class LogFile(NamedTuple):
    """One followed file: where the reader stands in it, and what is wrong with it, if anything."""

    path: Safe
    inode: int = 0
    offset: int = 0
    size: int = 0
    problem: Safe = Safe("")


class HungLog(NamedTuple):
    """A log whose disk does not answer; nothing that follows behind it is read until it does.

    Args:
        path: of the log, or of the pattern that is looked up.
        since: when it was seen first that it waits.
    """

    path: Safe
    since: datetime


class LogReading(NamedTuple):
    """What the decision logs hold.

    Args:
        at: when they were last looked at.
        files: every followed file; empty when none was asked for or no glob matched.
        total: lines accepted; rejected: lines refused, by reason; together they are every complete line read, except
            that a line whose PnL alone is bad is both accepted (without it) and counted as bad PnL.
        skipped_bytes: what was not read at the start, because only the last lines were asked for.
        by_version: keyed by version; by_slot: keyed "blue", "green".
        versions_more: versions beyond the bound on how many are kept apart.
        recent: the newest decisions, oldest first.
        unplaced: what belongs to neither slot, and so is counted for none; None where all does.
        hung: the log that does not answer; None where all do.
        counted: exact sums over whole logs; None where nobody counts them.
        never: what a mapping looked for and never found, with how many records lacked it.
    """

    at: datetime
    files: tuple[LogFile, ...] = ()
    total: int = 0
    rejected: Mapping[str, int] = MappingProxyType({})
    skipped_bytes: int = 0
    by_version: Mapping[str, VersionReading] = MappingProxyType({})
    by_slot: Mapping[str, VersionReading] = MappingProxyType({})
    versions_more: int = 0
    recent: tuple[Decision, ...] = ()
    unplaced: VersionReading | None = None
    hung: HungLog | None = None
    counted: Counted | None = None
    never: Mapping[str, int] = MappingProxyType({})


class DivergenceLog(NamedTuple):
    """What files of divergences hold, as plain agents write them.

    Args:
        at: when they were last looked at.
        files: every followed file; empty where no pattern matched.
        total: records accepted; rejected: lines refused, by reason.
        diverged: of the records, those in which anything that is compared differs.
        skipped_bytes: what was not read at the start, because only the last lines were asked for.
        fields: what differs, over all records read; rates are shares of the records, since nobody wrote down how many
            rounds agreed.
        recent: the newest records, in the order in which they were read.
        hung: the file that does not answer; None where all do.
    """

    at: datetime
    files: tuple[LogFile, ...] = ()
    total: int = 0
    rejected: Mapping[str, int] = MappingProxyType({})
    diverged: int = 0
    skipped_bytes: int = 0
    fields: tuple[FieldRate, ...] = ()
    recent: tuple[DivergenceReading, ...] = ()
    hung: HungLog | None = None


class Observation(NamedTuple):
    """Everything a screen, a status line or an export may show, as of `now`.

    Args:
        agent: whose keys these are.
        now: when this snapshot was put together; ages are counted from here.
        link: the connection; `store` keeps its last reading while the link is down, and its age tells.
        store: None until the first answer.
        logs: None where no decision log was asked for.
        read_only: whether commands are refused at the gateway.
        profile: the configuration profile's name, shown first in the header; empty for none.
        protected: whether the profile is marked protected.
        locked: whether commands are refused only until the operator unlocks a protected profile.
        divergences: read from files, as plain agents write them (`--divergences`); None where none is followed.
        first: the first decisions of whoever acts now; None where it is not known since when it acts.
        looking: how the past is looked at; None where this is the present.
    """

    agent: Safe
    now: datetime
    link: Link
    store: StoreReading | None = None
    logs: LogReading | None = None
    read_only: bool = False
    profile: Safe = Safe("")
    protected: bool = False
    locked: bool = False
    divergences: DivergenceLog | None = None
    first: FirstDecisions | None = None
    looking: Looking | None = None
