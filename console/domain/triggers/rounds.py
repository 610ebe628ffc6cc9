"""One currency's rounds as the triggers judge them: in money, per usual stake, and without what can be no result."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final, NamedTuple

from console.domain.statistics.absurd import ABSURD, FIRST, too_large
from console.domain.statistics.moments import Blocks, Moments
from console.domain.statistics.payoffs import Payoffs
from console.domain.statistics.sketch import Ring
from console.domain.statistics.stakes import UsualStake
from console.domain.triggers.baseline import PnlBaseline, deviation_of
from console.domain.triggers.events import SAMPLES, Event, Events
from console.domain.triggers.settings import TriggerSettings

MOST_FIRST: Final = 200
"""Rounds after which it is taken all the same."""
_MONEY: Final = Decimal(10) ** 30


class Entry(NamedTuple):
    """One round: epoch seconds, PnL, the money at risk (None where it states none), the decision's id."""

    at_s: float
    amount: Decimal
    stake: Decimal | None
    sample: str

    @property
    def size(self) -> float:
        """How large the result is: over its stake where it states one."""
        return abs(float(self.amount) / float(self.stake or 1))


class Rounds:
    """Values of rounds in one unit.

    Args:
        settings: for the sizes of blocks and windows.
    """

    __slots__ = ("blocks", "moments", "recent")

    def __init__(self, settings: TriggerSettings) -> None:
        self.moments = Moments()
        self.blocks = Blocks(settings.pnl_block)
        self.recent = Ring(settings.pnl_window)

    def add(self, at_s: float, value: float) -> None:
        """Take in one."""
        self.moments.add(value)
        self.blocks.add(value)
        self.recent.add(at_s, value)

    def frozen(self, returns: PnlBaseline | None = None) -> PnlBaseline:
        """As a baseline; `returns` are the same rounds per usual stake."""
        moments, blocks = self.moments, self.blocks.moments
        deviation = deviation_of(moments.squares, moments.count)
        of_blocks = (blocks.count, blocks.mean, blocks.squares, self.blocks.size)
        return PnlBaseline(moments.count, moments.mean, deviation, *of_blocks, returns)


class PnlWindow:
    """One currency's rounds of one version.

    Args:
        settings: for the sizes of blocks and windows.
        allowed: the least and the most that a round may return per unit at risk, by the plan under which the version
            was proven; what is beyond counts as the bound, and is told. None where no plan says so.
    """

    __slots__ = (
        "_first",
        "_largest",
        "_settings",
        "allowed",
        "aside",
        "money",
        "payoffs",
        "returns",
        "samples",
        "total",
        "usual",
    )

    def __init__(self, settings: TriggerSettings, allowed: tuple[float, float] | None = None) -> None:
        self._settings = settings
        self.allowed = allowed
        self.aside = Events()
        """Results that can be none, or that no plan allows: out of the statistics."""
        self.samples: tuple[str, ...] = ()
        self._first: list[Entry] | None = []
        self._largest = [0.0, 0.0]
        self._begin()

    def _begin(self) -> None:
        self.money, self.returns = Rounds(self._settings), Rounds(self._settings)
        self.usual = UsualStake()
        self.payoffs = Payoffs()
        self.total = Decimal(0)

    @property
    def staked(self) -> bool:
        """Whether most rounds say what was at risk, so that they can be judged by it."""
        return 2 * self.usual.count > self.money.moments.count

    def add(self, at_s: float, amount: Decimal, sample: str, stake: Decimal | None = None) -> None:
        """Take in one round; of one that is no result only a loss counts, in `total`."""
        self.samples = (*self.samples, sample)[-SAMPLES:]
        if not amount.is_finite() or abs(amount) >= _MONEY:
            self.aside.add(Event(at_s, sample, "no amount of money"))
            return
        entry = Entry(at_s, amount, stake if stake is not None and stake.is_finite() and stake > 0 else None, sample)
        largest = self._largest[entry.stake is not None]
        if self._first is None and entry.size > ABSURD * largest > 0.0:
            self._set_aside(entry)
            return
        self._take(entry)
        if self._first is not None:
            self._first.append(entry)
            if len(self._first) == MOST_FIRST or sum(1 for one in self._first if one.amount) >= FIRST:
                self._look_back(self._first)

    def _look_back(self, first: list[Entry]) -> None:
        """Whether one of the first was absurd, now that there are others to tell by."""
        self._first = None
        absurd: set[Entry] = set()
        for staked in (False, True):
            alike = [one for one in first if (one.stake is not None) is staked]
            limit = too_large(one.size for one in alike)
            absurd.update(one for one in alike if one.size > limit)
        if absurd:
            self._largest = [0.0, 0.0]
            self._begin()
            for one in first:
                if one in absurd:
                    self._set_aside(one)
                else:
                    self._take(one)

    def _set_aside(self, entry: Entry) -> None:
        self.aside.add(Event(entry.at_s, entry.sample, f"{entry.amount:.4g}"))
        self.total += min(entry.amount, Decimal(0))  # a gain like that is not believed, a loss may be one

    def _take(self, entry: Entry) -> None:
        staked = entry.stake is not None
        self._largest[staked] = max(self._largest[staked], entry.size)
        value = float(entry.amount)
        self.total += entry.amount
        self.money.add(entry.at_s, value)
        if entry.stake is not None:
            stake = float(entry.stake)
            value = self._within(entry, value / stake) * stake
            self.usual.add(stake)
            self.payoffs.add(stake, value / stake)
        else:
            self.payoffs.add(1.0, value)
        if self.usual.count:
            self.returns.add(entry.at_s, value / self.usual.mean)

    def _within(self, entry: Entry, value: float) -> float:
        if self.allowed is None or self.allowed[0] <= value <= self.allowed[1]:
            return value
        low, high = self.allowed
        words = f"{entry.amount:.4g} for {entry.stake:.4g} at risk, the canary's plan allows {low:g} to {high:g} times"
        self.aside.add(Event(entry.at_s, entry.sample, words))
        return min(max(value, low), high)

    def frozen(self) -> PnlBaseline:
        """As a baseline, from here on unchanged."""
        baseline = self.money.frozen(self.returns.frozen() if self.staked else None)
        return replace(baseline, payoffs=self.payoffs.state())
