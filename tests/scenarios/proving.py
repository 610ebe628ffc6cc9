"""Scenarios of a new version being proven: canary, shadow, experiments."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from math import sqrt

from console.domain.canary.plan import Analysis, Plan, Position, RunState, Step
from console.domain.canary.run import CanaryReading, CanaryRun, DeskReading, TrackPoint
from console.domain.experiment.record import ExperimentRecord, ExperimentReport, ExperimentState, ExperimentView
from console.domain.experiment.trial import Experiment, ExperimentReading, ExperimentVerdict
from console.domain.fence.deployment import Deployment, read_active
from console.domain.seen.observation import Observation
from console.domain.shadow.compare import Kind
from console.domain.shadow.rates import FieldRate, ShadowReading
from console.domain.shadow.report import DivergenceReading, ShadowReport, divergence_reading
from console.domain.statistics.evidence import Evidence, Settings, Verdict
from console.domain.text import Safe, clean
from tests.scenarios.hostile import RAW
from tests.scenarios.parts import NOW, ago, authority, logs, observed, store

PLAN = Plan(
    (
        Step(Decimal(0), min_rounds=50),
        *(Step(Decimal(share), Decimal(60), min_rounds=100) for share in ("0.05", "0.20", "0.50", "1")),
    ),
    Settings(margin=0.05, sigma=1.0, lowest=-1.0, highest=9.0),
)
POSITION = Position(2, 3)
EVIL = "".join(RAW[:5])


def evidence(verdict: Verdict, estimate: float, lower: float, upper: float, needed: int | None) -> Evidence:
    """What 412 rounds of the canary show."""
    return Evidence(verdict, 412, 1604, 201, estimate, lower, upper, 0.013, 0, needed)


def track(found: Evidence, points: int = 90) -> tuple[TrackPoint, ...]:
    """An interval that narrowed to what was found, over two steps."""
    middle = found.estimate
    return tuple(
        TrackPoint(
            NOW - timedelta(seconds=60 * (points - n - 1)),
            1 if n < points // 3 else 2,
            412 * (n + 1) // points,
            middle + 0.02 * ((n * 7 % 11) / 11 - 0.5) * (1 - (n + 1) / points),
            middle - (middle - found.lower) * sqrt(points / (n + 1)),
            middle + (found.upper - middle) * sqrt(points / (n + 1)),
        )
        for n in range(points)
    )


def _shown(verdict: Verdict) -> Evidence:
    """What that verdict usually rests on."""
    if verdict is Verdict.SAFE:
        return evidence(verdict, -0.0096, -0.0312, 0.0121, 0)
    return evidence(verdict, -0.0096, -0.0712, 0.0521, 588)


def canary(
    verdict: Verdict = Verdict.UNDECIDED,
    *,
    state: RunState = RunState.RUNNING,
    position: Position = POSITION,
    desk_age_s: float = 0.5,
    balance: str = "-14.25",
    alarms: tuple[str, ...] = (),
    why: str = "",
    desk: bool = True,
    found: Evidence | None = None,
    rounds: int = 412,
    plan: Plan = PLAN,
) -> CanaryReading:
    """A run at 20 %, an hour into its step."""
    share = plan.steps[position.step].share if state is not RunState.ABORTED else Decimal(0)
    budget = plan.steps[position.step].loss_budget if share else None
    run = CanaryRun(
        Safe("green-2.5.0"),
        "green",
        plan,
        plan.digest,
        state,
        position,
        share,
        budget,
        Safe("USD"),
        Decimal(10_000),
        ago(9000),
        ago(3600),
        Safe("ana@ops-1"),
        clean(why),
    )
    compared = bool(position.step) or state is RunState.ABORTED
    shown = found or (_shown(verdict) if compared else None)
    said = DeskReading(
        ago(desk_age_s),
        Safe("blue-desk"),
        run.name,
        position,
        share,
        0.187 if share else None,
        Decimal("37.50") if share else Decimal(0),
        Decimal(120),
        3,
        rounds,
        ago(2.0),
        Decimal(balance),
        analysis=Analysis(ago(desk_age_s), position, shown, alarms=alarms),
        ratio=(0.187, 0.2) if share else None,
    )
    return CanaryReading(run, said if desk else None, track(shown) if shown is not None and desk else ())


def proving(reading: CanaryReading | None, **more: object) -> Observation:
    """Blue is active, green is the canary."""
    where = Deployment(read_active("blue"), authority())
    return observed(store(where)._replace(canary=reading, **more), logs(slots=("blue", "green")))  # type: ignore[arg-type]


def divergence(number: int, live: object, shadow: object, state: object | None = None) -> DivergenceReading:
    """A round in which the shadow decided otherwise."""
    found = {"state": state or {"multiplier": 1.62 + number / 100, "round": number}, "live": live, "shadow": shadow}
    return divergence_reading(f"17-{number}", {**found, "timestamp": ago(number).timestamp()}, "green-2.5.0")


def shadow_report(*, lost: bool = False, noise: bool = True) -> ShadowReport:
    """A shadow of 1,204 rounds."""
    rates = (
        FieldRate(Safe("amount"), Kind.VALUE, 9, 0.0075, 0.0 if noise else None, 0.0075, True),
        FieldRate(Safe("action"), Kind.VALUE, 31, 0.0257, 0.004 if noise else None, 0.0217, False),
        FieldRate(Safe("orders.*.tag"), Kind.MISSING, 4, 0.0033, 0.0 if noise else None, 0.0033, False),
    )
    reading = ShadowReading(
        1204,
        39,
        120 if noise else 0,
        1 if noise else 0,
        0,
        2,
        rates,
        3 if lost else 0,
        1 if lost else 0,
        7 if lost else 0,
        4,
        Decimal("118.20"),
        Decimal("97.55"),
    )
    return ShadowReport(Safe("green-2.5.0"), ago(0.8), Safe("blue-1"), reading, Safe("USD"))


DIVERGENCES = (
    divergence(3, {"action": "HOLD", "amount": 2.5}, {"action": "CASH_OUT 1.9x", "amount": 2.5}),
    divergence(2, {"action": "BET", "amount": 2.5, "side": "heads"}, {"action": "BET", "amount": 5.0, "side": "tails"}),
    divergence(1, {"action": "SKIP"}, {"raised": "KeyError", "message": "'odds'"}),
)
HOSTILE = (divergence(1, {EVIL: EVIL}, {EVIL: f"{EVIL}2"}, {EVIL: [EVIL]}), divergence(2, EVIL, {"x": EVIL}))


def experiment(
    name: str,
    state: ExperimentState,
    verdict: ExperimentVerdict | None = None,
    *,
    alarm: bool = False,
    winner: str = "",
) -> ExperimentView:
    """An experiment on bet sizing."""
    definition = Experiment(name, "bet_sizing", "kelly_floor", "flat", PLAN.settings)
    record = ExperimentRecord(
        definition, state, 3, Decimal(1000), Safe("USD"), ago(900), winner, Safe("ana@ops-1"), Safe("review")
    )
    report = None
    if verdict is not None:
        reading = ExperimentReading(verdict, 512, 498, 0.0613, 0.0341, 0.0885, 0.02, 0.02, alarm, False, None)
        if verdict is ExperimentVerdict.UNDECIDED:
            reading = ExperimentReading(verdict, 212, 198, 0.01, -0.081, 0.1012, 0.04, 0.04, alarm, False, 2210)
        report = ExperimentReport(ago(0.6), Safe("blue-1"), reading, Decimal("12.50"), Decimal("24.75"), 2)
    return ExperimentView(Safe(name), record, report)


SCENARIOS = {
    "canary-none": lambda: proving(None),
    "canary-shadow-step": lambda: proving(
        canary(position=Position(0, 1), rounds=31, balance="0"), shadows=(shadow_report(),)
    ),
    "canary-undecided": lambda: proving(canary()),
    "canary-ready": lambda: proving(canary(found=evidence(Verdict.SAFE, 0.004, -0.031, 0.04, 0))),
    "canary-paused": lambda: proving(canary(Verdict.SAFE, state=RunState.PAUSED)),
    "canary-harm": lambda: proving(
        canary(
            found=evidence(Verdict.HARM, -0.13, -0.21, -0.06, None), balance="-48.10", alarms=("errors 9.1% of 1.0%",)
        )
    ),
    "canary-stale-desk": lambda: proving(canary(desk_age_s=400)),
    "canary-no-desk": lambda: proving(canary(desk=False)),
    "canary-aborted": lambda: proving(
        canary(state=RunState.ABORTED, position=Position(0, 4), why="The step's loss budget is spent: -60 of -60.")
    ),
    "shadow-diverging": lambda: proving(None, shadows=(shadow_report(lost=True),), divergences=DIVERGENCES),
    "shadow-no-noise": lambda: proving(None, shadows=(shadow_report(noise=False),), divergences=DIVERGENCES[:1]),
    "shadow-hostile": lambda: proving(None, divergences=HOSTILE),
    "experiments": lambda: proving(
        None,
        experiments=(
            experiment("cash-out-2x", ExperimentState.RUNNING, ExperimentVerdict.UNDECIDED),
            experiment("sizing", ExperimentState.STOPPED, ExperimentVerdict.B_BETTER),
            experiment("older", ExperimentState.ADOPTED, ExperimentVerdict.B_BETTER, winner="flat"),
            experiment("skewed", ExperimentState.RUNNING, ExperimentVerdict.UNDECIDED, alarm=True),
            experiment("next", ExperimentState.DEFINED),
            ExperimentView(Safe("broken"), None, None, Safe("It is not JSON.")),
        ),
    ),
}
