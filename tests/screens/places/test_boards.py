"""Screens 6 and 7 in an operator's hands: keys on a row, what enter shows, whose side, how old, ten thousand rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from textual.pilot import Pilot

from console.app import ConsoleApp
from console.domain.board.boards import Board, Seen
from console.domain.commitments.commitment import Kind
from console.domain.errors import Refused
from console.domain.fence.deployment import Slot
from console.domain.gates.fact import Lack, lacking
from console.domain.seen.observation import Observation
from console.domain.text import Safe
from console.screens.frame.ui_settings import UiSettings
from console.screens.parts.dialogs import AskScreen, ChoiceScreen, ConfirmScreen, TextScreen
from tests.scenarios import NOW
from tests.scenarios.boards import checks, held, nothing_held, observed_after_the_switch, owed, seen
from tests.screens.doubles import NARROW, WIDE, RecordingOperator, ScriptedSource, drawn, operator_of, status_of
from tests.waiting import until_async
from widgets.frame.panel import Panel
from widgets.lists.grid import Grid
from widgets.lists.long_grid import LongGrid


class ScriptedBoards:
    """Boards that show what they are told to, and remember who looked at what."""

    def __init__(self, shown: Seen) -> None:
        self.seen = shown
        self.told = lambda: None
        self.looked: list[tuple[Board, Slot | None]] = []
        self.asked = 0
        self.left: list[Board] = []

    def look(self, board: Board, target: Slot | None = None) -> None:
        self.looked.append((board, target))

    def ask(self) -> None:
        self.asked += 1

    def leave(self, board: Board) -> None:
        self.left.append(board)

    def say(self, shown: Seen) -> None:
        self.seen = shown
        self.told()


def on(shown: Seen, observation: Observation | None = None, **settings: object) -> tuple[ConsoleApp, ScriptedBoards]:
    boards = ScriptedBoards(shown)
    app = ConsoleApp(
        ScriptedSource(observation or observed_after_the_switch()),
        RecordingOperator(),
        UiSettings(**settings),  # type: ignore[arg-type]
        clock=lambda: NOW,
        boards=boards,
    )
    return app, boards


async def go(pilot: Pilot[object], digit: str, grid: str = "") -> None:
    await pilot.press(digit)
    await pilot.pause()
    if grid:
        pilot.app.screen.query_one(grid, Grid).focus()
        await pilot.pause()


@pytest.mark.parametrize(
    ("digit", "board", "shown"),
    [("6", Board.HELD, Seen(held=held())), ("7", Board.CHECKS, Seen(checks=checks()))],
)
async def test_a_board_is_looked_at_while_its_screen_is_there_asked_by_r_and_left_with_it(
    digit: str, board: Board, shown: Seen
) -> None:
    app, boards = on(shown)
    async with app.run_test(size=WIDE) as pilot:
        assert boards.looked == []
        await go(pilot, digit)
        assert boards.looked == [(board, None)]
        await pilot.press("r")
        assert boards.asked == 1
        await pilot.press("escape")
        await pilot.pause()
        assert boards.left == [board]


async def test_m_gives_the_commitment_under_the_cursor() -> None:
    app, _boards = on(Seen(held=held()))
    async with app.run_test(size=WIDE) as pilot:
        await go(pilot, "6")
        await pilot.press("down", "down", "m")
        await pilot.pause()
        assert isinstance(app.screen, ChoiceScreen)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        name, args = operator_of(app).previewed[-1]
        assert name == "commitments give"
        assert args["what"] == "esc_91ab"
        assert args["to"]


async def test_W_retires_the_version_under_the_cursor_and_L_restores_the_snapshot_there() -> None:
    app, _boards = on(Seen(held=held()))
    async with app.run_test(size=WIDE) as pilot:
        await go(pilot, "6", "#drain-grid")
        await pilot.press("down", "down", "W")
        await pilot.pause()
        assert operator_of(app).previewed[-1] == ("retire", {"version": "2.3.9"})
        await pilot.press("n")
        await go(pilot, "6", "#snapshots-grid")
        await pilot.press("L")
        await pilot.pause()
        assert operator_of(app).previewed[-1] == ("snapshot restore", {"file": "store:12"})


async def test_enter_shows_everything_about_what_is_owed_a_version_a_snapshot_and_a_line_of_the_books() -> None:
    app, _boards = on(Seen(held=held()))
    async with app.run_test(size=WIDE) as pilot:
        for grid, told in (
            ("#owed-grid", "withdrawal wd_0098"),
            ("#drain-grid", "round-88412"),
            ("#books-grid", "by -12.50 USD; 0.01 is allowed"),
            ("#snapshots-grid", "0c0c0c0c"),
        ):
            await go(pilot, "6", grid)
            await pilot.press("enter")
            await pilot.pause()
            assert isinstance(app.screen, TextScreen), grid
            assert told in drawn(app), grid
            await pilot.press("escape")
            await pilot.pause()


async def test_enter_on_a_snapshot_shows_all_of_it_and_where_it_can_not_be_read_what_is_known_and_why() -> None:
    app, _boards = on(Seen(held=held()))
    async with app.run_test(size=WIDE) as pilot:
        await go(pilot, "6", "#snapshots-grid")
        await pilot.press("enter")
        await until_async(lambda: "a note" in drawn(app))
        assert operator_of(app).done == [("snapshot show", {"file": "store:12"}, "")]
        assert "hash" in drawn(app), "what the board knows stands above it"
        await pilot.press("escape")
        operator_of(app).error = Refused("The file is cut off.")
        await pilot.press("enter")
        await until_async(lambda: "The file is cut off." in drawn(app))
        assert "0c0c0c0c" in drawn(app)


async def test_x_and_space_tick_the_manual_item_under_the_cursor_with_a_reason_and_no_other() -> None:
    app, _boards = on(Seen(checks=checks()))
    async with app.run_test(size=WIDE) as pilot:
        await go(pilot, "7", "#items-grid")
        await pilot.press("down", "x")
        await pilot.pause()
        assert "Only a manual item is ticked" in status_of(app)
        for key in ("x", "space"):
            assert app.screen.query_one("#items-grid", Grid).go_to("first-ten")
            await pilot.press(key)
            await pilot.pause()
            assert isinstance(app.screen, AskScreen)
            await pilot.press(*"seen", "enter")
            await pilot.pause()
            assert operator_of(app).done.pop() == ("checklist tick", {"item": "first-ten"}, "seen")


async def test_A_approves_the_plan_under_the_cursor_after_its_evidence() -> None:
    app, _boards = on(Seen(checks=checks()))
    async with app.run_test(size=WIDE) as pilot:
        await go(pilot, "7", "#approvals-grid")
        assert app.screen.query_one("#approvals", Panel).title == "Approvals asked for: ▲ 1 waiting"
        plan = app.screen.query_one("#approvals-grid", Grid).rows[0].key
        await pilot.press("A")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        assert operator_of(app).previewed[-1] == ("approve", {"plan": plan})


async def test_b_asks_for_the_other_side_and_nothing_of_the_first_is_shown_for_it() -> None:
    app, boards = on(Seen(checks=checks()))
    async with app.run_test(size=WIDE) as pilot:
        await go(pilot, "7")
        assert "Checklist: GREEN 2.5.0 would act" in drawn(app)
        await pilot.press("b")
        await pilot.pause()
        assert boards.looked[-1] == (Board.CHECKS, Slot.BLUE)
        assert "GREEN 2.5.0 would act" not in drawn(app)
        assert "Reading what the gates go by" in drawn(app)
        boards.say(Seen(checks=checks(target=Slot.BLUE)))
        await pilot.pause(0.5)
        assert "Checklist: BLUE 2.4.0 would act" in drawn(app)


@pytest.mark.parametrize(("digit", "panel"), [("6", "#owed"), ("7", "#items")])
async def test_what_could_not_be_read_again_is_grey_with_its_age_and_why(digit: str, panel: str) -> None:
    problem = Safe("The store does not answer.")
    old = held()._replace(at=NOW - timedelta(seconds=90))
    app, _boards = on(Seen(old, checks()._replace(at=NOW - timedelta(seconds=90)), problem))
    async with app.run_test(size=WIDE) as pilot:
        await go(pilot, digit)
        assert app.screen.query_one(panel, Panel).stale
        assert app.screen.query_one(panel, Panel).age == "▲ The store does not answer.  90 s ago"


async def test_a_venue_that_was_never_read_is_unknown_with_what_to_do() -> None:
    app, _boards = on(Seen(held=nothing_held()))
    async with app.run_test(size=WIDE) as pilot:
        await go(pilot, "6")
        assert "UNKNOWN: the venue was never read." in drawn(app)
        assert "Nothing is owed" in drawn(app)


async def test_a_lost_part_says_unknown_and_why_beside_parts_that_were_read() -> None:
    lost = held()._replace(versions=lacking("versions", NOW, Lack.TIMEOUT, "no answer within 5 s"))
    app, _boards = on(Seen(held=lost))
    async with app.run_test(size=WIDE) as pilot:
        await go(pilot, "6")
        assert "UNKNOWN: no answer within 5 s" in drawn(app)
        assert "esc_91ab" in drawn(app)


@pytest.mark.long
async def test_ten_thousand_commitments_are_filtered_and_walked_through_by_key_and_title_counts_all() -> None:
    many = tuple(owed(f"esc_{number:05}", Kind.ESCROW, "5", 3_600 + number) for number in range(10_000))
    app, _boards = on(Seen(held=held(many)))
    async with app.run_test(size=NARROW) as pilot:
        await go(pilot, "6")
        assert "Owed, by deadline: 10,000" in drawn(app)
        await pilot.press("end")
        await pilot.pause()
        assert "esc_09999" in drawn(app)
        grid = app.screen.query_one("#owed-grid", LongGrid)
        await pilot.press("slash", *"07321", "enter")
        panel = app.screen.query_one("#owed", Panel)
        await until_async(lambda: panel.note == "1 of 10,000")
        assert not grid.looking
        assert [row.key for row in grid.rows] == ["escrow esc_07321"]
        await pilot.press("m")
        await pilot.pause()
        assert isinstance(app.screen, ChoiceScreen)


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("name", ["draining-version", "blocked"])
async def test_with_ascii_and_without_colour_every_state_is_a_sign_and_a_word(name: str, size: tuple[int, int]) -> None:
    app, _boards = on(seen(name), ascii=True, theme="mono")
    async with app.run_test(size=size) as pilot:
        await go(pilot, "6" if name == "draining-version" else "7")
        text = drawn(app)
        assert text.isascii()
        assert ("x  -0:01:35 OVERDUE" if name == "draining-version" else "x CLOSED      disputes") in text
