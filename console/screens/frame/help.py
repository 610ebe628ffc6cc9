"""What the keys do: those of the panel with the keys first, then the screen's, then those of everywhere; read off the
bindings themselves, so that it can't be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from console.domain.operator.command import usage
from console.screens.frame.hinting import own_bindings
from widgets.text.line_widget import Span

if TYPE_CHECKING:
    from textual.binding import Binding

    from console.screens.frame.panels import PanelScreen

_KEY = 14


def help_lines(screen: PanelScreen, hinted: Sequence[str]) -> list[list[Span]]:
    """The lines of the help: the panel's own keys, then this screen's, then everybody's.

    Args:
        screen: in front.
        hinted: the ids of the keys that are this screen's own.
    """
    own = {name or "": binding for name, binding in own_bindings(screen.focused).items()}
    shared: dict[str, Binding] = {}
    for _key, binding in screen._bindings:
        if binding.id:
            shared.setdefault(binding.id, binding)
    taken = {name: shared[name] for name in hinted if name in shared}
    rest = {name: binding for name, binding in shared.items() if name not in taken}
    groups = (
        ("in this panel", own),
        ("on this screen", taken),
        ("everywhere: commands", {name: one for name, one in rest.items() if name.startswith("run.")}),
        ("everywhere: the view", {name: one for name, one in rest.items() if name.startswith(("view.", "app."))}),
        ("everywhere: screens", {name: one for name, one in rest.items() if name.startswith("screen.")}),
    )
    lines: list[list[Span]] = []
    for title, group in groups:
        if group:
            lines += [[(f" {title}", "strong")], *_rows(screen, group), []]
    lines.append([(" typed after :", "strong")])
    for info in screen.host.operator.catalogue:
        lines.append([(f"   {usage(info):<44.44}", "key"), (f" {info.summary}", "dim")])
    return lines


def _rows(screen: PanelScreen, group: Mapping[str, Binding]) -> list[list[Span]]:
    focused = list(screen.focused._bindings) if screen.focused is not None else []
    rows: list[list[Span]] = []
    for name, binding in group.items():
        keys = [screen.host.key_text(one) for _, one in (*screen._bindings, *focused) if (one.id or one.action) == name]
        text = " ".join(dict.fromkeys(keys))
        rows.append([(f"   {text:<{_KEY}}", "key"), (binding.tooltip or binding.description, "")])
    return rows
