"""What a plan promises before it begins: how an innocent version fares on it, and what harm costs until it is proven.

A loss budget that chance alone spends before anything can be proven stops every canary, good or bad; one that no harm
can spend protects nobody. Both are seen from the stable version's own rounds, drawn again and again.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, inf, log
from typing import Final, NamedTuple

from console.domain.canary.plan import Plan
from console.domain.statistics.boundary import Boundary, tuned
from console.domain.statistics.evidence import STEP_MARGINS, Form, Settings
from console.domain.statistics.judge import RECENT_SHARE, STEP_SHARE

RUNS: Final = 400
"""Simulated runs of a step: a chance of 5 % is told to within 2 %."""
MOST_ROUNDS: Final = 4000
"""Canary rounds of a simulated run; beyond it the step is taken to be that long."""
EFFECTS: Final = (0.1, 0.3, 1.0)
"""Harms looked for, in standard deviations of a round's return."""
INNOCENT: Final = 0.05
"""How often an innocent version may be stopped by its budget."""
_FAR: Final = 10**8


class Bet(NamedTuple):
    """One past round: what was at stake, what it returned on that."""

    stake: float
    value: float


@dataclass(frozen=True, slots=True)
class Proof:
    """What it takes to prove a harm.

    Args:
        effect: in standard deviations of a round's return.
        rounds: of both versions; None where it is out of reach.
        lost: money that the canary has lost by it until then, in the plan's currency; None likewise.
    """

    effect: float
    rounds: int | None
    lost: float | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """How an innocent version, as good as stable, fares in one step.

    Args:
        step: counted from 1.
        rounds: of both versions until it is SAFE and has played its least; None where it never will be.
        canary_rounds: the canary's of these.
        hours: that takes, at the pace of the history; None where the history has no pace, or it never will be.
        stopped: the chance that its losses spend the budget before that.
        budget: that would stop it in no more than `INNOCENT` of the runs, in the plan's currency.
        late: whether the step's longest dwell is over before.
        proofs: of harms in this step.
    """

    step: int
    rounds: int | None
    canary_rounds: int | None
    hours: float | None
    stopped: float
    budget: float
    late: bool
    proofs: tuple[Proof, ...]

    @property
    def well(self) -> bool:
        """Whether an innocent version passes it."""
        return self.rounds is not None and self.stopped <= INNOCENT and not self.late


def outlook(plan: Plan, bets: Sequence[Bet], pace_s: float | None, *, seed: int = 1) -> tuple[Outlook, ...]:
    """One for each step that compares anything, simulated on the stable version's rounds.

    Args:
        plan: before it begins.
        bets: rounds of the stable version, at least one.
        pace_s: seconds from one round to the next; None where unknown.
        seed: of the draws.
    """
    chance = random.Random(seed)  # noqa: S311 -- drawn again for the same seed
    stake = sum(bet.stake for bet in bets) / len(bets)
    crowding = sum(bet.stake**2 for bet in bets) / len(bets) / stake**2
    told: list[Outlook] = []
    before = 0
    for at, step in enumerate(plan.steps):
        if not 0 < step.share < 1:
            continue
        settings = plan.settings_at(at)
        share = float(step.share)
        rounds = _until_safe(settings, share, crowding, before)
        least = ceil(step.min_rounds / share)
        needed = None if rounds is None else max(rounds, least)
        canary = None if needed is None else ceil(needed * share)
        lows = _lowest_balances(bets, min(canary or MOST_ROUNDS, MOST_ROUNDS), chance)
        budget, worst = float(step.loss_budget), max(bet.stake for bet in bets)
        stopped = sum(low <= -budget + min(worst, budget) for low in lows) / len(lows)
        enough = -sorted(lows)[int(INNOCENT * len(lows))] + worst
        time_s = None if needed is None or pace_s is None else needed * pace_s
        told.append(
            Outlook(
                step=at + 1,
                rounds=needed,
                canary_rounds=canary,
                hours=None if time_s is None else max(time_s, step.min_dwell_s) / 3600.0,
                stopped=stopped,
                budget=enough,
                late=time_s is not None and time_s > step.max_dwell_s,
                proofs=tuple(_proof(settings, effect, share, crowding, stake) for effect in EFFECTS),
            )
        )
        before += needed or 0
    return tuple(told)


