"""Facts for the triggers: what is known of the active side now, gathered decision by decision."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from console.domain.shadow.pairs import PairSums
from console.domain.text import Safe, clean
from console.domain.triggers.baseline import Baseline
from console.domain.triggers.events import Event, Events
from console.domain.triggers.settings import TriggerSettings
from console.domain.triggers.spend import Spends
from console.domain.triggers.windows import Escrows, Past, Row, Window, time_of

SLOTS: Final = ("blue", "green")
EARLY: Final = 256
"""Decisions of a side that is not active, as far as known, that are kept in case it was active already."""


def other(slot: str) -> str:
    """The slot on the opposite side."""
    return "green" if slot == "blue" else "blue"


@dataclass(frozen=True, slots=True)
class Source:
    """How the facts arrive.

    Args:
        configured: whether any decision log is followed at all.
        watched_since: from when on this watcher could have seen anything.
        problem: why it can't be read; empty when it can.
        problem_since: since when; None where that is not known.
        barred: whether it never could be read though it stands there: that is the watcher's own trouble.
        unseen: whether it was never seen at all.
        alive_at: the active side's newest heartbeat; None where it sends none. Who is heard is not silent.
    """

    configured: bool
    watched_since: datetime
    problem: Safe = Safe("")
    problem_since: datetime | None = None
    barred: bool = False
    unseen: bool = False
    alive_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tenure:
    """Who is active, and since when.

    Args:
        slot: the active side.
        epoch: the epoch with which its tenure began; 0 on a store without authority.
        at: when that was.
    """

    slot: str
    epoch: int
    at: datetime


class Pairs(NamedTuple):
    """What a priced shadow tells of a tenure.

    Args:
        version, slot: of the shadow.
        at: when it said so; aware UTC.
        currency: of the differences.
        sums: of this tenure's rounds: what was played less what the shadow would have made of it.
        returned: the same, each over its version's usual stake; of fewer rounds where some state no stake.
    """

    version: Safe
    slot: str
    at: datetime
    currency: str
    sums: PairSums
    returned: PairSums = PairSums()


@dataclass(slots=True)
class Facts:
    """Everything known of one agent. `add` and `begin` change it, the rules only read it.

    Args:
        settings: for the sizes of windows.
    """

    settings: TriggerSettings
    tenure: Tenure | None = None
    baseline: Baseline | None = None
    history: dict[str, Past] = field(default_factory=dict)
    """By slot: what its newest version ever did."""
    now: Window = field(init=False)
    """What the active side did in this tenure."""
    exceptions: Events = field(default_factory=Events)
    refusals: Events = field(default_factory=Events)
    spends: Events = field(default_factory=Events)
    lookalikes: Events = field(default_factory=Events)
    """Double spends by content alone."""
    fills: Events = field(default_factory=Events)
    """Parts of an order that nothing tells apart: one part told twice, or two parts alike."""
    escrows: Escrows = field(default_factory=Escrows)
    beside: Window = field(init=False)
    """What the other side still played in this tenure, as a holdback."""
    pairs: Pairs | None = None
    """What the other version would have made of the same rounds of this tenure; None where no priced shadow tells."""
    allowed: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)
    """By slot and currency: what a round may return per unit at risk, by the plan that its version was proven under."""
    watch_list: frozenset[str] | None = None
    """Escrows in the active side's own state; None where that is not known."""
    decisions: int = 0
    unplaced: int = 0
    """Decisions that belong to no slot: nothing can be said of them."""
    _spent: Spends = field(init=False)
    _early: deque[Row] = field(default_factory=lambda: deque(maxlen=EARLY))
    """A log may be read sooner than the switch before it: what it says of the new active side counts from then on."""

    def __post_init__(self) -> None:
        self.now, self.beside = Window(self.settings), Window(self.settings)
        self._spent = Spends(self.settings.spend_kept)

    def begin(self, tenure: Tenure, baseline: Baseline | None = None) -> None:
        """A side became active; what it did since, before that was known here, is taken in.

        Args:
            tenure: who and since when.
            baseline: as it was frozen before (by another guard, or before a restart); None if `freeze` is to take it.
        """
        self.tenure = tenure
        self.baseline = baseline
        self.now, self.beside = Window(self.settings, self.allowed.get(tenure.slot)), Window(self.settings)
        self.pairs = None
        self.exceptions, self.refusals = Events(), Events()
        since_s = tenure.at.timestamp()
        self.spends, self.lookalikes = self.spends.since(since_s), self.lookalikes.since(since_s)
        self.fills = self.fills.since(since_s)
        early = [row for row in self._early if self.mine(row)]
        later = [row for row in self._early if row.at_s >= since_s and not self.mine(row)]  # of a switch yet unheard of
        self._early.clear()
        self._early.extend(later)
        for row in early:
            if row.escrow:
                self.escrows.look(row, counts=True)
            self._count(row)

    def held_back(self, row: Row) -> bool:
        """Whether a decision is a round that the other side still plays while the active one is active: what it had
        claimed before that is none."""
        tenure = self.tenure
        if tenure is None or row.slot != other(tenure.slot) or row.at_s < tenure.at.timestamp():
            return False
        return not row.epoch or not tenure.epoch or row.epoch >= tenure.epoch

    def allow(self, slot: str, currency: str, bounds: tuple[float, float]) -> None:
        """A canary's plan says what a round of its version may return per unit at risk; it counts from now on."""
        self.allowed = {slot: {currency: bounds}}
        if self.tenure is not None and self.tenure.slot == slot:
            self.now.allow(currency, bounds)

    def freeze(self, *, back: bool = False) -> Baseline | None:
        """Take the baseline, once what went before the tenure has been read.

        Args:
            back: this tenure began with a roll back: the version is compared with itself, not with the failed one.
        """
        if self.baseline is None and self.tenure is not None:
            slot = self.tenure.slot if back else other(self.tenure.slot)
            before = self.history.get(slot)
            if before is not None and before.count:
                self.baseline = before.frozen(slot, self.tenure.at)
        return self.baseline

    def mine(self, row: Row) -> bool:
        """Whether a decision belongs to the active side's tenure: by its epoch where it has one, else by its time."""
        tenure = self.tenure
        if tenure is None or row.slot != tenure.slot:
            return False
        return row.epoch >= tenure.epoch if row.epoch and tenure.epoch else row.at_s >= tenure.at.timestamp()

    def add(self, row: Row) -> None:
        """Take in one decision."""
        self.decisions += 1
        if row.slot not in SLOTS:
            self.unplaced += 1
            return
        mine = self.mine(row)
        if mine or self.tenure is None or row.at_s < self.tenure.at.timestamp():  # what stands by is no history
            history = self.history.get(row.slot)
            if history is None or history.version != row.version:
                history = self.history[row.slot] = Past(self.settings, row.version)
            history.add(row)
        if row.key or row.content:
            self._spend(row)
        if row.escrow:
            self.escrows.look(row, counts=mine or self.tenure is None)
        if mine:
            self._count(row)
        else:
            self._early.append(row)
            if self.settings.pnl_holdback and self.held_back(row):
                self.beside.add(row)

    def _count(self, row: Row) -> None:
        self.now.add(row)
        if row.fault:
            events = self.refusals if row.fault == "auth" else self.exceptions
            events.add(Event(row.at_s, row.id, str(clean(row.fault_text, 120))))

    def _spend(self, row: Row) -> None:
        spend = self._spent.look(row, self.settings.spend_window_s)
        tenure = self.tenure
        if spend is None or tenure is None or row.at_s < tenure.at.timestamp():
            return
        words = f"{clean(spend.second, 60)} repeats {clean(spend.first, 60)} after {spend.apart_s:.3g} s"
        events = self.fills if row.fill else self.spends if spend.by_key else self.lookalikes
        events.add(Event(row.at_s, row.id, words))

    def looks(self) -> Mapping[str, datetime]:
        """When each escrow was last looked at, counted from the tenure's begin at the earliest."""
        since = self.tenure.at.timestamp() if self.tenure else 0.0
        return {name: time_of(max(at_s, since)) for name, at_s in self.escrows.looks.items()}
