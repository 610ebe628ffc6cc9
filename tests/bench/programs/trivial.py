"""The least Textual app: a line of text, a key that counts, and a key that ends it."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Trivial(App[None]):
    """Shows READY, then how often `k` was pressed."""

    ENABLE_COMMAND_PALETTE = False
    pressed = 0

    def compose(self) -> ComposeResult:
        yield Static("READY", id="line")

    def key_k(self) -> None:
        """Count."""
        self.pressed += 1
        self.query_one("#line", Static).update(f"K{self.pressed:06d}#", layout=False)


if __name__ == "__main__":
    Trivial().run()
