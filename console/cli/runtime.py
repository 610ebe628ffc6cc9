"""From settings to a connected context, for one verb's lifetime."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from console import paths
from console.commands.clock import utc_now
from console.domain.errors import StoreUnreachable, UsageError
from console.domain.text import clean
from console.password import with_password
from console.store.server.cluster import keys_on
from console.store.server.connect import connect
from console.store.server.sentinel import sentinels_of, standing_of
from console.store.server.topology import refuse_unless_primary

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.commands.context import Context
    from console.config import Settings
    from console.domain.seen.observation import DivergenceLog, LogReading
    from console.live.browsing import LiveBrowser
    from console.live.source import OpenReader
    from console.logs.divergences import DivergenceSet
    from console.logs.follower import LogSet

T = TypeVar("T")
_TOLD: set[str] = set()
"""Plain URLs of which it was said that they lead elsewhere."""


def store_url(settings: Settings, *, starts: bool = True) -> str:
    """The store's URL; without one, the embedded server's.

    Args:
        settings: may name one.
        starts: whether the embedded server is started if it is not running; what only reads starts none.

    Raises:
        ConsoleError: the embedded server can't be started.
        UsageError: the store's password can't be had.
        StoreUnreachable: it is not running, and is not to be started.
    """
    if settings.url:
        return with_password(settings.url, settings.password)
    from console.store.server import embedded

    if not starts:
        running = embedded.status(paths.store_dir())
        if running is None:
            from console.cli.first_run import first_run

            ways = "--url names a store; `agent-console store start` starts the embedded one."
            raise StoreUnreachable(
                "No store is named, and the embedded one is not running; what only reads does not start it.",
                "\n".join((ways, *first_run(settings))),
            )
        return running.url
    return embedded.ensure(paths.store_dir()).url


def _of_agent(paths_given: tuple[str, ...], settings: Settings) -> tuple[str, ...]:
    """Paths and patterns, in which `{agent}` stands for the agent's name."""
    return tuple(path.replace("{agent}", settings.agent) for path in paths_given)


def log_set(settings: Settings, *, built: int | None = None) -> LogSet | None:
    """The decision logs to follow; None where there are none.

    Args:
        built: how many new decisions one reading may make readable; None for all (see `LogOptions`).
    """
    if not settings.decisions:
        return None
    from dataclasses import replace

    from console.cli.log_options import log_options
    from console.logs.follower import LogSet

    return LogSet(_of_agent(settings.decisions, settings), options=replace(log_options(settings), built=built))


def read_logs(settings: Settings) -> LogReading | None:
    """What the decision logs hold now, from their last lines; None where none is followed."""
    followed = log_set(settings)
    if followed is None:
        return None
    while followed.poll(utc_now()):
        pass
    return followed.reading(utc_now())


def divergence_set(settings: Settings) -> DivergenceSet | None:
    """The files of divergences to follow; None where there are none."""
    if not settings.divergences:
        return None
    from console.logs.divergences import DivergenceSet

    return DivergenceSet(_of_agent(settings.divergences, settings), last_lines=settings.logs.last_lines)


def read_divergences(settings: Settings) -> DivergenceLog | None:
    """What the files of divergences hold now, from their last lines; None where none is followed."""
    followed = divergence_set(settings)
    if followed is None:
        return None
    while followed.poll(utc_now()):
        pass
    return followed.reading(utc_now())


async def primary(url: str, *, name: str, retries: int = 0) -> Redis:
    """A client on a server that stands on its own, on a primary, or on the primaries of a Cluster.

    Raises:
        Refused: it is a Sentinel or a replica.
        StoreUnreachable: it does not answer.
    """
    client = await connect(url, name=name, retries=retries)
    try:
        await refuse_unless_primary(client)
    except BaseException:
        await client.aclose()
        raise
    return client


def reader_on(settings: Settings, url: str, name: str) -> Callable[[], Awaitable[OpenReader]]:
    """Connects, and gives a reader of the agent's keys with its end; called again after each loss.

    Args:
        settings: whose.
        url: of the store.
        name: of the connection, as the server lists it.
    """
    from console.live.source import OpenReader
    from console.store.reading.reader import StoreReader
    from console.store.server.connect import READ_RETRIES

    async def opened() -> OpenReader:
        client = await primary(url, name=name, retries=READ_RETRIES)
        reader = StoreReader(client, keys_on(client, settings.agent), settings.registry)

        async def close() -> None:
            reader.close()
            await client.aclose()

        return OpenReader(reader, close)

    return opened


async def refuse_what_is_no_primary(url: str) -> None:
    """Say it before anything begins; a store that does not answer is waited for there.

    Raises:
        Refused: it is a Sentinel or a replica.
    """
    try:
        client = await primary(url, name="agent-console")
    except StoreUnreachable:
        return
    await client.aclose()


async def context_on(settings: Settings, url: str, *, logs: Callable[[], LogReading | None]) -> Context:
    """A context on a store; `Context.gateway.aclose` ends it.

    Raises:
        StoreUnreachable: it does not answer.
    """
    client = await primary(url, name="agent-console")
    _tell_of_sentinel(url, client)
    return _context(settings, client, url, logs=logs)


