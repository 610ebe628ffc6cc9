"""Writing what is on screen to a file."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Final

_FOREIGN: Final = re.compile(r"\s*@font-face\s*\{[^{}]*\}|\s*<!--.*?-->", re.DOTALL)
_FIRST_FONT: Final = re.compile(r"font-family:\s*Fira Code,\s*")


def export_name(now: datetime) -> str:
    """The name of a picture taken with a key."""
    return f"agent-console-{now:%Y%m%dT%H%M%SZ}.svg"


def without_hosts(svg: str) -> str:
    """A picture that asks nobody for anything: drawn with the reader's own monospaced font, and no other is fetched."""
    head, style, rest = svg.partition("</style>")  # what stands after it is drawn text
    return _FIRST_FONT.sub("font-family: ", _FOREIGN.sub("", head)) + style + rest


def save_picture(path: str, svg: str) -> str:
    """Write a picture, where nothing is yet; where it went.

    Raises:
        FileExistsError: something is there already.
        OSError: it can't be written.
    """
    target = Path(path).expanduser().resolve()
    with target.open("x", encoding="utf-8") as file:
        file.write(svg)
    return str(target)
