"""Going round any number of agents: the same loops for one as for ten thousand, over connections that all share.

- *look*: agents of which something new came, at once; all others in turn, for what time alone makes true;
- *listen*: control events and actions as they happen, pushed by the store;
- *tend*, *beat*, *tell*: housekeeping, heartbeats and alerts, a few agents at a time, spread over a round.

An agent whose data can't be taken harms no other: see `console.guard.watch.trouble`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from console.domain.errors import NotPermitted, StoreUnreachable
from console.guard.hear.asking import Asker
from console.guard.hear.listen import Listener
from console.guard.keep.drill import stream_of
from console.guard.loops import Outage, end, forever
from console.guard.run.following import following
from console.guard.run.logs import Logs
from console.guard.setup import pace
from console.guard.watch.heartbeats import beat
from console.guard.watch.tools import Tools
from console.guard.watch.ward import Ward
from console.store.server.cluster import is_cluster
from console.store.server.connect import connect
from console.store.server.trouble import raise_if_cancelled

if TYPE_CHECKING:
    from redis.asyncio import Redis

Loop = Callable[[], Awaitable[None]]
Work = Callable[[Ward], Awaitable[None]]
WorkOnSome = Callable[[list[Ward]], Awaitable[None]]

TURN_S: Final = 0.02
"""How long one turn may keep the event loop."""
CHUNK: Final = 50
"""Agents whose housekeeping goes out together."""
RETRY_S: Final = 0.25
SHARD_QUIET_S: Final = 3.0
"""A Cluster answers again when no shard of it has failed for so long."""
LAST_ACTS_S: Final = 3.0
"""How long acts under way are waited for at the end."""


class Patrol:
    """Watches every agent that it was given.

    Args:
        tools: what they share.
    """

    def __init__(self, tools: Tools) -> None:
        self.wards: dict[str, Ward] = {}
        self._sharded = is_cluster(tools.client)
        self.outage = Outage(tools.tell, quiet_s=SHARD_QUIET_S if self._sharded else 0.0)
        self._tools = tools
        self._listener: Listener | Asker = Listener(self._connect, self.outage)
        if self._sharded:  # one XREAD reads streams of one slot alone
            self._listener = Asker(tools.client, self.outage)
        self._due: dict[Ward, None] = {}
        self._wake = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._logs = Logs(self.wards, self._sound, self._touch)
        self._round: Iterator[Ward] = iter(())
        self._looked_at = time.monotonic()

    # -- who is watched ------------------------------------------------------------------------------------------------

    def take(self, ward: Ward) -> None:
        """Watch an agent from now on; it was opened, or it has failed and is tried again."""
        self.wards[ward.agent] = ward
        ward.on_wake = self._touch
        if not ward.trouble.why:
            self._listen_to(ward)
        self._touch(ward)

    async def let_go(self, agent: str) -> None:
        """Watch an agent no more, and say goodbye to it.

        Raises:
            StoreUnreachable: the store does not answer; it is not watched all the same.
        """
        ward = self.wards.pop(agent, None)
        if ward is not None:
            self._let_go(ward)
            await ward.aclose()

    def _let_go(self, ward: Ward) -> None:
        ward.on_wake = _nobody
        self._due.pop(ward, None)
        self._mute(ward)

    @property
    def failing(self) -> list[Ward]:
        """Agents that can't be judged now."""
        return [ward for ward in self.wards.values() if ward.trouble.why]

    # -- loops ---------------------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event, *more: Loop) -> None:
        """Go round until told to stop.

        Args:
            stop: set to end it.
            more: loops that run beside ours.
        """
        ours: list[Loop] = [self._looking, self._listener.run, self._tending, self._beating]
        ours.append(partial(following, self._tools.client, self._tools.tell))
        if self._tools.options.file.webhooks:
            ours += [self._telling, self._telling_at_once]
        tasks = [asyncio.create_task(forever(loop, self.outage)) for loop in (*ours, *more)]
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if self._under_way:  # what was begun, like the switch after a halt, is brought to its end
                await asyncio.wait(self._under_way, timeout=LAST_ACTS_S)
            await end((*tasks, stopping, *self._under_way))
        for task in tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _looking(self) -> None:
        while True:
            began = time.monotonic()
            self._wake.clear()
            more = self._logs.poll(began + TURN_S)
            more = self._turn(began + TURN_S) or more
            if more:
                await asyncio.sleep(0)
                continue
            left_s = pace.log_s(len(self.wards)) - (time.monotonic() - began)
            try:
                await asyncio.wait_for(self._wake.wait(), max(0.001, left_s))
            except TimeoutError:
                continue
            finally:
                raise_if_cancelled()

    async def _tending(self) -> None:
        await self._rounds(pace.tend_s, partial(self._all, work=Ward.tend))

    async def _beating(self) -> None:
        async def some(wards: list[Ward]) -> None:
            await beat([ward.voice for ward in wards], self._tools, pace.beat_s(len(self.wards)))

        await self._rounds(pace.beat_s, some, also_failing=True)

    async def _telling(self) -> None:
        import httpx  # noqa: F401 - now, and not at the first trip

        await self._rounds(pace.tell_s, partial(self._all, work=Ward.notify), also_failing=True)

    async def _telling_at_once(self) -> None:
        while True:
            await self._all([ward for ward in self.wards.values() if ward.unsent], work=Ward.notify)
            await asyncio.sleep(RETRY_S)

    # -- looking -------------------------------------------------------------------------------------------------------

    def _turn(self, deadline: float) -> bool:
        """Whoever is due, and a share of all others; whether there are more that are due."""
        while self._due:
            ward = next(iter(self._due))
            del self._due[ward]
            self._consider(ward)
            if time.monotonic() > deadline:
                return True
        now = time.monotonic()
        every_s = pace.look_s(len(self.wards))
        share = len(self.wards) * (now - self._looked_at) / every_s
        if share < 1.0:
            return False
        self._looked_at = now
        for _ in range(min(int(share), len(self.wards))):
            other = next(self._round, None)
            if other is None:
                self._round = iter(list(self.wards.values()))
                other = next(self._round, None)
            if other is not None and self.wards.get(other.agent) is other:
                self._consider(other)
            if time.monotonic() > deadline:
                return False
        return False

    def _consider(self, ward: Ward) -> None:
        if ward.busy:
            return  # it is looked at again when its step is over
        if ward.trouble.why:
            if time.monotonic() >= ward.trouble.again_at:
                self._begin(ward, self._anew(ward, ward.again))
        elif ward.anew:
            self._begin(ward, self._anew(ward, ward.open))
        elif ward.changed or self._sound(ward, ward.glance):
            self._begin(ward, ward.step())

    def _sound(self, ward: Ward, look: Callable[[], bool]) -> bool:
        """What a look says; one that fails is that agent's trouble."""
        try:
            return look()
        except Exception as error:  # noqa: BLE001 - whatever one agent's data does, the others are watched on
            self._failed(ward, error)
            return False

    def _begin(self, ward: Ward, work: Coroutine[Any, Any, object]) -> None:
        ward.busy = True
        task = asyncio.create_task(self._carried_out(ward, work))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _carried_out(self, ward: Ward, work: Coroutine[Any, Any, object]) -> None:
        retry_s = 0.0
        try:
            await work
            self.outage.up()
        except NotPermitted as error:
            self._failed(ward, error)  # nothing is wrong with the store, nor with the other agents
        except StoreUnreachable as error:
            self.outage.down(error)
            retry_s = RETRY_S
        except Exception as error:  # noqa: BLE001 - as above
            self._failed(ward, error)
        finally:
            ward.busy = False
        if retry_s:
            await asyncio.sleep(retry_s)
            self._touch(ward)
        elif ward.changed or ward.feed.fresh or ward.anew:
            self._touch(ward)

    async def _anew(self, ward: Ward, opened: Callable[[], Awaitable[None]]) -> None:
        self._mute(ward)
        await opened()
        if self.wards.get(ward.agent) is ward:
            self._listen_to(ward)

    def _failed(self, ward: Ward, error: Exception) -> None:
        self._mute(ward)
        ward.failed(error)

    def _touch(self, ward: Ward) -> None:
        if self.wards.get(ward.agent) is ward:
            self._due[ward] = None
            self._wake.set()

    # -- listening -----------------------------------------------------------------------------------------------------

    def _listen_to(self, ward: Ward) -> None:
        spoiled = partial(self._failed, ward)
        self._listener.add(ward.keys.log, ward.place, ward.take_event, spoiled)
        drills = stream_of(ward.keys)
        self._listener.add(drills, ward.drills.place, ward.take_event, partial(ward.state.spoil, drills))
        if ward.feed.log is None:
            self._listener.add(ward.keys.actions, ward.feed.actions.last, ward.take_action, spoiled)

    def _mute(self, ward: Ward) -> None:
        for stream in (ward.keys.log, stream_of(ward.keys), ward.keys.actions):
            self._listener.drop(stream)

    async def _connect(self, timeout_s: float, name: str) -> Redis:
        tools = self._tools
        return await connect(tools.options.url, timeout_s=timeout_s, name=f"{name}:{tools.name}"[:64])

    # -- rounds --------------------------------------------------------------------------------------------------------

    async def _rounds(self, round_s: Callable[[int], float], work: WorkOnSome, *, also_failing: bool = False) -> None:
        """Do something for each agent in turn, some at a time, spread evenly over a round."""
        while True:
            began = time.monotonic()
            wards = [ward for ward in self.wards.values() if also_failing or not ward.trouble.why]
            for start in range(0, len(wards), CHUNK):
                chunk = [ward for ward in wards[start : start + CHUNK] if self.wards.get(ward.agent) is ward]
                if chunk:
                    try:
                        await work(chunk)
                    except StoreUnreachable as error:
                        if not self._sharded:
                            raise
                        self.outage.down(error)  # one shard's: the agents of the others are tended all the same
                await _until(began + round_s(len(wards)) * min(1.0, (start + CHUNK) / len(wards)))
            await _until(began + round_s(len(wards)))

    async def _all(self, wards: list[Ward], work: Work) -> None:
        """The same for several agents at once.

        Raises:
            StoreUnreachable: for one of them there was no answer.
        """
        outcomes = await asyncio.gather(*(work(ward) for ward in wards), return_exceptions=True)
        away = None
        for ward, outcome in zip(wards, outcomes, strict=True):
            if isinstance(outcome, StoreUnreachable) and not isinstance(outcome, NotPermitted):
                away = outcome
            elif isinstance(outcome, Exception) and self.wards.get(ward.agent) is ward:
                self._failed(ward, outcome)
        if away is not None:
            raise away
        self.outage.up()


async def _until(moment: float) -> None:
    raise_if_cancelled()
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


def _nobody(_ward: Ward) -> None:
    """Nobody listens any more."""
