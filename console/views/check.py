"""One line of health: what was looked at, how it is, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple

from console.views.tone import GLYPHS, Tone


class Check(NamedTuple):
    """One thing that was looked at.

    Args:
        name: always the same word for the same thing.
        tone: GOOD, WARN, BAD, or MUTED where it does not apply.
        text: the evidence.
        hint: what to do; empty where nothing has to be done.
    """

    name: str
    tone: Tone
    text: str
    hint: str = ""

    @property
    def glyph(self) -> str:
        """Says the same as the tone."""
        return GLYPHS.get(self.tone, "·")
