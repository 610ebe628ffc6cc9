"""From what the boards' views say to what their grids draw."""

from __future__ import annotations

from console.views.commitments.drain import DrainRow, Glance
from console.views.commitments.owed_row import OwedRow
from console.views.gates.board import CheckRow, ClockView
from console.views.gates.plans import PlanRow
from console.views.snapshot_rows import SnapshotRow
from console.views.state import FileRow
from console.views.tone import GLYPHS, Tone
from console.views.venue.books import BookRow
from widgets.charts.bar import bar_spans
from widgets.lists.columns import Column
from widgets.lists.grid import GridRow
from widgets.text.line_widget import Span

OWED_COLUMNS = (
    Column("", 1),
    Column("ends in", 9, align="right"),
    Column("state", 9),
    Column("what", 11, tone="dim"),
    Column("amount", 16, align="right", most=40, whole=True, falls=True),
    Column("id", 0, ends=True, always=True),
    Column("flow", 6, tone="dim", priority=5),
    Column("owner", 13, most=24),
    Column("at time-out", 20, priority=2),
    Column("listed by", 18, tone="dim", priority=3),
    Column("at a switch", 11, tone="dim", priority=6),
    Column("opened by", 10, tone="dim", priority=4, ends=True),
    Column("detail", 26, tone="dim", priority=7),
)
DRAIN_COLUMNS = (
    Column("", 1),
    Column("may stop?", 12),
    Column("side", 10, priority=1),
    Column("version", 9, most=24, ends=True, always=True),
    Column("left", 5, align="right", most=9, whole=True, falls=True),
    Column("until", 9, align="right"),
    Column("taken by, or why", 0),
)
BOOK_COLUMNS = (
    Column("", 1),
    Column("what", 9, most=24, ends=True, always=True),
    Column("ours", 13, align="right", most=40, whole=True),
    Column("the venue's", 13, align="right", most=40, whole=True),
    Column("differ", 9, align="right", most=30, whole=True),
    Column("ages", 15, align="right", tone="dim", priority=1),
    Column("stands", 0),
)
SNAPSHOT_COLUMNS = (
    Column("", 1),
    Column("age", 6, align="right"),
    Column("state", 7),
    Column("snapshot", 15, always=True),
    Column("size", 7, align="right", tone="dim", falls=True),
    Column("hash", 8, tone="dim"),
    Column("who", 15, tone="dim", priority=1, most=30, ends=True),
    Column("what", 22, tone="dim", priority=2, most=36),
    Column("why", 0),
)
FILE_COLUMNS = (
    Column("file", 0, ends=True, always=True),
    Column("size", 7, align="right", falls=True),
    Column("position", 14, falls=True),
    Column("", 20, tone="warn", priority=1),
)
CHECK_COLUMNS = (
    Column("", 1),
    Column("state", 11),
    Column("item", 15),
    Column("value", 0),
    Column("age", 6, align="right"),
    Column("source", 30, tone="dim", priority=1, ends=True),
)
PLAN_COLUMNS = (
    Column("", 1),
    Column("state", 8),
    Column("plan", 16, tone="dim", priority=1),
    Column("what", 18),
    Column("over", 24, priority=2, most=48),
    Column("by", 12, most=24, ends=True),
    Column("approved by", 12, priority=3, most=24, ends=True),
    Column("why", 0, tone="dim", priority=4),
)
_PLAN_TONES = {"waits": Tone.WARN, "approved": Tone.GOOD, "expired": Tone.MUTED, "void": Tone.MUTED}
_BAR = 12


def owed_grid_row(row: OwedRow) -> GridRow:
    """A line of what is owed; a dispute colours all of it."""
    cells = (
        row.glyph,
        row.due,
        row.state,
        row.kind,
        row.amount,
        row.id,
        row.flow,
        row.owner,
        row.pays,
        row.places,
        row.switch,
        row.opened,
        row.detail,
    )
    tone, loud = row.tone.value, row.tone is Tone.BAD
    tones = (tone, row.due_tone.value, tone, "", "", tone if loud else "", "", row.owner_tone.value)
    return GridRow(row.key, cells, tones=(*tones, row.pays_tone.value))


def drain_grid_row(row: DrainRow) -> GridRow:
    """A line of the drain board."""
    cells = (row.glyph, row.answer, row.where, row.version, row.left, row.until, row.taken)
    tone = row.tone.value
    return GridRow(
        row.key, cells, tones=(tone, tone, row.where_tone.value, "", "", "", row.taken_tone.value), by=row.by
    )


def book_grid_row(row: BookRow) -> GridRow:
    """A line of both books."""
    cells = (row.glyph, row.what, row.ours, row.venue, row.difference, row.ages, row.stands)
    loud = row.tone.value if row.tone is not Tone.GOOD else ""
    return GridRow(row.key, cells, tones=(row.tone.value, "", "", loud, loud, "", row.tone.value), by=row.by)


def snapshot_grid_row(row: SnapshotRow) -> GridRow:
    """A line of the snapshots."""
    cells = (row.glyph, row.age, row.state, row.name, row.size, row.hash, row.who, row.what, row.why)
    return GridRow(row.key, cells, tones=(row.tone.value, "", row.tone.value), by=row.by)


def file_grid_row(row: FileRow) -> GridRow:
    """A line of the followed files."""
    return GridRow(row.key, (row.key, row.size, row.position, row.note), by=row.by)


def check_grid_row(row: CheckRow) -> GridRow:
    """A line of the checklist, or the heading of a phase."""
    cells = (row.glyph, row.state, row.item, row.value, row.age, row.source)
    if not row.item:
        return GridRow(row.key, cells, tones=(row.tone.value,) * 4)
    quiet = Tone.MUTED.value if row.tone is Tone.MUTED else ""
    value = row.tone.value if row.rank == 0 else quiet
    return GridRow(row.key, cells, tones=(row.tone.value, row.tone.value, quiet, value, row.age_tone.value))


def plan_grid_row(row: PlanRow) -> GridRow:
    """A line of the overrides."""
    what = " ".join(part for part in (row.command, row.target, row.step) if part)
    tone = _PLAN_TONES.get(row.state, Tone.MUTED)
    over, approved = ", ".join(row.closed), row.approved_by or "nobody yet"
    cells = (GLYPHS.get(tone, "·"), row.state, row.id, what, over, row.who, approved, row.reason)
    return GridRow(row.id, cells, tones=(tone.value, tone.value))


def glance_line(one: Glance, *, stale: bool) -> list[Span]:
    """May this side be stopped?"""
    tone = Tone.STALE.value if stale else one.tone.value
    return [
        (f" {one.who:<18} ", f"{one.slot.value} bold"),
        (f"{one.glyph} {one.answer}", f"{tone} bold"),
        (f": {one.why}", Tone.STALE.value if stale else ""),
    ]


def clock_spans(clocks: tuple[ClockView, ...], *, wide: bool) -> list[Span]:
    """The phases' clocks on one line; where there is room, each with a bar."""
    spans: list[Span] = []
    for clock in clocks:
        tone = Tone.ACCENT.value if clock.running else Tone.MUTED.value
        spans.append((f" {clock.phase} ", "strong" if clock.running else "dim"))
        if wide and clock.fraction is not None:
            spans += [*bar_spans(clock.fraction, _BAR, tone), (" ", "")]
        short = clock.text if wide else clock.text.replace("begins with a switch", "not begun")
        spans.append((f"{short}{'    ' if wide else '  '}", tone))
    return spans
