"""A canary as an operator asks of it: how much money, how sure, what holds it, and what is still needed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from console.domain.canary import Action, Gate, Plan, Proposal, RunState
from console.domain.canary_run import CanaryReading, CanaryRun, DeskReading, closed_by, evidence_document, propose
from console.domain.canary_text import plan_document
from console.domain.observation import Observation
from console.domain.statistics import Verdict
from console.views.format import age_text, amount_text, iso_text, money_text, percent_text, plural
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


class Fact(NamedTuple):
    """A figure with its name."""

    label: str
    value: str
    tone: Tone = Tone.TEXT


class StepRow(NamedTuple):
    """One step of the ladder.

    Args:
        mark: where the canary stands, what it has behind it.
        rounds: rounds of this step played, of its least.
    """

    key: str
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
        title: the run and its slot.
        state, state_tone: glyph and word.
        verdict, verdict_tone: glyph and word.
        gate: the one gate that holds it now, in a sentence; or what comes next.
        gate_tone: how that is to be read.
        ladder: `0 → 5 → [20] → 50 → 100 %`.
        facts: figures, most important first.
        steps: the ladder as rows.
        stale: why what the desk says is too old to act on; empty while it is not.
    """

    title: str
    state: str
    state_tone: Tone
    verdict: str
    verdict_tone: Tone
    gate: str
    gate_tone: Tone
    ladder: str
    facts: tuple[Fact, ...]
    steps: tuple[StepRow, ...]
    stale: str


def now_of(observation: Observation) -> datetime:
    """The server's time as of this observation, by which a canary is judged."""
    assert observation.store is not None
    return observation.store.server_at + (observation.now - observation.store.at)


def proposal_of(observation: Observation) -> Proposal | None:
    """What the evaluator says now; None where there is no run, or none that can be read."""
    store = observation.store
    if store is None or store.canary is None:
        return None
    closed = closed_by(store.deployment, store.canary.run.slot)
    return propose(store.canary, now_of(observation), closed_gates=(closed,) if closed else ())


def canary_view(observation: Observation) -> CanaryView | None:
    """The canary; None where there never was one."""
    store = observation.store
    if store is None or store.canary is None:
        return None
    return view_of(store.canary, proposal_of(observation), now_of(observation))


def view_of(reading: CanaryReading, proposal: Proposal | None, now: datetime) -> CanaryView:
    """The same from a reading of the store, what the evaluator says of it, and the server's time."""
    run, desk = reading.run, _desk_of(reading)
    glyph, tone = _STATES[run.state]
    verdict, verdict_tone = _verdict(desk)
    gate, gate_tone = _gate(run, proposal)
    plan = run.plan
    stale = _stale(run, desk, plan, now)
    return CanaryView(
        title=f"{run.name}: {run.slot}", state=f"{glyph} {run.state.value}", state_tone=tone, verdict=verdict,
        verdict_tone=verdict_tone, gate=gate, gate_tone=gate_tone, ladder=ladder_text(run),
        facts=_facts(run, desk, now), steps=_steps(run, desk, now), stale=stale,
    )  # fmt: skip


def _desk_of(reading: CanaryReading) -> DeskReading | None:
    return reading.desk if reading.desk is not None and reading.desk.run == reading.run.name else None


def _verdict(desk: DeskReading | None) -> tuple[str, Tone]:
    evidence = desk.analysis.evidence if desk is not None and desk.analysis is not None else None
    if evidence is None:
        return "? NO EVIDENCE", Tone.MUTED
    glyph, tone = VERDICTS[evidence.verdict]
    return f"{glyph} {evidence.verdict.value}", tone


def _gate(run: CanaryRun, proposal: Proposal | None) -> tuple[str, Tone]:
    if not run.live:
        return f"{run.why}" or f"The run is {run.state.value}.", Tone.MUTED
    if proposal is None:
        return f"Nothing rises: {run.problem or 'its place in the plan can not be read'}.", Tone.BAD
    if proposal.action is Action.ROLL_BACK:
        return proposal.reason, Tone.BAD
    if proposal.action in (Action.PROMOTE, Action.FINISH) or proposal.gate is Gate.APPROVAL:
        return f"{proposal.reason}  c promotes", Tone.GOOD
    tone = (
        Tone.WARN if proposal.page or proposal.gate in (Gate.ANALYSIS, Gate.CAPITAL, Gate.SAMPLE_RATIO) else Tone.INFO
    )
    return f"held by {proposal.gate.value}: {proposal.reason}", tone


