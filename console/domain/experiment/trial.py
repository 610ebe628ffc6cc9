"""A/B tests of two strategies within one version: assignment, the sequential verdict, the sample-ratio alarm.

The verdict may be read after every round. It is one of four, and *no difference larger than the margin* and *undecided*
are as good answers as a winner.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import blake2b
from math import ceil, inf, isfinite, log
from typing import Any, Final

from console.domain.errors import UsageError
from console.domain.experiment.clusters import MAX_CLUSTERS, WATCHED, Clusters
from console.domain.statistics.boundary import Boundary, rho_squared
from console.domain.statistics.eprocess import ShareProcess
from console.domain.statistics.evidence import Settings, digest_of
from console.domain.statistics.sequences import Adjusted

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z")
_PATH = re.compile(r"[^\s.]{1,64}(\.[^\s.]{1,64}){0,7}\Z")
EVEN: Final = 0.5


class Arm(StrEnum):
    """One of the two strategies."""

    A = "A"
    B = "B"


class ExperimentVerdict(StrEnum):
    """What may be said of the two."""

    A_BETTER = "A better"
    B_BETTER = "B better"
    NO_DIFFERENCE = "no difference larger than the margin"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment, frozen at its start.

    Args:
        name: letters, digits, _ . and -, at most 64; part of the hash, so that experiments are independent.
        flag: the flag that both strategies are values of.
        a, b: its text for either.
        settings: margin, spread, bounds and alphas; the form is B at an even share, whatever they say.
        rounds_each: after how many rounds of each arm it is due to end; clusters of each where they are named.
        cluster: what several rounds hang together by, as names joined by dots where a record of the decision log has it
            (`inputs.customer`); then a cluster is what is assigned, and counts once. Empty where every round stands
            for itself.

    Raises:
        UsageError: the two are the same, or it can't be named or ended.
    """

    name: str
    flag: str
    a: str
    b: str
    settings: Settings
    rounds_each: int = 1000
    cluster: str = ""

    def __post_init__(self) -> None:
        """Refuse what can't be an experiment."""
        if not _NAME.match(self.name):
            raise UsageError(f"{self.name!r} can't be an experiment's name.", "Use letters, digits, _ . and -.")
        if self.a == self.b:
            raise UsageError("The two strategies are the same value.")
        if self.rounds_each < 1:
            raise UsageError("An experiment needs at least one round of each arm.")
        if self.cluster and not _PATH.match(self.cluster):
            raise UsageError(f"{self.cluster!r} is no place in a record.", "Join names by dots: inputs.customer.")

    def assign(self, unit: str) -> Arm:
        """The arm of a unit (a round, a cluster of rounds): always the same one, evenly by hash."""
        digest = blake2b(unit.encode("utf-8", "surrogatepass"), digest_size=8, key=self.name.encode()).digest()
        return Arm.A if digest[0] < 128 else Arm.B

    def value(self, arm: Arm) -> str:
        """The flag's text for an arm."""
        return self.a if arm is Arm.A else self.b


@dataclass(frozen=True, slots=True)
class ExperimentReading:
    """Where an experiment stands.

    Args:
        verdict: see `ExperimentVerdict`; never a winner while `ratio_alarm` holds.
        rounds_a, rounds_b: rounds of each.
        estimate: B less A, per unit at risk and round.
        lower, upper: the interval round it.
        hidden_a, hidden_b: the mean loss that either arm may still hide, taken off before it is called better.
        ratio_alarm: whether the rounds reported are not split as they were assigned.
        due: whether both arms have had their rounds.
        rounds_needed: further rounds (clusters, where these are judged) until *no difference* at the latest, if the
            estimate stays; None if not in sight.
        clusters: of A and of B, each judged as one value, since a cluster is named or a unit has several rounds; None
            where every round stands for itself. Then the interval is that of clusters: there is no other.
        left_out: rounds of clusters that came after all that are kept.
        known_before: clusters whose rounds before the assignment are known.
        reduction: by what share of the variance what was known before makes the interval narrower, 0 to 1.
    """

    verdict: ExperimentVerdict
    rounds_a: int
    rounds_b: int
    estimate: float
    lower: float
    upper: float
    hidden_a: float
    hidden_b: float
    ratio_alarm: bool
    due: bool
    rounds_needed: int | None
    clusters: tuple[int, int] | None = None
    left_out: int = 0
    known_before: int = 0
    reduction: float = 0.0


