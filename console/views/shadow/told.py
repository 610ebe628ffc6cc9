"""Shadows at a glance: how often they decide otherwise, and the newest round in which one did."""

from __future__ import annotations

from typing import Final

from console.domain.seen.observation import Observation
from console.views.format import count_text, plural
from console.views.shadow.rates import FILES, ShadowRow, divergence_rows, shadow_rows
from console.views.tone import Tone

Words = tuple[str, Tone]

_BADNESS: Final = (Tone.BAD, Tone.WARN, Tone.GOOD)


def worst_shadow(observation: Observation) -> ShadowRow | None:
    """The shadow that an operator has to look at: the one that differs most gravely, else the one heard last."""
    rows = shadow_rows(observation)
    return min(rows, key=lambda row: _BADNESS.index(row.tone) if row.tone in _BADNESS else len(_BADNESS), default=None)


def shadow_title(observation: Observation) -> str:
    """Above the list of its divergences; where there are several shadows, of the worst of them."""
    row, count = worst_shadow(observation), len(shadow_rows(observation))
    if row is None:
        return "Shadow"
    words = f"Worst of {count} shadows" if count > 1 else "Shadow"
    return f"{words}: {_rate(row, observation)}{_noise(row)}"


def shadow_facts(observation: Observation) -> tuple[Words, ...]:
    """The same in one line, most important first; each of them is shown as a whole or not at all."""
    row = worst_shadow(observation)
    if row is None:
        return ()
    facts: list[Words] = [(f"{row.glyph} {_rate(row, observation)}", row.tone)]
    if row.key != FILES:
        facts.append((f"noise {row.noise}", Tone.MUTED))
        if row.heard_tone is Tone.WARN:
            facts.append((f"{row.heard} silent", Tone.WARN))
    if newest := next((one for one in reversed(divergence_rows(observation)) if one.reading.mismatches), None):
        facts.append((f"{newest.what} {newest.live} → {newest.shadow}", newest.tone))
    if others := len(shadow_rows(observation)) - 1:
        facts.append((f"and {plural(others, 'more shadow')}", Tone.MUTED))
    return tuple(facts)


def _rate(row: ShadowRow, observation: Observation) -> str:
    if row.key != FILES or observation.divergences is None:
        return f"{row.diverged} of {row.rounds} rounds diverged"
    return f"{count_text(observation.divergences.diverged)} of {row.rounds} records differ"


def _noise(row: ShadowRow) -> str:
    return "" if row.key == FILES else f" (noise {row.noise})"
