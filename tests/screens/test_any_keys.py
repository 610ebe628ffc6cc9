"""No keys, chords or split sequences end the console, nor, where it is read-only, write a file."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from textual import events

from console.domain.errors import ReadOnly
from console.screens.terminal.sequences import KeyParser, Sequences
from tests.screens.doubles import NARROW, WIDE, console, operator_of, status_of
from tests.screens.parts.test_dialogs import press_at_once, settled
from widgets.typing.plain_input import PlainInput

BURSTS = [
    ("ctrl+p", "end", "pageup"),
    ("ctrl+p", "pageup", "pagedown", "home", "down", "up", "enter"),
    ("ctrl+p", "ctrl+p", "escape", "ctrl+p"),
    ("colon", "tab", "up", "down", "shift+tab", "enter"),
    ("slash", "end", "pageup", "escape", "escape"),
    ("question_mark", "pageup", "pagedown", "end", "R"),
    ("L", "end", "pageup", "enter", "s", "s"),
]
PIECES = [*"RHXsyncpfzt?/:!aduLS0123456789 \r\t\x7f\x10\x0c", "\x1b", "\x1b[A", "\x1b[B", "\x1b[H", "\x1b[F", "\x1b[5~"]
PIECES += [
    "\x1b[6~",
    "\x1b[Z",
    "\x1bH",
    "\x1by",
    "\x1b[",
    "1;5",
    "\x1bO",
    "\x1b[<0;5;5M",
    "\x1b[<0;5;5m",
    "\x1b[200~",
    "€",
]
MORE = [  # answers, the mouse, focus, pastes, strings, text that is none
    "\x1b[201~",
    "\x1b[I",
    "\x1b[O",
    "\x1b[M !!",
    "\x1b[<64;20;9M",
    "\x1b[<32;1;1M",
    "\x1b[<0;999;999M",
    "\x1b[?1;2c",
]
MORE += [
    "\x1b[104;6u",
    "\x1b[27;5;9~",
    "\x1b]52;c;aGk=\x07",
    "\x1bP",
    "\x1b\\",
    "\u3164",
    "\U0001f1e9",
    "\ud83d",
    "\x00",
    "\x9b",
]
SIZES = [(1, 1), (10, 3), (40, 10), (80, 24), (160, 48), (500, 200)]
SCREENS_AND_SCENARIOS = [  # and seeds
    ("tripped", 0),
    pytest.param("canary-undecided", 1, marks=pytest.mark.long),
    ("hostile-text", 2),
    ("store-gone", 3),
    pytest.param("protected", 4, marks=pytest.mark.long),
]


@pytest.mark.parametrize("keys", BURSTS, ids=" ".join)
async def test_a_burst_of_keys_ends_nothing(keys: tuple[str, ...]) -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        press_at_once(app, *keys)
        await settled(pilot)
        assert app.is_running
    assert app.return_code in (None, 0)


@pytest.mark.parametrize("seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 10))])
async def test_a_thousand_keys_by_chance_end_nothing_and_write_nothing(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    chance = random.Random(seed)
    app = console("read-only")
    operator_of(app).preview_error = operator_of(app).error = ReadOnly("This console may look and not touch.")
    sequences, parser, now = Sequences(), KeyParser(), 0.0
    async with app.run_test(size=WIDE) as pilot:
        for number in range(1_000):
            now += chance.choice([0.0, 0.0, 0.01, 0.3])
            for piece in sequences.feed(chance.choice(PIECES), now):
                for message in parser.messages(piece):
                    if isinstance(message, events.Key) and message.key in ("q", "ctrl+c"):
                        continue
                    message.set_sender(app)
                    app.post_message(message)
            if number % 25 == 0:
                await pilot.pause()
            assert app.is_running
        await settled(pilot)
        assert app.is_running
        assert app.return_code is None
    assert list(tmp_path.iterdir()) == []


async def test_a_read_only_console_draws_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = console("read-only")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("e")
        app.submit("export x.svg")
        await settled(pilot)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("scenario", "seed"), SCREENS_AND_SCENARIOS)
async def test_mouse_focus_pastes_and_resizes_among_the_keys_end_nothing(scenario: str, seed: int) -> None:
    chance = random.Random(1000 + seed)
    app = console(scenario)
    sequences, parser, now = Sequences(), KeyParser(), 0.0
    async with app.run_test(size=NARROW) as pilot:
        for number in range(600):
            now += chance.choice([0.0, 0.0, 0.01, 0.3, 1.5])
            for piece in sequences.feed(chance.choice([*PIECES, *MORE]), now):
                for message in parser.messages(piece):
                    if isinstance(message, events.Key) and message.key in ("q", "ctrl+c"):
                        continue
                    message.set_sender(app)
                    app.post_message(message)
            if number % 40 == 0:
                await pilot.resize_terminal(*chance.choice(SIZES[:5]))
            if number % 20 == 0:
                await pilot.pause()
            assert app.is_running
        await settled(pilot)
        assert app.is_running
    assert app.return_code in (None, 0)


@pytest.mark.parametrize(
    "size",
    [pytest.param(size, marks=() if size in ((1, 1), (80, 24)) else pytest.mark.long) for size in SIZES],
    ids=lambda size: f"{size[0]}x{size[1]}",
)
@pytest.mark.parametrize("key", ["", "H", "s", "L", "?", ":", "/", "8", "4"])
async def test_at_every_size_each_dialog_opens_and_closes_and_q_ends_it(size: tuple[int, int], key: str) -> None:
    app = console("tripped")
    async with app.run_test(size=size) as pilot:
        if key:
            await pilot.press(*{"?": ["question_mark"], ":": ["colon"], "/": ["slash"]}.get(key, [key]))
            await pilot.pause()
            await pilot.press("escape", "escape")
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


HALF = "a\ud83d\x00\u202eb\udcff"


@pytest.mark.parametrize("keys", [("slash",), ("colon",), ("d", "down", "enter")], ids=" ".join)
async def test_what_is_typed_or_pasted_is_text_that_can_be_drawn_and_stored(keys: tuple[str, ...]) -> None:
    app = console("in-doubt")
    async with app.run_test(size=NARROW) as pilot:
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        if keys[0] == "d":  # which doubt, then the verdict, then a line of evidence
            await pilot.press("enter")
            await pilot.pause()
        typed = app.focused
        assert isinstance(typed, PlainInput)
        typed.post_message(events.Paste(HALF))
        for character in HALF:
            typed.post_message(events.Key(character, character))
        await pilot.pause()
        assert typed.value.encode("utf-8")
        assert typed.value.isprintable()
        assert typed.value.startswith("a\ufffd")
        assert app.is_running


async def test_a_key_that_is_no_text_is_named_without_being_drawn() -> None:
    app = console()
    async with app.run_test(size=NARROW) as pilot:
        app.screen.post_message(events.Key("\ud83d", "\ud83d"))
        await pilot.pause()
        assert status_of(app).startswith("\ufffd has no function here")
