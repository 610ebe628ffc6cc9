"""What the widgets write to a terminal: nothing that the data said, and not one byte more than a change needs.

This file is also the program that runs in the pseudo-terminal: it draws every widget and takes its orders from a pipe.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import ROOT

COLUMNS, ROWS = 160, 48
QUIET_S = 0.3
"""After this long without a byte, all there is to come has come (an order is acknowledged first)."""


class Terminal:
    """The widgets in a process of their own, on a pseudo-terminal of ours."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        orders, self.orders = os.pipe()
        self.done, done = os.pipe()
        environ = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(orders), str(done)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            pass_fds=(orders, done),
            cwd=ROOT,
            start_new_session=True,
        )
        os.close(slave)
        os.close(orders)
        os.close(done)
        self.start = self.read_until_quiet(wanted=b"READY")

    def read_until_quiet(self, wanted: bytes = b"", timeout_s: float = 30.0) -> bytes:
        """Everything written until nothing more comes (and `wanted` has come)."""
        written = b""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.master], [], [], QUIET_S)
            if not ready:
                if wanted in written:
                    return written
                continue
            try:
                written += os.read(self.master, 65536)
            except OSError:
                break
        raise AssertionError(f"the terminal never showed {wanted!r}; it showed {written[-2000:]!r}")

    def order(self, **what: object) -> bytes:
        """Give an order; what was written for it."""
        os.write(self.orders, json.dumps(what).encode() + b"\n")
        written = b""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.master, self.done], [], [], 1)
            if self.master in ready:
                written += os.read(self.master, 65536)
            if self.done in ready:
                assert os.read(self.done, 1)
                return written + self.read_until_quiet()
        raise AssertionError(f"the order was never carried out; the terminal shows {written[-2000:]!r}")

    def keys(self, text: str) -> bytes:
        os.write(self.master, text.encode())
        return self.read_until_quiet()

    def close(self) -> None:
        os.close(self.orders)
        os.close(self.done)
        self.process.terminate()
        self.process.wait(10)
        os.close(self.master)


@pytest.fixture(scope="module")
def terminal() -> Iterator[Terminal]:
    running = Terminal()
    yield running
    running.close()


SENTINEL = "ZQ"
CONTROLS = [chr(code) for code in [*range(0x20), 0x7F, *range(0x80, 0xA0)]] + list(
    "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\ufeff\u061c\U000e0041"
)
PAYLOADS = [
    "\x1b[2J",
    "\x1b]0;owned\x07",
    "\x1b]52;c;b3duZWQ=\x07",
    "\x1b[?1049l",
    "\x9b31m",
    "\x1bP+q544e\x1b\\",
    "\x1b[6n",
    "[/x]",
    "[@click=app.quit]x[/]",
    "[red]",
    "[",
    "]",
    "\\",
    "$x",
    "a" * 3000,
    "日本語",
    "e" + "\u0301" * 40,
]
hostile = st.lists(
    st.one_of(st.sampled_from(PAYLOADS), st.sampled_from(CONTROLS).map(lambda c: c + SENTINEL), st.text(max_size=12)),
    min_size=1,
    max_size=8,
).map("".join)

ALLOWED = re.compile(r"\x1b\[[0-9;:?<>=]*[ $]?[a-zA-Z]|\x1b[=>78]|\r|\n")


def assert_nothing_obeyed(written: bytes) -> None:
    text = written.decode("utf-8")
    for found in re.finditer(SENTINEL, text):
        before = text[max(0, found.start() - 1) : found.start()]
        assert before not in CONTROLS, text[max(0, found.start() - 40) : found.end() + 10]
    for forbidden in ("\x1b[2J", "\x1b]", "\x1bP", "\x1b[6n", "\x1b[?1049l"):
        assert forbidden not in text
    left = ALLOWED.sub("", text)
    assert [char for char in left if char in CONTROLS] == []


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(texts=st.lists(hostile, min_size=40, max_size=60))
def test_no_control_byte_and_no_markup_of_the_data_reaches_the_terminal(terminal: Terminal, texts: list[str]) -> None:
    written = terminal.order(do="hostile", texts=[*CONTROL_BATCH, *texts])
    assert len(written) > 2000
    assert_nothing_obeyed(written)
    assert terminal.process.poll() is None


CONTROL_BATCH = ["".join(control + SENTINEL for control in CONTROLS[start : start + 9]) for start in range(0, 90, 9)]


def test_markup_in_data_is_drawn_as_it_is(terminal: Terminal) -> None:
    written = terminal.order(do="hostile", texts=["[/x][@click=app.quit]button[/]"]).decode()
    assert written.count("[/x][@click=app.quit]button[/]") >= 8


def at_rest(terminal: Terminal) -> None:
    """Everything calm, the focus on the feed, and what the test before left behind cleared away."""
    for _ in range(4):
        if terminal.order(do="calm") == b"":
            return
    raise AssertionError("showing the same again never stops writing")


