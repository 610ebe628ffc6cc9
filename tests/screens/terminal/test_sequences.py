"""Late, split, damaged and unknown escape sequences command nothing; whole ones mean what they mean."""

from __future__ import annotations

import random

import pytest
from textual.events import Key, Paste

from console.screens.terminal.sequences import KeyParser, Sequences


def typed(*parts: str, gap_s: float = 0.0) -> list[str]:
    """The keys that the parts come to, each so long after the one before."""
    sequences, parser, now = Sequences(), KeyParser(), 0.0
    pieces: list[str] = []
    for part in parts:
        pieces += sequences.feed(part, now)
        for _ in range(int(gap_s / 0.05)):
            now += 0.05
            pieces += sequences.tick(now)
    pieces += sequences.tick(now + 5)
    messages = [message for piece in pieces for message in parser.messages(piece)]
    return [message.key for message in messages if isinstance(message, Key)]


WHOLE = {
    "\x1b[A": ["up"],
    "\x1b[H": ["home"],
    "\x1b[F": ["end"],
    "\x1bOH": ["home"],
    "\x1bOR": ["f3"],
    "\x1b[1;5A": ["ctrl+up"],
    "\x1b[15~": ["f5"],
    "\x1b[Z": ["shift+tab"],
    "\x1b[104;5u": ["ctrl+h"],
    "Rq": ["R", "q"],
    "\r": ["enter"],
}


@pytest.mark.parametrize(("sequence", "keys"), WHOLE.items(), ids=repr)
def test_a_whole_sequence_is_its_key_however_it_is_cut(sequence: str, keys: list[str]) -> None:
    assert typed(sequence) == keys
    assert typed(*sequence) == keys
    if sequence.startswith("\x1b"):
        assert typed(sequence[:2], *sequence[2:], gap_s=0.5) == keys


@pytest.mark.parametrize("sequence", ["\x1b[H", "\x1b[12;40R", "\x1bOR", "\x1b[1;2H", "\x1b[<0;3;4M", "\x1b[88X"])
def test_the_late_rest_of_a_sequence_is_no_key(sequence: str) -> None:
    assert typed(sequence[0], sequence[1:], gap_s=0.3) == ["escape"]
    assert typed(*sequence, gap_s=0.3) == ["escape"]


@pytest.mark.parametrize(
    "sequence",
    [
        "\x1b[88X",
        "\x1b[999999999u",
        "\x1b[55296u",
        "\x1b[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16H",
        "\x1b[48;60000;60000;1;1t",
        "\x1b[?1;2H",
        "\x1b]0;Halt\x07",
        "\x1bPRRR\x1b\\",
        "\x9bH"[:1],
        "\ud83d",
        "\udcff",
        "\x1b[",
        "\x1bO",
    ],
    ids=repr,
)
def test_what_is_no_key_of_any_terminal_commands_nothing(sequence: str) -> None:
    assert typed(sequence) == []
    assert typed(sequence, "q", gap_s=1.5) == ["q"]


def test_escape_and_a_letter_at_once_is_alt_and_no_letter() -> None:
    assert typed("\x1bH") == ["alt+shift+h"]
    assert typed("\x1bHy") == ["alt+shift+h", "y"]
    assert typed("\x1bH\x1bHR") == ["alt+shift+h", "alt+shift+h", "R"]
    assert typed("\x1b[104;3;104u") == ["alt+h"]
    assert typed("\x1b", "H", gap_s=0.2) == ["escape", "H"]
    assert typed("\x1b\x1b") == ["escape", "escape"]


def test_a_paste_is_text_and_one_without_an_end_ends() -> None:
    sequences, parser = Sequences(), KeyParser()
    pieces = sequences.feed("\x1b[200~Halt\x1b[A R", 0.0)
    assert pieces == []
    pieces = [*sequences.tick(2.0), *sequences.feed("H", 2.1)]
    messages = [message for piece in pieces for message in parser.messages(piece)]
    assert [type(message) for message in messages] == [Paste, Key]
    pieces = sequences.feed("\x1b[200~R\x1b[201~q", 3.0)
    messages = [message for piece in pieces for message in parser.messages(piece)]
    assert [type(message) for message in messages] == [Paste, Key]


def test_no_bytes_of_any_kind_stop_the_reading() -> None:
    chance = random.Random(11)
    for _ in range(300):
        sequences, parser, now = Sequences(), KeyParser(), 0.0
        for _ in range(60):
            part = "".join(
                chance.choice("\x1b\x1b[[OM<;:0123456789~utHRXy?$\x07\\P]\x00\x9b\ud7ff\ud83d\udcff€\U0001f3fd")
                for _ in range(4)
            )
            now += chance.choice([0.0, 0.01, 0.2, 1.5])
            for piece in sequences.feed(part, now):
                parser.messages(piece)
        left = [message for piece in sequences.tick(now + 5) for message in parser.messages(piece)]
        left += [message for piece in sequences.feed("q", now + 10) for message in parser.messages(piece)]
        assert any(isinstance(message, Key) and message.key == "q" for message in left)
