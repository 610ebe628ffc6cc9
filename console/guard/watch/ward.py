"""One agent in a guard's care: its keys, its watch, where its facts come from, and one step of each kind of work.

No loop and no connection of its own: `console.guard.run.patrol` goes round any number of these, over connections that
all of them share. What goes wrong with one agent's data is that agent's trouble, and everything about it is built anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final

from console.domain.fence.deployment import Phase
from console.domain.text import Safe, clean
from console.guard.act.actor import ABANDONED_S, Actor, Result
from console.guard.act.canary import CanaryWatch
from console.guard.keep.charge import Charge
from console.guard.keep.control import Control
from console.guard.keep.state import GuardState
from console.guard.tell.notify import Notifier
from console.guard.telling import Tell
from console.guard.watch.exercises import Exercises
from console.guard.watch.feed import Feed
from console.guard.watch.heartbeats import Sight, Voice
from console.guard.watch.news import News
from console.guard.watch.tools import Tools
from console.guard.watch.trouble import Trouble, unable, where
from console.guard.watch.upkeep import Upkeep
from console.guard.watch.watch import Watch
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.fence.replies import BeatReply
from console.store.server.cluster import keys_on

EVENTS: Final = 50
"""Control events looked back through for how a tenure began."""
LITTLE_S: Final = 0.02
"""Added to a time after which the store's clock decides."""


