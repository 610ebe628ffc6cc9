"""What a run does next: nothing that can't be seen advances, and what a person changes by hand holds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.canary.plan import RunState as CanaryState
from console.domain.commitments.commitment import Superset
from console.domain.errors import UsageError
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Phase, Slot
from console.domain.fence.intent import Source
from console.domain.upgrade.abort import Undo, way_out
from console.domain.upgrade.advance import CanaryFacts, Do, Kept, Kind, Moved, Next, Seen, advance
from console.domain.upgrade.run import ORDER, RunState, Step, StepName, StepState, UpgradePlan, UpgradeRun

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RUN = UpgradeRun("run-1", "agent", Slot.BLUE, Slot.GREEN, "2.4.0", "2.5.0", UpgradePlan(), "ann", NOW, epoch=7)
CANARY = CanaryFacts("green-1", CanaryState.RUNNING, "20 %", "ann", Source.OPERATOR)
GOOD = Seen(
    NOW,
    Phase.RUN,
    Slot.BLUE,
    Level.NONE,
    7,
    snapshot=("20260301-ab", 12.0),
    shadow_rounds=61,
    closed=(),
    unhealthy="",
    keeps=True,
    kept=Kept("ab" * 20, 0.4),
    superset=Superset(3, ()),
    canary=None,
    decisions=tuple(f"decision {n}" for n in range(12)),
    reviewed_by="ann",
    fired=(),
    old_living=2,
)
AFTER = replace(GOOD, active=Slot.GREEN, epoch=8, switch_id="run-1")


def at(name: StepName, **changes: Any) -> UpgradeRun:
    """The run with every step before `name` over."""
    steps = tuple(
        Step(one, StepState.DONE if ORDER.index(one) < ORDER.index(name) else StepState.WAITING) for one in ORDER
    )
    if ORDER.index(name) > ORDER.index(StepName.SWITCH):
        changes = {"switched_at": NOW, "epoch": 8, **changes}
    return replace(RUN, steps=steps, **changes)


def here(name: StepName) -> Seen:
    return AFTER if ORDER.index(name) > ORDER.index(StepName.SWITCH) else GOOD


def test_a_run_in_which_all_is_well_goes_from_step_to_step_to_its_end() -> None:
    run, seen, done = RUN, GOOD, []
    for _ in range(40):
        what = advance(run, seen)
        done.append(what.do or what.kind)
        if what.kind is Kind.FINISH:
            break
        if what.do is Do.SWITCH:
            seen = replace(AFTER, now=NOW + timedelta(days=2))
        elif what.kind in (Kind.DONE, Kind.SKIP) and what.step is not None:
            run = run.with_step(Step(what.step, StepState.DONE))
            if what.step is StepName.SWITCH:
                run = replace(run, switched_at=NOW, epoch=8)
    assert done.count(Do.SWITCH) == 1 and done[-1] is Kind.FINISH
    assert run.step is None


@pytest.mark.parametrize(
    ("name", "gap"),
    [
        (StepName.SHADOW, {"shadow_rounds": None}),
        (StepName.GATES, {"closed": None}),
        (StepName.HEALTH, {"unhealthy": None}),
        (StepName.STATE, {"keeps": None}),
        (StepName.STATE, {"kept": None}),
        (StepName.SUPERSET, {"superset": None}),
        (StepName.SWITCH, {"closed": None}),
        (StepName.SWITCH, {"superset": None}),
        (StepName.REVIEW, {"decisions": None}),
        (StepName.WATCH, {"fired": None}),
        (StepName.WATCH, {"superset": None}),
        (StepName.WARM, {"old_living": None}),
    ],
)
def test_what_can_not_be_told_blocks_and_never_advances(name: StepName, gap: dict[str, Any]) -> None:
    what = advance(at(name), replace(here(name), **gap))
    assert (what.kind, what.step) == (Kind.BLOCK, name) and what.why


@pytest.mark.parametrize(
    ("name", "wrong", "word"),
    [
        (StepName.GATES, {"closed": (("dispute", "esc_1 is disputed"),)}, "esc_1"),
        (StepName.HEALTH, {"unhealthy": "green has no fresh heartbeat"}, "heartbeat"),
        (StepName.STATE, {"kept": Kept("ab", 1.0, "schema 3 is newer than 2")}, "schema 3"),
        (StepName.SUPERSET, {"superset": Superset(3, ("esc_1", "esc_2", "esc_3", "esc_4"))}, "and 1 more"),
        (StepName.SWITCH, {"unhealthy": "green is not ready"}, "ready"),
        (StepName.SWITCH, {"phase": Phase.HALT, "active": None}, "halted"),
        (StepName.WATCH, {"fired": ("pnl",)}, "pnl"),
        (StepName.WATCH, {"superset": Superset(3, ("esc_1",))}, "esc_1"),
        (StepName.WARM, {"old_living": 0}, "no way back"),
    ],
)
def test_what_stands_in_the_way_is_named(name: StepName, wrong: dict[str, Any], word: str) -> None:
    what = advance(at(name), replace(here(name), **wrong))
    assert what.kind is Kind.BLOCK and word in what.why


def test_a_snapshot_is_taken_and_one_of_exactly_the_age_allowed_is_fresh() -> None:
    assert advance(RUN, replace(GOOD, snapshot=None)).do is Do.TAKE_SNAPSHOT
    assert advance(RUN, replace(GOOD, snapshot=("s", 300.0))).kind is Kind.DONE
    assert advance(RUN, replace(GOOD, snapshot=("s", 300.1))).do is Do.TAKE_SNAPSHOT


def test_a_gate_that_closed_after_its_own_step_still_forbids_the_switch() -> None:
    what = advance(at(StepName.SWITCH), replace(GOOD, closed=(("release", "esc_1 in 12 min"),)))
    assert what.kind is Kind.BLOCK and "esc_1" in what.why


def test_a_drain_is_waited_for_and_not_ordered_again() -> None:
    seen = replace(GOOD, phase=Phase.DRAIN, active=None, epoch=8, switch_id="run-1")
    assert advance(at(StepName.SWITCH), seen).kind is Kind.WAIT


def test_its_own_switch_is_known_by_its_id_and_never_by_its_words() -> None:
    mine = replace(AFTER, moved=Moved("ann", Source.OPERATOR, "switch"))
    assert advance(at(StepName.SWITCH), mine).kind is Kind.DONE
    other = replace(mine, switch_id="another", moved=Moved("ann", Source.OPERATOR, "upgrade run-1"))
    assert advance(at(StepName.SWITCH), other).kind is Kind.HOLD


@pytest.mark.parametrize("source", [Source.OPERATOR, Source.OUTSIDE, Source.AGENT, Source.UNKNOWN])
@pytest.mark.parametrize("name", ORDER)
def test_who_changes_by_hand_what_the_run_moves_holds_it_at_every_step(name: StepName, source: Source) -> None:
    seen = replace(here(name), epoch=99, switch_id="another", moved=Moved("bob", source, "switch to blue"))
    what = advance(at(name), seen)
    assert what.kind is Kind.HOLD and "bob" in what.why


def test_a_guard_that_rolled_back_after_the_switch_has_aborted_the_run() -> None:
    moved = Moved("guard-1", Source.GUARD, "pnl")
    seen = replace(AFTER, active=Slot.BLUE, epoch=9, switch_id="another", moved=moved)
    what = advance(at(StepName.WATCH), seen)
    assert what.kind is Kind.ABORT and "guard-1" in what.why


def test_a_freeze_before_the_switch_holds() -> None:
    seen = replace(GOOD, epoch=9, level=Level.NO_NEW_ENTRIES, moved=Moved("guard-1", Source.GUARD, "frozen"))
    assert advance(at(StepName.CANARY), seen).kind is Kind.HOLD


def test_a_held_run_does_nothing_until_it_is_handed_back() -> None:
    held = at(StepName.SWITCH, state=RunState.HELD, note="changed by bob")
    assert advance(held, GOOD) == Next(Kind.HOLD, StepName.SWITCH, "changed by bob")


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (CanaryState.RUNNING, Kind.WAIT),
        (CanaryState.PAUSED, Kind.HOLD),
        (CanaryState.ABORTED, Kind.ABORT),
        (CanaryState.DONE, Kind.DONE),
    ],
)
def test_the_ladder_is_followed_to_its_end(state: CanaryState, kind: Kind) -> None:
    run = at(StepName.CANARY, plan=UpgradePlan(canary="canary.toml"), canary="green-1")
    assert (
        advance(run, replace(GOOD, canary=CANARY.__class__("green-1", state, "100 %", "bob", Source.GUARD))).kind
        is kind
    )


def test_a_canary_that_is_taken_back_after_its_last_step_and_before_the_switch_aborts_the_run() -> None:
    run = at(StepName.SWITCH, plan=UpgradePlan(canary="canary.toml"), canary="green-1")
    back = CANARY.__class__("green-1", CanaryState.ABORTED, "0 %", "guard g1", Source.GUARD, "a gate closed: beats")
    what = advance(run, replace(GOOD, canary=back))
    assert (what.kind, what.why) == (Kind.ABORT, "the canary was taken back by guard g1: a gate closed: beats")


def test_another_canary_than_its_own_holds() -> None:
    run = at(StepName.CANARY, plan=UpgradePlan(canary="canary.toml"), canary="green-1")
    assert advance(run, replace(GOOD, canary=replace(CANARY, name="green-2"))).kind is Kind.HOLD


def test_the_canary_does_not_begin_past_a_closed_gate() -> None:
    run = at(StepName.CANARY, plan=UpgradePlan(canary="canary.toml"))
    assert advance(run, GOOD).do is Do.START_CANARY
    assert advance(run, replace(GOOD, closed=(("quiet", "volatile"),))).kind is Kind.BLOCK


def test_the_first_decisions_are_looked_at_by_somebody_who_has_a_name() -> None:
    run = at(StepName.REVIEW)
    waits = advance(run, replace(AFTER, reviewed_by=""))
    assert waits.kind is Kind.BLOCK and len(waits.evidence) == 10
    done = advance(run, AFTER)
    assert done.kind is Kind.DONE and done.evidence[0].value == "ann"
    unasked = replace(run, plan=UpgradePlan(review_by_operator=False))
    assert "nobody" in advance(unasked, replace(AFTER, reviewed_by="")).evidence[0].value


@pytest.mark.parametrize(("passed_s", "kind"), [(1_799.9, Kind.WAIT), (1_800.0, Kind.DONE)])
def test_it_is_watched_for_as_long_as_the_plan_says_counted_from_the_switch(passed_s: float, kind: Kind) -> None:
    assert advance(at(StepName.WATCH), replace(AFTER, now=NOW + timedelta(seconds=passed_s))).kind is kind


SEEN = st.builds(
    Seen,
    now=st.just(NOW),
    phase=st.none() | st.sampled_from(Phase),
    active=st.sampled_from([None, *Slot]),
    level=st.sampled_from(Level),
    epoch=st.sampled_from([7, 8]),
    switch_id=st.sampled_from(["", "run-1", "another"]),
    moved=st.none() | st.builds(Moved, st.just("bob"), st.sampled_from(Source), st.just("x")),
    snapshot=st.none() | st.just(("s", 1.0)),
    shadow_rounds=st.none() | st.integers(0, 100),
    closed=st.sampled_from([None, (), (("a", "b"),)]),
    unhealthy=st.sampled_from([None, "", "dead"]),
    keeps=st.sampled_from([None, True, False]),
    kept=st.sampled_from([None, Kept("a", 1.0), Kept("a", 1.0, "no")]),
    superset=st.sampled_from([None, Superset(1, ()), Superset(1, ("a",))]),
    canary=st.none()
    | st.builds(
        CanaryFacts, st.just("c"), st.sampled_from(CanaryState), st.just("5 %"), st.just("bob"), st.sampled_from(Source)
    ),
    decisions=st.none() | st.just(()) | st.just(("d",) * 10),
    fired=st.sampled_from([None, (), ("pnl",)]),
    old_living=st.sampled_from([None, 0, 1]),
    drains_to=st.sampled_from([None, *Slot]),
)
RUNS = st.builds(at, st.sampled_from(ORDER), state=st.sampled_from(RunState), canary=st.sampled_from(["", "c"]))


def test_a_change_of_which_nobody_can_tell_whose_it_is_blocks_and_is_looked_at_again() -> None:
    run = at(StepName.SWITCH)
    unknown = replace(GOOD, active=Slot.GREEN, epoch=8, moved=None)
    blocked = advance(run, unknown)
    assert (blocked.kind, blocked.step) == (Kind.BLOCK, StepName.SWITCH) and "can't be told" in blocked.why
    assert advance(run, AFTER).kind is Kind.DONE, "it was the run's own switch"
    assert advance(replace(run, state=RunState.HELD, note="bob"), unknown) == Next(Kind.HOLD, StepName.SWITCH, "bob")


@given(RUNS, SEEN)
def test_whatever_is_seen_the_switch_is_ordered_only_where_everything_that_guards_it_is_known_and_well(
    run: UpgradeRun, seen: Seen
) -> None:
    if advance(run, seen).do is Do.SWITCH:
        assert run.state is RunState.RUNNING and seen.phase is Phase.RUN and seen.active is not run.target
        assert seen.closed == () and seen.unhealthy == "" and seen.superset is not None and seen.superset.proved
        assert seen.epoch == run.epoch or seen.switch_id == run.id
        assert seen.keeps is False or (seen.keeps and seen.kept is not None and not seen.kept.problem)


@given(RUNS, SEEN)
def test_from_every_state_an_abort_ends_in_a_safe_state_with_a_name_and_only_reduces(
    run: UpgradeRun, seen: Seen
) -> None:
    out = way_out(run, seen)
    assert out.safe_state
    if seen.canary is not None and seen.canary.state in (CanaryState.RUNNING, CanaryState.PAUSED):
        assert Undo.TAKE_CANARY_BACK in out.steps
    if seen.canary is not None and seen.canary.state is CanaryState.DONE and run.canary == seen.canary.name:
        assert (Undo.TAKE_CANARY_BACK in out.steps) is (seen.active is not run.target), "all of the capital is its"
    if seen.phase is Phase.RUN and seen.active is run.target:
        assert Undo.ROLL_BACK in out.steps and out.if_refused is not None and out.if_refused[0] is Undo.FREEZE
    if seen.phase is Phase.HALT:
        assert Undo.ROLL_BACK not in out.steps, "what is halted stays halted"
    if seen.phase is None:
        assert out.steps[-1] is Undo.HALT, "where the store has lost who acts, whoever still does is stopped"
    if seen.phase is Phase.DRAIN:
        assert out.steps[-1] is (Undo.END_DRAIN if seen.drains_to is run.old else Undo.ROLL_BACK)


@pytest.mark.parametrize(
    "wrong", [{"shadow_rounds": -1}, {"watch_s": -1.0}, {"watch_s": float("nan")}, {"warm_s": 10.0}, {"review": 10**9}]
)
def test_a_plan_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        UpgradePlan(**wrong)
