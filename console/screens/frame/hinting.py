"""Which keys the footer names: those of the panel with the keys, as its bindings say; what does nothing there is left
out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from console.screens.frame.keys import command_binding_id
from widgets.lists.feed import Feed
from widgets.lists.grid import Grid
from widgets.lists.line_list import LineList

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.binding import Binding
    from textual.widget import Widget

    from console.domain.operator.command import CommandInfo

OPEN: Final = "list.open"
OF_A_LIST: Final = frozenset({"view.filter", "view.copy"})
"""What takes a list: keys that do nothing while none has the keys."""
OF_A_FEED: Final = frozenset({"view.pause", "view.only_active"})
"""What is about decisions as they come in."""
REDUCING: Final = ("run.rollback", "run.halt")
GOES_THERE: Final = {"run.flag_toggle": "view.flags"}
"""What only leads to the rows of a command, and is not named where they are."""


def own_bindings(focused: Widget | None) -> dict[str | None, Binding]:
    """The bindings of the widget with the keys, by id."""
    own: dict[str | None, Binding] = {}
    for _key, binding in focused._bindings if focused is not None else ():
        own.setdefault(binding.id or binding.action, binding)
    return own


def of_rows(catalogue: Iterable[CommandInfo], row_at_cursor: Callable[[str], str]) -> dict[str, bool]:
    """The commands whose key takes a row, each with whether the row under the cursor is one for it."""
    return {command_binding_id(info.name): bool(row_at_cursor(info.row)) for info in catalogue if info.key and info.row}


def hinted(focused: Widget | None, rows: Mapping[str, bool], hints: Sequence[str]) -> list[str]:
    """The ids of the keys to name, most important first: the row's own commands before those of the whole screen.

    Args:
        focused: what has the keys.
        rows: as `of_rows` gives it.
        hints: what the screen names, in its own order.
    """
    here = [name for name, takes in rows.items() if takes]
    leading = next((at for at, name in enumerate(hints) if not name.startswith("run.")), len(hints))
    kept = [name for name in hints if name in REDUCING]  # before anything of the view: it is reached for in a hurry
    detail = [OPEN] if isinstance(focused, Feed | Grid) and focused.current is not None else []
    left_out = {name for name, takes in rows.items() if not takes}
    left_out |= {GOES_THERE[name] for name in here if name in GOES_THERE}
    left_out |= set() if isinstance(focused, LineList) else OF_A_LIST
    left_out |= set() if isinstance(focused, Feed) else OF_A_FEED
    named = (*here, *hints[:leading], *kept, *detail, *hints[leading:])
    return [name for name in dict.fromkeys(named) if name not in left_out]
