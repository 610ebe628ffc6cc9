"""Moving the active side: switch, halt, and waiting for those who have to know."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import ceil
from typing import Final, NamedTuple

from console.commands.gateway.door import OTHERWISE, Begun, Door, Order, otherwise, server_time, tended
from console.domain.errors import ConsoleError, Refused
from console.domain.fence.claims import Level, OpenClaim
from console.domain.fence.deployment import Deployment, Phase, Slot
from console.domain.fence.intent import Aim
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean
from console.store.fence.calls import SwitchRequest
from console.store.fence.claims import Proof, Resolution, ResolveCode, ResolveReply
from console.store.fence.quiesce import Quiesced, Waiting, plain_readers, quiesced_switch
from console.store.fence.replies import HaltCode, SwitchCode, SwitchReply
from console.store.records import audit as audit_stream
from console.store.server.cluster import keys_on
from console.store.server.connect import connect

ACK_WAIT_S: Final = 1.0
"""How long a receipt waits for fenced agents to acknowledge before it names those that have not."""
_POLL_S: Final = 0.01
NOT_EXECUTED: Final = {False: "not executed", True: "not executed, its key is used up"}
"""How a doubt ended, as receipts say it: by whether its key can be claimed again."""
EVERYTHING: Final = Level.NONE.allowed
"""What is allowed while nothing is frozen, as receipts say it."""


_UNRESOLVED: Final[Mapping[ResolveCode, tuple[str, str]]] = {
    ResolveCode.ALREADY: ("it is resolved already.", ""),
    ResolveCode.NOT_IN_DOUBT: ("it is not in doubt.", ""),
    ResolveCode.NEEDS_EVIDENCE: ("it takes evidence.", 'Say --evidence "…".'),
    ResolveCode.HOLDER_ALIVE: (
        "its holder might still send it.",
        "Prove that it can't: --proof gone, silent or burned; or wait until it settles itself.",
    ),
    ResolveCode.TOO_EARLY: ("the venue might still show it.", "Then ask the venue again; what was typed is kept."),
}


class Ending(NamedTuple):
    """How an action in doubt ended, as an operator says it.

    Args:
        executed: whether the venue did it.
        evidence: what was seen.
        proof: for *not executed*: why its holder can't send it any more; empty for none.
        pnl: profit or loss, in the claim's currency, where it was executed.
    """

    executed: bool
    evidence: str
    proof: str = ""
    pnl: Decimal = Decimal(0)


class NotHealthy(Refused):
    """The side that was to become active is not known to be healthy; nothing was changed."""

    title = "Not healthy"


class Move(NamedTuple):
    """Which side is to become the active one.

    Args:
        target: the slot.
        seen: what the decision was based on; who has to acknowledge is taken from it.
        expected_epoch: 0 for "there was no authority yet".
        mode: "drain" or "now".
        resume: whether this ends a halt.
        require_healthy: refuse a target without a ready instance, a fresh heartbeat and the state's schema.
        aim: what for, where the move alone does not tell.
        run_revision: of the upgrade's run that moves it, which must not have been changed since; 0 for no run.
    """

    target: Slot
    seen: Deployment
    expected_epoch: int
    mode: str
    resume: bool = False
    require_healthy: bool = False
    aim: Aim = Aim.NONE
    run_revision: int = 0


class FenceGate:
    """Changes who may act.

    Args:
        door: what it goes through.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    async def switch(self, move: Move, order: Order) -> Receipt:
        """Make a slot the active one if the epoch still is what is expected; wait for drain and acknowledgements.

        Raises:
            Conflict: somebody else moved the active side elsewhere; where it was moved to where it should be, the
                receipt says who did so.
            NotHealthy: the target had to be healthy and is not known to be.
            Refused: it is halted, or the target can't be.
            ReadOnly, StoreUnreachable: as named.
        """
        order = order._replace(reversible=order.reversible and not order.undoes and not move.resume)
        level = move.seen.authority.level if move.seen.authority is not None else Level.NONE
        lifts = move.resume and active_in(move.seen) is move.target and level is not Level.NONE
        begun = self._door.begin(order, "allowed" if lifts else "active version")
        request = SwitchRequest(
            move.target.value,
            expected_epoch=move.expected_epoch,
            by=self._door.who,
            why=order.why,
            mode=move.mode,
            drain_ms=self._door.drain_ms,
            switch_id=begun.id,
            resume=move.resume,
            require_healthy=move.require_healthy,
            aim=move.aim,
            run_revision=move.run_revision,
            audit=begun.fields,
            basis=order.basis,
        )
        plain = await self._quiesced(begun, request)
        reply = plain.reply if plain else await begun.once(self._door.fence.switch(request))
        changed_ms = begun.elapsed_ms
        if reply.code is SwitchCode.CONFLICT and reply.detail in OTHERWISE:
            raise otherwise(reply.detail)
        if reply.code is SwitchCode.CONFLICT:
            return await self._already(begun, move)
        _raise_unless_moved(reply, move)
        if reply.code is SwitchCode.NOOP:
            note, expected = f"{move.target.value} is active already", _awaited(move, reply)
            receipt = begun.receipt(server_ms=reply.server_ms, note=note, epoch=reply.epoch)
            return receipt._replace(elapsed_ms=changed_ms, acknowledged=expected, expected_acks=expected)
        change = Change("active version", move.seen.plain_text, move.target.value)
        if reply.code is SwitchCode.RESUMED:
            change = Change("allowed", clean(reply.detail, 24), EVERYTHING)
        epoch, note = await self._settled(reply, move.target)
        expected = _awaited(move, reply)
        acknowledged = await self._acknowledged(epoch, expected)
        if plain is not None:
            note = f"plain agents waited for by {plain.method}; nobody was active for {plain.waited_ms} ms"
            expected += tuple(map(str, (*plain.acknowledged, *plain.silent)))
            acknowledged += tuple(map(str, plain.acknowledged))
        receipt = begun.receipt(change, server_ms=reply.server_ms, note=note, epoch=epoch)
        receipt = receipt._replace(elapsed_ms=changed_ms, acknowledged=acknowledged, expected_acks=expected)
        if plain is not None or reply.code is SwitchCode.DRAINING:
            drained = Change("active version", "draining", move.target.value)
            end = receipt._replace(changes=(drained,), reversible=False)
            await audit_stream.append(self._door.client, self._door.keys, end)
        return receipt

    async def _already(self, begun: Begun, move: Move) -> Receipt:
        """The receipt where somebody else did the same meanwhile: nothing is left to do, and nothing was changed.

        Raises:
            Conflict: what is so now is something else.
        """
        now = (await self._door.read()).deployment
        authority = now.authority
        if authority is None or not does_so(now, move.target) or (move.resume and authority.level is not Level.NONE):
            raise await self._door.moved_meanwhile(now)
        return begun.receipt(note=await self.already_done(now), epoch=now.epoch)

    async def already_done(self, now: Deployment) -> str:
        """That what is wanted was done by somebody else: who and when, and the epoch as the screen counts it."""
        mover = await self._door.mover(now.epoch)
        who = f"{mover.who} already did it at {mover.at:%H:%M:%S}Z ({mover.command})" if mover else "it is so already"
        epoch = f", epoch {now.authority.generation}" if now.authority is not None else ""
        return f"{who}: active is {now.plain_text or 'nobody'}{epoch}"

    async def halt(self, order: Order, level: Level = Level.HALT) -> Receipt:
        """Stop, up to a level; always wins, and a lower level never replaces a higher one.

        Raises:
            ReadOnly, StoreUnreachable: as named.
        """
        begun = self._door.begin(order, "active version" if level is Level.HALT else "allowed")
        reply = await begun.once(self._door.fence.halt(self._door.who, order.why, level=level, audit=begun.fields))
        if reply.code is HaltCode.NOINIT:
            raise Refused("No authority is there whose level could be raised.", "A full `halt` works here.")
        if reply.code is HaltCode.AGAIN:
            note = await self._stopped_already()
            return begun.receipt(server_ms=reply.server_ms, epoch=reply.epoch, note=note)
        change = Change("active version", reply.plain_before or None, "halted")
        if level is not Level.HALT:
            change = Change("allowed", clean(reply.detail, 24), level.allowed)
        return begun.receipt(change, server_ms=reply.server_ms, epoch=reply.epoch)

    async def _stopped_already(self) -> str:
        """That as much was stopped already, and by whom; a halt waits for no more than that."""
        try:
            mover = await self._door.mover((await self._door.read()).deployment.epoch)
        except ConsoleError:
            mover = None  # who it was is a nicety: the halt holds
        who = f": {mover.who} already did it at {mover.at:%H:%M:%S}Z ({mover.command})" if mover else ""
        return f"as much was stopped already{who}"

    async def tend(self) -> None:
        """Housekeeping that is nobody's: the end of a drain, a hand-written key, expired leases, and the halt of a
        store that is damaged or behind what this host remembers of it.

        Raises:
            ReadOnly, StoreUnreachable: as named.
        """
        self._door.require_writable("housekeeping")
        await tended(self._door.fence)

    async def resolve_doubt(self, claim: OpenClaim, ending: Ending, order: Order) -> Receipt:
        """End an action in doubt, on evidence.

        Raises:
            Refused: the evidence is not enough: its holder might still send it, or the venue might still show it.
            ReadOnly, StoreUnreachable: as named.
        """
        begun = self._door.begin(order._replace(why=order.why or ending.evidence))
        resolution = Resolution(
            claim.key,
            claim.claim_id,
            executed=ending.executed,
            by=self._door.who,
            evidence=ending.evidence,
            proof=Proof(ending.proof) if ending.proof else None,
            pnl=ending.pnl,
        )
        reply = await begun.once(self._door.fence.resolve(resolution))
        if reply.code is not ResolveCode.RESOLVED:
            message, hint = _UNRESOLVED.get(reply.code, (f"It was not resolved: {reply.code.value.lower()}.", ""))
            raise Refused(f"{clean(claim.key, 60)}: {message}{_in_words(reply)}", hint)
        verdict = "executed" if ending.executed else NOT_EXECUTED[reply.used_up]
        change = Change(f"doubt {claim.key}", f"in doubt, {claim.amount.normalize():f} {claim.currency}", verdict)
        return await begun.record(begun.receipt(change))

    async def _quiesced(self, begun: Begun, request: SwitchRequest) -> Quiesced | None:
        """The switch that waits until every plain agent has read that it is not its turn; None where that is not
        due."""
        door = self._door
        if request.mode != "drain" or request.resume or door.quiesce is None or not await plain_readers(door.fence):
            return None
        watcher = None
        if not door.url.startswith("unix:"):  # MONITOR can't tell connections over a Unix socket apart
            watcher = await connect(door.url, timeout_s=None, name="agent-console-watch")
            keys_on(watcher, door.keys.agent)  # on a Cluster it watches that agent's node
        try:
            waiting = Waiting(watcher, door.quiesce.poll_ms, door.quiesce.deadline_ms)
            return await begun.once(quiesced_switch(door.fence, request, waiting))
        finally:
            if watcher is not None:
                await watcher.aclose()

    async def _settled(self, reply: SwitchReply, target: Slot) -> tuple[int, str]:
        """Wait for the end of a drain: its last epoch, and a word. Whoever calls next finishes it."""
        if reply.code is not SwitchCode.DRAINING:
            return reply.epoch, ""
        deadline = time.monotonic() + self._door.drain_ms / 1000 + 1.0
        doubts = flying = reply.in_doubt
        while time.monotonic() < deadline:
            state = await self._door.fence.tend()
            if state.phase is not Phase.DRAIN:
                if state.active is not target:
                    raise ConsoleError(
                        f"The drain ended elsewhere: {state.phase}, active {state.active}.", "Look again."
                    )
                fresh = state.in_doubt - doubts
                return state.epoch, "drained" + (f", {fresh} actions are in doubt" if fresh > 0 else "")
            if state.in_doubt > flying:  # the deadline has passed: the store ends so many claims with each call
                flying, deadline = state.in_doubt, max(deadline, time.monotonic() + 1.0)
                continue
            await asyncio.sleep(_POLL_S)
        return reply.epoch, "still draining"

    async def _acknowledged(self, epoch: int, expected: Sequence[str]) -> tuple[str, ...]:
        if not expected:
            return ()
        deadline = time.monotonic() + ACK_WAIT_S
        while True:
            instances = (await self._door.read()).deployment.instances
            names = tuple(sorted(str(i.name) for i in instances if str(i.name) in expected and i.acknowledged(epoch)))
            if len(names) == len(expected) or time.monotonic() > deadline:
                return names
            await asyncio.sleep(_POLL_S)


