"""The built-in themes, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from textual.theme import Theme

DEFAULT_THEME: Final = "dark"
MONO_THEME: Final = "mono"

_DARK = {
    "dim-text": "#8b93a3",
    "stale": "#7c8494",
    "ok": "#57c785",
    "warn": "#e6b450",
    "bad": "#f0716b",
    "info": "#6cb6ff",
    "gain": "#57c785",
    "loss": "#f0716b",
    "slot-blue": "#6cb0ff",
    "slot-green": "#6fd08c",
    "key": "#e6b450",
    "frame": "#3b4252",
    "frame-focus": "#8fb4e8",
    "mark": "#c9a2f2",
    "match": "#e6b450",
    "cursor-band": "#2a3a52",
    "cursor-band-blurred": "#222936",
    "header-band": "#1f2530",
    "footer-band": "#1f2530",
    "title-band": "#1f2530",
    "warn-band": "#e6b450",
    "warn-band-text": "#16191f",
    "bad-band": "#b3372f",
    "bad-band-text": "#ffffff",
}

THEMES: Final[tuple[Theme, ...]] = (
    Theme(
        name="dark",
        primary="#6cb0ff",
        secondary="#8fb4e8",
        accent="#e6b450",
        warning="#e6b450",
        error="#f0716b",
        success="#57c785",
        foreground="#d5dae3",
        background="#14171d",
        surface="#14171d",
        panel="#1f2530",
        dark=True,
        variables=_DARK,
    ),
)

VARIABLES: Final[Mapping[str, str]] = _DARK
"""Fallbacks for themes that aren't ours; return them from `App.get_theme_variable_defaults`."""
