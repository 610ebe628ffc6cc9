"""Alerts: what people are told, once for each transition, and kept until somebody has said that they saw it.

Beside them, what a guard tells of itself. Both are kept as JSON in the store, and both are hostile text when read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from console.domain.document import Record
from console.domain.lately import FRESH_S, lately
from console.domain.text import Safe, clean
from console.domain.triggers.finding import Arming, Finding, Severity, Trigger, Verdict
from console.domain.untrusted import moment, real, texts, whole

SAMPLES: Final = 5
SLOWEST_S: Final = 10.0
"""The longest pause between heartbeats that is believed."""
_COUNTS: Final = ("decisions", "unplaced", "rejected", "skipped", "ahead", "failures")


class AlertKind(StrEnum):
    """What happened."""

    ROLLED_BACK = "rolled back"
    HALTED = "halted"
    ABORTED = "canary aborted"
    FROZEN = "new risk frozen"
    WARNING = "warning"
    """Nothing was changed; somebody should look."""


@dataclass(frozen=True, slots=True)
class Alert(Record):
    """One alert.

    Args:
        id: the same for everybody who sees the same transition.
        at: when it happened.
        agent: whose.
        kind, severity: what, and how bad.
        trigger: what showed it; empty where that is not known.
        reason: in words, with the figures.
        value, threshold, n, samples: the evidence, as in `Finding`.
        epoch: the epoch that it led to, or in which it was seen.
        by: who acted or saw it.
        acknowledged_by, acknowledged_at: who has seen it, and when; it stays until then. None for nobody yet.
    """

    id: Safe
    at: datetime
    agent: Safe
    kind: AlertKind
    severity: Severity
    trigger: Safe
    reason: Safe
    epoch: int = 0
    by: Safe = Safe("")
    value: float | None = None
    threshold: float | None = None
    n: int = 0
    samples: tuple[Safe, ...] = ()
    acknowledged_by: Safe | None = None
    acknowledged_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether nobody has said yet that they saw it."""
        return self.acknowledged_at is None

    def with_evidence(self, kept: Mapping[str, Any]) -> Alert:
        """The same, with the evidence in a finding's or an alert's document."""
        return replace(
            self,
            value=real(kept.get("value")),
            threshold=real(kept.get("threshold")),
            n=whole(kept.get("n")),
            samples=texts(kept.get("samples"), SAMPLES, 80),
        )

    def acknowledged(self, who: str, at: datetime) -> Alert:
        """The same, seen by somebody."""
        return replace(self, acknowledged_by=clean(who, 128) or None, acknowledged_at=at)


def alert_id(agent: str, *what: object) -> Safe:
    """The id of a transition: who sees the same one gets the same id."""
    import hashlib  # readers of alerts need none, and it is slow to import

    transition = "\x00".join(str(part) for part in (agent, *what))
    return Safe(hashlib.sha256(transition.encode()).hexdigest()[:20])


def alert_of(finding: Finding, *, agent: str, identity: Safe, kind: AlertKind, epoch: int, by: str) -> Alert:
    """An alert with a finding as its evidence."""
    return Alert(
        id=identity,
        at=finding.at,
        agent=clean(agent, 64),
        kind=kind,
        severity=finding.trigger.severity,
        trigger=Safe(finding.trigger.value),
        reason=clean(finding.reason),
        epoch=epoch,
        by=clean(by, 128),
        value=finding.value,
        threshold=finding.threshold,
        n=finding.n,
        samples=tuple(clean(sample, 80) for sample in finding.samples),
    )


def alert_from(name: str, kept: Mapping[str, Any]) -> Alert | None:
    """The alert in a document; None where there is none in it."""
    at, kind, severity = moment(kept.get("at")), kept.get("kind"), kept.get("severity")
    if at is None or kind not in set(AlertKind) or severity not in set(Severity):
        return None
    return Alert(
        id=clean(name, 40),
        at=at,
        agent=clean(kept.get("agent", ""), 64),
        kind=AlertKind(kind),
        severity=Severity(severity),
        trigger=clean(kept.get("trigger", ""), 24),
        reason=clean(kept.get("reason", "")),
        epoch=whole(kept.get("epoch")),
        by=clean(kept.get("by", ""), 128),
        acknowledged_by=clean(kept.get("acknowledged_by") or "", 128) or None,
        acknowledged_at=moment(kept.get("acknowledged_at")),
    ).with_evidence(kept)


