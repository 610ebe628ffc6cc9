"""Commands: by key, typed, or from the palette; which may begin, and what answers a question that is on its way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from console.domain.operator.command import CommandInfo, Risk
from console.domain.seen.playback import HasPresent
from console.screens.frame.host import Answer
from console.screens.shell.shell import Shell

if TYPE_CHECKING:
    from console.screens.parts.dialogs import Dialog
    from widgets.typing.command_line import CommandLine


class Doing(Shell):
    """Starts what the operator says."""

    @property
    def commands_running(self) -> frozenset[str]:
        """The commands being carried out, or asked about, now."""
        return self.conduct.running

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
            submit(self.as_host, line)

    def complete(self, target: CommandLine, line: str) -> None:
        """Offer what could follow in a line being typed."""
        from console.screens.command.typed_line import complete

        self.run_worker(complete(self.as_host, target, line), group="completion", exclusive=True, exit_on_error=False)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers: the catalogue, the screens and the themes."""
        from console.screens.command.palette import entries

        return entries(self.as_host)

    def action_command_palette(self) -> None:
        """Search all commands."""
        from console.screens.command.palette import Palette

        if not any(isinstance(screen, Palette) for screen in self.screen_stack):
            self.push_screen(Palette())  # without an id: the last one may still be on its way out

    def type_command(self, line: str) -> None:
        """Open the `:` line with something typed already."""
        if self.console_screen is not None:
            self.call_later(self.console_screen.action_command_line, line)

    def show_help(self) -> None:
        """What the keys do on the screen in front."""
        if self.console_screen is not None:
            self.call_later(self.console_screen.run_action, "help")

    def sort_list(self, words: Sequence[str]) -> None:
        """Sort the list with the keys."""
        if self.console_screen is not None:
            self.console_screen.sort_by(words)

    def choose_columns(self) -> None:
        """Choose the columns of the list with the keys."""
        if self.console_screen is not None:
            self.console_screen.choose_columns()
