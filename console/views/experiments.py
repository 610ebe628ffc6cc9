"""Experiments: what is compared, how it stands, and what may be said of it."""

from __future__ import annotations

from math import isfinite
from typing import Any, NamedTuple

from console.domain.experiment import ExperimentVerdict
from console.domain.experiment_record import ExperimentState, ExperimentView
from console.domain.observation import Observation
from console.domain.text import clean
from console.views.format import amount_text, iso_text, money_text, plural
from console.views.tone import Tone

_STATES = {
    ExperimentState.DEFINED: ("·", Tone.MUTED),
    ExperimentState.RUNNING: ("▶", Tone.GOOD),
    ExperimentState.STOPPED: ("‖", Tone.WARN),
    ExperimentState.ADOPTED: ("✔", Tone.GOOD),
}


class ExperimentRow(NamedTuple):
    """One experiment in a line."""

    key: str
    glyph: str
    tone: Tone
    name: str
    flag: str
    values: str
    rounds: str
    interval: str
    verdict: str
    verdict_tone: Tone
    view: ExperimentView

    @property
    def search(self) -> str:
        """The words a filter looks at."""
        return f"{self.name} {self.flag} {self.values} {self.verdict}"


def experiment_rows(observation: Observation) -> tuple[ExperimentRow, ...]:
    """Every experiment: those that run first, then by name."""
    found = observation.store.experiments if observation.store is not None else ()
    rows = [_row(view) for view in found]
    return tuple(sorted(rows, key=lambda row: (row.glyph != "▶", row.name)))


def _row(view: ExperimentView) -> ExperimentRow:
    record = view.record
    if record is None:
        return ExperimentRow(
            str(view.name), "▲", Tone.WARN, str(view.name), "", f"can't be read: {view.problem}", "", "", "", Tone.WARN,
            view,
        )  # fmt: skip
    glyph, tone = _STATES[record.state]
    experiment, report = record.experiment, view.report
    verdict, verdict_tone = verdict_words(view)
    rounds = f"– of {experiment.rounds_each:,}"
    interval = ""
    if report is not None:
        reading = report.reading
        rounds = f"{reading.rounds_a:,} + {reading.rounds_b:,} of {experiment.rounds_each:,} each"
        interval = f"{_number(reading.estimate)} [{_number(reading.lower)}, {_number(reading.upper)}]"
    return ExperimentRow(
        record.name, glyph, tone, record.name, clean(experiment.flag, 40), _values(view), rounds, interval,
        verdict, verdict_tone, view,
    )  # fmt: skip


def _values(view: ExperimentView) -> str:
    """Both values, made safe: what stands in the store may be anybody's."""
    assert view.record is not None
    experiment = view.record.experiment
    return f"A {clean(experiment.a, 40)}  B {clean(experiment.b, 40)}"


def verdict_words(view: ExperimentView) -> tuple[str, Tone]:
    """What may be said of it now."""
    record, report = view.record, view.report
    if record is not None and record.state is ExperimentState.ADOPTED:
        return f"adopted {clean(record.winner, 40)}", Tone.GOOD
    if report is None:
        return "no round yet", Tone.MUTED
    reading = report.reading
    if reading.ratio_alarm:
        return "▲ rounds are not split as they were assigned", Tone.WARN
    if reading.verdict is ExperimentVerdict.UNDECIDED:
        needed = f", {plural(reading.rounds_needed, 'round')} to go" if reading.rounds_needed else ""
        return f"undecided{' and due' if reading.due else ''}{needed}", Tone.INFO
    return reading.verdict.value, Tone.GOOD


def _number(value: float) -> str:
    if not isfinite(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:+.4f}".replace("-", "−")


def experiment_facts(view: ExperimentView) -> list[tuple[str, str]]:
    """Everything about one, as label and text."""
    record, report = view.record, view.report
    if record is None:
        return [("problem", str(view.problem))]
    experiment = record.experiment
    facts = [
        ("state", record.state.value),
        ("flag", str(clean(experiment.flag, 80))),
        ("A", str(clean(experiment.a))),
        ("B", str(clean(experiment.b))),
        ("capital", f"{amount_text(record.capital)} {record.currency}, half for each"),
        ("margin", f"{experiment.settings.margin:g} per unit at risk and round"),
        ("due after", f"{experiment.rounds_each:,} rounds of each"),
        ("verdict", verdict_words(view)[0]),
    ]
    if report is not None:
        reading = report.reading
        facts += [
            ("rounds", f"A {reading.rounds_a:,}, B {reading.rounds_b:,}"),
            ("B less A", f"{_number(reading.estimate)}  [{_number(reading.lower)}, {_number(reading.upper)}]"),
            ("may hide", f"A {_number(reading.hidden_a)}, B {_number(reading.hidden_b)}"),
            ("money", f"A {money_text(report.money_a)}, B {money_text(report.money_b)} {record.currency}"),
            ("refused", plural(report.refused, "stake") if report.refused else ""),
            ("told by", f"{report.holder}, {iso_text(report.at)}"),
        ]
    return [*facts, ("winner", str(clean(record.winner))), ("by", str(record.by)), ("why", str(record.why))]


def experiment_document(view: ExperimentView) -> dict[str, Any]:
    """An experiment as plain values, for `--json`; amounts are exact texts."""
    record, report = view.record, view.report
    if record is None:
        return {"name": view.name, "problem": view.problem}
    experiment = record.experiment
    document: dict[str, Any] = {
        "name": record.name,
        "state": record.state.value,
        "revision": record.revision,
        "flag": experiment.flag,
        "a": experiment.a,
        "b": experiment.b,
        "rounds_each": experiment.rounds_each,
        "margin": experiment.settings.margin,
        "capital": f"{record.capital:f}",
        "currency": record.currency,
        "winner": record.winner or None,
        "by": record.by,
        "why": record.why,
        "report": None,
        "problem": None,
    }
    if report is not None:
        reading = report.reading
        document["report"] = {
            "at": iso_text(report.at),
            "verdict": reading.verdict.value,
            "rounds_a": reading.rounds_a,
            "rounds_b": reading.rounds_b,
            "estimate": reading.estimate,
            "lower": reading.lower if isfinite(reading.lower) else None,
            "upper": reading.upper if isfinite(reading.upper) else None,
            "ratio_alarm": reading.ratio_alarm,
            "due": reading.due,
            "rounds_needed": reading.rounds_needed,
            "money_a": f"{report.money_a:f}",
            "money_b": f"{report.money_b:f}",
            "refused": report.refused,
        }
    return document
