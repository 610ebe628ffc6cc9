"""Keys of commands: which row they take, what is said where there is none, and what a key without a function says."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from textual import events

from console.domain.operator.command import CommandInfo
from console.screens.frame.keys import command_binding_id, key_text
from console.screens.frame.typing_screen import TypingScreen
from console.screens.frame.upgrading import may_review, show_first, upgrade_word
from console.views.guard.alerts import banner

LINES: Final = frozenset({"view.filter", "view.command"})
"""Keys that open a line to type in."""


class Commanding(TypingScreen):
    """A screen whose keys begin commands."""

    def key_of(self, binding_id: str) -> str:
        """The key of a binding, as people write it; empty where there is none."""
        bound = next((binding for _key, binding in self._bindings if binding.id == binding_id), None)
        return self.host.key_text(bound) if bound is not None else ""

    async def on_key(self, event: events.Key) -> None:
        """Before any binding: what is typed while a question is on its way answers that.

        A command begins here and not by its binding, which is looked at one turn later: what was typed at once behind
        its key must find it begun.
        """
        if self.held is not None:
            event.stop()
            event.prevent_default()
            self.held.append(event)
        elif self.host.takes_for_no(event.key, event.character):
            event.stop()
            event.prevent_default()
        elif action := self._action_on(event, LINES):
            event.stop()
            event.prevent_default()
            await self.open_line(action)
        elif command := self._action_on(event, self._commands()):
            event.stop()
            event.prevent_default()
            await self.run_action(command)
        elif self.has_no_function(event):
            self.say(f"{key_text(event.key)} has no function here; {self.key_of('view.help')} lists the keys.", "info")

    def _commands(self) -> Collection[str]:
        return {command_binding_id(info.name) for info in self.host.operator.catalogue if info.key}

    def _action_on(self, event: events.Key, ids: Collection[str]) -> str:
        """The action of a key of these, where it is this screen that has it; empty for any other key."""
        if self.typing:
            return ""
        bindings = self.active_bindings
        found = next((bindings[key] for key in event.aliases if key in bindings), None)
        if found is None or found.node is not self or not found.enabled:
            return ""
        return found.binding.action if found.binding.id in ids else ""

    def has_no_function(self, event: events.Key) -> bool:
        """Whether nothing on this screen takes the key: then it says so, and nobody wonders whether it was heard."""
        return not (self.typing or set(event.aliases) & self.active_bindings.keys())

    def action_run_command(self, name: str) -> None:
        """A command's key was pressed: it begins, with what it takes from the row under the cursor."""
        info = self.host.info(name)
        if info is not None and not self.host.is_of_now(info):
            return
        if info is not None and info.while_halted and self.host.is_halted():
            info = self.host.info(info.while_halted)
        elif info is not None and info.while_upgrading:
            info = self.host.info(upgrade_word(self.shown).command or info.name)
        if info is None:
            return
        if info.asks_on_screen and not may_review(self.shown):
            show_first(self.host, self.shown)
            return
        args = info.at(self.row_at_cursor(info.row)) if info.row else {}
        if info.no_row and not args:
            self.say(self.no_row_text(info), "info")
        else:
            self.host.start(info.name, args)

    def run_at_cursor(self, kind: str) -> None:
        """As if the key had been pressed of the command that takes a row of this kind."""
        for info in self.host.operator.catalogue:
            if info.key and info.row == kind:
                self.action_run_command(info.name)

    def row_at_cursor(self, kind: str) -> str:
        """What a command takes from the row under the cursor; empty where there is none of its kind.

        Where the screen lists no alerts, the one in the banner is meant.
        """
        told = banner(self.shown) if kind == "alert" and self.shown is not None else None
        return str(told.alert.id) if told is not None else ""

    def no_row_text(self, info: CommandInfo) -> str:
        """What a key says that takes a row, where none is under the cursor."""
        return info.no_row
