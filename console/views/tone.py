"""Words with a meaning that a screen may colour: what every view is built of.

A tone is a role, never a colour; the theme decides. Nothing rests on the tone alone: the words and the glyph beside it
say the same.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Tone(StrEnum):
    """What a piece of text is there for."""

    TEXT = ""
    STRONG = "strong"
    MUTED = "dim"
    STALE = "stale"
    ACCENT = "accent"
    INFO = "info"
    GOOD = "ok"
    WARN = "warn"
    BAD = "bad"
    GAIN = "gain"
    LOSS = "loss"
    KEY = "key"
    BLUE = "blue"
    GREEN = "green"


SEVERITY: Final = {Tone.BAD: 2, Tone.WARN: 1}
"""How much a tone asks for attention; every other tone asks for none."""

GLYPHS: Final = {Tone.GOOD: "✔", Tone.WARN: "▲", Tone.BAD: "✖", Tone.MUTED: "·"}
"""The glyph that says the same as the tone."""


def worst(tones: list[Tone]) -> Tone:
    """The tone that asks most for attention; GOOD where none does."""
    return max(tones, key=lambda tone: SEVERITY.get(tone, 0), default=Tone.GOOD)


def slot_tone(slot: str) -> Tone:
    """The tone of a slot's own colour; muted for a record that belongs to neither."""
    return {"blue": Tone.BLUE, "green": Tone.GREEN}.get(slot, Tone.MUTED)
