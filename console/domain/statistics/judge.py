"""The judge of one metric: takes rounds, keeps the sequences, and says at any time what they show.

Money decides: a round counts by the money at stake in it, relative to the usual stake so far, which is known before it
is drawn. A version that wins on small stakes and loses on large ones loses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil, inf, isfinite, log
from typing import Any, Final

from console.domain.errors import UsageError
from console.domain.statistics.boundary import Boundary, tuned
from console.domain.statistics.bounded import Bounded
from console.domain.statistics.evidence import Evidence, Form, Settings, Verdict, decide
from console.domain.statistics.payoffs import Payoff, Payoffs, payoffs_of
from console.domain.statistics.pricing import Balance
from console.domain.statistics.sequences import Adjusted, FixedAllocation, Paired
from console.domain.statistics.strand import Strand, sequence_of

STEP_SHARE: Final = 0.05
"""Share of alpha given to running steps alone: harm that only a larger share brings must not be averaged away.

The run's first step is the run so far and needs no part of it; of those after it the j-th gets 1/(j (j + 1)) of it,
which adds up to the whole however many there are.
"""

RECENT_SHARE: Final = 0.05
"""Share of alpha given to stretches that begin anew, so that harm that comes late is found soon; divided as steps'."""

RECENT_LASTS: Final = 1.5
"""How long such a stretch is, in times of the rounds after which the first promotion is due."""

ONE_STAKE: Final = 1e-9
"""Stakes that differ by no more than this share of one another are one."""


