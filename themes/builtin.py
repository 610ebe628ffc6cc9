"""The built-in themes, as data.

Every text colour reaches a contrast of 4.5:1 on every ground, in 24-bit colour and in the 256 colours that SSH often
leaves; in the two themes for colour-blind operators the slots, and gain and loss, stay apart as such an eye sees them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from textual.theme import Theme

DEFAULT_THEME: Final = "dark"
MONO_THEME: Final = "mono"


def _theme(name: str, colors: Mapping[str, str], *, dark: bool = True, ansi: bool = False) -> Theme:
    """A theme from its colours; Textual's own names follow from ours."""
    return Theme(
        name=name,
        primary=colors["info"],
        secondary=colors["frame-focus"],
        accent=colors["key"],
        warning=colors["warn"],
        error=colors["bad"],
        success=colors["ok"],
        foreground=colors["foreground"],
        background=colors["background"],
        surface=colors["surface"],
        panel=colors["panel"],
        dark=dark,
        ansi=ansi,
        variables={
            "block-cursor-background": colors["cursor-band"],
            "block-cursor-foreground": colors["foreground"],
            "block-cursor-text-style": colors.get("cursor-band-style", "none"),
            "border": colors["frame-focus"],
            "border-blurred": colors["frame"],
            "footer-background": colors["footer-band"],
            "footer-key-foreground": colors["key"],
            "input-cursor-background": colors["foreground"],
            "input-cursor-foreground": colors["background"],
            "input-selection-background": colors["cursor-band"],
            "scrollbar": colors["frame"],
            "scrollbar-hover": colors["frame-focus"],
            "scrollbar-active": colors["frame-focus"],
            "scrollbar-background": colors["background"],
            "scrollbar-background-hover": colors["background"],
            "scrollbar-background-active": colors["background"],
            "scrollbar-corner-color": colors["background"],
            **{key: value for key, value in colors.items() if key not in _TEXTUAL_OWN},
        },
    )


_TEXTUAL_OWN: Final = frozenset({"foreground", "background", "surface", "panel"})

_DARK: Final = {
    "foreground": "#d7dce5",
    "background": "#131519",
    "surface": "#131519",
    "panel": "#1d1f24",
    "dim-text": "#9ba3b1",
    "stale": "#9ba3b1",
    "ok": "#5fd38d",
    "warn": "#e8b84f",
    "bad": "#ff8078",
    "info": "#73b7ff",
    "gain": "#5fd38d",
    "loss": "#ff8078",
    "slot-blue": "#73b7ff",
    "slot-green": "#5fd787",
    "key": "#e8b84f",
    "frame": "#3a4251",
    "frame-focus": "#87afd7",
    "mark": "#d0a8f5",
    "match": "#e8b84f",
    "cursor-band": "#2a2e36",
    "cursor-band-blurred": "#212429",
    "header-band": "#1d1f24",
    "footer-band": "#1d1f24",
    "title-band": "#1d1f24",
    "warn-band": "#e8b84f",
    "warn-band-text": "#131519",
    "bad-band": "#b3261e",
    "bad-band-text": "#ffffff",
}

_LIGHT: Final = {
    "foreground": "#1d2129",
    "background": "#fbfbf9",
    "surface": "#fbfbf9",
    "panel": "#efefec",
    "dim-text": "#585f69",
    "stale": "#585f69",
    "ok": "#00662b",
    "warn": "#714600",
    "bad": "#ac1a12",
    "info": "#0750a8",
    "gain": "#00662b",
    "loss": "#ac1a12",
    "slot-blue": "#0750a8",
    "slot-green": "#00662b",
    "key": "#714600",
    "frame": "#c3c6c9",
    "frame-focus": "#0750a8",
    "mark": "#6d2b9c",
    "match": "#714600",
    "cursor-band": "#d9e5f5",
    "cursor-band-blurred": "#efefec",
    "header-band": "#efefec",
    "footer-band": "#efefec",
    "title-band": "#efefec",
    "warn-band": "#ffc95c",
    "warn-band-text": "#1d2129",
    "bad-band": "#ac1a12",
    "bad-band-text": "#ffffff",
}

_HIGH_CONTRAST: Final = {
    **_DARK,
    "foreground": "#ffffff",
    "background": "#000000",
    "surface": "#000000",
    "panel": "#000000",
    "dim-text": "#d0d0d0",
    "stale": "#bcbcbc",
    "ok": "#5fff87",
    "warn": "#ffd75f",
    "bad": "#ff9d96",
    "info": "#87d7ff",
    "gain": "#5fff87",
    "loss": "#ff9d96",
    "slot-blue": "#87d7ff",
    "slot-green": "#5fff87",
    "key": "#ffff00",
    "frame": "#808080",
    "frame-focus": "#ffff00",
    "mark": "#ffafff",
    "match": "#ffff00",
    "cursor-band": "#00005f",
    "cursor-band-style": "bold",
    "cursor-band-blurred": "#262626",
    "header-band": "#262626",
    "footer-band": "#262626",
    "title-band": "#262626",
    "warn-band": "#ffff00",
    "warn-band-text": "#000000",
    "bad-band": "#8b0000",
}

