"""Keys by chance, from a seed: every key of the bindings at least once, letters, escape sequences, the mouse."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from textual import events
from textual.app import App

from console.commands.catalogue import commands
from console.screens.frame.keys import VIEW_KEYS
from console.screens.terminal.sequences import KeyParser, Sequences

LEAVES: Final = frozenset({"q", "ctrl+c"})
TYPED: Final = "".join(chr(code) for code in range(0x20, 0x7F)) + "\t\r\x7f€日"
SEQUENCES: Final = (
    *("\x1b", "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F", "\x1b[5~", "\x1b[6~", "\x1b[Z", "\x1b[3~"),
    *("\x1bOP", "\x1b[15~", "\x1b[1;5C", "\x1b[104;6u", "\x1b[27;5;9~", "\x1bH", "\x1by", "\x1b[", "\x1bO", "\x1bP"),
    *("\x1b[I", "\x1b[O", "\x1b[?1;2c", "\x1b]52;c;aGk=\x07", "\x1b\\", "\x1b[200~", "\x1b[201~", "\x00", "\x9b"),
)
CONTROLS: Final = "".join(chr(code) for code in range(1, 0x20) if chr(code) not in "\x03")


def keys_by_chance(seed: int, count: int) -> Iterator[str]:
    """So many keys as a terminal sends them; those of the bindings by their names.

    Args:
        seed: of all chance.
        count: of keys, without those of the bindings, each of which comes once in between.
    """
    chance = random.Random(seed)
    bound = [key for binding in VIEW_KEYS for key in binding.key.split(",") if key not in LEAVES]
    bound += [command.info.key for command in commands() if command.info.key]
    places = set(chance.sample(range(count), len(bound)))
    chance.shuffle(bound)
    for place in range(count):
        if place in places:  # and what would confirm it, where it asks
            yield "key:escape"
            yield (key := f"key:{bound.pop()}")
            yield from chance.choice((("y",), ("y",), ("\r", "y"), ("why", "\r", "y"), (key,)))
        kind = chance.random()
        if kind < 0.62:
            yield chance.choice(TYPED)
        elif kind < 0.82:
            yield chance.choice(SEQUENCES)
        elif kind < 0.9:
            yield chance.choice(CONTROLS)
        else:
            button, end = chance.choice((0, 0, 0, 2, 64, 65, 32, 35)), chance.choice("Mm")
            yield f"\x1b[<{button};{chance.randint(1, 90)};{chance.randint(1, 26)}{end}"


class Hand:
    """Types into an app what a terminal would send.

    Args:
        app: which; nothing that leaves it is typed.
    """

    def __init__(self, app: App[int]) -> None:
        self._app = app
        self._sequences, self._parser, self._now = Sequences(), KeyParser(), 0.0

    def type(self, piece: str) -> None:
        """One of `keys_by_chance`."""
        if piece.startswith("key:"):
            self._post(events.Key(piece[4:], piece[4:] if len(piece) == 5 else None))
            return
        self._now += 0.2  # so long that what was begun before is a key of its own
        for part in self._sequences.feed(piece, self._now):
            for message in self._parser.messages(part):
                self._post(message)

    def _post(self, message: events.Event) -> None:
        if isinstance(message, events.Key) and message.key in LEAVES:
            return
        message.set_sender(self._app)
        self._app.post_message(message)
