"""The list with the keys as a CSV file: every row that its filter keeps, not only those that are drawn."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

from widgets.text.plain import plain


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
            told = [plain(cell).strip() for cell in cells[: len(titles)]]
            writer.writerow([*told, *[""] * (len(titles) - len(told))])
    return str(target), len(made)
