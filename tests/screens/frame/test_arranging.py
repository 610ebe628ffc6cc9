"""Lists are sorted by any of their columns, with columns of one's own, in one way on every screen; it is remembered."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from textual.pilot import Pilot

from console.app import ConsoleApp
from console.domain.board.boards import Seen
from console.domain.errors import UsageError
from console.domain.gates.fact import Fact, Lack, lacking
from console.domain.gates.facts import PlainState
from console.domain.seen.decision import Money
from console.domain.seen.observation import Observation
from console.domain.text import Safe, clean
from console.screens.command.palette import entries
from console.screens.frame.keys import key_text
from console.screens.parts.dialogs import ChoiceScreen
from console.screens.parts.paging import PageList
from console.screens.places.decisions import DecisionsScreen
from console.screens.places.lists import lists
from console.screens.places.registry import make_screen
from tests import ROOT
from tests.scenarios import observation
from tests.scenarios.boards import READ_AT, held
from tests.screens.doubles import NARROW, WIDE, console, drawn, operator_of, source_of, status_of
from tests.screens.frame.test_replaying import replaying, shown
from tests.screens.places.test_boards import on
from tests.screens.places.test_browsing import screen_two, until
from tests.waiting import until_async
from widgets.lists.arranging import ARRANGE_KEYS, names_of
from widgets.lists.grid import Grid
from widgets.lists.long_grid import LongGrid
from widgets.typing.command_line import CommandLine


async def at(pilot: Pilot[object], digit: str, grid: str) -> Grid:
    await pilot.press(digit)
    await pilot.pause()
    rows = pilot.app.screen.query_one(grid, Grid)
    rows.focus()
    await pilot.pause()
    return rows


def keys_in(rows: Grid) -> list[str]:
    return [row.key for row in rows._rows]


def paid(scenario: str, *amounts: str | None) -> Observation:
    """A scenario whose newest decisions earned so much."""
    seen = observation(scenario)
    assert seen.logs is not None
    one = seen.logs.recent[-1]
    recent = tuple(
        one._replace(
            sequence=n + 1,
            reasoning=Safe(f"d{n}"),
            pnl=None if text is None else Money(Decimal(text.split()[0]), clean(text.split()[1])),
        )
        for n, text in enumerate(amounts)
    )
    return seen._replace(logs=seen.logs._replace(recent=recent))


def reasons(app: ConsoleApp) -> list[str]:
    assert isinstance(app.screen, DecisionsScreen)
    return [row.cells[-1] for row in app.screen.query_one("#decisions-ranked", LongGrid)._rows]


# sorting


async def test_what_is_owed_is_sorted_by_amount_within_its_currency_and_turned_round_by_a_key() -> None:
    app, _ = on(Seen(held=held()))
    async with app.run_test(size=WIDE) as pilot:
        rows = await at(pilot, "6", "#owed-grid")
        own = keys_in(rows)
        app.submit("sort amount")
        await pilot.pause()
        falling = ["BTC-PERP", "stop-BTC-PERP", "ord-551", "esc_91ab", "wd_0098", "esc_7c20", "round-88412", "chal-12"]
        assert [key.split()[-1] for key in keys_in(rows)] == falling
        assert "amount↓" in drawn(app)
        assert "Owed, sorted by amount: 8" in drawn(app)
        await pilot.press("I")
        assert [key.split()[-1] for key in keys_in(rows)][:2] == ["chal-12", "round-88412"]
        assert "amount↑" in drawn(app)
        await pilot.press(*["greater_than_sign"] * 9)
        assert keys_in(rows) == own, "behind the last column comes its own order again"
        assert status_of(app) == "In its own order again."


async def test_what_a_place_does_not_tell_stands_first_however_it_is_sorted() -> None:
    silent: Fact[PlainState] = lacking("state.json", READ_AT, Lack.MISSING, "it is not there")
    app, _ = on(Seen(held=held(state=silent)))
    async with app.run_test(size=WIDE) as pilot:
        rows = await at(pilot, "6", "#owed-grid")
        assert rows._rows[0].cells[2] == "UNKNOWN"
        for name in names_of(rows.columns):
            for way in ("", " reverse"):
                app.submit(f"sort {name}{way}")
                assert rows._rows[0].cells[2] == "UNKNOWN", name


@pytest.mark.parametrize(
    ("digit", "names", "scenario"),
    [
        ("6", ("owed", "drain", "books", "snapshots", "instances", "files"), None),
        ("6", ("doubts",), "in-doubt"),
        ("8", ("audit", "alerts"), "tripped"),
        ("9", ("experiments",), "experiments"),
    ],
)
async def test_every_column_of_every_list_sorts_either_way_and_loses_no_row(
    digit: str, names: tuple[str, ...], scenario: str | None
) -> None:
    app, _ = on(Seen(held=held()), observation(scenario) if scenario else None)
    async with app.run_test(size=WIDE) as pilot:
        for name in names:
            rows = await at(pilot, digit, f"#{name}-grid")
            own = keys_in(rows)
            assert len(own) > 0, name
            for column in names_of(rows.columns):
                app.submit(f"sort {column}")
                rising = keys_in(rows)
                app.submit(f"sort {column} reverse")
                assert sorted(rising) == sorted(keys_in(rows)) == sorted(own), (name, column)
            app.submit("sort nothing")
            assert "by which column?" in status_of(app)


async def test_sorted_receipts_begin_at_their_first_row_and_in_their_own_order_the_newest_is_followed_again() -> None:
    app = console("tripped")
    async with app.run_test(size=WIDE) as pilot:
        rows = await at(pilot, "8", "#audit-grid")
        own = keys_in(rows)
        assert rows.current is not None and rows.current.key == own[-1]
        app.submit("sort took")
        await pilot.pause()
        assert rows.current.key == keys_in(rows)[0]
        assert "(sorted by took)" in drawn(app)
        app.submit("sort time")
        await pilot.press("less_than_sign")
        assert keys_in(rows) == own
        assert rows.current.key == own[-1]
        assert "Audit (newest last)" in drawn(app)


async def test_the_newest_decisions_are_sorted_go_on_coming_and_escape_leads_back_to_the_order_of_time() -> None:
    app = console(paid("blue-active", "1 USD", None, "-7 USD", "30 JPY", "4 USD"))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2")
        await pilot.pause()
        app.submit("sort PnL")
        await pilot.pause()
        assert reasons(app) == ["d3", "d2", "d0", "d4", "d1"], "by currency, then amount; what is not known last"
        assert "the newest 5 (sorted by PnL)" in drawn(app)
        source_of(app).say(paid("blue-active", "1 USD", None, "-7 USD", "30 JPY", "4 USD", "-9 USD"))
        app.draw()
        await pilot.pause()
        assert reasons(app)[1] == "d5"
        await pilot.press("escape")
        await pilot.pause()
        assert "newest last, following" in drawn(app)
        assert not app.arrangements.of("decisions", "").order.column


# columns, and what is remembered


async def test_columns_are_hidden_and_shown_by_a_key_and_who_it_is_about_always_stays() -> None:
    app, _ = on(Seen(held=held()))
    async with app.run_test(size=WIDE) as pilot:
        rows = await at(pilot, "6", "#owed-grid")
        await pilot.press("C")
        await pilot.pause()
        chooser = app.screen.query_one(Grid)
        offered = [row.key for row in chooser.rows]
        assert offered == [name for name in names_of(rows.columns) if name != "id"]
        chooser.go_to("owner")
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert "owner" not in drawn(app)
        assert "esc_91ab" in drawn(app)
        await pilot.press("8")
        await pilot.press("6")
        await pilot.pause()
        assert "owner" not in app.arrangements.of("owed", "").columns
        assert "owner" not in drawn(app)


async def test_another_profile_has_arrangements_of_its_own_and_the_first_one_gets_its_own_back() -> None:
    app = console("tripped", profile="lab")
    async with app.run_test(size=WIDE) as pilot:
        await at(pilot, "8", "#audit-grid")
        app.submit("sort who")
        await pilot.press("1")
        app.settings = replace(app.settings, profile="prod")
        rows = await at(pilot, "8", "#audit-grid")
        assert rows.following
        assert app.arrangements.of("audit", "prod").order.column == ""
        assert app.arrangements.of("audit", "lab").order.column == "who"


async def test_the_configuration_says_the_columns_and_what_it_can_t_say_is_refused_in_one_message() -> None:
    app = console("tripped", columns={"audit": ("who", "command"), "decisions": ("outcome", "time")})
    async with app.run_test(size=WIDE) as pilot:
        await at(pilot, "8", "#audit-grid")
        titles = next(line for line in drawn(app).splitlines() if "command" in line and "who" in line)
        assert titles.index("who") < titles.index("command")
        assert "took" not in titles
    with pytest.raises(UsageError) as refused:
        console(columns={"audit": ("whom",), "orders": ("id",)})
    assert "'whom'" in refused.value.message
    assert "'orders'" in refused.value.message
    assert "time, command, change, took, who, why" in refused.value.message


# keys, palette, `:` and documents


async def test_a_list_with_one_order_says_so_and_the_keys_are_hinted_where_they_work() -> None:
    app = console("tripped")
    async with app.run_test(size=(250, 48)) as pilot:
        app.submit("sort time")
        await pilot.pause()
        assert "has one order" in status_of(app)
        await at(pilot, "8", "#audit-grid")
        assert "> sort" in drawn(app)
        assert "C columns" in drawn(app)


async def test_keys_palette_words_help_and_document_agree_on_how_a_list_is_arranged() -> None:
    document = (ROOT / "docs" / "operators.md").read_text("utf-8")
    app = console("tripped")
    async with app.run_test(size=WIDE) as pilot:
        await at(pilot, "8", "#audit-grid")
        offered = {str(entry.title): str(entry.help) for entry in entries(app)}
        await pilot.press("question_mark")
        await pilot.pause()
        rows = ["".join(text for text, _ in line) for line in app.screen._lines]  # type: ignore[attr-defined]
    for key in ARRANGE_KEYS:
        assert any(row.split() == [key_text(key.key), *key.tooltip.split()] for row in rows), key.id
        assert f"| `{key_text(key.key)}` | {key.tooltip} | `{key.id}` |" in document
    assert ":sort COLUMN [reverse]" in offered["Sort the list  (>)"]
    assert ":columns" in offered["Choose the columns  (C)"]
    for name in lists():
        assert f"`{name}`" in document, name


@pytest.mark.parametrize("name", ["decisions", "state", "audit", "experiments", "fleet"])
async def test_every_arrangeable_list_of_a_screen_is_one_that_the_configuration_knows(name: str) -> None:
    app = console("tripped")
    async with app.run_test(size=NARROW) as pilot:
        screen = make_screen(name)
        assert screen is not None
        await app.push_screen(screen)
        await pilot.pause()
        known = lists()
        for rows, known_as in screen._arranged.items():
            assert set(names_of(rows.columns)) == set(names_of(known[known_as])), known_as
        assert screen._arranged
        assert operator_of(app).done == []


async def test_the_hits_of_a_search_are_sorted_and_escape_leads_back_to_them_with_their_order_of_time(
    tmp_path: Path,
) -> None:
    async with screen_two(tmp_path) as (pilot, screen, browser):
        await pilot.press("slash", *"pnl<-20")
        await until(pilot, lambda: browser.seen.hits is not None and browser.seen.hits.done)
        await pilot.press("enter")
        await pilot.pause()
        pages, ranked = screen.query_one(PageList), screen.query_one("#decisions-ranked", LongGrid)
        hits = [spot.key for spot in pages.kept]
        screen.sort_by(["PnL"])
        await pilot.pause()
        worst = [spot.decision.pnl.amount for spot in ranked.kept]
        assert worst == sorted(worst)
        assert len(worst) == len(hits) == 3000 // 50 * 5
        assert screen.focused is ranked
        assert "(sorted by PnL)" in screen.panel.title
        await pilot.press("escape")
        await pilot.pause()
        assert [spot.key for spot in pages.kept] == hits
        assert screen.focused is pages


async def test_in_a_replay_the_keys_of_a_sort_are_those_of_its_speed_and_a_word_sorts(tmp_path: Path) -> None:
    app = replaying(tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("8")
        await pilot.pause()
        await pilot.press("greater_than_sign", "greater_than_sign", "p")
        assert not app.arrangements.of("audit", app.settings.profile).order.column
        await shown(app, "×5")
        app.submit("sort who")
        await pilot.pause()
        assert app.arrangements.of("audit", app.settings.profile).order.column == "who"


async def test_words_typed_by_keys_are_about_the_list_that_had_the_keys(tmp_path: Path) -> None:
    app = console("tripped")
    async with app.run_test(size=WIDE) as pilot:
        rows = await at(pilot, "8", "#audit-grid")
        await pilot.press("colon", *"sort", "space", *"took", "enter")
        await pilot.pause()
        assert app.arrangements.of("audit", "").order.column == "took"
        assert app.focused is rows
        await pilot.press("colon", *"columns", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ChoiceScreen)
        await pilot.press("escape")
        await pilot.pause()
        path = tmp_path / "a.csv"
        await pilot.press("colon", *"csv", "space")
        app.screen.query_one(CommandLine).query_one("Input").insert_text_at_cursor(str(path))  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until_async(path.exists)


async def test_whoever_has_not_chosen_a_row_sees_the_first_one_after_a_sort_and_whoever_has_keeps_it() -> None:
    app = console("tripped")
    async with app.run_test(size=WIDE) as pilot:
        rows = await at(pilot, "8", "#audit-grid")
        app.submit("sort time")
        await pilot.press("I")
        assert rows.at_first
        await pilot.press("down")
        assert rows.current is not None
        chosen = rows.current.key
        await pilot.press("I")
        assert rows.current.key == chosen
