"""The door from commands to the store: who may write, what goes into the audit, and everything that only reads."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from console.domain.errors import Conflict, GatesMoved, NotCarriedOut, ReadOnly, StoreUnreachable, WritesRefused
from console.domain.fence.claims import OpenClaim
from console.domain.fence.deployment import Deployment
from console.domain.operator.receipt import AuditEntry, Change, Receipt
from console.domain.seen.observation import StoreReading
from console.domain.seen.rows import with_events
from console.domain.state.flags import FlagReading, FlagSpec
from console.store.fence.aio import AsyncFence
from console.store.fence.holding import Holding
from console.store.fence.hosts import host_name, is_gone
from console.store.fence.ids import new_id
from console.store.fence.memory import default_memory
from console.store.fence.replies import BeatCode, BeatReply
from console.store.keys import Keys
from console.store.reading import events as control_events
from console.store.reading.reader import read_flag_key, read_store
from console.store.records import audit as audit_stream
from console.store.server.clock import server_ms
from console.store.server.login import login_of
from console.store.server.sentinel import standing_of

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.domain.fence.chain import ChainVerdict, Mark
    from console.domain.fence.check import Check
    from console.domain.fence.promise import Promise
    from console.domain.fence.sent import Sending
    from console.domain.fence.way_back import SideHistory

T = TypeVar("T")

LOOK_BACK: Final = 100
"""Entries of the audit among which whoever moved the active side is looked for."""

LOOKED_BACK: Final = 10_000
"""Entries among which those of a time are looked for."""
BESIDE: Final = timedelta(hours=1)
"""An act and its receipt lie no farther apart."""

DRAIN_MS: Final = 10_000


class Quiesce(NamedTuple):
    """How a planned switch waits for plain agents, which can't be fenced.

    Args:
        poll_ms: how often they read the active key.
        deadline_ms: the longest that nobody is active; who has not read it by then is named.
    """

    poll_ms: int = 1_000
    deadline_ms: int = 5_000


QUIESCE: Final = Quiesce()


class Order(NamedTuple):
    """What an operator ordered, as receipt and audit say it.

    Args:
        command: the verb.
        why: the reason; empty for none.
        undoes: the receipt that this takes back.
        reversible: whether `undo` may take this one back.
        reduces: whether it reduces the money at risk: then a protected profile does not stand in its way.
        id: of the change, where a repetition has to be the same change; empty for one of its own.
        over: the closed gates that it goes over.
        basis: what the gates were asked about: the store refuses the act where that is otherwise by then.
    """

    command: str
    why: str = ""
    undoes: str = ""
    reversible: bool = False
    reduces: bool = False
    id: str = ""
    over: tuple[str, ...] = ()
    basis: str = ""


class Begun:
    """A change under way: sent once, and its receipt and its audit entry say the same.

    Args:
        door: where it goes through.
        order: what was ordered.
        what: the name of the one thing that it changes.
    """

    __slots__ = ("_door", "_order", "_started", "fields", "id")

    def __init__(self, door: Door, order: Order, what: str) -> None:
        self.id = order.id or new_id()
        self._door = door
        self._order = order
        self._started = time.perf_counter()
        self.fields: Mapping[str, str] = audit_stream.request_fields(
            id=self.id,
            command=order.command,
            agent=door.keys.agent,
            what=what,
            who=door.who,
            why=order.why,
            undoes=order.undoes,
            login=login_of(door.client),
            reversible=order.reversible,
        )

    @property
    def elapsed_ms(self) -> float:
        """Since it began."""
        return ms_since(self._started)

    async def once(self, call: Awaitable[T]) -> T:
        """Send once. No answer means that whether it happened is unknown, and that is what is said.

        Raises:
            StoreUnreachable: no answer.
        """
        return await once(call, self._order.command, self.id)

    def receipt(self, *changes: Change, server_ms: int | None = None, note: str = "", epoch: int = 0) -> Receipt:
        """What was done: nothing, where there are no changes.

        Args:
            changes: what it changed.
            server_ms: when, by the server's clock; None for ours.
            note: what there is to say beside.
            epoch: the one it ended in.
        """
        return Receipt(
            id=self.id,
            at=self._door.clock() if server_ms is None else server_time(server_ms),
            command=self._order.command,
            agent=self._door.keys.agent,
            changes=changes,
            elapsed_ms=self.elapsed_ms,
            who=self._door.who,
            why=self._order.why,
            epoch=epoch,
            note=note,
            reversible=self._order.reversible and bool(changes),
        )

    async def record(self, receipt: Receipt) -> Receipt:
        """Write a receipt into the audit, where no script wrote it; a console that may only look leaves it out."""
        if not self._door.read_only:
            await self.once(audit_stream.append(self._door.client, self._door.keys, receipt))
        return receipt


OTHERWISE: Final = {
    "events": "somebody changed something that they go by",
    "commitments": "what is owed has changed",
    "doubts": "what is in doubt has changed",
}
"""What is otherwise than the gates were asked about, as the store's scripts name it."""


