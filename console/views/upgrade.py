"""A run from one version to the next, as it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from console.domain.document import Report
from console.domain.text import clean
from console.domain.upgrade.run import RunState, Step, StepName, StepState, UpgradeRun

MARKS: Final = {
    StepState.WAITING: "·",
    StepState.RUNNING: "▸",
    StepState.BLOCKED: "✗",
    StepState.DONE: "✓",
    StepState.SKIPPED: "-",
}


@dataclass(frozen=True, slots=True)
class UpgradeReport(Report):
    """An upgrade.

    Args:
        run: it; null where there is none.
        in_flight: actions that have not ended yet, while its switch drains; null at any other time.
    """

    run: UpgradeRun | None
    in_flight: int | None = None

    @property
    def well(self) -> bool:
        """Whether it is done, or goes on and nothing stands in its way."""
        run = self.run
        if run is None or run.state in (RunState.HELD, RunState.ABORTED):
            return False
        return run.step is None or run.step.state is not StepState.BLOCKED

    def lines(self) -> Iterator[str]:
        run = self.run
        if run is None:
            return
        yield headline(run)
        for step in run.steps:
            yield step_line(step)
            if step.name is StepName.SWITCH and self.in_flight is not None:
                yield f"      draining: {self.in_flight} in flight, nobody acts"
            for one in step.evidence:
                where = f"({clean(one.source, 40)}, {one.at:%H:%M:%S}Z)"
                yield f"      {clean(one.what, 40)}: {clean(one.value, 250)}  {where}"


def headline(run: UpgradeRun) -> str:
    """Which run, and how far it is."""
    versions = f" ({clean(run.old_version, 40)} → {clean(run.version, 40)})" if run.version or run.old_version else ""
    where = f": {clean(run.note, 250)}" if run.note else ""
    safe = f"; {clean(run.safe_state, 250)}" if run.safe_state else ""
    return (
        f"upgrade {clean(run.id[:8], 8)} {run.old.value} → {run.target.value}{versions}: {run.state.value}{where}{safe}"
    )


def step_line(step: Step) -> str:
    """A step, how far it is, and why."""
    note = f"  {clean(step.note, 250)}" if step.note else ""
    when = f"  {step.ended_at:%H:%M:%S}Z {clean(step.by, 64)}" if step.ended_at else ""
    return f"  {MARKS[step.state]} {step.name.value:<9} {step.state.value:<8}{when}{note}".rstrip()
