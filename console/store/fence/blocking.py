# Generated, do not edit: `python -m tests.generate.blocking` wrote it
# from console/store/fence/aio.py.
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
from console.store.fence.blocking_runner import Runner
from console.store.fence.calls import Call, Expected, FlagWrite, Heartbeat, Limits, SwitchRequest
from console.store.fence.claims import ClaimReply, Intent, LeaseReply, Resolution, ResolveReply, SettleReply
from console.store.fence.replies import BeatReply, FlagReply, HaltReply, Seen, SwitchReply, TripReply
from console.store.keys import Keys
from console.store.scripts import translate

if TYPE_CHECKING:
    from redis import Redis

    from console.domain.commitments.commitment import Owed
    from console.domain.fence.deployment import Authority
    from console.store.fence.owing import OweReply, Step, Who

T = TypeVar("T")
ZERO: Final = Decimal(0)


class Fence:
    """The control side of the protocol."""

    def __init__(self, client: Redis, keys: Keys, *, functions: bool = True) -> None:
        self.client = client
        self.keys = keys
        self.runner = Runner(client, functions=functions)
        self.listing = Listing(keys.agent)

    def call(self, call: Call[T]) -> T:
        reply = self.runner.run(call.name, call.keys, call.args)
        answer = call.parse(reply)
        if note := self.listing.due(call.name, reply):
            try:
                self.runner.execute(*note)
            except RedisError as error:  # the call itself was carried out, and the search finds the agent, too
                self.listing.took(error)
            else:
                self.listing.took()
        return answer

    def switch(self, request: SwitchRequest) -> SwitchReply:
        return self.call(calls.switch(self.keys, request))

    def rollback(
        self,
        *,
        expected_epoch: Expected,
        by: str,
        why: str = "",
        switch_id: str = "",
        require_healthy: bool = False,
        audit: Mapping[str, str] | None = None,
    ) -> SwitchReply:
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
        return self.switch(request)

    def halt(
        self,
        by: str,
        why: str,
        *,
        level: Level = Level.HALT,
        audit: Mapping[str, str] | None = None,
        source: Source = Source.OPERATOR,
    ) -> HaltReply:
        return self.call(calls.halt(self.keys, by, why, level=level, audit=audit, source=source))

    def beat(self, heartbeat: Heartbeat, *, epoch: int, seen: int | Seen, leaving: bool = False) -> BeatReply:
        return self.call(calls.beat(self.keys, heartbeat, epoch=epoch, seen=seen, leaving=leaving))

    def tend(self, seen: Seen = Seen()) -> BeatReply:  # noqa: B008 - a value
        return self.call(calls.beat(self.keys, None, epoch=0, seen=seen, leaving=False))

    def receipt(self, fields: Mapping[str, str]) -> str:
        return self.call(calls.receipt(self.keys, fields))

    def trip(self, *, epoch: int, why: str, by: str, trigger: str = "") -> TripReply:
        return self.call(calls.trip(self.keys, epoch=epoch, why=why, by=by, trigger=trigger))

    def set_limits(
        self, limits: Limits, *, by: str, why: str = "", audit: Mapping[str, str] | None = None
    ) -> BeatReply:
        return self.call(calls.limits(self.keys, limits, by=by, why=why, audit=audit))

    def set_flag(self, write: FlagWrite) -> FlagReply:
        return self.call(calls.flag(self.keys, write))

    def claim(
        self,
        intent: Intent,
        *,
        replicas: int = 0,
        wait_ms: int = 100,
        window_ms: int | None = None,
        term: int | None = None,
    ) -> ClaimReply:
        call = claims.claim(self.keys, intent, window_ms)
        options: dict[str, Any] = {} if term is None else {"term": term}  # see `console.store.server.slots.TERM`
        if not replicas:
            return call.parse(self.runner.run(call.name, call.keys, call.args, **options))
        command = (call.name, call.keys, call.args)
        reply, acknowledged = self.runner.run_and_wait(*command, replicas, wait_ms, **options)
        return call.parse(reply)._replace(replicas=acknowledged)

    def settle(
        self,
        intent: Intent,
        outcome: Outcome,
        *,
        result: str = "",
        pnl: Decimal = ZERO,
        retention_ms: int = claims.RETENTION_MS,
        trigger: str = "",
    ) -> SettleReply:
        return self.call(
            claims.settle(
                self.keys, intent, outcome, result=result, pnl=pnl, retention_ms=retention_ms, trigger=trigger
            )
        )

    def resolve(self, resolution: Resolution) -> ResolveReply:
        return self.call(claims.resolve(self.keys, resolution))

    def open_claims(self) -> list[OpenClaim]:
        return claims.read_open(self._hash(self.keys.open))

    def owe(self, who: Who, steps: Sequence[Step], audit: Mapping[str, str] | None = None) -> OweReply:
        from console.store.fence import owing  # here: not every agent owes something

        return self.call(owing.owe(self.keys, who, steps, audit))

    def owed(self) -> tuple[Owed, ...]:
        from console.store.fence.owing import whole_list

        try:
            with self.client.pipeline(transaction=True) as pipe:
                pipe.hgetall(self.keys.owed)
                pipe.hgetall(self.keys.named)
                owed, named = pipe.execute()
        except RedisError as error:
            raise translate(error, self.keys.owed) from error
        return whole_list(owed, named)

    def watch(self, instance: str, new: Sequence[str], gone: Sequence[str] | None, ttl_ms: int) -> int:
        key = self.keys.watch(instance)
        try:
            with self.client.pipeline(transaction=True) as pipe:
                if gone is None:
                    pipe.delete(key)
                for begin in range(0, len(new), 1000):
                    pipe.sadd(key, *new[begin : begin + 1000])
                for begin in range(0, len(gone or ()), 1000):
                    pipe.srem(key, *(gone or ())[begin : begin + 1000])
                pipe.pexpire(key, ttl_ms)
                pipe.scard(key)
                answers: list[Any] = pipe.execute()
        except RedisError as error:
            raise translate(error, key) from error
        return int(answers[-1])

    def watched(self, instance: str) -> frozenset[str]:
        return frozenset(replies.text(one) for one in self._read("SMEMBERS", self.keys.watch(instance)))

    def lease(self, name: str, holder: str, *, ttl_ms: int, release: bool = False) -> LeaseReply:
        return self.call(claims.lease(self.keys, name, holder, ttl_ms=ttl_ms, release=release))

    def heartbeats(self) -> dict[str, dict[str, object]]:
        return listen.heartbeats(self._hash(self.keys.instances))

    def log_end(self) -> str:
        return listen.end_of(self._read("XREVRANGE", self.keys.log, "+", "-", "COUNT", 1))

    def wait_log(self, cursor: str, block_ms: int) -> list[tuple[str, dict[str, str]]]:
        return listen.events(self._read("XREAD", "COUNT", 1000, "BLOCK", block_ms, "STREAMS", self.keys.log, cursor))

    def read_flags(self, names: Sequence[str]) -> tuple[dict[str, str | None], dict[str, str]]:
        client: Any = self.client
        try:
            with client.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.execute_command("GET", self.keys.flag(name))
                    pipe.execute_command("TYPE", self.keys.flag(name))
                answers: list[Any] = pipe.execute(raise_on_error=False)
        except RedisError as error:
            raise translate(error, "flags") from error
        return listen.flags(names, answers)

    def _read(self, *command: Any) -> Any:
        try:
            return self.runner.execute(*command)
        except RedisError as error:
            raise translate(error, str(command[0])) from error

    def _hash(self, key: str) -> dict[Any, Any]:
        try:
            return self.client.hgetall(key)
        except RedisError as error:
            raise translate(error, key) from error

    def authority(self) -> Authority | None:
        try:
            with self.client.pipeline(transaction=True) as pipe:
                pipe.hmget(self.keys.ctl, replies.authority_fields())
                pipe.zcard(self.keys.in_flight)
                pipe.hlen(self.keys.open)
                values, flying, unended = pipe.execute()
        except RedisError as error:
            raise translate(error, "authority") from error
        return replies.authority(values, flying, unended)
