"""SVG to PNG, with this machine's own fonts: nothing is fetched, and no sign is drawn as an empty box in silence."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path
from typing import Final, NamedTuple

from console.domain.errors import Refused, UsageError

_BRAILLE: Final = re.compile("[\u2800-\u28ff]+")
_RUNS: Final = re.compile("[\u2800-\u28ff]+|[^\u2800-\u28ff]+")
_TEXT: Final = re.compile(r'<text( [^>]*?)x="([0-9.]+)"( [^>]*?)textLength="([0-9.]+)"([^>]*)>([^<]*)</text>')
_FOLDERS: Final = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/Library/Fonts",
    "/System/Library/Fonts",
)
_MOST_FILES: Final = 20_000


class Fonts(NamedTuple):
    """Fonts that belong together.

    Args:
        mono: the family that text is drawn with.
        braille: the family that has the dots of charts.
        needs: names of files.
        wants: names of files that make it better.
    """

    mono: str
    braille: str
    needs: tuple[str, ...]
    wants: tuple[str, ...] = ()


KNOWN: Final = (
    Fonts("DejaVu Sans Mono", "DejaVu Sans", ("DejaVuSansMono.ttf", "DejaVuSans.ttf"), ("DejaVuSansMono-Bold.ttf",)),
    Fonts("Menlo", "Apple Braille", ("Menlo.ttc", "Apple Braille.ttf"), ("Apple Symbols.ttf",)),
)
"""In the order in which they are tried."""


def to_png(svg: str) -> bytes:
    """A picture of a screen as PNG.

    Raises:
        UsageError: what draws it is not installed.
        Refused: no font is there that has every sign.
    """
    try:
        import resvg_py
    except ModuleNotFoundError as error:
        raise UsageError(
            "PNG needs resvg-py, which is not installed.", "`pip install 'agent-console[png]'` installs it."
        ) from error
    fonts, files = _fonts()
    drawn = resvg_py.svg_to_bytes(
        svg_string=with_braille(svg, fonts.braille),
        skip_system_fonts=True,
        font_files=files,
        font_family=fonts.mono,
        monospace_family=fonts.mono,
        sans_serif_family=fonts.braille,
        serif_family=fonts.braille,
    )
    return bytes(drawn)


def with_braille(svg: str, family: str) -> str:
    """The same picture, its dots in elements of their own, in a family that has them: within a line of other signs all
    of it would be drawn in that family, and nothing would stand in its column."""
    return _TEXT.sub(lambda match: _parted(match, family), svg)


def _parted(text: re.Match[str], family: str) -> str:
    before, x, between, length, after, content = text.groups()
    plain = unescape(content)
    if not _BRAILLE.search(plain):
        return text[0]
    cell = float(length) / len(plain)  # a line with dots has no wide signs: each takes a cell
    parts = []
    for run in _RUNS.finditer(plain):
        if run[0].isspace():
            continue
        dots = f' font-family="{family}" style="font-family:{family}"' if _BRAILLE.match(run[0]) else ""
        where = f'{before}x="{float(x) + run.start() * cell:.3f}"{between}textLength="{len(run[0]) * cell:.3f}"{after}'
        parts.append(f"<text{where}{dots}>{escape(run[0]).replace(chr(160), '&#160;')}</text>")
    return "".join(parts)


def _fonts() -> tuple[Fonts, list[str]]:
    """Fonts that are here, and their files.

    Raises:
        Refused: there are none.
    """
    names = {name for fonts in KNOWN for name in (*fonts.needs, *fonts.wants)}
    here = {path.name: str(path) for path in _files() if path.name in names}
    for fonts in KNOWN:
        if all(name in here for name in fonts.needs):
            return fonts, [here[name] for name in (*fonts.needs, *fonts.wants) if name in here]
    raise Refused(
        "PNG needs a monospaced font with box drawing and braille, and none is known here.",
        "Install DejaVu (fonts-dejavu-core, dejavu-sans-mono-fonts), or write --format svg.",
    )


def _files() -> Iterator[Path]:
    seen = 0
    for folder in _FOLDERS:
        for parent, _folders, names in os.walk(os.path.expanduser(folder)):  # noqa: PTH111 - the other raises homeless
            for name in names:
                seen += 1
                if seen > _MOST_FILES:
                    return
                yield Path(parent) / name
