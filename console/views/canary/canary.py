"""A canary as an operator asks of it: how much money, how sure, what holds it, and what is still needed."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from console.domain.canary.plan import Action, Gate, Proposal, RunState, Step
from console.domain.canary.run import CanaryReading, CanaryRun, DeskReading, closed_by, propose
from console.domain.seen.observation import Observation
from console.domain.statistics.evidence import Verdict
from console.views.canary.figures import (
    Figure,
    desk_of,
    evidence_of,
    failed_step,
    figures_of,
    lost_in,
    margin_at,
    share_text,
)
from console.views.fence.link import version_text, versions_of
from console.views.format import age_text, amount_text, count_text, money_text, plural
from console.views.tone import Tone

VERDICTS: Final = {
    Verdict.SAFE: ("✔", Tone.GOOD),
    Verdict.HARM: ("✖", Tone.BAD),
    Verdict.UNDECIDED: ("·", Tone.INFO),
    Verdict.NOT_ENOUGH: ("?", Tone.MUTED),
}
_STATES: Final = {
    RunState.RUNNING: ("▶", Tone.GOOD),
    RunState.PAUSED: ("‖", Tone.WARN),
    RunState.ABORTED: ("✖", Tone.BAD),
    RunState.DONE: ("✔", Tone.GOOD),
}
SILENT_AFTER_S: Final = 10.0
"""A desk reports once a second: after this it is silent, even where its analysis may still count for longer."""
_LOOK_HERE: Final = (Gate.ANALYSIS, Gate.CAPITAL, Gate.SAMPLE_RATIO)


class StepRow(NamedTuple):
    """One step of the ladder.

    Args:
        key: its place, counted from 0.
        place: "past", "here" or "ahead"; "failed" where it was aborted.
        mark, tone: say the same.
        money: the canary's part of the capital.
        budget: what it may lose there; "shadow" at share 0.
        rounds, dwell: what was played and waited, of the least that is needed; only that least ahead and behind.
    """

    key: str
    place: str
    mark: str
    tone: Tone
    share: str
    money: str
    budget: str
    rounds: str
    dwell: str
    margin: str


class CanaryView(NamedTuple):
    """Everything a screen says of a canary.

    Args:
        title: the run's name.
        slot, version: whose version it is; a slot's colour names the slot, never a verdict.
        state, state_tone: glyph and word.
        age: since it began.
        verdict, verdict_tone: glyph and word.
        gate: the one gate that holds it now, in a sentence; or what comes next, or how it ended.
        gate_tone: how that is to be read.
        needed: rounds still needed; empty where they can't be told or none is.
        ladder: `0 → 5 → [20] → 50 → 100 %`.
        figures: most important first.
        steps: the ladder as rows.
        heard: how long ago the desk was heard of; empty where nothing was.
        stale: why what the desk says is too old to act on; empty while it is not.
    """

    title: str
    slot: str
    version: str
    state: str
    state_tone: Tone
    age: str
    verdict: str
    verdict_tone: Tone
    gate: str
    gate_tone: Tone
    needed: str
    ladder: str
    figures: tuple[Figure, ...]
    steps: tuple[StepRow, ...]
    heard: str
    stale: str


def now_of(observation: Observation) -> datetime:
    """The server's time as of this observation, by which a canary is judged."""
    assert observation.store is not None
    return observation.store.server_at + (observation.now - observation.store.at)


def proposal_of(observation: Observation) -> Proposal | None:
    """What the evaluator says, as of the last reading; None where there is no run, or none that can be read."""
    store = observation.store
    if store is None or store.canary is None:
        return None
    closed = closed_by(store.deployment, store.canary.run.slot)
    return propose(store.canary, store.server_at, closed_gates=(closed,) if closed else ())


def canary_view(observation: Observation) -> CanaryView | None:
    """The canary; None where there never was one."""
    store = observation.store
    if store is None or store.canary is None:
        return None
    versions = versions_of(observation, store.canary.run.slot)
    version = version_text(versions[0]) if versions else ""
    slot = store.deployment.active.slot
    now, active = now_of(observation), slot.value if slot is not None else ""
    upgrade = store.upgrade.run if store.upgrade is not None else None
    going = upgrade is not None and upgrade.state.live and upgrade.target.value == store.canary.run.slot
    return view_of(store.canary, proposal_of(observation), now, version=version, active=active, upgrading=going)


def view_of(
    reading: CanaryReading,
    proposal: Proposal | None,
    now: datetime,
    *,
    version: str = "",
    active: str = "",
    upgrading: bool = False,
) -> CanaryView:
    """The same from a reading of the store, what the evaluator says of it, and the server's time.

    Args:
        version: of the canary; empty where it is not known.
        active: the active side; empty where there is none.
        upgrading: whether an upgrade to the canary's side goes on.
    """
    run, desk = reading.run, desk_of(reading)
    glyph, tone = _STATES[run.state]
    verdict, verdict_tone = _verdict(run, desk)
    gate, gate_tone = _gate(run, proposal, active, _after(run, upgrading))
    needed = proposal.rounds_needed if proposal is not None and run.live else None
    return CanaryView(
        title=run.name,
        slot=run.slot,
        version=version,
        state=f"{glyph} {run.state.value}",
        state_tone=tone,
        age=age_text((now - run.began_at).total_seconds()),
        verdict=verdict,
        verdict_tone=verdict_tone,
        gate=gate,
        gate_tone=gate_tone,
        needed=f"{plural(needed, 'more round')}" if needed else "",
        ladder=ladder_text(run, failed_step(reading)),
        figures=figures_of(run, desk, now),
        steps=_steps(reading, now),
        heard=age_text((now - desk.at).total_seconds()) if desk is not None else "",
        stale=_stale(run, desk, now),
    )


