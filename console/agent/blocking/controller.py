# Generated, do not edit: `python -m tests.generate.blocking` wrote it
# from console/agent/aio/controller.py.
"""The controller that an agent author imports: fenced actions, heartbeat, push, spool, and the author's loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from decimal import Decimal
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from console.agent.blocking import waits
from console.agent.blocking.claiming import Action, Claimer
from console.agent.blocking.handover import Handover, HandsOver
from console.agent.blocking.loop import AuthorLoop
from console.agent.blocking.service import Service
from console.agent.blocking.shared_link import SharedLink
from console.agent.fence import doubts
from console.agent.fence.action import ZERO, Proposal, as_text, as_words
from console.agent.fence.core import NO_FLAGS, Core, Drained, Evidence, Identity, other_side
from console.agent.fence.errors import AlreadyDone
from console.agent.fence.settings import Settings
from console.agent.fence.spool import Spool
from console.domain.errors import StoreUnreachable
from console.domain.fence.claims import Direction, Level, OpenClaim, Outcome
from console.domain.fence.intent import Aim, Source
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.fence.claims import ResolveCode
from console.store.fence.replies import SwitchCode

Probe = Callable[[OpenClaim], Evidence | None]

if TYPE_CHECKING:
    from redis import Redis

    from console.agent.blocking.commitments import Commitments
    from console.agent.decisions import DecisionLog
    from console.agent.fence.standing import Standing
    from console.agent.flags import Flags
    from console.domain.commitments.commitment import Commitment
    from console.domain.manifest.manifest import Manifest


class AgentController(AuthorLoop, HandsOver):
    """One fenced agent process. Use it as a context manager, or call `start` and `stop`.

    Args:
        url: of the store.
        slot: "blue" or "green": which side this process belongs to.
        version: the agent version it runs.
        agent: whose keys.
        settings: durations, doors, replicas.
        flags: the flags this agent reads; kept fresh from here.
        log: where `run` records decisions; while it can't be written, money actions stop.
        instance: an id, unique to the process; made up if empty.
        build, config: hashes shown beside the instance (`config_hash` makes one).
        manifest: what the version is made of: the store holds it to that.
        shadow: a `StandbyShadow`, which goes on as a priced shadow of the other side while this one stands by.
        read_state, decide, execute, write_state: the author's loop, instead of overriding the methods.
        connect: opens a connection to the primary (Sentinel, Cluster); given a time-out in seconds for replies.
        cluster: whether the store is a Cluster. It need not be said: it is known from the connection, and an agent
            that says what is not so is refused.
    """

    def __init__(
        self,
        url: str = "",
        *,
        slot: str,
        version: str,
        agent: str = "agent",
        settings: Settings | None = None,
        flags: Flags | None = None,
        log: DecisionLog | None = None,
        instance: str = "",
        build: str = "",
        config: str = "",
        manifest: Manifest | None = None,
        shadow: Standing | None = None,
        read_state: Callable[[], Any] | None = None,
        decide: Callable[[Any], Proposal | None] | None = None,
        execute: Callable[[Proposal, Action], Any] | None = None,
        write_state: Callable[[Any], None] | None = None,
        connect: Callable[[float], Redis] | None = None,
        cluster: bool | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.flags = flags or NO_FLAGS
        identity = Identity(slot, version, agent, instance, build, config, cluster, manifest)
        self.core = Core(identity, settings=self.settings, flags=self.flags, log=log)
        self.core.shadow = shadow
        self.log = log
        self.stopping = False
        self._hooks: dict[str, Callable[..., Any] | None] = {
            "read_state": read_state,
            "decide": decide,
            "execute": execute,
            "write_state": write_state,
        }
        name = f"ac:{slot}:{self.core.instance}"[:64]

        def default(timeout_s: float) -> Redis:
            from console.store.server.connect import connect_sync as open_connection

            return open_connection(url, timeout_s=timeout_s, name=name)

        self._open = waits.followed(connect) if connect is not None else default
        timeout_s = self.settings.command_timeout_ms / 1000
        patience_s = timeout_s + (self.settings.replicas_wait_ms / 1000 if self.settings.replicas else 0)
        self._link = SharedLink(lambda: self._open(patience_s), self.core.keys_on)
        self.spool = Spool(self.settings.spool_dir, self.core.instance, self.core.agent)
        self._handover = Handover(self.core, self._open)
        self._service = Service(self.core, self._open, self.spool, self._handover.hurry)
        self._claimer = Claimer(self.core, self._link, self.spool, self._service.wake)
        self._commitments: Commitments | None = None

    # -- life ----------------------------------------------------------------------------------------------------------

    @property
    def instance(self) -> str:
        """This process's id."""
        return self.core.instance

    @property
    def slot(self) -> str:
        """Which side this process belongs to."""
        return self.core.slot

    @property
    def active(self) -> bool:
        """Whether this side is believed to be active; costs no round trip. Only a granted claim permits an action."""
        return self.core.active

    @property
    def level(self) -> Level:
        """How much is stopped for this process, by whatever door."""
        return self.core.level

    @property
    def epoch(self) -> int:
        """The epoch this process knows."""
        return self.core.view.epoch

    def start(self) -> None:
        """Register the instance and begin to listen; returns when the store has answered once, or is away.

        Raises:
            Refused: the server is not fit for money, and `settings.money` says that money moves.
        """
        self.stopping = self.core.draining = False
        self._service.start()
        self._handover.start()
        if self.core.shadow is not None:
            self.core.shadow.begin(self.core)
        if self.core.unfit:
            self.stop()
        self.core.check_fit()

    def stop(self) -> None:
        """Say goodbye and close everything; results the store has not taken stay in the spool. In a child of the
        process that made the controller nothing happens: there is nothing here to stop."""
        self.stopping = True
        if self.core.shadow is not None:
            self.core.shadow.end()
        self._handover.stop()
        self._service.stop()
        self._link.close()
        self.spool.close()
        self.core.memory.close()
        self.core.recalled = False  # one that starts again remembers on the disk, too

    def drain(self, timeout_s: float = 10.0) -> Drained:
        """Come to an end in good order: claim no more, wait for what is being done, tell the store every result, and,
        where `settings.hand_over` allows it, make the other side active, if it is healthy and this was the last process
        of the active one. `stop` then says goodbye; `run` does all of this by itself when it is told to end (SIGTERM).

        Args:
            timeout_s: the longest wait for what is being done and for the store; what is not over then ends by its
                lease, in doubt.
        """
        self.core.end()
        deadline = time.monotonic() + timeout_s
        while (self.core.acting or len(self.spool)) and time.monotonic() < deadline:
            if not self.core.acting:
                self._service.wake()
            waits.sleep(0.02)
        self._handover.flush(max(0.1, deadline - time.monotonic()))
        drained = self.core.drained(len(self.spool), timeout_s)
        if not self.settings.hand_over or drained.acting or not self.core.active:
            return drained
        try:
            return drained._replace(handed_over=self._link.run(self._hand_over))
        except StoreUnreachable:
            return drained

    def _hand_over(self, fence: Fence) -> bool:
        core = self.core
        # Our own beat first, which says that we end: of two that end at once at least one sees that of the other.
        steady_ms = (fence.beat(core.heartbeat(), epoch=core.view.epoch, seen=core.seen)).steady_ms
        beats = fence.heartbeats()
        if any(core.is_alive_beside(name, beat, steady_ms) for name, beat in beats.items()):
            return False  # another process of this side goes on
        reply = fence.switch(
            SwitchRequest(
                other_side(core.slot),
                expected_epoch=core.view.epoch,
                by=core.instance,
                why=f"{core.instance} ends, and hands over",
                require_healthy=True,
                source=Source.AGENT,
                aim=Aim.HAND_OVER,
            )
        )
        return reply.code in (SwitchCode.SWITCHED, SwitchCode.DRAINING)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def changes(self) -> int:
        """How often who may act has changed since the start."""
        return self._service.changes

    def wait_change(self, timeout_s: float, known: int | None = None) -> bool:
        """Wait until who may act changes; False after the time-out.

        Args:
            timeout_s: the longest wait.
            known: `changes` as the caller knows it: one that came since ends the wait at once; None for now.
        """
        return self._service.wait_change(timeout_s, known)

    def wake(self) -> None:
        """End a wait for a change."""
        self._service.end_wait()

    # -- actions -------------------------------------------------------------------------------------------------------

    def action(
        self,
        key: str,
        *,
        amount: Decimal = ZERO,
        currency: str = "",
        direction: Direction = Direction.ENTER,
        action: str = "",
        retention_ms: int | None = None,
        opens: Commitment | None = None,
        changes: Commitment | None = None,
        closes: str = "",
    ) -> AbstractContextManager[Action]:
        """Claim a key, and settle it when the block is left.

        Left without a word, or by an exception, the action is in doubt: visible, never repeated blindly. `NotSent`,
        `DefinitiveFailure` and `AuthenticationFailure` say more; any other exception that is not in `settings.doubtful`
        also rolls back, in the same step.

        Args:
            key: the business intent; not the version, not a random number.
            amount, currency: what it risks, with up to 18 decimals.
            direction: what it does to the money at risk.
            action: description; part of the parameters that the key stands for.
            retention_ms: how long the result is kept; 0 for ever.
            opens, changes, closes: the one commitment that comes into being, is replaced, or (by its id) is over with
                this action: written with its result, in one step. What is pinned to this side it may reduce while it
                stands by.

        Raises:
            AlreadyDone: on entering: it has ended before; the exception has the recorded result.
            InDoubt, Busy, StandBy, Halted, LimitReached, KeyReused, NotOurs: on entering: not permitted, nothing was
                sent.
        """
        wanted = Proposal(key, amount, currency, direction, action, retention_ms=retention_ms)
        return self._claimer.action(wanted._replace(opens=opens, changes=changes, closes=closes))

    def once(self, wanted: Proposal, send: Callable[[Action], tuple[object, Decimal]]) -> str:
        """The result of a key: recorded if it was executed before, else what `send` returns (its result and PnL).

        Raises:
            AlreadyDone: the key was refused before, or is used up: it was not executed, and has no result.
        """
        act = self._claimer.action(wanted)
        try:
            with act:
                act.check()
                result, pnl = send(act)
                act.settle(result, pnl=pnl)
                return as_text(result)
        except AlreadyDone as before:
            if act.entered or before.done.outcome is not Outcome.OK:
                raise  # another key's, from inside `send`; or no result: it was not executed
            return before.done.result

    @property
    def commitments(self) -> Commitments:
        """What is owed, and what of it this process watches."""
        if self._commitments is None:
            from console.agent.blocking.commitments import Commitments  # here: not every agent owes something

            self._commitments = Commitments(self.core, self._link)
        return self._commitments

    def declare(self, manifest: Manifest) -> None:
        """Say that this version is made of something else from now on: call it *before* the new prompt, model or code
        is used. It returns once the store knows; another manifest than the one that the version is held to stops new
        entries, until an operator resumes.

        Raises:
            UsageError: it is no manifest.
            StoreUnreachable: no answer; it is told with the next heartbeat that arrives, and nothing is claimed before.
        """
        self.core.declare(manifest)
        self._service.beat()

    # -- doubts and stops ----------------------------------------------------------------------------------------------

    def resolve(self, probe: Probe) -> dict[str, ResolveCode]:
        """Ask the author's `probe` about every claim in doubt, and record what it found out.

        Args:
            probe: given a claim, what the venue says; None where it says nothing. *Not executed* is taken from the
                holder itself, or once the holder is dead, and only if the quarantine was over before the probe was
                asked; the reply says which stands in the way.

        Returns:
            key → what the store said, for every claim that the probe had evidence on.
        """
        heartbeats = self._link.run(lambda fence: fence.heartbeats())
        steady_ms = (self._link.run(lambda fence: fence.tend(self.core.seen))).steady_ms
        answers: dict[str, ResolveCode] = {}
        for claim in doubts.to_ask_about(self.core, self._link.run(lambda fence: fence.open_claims())):
            looked = doubts.look(self.core, claim, heartbeats, steady_ms)
            evidence = probe(claim)
            if evidence is not None:
                wanted = doubts.resolution(self.core, claim, evidence, looked)
                reply = self._link.run(partial(Fence.resolve, resolution=wanted))
                answers[claim.key] = reply.code
                if reply.code in (ResolveCode.RESOLVED, ResolveCode.ALREADY):
                    self.core.in_doubt.discard(claim.key)
        return answers

    def halt(self, why: str, level: Level = Level.HALT) -> None:
        """Stop, everywhere: the first door."""
        self._link.run(lambda fence: fence.halt(self.instance, as_words(why), level=level, source=Source.AGENT))
        self._service.wake()

    def trip(self, why: str, epoch: int | None = None, trigger: str = "") -> None:
        """A critical trigger outside an action: roll back to a healthy other side, else halt. Evidence of an epoch
        that is over changes nothing. `trigger` is its name, for programs."""
        at = self.epoch if epoch is None else epoch
        with suppress(StoreUnreachable):  # without a store nobody acts anyway
            words = as_words(why)
            self._link.run(lambda fence: fence.trip(epoch=at, why=words, by=self.instance, trigger=trigger))
        self._service.wake()
