"""The judge of one metric: takes rounds, keeps the sequences, and says at any time what they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil, inf, isfinite, log
from typing import Any, Final

from console.domain.errors import UsageError
from console.domain.sequences import Adjusted, Bounded, FixedAllocation, Paired, rho_squared
from console.domain.statistics import Evidence, Form, Settings, Verdict, decide

STEP_SHARE: Final = 0.1
"""Share of alpha given to the running step alone: harm that only a larger share brings must not be averaged away."""


class Judge:
    """The evidence on one metric, round by round, in constant memory and time.

    Args:
        settings: frozen; every constant of the intervals is derived from them here, once.
    """

    def __init__(self, settings: Settings) -> None:
        self._start = settings
        self._take(settings)
        self.rounds_canary = 0
        self.rounds_stable = 0
        self.outside = 0
        self._run = self._sequence()
        self._step: FixedAllocation | Adjusted | Paired | None = None
        due = self._run.intrinsic_time(settings.due_rounds, settings.share)
        self._rho2_safe = rho_squared(2.0 * self._alpha_safe, due)
        self._rho2_run = rho_squared(2.0 * self._alpha_run, due)
        self._rho2_step = rho_squared(2.0 * self._alpha_step, due)
        self._certain = self._bounded() if settings.form is Form.BOUNDED else None

    def _sequence(self) -> FixedAllocation | Adjusted | Paired:
        block, sigma = self.settings.block, self.settings.spread
        if self.settings.form is Form.PAIRED:
            return Paired(block, sigma)
        return Adjusted(block, sigma) if self.settings.form is Form.ADJUSTED else FixedAllocation(block, sigma)

    def _bounded(self) -> tuple[Bounded, Bounded, Bounded, Bounded]:
        low, high = self.settings.lowest, self.settings.highest
        safe, harm = self._alpha_safe / 2.0, self._alpha_run / 2.0
        return Bounded(low, high, safe), Bounded(low, high, harm), Bounded(low, high, safe), Bounded(low, high, harm)

    def _take(self, settings: Settings) -> None:
        share_of_alpha = 1.0 / len(settings.metrics)
        self.settings = settings
        self._alpha_safe = settings.alpha_safe * share_of_alpha / 2.0
        self._alpha_run = settings.alpha_harm * share_of_alpha * (1.0 - STEP_SHARE)
        self._alpha_step = settings.alpha_harm * share_of_alpha * STEP_SHARE
        self._unseen = -log(self._alpha_safe)

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
        self._step = self._sequence()

    def round(self, canary: bool, value: float, probability: float) -> None:
        """One round of one version; a round that was skipped, crashed or timed out counts, with what it cost.

        Args:
            canary: which version it was given to.
            value: its return, PnL over money at risk.
            probability: with which it was to go to the canary, as announced before it.
        """
        run = self._run
        if isinstance(run, Paired):
            raise TypeError("paired rounds are judged by pairs")
        if not self.settings.lowest <= value <= self.settings.highest:
            self.outside += 1
        if canary:
            self.rounds_canary += 1
        else:
            self.rounds_stable += 1
        run.add(canary, value, probability)
        step = self._step
        if step is not None and not isinstance(step, Paired):
            step.add(canary, value, probability)
        if self._certain is not None:
            for sequence in self._certain[:2] if canary else self._certain[2:]:
                sequence.add(value)

    def pair(self, canary: float, stable: float) -> None:
        """One round that both versions played: their returns, each over its own money at risk."""
        if not isinstance(self._run, Paired):
            raise TypeError("only the paired form is judged by pairs")
        low, high = self.settings.lowest, self.settings.highest
        self.outside += (not low <= canary <= high) + (not low <= stable <= high)
        self.rounds_canary += 1
        self.rounds_stable += 1
        self._run.add_pair(canary, stable)
        if isinstance(self._step, Paired):
            self._step.add_pair(canary, stable)

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
            "step": None if self._step is None else self._step.state(),
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
            self._step = self._sequence()
            self._step.restore(state["step"])
        for sequence, kept in zip(self._certain or (), state["certain"] or (), strict=True):
            sequence.restore(kept)

    @property
    def hidden(self) -> float:
        """The mean loss that may still hide: losses of the canary and gains of stable too rare to have been met.

        An outcome of probability p stays unmet for n rounds with probability below exp(-n p), whenever one stops.
        """
        if self._certain is not None:
            return 0.0
        if not self.rounds_canary or not self.rounds_stable:
            return inf
        if isinstance(self._run, Paired):
            return self._unseen * max(-self.settings.lowest, self.settings.highest) / self.rounds_canary
        return self._unseen * max(
            -self.settings.lowest / self.rounds_canary, self.settings.highest / self.rounds_stable
        )

    @property
    def evidence(self) -> Evidence:
        """The interval and the verdict as of now; may be asked after every round."""
        run, settings = self._run, self.settings
        estimate, hidden = run.estimate, self.hidden
        if self._certain is not None:
            safe_c, harm_c, safe_s, harm_s = self._certain
            lower = safe_c.bounds[0] - safe_s.bounds[1]
            upper = harm_c.bounds[1] - harm_s.bounds[0]
        else:
            lower = estimate - run.radius(self._rho2_safe, self._alpha_safe) - hidden
            upper = estimate + run.radius(self._rho2_run, self._alpha_run)
        verdict = decide(settings, blocks=run.blocks, estimate=estimate, lower=lower, upper=upper, outside=self.outside)
        step = self._step
        if step is not None and verdict is not Verdict.HARM:
            of_step = step.estimate + step.radius(self._rho2_step, self._alpha_step)
            if decide(settings, blocks=step.blocks, estimate=step.estimate, lower=-inf, upper=of_step) is Verdict.HARM:
                verdict = Verdict.HARM
        return Evidence(
            verdict, self.rounds_canary, self.rounds_stable, run.blocks, estimate, lower, upper, hidden, self.outside,
            self._needed(estimate, lower),
        )  # fmt: skip

    def _needed(self, estimate: float, lower: float) -> int | None:
        """Further rounds until the lower bound passes the margin, if widths shrink by the root of the rounds."""
        settings = self.settings
        rounds = self.rounds_canary + (0 if isinstance(self._run, Paired) else self.rounds_stable)
        short = max(0, settings.min_blocks - self._run.blocks) * settings.block
        room = estimate + settings.margin
        if self.outside or room <= 0.0 or not isfinite(lower):
            return None
        return max(short, ceil(rounds * (((estimate - lower) / room) ** 2 - 1.0)), 0)
