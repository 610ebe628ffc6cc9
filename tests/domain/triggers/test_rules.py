"""The seven triggers, one sentence of the specification a test."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import UsageError
from console.domain.shadow.pairs import PairSums
from console.domain.text import Safe, clean
from console.domain.triggers.baseline import as_document, from_document
from console.domain.triggers.facts import Facts, Pairs, Source, Tenure
from console.domain.triggers.finding import Arming, Finding, Response, Trigger, Verdict, worst
from console.domain.triggers.look import LONGEST_S, Assessment, Memory
from console.domain.triggers.pnl import interval
from console.domain.triggers.rules import assess
from console.domain.triggers.settings import TriggerSettings, changed, setting_names
from console.domain.triggers.windows import Row

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SWITCH = START + timedelta(seconds=1000)
SOURCE = Source(configured=True, watched_since=START)


def at(seconds: float) -> datetime:
    """So long after the switch."""
    return SWITCH + timedelta(seconds=seconds)


def row(seconds: float, slot: str = "green", **more: object) -> Row:
    made = Row(at(seconds).timestamp(), "2.5.0" if slot == "green" else "2.4.0", slot, f"{slot}@{seconds}")
    return made._replace(**more)  # type: ignore[arg-type]


class Case:
    """A green version that became active after 200 rounds of blue: 1 ± 1 USD a round, 10 ms each."""

    def __init__(self, settings: TriggerSettings | None = None, before: int = 200) -> None:
        self.settings = settings or TriggerSettings()
        self.facts = Facts(self.settings)
        self.memory = Memory()
        self.source = SOURCE
        for number in range(before):
            amount = Decimal(2 * (number % 2))
            self.facts.add(row(number - 900, "blue", amount=amount, currency="USD", latency_ms=10.0))
        self.facts.begin(Tenure("green", 0, SWITCH))
        self.facts.freeze()

    def add(self, *rows: Row) -> Case:
        for one in rows:
            self.facts.add(one)
        return self

    def rounds(self, amounts: list[float], start: float = 1.0, **more: object) -> Case:
        for number, amount in enumerate(amounts):
            self.add(row(start + number, amount=Decimal(str(amount)), currency="USD", **more))
        return self

    def look(self, seconds: float) -> Assessment:
        assessment = assess(self.facts, self.source, self.memory, self.settings, at(seconds))
        self.memory = assessment.memory
        return assessment

    def of(self, trigger: Trigger, seconds: float) -> Finding:
        return self.look(seconds).by_trigger[trigger]


# which finding counts


def test_nothing_is_looked_at_while_nobody_is_active() -> None:
    assessment = assess(Facts(TriggerSettings()), SOURCE, Memory(), TriggerSettings(), START)
    assert (assessment.findings, assessment.decisive) == ((), None)


def test_there_is_one_finding_for_each_of_the_seven_triggers() -> None:
    assert [finding.trigger for finding in Case().look(1).findings] == list(Trigger)


def test_the_worst_verdict_wins() -> None:
    case = Case().rounds([1.0] * 3).add(row(4, fault="exception", fault_text="KeyError"))
    decisive = case.look(5).decisive
    assert decisive is not None
    assert (decisive.trigger, decisive.verdict, decisive.due) == (Trigger.EXCEPTION, Verdict.HARM, Response.ROLL_BACK)


def test_verdicts_are_ordered_from_safe_to_harm() -> None:
    assert sorted(Verdict, key=lambda verdict: verdict.rank) == list(Verdict)
    assert [verdict for verdict in Verdict if verdict.blind] == [Verdict.STALE, Verdict.MISSING, Verdict.ERROR]


def test_a_dry_trigger_is_reported_and_never_outranks_an_armed_one() -> None:
    harm = Finding(Trigger.AUTH, Verdict.HARM, Arming.DRY, Response.ROLL_BACK, "", START)
    mild = Finding(Trigger.PNL, Verdict.UNDECIDED, Arming.ARMED, Response.FREEZE, "", START)
    assert harm.due is Response.ALERT
    assert worst([harm, mild]) is mild


def test_a_trigger_that_is_off_says_so_and_asks_for_nothing() -> None:
    settings = changed(TriggerSettings(), {"exception.arming": "off"})
    finding = Case(settings).add(row(1, fault="exception")).of(Trigger.EXCEPTION, 2)
    assert (finding.arming, finding.due, finding.reason) == (Arming.OFF, Response.CONTINUE, "off")


# events


@pytest.mark.parametrize(
    ("fault", "trigger"), [("exception", Trigger.EXCEPTION), ("auth", Trigger.AUTH)], ids=["exception", "auth"]
)
def test_one_critical_event_is_harm(fault: str, trigger: Trigger) -> None:
    finding = Case().add(row(1, fault=fault, fault_text="boom")).of(trigger, 2)
    assert (finding.verdict, finding.response, finding.n) == (Verdict.HARM, Response.ROLL_BACK, 1)
    assert finding.samples == ("green@1",)
    assert "boom" in finding.reason


def test_old_news_is_reported_and_not_acted_on() -> None:
    finding = Case().add(row(1, fault="exception", fault_text="boom"), row(60)).of(Trigger.EXCEPTION, 62)
    assert (finding.verdict, finding.response) == (Verdict.UNDECIDED, Response.ALERT)
    assert "not acted on" in finding.reason


def test_what_the_standby_does_or_what_was_before_the_switch_is_no_evidence_against_the_active_side() -> None:
    case = Case().add(row(1, "blue", fault="exception"), row(-1, "green", fault="exception"))
    assert case.of(Trigger.EXCEPTION, 2).verdict is Verdict.SAFE


@pytest.mark.parametrize("fault", ["exception", "auth"])
def test_harm_read_sooner_than_the_switch_before_it_counts_once_the_switch_is_heard_of(fault: str) -> None:
    case = Case()
    case.add(row(20.002, "blue", fault=fault))
    case.facts.begin(Tenure("green", 0, at(20.000)))
    assert case.facts.exceptions.count + case.facts.refusals.count == 0
    case.facts.begin(Tenure("blue", 0, at(20.001)))
    trigger = Trigger.AUTH if fault == "auth" else Trigger.EXCEPTION
    assert case.of(trigger, 20.1).verdict is Verdict.HARM


def test_a_double_spend_read_sooner_than_the_switch_before_it_counts() -> None:
    case = Case().add(row(19.0, "blue", key="k"), row(20.5, "blue", key="k"))
    case.facts.begin(Tenure("blue", 0, at(20.0)))
    assert case.of(Trigger.DOUBLE_SPEND, 21.0).verdict is Verdict.HARM


def test_a_double_spend_before_a_switch_is_not_held_against_the_side_that_came_after_it() -> None:
    case = Case().add(row(18.0, key="k"), row(19.0, key="k"))
    case.facts.begin(Tenure("blue", 0, at(20.0)))
    assert case.of(Trigger.DOUBLE_SPEND, 21.0).verdict is not Verdict.HARM


def test_a_fenced_record_belongs_to_the_tenure_by_its_epoch_and_not_by_its_clock() -> None:
    case = Case()
    case.facts.begin(Tenure("green", 5000, SWITCH))
    case.add(row(1, epoch=4999, fault="exception"))
    assert case.of(Trigger.EXCEPTION, 2).verdict is Verdict.SAFE
    case.add(row(-1, epoch=5001, fault="exception"))
    assert case.of(Trigger.EXCEPTION, 2).verdict is Verdict.HARM


def test_the_words_of_an_exception_are_made_safe() -> None:
    finding = Case().add(row(1, fault="exception", fault_text="\x1b[31mred")).of(Trigger.EXCEPTION, 2)
    assert "\x1b" not in finding.reason


# double spend


def test_the_same_key_executed_twice_is_harm_however_far_apart() -> None:
    case = Case().add(row(1, key="bet:17"), row(500, key="bet:17"))
    finding = case.of(Trigger.DOUBLE_SPEND, 501)
    assert (finding.verdict, finding.samples) == (Verdict.HARM, ("green@500",))


def test_a_double_spend_over_both_sides_is_found() -> None:
    case = Case().add(row(-1, "blue", key="bet:17"), row(1, key="bet:17"))
    assert case.of(Trigger.DOUBLE_SPEND, 2).verdict is Verdict.HARM


def test_the_same_decision_read_twice_is_no_double_spend() -> None:
    case = Case().add(row(1, key="bet:17"), row(1, key="bet:17"))
    assert case.of(Trigger.DOUBLE_SPEND, 2).verdict is Verdict.SAFE


def test_without_a_key_identical_content_counts_within_the_window() -> None:
    case = Case().add(row(1, content=b"round 17"), row(50, content=b"round 17"))
    assert case.of(Trigger.DOUBLE_SPEND, 51).verdict is Verdict.HARM
    case = Case().add(row(1, content=b"round 17"), row(62, content=b"round 17"))
    assert case.of(Trigger.DOUBLE_SPEND, 63).verdict is Verdict.SAFE


def test_content_alone_can_be_made_to_report_only_while_keys_stay_armed() -> None:
    settings = changed(TriggerSettings(), {"double-spend.content": "dry"})
    case = Case(settings).add(row(1, content=b"round 17"), row(2, content=b"round 17"))
    assert case.of(Trigger.DOUBLE_SPEND, 3).response is Response.ALERT
    assert case.add(row(3, key="a"), row(4, key="a")).of(Trigger.DOUBLE_SPEND, 5).response is Response.ROLL_BACK


@pytest.mark.parametrize("known", [{"key": "o-77"}, {"content": b"same"}])
def test_two_fills_of_one_order_that_nothing_tells_apart_are_an_alert_at_most(known: dict[str, object]) -> None:
    finding = Case().add(row(1, fill=True, **known), row(2, fill=True, **known)).of(Trigger.DOUBLE_SPEND, 3)
    assert (finding.verdict, finding.response) == (Verdict.UNDECIDED, Response.ALERT)
    assert "nothing tells apart" in finding.reason


def test_fills_alike_hide_no_double_spend() -> None:
    case = Case().add(row(1, fill=True, key="o-77"), row(2, fill=True, key="o-77"), row(3, key="k"), row(4, key="k"))
    assert case.of(Trigger.DOUBLE_SPEND, 5).verdict is Verdict.HARM


def test_dry_rounds_spend_nothing() -> None:
    case = Case().add(row(1, key="a", dry=True), row(2, key="a", dry=True))
    assert case.of(Trigger.DOUBLE_SPEND, 3).verdict is Verdict.SAFE


@pytest.mark.parametrize("kept", [1, 2, 8, 100])
@pytest.mark.parametrize("back", ["within half", "beyond all"])
def test_of_the_newest_keys_at_least_half_are_recognised_and_no_more_than_all_are_kept(kept: int, back: str) -> None:
    case = Case(changed(TriggerSettings(), {"double-spend.kept": kept}))
    case.add(*(row(number, key=f"k{number}") for number in range(1000)))
    key = f"k{1000 - max(1, kept // 2)}" if back == "within half" else f"k{999 - max(2, kept)}"
    expected = Verdict.HARM if back == "within half" else Verdict.SAFE
    assert case.add(row(1000, key=key)).of(Trigger.DOUBLE_SPEND, 1001).verdict is expected


@pytest.mark.parametrize(("name", "value"), [("pnl.window", "1e9"), ("double-spend.kept", "2000000")])
def test_what_is_kept_in_memory_is_bounded_whatever_a_store_asks_for(name: str, value: str) -> None:
    with pytest.raises(UsageError):
        changed(TriggerSettings(), {name: value})


# PnL


def test_not_enough_rounds_is_said_aloud() -> None:
    finding = Case().rounds([-50.0] * 9).of(Trigger.PNL, 11)
    assert (finding.verdict, finding.response) == (Verdict.UNDECIDED, Response.CONTINUE)
    assert "not enough data: 9 of 10 rounds" in finding.reason


def test_gains_never_fire() -> None:
    finding = Case().rounds([100.0] * 200).of(Trigger.PNL, 201)
    assert (finding.verdict, finding.response) == (Verdict.SAFE, Response.CONTINUE)


@pytest.mark.parametrize(
    ("arming", "response"),
    [(Arming.DRY, Response.ALERT), (Arming.ARMED, Response.FREEZE), (Arming.OFF, Response.CONTINUE)],
)
def test_three_standard_errors_below_alone_is_told_and_freezes_new_risk_only_where_that_is_armed(
    arming: Arming, response: Response
) -> None:
    assert TriggerSettings().pnl_freeze is Arming.DRY
    finding = Case(TriggerSettings(pnl_freeze=arming)).rounds([-1.0] * 10).of(Trigger.PNL, 11)
    assert (finding.verdict, finding.response) == (Verdict.UNDECIDED, response)
    assert "held against the past" in finding.reason
    assert finding.value is not None
    assert finding.value < -3
    assert "chance is not excluded" in finding.reason


def test_the_error_is_that_of_a_mean_and_shrinks_with_the_root_of_the_rounds() -> None:
    few, many = Case().rounds([0.7, 0.5] * 5), Case().rounds([0.7, 0.5] * 25)
    a, b = few.of(Trigger.PNL, 60).value, many.of(Trigger.PNL, 60).value
    assert a is not None
    assert b is not None
    expected = ((1 / 10 + 1 / 200) / (1 / 50 + 1 / 200)) ** 0.5
    assert b / a == pytest.approx(expected, rel=1e-6)


def test_a_loss_that_the_interval_proves_is_harm() -> None:
    finding = Case().rounds([-3.0, -1.0] * 25).of(Trigger.PNL, 60)
    assert (finding.verdict, finding.response) == (Verdict.HARM, Response.ROLL_BACK)
    assert "however often one looks" in finding.reason


def test_the_loss_budget_is_harm_whatever_the_statistics_say() -> None:
    settings = TriggerSettings(pnl_budget=Decimal(5))
    assert Case(settings).rounds([-4.99]).of(Trigger.PNL, 2).verdict is Verdict.UNDECIDED
    finding = Case(settings).rounds([-4.99, -0.01]).of(Trigger.PNL, 3)
    assert (finding.verdict, finding.value, finding.threshold) == (Verdict.HARM, -5.0, -5.0)


def test_the_budget_counts_its_own_currency_alone() -> None:
    settings = TriggerSettings(pnl_budget=Decimal(5), pnl_currency="EUR")
    assert Case(settings).rounds([-100.0]).of(Trigger.PNL, 2).verdict is not Verdict.HARM


def test_dry_rounds_are_no_money() -> None:
    settings = TriggerSettings(pnl_budget=Decimal(5))
    assert Case(settings).rounds([-100.0], dry=True).of(Trigger.PNL, 2).verdict is Verdict.UNDECIDED


def test_a_baseline_without_any_deviation_divides_nothing_by_zero() -> None:
    case = Case(TriggerSettings(pnl_freeze=Arming.ARMED), before=0)
    case.facts.tenure = None
    for number in range(200):
        case.add(row(number - 900, "blue", amount=Decimal(1), currency="USD"))
    case.facts.begin(Tenure("green", 0, SWITCH))
    case.facts.freeze()
    assert case.rounds([1.0] * 20).of(Trigger.PNL, 21).verdict is Verdict.SAFE
    worse = case.rounds([0.5] * 20, start=21).of(Trigger.PNL, 42)
    assert worse.response is Response.FREEZE
    assert case.rounds([0.5] * 60, start=41).of(Trigger.PNL, 102).verdict is Verdict.HARM


def test_without_a_baseline_only_the_budget_guards_and_that_is_said() -> None:
    finding = Case(before=99).rounds([-50.0] * 100).of(Trigger.PNL, 101)
    assert (finding.verdict, finding.response) == (Verdict.UNDECIDED, Response.CONTINUE)
    assert "no baseline" in finding.reason


def test_the_baseline_is_frozen_with_the_version_it_came_from() -> None:
    case = Case()
    before = case.facts.baseline
    case.add(*(row(n, "blue", amount=Decimal(-100), currency="USD") for n in range(1, 50)))
    assert before is not None
    assert (before.version, before.slot, before.frozen_at) == ("2.4.0", "blue", SWITCH)
    assert case.facts.freeze() == before
    assert from_document(as_document(before)) == before


def test_after_a_roll_back_a_version_is_compared_with_itself() -> None:
    case = Case().rounds([-3.0] * 150)
    case.facts.begin(Tenure("blue", 0, at(200)))
    baseline = case.facts.freeze(back=True)
    assert baseline is not None
    assert (baseline.slot, baseline.pnl["USD"].mean) == ("blue", 1.0)


def test_within_one_deviation_it_continues_and_says_so() -> None:
    finding = Case().rounds([0.9, 1.0] * 10).of(Trigger.BAND, 21)
    assert (finding.verdict, finding.response) == (Verdict.SAFE, Response.CONTINUE)
    assert Case().rounds([-3.0, -1.0] * 10).of(Trigger.BAND, 21).verdict is Verdict.UNDECIDED


# latency


def test_latency_over_twice_the_median_alerts_at_once_and_rolls_back_if_it_persists() -> None:
    case = Case()
    for second in range(1, 400):
        case.add(row(second, latency_ms=25.0))
        finding = case.of(Trigger.LATENCY, second)
        if second == 20:
            assert (finding.verdict, finding.response) == (Verdict.UNDECIDED, Response.ALERT)
        if second == 20 + 239:
            assert finding.verdict is Verdict.UNDECIDED
    assert (finding.verdict, finding.response) == (Verdict.HARM, Response.ROLL_BACK)


def test_a_latency_below_the_floor_is_never_too_slow() -> None:
    quick = Case(changed(TriggerSettings(), {"latency.floor_ms": "50"}))
    for number in range(30):
        quick.add(row(number, latency_ms=49.0))
    assert quick.of(Trigger.LATENCY, 30).verdict is Verdict.SAFE
    for number in range(30, 100):
        quick.add(row(number, latency_ms=51.0))
    finding = quick.of(Trigger.LATENCY, 100)
    assert (finding.response, finding.threshold) == (Response.ALERT, 50.0)
    assert "than 50" in finding.reason


def test_latency_that_recovers_starts_anew() -> None:
    case = Case()
    for second in range(1, 200):
        case.add(row(second, latency_ms=25.0))
        case.look(second)
    for second in range(200, 400):
        case.add(row(second, latency_ms=12.0))
        case.look(second)
    assert case.memory.slow_since is None
    assert case.of(Trigger.LATENCY, 400).verdict is Verdict.SAFE


# escrows


def test_an_escrow_not_looked_at_for_over_a_minute_is_harm() -> None:
    case = Case().add(row(1, escrow="e-1"), row(2, escrow="e-2"))
    assert case.of(Trigger.ESCROW, 61).verdict is Verdict.SAFE
    finding = case.add(row(60, escrow="e-2")).of(Trigger.ESCROW, 61.5)
    assert (finding.verdict, finding.samples) == (Verdict.HARM, ("e-1",))
    assert "audit the escrows" in finding.reason


def test_escrows_of_the_old_side_must_be_looked_at_by_the_new_one() -> None:
    case = Case().add(row(-5, "blue", escrow="e-1"))
    case.add(*(row(n, "blue", escrow="e-1") for n in range(1, 60)))
    assert case.of(Trigger.ESCROW, 59).verdict is Verdict.SAFE
    assert case.of(Trigger.ESCROW, 61).verdict is Verdict.HARM


def test_an_escrow_that_ended_need_not_be_looked_at() -> None:
    case = Case().add(row(1, escrow="e-1"), row(2, escrow="e-1", escrow_over=True), row(490))
    assert case.of(Trigger.ESCROW, 500).reason == "no escrow is watched"


def test_an_escrow_missing_from_the_new_sides_watch_list_is_harm_at_once() -> None:
    case = Case().add(row(-5, "blue", escrow="e-1"))
    case.facts.watch_list = frozenset({"e-2"})
    finding = case.of(Trigger.ESCROW, 1)
    assert (finding.verdict, finding.samples) == (Verdict.HARM, ("e-1",))


def test_an_escrow_that_the_active_side_looked_at_and_took_off_its_list_has_ended() -> None:
    case = Case().add(row(1, escrow="e-1"), row(90))
    case.facts.watch_list = frozenset({"e-2"})
    assert case.of(Trigger.ESCROW, 59).verdict is Verdict.SAFE
    assert case.of(Trigger.ESCROW, 100).samples == ("e-2",)


# not knowing


def test_a_side_that_falls_silent_freezes_new_risk_and_rolls_back_at_the_deadline() -> None:
    case = Case().rounds([1.0])
    assert case.of(Trigger.PNL, 60).verdict is Verdict.UNDECIDED
    stale = case.look(130).decisive
    assert stale is not None
    assert (stale.verdict, stale.due) == (Verdict.STALE, Response.FREEZE)
    over = case.look(431).decisive
    assert over is not None
    assert (over.verdict, over.due) == (Verdict.STALE, Response.ROLL_BACK)


def test_a_side_that_never_spoke_is_missing_and_a_log_that_cannot_be_read_is_an_error() -> None:
    assert Case().of(Trigger.EXCEPTION, 100).verdict is Verdict.MISSING
    case = Case().rounds([1.0])
    case.source = replace(SOURCE, problem=clean("permission denied"))
    finding = case.of(Trigger.EXCEPTION, 100)
    assert (finding.verdict, finding.response) == (Verdict.ERROR, Response.FREEZE)
    assert "permission denied" in finding.reason


@pytest.mark.parametrize("alive", [None, at(999)])
def test_a_log_that_is_missing_for_a_moment_has_the_patience_that_silence_has(alive: datetime | None) -> None:
    case = Case().rounds([1.0])
    gone = clean("is gone; waiting for it to come back")
    case.source = replace(SOURCE, problem=gone, problem_since=at(10), alive_at=alive)
    assert case.of(Trigger.EXCEPTION, 50).verdict is Verdict.SAFE
    assert case.look(50).holds_s <= 20
    finding = case.of(Trigger.EXCEPTION, 80)
    assert (finding.verdict, finding.response) == (Verdict.ERROR, Response.FREEZE), "a heartbeat is no log"
    case.rounds([1.0], start=81)
    case.source = SOURCE
    assert case.of(Trigger.EXCEPTION, 82).verdict is Verdict.SAFE


def test_a_log_that_is_not_there_yet_has_the_patience_that_silence_has() -> None:
    case = Case()
    case.source = replace(SOURCE, problem=clean("no such file yet"), problem_since=at(0), unseen=True)
    assert case.of(Trigger.EXCEPTION, 50).verdict is Verdict.SAFE
    assert case.of(Trigger.EXCEPTION, 70).response is Response.FREEZE


@pytest.mark.parametrize("more", [{"barred": True}, {"unseen": True, "alive_at": at(9998)}])
def test_a_guard_that_never_could_read_its_log_says_so_and_freezes_no_healthy_agent(more: dict[str, Any]) -> None:
    case = Case()
    case.source = replace(SOURCE, problem=clean("can't be read: Permission denied"), problem_since=at(0), **more)
    for seconds in (70, 500, 9999):
        finding = case.of(Trigger.EXCEPTION, seconds)
        assert (finding.verdict, finding.response) == (Verdict.ERROR, Response.ALERT)
        assert "never could read" in finding.reason


def test_facts_that_come_back_start_the_deadline_anew() -> None:
    case = Case().rounds([1.0])
    case.look(130)
    case.rounds([1.0], start=300)
    assert case.of(Trigger.EXCEPTION, 301).verdict is Verdict.SAFE
    assert case.of(Trigger.EXCEPTION, 440).response is Response.FREEZE


def test_harm_that_is_known_stays_harm_when_the_log_goes_away() -> None:
    case = Case(TriggerSettings(pnl_budget=Decimal(5))).rounds([-6.0])
    case.source = replace(SOURCE, problem=clean("gone"))
    assert case.of(Trigger.PNL, 2).verdict is Verdict.HARM


def test_a_slow_agent_is_not_silent_before_twenty_of_its_usual_pauses() -> None:
    case = Case(before=0)
    case.facts.tenure = None
    for number in range(10):
        case.add(row(-900 + 60 * number, "blue"))
    case.facts.begin(Tenure("green", 0, SWITCH))
    case.facts.freeze()
    case.rounds([1.0])
    assert case.of(Trigger.EXCEPTION, 1000).verdict is Verdict.SAFE
    assert case.of(Trigger.EXCEPTION, 1300).verdict is Verdict.STALE


def test_without_a_decision_log_the_triggers_are_off_and_say_why() -> None:
    case = Case(before=0)
    case.source = replace(SOURCE, configured=False)
    findings = case.look(10_000).findings
    assert {(finding.arming, finding.due) for finding in findings} == {(Arming.OFF, Response.CONTINUE)}


# settings


def test_every_setting_can_be_changed_by_its_name() -> None:
    good = {
        "arming": "dry",
        "content": "dry",
        "takeover": "dry",
        "currency": "USD",
        "alpha": "0.1",
        "window": "60",
        "freeze": "dry",
        "holdback": "0.05",
    }
    for name in setting_names():
        changed(TriggerSettings(), {name: good.get(name.partition(".")[2], "20")})


@pytest.mark.parametrize(
    "values",
    [
        {"pnl.sigma": "2"},
        {"pnl.sigmas": "-1"},
        {"pnl.sigmas": "nan"},
        {"pnl.sigmas": "x"},
        {"pnl.rounds": "60"},
        {"pnl.budget": "0"},
        {"pnl.alpha": "0.5"},
        {"latency.arming": "on"},
        {"weather.arming": "dry"},
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        changed(TriggerSettings(), values)


def test_a_mistyped_setting_gets_the_nearest_name_as_a_hint() -> None:
    with pytest.raises(UsageError) as caught:
        changed(TriggerSettings(), {"pnl.sigma": "2"})
    assert caught.value.hint == "Did you mean pnl.sigmas?"


def test_names_from_logs_are_safe_text() -> None:
    case = Case().add(row(1, escrow="\x1b]0;x\x07"))
    finding = case.of(Trigger.ESCROW, 100)
    assert all("\x1b" not in str(sample) for sample in finding.samples)
    assert isinstance(Safe(finding.reason), str)


# how long a look holds


_EVENTS = st.lists(
    st.tuples(
        st.floats(0.0, 200.0),
        st.sampled_from(["round", "bad round", "slow", "escrow", "escrow over", "exception", "other side"]),
    ),
    max_size=60,
)


@given(_EVENTS, st.floats(0.0, 200.0), st.lists(st.floats(0.0, 0.999), min_size=1, max_size=4))
def test_while_a_look_holds_and_nothing_comes_another_would_find_the_same(
    events: list[tuple[float, str]], looked: float, shares: list[float]
) -> None:
    case = Case()
    for seconds, what in sorted(events):
        if seconds > looked:
            continue
        common = {"amount": Decimal(-3 if what == "bad round" else 1), "currency": "USD", "latency_ms": 10.0}
        extra = {
            "slow": {"latency_ms": 90.0},
            "escrow": {"escrow": f"e{int(seconds) % 3}"},
            "escrow over": {"escrow": f"e{int(seconds) % 3}", "escrow_over": True},
            "exception": {"fault": "exception"},
        }.get(what, {})
        case.add(row(seconds, "blue" if what == "other side" else "green", **{**common, **extra}))
    assessment = case.look(looked)
    assert 0.0 <= assessment.holds_s <= LONGEST_S
    for share in shares:
        later = assess(
            case.facts, case.source, assessment.memory, case.settings, at(looked + share * assessment.holds_s)
        )
        for before, after in zip(assessment.findings, later.findings, strict=True):
            assert (before.verdict, before.due) == (after.verdict, after.due) or (
                before.trigger is Trigger.LATENCY and after.due is Response.CONTINUE  # too few left to measure
            )


def test_a_look_holds_only_while_all_is_well() -> None:
    assert Case().add(row(1)).look(2).holds_s == LONGEST_S
    assert Case().add(row(1)).look(50).holds_s == pytest.approx(11.0)
    assert Case().add(row(1, fault="exception")).look(2).holds_s == 0.0
    assert Case().look(100).holds_s == 0.0
    assert Case().add(row(1, escrow="e")).look(2).holds_s == 1.0


# pairs: the other version on the same rounds


def pairs(*, worse: float, market: float, rounds: int = 150, seed: int = 1) -> Case:
    """Green loses with the market; blue's priced shadow loses with it too, and `worse` less a round."""
    chance, sums = random.Random(seed), PairSums()
    case = Case()
    for number in range(rounds):
        shock = 1.0 + market + chance.gauss(0.0, 1.0)
        own, shadow = shock - worse + chance.gauss(0.0, 0.3), shock + chance.gauss(0.0, 0.3)
        case.add(row(number + 1, "green", amount=Decimal(str(round(own, 6))), currency="USD"))
        sums = sums.add(own - shadow)
    case.facts.pairs = Pairs(Safe("2.4.0"), "blue", SWITCH + timedelta(seconds=rounds), "USD", sums)
    return case


