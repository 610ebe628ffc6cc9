"""The app as everything in it knows it: what is in front, the status line, keys as people write them, themes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, cast

from textual.app import App
from textual.binding import Binding
from textual.events import Key
from textual.theme import Theme

from console.domain.operator.command import CommandInfo
from console.screens.frame.base import ConsoleScreen

if TYPE_CHECKING:
    from console.domain.attached import Attached, Attachments
    from console.domain.board.boards import Boards
    from console.domain.fleet.board import FleetBoard
    from console.domain.operator.command import Operator
    from console.domain.seen.browsing import Browser
    from console.domain.seen.observation import Observation
    from console.domain.seen.source import Source
    from console.recording.recorder import Recorder
    from console.screens.command.conduct import Conduct
    from console.screens.frame.host import Host
    from console.screens.frame.ui_settings import UiSettings
    from console.screens.parts.arrangements import Arrangements
    from console.screens.parts.fleet_look import FleetLook


class Shell(App[int], inherit_bindings=False):
    """What the app is made of: the parts that follow each add what they are named after."""

    settings: UiSettings
    source: Source
    operator: Operator
    boards: Boards
    browser: Browser
    fleet: FleetBoard
    attachments: Attachments
    attached: Attached | None
    arrangements: Arrangements
    conduct: Conduct
    observation: Observation | None
    history: list[str]
    recorder: Recorder | None
    trail: tuple[str, ...]
    changing: bool
    clock: Callable[[], datetime]
    frames_shed: int
    _themes: Sequence[Theme]
    _fleet_look: FleetLook | None
    _fresh: bool
    _drawn_at: float
    starting: bool
    painted: Callable[[], None]
    _alerts: frozenset[str] | None
    _moved_at: datetime | None
    _watching: asyncio.Task[None] | None

    @property
    def as_host(self) -> Host:
        """The same, with all that its parts add."""
        return cast("Host", self)

    @property
    def console_screen(self) -> ConsoleScreen | None:
        """The screen in front, dialogs aside."""
        return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, ConsoleScreen)), None)

    def say(self, text: str, tone: str = "", *, fade_s: float = 8.0) -> None:
        """What the last key did, in the status line."""
        if (screen := self.console_screen) is not None:
            screen.say(text, tone, fade_s)

    @property
    def status_text(self) -> str:
        """What stands in the status line."""
        return self.console_screen.status_text if self.console_screen is not None else ""

    def key_text(self, binding: Binding) -> str:
        """A binding's key as people write it, overrides obeyed."""
        from console.screens.frame.keys import key_text

        return key_text(self.settings.keys.get(binding.id or "") or binding.key)

    def press(self, key: str) -> None:
        """As if a key had been pressed (a hint in the footer was clicked)."""
        from console.screens.frame.keys import key_name

        event = Key(key_name(key), key if len(key) == 1 else None)
        event.set_sender(self)  # a key comes from the terminal, not from the hint: else it would not reach the bindings
        self.post_message(event)

    @property
    def theme_names(self) -> list[str]:
        """Ours and the operator's own; Textual's know nothing of slots, gains and losses."""
        return [theme.name for theme in self._themes]

    def use_theme(self, name: str) -> None:
        """Change the colours."""
        self.theme = name

    def next_theme(self) -> None:
        """The next theme."""
        names = self.theme_names
        self.use_theme(names[(names.index(self.theme) + 1) % len(names)])
        self.say(f"Theme: {self.theme}", "info")

    def info(self, name: str) -> CommandInfo | None:
        """A command's declaration, if the operator has it."""
        return next((info for info in self.operator.catalogue if info.name == name), None)
