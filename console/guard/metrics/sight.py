"""What a guard has at hand of one agent, as it stood at one moment: values that nobody changes any more.

Built on the guard's own loop, out of what it has read anyhow; rendered elsewhere, on another thread.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from console.domain.canary.run import CanaryReading
from console.domain.triggers.look import Assessment
from console.domain.triggers.rounds import PnlWindow
from console.domain.triggers.rules import USUAL_GAPS
from console.domain.venue.stored import VenueSeen
from console.guard.setup import pace
from console.guard.watch.feed import Counts
from console.store.fence.replies import BeatReply

if TYPE_CHECKING:
    from console.guard.watch.ward import Ward

LEAST_LIMIT_S: Final = 10.0
OTHER: Final = "other"
NAMELESS: Final = "none"
"""Stands for the currency of rounds that name none."""
_CURRENCY: Final = re.compile(r"[A-Za-z0-9_.-]{1,16}\Z")


class Money(NamedTuple):
    """One currency of an agent: what was made since the active side became active, and in how many rounds.

    Args:
        currency: OTHER for all that can have no label of their own; of those there is no amount, as amounts in several
            currencies have no sum.
        amount: exact; None for OTHER.
        rounds: how many.
    """

    currency: str
    amount: Decimal | None
    rounds: int


class Noted(NamedTuple):
    """What was read of an agent for the metrics alone.

    Args:
        at_s: when, on the monotonic clock.
        alerts: by severity, how many nobody has acknowledged; None where that could not be read.
        venue: what a guard saw of its venue last; None where none is configured or none ever looked.
    """

    at_s: float
    alerts: Mapping[str, int] | None
    venue: VenueSeen | None


class Limits(NamedTuple):
    """After how many seconds what was read is too old to be told, by how many agents share the guard's time."""

    store_s: float
    look_s: float
    canary_s: float
    noted_s: float

    @classmethod
    def of(cls, agents: int) -> Limits:
        """Three rounds of each kind of work."""
        tend_s = max(LEAST_LIMIT_S, 3 * pace.tend_s(agents))
        return cls(tend_s, max(LEAST_LIMIT_S, 3 * pace.look_s(agents)), 5 * tend_s, 3 * note_s(agents))


class Decisions(NamedTuple):
    """How an agent's decisions reach the guard.

    Args:
        newest_s: when the active side's newest one arrived or was made, on the monotonic clock; None for none.
        stale_s: without one for so long they are stale; None where heartbeats tell of life.
        problem: whether they can't be read.
        unseen: whether there never was such a log.
    """

    newest_s: float | None
    stale_s: float | None
    problem: bool
    unseen: bool


class Sight(NamedTuple):
    """One agent.

    Args:
        agent: its name.
        failing: whether it can't be judged.
        failures: how often it could not be.
        store: what the store answered last, and when; None before that. All times are on the monotonic clock.
        look: the last look, and since when it holds; None before that.
        decisions: how they arrive.
        counts: what was read of them.
        money: by currency.
        canary: what was read of it, and when; None before that.
        noted: what was read for this; None before that.
        venue: whether one is configured.
        notifies: whether this guard sends its alerts.
        limits: after which these are too old.
    """

    agent: str
    failing: bool
    failures: int
    store: tuple[BeatReply, float] | None
    look: tuple[Assessment, float] | None
    decisions: Decisions
    counts: Counts
    money: tuple[Money, ...]
    canary: tuple[CanaryReading | None, float] | None
    noted: Noted | None
    venue: bool
    notifies: bool
    limits: Limits


class Looker:
    """Takes sights; one agent after another, as the guard's loop lets it."""

    def __init__(self) -> None:
        self._looked: dict[str, tuple[datetime, float]] = {}
        self._newest: dict[str, tuple[float, float]] = {}

    def forget(self, agent: str) -> None:
        """An agent is no longer in the guard's care."""
        self._looked.pop(agent, None)
        self._newest.pop(agent, None)

    def take(
        self, ward: Ward, noted: Noted | None, limits: Limits, *, venue: bool, now: datetime, at_s: float
    ) -> Sight:
        """One agent as it stands now.

        Args:
            ward: it.
            noted: what was read of it for the metrics alone.
            limits: after which what is read is too old.
            venue: whether it has one that this guard knows of.
            now: by the guard's clock.
            at_s: the same moment on the monotonic clock.
        """
        watch = ward.watch
        last = watch.last
        look = None
        if last is not None and not ward.trouble.why:
            before = self._looked.get(ward.agent)
            evaluated_at = ward.voice.evaluated_at
            if before is None or before[0] != evaluated_at:
                before = self._looked[ward.agent] = evaluated_at, at_s - max(0.0, (now - evaluated_at).total_seconds())
            look = last, before[1]
        return Sight(
            ward.agent,
            failing=bool(ward.trouble.why) or not watch.caught_up,
            failures=ward.trouble.failures,
            store=ward.beaten,
            look=look,
            decisions=self._decisions(ward, now, at_s),
            counts=ward.feed.counts(),
            money=money_of(watch.facts.now.pnl, watch.facts.now.skipped),
            canary=ward.canary.seen,
            noted=noted,
            venue=venue,
            notifies=ward.notifier.held,
            limits=limits,
        )

    def _decisions(self, ward: Ward, now: datetime, at_s: float) -> Decisions:
        watch, feed = ward.watch, ward.feed
        tenure, baseline = watch.facts.tenure, watch.facts.baseline
        made_s = watch.seen.get(tenure.slot) if tenure is not None else max(watch.seen.values(), default=None)
        newest_s = None
        if made_s is not None:
            before = self._newest.get(ward.agent)
            if before is None or before[0] != made_s:
                before = self._newest[ward.agent] = made_s, at_s - max(0.0, now.timestamp() - made_s)
            newest_s = before[1]
        stale_s = None
        if feed.log is not None:
            gap_s = baseline.gap_s if baseline is not None else 0.0
            stale_s = max(watch.settings.stale_s, USUAL_GAPS * gap_s)
        log = feed.log
        return Decisions(newest_s, stale_s, bool(feed.problem), log is not None and log.unseen)


def note_s(agents: int) -> float:
    """Between two rounds of reading what only the metrics want."""
    return min(60.0, max(5.0, agents / 100))


def gather_s(agents: int) -> float:
    """Between two rounds of taking sights."""
    return min(10.0, max(0.5, agents / 1000))


def money_of(pnl: Mapping[str, PnlWindow], skipped: int) -> tuple[Money, ...]:
    """By currency; what is no name of one, and rounds beyond the bound on currencies, are told under OTHER.

    Args:
        pnl: as the guard keeps them apart.
        skipped: rounds in further currencies.
    """
    told: list[Money] = []
    rest = skipped
    for currency, window in pnl.items():
        rounds = window.money.moments.count
        if currency in (OTHER, NAMELESS) or (currency and not _CURRENCY.match(currency)):
            rest += rounds
        else:
            told.append(Money(currency or NAMELESS, window.total, rounds))
    return (*told, Money(OTHER, None, rest)) if rest else tuple(told)