def _stale(run: CanaryRun, desk: DeskReading | None, plan: Plan | None, now: datetime) -> str:
    if not run.live:
        return ""
    if desk is None:
        return "no desk: nothing shares rounds out"
    age_s = (now - desk.at).total_seconds()
    limit_s = min(plan.stale_after_s, 10.0) if plan is not None else 10.0
    return f"desk silent for {age_text(age_s)}" if age_s > limit_s else ""


def ladder_text(run: CanaryRun) -> str:
    """The ladder in one line, the step in force in brackets."""
    if run.plan is None:
        return f"[{_percent(run.share)}] %"
    parts = [_percent(step.share) for step in run.plan.steps]
    if run.state is not RunState.ABORTED:
        parts[run.position.step] = f"[{parts[run.position.step]}]"
    return " → ".join(parts) + " %"


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f}"


def _facts(run: CanaryRun, desk: DeskReading | None, now: datetime) -> tuple[Fact, ...]:
    money = run.currency
    in_force = "unknown" if desk is None else f"{_percent(desk.share)} %"
    agrees = desk is not None and desk.share == run.share and desk.position == run.position
    routed = "–" if desk is None or desk.routed_share is None else percent_text(desk.routed_share)
    facts = [
        Fact("target", f"{_percent(run.share)} %"),
        Fact("in force", in_force, Tone.TEXT if agrees or not run.live else Tone.WARN),
        Fact("actual", routed),
        Fact("capital", f"{amount_text(run.share * run.capital)} of {amount_text(run.capital)} {money}"),
    ]
    if desk is not None:
        facts += [
            Fact("at stake", f"canary {amount_text(desk.exposure_canary)}, stable {amount_text(desk.exposure_stable)}"),
            Fact("rounds", f"{desk.rounds:,} in this step, {desk.open_rounds} open"),
        ]
        facts.append(_budget(run, desk))
        facts += _evidence(desk)
        if desk.ratio is not None:
            alarm = desk.analysis is not None and desk.analysis.ratio_alarm
            said = f"{percent_text(desk.ratio[0])} of {percent_text(desk.ratio[1])} drawn"
            facts.append(Fact("sample ratio", said, Tone.WARN if alarm else Tone.TEXT))
        if desk.analysis is not None and desk.analysis.alarms:
            facts.append(Fact("guardrails", ", ".join(desk.analysis.alarms), Tone.BAD))
        if desk.refused:
            facts.append(Fact("refused", plural(desk.refused, "round"), Tone.WARN))
    facts.append(Fact("in this step", age_text((now - run.step_began_at).total_seconds())))
    return tuple(facts)


def _budget(run: CanaryRun, desk: DeskReading) -> Fact:
    if run.loss_budget is None or not run.share:
        return Fact("loss budget", "no capital in this step", Tone.MUTED)
    used = -desk.balance / run.loss_budget
    tone = Tone.BAD if used >= 1 or desk.budget_blocked else Tone.WARN if used > Decimal("0.6") else Tone.TEXT
    return Fact("loss budget", f"{money_text(desk.balance)} of −{amount_text(run.loss_budget)} {run.currency}", tone)


def _evidence(desk: DeskReading) -> list[Fact]:
    evidence = desk.analysis.evidence if desk.analysis is not None else None
    if evidence is None:
        return []
    bounds = f"[{_bound(evidence.lower)}, {_bound(evidence.upper)}]"
    facts = [
        Fact("Δ a round", f"{_bound(evidence.estimate)}  {bounds}"),
        Fact("evidence", f"n {evidence.rounds_canary:,} / {evidence.rounds_stable:,}, {evidence.blocks:,} blocks"),
    ]
    if evidence.outside:
        said = f"{plural(evidence.outside, 'return')} beyond the declared bounds: never SAFE"
        facts.append(Fact("bounds", said, Tone.WARN))
    return facts


def _bound(value: float) -> str:
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "−∞"
    return f"{value:+.4f}".replace("-", "−")


