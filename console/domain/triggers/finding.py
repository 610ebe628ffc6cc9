"""The seven rollback triggers: what they are called, what a look at one of them found, and which finding counts.

The rules themselves stand in `rules`, their thresholds in `settings`. Only HARM rolls back. Not
knowing is never success: missing, stale and errored facts freeze new risk, and roll back at a deadline.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple


class Severity(StrEnum):
    """How bad it is if a trigger fires."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Trigger(StrEnum):
    """What is watched."""

    EXCEPTION = "exception"
    """An unhandled exception in the execution path."""
    AUTH = "auth"
    """The venue refused our credentials."""
    DOUBLE_SPEND = "double-spend"
    """The same action was executed twice."""
    PNL = "pnl"
    """The version loses more than the one before it."""
    LATENCY = "latency"
    """Decisions take more than twice the old version's median."""
    ESCROW = "escrow"
    """An escrow that nobody looks at."""
    BAND = "band"
    """PnL within one standard deviation of the baseline: the note that all is well; it never acts."""

    @property
    def severity(self) -> Severity:
        """How bad it is if this one fires."""
        return _TOLD[self][0]

    @property
    def label(self) -> str:
        """Its name in words."""
        return _TOLD[self][1]


_TOLD: Final = {
    Trigger.EXCEPTION: (Severity.CRITICAL, "exception"),
    Trigger.AUTH: (Severity.CRITICAL, "auth failure"),
    Trigger.DOUBLE_SPEND: (Severity.CRITICAL, "double spend"),
    Trigger.PNL: (Severity.HIGH, "PnL"),
    Trigger.LATENCY: (Severity.MEDIUM, "latency"),
    Trigger.ESCROW: (Severity.MEDIUM, "escrow gap"),
    Trigger.BAND: (Severity.LOW, "PnL band"),
}


class Verdict(StrEnum):
    """What a look found."""

    SAFE = "SAFE"
    UNDECIDED = "UNDECIDED"
    """Not enough is known, or it is bad but not proven to be harm."""
    STALE = "STALE"
    """There were facts, and none have come for too long."""
    MISSING = "MISSING"
    """There were never any facts."""
    ERROR = "ERROR"
    """Facts can't be read."""
    HARM = "HARM"

    @property
    def rank(self) -> int:
        """0 for SAFE up to 5 for HARM: the worst wins."""
        return _RANKS[self]

    @property
    def blind(self) -> bool:
        """Whether it says that the facts are not there, rather than what they are."""
        return self in (Verdict.STALE, Verdict.MISSING, Verdict.ERROR)


_RANKS: Final = {verdict: rank for rank, verdict in enumerate(Verdict)}


class Arming(StrEnum):
    """What a trigger may do."""

    ARMED = "armed"
    DRY = "dry"
    """Reported, not acted on."""
    OFF = "off"
    """Not looked at; that it is off is shown."""


class Response(StrEnum):
    """What a finding asks for."""

    CONTINUE = "continue"
    ALERT = "alert"
    FREEZE = "freeze new risk"
    """No new entries; what is open may be reduced."""
    ROLL_BACK = "roll back"

    @property
    def rank(self) -> int:
        """0 for CONTINUE up to 3 for ROLL_BACK."""
        return _RESPONSES.index(self)


_RESPONSES: Final = tuple(Response)


class Finding(NamedTuple):
    """What one look at one trigger found.

    Args:
        trigger, verdict: which, and what.
        arming: what it may do.
        response: what it asks for; `due` says what of that is to be done.
        reason: in words, with the figures.
        value, threshold, unit: the measured figure and the limit it is held against; None where there is none.
        n: samples it rests on.
        samples: ids of decisions that show it, newest last.
        at: when it was looked at.
        next_check_s: when the verdict may change by itself, in seconds from `at`; 0 where only new facts change it.
    """

    trigger: Trigger
    verdict: Verdict
    arming: Arming
    response: Response
    reason: str
    at: datetime
    value: float | None = None
    threshold: float | None = None
    unit: str = ""
    n: int = 0
    samples: tuple[str, ...] = ()
    next_check_s: float = 0.0

    @property
    def due(self) -> Response:
        """What is to be done about it: nothing beyond an alert unless the trigger is armed."""
        if self.arming is Arming.ARMED or self.response is Response.CONTINUE:
            return self.response
        return Response.ALERT if self.arming is Arming.DRY else Response.CONTINUE

    @property
    def acted_on(self) -> str:
        """What is acted on once in a tenure: of a critical trigger each new fact, since the act before that may
        only have been a freeze."""
        event = self.verdict is Verdict.HARM and self.trigger.severity is Severity.CRITICAL
        return f"{self.due.value} {self.trigger} {self.n}" if event else self.due.value


def worst(findings: Iterable[Finding]) -> Finding | None:
    """The finding that decides: what asks for more goes first, then the worse verdict; dry ones never outrank armed."""
    return max(findings, key=lambda finding: (finding.due.rank, finding.verdict.rank), default=None)


_AGENTS: Final = {"unhandled": Trigger.EXCEPTION, "authentication failure": Trigger.AUTH}
"""Names that the agent library gives: `authentication failure`, and `unhandled` with the kind of exception."""


def named(name: str) -> Trigger | None:
    """The trigger of a control event's field `trigger`: ours by its name, or one of the light guard's in an agent."""
    if name in set(Trigger):
        return Trigger(name)
    return _AGENTS.get(name) or _AGENTS.get(name.split(" ", 1)[0])
