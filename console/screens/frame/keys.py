"""Every key of the console that is not a widget's own: declared once, with a stable id, movable by configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Final

from textual.binding import Binding, BindingsMap
from textual.keys import format_key

from console.domain.errors import UsageError
from console.domain.operator.command import CommandInfo
from console.domain.text import clean
from console.screens.frame.looking_back import LOOKING_KEYS
from console.screens.frame.names import SCREENS
from console.screens.frame.playing import PLAYING_KEYS
from widgets.text.plain import plain


def _key(keys: str, action: str, label: str, id: str, tooltip: str) -> Binding:
    return Binding(keys, action, label, id=id, tooltip=tooltip, show=False)


VIEW_KEYS: Final[tuple[Binding, ...]] = (
    _key("exclamation_mark", "alert", "Alert", "view.alert", "The alert in the banner, with its evidence"),
    _key("f", "show_flags", "Flags", "view.flags", "Go to the flags"),
    _key("slash", "filter", "Filter", "view.filter", "Show only rows that match: text, re:pattern, !not"),
    _key("p", "pause", "Pause", "view.pause", "Stop the list; what comes meanwhile is collected and counted"),
    _key(
        "o", "only_active", "Both sides", "view.only_active", "Decisions of whoever plays for money, or of both sides"
    ),
    _key("r", "look_again", "Read again", "view.look_again", "Read again now; on a board the venue and health too"),
    _key("b", "other_side", "Other side", "view.other_side", "The checklist of the other side"),
    *LOOKING_KEYS,
    _key("comma", "prefix", "Go to", "view.go", "Go to a screen by its letter; after a moment they are listed"),
    _key("J", "jump", "Jump", "view.jump", "Put a letter on every panel and row; pressing it goes there"),
    _key("z", "zoom", "Zoom", "view.zoom", "Give the whole screen to the panel with the focus, and back"),
    _key("y", "copy", "Copy", "view.copy", "Copy the row under the cursor to your clipboard (OSC 52)"),
    _key("t", "next_theme", "Theme", "view.theme", "The next theme"),
    _key("e", "export", "Export", "view.export", "Write what is on screen to an SVG file"),
    _key("colon", "command_line", "Command", "view.command", "Type a command; tab completes, up and down recall"),
    _key("ctrl+p", "command_palette", "Palette", "view.palette", "Search all commands"),
    _key("question_mark", "help", "Help", "view.help", "What the keys do here"),
    _key("escape", "back", "Back", "view.back", "Back: out of a filter, a zoom, a screen"),
    _key("tab", "next_panel(1)", "Next", "view.next_panel", "To the next panel"),
    _key("shift+tab", "next_panel(-1)", "Previous panel", "view.previous_panel", "To the previous panel"),
    _key("ctrl+l", "app.redraw", "Redraw", "app.redraw", "Draw everything anew, if something wrote over the screen"),
    _key("q,ctrl+c", "quit", "Quit", "app.quit", "Leave the console; agents and store are not touched"),
)
"""What a screen does by itself; no command of these reaches the store."""

FORBIDDEN: Final = frozenset({"ctrl+a", "ctrl+b", "ctrl+s", "ctrl+z", "ctrl+q", "ctrl+enter"})
"""Keys that terminals and multiplexers take for themselves."""


def command_binding_id(name: str) -> str:
    """The stable id of a command's key: `run.flag_toggle`."""
    return f"run.{name.replace(' ', '_')}"


def keys_of(info: CommandInfo, keymap: Mapping[str, str]) -> list[str]:
    """The keys of a command, overrides obeyed; none where it has none."""
    return _normalised(keymap.get(command_binding_id(info.name), info.key))


def command_keys(catalogue: Iterable[CommandInfo]) -> tuple[Binding, ...]:
    """The keys that the catalogue declares."""
    return tuple(
        _key(
            info.key,
            f"run_command({info.name!r})",
            info.short or info.title,
            command_binding_id(info.name),
            info.summary,
        )
        for info in catalogue
        if info.key
    )


def screen_bindings() -> tuple[Binding, ...]:
    """The digits."""
    return tuple(
        _key(info.digit, f"go_to({info.name!r})", info.title, f"screen.{info.name}", f"The screen “{info.title}”")
        for info in SCREENS
    )