def _tell_of_sentinel(url: str, client: Redis) -> None:
    """Say once that a plain URL is a Sentinel's, and which store it led to."""
    endpoint, standing = sentinels_of(client), standing_of(client)
    if endpoint is None or standing is None or standing.primary is None or url in _TOLD or "+sentinel:" in url.lower():
        return
    _TOLD.add(url)
    import click

    (host, port), at = endpoint.nodes[0], standing.primary
    way = f"{endpoint.scheme}+sentinel://HOST,HOST,HOST/{clean(endpoint.master, 40)}/{endpoint.db}"
    click.echo(
        f"{host}:{port} is a Sentinel: the store is {clean(endpoint.master, 40)}, now at {at.host}:{at.port}. "
        f"Name all Sentinels, to follow it when this one is away: {way}",
        err=True,
    )


def live_browser(settings: Settings) -> LiveBrowser:
    """What reads whole decision logs while a screen shows them."""
    from console.cli.log_options import log_options
    from console.live.browsing import LiveBrowser

    return LiveBrowser(settings.decisions, log_options(settings), paths.index_dir(), _pattern, utc_now)


def _context(settings: Settings, client: Redis, url: str, *, logs: Callable[[], LogReading | None]) -> Context:
    from console.cli.drawing import pictures
    from console.cli.gates import gate_rules, gate_sources
    from console.cli.log_options import log_options
    from console.commands.context import Context
    from console.commands.gateway.gateway import Gateway, Quiesce
    from console.domain.rehearsal.money import Paths

    gateway = Gateway(
        client,
        keys_on(client, settings.agent),
        url=url,
        registry=settings.registry,
        who=settings.who,
        read_only=settings.read_only,
        locked=settings.locked,
        drain_ms=settings.switch.drain_ms,
        promise=settings.promise,
        quiesce=Quiesce(settings.switch.poll_ms, settings.switch.deadline_ms) if settings.switch.quiesce else None,
    )
    read = log_options(settings)
    return Context(
        gateway=gateway,
        registry=settings.registry,
        snapshots=paths.snapshots_dir(settings.agent),
        archive=paths.archive_dir(settings.agent),
        decisions=_of_agent(settings.decisions, settings),
        state_file=Path(settings.state_file).expanduser() if settings.state_file else None,
        venue=Path(settings.venue).expanduser() if settings.venue else None,
        logs=logs,
        outcome_paths=Paths(*read.paths[:4]),
        log_options=read,
        index=paths.index_dir(),
        pattern=_pattern,
        rules=gate_rules(settings),
        sources=gate_sources(settings),
        pictures=pictures(),
    )


def _pattern(pattern: str) -> Callable[[str], bool]:
    from widgets.lists.filtering import PatternError, parse_filter

    try:
        filter_ = parse_filter(f"re:{pattern}")
    except PatternError as error:
        raise UsageError(str(error)) from error
    assert filter_ is not None
    return filter_.test


def settings_for(settings: Settings, agent: str) -> Settings:
    """The settings of another agent of the same store.

    Args:
        settings: in which `{agent}` stands for an agent's name; a file or an address without it is the default agent's.
        agent: whose.
    """
    from msgspec.structs import replace

    def own(*names: str | None) -> tuple[str, ...]:
        mine = agent == settings.agent
        return tuple(name.replace("{agent}", agent) for name in names if name and (mine or "{agent}" in name))

    health = {slot: address for slot, told in settings.gates.health.items() for address in own(told)}
    return replace(
        settings,
        agent=agent,
        decisions=own(*settings.decisions),
        divergences=own(*settings.divergences),
        state_file=next(iter(own(settings.state_file)), None),
        venue=next(iter(own(settings.venue)), None),
        gates=replace(settings.gates, health=health),
    )


def context_for(settings: Settings, agent: str, client: Redis, url: str) -> Context:
    """An agent's context on somebody else's client, for what goes on as long as a process does.

    Args:
        settings: in which `{agent}` stands for an agent's name; a file or an address without it is the default agent's.
        agent: whose.
        client: is not closed here.
        url: of its store.
    """
    settings = settings_for(settings, agent)
    followed: list[LogSet | None] = []

    def logs() -> LogReading | None:
        if not followed:
            followed.append(log_set(settings))
        (files,) = followed
        if files is None:
            return None
        while files.poll(utc_now()):
            pass
        return files.reading(utc_now())

    return _context(settings, client, url, logs=logs)


def run_alone(settings: Settings, work: Callable[[Context], Awaitable[T]]) -> T:
    """Run one piece of work that needs no store: nothing is connected, and nothing started.

    Args:
        settings: of this call.
        work: what is done; it may not touch the gateway but for whose keys it has.
    """

    async def runner() -> T:
        from redis.asyncio import Redis

        client = Redis(single_connection_client=False)  # connects at first use, and there is none
        return await work(_context(settings, client, "", logs=lambda: read_logs(settings)))

    return asyncio.run(runner())


@asynccontextmanager
async def connected(settings: Settings, *, starts: bool = True) -> AsyncIterator[Context]:
    """A context on the store that the settings name, for the length of one verb.

    Args:
        settings: of this call.
        starts: whether the embedded server may be started for it.

    Raises:
        StoreUnreachable: it does not answer.
    """
    ctx = await context_on(settings, store_url(settings, starts=starts), logs=lambda: read_logs(settings))
    try:
        yield ctx
    finally:
        await ctx.gateway.aclose()


def run_with(settings: Settings, work: Callable[[Context], Awaitable[T]], *, starts: bool = True) -> T:
    """Run one piece of work on a connected context.

    Args:
        settings: of this call.
        work: what is done.
        starts: whether the embedded server may be started for it.
    """

    async def runner() -> T:
        async with connected(settings, starts=starts) as ctx:
            return await work(ctx)

    return asyncio.run(runner())
