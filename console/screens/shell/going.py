"""Which screen is in front; into an agent of the fleet and back; another agent or profile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from console.domain.attached import Attached
from console.screens.command.conduct import Conduct
from console.screens.places.overview import OverviewScreen
from console.screens.shell.hearing import Hearing

if TYPE_CHECKING:
    from console.screens.parts.fleet_look import FleetLook


class Going(Hearing):
    """Goes from screen to screen, and from agent to agent."""

    async def go_to(self, name: str) -> None:
        """Bring a screen to the front; the overview stays below whatever is there. A dialog that came up is first."""
        from console.screens.places.registry import make_screen

        if self.screen is not self.console_screen:
            return
        screen = make_screen(name)
        if screen is not None and type(self.console_screen) is type(screen):
            return
        if len(self.screen_stack) > 1:
            await self.pop_screen()
        if screen is not None:
            await self.push_screen(screen)

    def leave_screen(self) -> None:
        """Back to the overview; from there to where one came from."""
        if self.screen is not self.console_screen:
            return
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.trail:
            self.call_later(self.go_to, self.trail[-1])

    @property
    def fleet_look(self) -> FleetLook:
        """How the fleet is looked at, kept while one is inside an agent."""
        if self._fleet_look is None:
            from console.screens.parts.fleet_look import FleetLook

            self._fleet_look = FleetLook()
        return self._fleet_look

    def go_into(self, agent: str) -> None:
        """From the fleet into one of its agents."""
        from console.screens.command.changing import to_agent

        self.run_worker(to_agent(self.as_host, agent, from_fleet=True), group="changing", exit_on_error=False)

    async def attach(self, attached: Attached, trail: tuple[str, ...] = ()) -> None:
        """Show another agent, or another profile: nothing of what was shown before stays.

        Args:
            attached: what is attached from now on.
            trail: the screens that `esc` on the overview leads back to.
        """
        await self._end_watch()
        before, self.attached = self.attached, attached
        same_store = attached.fleet is self.fleet
        self.source, self.operator, self.boards = attached.source, attached.operator, attached.boards
        self.browser = attached.browser
        self.boards.keep(self.recorder is not None)
        self._hear(self.source)
        self.fleet, self.trail = attached.fleet, trail
        self.boards.told = self.fleet.told = self._board_was_read
        if not same_store:  # a mark means an agent of one store
            self._fleet_look = None
        self.settings = replace(self.settings, profile=attached.profile, protected=attached.protected)
        self.conduct, self.observation, self._alerts = Conduct(self.as_host), None, None
        if before is not None:
            await before.aclose()
        left = list(self.screen_stack)
        await self.push_screen(OverviewScreen())  # first: a key that comes meanwhile finds a screen
        self._watch()
        await asyncio.shield(self._remove(left))  # leaving the console meanwhile must not tear it

    async def _remove(self, screens: Sequence[Screen[Any]]) -> None:
        for screen in screens:
            self._screen_stack.remove(screen)
            await self._replace_screen(screen)
