"""What the keys do, for the panel with the focus: read off the bindings themselves, so that it can't be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.domain.operator.command import usage
from console.screens.frame.panels import PanelScreen
from widgets.text.line_widget import Span

if TYPE_CHECKING:
    from textual.binding import Binding

_KEY = 14


def help_lines(screen: PanelScreen) -> list[list[Span]]:
    """The lines of the help: the panel's own keys, then commands, then the view's."""
    host = screen.host
    own: dict[str, Binding] = {}
    if screen.focused is not None:
        for _key, binding in screen.focused._bindings:
            own.setdefault(binding.id or binding.action, binding)
    shared: dict[str, Binding] = {}
    for _key, binding in screen._bindings:
        if binding.id:
            shared.setdefault(binding.id, binding)
    commands = {name: binding for name, binding in shared.items() if name.startswith("run.")}
    views = {name: binding for name, binding in shared.items() if name.startswith(("view.", "app."))}
    screens = {name: binding for name, binding in shared.items() if name.startswith("screen.")}
    lines: list[list[Span]] = []
    for title, group in (("here", own), ("commands", commands), ("view", views), ("screens", screens)):
        if group:
            lines += [[(f" {title}", "strong")], *_rows(screen, group), []]
    lines.append([(" typed after :", "strong")])
    for info in host.operator.catalogue:
        lines.append([(f"   {usage(info):<44.44}", "key"), (f" {info.summary}", "dim")])
    return lines


def _rows(screen: PanelScreen, group: dict[str, Binding]) -> list[list[Span]]:
    rows: list[list[Span]] = []
    for name, binding in group.items():
        keys = [
            screen.host.key_text(b) for _key, b in (*screen._bindings, *_focused(screen)) if (b.id or b.action) == name
        ]
        text = " ".join(dict.fromkeys(keys))
        rows.append([(f"   {text:<{_KEY}}", "key"), (binding.tooltip or binding.description, "")])
    return rows


def _focused(screen: PanelScreen) -> list[tuple[str, Binding]]:
    return list(screen.focused._bindings) if screen.focused is not None else []
