"""The checklist as a screen shows it: what binds first stands on top, each item with its value, age and source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from console.domain.board.checks import Checks
from console.domain.fence.deployment import Slot
from console.domain.gates.checklist import Clock, Line
from console.domain.gates.gate import CheckPhase, State
from console.domain.gates.rules import AFTER_S, WARM_S
from console.domain.text import clean
from console.views.format import age_text, clock_text, iso_text, plural
from console.views.gates.plans import PlanRow, plan_row
from console.views.tone import GLYPHS, Tone

TO_TICK: Final = "TO TICK"
_LENGTHS: Final = {CheckPhase.DURING: AFTER_S, CheckPhase.AFTER: AFTER_S, CheckPhase.WARM: WARM_S}
_TITLES: Final = {
    CheckPhase.BEFORE: "before the switch",
    CheckPhase.DURING: "during the switch",
    CheckPhase.AFTER: "after it, for 30 minutes",
    CheckPhase.WARM: "kept warm, for 24 hours",
}
OLD_S: Final = 60.0
"""Evidence that is older is shown as such."""


class CheckRow(NamedTuple):
    """One item, or the heading of a phase (`item` is empty then).

    Args:
        key: the item's name; of a heading, `phase:` and its name.
        state: OPEN, CLOSED, UNKNOWN, not checked, TO TICK or ticked; in capitals where it forbids a switch.
        rank: 0 for what forbids, rising with how little there is to do about it.
        value: the evidence, in numbers.
    """

    key: str
    glyph: str
    tone: Tone
    state: str
    rank: int
    item: str
    value: str
    age: str
    age_tone: Tone
    source: str


class ClockView(NamedTuple):
    """A phase's clock.

    Args:
        phase: its name.
        text: what it says: `running`, `0:17:50 left`, `over`, `begins with a switch`.
        fraction: how much of it is over; None where it has no length or has not begun.
        running: whether it is on now.
    """

    phase: str
    text: str
    fraction: float | None
    running: bool


class ChecksView(NamedTuple):
    """The whole board.

    Args:
        target: the side it is about, with its version; `nobody`.
        verdict: whether a switch is forbidden, in words.
        counts: how many items are in which state.
        binding: what forbids a switch: name and evidence, the first to be seen to first.
        next: what to do about it.
    """

    target: str
    slot: Slot | None
    verdict: str
    glyph: str
    tone: Tone
    counts: str
    binding: tuple[tuple[str, str], ...]
    clocks: tuple[ClockView, ...]
    rows: tuple[CheckRow, ...]
    outside: str


def checks_view(checks: Checks, now: datetime) -> ChecksView:
    """The board as of a moment of our own clock."""
    asked, since = checks.checked.asked, now - checks.at
    forbidding = checks.checked.forbidding
    rows = [_row(line, checks, since) for line in checks.checked.lines]
    slot = asked.target
    versions = "/".join(checks.versions.get(slot, ())) if slot is not None else ""
    target = "nobody" if slot is None else f"{slot.value.upper()} {clean(versions, 40)}".rstrip()
    verdict, tone = (
        (f"a switch is forbidden by {plural(len(forbidding), 'gate')}", Tone.BAD)
        if forbidding
        else ("no gate forbids a switch", Tone.GOOD)
    )
    unchecked = sum(
        line.judged.state is State.NOT_CHECKED and asked.act in line.item.acts for line in checks.checked.lines
    )
    if unchecked and not forbidding:
        verdict, tone = f"{verdict}; {unchecked} that could were not checked", Tone.WARN
    return ChecksView(
        target=target,
        slot=slot,
        verdict=verdict,
        glyph=GLYPHS[tone],
        tone=tone,
        counts=_counts(rows),
        binding=tuple((line.item.id, clean(line.judged.words, 300)) for line in forbidding),
        clocks=tuple(clock_view(clock, checks.server_at + since) for clock in checks.clocks),
        rows=tuple(_grouped(checks, rows, checks.server_at + since)),
        outside=age_text((now - checks.outside_at).total_seconds()),
    )


def _counts(rows: list[CheckRow]) -> str:
    counted = Counter(row.state.lower() for row in rows)
    return " · ".join(
        f"{counted[name]} {name}"
        for name in ("closed", "unknown", "to tick", "not checked", "open", "ticked")
        if counted[name]
    )


def clock_view(clock: Clock, server: datetime) -> ClockView:
    """A clock as of a moment of the store's."""
    phase, length = clock.phase.value, _LENGTHS.get(clock.phase)
    if clock.began_at is None or clock.ends_at is None or length is None:
        text = "running" if clock.running else "over" if clock.phase is CheckPhase.BEFORE else "begins with a switch"
        return ClockView(phase, text, None, clock.running)
    left_s = (clock.ends_at - server).total_seconds()
    if left_s <= 0:
        return ClockView(phase, "over", 1.0, running=False)
    return ClockView(phase, f"{clock_text(left_s)} left", min(1.0, max(0.0, 1 - left_s / length)), clock.running)


