"""Frames made small: of what Textual would write, only the cells that differ from those on the terminal.

Textual repaints what is dirty: a list that scrolls by one row is written anew as a whole, each stretch of text with all
of its colours, and a layout repaints the screen. Here is remembered what every cell of the terminal shows, so that a
frame becomes the cells that changed and the changes of colour between them. On a slow link that decides how long a key
waits.

What can't be known for sure is written as Textual would write it, and forgotten: text whose characters may be wider
than one cell, and links.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.console import Console, RenderableType
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

MOST_SKIPPED: Final = 6
"""Unchanged cells between two changed ones that are written again: moving the cursor over them costs as much."""

_SIGNS: Final = range(0x2010, 0x2900)
"""General punctuation to braille: what the screens are drawn with."""
_MARKS: Final = range(0x20D0, 0x2100)
"""Among them, those that are drawn over the character before them."""
_SHOWN_ON_BLANKS: Final = frozenset({"4", "7", "9", "21", "51", "52", "53"})
"""Attributes that show where there is no character: underline, reverse, strike, frames, overline."""
_MAX_CACHED: Final = 4096

_Ink = str
"""How a cell is drawn: the parameters of its colour sequence; empty for the terminal's own colours."""


class Frames:
    """What the terminal shows, and how to get from there to the next frame."""

    def __init__(self) -> None:
        self._chars: dict[int, list[str]] = {}
        self._inks: dict[int, list[_Ink]] = {}

    def forget(self) -> None:
        """Nothing is known of the terminal any more: it was resized, resumed, or written over."""
        self._chars.clear()
        self._inks.clear()

    def thin(self, renderable: RenderableType | CompositorUpdate | None) -> RenderableType | CompositorUpdate | None:
        """The same update, to be written as the cells that differ."""
        if isinstance(renderable, ChopsUpdate | LayoutUpdate):
            return _Thin(self, renderable)
        if renderable is not None:
            self.forget()
        return renderable

    def encode(self, update: ChopsUpdate | LayoutUpdate, console: Console) -> str:
        """What to write so that the terminal shows the update; the colours are the terminal's own before and after.

        What is drawn alike is written together, wherever it stands: going to a place costs eight bytes, changing
        colours twenty.
        """
        out: list[str] = []
        runs: dict[_Ink, list[_Run]] = {}
        for x, y, strip in _pieces(update):
            cells = _cells(strip, console)
            if cells is None:
                out += [_move(x, y), strip.render(console)]
                unknown = [""] * strip.cell_length
                self._put(x, y, unknown, unknown)
            else:
                for first, after in self._changed(x, y, *cells):
                    for run in _runs(x, y, first, after, *cells):
                        runs.setdefault(run.ink, []).append(run)
        pen = ""
        for ink, alike in runs.items():
            if _blank(pen) != ink or not all(run.text.isspace() for run in alike):
                out.append(_change(pen, ink))
                pen = ink
            for run in alike:
                out += [_move(run.x, run.y), run.text]
        return "".join([*out, "\x1b[m"] if pen else out)

    def _changed(self, x: int, y: int, chars: list[str], inks: list[_Ink]) -> list[tuple[int, int]]:
        """The stretches of these cells that are to be written; from now on they are taken for written."""
        end = x + len(chars)
        old_chars, old_inks = self._chars.get(y, [])[x:end], self._inks.get(y, [])[x:end]
        if old_chars == chars and old_inks == inks:
            return []
        changed = [
            place
            for place, (old_char, char, old_ink, ink) in enumerate(zip(old_chars, chars, old_inks, inks, strict=False))
            if old_char != char or old_ink != ink
        ]
        changed += range(len(old_chars), len(chars))
        self._put(x, y, chars, inks)
        stretches: list[tuple[int, int]] = []
        first = last = changed[0]
        for place in changed[1:]:
            if place - last > MOST_SKIPPED + 1:
                stretches.append((first, last + 1))
                first = place
            last = place
        return [*stretches, (first, last + 1)]

    def _put(self, x: int, y: int, chars: list[str], inks: list[_Ink]) -> None:
        """Remember cells; an empty text stands for a cell of which nothing is known."""
        known_chars, known_inks = self._chars.setdefault(y, []), self._inks.setdefault(y, [])
        missing = x - len(known_chars)
        if missing > 0:
            known_chars += [""] * missing
            known_inks += [""] * missing
        known_chars[x : x + len(chars)] = chars
        known_inks[x : x + len(inks)] = inks


