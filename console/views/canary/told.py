"""A canary in one line, on a page, and its plan with everything that was frozen at the start."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from console.domain.canary.plan import Proposal, RunState
from console.domain.canary.run import CanaryReading
from console.domain.seen.observation import Observation
from console.views.canary.canary import CanaryView, canary_view, view_of
from console.views.canary.figures import (
    desk_of,
    evidence_of,
    failed_step,
    interval_text,
    lost_in,
    own_spread_text,
    share_text,
)
from console.views.format import age_text, amount_text, count_text, iso_text, money_text, percent_text
from console.views.tone import Tone

Words = tuple[str, Tone]


def canary_line(observation: Observation, *, narrow: bool = False, room: int = 0) -> tuple[Words, ...]:
    """The canary in one line, for the overview; empty where there never was one.

    Args:
        observation: what was seen.
        narrow: where some 80 cells are all there is: the state, the step, the verdict, and what holds it.
        room: cells; where they are too few for all figures, the interval goes, then the rounds, then the share, each as
            a whole: of a figure that is cut nobody sees that it is. 0 for as many as it has.
    """
    view, store = canary_view(observation), observation.store
    if view is None or store is None or store.canary is None:
        return ()
    reading = store.canary
    words: list[Words] = [(f" {view.state}", view.state_tone)]
    if not reading.run.live:
        ladder = view.ladder.replace(" → ", "→") if narrow else view.ladder
        return (*words, (f"  {ladder}", Tone.MUTED), *_lost(reading), (f"   {view.gate}", view.gate_tone))
    held = view.gate.partition(": ")[2].removeprefix("Undecided: ") if view.gate.startswith("held by ") else view.gate
    held_words = (f"  ▲ {view.stale}", Tone.WARN) if view.stale else (f"  {held}", view.gate_tone)
    tone = Tone.STALE if view.stale else view.verdict_tone
    if narrow:
        ladder = view.ladder.replace(" → ", "→")
        state = view.state if reading.run.state is not RunState.RUNNING else view.state[:1]  # its figures say that
        head = ((f" {state} {ladder}", view.state_tone), *_short_figures(view))
        if view.needed and not view.stale:
            return (*head, (f"  {view.verdict[:1]} {view.needed}", tone))
        return (*head, (f"  {view.verdict}", tone), held_words)
    words.append((f"  {view.ladder}", Tone.TEXT))
    judged = ((f"  {view.verdict}", tone), *_budget(view), held_words)
    figures = list(_measured(view, reading))
    while figures and room and sum(len(text) for text, _ in (*words, *figures, *judged)) > room:
        del figures[-2:]
    return (*words, *figures, *judged)


def _lost(reading: CanaryReading) -> Iterator[Words]:
    """What an aborted run's money lost in the step at which it failed, where that is known."""
    failed = failed_step(reading)
    lost = lost_in(reading, failed) if failed is not None else None
    if lost is not None and lost < 0:
        yield f"  {money_text(lost)} {reading.run.currency}", Tone.LOSS


def _short_figures(view: CanaryView) -> Iterator[Words]:
    """Rounds and loss budget of this step, each of what it may be, without their unit."""
    by_name = {figure.label: figure for figure in view.figures if figure.fraction is not None}
    for label, short in (("rounds", "n"), ("loss budget", "budget")):
        if (figure := by_name.get(label)) is not None:
            used, _, of = figure.value.partition(",")[0].removeprefix("✖ ").partition(" of ")
            yield f"  {short} ", Tone.MUTED
            yield f"{used}/{of.partition(' ')[0]}" if of else used, Tone.STALE if view.stale else figure.tone


def _measured(view: CanaryView, reading: CanaryReading) -> Iterator[Words]:
    """Names and figures in turn, most important first."""
    desk = desk_of(reading)
    evidence = evidence_of(desk)
    old = Tone.STALE if view.stale else Tone.TEXT
    if desk is not None and desk.routed_share is not None:
        yield "  actual ", Tone.MUTED
        yield percent_text(desk.routed_share), old
    if evidence is not None and reading.run.share:
        yield "  n ", Tone.MUTED
        yield f"{count_text(evidence.rounds_canary)} / {count_text(evidence.rounds_stable)}", old
        yield "  Δ ", Tone.MUTED
        yield interval_text(evidence.lower, evidence.upper), old


