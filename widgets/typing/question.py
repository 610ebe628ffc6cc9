"""A question as data, and the lines that tell what it rests on: what is, what will be, what speaks against it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from widgets.text.glyphs import glyphs
from widgets.text.line_widget import Span
from widgets.text.plain import fit, width_of
from widgets.text.wrap import wrap_words


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """One thing that would change."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate with its evidence; `state` is its state in a word where open or closed does not say it."""

    name: str
    open: bool
    evidence: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmData:
    """A question.

    Args:
        title: the question itself.
        changes: what is, what will be.
        warnings: what one should know first.
        gates: open and closed.
        irreversible: what cannot be undone.
        typed_name: what has to be typed to confirm; empty for a `y`.
        ask_reason: whether a reason has to be given (only with `typed_name`).
        yes: what the button says that does it.
        danger: whether the frame warns.
        facts: what is so now: a name (empty where a line goes on) and a text.
        ways: what else could be done: one letter, and what it leads to.
    """

    title: str
    changes: tuple[BeforeAfter, ...] = ()
    warnings: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()
    irreversible: tuple[str, ...] = ()
    typed_name: str = ""
    ask_reason: bool = False
    yes: str = "Yes"
    danger: bool = False
    facts: tuple[tuple[str, str], ...] = ()
    ways: tuple[tuple[str, str], ...] = ()


_OPEN: Final = "open"
_OTHER: Final = "unchecked"
_NARROWEST: Final = 8
"""Cells that a value takes at least, however narrow the terminal is."""


def evidence_lines(data: ConfirmData, width: int, most: int = 1000) -> list[list[Span]]:
    """The lines above the answer.

    Args:
        data: the question.
        width: cells that a line may take.
        most: lines that there is room for; where more are needed, open gates are only named, then those that nobody
            could check, and then the last line says how many are not shown.
    """
    lines: list[list[Span]] = []
    labels = (*(change.label for change in data.changes), *(name for name, _text in data.facts))
    label = max(map(width_of, labels), default=0)
    for by_name in (frozenset[str](), frozenset({_OPEN}), frozenset({_OPEN, _OTHER})):
        lines = [[(line, "strong")] for line in wrap_words(data.title, width)]
        lines += _changes(data.changes, width, label)
        lines += _facts(data.facts, width, label)
        lines += _warnings(data.irreversible, glyphs().bad, "bad", width)
        lines += _gates(data.gates, width, by_name)
        lines += _warnings(data.warnings, glyphs().warn, "warn", width)
        if len(lines) <= most:
            return lines
    hidden = len(lines) - most + 1
    return [*lines[: most - 1], [(f"  {glyphs().ellipsis} {hidden} more lines need a higher terminal", "warn")]]


def _changes(changes: Sequence[BeforeAfter], width: int, label: int) -> list[list[Span]]:
    arrow = f"  {glyphs().arrow}  "
    space = max(2 * _NARROWEST, width - label - 4 - width_of(arrow))
    before = min(max((width_of(change.before) for change in changes), default=0), max(_NARROWEST, space // 2))
    lines: list[list[Span]] = []
    for change in changes:
        left = wrap_words(change.before, before) or [""]
        right = wrap_words(change.after, max(_NARROWEST, space - before)) or [""]
        for number, (old, new) in enumerate(zip_longest(left, right, fillvalue="")):
            name, sign = (change.label, arrow) if number == 0 else ("", " " * width_of(arrow))
            lines.append([(f"  {fit(name, label)}  ", "dim"), (fit(old, before), ""), (sign, "dim"), (new, "strong")])
    return lines


def _facts(facts: Sequence[tuple[str, str]], width: int, name: int) -> list[list[Span]]:
    lines: list[list[Span]] = []
    for label, text in facts:
        first, *rest = wrap_words(text, max(_NARROWEST, width - name - 4)) or [""]
        lines.append([(f"  {fit(label, name)}  ", "dim"), (first, "")])
        lines += [[(" " * (name + 4), ""), (line, "")] for line in rest]
    return lines


def _gates(gates: Sequence[Gate], width: int, by_name: Collection[str] = ()) -> list[list[Span]]:
    """Gates, closed ones first.

    Args:
        gates: to be told.
        width: cells that a line may take.
        by_name: the kinds of gates of which only the names are said.
    """
    name = max((width_of(gate.name) for gate in gates), default=0)
    lines: list[list[Span]] = []
    words = max((width_of(_standing(gate)[1]) for gate in gates), default=0)
    told = [gate for gate in gates if _kind(gate) not in by_name]
    named = [[gate for gate in gates if _kind(gate) == kind] for kind in (_OTHER, _OPEN) if kind in by_name]
    for gate in sorted(told, key=lambda gate: (gate.open, bool(gate.state))):
        sign, word, tone = _standing(gate)
        head = f"  {sign} {fit(word, words)}  "
        first, *rest = wrap_words(gate.evidence, max(_NARROWEST, width - width_of(head) - name - 2)) or [""]
        lines.append([(head, tone), (f"{fit(gate.name, name)}  ", ""), (first, "dim")])
        lines += [[(" " * (width_of(head) + name + 2), ""), (line, "dim")] for line in rest]
    for group in filter(None, named):
        sign, word, tone = _standing(group[0])
        head = f"  {sign} {fit('unchecked' if group[0].state else word, words)}  "
        names = "  ".join(gate.name for gate in group)
        first, *rest = wrap_words(names, max(_NARROWEST, width - width_of(head))) or [""]
        lines.append([(head, tone), (first, "dim")])
        lines += [[(" " * width_of(head), ""), (line, "dim")] for line in rest]
    return lines


def _kind(gate: Gate) -> str:
    return _OTHER if gate.state else _OPEN if gate.open else "closed"


def _warnings(texts: Sequence[str], sign: str, tone: str, width: int) -> list[list[Span]]:
    lines: list[list[Span]] = []
    for text in texts:
        first, *rest = wrap_words(text, max(1, width - 4)) or [""]
        lines += [[(f"  {sign} {first}", tone)], *([(f"    {line}", tone)] for line in rest)]
    return lines


def _standing(gate: Gate) -> tuple[str, str, str]:
    """A gate's sign, word and tone: what nobody could check is neither open nor closed."""
    signs = glyphs()
    if gate.state:
        return signs.warn, gate.state, "dim"
    return (signs.ok, "open", "ok") if gate.open else (signs.bad, "CLOSED", "bad")
