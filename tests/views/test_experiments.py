"""Experiments in words: where each stands, what may be said of it, and what it rests on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from console.domain.experiment.record import ExperimentState
from console.domain.experiment.trial import ExperimentVerdict
from console.views.experiment_record import experiment_record
from console.views.experiments import experiment_facts, experiment_rows, verdict_words
from console.views.status.report import status_report
from console.views.status.text import status_text
from console.views.tone import Tone
from tests.scenarios import observation
from tests.scenarios.proving import experiment, proving
from tests.scenarios.unproven import hostile_experiments, silent_experiment


def rows() -> dict[str, tuple[str, ...]]:
    return {
        row.key: (row.glyph, row.state, row.rounds, row.verdict) for row in experiment_rows(observation("experiments"))
    }


def test_each_says_where_it_stands_and_what_may_be_said() -> None:
    assert rows() == {
        "broken": ("▲", "?", "", "▲ can't be read: It is not JSON."),
        "cash-out-2x": ("▶", "RUNNING", "212 + 198 of 1,000 each", "· undecided, 2,210 rounds more"),
        "skewed": ("▶", "RUNNING", "212 + 198 of 1,000 each", "▲ not split as assigned"),
        "sizing": ("‖", "STOPPED", "512 + 498 of 1,000 each", "✔ B better"),
        "next": ("·", "DEFINED", "– of 1,000", "· no round yet"),
        "older": ("✔", "ADOPTED", "512 + 498 of 1,000 each", "✔ adopted flat"),
    }


def test_where_rounds_hang_together_clusters_are_shown_and_no_interval_of_rounds() -> None:
    view = experiment("sizing", ExperimentState.RUNNING, ExperimentVerdict.UNDECIDED)
    assert view.record is not None
    assert view.report is not None
    more = {"clusters": (70, 12), "left_out": 3, "known_before": 41, "reduction": 0.43}
    report = view.report._replace(reading=replace(view.report.reading, **more))
    told = dict(experiment_facts(view._replace(report=report)))
    unnamed = "▲ a unit has several rounds, and no cluster is named"
    least = "at least 30 of each are needed; 3 rounds of later clusters left out"
    assert told["clusters"] == f"A 70, B 12, each counts once: {unnamed}, {least}"
    assert told["before"] == "known of 41 of 82 clusters: variance 43.0 % lower"
    assert told["B less A"] == "+0.0100  [−0.0810, +0.1012] a cluster"
    assert told["judged"].startswith("every cluster alike, by its mean return on the money at risk")
    assert told["verdict"] == "· undecided, 2,210 clusters more"
    named = replace(view.record.experiment, cluster="inputs.customer")
    facts = dict(experiment_facts(view._replace(record=view.record._replace(experiment=named), report=report)))
    assert facts["clusters"].startswith("A 70, B 12, each counts once: by inputs.customer, ")
    assert facts["due after"] == "1,000 clusters of either arm"
    document = experiment_record(view._replace(report=report)).document()
    assert (document["report"]["clusters"], document["report"]["reduction"]) == ([70, 12], 0.43)


def test_what_can_not_be_read_comes_first_and_what_is_over_last() -> None:
    assert [row.key for row in experiment_rows(observation("experiments"))] == [
        "broken",
        "cash-out-2x",
        "skewed",
        "sizing",
        "next",
        "older",
    ]


def test_no_difference_and_undecided_are_answers_and_a_ratio_alarm_names_no_winner() -> None:
    same = experiment("a", ExperimentState.RUNNING, ExperimentVerdict.NO_DIFFERENCE)
    assert verdict_words(same) == ("✔ no difference beyond the margin", Tone.GOOD)
    alarmed = experiment("a", ExperimentState.RUNNING, ExperimentVerdict.B_BETTER, alarm=True)
    assert verdict_words(alarmed) == ("▲ not split as assigned", Tone.WARN)


def test_due_and_still_undecided_asks_for_attention() -> None:
    words, tone = verdict_words(silent_experiment())
    assert (words, tone) == ("· due, undecided, 500 rounds more", Tone.WARN)


def test_an_experiment_that_runs_and_is_silent_says_how_long_and_one_that_stopped_does_not() -> None:
    (silent,) = experiment_rows(observation("experiment-silent"))
    assert (silent.heard, silent.verdict_tone) == ("▲ silent for 4 min", Tone.STALE)
    assert {row.heard for row in experiment_rows(observation("experiments"))} == {""}


def test_the_interval_is_there_in_words_and_as_numbers() -> None:
    row = next(row for row in experiment_rows(observation("experiments")) if row.key == "sizing")
    assert (row.estimate, row.interval) == ("+0.0613", "[+0.0341, +0.0885]")
    assert row.bounds == (0.0341, 0.0613, 0.0885, 0.05)


def test_the_facts_hold_the_money_of_either_arm_with_its_currency() -> None:
    figures_by_name = dict(experiment_facts(experiment("sizing", ExperimentState.STOPPED, ExperimentVerdict.B_BETTER)))
    assert figures_by_name["money"] == "A +12.50, B +24.75 USD"
    assert figures_by_name["capital"] == "500.00 USD for either arm"
    assert figures_by_name["B less A"] == "+0.0613  [+0.0341, +0.0885] a round"
    assert figures_by_name["judged"].startswith("every round alike, by its return on the money at risk")
    assert figures_by_name["refused"] == "2 stakes: the arm's half was used up"
    assert "ratio" not in figures_by_name


def test_documents_have_the_promised_shape() -> None:
    document = json.loads(json.dumps(status_report(observation("experiments")).document(), allow_nan=False))[
        "experiments"
    ]
    by_name = {one["name"]: one for one in document}
    assert list(by_name["sizing"]) == [
        "name",
        "state",
        "revision",
        "flag",
        "a",
        "b",
        "rounds_each",
        "cluster",
        "margin",
        "capital",
        "currency",
        "winner",
        "by",
        "why",
        "report",
        "problem",
    ]
    assert list(by_name["sizing"]["report"]) == [
        "at",
        "verdict",
        "rounds_a",
        "rounds_b",
        "estimate",
        "lower",
        "upper",
        "ratio_alarm",
        "due",
        "rounds_needed",
        "clusters",
        "left_out",
        "known_before",
        "reduction",
        "money_a",
        "money_b",
        "refused",
    ]
    assert (by_name["sizing"]["capital"], by_name["sizing"]["report"]["money_a"]) == ("1000", "12.50")
    assert by_name["next"]["report"] is None
    assert by_name["broken"] == {"name": "broken", "problem": "It is not JSON."}


def test_what_is_endless_is_null_in_the_document() -> None:
    document = experiment_record(hostile_experiments()[0]).document()
    assert (document["report"]["lower"], document["report"]["upper"]) == (None, None)
    json.dumps(document, allow_nan=False)


def test_status_tells_of_experiments_in_words() -> None:
    text = "\n".join(status_text(observation("experiments"), 120))
    assert "experiment ‖ sizing   STOPPED   ✔ B better" in text
    assert "experiment ▲ broken   ?   ▲ can't be read: It is not JSON." in text


@pytest.mark.parametrize("view", hostile_experiments())
def test_nothing_hostile_stays_in_a_row(view: object) -> None:
    seen = proving(None, experiments=(view,))
    (row,) = experiment_rows(seen)
    assert all(cell.isprintable() for cell in row if isinstance(cell, str))
    assert all(text.isprintable() for _label, text in experiment_facts(row.view))