def bindings_map(bindings: Iterable[Binding]) -> BindingsMap:
    """Bindings in the form in which Textual looks them up."""
    return BindingsMap(list(bindings))


def check_keymap(
    keymap: Mapping[str, str], global_keys: Sequence[Binding], widget_keys: Mapping[str, Sequence[Binding]]
) -> dict[str, str]:
    """The overrides, if every one can be obeyed.

    Args:
        keymap: binding id → keys, parted by commas.
        global_keys: active on every screen.
        widget_keys: by kind of widget: active while one of it has the focus.

    Raises:
        UsageError: an id is unknown, a key is one that terminals take, or two bindings would be on one key.
            Everything that is wrong is said in one message.
    """
    everything = [*global_keys, *(binding for bindings in widget_keys.values() for binding in bindings)]
    known = {binding.id for binding in everything if binding.id}
    problems = [f"there is no binding {clean(name, 40)!r}" for name in keymap if name not in known]
    for name, keys in keymap.items():
        taken = sorted(set(_split(keys)) & FORBIDDEN)
        problems += [f"{name}: {key} never reaches the console, terminals take it" for key in taken]
        if not any(_split(keys)):
            problems.append(f"{name}: no key is given")
    for own in ((), *widget_keys.values()):
        before = _clashes([*global_keys, *own], {})
        after = _clashes([*global_keys, *own], keymap)
        problems += sorted(f"{first} and {second} would both be on {key}" for key, first, second in after - before)
    if problems:
        raise UsageError(
            f"[ui.keys]: {'; '.join(dict.fromkeys(problems))}.", f"The ids are: {', '.join(sorted(known))}."
        )
    return dict(keymap)


def _split(keys: str) -> list[str]:
    return [key.strip() for key in keys.split(",") if key.strip()]


def _clashes(bindings: Sequence[Binding], keymap: Mapping[str, str]) -> set[tuple[str, str, str]]:
    placed = [
        (key, binding.id or binding.action)
        for binding in bindings
        for key in _normalised(keymap.get(binding.id or "", binding.key))
    ]
    return {
        (key, *sorted((first, second)))  # type: ignore[misc]
        for (key, first), (other, second) in combinations(placed, 2)
        if key == other and first != second
    }


def _normalised(keys: str) -> list[str]:
    pieces = ",".join(_split(keys))
    return [binding.key for binding in Binding.make_bindings([Binding(pieces, "none")])] if pieces else []


def global_bindings(catalogue: Sequence[CommandInfo]) -> tuple[Binding, ...]:
    """Every key that works on every screen."""
    return (*VIEW_KEYS, *PLAYING_KEYS, *command_keys(catalogue), *screen_bindings())


def widget_bindings() -> dict[str, list[Binding]]:
    """The keys of the lists, which share the keyboard with the global ones."""
    from console.screens.parts.fleet_look import FleetGrid
    from console.screens.parts.paging import PageList
    from widgets.lists.arranging import ARRANGE_KEYS
    from widgets.lists.feed import Feed
    from widgets.lists.grid import Grid
    from widgets.lists.line_list import LineList

    def own(*kinds: type) -> list[Binding]:
        return [b for kind in kinds for b in vars(kind).get("BINDINGS", []) if isinstance(b, Binding)]

    return {
        "feed": own(LineList, Feed),
        "grid": own(LineList, Grid),
        "pages": own(LineList, Grid, PageList),
        "fleet": [*own(LineList, Grid, FleetGrid), *ARRANGE_KEYS],
        "arranged": [*own(LineList, Grid, Feed, PageList), *ARRANGE_KEYS],
    }


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
    "comma": ",",
    "slash": "/",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "ctrl+p": "ctrl+p",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "less_than_sign": "<",
    "greater_than_sign": ">",
}


def key_text(keys: str) -> str:
    """Keys as people write them; the first of several; what is no text, and can't be drawn, as `�`."""
    first = plain(keys.split(",")[0].strip())
    return _NAMES.get(first) or (first if "+" in first or len(first) > 1 else format_key(first))


def key_name(text: str) -> str:
    """The key that `key_text` stands for."""
    return next((name for name, written in _NAMES.items() if written == text), text)
