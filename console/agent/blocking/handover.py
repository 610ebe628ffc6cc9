# Generated, do not edit: `python -m tests.generate.blocking` wrote it
# from console/agent/aio/handover.py.
"""Handing the state over: kept beside the author's work, and taken by the side that acts next."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.agent.blocking import waits
from console.agent.blocking.link import Link
from console.agent.blocking.waits import Signal, Workers
from console.agent.fence.core import Core
from console.agent.fence.errors import NoState, StandBy, StateOfOtherSchema, StateTooOld
from console.agent.fence.keeping import Keeper, KeptNow, Waiting
from console.domain.errors import Refused, StoreUnreachable, UsageError
from console.store.fence.blocking import Fence
from console.store.keys import StateKeys

if TYPE_CHECKING:
    from redis import Redis

    from console.domain.state.kept import Acted, KeptState, TakenOver
    from console.domain.state.migration import Migrated
    from console.domain.state.state import State
    from console.store.records.states import StateReply

LOOK_S: Final = 0.05
"""Between two looks of the worker: waking it would cost the live path more than leaving a reference does."""
TRIES: Final = 5
"""How often a state is looked for anew that is replaced while it is read."""
_PAGE: Final = 500


class _Newest(NamedTuple):
    """The newest state as the store has it: its record, its pieces, the store's clock in milliseconds, and what its
    version is held to."""

    kept: KeptState
    raw: list[bytes | None]
    now_ms: int
    held: str


class Handover:
    """Keeps the states of one process, and takes over those of others, on a connection of its own.

    Args:
        core: what this process knows.
        connect: opens a connection with a time-out in seconds for replies.
    """

    def __init__(self, core: Core, connect: Callable[[float], Redis]) -> None:
        self._core = core
        self.keeper = Keeper(core)
        timeout_s = max(2.0, core.settings.command_timeout_ms / 1000)  # a megabyte takes longer than a claim
        self._link = Link(lambda: connect(timeout_s), core.keys_on)
        self._wake = Signal()
        self._stopping = Signal()
        self._workers = Workers()
        self._running = False

    # -- keeping -------------------------------------------------------------------------------------------------------

    def keep(self, state: State, why: str) -> None:
        """Leave a reference for the worker, which looks by itself; it begins with the first."""
        if not self.keeper.give(state, why):
            return
        if self._running and not self._workers:
            self._workers.start("state", self._loop)

    def start(self) -> None:
        """From now on what is given is sent."""
        self._stopping.clear()
        self._running = True
        if self.keeper.waits and not self._workers:
            self._workers.start("state", self._loop)

    def hurry(self) -> None:
        """Send at once what waits: who may act is about to change."""
        if self.keeper.waits:
            self.keeper.hurry = True
            self._wake.set()

    def flush(self, timeout_s: float) -> bool:
        """Send what waits, now; whether nothing waits any more."""
        if not self._workers:
            return not self.keeper.waits
        deadline = time.monotonic() + timeout_s
        while self.keeper.waits and time.monotonic() < deadline:
            self.hurry()
            waits.sleep(0.005)
        return not self.keeper.waits

    def stop(self) -> None:
        """Send what waits, then end; what a store that is away has not taken is told as not kept."""
        if os.getpid() != self._core.pid:
            return
        self._running = False
        if self._workers:
            if not self.flush(2.0):
                self.keeper.trouble(self.keeper.last_error or "the store did not take it before the end")
            self._stopping.set()
            self._wake.set()
            self._workers.stop(waits.nothing, 5.0)
        self._link.close()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            while (waiting := self.keeper.next()) is not None and not self._stopping.is_set():
                if not self._try(waiting):
                    self._stopping.wait(0.2)
            self.keeper.hurry = self.keeper.hurry and self.keeper.waits
            self._wake.wait(LOOK_S)
            self._wake.clear()

    def _try(self, waiting: Waiting) -> bool:
        """Send one state; False where the store is away, and it is to be tried again."""
        try:
            self._send(waiting)
        except StoreUnreachable as error:
            self.keeper.trouble(error.message)
            return False
        except Exception as error:  # noqa: BLE001 - never into the live path: told, and the next state is tried
            self.keeper.refused(waiting, error)
        return True

    def _send(self, waiting: Waiting) -> None:
        from console.store.records.states import StateCode, keep

        keeper, keys = self.keeper, self._core.keys
        keeping, pieces = waits.aside(lambda: keeper.cut(waiting))
        sent = 0
        for _ in range(TRIES):
            call = keep(keys, keeping, pieces)
            sent += sum(len(part) for part in call.args)
            reply: StateReply = self._link.run(partial(Fence.call, call=call))
            if reply.code is StateCode.STALE and reply.detail.isdecimal() and keeping.epoch < self._core.view.epoch:
                keeping = keeping._replace(epoch=self._core.view.epoch)
            elif reply.code is not StateCode.MISSING:
                break
            else:
                pieces |= waits.aside(partial(keeper.lacking, keeping, reply))  # what was sent was not taken
        keeper.answered(waiting, keeping, reply, sent)

    # -- taking --------------------------------------------------------------------------------------------------------

    def take_over(self, max_age_s: Decimal) -> TakenOver:
        """See `HandsOver.take_over`."""
        from console.domain.state.kept import TakenOver
        from console.store.records.states import StateCode, take

        core = self._core
        epoch = core.view.epoch
        for _ in range(TRIES):
            try:
                newest = self._link.run(self._newest)
            except NoState as none:
                none.since, none.since_whole = self._link.run(partial(self._since, action=0))
                raise
            kept = newest.kept
            age_s = self._age(newest, max_age_s)
            done = waits.aside(partial(self._put_together, newest))
            call = take(core.keys, instance=core.instance, slot=core.slot, epoch=epoch, number=kept.number)
            reply: StateReply = self._link.run(partial(Fence.call, call=call))
            if reply.code is StateCode.NOT_ACTIVE:
                raise StandBy(f"The state was not taken over: {reply.detail or 'nobody'} is active, not {core.slot}.")
            if reply.code is StateCode.STALE and reply.detail.isdecimal():
                epoch = int(reply.detail)  # this side is active, in a newer epoch than we have heard of
            if reply.code not in (StateCode.TAKEN, StateCode.BEFORE) or reply.state().hash != kept.hash:
                continue
            kept = reply.state()
            since, whole = self._link.run(partial(self._since, action=kept.action))
            return TakenOver(
                done.state,
                kept,
                age_s,
                since,
                whole,
                already=kept.taken if reply.code is StateCode.BEFORE else None,
                migrated=tuple(step.name for step in done.steps),
                irreversible=done.irreversible,
            )
        raise StandBy("The state was not taken over: it changed while it was read. Try again.")

    def _newest(self, fence: Fence) -> _Newest:
        from console.domain.state.kept import read_record
        from console.store.records.states import readable

        where, client = StateKeys.of(self._core.keys), fence.client
        with readable():
            number = client.hget(where.states, "n")
            names = [f"{kind}:{_words(number) or 0}" for kind in "sht"]
            record, hashes, taken = [_words(one) for one in client.hmget(where.states, names)]
            if not record:
                raise NoState("No state was kept by the side that acted before.", "controller.keep(state) keeps one.")
            kept = read_record(int(_words(number)), record, hashes, taken)
            raw: list[Any] = []
            for place in range(0, len(kept.pieces.hashes), _PAGE):
                raw += client.hmget(where.pieces, kept.pieces.hashes[place : place + _PAGE])
            seconds, micros = client.time()
            held = ""
            if kept.manifest and self._core.manifest is not None:  # for the names of fields, where they differ
                held = _words(client.hget(self._core.keys.manifests, f"={kept.version}"))
        return _Newest(kept, raw, int(seconds) * 1000 + int(micros) // 1000, held)

    def _age(self, newest: _Newest, max_age_s: Decimal) -> Decimal:
        from console.domain.state import values

        now = values.from_epoch(Decimal(newest.now_ms) / 1000, "the store's clock")
        kept, age_s = newest.kept, newest.kept.age_s(now)
        if age_s < 0:
            words = f"The state {kept.number} is from the future: {-age_s} s after now."
            raise StateTooOld(words, "The store's clock was moved back.")
        if age_s > max_age_s:
            raise StateTooOld(
                f"The state {kept.number} of {kept.slot} is {age_s:.1f} s old; {max_age_s} s is the limit.",
                "Ask the venue what is open, or say max_age_s if it is meant.",
            )
        return age_s

    def _put_together(self, newest: _Newest) -> Migrated:
        from console.domain.state.migration import migrate
        from console.domain.state.pieces import joined
        from console.store.records.states import unpacked

        kept, settings = newest.kept, self._core.settings
        if self._core.manifest is not None:
            from console.agent.fence.declaring import check_kept

            check_kept(kept, self._core.manifest, newest.held)
        texts = unpacked(kept.pieces.hashes, newest.raw, settings.state_bytes)
        state = joined(kept.pieces, texts, kept.timestamp, f"The state {kept.number}")
        try:
            return migrate(state, settings.schema)
        except Refused as error:
            raise StateOfOtherSchema(error.message, error.hint) from error

    def _since(self, fence: Fence, action: int) -> tuple[tuple[Acted, ...], bool]:
        """The actions after a number, oldest first; and whether that is all of them."""
        from console.store.records.states import MAX_SINCE, actions_of, readable

        keys, acted = self._core.keys, list[Any]()
        cursor = "+"
        with readable():
            newest = int(_words(fence.client.hget(keys.ctl, "an")) or 0)
            while len(acted) < MAX_SINCE:
                entries: Any = fence.client.xrevrange(keys.actions, cursor, "-", count=_PAGE) or []
                page = actions_of(entries)
                acted += [one for one in page if one.number > action]
                if len(page) < _PAGE or page[-1].number <= action:
                    break
                cursor = f"({_words(entries[-1][0])}"
        acted.reverse()
        whole = acted[0].number == action + 1 if acted else newest <= action
        return tuple(acted), whole


def _words(value: Any) -> str:
    return "" if value is None else value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


class HandsOver:
    """What an agent's author calls: `keep` in the loop, `take_over` once when the side has become active."""

    _handover: Handover

    def keep(self, state: State, why: str = "") -> None:
        """Hand the state over, whenever it may have changed. It costs a reference: what is new in it is sent beside
        the work, the newest alone where several wait. It never waits and never raises; what went wrong stands in
        `state_error`, on the heartbeat and in `logging`. On the standby side it does nothing.

        Args:
            state: as it is now. Sections that did not change should be the very same objects
                (`dataclasses.replace(before, positions=...)`): they are not looked at again.
            why: what it is kept for, for the list; the ordinary needs no reason.
        """
        self._handover.keep(state, why)

    @property
    def kept(self) -> KeptNow | None:
        """The newest state of this process that the store has; None for none."""
        return self._handover.keeper.kept

    @property
    def state_error(self) -> str:
        """Why the newest state is not kept; empty while it is, or none was given."""
        return self._handover.keeper.last_error

    def take_over(self, max_age_s: Decimal | int = 300) -> TakenOver:
        """The newest state that was kept, by whichever side acted before, and what was done since.

        It is handed over once: a second instance of this side gets the same with `already` telling who took it.

        Args:
            max_age_s: the oldest that is taken, in seconds; exactly that is.

        Raises:
            UsageError: `max_age_s` is no number of seconds.
            NoState: none was kept.
            StateTooOld: it is older, or from the future.
            StateOfOtherSchema: it has another schema and no migration leads to ours, or one fails; or it is of another
                manifest's schema under the same number. The text names the field.
            StandBy: this side is not active.
            Refused: it is damaged.
            StoreUnreachable: no answer.
        """
        limit_s = Decimal(max_age_s)
        if not limit_s.is_finite() or limit_s < 0:
            raise UsageError(f"max_age_s is a number of seconds from 0 on, not {max_age_s}.")
        return self._handover.take_over(limit_s)
