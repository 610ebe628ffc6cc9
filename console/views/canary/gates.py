"""What each gate of a canary's step goes by, in numbers: how much there is of how much is needed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from console.domain.canary.plan import Action, Analysis, Gate, Plan, Proposal, Step
from console.domain.canary.run import CanaryReading, CanaryRun, DeskReading
from console.domain.operator.command import GateLine
from console.views.canary.figures import (
    blocks_text,
    desk_of,
    evidence_of,
    interval_text,
    margin_at,
    share_text,
    step_of,
)
from console.views.format import age_text, amount_text, count_text, effect_text, money_text, percent_text, plural

ASKED: Final = (
    Gate.LOSS_BUDGET,
    Gate.GUARDRAIL,
    Gate.ANALYSIS,
    Gate.CAPITAL,
    Gate.TRAFFIC,
    Gate.SAMPLE_RATIO,
    Gate.MINIMUM_SAMPLE,
    Gate.SIGNAL,
    Gate.QUIET,
    Gate.PAUSED,
)
"""In the order in which they are asked."""

_NAMES: Final = {Gate.QUIET: "who may act", Gate.PAUSED: "the run"}
"""For a list in which each stands beside "open" or "CLOSED"."""


def gate_lines(reading: CanaryReading, proposal: Proposal, now: datetime) -> tuple[GateLine, ...]:
    """Every gate up to the one that holds, open, with its figures; that one with the reason too, and what is behind it
    not at all, since nobody asked.

    Args:
        reading: of the run.
        proposal: what the evaluator says of it.
        now: the server's time.
    """
    open_all = proposal.action in (Action.PROMOTE, Action.FINISH)
    if not open_all and proposal.gate not in ASKED:
        return (GateLine(proposal.gate.value or proposal.action.value, False, proposal.reason),)
    lines: list[GateLine] = []
    for gate in ASKED:
        figures, name = _figures(reading, gate, now), _NAMES.get(gate, gate.value)
        if not open_all and gate is proposal.gate:
            evidence = proposal.reason if figures in ("", proposal.reason) else f"{proposal.reason} {figures}"
            return (*lines, GateLine(name, False, evidence))
        lines.append(GateLine(name, True, figures))
    return tuple(lines)


def _figures(reading: CanaryReading, gate: Gate, now: datetime) -> str:
    """What a gate goes by."""
    run, plan, step, desk = reading.run, reading.run.plan, step_of(reading.run), desk_of(reading)
    if plan is None or step is None:
        return ""
    if gate is Gate.QUIET:
        return "nothing forbids more capital"
    if gate is Gate.PAUSED:
        return f"{run.state.value.lower()} for {age_text((now - run.began_at).total_seconds())}"
    if desk is None:
        return "no agent shares rounds out"
    return _of_desk(run, plan, step, desk, gate, now)


def _of_desk(run: CanaryRun, plan: Plan, step: Step, desk: DeskReading, gate: Gate, now: datetime) -> str:
    analysis = desk.analysis
    match gate:
        case Gate.LOSS_BUDGET:
            return _budget(run, step, desk)
        case Gate.GUARDRAIL:
            return _harm(analysis)
        case Gate.ANALYSIS if analysis is not None:
            return f"{age_text((now - analysis.at).total_seconds())} old, {age_text(plan.stale_after_s)} at most"
        case Gate.CAPITAL:
            return f"{share_text(desk.share)} in force, {share_text(step.share)} by the plan"
        case Gate.TRAFFIC if desk.last_round_at is not None:
            since = age_text((now - desk.last_round_at).total_seconds())
            return f"last round {since} ago, {age_text(plan.quiet_after_s)} at most"
        case Gate.SAMPLE_RATIO if desk.ratio is not None:
            return f"{percent_text(desk.ratio[0])} of the draws, {percent_text(desk.ratio[1])} expected"
        case Gate.MINIMUM_SAMPLE:
            return _sample(run, step, desk, now)
        case Gate.SIGNAL:
            return _signal(run, desk)
    return "none yet"


def _budget(run: CanaryRun, step: Step, desk: DeskReading) -> str:
    """The money won or lost in this step, and how much of its budget that used."""
    if not step.share:
        return "no capital in this step"
    used = max(-desk.balance / step.loss_budget, Decimal(0))
    budget = f"−{amount_text(step.loss_budget)} {run.currency}"
    return f"PnL {money_text(desk.balance)} {run.currency}, {percent_text(float(used))} of {budget} used"


def _harm(analysis: Analysis | None) -> str:
    if analysis is None:
        return "none yet"
    if analysis.alarms:
        return plural(len(analysis.alarms), "alarm")
    evidence = analysis.evidence
    upper = f", Δ a round at most {effect_text(evidence.upper)}" if evidence is not None else ""
    return f"no alarm{upper}"


def _sample(run: CanaryRun, step: Step, desk: DeskReading, now: datetime) -> str:
    """Rounds, blocks and time, each of the least that is needed; what binds is named first."""
    dwell_s = (now - run.step_began_at).total_seconds()
    needs = [
        (desk.rounds / step.min_rounds, f"n {count_text(desk.rounds)} of {count_text(step.min_rounds)} rounds"),
        (
            dwell_s / step.min_dwell_s if step.min_dwell_s else 9.0,
            f"{age_text(dwell_s)} of {age_text(step.min_dwell_s)}",
        ),
    ]
    evidence, blocks = evidence_of(desk), blocks_text(run, desk)
    if blocks and evidence is not None and run.plan is not None:
        needs.append((evidence.blocks / run.plan.settings.min_blocks, blocks))
    return ", ".join(text for _share, text in sorted(needs, key=lambda need: min(need[0], 1.0)))


def _signal(run: CanaryRun, desk: DeskReading) -> str:
    """The difference with its interval, beside the margin that it is held against."""
    evidence = evidence_of(desk)
    if not run.share or run.share == 1:
        return "nothing is compared in this step"
    if evidence is None:
        return "no evidence yet"
    bounds = interval_text(evidence.lower, evidence.upper)
    return (
        f"{evidence.verdict.value}: Δ {effect_text(evidence.estimate)} {bounds} a round, "
        f"margin −{margin_at(run, run.position.step):g}"
    )
