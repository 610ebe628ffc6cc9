"""What a console is attached to, built in one place: when it starts, and when it goes to another agent or profile."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from console.cli.counted import counting_of
from console.cli.options import Session
from console.cli.past import open_past
from console.cli.runtime import (
    context_for,
    context_on,
    divergence_set,
    live_browser,
    log_set,
    primary,
    reader_on,
    refuse_what_is_no_primary,
    settings_for,
    store_url,
)
from console.commands.operator import LiveOperator
from console.config import ENV_PREFIX, Settings, profiles
from console.domain.attached import Attached
from console.domain.errors import Refused, UsageError
from console.domain.seen.observation import LogReading
from console.domain.text import clean
from console.live.boards import LiveBoards
from console.live.fleet import LiveFleet
from console.live.looking_back import LookingBackSource
from console.live.source import Identity, LiveSource
from console.store.server.cluster import keys_on, roaming
from console.store.server.connect import READ_RETRIES, connect

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.commands.context import Context
    from console.commands.fleet.scoped import ScopedOperator

BUILT_A_TURN: Final = 100
"""New decisions made readable a turn; the feed shows no more of them, and counts the others."""
LISTED: Final = 20
OF_ONE: Final = ("url", "agent", "decisions", "divergences", "state_file", "venue", "slot_map", "profile")
"""What the command line and the environment said of the profile that the console was started with."""


class Attaching:
    """Attaches a console: `Attachments`.

    Args:
        session: what was given on the command line.
        settings: in force.
        url: of the store.
        shown_url: shown in its place.
    """

    def __init__(
        self,
        session: Session,
        settings: Settings,
        url: str,
        *,
        shown_url: str = "",
    ) -> None:
        self._session, self._settings, self._url, self._shown_url = session, settings, url, shown_url
        self._first = settings
        """Of the profile, before another agent was chosen in it."""
        self._fleet = LiveFleet(self._reader_of(url))
        self._operator: LiveOperator | None = None
        self._shared: tuple[str, Redis] | None = None

    @property
    def agents(self) -> Sequence[str]:
        """The agents of this store that are known by now."""
        reading = self._fleet.seen.reading
        found = [agent.name for agent in reading.agents] if reading is not None else []
        return found or [self._settings.agent]

    @property
    def profiles(self) -> Sequence[tuple[str, str]]:
        """The profiles of the configuration."""
        return profiles(self._config)

    @property
    def _config(self) -> str | None:
        return self._session.given.get("config")

    # attaching

    async def to_agent(self, name: str) -> Attached:
        """Attach to another agent of the same store."""
        if name != self._first.agent:
            await self._require(name)
        return self.attach(settings_for(self._first, name), self._url, self._shown_url)

    async def to_profile(self, name: str) -> Attached:
        """Attach to another profile: as a console that starts with it."""
        if self._shown_url:
            raise Refused("The demo stays on the store that it brought along.", "Leave it, and start with --profile.")
        settings = await asyncio.to_thread(self._settings_of, name)
        url = await asyncio.to_thread(store_url, settings)
        await refuse_what_is_no_primary(url)
        self._first = settings
        return self.attach(settings, url)

    def attach(self, settings: Settings, url: str, shown_url: str = "") -> Attached:
        """Everything that is one agent's; nothing is connected before it is looked at."""
        if url != self._url:
            self._fleet = LiveFleet(self._reader_of(url))
        self._settings, self._url = settings, url
        logs = log_set(settings, built=BUILT_A_TURN)
        divergences = divergence_set(settings)

        def seen() -> LogReading | None:
            """What was seen of the followed files last: they are read on a thread of their own alone."""
            last = source.present
            return last.logs if last is not None else None

        async def open_context() -> Context:
            return await context_on(settings, url, logs=seen)

        async def open_board() -> Context:
            return await context_on(settings, url, logs=seen)

        operator = LiveOperator(open_context, _close, locked=settings.profile if settings.locked else "")
        live = LiveSource(
            Identity(
                settings.agent,
                shown_url or url,
                settings.read_only,
                settings.profile,
                settings.protected,
                settings.locked,
            ),
            reader_on(settings, url, "agent-console-view"),
            logs,
            elapsed_ms=operator.elapsed_ms,
            divergences=divergences,
            counting=counting_of(settings),
            tend=operator.tend,
            hz=settings.ui.hz,
        )
        source = LookingBackSource(live, open_past(settings, url))
        boards, browser, fleet = LiveBoards(open_board, _close), live_browser(settings), self._fleet
        operator.unlocked = live.unlock
        self._operator = operator

        def done() -> None:
            source.refresh()
            boards.again()
            fleet.again()

        async def aclose() -> None:
            await boards.aclose()
            await browser.aclose()
            await operator.aclose()
            await asyncio.to_thread(live.give_back)
            if fleet is not self._fleet:
                await fleet.aclose()

        operator.done = done
        whose = (settings.agent, settings.profile, settings.protected)
        return Attached(source, operator, boards, browser, fleet, *whose, aclose)

    async def aclose(self) -> None:
        """End what outlives an agent: the fleet, and the connection to several."""
        await self._fleet.aclose()
        shared, self._shared = self._shared, None
        if shared is not None:
            await shared[1].aclose()

    # several

    def several(self, agents: Sequence[str]) -> ScopedOperator:
        """An operator on several agents of this store."""
        from console.commands.fleet.scoped import ScopedOperator

        async def open_context(agent: str) -> Context:
            ctx = context_for(self._first, agent, await self._shared_client(), self._url)
            ctx.gateway.read_only = self._first.read_only and not (
                self._operator is not None and self._operator.was_unlocked
            )
            return replace(ctx, logs=lambda: None)  # no file is read on the loop that draws

        return ScopedOperator(agents, open_context)

    async def _shared_client(self) -> Redis:
        if self._shared is not None and self._shared[0] != self._url:
            before, self._shared = self._shared, None
            await before[1].aclose()
        if self._shared is None:
            self._shared = (self._url, roaming(await primary(self._url, name="agent-console-fleet")))
        return self._shared[1]

    # what there is

    async def _require(self, name: str) -> None:
        """Refuse an agent that there is none of.

        Raises:
            UsageError: it is unknown; the hint lists those that are known.
            StoreUnreachable: no answer.
        """
        client = await connect(self._url, name="agent-console", retries=READ_RETRIES)
        try:
            from console.store.server.trouble import wrap_errors

            with wrap_errors():
                keys = keys_on(client, name)
                there = await client.exists(keys.ctl, keys.active)
        finally:
            await client.aclose()
        if not there:
            raise UsageError(f"There is no agent {clean(name, 64)!r} in this store.", self._known())

    def _known(self) -> str:
        names = list(self.agents)
        more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
        reading = self._fleet.seen.reading
        so_far = "" if reading is not None and reading.found.whole else " so far; 0 looks for them"
        return f"Known{so_far}: {', '.join(names[:LISTED])}{more}."

    def _settings_of(self, name: str) -> Settings:
        """As a console that is started with this profile: what was said of another one holds no longer.

        Raises:
            UsageError: there is none of this name, or something in it is wrong.
        """
        given: dict[str, Any] = {key: value for key, value in self._session.given.items() if key not in OF_ONE}
        if not given.get("read_only"):
            given.pop("read_only", None)  # a protected profile starts locked again
        given["profile"] = name
        return Session(given).settings(environ=_environment(os.environ))

    def _reader_of(self, url: str) -> Callable[[], Any]:
        async def open_client() -> Redis:
            return await connect(url, name="agent-console-fleet", retries=READ_RETRIES)

        return open_client


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what it says of the profile that the console was started with."""
    dropped = {ENV_PREFIX + name.upper() for name in OF_ONE}
    kept = {name: value for name, value in environ.items() if name not in dropped}
    only = ENV_PREFIX + "READ_ONLY"
    if kept.get(only, "").lower() not in ("1", "true", "yes"):
        kept.pop(only, None)
    return kept


async def _close(ctx: Context) -> None:
    await ctx.gateway.aclose()
