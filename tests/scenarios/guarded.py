"""Scenarios of the guards: what they see, what they did, who has seen it."""

from __future__ import annotations

from dataclasses import replace

from console.domain.fence.deployment import Deployment
from console.domain.guard.alerts import Alert, AlertKind, GuardReading, TriggerReading, alert_id
from console.domain.seen.observation import Observation, StoreReading
from console.domain.text import Safe
from console.domain.triggers.finding import Arming, Severity, Trigger, Verdict
from tests.scenarios.parts import ago, logs, observed, store

SAMPLE = Safe("/var/log/agent/decisions.jsonl@18349")


def trigger(
    name: Trigger,
    verdict: Verdict = Verdict.SAFE,
    value: float | None = 0.0,
    threshold: float | None = 1.0,
    *,
    unit: str = "",
    n: int = 0,
    arming: Arming = Arming.ARMED,
    reason: str = "none",
    response: str = "continue",
) -> TriggerReading:
    """One trigger as a guard saw it."""
    samples = (SAMPLE,) if verdict is Verdict.HARM else ()
    return TriggerReading(name, verdict, arming, Safe(response), Safe(reason), value, threshold, Safe(unit), n, samples)


def well(**instead: TriggerReading) -> tuple[TriggerReading, ...]:
    """All seven, nothing wrong, but for those named."""
    usual = {
        "exception": trigger(Trigger.EXCEPTION),
        "auth": trigger(Trigger.AUTH),
        "spend": trigger(Trigger.DOUBLE_SPEND),
        "pnl": trigger(Trigger.PNL, value=-0.4, threshold=-3.0, unit="σ", n=212, reason="-0.40 σ; bound +0.31"),
        "latency": trigger(Trigger.LATENCY, value=44.0, threshold=82.0, unit="ms", n=180, reason="median 44 ms"),
        "escrow": trigger(Trigger.ESCROW, value=4.0, threshold=60.0, unit="s", n=2, reason="2 watched"),
        "band": trigger(Trigger.BAND, value=-0.1, threshold=1.0, unit="sd", n=212, reason="within"),
    }
    return tuple({**usual, **instead}.values())


def guard(
    name: str = "guard-2",
    *,
    age_s: float = 0.4,
    problem: str = "",
    triggers: tuple[TriggerReading, ...] = (),
    watching: str = "blue",
) -> GuardReading:
    """A guard that was heard of a moment ago."""
    return GuardReading(
        Safe(name),
        ago(age_s),
        ago(7200),
        Safe(watching),
        Safe(problem),
        notifies=name == "guard-2",
        triggers=triggers or well(),
        evaluated_at=ago(age_s),
    )


def alert(
    kind: AlertKind,
    seconds_ago: float,
    reason: str,
    *,
    trigger_name: str = "pnl",
    seen: bool = False,
    severity: Severity = Severity.HIGH,
) -> Alert:
    """An alert with its evidence."""
    told = Alert(
        alert_id("atlas", kind, seconds_ago),
        ago(seconds_ago),
        Safe("atlas"),
        kind,
        severity,
        Safe(trigger_name),
        Safe(reason),
        1_773_490_000_041,
        Safe("guard guard-2"),
        -60.5,
        -60.0,
        97,
        (SAMPLE,),
    )
    return told.acknowledged("ana@ops-1", ago(seconds_ago - 20)) if seen else told


def guarded(
    where: Deployment | None = None, *, guards: tuple[GuardReading, ...] | None = None, alerts: tuple[Alert, ...] = ()
) -> StoreReading:
    """A reading of a store with two guards."""
    found = (guard(), guard("guard-1", age_s=0.9)) if guards is None else guards
    return store(where)._replace(guards=found, alerts=alerts)


def tripped(where: Deployment | None = None) -> Observation:
    """The loss budget was spent: rolled back, and nobody has said that they saw it."""
    harm = trigger(
        Trigger.PNL,
        Verdict.HARM,
        -60.5,
        -60.0,
        unit="USD",
        n=97,
        response="roll back",
        reason="lost 60.5 USD: the budget was 60",
    )
    rolled = alert(AlertKind.ROLLED_BACK, 41, "pnl: lost 60.5 USD: the budget was 60")
    slow = alert(AlertKind.WARNING, 300, "median 91 ms over 82 ms", trigger_name="latency", severity=Severity.MEDIUM)
    return observed(guarded(where, guards=(guard(triggers=well(pnl=harm)),), alerts=(slow, rolled)), logs())


SCENARIOS = {
    "guarded": lambda: observed(guarded(), logs()),
    "no-guard": lambda: observed(guarded(guards=()), logs()),
    "guard-silent": lambda: observed(guarded(guards=(guard(age_s=90),)), logs()),
    "guard-blind": lambda: observed(
        guarded(guards=(guard(problem="the decision log can't be read: Permission denied"),)), logs()
    ),
    "tripped": tripped,
    "alert-acknowledged": lambda: observed(
        guarded(
            alerts=(alert(AlertKind.ROLLED_BACK, 900, "exception: KeyError", trigger_name="exception", seen=True),)
        ),
        logs(),
    ),
    "dry-and-off": lambda: observed(
        guarded(
            guards=(
                guard(
                    triggers=well(
                        latency=trigger(Trigger.LATENCY, arming=Arming.DRY, value=91.0, threshold=82.0, unit="ms", n=9),
                        escrow=trigger(Trigger.ESCROW, Verdict.UNDECIDED, None, None, arming=Arming.OFF, reason="off"),
                    )
                ),
            )
        ),
        logs(),
    ),
    "trigger-stale": lambda: observed(
        guarded(
            guards=(
                guard(
                    triggers=tuple(
                        replace(one, verdict=Verdict.STALE, reason=Safe("no decision of blue for 71 s"))
                        for one in well()
                    )
                ),
            )
        ),
        logs(),
    ),
}