class Ward:
    """One agent in a guard's care.

    Args:
        agent: its name.
        tools: what it shares with the others.
    """

    def __init__(self, agent: str, tools: Tools) -> None:
        self.agent = agent
        self._tools = tools
        self.tell: Tell = self._say
        self.keys = keys_on(tools.client, agent)
        self.fence = AsyncFence(tools.client, self.keys)
        self.state = GuardState(tools.client, self.keys)
        self.charge = Charge(tools.name, self.fence, self.state, self.tell)
        self.notifier = Notifier(self.charge, tools.options.file.webhooks, tools.posts)
        self.voice = Voice(self.state, self._sight, tools.started)
        self.trouble = Trouble()
        self.on_wake: Callable[[Ward], None] = _nobody
        """Told when there is something to be done at once."""
        self.busy = False
        """Whether a step is under way; there is never more than one."""
        self.anew = False
        """Whether everything is to be read anew, from another source."""
        self.beaten: tuple[BeatReply, float] | None = None
        """What the store said of the agent last, and when, on the monotonic clock; None where nothing is known."""
        self._upkeep = Upkeep(self.charge, tools.options, tools.closely)
        self._telling = False
        self._halted_at = -1
        """The epoch of the halt of which it was last asked whether somebody left it half done."""
        self._stirs = self._taken = self._sent = 0
        self._begin()

    def _begin(self) -> None:
        """Forget everything that is known of the agent."""
        tools, options = self._tools, self._tools.options
        watch = self.watch = Watch(self.charge, options.file.triggers, options.clock())
        look = partial(self._upkeep.look_now, watch)
        watch.actor = Actor(self.charge, window_s=lambda: watch.settings.window_s, alive=watch.alive, look=look)
        self.feed = Feed(self.keys, tools, watch)
        self._news = News(self.charge)
        self.drills = Exercises(tools.client, watch)

    async def open(self) -> None:
        """Read what there is; nothing is acted on before. Again after a failure: everything is built anew.

        Raises:
            StoreUnreachable: no answer.
            Refused: the agent's keys hold what they can't.
        """
        self.feed.close()
        self._begin()
        self.anew = False
        control = await self._adopted()
        events = await self.state.events(count=EVENTS)
        await self._news.begin(events)
        await self.watch.take_control(control, events)
        await self.feed.begin()
        await self.watch.settle()
        await self.tend()
        await self._news.take()
        await self.drills.carry_out()
        self.on_wake(self)

    async def again(self) -> None:
        """Try once more to watch an agent that could not be watched; nobody is harmed by what it may do meanwhile.

        Raises:
            StoreUnreachable: no answer.
            Exception: whatever its data makes of us.
        """
        if self.trouble.row > 1:
            await unable(self.watch, self.trouble.why, self._tools.options.clock())
        await self.open()
        self.trouble.over()
        self.tell("watch works again", failures=self.trouble.failures)

    def failed(self, error: Exception) -> None:
        """This agent could not be watched; it is to be tried again when the pause is over."""
        pause_s = self.trouble.add(error)
        trouble = self.trouble
        self.tell("watch failed", reason=trouble.why, where=where(error), failures=trouble.failures, again_in_s=pause_s)

    # -- what comes in -------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Something about who may act has changed, or a drill was ordered."""
        self._stirs += 1
        self.on_wake(self)

    @property
    def changed(self) -> bool:
        """Whether something was announced that has not been read yet."""
        return self._stirs != self._taken

    @property
    def place(self) -> str:
        """Up to where in the stream of control events people were told."""
        return self._news.place

    @property
    def unsent(self) -> bool:
        """Whether we raised alerts that the notifier has not looked at yet."""
        return self.state.raised != self._sent

    def take_event(self, _stream_id: str, _fields: Mapping[bytes, bytes]) -> None:
        """An entry of the stream of control events, or of drills."""
        self.wake()

    def take_action(self, stream_id: str, fields: Mapping[bytes, bytes]) -> None:
        """An entry of the stream of actions."""
        if self.feed.take_action(stream_id, fields):
            self.on_wake(self)

    # -- one step of each kind of work ---------------------------------------------------------------------------------

    def glance(self) -> bool:
        """Look, unless what the last look found must still hold; whether there is anything to be done about it."""
        now = self._tools.options.clock()
        if not self.feed.fresh and self.watch.holds(now, self.feed.problem):
            self.voice.evaluated_at = now
            return False
        return self._look(now)

    def _look(self, now: datetime) -> bool:
        self.feed.fresh = False
        self.voice.evaluated_at = now
        return self.watch.pending(self.watch.look(now, self.feed.source()))

    async def step(self, *, force: bool = False) -> Result | None:
        """Take in what was announced, look, and do what is due.

        Raises:
            StoreUnreachable: no answer; what was announced is read by the next step.
            Refused: the agent's keys hold what they can't.
        """
        stirs, force = self._stirs, force or self.changed
        if self.changed:
            await self._read_control()
            await self._news.take()
            await self.drills.carry_out()
            await self._finish()
        if force:
            await self.feed.catch_up()
        pending = self._look(self._tools.options.clock())
        self._taken = stirs
        if not (pending or force) or self.watch.last is None:
            return None
        result = await self.watch.respond(self.watch.last)
        if result is not None:
            self.wake()
        return result

    async def tend(self) -> None:
        """Housekeeping: the store's own, thresholds, signs of life, what a dead guard left half done.

        Raises:
            StoreUnreachable: no answer.
            Refused: the agent's keys hold what they can't.
        """
        watch = self.watch
        beaten = await self._upkeep.learn(watch, self.feed)
        self.beaten = beaten, time.monotonic()
        if watch.control is None or watch.control.epoch != beaten.epoch:
            self.wake()
        if beaten.phase is Phase.HALT:
            await self._news.again()
        await self._finish()
        await self._upkeep.tidy(watch, beaten.server_ms)
        if self.feed.turned_up():
            self.anew = True
            self.on_wake(self)

    async def once(self) -> Result | None:
        """One look and no more, for cron: do what is due, and send what is to be sent.

        Raises:
            StoreUnreachable: no answer.
            Refused: the agent's keys hold what they can't.
        """
        result = await self.step(force=True)
        await self.step()
        await self._upkeep.looked()
        await self.watch.keep_memory()
        if self._tools.options.file.webhooks:
            await self.notify()
        return result

    async def notify(self) -> None:
        """Send what is to be sent, unless that is under way: two turns share one lease and would send twice.

        Raises:
            StoreUnreachable: no answer.
        """
        if self._telling:
            return
        raised, self._telling = self.state.raised, True
        try:
            await self.notifier.turn()
        finally:
            self._telling = False
        self._sent = raised

    async def aclose(self) -> None:
        """Say goodbye.

        Raises:
            StoreUnreachable: the store does not answer.
        """
        self.voice.gone = True
        self.feed.close()
        await self._upkeep.aclose()
        await self.notifier.aclose()
        await self.state.leave(self._tools.name)

    @property
    def canary(self) -> CanaryWatch:
        """Looks at the agent's canary."""
        return self._upkeep.canary

    def _say(self, event: str, **fields: object) -> None:
        """Tell of this agent, with the epoch as far as it is known."""
        control = self.watch.control
        epoch = {"epoch": control.epoch} if control is not None else {}
        self._tools.tell(event, **{"agent": self.agent, **epoch, **fields})

    # -- details -------------------------------------------------------------------------------------------------------

    async def _adopted(self) -> Control:
        """Who may act; a plain deployment is taken over as it is found, so that every change of that has an epoch."""
        control = await self.state.control()
        if control.epoch or control.plain not in ("blue", "green"):
            return control
        why = "the guard takes over what it finds"
        await self.fence.switch(
            SwitchRequest(control.plain, expected_epoch=0, mode="now", drain_ms=0, by=self.charge.by, why=why)
        )
        return await self.state.control()

    async def _finish(self) -> None:
        """Take up what a dead guard left half done; if it is too soon to tell, look again as soon as it is not."""
        control, actor = self.watch.control, self.watch.actor
        if control is None or actor is None or control.phase is not Phase.HALT:
            return
        if control.epoch != self._halted_at:
            self._halted_at = control.epoch
            asyncio.get_running_loop().call_later(ABANDONED_S + LITTLE_S, self.wake)
        result = await actor.finish(control)
        if result is not None:
            self.tell("finished", done=result.done.value, detail=result.detail, epoch=result.epoch)
            self.wake()

    async def _read_control(self) -> None:
        control = await self.state.control()
        await self.watch.take_control(control, await self.state.events(count=EVENTS))

    def _sight(self) -> Sight:
        watch, tenure = self.watch, self.watch.facts.tenure
        held, failures = self.notifier.held, self.trouble.failures
        return Sight(watch.last, tenure.slot if tenure else "", self.problem, held, self.feed.counts(), failures)

    @property
    def problem(self) -> Safe:
        """Why the agent can't be seen or judged; empty when it can."""
        if self.trouble.why:
            return clean(f"can't be judged: {self.trouble.why}", 200)
        if not self.watch.caught_up:
            return Safe("")
        if not self.feed.there:
            return Safe("nothing to judge it by: no decision log, no heartbeat, no action")
        spoiled = next(iter(self.state.spoiled.values()), "")
        store = self._upkeep.witness.problem
        return clean(store or self.feed.problem or self._upkeep.thresholds_problem or spoiled, 200)


def _nobody(_ward: Ward) -> None:
    """Nobody listens yet."""
