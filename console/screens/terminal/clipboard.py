"""The operator's clipboard, over any number of hops: OSC 52."""

from __future__ import annotations

import base64
from typing import Final

MOST_BYTES: Final = 8192
"""Terminals drop longer ones without a word."""


def osc52(text: str, *, inside_tmux: bool = False) -> str:
    """The sequence that puts a text on the clipboard.

    Args:
        text: what to copy; cut at `MOST_BYTES`.
        inside_tmux: wrap it so that tmux hands it on.
    """
    data = base64.b64encode(text.encode("utf-8", "replace")[:MOST_BYTES]).decode("ascii")
    sequence = f"\x1b]52;c;{data}\x07"
    return f"\x1bPtmux;{sequence.replace(chr(0x1B), chr(0x1B) * 2)}\x1b\\" if inside_tmux else sequence
