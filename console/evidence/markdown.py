"""Text from outside in Markdown: it stands there as it is, and can neither link, nor embed, nor break a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from console.domain.text import clean

_SIGNS: Final = re.compile(r"[\\`*_{}\[\]<>|#~!$]")
_BY_NUMBER: Final = re.compile(r"&|@|(?<=\w):(?=/)|(?<=[wW]{3})\.")
"""What becomes a link, or a person that is told, without any sign around it."""


def escaped(text: object, limit: int = 300) -> str:
    """One line in which no character means anything."""
    line = _BY_NUMBER.sub(lambda match: f"&#{ord(match[0])};", clean(text, limit))
    return _SIGNS.sub(_escape, line)


def _escape(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 1) : match.start()]
    return match[0] if match[0] == "#" and before == "&" else f"\\{match[0]}"  # the sign of a reference of ours


def table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A table; every cell is escaped."""
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(escaped(cell) for cell in row)} |"
