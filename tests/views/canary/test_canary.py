"""A canary in words: what state, which verdict, the one gate that holds it, how much money, what is still needed."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from console.domain.canary.gate_report import NOBODY, GateReport
from console.domain.canary.plan import Action, Gate, Plan, Position, RunState, Step
from console.domain.seen.observation import Observation
from console.domain.statistics.evidence import Evidence, Verdict
from console.domain.statistics.payoffs import Mean, Payoff
from console.domain.text import Safe
from console.views.canary.canary import CanaryView, canary_view, proposal_of
from console.views.canary.figures import margin_at
from console.views.canary.record import canary_record
from console.views.canary.told import canary_line, canary_text, plan_facts
from console.views.format import effect_text
from console.views.status.report import status_report
from console.views.status.text import status_text
from console.views.tone import Tone
from tests.scenarios import NAMES, observation
from tests.scenarios.parts import NOW, ago
from tests.scenarios.proving import PLAN, POSITION, canary, proving

CANARIES = [name for name in NAMES if name.startswith("canary-") and name != "canary-none"]


def view(name: str) -> CanaryView:
    model = canary_view(observation(name))
    assert model is not None
    return model


def _reported(*held: str) -> GateReport:
    """Somebody asked the gates a moment ago."""
    return GateReport(Safe("guard g1"), canary().run.name, ago(1), held=held)


def figures(name: str) -> dict[str, str]:
    return {figure.label: figure.value for figure in view(name).figures}


@pytest.mark.parametrize(
    ("name", "state", "verdict", "gate", "action"),
    [
        ("canary-shadow-step", "▶ RUNNING", "· SHADOW: no capital", Gate.MINIMUM_SAMPLE, Action.HOLD),
        ("canary-undecided", "▶ RUNNING", "· UNDECIDED", Gate.SIGNAL, Action.HOLD),
        ("canary-ready", "▶ RUNNING", "✔ SAFE", Gate.APPROVAL, Action.HOLD),
        ("canary-paused", "‖ PAUSED", "✔ SAFE", Gate.PAUSED, Action.HOLD),
        ("canary-harm", "▶ RUNNING", "✖ HARM", Gate.GUARDRAIL, Action.ROLL_BACK),
        ("canary-over-budget", "▶ RUNNING", "· UNDECIDED", Gate.LOSS_BUDGET, Action.ROLL_BACK),
        ("canary-stake-withheld", "▶ RUNNING", "· UNDECIDED", Gate.LOSS_BUDGET, Action.ROLL_BACK),
        ("canary-stale-desk", "▶ RUNNING", "· UNDECIDED", Gate.ANALYSIS, Action.HOLD),
        ("canary-no-desk", "▶ RUNNING", "? NO EVIDENCE", Gate.ANALYSIS, Action.HOLD),
        ("canary-failed-analysis", "▶ RUNNING", "? NO EVIDENCE", Gate.ANALYSIS, Action.HOLD),
        ("canary-not-begun", "▶ RUNNING", "· UNDECIDED", Gate.CAPITAL, Action.HOLD),
        ("canary-out-of-ratio", "▶ RUNNING", "· UNDECIDED", Gate.SAMPLE_RATIO, Action.HOLD),
        ("canary-aborted", "✖ ABORTED", "· UNDECIDED", Gate.STATE, Action.HOLD),
        ("canary-done", "✔ DONE", "✔ SAFE", Gate.STATE, Action.HOLD),
    ],
)
def test_the_state_the_verdict_and_the_one_gate_are_those_of_the_rules(
    name: str, state: str, verdict: str, gate: Gate, action: Action
) -> None:
    found, proposal = view(name), proposal_of(observation(name))
    assert proposal is not None
    assert (found.state, found.verdict, proposal.gate, proposal.action) == (state, verdict, gate, action)


@pytest.mark.parametrize(
    ("name", "said", "tone"),
    [
        ("canary-undecided", "held by signal: Undecided: about 588 more rounds.", Tone.INFO),
        ("canary-shadow-step", "held by minimum sample: 19 more rounds.", Tone.INFO),
        ("canary-ready", "Every other gate is open: an operator may promote.", Tone.GOOD),
        ("canary-harm", "to be rolled back: Guardrail: errors 9.1% of 1.0%, at 20% of the capital.", Tone.BAD),
        (
            "canary-over-budget",
            "to be rolled back: The step's loss budget is spent: -60.4 of -60, at 20% of the capital.",
            Tone.BAD,
        ),
        ("canary-no-desk", "held by fresh analysis: There is no analysis.", Tone.WARN),
        ("canary-no-plan", "nothing rises: the plan is not the one that was started", Tone.BAD),
        ("canary-nowhere", "nothing rises: its place in the plan does not exist", Tone.BAD),
        ("canary-aborted", "aborted by ana@ops-1: The step's loss budget is spent: -60 of -60.", Tone.MUTED),
    ],
)
def test_the_gate_is_a_sentence(name: str, said: str, tone: Tone) -> None:
    assert (view(name).gate, view(name).gate_tone) == (said, tone)


@pytest.mark.parametrize(
    ("reported", "said"),
    [
        ((), f"held by closed gate: Closed: {NOBODY}."),
        ((_reported("disputes (escrow e1)"),), "held by closed gate: Closed: disputes (escrow e1)."),
        ((_reported(),), "next: promote. Every gate is open: to 50% of the capital."),
    ],
)
def test_an_automatic_plan_says_what_comes_next_and_whether_somebody_asks_the_gates(
    reported: tuple[GateReport, ...], said: str
) -> None:
    plan = Plan(PLAN.steps, PLAN.settings, automatic=True)
    ready = observation("canary-ready")
    assert ready.store is not None
    assert ready.store.canary is not None
    reading = ready.store.canary._replace(
        run=ready.store.canary.run._replace(plan=plan, digest=plan.digest), gates=reported
    )
    model = canary_view(ready._replace(store=ready.store._replace(canary=reading)))
    assert model is not None
    assert model.gate == said


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("canary-undecided", "588 more rounds"),
        ("canary-shadow-step", "19 more rounds"),
        ("canary-paused", ""),
        ("canary-aborted", ""),
    ],
)
def test_rounds_still_needed_are_told_where_they_can_be(name: str, needed: str) -> None:
    assert view(name).needed == needed


def test_capital_and_exposure_of_both_versions_stand_apart_with_their_currency() -> None:
    figures_by_name = figures("canary-undecided")
    assert figures_by_name["capital"] == "canary 2,000.00, stable 8,000.00 USD"
    assert figures_by_name["at stake"] == "canary 37.50, stable 120.00 USD, 3 open rounds"
    assert figures_by_name["share"] == "target 20 %, in force 20 %, actual 18.7 %"


def test_a_share_that_is_not_in_force_is_marked() -> None:
    assert figures("canary-not-begun")["share"] == "▲ target 20 %, in force 5 %, actual 18.7 %"
    assert figures("canary-not-begun")["this step"] == "the desk has not begun it yet"
    assert "loss budget" not in figures("canary-not-begun"), "the balance is that of the step before"
    assert figures("canary-no-desk")["share"] == "▲ target 20 %, in force unknown, actual –"


@pytest.mark.parametrize(
    ("name", "said", "tone", "fraction"),
    [
        ("canary-undecided", "−14.25 of −60.00 USD", Tone.TEXT, 0.2375),
        ("canary-harm", "−48.10 of −60.00 USD", Tone.WARN, 48.1 / 60),
        ("canary-over-budget", "✖ −60.40 of −60.00 USD, spent", Tone.BAD, 1.0),
        ("canary-stake-withheld", "✖ −58.10 of −60.00 USD, a stake was withheld", Tone.BAD, 58.1 / 60),
        ("canary-shadow-step", "no capital in this step", Tone.MUTED, None),
    ],
)
def test_the_loss_budget_is_a_number_with_its_currency_and_a_bar(
    name: str, said: str, tone: Tone, fraction: float | None
) -> None:
    budget = next(figure for figure in view(name).figures if figure.label == "loss budget")
    assert (budget.value, budget.tone) == (said, tone)
    assert budget.fraction == pytest.approx(fraction) if fraction is not None else budget.fraction is None


def test_money_won_uses_none_of_the_budget() -> None:
    model = canary_view(proving(canary(balance="12.5")))
    assert model is not None
    budget = next(figure for figure in model.figures if figure.label == "loss budget")
    assert (budget.value, budget.fraction) == ("+12.50 of −60.00 USD", 0.0)


def test_what_fired_comes_before_every_other_figure() -> None:
    assert view("canary-harm").figures[0].label == "guardrails"
    assert view("canary-failed-analysis").figures[0].value == "▲ failed: the book can't be read"
    figures_by_name = figures("canary-out-of-ratio")
    assert figures_by_name["sample ratio"] == "▲ 11.0 % of the draws, 20.0 % expected"
    assert figures_by_name["bounds"] == "▲ 1 return beyond the declared bounds: never SAFE"
    assert figures_by_name["refused"].startswith("3 rounds")


def test_a_silent_desk_is_old_and_says_how_old() -> None:
    assert view("canary-undecided").stale == ""
    assert view("canary-stale-desk").stale == "desk silent for 7 min"
    assert view("canary-no-desk").stale == "no desk: nothing shares rounds out"
    assert view("canary-aborted").stale == "", "of a run that is over nothing is expected"


def test_a_desk_that_speaks_of_another_run_says_nothing_of_this_one() -> None:
    reading = canary()
    assert reading.desk is not None
    other = reading._replace(desk=reading.desk._replace(run=reading.desk.run.__class__("another")))
    model = canary_view(proving(other))
    assert model is not None
    assert model.stale == "no desk: nothing shares rounds out"
    assert model.verdict == "? NO EVIDENCE"


def test_a_colour_names_a_slot_and_never_a_verdict() -> None:
    for name in CANARIES:
        model = view(name)
        assert {model.state_tone, model.verdict_tone, model.gate_tone} & {Tone.BLUE, Tone.GREEN} == set()
        assert (model.slot, model.version) == ("green", "v2.5.0")


@pytest.mark.parametrize(
    ("name", "ladder", "places"),
    [
        ("canary-undecided", "0 → 5 → [20] → 50 → 100 %", "past past here ahead ahead"),
        ("canary-shadow-step", "[0] → 5 → 20 → 50 → 100 %", "here ahead ahead ahead ahead"),
        ("canary-aborted", "0 → 5 → ✖20 → 50 → 100 %", "past past failed ahead ahead"),
        ("canary-done", "0 → 5 → 20 → 50 → [100] %", "past past past past past"),
        ("canary-nowhere", "0 → 5 → 20 → 50 → 100 %", "past past past past past"),
        ("canary-no-plan", "[20 %]", ""),
    ],
)
def test_the_ladder_says_what_is_behind_where_it_stands_and_what_is_ahead(name: str, ladder: str, places: str) -> None:
    assert view(name).ladder == ladder
    assert " ".join(step.place for step in view(name).steps) == places


def test_a_step_says_its_money_and_what_is_needed_there() -> None:
    here = view("canary-undecided").steps[2]
    assert (here.share, here.money, here.budget) == ("20 %", "2,000.00", "60.00")
    assert (here.rounds, here.dwell) == ("412 of 100", "60 min of 10 min")
    assert (view("canary-undecided").steps[0].budget, view("canary-undecided").steps[3].rounds) == ("shadow", "100")


def test_a_fraction_of_a_per_cent_keeps_its_digits() -> None:
    steps = (Step(Decimal("0.005"), Decimal(1)), Step(Decimal("0.125"), Decimal(1)), Step(Decimal(1), Decimal(1)))
    model = canary_view(proving(canary(plan=Plan(steps, PLAN.settings))))
    assert model is not None
    assert model.ladder == "0.5 → 12.5 → [100] %"


def test_everything_that_was_frozen_is_in_the_detail() -> None:
    facts = plan_facts(canary(), 2)
    figures_by_name = dict(facts)
    assert figures_by_name["step 3 of 5"] == "20 %, 2,000.00 of 10,000.00 USD"
    assert figures_by_name["margin"].startswith("0.05")
    assert figures_by_name["α"] == "0.05 to roll back, 0.01 to promote, 0.01 alarms"
    assert "2,000 rounds at 20.0 %" in figures_by_name["ρ from"]
    assert PLAN.digest in figures_by_name["digest"]
    assert any(PLAN.settings.digest in text for _label, text in facts)
    assert dict(plan_facts(canary(), 9))["problem"] == "its plan has no such step"


def test_the_margin_is_that_by_which_the_step_is_judged() -> None:
    steps = (Step(Decimal(0)), Step(Decimal("0.05"), Decimal(9), margin=0.2), Step(Decimal(1), Decimal(9)))
    plan = Plan(steps, PLAN.settings)
    reading = canary(plan=plan, position=Position(1, 2))
    assert [margin_at(reading.run, at) for at in range(3)] == [plan.settings_at(at).margin for at in range(3)]
    assert margin_at(reading.run, 99) == plan.settings_at(2).margin
    assert margin_at(reading.run._replace(plan=None), 1) == 0.0


def line(seen: Observation, *, narrow: bool = False) -> str:
    return "".join(text for text, _tone in canary_line(seen, narrow=narrow))


def test_the_line_of_the_overview_says_what_matters_and_then_what_holds_it() -> None:
    assert line(observation("canary-undecided")) == (
        " ▶ RUNNING  0 → 5 → [20] → 50 → 100 %  actual 18.7 %  n 412 / 1,604  Δ [−0.0712, +0.0521]"
        "  · UNDECIDED  budget −14.25 of −60.00 USD  about 588 more rounds."
    )
    assert line(observation("canary-undecided"), narrow=True) == (
        " ▶ 0→5→[20]→50→100 %  n 412/100  budget −14.25/−60.00  · 588 more rounds"
    )
    assert line(observation("canary-stale-desk"), narrow=True).endswith("▲ desk silent for 7 min")
    assert "aborted by ana@ops-1" in line(observation("canary-aborted"))
    assert line(observation("canary-none")) == ""


@pytest.mark.parametrize("name", CANARIES)
def test_the_document_has_the_promised_shape_and_is_json(name: str) -> None:
    seen = observation(name)
    assert seen.store is not None
    document = json.loads(json.dumps(canary_record(seen.store.canary, proposal_of(seen)).document(), allow_nan=False))
    assert list(document) == [
        "run",
        "slot",
        "state",
        "step",
        "revision",
        "share",
        "loss_budget",
        "currency",
        "capital",
        "began_at",
        "step_began_at",
        "by",
        "why",
        "problem",
        "digest",
        "plan",
        "desk",
        "next",
    ]
    assert document["state"] in set(RunState)
    if document["desk"] is not None:
        assert list(document["desk"]) == [
            "holder",
            "at",
            "share_in_force",
            "routed_share",
            "exposure_canary",
            "exposure_stable",
            "open_rounds",
            "rounds",
            "balance",
            "budget_blocked",
            "refused",
            "too_large",
            "sample_ratio",
            "ratio_alarm",
            "alarms",
            "evidence",
        ]
    assert document == json.loads(json.dumps(status_report(seen).document()))["canary"], "`status` says the same"


def test_amounts_are_exact_texts_in_the_document() -> None:
    document = canary_record(canary(), None).document()
    assert document is not None
    assert (document["capital"], document["share"], document["desk"]["balance"]) == ("10000", "0.20", "-14.25")
    assert document["next"] is None
    assert document["step"] == POSITION.step + 1
    assert status_report(observation("canary-none")).document()["canary"] is None


def test_status_tells_of_the_canary_in_words() -> None:
    text = "\n".join(status_text(observation("canary-undecided"), 160))
    assert "canary     green-2.5.0: green v2.5.0   ▶ RUNNING   0 → 5 → [20] → 50 → 100 %   · UNDECIDED" in text
    assert "held by signal: Undecided: about 588 more rounds." in text
    assert "−14.25 of −60.00 USD" in text
    assert "canary " not in "\n".join(status_text(observation("canary-none"), 160))


def test_the_page_of_the_verb_has_every_figure() -> None:
    reading = canary()
    page = canary_text(reading, None, NOW)
    model = canary_view(proving(reading))
    assert model is not None
    assert all(any(figure.label in text and figure.value in text for text in page) for figure in model.figures)


@pytest.mark.parametrize("name", [*CANARIES, "hostile-proofs"])
def test_nothing_that_a_store_holds_breaks_a_line_or_a_page(name: str) -> None:
    seen = observation(name)
    assert canary_view(seen) is not None
    for narrow in (False, True):
        assert line(seen, narrow=narrow).isprintable()
    assert all(text.isprintable() for text in status_text(seen, 500))


def test_effects_have_a_sign_and_what_is_endless_says_so() -> None:
    texts = [effect_text(value) for value in (0.01213, -0.03124, 0.0, float("inf"), -float("inf"), -1e299)]
    assert texts == ["+0.0121", "−0.0312", "+0.0000", "∞", "−∞", "−1.00e+299"]


def test_harm_is_told_as_people_meet_it_on_the_screen_by_the_verb_in_the_reason_and_in_the_document() -> None:
    rare, usual = Mean(157, 1.0, 0.0), Mean(802, 1.0, 0.0)
    nothing = Mean(0, 0.0, 0.0)
    worse = Payoff(412, rare, Mean(255, 1.0, 0.0), 0, 2.0, nothing, Mean(412, -0.238, 0.048), 0.0)
    stable = Payoff(1604, usual, Mean(802, 1.0, 0.0), 0, 2.0, nothing, Mean(1604, 0.0, 0.025), 0.0)
    harm = Evidence(Verdict.HARM, 412, 1604, 201, -0.238, -0.39, -0.05, 0.013, 0, None, payoffs=(worse, stable))
    seen = proving(canary(found=harm))
    words = "lower win rate: 38.1 % of 412 rounds, stable 50 % of 1,604 rounds"
    model, proposal = canary_view(seen), proposal_of(seen)
    assert model is not None
    assert proposal is not None
    assert {figure.label: figure.value for figure in model.figures}["worse how"] == words
    assert f"at most -0.05: {words}, at 20% of the capital." in proposal.reason
    reading = canary(found=harm)
    assert any(words in line for line in canary_text(reading, proposal, NOW))
    document = json.loads(json.dumps(canary_record(reading, proposal).document(), allow_nan=False))
    evidence = document["desk"]["evidence"]
    assert [one["way"] for one in evidence["worse"]] == ["lower win rate"]
    assert (evidence["payoff_canary"]["wins"], evidence["payoff_stable"]["rounds"]) == (157, 1604)
    unknown = canary_record(canary(found=harm._replace(payoffs=None)), proposal).document()
    assert unknown["desk"]["evidence"]["payoff_canary"] is None
    assert "worse how" not in figures("canary-undecided")
