"""What every screen has: header, body, status line, key hints; and what the keys do that are the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingsMap
from textual.containers import Vertical

from console.domain.operator.command import Risk
from console.domain.seen.observation import LinkState, Observation
from console.screens.frame.hinting import hinted, of_rows, own_bindings
from console.screens.frame.keys import (
    VIEW_KEYS,
    bindings_map,
    command_binding_id,
    command_keys,
    screen_bindings,
)
from console.screens.frame.playing import PLAYING_HINTS
from console.screens.frame.upgrading import upgrade_word
from console.screens.frame.view_actions import ViewActions
from console.screens.parts.looked_back import looked_back, not_drawn
from console.screens.parts.shapes import header_data
from console.views.fence.link import header_view
from console.views.guard.alerts import banner
from console.views.guard.guards import guard_word
from console.views.tone import GLYPHS
from widgets.frame.banner import BannerBar, BannerData
from widgets.frame.footer import KeyBar, KeyHint
from widgets.frame.header import Chip, HeaderBar
from widgets.frame.status_line import StatusLine
from widgets.lists.feed import Feed
from widgets.lists.grid import Grid
from widgets.text.glyphs import glyphs

if TYPE_CHECKING:
    from textual.binding import BindingType

REVIEW_KEY: Final = "run.upgrade_review"
FIRST_HINTS: Final = ("view.help", "app.quit")
"""Where the footer of every screen begins, at any width: how to learn the rest, and the way out."""


class ConsoleScreen(ViewActions):
    """A screen of the console; subclasses compose the body and show observations in it."""

    DEFAULT_CSS = """
    ConsoleScreen { layout: vertical; background: $background; overflow: hidden; }
    ConsoleScreen HeaderBar { dock: none; }
    ConsoleScreen KeyBar { dock: none; }
    ConsoleScreen #body { height: 1fr; width: 1fr; }
    ConsoleScreen #bottom { height: auto; width: 1fr; }
    ConsoleScreen #bottom CommandLine { dock: none; display: none; }
    ConsoleScreen #bottom FilterLine { display: none; }
    ConsoleScreen #bottom.-typing StatusLine { display: none; }
    ConsoleScreen #bottom.-typing.-command CommandLine { display: block; }
    ConsoleScreen #bottom.-typing.-filter FilterLine { display: block; }
    """  # the lines' too: of several bases Textual reads the first one's styles alone
    BINDINGS: ClassVar[list[BindingType]] = list(VIEW_KEYS)
    AUTO_FOCUS = ""
    HINTS: ClassVar[Sequence[str]] = ()
    """Ids of bindings shown in the footer after `FIRST_HINTS`, most important first."""

    def __init__(self) -> None:
        super().__init__()
        self._bar = HeaderBar()
        self._banner = BannerBar()
        self._banner.display = False
        self._status = StatusLine()
        self._hints = KeyBar()
        self._word = upgrade_word(None)
        """The verb that comes next for the upgrade that goes on, as the footer says it."""
        self._bind_commands()

    def _bind_commands(self) -> None:
        """The catalogue's keys and the digits, which no class knows."""
        own = bindings_map((*command_keys(self.host.operator.catalogue), *screen_bindings(), *self.playing_keys))
        self._bindings = BindingsMap.merge([self._bindings, own])

    def compose(self) -> ComposeResult:
        yield self._bar
        yield self._banner
        yield from self.compose_body()
        with Vertical(id="bottom"):
            yield self._status
            yield self._hints

    def compose_body(self) -> ComposeResult:
        """A container `#body` with the panels between header and footer."""
        return iter(())

    def on_mount(self) -> None:
        """Draw what is known already."""
        self.show_hints()
        self.focus_first()
        self._show_latest()

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """It is in front again: draw what came meanwhile."""
        if self.host.starting:
            event.refresh_styles = False  # its widgets got theirs just now
        self._show_latest()

    def _compositor_refresh(self) -> None:
        """Nothing is rendered that is held back: the first frame renders all of it."""
        if not self.host.starting:
            super()._compositor_refresh()

    def show_again(self) -> None:
        """Draw what is shown, otherwise: a key changed how."""
        if self.shown is not None:
            self.show_body(self.shown)

    def _show_latest(self) -> None:
        if self.host.observation is not None and self.is_mounted:
            self.show(self.host.observation)

    # showing

    def show(self, observation: Observation) -> None:
        """Show an observation: only what differs is repainted. What a recording claims may be what can't be drawn."""
        try:
            self._show_all(observation)
        except Exception as error:
            if observation.looking is None:
                raise
            self._show_all(not_drawn(observation, error))

    def _show_all(self, observation: Observation) -> None:
        self.shown = observation
        self._word = upgrade_word(observation)
        self._hints.protected = observation.protected or self.host.settings.protected
        self._show_header(observation)
        self._show_banner(observation)
        self.show_body(observation)
        self.age_panels(observation)
        self.show_hints()
        if observation.link.state is not LinkState.CONNECTING:
            self.host.first_frame()  # a store that is about to answer is waited for, a moment

    def _show_header(self, observation: Observation) -> None:
        data = header_data(header_view(observation), guard_word(observation), self.chips())
        if self.host.trail:
            data = data._replace(agent=" › ".join((*self.host.trail, data.agent)))
        self._bar.show(looked_back(data, observation))

    def _show_banner(self, observation: Observation) -> None:
        """What tripped stands below the header of every screen until somebody has said that they saw it."""
        told = banner(observation)
        self._banner.display = told is not None
        if told is not None:
            keys = f"{self.key_of('view.alert')} evidence  {self.key_of('run.guard_ack')} seen"
            self._banner.show(BannerData(f"{GLYPHS[told.tone]} {told.text}", told.more, keys, told.tone.value))

    def chips(self) -> tuple[Chip, ...]:
        """States of the view that the header has to tell."""
        paused = [feed for feed in self.query(Feed) if feed.paused]
        record = (Chip(f"{glyphs().recording} REC", "bad", keep=8),) if self.host.recorder is not None else ()
        return (*record, Chip(f"PAUSED +{sum(feed.waiting for feed in paused)}", "warn")) if paused else record

    def say(self, text: str, tone: str = "", fade_s: float = 8.0) -> None:
        """What the last key did."""
        self._status.show(text, tone, fade_s)

    @property
    def status_text(self) -> str:
        """What the status line says."""
        return self._status.text

    def show_hints(self) -> None:
        """The keys that work here, in the footer; greyed where they would be refused."""
        known: dict[str | None, Binding] = own_bindings(self.focused)
        for _key, binding in self._bindings:
            known.setdefault(binding.id, binding)
        refused = self.shown is not None and self.shown.read_only
        instead = {"run.switch": f"upgrade: {self._word.what}"} if self._word.command else {}
        let_through = {*instead, REVIEW_KEY} | {
            command_binding_id(info.name)
            for info in self.host.operator.catalogue
            if self.shown is not None and self.shown.locked and info.risk is Risk.REDUCES
        }
        self._hints.show(
            [
                KeyHint(
                    self.host.key_text(known[name]),
                    instead.get(name, known[name].description.lower()),
                    "dim" if refused and name.startswith("run.") and name not in let_through else "",
                    keep=name in FIRST_HINTS,
                )
                for name in dict.fromkeys((*FIRST_HINTS, *self.hinted_keys()))
                if name in known
            ]
        )

    def hinted_keys(self) -> list[str]:
        """The keys of the panel with the keys, then the screen's."""
        rows = of_rows(self.host.operator.catalogue, self.row_at_cursor)
        return hinted(self.focused, rows, self._hints_now())

    def _hints_now(self) -> Sequence[str]:
        """This screen's hints; after a switch its first decisions come right behind the first of them."""
        if self.replay is not None:
            return (*PLAYING_HINTS, *(name for name in self.HINTS if not name.startswith("run.")))
        if not self._word.lately or REVIEW_KEY not in self.HINTS:
            return self.HINTS
        return (self.HINTS[0], REVIEW_KEY, *self.HINTS[1:])

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Another panel has the keys: the footer names its own."""
        self.show_hints()

    def on_grid_highlighted(self, event: Grid.Highlighted) -> None:
        """Another row is under the cursor, which other keys may take."""
        self.show_hints()

    def on_key_bar_pressed(self, event: KeyBar.Pressed) -> None:
        """A hint was clicked: as if the key had been pressed."""
        self.host.press(event.key)

    def on_feed_counted(self, event: Feed.Counted) -> None:
        """What waits behind a pause stands in the header."""
        super().on_feed_counted(event)
        event.stop()
        if event.feed.paused and self.shown is not None:
            self._show_header(self.shown)

    @property
    def scope(self) -> tuple[str, ...] | None:
        """The agents that a command is said to, where this screen is of several; None where it is of one."""
        return None
