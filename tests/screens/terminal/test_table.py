"""The list with the keys as CSV: every row that the filter keeps, and nothing is written over."""

from __future__ import annotations

import csv
from pathlib import Path

from console.app import ConsoleApp
from console.screens.terminal.table import save_table
from tests.scenarios import observation
from tests.screens.doubles import console, status_of


async def after(app: ConsoleApp, *lines: str, keys: tuple[str, ...] = ()) -> str:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", *keys)
        for line in lines:
            app.submit(line)
            await app.workers.wait_for_complete()
            await pilot.pause()
        return status_of(app)


async def test_rows_that_are_not_drawn_and_columns_without_room_are_in_it_too(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    seen = observation("blue-active")
    assert seen.logs is not None
    assert "60 rows" in await after(console(seen), f"csv {file}")
    rows = list(csv.reader(file.open()))
    assert rows[0] == ["time", "slot", "version", "decision", "outcome", "PnL", "took", "why"]
    assert len(rows) == 1 + len(seen.logs.recent) == 61
    assert all(row[7] for row in rows)


async def test_a_filter_decides_which_rows_are_written(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    await after(console(), f"csv {file}", keys=("slash", *"DECLINE", "enter"))
    rows = list(csv.reader(file.open()))[1:]
    assert rows
    assert {row[4] for row in rows} == {"DECLINE"}


async def test_a_file_that_is_there_is_not_written_over_and_one_that_can_not_be_written_is_named(
    tmp_path: Path,
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("mine")
    assert "not written over" in await after(console(), f"csv {file}")
    assert file.read_text() == "mine"
    assert "can't be written" in await after(console(), f"csv {tmp_path}/no/such/folder.csv")


def test_no_cell_is_a_formula_to_a_spreadsheet_and_an_amount_stays_one(tmp_path: Path) -> None:
    cells = ["=1+1", "+1+cmd|' /C calc'!A0", "@x", "+1.10 USD", "-2", "\x1b[2Jx"]
    save_table(str(tmp_path / "t.csv"), ["a", "b", "c", "d", "e", ""], lambda: [cells])
    head, row = list(csv.reader((tmp_path / "t.csv").open()))
    assert head[-1] == "state"
    assert [cell.startswith("'") for cell in row] == [True, True, True, False, False, False]
    assert "\x1b" not in row[-1]


async def test_a_console_that_may_only_look_writes_no_file(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    assert "read-only" in await after(console(observation("blue-active")._replace(read_only=True)), f"csv {file}")
    assert not file.exists()
