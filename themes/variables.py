"""The names a theme gives colours to, besides Textual's own: what each of them means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MEANINGS: Final[Mapping[str, str]] = {
    "dim-text": "labels, units, what is read second",
    "stale": "figures too old to act on",
    "ok": "a check that passed, an open gate",
    "warn": "something to look at",
    "bad": "a check that failed, a closed gate, an error",
    "info": "progress, neutral news",
    "gain": "money won",
    "loss": "money lost",
    "slot-blue": "the slot called blue",
    "slot-green": "the slot called green",
    "key": "a key's name",
    "frame": "the frame of a panel",
    "frame-focus": "the frame of the panel that has the focus",
    "mark": "the marks on the chart",
    "match": "what a filter found",
    "cursor-band": "behind the row under the cursor",
    "cursor-band-blurred": "the same in a panel without the focus",
    "header-band": "behind the header",
    "footer-band": "behind the key hints",
    "title-band": "behind titles inside a panel",
    "warn-band": "header and footer of a protected profile",
    "warn-band-text": "text on it",
    "bad-band": "behind an alarm",
    "bad-band-text": "text on it",
}

TEXT: Final = (
    "foreground",
    "accent",
    "dim-text",
    "stale",
    "ok",
    "warn",
    "bad",
    "info",
    "gain",
    "loss",
    "slot-blue",
    "slot-green",
    "key",
    "mark",
    "match",
)
"""What is read as text, and must be legible on every ground."""

GROUNDS: Final = (
    "background",
    "surface",
    "panel",
    "cursor-band",
    "cursor-band-blurred",
    "header-band",
    "footer-band",
    "title-band",
)
"""What text stands on."""

BASE: Final = (
    "primary",
    "secondary",
    "warning",
    "error",
    "success",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
)
"""The colours of Textual's own that a theme gives."""

STYLE_WORDS: Final = frozenset({"bold", "dim", "italic", "none", "reverse", "strike", "underline"})
"""What `<name>-style` may hold."""