def _budget(view: CanaryView) -> Iterator[Words]:
    budget = next((figure for figure in view.figures if figure.label == "loss budget"), None)
    if budget is not None and budget.fraction is not None:
        yield "  budget ", Tone.MUTED
        yield budget.value, Tone.STALE if view.stale else budget.tone


def canary_lines(observation: Observation) -> list[str]:
    """The canary in a few lines without colour, for `status`; empty where there never was one."""
    store = observation.store
    view = canary_view(observation)
    return _page(view)[:3] if view is not None and store is not None else []


def canary_text(reading: CanaryReading, proposal: Proposal | None, now: datetime, active: str = "") -> list[str]:
    """The canary for people, without colour: `agent-console canary show`."""
    first, *further = _page(view_of(reading, proposal, now, active=active))
    return [first, *(f"  {line}" for line in further)]


def _page(view: CanaryView) -> list[str]:
    lines = [f"{view.title}: {view.slot} {view.version}".rstrip() + f"   {view.state}   {view.ladder}   {view.verdict}"]
    lines.append(f"▲ {view.stale}" if view.stale else view.gate)
    figures = sorted(view.figures, key=lambda figure: figure.label != "loss budget")
    return lines + [f"{figure.label:<13} {figure.value}" for figure in figures]


def plan_facts(reading: CanaryReading, at: int) -> list[tuple[str, str]]:
    """One step of a run's plan, and what was frozen with it at the start, as label and text."""
    run, plan = reading.run, reading.run.plan
    facts = [("run", str(run.name)), ("canary", run.slot), ("began", iso_text(run.began_at))]
    if run.by or run.why:
        facts.append(("last change", f"{run.by}{f': {run.why}' if run.why else ''}"))
    if plan is None or not 0 <= at < len(plan.steps):
        return [*facts, ("problem", str(run.problem) or "its plan has no such step")]
    step, judged = plan.steps[at], plan.settings_at(at)
    money = f"{share_text(step.share)}, {amount_text(step.share * run.capital)} of {amount_text(run.capital)}"
    budget = f"{amount_text(step.loss_budget)} {run.currency}" if step.share else "a shadow: no capital, no budget"
    return [
        *facts,
        ("", ""),
        (f"step {at + 1} of {len(plan.steps)}", f"{money} {run.currency}"),
        ("loss budget", budget),
        ("rounds", f"{count_text(step.min_rounds)} at least"),
        ("dwell", f"{age_text(step.min_dwell_s)} at least, a person is called after {age_text(step.max_dwell_s)}"),
        ("", ""),
        ("margin", f"{judged.margin:g} per unit at risk and round"),
        ("α", f"{judged.alpha_harm:g} to roll back, {judged.alpha_safe:g} to promote, {judged.alpha_alarm:g} alarms"),
        ("form", f"{judged.form.value}, {plan.mode.value} mode, blocks of {judged.block}"),
        ("ρ from", f"first decision due after {count_text(judged.due_rounds)} rounds at {percent_text(judged.share)}"),
        ("spread", f"{judged.spread:g} (σ {judged.sigma:g}, correlation {judged.correlation:g})"),
        ("canary's own", own_spread_text(judged)),
        ("one return", f"{judged.lowest:g} to {judged.highest:g}"),
        ("blocks", f"{judged.min_blocks} before a promotion, {judged.min_blocks_harm} before a roll back"),
        ("metrics", ", ".join(judged.metrics)),
        ("promotion", "by itself, once every gate is open" if plan.automatic else "by an operator, once it is open"),
        ("looked at", f"every {age_text(plan.interval_s)}; stale after {age_text(plan.stale_after_s)}"),
        ("digest", f"{run.digest} of the plan"),
        ("", f"{judged.digest} of these settings"),
    ]
