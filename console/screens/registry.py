"""The screens that exist, and the keys that are known: one place to look them up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from textual.binding import Binding
from textual.keys import format_key

from console.domain.operator.command import CommandInfo
from console.screens.base import ConsoleScreen
from console.screens.keys import VIEW_KEYS, check_keymap, command_keys, screen_keys


@dataclass(frozen=True, slots=True)
class ScreenInfo:
    """A screen that exists.

    Args:
        digit: its key.
        name: in ids and in `:screen NAME`.
        title: as shown.
        make: builds it; None for the overview, which is always there.
    """

    digit: str
    name: str
    title: str
    make: Callable[[], ConsoleScreen] | None


def _decisions() -> ConsoleScreen:
    from console.screens.decisions import DecisionsScreen

    return DecisionsScreen()


def _shadow() -> ConsoleScreen:
    from console.screens.shadow import ShadowScreen

    return ShadowScreen()


def _canary() -> ConsoleScreen:
    from console.screens.canary import CanaryScreen

    return CanaryScreen()


def _experiments() -> ConsoleScreen:
    from console.screens.experiments import ExperimentsScreen

    return ExperimentsScreen()


def _flags() -> ConsoleScreen:
    from console.screens.flags import FlagsScreen

    return FlagsScreen()


def _state() -> ConsoleScreen:
    from console.screens.state import StateScreen

    return StateScreen()


def _audit() -> ConsoleScreen:
    from console.screens.audit import AuditScreen

    return AuditScreen()


SCREENS: Final = (
    ScreenInfo("1", "overview", "Overview", None),
    ScreenInfo("2", "decisions", "Decisions", _decisions),
    ScreenInfo("3", "shadow", "Shadow", _shadow),
    ScreenInfo("4", "canary", "Canary", _canary),
    ScreenInfo("5", "flags", "Flags", _flags),
    ScreenInfo("6", "state", "State", _state),
    ScreenInfo("8", "audit", "Audit", _audit),
    ScreenInfo("9", "experiments", "Experiments", _experiments),
)


def screen_bindings() -> tuple[Binding, ...]:
    """The digits."""
    return screen_keys([(info.digit, info.name, info.title) for info in SCREENS])


def make_screen(name: str) -> ConsoleScreen | None:
    """A new screen of that name; None for the overview, and for a name that is no screen's."""
    make = next((info.make for info in SCREENS if info.name == name), None)
    return make() if make is not None else None


def global_bindings(catalogue: Sequence[CommandInfo]) -> tuple[Binding, ...]:
    """Every key that works on every screen."""
    return (*VIEW_KEYS, *command_keys(catalogue), *screen_bindings())


def widget_bindings() -> dict[str, list[Binding]]:
    """The keys of the lists, which share the keyboard with the global ones."""
    from widgets.lists.feed import Feed
    from widgets.lists.grid import Grid
    from widgets.lists.line_list import LineList

    def own(*kinds: type) -> list[Binding]:
        return [b for kind in kinds for b in vars(kind).get("BINDINGS", []) if isinstance(b, Binding)]

    return {"feed": own(LineList, Feed), "grid": own(LineList, Grid)}


def checked_keymap(keymap: Mapping[str, str], catalogue: Sequence[CommandInfo]) -> dict[str, str]:
    """Overrides of keys, if all can be obeyed.

    Raises:
        UsageError: they can't; the text says why.
    """
    return check_keymap(keymap, global_bindings(catalogue), widget_bindings())


_NAMES: Final = {
    "question_mark": "?",
    "exclamation_mark": "!",
    "colon": ":",
    "slash": "/",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "ctrl+p": "ctrl+p",
}


def key_text(keys: str) -> str:
    """Keys as people write them; the first of several."""
    first = keys.split(",")[0].strip()
    return _NAMES.get(first) or (first if "+" in first or len(first) > 1 else format_key(first))


def key_name(text: str) -> str:
    """The key that `key_text` stands for."""
    return next((name for name, written in _NAMES.items() if written == text), text)