@pytest.mark.parametrize("market", [0.0, -0.1, -0.3, -2.0, 1.0])
def test_a_market_that_moves_for_both_is_no_harm_where_a_priced_shadow_tells_it(market: float) -> None:
    fired = sum(
        pairs(worse=0.0, market=market, seed=seed).of(Trigger.PNL, 151).verdict is Verdict.HARM for seed in range(40)
    )
    assert fired <= 2
    alone = pairs(worse=0.0, market=market)
    alone.facts.pairs = None
    assert alone.of(Trigger.PNL, 151).verdict is Verdict.HARM or market > -2.0, "the past calls a fallen market harm"


@pytest.mark.parametrize("market", [0.0, -2.0, 1.0])
def test_harm_beside_the_shadow_is_found_in_150_rounds_whatever_the_market_does(market: float) -> None:
    found = sum(
        pairs(worse=0.3, market=market, seed=seed).of(Trigger.PNL, 151).verdict is Verdict.HARM for seed in range(20)
    )
    assert found >= 18


def test_what_a_shadow_said_long_ago_decides_nothing_and_the_past_stands_in_with_its_weakness() -> None:
    case = pairs(worse=2.0, market=0.0)
    finding = case.of(Trigger.PNL, 151 + 60)
    assert "shadow" not in finding.reason
    assert "held against the past" in finding.reason