def _variance(settings: Settings, share: float, crowding: float) -> float:
    """Of one round's contribution to the estimate."""
    own = settings.sigma if settings.sigma_canary is None else max(settings.sigma, settings.sigma_canary)
    if settings.form is Form.PAIRED:
        return 2.0 * settings.spread**2 * crowding
    return crowding * (own**2 / share + settings.sigma**2 / (1.0 - share))


def _alphas(settings: Settings) -> tuple[float, float]:
    """Those of the interval to promote and to roll back; see `console.domain.statistics.judge`."""
    share = 1.0 / len(settings.metrics)
    halves = 2.0 if settings.sigma_canary is None else 1.0
    return settings.alpha_safe * share / 2.0, settings.alpha_harm * share / halves * (1.0 - STEP_SHARE - RECENT_SHARE)


class _Width:
    """How far from the truth a bound lies after so many rounds of one share.

    Args:
        settings, share, crowding: of the step, and of its stakes: their mean square over their squared mean.
        alpha: of the bound.
        hides: whether outcomes not met yet widen it.
    """

    def __init__(self, settings: Settings, share: float, crowding: float, alpha: float, *, hides: bool) -> None:
        self._settings, self._share = settings, share
        self._variance = _variance(settings, share, crowding) / settings.block**2
        due = settings.due_rounds * _variance(settings, settings.share, 1.0) / settings.block**2
        self._boundary = Boundary(alpha, *tuned(alpha, due))
        self._unseen = -log(alpha) * crowding * settings.block if hides else 0.0

    def __call__(self, rounds: int) -> float:
        settings = self._settings
        both = settings.form is Form.PAIRED
        canary, stable = (rounds, rounds) if both else (rounds * self._share, rounds * (1.0 - self._share))
        if min(canary, stable) < settings.min_blocks * settings.block:
            return inf
        reach = self._boundary.reach(rounds * self._variance) / (rounds / settings.block)
        lost = -settings.lowest * min(1.0, self._unseen / canary)
        return reach + max(lost, settings.highest * min(1.0, self._unseen / stable))

    def until(self, target: float, before: int = 0) -> int | None:
        """Rounds, after those before, until it is narrower than that; None where it never is."""
        low, high = 1, _FAR
        if not self(before + high) < target:
            return None
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self(before + middle) < target else (middle + 1, high)
        return low


def _until_safe(settings: Settings, share: float, crowding: float, before: int) -> int | None:
    """Rounds in this step until an innocent version is SAFE, on the run's evidence and on the step's own."""
    safe, _harm = _alphas(settings)
    of_run = _Width(settings, share, crowding, safe, hides=True).until(settings.margin, before)
    of_step = _Width(settings, share, crowding, safe, hides=False).until(STEP_MARGINS * settings.margin)
    return None if of_run is None or of_step is None else max(of_run, of_step)


def _proof(settings: Settings, effect: float, share: float, crowding: float, stake: float) -> Proof:
    _safe, harm = _alphas(settings)
    size = effect * settings.sigma
    width = _Width(settings, share, crowding, harm, hides=settings.sigma_canary is None)
    rounds = width.until(size) if size > settings.margin else None
    lost = None if rounds is None else size * stake * rounds * share
    return Proof(effect, rounds, lost)


def _lowest_balances(bets: Sequence[Bet], rounds: int, chance: random.Random) -> list[float]:
    """The lowest balance of each of `RUNS` runs of so many of those rounds; 0 where it never fell below its start."""
    won = [bet.stake * bet.value for bet in bets]
    return [min(0.0, min(accumulate(chance.choices(won, k=rounds)), default=0.0)) for _ in range(RUNS)]
