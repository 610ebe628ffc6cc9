"""Colours by meaning: a tone's name becomes a style, through the theme's variables and nothing else.

A tone is one word for a meaning ("ok", "loss", "blue"), optionally followed by "bold", "reverse" or "underline". A band
is the background a line stands on (a cursor, the header). Styles are resolved once a theme, not once a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from weakref import WeakKeyDictionary

from rich.style import Style
from textual.app import App
from textual.color import Color, ColorParseError

TONES: Final[Mapping[str, tuple[str, str]]] = {
    "": ("", ""),
    "strong": ("", "bold"),
    "dim": ("dim-text", ""),
    "stale": ("stale", ""),
    "ok": ("ok", ""),
    "warn": ("warn", ""),
    "bad": ("bad", ""),
    "info": ("info", ""),
    "accent": ("accent", ""),
    "gain": ("gain", ""),
    "loss": ("loss", ""),
    "blue": ("slot-blue", ""),
    "green": ("slot-green", ""),
    "key": ("key", ""),
    "frame": ("frame", ""),
    "frame-focus": ("frame-focus", ""),
    "mark": ("mark", ""),
    "match": ("match", "bold"),
}
"""Every tone: the theme's variable for its colour, and the style it always has. `$<variable>-style` adds to it."""

BANDS: Final[Mapping[str, tuple[str, str]]] = {
    "": ("", ""),
    "cursor": ("cursor-band", ""),
    "cursor-blurred": ("cursor-band-blurred", ""),
    "header": ("header-band", ""),
    "footer": ("footer-band", ""),
    "title": ("title-band", ""),
    "warn": ("warn-band", "warn-band-text"),
    "bad": ("bad-band", "bad-band-text"),
}
"""Every band: the variable of its background, and of the one text colour it forces, if it does."""

FALLBACK: Final[Mapping[str, str]] = {
    "dim-text": "foreground",
    "stale": "foreground",
    "ok": "success",
    "warn": "warning",
    "bad": "error",
    "info": "primary",
    "gain": "success",
    "loss": "error",
    "slot-blue": "primary",
    "slot-green": "success",
    "key": "accent",
    "frame": "foreground",
    "frame-focus": "accent",
    "mark": "warning",
    "match": "accent",
    "cursor-band": "primary",
    "cursor-band-blurred": "panel",
    "header-band": "panel",
    "footer-band": "panel",
    "title-band": "panel",
    "warn-band": "warning",
    "warn-band-text": "background",
    "bad-band": "error",
    "bad-band-text": "background",
}
"""What stands in for a variable under a theme that isn't ours."""

_ATTRIBUTES: Final = frozenset({"bold", "reverse", "underline", "italic", "dim", "strike"})


class Palette:
    """The styles of one theme.

    Args:
        variables: the theme's variables, as in `App.theme_variables`.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._styles: dict[tuple[str, str], Style] = {}

    def style(self, tone: str, band: str = "") -> Style:
        """The style of a tone on a band; an unknown tone is drawn as ordinary text, an unknown band as none."""
        style = self._styles.get((tone, band))
        if style is None:
            style = self._styles[tone, band] = self._resolve(tone, band)
        return style

    def color(self, name: str) -> Color | None:
        """The colour of a variable, or None where the theme has none that is concrete."""
        for candidate in (name, FALLBACK.get(name, "")):
            value = self._variables.get(candidate, "")
            if value and not value.startswith("auto"):
                try:
                    parsed = Color.parse(value)
                except ColorParseError:
                    continue
                if parsed.a > 0 or parsed.ansi is not None:
                    return parsed
        return None

    def _resolve(self, tone: str, band: str) -> Style:
        name, *attributes = tone.split(" ") if tone else [""]
        if name not in TONES and name in _ATTRIBUTES:
            attributes.append(name)
            name = ""
        variable, fixed = TONES.get(name, ("", ""))
        background, forced = BANDS.get(band, ("", ""))
        words = [*(word for word in attributes if word in _ATTRIBUTES), *fixed.split()]
        if variable:
            words += self._variables.get(f"{variable}-style", "").split()
        if background:
            words += self._variables.get(f"{background}-style", "").split()
        color = self.color(forced or variable) if forced or variable else None
        if color is None and background:
            color = self.color("foreground")
        back = self.color(background) if background else None
        switches = {word: True for word in words if word in _ATTRIBUTES}
        return Style(
            color=color.rich_color if color is not None else None,
            bgcolor=back.rich_color if back is not None else None,
            bold=switches.get("bold"),
            dim=switches.get("dim"),
            italic=switches.get("italic"),
            underline=switches.get("underline"),
            strike=switches.get("strike"),
            reverse=switches.get("reverse"),
        )


_palettes: WeakKeyDictionary[App[object], tuple[int, Palette]] = WeakKeyDictionary()


def palette_of(app: App[object]) -> Palette:
    """The palette of the theme in use; built once a theme."""
    theme = app.current_theme
    cached = _palettes.get(app)
    if cached is not None and cached[0] == id(theme):
        return cached[1]
    palette = Palette(dict(app.theme_variables))
    _palettes[app] = (id(theme), palette)
    return palette
