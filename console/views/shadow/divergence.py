"""One divergence: both decisions side by side, field by field, and the state that both decided on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from console.domain.shadow.compare import MAX_DEPTH, Kind, Mismatch
from console.domain.shadow.report import DivergenceReading
from console.domain.text import clean
from console.views.shadow.rates import sides_of
from console.views.tone import Tone

MAX_ROWS: Final = 200
MAX_STATE_LINES: Final = 200
_VALUE: Final = 400
_PATH: Final = 256


class DiffRow(NamedTuple):
    """One field of two decisions.

    Args:
        sign, tone: ✖ where a field that moves money differs, ▲ where another does, nothing where they are the same.
        path: of the field; empty only for a row that says how many more there are.
        live, shadow: what either has; a dash where it has none.
        note: how they differ, in a word, and whether that moves money.
    """

    sign: str
    tone: Tone
    path: str
    live: str
    shadow: str
    note: str


def diff_rows(found: DivergenceReading) -> tuple[DiffRow, ...]:
    """Every field: those that move money first, then what else differs, then what is the same."""
    ordered = sorted(found.mismatches, key=lambda mismatch: not mismatch.money)
    rows = [_differing(mismatch) for mismatch in ordered[:MAX_ROWS]]
    if len(ordered) > MAX_ROWS:
        rows.append(DiffRow("▲", Tone.WARN, "", f"and {len(ordered) - MAX_ROWS} more that differ", "", ""))
    taken = {str(mismatch.path) for mismatch in found.mismatches}
    same = _same(found.divergence.live, found.divergence.shadow, taken)
    for row in same:
        if len(rows) > MAX_ROWS:
            rows.append(DiffRow("", Tone.MUTED, "", "… and more that is the same", "", ""))
            break
        rows.append(row)
    return tuple(rows)


def _differing(mismatch: Mismatch) -> DiffRow:
    sign, tone = ("✖", Tone.BAD) if mismatch.money else ("▲", Tone.WARN)
    live, shadow = sides_of(mismatch)
    if mismatch.kind is Kind.TOO_LARGE:
        live, shadow = mismatch.live or "not compared", mismatch.shadow or "not compared"
    note = f"{mismatch.kind.value}, money" if mismatch.money else mismatch.kind.value
    return DiffRow(sign, tone, mismatch.path or "the whole decision", live, shadow, note)


def _same(live: object, shadow: object, taken: set[str], path: str = "", depth: int = 0) -> Iterator[DiffRow]:
    """The fields that both have and that are not among those that differ, in the order of the live decision."""
    if str(clean(path, _PATH)) in taken or depth > MAX_DEPTH:
        return
    if isinstance(live, Mapping) and isinstance(shadow, Mapping) and (live or shadow):
        for name in live:
            if name in shadow:
                below = f"{path}.{name}" if path else str(name)
                yield from _same(live[name], shadow[name], taken, below, depth + 1)
    elif isinstance(live, list) and isinstance(shadow, list) and (live or shadow):
        for at, (left, right) in enumerate(zip(live, shadow, strict=False)):
            yield from _same(left, right, taken, f"{path}.{at}" if path else str(at), depth + 1)
    elif path:
        text = _short(live)
        other = _short(shadow)
        yield DiffRow("", Tone.MUTED, clean(path, _PATH), text, other, "" if text == other else "within a tolerance")


def _short(value: object) -> str:
    return clean("" if isinstance(value, str) and not value else value, _VALUE) or "(empty)"


def state_lines(found: DivergenceReading) -> tuple[str, ...]:
    """The state that both decided on, indented, line by line; what comes after the first 200 lines is not shown."""
    lines: list[str] = []
    for line in _written(found.divergence.state):
        if len(lines) == MAX_STATE_LINES:
            return (*lines, "… the rest is not shown")
        lines.append(line)
    return tuple(lines)


def _written(value: object, name: str = "", indent: int = 0) -> Iterator[str]:
    """A value as it is read: names before values, lists by their places; exact amounts keep their digits."""
    head = f"{'  ' * indent}{f'{name}: ' if name else ''}"
    if indent > MAX_DEPTH:
        yield f"{head}…"
    elif isinstance(value, Mapping) and value:
        if name:
            yield head.rstrip()
        for key, inner in value.items():
            yield from _written(inner, str(clean(key, 80)) or "(no name)", indent + bool(name))
    elif isinstance(value, list) and value:
        if name:
            yield head.rstrip()
        for at, inner in enumerate(value):
            yield from _written(inner, str(at), indent + bool(name))
    else:
        yield f"{head}{_plain(value)}"


def _plain(value: object) -> str:
    """One value as JSON writes it, but that text needs no quotes where nobody could take it for something else."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, Mapping | list):
        return "{}" if isinstance(value, Mapping) else "[]"
    text = clean(value, 2000)
    looks_like_more = isinstance(value, str) and (not value or value in ("true", "false", "null") or _is_number(value))
    return f'"{text}"' if looks_like_more else str(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