def test_the_same_again_writes_nothing(terminal: Terminal) -> None:
    at_rest(terminal)
    time.sleep(1.2)  # the chart waits a second between two drawings
    at_rest(terminal)
    assert terminal.order(do="calm") == b""


def test_one_changed_cell_of_a_grid_costs_at_most_400_bytes(terminal: Terminal) -> None:
    at_rest(terminal)
    written = terminal.order(do="cell")
    assert b"31.5" in written
    assert len(written) <= 400


def test_an_age_in_a_panels_corner_costs_one_line(terminal: Terminal) -> None:
    at_rest(terminal)
    written = terminal.order(do="age")
    assert b"17 s" in written
    assert len(written) <= 600


def test_one_figure_of_a_slot_costs_one_line(terminal: Terminal) -> None:
    at_rest(terminal)
    written = terminal.order(do="slot")
    assert b"77 ms" in written
    assert len(written) <= 600


def test_a_paused_feed_writes_nothing_while_rows_come(terminal: Terminal) -> None:
    at_rest(terminal)
    assert terminal.order(do="paused") == b""
    assert b"late row" in terminal.order(do="resume")


def test_rows_below_the_window_write_nothing_while_the_operator_reads_above(terminal: Terminal) -> None:
    at_rest(terminal)
    terminal.order(do="home")
    assert terminal.order(do="row") == b""


def test_moving_the_cursor_repaints_two_rows(terminal: Terminal) -> None:
    at_rest(terminal)
    terminal.order(do="home")
    written = terminal.keys("j")
    assert 0 < len(written) <= 2 * 700


def test_moving_the_focus_repaints_the_two_panels_and_not_the_screen(terminal: Terminal) -> None:
    at_rest(terminal)
    assert 0 < len(terminal.keys("\t")) <= 16_000


def test_the_chart_repaints_only_the_lines_that_differ(terminal: Terminal) -> None:
    at_rest(terminal)
    first = terminal.order(do="chart", last=1.0)
    time.sleep(1.1)
    second = terminal.order(do="chart", last=1.5)
    assert 0 < len(second) < len(first) / 2


