"""An A/B test of two strategies within one version, from the agent's side.

test = ABTest(experiment, capital=Decimal(1000))
with_this = test.value("round-8812")                      # the flag's text for this round, always the same
...
test.record("round-8812", pnl=Decimal("-2.50"), at_risk=Decimal(10))
test.reading().verdict
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from threading import Lock
from typing import Any

from console.domain.errors import Refused, UsageError
from console.domain.experiment.trial import Arm, Experiment, ExperimentJudge, ExperimentReading
from console.domain.fence.claims import counted, to_micros
from console.domain.text import clean


class ABTest:
    """Assigns rounds, splits the capital evenly, and keeps the evidence; safe to call from several threads.

    Args:
        experiment: frozen at its start.
        capital: what both arms together may have at stake; each has exactly half.
        before: mean returns of clusters in rounds before the experiment began, by cluster (`console.logs.before` reads
            them from a decision log): what they predict is taken out, and the interval is so much narrower.
    """

    def __init__(self, experiment: Experiment, *, capital: Decimal, before: Mapping[str, float] | None = None) -> None:
        if to_micros(capital) <= 0:
            raise UsageError("An experiment's capital must be above 0.")
        self.experiment = experiment
        self.half = capital / 2
        self._before = before or {}
        self._judge = ExperimentJudge(experiment)
        self._lock = Lock()
        self._stakes: dict[str, Decimal] = {}
        self._clusters: dict[str, str] = {}
        """Of the units that have a stake."""
        self._exposure = {Arm.A: Decimal(0), Arm.B: Decimal(0)}
        self._money = {Arm.A: Decimal(0), Arm.B: Decimal(0)}

    def _assigned(self, unit: str, cluster: str) -> str:
        """What has the arm: the cluster, where there is one.

        Raises:
            UsageError: the experiment goes by clusters, and none is named.
        """
        named = self.experiment.cluster
        if named and not cluster:
            raise UsageError(
                f"Experiment {self.experiment.name} counts by {named}: say which for {clean(unit, 64)}.",
                "Rounds of one cluster are one draw.",
            )
        return cluster or unit

    def value(self, unit: str, cluster: str = "") -> str:
        """The flag's text for a unit.

        Args:
            unit: a round, or what else is decided on.
            cluster: what its rounds hang together by, a customer or a market: all of it plays the same strategy and
                counts once. Demanded where the experiment names a cluster.

        Raises:
            UsageError: the experiment goes by clusters, and none is named.
        """
        return self.experiment.value(self.experiment.assign(self._assigned(unit, cluster)))

    def stake(self, unit: str, amount: Decimal, cluster: str = "") -> Arm:
        """Take part of the arm's half of the capital for a unit; asked again, nothing more is taken.

        Raises:
            Refused: its half is used up, or the unit has another stake already.
            UsageError: no amount; or see `value`.
        """
        if to_micros(amount) <= 0:
            raise UsageError("A stake must be above 0.")
        arm = self.experiment.assign(self._assigned(unit, cluster))
        with self._lock:
            held = self._stakes.get(unit)
            if held is not None:
                if held != amount or self._clusters.get(unit, "") != cluster:
                    raise Refused(f"{unit} has a stake of {held}, not {amount}.")
                return arm
            if self._exposure[arm] + amount > self.half:
                raise Refused(
                    f"Arm {arm.value} has {self._exposure[arm]} of {self.half} at stake.", "Wait for rounds to settle."
                )
            self._stakes[unit] = amount
            if cluster:
                self._clusters[unit] = cluster
            self._exposure[arm] += amount
            return arm

    def record(self, unit: str, *, pnl: Decimal, at_risk: Decimal, cluster: str = "") -> None:
        """One round is over, however it went; its stake is free again.

        Args:
            unit: as it was assigned.
            pnl: won or lost; what a skipped or failed round cost.
            at_risk: the money it was at risk with; above 0.
            cluster: as it was assigned; that of its stake is remembered.

        Raises:
            UsageError: an amount that is none; or see `value`.
        """
        pnl = counted(pnl)
        if to_micros(at_risk) <= 0:
            raise UsageError("The money at risk must be above 0.")
        with self._lock:
            cluster = self._clusters.get(unit, cluster)
            assigned = self._assigned(unit, cluster)
            arm = self.experiment.assign(assigned)
            self._clusters.pop(unit, None)
            stake = self._stakes.pop(unit, None)
            if stake is not None:
                self._exposure[arm] -= stake
            self._money[arm] += pnl
            self._judge.add(arm, float(pnl / at_risk), assigned, self._before.get(assigned))

    def money(self) -> tuple[Decimal, Decimal]:
        """What A and B have won or lost, exact."""
        with self._lock:
            return self._money[Arm.A], self._money[Arm.B]

    def reading(self) -> ExperimentReading:
        """The verdict as of now."""
        with self._lock:
            return self._judge.reading()

    def state(self) -> dict[str, Any]:
        """What `restore` goes on from, as plain JSON values; stakes that are open are in it."""
        with self._lock:
            return {
                "judge": self._judge.state(),
                "money": {arm.value: str(amount) for arm, amount in self._money.items()},
                "stakes": {unit: str(stake) for unit, stake in self._stakes.items()},
                "clusters": dict(self._clusters),
            }

    def restore(self, state: object) -> None:
        """Go on where a test of the same experiment ended.

        Raises:
            UsageError: it can't be read, or is of an experiment with other settings.
        """
        if not isinstance(state, Mapping):
            raise UsageError("The state of the experiment can't be read.")
        try:
            money = {arm: Decimal(state["money"][arm.value]) for arm in Arm}
            stakes = {str(unit): Decimal(stake) for unit, stake in state["stakes"].items()}
            clusters = {str(unit): str(cluster) for unit, cluster in state.get("clusters", {}).items()}
            if not all(amount.is_finite() for amount in (*money.values(), *stakes.values())):
                raise UsageError("The state of the experiment holds what is no amount.")
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
            raise UsageError("The state of the experiment can't be read.") from error
        with self._lock:
            self._judge.restore(state.get("judge"))
            self._money, self._stakes, self._clusters = money, stakes, clusters
            self._exposure = {arm: Decimal(0) for arm in Arm}
            for unit, stake in stakes.items():
                self._exposure[self.experiment.assign(clusters.get(unit) or unit)] += stake
