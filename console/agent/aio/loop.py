"""The author's loop: read the state, decide, execute under a claim, write the state."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from console.agent.aio import waits
from console.agent.aio.claiming import Action, Claimer
from console.agent.fence.action import Proposal
from console.agent.fence.core import Core, Drained
from console.agent.fence.ending import describe, is_handled
from console.agent.fence.errors import ActionRefused, LeaseEnded
from console.domain.errors import ConsoleError


class AuthorLoop:
    """Override the four methods, or pass them to the controller."""

    core: Core
    _claimer: Claimer
    _hooks: dict[str, Callable[..., Any] | None]

    async def read_state(self) -> Any:
        """Everything the decision depends on. Runs on both sides."""
        hook = self._hooks["read_state"]
        return await hook() if hook else None

    async def decide(self, state: Any) -> Proposal | None:
        """What should be done, if anything. Runs on both sides; must not act."""
        hook = self._hooks["decide"]
        return await hook(state) if hook else None

    async def execute(self, wanted: Proposal, act: Action) -> Any:
        """Do it, on the active side, with `act` claimed. Returns the result, or settles `act` itself."""
        hook = self._hooks["execute"]
        if hook is None:
            raise NotImplementedError("An agent needs an execute.")
        return await hook(wanted, act)

    async def write_state(self, result: Any) -> None:
        """Keep what the other side needs."""
        hook = self._hooks["write_state"]
        if hook:
            await hook(result)

    async def round(self) -> bool:
        """One turn; whether something was executed and its end is known.

        An exception while this side is active is a critical trigger: it rolls back in the step that records it, and is
        raised again. Those by which an action ends without a trigger (`DefinitiveFailure`, `NotSent`, those that
        `settings` calls definitive or doubtful, those of `settings.venue`) end the round, and the loop goes on.
        """
        began, epoch = time.monotonic(), self.core.view.epoch
        act: Action | None = None
        try:
            wanted = await self.decide(await self.read_state())
            if not self.core.active:
                self.core.stood_by(wanted)
                return False
            if wanted is None:
                return False
            async with self._claimer.action(wanted) as act:
                act.check()
                result = await self.execute(wanted, act)
                if act.settlement is None and result is not None:
                    await act.settle(result)
            self._record(wanted, act, result, began)
            await self.write_state(result)
        except (ActionRefused, LeaseEnded):
            return False
        except Exception as error:
            settled = act.settlement.outcome if act is not None and act.settlement is not None else None
            if is_handled(error, self.core.settings, settled):
                return False
            if self.core.active:
                await self.trip(f"unhandled {describe(error)}", epoch, "exception")
            raise
        return True

    async def run(self, *, interval_s: float = 1.0, until: Callable[[], bool] | None = None) -> None:
        """Turn after turn, until `until` says so, `stop` is called, or the process is told to end (SIGTERM): at once
        when who may act changes, else every `interval_s`.

        However it ends, everything is closed. Told to end, it claims no more from that moment on, lets the round that
        is under way come to its end (a `decide` that waits for somebody is waited for), and comes to its own in good
        order (`drain`). A process hears SIGTERM on its main thread alone: a `run` on another one hears nothing.
        """
        ending = waits.Termination(self.core.end, self.wake)
        try:
            await self.start()
            while not (ending.asked or self.stopping or (until is not None and until())):
                known = self.changes  # before the round: what changes during it is not waited for
                await self.round()
                if not ending.asked:
                    await self.wait_change(interval_s, known)
            if ending.asked:
                await self.drain()
        finally:
            try:
                await self.stop()
            finally:
                ending.over()

    stopping: bool

    def wake(self) -> None:
        """End a wait for a change."""
        raise NotImplementedError

    async def drain(self, timeout_s: float = 10.0) -> Drained:
        """Come to an end in good order."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Say goodbye and close everything."""
        raise NotImplementedError

    async def start(self) -> None:
        """Connect and begin to beat, unless that has begun."""
        raise NotImplementedError

    @property
    def changes(self) -> int:
        """How often who may act has changed."""
        raise NotImplementedError

    async def wait_change(self, timeout_s: float, known: int | None = None) -> bool:
        """Wait until who may act changes; whether it did in that time."""
        raise NotImplementedError

    async def trip(self, why: str, epoch: int | None = None, trigger: str = "") -> None:
        """A critical trigger outside an action: roll back, or else halt."""
        raise NotImplementedError

    def _record(self, wanted: Proposal, act: Action, result: Any, began: float) -> None:
        log = self.core.log
        if log is None or act.settlement is None:
            return
        with suppress(ConsoleError):  # the log remembers its problem, and the next action is refused for it
            log.write(
                wanted.kind,
                inputs=wanted.inputs,
                output=result,
                reasoning=wanted.reasoning,
                epoch=act.epoch,
                decision_id=act.intent.claim_id,
                latency_ms=(time.monotonic() - began) * 1000,
                outcome=act.settlement.outcome.value,
                key=act.key,
            )