def owed_alone(basis: str) -> str:
    """What gates were asked about, without the changes of operators and guards: for an act that makes some itself."""
    return basis and "/" + basis.partition("/")[2]


def otherwise(part: str) -> GatesMoved:
    """That an act was refused since what the gates were asked about is otherwise by now."""
    return GatesMoved(f"Since the gates were asked, {OTHERWISE[part]}: nothing was done.", "Look again, then decide.")


async def tended(fence: AsyncFence) -> BeatReply:
    """Let the store do its housekeeping, and hold it against what this host remembers of it: a store that is behind
    that is halted by this.

    Raises:
        StoreUnreachable: no answer.
    """
    memory = default_memory(fence.client, fence.keys.agent)
    try:
        reply = await fence.tend(memory.seen)
        if reply.code is BeatCode.OK:
            memory.take(Holding(partial(standing_of, fence.client)).held(reply.seen, memory.seen, time.monotonic()))
    finally:
        memory.close()
    return reply


class Door:
    """Reads for everybody, writes for those who may.

    Args:
        client: connected; its retries must be off.
        keys: whose.
        url: of the store, for messages.
        registry: the registered flags.
        who: the operator's name.
        read_only: refuse every write.
        locked: whether it is read-only because its profile is protected: what reduces risk is let through.
        drain_ms: how long a planned switch waits for what is in flight.
        quiesce: how plain agents are waited for in a planned switch; None flips under them.
        promise: what is vouched for of a server that does not tell.
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
        locked: bool = False,
        drain_ms: int = DRAIN_MS,
        quiesce: Quiesce | None = QUIESCE,
        promise: Promise | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.keys = keys
        self.url = url
        self.who = who
        self.read_only = read_only
        self.locked = locked
        self.client = client
        self.fence = AsyncFence(client, keys)
        self.registry = registry
        self.drain_ms = drain_ms
        self.quiesce = quiesce
        self.promise = promise
        self.clock = clock

    async def read(self) -> StoreReading:
        """The store as it is now, complete.

        Raises:
            StoreUnreachable: it did not answer.
        """
        return await read_store(self.client, self.keys, self.registry, now=self.clock())

    async def read_flag(self, name: str) -> FlagReading | None:
        """One flag, with its whole text; None when there is no such key.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        return await read_flag_key(self.client, self.keys, name, self.registry.get(name))

    async def audit(self, count: int) -> tuple[AuditEntry, ...]:
        """The newest receipts, oldest first.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        return await audit_stream.recent(self.client, self.keys, count)

    async def history(self, count: int) -> tuple[AuditEntry, ...]:
        """The newest receipts, and what changed who may act without one; oldest first.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        events = await control_events.recent(self.client, self.keys, count)
        return with_events(await self.audit(count), events)[-count:]

    async def history_between(self, since: datetime | None, until: datetime | None) -> tuple[AuditEntry, ...]:
        """The same of a time: the newest `LOOKED_BACK` entries before its end, those before its beginning left out.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        late_ms = None if until is None else round((until + BESIDE).timestamp() * 1000)
        events = await control_events.recent(self.client, self.keys, LOOKED_BACK, until_ms=late_ms)
        receipts = await audit_stream.recent(self.client, self.keys, LOOKED_BACK, until_ms=late_ms)
        whole = with_events(receipts, events)
        return tuple(one for one in whole if (since is None or one.at >= since) and (until is None or one.at < until))

    async def sides(self) -> SideHistory:
        """Who was active when, and by whose order, as far back as is read.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        from console.store.reading.sides import side_history  # here: only a roll back asks

        return await side_history(self.client, self.keys)

    async def doubts(self) -> list[OpenClaim]:
        """Every action in doubt, oldest first.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        now_ms = await server_ms(self.client)
        return [claim for claim in await self.fence.open_claims() if claim.is_doubt(now_ms)]

    async def sendings(self, claims: Sequence[OpenClaim]) -> tuple[Sending, ...]:
        """What is known of the sendings of each claim's key, in their order.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        from console.store.reading.sendings import sendings  # here: only doubts are asked for it

        return await sendings(self.fence, claims, await server_ms(self.client))

    async def holder_lives(self, claim: OpenClaim) -> bool:
        """Whether the process that holds a claim is on this host, and lives; False where that can't be seen from here.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        beat = (await self.fence.heartbeats()).get(claim.instance)
        return beat is not None and is_gone(beat, host_name()) is False

    async def verify_chains(
        self, since_ms: int | None = None, marks: Mapping[str, Sequence[Mark]] | None = None
    ) -> tuple[tuple[str, ChainVerdict], ...]:
        """Stream → whether its chain is whole: acts, log, audit.

        Args:
            since_ms: look at no older entry, in milliseconds since 1970; None at all.
            marks: stream → remembered places that have to be in it.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        from console.store.fence.chains import chains_of, verify_stream  # here: the other verbs need not pay for it

        known = marks or {}
        return tuple(
            [
                (
                    chain.name,
                    await verify_stream(
                        self.client, self.keys, chain, since_ms=since_ms, marks=known.get(chain.name, ())
                    ),
                )
                for chain in chains_of(self.keys)
            ]
        )

    async def examine(self, wait_replicas: int) -> tuple[Check, ...]:
        """Every check of the server that money depends on.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        from console.store.reading.doctor import examine  # here: the other verbs need not pay for it

        return await examine(
            self.client, self.keys, wait_replicas=wait_replicas, now=self.clock(), promise=self.promise
        )

    def require_writable(self, command: str, *, reduces: bool = False) -> None:
        """Refuse on a console that may only look.

        Args:
            command: what would be carried out.
            reduces: whether it reduces risk, which nothing but a console that was started read-only refuses.

        Raises:
            ReadOnly: it is one.
        """
        if self.read_only and not (self.locked and reduces):
            raise ReadOnly(
                f"This console is read-only; {command} was not carried out.",
                "A protected profile: `:unlock`, or --no-read-only for a verb. Else start without --read-only.",
            )

    async def require_epoch(self, expected: int, seen: Deployment) -> None:
        """Refuse what is based on an old view.

        Raises:
            Conflict: the epoch has moved on; the text says who moved it, and when.
        """
        if expected != seen.epoch:
            raise await self.moved_meanwhile(seen)

    async def moved_meanwhile(self, seen: Deployment) -> Conflict:
        """What to say to whoever decided on an earlier epoch than the one in force: who moved it, when, and what is so
        now, with the epoch as the screen counts it.

        Args:
            seen: as it is now.
        """
        mover, who = await self.mover(seen.epoch), "It was moved meanwhile"
        if mover is not None:
            who = f"{mover.who} moved it meanwhile ({mover.command}, {mover.at:%H:%M:%S}Z)"
        authority = seen.authority
        epoch = f", epoch {authority.generation}" if authority is not None else ""
        return Conflict(f"{who}: active is {seen.plain_text or 'nobody'}{epoch}.", "Look again, then decide.")

    async def mover(self, epoch: int) -> AuditEntry | None:
        """The newest entry of whoever began this epoch; None where nothing recorded tells."""
        entries = await self.history(LOOK_BACK)
        return next((entry for entry in reversed(entries) if entry.epoch == epoch and entry.changes), None)

    def begin(self, order: Order, what: str = "", *, writes: bool = True) -> Begun:
        """Begin what was ordered.

        Args:
            order: what was ordered.
            what: the name of the one thing that it changes.
            writes: False for what only reads the store, and may be done on a read-only console.

        Raises:
            ReadOnly: this console may only look.
        """
        if writes:
            self.require_writable(order.command, reduces=order.reduces)
        return Begun(self, order, what)

    async def aclose(self) -> None:
        """Give the connection back."""
        await self.client.aclose()


async def once(call: Awaitable[T], command: str, id: str = "") -> T:
    """Send once. No answer means that whether it happened is unknown, and that is what is said.

    Args:
        call: what is sent.
        command: the verb.
        id: of the change; what the audit calls it, if it was carried out.

    Raises:
        NotCarriedOut: the store refused it.
        StoreUnreachable: no answer.
    """
    try:
        return await call
    except WritesRefused as error:
        raise NotCarriedOut(f"{command} was not carried out: {error.message}", error.hint) from error
    except StoreUnreachable as error:
        raise StoreUnreachable(
            f"{command}: {error.message} Whether it was carried out is unknown.",
            (f"Its id is {id}. " if id else "")
            + "Look at `agent-console status` and `agent-console audit` before trying again.",
        ) from error


def server_time(milliseconds: int) -> datetime:
    """The server's milliseconds as a time."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def ms_since(started: float) -> float:
    """Milliseconds since a `time.perf_counter()`."""
    return (time.perf_counter() - started) * 1000
