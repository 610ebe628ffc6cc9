"""What a guard's metrics tell of an agent: what is known, and nothing in place of what is not."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics

from console.domain.canary.plan import Analysis, Position, RunState
from console.domain.canary.run import CanaryReading, CanaryRun, DeskReading
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Phase
from console.domain.guard.members import Member
from console.domain.statistics.evidence import Evidence
from console.domain.statistics.evidence import Verdict as Proof
from console.domain.text import Safe
from console.domain.triggers.finding import Arming, Trigger, Verdict
from console.domain.venue.judge import Item
from console.domain.venue.reading import Why
from console.domain.venue.stored import VenueSeen
from console.guard.metrics.declared import DECLARED, LABELS, STANDARD
from console.guard.metrics.sight import Decisions, Limits, Money, Noted
from console.store.fence.replies import BeatCode
from tests.guard.metrics.sights import NOW, NOW_S, Scene, finding, look, of_agent, sight, states, store, value


def test_what_is_known_is_told_each_state_by_a_gauge_of_its_own() -> None:
    one = sight(store=(store(phase=Phase.DRAIN, level=Level.REDUCE_ONLY, in_flight=3, in_doubt=1, late=2), NOW_S))
    samples = Scene(one).samples()
    assert states(samples, "active", "slot") == ["green"]
    assert states(samples, "phase", "phase") == ["drain"]
    assert states(samples, "level", "level") == ["reduce_only"]
    told = {name: value(samples, name, agent="agent") for name in ("epoch", "actions_in_flight", "actions_in_doubt")}
    assert told == {"epoch": 7, "actions_in_flight": 3, "actions_in_doubt": 1}
    assert value(samples, "late_settlements_total", agent="agent") == 2
    assert value(samples, "pnl", agent="agent", currency="USD") == 12.5
    assert value(samples, "pnl_rounds", agent="agent", currency="USD") == 10


def test_every_sample_has_the_labels_and_the_values_that_are_declared() -> None:
    canary = (_canary(), NOW_S)
    page = Scene(sight(canary=canary, money=(Money("other", None, 4),)), sight("b")).samples()
    declared = {one.name: one for one in DECLARED}
    for name, key in page:
        if name in STANDARD or name.startswith("agent_console_store_latency_seconds"):
            continue
        labels = dict(key)
        assert set(labels) == set(declared[name].labels)
        for label, text in labels.items():
            allowed = LABELS[label]
            assert isinstance(allowed, str) or text in allowed, (name, label, text)
    assert {name for name, _key in page} >= {one.name for one in DECLARED if one.name.startswith("agent_console_f")}


def test_everything_that_is_declared_is_told_of_somebody() -> None:
    seen = VenueSeen(Safe("v"), NOW, Safe("g"), 5.0, 0)
    scene = Scene(sight(canary=(_canary(), NOW_S), venue=True, noted=Noted(NOW_S, {}, seen)))
    gathered = scene.gathered
    gathered.started, gathered.guards, gathered.answered_s, gathered.last_call = NOW, 2, NOW_S, "ok"
    gathered.member = Member(Safe("g1"), NOW)
    names = {name for name, _key in scene.samples()}
    latency = "agent_console_store_latency_seconds"
    declared = {one.name for one in DECLARED} - {latency}
    assert names - {*STANDARD} == declared | {f"{latency}_{part}" for part in ("bucket", "sum", "count")}


STORE = {"active", "phase", "level", "epoch", "actions_in_flight", "actions_in_doubt", "late_settlements_total"}
LOOK = {"trigger_verdict", "trigger_armed"}
MONEY = {"pnl", "pnl_rounds"}
CANARY = {
    "canary_state",
    "canary_rounds",
    "canary_interval_ratio",
    "canary_share_wanted_ratio",
    "canary_share_actual_ratio",
}


@pytest.mark.parametrize(
    ("after_s", "gone"),
    [(0.0, set[str]()), (11.0, STORE | LOOK | MONEY), (61.0, STORE | LOOK | MONEY | CANARY | {"alerts_open"})],
)
def test_what_is_too_old_leaves_and_its_age_goes_on(after_s: float, gone: set[str]) -> None:
    scene = Scene(sight(canary=(_canary(), NOW_S)))
    at_first = of_agent(scene.samples())
    samples = scene.samples(after_s)
    assert at_first - of_agent(samples) == gone
    for source in ("store", "look", "decisions", "alerts", "canary"):
        assert value(samples, "source_age_seconds", agent="agent", source=source) == after_s
    assert states(samples, "source_state", "state", source="store") == ["stale" if gone else "ok"]


def test_missing_stale_wrong_and_timed_out_are_told_apart_and_none_of_them_has_a_value() -> None:
    scene = Scene(sight(store=None), sight("no-authority", store=(store(code=BeatCode.NOINIT, epoch=0), NOW_S)))
    scene.gathered.sights["wrong"] = sight("wrong", failing=True)
    scene.gathered.sights["old"] = sight("old", store=(store(), NOW_S - 60))
    told = {agent: states(scene.samples(), "source_state", "state", agent=agent, source="store") for agent in (
        "agent", "no-authority", "wrong", "old"
    )}  # fmt: skip
    assert told == {"agent": ["missing"], "no-authority": ["missing"], "wrong": ["error"], "old": ["stale"]}
    scene.gathered.last_call = "timeout"
    samples = scene.samples()
    assert states(samples, "source_state", "state", agent="old", source="store") == ["timeout"]
    for agent in scene.gathered.sights:
        assert not of_agent(samples, agent) & STORE
    assert value(samples, "agent_up", agent="wrong") == 0
    assert value(samples, "agent_up", agent="old") == 1


def test_money_is_unknown_where_decisions_are_and_never_nought() -> None:
    for decisions, state in (
        (Decisions(None, 60.0, problem=True, unseen=True), "missing"),
        (Decisions(NOW_S, 60.0, problem=True, unseen=False), "error"),
        (Decisions(NOW_S - 61, 60.0, problem=False, unseen=False), "stale"),
    ):
        samples = Scene(sight(decisions=decisions)).samples()
        assert states(samples, "source_state", "state", source="decisions") == [state]
        assert not of_agent(samples) & MONEY
    quiet = Scene(sight(decisions=Decisions(NOW_S - 3600, None, problem=False, unseen=False))).samples()
    assert value(quiet, "pnl", agent="agent", currency="USD") == 12.5, "heartbeats tell that it lives"


def test_amounts_in_currencies_without_a_label_of_their_own_are_never_summed() -> None:
    samples = Scene(sight(money=(Money("USD", Decimal(1), 2), Money("other", None, 5)))).samples()
    assert value(samples, "pnl_rounds", agent="agent", currency="other") == 5
    assert value(samples, "pnl", agent="agent", currency="other") is None


def test_what_is_no_finite_number_is_not_known() -> None:
    samples = Scene(sight(money=(Money("USD", Decimal("1e400"), 2), Money("EUR", Decimal("NaN"), 1)))).samples()
    assert value(samples, "pnl", agent="agent", currency="USD") is None
    assert value(samples, "pnl", agent="agent", currency="EUR") is None


def test_a_trigger_that_is_off_has_no_verdict_and_one_that_is_dry_is_not_armed() -> None:
    off, dry = finding(Trigger.PNL, arming=Arming.OFF), finding(Trigger.LATENCY, Verdict.HARM, Arming.DRY)
    samples = Scene(sight(look=(look(off, dry), NOW_S))).samples()
    assert states(samples, "trigger_verdict", "verdict", trigger="pnl") == []
    assert states(samples, "trigger_verdict", "verdict", trigger="latency") == ["harm"]
    armed = {trigger: value(samples, "trigger_armed", agent="agent", trigger=trigger) for trigger in ("pnl", "latency")}
    assert armed == {"pnl": 0, "latency": 0}
    assert value(samples, "trigger_armed", agent="agent", trigger="double_spend") == 1


def test_a_canary_tells_its_shares_and_its_interval_of_this_very_step_alone() -> None:
    samples = Scene(sight(canary=(_canary(), NOW_S))).samples()
    assert value(samples, "canary_share_wanted_ratio", agent="agent") == 0.05
    assert value(samples, "canary_share_actual_ratio", agent="agent") == 0.048
    bounds = {bound: value(samples, "canary_interval_ratio", agent="agent", bound=bound) for bound in LABELS["bound"]}
    assert bounds == {"lower": -0.02, "estimate": 0.01, "upper": math.inf}
    assert states(samples, "canary_state", "run_state") == ["RUNNING".lower()]
    before = Scene(sight(canary=(_canary(step=2), NOW_S))).samples()
    assert value(before, "canary_share_wanted_ratio", agent="agent") == 0.05
    assert value(before, "canary_share_actual_ratio", agent="agent") is None
    assert value(before, "canary_interval_ratio", agent="agent", bound="lower") is None
    assert not [name for name in of_agent(Scene(sight()).samples()) if name.startswith("canary")]


@pytest.mark.parametrize(
    ("items", "closed", "age_s", "state"),
    [
        ((), 0, 1, "ok"),
        ((Item(Safe("balance"), Why.TIMEOUT, Safe(""), NOW),), 1, 1, "timeout"),
        ((Item(Safe("balance"), Why.MALFORMED, Safe(""), NOW),), 1, 1, "error"),
        ((), 0, 500, "stale"),
        ((), 0, -500, "stale"),
    ],
)
def test_a_venue_is_told_by_how_it_answered(items: tuple[Item, ...], closed: int, age_s: float, state: str) -> None:
    seen = VenueSeen(Safe("v"), NOW - timedelta(seconds=age_s), Safe("g"), 5.0, closed, items)
    samples = Scene(sight(venue=True, noted=Noted(NOW_S, {}, seen))).samples()
    assert states(samples, "source_state", "state", source="venue") == [state]
    assert value(samples, "venue_closed_items", agent="agent") == (None if state == "stale" else closed)
    missing = Scene(sight(venue=True)).samples()
    assert states(missing, "source_state", "state", source="venue") == ["missing"]


def test_alerts_that_can_not_be_read_are_an_error_and_no_nought() -> None:
    samples = Scene(
        sight(noted=Noted(NOW_S, {"critical": 2}, None)), sight("b", noted=Noted(NOW_S, None, None))
    ).samples()
    assert value(samples, "alerts_open", agent="agent", severity="critical") == 2
    assert value(samples, "alerts_open", agent="b", severity="critical") is None
    assert states(samples, "source_state", "state", agent="b", source="alerts") == ["error"]
    assert value(samples, "fleet_alerts_open", severity="critical") == 2


def test_of_more_agents_than_may_be_told_those_in_trouble_are_and_the_cut_is_told() -> None:
    well = [sight(f"a{number:04}") for number in range(30)]
    bad = sight("z-halted", store=(store(phase=Phase.HALT, level=Level.HALT), NOW_S))
    harm = sight("z-harm", look=(look(finding(Trigger.PNL, Verdict.HARM)), NOW_S))
    scene = Scene(*well, bad, harm, most_agents=10)
    samples = scene.samples()
    told = {dict(key)["agent"] for _name, key in samples if "agent" in dict(key)}
    assert told == {"z-halted", "z-harm", *(f"a{number:04}" for number in range(8))}
    shown = {care: value(samples, "guard_agents", care=care) for care in ("shown", "left_out")}
    assert shown == {"shown": 10, "left_out": 22}
    assert value(samples, "fleet_agents", phase="run") == 31, "sums are over all of them"
    assert value(samples, "fleet_agents", phase="halt") == 1
    assert value(samples, "fleet_verdicts", verdict="harm") == 1
    scene.samples()
    assert scene.told == [22], "said once"


def test_ten_thousand_agents_have_no_more_series_than_the_bound_allows() -> None:
    few, many = Scene(*map(sight, ("a", "b")), most_agents=2), Scene(most_agents=2)
    many.gathered.sights = {f"a{number}": sight(f"a{number}") for number in range(10_000)}
    assert len(many.samples()) == len(few.samples())


def test_hostile_names_stay_within_one_label() -> None:
    scene = Scene(sight())
    scene.gathered.name = 'g"} 1\nagent_console_store_up 1\n# {x="' * 9
    samples = scene.samples()
    (name,) = [dict(key)["guard"] for metric, key in samples if metric == "agent_console_guard_info"]
    assert len(name) == 64 and set(name) <= set("_.-") | set(map(chr, range(48, 123)))
    assert value(samples, "store_up") is None


def test_both_formats_are_whole_and_say_the_same() -> None:
    scene = Scene(sight(canary=(_canary(), NOW_S)))
    scene.gathered.latency.add(0.003)
    scene.gathered.latency.add(9.0)
    page = scene.pages.page("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")
    assert page.kind.startswith("application/openmetrics-text")
    kept = {
        (one.name, frozenset(one.labels.items())): one.value
        for family in openmetrics(page.body.decode())
        for one in family.samples
    }
    plain = scene.samples()
    assert {key for key in kept if not key[0].startswith("process_")} == {
        key for key in plain if not key[0].startswith("process_")
    }
    bucket = "store_latency_seconds_bucket"
    assert [value(plain, bucket, le=le) for le in ("0.0025", "0.005", "1.0", "+Inf")] == [0, 1, 1, 2]


def test_a_page_is_rendered_once_a_second_however_many_ask_and_however_they_ask() -> None:
    scene = Scene(sight())
    first = scene.pages.page()
    assert all(scene.pages.page(accept) is first for accept in ("", "*/*", "text/plain; version=\x00junk", "a," * 999))
    scene.now_s += 1.0
    assert scene.pages.page() is not first


def test_a_page_that_takes_long_to_render_is_given_for_five_times_as_long() -> None:
    scene = Scene(sight())
    slow = iter((NOW_S, NOW_S, NOW_S + 4.0))  # asked, as its ages have it, rendered
    scene.pages._now_s = lambda: next(slow, scene.now_s)
    first = scene.pages.page()
    scene.now_s += 23.9
    assert scene.pages.page() is first
    scene.now_s += 0.2
    assert scene.pages.page() is not first


def test_the_more_agents_the_longer_what_is_read_may_be_told() -> None:
    one, many = Limits.of(1), Limits.of(10_000)
    assert one.store_s == 10.0
    assert many.store_s == 60.0
    assert many.canary_s > many.store_s


def _canary(step: int = 1) -> CanaryReading:
    where = Position(1, 3)
    evidence = Evidence(Proof.UNDECIDED, 40, 800, 4, 0.01, -0.02, math.inf, 0.0, 0, None)
    desk = DeskReading(
        NOW,
        Safe("desk"),
        Safe("run"),
        Position(step, 3),
        Decimal("0.05"),
        routed_share=0.048,
        rounds=40,
        analysis=Analysis(at=NOW, position=Position(step, 3), evidence=evidence, error="", alarms=()),
    )
    run = CanaryRun(
        Safe("run"),
        "green",
        None,
        "",
        RunState.RUNNING,
        where,
        Decimal("0.05"),
        None,
        Safe("USD"),
        Decimal(100),
        NOW,
        NOW,
    )
    return CanaryReading(run, desk)
