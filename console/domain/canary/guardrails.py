"""Guardrails beside the money: the split of the rounds, errors, skipped rounds, slow rounds; each an e-process.

A rate is held against the stable version's in the same rounds, by who had the round that went wrong: where both fail
alike, a failure is the canary's with the very probability with which the round was to go to it. Only where there is no
such draw (the canary has every round, or both play it) is it held against the rate that the plan accepts.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log
from typing import Any, Final

from console.domain.errors import UsageError
from console.domain.statistics.eprocess import ShareProcess, Side
from console.domain.statistics.evidence import digest_of

ALARMS: Final = 4
USUAL: Final = {"errors": 0.01, "skipped rounds": 0.01, "slow rounds": 0.05}
"""What of a version's rounds may go wrong in either way before it is looked at at all."""

RATIOS: Final = (1.5, 2.0, 4.0, 10.0)
"""How much more often the canary may be failing: the alternatives that are mixed."""


class RateProcess:
    """Evidence that the canary's rounds go wrong more often than stable's, from rounds that were drawn.

    Of a round that went wrong, and was to go to the canary with probability p, the odds that the canary had it rise
    by the ratio of the two rates. Under equal rates the mixture over `RATIOS` is a martingale that starts at 1 (Ville's
    inequality), whatever the common rate is, and however it moves.

    Args:
        accepted: the share of the canary's rounds below which nothing is alarming.
    """

    __slots__ = ("_logs", "accepted", "canary", "canary_hits", "stable", "stable_hits")

    def __init__(self, accepted: float) -> None:
        if not 0.0 < accepted < 1.0:
            raise ValueError(f"an accepted share lies between 0 and 1, both excluded, not at {accepted}")
        self.accepted = accepted
        self.canary = self.canary_hits = self.stable = self.stable_hits = 0
        self._logs = [0.0] * len(RATIOS)

    def add(self, canary: bool, probability: float, hit: bool) -> None:
        """One drawn round."""
        if canary:
            self.canary += 1
            self.canary_hits += hit
        else:
            self.stable += 1
            self.stable_hits += hit
        if hit:
            for at, ratio in enumerate(RATIOS):
                self._logs[at] += log((ratio if canary else 1.0) / (ratio * probability + 1.0 - probability))

    @property
    def shares(self) -> tuple[float, float]:
        """Of the canary's rounds and of stable's, how many went wrong."""
        return self.canary_hits / max(self.canary, 1), self.stable_hits / max(self.stable, 1)

    def alarm(self, alpha: float) -> bool:
        """Whether the canary's rate is the higher one, at level alpha, and above what is accepted."""
        if self.shares[0] <= self.accepted:
            return False
        most = max(self._logs)
        return most + log(sum(exp(one - most) for one in self._logs) / len(RATIOS)) >= -log(alpha)

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        return [self.canary, self.canary_hits, self.stable, self.stable_hits, list(self._logs)]

    def restore(self, state: Any) -> None:
        """Go on from a state of a process with the same accepted share."""
        canary, canary_hits, stable, stable_hits, logs = state
        self.canary, self.canary_hits = int(canary), int(canary_hits)
        self.stable, self.stable_hits = int(stable), int(stable_hits)
        self._logs = [float(one) for one, _ratio in zip(logs, RATIOS, strict=True)]


