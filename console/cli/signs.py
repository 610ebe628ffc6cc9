"""Output in ASCII alone, for terminals and files that can't show more."""

from __future__ import annotations

import io
import sys


class AsciiText(io.TextIOWrapper):
    """A stream that writes a readable stand-in for every sign that is not ASCII.

    Args:
        stream: what is written to from now on through this one alone.
    """

    def __init__(self, stream: io.TextIOWrapper) -> None:
        # not "ascii": click takes a stream of that encoding for a mistake, and writes past it
        super().__init__(stream.buffer, encoding="utf-8", line_buffering=stream.line_buffering)
        self._through = stream  # let go of, it would close the buffer

    def write(self, text: str) -> int:
        """Write a text; how long it was."""
        from widgets.text.glyphs import to_ascii

        super().write(to_ascii(text))
        return len(text)


def write_ascii() -> None:
    """From now on this process writes ASCII alone."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and not isinstance(stream, AsciiText):
            stream.flush()
            setattr(sys, name, AsciiText(stream))
