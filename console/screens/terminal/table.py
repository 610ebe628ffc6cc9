"""The list with the keys as a CSV file: every row that its filter keeps, not only those that are drawn."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from widgets.text.plain import plain

_AMOUNT: Final = re.compile("[+\u2212-]?[0-9][0-9,]*([.][0-9]+)?( [A-Za-z0-9]{1,16})?( dry)?")


def _cell(text: str) -> str:
    """What a spreadsheet would take for a formula begins with an apostrophe, as in the verbs' CSV."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") and not _AMOUNT.fullmatch(text) else text


def save_table(path: str, titles: Sequence[str], rows: Callable[[], list[Sequence[str]]]) -> tuple[str, int]:
    """Write a table, where nothing is yet; where it went, and how many rows it has.

    Args:
        path: of the file; `~` is the home folder.
        titles: of the columns; one without is `state` (a sign stands there).
        rows: makes the cells.

    Raises:
        FileExistsError: something is there already.
        OSError: it can't be written.
    """
    target = Path(path).expanduser().resolve()
    made = rows()
    with target.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([title or "state" for title in titles])
        for cells in made:
            told = [_cell(plain(cell).strip()) for cell in cells[: len(titles)]]
            writer.writerow([*told, *[""] * (len(titles) - len(told))])
    return str(target), len(made)