def main(orders: int, done: int) -> None:
    """The program in the terminal."""
    from textual.app import App, ComposeResult
    from textual.containers import Horizontal, Vertical
    from textual.reactive import Reactive
    from textual.screen import Screen

    from themes.builtin import THEMES, VARIABLES
    from widgets.charts.pnl_chart import ChartData, Mark, PnlChart, Series
    from widgets.charts.sparkline import Sparkline
    from widgets.frame.footer import KeyBar, KeyHint
    from widgets.frame.header import Chip, HeaderBar, HeaderData
    from widgets.frame.panel import Panel
    from widgets.frame.slot_card import Field, SlotCard, SlotCardData
    from widgets.frame.status_line import StatusLine
    from widgets.lists.columns import Column
    from widgets.lists.feed import Feed, FeedRow
    from widgets.lists.grid import Grid, GridRow
    from widgets.typing.command_line import CommandLine, Completion
    from widgets.typing.confirm import ConfirmBox
    from widgets.typing.filter_line import FilterLine
    from widgets.typing.question import BeforeAfter, ConfirmData, Gate

    class QuietScreen(Screen[None]):
        focused = Reactive(None, repaint=False)  # Textual's own repaints the whole screen when the focus moves

    class Gallery(App[None]):
        ENABLE_COMMAND_PALETTE = False
        CSS = "SlotCard { height: 6; } #lists { height: 14; } #low { height: 10; } ConfirmBox { height: 10; }"

        def get_default_screen(self) -> Screen[None]:
            return QuietScreen(id="_default")

        def get_theme_variable_defaults(self) -> dict[str, str]:
            return dict(VARIABLES)

        def __init__(self) -> None:
            super().__init__()
            for theme in THEMES:
                self.register_theme(theme)
            self.theme = "dark"
            self.key = 0
            self.calm = False

        def compose(self) -> ComposeResult:
            yield HeaderBar()
            yield SlotCard(SlotCardData("blue"))
            with Horizontal(id="lists"):
                with Panel("feed"):
                    yield Feed([Column("a", 10), Column("b", 20), Column("c")])
                with Panel("grid", id="grid-panel"):
                    yield Grid([Column("name", 20), Column("value", 10), Column("note")])
            with Horizontal(id="low"):
                yield PnlChart()
                with Vertical(id="lines"):
                    yield Sparkline()
                    yield FilterLine()
                    yield StatusLine()
            yield Vertical(id="box")
            yield CommandLine()
            yield KeyBar([KeyHint("q", "READY")])

        def on_mount(self) -> None:
            self.query_one(Feed).focus()
            asyncio.get_running_loop().add_reader(orders, self.obey)

        def obey(self) -> None:
            for line in os.read(orders, 1 << 20).splitlines():
                self.call_later(self.carry_out, **json.loads(line))

        async def carry_out(self, do: str, **order: object) -> None:
            waiting = getattr(self, "do_" + do)(**order)
            if waiting is not None:
                await waiting
            self.call_after_refresh(os.write, done, b".")

        def rows(self, texts: list[str]) -> list[FeedRow]:
            self.key += len(texts)
            return [FeedRow(self.key + i, (text[::-1], text, text)) for i, text in enumerate(texts)]

        def show(self, texts: list[str]) -> None:
            at = iter(texts * 60)
            self.query_one(HeaderBar).show(
                HeaderData(
                    next(at),
                    False,
                    next(at),
                    next(at),
                    next(at),
                    next(at),
                    "blue",
                    next(at),
                    next(at),
                    next(at),
                    next(at),
                    next(at),
                    next(at),
                    "ok",
                    next(at),
                    next(at),
                    (Chip(next(at)),),
                )
            )
            self.query_one(SlotCard).show(
                SlotCardData(
                    "blue",
                    next(at),
                    next(at),
                    "",
                    True,
                    ((Field(next(at), next(at), width=8), Field("p50", "41 ms")),),
                    (1, 2, 3),
                    next(at),
                    next(at),
                    "gain",
                    next(at),
                )
            )
            for panel in self.query(Panel):
                panel.title, panel.note, panel.age = next(at), next(at), next(at)
            self.query_one(Feed).clear()
            self.query_one(Feed).extend(self.rows(texts[:40]))
            self.query_one(Grid).set_rows([GridRow(str(i), (text, text, text)) for i, text in enumerate(texts[:30])])
            self.query_one(StatusLine).show(next(at), "warn", fade_s=0)
            self.query_one(FilterLine).tell(next(at)[:20])
            self.query_one(CommandLine).tell(next(at)[:20])
            self.query_one(CommandLine).offer([Completion(text, text, text) for text in texts[:2]])
            self.query_one(KeyBar).show([KeyHint(text[:8], text[:20]) for text in texts[:8]])

        def do_hostile(self, texts: list[str]) -> None:
            self.leave_calm()
            self.show(texts)
            at = iter(texts * 60)
            self.query_one(PnlChart).show(
                ChartData((Series(next(at), "blue", (0, 50, 100), (1, 2, self.key)),), (Mark(50, next(at)),), next(at))
            )
            self.query_one("#box").remove_children()
            self.query_one("#box").mount(
                ConfirmBox(
                    ConfirmData(
                        next(at),
                        changes=(BeforeAfter(next(at), next(at), next(at)),),
                        warnings=(next(at),),
                        gates=(Gate(next(at), True, next(at)),),
                        irreversible=(next(at),),
                        typed_name=next(at)[:30],
                        yes=next(at),
                    )
                )
            )

        async def do_calm(self) -> None:
            if self.query(ConfirmBox):
                await self.query_one("#box").remove_children()
            calm = [f"row {i}" for i in range(40)]
            if not self.calm:
                self.show(calm)
                self.query_one(CommandLine).open()
                self.query_one(CommandLine).offer([])
                self.query_one(PnlChart).show(ChartData())
            self.calm = True
            if not self.query_one(Feed).has_focus:
                self.query_one(Feed).focus()
            self.query_one(Grid).set_rows([GridRow(str(i), (text, text, text)) for i, text in enumerate(calm[:30])])
            self.query_one(HeaderBar).show(self.query_one(HeaderBar).data)
            self.query_one(Feed).extend([])

        def leave_calm(self) -> None:
            self.calm = False

        def do_cell(self) -> None:
            self.leave_calm()
            grid = self.query_one(Grid)
            rows = [
                GridRow(row.key, (row.cells[0], "31.5", row.cells[2])) if row.key == "3" else row for row in grid.rows
            ]
            grid.set_rows(rows)

        def do_age(self) -> None:
            self.leave_calm()
            self.query_one("#grid-panel", Panel).age = "17 s"

        def do_slot(self) -> None:
            self.leave_calm()
            card = self.query_one(SlotCard)
            line = (card.data.lines[0][0], Field("p50", "77 ms"))
            card.show(
                SlotCardData(
                    "blue",
                    card.data.version,
                    card.data.role,
                    "",
                    True,
                    (line,),
                    card.data.pnl,
                    card.data.pnl_label,
                    card.data.pnl_text,
                    "gain",
                    card.data.note,
                )
            )

        def do_paused(self) -> None:
            self.leave_calm()
            self.query_one(Feed).paused = True
            self.query_one(Feed).extend(self.rows(["late row"]))

        def do_resume(self) -> None:
            self.query_one(Feed).paused = False

        def do_home(self) -> None:
            self.leave_calm()
            self.query_one(Feed).action_first()

        def do_row(self) -> None:
            self.query_one(Feed).extend(self.rows(["one more"]))

        def do_chart(self, last: float) -> None:
            self.leave_calm()
            values = [(i * 7919 % 100) / 10 for i in range(200)] + [last]
            self.query_one(PnlChart).show(ChartData((Series("blue", "blue", range(201), values),)))

    Gallery().run()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
