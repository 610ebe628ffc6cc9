"""Breaking plain text into lines of cells."""

from __future__ import annotations

from widgets.text.plain import MAX_CHARS, plain, width_of


def wrap_words(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, broken at blanks where that is possible; newlines are kept.

    Args:
        text: any text; what follows its first 4096 characters is left out.
        width: cells, at least 1.
    """
    lines: list[str] = []
    for paragraph in text[:MAX_CHARS].split("\n"):
        line = ""
        for word in plain(paragraph).split(" "):
            candidate = f"{line} {word}" if line else word
            if width_of(candidate) <= width:
                line = candidate
                continue
            if line:
                lines.append(line)
            line = word
            while width_of(line) > width:
                head = _head(line, width)
                lines.append(head)
                line = line[len(head) :]
        lines.append(line)
    return lines


def _head(text: str, width: int) -> str:
    """The longest beginning of at most `width` cells, but at least one character."""
    end = min(len(text), width)
    while end > 1 and width_of(text[:end]) > width:
        end -= 1
    return text[:end]
