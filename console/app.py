"""The Textual app: wiring only. A source's observations go to the screen in front, the operator's keys to commands."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from rich.console import RenderableType
from rich.text import Text
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.events import Event, Key, Paste
from textual.screen import Screen
from textual.theme import Theme
from textual.worker import Worker, WorkerState

from console.domain.attached import Attached, Attachments, NoAttachments
from console.domain.board.boards import Boards, NoBoards
from console.domain.errors import UsageError
from console.domain.fleet.board import FleetBoard, NoFleet
from console.domain.guard.alerts import AlertKind
from console.domain.operator.command import CommandInfo, Operator, Risk
from console.domain.seen.browsing import Browser, NoBrowser
from console.domain.seen.observation import Observation
from console.domain.seen.playback import HasPresent, LooksBack
from console.domain.seen.source import Source
from console.domain.text import clean
from console.screens.command.conduct import Conduct
from console.screens.frame.base import ConsoleScreen
from console.screens.frame.host import Answer
from console.screens.frame.ui_settings import UiSettings
from console.screens.places.overview import OverviewScreen
from console.views.failover import failover_text, newest_failover
from themes.builtin import THEMES, VARIABLES, initial_theme
from widgets.lists.line_list import LineList
from widgets.text.glyphs import set_ascii

if TYPE_CHECKING:
    from console.recording.recorder import Recorder
    from console.screens.parts.dialogs import Dialog
    from console.screens.parts.fleet_look import FleetLook
    from widgets.typing.command_line import CommandLine

EXIT_HUNG_UP: Final = 129
EXIT_TERMINATED: Final = 143
TICK_S: Final = 1.3
"""After so long without anything to draw, ages are brought up to date. A source that is read says them once a second:
each comes with a frame of its own, and none is drawn twice."""

_EARLY_S: Final = 0.02
"""A source turns as often as frames are drawn; by so much a turn may come early without waiting for the next frame."""

_LAST_CHANCE_S: Final = 3.0
_RESTART_S: Final = 1.0
_FIRST_FRAME_S: Final = 0.4


def utc_now() -> datetime:
    """The clock that ages are counted by."""
    return datetime.now(UTC)


class ConsoleApp(App[int], inherit_bindings=False):
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

    def _hear(self, source: Source) -> None:
        """What a source that looks back has to say is said here."""
        if isinstance(source, LooksBack):
            source.told = self.say
        if isinstance(source, HasPresent):
            source.beside = self._tell_alerts

    def _choose_keys(self) -> None:
        if self.settings.keys:
            from console.screens.frame.keys import checked_keymap

            self.set_keymap(checked_keymap(self.settings.keys, self.operator.catalogue))

    @property
    def theme_names(self) -> list[str]:
        """Ours and the operator's own; Textual's know nothing of slots, gains and losses."""
        return [theme.name for theme in self._themes]

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

    def _catch_signals(self) -> None:
        if self.is_headless or threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self.hung_up)
        loop.add_signal_handler(signal.SIGTERM, self.terminated)

    def hung_up(self) -> None:
        """The terminal is gone: end, and see to it that nothing keeps the process alive."""
        timer = threading.Timer(_LAST_CHANCE_S, os._exit, (EXIT_HUNG_UP,))
        timer.daemon = True
        timer.start()
        self.exit(return_code=EXIT_HUNG_UP)

    def terminated(self) -> None:
        """Somebody asks the process to end: give the terminal back first."""
        self.exit(return_code=EXIT_TERMINATED, message="Terminated.")

    def _watch(self) -> None:
        self._watching = asyncio.get_running_loop().create_task(self.source.run(self.publish), name="source")
        self._watching.add_done_callback(self._watched)

    def _watched(self, task: asyncio.Task[None]) -> None:
        """The source ended, which it never should: say so, and begin again."""
        if task.cancelled() or not self.is_running or task is not self._watching:
            return
        error = task.exception()
        if error is not None:
            self.say(f"Reading stopped: {error}. It is started again.", "bad", fade_s=0)
        self.set_timer(_RESTART_S, self._watch)

    async def on_unmount(self) -> None:
        """Stop watching."""
        self.first_frame()
        await self._end_watch()
        if self.recorder is not None:
            await asyncio.to_thread(self.recorder.close)

    async def _end_watch(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

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

    # observations

    def publish(self, observation: Observation) -> None:
        """Take an observation; it is drawn at once, or with the next frame if the last one was just now."""
        self.observation = observation
        if self.recorder is not None and observation.looking is None:
            self.recorder.take(observation)
        self._fresh = True
        self._tell_alerts(observation)
        self._tell_failovers(observation)
        since_s = asyncio.get_running_loop().time() - self._drawn_at
        if since_s >= 1 / self.settings.hz - _EARLY_S:
            self._tick()

    def _board_was_read(self) -> None:
        """There is something new on the board that is looked at: it is drawn with the next frame."""
        self._fresh = True

    def _tell_alerts(self, observation: Observation) -> None:
        """A new alert rings once and is said; those that were there before the console are only in the banner."""
        if observation.store is None or observation.looking is not None:
            return  # what is over rings no bell
        there = {alert.id: alert for alert in observation.store.alerts if alert.open}
        new = [alert for identity, alert in there.items() if self._alerts is not None and identity not in self._alerts]
        self._alerts = frozenset(there)
        if not new:
            return
        if self.settings.bell:
            self.bell()
        last = new[-1]
        severity: Literal["warning", "error"] = "warning" if last.kind is AlertKind.WARNING else "error"
        self.notify(str(last.reason), title=last.kind.value.upper(), severity=severity, timeout=10, markup=False)

    def _tell_failovers(self, observation: Observation) -> None:
        """That the store's primary is another server is said once."""
        last = newest_failover(observation)
        if last is not None and last.at != self._moved_at:
            self._moved_at = last.at
            self.notify(failover_text(last), title="FAILOVER", severity="warning", timeout=10, markup=False)

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

    # screens

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

    async def go_to(self, name: str) -> None:
        """Bring a screen to the front; the overview stays below whatever is there. A dialog that came up is first."""
        from console.screens.places.registry import make_screen

        if self.screen is not self.console_screen:
            return
        screen = make_screen(name)
        if screen is not None and type(self.console_screen) is type(screen):
            return
        if len(self.screen_stack) > 1:
            await self.pop_screen()
        if screen is not None:
            await self.push_screen(screen)

    def leave_screen(self) -> None:
        """Back to the overview; from there to where one came from."""
        if self.screen is not self.console_screen:
            return
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.trail:
            self.call_later(self.go_to, self.trail[-1])

    @property
    def commands_running(self) -> frozenset[str]:
        """The commands being carried out, or asked about, now."""
        return self.conduct.running

    @property
    def fleet_look(self) -> FleetLook:
        """How the fleet is looked at, kept while one is inside an agent."""
        if self._fleet_look is None:
            from console.screens.parts.fleet_look import FleetLook
            from console.views.fleet.rows import USUAL

            self._fleet_look = FleetLook(self.settings.fleet or USUAL)
        return self._fleet_look

    def go_into(self, agent: str) -> None:
        """From the fleet into one of its agents."""
        from console.screens.command.changing import to_agent

        self.run_worker(to_agent(self, agent, from_fleet=True), group="changing", exit_on_error=False)

    async def attach(self, attached: Attached, trail: tuple[str, ...] = ()) -> None:
        """Show another agent, or another profile: nothing of what was shown before stays.

        Args:
            attached: what is attached from now on.
            trail: the screens that `esc` on the overview leads back to.
        """
        await self._end_watch()
        before, self.attached = self.attached, attached
        same_store = attached.fleet is self.fleet
        self.source, self.operator, self.boards = attached.source, attached.operator, attached.boards
        self.browser = attached.browser
        self._hear(self.source)
        self.fleet, self.trail = attached.fleet, trail
        self.boards.told = self.fleet.told = self._board_was_read
        if not same_store:  # a mark means an agent of one store
            self._fleet_look = None
        self.settings = replace(self.settings, profile=attached.profile, protected=attached.protected)
        self.conduct, self.observation, self._alerts = Conduct(self), None, None
        if before is not None:
            await before.aclose()
        left = list(self.screen_stack)
        await self.push_screen(OverviewScreen())  # first: a key that comes meanwhile finds a screen
        self._watch()
        await asyncio.shield(self._remove(left))  # leaving the console meanwhile must not tear it

    async def _remove(self, screens: Sequence[Screen[Any]]) -> None:
        for screen in screens:
            self._screen_stack.remove(screen)
            await self._replace_screen(screen)

    # commands

    def start(self, name: str, args: dict[str, str] | None = None, reason: str = "", *, typed: bool = False) -> None:
        """Carry a command out in the background; its progress is told in the status line.

        On a screen of several agents it is said to those in scope.
        """
        if (info := self.info(name)) is not None and not self.is_of_now(info):
            return
        if self.changing:
            self.say("The console is on its way to another agent; nothing was started.", "warn")
            return
        scope = self.console_screen.scope if self.console_screen is not None else None
        self.run_worker(
            self.conduct.run(name, args, reason, typed=typed, scope=scope), group="commands", exit_on_error=False
        )

    def is_of_now(self, info: CommandInfo) -> bool:
        """Whether a command may begin: while a moment that is over is shown, only what reduces risk does, now and on
        what is so now, and what changes nothing."""
        source = self.source
        if not isinstance(source, HasPresent) or not source.looks_back or info.reads:
            return True
        if info.risk is not Risk.REDUCES:
            self.say(
                f"This is a moment that is over: nothing can be changed in it. :live returns, then {info.name}.", "warn"
            )
            return False
        source.to_live()
        self.say(f"Back in the present: {info.name} is about now.", "warn")
        return True

    def reduces_risk(self, key: str) -> str:
        """The command on this key, where it reduces risk; empty for any other key."""
        from console.screens.frame.keys import keys_of

        for info in self.operator.catalogue:
            if info.risk is Risk.REDUCES and key in keys_of(info, self.settings.keys):
                return info.name
        return ""

    def begin_key(self, name: str) -> None:
        """As if a command's key had been pressed on the screen in front."""
        if (screen := self.console_screen) is not None:
            screen.action_run_command(name)

    def takes_for_no(self, key: str, character: str | None) -> bool:
        """Whether a key answers a question that has been asked for and has not come up yet, with no: a letter of a word
        that is typed into the wrong window, or escape."""
        if not self.conduct.preparing or key in ("y", "n"):
            return False
        letter = character is not None and len(character) == 1 and character.isalpha()
        if not (key == "escape" or letter) or self.reduces_risk(key):
            return False
        self.conduct.withdraw()
        return True

    def info(self, name: str) -> CommandInfo | None:
        """A command's declaration, if the operator has it."""
        return next((info for info in self.operator.catalogue if info.name == name), None)

    def is_halted(self) -> bool:
        """Whether the last reading says that nobody acts until an operator resumes."""
        return self.conduct.is_halted()

    async def ask(self, dialog: Dialog[Answer]) -> Answer:
        """Ask one question after the other."""
        return await self.conduct.ask(dialog)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A command ended in a way that nobody foresaw: tell it instead of leaving."""
        if event.state is WorkerState.ERROR and event.worker.group in ("commands", "changing"):
            self.say(
                f"The command failed: {event.worker.error!r}. Whether it took effect is not known.", "bad", fade_s=0
            )

    def submit(self, line: str) -> None:
        """A line typed after `:`."""
        from console.screens.command.typed_line import submit

        if line.strip():
            self.history.append(line)
            submit(self, line)

    def complete(self, target: CommandLine, line: str) -> None:
        """Offer what could follow in a line being typed."""
        from console.screens.command.typed_line import complete

        self.run_worker(complete(self, target, line), group="completion", exclusive=True, exit_on_error=False)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers: the catalogue, the screens and the themes."""
        from console.screens.command.palette import entries

        return entries(self)

    def action_command_palette(self) -> None:
        """Search all commands."""
        from console.screens.command.palette import Palette

        if not any(isinstance(screen, Palette) for screen in self.screen_stack):
            self.push_screen(Palette(id="--command-palette"))

    def type_command(self, line: str) -> None:
        """Open the `:` line with something typed already."""
        if self.console_screen is not None:
            self.call_later(self.console_screen.action_command_line, line)

    def show_help(self) -> None:
        """What the keys do on the screen in front."""
        if self.console_screen is not None:
            self.call_later(self.console_screen.run_action, "help")

    def use_theme(self, name: str) -> None:
        """Change the colours."""
        self.theme = name

    def next_theme(self) -> None:
        """The next theme."""
        names = self.theme_names
        self.use_theme(names[(names.index(self.theme) + 1) % len(names)])
        self.say(f"Theme: {self.theme}", "info")

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

        try:
            saved, many = await asyncio.to_thread(save_table, file, rows.titles, rows.cells_kept())
        except FileExistsError:
            self.say(f"{file} is there already, and is not written over.", "warn")
        except OSError as error:
            self.say(f"{file} can't be written: {error.strerror or error}.", "bad")
        else:
            self.say(f"Written: {saved}, {many:,} rows", "ok")

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """What is on screen as SVG, in which no host is named."""
        from console.screens.terminal.saving import without_hosts

        return without_hosts(super().export_screenshot(title=title, simplify=simplify))

    async def _export(self, path: str) -> None:
        from console.screens.terminal.saving import save_picture

        try:
            saved = await asyncio.to_thread(save_picture, path, self.export_screenshot(title="agent-console"))
        except FileExistsError:
            self.say(f"{path} is there already, and is not written over. :export FILE names another.", "warn")
        except OSError as error:
            self.say(f"{path} can't be written: {error.strerror or error}.", "bad")
        else:
            self.say(f"Written: {saved}", "ok")

    async def action_quit(self) -> None:
        """Leave; agents and store are not touched."""
        self.exit(return_code=0)
