"""What a small terminal says in single lines: every trigger by name, the worst check in words, which list is shown."""

from __future__ import annotations

from collections.abc import Sequence

from console.domain.seen.observation import Observation
from console.screens.parts.checks import CheckLine, glyph_line
from console.views.guard.triggers import trigger_rows, triggers_age, why_no_triggers
from console.views.health import Check
from console.views.tone import SEVERITY, Tone
from widgets.frame.panel import Panel
from widgets.text.line_widget import Span
from widgets.text.plain import width_of


def trigger_line(observation: Observation, room: int) -> tuple[Span, ...]:
    """Every trigger by its name and sign, those that are not well with their figures, and how old that is where it is
    not of the present; where no guard looked, why.

    Args:
        observation: what was seen.
        room: cells; where there are few, the blanks go first, then the figures.
    """
    rows = trigger_rows(observation)
    age, old = triggers_age(observation)
    if not rows:
        why = why_no_triggers(observation).partition("\n")[0]
        return ((f"  {why}", Tone.MUTED.value), (f"   {age}" if old else "", Tone.STALE.value))
    for gap, figures in ((" ", True), ("", True), ("", False)):
        spans: list[Span] = []
        for row in rows:
            tone = Tone.STALE.value if old else row.tone.value
            loud = row.tone in SEVERITY
            told = f" {row.figure} {row.note}".rstrip() if loud and figures else ""
            name = tone if loud else Tone.MUTED.value
            spans += [(f" {gap}{row.short}{gap}", name), (f"{row.glyph}{told}", f"{tone} bold" if loud else tone)]
        if old:
            spans.append((f"{gap}  {age}", Tone.STALE.value))
        if sum(width_of(text) for text, _ in spans) <= room:
            break
    return tuple(spans)


def health_line(checks: Sequence[Check], room: int) -> CheckLine:
    """The worst check in words; where nothing is wrong, every check by its name, or how many there are."""
    line = glyph_line(checks)
    if any(check.tone in SEVERITY for check in checks) or sum(width_of(text) for text, _ in line) <= room:
        return line
    return ((" ✔ ", Tone.GOOD.value), (f"health  nothing wrong in {len(checks)} checks", Tone.MUTED.value))


def tab_line(panels: Sequence[Panel], current: Panel | None, names: dict[str, str], width: int) -> list[Span]:
    """The lists of which one is shown, by name, that one in brackets with its title; on the right how it is ordered,
    how old it is, and which it is. Where there is little room the title is cut to its words, then to the name.
    """
    if current is None:
        return _tabs(panels, current, names, "")
    words, _, state = current.title.removesuffix(")").partition(" (")
    name = names.get(current.id or "", words)
    order = state.partition(", following")[0]
    age = current.age if current.stale else ""  # that it is live, the header says
    place = f"tab {panels.index(current) + 1}/{len(panels)}"
    ways = (
        (current.title, (current.note, current.age, place)),
        (current.title, (current.age, place)),
        (words, (order, current.age, place)),
        (words, (order, age, place)),
        (words, (order, age)),
        (name, (order, age, place)),
        (name, (order, age)),
        (name, (age or order,)),
    )
    for title, parts in ways:
        spans = _tabs(panels, current, names, title)
        text = "  ".join(part for part in parts if part)
        gap = width - sum(width_of(part) for part, _ in spans) - width_of(text) - 1
        if gap >= 0:
            return [*spans, (" " * gap, ""), (f"{text} ", "warn" if current.stale else "dim")]
    return _tabs(panels, current, names, name)


def _tabs(panels: Sequence[Panel], current: Panel | None, names: dict[str, str], title: str) -> list[Span]:
    spans: list[Span] = [(" ", "")]
    for panel in panels:
        if panel is current:
            spans += [(f"[{title}]", "frame-focus bold"), (" ", "")]
        else:
            spans.append((f"{names.get(panel.id or '', panel.title)} ", "dim"))
    return spans
