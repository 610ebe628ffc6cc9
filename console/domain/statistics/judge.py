"""The judge of one metric: takes rounds, keeps the sequences, and says at any time what they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil, inf, isfinite, log
from typing import Any, Final

from console.domain.errors import UsageError
from console.domain.statistics.bounded import Bounded
from console.domain.statistics.evidence import Evidence, Form, Settings, Verdict, decide
from console.domain.statistics.sequences import Adjusted, Boundary, FixedAllocation, Paired, rho_squared

STEP_SHARE: Final = 0.1
"""Share of alpha given to running steps alone: harm that only a larger share brings must not be averaged away.

The run's first step is the run so far and needs no part of it; of those after it the j-th gets 1/(j (j + 1)) of it,
which adds up to the whole however many there are.
"""


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
        self._run = self._sequence()
        self._step: FixedAllocation | Adjusted | Paired | None = None
        self._steps = 0
        self._step_began = 0
        self._known: Evidence | None = None
        self._due = self._run.intrinsic_time(settings.due_rounds, settings.share)
        self._take(settings)
        self._rho2_safe = rho_squared(2.0 * self._alpha_safe, self._due)
        self._rho2_run = rho_squared(2.0 * self._alpha_run, self._due)
        self._bind()
        self._certain = self._bounded() if settings.form is Form.BOUNDED else None

    def _sequence(self) -> FixedAllocation | Adjusted | Paired:
        block, sigma = self._start.block, self._start.spread
        if self._start.form is Form.PAIRED:
            return Paired(block, sigma)
        return Adjusted(block, sigma) if self._start.form is Form.ADJUSTED else FixedAllocation(block, sigma)

    def _bounded(self) -> tuple[Bounded, Bounded, Bounded, Bounded]:
        low, high = self._lowest, self._highest
        safe, harm = self._alpha_safe / 2.0, self._alpha_run / 2.0
        return Bounded(low, high, safe), Bounded(low, high, harm), Bounded(low, high, safe), Bounded(low, high, harm)

    def _take(self, settings: Settings) -> None:
        share_of_alpha = 1.0 / len(settings.metrics)
        self.settings = settings
        self._alpha_safe = settings.alpha_safe * share_of_alpha / 2.0
        self._alpha_run = settings.alpha_harm * share_of_alpha * (1.0 - STEP_SHARE)
        self._alpha_steps = settings.alpha_harm * share_of_alpha * STEP_SHARE
        self._unseen = -log(self._alpha_safe)

    def _bind(self) -> None:
        """Work the boundaries out for the alphas now in force; what they are tuned to stays that of the start."""
        self._safe = Boundary(self._rho2_safe, self._alpha_safe)
        self._harm = Boundary(self._rho2_run, self._alpha_run)
        alpha = self._alpha_steps / max(1, self._steps * (self._steps + 1))
        self._harm_in_step = Boundary(rho_squared(2.0 * alpha, self._due), alpha)
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
            if self._certain is None:
                same = replace(same, alpha_harm=old.alpha_harm, alpha_safe=old.alpha_safe)
            if same != old:
                raise UsageError("The settings of a running comparison are frozen, but for margin and alphas.")
            self._take(settings)
        rounds = self.rounds_canary + self.rounds_stable
        if rounds > self._step_began:
            self._steps += 1
            self._step_began = rounds
            self._step = self._sequence()
        self._bind()

    def round(self, canary: bool, value: float, probability: float) -> None:
        """One round of one version; a round that was skipped, crashed or timed out counts, with what it cost.

        Args:
            canary: which version it was given to.
            value: its return, PnL over money at risk.
            probability: with which it was to go to the canary, as announced before it.
        """
        run, step = self._run, self._step
        if isinstance(run, Paired):
            raise TypeError("paired rounds are judged by pairs")
        if not self._lowest <= value <= self._highest:
            self.outside += 1
        if canary:
            self.rounds_canary += 1
        else:
            self.rounds_stable += 1
        run.add(canary, value, probability)
        if step is not None and not isinstance(step, Paired):
            step.add(canary, value, probability)
        if self._certain is not None:
            for sequence in self._certain[:2] if canary else self._certain[2:]:
                sequence.add(value)
        self._known = None

    def pair(self, canary: float, stable: float) -> None:
        """One round that both versions played: their returns, each over its own money at risk."""
        run, step, low, high = self._run, self._step, self._lowest, self._highest
        if not isinstance(run, Paired):
            raise TypeError("only the paired form is judged by pairs")
        self.outside += (not low <= canary <= high) + (not low <= stable <= high)
        self.rounds_canary += 1
        self.rounds_stable += 1
        run.add_pair(canary, stable)
        if isinstance(step, Paired):
            step.add_pair(canary, stable)
        self._known = None

    @property
    def paired(self) -> bool:
        """Whether it is fed by pairs."""
        return isinstance(self._run, Paired)

    def state(self) -> dict[str, Any]:
        """What `restore` goes on from, as plain JSON values."""
        return {
            "start": self._start.digest,
            "now": [self.settings.margin, self.settings.alpha_harm, self.settings.alpha_safe],
            "rounds": [self.rounds_canary, self.rounds_stable, self.outside],
            "run": self._run.state(),
            "step": None if self._step is None else [self._steps, self._step_began, self._step.state()],
            "certain": None if self._certain is None else [sequence.state() for sequence in self._certain],
        }

    def restore(self, state: object) -> None:
        """Go on from a state: the same evidence as the judge that gave it, which was started with the same settings.

        Raises:
            UsageError: it is none, or of a judge with other settings; nothing was taken over.
        """
        fresh = Judge(self._start)
        try:
            assert isinstance(state, Mapping)
            if state["start"] != self._start.digest:
                raise UsageError("The state is that of a comparison with other settings.")
            fresh._read(state)
        except (AssertionError, KeyError, TypeError, ValueError) as error:
            raise UsageError("The state of the comparison can't be read.") from error
        self.__dict__.update(fresh.__dict__)

    def _read(self, state: Mapping[str, Any]) -> None:
        margin, alpha_harm, alpha_safe = (float(value) for value in state["now"])
        self._take(replace(self._start, margin=margin, alpha_harm=alpha_harm, alpha_safe=alpha_safe))
        self.rounds_canary, self.rounds_stable, self.outside = (int(count) for count in state["rounds"])
        self._run.restore(state["run"])
        if state["step"] is not None:
            steps, began, kept_step = state["step"]
            self._steps, self._step_began = int(steps), int(began)
            self._step = self._sequence()
            self._step.restore(kept_step)
        self._bind()
        for sequence, kept in zip(self._certain or (), state["certain"] or (), strict=True):
            sequence.restore(kept)

    @property
    def hidden(self) -> float:
        """The mean loss that may still hide: losses of the canary and gains of stable too rare to have been met.

        An outcome of probability p stays unmet for n rounds with probability below exp(-n p), whenever one stops.
        """
        canary, stable = self.rounds_canary, self.rounds_stable
        if self._certain is not None:
            return 0.0
        if not canary or not stable:
            return inf
        return self._unseen * max(-self._lowest / canary, self._highest / stable)

    @property
    def evidence(self) -> Evidence:
        """The interval and the verdict as of now; may be asked after every round, and is worked out once for each."""
        if self._known is None:
            self._known = self._look()
        return self._known

    def _look(self) -> Evidence:
        run = self._run
        estimate, hidden, blocks = run.estimate, self.hidden, run.blocks
        if self._certain is not None:
            safe_c, harm_c, safe_s, harm_s = self._certain
            lower = safe_c.bounds[0] - safe_s.bounds[1]
            upper = harm_c.bounds[1] - harm_s.bounds[0]
        else:
            variance, factor = run.spread()
            lower = estimate - factor * self._safe.reach(variance) - hidden
            upper = estimate + factor * self._harm.reach(variance)
        verdict = decide(self.settings, blocks, estimate, lower, upper, self.outside)
        if verdict is not Verdict.HARM and self._step_harms():
            verdict = Verdict.HARM
        needed, rounds = self._needed(blocks, estimate, lower), (self.rounds_canary, self.rounds_stable)
        return Evidence(verdict, *rounds, blocks, estimate, lower, upper, hidden, self.outside, needed)

    def _step_harms(self) -> bool:
        """Whether the running step by itself proves harm."""
        step = self._step
        if step is None or step.estimate >= -self.settings.margin:
            return False  # whatever its interval
        variance, factor = step.spread()
        upper = step.estimate + factor * self._harm_in_step.reach(variance)
        return decide(self.settings, step.blocks, step.estimate, -inf, upper) is Verdict.HARM

    def _needed(self, blocks: int, estimate: float, lower: float) -> int | None:
        """Further rounds until the lower bound passes the margin, if widths shrink by the root of the rounds."""
        settings = self.settings
        room = estimate + settings.margin
        if self.outside or room <= 0.0 or not isfinite(lower):
            return None
        rounds = self.rounds_canary + (0 if self.paired else self.rounds_stable)
        short = max(0, settings.min_blocks - blocks) * settings.block
        return max(short, ceil(rounds * (((estimate - lower) / room) ** 2 - 1.0)), 0)
