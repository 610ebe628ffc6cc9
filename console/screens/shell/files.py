"""What is written to files and to the clipboard, in the background."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from console.domain.seen.playback import HasPresent
from console.screens.shell.shell import Shell
from widgets.lists.line_list import LineList

T = TypeVar("T")


class Files(Shell):
    """Pictures, tables, the clipboard."""

    def copy(self, text: str) -> None:
        """Put text on the clipboard of the operator's own terminal (OSC 52), through tmux if need be."""
        from console.screens.terminal.clipboard import osc52

        if self._driver is not None:
            self._driver.write(osc52(text, inside_tmux=bool(os.environ.get("TMUX"))))
            self._driver.flush()

    def start_export(self, file: str) -> None:
        """Write what is on screen to an SVG file; a console that may only look writes none."""
        if self._refuses_files("`agent-console export` writes one."):
            return
        from console.screens.terminal.saving import export_name

        path = file or export_name(self.clock())
        self.run_worker(self._export(path), group="commands", exit_on_error=False)

    def _refuses_files(self, way: str) -> bool:
        """Whether this console may only look; then that is said, with another way. A replay may write."""
        source = self.source
        seen = source.present if isinstance(source, HasPresent) and source.looks_back else self.observation
        if seen is None or not seen.read_only or seen.looking is not None:
            return False
        way = ":unlock lets it." if seen.locked else way
        what = f"{seen.profile} is locked" if seen.locked else "This console is read-only"
        self.say(f"{what}; no file was written. {way}", "warn")
        return True

    def start_csv(self, file: str) -> None:
        """Write the list with the keys to a CSV file, in the background; where a picture may be written, that is."""
        rows = self.console_screen.current_list if self.console_screen is not None else None
        if rows is None:
            self.say("There is no list to write here.", "info")
        elif not file:
            self.say(":csv FILE writes every row of this list that its filter keeps.", "info")
        elif not self._refuses_files("The verbs of `agent-console` write them."):
            self.run_worker(self._csv(file, rows), group="commands", exit_on_error=False)

    async def _csv(self, file: str, rows: LineList) -> None:
        from console.screens.terminal.table import save_table

        saved = await self._written(file, partial(save_table, file, rows.titles, rows.cells_kept()))
        if saved is not None:
            self.say(f"Written: {saved[0]}, {saved[1]:,} rows", "ok")

    async def _written(self, file: str, save: Callable[[], T], instead: str = "") -> T | None:
        """What saving a file says, on a thread; None where there is none, which is told, with another way."""
        try:
            return await asyncio.to_thread(save)
        except FileExistsError:
            self.say(f"{file} is there already, and is not written over.{instead}", "warn")
        except OSError as error:
            self.say(f"{file} can't be written: {error.strerror or error}.", "bad")
        return None

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """What is on screen as SVG, in which no host is named."""
        from console.screens.terminal.saving import without_hosts

        return without_hosts(super().export_screenshot(title=title, simplify=simplify))

    async def _export(self, path: str) -> None:
        from console.screens.terminal.saving import save_picture

        save = partial(save_picture, path, self.export_screenshot(title="agent-console"))
        saved = await self._written(path, save, " :export FILE names another.")
        if saved is not None:
            self.say(f"Written: {saved}", "ok")