def test_the_loss_budget_stands_beside_every_shadow() -> None:
    case = pairs(worse=0.0, market=-2.0)
    case.settings = replace(case.settings, pnl_budget=Decimal(50))
    finding = case.of(Trigger.PNL, 151)
    assert (finding.verdict, finding.response) == (Verdict.HARM, Response.ROLL_BACK)
    assert "the budget was 50" in finding.reason


def test_the_chance_of_a_false_alarm_is_shared_by_the_currencies_that_are_judged_side_by_side() -> None:
    chance = random.Random(2)
    case = Case().rounds([round(chance.gauss(0.0, 1.0), 3) for _ in range(120)])
    window, before = case.facts.now.pnl["USD"], case.facts.baseline.pnl["USD"]  # type: ignore[union-attr]
    alone, of_four = (interval(window.money, before, case.settings, currencies)[1] for currencies in (1, 4))
    assert of_four > alone


def test_pairs_are_judged_per_usual_stake_where_both_versions_say_what_was_at_risk() -> None:
    case = pairs(worse=0.3, market=0.0)
    assert case.facts.pairs is not None
    alike = PairSums(150, 0.0, 150.0)
    case.facts.pairs = case.facts.pairs._replace(returned=alike)
    finding = case.of(Trigger.PNL, 151)
    assert finding.verdict is Verdict.SAFE
    assert "of the usual stake a round" in finding.reason
    case.facts.pairs = case.facts.pairs._replace(returned=PairSums(100, 0.0, 9.0))
    assert case.of(Trigger.PNL, 151).verdict is Verdict.HARM
