"""The canary's evaluator: which gate decides, and that nothing unknown ever raises risk."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.canary.plan import (
    Action,
    Analysis,
    Facts,
    Gate,
    Mode,
    Plan,
    Position,
    Proposal,
    RunState,
    Step,
    advance,
    usual_plan,
)
from console.domain.canary.rules import evaluate
from console.domain.errors import Conflict, UsageError
from console.domain.statistics.evidence import Evidence, Form, Settings, Verdict

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SETTINGS = Settings(margin=0.05, sigma=1.0, lowest=-1.0, highest=9.0)
PLAN = usual_plan(SETTINGS, Decimal(60), automatic=True)
AT_FIVE = Position(1, 3)


def evidence(verdict: Verdict, needed: int | None = None) -> Evidence:
    return Evidence(verdict, 150, 2850, 150, -0.01, -0.04, 0.02, 0.001, 0, needed)


def facts(position: Position = AT_FIVE, verdict: Verdict = Verdict.SAFE, **changes: object) -> Facts:
    """Facts with which every gate is open."""
    all_open = Facts(
        position=position,
        state=RunState.RUNNING,
        step_started_at=NOW - timedelta(hours=1),
        evaluated_at=NOW - timedelta(seconds=61),
        analysis=Analysis(NOW - timedelta(seconds=5), position, evidence(verdict)),
        rounds=150,
        last_round_at=NOW - timedelta(seconds=3),
        balance=Decimal("-14.20"),
        share_in_force=PLAN.steps[position.step].share,
    )
    return replace(all_open, **changes)


def analysis(at: datetime = NOW, position: Position = AT_FIVE, **changes: object) -> Analysis:
    return replace(Analysis(at, position, evidence(Verdict.SAFE)), **changes)


def test_with_every_gate_open_it_goes_one_step_up() -> None:
    proposal = evaluate(PLAN, facts(), NOW)
    assert (proposal.action, proposal.target, proposal.expected) == (Action.PROMOTE, 2, AT_FIVE)
    assert "20%" in proposal.reason
    assert proposal.next_check_at == NOW + timedelta(seconds=60)


HOLDS = {
    "no analysis": (Gate.ANALYSIS, {"analysis": None}),
    "a stale one": (Gate.ANALYSIS, {"analysis": analysis(NOW - timedelta(seconds=181))}),
    "a failed one": (Gate.ANALYSIS, {"analysis": analysis(evidence=None, error="division by zero")}),
    "one of the step before": (Gate.ANALYSIS, {"analysis": analysis(position=Position(1, 2))}),
    "one from the future": (Gate.ANALYSIS, {"analysis": analysis(NOW + timedelta(seconds=30))}),
    "one without evidence": (Gate.ANALYSIS, {"analysis": analysis(evidence=None)}),
    "a share that is not in force": (Gate.CAPITAL, {"share_in_force": Decimal("0.01")}),
    "a share that nobody confirms": (Gate.CAPITAL, {"share_in_force": None}),
    "no round": (Gate.TRAFFIC, {"last_round_at": None}),
    "no round lately": (Gate.TRAFFIC, {"last_round_at": NOW - timedelta(seconds=601)}),
    "a wrong sample ratio": (Gate.SAMPLE_RATIO, {"analysis": analysis(ratio_alarm=True)}),
    "too few rounds": (Gate.MINIMUM_SAMPLE, {"rounds": 99}),
    "too little time": (Gate.MINIMUM_SAMPLE, {"step_started_at": NOW - timedelta(seconds=599)}),
    "too few blocks": (Gate.MINIMUM_SAMPLE, {"analysis": analysis(evidence=evidence(Verdict.NOT_ENOUGH))}),
    "no decision": (Gate.SIGNAL, {"analysis": analysis(evidence=evidence(Verdict.UNDECIDED, 588))}),
    "the one rule": (Gate.QUIET, {"closed_gates": ("volatility unknown",)}),
    "a pause": (Gate.PAUSED, {"state": RunState.PAUSED}),
}


@pytest.mark.parametrize(("gate", "changes"), HOLDS.values(), ids=HOLDS)
def test_each_thing_that_is_missing_holds_and_says_which_gate(gate: Gate, changes: dict[str, object]) -> None:
    proposal = evaluate(PLAN, facts(**changes), NOW)
    assert (proposal.action, proposal.gate, proposal.target) == (Action.HOLD, gate, 1)
    assert proposal.reason


def test_of_all_that_is_missing_the_first_gate_in_order_is_named() -> None:
    missing: dict[str, object] = {}
    for gate, changes in reversed(HOLDS.values()):
        missing |= changes
        assert evaluate(PLAN, facts(**missing), NOW).gate is gate


def test_undecided_says_how_many_more_rounds() -> None:
    proposal = evaluate(PLAN, facts(analysis=analysis(evidence=evidence(Verdict.UNDECIDED, 588))), NOW)
    assert proposal.rounds_needed == 588
    assert "588 more rounds" in proposal.reason


def test_payoffs_beyond_the_declared_bounds_hold_with_that_as_the_reason() -> None:
    strayed = evidence(Verdict.UNDECIDED, 588)._replace(outside=3)
    proposal = evaluate(PLAN, facts(analysis=analysis(evidence=strayed)), NOW)
    assert (proposal.action, proposal.gate, proposal.rounds_needed) == (Action.HOLD, Gate.SIGNAL, None)
    assert "3 payoffs beyond the bounds" in proposal.reason


def test_it_is_not_asked_again_before_the_interval_is_over() -> None:
    proposal = evaluate(PLAN, facts(evaluated_at=NOW - timedelta(seconds=20)), NOW)
    assert (proposal.action, proposal.next_check_at) == (Action.WAIT, NOW + timedelta(seconds=40))


@pytest.mark.parametrize("waiting", [{}, {"evaluated_at": NOW}, {"state": RunState.PAUSED}, {"analysis": None}])
@pytest.mark.parametrize("spent", [{"balance": Decimal(-60)}, {"budget_blocked": True}])
def test_the_loss_budget_comes_before_everything(waiting: dict[str, object], spent: dict[str, object]) -> None:
    proposal = evaluate(PLAN, facts(**waiting, **spent), NOW)
    assert (proposal.action, proposal.gate, proposal.target, proposal.page) == (
        Action.ROLL_BACK,
        Gate.LOSS_BUDGET,
        0,
        True,
    )


def test_a_cent_of_budget_left_is_a_budget() -> None:
    assert evaluate(PLAN, facts(balance=Decimal("-59.99")), NOW).action is Action.PROMOTE


@pytest.mark.parametrize(
    "harm",
    [
        {"evidence": evidence(Verdict.HARM)},
        {"alarms": ("error share 4.1 % of 1.0 %",)},
        {"alarms": ("double spend",), "evidence": None, "error": "interrupted"},
    ],
)
@pytest.mark.parametrize(
    "also",
    [
        {},
        {"state": RunState.PAUSED},
        {"rounds": 3},
        {"share_in_force": None},
        {"closed_gates": ("dispute",)},
        {"last_round_at": None},
    ],
)
@pytest.mark.parametrize("age_s", [0, 3600])
def test_harm_rolls_back_whatever_else_is_missing(harm: dict[str, object], also: dict[str, object], age_s: int) -> None:
    newest = analysis(NOW - timedelta(seconds=age_s), **harm)
    proposal = evaluate(PLAN, facts(analysis=newest, **also), NOW)
    assert (proposal.action, proposal.target) == (Action.ROLL_BACK, 0)


def test_harm_of_another_step_does_not_roll_back_this_one() -> None:
    old = analysis(position=Position(1, 1), evidence=evidence(Verdict.HARM))
    assert evaluate(PLAN, facts(analysis=old), NOW).action is Action.HOLD


def test_approval_is_asked_last_and_holds_for_one_position_only() -> None:
    plan = replace(PLAN, automatic=False)
    assert evaluate(plan, facts(), NOW).gate is Gate.APPROVAL
    assert evaluate(plan, facts(approved=Position(1, 2)), NOW).gate is Gate.APPROVAL
    assert evaluate(plan, facts(approved=AT_FIVE), NOW).action is Action.PROMOTE
    assert evaluate(plan, facts(approved=AT_FIVE, rounds=99), NOW).action is Action.HOLD


def test_the_maximum_dwell_calls_a_person_and_neither_advances_nor_rolls_back() -> None:
    undecided = analysis(evidence=evidence(Verdict.UNDECIDED))
    at_length = facts(analysis=undecided, step_started_at=NOW - timedelta(days=1))
    assert evaluate(PLAN, facts(analysis=undecided), NOW).page is False
    proposal = evaluate(PLAN, at_length, NOW)
    assert (proposal.action, proposal.page) == (Action.HOLD, True)


def test_without_capital_the_shadows_rounds_are_what_counts() -> None:
    start = Position(0, 1)
    shadow = facts(start, analysis=Analysis(NOW, start), rounds=50)
    assert evaluate(PLAN, shadow, NOW).action is Action.PROMOTE
    assert evaluate(PLAN, replace(shadow, rounds=49), NOW).gate is Gate.MINIMUM_SAMPLE


def test_the_last_step_ends_when_its_time_is_over_and_nothing_fired() -> None:
    last = Position(4, 9)
    full = facts(last, analysis=Analysis(NOW, last))
    assert evaluate(PLAN, full, NOW).action is Action.FINISH
    assert evaluate(PLAN, replace(full, rounds=5), NOW).action is Action.HOLD


@pytest.mark.parametrize("state", [RunState.ABORTED, RunState.DONE])
def test_a_run_that_is_over_asks_for_nothing(state: RunState) -> None:
    proposal = evaluate(PLAN, facts(state=state, balance=Decimal(-100)), NOW)
    assert (proposal.action, proposal.next_check_at) == (Action.HOLD, None)


def test_of_two_operators_who_promote_one_step_the_second_is_told() -> None:
    proposal = evaluate(PLAN, facts(), NOW)
    moved = advance(AT_FIVE, proposal)
    assert moved == Position(2, 4)
    with pytest.raises(Conflict, match="step 3, revision 4"):
        advance(moved, proposal)


def test_a_step_taken_back_and_taken_again_is_not_the_same_position() -> None:
    first = evaluate(PLAN, facts(), NOW)
    again = Position(1, 7)
    with pytest.raises(Conflict):
        advance(again, first)


some_time = st.none() | st.integers(-100_000, 1_000).map(lambda seconds: NOW + timedelta(seconds=seconds))
some_position = st.builds(Position, st.integers(0, 4), st.integers(0, 5))
some_evidence = st.none() | st.builds(evidence, st.sampled_from(Verdict), st.none() | st.integers(0, 999))
some_analysis = st.none() | st.builds(
    Analysis,
    some_time.filter(lambda at: at is not None),
    some_position,
    some_evidence,
    st.sampled_from(["", "failed"]),
    st.sampled_from([(), ("errors",)]),
    st.booleans(),
)
some_facts = st.builds(
    Facts,
    some_position,
    st.sampled_from(RunState),
    some_time.filter(lambda at: at is not None),
    some_time,
    some_analysis,
    st.integers(0, 400),
    some_time,
    st.decimals(-100, 100, places=2),
    st.booleans(),
    st.none() | st.sampled_from([step.share for step in PLAN.steps]),
    st.sampled_from([(), ("volatility",)]),
    st.none() | some_position,
)


@given(some_facts, st.booleans(), st.timedeltas(timedelta(0), timedelta(days=30)))
def test_after_any_downtime_it_moves_one_step_at_most_and_only_on_a_fresh_proof(
    known: Facts, automatic: bool, gap: timedelta
) -> None:
    now = NOW + gap
    plan = replace(PLAN, automatic=automatic)
    proposal = evaluate(plan, known, now)
    at = known.position.step
    assert proposal.expected == known.position
    if proposal.action is Action.PROMOTE:
        step, seen = plan.steps[at], known.analysis
        assert proposal.target == at + 1
        assert known.state is RunState.RUNNING
        assert seen is not None and seen.position == known.position and not seen.error and not seen.alarms
        assert timedelta(seconds=-5) <= now - seen.at <= timedelta(seconds=plan.stale_after_s)
        assert step.share == 0 or (seen.evidence is not None and seen.evidence.verdict is Verdict.SAFE)
        assert known.rounds >= step.min_rounds
        assert now - known.step_started_at >= timedelta(seconds=step.min_dwell_s)
        assert not known.closed_gates and known.share_in_force == step.share
        assert automatic or known.approved == known.position
    else:
        assert proposal.target == (0 if proposal.action is Action.ROLL_BACK else at)
    assert proposal.next_check_at is None or proposal.next_check_at > now


@given(some_facts)
def test_the_same_facts_always_give_the_same_proposal(known: Facts) -> None:
    assert evaluate(PLAN, known, NOW) == evaluate(PLAN, known, NOW)


@pytest.mark.parametrize(
    "steps",
    [
        (Step(Decimal("0.05"), Decimal(1)),),
        (Step(Decimal("0.05"), Decimal(1)), Step(Decimal("0.05"), Decimal(1))),
        (Step(Decimal("0.5"), Decimal(1)), Step(Decimal("0.2"), Decimal(1))),
        (Step(Decimal(0)), Step(Decimal("0.05"))),
        (Step(Decimal(0)), Step(Decimal("0.05"), Decimal("NaN"))),
        (Step(Decimal(0)), Step(Decimal("1.5"), Decimal(1))),
        (Step(Decimal(0)), Step(Decimal("0.05"), Decimal(1), min_rounds=0)),
        (Step(Decimal(0)), Step(Decimal("0.05"), Decimal(1), min_dwell_s=9.0, max_dwell_s=5.0)),
        (Step(Decimal(0)), Step(Decimal("0.05"), Decimal(1), margin=0.0)),
    ],
)
def test_a_ladder_that_cannot_be_climbed_gate_by_gate_is_refused(steps: tuple[Step, ...]) -> None:
    with pytest.raises(UsageError):
        Plan(steps, SETTINGS)


def test_a_plans_digest_tells_it_from_every_other() -> None:
    others = [
        replace(PLAN, mode=Mode.SPLIT, settings=replace(SETTINGS, form=Form.PAIRED)),
        replace(PLAN, automatic=False),
        replace(PLAN, interval_s=61.0),
        replace(PLAN, settings=replace(SETTINGS, margin=0.06)),
        replace(PLAN, steps=(PLAN.steps[0], replace(PLAN.steps[1], loss_budget=Decimal(61)), *PLAN.steps[2:])),
    ]
    assert len({PLAN.digest, *(plan.digest for plan in others)}) == 6
    assert replace(PLAN).digest == PLAN.digest
    assert replace(PLAN, interval_s=60).digest == replace(PLAN, interval_s=60.0).digest


def test_a_step_may_have_its_own_margin_and_alphas() -> None:
    own = replace(PLAN, steps=(PLAN.steps[0], replace(PLAN.steps[1], margin=0.2, alpha_safe=0.02), *PLAN.steps[2:]))
    assert own.settings_at(1) == replace(SETTINGS, margin=0.2, alpha_safe=0.02)
    assert own.settings_at(2) == SETTINGS


def test_a_proposal_says_why() -> None:
    proposal: Proposal = evaluate(PLAN, facts(balance=Decimal("-61.5")), NOW)
    assert proposal.reason == "The step's loss budget is spent: -61.5 of -60, at 5% of the capital."
