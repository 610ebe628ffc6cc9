"""What the two table programs share: `c` changes a cell and times it, `q` writes the times down and ends."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from textual.app import App


class CellApp(App[None]):
    """A table of thirty flags."""

    ENABLE_COMMAND_PALETTE = False
    number = 0

    def __init__(self) -> None:
        super().__init__()
        self._began = 0.0
        self._taken: list[float] = []

    def change(self, value: str) -> None:
        """Change one cell."""
        raise NotImplementedError

    def on_key(self, event: object) -> None:
        """`c` or `q`."""
        key = getattr(event, "key", "")
        if key == "c":
            self.number += 1
            self._began = time.process_time()
            self.change(f"{self.number:05d}")
        elif key == "q":
            Path(sys.argv[1]).write_text(json.dumps(self._taken))
            self.exit()

    def post_display_hook(self) -> None:
        """The change has been written."""
        if self._began:
            self._taken.append(time.process_time() - self._began)
            self._began = 0.0
