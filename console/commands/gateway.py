"""The one door from commands to the store: read-only is enforced here, and here every change gets its audit entry.

A command can't forget either: it holds no client, only this.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

from console.domain.claims import Level, OpenClaim
from console.domain.deployment import Deployment, Phase, Slot
from console.domain.errors import Conflict, ConsoleError, ReadOnly, Refused, StoreUnreachable
from console.domain.flags import FlagReading, FlagSpec
from console.domain.observation import StoreReading
from console.domain.receipt import AuditEntry, Change, Receipt
from console.domain.text import clean
from console.store import audit as audit_stream
from console.store import events as control_events
from console.store.claims import Proof, ResolveCode
from console.store.connect import connect
from console.store.fence import AsyncFence, new_id
from console.store.keys import Keys
from console.store.quiesce import Quiesced, plain_readers, quiesced_switch
from console.store.reader import read_flag_key, read_store
from console.store.replies import FlagCode, HaltCode, SwitchCode, SwitchReply

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.domain.health import Check

T = TypeVar("T")

DRAIN_MS: Final = 10_000
ACK_WAIT_S: Final = 1.0
"""How long a receipt waits for fenced agents to acknowledge before it names those that have not."""
FRESH_S: Final = 5.0
"""An instance with an older heartbeat is not waited for."""
_POLL_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class Quiesce:
    """How a planned switch waits for plain agents, which can't be fenced.

    Args:
        poll_ms: how often they read the active key.
        deadline_ms: the longest that nobody is active; who has not read it by then is named.
    """

    poll_ms: int = 1_000
    deadline_ms: int = 5_000


class Gateway:
    """Reads for everybody, writes for those who may.

    Args:
        client: connected; its retries must be off.
        keys: whose.
        url: of the store, for messages.
        registry: the registered flags.
        who: the operator's name.
        read_only: refuse every write.
        drain_ms: how long a planned switch waits for what is in flight.
        quiesce: how plain agents are waited for in a planned switch; None flips under them.
    """

    def __init__(
        self,
        client: Redis,
        keys: Keys,
        *,
        url: str,
        registry: Mapping[str, FlagSpec],
        who: str,
        read_only: bool = False,
        drain_ms: int = DRAIN_MS,
        quiesce: Quiesce | None = Quiesce(),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.keys = keys
        self.url = url
        self.who = who
        self.read_only = read_only
        self._client = client
        self._fence = AsyncFence(client, keys)
        self._registry = registry
        self._drain_ms = drain_ms
        self._quiesce = quiesce
        self._clock = clock

    async def read(self) -> StoreReading:
        """The store as it is now, complete.

        Raises:
            StoreUnreachable: it did not answer.
        """
        return await read_store(self._client, self.keys, self._registry, now=self._clock())

    async def read_flag(self, name: str) -> FlagReading | None:
        """One flag, with its whole text; None when there is no such key.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        return await read_flag_key(self._client, self.keys, name, self._registry.get(name))

    async def audit(self, count: int) -> tuple[AuditEntry, ...]:
        """The newest receipts, oldest first.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        return await audit_stream.recent(self._client, self.keys, count)

    async def history(self, count: int) -> tuple[AuditEntry, ...]:
        """The newest receipts, and what changed who may act without one; oldest first.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        events = await control_events.recent(self._client, self.keys, count)
        return control_events.with_events(await self.audit(count), events)[-count:]

    def require_writable(self, command: str) -> None:
        """Refuse on a console that may only look.

        Raises:
            ReadOnly: it is one.
        """
        if self.read_only:
            raise ReadOnly(
                f"This console is read-only; {command} was not carried out.",
                "`:unlock`, or start without --read-only.",
            )

    def require_epoch(self, expected: int, seen: Deployment) -> None:
        """Refuse what is based on an old view.

        Raises:
            Conflict: the epoch has moved on.
        """
        if expected != seen.epoch:
            raise Conflict(
                f"Somebody moved the active side meanwhile: the epoch is {seen.epoch}, not {expected}.",
                "Look again, then decide.",
            )

    async def set_flag(
        self,
        name: str,
        *,
        expected: str | None,
        value: str | None,
        command: str,
        why: str,
        undoes: str = "",
        reversible: bool = True,
    ) -> Receipt:
        """Set a flag (None: remove it) if it still holds what is expected (None: that it is missing).

        Raises:
            Conflict: it holds something else.
            Refused: its key is not text.
            ReadOnly, StoreUnreachable: as named.
        """
        self.require_writable(command)
        started = time.perf_counter()
        identity = new_id()
        reversible = reversible and not undoes
        fields = self._audit_fields(identity, command, f"flag:{name}", why, undoes=undoes, reversible=reversible)
        reply = await self._once(self._fence.set_flag(name, expected=expected, value=value, audit=fields), command)
        if reply.code is FlagCode.CONFLICT:
            holds = "unset" if reply.before is None else clean(reply.before, 40)
            raise Conflict(f"flag {name} is {holds} now; somebody changed it meanwhile.", "Look again, then decide.")
        if reply.code is FlagCode.WRONGTYPE:
            raise Refused(f"The key of flag {name} holds a {clean(reply.before, 24)}, not text.")
        return Receipt(
            id=identity,
            at=_server_time(reply.server_ms),
            command=command,
            agent=self.keys.agent,
            changes=(Change(f"flag:{name}", expected, value),),
            elapsed_ms=_ms_since(started),
            who=self.who,
            why=why,
            reversible=reversible,
        )

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
            undoes: the receipt that this takes back.
            reversible: whether `undo` may take this one back.

        Raises:
            Conflict: somebody else moved the active side.
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
                    audit=fields,
                ),
                command,
            )
            first_code, plain = reply.code, None
        changed_ms = _ms_since(started)
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
            at=_server_time(reply.server_ms),
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
            at=_server_time(reply.server_ms),
            command=command,
            agent=self.keys.agent,
            changes=() if again else (change,),
            elapsed_ms=_ms_since(started),
            who=self.who,
            why=why,
            epoch=reply.epoch,
            note="as much was stopped already" if again else "",
        )

    async def examine(self, wait_replicas: int) -> tuple[Check, ...]:
        """Every check of the server that money depends on.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        from console.store.doctor import examine  # here: the other verbs need not pay for it

        return await examine(self._client, self.keys, wait_replicas=wait_replicas, now=self._clock())

    async def doubts(self) -> list[OpenClaim]:
        """Every action in doubt, oldest first.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        return [claim for claim in await self._fence.open_claims() if claim.in_doubt]

    async def resolve_doubt(
        self,
        claim: OpenClaim,
        *,
        executed: bool,
        proof: str,
        evidence: str,
        pnl: Decimal,
        command: str,
        why: str,
    ) -> Receipt:
        """End an action in doubt, on evidence.

        Raises:
            Refused: the evidence is not enough: its holder might still send it, or the venue might still show it.
            ReadOnly, StoreUnreachable: as named.
        """
        self.require_writable(command)
        started = time.perf_counter()
        reply = await self._once(
            self._fence.resolve(
                claim.key,
                claim.claim_id,
                executed=executed,
                proof=Proof(proof) if proof else None,
                by=self.who,
                evidence=evidence,
                pnl=pnl,
            ),
            command,
        )
        if reply.code is not ResolveCode.RESOLVED:
            message, hint = _UNRESOLVED.get(reply.code, (f"It was not resolved: {reply.code.value.lower()}.", ""))
            detail = f" ({clean(reply.detail, 60)})" if reply.detail else ""
            raise Refused(f"{clean(claim.key, 60)}: {message}{detail}", hint)
        verdict = "executed" if executed else "not executed"
        change = Change(f"doubt {claim.key}", f"in doubt, {claim.amount.normalize():f} {claim.currency}", verdict)
        return await self.record(command=command, changes=(change,), why=why or evidence, started=started)

    async def record(
        self,
        *,
        command: str,
        changes: Sequence[Change],
        why: str,
        started: float,
        note: str = "",
        must_be_recorded: bool = True,
    ) -> Receipt:
        """Receipt and audit entry for what was done outside the store, or in several steps.

        Args:
            started: `time.perf_counter()` when it began.
            must_be_recorded: False for what only reads the store: it is done on a read-only console too, unrecorded.
        """
        receipt = Receipt(
            id=new_id(),
            at=self._clock(),
            command=command,
            agent=self.keys.agent,
            changes=tuple(changes),
            elapsed_ms=_ms_since(started),
            who=self.who,
            why=why,
            note=note,
        )
        if self.read_only and not must_be_recorded:
            return receipt
        self.require_writable(command)
        await self._once(audit_stream.append(self._client, self.keys, receipt), command)
        return receipt

    async def aclose(self) -> None:
        """Give the connection back."""
        await self._client.aclose()

    async def tend(self) -> None:
        """Housekeeping that is nobody's: the end of a drain, a hand-written key, expired leases.

        Raises:
            ReadOnly, StoreUnreachable: as named.
        """
        self.require_writable("housekeeping")
        await self._fence.tend()

    def _audit_fields(
        self, identity: str, command: str, what: str, why: str, *, undoes: str = "", reversible: bool = False
    ) -> dict[str, str]:
        return audit_stream.request_fields(
            id=identity,
            command=command,
            agent=self.keys.agent,
            what=what,
            who=self.who,
            why=why,
            undoes=undoes,
            reversible=reversible,
        )

    async def _once(self, call: Awaitable[T], command: str) -> T:
        """Send once. No answer means that whether it happened is unknown, and that is what is said."""
        try:
            return await call
        except StoreUnreachable as error:
            raise StoreUnreachable(
                f"{command}: {error.message} Whether it was carried out is unknown.",
                "Look at `agent-console status` and `agent-console audit` before trying again.",
            ) from error

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


_UNRESOLVED: Final[Mapping[ResolveCode, tuple[str, str]]] = {
    ResolveCode.ALREADY: ("it is resolved already.", ""),
    ResolveCode.NOT_IN_DOUBT: ("it is not in doubt.", ""),
    ResolveCode.NEEDS_EVIDENCE: ("it takes evidence.", 'Say --evidence "…".'),
    ResolveCode.HOLDER_ALIVE: (
        "its holder might still send it.",
        "Prove that it can't: --proof gone, silent or burned; or wait until it settles itself.",
    ),
    ResolveCode.TOO_EARLY: ("the venue might still show it.", "Ask the venue again after the milliseconds named."),
}


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
    if code in (SwitchCode.UNHEALTHY, SwitchCode.NO_PREVIOUS, SwitchCode.BADTARGET, SwitchCode.NEEDS_REASON):
        raise Refused(f"{target.value} can't become active: {clean(reply.detail) or code.value.lower()}.")


def _server_time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
