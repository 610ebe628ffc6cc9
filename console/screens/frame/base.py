"""What every screen has: header, body, status line, key hints; and what the keys do that are the same everywhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingsMap
from textual.containers import Vertical

from console.domain.operator.command import CommandInfo, Risk
from console.domain.seen.browsing import Spot
from console.domain.seen.decision import Decision
from console.domain.seen.observation import LinkState, Observation
from console.screens.frame.hinting import hinted, of_rows, own_bindings
from console.screens.frame.keys import (
    VIEW_KEYS,
    bindings_map,
    command_binding_id,
    command_keys,
    key_text,
    screen_bindings,
)
from console.screens.frame.playing import PLAYING_HINTS, Playing
from console.screens.frame.typing_screen import TypingScreen
from console.screens.frame.upgrading import may_review, show_first, upgrade_word
from console.screens.parts.feeding import DecisionFeed
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
from widgets.text.plain import plain

if TYPE_CHECKING:
    from textual.binding import BindingType

REVIEW_KEY: Final = "run.upgrade_review"
FIRST_HINTS: Final = ("view.help", "app.quit")
"""Where the footer of every screen begins, at any width: how to learn the rest, and the way out."""


LINES: Final = frozenset({"view.filter", "view.command"})
"""Keys that open a line to type in."""


class ConsoleScreen(Playing, TypingScreen):
    """A screen of the console; subclasses compose the body and show observations in it."""

    DEFAULT_CSS = """
    ConsoleScreen { layout: vertical; background: $background; overflow: hidden; }
    ConsoleScreen HeaderBar { dock: none; }
    ConsoleScreen KeyBar { dock: none; }
    ConsoleScreen #body { height: 1fr; width: 1fr; }
    ConsoleScreen #bottom { height: auto; width: 1fr; }
    """
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

    def key_of(self, binding_id: str) -> str:
        """The key of a binding, as people write it; empty where there is none."""
        bound = next((binding for _key, binding in self._bindings if binding.id == binding_id), None)
        return self.host.key_text(bound) if bound is not None else ""

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
                for name in dict.fromkeys((*FIRST_HINTS, *self._hinted()))
                if name in known
            ]
        )

    def _hinted(self) -> list[str]:
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

    # keys

    async def on_key(self, event: events.Key) -> None:
        """Before any binding: what is typed while a question is on its way answers that.

        A command begins here and not by its binding, which is looked at one turn later: what was typed at once behind
        its key must find it begun.
        """
        if self.held is not None:
            event.stop()
            event.prevent_default()
            self.held.append(event)
        elif self.host.takes_for_no(event.key, event.character):
            event.stop()
            event.prevent_default()
        elif action := self._action_on(event, LINES):
            event.stop()
            event.prevent_default()
            await self.open_line(action)
        elif command := self._action_on(event, self._commands()):
            event.stop()
            event.prevent_default()
            await self.run_action(command)
        elif self.has_no_function(event):
            self.say(f"{key_text(event.key)} has no function here; {self.key_of('view.help')} lists the keys.", "info")

    def _commands(self) -> Collection[str]:
        return {command_binding_id(info.name) for info in self.host.operator.catalogue if info.key}

    def _action_on(self, event: events.Key, ids: Collection[str]) -> str:
        """The action of a key of these, where it is this screen that has it; empty for any other key."""
        if self.typing:
            return ""
        bindings = self.active_bindings
        found = next((bindings[key] for key in event.aliases if key in bindings), None)
        if found is None or found.node is not self or not found.enabled:
            return ""
        return found.binding.action if found.binding.id in ids else ""

    def has_no_function(self, event: events.Key) -> bool:
        """Whether nothing on this screen takes the key: then it says so, and nobody wonders whether it was heard."""
        return not (self.typing or set(event.aliases) & self.active_bindings.keys())

    def action_run_command(self, name: str) -> None:
        """A command's key was pressed: it begins, with what it takes from the row under the cursor."""
        info = self.host.info(name)
        if info is not None and not self.host.is_of_now(info):
            return
        if info is not None and info.while_halted and self.host.is_halted():
            info = self.host.info(info.while_halted)
        elif info is not None and info.while_upgrading:
            info = self.host.info(upgrade_word(self.shown).command or info.name)
        if info is None:
            return
        if info.asks_on_screen and not may_review(self.shown):
            show_first(self.host, self.shown)
            return
        args = info.at(self.row_at_cursor(info.row)) if info.row else {}
        if info.no_row and not args:
            self.say(self.no_row_text(info), "info")
        else:
            self.host.start(info.name, args)

    def run_at_cursor(self, kind: str) -> None:
        """As if the key had been pressed of the command that takes a row of this kind."""
        for info in self.host.operator.catalogue:
            if info.key and info.row == kind:
                self.action_run_command(info.name)

    def row_at_cursor(self, kind: str) -> str:
        """What a command takes from the row under the cursor; empty where there is none of its kind.

        Where the screen lists no alerts, the one in the banner is meant.
        """
        told = banner(self.shown) if kind == "alert" and self.shown is not None else None
        return str(told.alert.id) if told is not None else ""

    def no_row_text(self, info: CommandInfo) -> str:
        """What a key says that takes a row, where none is under the cursor."""
        return info.no_row

    def action_alert(self) -> None:
        """The alert in the banner, with its evidence."""
        told = banner(self.shown) if self.shown is not None else None
        if told is None:
            self.say("Nothing has tripped that nobody has seen. 8 lists every alert.", "info")
        else:
            self._open(told.alert)

    def on_banner_bar_pressed(self, event: BannerBar.Pressed) -> None:
        """A click on the banner: its evidence."""
        self.action_alert()

    def action_pause(self) -> None:
        """Stop the lists, or let them go on; in a replay, time."""
        if self.toggle_replay():
            return
        feeds = list(self.query(Feed))
        if not feeds:
            self.say("There is nothing to pause here.", "info")
            return
        paused = not feeds[0].paused
        for feed in feeds:
            feed.paused = paused
        self.say("Paused: decisions are still collected; p goes on." if paused else "Going on.", "info")
        if self.shown is not None:
            self.show(self.shown)

    def action_only_active(self) -> None:
        """Decisions of whoever plays for money, or of both sides."""
        feeds = list(self.query(DecisionFeed))
        if not feeds:
            self.say("There are no decisions here.", "info")
            return
        only = not feeds[0].only_active
        for feed in feeds:
            feed.only_active = only
        again = self.key_of("view.only_active")
        what = "Decisions of whoever plays for money" if only else "Decisions of both sides"
        self.say(f"{what}; {again} shows {'both sides' if only else 'only who plays for money'}.", "info")
        if self.shown is not None:
            self.show(self.shown)

    def action_look_again(self) -> None:
        """Read again, without waiting for the next turn."""
        self.host.source.refresh()
        self.say("Read again.", "info")

    def action_other_side(self) -> None:
        """Only the checklist is about one side."""
        self.say("This screen is not about one side; 7 is the checklist of one.", "info")

    def action_back(self) -> None:
        """Out of a zoom, a filter, a place in the list, this screen: one thing a press."""
        current = self.current_list
        if self.has_class("-zoomed"):
            self.remove_class("-zoomed")
        elif self.end_filter():
            return
        elif isinstance(current, Feed) and not current.following:
            current.follow()
        else:
            self.host.leave_screen()

    def action_prefix(self) -> None:
        """The prefix key: the next letter is a screen's."""
        from console.screens.frame.chords import chords
        from console.screens.parts.prefix import PrefixScreen

        async def go(name: str | None) -> None:
            if name:
                await self.host.go_to(name)

        self.app.push_screen(PrefixScreen("go to", [(c.key, c.title, c.screen) for c in chords()], self.size.width), go)

    def action_jump(self) -> None:
        """Letters on panels and rows."""
        from console.screens.frame.jump import JumpScreen, jump, spots

        if places := spots(self):
            self.app.push_screen(JumpScreen(places), lambda spot: jump(self, spot))
        else:
            self.say("There is nowhere to jump to here.", "info")

    async def action_go_to(self, name: str) -> None:
        """A digit was pressed."""
        await self.host.go_to(name)

    async def action_show_flags(self) -> None:
        """To the flags."""
        await self.host.go_to("flags")

    def action_next_theme(self) -> None:
        """The next theme."""
        self.host.next_theme()

    def action_export(self) -> None:
        """Write what is on screen to a file."""
        self.host.start_export("")

    def action_command_palette(self) -> None:
        """Search all commands."""
        self.host.action_command_palette()

    async def action_quit(self) -> None:
        """Leave."""
        await self.host.action_quit()

    def action_help(self) -> None:
        """What the keys do here."""
        from console.screens.frame.help import help_lines
        from console.screens.parts.dialogs import TextScreen

        panel = self.current_panel
        title = f"Keys · {panel.title}" if panel is not None else "Keys"
        self.host.push_screen(TextScreen(title, help_lines(self, self._hinted())))

    def action_copy(self) -> None:
        """The row under the cursor, as text, to the clipboard of the operator's terminal."""
        row = self.current_list.current if isinstance(self.current_list, Feed | Grid) else None
        if row is None:
            self.say("There is no row to copy.", "info")
            return
        text = plain("  ".join(cell for cell in row.cells if cell.strip()))
        self.host.copy(text)
        self.say(f"Copied: {text}", "ok")

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Everything about a decision."""
        self._open(event.row.detail)

    def on_grid_selected(self, event: Grid.Selected) -> None:
        """Everything about a row."""
        self._open(event.row.detail)

    def _open(self, detail: object) -> None:
        from console.screens.frame.round import RoundScreen
        from console.screens.parts.details import FRAME, detail_of
        from console.screens.parts.dialogs import TextScreen

        if isinstance(detail, Spot):
            self.host.push_screen(RoundScreen(detail.decision, detail.key))
            return
        if isinstance(detail, Decision):
            place = f"{detail.source}:{detail.offset}" if detail.source and self.host.browser.able else ""
            self.host.push_screen(RoundScreen(detail, place))
            return
        shown = detail_of(detail, self.shown, self.host.size.width - FRAME)
        if shown is not None:
            self.host.push_screen(TextScreen(*shown))
