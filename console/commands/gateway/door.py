"""The door from commands to the store: who may write, what goes into the audit, and everything that only reads."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from console.domain.errors import Conflict, ReadOnly, StoreUnreachable
from console.domain.fence.claims import OpenClaim
from console.domain.fence.deployment import Deployment
from console.domain.operator.receipt import AuditEntry, Change, Receipt
from console.domain.seen.observation import StoreReading
from console.domain.state.flags import FlagReading, FlagSpec
from console.store.fence.aio import AsyncFence
from console.store.fence.ids import new_id
from console.store.keys import Keys
from console.store.reading import events as control_events
from console.store.reading.reader import read_flag_key, read_store
from console.store.records import audit as audit_stream

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.domain.fence.check import Check

T = TypeVar("T")

DRAIN_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Quiesce:
    """How a planned switch waits for plain agents, which can't be fenced.

    Args:
        poll_ms: how often they read the active key.
        deadline_ms: the longest that nobody is active; who has not read it by then is named.
    """

    poll_ms: int = 1_000
    deadline_ms: int = 5_000


class Door:
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

    async def doubts(self) -> list[OpenClaim]:
        """Every action in doubt, oldest first.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        return [claim for claim in await self._fence.open_claims() if claim.in_doubt]

    async def examine(self, wait_replicas: int) -> tuple[Check, ...]:
        """Every check of the server that money depends on.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        from console.store.reading.doctor import examine  # here: the other verbs need not pay for it

        return await examine(self._client, self.keys, wait_replicas=wait_replicas, now=self._clock())

    def require_writable(self, command: str) -> None:
        """Refuse on a console that may only look.

        Raises:
            ReadOnly: it is one.
        """
        if self.read_only:
            raise ReadOnly(
                f"This console is read-only; {command} was not carried out.",
                "A protected profile: `:unlock`, or --no-read-only for a verb. Else start without --read-only.",
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
            elapsed_ms=ms_since(started),
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


def server_time(milliseconds: int) -> datetime:
    """The server's milliseconds as a time."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def ms_since(started: float) -> float:
    """Milliseconds since a `time.perf_counter()`."""
    return (time.perf_counter() - started) * 1000
