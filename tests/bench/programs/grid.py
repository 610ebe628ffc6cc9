"""Our table."""

from __future__ import annotations

from textual.app import ComposeResult

from tests.bench.programs.cell import CellApp
from themes.builtin import THEMES, VARIABLES
from widgets.lists.columns import Column
from widgets.lists.grid import Grid, GridRow


class GridApp(CellApp):
    """Thirty flags in a `Grid`."""

    def __init__(self) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        self.values = [f"{index * 3}%" for index in range(30)]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Ours."""
        return dict(VARIABLES)

    def compose(self) -> ComposeResult:
        yield Grid([Column("flag", 24), Column("on", 5), Column("value", 10), Column("owner")], id="grid")

    def on_mount(self) -> None:
        """Fill it."""
        self.show()

    def show(self) -> None:
        """Hand all rows over, as a screen does."""
        self.query_one(Grid).set_rows(
            [
                GridRow(str(index), (f"flag_{index:02d}", "on" if index % 3 else "off", value, "team"))
                for index, value in enumerate(self.values)
            ]
        )

    def change(self, value: str) -> None:
        """One value differs."""
        self.values[self.number % 30] = value
        self.show()


if __name__ == "__main__":
    GridApp().run()