class Guardrails:
    """Counts a canary's rounds, and says which share is not what it should be. An alarm lasts until the next step.

    Alpha is divided among the alarms, and over the steps as 1/(j (j + 1)), which adds up to it however many there are.

    Args:
        alpha: for all alarms over the whole run together.
        errors, skipped: the shares of a version's rounds that are accepted; above 0. None for 1 %.
        slow: the share of rounds beyond the baseline's quantile that is accepted. None for 0.05, that of its p95.
    """

    def __init__(
        self, alpha: float, *, errors: float | None = None, skipped: float | None = None, slow: float | None = None
    ) -> None:
        self._alpha = alpha
        self._accepted = {
            name: usual if own is None else own
            for (name, usual), own in zip(USUAL.items(), (errors, skipped, slow), strict=True)
        }
        self._digest = digest_of({"alpha": alpha, **self._accepted})
        self._step = 0
        self.new_step()

    def new_step(self) -> None:
        """Count from nothing: another share was set."""
        self._step += 1
        self._level = self._alpha / ALARMS / (self._step * (self._step + 1))
        self._drawn = {name: RateProcess(share) for name, share in self._accepted.items()}
        self._alone = {name: ShareProcess(share, Side.ABOVE) for name, share in self._accepted.items()}
        self._ratio: ShareProcess | None = None
        self._fired: dict[str, str] = {}
        self.ratio_alarm = False

    def draw(self, canary: bool, probability: float) -> None:
        """One round that was given out: whoever plays it may take its time.

        Args:
            canary: who has it.
            probability: with which it was to go to the canary; rounds that could go one way only are not a draw.
        """
        if 0.0 < probability < 1.0:
            if self._ratio is None or self._ratio.expected != probability:
                self._ratio = ShareProcess(probability)
            self._ratio.add(canary)
            self.ratio_alarm = self.ratio_alarm or self._ratio.alarm(self._level)

    def round(
        self, canary: bool, probability: float, *, error: bool = False, skipped: bool = False, slow: bool = False
    ) -> None:
        """One round that was reported, by whoever played it.

        Args:
            canary: which version it was reported by.
            probability: with which it was to go to the canary.
            error, skipped, slow: how it went.
        """
        drawn = 0.0 < probability < 1.0
        for name, hit in zip(self._accepted, (error, skipped, slow), strict=True):
            if drawn:
                self._drawn[name].add(canary, probability, hit)
            elif canary:
                self._alone[name].add(hit)
            if canary and hit and name not in self._fired:
                self._look(name, drawn=drawn)

    def _look(self, name: str, *, drawn: bool) -> None:
        level = self._level / 2.0
        if drawn and self._drawn[name].alarm(level):
            own, other = self._drawn[name].shares
            self._fired[name] = f"{name} {own:.1%}, stable {other:.1%}"
        elif not drawn and self._alone[name].alarm(level):
            alone = self._alone[name]
            self._fired[name] = f"{name} {alone.share:.1%} of {alone.expected:.1%}"

    @property
    def alarms(self) -> tuple[str, ...]:
        """What fired in this step, in words."""
        return tuple(self._fired.values())

    @property
    def ratio(self) -> tuple[float, float] | None:
        """The canary's share of the draws given out, and the share expected; None before the first."""
        return None if self._ratio is None else (self._ratio.share, self._ratio.expected)

    def state(self) -> dict[str, Any]:
        """What `restore` goes on from, as plain JSON values."""
        ratio = self._ratio
        return {
            "settings": self._digest,
            "step": self._step,
            "drawn": {name: process.state() for name, process in self._drawn.items()},
            "alone": {name: process.state() for name, process in self._alone.items()},
            "ratio": None if ratio is None else [ratio.expected, ratio.state()],
            "fired": dict(self._fired),
            "ratio_alarm": self.ratio_alarm,
        }

    def restore(self, state: object) -> None:
        """Go on from a state: what these guardrails would have counted themselves.

        From a state of the earlier release, which held rates against nothing but the plan, nothing is taken over.

        Raises:
            UsageError: it is none, or of guardrails with other settings; nothing was taken over.
        """
        fresh = Guardrails(
            self._alpha, **dict(zip(("errors", "skipped", "slow"), self._accepted.values(), strict=True))
        )
        try:
            assert isinstance(state, Mapping)
            if "shares" in state:
                return
            if state["settings"] != self._digest:
                raise UsageError("The state is that of guardrails with other settings.")
            fresh._read(state)
        except (AssertionError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError("The state of the guardrails can't be read.") from error
        self.__dict__.update(fresh.__dict__)

    def _read(self, state: Mapping[str, Any]) -> None:
        self._step = int(state["step"]) - 1
        self.new_step()
        for name in self._accepted:
            self._drawn[name].restore(state["drawn"][name])
            self._alone[name].restore(state["alone"][name])
        if state["ratio"] is not None:
            expected, counted = state["ratio"]
            self._ratio = ShareProcess(float(expected))
            self._ratio.restore(counted)
        self._fired = {str(name): str(words) for name, words in state["fired"].items() if name in self._accepted}
        self.ratio_alarm = state["ratio_alarm"] is True
