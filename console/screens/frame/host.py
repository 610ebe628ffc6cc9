"""What a screen may ask of the app around it: the one list, so that no part calls just anything on the app."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from textual import events
    from textual.binding import Binding
    from textual.geometry import Size
    from textual.screen import Screen
    from textual.worker import Worker

    from console.domain.attached import Attached, Attachments
    from console.domain.board.boards import Boards
    from console.domain.fleet.board import FleetBoard
    from console.domain.operator.command import CommandInfo, Operator
    from console.domain.seen.browsing import Browser
    from console.domain.seen.observation import Observation
    from console.domain.seen.source import Source
    from console.recording.recorder import Recorder
    from console.screens.frame.ui_settings import UiSettings
    from console.screens.parts.arrangements import Arrangements
    from console.screens.parts.dialogs import Dialog
    from console.screens.parts.fleet_look import FleetLook
    from widgets.typing.command_line import CommandLine

Answer = TypeVar("Answer")


class Host(Protocol):
    """The app, as its screens and what stands behind their keys know it.

    Args:
        source: where observations come from.
        operator: what carries out commands.
        boards: what is read only while a screen shows it.
        browser: reads whole decision logs while a screen shows them.
        fleet: the agents of the store.
        attachments: how the console is attached to another agent or profile.
        trail: the screens that `esc` on the overview leads back to.
        changing: whether the console is on its way to another agent.
        settings: how the console looks and listens.
        observation: the newest; None until there is one.
        history: the lines typed after `:`, oldest first.
        recorder: what keeps what is seen; None while nothing is recorded.
        arrangements: how each list is wanted.
    """

    source: Source
    operator: Operator
    boards: Boards
    browser: Browser
    fleet: FleetBoard
    attachments: Attachments
    trail: tuple[str, ...]
    changing: bool
    settings: UiSettings
    observation: Observation | None
    history: list[str]
    recorder: Recorder | None
    arrangements: Arrangements

    @property
    def size(self) -> Size:
        """Columns and rows of the terminal."""
        ...

    @property
    def status_text(self) -> str:
        """What stands in the status line."""
        ...

    @property
    def theme_names(self) -> list[str]:
        """The themes that can be chosen."""
        ...

    async def take(self, keys: Sequence[events.Key | events.Paste]) -> None:
        """Hand on what was typed, as if it came now."""
        ...

    def is_of_now(self, info: CommandInfo) -> bool:
        """Whether a command may begin; while a moment that is over is shown, most may not. It is said why."""
        ...

    def say(self, text: str, tone: str = "", *, fade_s: float = 8.0) -> None:
        """Put a line into the status line; it fades after `fade_s` seconds, never where that is 0."""
        ...

    @property
    def starting(self) -> bool:
        """Whether the first frame is still held back."""
        ...

    def first_frame(self) -> None:
        """There is something to say: the first frame may be painted."""
        ...

    def key_text(self, binding: Binding) -> str:
        """A binding's key as people write it, overrides obeyed."""
        ...

    def press(self, key: str) -> None:
        """As if a key had been pressed."""
        ...

    # commands

    def start(self, name: str, args: dict[str, str] | None = None, reason: str = "", *, typed: bool = False) -> None:
        """Carry a command out in the background."""
        ...

    def reduces_risk(self, key: str) -> str:
        """The command on this key, where it reduces risk; empty for any other key."""
        ...

    def begin_key(self, name: str) -> None:
        """As if a command's key had been pressed on the screen in front."""
        ...

    def takes_for_no(self, key: str, character: str | None) -> bool:
        """Whether a key answers a question that has not come up yet, with no."""
        ...

    def submit(self, line: str) -> None:
        """Do what a line typed after `:` says."""
        ...

    def complete(self, target: CommandLine, line: str) -> None:
        """Offer what could follow in a line being typed."""
        ...

    def type_command(self, line: str) -> None:
        """Open the `:` line with something typed already."""
        ...

    def info(self, name: str) -> CommandInfo | None:
        """A command's declaration, if the operator has it."""
        ...

    def is_halted(self) -> bool:
        """Whether the last reading says that nobody acts until an operator resumes."""
        ...

    async def ask(self, dialog: Dialog[Answer]) -> Answer:
        """Ask one question after the other."""
        ...

    # screens, and what is done to them

    async def go_to(self, name: str) -> None:
        """Bring a screen to the front."""
        ...

    def leave_screen(self) -> None:
        """Back to the overview."""
        ...

    @property
    def commands_running(self) -> frozenset[str]:
        """The commands being carried out, or asked about, now."""
        ...

    @property
    def fleet_look(self) -> FleetLook:
        """How the fleet is looked at."""
        ...

    def go_into(self, agent: str) -> None:
        """From the fleet into one of its agents."""
        ...

    async def attach(self, attached: Attached, trail: tuple[str, ...] = ()) -> None:
        """Show another agent, or another profile."""
        ...

    def show_help(self) -> None:
        """What the keys do on the screen in front."""
        ...

    def use_theme(self, name: str) -> None:
        """Change the colours."""
        ...

    def next_theme(self) -> None:
        """The next theme."""
        ...

    def copy(self, text: str) -> None:
        """Put text on the clipboard of the operator's own terminal."""
        ...

    def start_export(self, file: str) -> None:
        """Write what is on screen to an SVG file."""
        ...

    def start_csv(self, file: str) -> None:
        """Write the list with the keys to a CSV file."""
        ...

    def sort_list(self, words: Sequence[str]) -> None:
        """Sort the list with the keys: a column's name, and `reverse`."""
        ...

    def choose_columns(self) -> None:
        """Choose the columns of the list with the keys."""
        ...

    def action_command_palette(self) -> None:
        """Search all commands."""
        ...

    async def action_quit(self) -> None:
        """Leave; agents and store are not touched."""
        ...

    # what Textual's own app does

    def push_screen(self, screen: Screen[Any]) -> Any:
        """Put a dialog in front."""
        ...

    async def push_screen_wait(self, screen: Screen[Answer]) -> Answer:
        """Put a dialog in front, and wait for its answer."""
        ...

    def call_later(self, callback: Callable[..., Any], *args: Any) -> bool:
        """Call something once what is being done is done."""
        ...

    def run_worker(
        self, work: Coroutine[Any, Any, Any], *, group: str = ..., exit_on_error: bool = ..., exclusive: bool = ...
    ) -> Worker[Any]:
        """Run something in the background, ended with the app."""
        ...
