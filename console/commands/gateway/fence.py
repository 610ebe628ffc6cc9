"""Moving the active side: switch, halt, and waiting for those who have to know."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from console.commands.gateway.door import Door, ms_since, server_time
from console.domain.errors import Conflict, ConsoleError, Refused
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Deployment, Phase, Slot
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean
from console.store.fence.ids import new_id
from console.store.fence.quiesce import Quiesced, plain_readers, quiesced_switch
from console.store.fence.replies import HaltCode, SwitchCode, SwitchReply
from console.store.records import audit as audit_stream
from console.store.server.connect import connect

if TYPE_CHECKING:
    pass

ACK_WAIT_S: Final = 1.0
"""How long a receipt waits for fenced agents to acknowledge before it names those that have not."""
FRESH_S: Final = 5.0
"""An instance with an older heartbeat is not waited for."""
_POLL_S: Final = 0.01


class NotHealthy(Refused):
    """The side that was to become active is not known to be healthy; nothing was changed."""

    title = "Not healthy"


class Moving(Door):
    """The part of the gateway that changes who may act."""

    async def switch(
        self,
        target: Slot,
        *,
        command: str,
        seen: Deployment,
        expected_epoch: int,
        mode: str,
        why: str,
        resume: bool = False,
        require_healthy: bool = False,
        undoes: str = "",
        reversible: bool = True,
    ) -> Receipt:
        """Make a slot the active one if the epoch still is what is expected; wait for drain and acknowledgements.

        Args:
            target: the slot.
            command: the verb, for receipt and audit.
            seen: what the decision was based on; who has to acknowledge is taken from it.
            expected_epoch: 0 for "there was no authority yet".
            mode: "drain" or "now".
            why: the reason.
            resume: whether this ends a halt.
            require_healthy: refuse a target without a ready instance, a fresh heartbeat and the state's schema.
            undoes: the receipt that this takes back.
            reversible: whether `undo` may take this one back.

        Raises:
            Conflict: somebody else moved the active side.
            NotHealthy: the target had to be healthy and is not known to be.
            Refused: it is halted, or the target can't be.
            ReadOnly, StoreUnreachable: as named.
        """
        self.require_writable(command)
        started = time.perf_counter()
        identity = new_id()
        reversible = reversible and not undoes and not resume
        fields = self._audit_fields(identity, command, "active version", why, undoes=undoes, reversible=reversible)
        if mode == "drain" and not resume and await self._has_plain_agents():
            done = await self._quiesced(target, identity, expected_epoch, why, fields, command)
            reply, first_code, plain = done.reply, SwitchCode.DRAINING, done
        else:
            reply = await self._once(
                self._fence.switch(
                    target.value,
                    expected_epoch=expected_epoch,
                    mode=mode,
                    drain_ms=self._drain_ms,
                    switch_id=identity,
                    by=self.who,
                    why=why,
                    resume=resume,
                    require_healthy=require_healthy,
                    audit=fields,
                ),
                command,
            )
            first_code, plain = reply.code, None
        changed_ms = ms_since(started)
        _raise_unless_moved(reply, target, expected_epoch)
        changes: tuple[Change, ...] = ()
        epoch, note = reply.epoch, f"{target.value} is active already"
        if reply.code is not SwitchCode.NOOP:
            changes = (Change("active version", seen.plain_text, target.value),)
            epoch, note = await self._settled(reply, target)
        waiting = [i for i in seen.instances if (self._clock() - i.heartbeat_at).total_seconds() <= FRESH_S]
        expected = tuple(sorted(str(instance.name) for instance in waiting))
        acknowledged = await self._acknowledged(epoch, expected) if changes else expected
        if plain is not None and changes:
            note = f"plain agents waited for by {plain.method}; nobody was active for {plain.waited_ms} ms"
            expected += tuple(map(str, (*plain.acknowledged, *plain.silent)))
            acknowledged += tuple(map(str, plain.acknowledged))
        receipt = Receipt(
            id=identity,
            at=server_time(reply.server_ms),
            command=command,
            agent=self.keys.agent,
            changes=changes,
            elapsed_ms=changed_ms,
            who=self.who,
            why=why,
            epoch=epoch,
            note=note,
            reversible=reversible and bool(changes),
            acknowledged=acknowledged,
            expected_acks=expected,
        )
        if first_code is SwitchCode.DRAINING and changes:
            end = receipt._replace(changes=(Change("active version", "draining", target.value),), reversible=False)
            await audit_stream.append(self._client, self.keys, end)
        return receipt

    async def halt(self, *, command: str, why: str, level: Level = Level.HALT) -> Receipt:
        """Stop, up to a level; always wins, and a lower level never replaces a higher one.

        Raises:
            ReadOnly, StoreUnreachable: as named.
        """
        self.require_writable(command)
        started = time.perf_counter()
        identity = new_id()
        fields = self._audit_fields(identity, command, "active version", why)
        reply = await self._once(self._fence.halt(self.who, why, level=level, audit=fields), command)
        if reply.code is HaltCode.NOINIT:
            raise Refused("No authority is there whose level could be raised.", "A full `halt` works here.")
        again = reply.code is HaltCode.AGAIN
        change = Change("active version", reply.plain_before or None, "halted")
        if level is not Level.HALT:
            change = Change("allowed", "everything", str(level))
        return Receipt(
            id=identity,
            at=server_time(reply.server_ms),
            command=command,
            agent=self.keys.agent,
            changes=() if again else (change,),
            elapsed_ms=ms_since(started),
            who=self.who,
            why=why,
            epoch=reply.epoch,
            note="as much was stopped already" if again else "",
        )

    async def tend(self) -> None:
        """Housekeeping that is nobody's: the end of a drain, a hand-written key, expired leases.

        Raises:
            ReadOnly, StoreUnreachable: as named.
        """
        self.require_writable("housekeeping")
        await self._fence.tend()

    async def _has_plain_agents(self) -> bool:
        return self._quiesce is not None and bool(await plain_readers(self._fence))

    async def _quiesced(
        self, target: Slot, identity: str, expected_epoch: int, why: str, fields: dict[str, str], command: str
    ) -> Quiesced:
        """The switch that waits until every plain agent has read that it is not its turn."""
        assert self._quiesce is not None
        watcher = None
        if not self.url.startswith("unix:"):  # MONITOR can't tell connections over a Unix socket apart
            watcher = await connect(self.url, timeout_s=None, name="agent-console-watch")
        try:
            return await self._once(
                quiesced_switch(
                    self._fence,
                    target.value,
                    expected_epoch=expected_epoch,
                    by=self.who,
                    why=why,
                    watcher=watcher,
                    poll_ms=self._quiesce.poll_ms,
                    deadline_ms=self._quiesce.deadline_ms,
                    switch_id=identity,
                    audit=fields,
                ),
                command,
            )
        finally:
            if watcher is not None:
                await watcher.aclose()

    async def _settled(self, reply: SwitchReply, target: Slot) -> tuple[int, str]:
        """Wait for the end of a drain: its last epoch, and a word. Whoever calls next finishes it."""
        if reply.code is not SwitchCode.DRAINING:
            return reply.epoch, ""
        deadline = time.monotonic() + self._drain_ms / 1000 + 1.0
        doubts = reply.in_doubt
        while time.monotonic() < deadline:
            state = await self._fence.tend()
            if state.phase is not Phase.DRAIN:
                if state.active is not target:
                    raise ConsoleError(
                        f"The drain ended elsewhere: {state.phase}, active {state.active}.", "Look again."
                    )
                fresh = state.in_doubt - doubts
                return state.epoch, "drained" + (f", {fresh} actions are in doubt" if fresh > 0 else "")
            await asyncio.sleep(_POLL_S)
        return reply.epoch, "still draining"

    async def _acknowledged(self, epoch: int, expected: Sequence[str]) -> tuple[str, ...]:
        if not expected:
            return ()
        deadline = time.monotonic() + ACK_WAIT_S
        while True:
            instances = (await self.read()).deployment.instances
            names = tuple(sorted(str(i.name) for i in instances if str(i.name) in expected and i.acknowledged(epoch)))
            if len(names) == len(expected) or time.monotonic() > deadline:
                return names
            await asyncio.sleep(_POLL_S)


def _raise_unless_moved(reply: SwitchReply, target: Slot, expected_epoch: int) -> None:
    code = reply.code
    if code is SwitchCode.CONFLICT:
        active = reply.active.value if reply.active else reply.phase.value
        raise Conflict(
            f"Somebody moved the active side meanwhile: the epoch is {reply.epoch}, not {expected_epoch}; "
            f"active is {active}.",
            "Look again, then decide.",
        )
    if code is SwitchCode.HALTED:
        raise Refused("Halted; a switch does not end a halt.", "`resume blue` or `resume green`, with a reason, does.")
    if code is SwitchCode.UNHEALTHY:
        raise NotHealthy(f"{target.value} is not known to be healthy: {clean(reply.detail)}.")
    if code in (SwitchCode.NO_PREVIOUS, SwitchCode.BADTARGET, SwitchCode.NEEDS_REASON):
        raise Refused(f"{target.value} can't become active: {clean(reply.detail) or code.value.lower()}.")
