"""What a canary's run should do next: a pure function of the plan, the facts and the time.

Holds are advisory, roll backs protective: an operator may overrule a hold with a reason, and nothing that is unknown
ever raises risk. Missing, stale, erroneous and undecided are four reasons, and none of them advances.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Final

from console.domain.canary.harm import harm_words
from console.domain.canary.plan import Action, Analysis, Facts, Gate, Plan, Proposal, RunState, Step
from console.domain.statistics.evidence import Verdict

_OVER: Final = (RunState.ABORTED, RunState.DONE)

MAX_SKEW_S: Final = 5.0
"""An analysis dated further ahead of our clock than this is an error, not the freshest of all."""


def evaluate(plan: Plan, facts: Facts, now: datetime) -> Proposal:
    """What to do now, why, and when to ask again; one step at most, however long nobody asked.

    A proof of harm and a fired guardrail do not age: they roll back from a stale analysis of this very step too.
    Everything that would advance needs a fresh one.
    """
    step, at = plan.steps[facts.position.step], facts.position
    interval = _seconds(plan.interval_s)
    due = now + interval
    if step.share > 0 and facts.closed_since and facts.state is not RunState.ABORTED:
        closed = f"Closed while capital was out: {', '.join(facts.closed_since)}."
        return Proposal(Action.ROLL_BACK, Gate.QUIET, _there(step, closed), at, 0, due, page=True)
    if facts.state in _OVER:
        return Proposal(Action.HOLD, Gate.STATE, f"The run is {facts.state.value}.", at, at.step, None)
    if step.share > 0 and (facts.balance <= -step.loss_budget or facts.budget_blocked):
        return Proposal(Action.ROLL_BACK, Gate.LOSS_BUDGET, _there(step, _spent(step, facts)), at, 0, due, page=True)
    if facts.evaluated_at is not None:
        next_at = facts.evaluated_at + interval
        if facts.evaluated_at <= now < next_at:
            return Proposal(Action.WAIT, Gate.INTERVAL, "Not due yet.", at, at.step, next_at)
    analysis = facts.analysis if facts.analysis and facts.analysis.position == at else None
    harm = _harm(analysis)
    if harm:
        return Proposal(Action.ROLL_BACK, Gate.GUARDRAIL, _there(step, harm), at, 0, due, page=True)
    dwell_s = (now - facts.step_started_at).total_seconds()
    hold = (
        _not_fresh(plan, step, facts, analysis, now)
        or _not_in_force(step, facts)
        or _no_traffic(plan, step, facts, now)
        or _ratio(analysis)
        or _too_little(step, facts, analysis, dwell_s)
        or _no_signal(step, analysis)
        or _not_allowed(plan, facts)
    )
    if hold is not None:
        gate, reason, needed = hold
        page = dwell_s >= step.max_dwell_s or gate is Gate.SAMPLE_RATIO
        return Proposal(Action.HOLD, gate, reason, at, at.step, due, page, needed)
    if at.step + 1 == len(plan.steps):
        return Proposal(Action.FINISH, Gate.NONE, "The last step is over and nothing fired.", at, at.step, due)
    reason = f"Every gate is open: to {plan.steps[at.step + 1].share:.0%} of the capital."
    return Proposal(Action.PROMOTE, Gate.NONE, reason, at, at.step + 1, due)


@cache
def _seconds(seconds: float) -> timedelta:
    """Plans have few intervals, and an evaluation is due after every round."""
    return timedelta(seconds=seconds)


_Hold = tuple[Gate, str, int | None]


def _there(step: Step, reason: str) -> str:
    """The reason of a roll back with the share at which it was found: afterwards the share is 0."""
    return f"{reason.removesuffix('.')}, at {(step.share * 100).normalize():f}% of the capital."


def _spent(step: Step, facts: Facts) -> str:
    figures = f"{facts.balance.normalize():f} of -{step.loss_budget.normalize():f}"
    if facts.balance > -step.loss_budget:
        return f"Another stake could break the step's loss budget: {figures}."
    return f"The step's loss budget is spent: {figures}."


def _harm(analysis: Analysis | None) -> str:
    if analysis is None:
        return ""
    if analysis.alarms:
        return f"Guardrail: {', '.join(analysis.alarms)}."
    evidence = analysis.evidence
    if evidence is not None and evidence.verdict is Verdict.HARM:
        how = harm_words(evidence, most=1)  # a reason is kept in 256 characters
        worse = f"Worse than stable: {evidence.estimate:+.4g} a round, at most {evidence.upper:+.4g}"
        return f"{worse}: {how}." if how else f"{worse}."
    return ""


def _not_fresh(plan: Plan, step: Step, facts: Facts, analysis: Analysis | None, now: datetime) -> _Hold | None:
    if facts.analysis is None:
        return Gate.ANALYSIS, "There is no analysis.", None
    if analysis is None:
        return Gate.ANALYSIS, "The newest analysis is about another step.", None
    age_s = (now - analysis.at).total_seconds()
    if analysis.error:
        return Gate.ANALYSIS, f"The analysis failed: {analysis.error}", None
    if age_s < -MAX_SKEW_S:
        return Gate.ANALYSIS, f"The analysis is dated {-age_s:.0f} s ahead of the clock.", None
    if age_s > plan.stale_after_s:
        return Gate.ANALYSIS, f"The analysis is {age_s:.0f} s old.", None
    if analysis.evidence is None and 0 < step.share < 1:
        return Gate.ANALYSIS, "The analysis holds no evidence.", None
    return None


def _not_in_force(step: Step, facts: Facts) -> _Hold | None:
    if facts.share_in_force == step.share:
        return None
    known = "unknown" if facts.share_in_force is None else f"{facts.share_in_force:.1%}"
    return Gate.CAPITAL, f"The share in force is {known}, not {step.share:.1%}.", None


def _no_traffic(plan: Plan, step: Step, facts: Facts, now: datetime) -> _Hold | None:
    if facts.last_round_at is None:
        return Gate.TRAFFIC, "The canary has played no round in this step.", step.min_rounds
    quiet_s = (now - facts.last_round_at).total_seconds()
    if quiet_s > plan.quiet_after_s:
        return Gate.TRAFFIC, f"The canary has played no round for {quiet_s:.0f} s.", None
    return None


def _ratio(analysis: Analysis | None) -> _Hold | None:
    if analysis is not None and analysis.ratio_alarm:
        return Gate.SAMPLE_RATIO, "The rounds reported are not those that were given out.", None
    return None


def _too_little(step: Step, facts: Facts, analysis: Analysis | None, dwell_s: float) -> _Hold | None:
    if facts.rounds < step.min_rounds:
        needed = step.min_rounds - facts.rounds
        return Gate.MINIMUM_SAMPLE, f"{needed} more round{'' if needed == 1 else 's'}.", needed
    if dwell_s < step.min_dwell_s:
        return Gate.MINIMUM_SAMPLE, f"{step.min_dwell_s - dwell_s:.0f} s more in this step.", None
    evidence = analysis.evidence if analysis else None
    if 0 < step.share < 1 and evidence is not None and evidence.verdict is Verdict.NOT_ENOUGH:
        return Gate.MINIMUM_SAMPLE, "Too few blocks to compare.", evidence.rounds_needed
    return None


def _no_signal(step: Step, analysis: Analysis | None) -> _Hold | None:
    if not 0 < step.share < 1:
        return None
    evidence = analysis.evidence if analysis else None
    if evidence is not None and evidence.verdict is Verdict.SAFE:
        return None
    if evidence is not None and evidence.outside:
        count = evidence.outside
        beyond = f"{count} payoff{'' if count == 1 else 's'} beyond the bounds the plan declares"
        return Gate.SIGNAL, f"Never safe: {beyond}, so nothing bounds a rare loss.", None
    needed = evidence.rounds_needed if evidence else None
    return Gate.SIGNAL, "Undecided: " + (f"about {needed} more rounds." if needed else "not in sight."), needed


def _not_allowed(plan: Plan, facts: Facts) -> _Hold | None:
    if facts.closed_gates:
        return Gate.QUIET, f"Closed: {', '.join(facts.closed_gates)}.", None
    if facts.state is RunState.PAUSED:
        return Gate.PAUSED, "An operator paused it.", None
    if not plan.automatic and facts.approved != facts.position:
        return Gate.APPROVAL, "Every other gate is open: an operator may promote.", None
    return None
