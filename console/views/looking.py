"""How it is said that what is shown is not of now: in the header, at every width."""

from __future__ import annotations

from typing import Final

from console.domain.seen.looking import Looking, LookingKind
from console.domain.seen.observation import Observation
from console.views.format import count_text

NOT_KEPT: Final = "Not kept by the moment. :live shows the present."
"""What an empty panel says of what no store keeps."""

WORDS: Final = {LookingKind.PAST: "AT", LookingKind.REPLAY: "REPLAY"}


def looking_word(looking: Looking) -> str:
    """`REPLAY`, or `AT` for the past of a store that one is attached to."""
    return WORDS[looking.kind]


def looking_note(looking: Looking) -> str:
    """`14:03:11 ×10`; at normal speed only the time; standing still says so."""
    time = f"{looking.at:%H:%M:%S}"
    if looking.kind is LookingKind.PAST:
        return time
    if not looking.playing:
        return f"{time} stands"
    return time if looking.speed == 1 else f"{time} ×{looking.speed:g}"


def missing_text(looking: Looking) -> str:
    """What nobody kept of that time, on one line; empty where everything was."""
    first, *more = (*looking.missing, "")
    rest = len([one for one in more if one])
    return f"{first} · and {count_text(rest)} more" if rest else str(first)


def is_past(observation: Observation) -> bool:
    """Whether this was put together from what a store keeps: then much of it is not known."""
    return observation.looking is not None and observation.looking.kind is LookingKind.PAST
