"""An experiment in a document."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from console.domain.document import FORM, Record
from console.domain.experiment.record import ExperimentReport, ExperimentView
from console.views.format import TIME, finite


@dataclass(frozen=True, slots=True)
class TrialDocument:
    """What the agent says that runs an experiment.

    Args:
        at: when it said so.
        verdict: in one word.
        rounds_a, rounds_b: of either arm.
        estimate: B less A, per unit at risk and round.
        lower, upper: the interval; null where it has no bound yet.
        ratio_alarm: whether the rounds reported are not split as they were assigned.
        due: whether both arms have had their rounds.
        rounds_needed: further rounds until a verdict if the estimate stays; null where that is not known.
        clusters: of A and of B, each judged as one value: then the interval is theirs; null where every round stands
            for itself.
        left_out: rounds of clusters that came after all that are kept.
        known_before: clusters whose rounds before the assignment are known.
        reduction: by what share of the variance these make the interval narrower, 0 to 1.
        money_a, money_b: won or lost.
        refused: stakes refused since the arm's half of the capital was used up.
    """

    at: datetime = field(metadata=TIME)
    verdict: str
    rounds_a: int
    rounds_b: int
    estimate: float
    lower: float = field(metadata={FORM: finite})
    upper: float = field(metadata={FORM: finite})
    ratio_alarm: bool
    due: bool
    rounds_needed: int | None
    clusters: tuple[int, ...] | None
    left_out: int
    known_before: int
    reduction: float
    money_a: Decimal
    money_b: Decimal
    refused: int


@dataclass(frozen=True, slots=True)
class ExperimentDocument(Record):
    """An experiment: what is compared, and how it stands.

    Args:
        name: of the experiment.
        state: `DEFINED`, `RUNNING`, `STOPPED` or `ADOPTED`.
        revision: rises with every change.
        flag: whose values are compared.
        a, b: the two values.
        rounds_each: rounds of either arm until a verdict is due; clusters where they are named.
        cluster: where a record of the decision log says what rounds hang together by; null where they do not.
        margin: how much worse B may be, per unit at risk and round.
        capital: that both arms share.
        currency: of the capital.
        winner: the value that was adopted.
        by: who changed it last.
        why: the reason given.
        report: what the agent says that runs it; null before it said anything, and where that can't be read.
        problem: why what the agent says can't be read; null where it can.
    """

    name: str
    state: str
    revision: int
    flag: str
    a: str
    b: str
    rounds_each: int
    cluster: str | None
    margin: float
    capital: Decimal
    currency: str
    winner: str | None
    by: str
    why: str
    report: TrialDocument | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class UnreadableExperiment(Record):
    """An experiment of which the store holds nothing that can be read.

    Args:
        name: of the experiment.
        problem: why it can't be read.
    """

    name: str
    problem: str


def experiment_record(view: ExperimentView) -> ExperimentDocument | UnreadableExperiment:
    """The record of an experiment."""
    record = view.record
    if record is None:
        return UnreadableExperiment(view.name, view.problem)
    experiment = record.experiment
    return ExperimentDocument(
        name=record.name,
        state=record.state.value,
        revision=record.revision,
        flag=experiment.flag,
        a=experiment.a,
        b=experiment.b,
        rounds_each=experiment.rounds_each,
        cluster=experiment.cluster or None,
        margin=experiment.settings.margin,
        capital=record.capital,
        currency=record.currency,
        winner=record.winner or None,
        by=record.by,
        why=record.why,
        report=_trial(view.report) if view.report is not None else None,
        problem=view.problem or None,
    )


def _trial(report: ExperimentReport) -> TrialDocument:
    reading = report.reading
    return TrialDocument(
        at=report.at,
        verdict=reading.verdict.value,
        rounds_a=reading.rounds_a,
        rounds_b=reading.rounds_b,
        estimate=reading.estimate,
        lower=reading.lower,
        upper=reading.upper,
        ratio_alarm=reading.ratio_alarm,
        due=reading.due,
        rounds_needed=reading.rounds_needed,
        clusters=reading.clusters,
        left_out=reading.left_out,
        known_before=reading.known_before,
        reduction=reading.reduction,
        money_a=report.money_a,
        money_b=report.money_b,
        refused=report.refused,
    )
