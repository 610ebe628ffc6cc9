"""The themes can be read, by every eye and on every terminal; what is wrong with an operator's own is told in full."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Final

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.app import App, ComposeResult
from textual.color import Color
from textual.theme import Theme

from themes.builtin import DEFAULT_THEME, MONO_THEME, THEMES, VARIABLES, initial_theme
from themes.loader import ThemeErrors, load_themes, parse_theme
from themes.variables import BASE, GROUNDS, MEANINGS, TEXT
from widgets.frame.header import HeaderBar, HeaderData
from widgets.frame.panel import Panel
from widgets.lists.columns import Column
from widgets.lists.grid import Grid
from widgets.text.palette import BANDS, TONES, Palette
from widgets.typing.command_line import CommandLine
from widgets.typing.confirm import ConfirmBox
from widgets.typing.question import ConfirmData

RGB = tuple[float, float, float]
HEX_THEMES = [theme for theme in THEMES if not theme.ansi]


def variables(theme: Theme) -> dict[str, str]:
    return {**theme.to_color_system().generate(), **theme.variables}


def rgb(value: str) -> RGB:
    color = Color.parse(value)
    return color.r / 255, color.g / 255, color.b / 255


def in_256(value: str) -> str:
    triplet = Color.parse(value)
    number = RichColor.from_rgb(*triplet.rgb).downgrade(ColorSystem.EIGHT_BIT)
    return number.get_truecolor().hex


def linear(value: RGB) -> RGB:
    return tuple(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in value)  # type: ignore[return-value]


def contrast(one: str, other: str) -> float:
    """WCAG 2.1's contrast ratio."""
    light, dark = sorted(
        (sum(w * part for w, part in zip((0.2126, 0.7152, 0.0722), linear(rgb(c)), strict=True)) for c in (one, other)),
        reverse=True,
    )
    return (light + 0.05) / (dark + 0.05)


DEUTERANOPIA = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))
TRITANOPIA = ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900))
"""Machado, Oliveira, Fernandes 2009, table 1, severity 1.0."""


def lab(value: RGB) -> RGB:
    r, g, b = value
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883
    fx, fy, fz = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def seen_apart(one: str, other: str, eye: tuple[RGB, RGB, RGB]) -> float:
    """The distance in CIELAB of two colours as such an eye sees them."""
    seen = []
    for value in (one, other):
        light = linear(rgb(value))
        mixed = tuple(min(1.0, max(0.0, sum(w * part for w, part in zip(row, light, strict=True)))) for row in eye)
        seen.append(lab(mixed))  # type: ignore[arg-type]
    return sum((a - b) ** 2 for a, b in zip(*seen, strict=True)) ** 0.5


def pairs(theme: Theme) -> Iterator[tuple[str, str, str, str]]:
    colours = variables(theme)
    for text in TEXT:
        for ground in GROUNDS:
            yield text, ground, colours[text], colours[ground]
    for band in ("warn-band", "bad-band"):
        yield f"{band}-text", band, colours[f"{band}-text"], colours[band]


@pytest.mark.parametrize("theme", HEX_THEMES, ids=lambda theme: theme.name)
def test_every_text_colour_reaches_a_contrast_of_4_5_on_every_ground(theme: Theme) -> None:
    low = [f"{t} on {g}: {contrast(a, b):.2f}" for t, g, a, b in pairs(theme) if contrast(a, b) < 4.5]
    assert low == []


@pytest.mark.parametrize("theme", HEX_THEMES, ids=lambda theme: theme.name)
def test_every_text_colour_reaches_it_in_256_colours_too(theme: Theme) -> None:
    low = [
        f"{t} on {g}: {contrast(in_256(a), in_256(b)):.2f}"
        for t, g, a, b in pairs(theme)
        if contrast(in_256(a), in_256(b)) < 4.5
    ]
    assert low == []


