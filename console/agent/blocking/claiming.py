# Generated, do not edit: `python -m tests.generate.blocking` wrote it
# from console/agent/aio/claiming.py.
"""Claiming and settling on one connection: the half of an action that waits for the store."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import copy
from decimal import Decimal
from math import inf
from types import TracebackType
from typing import Self
from weakref import WeakKeyDictionary

from console.agent.blocking import waits
from console.agent.blocking.shared_link import SharedLink
from console.agent.fence.action import ZERO, BaseAction, Proposal
from console.agent.fence.core import TELLING, Core
from console.agent.fence.ending import ending
from console.agent.fence.errors import ActionRefused, StandBy, refusal
from console.agent.fence.process import check_process
from console.agent.fence.settings import Settings
from console.agent.fence.spool import Settlement, Spool
from console.agent.fence.view import view_of
from console.agent.telemetry import spans
from console.domain.errors import KeysMoved, Refused, StoreUnreachable
from console.domain.fence.claims import Outcome
from console.store.fence.blocking import Fence
from console.store.fence.claims import ClaimCode, ClaimReply, Intent, SettleCode, SettleReply
from console.store.fence.replies import BeatReply
from console.store.server.cluster import term_of


class Action(BaseAction):
    """A claimed action; see `AgentController.action`. Exactly one of the four endings is told, once."""

    def __init__(self, claimer: Claimer, intent: Intent, settings: Settings, agent: str, retention_ms: int) -> None:
        super().__init__(intent, settings, agent, retention_ms)
        self._claimer = claimer
        self._told = False
        self._traced = spans.UNTRACED
        self.asked = 0

    def settle(self, result: object = "", *, pnl: Decimal | float = ZERO) -> None:
        """It was executed. `result` is handed to whoever claims the key again; `pnl` feeds the trip-wires."""
        self._end(self.conclude(Outcome.OK, result, pnl, ""))

    def failed(self, reason: object = "", *, trigger: str = "") -> None:
        """The venue definitely refused it: not executed, key used up. `trigger` names a critical trigger it shows."""
        self._end(self.conclude(Outcome.FAIL, reason, ZERO, trigger))

    def unknown(self, reason: object = "", *, trigger: str = "") -> None:
        """Nobody knows: in doubt until there is evidence."""
        self._end(self.conclude(Outcome.UNKNOWN, reason, ZERO, trigger))

    def abort(self, reason: object = "") -> None:
        """It was provably not sent: the key is free again."""
        self._end(self.conclude(Outcome.ABORT, reason, ZERO, ""))

    def _end(self, settlement: Settlement) -> None:
        reply = self._claimer.settle(settlement)
        self._told = True
        self.tripped = reply.tripped if reply else ""

    def check(self) -> None:
        """To be called right before the bytes leave, after everything slow, like connecting, is done.

        Raises:
            LeaseEnded: too late; the action is aborted when the block is left.
        """
        waits.interrupted(self.asked)
        super().check()

    def __enter__(self) -> Self:
        self._claimer.begin(self)
        try:
            self._traced = self._claimer.traced(self)
            self._claimer.enter(self)
        except BaseException as error:  # in the very moment of the return, too
            self._claimer.give_up(self, error)
            self._trace_ends(error)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._claimer.check_process()
            if not self._told:  # a telling that was interrupted is begun again
                self._end(self.settlement or self.conclude_with(ending(error, self._settings)))
        finally:
            self._claimer.leave(self)
            self._trace_ends(error)

    def _trace_ends(self, error: BaseException | None) -> None:
        end = self.settlement
        outcome, pnl = (end.outcome, end.pnl) if end is not None else (None, None)
        self._traced.end(self.epoch, outcome, pnl=pnl, tripped=self.tripped, error=error)


class Claimer:
    """Asks for claims and reports their ends.

    Args:
        core: what this process knows.
        link: the connection for actions.
        spool: where results wait while the store is away.
        wake: makes the heartbeat look at once.
    """

    def __init__(self, core: Core, link: SharedLink, spool: Spool, wake: Callable[[], None]) -> None:
        self._core = core
        self._link = link
        self._spool = spool
        self._wake = wake
        self._lock = waits.Exclusive()
        self._looked: WeakKeyDictionary[Fence, int | None] = WeakKeyDictionary()
        """The connections on which the store has been looked at, and their clients' terms then."""
        self._looking = waits.Lock()
        self._looks = self._answered = 0
        """How often the store was looked at, and which of these looks was the last that was not interrupted."""
        self._blind: StoreUnreachable | None = None
        """Why that look found nothing."""

    def check_process(self) -> None:
        """Refuse to go on in a child of the process that claimed.

        Raises:
            OtherProcess: this is one.
        """
        check_process(self._core.pid, f"The controller of {self._core.instance}")

    def action(self, wanted: Proposal) -> Action:
        """An action that is claimed when its block is entered."""
        core = self._core
        return Action(self, core.intent(wanted), core.settings, core.agent, core.retention(wanted))

    def traced(self, act: Action) -> spans.Traced:
        """Begin its span; part of `Action`."""
        return spans.begin(act.intent, self._core.agent, self._core.version)

    def begin(self, act: Action) -> None:
        """Begin an action's one attempt; part of `Action`."""
        with self._lock:
            act.attempt()

    def give_up(self, act: Action, error: BaseException) -> None:
        """Its block is not entered; part of `Action`."""
        if not self.leave(act) or isinstance(error, ActionRefused) or act.settlement is not None:
            return
        # Interrupted while asking: whatever was granted was never sent.
        self._keep(Settlement(act.intent, Outcome.ABORT, "interrupted", ZERO, 0, ""))

    def enter(self, act: Action) -> None:
        """Claim; part of `Action`."""
        core, wanted = self._core, self._core.settings.replicas
        act.asked = waits.asked()
        with self._lock:
            core.permit(act.key, act.intent.direction)
            core.acting[act.key] = act
        if core.heart_is_late or not self._has_looked(self._link.fence):
            # Nobody has heard of this process for a while, or this is another connection, perhaps to another server.
            self._look_again(act.key)
            core.permit_store(act.key)
            act.intent = core.renewed(act.intent)
        before = core.unconfirmed
        reply, sent_at = self._claim(act.intent)
        if reply.code is ClaimCode.STALE:
            self._look_again(act.key)
            core.permit_store(act.key)
            act.intent = core.renewed(act.intent)
            before = core.unconfirmed
            reply, sent_at = self._claim(act.intent)
        if reply.code is ClaimCode.STALE_HELD:
            act.abort("who may act changed meanwhile")
        if not reply.granted:
            core.stood_by(act.intent)
            if reply.code is ClaimCode.PAST_WINDOW:
                core.in_doubt.add(act.key)
            self._wake()
            raise refusal(act.key, reply)
        if reply.replicas >= wanted:
            core.confirmed(reply.newest, before)
        act.granted(sent_at)
        if reply.replicas < wanted:
            act.abort(f"{reply.replicas} of {wanted} replicas have the claim")
            raise StandBy(f"{act.key} was given up: {reply.replicas} of {wanted} replicas had the claim.")
        if act.remaining_s <= 0:
            act.abort("the claim took too long")
            raise StandBy(f"{act.key} was given up: its claim took too long.")

    def _has_looked(self, fence: Fence | None) -> bool:
        """Whether the server that would be asked is one that was looked at: a Cluster's client goes on to another."""
        return fence is not None and fence in self._looked and self._looked[fence] == term_of(fence.client)

    def _look_again(self, key: str) -> None:
        """Learn who may act now, before a claim is sent.

        Raises:
            StandBy: there is no store to ask.
        """
        try:
            self._look_together()
        except StoreUnreachable as error:
            raise StandBy(f"{key} was not claimed: {error.message}", "No store, no action.") from error

    def _look_together(self) -> None:
        """Learn who may act now: one look for all who want one at the same moment."""
        looks = self._looks
        with self._looking:
            shared = self._answered == self._looks > looks  # somebody has begun one since, and knows
            if shared and self._blind is not None:
                raise copy(self._blind)
            if not shared or not self._has_looked(self._link.fence):
                self._look()

    def _look(self) -> None:
        self._looks += 1
        try:
            state = self._link.run(self._beat)
        except StoreUnreachable as error:
            self._blind, self._answered = error, self._looks
            raise
        self._blind, self._answered = None, self._looks
        self._heard(state)

    def _heard(self, state: BeatReply) -> None:
        self._core.beaten(state)
        self._core.look(view_of(state))
        if self._core.lost:
            self._wake()

    def _beat(self, fence: Fence) -> BeatReply:
        core = self._core
        core.recall(fence.client)
        term = term_of(fence.client)
        state = fence.beat(core.heartbeat(), epoch=core.view.epoch, seen=core.seen)
        if term == term_of(fence.client):  # else one of two has answered, and which is not known
            self._looked[fence] = term
        return state

    def leave(self, act: Action) -> bool:
        """End of the block; whether this very action was going on. Part of `Action`."""
        acting = self._core.acting
        return acting.get(act.key) is act and acting.pop(act.key, None) is act

    def _claim(self, intent: Intent) -> tuple[ClaimReply, float]:
        """Ask until there is an answer, always as the same claim; give up when too much of the lease is gone.

        Returns:
            The answer, and our monotonic clock when the claim was sent first: its lease is no older.
        """
        settings = self._core.settings
        patience_s = min(settings.claim_patience_ms, settings.lease_ms - settings.margin_ms) / 1000
        sent_at = failed_at = inf
        looked = True

        def ask(fence: Fence) -> ClaimReply:
            nonlocal sent_at
            if not looked and not self._has_looked(fence):  # it is for this call alone: that of a signal's handler
                self._heard(self._beat(fence))
                self._core.permit_store(intent.key)
            if not self._has_looked(fence):  # since it was asked for another connection was opened
                raise KeysMoved("This connection is another than the one on which the store was looked at.")
            sent_at = min(sent_at, time.monotonic())  # not while it stood in line
            return fence.claim(
                intent,
                replicas=settings.replicas,
                wait_ms=settings.replicas_wait_ms,
                window_ms=settings.window_ms,
                term=self._looked[fence],
            )

        def let_go(why: str) -> None:
            """It may have been granted all the same: let the key go again as soon as the store is back."""
            self._keep(Settlement(intent, Outcome.ABORT, why, ZERO, settings.retention_ms, ""))

        while True:
            try:
                if not looked and not self._has_looked(self._link.fence):
                    self._look_together()
                    self._core.permit_store(intent.key)
                return self._link.begin(ask), sent_at
            except (StoreUnreachable, KeysMoved) as error:
                failed_at = min(failed_at, time.monotonic())
                if time.monotonic() - min(sent_at, failed_at) > patience_s:
                    let_go("no answer")
                    raise StandBy(f"{intent.key} was not claimed: {error.message}", "No store, no action.") from error
                looked = False  # whichever server it is that answers next: it may be behind what is known of the store
                if isinstance(error, StoreUnreachable):
                    waits.sleep(0.02)
            except ActionRefused:
                let_go("no answer")
                raise
            except Refused as error:  # a damaged key, no memory, no permission: nothing is granted by that
                let_go("refused")
                raise StandBy(f"{intent.key} was not claimed: {error.message}", error.hint) from error

    def settle(self, settlement: Settlement) -> SettleReply | None:
        """Tell the store how an action ended; None if it must wait in the spool. Part of `Action`."""
        if settlement.outcome is Outcome.UNKNOWN:
            self._core.in_doubt.add(settlement.intent.key)
        try:
            reply: SettleReply = self._link.run(lambda fence: settlement.send(fence))
        except BaseException as error:  # interrupted while telling: telling twice is harmless
            foreseen = isinstance(error, (StoreUnreachable, Refused))
            if isinstance(error, Exception) and not foreseen:
                self._core.defect(TELLING, error)  # before it is kept: whoever tells it takes the defect back
            self._keep(settlement)
            if isinstance(error, Exception):
                return None
            raise
        if reply.code in (SettleCode.NOINIT, SettleCode.DAMAGED, SettleCode.BADARG):
            self._keep(settlement)
            return None
        if not self._core.settings.replicas:  # else it counts once a claim behind it has reached them
            self._core.memory.note(reply.newest, at_once=False)
        self._core.told(settlement, reply)
        if reply.tripped:
            self._wake()
        return reply

    def _keep(self, settlement: Settlement) -> None:
        self._spool.put(settlement)
        self._wake()