def _steps(run: CanaryRun, desk: DeskReading | None, now: datetime) -> tuple[StepRow, ...]:
    rows = []
    for at, step in enumerate(run.plan.steps if run.plan is not None else ()):
        here = at == run.position.step and run.live
        mark = "▶" if here else "✔" if run.live and at < run.position.step else "·"
        if run.state is RunState.DONE:
            mark = "✔"
        rounds = f"{desk.rounds if here and desk is not None else '–'} of {step.min_rounds}"
        dwell = (
            f"{age_text((now - run.step_began_at).total_seconds()) if here else '–'} of {age_text(step.min_dwell_s)}"
        )
        own = run.plan.settings_at(at).margin if run.plan is not None else 0.0
        rows.append(
            StepRow(
                str(at), mark, Tone.GOOD if here else Tone.MUTED, f"{_percent(step.share)} %",
                amount_text(step.share * run.capital), amount_text(step.loss_budget) if step.share else "shadow",
                rounds, dwell, f"{own:g}",
            )
        )  # fmt: skip
    return tuple(rows)


def canary_line(observation: Observation) -> tuple[tuple[str, Tone], ...]:
    """The canary in one line, for the overview; empty where there never was one."""
    view = canary_view(observation)
    store = observation.store
    if view is None or store is None or store.canary is None:
        return ()
    by_label = {fact.label: fact for fact in view.facts}
    parts: list[tuple[str, Tone]] = [(f" {view.state}", view.state_tone), (f"  {view.ladder}", Tone.TEXT)]
    if store.canary.run.live:
        desk = _desk_of(store.canary)
        evidence = desk.analysis.evidence if desk is not None and desk.analysis is not None else None
        if "actual" in by_label:
            parts += [("   actual ", Tone.MUTED), (by_label["actual"].value, Tone.TEXT)]
        if evidence is not None:
            parts += [("   Δ ", Tone.MUTED), (f"[{_bound(evidence.lower)}, {_bound(evidence.upper)}]", Tone.TEXT)]
        parts.append((f"  {view.verdict}", view.verdict_tone))
        if (budget := by_label.get("loss budget")) is not None:
            parts += [("   budget ", Tone.MUTED), (budget.value, budget.tone)]
    said = view.gate.partition(": ")[2] if view.gate.startswith("held by ") else view.gate
    parts.append((f"   {view.stale or said}", Tone.WARN if view.stale else view.gate_tone))
    return tuple(parts)


def canary_text(reading: CanaryReading, proposal: Proposal | None, now: datetime) -> list[str]:
    """The canary for people, without colour: `agent-console canary show`."""
    view = view_of(reading, proposal, now)
    lines = [f"{view.title}   {view.state}   {view.ladder}   {view.verdict}", f"  {view.stale or view.gate}"]
    lines += [f"  {fact.label:<13} {fact.value}" for fact in view.facts]
    return lines


def canary_document(reading: CanaryReading | None, proposal: Proposal | None) -> dict[str, Any] | None:
    """The canary as plain values, for `--json`; amounts are exact texts; None where there never was one."""
    if reading is None:
        return None
    run, desk = reading.run, _desk_of(reading)
    analysis = desk.analysis if desk is not None else None
    return {
        "run": run.name,
        "slot": run.slot,
        "state": run.state.value,
        "step": run.position.step + 1,
        "revision": run.position.revision,
        "share": f"{run.share:f}",
        "loss_budget": f"{run.loss_budget:f}" if run.loss_budget is not None else None,
        "currency": run.currency,
        "capital": f"{run.capital:f}",
        "began_at": iso_text(run.began_at),
        "step_began_at": iso_text(run.step_began_at),
        "by": run.by,
        "why": run.why,
        "problem": run.problem or None,
        "digest": run.digest,
        "plan": plan_document(run.plan) if run.plan is not None else None,
        "desk": None
        if desk is None
        else {
            "holder": desk.holder,
            "at": iso_text(desk.at),
            "share_in_force": f"{desk.share:f}",
            "routed_share": desk.routed_share,
            "exposure_canary": f"{desk.exposure_canary:f}",
            "exposure_stable": f"{desk.exposure_stable:f}",
            "open_rounds": desk.open_rounds,
            "rounds": desk.rounds,
            "balance": f"{desk.balance:f}",
            "budget_blocked": desk.budget_blocked,
            "refused": desk.refused,
            "sample_ratio": list(desk.ratio) if desk.ratio else None,
            "alarms": list(analysis.alarms) if analysis else [],
            "evidence": evidence_document(analysis.evidence) if analysis and analysis.evidence else None,
        },
        "next": None
        if proposal is None
        else {
            "action": proposal.action.value,
            "gate": proposal.gate.value or None,
            "reason": proposal.reason,
            "rounds_needed": proposal.rounds_needed,
            "page": proposal.page,
        },
    }
