"""Header, footer, slot cards, panels, input lines and questions: what they say, and what a key on them does."""

from __future__ import annotations

from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.message import Message
from textual.widget import Widget

from themes.builtin import THEMES, VARIABLES
from widgets.frame.footer import KeyBar, KeyHint
from widgets.frame.header import Chip, HeaderData, header_line
from widgets.frame.panel import Panel
from widgets.frame.slot_card import Field, SlotCard, SlotCardData
from widgets.frame.status_line import StatusLine
from widgets.text.glyphs import ASCII, UNICODE, set_ascii
from widgets.typing.command_line import CommandLine, Completion
from widgets.typing.confirm import ConfirmBox
from widgets.typing.filter_line import FilterLine
from widgets.typing.question import BeforeAfter, ConfirmData, Gate, evidence_lines


class Host(App[None]):
    """One widget, and every message it posts."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        self.heard: list[Any] = []
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "dark"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(VARIABLES)

    def compose(self) -> ComposeResult:
        yield self.widget

    def _hear(self, message: Message) -> None:
        self.heard.append(message)

    on_key_bar_pressed = on_confirm_box_answered = _hear
    on_command_line_changed = on_command_line_submitted = on_command_line_cancelled = _hear
    on_filter_line_changed = on_filter_line_submitted = on_filter_line_cancelled = _hear


def run(widget: Widget, width: int = 80, height: int = 24) -> Any:
    return Host(widget).run_test(size=(width, height))


def lines(widget: Any) -> list[str]:
    return ["".join(segment.text for segment in widget.render_line(y)).rstrip() for y in range(widget.size.height)]


FULL = HeaderData(
    profile="prod",
    agent="atlas",
    url="redis://ops-1:6379/0",
    link="LIVE",
    link_note="0.4 ms",
    active="blue",
    active_text="BLUE v2.4.0",
    epoch="41",
    guard="guard-2 12 s",
    guard_tone="ok",
    mode="RW",
    clock="14:03:11Z",
    chips=(Chip("PAUSED +123", "warn"),),
)


def header(data: HeaderData, width: int) -> str:
    return "".join(text for text, _ in header_line(data, width, UNICODE))


def test_a_wide_header_says_everything() -> None:
    text = header(FULL, 160)
    for word in (
        "PROD",
        "atlas",
        "redis://ops-1",
        "● LIVE 0.4 ms",
        "■ BLUE v2.4.0",
        "epoch 41",
        "✔ guard-2",
        "PAUSED +123",
        "RW",
        "14:03:11Z",
    ):
        assert word in text
    assert len(text) == 160


def test_at_80_columns_what_matters_least_is_left_out_and_never_the_link_the_active_slot_or_the_mode() -> None:
    text = header(FULL, 80)
    assert len(text) == 80
    for word in ("PROD", "atlas", "ops-1", "● LIVE", "■ BLUE v2.4.0 ACTIVE", "guard ✔", "PAUSED +123", "RW"):
        assert word in text
    assert "redis://" not in text


@pytest.mark.parametrize(
    ("link", "sign"),
    [
        ("LIVE", "● LIVE"),
        ("STALE", "◌ STALE"),
        ("RECONNECTING", "↻ RECONNECTING"),
        ("OFFLINE", "✖ OFFLINE"),
        ("?!", "? ?!"),
    ],
)
def test_every_state_of_the_link_is_glyph_and_word(link: str, sign: str) -> None:
    assert sign in header(HeaderData(link=link), 80)


def test_nobody_active_is_said_and_not_left_blank() -> None:
    assert "? nobody is known to act" in header(HeaderData(), 80)


def test_a_changing_latency_moves_nothing_to_its_right() -> None:
    one, other = (header(HeaderData(link="LIVE", link_note=note, active="blue"), 80) for note in ("0.4 ms", "112.0 ms"))
    assert one.index("ACTIVE") == other.index("ACTIVE")


HINTS = [KeyHint("s", "switch"), KeyHint("R", "roll back"), KeyHint("S", "snapshot"), KeyHint("q", "quit", keep=True)]


async def test_hints_go_from_the_right_when_it_gets_narrow_but_the_kept_ones_stay() -> None:
    bar = KeyBar(HINTS)
    async with run(bar, 80):
        assert [hint.key for _, _, hint in bar.hints_in(80)] == ["s", "R", "S", "q"]
        assert [hint.key for _, _, hint in bar.hints_in(33)] == ["s", "R", "q"]
        assert [hint.key for _, _, hint in bar.hints_in(8)] == ["q"]
        assert bar.hints_in(3) == []


async def test_a_click_on_a_hint_presses_its_key() -> None:
    async with run(KeyBar(HINTS)) as pilot:
        await pilot.click(KeyBar, offset=(12, 0))
        await pilot.click(KeyBar, offset=(70, 0))
        assert [message.key for message in pilot.app.heard] == ["R"]


def card(latency: str = "41 ms", note: str = "") -> SlotCardData:
    return SlotCardData(
        "green",
        "v2.5.0",
        "CANARY 20 %",
        lines=(
            (Field("heartbeat", "0.3 s", width=7), Field("epoch", "41", width=4)),
            (Field("p50", latency, width=8), Field("in doubt", "1", "warn", width=4)),
        ),
        pnl=(1, 2, 3),
        pnl_text="+18.02 USD",
        note=note,
        compact=((Field("PnL", "+18.02"), Field("p50", latency, width=7)), (Field("doubt", "1", "warn"),)),
    )


async def test_a_slot_card_names_its_slot_by_glyph_word_and_role_and_its_figures_never_move() -> None:
    widget = SlotCard(card(note="1 intent in doubt"))
    async with run(widget, 60, 8) as pilot:
        before = lines(widget)
        assert before[0].startswith("╭─ □ GREEN  v2.5.0  CANARY 20 %")
        assert "1 intent in doubt" in before[-1]
        widget.show(card("1,204 ms"))
        await pilot.pause()
        after = lines(widget)
        assert after[2].index("in doubt") == before[2].index("in doubt") == before[1].index("epoch")
        assert all(len(line) == 60 for line in after)


async def test_only_the_line_that_differs_is_repainted(monkeypatch: pytest.MonkeyPatch) -> None:
    widget = SlotCard(card())
    async with run(widget, 60, 8) as pilot:
        await pilot.pause()
        asked: list[int] = []
        monkeypatch.setattr(widget, "refresh_line", asked.append)
        widget.show(card("42 ms"))
        assert asked == [2]


async def test_a_compact_card_is_three_lines_who_it_is_its_money_and_what_hangs() -> None:
    widget = SlotCard(card())
    async with run(widget) as pilot:
        widget.compact = True
        await pilot.pause()
        assert len(lines(widget)) == 3
        assert lines(widget)[0].startswith(" □ GREEN  v2.5.0  CANARY 20 %")
        assert "PnL +18.02" in lines(widget)[1]
        assert "doubt 1" in lines(widget)[2]


async def test_an_ascii_card_is_ascii() -> None:
    set_ascii(True)
    try:
        widget = SlotCard(card(note="−1 %"))
        async with run(widget, 60, 8):
            assert "".join(lines(widget)).isascii()
            assert lines(widget)[0].startswith("+- o GREEN")
            assert ASCII.ok == "v"
    finally:
        set_ascii(False)


async def test_a_panels_title_is_never_markup() -> None:
    panel = Panel("[red]x[/] [@click=app.quit]")
    async with run(panel) as pilot:
        panel.age = "[/x] 47 s"
        panel.note = "5 of 6"
        await pilot.pause()
        text = pilot.app.export_screenshot().replace("&#160;", " ")
        assert "[red]x[/] [@click=app.quit]" in text
        assert "5 of 6  [/x] 47 s" in text


async def test_the_status_line_is_loud_first_and_grey_after_a_while() -> None:
    status = StatusLine()
    async with run(status) as pilot:
        status.show("refused: epoch is 42", "bad", fade_s=0.05)
        assert lines(status) == [" ✖ refused: epoch is 42"]
        loud = next(iter(status.render_line(0))).style
        await pilot.pause(0.3)
        assert next(iter(status.render_line(0))).style != loud
        assert status.text == "refused: epoch is 42"


QUESTION = ConfirmData(
    "Switch from ■ blue to □ green?",
    changes=(BeforeAfter("active", "blue", "green"),),
    gates=(Gate("shadow rounds", True, "1,204"), Gate("quiet period", False, "escrow in 12 min")),
    irreversible=("3 trades stay.",),
)


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(["y"], True), (["n"], False), (["escape"], False), (["enter"], False), (["x", "space", "tab", "y"], True)],
)
async def test_y_confirms_and_enter_never_does(keys: list[str], answer: bool) -> None:
    async with run(ConfirmBox(QUESTION)) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        assert [message.yes for message in pilot.app.heard] == [answer]


async def test_a_question_is_answered_once() -> None:
    async with run(ConfirmBox(QUESTION)) as pilot:
        await pilot.press("n", "y", "y")
        assert [message.yes for message in pilot.app.heard] == [False]


def test_the_evidence_shows_before_and_after_and_every_gate_by_glyph_and_word() -> None:
    said = "\n".join("".join(text for text, _ in line) for line in evidence_lines(QUESTION, 70))
    for words in (
        "active  blue  ",
        "→  green",
        "✔ open    shadow rounds  1,204",
        "✖ CLOSED  quiet period",
        "3 trades stay.",
    ):
        assert words in said


async def test_a_name_has_to_be_typed_in_full_and_y_is_a_letter_of_it() -> None:
    async with run(ConfirmBox(ConfirmData("Halt all?", typed_name="yes-atlas"))) as pilot:
        await pilot.pause()
        await pilot.press("y", "enter")
        assert pilot.app.heard == []
        await pilot.press(*"es-atlas", "enter")
        assert [(message.yes, message.typed) for message in pilot.app.heard] == [(True, "yes-atlas")]


async def test_a_reason_is_asked_for_before_a_typed_name_counts() -> None:
    async with run(ConfirmBox(ConfirmData("Override?", typed_name="a", ask_reason=True))) as pilot:
        await pilot.pause()
        await pilot.press("a", "enter")
        assert pilot.app.heard == []
        await pilot.press(*"why", "enter")
        assert [(message.yes, message.reason) for message in pilot.app.heard] == [(True, "why")]


async def test_the_command_line_remembers_completes_and_gives_back_what_was_being_typed() -> None:
    line = CommandLine(["switch green", "flag list"])
    async with run(line) as pilot:
        line.open()
        await pilot.press(*"sn")
        assert [message.text for message in pilot.app.heard] == ["s", "sn"]
        await pilot.press("up")
        assert line.text == "flag list"
        await pilot.press("up", "up")
        assert line.text == "switch green"
        await pilot.press("down", "down")
        assert line.text == "sn"
        line.offer([Completion("snapshot take", "take"), Completion("snapshot list", "list")])
        await pilot.press("tab")
        assert line.text == "snapshot take"
        await pilot.press("tab", "enter")
        assert isinstance(pilot.app.heard[-1], CommandLine.Submitted)
        assert pilot.app.heard[-1].text == "snapshot list"
        assert line.history[-1] == "snapshot list"
        await pilot.press("escape")
        assert isinstance(pilot.app.heard[-1], CommandLine.Cancelled)


async def test_nothing_a_terminal_obeys_can_be_pasted_into_a_line() -> None:
    line = FilterLine()
    async with run(line) as pilot:
        line.open("a\x1b[2J\x9bb")
        await pilot.pause()
        assert pilot.app.heard[-1].text == "a�[2J�b"
        await pilot.press("enter")
        assert isinstance(pilot.app.heard[-1], FilterLine.Submitted)
        await pilot.press("escape")
        assert isinstance(pilot.app.heard[-1], FilterLine.Cancelled)
