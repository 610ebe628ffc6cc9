"""The fence: every act on who may act, as one atomic script each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

from redis.exceptions import RedisError

from console.domain.fence.claims import Level, OpenClaim, Outcome
from console.domain.fence.intent import Source
from console.store.agents import Listing
from console.store.fence import calls, claims, listen, replies
from console.store.fence.aio_runner import AsyncRunner
from console.store.fence.calls import Call, Expected, FlagWrite, Heartbeat, Limits, SwitchRequest
from console.store.fence.claims import ClaimReply, Intent, LeaseReply, Resolution, ResolveReply, SettleReply
from console.store.fence.replies import BeatReply, FlagReply, HaltReply, Seen, SwitchReply, TripReply
from console.store.keys import Keys
from console.store.scripts import translate

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.domain.commitments.commitment import Owed
    from console.domain.fence.deployment import Authority
    from console.store.fence.owing import OweReply, Step, Who

T = TypeVar("T")
ZERO: Final = Decimal(0)


class AsyncFence:
    """The control side of the protocol.

    A call is sent once. `StoreUnreachable` means that whether it happened is unknown; repeat it with the same
    `switch_id`.

    Args:
        client: its own retries should be off (`console.store.server.connect`, retries=0).
        keys: whose authority.
        functions: False to run scripts by hash only.
    """

    def __init__(self, client: Redis, keys: Keys, *, functions: bool = True) -> None:
        self.client = client
        self.keys = keys
        self.runner = AsyncRunner(client, functions=functions)
        self.listing = Listing(keys.agent)

    async def call(self, call: Call[T]) -> T:
        """Run one prepared call."""
        reply = await self.runner.run(call.name, call.keys, call.args)
        answer = call.parse(reply)
        if note := self.listing.due(call.name, reply):
            try:
                await self.runner.execute(*note)
            except RedisError as error:  # the call itself was carried out, and the search finds the agent, too
                self.listing.took(error)
            else:
                self.listing.took()
        return answer

    async def switch(self, request: SwitchRequest) -> SwitchReply:
        """Make another side active.

        Raises:
            StoreUnreachable: no answer.
        """
        return await self.call(calls.switch(self.keys, request))

    async def rollback(
        self,
        *,
        expected_epoch: Expected,
        by: str,
        why: str = "",
        switch_id: str = "",
        require_healthy: bool = False,
        audit: Mapping[str, str] | None = None,
    ) -> SwitchReply:
        """Switch at once to the side that was active before; NO_PREVIOUS if there is none."""
        request = SwitchRequest(
            "previous",
            expected_epoch=expected_epoch,
            by=by,
            why=why,
            mode="now",
            drain_ms=0,
            switch_id=switch_id,
            require_healthy=require_healthy,
            audit=audit,
        )
        return await self.switch(request)

    async def halt(
        self,
        by: str,
        why: str,
        *,
        level: Level = Level.HALT,
        audit: Mapping[str, str] | None = None,
        source: Source = Source.OPERATOR,
    ) -> HaltReply:
        """Stop: always wins, needs no epoch, is latched. `level` may stop less; a lower level never replaces a higher
        one."""
        return await self.call(calls.halt(self.keys, by, why, level=level, audit=audit, source=source))

    async def beat(self, heartbeat: Heartbeat, *, epoch: int, seen: int | Seen, leaving: bool = False) -> BeatReply:
        """Heartbeat, acknowledgement and housekeeping in one round trip.

        Args:
            heartbeat: what the instance tells about itself.
            epoch: the epoch it has seen and acts by: its acknowledgement.
            seen: what it remembers of this store, or the highest epoch alone; a store behind it halts.
            leaving: take the instance off the list.
        """
        return await self.call(calls.beat(self.keys, heartbeat, epoch=epoch, seen=seen, leaving=leaving))

    async def tend(self, seen: Seen = Seen()) -> BeatReply:  # noqa: B008 - a value
        """Housekeeping alone: expired leases, the end of a drain, a hand-written plain key, trip-wires, damage. Never
        makes an authority where there is none, unless the caller remembers one: then the store is halted.

        Args:
            seen: what the caller remembers of this store.
        """
        return await self.call(calls.beat(self.keys, None, epoch=0, seen=seen, leaving=False))

    async def receipt(self, fields: Mapping[str, str]) -> str:
        """Write an audit entry for what no script changed; its stream id."""
        return await self.call(calls.receipt(self.keys, fields))

    async def trip(self, *, epoch: int, why: str, by: str, trigger: str = "") -> TripReply:
        """A critical trigger with evidence from `epoch`: roll back to the previous side if it is healthy, else halt."""
        return await self.call(calls.trip(self.keys, epoch=epoch, why=why, by=by, trigger=trigger))

    async def set_limits(
        self, limits: Limits, *, by: str, why: str = "", audit: Mapping[str, str] | None = None
    ) -> BeatReply:
        """Replace every cap and trip-wire."""
        return await self.call(calls.limits(self.keys, limits, by=by, why=why, audit=audit))

    async def set_flag(self, write: FlagWrite) -> FlagReply:
        """Compare-and-set of a flag, with its audit entry and a control event that makes agents look."""
        return await self.call(calls.flag(self.keys, write))

    async def claim(
        self,
        intent: Intent,
        *,
        replicas: int = 0,
        wait_ms: int = 100,
        window_ms: int | None = None,
        term: int | None = None,
    ) -> ClaimReply:
        """Ask to act. Only a reply that is `granted` is permission, and only until the lease ends.

        Args:
            intent: what for; repeat a call that got no answer with the same one.
            replicas: how many replicas must hold the claim before this returns (`WAIT` on the same connection); a
                reply with fewer is no permission: settle it as aborted.
            wait_ms: how long to wait for them.
            window_ms: for how long after its first sending a key may be granted for another; None where nobody knows.
            term: on a Cluster, the client's when the store was looked at; None to ask whichever node has the keys.

        Raises:
            KeysMoved: another node has the keys since; it was not asked.
        """
        call = claims.claim(self.keys, intent, window_ms)
        options: dict[str, Any] = {} if term is None else {"term": term}  # see `console.store.server.slots.TERM`
        if not replicas:
            return call.parse(await self.runner.run(call.name, call.keys, call.args, **options))
        command = (call.name, call.keys, call.args)
        reply, acknowledged = await self.runner.run_and_wait(*command, replicas, wait_ms, **options)
        return call.parse(reply)._replace(replicas=acknowledged)

    async def settle(
        self,
        intent: Intent,
        outcome: Outcome,
        *,
        result: str = "",
        pnl: Decimal = ZERO,
        retention_ms: int = claims.RETENTION_MS,
        trigger: str = "",
    ) -> SettleReply:
        """Say how a claim ended; allowed in any epoch and phase, and safe to repeat.

        Args:
            intent: as it was claimed.
            outcome: see `Outcome`.
            result: the author's text, handed to whoever claims the key again.
            pnl: profit or loss, in the claim's currency.
            retention_ms: how long the result is kept; 0 for ever.
            trigger: the name of a critical trigger this result shows: rolls back in the same step.
        """
        return await self.call(
            claims.settle(
                self.keys, intent, outcome, result=result, pnl=pnl, retention_ms=retention_ms, trigger=trigger
            )
        )

    async def resolve(self, resolution: Resolution) -> ResolveReply:
        """End a claim in doubt, on evidence."""
        return await self.call(claims.resolve(self.keys, resolution))

    async def open_claims(self) -> list[OpenClaim]:
        """Every claim without an end, oldest first; records that can't be read are left out (see `unreadable`)."""
        return claims.read_open(await self._hash(self.keys.open))

    async def owe(self, who: Who, steps: Sequence[Step], audit: Mapping[str, str] | None = None) -> OweReply:
        """Change up to 100 commitments, all or none."""
        from console.store.fence import owing  # here: not every agent owes something

        return await self.call(owing.owe(self.keys, who, steps, audit))

    async def owed(self) -> tuple[Owed, ...]:
        """Every commitment, by deadline.

        Raises:
            Refused: one of them can't be read: half a list is none.
        """
        from console.store.fence.owing import whole_list

        try:
            async with self.client.pipeline(transaction=True) as pipe:
                pipe.hgetall(self.keys.owed)
                pipe.hgetall(self.keys.named)
                owed, named = await pipe.execute()
        except RedisError as error:
            raise translate(error, self.keys.owed) from error
        return whole_list(owed, named)

    async def watch(self, instance: str, new: Sequence[str], gone: Sequence[str] | None, ttl_ms: int) -> int:
        """Say which commitments an instance watches from now on; how many it then watches.

        Args:
            instance: which.
            new: ids that it watches, too.
            gone: ids that it watches no longer; None for all but the new ones.
            ttl_ms: how long it holds.
        """
        key = self.keys.watch(instance)
        try:
            async with self.client.pipeline(transaction=True) as pipe:
                if gone is None:
                    pipe.delete(key)
                for begin in range(0, len(new), 1000):
                    pipe.sadd(key, *new[begin : begin + 1000])
                for begin in range(0, len(gone or ()), 1000):
                    pipe.srem(key, *(gone or ())[begin : begin + 1000])
                pipe.pexpire(key, ttl_ms)
                pipe.scard(key)
                answers: list[Any] = await pipe.execute()
        except RedisError as error:
            raise translate(error, key) from error
        return int(answers[-1])

    async def watched(self, instance: str) -> frozenset[str]:
        """Ids of what an instance says that it watches."""
        return frozenset(replies.text(one) for one in await self._read("SMEMBERS", self.keys.watch(instance)))

    async def lease(self, name: str, holder: str, *, ttl_ms: int, release: bool = False) -> LeaseReply:
        """Take, renew or give back a lease for work that must not be done twice, like a notification."""
        return await self.call(claims.lease(self.keys, name, holder, ttl_ms=ttl_ms, release=release))

    async def heartbeats(self) -> dict[str, dict[str, object]]:
        """Instance → the fields of its last heartbeat."""
        return listen.heartbeats(await self._hash(self.keys.instances))

    async def log_end(self) -> str:
        """The cursor after the newest control event, for `wait_log`."""
        return listen.end_of(await self._read("XREVRANGE", self.keys.log, "+", "-", "COUNT", 1))

    async def wait_log(self, cursor: str, block_ms: int) -> list[tuple[str, dict[str, str]]]:
        """The control events after a cursor; waits for one up to `block_ms`. Wants a connection of its own."""
        return listen.events(
            await self._read("XREAD", "COUNT", 1000, "BLOCK", block_ms, "STREAMS", self.keys.log, cursor)
        )

    async def read_flags(self, names: Sequence[str]) -> tuple[dict[str, str | None], dict[str, str]]:
        """Flags by name, and the Redis types of those that are no text."""
        client: Any = self.client
        try:
            async with client.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.execute_command("GET", self.keys.flag(name))
                    pipe.execute_command("TYPE", self.keys.flag(name))
                answers: list[Any] = await pipe.execute(raise_on_error=False)
        except RedisError as error:
            raise translate(error, "flags") from error
        return listen.flags(names, answers)

    async def _read(self, *command: Any) -> Any:
        try:
            return await self.runner.execute(*command)
        except RedisError as error:
            raise translate(error, str(command[0])) from error

    async def _hash(self, key: str) -> dict[Any, Any]:
        try:
            return await self.client.hgetall(key)
        except RedisError as error:
            raise translate(error, key) from error

    async def authority(self) -> Authority | None:
        """Who may act; None on a store that no command of ours has touched. Reads only."""
        try:
            async with self.client.pipeline(transaction=True) as pipe:
                pipe.hmget(self.keys.ctl, replies.authority_fields())
                pipe.zcard(self.keys.in_flight)
                pipe.hlen(self.keys.open)
                values, flying, unended = await pipe.execute()
        except RedisError as error:
            raise translate(error, "authority") from error
        return replies.authority(values, flying, unended)
