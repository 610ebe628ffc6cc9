"""One comparison over some stretch of rounds: its sequence, and what either version's rounds were like.

The sequence says how far chance may have moved the means that were seen; beside it stands what was not seen: an outcome
of probability p stays unmet for n rounds with probability below exp(-n p), whenever one stops.
"""

from __future__ import annotations

from math import frexp, inf
from typing import Any

from console.domain.statistics.betting import TwoSample
from console.domain.statistics.boundary import Boundary
from console.domain.statistics.evidence import Form, Settings
from console.domain.statistics.sequences import Adjusted, FixedAllocation, Paired

Sequence = FixedAllocation | Adjusted | Paired


def sequence_of(settings: Settings) -> Sequence:
    """The sequence of a form, with nothing in it."""
    block, sigma = settings.block, settings.spread
    if settings.form is Form.PAIRED:
        return Paired(block, sigma)
    kind = Adjusted if settings.form is Form.ADJUSTED else FixedAllocation
    return kind(block, sigma, settings.sigma_canary)


class Met:
    """One version's rounds by the size of their stakes, each size up to twice the one before it.

    What goes wrong may go wrong on large stakes only, and of those there are few: a thousand small rounds tell nothing
    of the ten that move the money.
    """

    __slots__ = ("_sizes", "earned", "money", "rounds")

    def __init__(self) -> None:
        self._sizes: dict[int, list[float]] = {}
        self.rounds = 0
        self.money = 0.0
        self.earned = 0.0

    def add(self, stake: float, value: float) -> None:
        """One round: the money at risk in it, and its return on that."""
        self.rounds += 1
        self.money += stake
        self.earned += stake * value
        size = frexp(stake)[1]
        if size in self._sizes:
            met = self._sizes[size]
            met[0] += 1.0
            met[1] += stake
        else:
            self._sizes[size] = [1.0, stake]

    @property
    def mean(self) -> float:
        """What a unit of money at risk returned; 0 before any round."""
        return self.earned / self.money if self.money else 0.0

    def unmet(self, level: float) -> float:
        """The largest share of the money that an outcome not met yet may hit, if it hits stakes of some size and above.

        Args:
            level: minus the logarithm of the probability of being wrong, times the rounds that hang together; infinite
                share (1) where there is no round.
        """
        worst = rounds = money = 0.0
        for size in sorted(self._sizes, reverse=True):
            met = self._sizes[size]
            rounds += met[0]
            money += met[1]
            worst = max(worst, min(1.0, level / rounds) * money)
        return worst / self.money if self.money else 1.0

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        return [self.rounds, self.money, self.earned, [[size, *met] for size, met in sorted(self._sizes.items())]]

    def restore(self, state: Any) -> None:
        """Go on from a state."""
        rounds, money, earned, sizes = state
        self.rounds, self.money, self.earned = int(rounds), float(money), float(earned)
        self._sizes = {int(size): [float(count), float(sum_of)] for size, count, sum_of in sizes}


class Strand:
    """The rounds of a run, of a step, or of the newest stretch.

    Args:
        settings: of the judge.
    """

    __slots__ = ("_settings", "bets", "canary", "sequence", "stable")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.bets: TwoSample | None = None
        """In the bounded form; None in others, and where the rounds were taken in by a release that did not bet."""
        if settings.form is Form.BOUNDED:
            low, high, sigma, own = settings.lowest, settings.highest, settings.sigma, settings.sigma_canary
            self.bets = TwoSample(low, high, sigma, own, settings.block)
        self.sequence = sequence_of(settings)
        self.canary, self.stable = Met(), Met()

    def round(
        self,
        canary: bool,
        value: float,
        probability: float,
        weight: float,
        stake: float,
        priced: tuple[float, float] | None,
        moved: float = 0.0,
    ) -> None:
        """One round of one version; see `Judge.round`. `moved` is how far the market went while it was open."""
        sequence = self.sequence
        if isinstance(sequence, Adjusted):
            sequence.add(canary, value, probability, weight, priced, moved)
        elif isinstance(sequence, FixedAllocation):
            sequence.add(canary, value, probability, weight)
        if self.bets is not None:
            self.bets.add(canary, value)
        (self.canary if canary else self.stable).add(stake, value)

    def pair(self, canary: float, stable: float, weight: float, stake: float) -> None:
        """One round that both played; see `Judge.pair`."""
        assert isinstance(self.sequence, Paired)
        self.sequence.add_pair(canary, stable, weight)
        self.canary.add(stake, canary)
        self.stable.add(stake, stable)

    def hidden_loss(self, level: float) -> float:
        """How much worse the canary may be by outcomes not met yet: losses of its own, and gains of stable."""
        settings, canary, stable = self._settings, self.canary, self.stable
        if not canary.rounds or not stable.rounds:
            return inf
        level *= settings.block
        return max(
            (canary.mean - settings.lowest) * canary.unmet(level),
            (settings.highest - stable.mean) * stable.unmet(level),
        )

    def hidden_gain(self, level: float) -> float:
        """How much better it may be by outcomes not met yet: gains of its own, and losses of stable.

        These are taken to come one by one: that gains might come in spells, none of which was met, excuses nobody.
        """
        settings, canary, stable = self._settings, self.canary, self.stable
        if not canary.rounds or not stable.rounds:
            return inf
        return max(
            (settings.highest - canary.mean) * canary.unmet(level),
            (stable.mean - settings.lowest) * stable.unmet(level),
        )

    def unsettled(self, money: float) -> float:
        """How much worse the canary may be by money of its own whose outcome is not known, if all of it is lost."""
        canary = self.canary
        if money <= 0.0:
            return 0.0
        return (canary.mean - self._settings.lowest) * money / (canary.money + money)

    def reach(self, boundary: Boundary) -> float:
        """How far a boundary lies from the estimate; infinite while there is no finished block."""
        variance, factor = self.sequence.spread()
        return factor * boundary.reach(variance)

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        bets = [] if self.bets is None else [self.bets.state()]
        return [self.sequence.state(), self.canary.state(), self.stable.state(), *bets]

    def restore(self, state: Any) -> None:
        """Go on from a state of a strand with the same settings."""
        sequence, canary, stable, *bets = state
        if self.bets is not None and bets:
            self.bets.restore(bets[0])
        else:
            self.bets = None
        self.sequence.restore(sequence)
        self.canary.restore(canary)
        self.stable.restore(stable)
