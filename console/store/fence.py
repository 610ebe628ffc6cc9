"""The fence: every act on who may act, as one atomic script each, for blocking and asyncio clients with the same
names."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from redis.exceptions import RedisError

from console.domain.claims import Level
from console.domain.deployment import Authority
from console.domain.errors import Refused
from console.store import calls, replies
from console.store.calls import Call, Expected, Heartbeat, Limits
from console.store.keys import Keys
from console.store.replies import BeatReply, FlagCode, FlagReply, HaltReply, SwitchReply, TripReply
from console.store.scripts import AsyncRunner, Runner, translate

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

T = TypeVar("T")


def new_id() -> str:
    """An id for a switch or a claim: repeating a call with the same id is the same switch, the same claim."""
    return uuid.uuid4().hex


def _other_slot(error: Exception) -> bool:
    return "CROSSSLOT" in str(error) or "same slot" in str(error) or "hash to the same" in str(error)


class AsyncFence:
    """The control side of the protocol on an asyncio client.

    A call is sent once. `StoreUnreachable` means that whether it happened is unknown; repeat it with the same
    `switch_id`.

    Args:
        client: its own retries should be off (`console.store.connect`, retries=0).
        keys: whose authority.
        functions: False to run scripts by hash only.
    """

    def __init__(self, client: AsyncRedis, keys: Keys, *, functions: bool = True) -> None:
        self.client = client
        self.keys = keys
        self.runner = AsyncRunner(client, functions=functions)

    async def call(self, call: Call[T]) -> T:
        """Run one prepared call."""
        return call.parse(await self.runner.run(call.name, call.keys, call.args))

    async def switch(
        self, target: str, *, expected_epoch: Expected, mode: str = "drain", drain_ms: int = 10_000, switch_id: str =
        "",
        by: str, why: str = "", resume: bool = False, hold_ms: int = 0, require_healthy: bool = False,
        audit: Mapping[str, str] | None = None,
    ) -> SwitchReply:  # fmt: skip
        """Make another side active.

        Args:
            target: "blue", "green", or "previous": the side that was active before.
            expected_epoch: the epoch that the request is based on; 0 for "I saw no authority"; "any" for emergencies.
            mode: "drain" waits for what is in flight, up to `drain_ms`; "now" lets the target claim at once, while the
                old side's claims end under their leases. "finish" ends the dead time of this `switch_id`.
            drain_ms: the deadline of a drain; what is in flight then is in doubt.
            switch_id: makes a repeated call the same switch; empty for a new one.
            by, why: for the control event.
            resume: lift a halt or a lower level; needs a reason.
            hold_ms: dead time for plain agents: nobody is active for that long (or until "finish").
            require_healthy: refuse a target that has no ready instance with a fresh heartbeat.
            audit: fields for an entry of `…:audit`, written in the same step if anything changed; the script adds
                `before`, `after`, `epoch` and `ms`.

        Raises:
            StoreUnreachable: no answer.
        """
        return await self.call(
            calls.switch(
                self.keys, target, expected_epoch=expected_epoch, mode=mode, drain_ms=drain_ms,
                switch_id=switch_id or new_id(), by=by, why=why, resume=resume, hold_ms=hold_ms,
                require_healthy=require_healthy, audit=audit,
            )
        )  # fmt: skip

    async def rollback(
        self, *, expected_epoch: Expected, switch_id: str = "", by: str, why: str = "", require_healthy: bool = False,
        audit: Mapping[str, str] | None = None,
    ) -> SwitchReply:  # fmt: skip
        """Switch at once to the side that was active before; NO_PREVIOUS if there is none. Arguments as for
        `switch`."""
        return await self.switch(
            "previous", expected_epoch=expected_epoch, mode="now", drain_ms=0, switch_id=switch_id, by=by, why=why,
            require_healthy=require_healthy, audit=audit,
        )  # fmt: skip

    async def halt(
        self, by: str, why: str, *, level: Level = Level.HALT, audit: Mapping[str, str] | None = None
    ) -> HaltReply:
        """Stop: always wins, needs no epoch, is latched. `level` may stop less; a lower level never replaces a higher
        one."""
        return await self.call(calls.halt(self.keys, by, why, level=level, audit=audit))

    async def beat(self, heartbeat: Heartbeat, *, epoch: int, seen: int, leaving: bool = False) -> BeatReply:
        """Heartbeat, acknowledgement and housekeeping in one round trip.

        Args:
            heartbeat: what the instance tells about itself.
            epoch: the epoch it has seen and acts by: its acknowledgement.
            seen: the highest epoch it ever saw; a store behind it halts.
            leaving: take the instance off the list.
        """
        return await self.call(calls.beat(self.keys, heartbeat, epoch=epoch, seen=seen, leaving=leaving))

    async def tend(self) -> BeatReply:
        """Housekeeping alone: expired leases, the end of a drain, a hand-written plain key, trip-wires. Writes nothing
        where there is nothing to do, and never makes an authority where there is none."""
        return await self.call(calls.beat(self.keys, None, epoch=0, seen=0, leaving=False))

    async def trip(self, *, epoch: int, why: str, by: str) -> TripReply:
        """A critical trigger with evidence from `epoch`: roll back to the previous side if it is healthy, else halt."""
        return await self.call(calls.trip(self.keys, epoch=epoch, why=why, by=by))

    async def set_limits(
        self, limits: Limits, *, by: str, why: str = "", audit: Mapping[str, str] | None = None
    ) -> BeatReply:
        """Replace every cap and trip-wire."""
        return await self.call(calls.limits(self.keys, limits, by=by, why=why, audit=audit))

    async def set_flag(
        self, name: str, *, expected: str | None, value: str | None, audit: Mapping[str, str] | None = None
    ) -> FlagReply:
        """Compare-and-set of a flag, with its audit entry and a control event that makes agents look.

        Args:
            name: without its prefix.
            expected: the raw text the request is based on; None for "it is missing".
            value: the new text; None deletes.
            audit: fields of the audit entry; the script adds `before`, `after`, `epoch` and `ms`.
        """
        both = calls.flag(self.keys, "both", name, expected=expected, value=value, audit=audit)
        try:
            return await self.call(both)
        except Refused as error:
            if not _other_slot(error):
                raise
        done = await self.call(calls.flag(self.keys, "set", name, expected=expected, value=value, audit=None))
        if done.code is not FlagCode.SET:
            return done
        return await self.call(
            calls.flag(self.keys, "note", name, expected=expected, value=value, before=done, audit=audit)
        )

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


class Fence:
    """The same on a blocking client; see `AsyncFence` for what each method does."""

    def __init__(self, client: Redis, keys: Keys, *, functions: bool = True) -> None:
        self.client = client
        self.keys = keys
        self.runner = Runner(client, functions=functions)

    def call(self, call: Call[T]) -> T:
        """Run one prepared call."""
        return call.parse(self.runner.run(call.name, call.keys, call.args))

    def switch(
        self, target: str, *, expected_epoch: Expected, mode: str = "drain", drain_ms: int = 10_000, switch_id: str =
        "",
        by: str, why: str = "", resume: bool = False, hold_ms: int = 0, require_healthy: bool = False,
        audit: Mapping[str, str] | None = None,
    ) -> SwitchReply:  # fmt: skip
        """Make another side active."""
        return self.call(
            calls.switch(
                self.keys, target, expected_epoch=expected_epoch, mode=mode, drain_ms=drain_ms,
                switch_id=switch_id or new_id(), by=by, why=why, resume=resume, hold_ms=hold_ms,
                require_healthy=require_healthy, audit=audit,
            )
        )  # fmt: skip

    def rollback(
        self, *, expected_epoch: Expected, switch_id: str = "", by: str, why: str = "", require_healthy: bool = False,
        audit: Mapping[str, str] | None = None,
    ) -> SwitchReply:  # fmt: skip
        """Switch at once to the side that was active before."""
        return self.switch(
            "previous", expected_epoch=expected_epoch, mode="now", drain_ms=0, switch_id=switch_id, by=by, why=why,
            require_healthy=require_healthy, audit=audit,
        )  # fmt: skip

    def halt(
        self, by: str, why: str, *, level: Level = Level.HALT, audit: Mapping[str, str] | None = None
    ) -> HaltReply:
        """Stop: always wins, needs no epoch, is latched."""
        return self.call(calls.halt(self.keys, by, why, level=level, audit=audit))

    def beat(self, heartbeat: Heartbeat, *, epoch: int, seen: int, leaving: bool = False) -> BeatReply:
        """Heartbeat, acknowledgement and housekeeping in one round trip."""
        return self.call(calls.beat(self.keys, heartbeat, epoch=epoch, seen=seen, leaving=leaving))

    def tend(self) -> BeatReply:
        """Housekeeping alone."""
        return self.call(calls.beat(self.keys, None, epoch=0, seen=0, leaving=False))

    def trip(self, *, epoch: int, why: str, by: str) -> TripReply:
        """A critical trigger with evidence from `epoch`."""
        return self.call(calls.trip(self.keys, epoch=epoch, why=why, by=by))

    def set_limits(
        self, limits: Limits, *, by: str, why: str = "", audit: Mapping[str, str] | None = None
    ) -> BeatReply:
        """Replace every cap and trip-wire."""
        return self.call(calls.limits(self.keys, limits, by=by, why=why, audit=audit))

    def set_flag(
        self, name: str, *, expected: str | None, value: str | None, audit: Mapping[str, str] | None = None
    ) -> FlagReply:
        """Compare-and-set of a flag, with its audit entry and a control event that makes agents look."""
        both = calls.flag(self.keys, "both", name, expected=expected, value=value, audit=audit)
        try:
            return self.call(both)
        except Refused as error:
            if not _other_slot(error):
                raise
        done = self.call(calls.flag(self.keys, "set", name, expected=expected, value=value, audit=None))
        if done.code is not FlagCode.SET:
            return done
        return self.call(calls.flag(self.keys, "note", name, expected=expected, value=value, before=done, audit=audit))

    def authority(self) -> Authority | None:
        """Who may act."""
        try:
            with self.client.pipeline(transaction=True) as pipe:
                pipe.hmget(self.keys.ctl, replies.authority_fields())
                pipe.zcard(self.keys.in_flight)
                pipe.hlen(self.keys.open)
                values, flying, unended = pipe.execute()
        except RedisError as error:
            raise translate(error, "authority") from error
        return replies.authority(values, flying, unended)