class _Thin(CompositorUpdate):
    """An update that is encoded when, and only when, it is written."""

    def __init__(self, frames: Frames, update: ChopsUpdate | LayoutUpdate) -> None:
        self._frames = frames
        self._update = update

    def render_segments(self, console: Console) -> str:
        return self._frames.encode(self._update, console)


class _Run(NamedTuple):
    """Neighbouring cells that are drawn alike."""

    x: int
    y: int
    ink: _Ink
    text: str


def _runs(x: int, y: int, first: int, after: int, chars: list[str], inks: list[_Ink]) -> Iterator[_Run]:
    """A stretch of cells as runs; blanks go with their neighbours where they look the same."""
    start, ink, only_blanks = first, inks[first], chars[first] == " "
    for place in range(first + 1, after):
        char, own = chars[place], inks[place]
        if own == ink:
            only_blanks = only_blanks and char == " "
        elif char == " " and _blank(ink) == own:
            continue
        elif only_blanks and _blank(own) == ink:
            ink, only_blanks = own, False
        else:
            yield _Run(x + start, y, ink, "".join(chars[start:place]))
            start, ink, only_blanks = place, own, char == " "
    yield _Run(x + start, y, ink, "".join(chars[start:after]))


def _move(x: int, y: int) -> str:
    return f"\x1b[{y + 1};{x + 1}H"


def _pieces(update: ChopsUpdate | LayoutUpdate) -> Iterator[tuple[int, int, Strip]]:
    """The strips of an update and where they stand, as Textual would write them."""
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in line:
                yield x, y, strip
                x += strip.cell_length
        return
    for y, x1, x2 in update.spans:
        for end, (x, found) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if found is None or x > x2 or end <= x1:
                continue
            yield x, y, found if x2 > x >= x1 and end <= x2 else found.crop(0, min(end, x2) - x)


def _cells(strip: Strip, console: Console) -> tuple[list[str], list[_Ink]] | None:
    """The strip cell by cell; None where a character may take more or less than one, or a link is drawn."""
    chars: list[str] = []
    inks: list[_Ink] = []
    system = console._color_system or ColorSystem.TRUECOLOR
    for text, style, control in strip:
        if control or not text.isprintable() or not (text.isascii() or all(map(_takes_one_cell, set(text)))):
            return None
        ink = ""
        if style is not None:
            if style.link:
                return None
            ink = style._ansi if style._ansi is not None else Strip.render_ansi(style, system)
        chars += text
        if " " not in text:
            inks += [ink] * len(text)
        else:
            blank = _blank(ink)
            inks += [blank if char == " " else ink for char in text]
    return chars, inks


def _takes_one_cell(char: str) -> bool:
    """Whether every terminal agrees that it does."""
    code = ord(char)
    if code < 0x300 or 0x370 <= code < 0x483:
        return True
    return code in _SIGNS and code not in _MARKS and get_character_cell_size(char) == 1


@lru_cache(_MAX_CACHED)
def _parts(ink: _Ink) -> tuple[frozenset[str], str, str]:
    """Attributes, colour, background."""
    codes = iter(ink.split(";") if ink else ())
    attributes, color, back = set(), "", ""
    for code in codes:
        value, number = code, int(code)
        if number in (38, 48):
            kind = next(codes)
            value = ";".join([code, kind, *(next(codes) for _ in range(3 if kind == "2" else 1))])
        if number == 38 or 30 <= number <= 37 or 90 <= number <= 97:
            color = value
        elif number == 48 or 40 <= number <= 47 or 100 <= number <= 107:
            back = value
        elif number not in (39, 49):
            attributes.add(code)
    return frozenset(attributes), color, back


@lru_cache(_MAX_CACHED)
def _blank(ink: _Ink) -> _Ink:
    """How a blank in this ink looks: its background, unless more shows where there is no character."""
    attributes, _, back = _parts(ink)
    return ink if attributes & _SHOWN_ON_BLANKS else back


@lru_cache(_MAX_CACHED)
def _change(pen: _Ink, ink: _Ink) -> str:
    """The shortest sequence that changes one ink into another."""
    if pen == ink:
        return ""
    anew = f"\x1b[0;{ink}m" if ink else "\x1b[m"
    (old, old_color, old_back), (new, color, back) = _parts(pen), _parts(ink)
    if not old <= new:
        return anew
    codes = sorted(new - old)
    if color != old_color:
        codes.append(color or "39")
    if back != old_back:
        codes.append(back or "49")
    return min(anew, f"\x1b[{';'.join(codes)}m", key=len)
