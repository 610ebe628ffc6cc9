"""An upgrade as a ladder: its steps, where it stands and since when, what was seen, whose hands, what comes next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from console.domain.fence.deployment import Slot
from console.domain.seen.observation import Observation
from console.domain.text import clean
from console.domain.upgrade.reading import NOTHING, UpgradeReading, Word, awaits_review, next_word
from console.domain.upgrade.run import MEANING, ORDER, RunState, Step, StepName, StepState, UpgradeRun
from console.views.first import acting
from console.views.format import age_text, time_text
from console.views.tone import Tone

Words = tuple[str, Tone]

SHOWN_FOR: Final = timedelta(hours=72)
"""For so long after its last step a run that is over is shown."""
_RUNGS: Final = {
    StepState.WAITING: ("·", Tone.MUTED),
    StepState.RUNNING: ("▶", Tone.STRONG),
    StepState.BLOCKED: ("✖", Tone.BAD),
    StepState.DONE: ("✔", Tone.GOOD),
    StepState.SKIPPED: ("–", Tone.MUTED),
}
_STATES: Final = {
    RunState.RUNNING: ("▶", Tone.STRONG),
    RunState.HELD: ("‖", Tone.WARN),
    RunState.ABORTED: ("✖", Tone.BAD),
    RunState.DONE: ("✔", Tone.GOOD),
}
_SIGNS: Final = {"blue": "■", "green": "□"}
_NAME: Final = max(len(name) for name in ORDER)
_STATE: Final = 9
_AGE: Final = 6


class Rung(NamedTuple):
    """One step: its sign, name and tone, and whether the run stands at it."""

    glyph: str
    name: str
    tone: Tone
    here: bool


class Ladder(NamedTuple):
    """A run.

    Args:
        title: from where to where.
        rungs: every step, in order.
        state: how far it is, a sign and a word; `tone` says the same.
        tone: of the state.
        step: the name of the step at which it stands; empty once it is over.
        at: which step that is, of how many.
        age: for how long it has stood there; empty where that is not known.
        why: what it waits for, what is in the way, or where it ended.
        evidence: what was seen, newest step first.
        hands: who began it, and who walks it.
        hands_tone: of that: a run that nobody walks stands still.
        next: the verb that comes next.
    """

    title: str
    rungs: tuple[Rung, ...] = ()
    state: str = ""
    tone: Tone = Tone.MUTED
    step: str = ""
    at: str = ""
    age: str = ""
    why: str = ""
    evidence: tuple[str, ...] = ()
    hands: str = ""
    hands_tone: Tone = Tone.MUTED
    next: Word = NOTHING


def ladder(observation: Observation) -> Ladder | None:
    """The run that is to be shown; None where there is none, or none of late."""
    store = observation.store
    reading = store.upgrade if store is not None else None
    if store is None or reading is None:
        return None
    run = reading.run
    if run is None:
        problem = str(reading.problem)
        return Ladder("Upgrade", state="? UNREADABLE", tone=Tone.BAD, why=problem) if problem else None
    now = store.server_at + (observation.now - store.at)
    if not run.state.live and now - _last(run) > SHOWN_FOR:
        return None
    return _told(run, reading, now, acting(store))


def _told(run: UpgradeRun, reading: UpgradeReading, now: datetime, active: Slot | None) -> Ladder:
    step = run.step if run.state.live else None
    glyph, tone = _STATES[run.state]
    word = run.state.value
    if run.state is RunState.RUNNING and step is not None and step.state is StepState.BLOCKED:
        (glyph, tone), word = _RUNGS[StepState.BLOCKED], step.state.value
    if awaits_review(run):
        (glyph, tone), word = ("▲", Tone.WARN), "waits"
    since = step.began_at if step is not None else None
    hands, hands_tone = _hands(run, reading)
    return Ladder(
        title=f"Upgrade {_side(run.old.value, run.old_version)} → {_side(run.target.value, run.version)}",
        rungs=tuple(_rung(one, run, step) for one in run.steps),
        state=f"{glyph} {word.upper()}",
        tone=tone,
        step=step.name.value if step is not None else "",
        at=f"{ORDER.index(step.name) + 1} of {len(ORDER)}" if step is not None else "",
        age=age_text((now - since).total_seconds()) if since is not None else "",
        why=_why(run, step, now),
        evidence=tuple(_evidence(run)),
        hands=hands,
        hands_tone=hands_tone,
        next=next_word(run, active),
    )


def _side(slot: str, version: str) -> str:
    return f"{_SIGNS[slot]} {slot} {clean(version, 24)}".rstrip()


def _rung(one: Step, run: UpgradeRun, step: Step | None) -> Rung:
    here = step is not None and one.name is step.name
    glyph, tone = _RUNGS[one.state]
    if here and awaits_review(run):
        return Rung("▲", one.name.value, Tone.WARN, here)
    if run.state is RunState.ABORTED and run.step is not None and one.name is run.step.name:
        glyph, tone = _RUNGS[StepState.BLOCKED]  # where it ended
    elif here and run.state is RunState.HELD:
        glyph, tone = _STATES[RunState.HELD]
    elif here and one.state is StepState.WAITING:
        glyph, tone = _RUNGS[StepState.RUNNING]
    return Rung(glyph, one.name.value, tone, here)


def _why(run: UpgradeRun, step: Step | None, now: datetime) -> str:
    if run.state is RunState.ABORTED:
        where = f"; {clean(run.safe_state, 120)}" if run.safe_state else ""
        return f"{clean(run.note, 160)}{where}".removeprefix("; ")
    if run.state is RunState.HELD:
        return str(clean(run.note, 250)) or "a person changed by hand what it moves"
    if step is None:
        return f"{run.target.value} acts"
    seconds = {StepName.WATCH: run.plan.watch_s, StepName.WARM: run.plan.warm_s}.get(step.name)
    if seconds is not None and run.switched_at is not None and step.state is not StepState.BLOCKED:
        left_s = (run.switched_at + timedelta(seconds=seconds) - now).total_seconds()
        return f"{age_text(left_s)} left: {MEANING[step.name]}"
    return str(clean(step.note, 250)) or MEANING[step.name]


def _evidence(run: UpgradeRun) -> list[str]:
    """What the steps have seen, each with its name; the decisions to look at have a list of their own."""
    switched = [f"switch: {run.target.value} {time_text(run.switched_at)}Z"] if run.switched_at is not None else []
    return switched + [
        f"{step.name.value}: {clean(one.value, 80)}"
        for step in reversed(run.steps)
        for one in step.evidence[:1]
        if step.name not in (StepName.SWITCH, StepName.REVIEW)
    ]


def _hands(run: UpgradeRun, reading: UpgradeReading) -> tuple[str, Tone]:
    begun = f"begun by {clean(run.by, 40)} {time_text(run.began_at)}Z"
    if not run.state.live:
        return begun, Tone.MUTED
    if reading.walker:
        return f"{begun}  walked by {reading.walker}", Tone.MUTED
    return f"{begun}  ▲ nobody walks it", Tone.WARN


def _last(run: UpgradeRun) -> datetime:
    return max([run.began_at, *(step.ended_at for step in run.steps if step.ended_at is not None)])


def ladder_line(told: Ladder, key: str = "") -> tuple[Words, ...]:
    """A run in one line of some 80 cells; what varies most, why, comes last.

    Args:
        told: the run.
        key: that takes its next step; empty where none does.
    """
    rungs = [(rung.glyph, rung.tone) for rung in told.rungs]
    verb = told.next.command.rpartition(" ")[2]
    mark = [(f"  {key}", Tone.KEY), (f" {verb:<6}", Tone.TEXT)] if verb and key else []
    return (
        (" ", Tone.MUTED),
        *rungs,
        (f" {told.step:<{_NAME}}" if told.step else "", Tone.STRONG),
        (f" {told.state:<{_STATE}}", told.tone),
        (f" {told.age:>{_AGE}}" if told.step else "", Tone.MUTED),
        *mark,
        (f" {told.why}", told.tone if told.tone in (Tone.BAD, Tone.WARN) else Tone.TEXT),
    )


def ladder_lines(told: Ladder, key: str = "") -> tuple[tuple[Words, ...], ...]:
    """A run in four lines: its steps; where it stands and why; what was seen; whose hands, and what comes next."""
    if not told.rungs:
        return (((f" {told.state}", told.tone), (f"  {told.why}", told.tone)),)
    steps: list[Words] = []
    for rung in told.rungs:
        left, right = ("[", "]") if rung.here else (" ", " ")
        name = Tone.STRONG if rung.here else Tone.TEXT if rung.tone is Tone.GOOD else Tone.MUTED
        steps += [(f"{left}{rung.glyph} ", rung.tone), (f"{rung.name}{right}", name)]
    loud = told.tone in (Tone.BAD, Tone.WARN)
    where: tuple[Words, ...] = ((f" {told.state:<{_STATE}}", told.tone),)
    if told.step:
        where += ((f"  step {told.at:<9}{told.step:<{_NAME}}", Tone.STRONG), (f" {told.age:>{_AGE}}", Tone.MUTED))
    seen = "  ".join(told.evidence)
    comes: tuple[Words, ...] = ((" next  ", Tone.MUTED),) if told.next.command else ((" over  ", Tone.MUTED),)
    if told.next.command:
        verb = f":{told.next.command}"
        comes += ((f"{key} ", Tone.KEY), (f"{told.next.what:<13}", Tone.STRONG), (f"{verb:<18}", Tone.MUTED))
    return (
        tuple(steps),
        (*where, (f"  {told.why}", told.tone if loud else Tone.TEXT)),
        ((" seen  ", Tone.MUTED), (seen or "nothing yet", Tone.TEXT if seen else Tone.MUTED)),
        (*comes, (told.hands, told.hands_tone)),
    )
