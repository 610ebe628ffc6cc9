"""When one agent can't be watched: it is said, counted and shown, tried again, and, if it lasts, new risk is frozen."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from console.domain.errors import Refused
from console.domain.guard.alerts import Alert, AlertKind, alert_id
from console.domain.text import Safe, clean
from console.domain.triggers.finding import Severity
from console.guard.watch.watch import Watch

LONGEST_PAUSE_S: Final = 60.0


@dataclass(slots=True)
class Trouble:
    """How often an agent could not be watched, and what is next.

    Args:
        failures: over all.
        row: one right after the other.
        why: what is wrong; empty while all is well.
        again_at: when it is tried again, on the monotonic clock.
        well_since: since when all is well, on the same.
    """

    failures: int = 0
    row: int = 0
    why: Safe = Safe("")
    again_at: float = 0.0
    well_since: float = float("-inf")

    def add(self, error: Exception) -> float:
        """One more failure; the pause until the next try, in seconds."""
        now = time.monotonic()
        if not self.why and now - self.well_since > LONGEST_PAUSE_S:
            self.row = 0
        self.failures += 1
        self.row += 1
        pause_s = min(LONGEST_PAUSE_S, 2.0 ** min(self.row - 1, 10))
        self.again_at = now + pause_s
        self.why = clean(f"{type(error).__name__}: {getattr(error, 'message', error)}", 200)
        return pause_s

    def over(self) -> None:
        """All is well again."""
        self.why, self.well_since = Safe(""), time.monotonic()


async def unable(watch: Watch, why: str, now: datetime) -> None:
    """Freeze new risk, as where facts can't be read, and raise an alert: one for each tenure, whoever raises it.

    Args:
        watch: of the agent.
        why: what is wrong.
        now: aware UTC.

    Raises:
        StoreUnreachable: no answer.
    """
    charge, epoch = watch.charge, 0
    reason = clean(f"{charge.by} can't judge this agent: {why}")
    try:
        watch.control = await charge.state.control()
    except Refused as error:
        reason = clean(f"{reason} {error.message}")
    else:
        tenure = watch.control.tenure
        epoch = tenure.epoch if tenure else watch.control.epoch
        await watch.unable(reason, now)
    alert = Alert(
        id=alert_id(charge.agent, "unable", epoch),
        at=now,
        agent=clean(charge.agent, 64),
        kind=AlertKind.WARNING,
        severity=Severity.HIGH,
        trigger=Safe(""),
        reason=reason,
        epoch=epoch,
        by=clean(charge.by, 128),
    )
    if await charge.state.raise_alert(alert):
        charge.tell("alert", id=alert.id, kind=alert.kind.value, reason=reason)


def where(error: Exception) -> str:
    """The line of ours that an error came from, for a report of a defect."""
    line, frame = "", error.__traceback__
    while frame is not None:
        code = frame.tb_frame.f_code
        _folder, ours, name = code.co_filename.rpartition("console/")
        if ours:
            line = f"{name}:{frame.tb_lineno} in {code.co_name}"
        frame = frame.tb_next
    return line