class ExperimentJudge:
    """The evidence on one experiment, round by round, in constant time and bounded memory."""

    def __init__(self, experiment: Experiment) -> None:
        settings = experiment.settings
        self.experiment = experiment
        self._alpha = settings.alpha_harm / len(settings.metrics) / 4.0
        self._sequence = Adjusted(settings.block, settings.sigma)
        due = self._sequence.intrinsic_time(2 * experiment.rounds_each, EVEN)
        self._boundary = Boundary(self._alpha, (rho_squared(2.0 * self._alpha, due), 1.0))
        self._ratio = ShareProcess(EVEN)
        self._alpha_alarm = settings.alpha_alarm
        self._alarmed = False
        self._clusters = Clusters(MAX_CLUSTERS if experiment.cluster else WATCHED)
        self._ratio_of_clusters = ShareProcess(EVEN)
        due_clusters = 2.0 * experiment.rounds_each
        self._of_clusters = Boundary(
            self._alpha, (rho_squared(2.0 * self._alpha, due_clusters * settings.sigma**2), 1.0)
        )
        self._of_rounds = Boundary(settings.alpha_alarm / 4.0, (rho_squared(settings.alpha_alarm / 2.0, 1e3), 1.0))
        named = {"cluster": experiment.cluster} if experiment.cluster else {}
        self._digest = digest_of({"settings": settings.digest, "rounds_each": experiment.rounds_each, **named})
        self.outside = 0
        self.rounds = {Arm.A: 0, Arm.B: 0}

    def add(self, arm: Arm, value: float, unit: str = "", before: float | None = None) -> None:
        """One round: its arm, and its return over the money at risk; skipped and failed rounds count too.

        A return beyond the declared bounds makes every verdict *undecided* from then on.

        Args:
            arm, value: see above.
            unit: what was assigned to the arm: the round's cluster, or its own name; empty where neither is known.
            before: the unit's mean return in rounds before the experiment began; None where there are none.

        Raises:
            UsageError: a number that is none.
        """
        if not isfinite(value) or not (before is None or isfinite(before)):
            raise UsageError("A round's return is a finite number.")
        settings = self.experiment.settings
        if not settings.lowest <= value <= settings.highest:
            self.outside += 1
            value = max(settings.lowest, min(settings.highest, value))
        self.rounds[arm] += 1
        b = arm is Arm.B
        self._sequence.add(b, value, EVEN)
        self._ratio.add(b)
        if unit:
            if before is not None:
                before = max(settings.lowest, min(settings.highest, before))
            key = blake2b(unit.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
            if self._clusters.add(key, b, value, before):
                self._ratio_of_clusters.add(b)
        self._alarmed = self._alarmed or self._uneven()

    def _uneven(self) -> bool:
        """Whether what was reported is not split as it was assigned; several rounds of one cluster are one draw."""
        if not self.clustered:
            return self._ratio.alarm(self._alpha_alarm)
        half = self._alpha_alarm / 2.0
        return self._ratio_of_clusters.alarm(half) or self._clusters.uneven(self._of_rounds)

    @property
    def clustered(self) -> bool:
        """Whether several rounds hang together: by the definition, or since a unit was seen to have several."""
        return bool(self.experiment.cluster) or self._clusters.repeated

    def state(self) -> dict[str, Any]:
        """What `restore` goes on from, as plain JSON values."""
        return {
            "settings": self._digest,
            "rounds": [self.rounds[Arm.A], self.rounds[Arm.B], self.outside],
            "sequence": self._sequence.state(),
            "ratio": self._ratio.state(),
            "alarmed": self._alarmed,
            "clusters": [self._clusters.state(), self._ratio_of_clusters.state()],
        }

    def restore(self, state: object) -> None:
        """Go on from a state: the same evidence as the judge that gave it.

        A state of the earlier release knew no clusters: its rounds stand for themselves, and the watch begins anew.

        Raises:
            UsageError: it is none, or of an experiment with other settings; nothing was taken over.
        """
        fresh = ExperimentJudge(self.experiment)
        try:
            assert isinstance(state, Mapping)
            if state["settings"] != self._digest:
                raise UsageError("The state is that of an experiment with other settings.")
            fresh._read(state)
        except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise UsageError("The state of the experiment can't be read.") from error
        self.__dict__.update(fresh.__dict__)

    def _read(self, state: Mapping[str, Any]) -> None:
        self.rounds[Arm.A], self.rounds[Arm.B], self.outside = (int(count) for count in state["rounds"])
        self._sequence.restore(state["sequence"])
        self._ratio.restore(state["ratio"])
        self._alarmed = state["alarmed"] is True
        if "clusters" in state:
            clusters, ratio = state["clusters"]
            self._clusters.restore(clusters)
            self._ratio_of_clusters.restore(ratio)

    def reading(self) -> ExperimentReading:
        """The verdict as of now."""
        return self._by_clusters() if self.clustered else self._by_rounds()

    def _by_rounds(self) -> ExperimentReading:
        a, b = self.rounds[Arm.A], self.rounds[Arm.B]
        variance, factor = self._sequence.spread()
        reach = factor * self._boundary.reach(variance)
        return self._judged(a, b, self._sequence.blocks, self._sequence.estimate, reach)

    def _by_clusters(self) -> ExperimentReading:
        view = self._clusters.view(self._of_clusters)
        judged = self._judged(view.a, view.b, min(view.a, view.b), view.estimate, view.reach)
        return replace(
            judged,
            rounds_a=self.rounds[Arm.A],
            rounds_b=self.rounds[Arm.B],
            clusters=(view.a, view.b),
            left_out=self._clusters.left_out,
            known_before=view.known_before,
            reduction=view.reduction,
        )

    def _judged(self, a: int, b: int, blocks: int, estimate: float, reach: float) -> ExperimentReading:
        settings, alarm = self.experiment.settings, self._alarmed
        lower, upper = estimate - reach, estimate + reach
        hidden_a, hidden_b = self._hidden(a, b), self._hidden(b, a)
        verdict = ExperimentVerdict.UNDECIDED
        enough = blocks >= settings.min_blocks and not alarm and not self.outside
        if enough and lower - hidden_b > 0.0:
            verdict = ExperimentVerdict.B_BETTER
        elif enough and upper + hidden_a < 0.0:
            verdict = ExperimentVerdict.A_BETTER
        elif enough and lower - hidden_b > -settings.margin and upper + hidden_a < settings.margin:
            verdict = ExperimentVerdict.NO_DIFFERENCE
        due = min(a, b) >= self.experiment.rounds_each
        room = settings.margin - abs(estimate)
        wide = reach + max(hidden_a, hidden_b)
        needed = None
        if verdict is ExperimentVerdict.UNDECIDED and room > 0.0 and isfinite(wide):
            needed = max(ceil((a + b) * ((wide / room) ** 2 - 1.0)), 0)
        return ExperimentReading(verdict, a, b, estimate, lower, upper, hidden_a, hidden_b, alarm, due, needed)

    def _hidden(self, own: int, other: int) -> float:
        settings = self.experiment.settings
        if not own or not other:
            return inf
        return -log(self._alpha) * max(-settings.lowest / own, settings.highest / other)
