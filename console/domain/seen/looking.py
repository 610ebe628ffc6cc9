"""Looking back: that an observation is not of now, and how it plays."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from console.domain.text import Safe


class LookingKind(StrEnum):
    """Whose past is shown."""

    PAST = "past"
    """Of the store that the console is attached to: `:at`, and `:live` returns."""
    REPLAY = "replay"
    """Of a recording or an evidence file; there is no present to return to."""


class Looking(NamedTuple):
    """That, and how, an observation is not of now.

    Args:
        kind: whose past it is.
        at: the moment that is shown, aware UTC.
        first, last: how far one can go back and forward.
        speed: seconds that pass a second while it plays.
        playing: whether time passes.
        missing: what of that time nobody kept, one sentence each: it is shown as not known, never as of now.
    """

    kind: LookingKind
    at: datetime
    first: datetime
    last: datetime
    speed: float = 1.0
    playing: bool = False
    missing: tuple[Safe, ...] = ()