XTERM: Final = {
    "black": "#000000",
    "red": "#cd0000",
    "green": "#00cd00",
    "yellow": "#cdcd00",
    "blue": "#0000ee",
    "magenta": "#cd00cd",
    "cyan": "#00cdcd",
    "white": "#e5e5e5",
    "bright_black": "#7f7f7f",
    "bright_red": "#ff0000",
    "bright_green": "#00ff00",
    "bright_yellow": "#ffff00",
    "bright_blue": "#5c5cff",
    "bright_magenta": "#ff00ff",
    "bright_cyan": "#00ffff",
    "bright_white": "#ffffff",
}
"""The 16 colours as xterm draws them; a terminal's own text and ground are white and black here."""
DIM: Final = 2 / 3
"""So much of its brightness xterm and VTE leave to text that is drawn dim."""


def in_16(theme: Theme, name: str, ground: str) -> tuple[str, str]:
    """Text and ground of a theme of the terminal's own colours, as xterm draws them."""
    colours = variables(theme)
    text = XTERM[{"ansi_default": "ansi_white"}.get(colours[name], colours[name]).removeprefix("ansi_")]
    none = {"ansi_default": "ansi_black", "transparent": "ansi_black"}
    under = XTERM[none.get(colours[ground], colours[ground]).removeprefix("ansi_")]
    if "dim" in colours.get(f"{name}-style", ""):
        text = Color.parse(text).blend(Color.parse("#000000"), 1 - DIM).hex
    return text, under


def test_every_text_colour_of_the_terminal_s_own_reaches_4_5_at_the_usual_values() -> None:
    theme = next(theme for theme in THEMES if theme.name == "ansi")
    spots = [(text, ground) for text in TEXT for ground in GROUNDS]
    spots += [(f"{band}-text", band) for band in ("warn-band", "bad-band")]
    ratios = {spot: contrast(*in_16(theme, *spot)) for spot in spots}
    assert {spot: round(ratio, 2) for spot, ratio in ratios.items() if ratio < 4.5} == {}


def test_the_high_contrast_theme_reaches_7() -> None:
    theme = next(theme for theme in THEMES if theme.name == "high-contrast")
    assert [f"{t} on {g}: {contrast(a, b):.2f}" for t, g, a, b in pairs(theme) if contrast(a, b) < 7] == []


@pytest.mark.parametrize(
    ("name", "eye"), [("deuteranopia", DEUTERANOPIA), ("tritanopia", TRITANOPIA), ("high-contrast", TRITANOPIA)]
)
def test_slots_and_gain_and_loss_stay_apart_for_colour_blind_eyes(name: str, eye: tuple[RGB, RGB, RGB]) -> None:
    colours = variables(next(theme for theme in THEMES if theme.name == name))
    for one, other in (("slot-blue", "slot-green"), ("gain", "loss"), ("ok", "bad"), ("ok", "warn"), ("warn", "bad")):
        if name == "high-contrast" and one != "gain":
            continue
        assert seen_apart(colours[one], colours[other], eye) >= 20, (one, other)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_theme_gives_every_name_its_colour(theme: Theme) -> None:
    colours = variables(theme)
    palette = Palette(colours)
    assert [name for name in (*MEANINGS, "foreground", "accent") if palette.color(name) is None] == []
    assert set(MEANINGS) <= set(theme.variables)


class Drawing(App[None]):
    """A panel, a list, a question and an input line, under any theme."""

    def __init__(self, theme: str) -> None:
        super().__init__()
        for one in THEMES:
            self.register_theme(one)
        self.theme = theme

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(VARIABLES)

    def compose(self) -> ComposeResult:
        yield HeaderBar(HeaderData(protected=True))
        with Panel("Flags"):
            yield Grid([Column("name")], empty="No flags.")
        yield ConfirmBox(ConfirmData("Switch?", danger=True))
        yield CommandLine()


@pytest.mark.parametrize("name", [theme.name for theme in THEMES])
async def test_the_console_starts_under_every_theme_and_changes_to_every_other(name: str) -> None:
    app = Drawing(name)
    async with app.run_test() as pilot:
        for other in THEMES:
            app.theme = other.name
            await pilot.pause()
            assert "Switch?" in app.export_screenshot()


def test_every_name_a_widget_asks_for_is_a_name_a_theme_gives() -> None:
    asked = {name for name, _ in TONES.values() if name} | {name for pair in BANDS.values() for name in pair if name}
    assert asked <= {*MEANINGS, *BASE}
    assert set(VARIABLES) >= asked - set(BASE)


