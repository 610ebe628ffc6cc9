"""Everything about one row: a decision with its record, a flag, a receipt."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from console.domain.experiment.record import ExperimentView
from console.domain.guard.alerts import Alert
from console.domain.seen.decision import Decision
from console.domain.seen.observation import Observation
from console.domain.text import clean
from console.views.canary.canary import StepRow
from console.views.canary.told import plan_facts
from console.views.experiments import experiment_facts
from console.views.fence.instances import DoubtRow, InstanceRow, doubt_facts, instance_facts, instance_of
from console.views.format import bytes_text, iso_text, milliseconds_text
from console.views.guard.alerts import alert_facts
from console.views.guard.before import before_facts, changed_facts
from console.views.guard.triggers import TriggerRow, trigger_facts
from console.views.lists import ActionRow, FlagRow
from widgets.text.line_widget import Span
from widgets.text.wrap import wrap_words

WIDTH = 92
"""Cells a line takes where there is room."""
LEAST = 30
FRAME = 8
"""Cells between the edge of the terminal and the text."""
_LABEL = 12
_MOST_LINES = 200


def detail_of(row: object, observation: Observation | None, width: int = WIDTH) -> tuple[str, list[list[Span]]] | None:
    """Title and lines for a row's detail; None where there is nothing more to say.

    Args:
        row: of a list.
        observation: the newest.
        width: cells that a line may take.
    """
    told = _Told(max(LEAST, min(width, WIDTH)))
    if isinstance(row, Decision):
        return f"Decision {row.sequence}", told.decision(row)
    if isinstance(row, FlagRow):
        return f"Flag {row.name}", told.flag(row, observation)
    if isinstance(row, ActionRow):
        return f"Receipt {row.key}", told.action(row, observation)
    if isinstance(row, DoubtRow):
        return f"In doubt: {row.key}", told.doubt(row)
    if isinstance(row, Alert):
        before = before_facts(row, observation) if observation is not None else []
        ways = [[], [(" f to the flag   R roll back   E evidence", "dim")]] if before else []
        facts = told.facts([*alert_facts(row), *before])
        return f"Alert {row.id}", [*facts, *ways, *told.shown_by(row.samples, observation)]
    if isinstance(row, TriggerRow) and observation is not None:
        facts = told.facts(trigger_facts(observation, row.key))
        return f"Trigger {row.name}", [*facts, *told.shown_by(row.reading.samples, observation)]
    if isinstance(row, StepRow) and observation is not None:
        return f"Plan, step {int(row.key) + 1}", told.plan(row, observation)
    if isinstance(row, ExperimentView):
        return f"Experiment {row.name}", told.facts(experiment_facts(row))
    if isinstance(row, InstanceRow) and observation is not None:
        one = instance_of(observation, row.key)
        return (f"Instance {row.key}", told.facts(instance_facts(observation, one))) if one is not None else None
    return None


def fact_lines(facts: Iterable[tuple[str, str]], width: int) -> list[list[Span]]:
    """Facts with their names, one below the other, in lines of at most `width` cells."""
    return _Told(max(LEAST, min(width, WIDTH))).facts(facts)


class _Told:
    """Tells what there is to say in lines of a width.

    Args:
        width: cells.
    """

    def __init__(self, width: int) -> None:
        self._width = width

    def plan(self, row: StepRow, observation: Observation) -> list[list[Span]]:
        """A step of the canary's plan, and everything that was frozen at its start."""
        reading = observation.store.canary if observation.store is not None else None
        facts = plan_facts(reading, int(row.key)) if reading is not None else []
        return [line for label, text in facts for line in (self.fact(label, text) if text else [[]])]

    def shown_by(self, samples: Sequence[str], observation: Observation | None) -> list[list[Span]]:
        """The decisions that a finding names, as far as they are among the newest that were read."""
        recent = observation.logs.recent if observation is not None and observation.logs is not None else ()
        lines: list[list[Span]] = []
        for decision in recent:
            place = f"{decision.source.rsplit('/', 1)[-1]}@{decision.offset}"
            if any(sample.endswith(place) for sample in samples):
                lines += [[], *self.decision(decision)]
        return lines

    def facts(self, facts: Iterable[tuple[str, str]]) -> list[list[Span]]:
        return [line for label, text in facts for line in self.fact(label, text)]

    def doubt(self, row: DoubtRow) -> list[list[Span]]:
        return [
            *self.facts(doubt_facts(row)),
            [],
            [(" Nobody knows whether it was executed: ask the venue, then say what it says.", "")],
            [(f" d   :doubts resolve {row.key} executed --evidence TEXT", "dim")],
        ]

    def fact(self, label: str, text: str, tone: str = "") -> list[list[Span]]:
        if not text:
            return []
        lines = wrap_words(text, self._width - _LABEL - 2)
        return [
            [(f" {label if index == 0 else '':<{_LABEL}}", "dim"), (line, tone)] for index, line in enumerate(lines)
        ]

    def decision(self, decision: Decision) -> list[list[Span]]:
        money = decision.pnl
        lines = [
            *self.fact(
                "at",
                iso_text(decision.at) + (f", {decision.future_s:.0f} s in the future" if decision.future_s else ""),
            ),
            *self.fact("slot", decision.slot or "none", decision.slot),
            *self.fact("version", decision.version),
            *self.fact("decision", decision.kind, "strong"),
            *self.fact("outcome", decision.outcome, "strong"),
            *self.fact("why", decision.reasoning),
            *self.fact("PnL", f"{money.amount} {money.currency}{' dry' if money.dry else ''}" if money else ""),
            *self.fact("took", milliseconds_text(decision.latency_ms) if decision.latency_ms is not None else ""),
            *self.fact("from", f"{decision.source}, byte {decision.offset:,}"),
            [],
            [(f" the record as it was written ({bytes_text(len(decision.raw))})", "dim")],
        ]
        return [*lines, *self.record(decision.raw)]

    def record(self, raw: bytes) -> list[list[Span]]:
        """The line itself, indented where it is JSON; made safe again, since it comes from outside."""
        try:
            text = json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            text = raw.decode("utf-8", "replace")
        lines: list[list[Span]] = []
        for line in text.split("\n")[: _MOST_LINES + 1]:
            safe = clean(line, 2000)
            indent = len(safe) - len(safe.lstrip(" "))
            lines += [
                [("   " + " " * indent + part, "")]
                for part in wrap_words(safe.lstrip(" "), max(20, self._width - 4 - indent))
            ]
        if len(lines) > _MOST_LINES:
            lines = [*lines[:_MOST_LINES], [("   … the rest is not shown", "dim")]]
        return lines

    def flag(self, row: FlagRow, observation: Observation | None) -> list[list[Span]]:
        return [
            *self.fact("value", row.value, row.value_tone.value),
            *self.fact("type", row.type),
            *self.fact("default", row.default),
            *self.fact("note", row.note, row.note_tone.value),
            *self.facts(changed_facts(row.key, observation) if observation is not None else ()),
            [],
            [(f" :flag set {row.name} VALUE   :flag unset {row.name}   space toggles True and False", "dim")],
        ]

    def action(self, row: ActionRow, observation: Observation | None) -> list[list[Span]]:
        lines = [
            *self.fact("at", row.time),
            *self.fact("command", row.command, "strong"),
            *self.fact("who", row.who),
            *self.fact("why", row.why or "no reason was given", "" if row.why else "dim"),
            *self.fact("took", row.elapsed),
            *self.fact("note", row.note, row.tone.value),
        ]
        store = observation.store if observation else None
        entry = next((e for e in store.audit if e.stream_id == row.key), None) if store else None
        if entry is not None:
            lines += [
                *self.fact("id", entry.id, "dim"),
                *self.fact("epoch", str(entry.epoch) if entry.epoch else "", "dim"),
            ]
            lines += [[], [(" what changed", "dim")]]
            for change in entry.changes:
                before = "–" if change.before is None else change.before
                after = "–" if change.after is None else change.after
                lines += [[("   ", ""), (clean(change.what, 40), ""), ("   ", "")]]
                lines += [
                    [("     before  ", "dim"), (part, "")] for part in wrap_words(clean(before), self._width - 16)
                ]
                lines += [
                    [("     after   ", "dim"), (part, "strong")] for part in wrap_words(clean(after), self._width - 16)
                ]
        return lines
