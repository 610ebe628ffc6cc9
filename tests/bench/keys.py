"""How long a key takes to change the screen: typing on the `:` line, pausing and going on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from tests.bench.terminal import Terminal, beginning, holding

Key = tuple[bytes, Callable[[str], bool]]


def key_times(terminal: Terminal, count: int, *, gap_s: tuple[float, float] = (0.03, 0.25)) -> list[float]:
    """Seconds from key to screen, of `count` keys at times that have nothing to do with the frames."""
    chance = random.Random(11)
    taken: list[float] = []
    while len(taken) < count:
        for keys, wanted in _a_round(len(taken)):
            taken.append(terminal.press(keys, wanted))
            terminal.run(chance.uniform(*gap_s))
        terminal.type(b"\x1b")
        terminal.run(0.6)
    return taken[:count]


def _a_round(number: int) -> Iterator[Key]:
    """Pause and go on, then a line typed letter by letter; `esc` follows, and isn't measured: a terminal can't tell
    it from the beginning of another key without waiting."""
    yield b"p", holding("Paused: decisions")
    yield b"p", holding("Going on.")
    typed = f"zq{number}"
    for end in range(len(typed) + 1):
        key, wanted = (typed[end - 1], f" : {typed[:end]} ") if end else (":", " :  ")
        yield key.encode(), beginning(wanted)