_DEUTERANOPIA: Final = {
    **_DARK,
    "ok": "#5fafff",
    "warn": "#ffe9a8",
    "bad": "#ff9440",
    "info": "#a9c7e8",
    "gain": "#5fafff",
    "loss": "#ff9440",
    "slot-blue": "#6aa5ff",
    "slot-green": "#a9e8b5",
    "key": "#ffe9a8",
    "match": "#ffe9a8",
    "mark": "#e5c3ff",
}

_TRITANOPIA: Final = {
    **_DARK,
    "ok": "#7fe3d4",
    "warn": "#ffb3a1",
    "bad": "#ff6f76",
    "info": "#8fc9d6",
    "gain": "#7fe3d4",
    "loss": "#ff6f76",
    "slot-blue": "#729cff",
    "slot-green": "#b5f5a0",
    "key": "#ffb3a1",
    "match": "#ffb3a1",
    "mark": "#e3a6c8",
    "warn-band": "#ffb3a1",
}

_ANSI: Final = {
    "foreground": "ansi_default",
    "background": "ansi_default",
    "surface": "ansi_default",
    "panel": "ansi_default",
    "dim-text": "ansi_default",
    "dim-text-style": "dim",
    "stale": "ansi_default",
    "stale-style": "dim",
    "ok": "ansi_green",
    "warn": "ansi_yellow",
    "bad": "ansi_bright_red",
    "info": "ansi_bright_white",
    "gain": "ansi_green",
    "loss": "ansi_bright_red",
    "slot-blue": "ansi_cyan",
    "slot-green": "ansi_green",
    "key": "ansi_yellow",
    "frame": "ansi_bright_black",
    "frame-focus": "ansi_bright_white",
    "mark": "ansi_bright_magenta",
    "match": "ansi_yellow",
    "cursor-band": "ansi_default",
    "cursor-band-style": "reverse",
    "cursor-band-blurred": "ansi_default",
    "cursor-band-blurred-style": "underline",
    "header-band": "ansi_default",
    "footer-band": "ansi_default",
    "title-band": "ansi_default",
    "warn-band": "ansi_yellow",
    "warn-band-text": "ansi_black",
    "bad-band": "ansi_red",
    "bad-band-text": "ansi_bright_white",
    "ansi-background": "ansi_black",
    "ansi-foreground": "ansi_white",
}
"""The last two are Textual's own, and it can't start without them.

Red, blue, bright blue and magenta, as terminals draw them on black, are below 4.5:1 (3.6, 2.2, 4.4, 4.5): text has none
of them, and the slot blue is cyan.
"""

_MONO: Final = {
    "foreground": "#e4e4e4",
    "background": "#121212",
    "surface": "#121212",
    "panel": "#1c1c1c",
    "dim-text": "#a8a8a8",
    "stale": "#a8a8a8",
    "stale-style": "italic",
    "ok": "#c6c6c6",
    "warn": "#ffffff",
    "warn-style": "bold",
    "bad": "#ffffff",
    "bad-style": "bold",
    "info": "#c6c6c6",
    "gain": "#c6c6c6",
    "loss": "#ffffff",
    "loss-style": "bold",
    "slot-blue": "#ffffff",
    "slot-blue-style": "bold",
    "slot-green": "#b2b2b2",
    "key": "#ffffff",
    "frame": "#4e4e4e",
    "frame-focus": "#ffffff",
    "mark": "#a8a8a8",
    "match": "#ffffff",
    "match-style": "underline",
    "cursor-band": "#303030",
    "cursor-band-style": "bold",
    "cursor-band-blurred": "#1c1c1c",
    "header-band": "#262626",
    "footer-band": "#262626",
    "title-band": "#262626",
    "warn-band": "#e4e4e4",
    "warn-band-text": "#121212",
    "bad-band": "#ffffff",
    "bad-band-text": "#121212",
}

THEMES: Final[tuple[Theme, ...]] = (
    _theme("dark", _DARK),
    _theme("light", _LIGHT, dark=False),
    _theme("high-contrast", _HIGH_CONTRAST),
    _theme("deuteranopia", _DEUTERANOPIA),
    _theme("tritanopia", _TRITANOPIA),
    _theme("ansi", _ANSI, ansi=True),
    _theme(MONO_THEME, _MONO),
)
"""In the order in which `t` goes through them."""

VARIABLES: Final[Mapping[str, str]] = {key: value for key, value in _DARK.items() if key not in _TEXTUAL_OWN}
"""Fallbacks for themes that aren't ours; return them from `App.get_theme_variable_defaults`."""


def initial_theme(wanted: str, environ: Mapping[str, str]) -> str:
    """The theme to start with: `mono` where NO_COLOR is set (https://no-color.org), else the one that was asked for."""
    return MONO_THEME if environ.get("NO_COLOR") else wanted or DEFAULT_THEME
