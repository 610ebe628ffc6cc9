"""The Textual app: wiring only. A source's observations go to the screen in front, the operator's keys to commands."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import App
from textual.binding import BindingType
from textual.driver import Driver
from textual.events import Event, Key, Paste
from textual.screen import Screen
from textual.theme import Theme

from console.domain.attached import Attached, Attachments, NoAttachments
from console.domain.board.boards import Boards, NoBoards
from console.domain.errors import UsageError
from console.domain.fleet.board import FleetBoard, NoFleet
from console.domain.operator.command import Operator
from console.domain.seen.browsing import Browser, NoBrowser
from console.domain.seen.observation import Observation
from console.domain.seen.source import Source
from console.domain.text import clean
from console.screens.command.conduct import Conduct
from console.screens.frame.ui_settings import UiSettings
from console.screens.parts.arrangements import Arrangements, checked_columns
from console.screens.places.overview import OverviewScreen
from console.screens.shell.doing import Doing
from console.screens.shell.files import Files
from console.screens.shell.going import Going
from themes.builtin import THEMES, VARIABLES, initial_theme
from widgets.text.glyphs import set_ascii

if TYPE_CHECKING:
    from console.recording.recorder import Recorder
    from console.screens.parts.fleet_look import FleetLook


def utc_now() -> datetime:
    """The clock that ages are counted by."""
    return datetime.now(UTC)


class ConsoleApp(Going, Doing, Files, inherit_bindings=False):
    """The console.

    Args:
        source: where observations come from: live, recorded, replayed or demo.
        operator: what carries out commands.
        settings: how it looks and listens.
        clock: the time now, aware UTC.
        themes: the operator's own, beside the built-in ones.
        boards: what is read only while a screen shows it.
        browser: reads whole decision logs while a screen shows them.
        fleet: the agents of the store.
        attachments: how the console is attached to another agent or profile.

    Raises:
        UsageError: a setting can't be obeyed.
    """

    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self,
        source: Source,
        operator: Operator,
        settings: UiSettings | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
        themes: Sequence[Theme] = (),
        boards: Boards | None = None,
        browser: Browser | None = None,
        fleet: FleetBoard | None = None,
        attachments: Attachments | None = None,
    ) -> None:
        self.settings = settings or UiSettings()
        super().__init__()
        self.source = source
        self._hear(source)
        self.operator = operator
        self.boards: Boards = boards or NoBoards()
        self.browser: Browser = browser or NoBrowser()
        self.fleet: FleetBoard = fleet or NoFleet()
        self.boards.told = self.fleet.told = self._board_was_read
        self.attachments: Attachments = attachments or NoAttachments()
        self._fleet_look: FleetLook | None = None
        self.trail: tuple[str, ...] = ()
        self.changing = False
        self.clock = clock
        self.conduct = Conduct(self)
        self.observation: Observation | None = None
        self.history: list[str] = []
        self.recorder: Recorder | None = None
        self.painted: Callable[[], None] = lambda: None
        """Called when the first frame stands."""
        self.frames_shed = 0
        self._alerts: frozenset[str] | None = None
        self._moved_at: datetime | None = None
        """The open alerts that are known; None until the store has answered."""
        self._fresh = False
        self._drawn_at = 0.0
        self._watching: asyncio.Task[None] | None = None
        self.attached: Attached | None = None
        """What was attached since the start; None while that is what it was started with."""
        self.starting = False
        set_ascii(self.settings.ascii)
        self._themes = (*THEMES, *themes)
        for theme in self._themes:
            self.register_theme(theme)
        self._first_theme = initial_theme(self.settings.theme, os.environ)
        if self._first_theme not in self.theme_names:
            raise UsageError(
                f"There is no theme {clean(self._first_theme, 40)!r}.",
                f"The themes are: {', '.join(self.theme_names)}.",
            )
        self._begin_with(self._first_theme)
        self._choose_keys()
        self.arrangements = Arrangements(self.settings.columns)
        if self.settings.columns:
            from console.screens.places.lists import lists

            checked_columns(self.settings.columns, lists())

    def _begin_with(self, theme: str) -> None:
        """The first theme, before there is a style: a change later would read all of them again."""
        self.set_reactive(App.theme, theme)
        dark = self.current_theme.dark
        self.update_classes(
            {"-theme-textual-dark": False, f"-theme-{theme}": True, "-dark-mode": dark, "-light-mode": not dark},
            update=False,
        )
        self._refresh_truecolor_filter(self.ansi_theme)
        self.stylesheet.set_variables(self.get_css_variables())

    def _choose_keys(self) -> None:
        if self.settings.keys:
            from console.screens.frame.keys import checked_keymap

            self.set_keymap(checked_keymap(self.settings.keys, self.operator.catalogue))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our variables for themes that lack them, and two that Textual lacks in its colours for `ansi`."""
        return {**VARIABLES, "ansi-background": "transparent", "ansi-foreground": "transparent"}

    def get_driver_class(self) -> type[Driver]:
        """Our terminal driver, except where Textual is served or runs elsewhere than on a POSIX terminal."""
        if os.environ.get("TEXTUAL_DRIVER") or os.name != "posix":
            return super().get_driver_class()
        from console.screens.terminal.terminal import ConsoleDriver

        return ConsoleDriver

    def get_default_screen(self) -> Screen[Any]:
        """The overview is always there, below whatever is in front."""
        return OverviewScreen()

    # life

    def _fatal_error(self) -> None:
        from console.screens.frame.defect import ENDS, defect_lines

        self.bell()
        error = sys.exc_info()[1]
        self._exit_renderables.append(Text("\n".join(defect_lines(error) if error is not None else [ENDS])))
        self._close_messages_no_wait()

    def on_mount(self) -> None:
        """Begin to watch."""
        self._catch_signals()
        self._hold_first_frame()
        self._watch()
        self.set_interval(1 / self.settings.hz, self._tick)

    async def on_unmount(self) -> None:
        """Stop watching."""
        self.first_frame()
        await self._end_watch()
        if self.recorder is not None:
            await asyncio.to_thread(self.recorder.close)

    # keys

    async def on_event(self, event: Event) -> None:
        """While a line that is typed into is on its way, what is typed waits for it."""
        screen = self.console_screen if isinstance(event, Key | Paste) and not event.is_forwarded else None
        if screen is not None and screen.held is not None and isinstance(event, Key | Paste):
            screen.held.append(event)
            return
        await super().on_event(event)

    async def take(self, keys: Sequence[Key | Paste]) -> None:
        """Hand on what was typed, as if it came now."""
        for one in keys:
            again = Key(one.key, one.character) if isinstance(one, Key) else Paste(one.text)
            again.set_sender(self)
            await super().on_event(again)

    async def action_quit(self) -> None:
        """Leave; agents and store are not touched."""
        self.exit(return_code=0)
