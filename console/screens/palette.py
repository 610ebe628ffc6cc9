"""What `ctrl+p` offers: every command of the catalogue, every screen, every theme."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from console.screens.grammar import usage
from console.screens.registry import SCREENS

if TYPE_CHECKING:
    from console.app import ConsoleApp


def entries(app: ConsoleApp) -> Iterator[SystemCommand]:
    """The palette's lines."""
    for info in app.operator.catalogue:
        key = f"  ({info.key})" if info.key else ""
        needs_typing = any(param.required and not param.choices and not param.suggests for param in info.params)
        action = partial(_type, app, info.name) if needs_typing else partial(app.start, info.name)
        yield SystemCommand(f"{info.title}{key}", f"{info.summary}  :{usage(info)}", action)
    if app.observation is not None and app.observation.locked:
        yield SystemCommand("Unlock", "Let commands through; takes the profile's name.  :unlock", partial(_unlock, app))
    for screen in SCREENS:
        yield SystemCommand(
            f"Screen {screen.title}  ({screen.digit})", "Bring it to the front.", partial(app.go_to, screen.name)
        )
    for theme in app.theme_names:
        yield SystemCommand(f"Theme {theme}", "Change the colours.", partial(setattr, app, "theme", theme))
    yield SystemCommand("Quit  (q)", "Leave the console; agents and store are not touched.", app.action_quit)


def _unlock(app: ConsoleApp) -> None:
    app.submit("unlock")


def _type(app: ConsoleApp, name: str) -> None:
    if app.console_screen is not None:
        app.call_later(app.console_screen.action_command_line, f"{name} ")