@dataclass(frozen=True, slots=True)
class TriggerReading:
    """One trigger as a guard saw it last.

    Args:
        trigger, verdict, arming: what, what was found, what it may do.
        response: what is due about it, in words.
        reason, value, threshold, unit, n, samples: the evidence.
    """

    trigger: Trigger
    verdict: Verdict
    arming: Arming
    response: Safe
    reason: Safe
    value: float | None = None
    threshold: float | None = None
    unit: Safe = Safe("")
    n: int = 0
    samples: tuple[Safe, ...] = ()


class GuardReading(NamedTuple):
    """One guard, from its heartbeat.

    Args:
        name: unique to the process.
        heartbeat_at: the server's time of its last word.
        started_at: since when it runs.
        watching: the side it looks at; empty while nobody is active.
        problem: why it can't see or act; empty when it can.
        notifies: whether it is the one that sends alerts.
        triggers: what it saw last, in the order of `Trigger`.
        evaluated_at: when it looked last.
        every_s: how often it says so; 0 where it does not say.
        decisions: that it took in of this agent; of the others, `rejected` could not be read, `unplaced` belong to no
            side, `skipped` were too old to be read at the start, and `ahead` claim to come from the future.
        failures: how often the agent's data could not be taken.
    """

    name: Safe
    heartbeat_at: datetime
    started_at: datetime | None = None
    watching: Safe = Safe("")
    problem: Safe = Safe("")
    notifies: bool = False
    triggers: tuple[TriggerReading, ...] = ()
    evaluated_at: datetime | None = None
    every_s: float = 0.0
    decisions: int = 0
    unplaced: int = 0
    rejected: int = 0
    skipped: int = 0
    ahead: int = 0
    failures: int = 0

    def age_s(self, now: datetime) -> float:
        """How long ago it was heard, by the server's clock; never below 0."""
        return max(0.0, (now - self.heartbeat_at).total_seconds())

    def running(self, now: datetime) -> bool:
        """Whether it was heard lately enough to count as running."""
        return lately(self.heartbeat_at, now, self.fresh_s)

    @property
    def fresh_s(self) -> float:
        """How many seconds may lie between two of its words."""
        return max(FRESH_S, 2.5 * min(self.every_s, SLOWEST_S))


def finding_document(finding: Finding) -> dict[str, Any]:
    """A finding as plain JSON values."""
    return {
        "trigger": str(finding.trigger),
        "verdict": str(finding.verdict),
        "arming": str(finding.arming),
        "response": str(finding.due),
        "reason": finding.reason[:200],
        "value": finding.value,
        "threshold": finding.threshold,
        "unit": finding.unit,
        "n": finding.n,
        "samples": list(finding.samples),
    }


def trigger_from(kept: object) -> TriggerReading | None:
    """The reading in a document; None where there is none in it."""
    if not isinstance(kept, Mapping):
        return None
    trigger, verdict, arming = (kept.get(name) for name in ("trigger", "verdict", "arming"))
    if trigger not in set(Trigger) or verdict not in set(Verdict) or arming not in set(Arming):
        return None
    return TriggerReading(
        trigger=Trigger(trigger),
        verdict=Verdict(verdict),
        arming=Arming(arming),
        response=clean(kept.get("response", ""), 24),
        reason=clean(kept.get("reason", "")),
        value=real(kept.get("value")),
        threshold=real(kept.get("threshold")),
        unit=clean(kept.get("unit", ""), 8),
        n=whole(kept.get("n")),
        samples=texts(kept.get("samples"), SAMPLES, 80),
    )


def guard_from(name: str, kept: Mapping[str, Any]) -> GuardReading | None:
    """The guard in a heartbeat; None where there is none in it."""
    milliseconds = whole(kept.get("ms"))
    if not 0 < milliseconds < 1 << 48:
        return None
    triggers = kept.get("triggers")
    readings = [trigger_from(one) for one in triggers[: len(Trigger)]] if isinstance(triggers, list) else []
    return GuardReading(
        name=clean(name, 64),
        heartbeat_at=datetime.fromtimestamp(milliseconds / 1000, UTC),
        started_at=moment(kept.get("started_at")),
        watching=clean(kept.get("watching", ""), 8),
        problem=clean(kept.get("problem", "")),
        notifies=kept.get("notifies") is True,
        triggers=tuple(one for one in readings if one),
        evaluated_at=moment(kept.get("evaluated_at")),
        every_s=max(0.0, real(kept.get("every_s")) or 0.0),
        **{count: whole(kept.get(count)) for count in _COUNTS},
    )
