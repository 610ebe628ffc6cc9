"""Textual's table."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import DataTable

from tests.bench.programs.cell import CellApp


class TableApp(CellApp):
    """Thirty flags in a `DataTable`."""

    def compose(self) -> ComposeResult:
        yield DataTable()

    def on_mount(self) -> None:
        """Fill it."""
        table = self.query_one(DataTable)
        table.add_columns("flag", "on", "value", "owner")
        for index in range(30):
            table.add_row(f"flag_{index:02d}", "on" if index % 3 else "off", f"{index * 3}%", "team")

    def change(self, value: str) -> None:
        """One value differs."""
        self.query_one(DataTable).update_cell_at((self.number % 30, 2), value)  # type: ignore[arg-type]


if __name__ == "__main__":
    TableApp().run()
