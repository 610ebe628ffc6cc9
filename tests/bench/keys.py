"""How long a key takes to change the screen: typing on the `:` line, pausing and going on."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.bench.terminal import Terminal

PAUSED, GOING_ON = b"Paused: decisions", b"Going on."


def key_times(terminal: Terminal, count: int, *, gap_s: tuple[float, float] = (0.03, 0.25)) -> list[float]:
    """Seconds from key to screen, of `count` keys at times that have nothing to do with the frames."""
    chance = random.Random(11)
    taken: list[float] = []
    while len(taken) < count:
        for keys, marker in _a_round(len(taken)):
            taken.append(terminal.press(keys, marker))
            terminal.run(chance.uniform(*gap_s))
        terminal.type(b"\x1b")
        terminal.run(0.4)
    return taken[:count]


def _a_round(number: int) -> Iterator[tuple[bytes, bytes]]:
    """Pause and go on, then a line typed letter by letter; `esc` follows, and isn't measured: a terminal can't tell
    it from the beginning of another key without waiting."""
    yield b"p", PAUSED
    yield b"p", GOING_ON
    typed = f"zq{number}".encode()
    yield b":", b" : "
    for end in range(1, len(typed) + 1):
        yield typed[end - 1 : end], typed[:end]
