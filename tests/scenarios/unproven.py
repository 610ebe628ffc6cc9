"""Scenarios in which what should prove a new version is noisy, silent, unreadable or hostile; files of plain agents."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from math import inf

from console.domain.canary.plan import Analysis, Position, RunState
from console.domain.canary.run import CanaryReading
from console.domain.experiment.record import ExperimentRecord, ExperimentReport, ExperimentState, ExperimentView
from console.domain.experiment.trial import Experiment, ExperimentReading, ExperimentVerdict
from console.domain.seen.observation import DivergenceLog, LogFile, Observation
from console.domain.shadow.compare import Kind
from console.domain.shadow.rates import FieldRate, ShadowReading, Tally
from console.domain.shadow.report import DivergenceReading, ShadowReport, compared
from console.domain.statistics.evidence import Verdict
from console.domain.text import Safe, clean
from tests.scenarios.hostile import RAW
from tests.scenarios.parts import NOW, ago
from tests.scenarios.proving import DIVERGENCES, HOSTILE, PLAN, canary, evidence, proving, shadow_report

FILE = Safe("/var/log/agent/divergences.jsonl")


def _text(index: int, limit: int = 256) -> Safe:
    return clean(RAW[index % len(RAW)], limit)


def over_budget() -> CanaryReading:
    """The whole loss budget of the step is lost, and the desk has not moved yet."""
    return canary(balance="-60.40")


def stake_withheld() -> CanaryReading:
    """A stake could have broken the budget, so the canary did not get it."""
    found = canary(balance="-58.10")
    assert found.desk is not None
    return found._replace(desk=found.desk._replace(budget_blocked=True))


def not_begun() -> CanaryReading:
    """The step was taken a moment ago; the desk still shares out by the one before."""
    found = canary()
    assert found.desk is not None
    return found._replace(desk=found.desk._replace(position=Position(1, 2), share=Decimal("0.05")))


def no_plan() -> CanaryReading:
    """A plan that somebody wrote over."""
    found = canary()
    return found._replace(run=found.run._replace(plan=None, problem=Safe("the plan is not the one that was started")))


def nowhere() -> CanaryReading:
    """A step that the plan has not."""
    found = canary()
    return found._replace(run=found.run._replace(position=Position(99, 3)))


def out_of_ratio() -> CanaryReading:
    """The canary reports fewer rounds than it was given, and one came back beyond the declared bounds."""
    found = canary(found=evidence(Verdict.UNDECIDED, -0.01, -0.07, 0.05, None)._replace(outside=1))
    assert found.desk is not None
    assert found.desk.analysis is not None
    analysis = replace(found.desk.analysis, ratio_alarm=True)
    return found._replace(desk=found.desk._replace(analysis=analysis, ratio=(0.11, 0.2), refused=3))


def failed_analysis() -> CanaryReading:
    """The judge could not say anything."""
    found = canary()
    assert found.desk is not None
    failed = Analysis(ago(0.5), found.run.position, None, error="the book can't be read")
    return found._replace(desk=found.desk._replace(analysis=failed), track=())


def hostile_canary() -> CanaryReading:
    """Every field that can hold text from outside holds hostile text; figures are as wild as they can be."""
    wild = evidence(Verdict.UNDECIDED, 1e299, -inf, inf, 1 << 59)._replace(outside=1 << 59)
    found = canary(found=evidence(Verdict.UNDECIDED, -0.01, -0.07, 0.05, 588))
    assert found.desk is not None
    alarms = tuple(str(_text(index, 80)) for index in range(8))
    desk = found.desk._replace(
        holder=_text(1, 64),
        run=_text(0, 64),
        routed_share=1e299,
        exposure_canary=Decimal("1E+17"),
        balance=Decimal("-1E-17"),
        ratio=(1e299, -1e299),
        rounds=1 << 59,
        open_rounds=1 << 59,
        analysis=Analysis(ago(1), found.run.position, wild, str(_text(2)), alarms, ratio_alarm=True),
    )
    run = found.run._replace(
        name=_text(0, 64),
        currency=_text(5, 16),
        by=_text(3, 128),
        why=_text(4),
        problem=_text(6),
        capital=Decimal("123456789012345678.123456789"),
    )
    track = (
        *(point._replace(lower=-1e299, upper=1e299) for point in found.track[:40]),
        *(
            point._replace(step=1 << 59, at=NOW + timedelta(days=300 * number))
            for number, point in enumerate(found.track[40:])
        ),
    )
    return CanaryReading(run, desk, track)


def noisy() -> ShadowReport:
    """An agent that is a language model: nearly all of the difference is its own."""
    rates = (
        FieldRate(Safe("reasoning"), Kind.VALUE, 410, 0.82, 0.81, 0.01, False),
        FieldRate(Safe("action"), Kind.VALUE, 31, 0.062, 0.065, 0.0, False),
    )
    reading = ShadowReading(500, 415, 200, 163, 0, 0, rates, 0, 0, 0, 0)
    return ShadowReport(Safe("green-llm"), ago(0.4), Safe("blue-2"), reading)


def in_files(*, problem: str = "") -> DivergenceLog:
    """What plain agents wrote."""
    tally, found = Tally(), list[DivergenceReading]()
    for number, one in enumerate(DIVERGENCES):
        reading, comparison = compared(str(number + 1), one.divergence, FILE)
        tally.add(comparison)
        found.append(reading)
    files = (LogFile(FILE, 7, 900, 900, clean(problem)),)
    return DivergenceLog(ago(0.1), files, 3, {"missing field": 2, "not JSON": 1}, 3, 0, tally.fields(), tuple(found))


def hostile_shadow() -> ShadowReport:
    """Names and paths made to break a terminal."""
    rates = tuple(FieldRate(_text(n, 80), Kind.VALUE, 9, 0.5, None, 0.5, n % 2 == 0) for n in range(len(RAW)))
    reading = ShadowReading(18, 18, 0, 0, 0, 0, rates, 1 << 59, 1, 1, 1, Decimal("1E+17"), Decimal("-1E-9"), 4)
    return ShadowReport(_text(0, 64), ago(-999_999), _text(1, 64), reading, _text(2, 16))


def hostile_experiments() -> tuple[ExperimentView, ...]:
    """Definitions and reports with hostile text and wild figures."""
    definition = Experiment("ok", str(_text(0)), str(_text(1)), str(_text(2)), PLAN.settings)
    record = ExperimentRecord(
        definition, ExperimentState.RUNNING, 1, Decimal("1E+17"), _text(3, 16), ago(9), "", _text(4, 128), _text(5)
    )
    reading = ExperimentReading(
        ExperimentVerdict.UNDECIDED, 1 << 59, 0, 1e299, -inf, inf, inf, inf, False, True, 1 << 59
    )
    report = ExperimentReport(ago(0.2), _text(6, 64), reading, Decimal("-1E+17"), Decimal("1E-17"), 1 << 59)
    return (
        ExperimentView(Safe("ok"), record, report),
        *(ExperimentView(_text(n, 64), None, None, _text(n + 1)) for n in range(len(RAW))),
    )


def silent_experiment() -> ExperimentView:
    """Its agent has gone away while it runs; the last word was that it is due."""
    definition = Experiment("gone", "bet_sizing", "kelly_floor", "flat", PLAN.settings)
    record = ExperimentRecord(definition, ExperimentState.RUNNING, 2, Decimal(1000), Safe("USD"), ago(9000))
    reading = ExperimentReading(ExperimentVerdict.UNDECIDED, 1004, 1001, 0.0, -0.06, 0.06, 0.01, 0.01, False, True, 500)
    return ExperimentView(Safe("gone"), record, ExperimentReport(ago(240), Safe("blue-1"), reading, *[Decimal(3)] * 2))


def hostile_proofs() -> Observation:
    """All of it at once."""
    found = proving(
        hostile_canary(), shadows=(hostile_shadow(),), divergences=HOSTILE, experiments=hostile_experiments()
    )
    return found._replace(divergences=in_files(problem=RAW[0]))


SCENARIOS = {
    "canary-over-budget": lambda: proving(over_budget()),
    "canary-stake-withheld": lambda: proving(stake_withheld()),
    "canary-not-begun": lambda: proving(not_begun()),
    "canary-no-plan": lambda: proving(no_plan()),
    "canary-nowhere": lambda: proving(nowhere()),
    "canary-out-of-ratio": lambda: proving(out_of_ratio()),
    "canary-failed-analysis": lambda: proving(failed_analysis()),
    "canary-done": lambda: proving(canary(Verdict.SAFE, state=RunState.DONE, position=Position(4, 9))),
    "shadow-noise": lambda: proving(None, shadows=(noisy(), shadow_report())),
    "shadow-files": lambda: proving(None)._replace(divergences=in_files()),
    "shadow-files-gone": lambda: proving(None)._replace(divergences=in_files(problem="no such file yet")),
    "experiment-silent": lambda: proving(None, experiments=(silent_experiment(),)),
    "hostile-proofs": hostile_proofs,
}