def _in_words(reply: ResolveReply) -> str:
    """What the store says beside a refusal; milliseconds as people read them."""
    if not reply.detail.isdecimal():
        return f" ({clean(reply.detail, 60)})" if reply.detail else ""
    seconds = int(reply.detail) / 1000
    if reply.code is ResolveCode.TOO_EARLY:
        return f" It can be resolved in {ceil(seconds)} s."
    return f" It has been silent for {seconds:.0f} s."


def does_so(seen: Deployment, target: Slot) -> bool:
    """Whether a side is active, and may act."""
    authority = seen.authority
    return authority is not None and authority.phase is Phase.RUN and authority.active is target


def active_in(seen: Deployment) -> Slot | None:
    """Who may act, by the authority."""
    return seen.authority.active if seen.authority is not None else None


def _awaited(move: Move, reply: SwitchReply) -> tuple[str, ...]:
    """Who has to acknowledge it: whoever was alive when it was carried out, by the server's clock."""
    then = server_time(reply.server_ms)
    return tuple(sorted(str(one.name) for one in move.seen.instances if one.heard(then)))


def _raise_unless_moved(reply: SwitchReply, move: Move) -> None:
    code, target = reply.code, move.target
    if code is SwitchCode.HALTED:
        raise Refused("Halted; a switch does not end a halt.", "`resume blue` or `resume green`, with a reason, does.")
    if code is SwitchCode.UNHEALTHY:
        raise NotHealthy(f"{target.value} is not known to be healthy: {clean(reply.detail)}.")
    if code in (SwitchCode.NO_PREVIOUS, SwitchCode.BADTARGET, SwitchCode.NEEDS_REASON):
        raise Refused(f"{target.value} can't become active: {clean(reply.detail) or code.value.lower()}.")