class Judge:
    """The evidence on one metric, round by round, in constant memory and time.

    Args:
        settings: frozen; every constant of the intervals is derived from them here, once.
    """

    def __init__(self, settings: Settings) -> None:
        self._start = settings
        self._lowest, self._highest = settings.lowest, settings.highest
        self.rounds_canary = 0
        self.rounds_stable = 0
        self.outside = 0
        self._run = Strand(settings)
        self._step: Strand | None = None
        self._steps = 0
        self._step_began = 0
        self._recent: Strand | None = None
        self._stretches = 0
        self._stretch_began = 0
        self._stretch = ceil(RECENT_LASTS * settings.due_rounds)
        self._each = sequence_of(settings)
        self._payoffs: tuple[Payoffs, Payoffs] | None = (Payoffs(), Payoffs())
        self._stakes = [0.0, inf, 0.0]
        self._released = [0.0, 0.0]
        self._open = (0, 0.0)
        self._known: Evidence | None = None
        self._balance = Balance(settings.due_rounds) if settings.form is Form.ADJUSTED else None
        self.priced_apart = False
        self._due = self._run.sequence.intrinsic_time(settings.due_rounds, settings.share)
        if settings.form is Form.ADJUSTED:
            self._due *= 1.0 - (settings.explained or 0.0)
        self._take(settings)
        self._tuned_safe = tuned(self._alpha_safe, self._due)
        self._tuned_run = tuned(self._alpha_run, self._due)
        self._bind()
        self._certain: tuple[Bounded, ...] | None = None
        """Of a run in the bounded form that an earlier release began, which did not bet."""

    def _bounded(self) -> tuple[Bounded, Bounded, Bounded, Bounded]:
        low, high = self._lowest, self._highest
        safe, harm = self._alpha_safe / 2.0, self._alpha_run / 2.0
        return Bounded(low, high, safe), Bounded(low, high, harm), Bounded(low, high, safe), Bounded(low, high, harm)

    def _take(self, settings: Settings) -> None:
        share_of_alpha = 1.0 / len(settings.metrics)
        self.settings = settings
        self._alpha_safe = settings.alpha_safe * share_of_alpha / 2.0
        of_harm = settings.alpha_harm * share_of_alpha
        if settings.sigma_canary is None and settings.form is not Form.BOUNDED:
            of_harm /= 2.0  # the other half is of gains not met yet
        self._alpha_run = of_harm * (1.0 - STEP_SHARE - RECENT_SHARE)
        self._alpha_steps = of_harm * STEP_SHARE
        self._alpha_recent = of_harm * RECENT_SHARE
        self._unseen = -log(self._alpha_safe)

    def _bind(self) -> None:
        """Work the boundaries out for the alphas now in force; what they are tuned to stays that of the start."""
        self._safe = Boundary(self._alpha_safe, *self._tuned_safe)
        self._harm = Boundary(self._alpha_run, *self._tuned_run)
        self._alpha_in_step = self._alpha_steps / max(1, self._steps * (self._steps + 1))
        self._alpha_in_stretch = self._alpha_recent / max(1, self._stretches * (self._stretches + 1))
        self._harm_in_step = Boundary(self._alpha_in_step, *tuned(self._alpha_in_step, self._due))
        self._harm_in_stretch = Boundary(self._alpha_in_stretch, *tuned(self._alpha_in_stretch, self._due))
        self._known = None

    def new_step(self, settings: Settings | None = None) -> None:
        """The canary's share was changed: from here on the new step is also judged by itself.

        Args:
            settings: the plan's for this step; only margin and alphas may differ from those at the start.

        Raises:
            UsageError: they differ in what is frozen, or the bounded form (whose bets rest on alpha) got other alphas.
        """
        if settings is not None and settings != self.settings:
            old = self.settings
            same = replace(settings, margin=old.margin)
            if old.form is not Form.BOUNDED:
                same = replace(same, alpha_harm=old.alpha_harm, alpha_safe=old.alpha_safe)
            if same != old:
                raise UsageError("The settings of a running comparison are frozen, but for margin and alphas.")
            self._take(settings)
        rounds = self.rounds_canary + self.rounds_stable
        if rounds > self._step_began:
            self._steps += 1
            self._step_began = rounds
            self._step = Strand(self._start)
        self._bind()

    def round(
        self,
        canary: bool,
        value: float,
        probability: float,
        stake: float = 1.0,
        priced: tuple[float, float] | None = None,
        expected: float | None = None,
    ) -> None:
        """One round of one version; a round that was skipped, crashed or timed out counts, with what it cost.

        Args:
            canary: which version it was given to.
            value: its return, PnL over money at risk; one beyond the declared bounds counts as the bound, and in
                `outside`: a single absurd one must not outweigh all that was seen.
            probability: with which it was to go to the canary, as announced before it.
            stake: the money at risk in it, in any unit that is the same for all rounds; above 0.
            priced: what canary's and stable's own decisions on this round would return by one reckoning, the same for
                both and whoever played it; None where that is not known. One beyond the declared bounds counts in
                `outside`, before any such return is met. Only the adjusted form makes further use of prices; once they
                are seen to differ by who played, none is used any more, and the evidence begins anew.
            expected: what `expected` said when the round was given out: where one version's rounds stay open for longer
                than the other's, they are of another market, which must not count for or against it. None where each
                round is over before the next one is given out.

        Raises:
            UsageError: a number that is none.
        """
        if self.paired:
            raise TypeError("paired rounds are judged by pairs")
        _numbers(value, probability, stake, *(priced or ()), *(() if expected is None else (expected,)))
        if priced is not None:
            foreseen = any(not self._lowest <= one <= self._highest for one in priced)
            self.outside += foreseen and self._lowest <= value <= self._highest
            priced = self._priced(canary, probability, priced)
        value, weight = self._within(value), self._weight(stake)
        level = self.expected
        moved = 0.0 if expected is None or level is None else level - expected
        if canary:
            self.rounds_canary += 1
        else:
            self.rounds_stable += 1
        for strand in (self._run, self._step, self._recent):
            if strand is not None:
                strand.round(canary, value, probability, weight, stake, priced, moved)
        if isinstance(self._each, Adjusted):
            self._each.add(canary, value, probability, priced=priced, moved=moved)
        elif isinstance(self._each, FixedAllocation):
            self._each.add(canary, value, probability)
        if self._payoffs is not None:
            self._payoffs[0 if canary else 1].add(stake, value)
        if self._certain is not None:
            for sequence in self._certain[:2] if canary else self._certain[2:]:
                sequence.add(value)
        self._turn()

    def pair(self, canary: float, stable: float, stake: float = 1.0) -> None:
        """One round that both versions played: their returns, each over its own money at risk, and the round's stake.

        Raises:
            UsageError: a number that is none.
        """
        each = self._each
        if not isinstance(each, Paired):
            raise TypeError("only the paired form is judged by pairs")
        _numbers(canary, stable, stake)
        canary, stable, weight = self._within(canary), self._within(stable), self._weight(stake)
        self.rounds_canary += 1
        self.rounds_stable += 1
        for strand in (self._run, self._step, self._recent):
            if strand is not None:
                strand.pair(canary, stable, weight, stake)
        each.add_pair(canary, stable)
        if self._payoffs is not None:
            self._payoffs[0].add(stake, canary)
            self._payoffs[1].add(stake, stable)
        self._turn()

    def released(self, stake: float) -> None:
        """A round of the canary was given back without an outcome: what it would have been is not known."""
        _numbers(stake)
        self._released[0] += 1.0
        self._released[1] += stake
        self._known = None

    def unsettled(self, rounds: int, money: float) -> None:
        """How many rounds of the canary are open now, and the money at risk in them.

        Raises:
            UsageError: a number that is none.
        """
        if (rounds, money) != self._open:
            if money:
                _numbers(money)
            self._open = (rounds, money)
            self._known = None

    def _priced(self, canary: bool, probability: float, priced: tuple[float, float]) -> tuple[float, float] | None:
        """The prices of a round as they are used: within the bounds, and not at all once they are of no use."""
        if self._balance is None or self.priced_apart:
            return None
        low, high = self._lowest, self._highest
        priced = max(low, min(high, priced[0])), max(low, min(high, priced[1]))
        self._balance.add(canary, probability, priced)
        if not self._balance.apart:
            return priced
        start, now = self._start, self.settings
        self.__init__(start)  # type: ignore[misc]
        self._take(now)
        self._bind()
        self.priced_apart = True
        return None

    def _within(self, value: float) -> float:
        if self._lowest <= value <= self._highest:
            return value
        self.outside += 1
        return max(self._lowest, min(self._highest, value))

    def _weight(self, stake: float) -> float:
        stakes = self._stakes
        total = stakes[0] = stakes[0] + stake
        stakes[1], stakes[2] = min(stakes[1], stake), max(stakes[2], stake)
        rounds = 1 + (self.rounds_canary if self.paired else self.rounds_canary + self.rounds_stable)
        return stake * rounds / total

    def _turn(self) -> None:
        """Begin the next stretch where the running one has lasted."""
        self._known = None
        rounds = self.rounds_canary + (0 if self.paired else self.rounds_stable)
        if rounds - self._stretch_began >= self._stretch:
            self._stretches += 1
            self._stretch_began = rounds
            self._recent = Strand(self._start)
            self._bind()

    @property
    def paired(self) -> bool:
        """Whether it is fed by pairs."""
        return isinstance(self._each, Paired)

    @property
    def expected(self) -> float | None:
        """What is expected of a round that is given out now; None before any round, and in forms that do not ask."""
        sequence = self._run.sequence
        return sequence.level if isinstance(sequence, Adjusted) else None

    @property
    def one_stake(self) -> bool:
        """Whether all rounds had the same stake: then rounds and money say the same."""
        return self._stakes[2] <= self._stakes[1] * (1.0 + ONE_STAKE)

    def state(self) -> dict[str, Any]:
        """What `restore` goes on from, as plain JSON values."""
        return {
            "start": self._start.digest,
            "now": [self.settings.margin, self.settings.alpha_harm, self.settings.alpha_safe],
            "rounds": [self.rounds_canary, self.rounds_stable, self.outside, *self._prices_state()],
            "strand": self._run.state(),
            "in_step": None if self._step is None else [self._steps, self._step_began, self._step.state()],
            "recent": None if self._recent is None else [self._stretches, self._stretch_began, self._recent.state()],
            "each": self._each.state(),
            "stakes": [self._stakes[0], self._stakes[1] if self._stakes[0] else None, self._stakes[2]],
            "released": list(self._released),
            "payoffs": None if self._payoffs is None else [kept.state() for kept in self._payoffs],
            "certain": None if self._certain is None else [sequence.state() for sequence in self._certain],
        }

    def _prices_state(self) -> tuple[Any, Any]:
        """What is known of prices; a state of the earlier release has none of it."""
        return self.priced_apart, None if self._balance is None else self._balance.state()

    def restore(self, state: object) -> None:
        """Go on from a state: the same evidence as the judge that gave it, which was started with the same settings.

        From a state of the earlier release, which knew nothing of the money at stake, nothing is taken over: the
        evidence begins anew.

        Raises:
            UsageError: it is none, or of a judge with other settings; nothing was taken over.
        """
        fresh = Judge(self._start)
        try:
            assert isinstance(state, Mapping)
            if state["start"] != self._start.digest:
                raise UsageError("The state is that of a comparison with other settings.")
            if "run" in state:
                return  # of the earlier release, which knew nothing of stakes: what it saw can't be weighed afterwards
            fresh._read(state)
        except (AssertionError, KeyError, TypeError, ValueError) as error:
            raise UsageError("The state of the comparison can't be read.") from error
        self.__dict__.update(fresh.__dict__)

    def _read(self, state: Mapping[str, Any]) -> None:
        margin, alpha_harm, alpha_safe = (float(value) for value in state["now"])
        self._take(replace(self._start, margin=margin, alpha_harm=alpha_harm, alpha_safe=alpha_safe))
        *counts, apart, balance = state["rounds"] if len(state["rounds"]) > 3 else (*state["rounds"], False, None)
        self.rounds_canary, self.rounds_stable, self.outside = (int(count) for count in counts)
        self.priced_apart = bool(apart)
        if self._balance is not None and balance is not None:
            self._balance.restore(balance)
        self._run.restore(state["strand"])
        if state["in_step"] is not None:
            steps, began, kept_step = state["in_step"]
            self._steps, self._step_began = int(steps), int(began)
            self._step = Strand(self._start)
            self._step.restore(kept_step)
        if state["recent"] is not None:
            stretches, began, kept_recent = state["recent"]
            self._stretches, self._stretch_began = int(stretches), int(began)
            self._recent = Strand(self._start)
            self._recent.restore(kept_recent)
        self._each.restore(state["each"])
        total, least, most = state["stakes"]
        self._stakes = [float(total), inf if least is None else float(least), float(most)]
        rounds, money = state["released"]
        self._released = [float(rounds), float(money)]
        kept_payoffs = state.get("payoffs")
        self._payoffs = None if kept_payoffs is None else self._payoffs
        for payoffs, kept in zip(self._payoffs or (), kept_payoffs or (), strict=True):
            payoffs.restore(kept)
        self._bind()
        self._certain = None if state["certain"] is None else self._bounded()
        for sequence, kept in zip(self._certain or (), state["certain"] or (), strict=True):
            sequence.restore(kept)

    @property
    def evidence(self) -> Evidence:
        """The interval and the verdict as of now; may be asked after every round, and is worked out once for each."""
        if self._known is None:
            self._known = self._look()
        return self._known

    def _look(self) -> Evidence:
        run, settings = self._run, self.settings
        estimate, blocks = run.sequence.estimate, run.sequence.blocks
        certain = self._exact and self.one_stake
        hidden = 0.0 if certain else run.hidden_loss(self._unseen)
        gain = self._gain(run, self._alpha_run)
        money = self._open[1] + self._released[1]
        lost = run.unsettled(money)
        lower = estimate - run.reach(self._safe) - hidden
        upper = estimate + run.reach(self._harm) + gain
        if self._exact:
            sure = self._sure(run)
            lower, upper = sure if certain else (min(lower, sure[0]), max(upper, sure[1]))
        lower -= lost
        in_step, step = inf, self._step
        if step is not None and lower > -settings.margin:
            in_step = step.sequence.estimate - step.reach(self._safe) - step.unsettled(money)
        verdict = decide(settings, blocks, estimate, lower, upper, self.outside, in_step)
        if verdict is not Verdict.HARM and (
            self._harms(step, self._harm_in_step, self._alpha_in_step)
            or self._harms(self._recent, self._harm_in_stretch, self._alpha_in_stretch)
        ):
            verdict = Verdict.HARM
        return Evidence(
            verdict,
            self.rounds_canary,
            self.rounds_stable,
            blocks,
            estimate,
            lower,
            upper,
            hidden,
            self.outside,
            self._needed(blocks, estimate, lower),
            self._open[0] + int(self._released[0]),
            lost,
            None if self.one_stake else self._per_round(),
            gain,
            *self._prices(),
        )

    def _prices(self) -> tuple[int, float, bool]:
        """Rounds that were priced, the share of the scatter that prices explain, and whether they are of no use."""
        sequence = self._run.sequence
        if isinstance(sequence, Adjusted):
            return sequence.slope.rounds, sequence.slope.explained, self.priced_apart
        return 0, 0.0, self.priced_apart

    @property
    def _exact(self) -> bool:
        """Whether its bounds hold for any number of rounds."""
        return self.settings.form is Form.BOUNDED

    def _sure(self, run: Strand) -> tuple[float, float]:
        """The bounds of the bounded form: by betting, or by empirical Bernstein in a run that began with it."""
        if run.bets is not None:
            return run.bets.lower(self._alpha_safe, -self.settings.margin), run.bets.upper(self._alpha_run)
        assert self._certain is not None
        safe_c, harm_c, safe_s, harm_s = self._certain
        return safe_c.bounds[0] - safe_s.bounds[1], harm_c.bounds[1] - harm_s.bounds[0]

    @property
    def payoffs(self) -> tuple[Payoff, Payoff] | None:
        """How the canary's rounds went, and stable's; None where the run began before these were kept."""
        return None if self._payoffs is None else payoffs_of(*self._payoffs)

    def _gain(self, strand: Strand, alpha: float) -> float:
        """What outcomes not met yet may add in the canary's favour, where nothing is known of its own spread."""
        if self.settings.sigma_canary is not None or self._exact:
            return 0.0
        return strand.hidden_gain(-log(alpha))

    def _per_round(self) -> tuple[float, float, float]:
        """Estimate, lower and upper with every round counting the same: beside the money, never instead of it."""
        variance, factor = self._each.spread()
        estimate = self._each.estimate
        return estimate, estimate - factor * self._safe.reach(variance), estimate + factor * self._harm.reach(variance)

    def _harms(self, strand: Strand | None, boundary: Boundary, alpha: float) -> bool:
        """Whether a stretch of rounds by itself proves harm."""
        if strand is None or strand.sequence.estimate >= -self.settings.margin:
            return False  # whatever its interval
        estimate = strand.sequence.estimate
        upper = estimate + strand.reach(boundary) + self._gain(strand, alpha)
        if strand.bets is not None:
            sure = strand.bets.upper(alpha)
            upper = sure if self.one_stake else max(upper, sure)
        return decide(self.settings, strand.sequence.blocks, estimate, -inf, upper) is Verdict.HARM

    def _needed(self, blocks: int, estimate: float, lower: float) -> int | None:
        """Further rounds until the lower bound passes the margin, if widths shrink by the root of the rounds."""
        settings = self.settings
        room = estimate + settings.margin
        if self.outside or room <= 0.0 or not isfinite(lower):
            return None
        rounds = self.rounds_canary + (0 if self.paired else self.rounds_stable)
        short = max(0, settings.min_blocks - blocks) * settings.block
        return max(short, ceil(rounds * (((estimate - lower) / room) ** 2 - 1.0)), 0)


def _numbers(*numbers: float) -> None:
    if not all(isfinite(number) for number in numbers):
        raise UsageError("A round's return, probability and stake are finite numbers.")
