"""Experiments: what is compared, how it stands, and what may be said of it."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from console.domain.experiment.record import ExperimentState, ExperimentView
from console.domain.experiment.trial import ExperimentReading, ExperimentVerdict
from console.domain.seen.observation import Observation
from console.domain.text import clean
from console.views.canary.figures import interval_text
from console.views.format import (
    age_text,
    amount_text,
    count_text,
    effect_text,
    iso_text,
    money_text,
    percent_text,
    plural,
)
from console.views.order import NO_VALUES, By
from console.views.tone import Tone

_STATES: Final = {
    ExperimentState.DEFINED: ("·", Tone.MUTED),
    ExperimentState.RUNNING: ("▶", Tone.GOOD),
    ExperimentState.STOPPED: ("‖", Tone.WARN),
    ExperimentState.ADOPTED: ("✔", Tone.GOOD),
}
_ORDER: Final = (ExperimentState.RUNNING, ExperimentState.STOPPED, ExperimentState.DEFINED, ExperimentState.ADOPTED)
SILENT_AFTER_S: Final = 10.0
"""The agent that runs an experiment reports once a second: after this it is silent."""


class ExperimentRow(NamedTuple):
    """One experiment in a line.

    Args:
        key: its name.
        glyph, tone, state: where it stands.
        a, b: the flag's two values.
        rounds: of either arm, of those after which it is due.
        estimate, interval: B less A; empty before the first round.
        bounds: the same as numbers, for drawing: lower, estimate, upper, margin; None before the first round.
        verdict, verdict_tone: glyph and words.
        heard: why its figures are old; empty while they are not.
        by: what it is sorted by.
    """

    key: str
    glyph: str
    tone: Tone
    state: str
    flag: str
    a: str
    b: str
    rounds: str
    estimate: str
    interval: str
    bounds: tuple[float, float, float, float] | None
    verdict: str
    verdict_tone: Tone
    heard: str
    view: ExperimentView
    by: By = NO_VALUES


def experiment_rows(observation: Observation) -> tuple[ExperimentRow, ...]:
    """Every experiment: those that run first, those that are over last, each part by name; unreadable ones in front."""
    store = observation.store
    if store is None:
        return ()
    now = store.server_at + (observation.now - store.at)
    return tuple(_row(view, now) for view in sorted(store.experiments, key=_place))


def _place(view: ExperimentView) -> tuple[int, str]:
    return (-1 if view.record is None else _ORDER.index(view.record.state), view.name)


def _row(view: ExperimentView, now: datetime) -> ExperimentRow:
    record, report = view.record, view.report
    if record is None:
        return ExperimentRow(
            view.name,
            "▲",
            Tone.WARN,
            "?",
            "",
            "",
            "",
            "",
            "",
            "",
            None,
            f"▲ can't be read: {view.problem}",
            Tone.WARN,
            "",
            view,
        )
    glyph, tone = _STATES[record.state]
    experiment = record.experiment
    verdict, verdict_tone = verdict_words(view)
    by: dict[str, object] = {"rounds": None, "difference": None}
    rounds, estimate, interval, bounds, heard = f"– of {count_text(experiment.rounds_each)}", "", "", None, ""
    if report is not None:
        reading = report.reading
        a, b = reading.clusters or (reading.rounds_a, reading.rounds_b)
        of = "clusters" if reading.clusters else "each"
        rounds = f"{count_text(a)} + {count_text(b)} of {count_text(experiment.rounds_each)} {of}"
        estimate, interval = effect_text(reading.estimate), interval_text(reading.lower, reading.upper)
        bounds = (reading.lower, reading.estimate, reading.upper, experiment.settings.margin)
        heard = silence(view, now)
        by = {"rounds": a + b, "difference": reading.estimate}
    return ExperimentRow(
        record.name,
        glyph,
        tone,
        record.state.value,
        clean(experiment.flag, 80),
        clean(experiment.a),
        clean(experiment.b),
        rounds,
        estimate,
        interval,
        bounds,
        verdict,
        Tone.STALE if heard else verdict_tone,
        heard,
        view,
        by,
    )


def silence(view: ExperimentView, now: datetime) -> str:
    """How long nobody has reported on an experiment that runs; empty where somebody has."""
    if view.record is None or view.record.state is not ExperimentState.RUNNING or view.report is None:
        return ""
    age_s = (now - view.report.at).total_seconds()
    return f"▲ silent for {age_text(age_s)}" if age_s > SILENT_AFTER_S else ""


def verdict_words(view: ExperimentView) -> tuple[str, Tone]:
    """What may be said of it now, glyph and words; never a winner while the rounds are not split as assigned."""
    record, report = view.record, view.report
    if record is not None and record.state is ExperimentState.ADOPTED:
        return f"✔ adopted {clean(record.winner, 60)}", Tone.GOOD
    if report is None:
        return (f"▲ {view.problem}", Tone.WARN) if view.problem else ("· no round yet", Tone.MUTED)
    reading = report.reading
    if reading.ratio_alarm:
        return "▲ not split as assigned", Tone.WARN
    if reading.verdict is ExperimentVerdict.UNDECIDED:
        unit = "cluster" if reading.clusters else "round"
        needed = f", {plural(reading.rounds_needed, unit)} more" if reading.rounds_needed else ""
        return f"· {'due, ' if reading.due else ''}undecided{needed}", Tone.WARN if reading.due else Tone.INFO
    if reading.verdict is ExperimentVerdict.NO_DIFFERENCE:
        return "✔ no difference beyond the margin", Tone.GOOD
    return f"✔ {reading.verdict.value}", Tone.GOOD


def experiment_facts(view: ExperimentView) -> list[tuple[str, str]]:
    """Everything about one, as label and text."""
    record, report = view.record, view.report
    if record is None:
        return [("problem", view.problem)]
    experiment = record.experiment
    settings = experiment.settings
    unit = "cluster" if experiment.cluster or (report is not None and report.reading.clusters) else "round"
    half = f"{amount_text(record.capital / 2)} {record.currency} for either arm"
    facts = [
        ("state", f"{record.state.value} since {iso_text(record.changed_at)}"),
        ("verdict", verdict_words(view)[0]),
        ("flag", clean(experiment.flag, 80)),
        ("A", clean(experiment.a)),
        ("B", clean(experiment.b)),
    ]
    if report is not None:
        reading = report.reading
        facts += [
            ("rounds", f"A {count_text(reading.rounds_a)}, B {count_text(reading.rounds_b)}"),
            ("judged", judged_text(reading)),
            ("clusters", clusters_text(view)),
            (
                "B less A",
                f"{effect_text(reading.estimate)}  {interval_text(reading.lower, reading.upper)} "
                f"{'a cluster' if reading.clusters else 'a round'}",
            ),
            ("before", before_text(reading)),
            (
                "may hide",
                f"A {effect_text(reading.hidden_a)}, B {effect_text(reading.hidden_b)}, taken off either's lead",
            ),
            ("money", f"A {money_text(report.money_a)}, B {money_text(report.money_b)} {record.currency}"),
            ("refused", plural(report.refused, "stake") + ": the arm's half was used up" if report.refused else ""),
            ("ratio", "▲ the rounds reported are not split as they were assigned" if reading.ratio_alarm else ""),
            ("due", "both arms have had their rounds" if reading.due else ""),
            ("told by", f"{report.holder}, {iso_text(report.at)}"),
        ]
    facts += [
        ("capital", half),
        ("due after", f"{count_text(experiment.rounds_each)} {unit}s of either arm"),
        ("margin", f"{settings.margin:g} per unit at risk and round, α {settings.alpha_harm:g}"),
        ("winner", clean(record.winner)),
        ("by", record.by),
        ("why", record.why),
    ]
    return [(label, text) for label, text in facts if text]


def judged_text(reading: ExperimentReading) -> str:
    """What the verdict rests on: here no round outweighs another, whatever its stake."""
    if reading.clusters is None:
        return "every round alike, by its return on the money at risk; what an arm may hide counts against it"
    return "every cluster alike, by its mean return on the money at risk; what an arm may hide counts against it"


def clusters_text(view: ExperimentView) -> str:
    """What is judged where rounds hang together, and why; empty where each stands for itself."""
    if view.record is None or view.report is None or view.report.reading.clusters is None:
        return ""
    named, reading = view.record.experiment.cluster, view.report.reading
    a, b = reading.clusters or (0, 0)
    why = f"by {clean(named, 80)}" if named else "▲ a unit has several rounds, and no cluster is named"
    least = view.record.experiment.settings.min_blocks
    few = f", at least {count_text(least)} of each are needed" if min(a, b) < least else ""
    out = f"; {plural(reading.left_out, 'round')} of later clusters left out" if reading.left_out else ""
    return f"A {count_text(a)}, B {count_text(b)}, each counts once: {why}{few}{out}"


def before_text(reading: ExperimentReading) -> str:
    """What the rounds before the assignment do for the interval; empty where none are known."""
    if reading.clusters is None or not reading.known_before:
        return ""
    known = f"{count_text(reading.known_before)} of {plural(sum(reading.clusters), 'cluster')}"
    return f"known of {known}: variance {percent_text(reading.reduction)} lower"
