"""What may follow the prefix key: a letter a screen, so that nobody has to know the digits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from console.screens.frame.names import SCREENS, ScreenName


class Chord(NamedTuple):
    """One letter behind the prefix: the screen it goes to, and its title."""

    key: str
    screen: str
    title: str


def chords(screens: Iterable[ScreenName] = SCREENS) -> tuple[Chord, ...]:
    """A letter for every screen: the first one of its title that no screen before it has.

    Raises:
        ValueError: a title has no letter left.
    """
    taken: dict[str, Chord] = {}
    for screen in screens:
        letter = next((one for one in screen.title.lower() if one.isalpha() and one not in taken), "")
        if not letter:
            raise ValueError(f"No letter is left for the screen {screen.title!r}.")
        taken[letter] = Chord(letter, screen.name, screen.title)
    return tuple(taken.values())
