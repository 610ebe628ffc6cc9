"""Screens 3, 4 and 9: a canary, its shadows, experiments; what they say at both sizes, and what their keys do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.app import ConsoleApp
from console.screens.parts.dialogs import ConfirmScreen, TextScreen
from console.screens.places.canary import CanaryScreen
from console.screens.places.divergence import DivergenceScreen
from tests.scenarios import NAMES, NOW, observation
from tests.scenarios.parts import ago, link
from tests.scenarios.proving import PLAN, canary, proving
from tests.screens.doubles import NARROW, WIDE, console, drawn, operator_of, source_of
from widgets.charts.interval_plot import IntervalPlot
from widgets.charts.step_ladder import StepLadder
from widgets.lists.grid import Grid
from widgets.text.glyphs import set_ascii

LOW = (120, 30)
PROOFS = [name for name in NAMES if name.startswith(("canary-", "shadow-", "experiment", "hostile-proofs"))]


def grid(app: ConsoleApp, name: str) -> Grid:
    return app.screen.query_one(f"#{name}", Grid)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        *[pytest.param(name, NARROW, marks=() if at % 3 == 1 else pytest.mark.long) for at, name in enumerate(PROOFS)],
        *[pytest.param(name, WIDE, marks=() if at % 3 == 0 else pytest.mark.long) for at, name in enumerate(PROOFS)],
        *[(name, size) for name in ("canary-undecided", "hostile-proofs") for size in (LOW, (40, 10))],
    ],
)
async def test_no_situation_and_no_size_breaks_a_screen(name: str, size: tuple[int, int]) -> None:
    app = console(name)
    async with app.run_test(size=size) as pilot:
        for key in (
            "3",
            "tab",
            "enter",
            "escape",
            "z",
            "tab",
            "z",
            "4",
            "tab",
            "z",
            "tab",
            "z",
            "enter",
            "escape",
            "9",
            "down",
            "enter",
            "escape",
        ):
            await pilot.press(key)
            await pilot.pause()
            assert drawn(app).replace("\n", "").isprintable()


# the canary


@pytest.mark.parametrize("size", [WIDE, LOW, NARROW])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "canary-undecided",
            ["□ GREEN v2.5.0", "▶ RUNNING", "· UNDECIDED", "held by signal: Undecided: about 588 more"],
        ),
        ("canary-shadow-step", ["· SHADOW: no capital", "19 more rounds", "31 of 50"]),
        ("canary-paused", ["‖ PAUSED", "✔ SAFE", "held by paused"]),
        ("canary-harm", ["✖ HARM", "to be rolled back", "✖ errors 9.1% of 1.0%", "−48.10 of −60.00 USD"]),
        ("canary-stale-desk", ["▲ desk silent for 7 min", "last known: held by fresh analysis"]),
        ("canary-no-desk", ["▲ no desk: nothing shares rounds out", "in force unknown"]),
        ("canary-aborted", ["✖ ABORTED", "aborted by ana@ops-1: The step's loss budget is spent"]),
        ("canary-no-plan", ["nothing rises: the plan is not the one that was started"]),
        ("canary-nowhere", ["nothing rises: its place in the plan does not exist"]),
        ("canary-none", ["No canary was ever started for this agent.", ":canary start PLAN"]),
    ],
)
async def test_the_canary_is_said_in_words_at_every_size(name: str, said: list[str], size: tuple[int, int]) -> None:
    app = console(name)
    async with app.run_test(size=size) as pilot:
        await pilot.press("4")
        await pilot.pause()
        for words in said:
            assert words in drawn(app)


async def test_both_versions_money_the_bar_and_the_ladder_stand_beside_the_interval() -> None:
    app = console("canary-undecided")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await pilot.pause()
        text = drawn(app)
        for words in (
            "canary 2,000.00, stable 8,000.00 USD",
            "canary 37.50, stable 120.00 USD",
            "━━━━────────────  −14.25 of",
            "■ [20 %]",
            "412 of 100 rounds",
            "18.7 % of the draws, 20.0 % expected",
            "┄ margin",
            "estimate",
            "┊ 20 %",
            "desk 0.5 s",
        ):
            assert words in text
        assert [rung.place for rung in app.screen.query_one(StepLadder).rungs] == ["past"] * 2 + ["here"] + [
            "ahead"
        ] * 2
        assert app.screen.query_one(IntervalPlot).data.margin == 0.05


async def test_on_a_small_terminal_tab_goes_from_the_figures_to_the_interval() -> None:
    app = console("canary-undecided")
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert "╭─ [1/3] This step" in drawn(app)
        await pilot.press("tab")
        await pilot.pause()
        assert "╭─ [2/3] Plan" in drawn(app)
        await pilot.press("tab")
        await pilot.pause()
        text = drawn(app)
        assert "╭─ [3/3] Δ a round: canary less stable" in text
        assert "This step" not in text
        assert "┄ margin" in text
        await pilot.press("tab")
        await pilot.pause()
        assert "╭─ [1/3] This step" in drawn(app)


async def test_zoom_gives_the_interval_the_whole_screen_and_back() -> None:
    app = console("canary-undecided")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4", "z")
        await pilot.pause()
        assert "╭─ Plan" in drawn(app)
        assert "╭─ Δ a round" not in drawn(app)
        await pilot.press("tab")
        await pilot.pause()
        assert app.screen.query_one(IntervalPlot).size.width > 150
        await pilot.press("z")
        await pilot.pause()
        assert "╭─ Plan" in drawn(app)
        assert "╭─ This step" in drawn(app)


async def test_going_from_small_to_large_and_back_keeps_what_can_be_seen_whole() -> None:
    app = console("canary-undecided")
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("4")
        await pilot.pause()
        await pilot.resize_terminal(*WIDE)
        await pilot.pause(0.1)
        for title in ("╭─ This step", "╭─ Plan", "╭─ Δ a round", "╭─ Canary green-2.5.0"):
            assert title in drawn(app)
        await pilot.resize_terminal(*NARROW)
        await pilot.pause(0.1)
        assert "╭─ [1/3] This step" in drawn(app)
        assert "─ Plan" not in drawn(app)


async def test_enter_on_a_step_shows_everything_that_was_frozen() -> None:
    app = console("canary-undecided")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await pilot.pause()
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, TextScreen)
        text = drawn(app)
        for words in ("step 3 of 5", "0.05 to roll back, 0.01 to promote", PLAN.digest, PLAN.settings.digest, "ρ from"):
            assert words in text


@pytest.mark.parametrize(("key", "command"), [("c", "canary promote"), ("X", "canary abort")])
@pytest.mark.parametrize("screen", ["1", "3", "4"])
async def test_a_key_starts_its_command_after_a_y_and_not_after_an_n(screen: str, key: str, command: str) -> None:
    app = console("canary-ready")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press(screen, key)
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("n")
        await pilot.pause()
        assert operator_of(app).done == []
        await pilot.press(key)
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause(0.1)
        assert [name for name, _args, _reason in operator_of(app).done] == [command]


async def test_old_figures_are_grey_and_say_how_old_whichever_side_went_silent() -> None:
    app = console("canary-undecided")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await pilot.pause()
        plot = app.screen.query_one(IntervalPlot)
        assert not plot.stale
        source_of(app).say(proving(canary(desk_age_s=400)))
        await pilot.pause(0.3)
        assert plot.stale
        assert "desk silent for 7 min" in drawn(app)
        gone = observation("canary-undecided")
        assert gone.store is not None
        away = link(observation("store-gone").link.state, attempts=3)
        source_of(app).say(gone._replace(link=away, store=gone.store._replace(at=ago(47))))
        await pilot.pause(0.3)
        assert plot.stale
        assert "47 s ago" in drawn(app)


async def test_only_what_changed_is_drawn_anew() -> None:
    app = console("canary-undecided")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await pilot.pause()
        plot = app.screen.query_one(IntervalPlot)
        before = plot.data
        source_of(app).say(proving(canary(balance="-14.75")))
        await pilot.pause(0.3)
        assert "−14.75 of −60.00 USD" in drawn(app)
        assert plot.data is before, "an interval that did not change is not drawn again"


async def test_a_canary_that_comes_while_its_screen_is_open_is_shown() -> None:
    app = console("canary-none")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await pilot.pause()
        source_of(app).say(observation("canary-shadow-step"))
        await pilot.pause(0.3)
        assert "▶ RUNNING" in drawn(app)
        assert "No canary was ever started" not in drawn(app)
        await pilot.press("tab")
        await pilot.pause()
        assert isinstance(app.screen, CanaryScreen)


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_the_overview_has_a_line_only_where_a_canary_is_or_was(size: tuple[int, int]) -> None:
    app = console("canary-undecided")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        narrow = ("canary ▶ 0→5→[20]→50→100 %", "588 more rounds")
        for words in ("▶ RUNNING", "about 588 more rounds.") if size == WIDE else narrow:
            assert words in drawn(app)
        source_of(app).say(observation("canary-aborted"))
        await pilot.pause(0.3)
        assert "✖ ABORTED" in drawn(app)
        source_of(app).say(observation("canary-none"))
        await pilot.pause(0.3)
        assert "ABORTED" not in drawn(app)


async def test_a_plan_of_twenty_steps_shows_those_round_the_present_one() -> None:
    from decimal import Decimal

    from console.domain.canary.plan import Plan, Position, Step

    steps = tuple(Step(Decimal(n + 1) / 20, Decimal(9)) for n in range(20))
    reading = canary(plan=Plan(steps, PLAN.settings), position=Position(14, 30))
    app = console(proving(reading))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert "■ [75 %]" in drawn(app)
        assert len(grid(app, "plan-grid").rows) == 20


# shadows


@pytest.mark.parametrize("size", [WIDE, LOW, NARROW])
async def test_shadows_fields_and_divergences_are_all_there_at_every_size(size: tuple[int, int]) -> None:
    app = console("shadow-diverging")
    async with app.run_test(size=size) as pilot:
        await pilot.press("3")
        await pilot.pause()
        text = drawn(app)
        for words in ("1,204", "3.2 %", "0.8 %", "✖ amount", "money", "CASH_OUT 1.9x", "the newest 3"):
            assert words in text


@pytest.mark.parametrize("size", [WIDE, LOW, NARROW])
async def test_enter_on_a_divergence_shows_both_sides_with_signs_and_the_state(size: tuple[int, int]) -> None:
    app = console("shadow-diverging")
    async with app.run_test(size=size) as pilot:
        await pilot.press("3")
        await pilot.pause()
        await pilot.press("up", "enter")  # the one before the newest
        await pilot.pause(0.1)
        assert isinstance(app.screen, DivergenceScreen)
        lines = [line.strip("│ ") for line in drawn(app).splitlines()]
        assert any(line.split()[:2] == ["✖", "amount"] and "2.5" in line and "5.0" in line for line in lines)
        assert any(line.split()[0:1] == ["action"] for line in lines), "what is the same has no sign"
        text = drawn(app)
        for words in ("✖ moves money", "live", "shadow", "value, money", "the state that both decided on", "round: 2"):
            assert words in text
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, DivergenceScreen)


async def test_the_fields_are_those_of_the_shadow_under_the_cursor() -> None:
    app = console("shadow-noise")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("3")
        await pilot.pause()
        assert [row.cells[1] for row in grid(app, "rates-grid").rows] == ["reasoning", "action"]
        grid(app, "shadows-grid").focus()
        await pilot.press("down")
        await pilot.pause()
        assert [row.cells[1] for row in grid(app, "rates-grid").rows] == ["amount", "action", "orders.*.tag"]
        assert "What differs: green-2.5.0" in drawn(app)
        await pilot.press("enter")
        await pilot.pause()
        assert app.focused is grid(app, "rates-grid")


async def test_divergences_can_be_filtered() -> None:
    app = console("shadow-diverging")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("3", "slash", *"amount", "enter")
        await pilot.pause()
        assert [row.cells[2] for row in grid(app, "list-grid").rows] == ["amount +1"]
        assert "1 of 3" in drawn(app)


async def test_without_a_shadow_it_says_why_and_what_to_do() -> None:
    app = console("canary-none")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("3")
        await pilot.pause()
        assert "No shadow has reported." in drawn(app)
        assert "--divergences FILE" in drawn(app)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("shadow-files", "3 records, 3 differ; ▲ 3 refused: 2 missing field, 1 not JSON"),
        ("shadow-files-gone", "no such file yet"),
    ],
)
async def test_what_plain_agents_wrote_is_shown_with_what_was_refused(name: str, said: str) -> None:
    app = console(name)
    async with app.run_test(size=(200, 48)) as pilot:
        await pilot.press("3")
        await pilot.pause()
        assert said in drawn(app)
        assert len(grid(app, "list-grid").rows) == 3
        assert "✖ amount" in drawn(app)


# experiments


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_experiments_are_listed_with_their_verdicts_and_intervals(size: tuple[int, int]) -> None:
    app = console("experiments")
    async with app.run_test(size=size) as pilot:
        await pilot.press("9")
        await pilot.pause()
        text = drawn(app)
        for words in (
            "▶ cash-out-2x",
            "· undecided, 2,210 rounds more",
            "▲ not split as assigned",
            "✔ B better",
            "┊●─",
        ):
            assert words in text


async def test_the_one_under_the_cursor_is_shown_below_with_the_money_of_either_arm() -> None:
    app = console("experiments")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("9")
        await pilot.pause()
        await pilot.press("down", "down", "down")
        await pilot.pause()
        text = drawn(app)
        for words in ("Experiment sizing", "A +12.50, B +24.75 USD", "+0.0613  [+0.0341, +0.0885]", "A better    0"):
            assert words in text


async def test_enter_on_an_experiment_shows_everything_at_any_size() -> None:
    app = console("experiments")
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("9")
        await pilot.pause()
        await pilot.press("down", "down", "down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, TextScreen)
        assert "A +12.50, B +24.75 USD" in drawn(app)


async def test_the_margins_of_all_experiments_stand_in_one_column() -> None:
    app = console("experiments")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("9")
        await pilot.pause()
        bars = [row.cells[6] for row in grid(app, "experiments-grid").rows if row.cells[6]]
        assert {tuple(at for at, char in enumerate(bar) if char == "╎") for bar in bars} == {(9, 15)}


async def test_a_silent_experiment_says_so_instead_of_its_verdict() -> None:
    app = console("experiment-silent")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("9")
        await pilot.pause()
        assert "▲ silent for 4 min" in drawn(app)


async def test_without_an_experiment_it_says_how_to_define_one() -> None:
    app = console("canary-none")
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("9")
        await pilot.pause()
        assert ":experiment define NAME FILE" in " ".join(drawn(app).split())


# signs


@pytest.mark.parametrize(
    "name", ["canary-undecided", "canary-harm", "shadow-diverging", "experiments", "hostile-proofs"]
)
@pytest.mark.parametrize("key", ["3", "4", "9"])
async def test_in_ascii_all_three_are_ascii(name: str, key: str) -> None:
    try:
        app = console(name, ascii=True)
        async with app.run_test(size=WIDE) as pilot:
            await pilot.press(key)
            await pilot.pause()
            assert drawn(app).isascii()
            await pilot.press("enter")
            await pilot.pause(0.1)
            assert drawn(app).isascii()
    finally:
        set_ascii(False)


async def test_a_share_that_is_hostile_in_size_is_still_one_line() -> None:
    seen = observation("canary-undecided")
    assert seen.store is not None
    reading = seen.store.canary
    assert reading is not None
    assert reading.desk is not None
    assert reading.desk.analysis is not None
    wild = replace(reading.desk.analysis, alarms=("x" * 80,) * 8)
    app = console(
        seen._replace(store=seen.store._replace(canary=reading._replace(desk=reading.desk._replace(analysis=wild))))
    )
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert "· UNDECIDED" in drawn(app)
    assert NOW