def _verdict(run: CanaryRun, desk: DeskReading | None) -> tuple[str, Tone]:
    evidence = evidence_of(desk)
    if run.live and not run.share:
        return "· SHADOW: no capital", Tone.INFO
    if evidence is None:
        return "? NO EVIDENCE", Tone.MUTED
    glyph, tone = VERDICTS[evidence.verdict]
    return f"{glyph} {evidence.verdict.value}", tone


def _after(run: CanaryRun, upgrading: bool) -> str:
    """What comes next once it was proven to the end: a canary with all the capital does not act yet."""
    if upgrading:
        return "s goes on with the upgrade: its switch is next (:upgrade go)"
    return f"s switches {run.slot} on (:switch {run.slot})"


def _gate(run: CanaryRun, proposal: Proposal | None, active: str, after: str) -> tuple[str, Tone]:
    if run.state is RunState.DONE and active and active != run.slot:
        return f"proven at {share_text(run.share)}: {after}, R goes back", Tone.WARN
    if not run.live:
        by = f" by {run.by}" if run.by else ""
        return f"{run.state.value.lower()}{by}{f': {run.why}' if run.why else ''}", Tone.MUTED
    if proposal is None:
        return f"nothing rises: {run.problem or 'its place in the plan does not exist'}", Tone.BAD
    if proposal.action is Action.ROLL_BACK:
        return f"to be rolled back: {proposal.reason}", Tone.BAD
    if proposal.gate is Gate.APPROVAL:
        return proposal.reason, Tone.GOOD
    if proposal.action is Action.FINISH:
        return f"next: {proposal.action.value}. {proposal.reason} Then {after}", Tone.GOOD
    if proposal.action is Action.PROMOTE:
        return f"next: {proposal.action.value}. {proposal.reason}", Tone.GOOD
    tone = Tone.WARN if proposal.page or proposal.gate in _LOOK_HERE else Tone.INFO
    return f"held by {proposal.gate.value}: {proposal.reason}", tone


def _stale(run: CanaryRun, desk: DeskReading | None, now: datetime) -> str:
    if not run.live:
        return ""
    if desk is None:
        return "no desk: nothing shares rounds out"
    age_s = (now - desk.at).total_seconds()
    limit_s = min(run.plan.stale_after_s, SILENT_AFTER_S) if run.plan is not None else SILENT_AFTER_S
    return f"desk silent for {age_text(age_s)}" if age_s > limit_s else ""


def ladder_text(run: CanaryRun, failed: int | None = None) -> str:
    """The ladder in one line, the step in force in brackets; after an abort a sign where it failed."""
    if run.plan is None:
        return f"[{share_text(run.share)}]"
    parts = [share_text(step.share).removesuffix(" %") for step in run.plan.steps]
    if run.state is not RunState.ABORTED and run.position.step < len(parts):
        parts[run.position.step] = f"[{parts[run.position.step]}]"
    if failed is not None and failed < len(parts):
        parts[failed] = f"✖{parts[failed]}"
    return " → ".join(parts) + " %"


def _steps(reading: CanaryReading, now: datetime) -> tuple[StepRow, ...]:
    run, failed = reading.run, failed_step(reading)
    rows = [_step(run, desk_of(reading), now, at, step) for at, step in enumerate(run.plan.steps if run.plan else ())]
    if failed is not None and failed < len(rows):
        rows = [row._replace(place="past", mark="✔", tone=Tone.GOOD) for row in rows[:failed]] + rows[failed:]
        lost, row = lost_in(reading, failed), rows[failed]
        budget = f"{money_text(lost)} of {row.budget}" if lost is not None and row.budget != "shadow" else row.budget
        rows[failed] = row._replace(place="failed", mark="✖", tone=Tone.BAD, budget=budget)
    return tuple(rows)


def _step(run: CanaryRun, desk: DeskReading | None, now: datetime, at: int, step: Step) -> StepRow:
    place = "past" if run.state is RunState.DONE or (run.live and at < run.position.step) else "ahead"
    if run.live and at == run.position.step:
        place = "here"
    mark, tone = {"past": ("✔", Tone.GOOD), "here": ("■", Tone.STRONG), "ahead": ("·", Tone.MUTED)}[place]
    played, waited = "", ""
    if place == "here":
        played = f"{count_text(desk.rounds) if desk is not None and desk.position == run.position else '–'} of "
        waited = f"{age_text((now - run.step_began_at).total_seconds())} of "
    margin = margin_at(run, at)
    return StepRow(
        str(at),
        place,
        mark,
        tone,
        share_text(step.share),
        amount_text(step.share * run.capital),
        amount_text(step.loss_budget) if step.share else "shadow",
        f"{played}{count_text(step.min_rounds)}",
        f"{waited}{age_text(step.min_dwell_s)}",
        f"{margin:g}",
    )
