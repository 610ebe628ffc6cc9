"""From what a view says to what a widget draws: no decisions here, only the change of type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from console.domain.seen.observation import Observation
from console.views.fence.instances import DoubtRow, InstanceRow
from console.views.fence.link import HeaderView, link_view, stale_words
from console.views.fence.slots import Facts, SlotView
from console.views.format import count_text
from console.views.guard.alerts import AlertRow
from console.views.guard.guards import GuardWord
from console.views.guard.triggers import TriggerRow
from console.views.lists import ActionRow, DecisionRow, FlagRow
from console.views.tone import Tone
from widgets.frame.header import Chip, HeaderData
from widgets.frame.slot_card import Field, SlotCardData
from widgets.lists.columns import Column
from widgets.lists.feed import FeedRow
from widgets.lists.grid import GridRow
from widgets.text.plain import width_of

NEWEST_LAST: Final = "newest last"
"""The one order of every list of what happened: the newest stands at the end, which is what is shown at first."""

DECISION_COLUMNS = (
    Column("time", 8, tone="dim"),
    Column("slot", 5),
    Column("version", 8, tone="dim", priority=4, most=20, ends=True),
    Column("decision", 13, tone="dim", most=24),
    Column("outcome", 17, most=80),
    Column("PnL", 9, align="right", most=36, whole=True),
    Column("took", 6, align="right", tone="dim", priority=3, falls=True),
    Column("why", 0, tone="dim", priority=5),
)
FLAG_COLUMNS = (
    Column("", 1),
    Column("flag", 18, most=48, ends=True),
    Column("type", 6, tone="dim", priority=2),
    Column("value", 13, most=32),
    Column("default", 11, tone="dim", priority=3, most=24),
    Column("note", 0, tone="dim", priority=4),
)
FLAG_COLUMNS_WIDE = (
    Column("", 1),
    Column("flag", 28, most=64, ends=True),
    Column("type", 7, tone="dim", priority=2),
    Column("value", 24, most=64),
    Column("default", 16, tone="dim", priority=3, most=40),
    Column("what it is for, or what is wrong", 0, priority=4),
)
AUDIT_COLUMNS = (
    Column("time", 8, tone="dim"),
    Column("command", 17, most=28),
    Column("change", 0),
    Column("took", 7, align="right", tone="dim", priority=3, falls=True),
    Column("who", 18, tone="dim", priority=2, most=32, ends=True),
    Column("why", 30, tone="dim", priority=4, most=48),
)
ACTION_COLUMNS = (
    Column("time", 8, tone="dim"),
    Column("command", 15, most=28),
    Column("change", 0),
    Column("took", 6, align="right", tone="dim", priority=2),
    Column("who", 24, tone="dim", priority=3, most=40, ends=True),
)
INSTANCE_COLUMNS = (
    Column("", 1),
    Column("instance", 0, ends=True, always=True),
    Column("version", 7, tone="dim", priority=5),
    Column("acknowledged", 12),
    Column("heartbeat", 9, align="right", priority=3),
    Column("flight", 6, align="right", priority=4, most=9, whole=True, falls=True),
    Column("doubt", 5, align="right", most=9, whole=True, falls=True),
)
TRIGGER_COLUMNS = (Column("", 1), Column("", 12, tone="dim"), Column("", 0))
TRIGGER_CELLS = 21
"""Of the last of these columns beside the cards."""
TRIGGER_COLUMNS_WIDE = (
    Column("", 1),
    Column("trigger", 13),
    Column("of its limit", 24),
    Column("n", 7, align="right", tone="dim", priority=3, most=12, whole=True),
    Column("arming", 6, priority=2),
    Column("due", 6, priority=1),
    Column("why", 0, tone="dim", priority=4),
)
ALERT_COLUMNS = (
    Column("", 1),
    Column("time", 8, tone="dim"),
    Column("what", 15, most=24),
    Column("why", 0),
    Column("seen by", 22, tone="dim", priority=3, most=40),
)
DOUBT_COLUMNS = (
    Column("in doubt", 22, most=48, ends=True, always=True),
    Column("amount", 13, align="right", most=36, whole=True, falls=True),
    Column("held by", 14, priority=1, most=32, ends=True),
    Column("since", 8, tone="dim"),
    Column("what it is", 0, tone="dim", priority=2),
)


def header_data(view: HeaderView, guard: GuardWord, chips: Iterable[Chip] = ()) -> HeaderData:
    """The header bar."""
    told = (Chip(view.missing, "warn", keep=2), Chip(view.warning, "warn", keep=6))
    warnings = tuple(chip for chip in told if chip.text)
    return HeaderData(
        profile=view.profile,
        protected=view.protected,
        agent=view.agent,
        url=view.url,
        link=view.link.state.value,
        link_note=view.link.detail,
        active=view.active,
        active_text=view.active_text,
        role=view.role,
        tone=view.tone.value,
        epoch=view.epoch,
        guard=guard.text,
        guard_short=guard.short,
        guard_tone=guard.tone.value,
        mode=view.mode,
        clock=view.clock,
        chips=(*warnings, *chips),
    )


def card_data(view: SlotView) -> SlotCardData:
    """A slot's card: figures, then money by currency in one column, the first of which gets the sparkline."""
    lines = [_fields(facts) for facts in view.lines]
    lines += [(Field("", text, Tone.MUTED.value),) for text in view.empty]
    more = f"and {view.pnl_more} more currencies" if view.pnl_more else ""
    first = view.pnl[0] if view.pnl else None
    money = [(pnl.label, pnl.amount, pnl.currency, pnl.tone) for pnl in view.pnl]
    if first is not None and first.total != first.amount:  # one number is said once
        money.append(("total", first.total, first.currency, Tone.TEXT))
    if first is not None and first.per_round:
        money.append(("a round", first.per_round, first.currency, Tone.TEXT))
    cells = max((width_of(amount) for _, amount, _, _ in money), default=0)
    told = [(f"{label:<9}", f"{amount:>{cells}} {currency}".rstrip(), tone) for label, amount, currency, tone in money]
    return SlotCardData(
        slot=view.slot,
        version=view.version,
        role=view.role,
        role_tone="" if view.role_tone is Tone.GOOD else view.role_tone.value,  # its slot's own colour
        active=view.acts,
        lines=tuple(lines),
        pnl=first.series if first else (),
        pnl_label=told[0][0] if told else "",
        pnl_text=told[0][1] if told else "",
        pnl_tone=told[0][2].value if told else "",
        note=more,
        below=tuple((Field(label, text, tone.value),) for label, text, tone in told[1:]),
        compact=tuple(_fields(facts) for facts in view.short),
    )