def test_the_sixteen_colour_theme_uses_only_the_terminals_own_colours() -> None:
    theme = next(theme for theme in THEMES if theme.name == "ansi")
    palette = Palette(variables(theme))
    assert [name for name in MEANINGS if (color := palette.color(name)) is None or color.ansi is None] == []


def test_the_mono_theme_has_no_hue_and_tells_a_loss_by_its_style() -> None:
    colours = variables(next(theme for theme in THEMES if theme.name == MONO_THEME))
    assert [name for name in (*MEANINGS, "foreground") if len(set(Color.parse(colours[name]).rgb)) != 1] == []
    palette = Palette(colours)
    assert palette.style("loss").bold and not palette.style("gain").bold
    assert palette.style("bad").bold and not palette.style("ok").bold


def test_names_are_told_apart_where_a_theme_has_hues() -> None:
    for theme in HEX_THEMES:
        if theme.name == MONO_THEME:
            continue
        colours = variables(theme)
        for one, other in combinations(("slot-blue", "slot-green", "loss"), 2):
            assert colours[one] != colours[other], theme.name


def test_no_color_means_mono_whatever_was_asked_for() -> None:
    assert initial_theme("light", {"NO_COLOR": "1"}) == MONO_THEME
    assert initial_theme("light", {"NO_COLOR": ""}) == "light"
    assert initial_theme("", {}) == DEFAULT_THEME


def test_a_theme_of_the_operators_own_takes_what_it_does_not_say_from_its_base() -> None:
    theme = parse_theme(
        b'base = "light"\n[colors]\nloss = "#aa0000"\nprimary = "navy"\n[styles]\nloss = "bold"', "harbour"
    )
    base = next(one for one in THEMES if one.name == "light")
    assert theme.name == "harbour"
    assert not theme.dark
    assert theme.primary == "navy"
    assert theme.variables["loss"] == "#aa0000"
    assert theme.variables["loss-style"] == "bold"
    assert theme.variables["gain"] == base.variables["gain"]
    assert theme.background == base.background


def test_everything_wrong_with_a_theme_is_told_in_one_message() -> None:
    content = b"""
name = "dark"
base = "nightfall"
darkness = true
[colors]
loss = "redd"
gain = "#12345678"
info = "ansi_red"
ok = 5
slot-red = "#ff0000"
[styles]
loss = "blinking"
"""
    with pytest.raises(ThemeErrors) as caught:
        parse_theme(content, "mine")
    told = caught.value.problems
    for word in (
        "`darkness`",
        "built-in theme; choose",
        "`base`",
        "colors.loss",
        "colors.gain",
        "colors.info",
        "colors.ok",
    ):
        assert sum(word in problem for problem in told) == 1, word
    assert any("colors.slot-red" in problem for problem in told)
    assert any("blinking" in problem for problem in told)
    assert len(told) == 9
    assert str(caught.value) == "\n".join(told)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[colors", b"colors = 3", b"name = 3", b"dark = 'yes'"])
def test_a_file_that_is_no_theme_is_refused_and_nothing_else_happens(content: bytes) -> None:
    with pytest.raises(ThemeErrors) as caught:
        parse_theme(content, "mine")
    assert len(caught.value.problems) == 1


def test_one_broken_file_does_not_take_the_good_ones_with_it(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text('[colors]\nloss = "#ff8800"\n')
    (tmp_path / "bad.toml").write_text('[colors]\nloss = "?"\n')
    (tmp_path / "huge.toml").write_text("#" * 70_000)
    (tmp_path / "notes.txt").write_text("not a theme")
    with pytest.raises(ThemeErrors) as caught:
        load_themes(tmp_path)
    assert [theme.name for theme in caught.value.themes] == ["good"]
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["bad.toml", "huge.toml"]


def test_two_files_cannot_name_the_same_theme(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text('name = "mine"\n')
    with pytest.raises(ThemeErrors, match="two files"):
        load_themes(tmp_path)


def test_no_folder_means_no_themes(tmp_path: Path) -> None:
    assert load_themes(tmp_path / "none") == ()
