"""Rows for the lists of a screen: decisions, flags, receipts; each with a key that is never reused."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from console.domain.operator.receipt import AuditEntry, Change
from console.domain.seen.decision import Decision
from console.domain.seen.observation import Observation
from console.domain.state.flags import FlagReading, FlagType
from console.views.format import currency_text, milliseconds_text, time_text
from console.views.order import NO_VALUES, By, text_value
from console.views.outside import event_of, moved_text
from console.views.tone import GLYPHS, SEVERITY, Tone, slot_tone


class DecisionRow(NamedTuple):
    """One line of the decision feed, by columns.

    Args:
        key: `Decision.sequence`.
        slot_tone: the colour of its slot; `slot` says the same in words.
    """

    key: int
    time: str
    slot: str
    slot_tone: Tone
    version: str
    kind: str
    outcome: str
    latency: str
    pnl: str
    pnl_tone: Tone
    reasoning: str


def decision_row(decision: Decision, now: datetime) -> DecisionRow:
    """A decision as a row."""
    money = decision.pnl
    pnl, tone = "", Tone.TEXT
    if money is not None:
        pnl = currency_text(money.amount, money.currency, dry=money.dry)
        tone = Tone.MUTED if money.dry or not money.amount else Tone.GAIN if money.amount > 0 else Tone.LOSS
    return DecisionRow(
        key=decision.sequence,
        time=time_text(decision.at, now),
        slot=decision.slot or "–",
        slot_tone=slot_tone(decision.slot),
        version=decision.version,
        kind=decision.kind,
        outcome=decision.outcome,
        latency=milliseconds_text(decision.latency_ms) if decision.latency_ms is not None else "",
        pnl=pnl,
        pnl_tone=tone,
        reasoning=decision.reasoning,
    )


def decision_value(decision: Decision, name: str) -> Any:
    """What a decision is sorted by; money of two currencies, or dry and live, is never mixed."""
    if name == "time":
        return decision.at
    if name == "took":
        return decision.latency_ms
    if name == "PnL":
        money = decision.pnl
        return None if money is None else (money.currency, money.dry, money.amount)
    texts = {"slot": decision.slot, "version": decision.version, "decision": decision.kind, "outcome": decision.outcome}
    return text_value(texts.get(name, decision.reasoning))


class FlagRow(NamedTuple):
    """One flag.

    Args:
        key: its name.
        glyph: ✔ true, ✖ false, ▲ something is wrong, – not set.
        value: what agents read; the default where none is set.
        note: what is wrong, or else what it is for.
    """

    key: str
    glyph: str
    name: str
    type: str
    value: str
    value_tone: Tone
    default: str
    note: str
    note_tone: Tone


def flag_row(flag: FlagReading) -> FlagRow:
    """A flag as a row: what is set, what it should be, and what is wrong with it."""
    spec = flag.spec
    registered = spec.type.value if spec else ""
    default = spec.default if spec and spec.default is not None else "–"
    description = spec.description if spec else "not registered"
    if flag.missing:
        return FlagRow(flag.name, "–", flag.name, registered, "not set", Tone.MUTED, default, description, Tone.MUTED)
    type_name = flag.type.value if flag.type else "?"
    if flag.problem:
        value = flag.raw if flag.type else f"({flag.raw})"
        return FlagRow(flag.name, "▲", flag.name, type_name, value, Tone.WARN, default, flag.problem, Tone.WARN)
    glyph, tone = " ", Tone.TEXT
    if flag.type is FlagType.BOOL:
        glyph, tone = ("✔", Tone.GOOD) if flag.raw == "True" else ("✖", Tone.MUTED)
    return FlagRow(
        flag.name, glyph, flag.name, type_name, flag.raw or "(empty)", tone, default, description, Tone.MUTED
    )


def flag_rows(observation: Observation) -> tuple[FlagRow, ...]:
    """Every flag of a reading, sorted by name."""
    if observation.store is None:
        return ()
    return tuple(flag_row(flag) for _name, flag in sorted(observation.store.flags.items()))


class ActionRow(NamedTuple):
    """One receipt of the audit stream.

    Args:
        key: the entry's id in the stream.
        command: its name; with a sign where nobody gave one: a trip, or a key written by hand.
        change: what changed, on one line: `active version blue → green`.
        summary: the same for a narrow column; where nobody gave a command, with the reason.
        by: what it is sorted by.
    """

    key: str
    time: str
    command: str
    change: str
    elapsed: str
    who: str
    why: str
    note: str
    tone: Tone
    summary: str = ""
    by: By = NO_VALUES


def change_text(change: Change) -> str:
    """A change on one line: `crash_target 2.0 → 2.5`."""
    before = "–" if change.before is None else change.before or "(empty)"
    after = "–" if change.after is None else change.after or "(empty)"
    return f"{change.what} {before} → {after}"


def action_row(entry: AuditEntry, now: datetime) -> ActionRow:
    """A receipt as a row."""
    change = ", ".join(change_text(change) for change in entry.changes) or entry.note
    if entry.command.startswith("flag "):
        change = change.removeprefix("flag:")
    event = event_of(entry)
    tone = Tone.WARN if entry.problem else event.tone if event else Tone.TEXT
    sign = f"{GLYPHS[tone]} " if tone in SEVERITY else ""
    return ActionRow(
        key=entry.stream_id,
        time=time_text(entry.at, now),
        command=f"{sign}{event.label}" if event else entry.command,
        change=change,
        elapsed=milliseconds_text(entry.elapsed_ms) if entry.elapsed_ms is not None else "",
        who=entry.who,
        why=entry.why,
        note=f"▲ {entry.problem}" if entry.problem else entry.note,
        tone=tone,
        summary=moved_text(entry) if event else change.replace("active version ", "active ", 1),
        by={"time": entry.at, "took": entry.elapsed_ms},
    )


def action_rows(observation: Observation) -> tuple[ActionRow, ...]:
    """The receipts of a reading, newest last."""
    if observation.store is None:
        return ()
    return tuple(action_row(entry, observation.now) for entry in observation.store.audit)
