"""The checklist, as `checklist` prints it and a screen shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from console.domain.document import FORM, Report
from console.domain.gates.checklist import Checked, Clock, Line
from console.domain.gates.gate import State, ago
from console.domain.text import clean
from console.views.format import exact_time

_SIGNS = {State.OPEN: "open", State.CLOSED: "CLOSED", State.UNKNOWN: "UNKNOWN", State.NOT_CHECKED: "not checked"}


@dataclass(frozen=True, slots=True)
class ItemReport:
    """One item of the checklist.

    Args:
        item: its one name everywhere.
        title: what it demands.
        phase: `before`, `during`, `after` or `warm`.
        manual: whether a named operator ticks it.
        state: `open`, `closed`, `unknown` or `not checked`.
        evidence: in numbers; for a lack, which one it is: missing, stale, error, timed out.
        source: where the fact comes from.
        at: when it was taken; null where there is none.
        age_s: its age in seconds; null where there is none.
        forbids: whether it forbids to switch now.
    """

    item: str
    title: str
    phase: str
    manual: bool
    state: str
    evidence: str
    source: str
    at: datetime | None = field(metadata={FORM: exact_time})
    age_s: float | None
    forbids: bool


@dataclass(frozen=True, slots=True)
class ClockReport:
    """A phase's clock.

    Args:
        phase: which.
        running: whether it is on now.
        began_at, ends_at: by the server's clock; null where it has none.
        left_s: seconds until it ends, 0 where it has; null where it has no end.
    """

    phase: str
    running: bool
    began_at: datetime | None = field(metadata={FORM: exact_time})
    ends_at: datetime | None = field(metadata={FORM: exact_time})
    left_s: float | None


@dataclass(frozen=True, slots=True)
class ChecklistReport(Report):
    """The checklist at one moment.

    Args:
        agent: whose.
        target: the side that it is about; null for none.
        at: when, by the server's clock.
        phases: the phases that are shown.
        clocks: every phase's own.
        items: in order.
        open: whether nothing that is shown is closed or unknown.
    """

    agent: str
    target: str | None
    at: datetime = field(metadata={FORM: exact_time})
    phases: tuple[str, ...]
    clocks: tuple[ClockReport, ...]
    items: tuple[ItemReport, ...]
    open: bool

    @property
    def well(self) -> bool:
        return self.open

    def lines(self) -> Iterator[str]:
        yield f"{self.agent}, {self.target or 'nobody'}: the checklist of {self.at:%Y-%m-%d %H:%M:%S}Z"
        width = max((len(one.item) for one in self.items), default=0)
        for phase in self.phases:
            clock = next(one for one in self.clocks if one.phase == phase)
            yield f"{phase}{_clock_text(clock)}"
            for one in self.items:
                if one.phase == phase:
                    yield _line(one, width)
        shut = sum(1 for one in self.items if one.state in (State.CLOSED, State.UNKNOWN))
        forbids = sum(1 for one in self.items if one.forbids)
        yield f"{shut} of {len(self.items)} closed or unknown; {forbids} forbid a switch"


def _line(one: ItemReport, width: int) -> str:
    age = f" [{ago(one.age_s)} old, {one.source}]" if one.age_s is not None and one.age_s >= 1 else f" [{one.source}]"
    mark = "✗" if one.forbids else " "
    state = _SIGNS[State(one.state)]
    return f" {mark} {state:<11}  {one.item:<{width}}  {clean(one.evidence, 160)}{age if one.source else ''}"


def _clock_text(clock: ClockReport) -> str:
    if clock.began_at is None or clock.left_s is None:
        return ""
    left = f"{ago(clock.left_s)} left" if clock.left_s > 0 else "over"
    return f" (since {clock.began_at:%H:%M:%S}Z, {left})"


def checklist_report(agent: str, checked: Checked, clocks: Sequence[Clock], phases: Sequence[str]) -> ChecklistReport:
    """The report of a checklist."""
    asked = checked.asked
    items = tuple(_item(line, checked) for line in checked.lines)
    return ChecklistReport(
        agent=agent,
        target=asked.target.value if asked.target is not None else None,
        at=asked.server_at,
        phases=tuple(phases),
        clocks=tuple(
            ClockReport(
                clock.phase.value,
                clock.running,
                clock.began_at,
                clock.ends_at,
                max(0.0, (clock.ends_at - asked.server_at).total_seconds()) if clock.ends_at else None,
            )
            for clock in clocks
        ),
        items=items,
        open=all(line.done for line in checked.lines),
    )


def _item(line: Line, checked: Checked) -> ItemReport:
    judged, item = line.judged, line.item
    age = (checked.asked.now - judged.at).total_seconds() if judged.at is not None else None
    return ItemReport(
        item=item.id,
        title=item.title,
        phase=item.phase.value,
        manual=item.manual,
        state=judged.state.value,
        evidence=str(clean(judged.words, 400)),
        source=str(clean(judged.source, 120)),
        at=judged.at,
        age_s=None if age is None else round(max(0.0, age), 3),
        forbids=line.forbids,
    )
