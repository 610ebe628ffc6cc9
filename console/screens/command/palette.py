"""What `ctrl+p` offers: every command of the catalogue, every screen, every theme."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.await_complete import AwaitComplete
from textual.command import CommandInput, CommandList, CommandPalette

from console.domain.operator.command import usage
from console.screens.command.typed_line import MOST
from console.screens.frame.keys import key_text
from console.screens.frame.names import SCREENS
from widgets.lists.arranging import ARRANGE_KEYS

if TYPE_CHECKING:
    from console.screens.frame.host import Host


ARRANGED = ("list.sort", "list.columns")


class Palette(CommandPalette):
    """Textual's palette in the console's own frame and colours; its keys are obeyed only once its list is laid out.

    What is around it is not dimmed, as with every question: drawing all of it anew takes long on a slow link.
    """

    DEFAULT_CSS = """
    Palette { background: transparent; }
    Palette > Vertical { margin: 2 0 1 0; width: 100; max-width: 100%; background: $surface; }
    Palette > Vertical:dark { background: $surface; }
    Palette #--input { height: 3; border: round $frame-focus; background: $surface; padding: 0 1; }
    Palette #--input.--list-visible { border-bottom: round $frame-focus; }
    Palette SearchIcon { display: none; }
    Palette CommandInput { border: none; height: 1; margin: 0; padding: 0; background: $surface; }
    Palette CommandInput:focus { border: none; }
    Palette CommandInput > .input--placeholder { color: $dim-text; }
    Palette CommandList { border: round $frame; background: $surface; color: $foreground; }
    Palette CommandList > .option-list--option-highlighted { background: $cursor-band; color: $foreground; }
    Palette > .command-palette--help-text { color: $dim-text; text-style: none; }
    """

    def on_mount(self) -> None:
        """A cursor that blinks is drawn twice a second for nothing."""
        self.query_one(CommandInput).cursor_blink = False

    over = False
    """Whether it has been left while something else stood in front of it."""

    def dismiss(self, result: object = None) -> AwaitComplete:
        """Go, as soon as it is in front: Textual takes away whatever is there, which after a second enter is another
        screen."""
        if self.app.screen is self:
            return super().dismiss(None)
        self.over = True
        return AwaitComplete()

    def on_screen_resume(self) -> None:
        """It is in front again: what was left is not come back to."""
        if self.over:
            self.dismiss()

    def _action_command_list(self, action: str) -> None:
        commands = self.query_one(CommandList)
        if (commands.highlighted or 0) in commands._index_to_line:
            super()._action_command_list(action)


def entries(host: Host) -> Iterator[SystemCommand]:
    """The palette's lines."""
    for info in host.operator.catalogue:
        key = f"  ({info.key})" if info.key else ""
        needs_typing = any(param.required and not param.choices and not param.suggests for param in info.params)
        action = (
            partial(host.type_command, f"{info.name} ") if needs_typing else partial(host.start, info.name, typed=True)
        )
        yield SystemCommand(f"{info.title}{key}", f"{info.summary}  :{usage(info)}", action)
    if host.observation is not None and host.observation.locked:
        yield SystemCommand(
            "Unlock", "Let commands through; takes the profile's name.  :unlock", partial(host.submit, "unlock")
        )
    yield SystemCommand(
        "Save the list as CSV", "Every row that its filter keeps.  :csv FILE", partial(host.type_command, "csv ")
    )
    sort, columns = (key_text(next(one.key for one in ARRANGE_KEYS if one.id == name)) for name in ARRANGED)
    yield SystemCommand(
        f"Sort the list  ({sort})",
        "By one of its columns.  :sort COLUMN [reverse]",
        partial(host.type_command, "sort "),
    )
    yield SystemCommand(
        f"Choose the columns  ({columns})", "Of the list with the keys.  :columns", partial(host.submit, "columns")
    )
    for screen in SCREENS:
        yield SystemCommand(
            f"Screen {screen.title}  ({screen.digit})", "Bring it to the front.", partial(host.go_to, screen.name)
        )
    for profile, store in host.attachments.profiles:
        yield SystemCommand(f"Profile {profile}", store, partial(host.submit, f"profile {profile}"))
    for agent in islice(host.attachments.agents, MOST):
        yield SystemCommand(f"Agent {agent}", "Attach to it.", partial(host.submit, f"agent {agent}"))
    for theme in host.theme_names:
        yield SystemCommand(f"Theme {theme}", "Change the colours.", partial(host.use_theme, theme))
    yield SystemCommand("Quit  (q)", "Leave the console; agents and store are not touched.", host.action_quit)
