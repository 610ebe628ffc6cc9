"""Guardrails beside the money: the split of the rounds, errors, skipped rounds, slow rounds; each an e-process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.domain.errors import UsageError
from console.domain.statistics.eprocess import ShareProcess, Side
from console.domain.statistics.evidence import digest_of

ALARMS = 4


class Guardrails:
    """Counts a canary's rounds, and says which share is not what it should be. An alarm lasts until the next step.

    Alpha is divided among the alarms, and over the steps as 1/(j (j + 1)), which adds up to it however many there are.

    Args:
        alpha: for all alarms over the whole run together.
        errors, skipped: the shares of the stable version that are accepted; above 0.
        slow: the share of rounds beyond the baseline's quantile: 0.05 for its p95.
    """

    def __init__(self, alpha: float, *, errors: float = 0.01, skipped: float = 0.01, slow: float = 0.05) -> None:
        self._alpha = alpha
        self._settings = {"errors": errors, "skipped": skipped, "slow": slow}
        self._digest = digest_of({"alpha": alpha, **self._settings})
        self._expected = {"errors": errors, "skipped rounds": skipped, "slow rounds": slow}
        self._step = 0
        self.new_step()

    def new_step(self) -> None:
        """Count from nothing: another share was set."""
        self._step += 1
        self._level = self._alpha / ALARMS / (self._step * (self._step + 1))
        self._shares = {name: ShareProcess(share, Side.ABOVE) for name, share in self._expected.items()}
        self._ratio: ShareProcess | None = None
        self._fired: dict[str, str] = {}
        self.ratio_alarm = False

    def round(
        self, canary: bool, probability: float, *, error: bool = False, skipped: bool = False, slow: bool = False
    ) -> None:
        """One round that was reported, by whoever played it.

        Args:
            canary: which version it was reported by.
            probability: with which it was to go to the canary; rounds that could go one way only are not a draw.
            error, skipped, slow: how it went; looked at for the canary only.
        """
        if 0.0 < probability < 1.0:
            if self._ratio is None or self._ratio.expected != probability:
                self._ratio = ShareProcess(probability)
            self._ratio.add(canary)
            self.ratio_alarm = self.ratio_alarm or self._ratio.alarm(self._level)
        if canary:
            for name, hit in (("errors", error), ("skipped rounds", skipped), ("slow rounds", slow)):
                process = self._shares[name]
                process.add(hit)
                if hit and name not in self._fired and process.alarm(self._level):
                    self._fired[name] = f"{name} {process.share:.1%} of {process.expected:.1%}"

    @property
    def alarms(self) -> tuple[str, ...]:
        """What fired in this step, in words."""
        return tuple(self._fired.values())

    @property
    def ratio(self) -> tuple[float, float] | None:
        """The canary's share of the draws reported, and the share expected; None before the first."""
        return None if self._ratio is None else (self._ratio.share, self._ratio.expected)

    def state(self) -> dict[str, Any]:
        """What `restore` goes on from, as plain JSON values."""
        ratio = self._ratio
        return {
            "settings": self._digest,
            "step": self._step,
            "shares": {name: process.state() for name, process in self._shares.items()},
            "ratio": None if ratio is None else [ratio.expected, ratio.state()],
            "fired": dict(self._fired),
            "ratio_alarm": self.ratio_alarm,
        }

    def restore(self, state: object) -> None:
        """Go on from a state: what these guardrails would have counted themselves.

        Raises:
            UsageError: it is none, or of guardrails with other settings; nothing was taken over.
        """
        fresh = Guardrails(self._alpha, **self._settings)
        try:
            assert isinstance(state, Mapping)
            if state["settings"] != self._digest:
                raise UsageError("The state is that of guardrails with other settings.")
            fresh._read(state)
        except (AssertionError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError("The state of the guardrails can't be read.") from error
        self.__dict__.update(fresh.__dict__)

    def _read(self, state: Mapping[str, Any]) -> None:
        self._step = int(state["step"]) - 1
        self.new_step()
        for name, process in self._shares.items():
            process.restore(state["shares"][name])
        if state["ratio"] is not None:
            expected, counted = state["ratio"]
            self._ratio = ShareProcess(float(expected))
            self._ratio.restore(counted)
        self._fired = {str(name): str(words) for name, words in state["fired"].items() if name in self._shares}
        self.ratio_alarm = state["ratio_alarm"] is True
