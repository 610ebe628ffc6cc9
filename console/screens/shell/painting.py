"""When a frame is drawn, and what of it is written: never while the terminal is behind."""

from __future__ import annotations

import asyncio
import gc
from typing import Any, Final

from rich.console import RenderableType
from textual.screen import Screen

from console.screens.shell.shell import Shell

TICK_S: Final = 1.3
"""After so long without anything to draw, ages are brought up to date. A source that is read says them once a second:
each comes with a frame of its own, and none is drawn twice."""

_FIRST_FRAME_S: Final = 0.4


class Painting(Shell):
    """Draws what was published, at most so many times a second."""

    def _hold_first_frame(self) -> None:
        """Paint nothing until there is something to say, or until saying nothing would look like hanging."""
        self.starting = True
        gc.disable()  # what is built at the start lives to the end: collecting it would cost a tenth of the start
        self._begin_batch()
        self.set_timer(_FIRST_FRAME_S, self.first_frame)

    def first_frame(self) -> None:
        """There is something to say: paint."""
        if self.starting:
            self.starting = False
            self._end_batch()
            if self.screen_stack:
                self.screen.refresh()
            gc.freeze()
            gc.enable()
            self.painted()

    @property
    def terminal_behind(self) -> bool:
        """Whether the terminal has still to draw what it was sent."""
        return bool(getattr(self._driver, "behind", False))

    def draw(self) -> None:
        """Draw what was published, without waiting for the next frame."""
        self._tick()

    def _tick(self) -> None:
        """Draw a frame if something differs, or if ages have moved on; never while the terminal is behind."""
        now = asyncio.get_running_loop().time()
        if self.observation is None or not (self._fresh or now - self._drawn_at >= TICK_S):
            return
        if self.terminal_behind:
            self.frames_shed += 1
            return
        self._fresh, self._drawn_at = False, now
        if self.observation.looking is None:
            self.observation = self.observation._replace(now=self.clock())
        screen = self.console_screen
        if screen is not None and screen.is_mounted:
            screen.show(self.observation)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Write a frame: where the driver remembers what the terminal shows, only the cells that differ."""
        frames = getattr(self._driver, "frames", None)
        super()._display(screen, renderable if frames is None else frames.thin(renderable))

    def on_resize(self) -> None:
        """The terminal's size changed, and with it what it shows may be anything."""
        self.action_redraw()

    def _check_resize(self) -> None:
        """The new size is about to be drawn; what was written since it changed was meant for the old one."""
        self._forget_terminal()
        super()._check_resize()

    def action_redraw(self) -> None:
        """Draw everything anew: another program may have written over it."""
        self._forget_terminal()
        if self.screen_stack:
            self.screen.refresh()

    def _forget_terminal(self) -> None:
        frames = getattr(self._driver, "frames", None)
        if frames is not None:
            frames.forget()

    def post_display_hook(self) -> None:
        """A frame was written: ask the terminal to tell when it has been drawn."""
        ask = getattr(self._driver, "ask", None)
        if ask is not None:
            ask()
