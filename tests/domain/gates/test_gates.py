"""Each gate tells missing, stale, errored and timed out apart, and none of them is open; and what closes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.canary.plan import RunState
from console.domain.canary.run import CanaryReading
from console.domain.commitments.commitment import Commitment, HandOver, Kind, Owed, Superset
from console.domain.fence.deployment import Slot
from console.domain.gates.checklist import check, judged_line
from console.domain.gates.fact import Lack, known, lacking
from console.domain.gates.facts import CanarySeen, GateFacts, HealthSeen, PlainState, SnapshotSeen, VenueFacts
from console.domain.gates.gate import RAISES, Act, Judged, State
from console.domain.gates.items import BY_ID, ITEMS
from console.domain.gates.plain_state import plain_state
from tests.domain.gates.stage import (
    LACKS,
    NOW,
    asked,
    at,
    canary,
    deployment,
    desk,
    escrow,
    facts,
    guard,
    instance,
    rehearsal,
    run,
    shadow,
    unchecked,
)


def judged(item: str, gathered: GateFacts, *, act: Act = Act.SWITCH, **rules: Any) -> Judged:
    return judged_line(BY_ID[item], gathered, asked(act, **rules)).judged


SOURCES = {
    "canary": "canary",
    "manifest": "manifests",
    "shadow": "shadows",
    "pnl": "shadows",
    "rehearsal": "rehearsals",
    "doubts": "doubts",
    "rounds": "owed",
    "superset": "superset",
    "escrows": "owed",
    "disputes": "owed",
    "auto-release": "owed",
    "volatility": "volatility",
    "guard": "guards",
    "triggers": "guards",
    "armed": "guards",
    "snapshot": "snapshot",
    "limits": "state",
    "plan-read": "ticks",
    "restored": "ticks",
    "switched": "switched",
    "first-ten": "ticks",
    "collecting": "guards",
    "no-trigger": "alerts",
    "watched": "superset",
    "pnl-band": "guards",
    "log-grows": "logs",
    "kept-warm": "switched",
}
"""Item → the fact that it goes by."""
VENUE = {
    "venue-key": "key",
    "venue-balance": "balance",
    "venue-positions": "positions",
    "venue-escrows": "escrows",
    "venue-monitor": "monitor",
    "maintenance": "maintenance",
    "payee": "terms",
}


def without(item: str, lack: Lack) -> GateFacts:
    """All well, but for the fact that the item goes by."""
    gone = lacking("a source", NOW, lack, "why so")
    if item in VENUE:
        return facts(venue=facts().venue._replace(**{VENUE[item]: gone}))
    if item == "health":
        return facts(health={Slot.GREEN: gone})
    return facts(**{SOURCES[item]: gone})


@pytest.mark.parametrize("item", [*SOURCES, *VENUE, "health"])
def test_missing_stale_errored_and_timed_out_are_told_apart_and_none_is_open(item: str) -> None:
    words = set()
    for lack in LACKS:
        answer = judged(item, without(item, lack))
        assert answer.state in (State.UNKNOWN, State.CLOSED), (lack, answer)
        assert lack.value in answer.words
        words.add(answer.words)
    assert len(words) == len(LACKS)


@pytest.mark.parametrize("item", [*SOURCES, *VENUE, "health"])
def test_what_nobody_configured_is_not_checked_and_never_open(item: str) -> None:
    answer = judged(item, without(item, Lack.NOT_CHECKED))
    if item in ("rounds", "escrows", "disputes", "auto-release"):
        return  # another source still tells of them
    assert answer.state is State.NOT_CHECKED


def test_every_item_has_its_table() -> None:
    assert {*SOURCES, *VENUE, "health", "heartbeats", "standby"} == set(BY_ID)


def test_all_is_open_where_all_is_well() -> None:
    checked = check(facts(), asked())
    assert {line.judged.state for line in checked.lines} == {State.OPEN}
    assert checked.forbidding == ()


@pytest.mark.parametrize(
    ("green", "state", "word"),
    [
        ((), State.CLOSED, "no instance"),
        ((instance(Slot.GREEN, 5.1),), State.CLOSED, "silent"),
        ((instance(Slot.GREEN, 98),), State.CLOSED, "dead: its newest heartbeat is 98 s off"),
        ((instance(Slot.GREEN, -4.9),), State.OPEN, "1 of green beat and are ready (2.5.0)"),
        ((instance(Slot.GREEN, -9),), State.CLOSED, "ahead of the store's clock"),
        ((instance(Slot.GREEN, info="not ready: warming"),), State.CLOSED, "not ready: warming"),
        ((instance(Slot.GREEN, 5.0),), State.OPEN, "1 of green beat and are ready (2.5.0)"),
    ],
)
def test_dead_silent_no_instance_and_not_ready_are_told_apart(green: Any, state: State, word: str) -> None:
    answer = judged("heartbeats", facts(deployment=deployment(instance(Slot.BLUE), *green)))
    assert answer.state is state
    assert word in answer.words


def test_a_plain_agents_life_is_not_checked() -> None:
    assert judged("heartbeats", facts(deployment=deployment())).state is State.NOT_CHECKED


def test_a_canary_whose_processes_run_inside_the_stable_side_is_not_called_dead() -> None:
    only_blue = facts(deployment=deployment(instance(Slot.BLUE)))
    assert judged("heartbeats", only_blue, act=Act.CANARY_UP).state is State.NOT_CHECKED


@pytest.mark.parametrize(
    ("seen", "versions", "state", "words"),
    [
        (canary(RunState.ABORTED), ("2.5.0",), State.CLOSED, "taken back 98 s ago, -41.20 USD, 212 rounds"),
        (canary(RunState.ABORTED), ("2.5.1",), State.NOT_CHECKED, "of 2.5.0, another version"),
        (canary(RunState.ABORTED, ""), ("2.5.0",), State.CLOSED, "of which version is not known"),
        (canary(RunState.ABORTED), (), State.CLOSED, "of which version is not known"),
        (canary(RunState.ABORTED, "", since_s=90_000), ("2.5.0",), State.NOT_CHECKED, "25.0 h"),
        (canary(RunState.RUNNING), ("2.5.0",), State.CLOSED, "RUNNING at 5 %"),
        (canary(RunState.PAUSED), ("2.5.0",), State.CLOSED, "PAUSED at 5 %"),
        (canary(RunState.DONE), ("2.5.0",), State.OPEN, "done 98 s ago"),
        (canary(RunState.ABORTED, slot="blue"), ("2.5.0",), State.NOT_CHECKED, "no canary of that side"),
    ],
)
def test_only_the_canary_of_this_version_counts(seen: Any, versions: Any, state: State, words: str) -> None:
    answer = judged("canary", facts(canary=seen, versions={Slot.GREEN: versions}))
    assert answer.state is state
    assert words in answer.words


def test_what_a_desk_counts_after_a_canary_was_taken_back_is_not_said_of_its_last_step() -> None:
    after = desk("0")._replace(share=Decimal(0), rounds=704)
    seen = known("canary", NOW, CanarySeen(CanaryReading(run(RunState.ABORTED), after), "2.5.0"))
    words = judged("canary", facts(canary=seen, versions={Slot.GREEN: ("2.5.0",)})).words
    assert "taken back 98 s ago, 704 rounds without capital: loss budget" in words
    assert "USD" not in words


@pytest.mark.parametrize(
    ("reports", "state"),
    [
        (shadow(50), State.OPEN),
        (shadow(49), State.CLOSED),
        (shadow(60, 29), State.OPEN),
        (shadow(500, name="2.4.9"), State.NOT_CHECKED),
    ],
)
def test_a_version_needs_fifty_shadow_rounds_of_its_own(reports: Any, state: State) -> None:
    assert judged("shadow", facts(shadows=reports, canary=unchecked("canary"))).state is state


def test_divergence_is_shown_and_closes_from_the_configured_share_on() -> None:
    half = facts(shadows=shadow(60, 29), canary=unchecked("canary"))
    assert "48% diverged" in judged("shadow", half).words
    assert judged("shadow", half, shadow_divergence=0.4).state is State.CLOSED


@pytest.mark.parametrize(
    ("live", "own", "state"),
    [
        ("-1.50", "-1.55", State.OPEN),
        ("-1.50", "-1.58", State.CLOSED),
        ("100", "95", State.OPEN),
        ("0", "-0.01", State.CLOSED),
    ],
)
def test_the_margin_is_absolute_so_that_it_does_not_invert_in_a_loss(live: str, own: str, state: State) -> None:
    reports = shadow(60, live_pnl=Decimal(live), shadow_pnl=Decimal(own))
    assert judged("pnl", facts(shadows=reports)).state is state


@pytest.mark.parametrize(
    ("kept", "state", "words"),
    [
        ((rehearsal(),), State.OPEN, "0 of 60 rounds differ, 2 runs, 60 s ago by ann"),
        ((rehearsal(allowances="share 0.02"),), State.OPEN, "allowed: share 0.02"),
        ((rehearsal(passed=False, words="3 of 60 rounds differ"),), State.CLOSED, "did not pass: 3 of 60"),
        ((rehearsal(faults=1),), State.CLOSED, "did not pass"),
        ((rehearsal(rounds=49),), State.CLOSED, "49 of 50 rounds"),
        ((rehearsal(at=at(-86_400)),), State.OPEN, "24.0 h ago"),
        ((rehearsal(at=at(-86_401)),), State.UNKNOWN, "stale: the rehearsal of 2.5.0 is 24.0 h ago"),
        ((rehearsal(at=at(1)),), State.UNKNOWN, "from the future"),
        ((rehearsal(version="2.4.9"),), State.NOT_CHECKED, "2.5.0 was never rehearsed"),
        ((), State.NOT_CHECKED, "2.5.0 was never rehearsed"),
    ],
)
def test_only_a_fresh_rehearsal_of_this_version_that_passed_is_open(kept: Any, state: State, words: str) -> None:
    answer = judged("rehearsal", facts(rehearsals=known("rehearsals", NOW, {one.version: one for one in kept})))
    assert answer.state is state
    assert words in answer.words


def test_a_rehearsal_of_another_manifest_is_none_of_this_version() -> None:
    held = facts().manifests.value
    assert held is not None
    own = held.recorded["2.5.0"].declared.manifest
    assert own is not None

    def of(manifest: str, **changes: Any) -> State:
        kept = known("rehearsals", NOW, {"2.5.0": rehearsal(manifest=manifest)})
        return judged("rehearsal", facts(rehearsals=kept, **changes)).state

    assert of(own.hash) is State.OPEN
    assert of("") is State.OPEN, "it had declared nothing when it was rehearsed"
    assert of("ab" * 32) is State.CLOSED
    assert of(own.hash, manifests=lacking("manifests", NOW, Lack.TIMEOUT, "why so")) is State.UNKNOWN


def test_every_version_that_runs_on_a_side_has_to_be_rehearsed() -> None:
    two = facts(versions={Slot.GREEN: ("2.5.0", "2.5.1")})
    assert judged("rehearsal", two).state is State.NOT_CHECKED
    stale = {"2.5.0": rehearsal(), "2.5.1": rehearsal(version="2.5.1", at=at(5))}
    assert judged("rehearsal", two._replace(rehearsals=known("rehearsals", NOW, stale))).state is State.UNKNOWN
    assert judged("rehearsal", facts(versions={Slot.GREEN: ()})).state is State.NOT_CHECKED


@pytest.mark.parametrize("act", sorted(RAISES))
def test_a_rehearsal_forbids_nothing_by_itself_and_a_missing_one_closes_where_it_is_required(act: Act) -> None:
    never = facts(rehearsals=known("rehearsals", NOW, {}))
    bad = facts(rehearsals=known("rehearsals", NOW, {"2.5.0": rehearsal(passed=False)}))
    for gathered in (never, bad):
        names = {line.item.id for line in check(gathered, asked(act)).forbidding}
        assert "rehearsal" not in names
        required = check(gathered, asked(act, require=frozenset({"rehearsal"}))).forbidding
        assert [line.item.id for line in required if line.item.id == "rehearsal"] == ["rehearsal"]
    well = check(facts(), asked(act, require=frozenset({"rehearsal"})))
    assert "rehearsal" not in {line.item.id for line in well.forbidding}


def test_a_doubt_closes_and_is_counted_by_the_authority_too() -> None:
    behind = facts(deployment=deployment(instance(Slot.GREEN), in_doubt=2))
    answer = judged("doubts", behind)
    assert (answer.state, answer.words) == (State.CLOSED, "2 in doubt")


@pytest.mark.parametrize(
    ("due_s", "state"),
    [
        (-300.0, State.CLOSED),
        (-300.001, State.OPEN),
        (0.0, State.CLOSED),
        (1800.0, State.CLOSED),
        (1800.001, State.OPEN),
        (None, State.UNKNOWN),
    ],
)
def test_a_release_from_five_minutes_ago_to_thirty_minutes_ahead_closes(due_s: float | None, state: State) -> None:
    owed = known("commitments", NOW, (escrow("esc_91ab", due_s), escrow("esc_far", 90_000)))
    answer = judged("auto-release", facts(owed=owed))
    assert answer.state is state
    assert state is not State.CLOSED or "esc_91ab" in answer.words


def test_a_plain_agents_escrow_without_a_time_is_unknown_and_never_open() -> None:
    from console.domain.gates.facts import PlainEscrow

    state = known("state file", NOW, PlainState(NOW, (PlainEscrow("esc_7"),)))
    answer = judged("auto-release", facts(owed=unchecked("commitments"), state=state))
    assert (answer.state, "esc_7" in answer.words) == (State.UNKNOWN, True)


def test_a_dispute_closes_wherever_it_is_written_down() -> None:
    assert judged("disputes", facts(owed=known("c", NOW, (escrow("e", None, disputed=True),)))).state is State.CLOSED
    venue = facts().venue._replace(disputes=known("venue", NOW, ("esc_9",)))
    answer = judged("disputes", facts(venue=venue))
    assert (answer.state, answer.words) == (State.CLOSED, "1 in dispute: esc_9")


def test_an_escrow_that_both_lists_name_is_one_and_the_dispute_of_either_counts() -> None:
    from console.domain.gates.facts import PlainEscrow

    state = known("state file", NOW, PlainState(NOW, (PlainEscrow("esc_1", None, True),)))
    assert judged("disputes", facts(state=state)).words == "1 in dispute: esc_1"


def test_a_round_closes_unless_its_own_side_ends_it() -> None:
    def owed(policy: HandOver | None) -> Any:
        one = Commitment("r1", Kind.ROUND, Decimal(1), "USD", hand_over=policy)
        return known("commitments", NOW, (Owed(one, None, Slot.BLUE, "2.4.0", 7, NOW),))

    assert judged("rounds", facts(owed=owed(None))).state is State.OPEN
    assert judged("rounds", facts(owed=owed(HandOver.NEW_ADOPTS))).state is State.CLOSED
    assert judged("rounds", facts(state=known("s", NOW, PlainState(NOW, (), 2)))).state is State.CLOSED


@pytest.mark.parametrize(
    ("document", "state"),
    [
        ({"open_rounds": ["r1"]}, State.OPEN),
        ({"open_rounds": {"r1": {}}}, State.OPEN),
        ({"open_rounds": ["r1", "r2"]}, State.CLOSED),
        ({"rounds": ["r2"], "open_rounds": ["r1"]}, State.CLOSED),
        ({"open_rounds": ["r1", "r1"]}, State.OPEN),
        ({"open_rounds": ["r1", None]}, State.CLOSED),
        ({"open_rounds": 1}, State.CLOSED),
        ({"open_rounds": ["r1"], "rounds": "many"}, State.UNKNOWN),
    ],
)
def test_a_round_of_the_state_file_that_its_own_side_ends_is_no_obstacle(document: Any, state: State) -> None:
    one = Commitment("r1", Kind.ROUND, Decimal(1), "USD", hand_over=HandOver.OLD_CLOSES)
    owed = known("commitments", NOW, (Owed(one, None, Slot.BLUE, "2.4.0", 7, NOW),))
    file = plain_state(document, NOW)
    assert file is not None
    assert judged("rounds", facts(owed=owed, state=known("state file", NOW, file))).state is state
    loose = known("commitments", NOW, (owed.value[0]._replace(commitment=one._replace(hand_over=HandOver.NEW_ADOPTS)),))
    assert judged("rounds", facts(owed=loose, state=known("state file", NOW, file))).state is not State.OPEN


def test_what_is_not_watched_is_named() -> None:
    answer = judged("superset", facts(superset=known("i", NOW, Superset(3, ("esc_2",)))))
    assert (answer.state, answer.words) == (State.CLOSED, "green does not watch 1 of 3: esc_2")


@pytest.mark.parametrize(
    ("guards", "state"),
    [
        ((), State.NOT_CHECKED),
        ((guard(),), State.OPEN),
        ((guard(400),), State.CLOSED),
        ((guard(-4.9),), State.OPEN),
        ((guard(-5.1),), State.CLOSED),
        ((guard(-3600),), State.CLOSED),
        ((guard(problem="no log"),), State.CLOSED),
    ],
)
def test_a_guard_that_was_there_and_is_silent_closes_and_one_that_spoke_while_the_rest_was_read_does_not(
    guards: Any, state: State
) -> None:
    assert judged("guard", facts(guards=known("guards", NOW, guards))).state is state


def test_a_guard_that_a_halt_troubles_does_not_keep_that_halt_up() -> None:
    troubled = facts(guards=known("guards", NOW, (guard(problem="6 acts were lost; everything is halted"),)))
    assert judged("guard", troubled, act=Act.RESUME).state is State.NOT_CHECKED


def test_harm_closes_on_its_own_side_and_for_a_canary_on_either() -> None:
    on_green = facts(guards=known("guards", NOW, (guard(harm="-5 sigma", watching="green"),)))
    on_blue = facts(guards=known("guards", NOW, (guard(harm="-5 sigma", watching="blue"),)))
    assert judged("triggers", on_green).state is State.CLOSED
    assert judged("triggers", on_blue).state is State.OPEN
    assert judged("triggers", on_blue, act=Act.CANARY_UP).state is State.CLOSED


@pytest.mark.parametrize(
    ("age_s", "state"), [(300.0, State.OPEN), (300.1, State.CLOSED), (-0.1, State.UNKNOWN), (0.0, State.OPEN)]
)
def test_a_snapshot_of_300_seconds_is_fresh_and_an_older_or_future_one_is_not(age_s: float, state: State) -> None:
    seen = known("snapshots", NOW, SnapshotSeen("s1", "agent", at(-age_s)))
    answer = judged("snapshot", facts(snapshot=seen))
    assert answer.state is state
    assert state is State.OPEN or "stale" in answer.words


@pytest.mark.parametrize(
    ("seen", "state"),
    [(HealthSeen(200), State.OPEN), (HealthSeen(503), State.CLOSED), (HealthSeen(200, ("redis",)), State.CLOSED)],
)
def test_health_is_200_with_everything_connected(seen: HealthSeen, state: State) -> None:
    assert judged("health", facts(health={Slot.GREEN: known("h", NOW, seen)})).state is state


def test_what_is_required_closes_even_where_nobody_could_check_it() -> None:
    alone = facts(guards=known("guards", NOW, ()))
    assert "guard" not in {line.item.id for line in check(alone, asked()).forbidding}
    forbids = check(alone, asked(require=frozenset({"guard", "plan-read"}))).forbidding
    assert {line.item.id for line in forbids} == {"guard", "plan-read"}


LACKING = st.sampled_from(list(Lack)).map(lambda lack: lacking("s", NOW, lack, "so"))
ANY_FACTS = st.builds(
    lambda **changes: facts(**changes),
    deployment=st.sampled_from(
        [deployment(), deployment(instance(Slot.BLUE)), deployment(instance(Slot.GREEN, 98), in_doubt=3)]
    ),
    canary=LACKING | st.sampled_from([canary(state) for state in RunState]),
    shadows=LACKING | st.sampled_from([shadow(3), shadow(60, 59)]),
    doubts=LACKING | st.just(known("claims", NOW, ())),
    owed=LACKING | st.just(known("c", NOW, (escrow("e", 60), escrow("d", None, disputed=True)))),
    superset=LACKING | st.just(known("i", NOW, Superset(1, ("e",)))),
    guards=LACKING | st.sampled_from([known("g", NOW, (guard(harm="x", watching=s),)) for s in ("blue", "green")]),
    snapshot=LACKING | st.just(known("s", NOW, SnapshotSeen("s", "agent", at(-1e6)))),
    state=LACKING | st.just(known("f", NOW, PlainState(NOW, None, 3))),
    volatility=LACKING,
    switched=LACKING,
    ticks=LACKING,
    venue=LACKING.map(lambda fact: VenueFacts(*[fact] * 7)),
    health=LACKING.map(lambda fact: {Slot.GREEN: fact}),
)


@given(
    gathered=ANY_FACTS,
    act=st.sampled_from([act for act in Act if not act.raises]),
    target=st.sampled_from([Slot.BLUE, Slot.GREEN, None]),
    require=st.frozensets(st.sampled_from([item.id for item in ITEMS])),
)
def test_no_combination_of_facts_lets_a_gate_forbid_a_reduction(
    gathered: GateFacts, act: Act, target: Slot | None, require: frozenset[str]
) -> None:
    assert check(gathered, asked(act, target, require=require)).forbidding == ()


@given(gathered=ANY_FACTS, act=st.sampled_from(sorted(RAISES)), target=st.sampled_from([Slot.BLUE, Slot.GREEN, None]))
def test_what_is_unknown_or_closed_always_forbids_a_raise_that_it_concerns(
    gathered: GateFacts, act: Act, target: Slot | None
) -> None:
    checked = check(gathered, asked(act, target))
    for line in checked.lines:
        assert line.forbids == (line.judged.state in (State.CLOSED, State.UNKNOWN))


def test_every_act_raises_or_does_not_and_the_one_rule_concerns_each_that_does() -> None:
    rule = [BY_ID[name] for name in ("disputes", "auto-release", "volatility", "maintenance")]
    assert all(item.acts >= RAISES for item in rule)
    assert all(item.acts <= RAISES for item in ITEMS)
