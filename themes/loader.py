"""The operator's own themes: TOML files, of which every line is checked before anything is drawn with it.

name = "harbour"            # without it, the file's name
base = "dark"               # where everything comes from that isn't given here
dark = true

[colors]
slot-blue = "#6cb0ff"
loss = "salmon"

[styles]
loss = "bold underline"
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from textual.color import Color, ColorParseError
from textual.theme import Theme

from themes.builtin import DEFAULT_THEME, THEMES
from themes.variables import BASE, MEANINGS, STYLE_WORDS

MAX_BYTES: Final = 64 * 1024
"""A theme file larger than this is no theme."""

_KEYS: Final = ("name", "base", "dark", "colors", "styles")


class ThemeErrors(ValueError):  # noqa: N818 - it holds all of them
    """Everything that is wrong with the operator's themes, in one message.

    Args:
        problems: one sentence each.
        themes: those in which nothing is wrong; they can be used.
    """

    def __init__(self, problems: tuple[str, ...], themes: tuple[Theme, ...] = ()) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.themes = themes


def load_themes(folder: Path) -> tuple[Theme, ...]:
    """The themes in a folder's `*.toml` files, by name of the file; none where there is no folder.

    Raises:
        ThemeErrors: at least one file has something wrong.
    """
    themes: list[Theme] = []
    problems: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            if not path.is_file():  # a FIFO would be waited for
                problems.append(f"{path.name}: is no regular file.")
                continue
            if path.stat().st_size > MAX_BYTES:
                problems.append(f"{path.name}: larger than {MAX_BYTES} bytes.")
                continue
            themes.append(parse_theme(path.read_bytes(), path.stem))
        except OSError as error:
            problems.append(f"{path.name}: can't be read: {error.strerror}.")
        except ThemeErrors as error:
            problems += [f"{path.name}: {problem}" for problem in error.problems]
    seen: set[str] = set()
    for theme in themes:
        if theme.name in seen:
            problems.append(f"{theme.name}: two files define a theme of this name.")
        seen.add(theme.name)
    if problems:
        raise ThemeErrors(tuple(problems), tuple({theme.name: theme for theme in themes}.values()))
    return tuple(themes)


def parse_theme(content: bytes, default_name: str) -> Theme:
    """One theme from the bytes of its file.

    Args:
        content: TOML.
        default_name: its name where the file gives none.

    Raises:
        ThemeErrors: with everything that is wrong in it.
    """
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ThemeErrors((f"not UTF-8: byte {error.start} can't be read.",)) from error
    except tomllib.TOMLDecodeError as error:
        raise ThemeErrors((f"not TOML: {error}.",)) from error
    except RecursionError as error:
        raise ThemeErrors(("nested too deeply.",)) from error
    problems = [f"`{key}` is not known; there are {', '.join(_KEYS)}." for key in table if key not in _KEYS]
    name = table.get("name", default_name)
    if not isinstance(name, str) or not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        problems.append("`name` has to be letters, digits, `-` and `_`.")
        name = default_name
    builtin = {theme.name: theme for theme in THEMES}
    if name in builtin:
        problems.append(f"`{name}` is a built-in theme; choose another name.")
    base_name = table.get("base", DEFAULT_THEME)
    base = builtin.get(base_name) if isinstance(base_name, str) else None
    if base is None:
        problems.append(f"`base` is not a built-in theme; there are {', '.join(builtin)}.")
        base = builtin[DEFAULT_THEME]
    dark = table.get("dark", base.dark)
    if not isinstance(dark, bool):
        problems.append("`dark` has to be true or false.")
        dark = base.dark
    colors = dict(_entries(table, "colors", problems))
    styles = dict(_entries(table, "styles", problems))
    problems += _color_problems(colors, base.ansi)
    problems += _style_problems(styles)
    if problems:
        raise ThemeErrors(tuple(problems))
    variables = {
        **base.variables,
        **{key: value for key, value in colors.items() if key not in BASE},
        **{f"{key}-style": value for key, value in styles.items()},
    }
    return Theme(
        name=name,
        primary=colors.get("primary", base.primary),
        secondary=colors.get("secondary", base.secondary),
        warning=colors.get("warning", base.warning),
        error=colors.get("error", base.error),
        success=colors.get("success", base.success),
        accent=colors.get("accent", base.accent),
        foreground=colors.get("foreground", base.foreground),
        background=colors.get("background", base.background),
        surface=colors.get("surface", base.surface),
        panel=colors.get("panel", base.panel),
        dark=dark,
        ansi=base.ansi,
        variables=variables,
    )


def _entries(table: Mapping[str, object], key: str, problems: list[str]) -> Iterator[tuple[str, str]]:
    entries = table.get(key, {})
    if not isinstance(entries, dict):
        problems.append(f"`{key}` has to be a table: write [{key}] on a line of its own.")
        return
    for name, value in entries.items():
        if isinstance(value, str):
            yield name, value
        else:
            problems.append(f"{key}.{name} has to be text in quotes.")


def _color_problems(colors: Mapping[str, str], ansi: bool) -> Iterator[str]:
    for name, value in colors.items():
        if name not in MEANINGS and name not in BASE:
            yield f"colors.{name} is not known; there are {', '.join((*BASE, *MEANINGS))}."
            continue
        try:
            color = Color.parse(value)
        except ColorParseError:
            yield f"colors.{name}: {value!r} is not a colour; write #rrggbb, rgb(r, g, b) or a name."
            continue
        if color.auto or color.a < 1:
            yield f"colors.{name}: {value!r} is not a solid colour; leave out `auto` and the transparency."
        elif (color.ansi is not None) is not ansi:
            wanted = "one of the terminal's own (ansi_…), as its base is" if ansi else "not one of the terminal's own"
            yield f"colors.{name}: {value!r} has to be {wanted}."


def _style_problems(styles: Mapping[str, str]) -> Iterator[str]:
    for name, value in styles.items():
        if name not in MEANINGS:
            yield f"styles.{name} is not known; there are {', '.join(MEANINGS)}."
        unknown = [word for word in value.split() if word not in STYLE_WORDS]
        if unknown:
            yield f"styles.{name}: {', '.join(unknown)} is not known; there are {', '.join(sorted(STYLE_WORDS))}."