def _grouped(checks: Checks, rows: list[CheckRow], server: datetime) -> Iterable[CheckRow]:
    """By phase: those whose clock runs first, and in each what binds first."""
    views = {clock.phase: clock_view(clock, server) for clock in checks.clocks}
    phases = sorted(CheckPhase, key=lambda phase: not views[phase].running if phase in views else True)
    of = {line.item.id: line.item.phase for line in checks.checked.lines}
    for phase in phases:
        own = sorted((row for row in rows if of[row.key] is phase), key=lambda row: row.rank)
        if own:
            yield _heading(phase, views.get(phase), own)
            yield from own


def _heading(phase: CheckPhase, clock: ClockView | None, own: list[CheckRow]) -> CheckRow:
    done = sum(row.rank >= 5 for row in own)
    told = f"{done} of {len(own)} open" + (f", {clock.text}" if clock is not None else "")
    running = clock is not None and clock.running
    return CheckRow(
        f"phase:{phase.value}",
        "→" if running else " ",
        Tone.STRONG if running else Tone.MUTED,
        phase.value.upper(),
        -1,
        "",
        f"{_TITLES[phase]}: {told}",
        "",
        Tone.MUTED,
        "",
    )


def _row(line: Line, checks: Checks, since: timedelta) -> CheckRow:
    judged, item = line.judged, line.item
    state, tone, rank = _state(line)
    age_s = None
    if judged.at is not None:
        age_s = max(0.0, (checks.at - judged.at + since).total_seconds())
    return CheckRow(
        key=item.id,
        glyph=GLYPHS.get(tone, "·"),
        tone=tone,
        state=state,
        rank=rank,
        item=item.id,
        value=clean(judged.words, 300),
        age="–" if age_s is None else age_text(age_s),
        age_tone=Tone.WARN if age_s is not None and age_s > OLD_S and not item.manual else Tone.MUTED,
        source=clean(judged.source, 120),
    )


def _state(line: Line) -> tuple[str, Tone, int]:
    state, manual = line.judged.state, line.item.manual
    if line.forbids:
        return state.value.upper() if state is not State.NOT_CHECKED else "NOT CHECKED", Tone.BAD, 0
    if manual and state is State.CLOSED:
        return TO_TICK, Tone.WARN, 2
    if state in (State.CLOSED, State.UNKNOWN):
        return state.value, Tone.WARN, 1
    if state is State.NOT_CHECKED:
        return state.value, Tone.MUTED, 4
    return ("ticked" if manual else state.value), Tone.GOOD, 5


def is_manual(checks: Checks | None, key: str) -> bool:
    """Whether a named operator ticks this item."""
    return checks is not None and any(line.item.manual and line.item.id == key for line in checks.checked.lines)


def check_facts(checks: Checks | None, key: str, now: datetime) -> list[tuple[str, str]]:
    """Everything about an item, for its detail."""
    line = next((one for one in checks.checked.lines if one.item.id == key), None) if checks is not None else None
    if checks is None or line is None:
        return []
    row, judged, item = _row(line, checks, now - checks.at), line.judged, line.item
    if item.manual:
        todo = "see to it, then x ticks it with your name and what you saw"
    elif line.forbids:
        todo = "what it names has to change; an override takes a typed name and a reason, at the switch itself"
    elif judged.state is State.NOT_CHECKED:
        todo = "nothing that could know it is configured; [gates] require makes it forbid"
    else:
        todo = ""
    return [
        ("item", item.id),
        ("demands", item.title),
        ("when", _TITLES[item.phase]),
        ("state", f"{row.glyph} {row.state}" + (", which forbids a switch" if line.forbids else "")),
        ("evidence", row.value),
        ("taken", f"{iso_text(judged.at)}, {row.age} ago" if judged.at is not None else "at no time"),
        ("source", row.source or "none"),
        ("may forbid", ", ".join(sorted(act.value for act in item.acts)) or "nothing, unless [gates] require says so"),
        ("what next", todo),
    ]


def plan_rows(checks: Checks | None, now: datetime) -> tuple[PlanRow, ...]:
    """Overrides that somebody proposed: those that wait for somebody first."""
    if checks is None or checks.plans.value is None:
        return ()
    server = checks.server_at + (now - checks.at)
    rows = [plan_row(one, checks.epoch, server) for one in checks.plans.value]
    return tuple(sorted(rows, key=lambda row: row.state != "waits"))


def no_plans(checks: Checks | None, problem: str) -> str:
    """Why no override is listed."""
    if checks is None:
        return f"Not read: {problem}" if problem else "Reading …"
    if checks.plans.value is None:
        return f"UNKNOWN: {checks.plans.why}. r reads again."
    people = "one person" if checks.approvals < 2 else f"{checks.approvals} people"
    return (
        f"Nobody asks for an approval.\nAn override takes {people} here ([gates] approvals); "
        "who proposes one does so at the switch itself."
    )


def no_checks(problem: str) -> str:
    """Why no item is listed."""
    return f"Not read: {problem} r tries again." if problem else "Reading what the gates go by …"
