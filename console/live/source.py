"""The live source: polls store and logs, backs off when the store is gone, publishes only what differs.

Polling with a pipelined read costs one round trip; a change made by anybody shows within one turn. While the store does
not answer, the last reading stays in the observation with its age, and the link says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.commands.clock import utc_now
from console.domain.errors import NotPrimary, Refused, StoreUnreachable
from console.domain.fence.deployment import Deployment, Phase
from console.domain.seen.decision import FirstDecisions
from console.domain.seen.first import first_decisions
from console.domain.seen.observation import DivergenceLog, Link, LinkState, LogReading, Observation, StoreReading
from console.domain.text import Safe, clean, redact_url
from console.live.beside import Beside
from console.live.differs import differs
from console.store.server.trouble import raise_if_cancelled

if TYPE_CHECKING:
    from console.logs.divergences import DivergenceSet
    from console.logs.follower import LogSet
    from console.logs.index.counting import Counting
    from console.store.reading.reader import StoreReader

HZ: Final = 5.0
OFFLINE_AFTER: Final = 5
"""Failed tries after which the link is called offline instead of reconnecting."""
MAX_WAIT_S: Final = 3.0
COUNTS_AFTER_S: Final = 0.1
COUNTED_EVERY_S: Final = 1.0
"""How often it is asked whether exact sums are due, while nothing more is to be counted."""
_FIRST_WAIT_S: Final = 0.2


class Identity(NamedTuple):
    """What stays the same in every observation of one console."""

    agent: str
    url: str
    read_only: bool = False
    profile: str = ""
    protected: bool = False
    locked: bool = False


class OpenReader(NamedTuple):
    """A reader on a connection of its own, and how to end that."""

    reader: StoreReader
    close: Callable[[], Awaitable[None]]


class LiveSource:
    """Reads store and logs in turns, and publishes what differs: a `Source`.

    Args:
        identity: what every observation carries.
        open_reader: connects and gives a reader with its end; called again after each loss.
        logs: the followed decision logs; None for none.
        divergences: the followed files of divergences; None for none.
        counting: counts exact sums over the same logs; None for nobody.
        tend: the protocol's housekeeping, called when a reading shows that it is due, never while this is read-only.
        elapsed_ms: receipt id → how long this console's own command took; the audit can't know it.
        clock: the time now.
        hz: turns a second.
    """

    def __init__(
        self,
        identity: Identity,
        open_reader: Callable[[], Awaitable[OpenReader]],
        logs: LogSet | None = None,
        *,
        divergences: DivergenceSet | None = None,
        counting: Counting | None = None,
        tend: Callable[[], Awaitable[None]] | None = None,
        elapsed_ms: Mapping[str, float] = MappingProxyType({}),
        clock: Callable[[], datetime] = utc_now,
        hz: float = HZ,
    ) -> None:
        self._identity = identity
        self._open_reader = open_reader
        self._clock = clock
        self._logs = Beside(logs, clock, 1.0 / hz) if logs is not None else None
        self._counting = counting
        self._counted = Beside(counting, clock, COUNTED_EVERY_S, 0.1 / hz) if counting is not None else None
        self._divergences = Beside(divergences, clock, 1.0 / hz) if divergences is not None else None
        self._tend = tend
        self._elapsed_ms = elapsed_ms
        self._turn_s = 1.0 / hz
        self._wake = asyncio.Event()
        self._news = asyncio.Event()
        self._reader: OpenReader | None = None
        self._link = Link(LinkState.CONNECTING, redact_url(identity.url))
        self._store: StoreReading | None = None
        self._first: FirstDecisions | None = None

    def refresh(self) -> None:
        """Look again now."""
        self._wake.set()

    def unlock(self) -> None:
        """Commands go through from now on, and with them the protocol's housekeeping."""
        self._identity = self._identity._replace(read_only=False, locked=False)
        self.refresh()

    def give_back(self, wait_s: float = 1.0) -> None:
        """Close the followed files, after `run` has ended; one that hangs keeps its own. It blocks, for so long at most
        with each."""
        for one in (self._logs, self._divergences, self._counted):
            if one is not None:
                one.give_back(wait_s)

    async def run(self, publish: Callable[[Observation], None]) -> None:
        """Publish the first observation, and then each that differs, until it is cancelled."""
        home = asyncio.get_running_loop()
        store = asyncio.create_task(self._follow_store(), name="store reader")
        beside = [one for one in (self._logs, self._divergences) if one is not None]
        for one in beside:
            one.start(lambda: _tell(home, self._news))
        last: Observation | None = None
        counts: asyncio.TimerHandle | None = None
        """Until exact sums are begun with; they are told with what comes next: a frame of their own delays a line."""
        try:
            await self._begun(beside, home.time() + self._turn_s)
            while True:
                observation = self._observe()
                if last is None or differs(last, observation):
                    publish(observation)
                    if last is None and self._counted is not None:  # not while the first frame is drawn
                        counts = home.call_later(COUNTS_AFTER_S, self._counted.start, lambda: None)
                    last = observation
                if store.done():
                    store.result()
                await _within(self._turn_s, self._news)
        finally:
            for one in beside:
                one.stop()
            if counts is not None:
                counts.cancel()
            if self._counted is not None:
                self._counted.stop()
            store.cancel()
            await asyncio.gather(store, return_exceptions=True)
            await self._close()

    def _observe(self) -> Observation:
        now = self._clock()
        identity = self._identity
        logs = self._log_reading(now)
        self._first = first_decisions(self._store, logs, self._first)
        if self._counting is not None:
            self._counting.switched_at = self._first.since if self._first is not None else None
        return Observation(
            agent=clean(identity.agent, 64),
            now=now,
            link=self._link,
            store=self._store,
            logs=logs,
            read_only=identity.read_only or self._link.replica or self._barred,
            profile=clean(identity.profile, 40) if identity.profile else Safe(""),
            protected=identity.protected,
            locked=identity.locked,
            divergences=self._divergence_reading(now),
            first=self._first,
        )

    @property
    def _barred(self) -> bool:
        return self._store is not None and self._store.barred

    async def _begun(self, beside: Sequence[Beside[Any]], deadline: float) -> None:
        """Wait until store and logs were asked once: a first frame without them would hold back the one with them.

        Args:
            deadline: on the loop's clock; who has not answered by then is not waited for.
        """
        home = asyncio.get_running_loop()
        while (left_s := deadline - home.time()) > 0.0:
            asked = self._store is not None or self._link.state is not LinkState.CONNECTING
            if asked and all(one.polled for one in beside):
                return
            await _within(left_s, self._news)

    def _log_reading(self, now: datetime) -> LogReading | None:
        if self._logs is None:
            return None
        reading, hung = self._logs.reading() or LogReading(at=now), self._logs.hung(now)
        if self._counted is not None:
            reading = reading._replace(counted=self._counted.reading())
        return reading._replace(hung=hung) if hung is not None else reading

    def _divergence_reading(self, now: datetime) -> DivergenceLog | None:
        if self._divergences is None:
            return None
        reading, hung = self._divergences.reading() or DivergenceLog(at=now), self._divergences.hung(now)
        return reading._replace(hung=hung) if hung is not None else reading

    async def _follow_store(self) -> None:
        failures = 0
        asked = True
        while True:
            try:
                if self._reader is None:
                    self._reader = await self._open_reader()
                self._store = self._timed(await self._reader.reader.read(self._clock()))
                raise_if_cancelled()
                tend = None if self._identity.read_only or self._barred else self._tend
                if tend is not None and _needs_tending(self._store.deployment):
                    await tend()
            except (StoreUnreachable, Refused) as error:
                raise_if_cancelled()
                failures += 1
                await self._close()
                wait_s = _backoff_s(failures)
                state = LinkState.OFFLINE if failures >= OFFLINE_AFTER else LinkState.RECONNECTING
                replica = isinstance(error, NotPrimary)
                state = LinkState.STALE if replica else state
                self._link = self._link._replace(
                    state=state,
                    attempts=failures,
                    error=clean(error.message),
                    next_try_at=self._clock() + timedelta(seconds=wait_s),
                    replica=replica,
                )
                self._news.set()
                asked = await _within(wait_s, self._wake)
                continue
            if asked or failures:
                self._news.set()  # somebody waits for this: an operator who acted, or who saw no store until now
            failures = 0
            self._link = Link(LinkState.LIVE, self._link.url, self._store.latency_ms)
            asked = await _within(self._turn_s, self._wake)

    def _timed(self, reading: StoreReading) -> StoreReading:
        """The reading with the milliseconds of our own commands filled in."""
        if not self._elapsed_ms:
            return reading
        audit = tuple(
            entry._replace(elapsed_ms=self._elapsed_ms[entry.id])
            if entry.elapsed_ms is None and entry.id in self._elapsed_ms
            else entry
            for entry in reading.audit
        )
        return reading._replace(audit=audit)

    async def _close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()


def _tell(home: asyncio.AbstractEventLoop, news: asyncio.Event) -> None:
    """Say on a loop, from another thread, that there is news; a loop that is over needs none."""
    with contextlib.suppress(RuntimeError):
        home.call_soon_threadsafe(news.set)


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Wait so long, or until the event, which is over then; whether it came."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    event.clear()
    return True


def _needs_tending(deployment: Deployment) -> bool:
    """Whether a hand-written key waits to be adopted, a drain for somebody to end it, or a store that is damaged or
    went back for somebody to halt it."""
    authority = deployment.authority
    if deployment.damage:
        return authority is None or authority.phase is not Phase.HALT
    return authority is not None and (deployment.written_from_outside or authority.phase is Phase.DRAIN)


def _backoff_s(failures: int) -> float:
    """Doubling from 0.2 s to 3 s, with jitter so that many consoles don't knock at once."""
    return float(min(MAX_WAIT_S, _FIRST_WAIT_S * 2 ** min(failures - 1, 10)) * random.uniform(0.7, 1.0))  # noqa: S311