def _fields(facts: Facts) -> tuple[Field, ...]:
    return tuple(Field(fact.label, fact.value, fact.tone.value, fact.width) for fact in facts)


def decision_feed_row(row: DecisionRow, detail: object = None) -> FeedRow:
    """A line of the decision feed."""
    return FeedRow(
        key=row.key,
        cells=(row.time, row.slot, row.version, row.kind, row.outcome, row.pnl, row.latency, row.reasoning),
        tones=("", row.slot_tone.value, "", "", "", row.pnl_tone.value),
        detail=detail,
    )


def flag_grid_row(row: FlagRow) -> GridRow:
    """A line of the flags."""
    return GridRow(
        key=row.key,
        cells=(row.glyph, row.name, row.type, row.value, row.default, row.note),
        tones=(row.value_tone.value, "", "", row.value_tone.value, "", row.note_tone.value),
        detail=row,
    )


def action_grid_row(row: ActionRow) -> GridRow:
    """A line of the receipts."""
    return GridRow(
        key=row.key, cells=(row.time, row.command, row.summary, row.elapsed, row.who), tone=row.tone.value, detail=row
    )


def audit_grid_row(row: ActionRow) -> GridRow:
    """A line of the audit, with the reason."""
    cells = (row.time, row.command, row.change, row.elapsed, row.who, row.why or row.note)
    return GridRow(key=row.key, cells=cells, tone=row.tone.value, detail=row, by=row.by)


def instance_grid_row(row: InstanceRow) -> GridRow:
    """A line of the fenced instances."""
    return GridRow(
        key=row.key,
        cells=(row.glyph, row.key, row.version, row.acknowledged, row.beat, row.in_flight, row.in_doubt),
        tones=(row.slot_tone.value, "", "", row.tone.value, row.beat_tone.value, "", row.doubt_tone.value),
        detail=row,
        by=row.by,
    )


def doubt_grid_row(row: DoubtRow) -> GridRow:
    """A line of the actions in doubt."""
    return GridRow(
        key=row.key,
        cells=(row.key, row.amount, row.holder, row.since, row.action),
        tones=("", Tone.BAD.value, row.slot_tone.value),
        detail=row,
        by=row.by,
    )


_ARMING = {"dry": Tone.WARN.value, "off": Tone.MUTED.value}


def trigger_grid_row(row: TriggerRow, *, wide: bool = False) -> GridRow:
    """A line of the triggers: beside the cards, or with everything."""
    loud = row.tone.value if row.tone not in (Tone.GOOD, Tone.MUTED) else ""
    arming, reading = _ARMING.get(row.arming, ""), row.reading
    if wide:
        n = count_text(reading.n) if reading.n else ""
        due = "" if row.note.startswith("n ") or row.note == row.arming else row.note
        everything = (row.glyph, row.name, row.figure, n, row.arming, due, str(reading.reason))
        return GridRow(row.key, everything, tones=(row.tone.value, "", loud, "", arming, loud), detail=row)
    cells = (row.glyph, row.name, _with_note(row.figure, row.note))
    return GridRow(row.key, cells, tones=(row.tone.value, "", loud or arming), detail=row)


def _with_note(figure: str, note: str) -> str:
    """Both in one column, since the longest of either would not fit beside each other."""
    gap = TRIGGER_CELLS - len(figure) - len(note)
    if gap < 1 and note.startswith("n "):
        return figure  # half a number would be another number
    return f"{figure}{' ' * max(1, gap)}{note}" if note else figure


def alert_grid_row(row: AlertRow) -> GridRow:
    """A line of the alerts."""
    cells = (row.glyph, row.time, row.kind, row.reason, row.seen or "nobody yet")
    return GridRow(row.key, cells, tone=row.tone.value, detail=row.alert, by=row.by)


def observation_age(observation: Observation) -> str:
    """Nothing while the store's reading is of the present; else how old it is, for a panel's corner."""
    return "" if link_view(observation).fresh else stale_words(observation)
