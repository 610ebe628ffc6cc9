"""The fence on a blocking client: the same names as `console.store.fence.aio.AsyncFence`, where they are explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

from redis.exceptions import RedisError

from console.domain.errors import Refused
from console.domain.fence.claims import Level, OpenClaim, Outcome
from console.store.fence import calls, claims, listen, replies
from console.store.fence.calls import Call, Expected, Heartbeat, Limits
from console.store.fence.claims import ClaimReply, Intent, LeaseReply, Proof, ResolveReply, SettleReply
from console.store.fence.ids import new_id, other_slot
from console.store.fence.replies import BeatReply, FlagCode, FlagReply, HaltReply, SwitchReply, TripReply
from console.store.keys import Keys
from console.store.scripts import Runner, translate

if TYPE_CHECKING:
    from redis import Redis

    from console.domain.fence.deployment import Authority

T = TypeVar("T")
ZERO: Final = Decimal(0)


class Fence:
    """The same on a blocking client; see `AsyncFence` for what each method does."""

    def __init__(self, client: Redis, keys: Keys, *, functions: bool = True) -> None:
        self.client = client
        self.keys = keys
        self._nodes: dict[tuple[str, int], Any] = {}
        self.runner = Runner(client, functions=functions)

    def call(self, call: Call[T]) -> T:
        """Run one prepared call."""
        return call.parse(self.runner.run(call.name, call.keys, call.args))

    def switch(
        self, target: str, *, expected_epoch: Expected, mode: str = "drain", drain_ms: int = 10_000,
        switch_id: str = "", by: str, why: str = "", resume: bool = False, hold_ms: int = 0,
        require_healthy: bool = False, audit: Mapping[str, str] | None = None,
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
            if not other_slot(error):
                raise
        done = self.call(calls.flag(self.keys, "set", name, expected=expected, value=value, audit=None))
        if done.code is not FlagCode.SET:
            return done
        return self.call(calls.flag(self.keys, "note", name, expected=expected, value=value, before=done, audit=audit))

    def claim(self, intent: Intent, *, replicas: int = 0, wait_ms: int = 100) -> ClaimReply:
        """Ask to act. Only a reply that is `granted` is permission, and only until the lease ends."""
        call = claims.claim(self.keys, intent)
        if not replicas:
            return self.call(call)
        said, acknowledged = self.runner.run_and_wait(call.name, call.keys, call.args, replicas, wait_ms)
        return call.parse(said)._replace(replicas=acknowledged)

    def settle(
        self, intent: Intent, outcome: Outcome, *, result: str = "", pnl: Decimal = ZERO,
        retention_ms: int = claims.RETENTION_MS, trigger: str = "",
    ) -> SettleReply:  # fmt: skip
        """Say how a claim ended; allowed in any epoch and phase, and safe to repeat."""
        return self.call(
            claims.settle(
                self.keys, intent, outcome, result=result, pnl=pnl, retention_ms=retention_ms, trigger=trigger
            )
        )

    def resolve(
        self, key: str, claim_id: str, *, executed: bool, proof: Proof | None = None, by: str, evidence: str,
        quarantine_ms: int = 60_000, wake_ms: int = 600_000, retention_ms: int = claims.RETENTION_MS,
        pnl: Decimal = ZERO, result: str = "",
    ) -> ResolveReply:  # fmt: skip
        """End a claim in doubt, on evidence."""
        return self.call(
            claims.resolve(
                self.keys, key, claim_id, executed=executed, proof=proof, by=by, evidence=evidence,
                quarantine_ms=quarantine_ms, wake_ms=wake_ms, retention_ms=retention_ms, pnl=pnl, result=result,
            )
        )  # fmt: skip

    def open_claims(self) -> list[OpenClaim]:
        """Every claim without an end, oldest first; records that can't be read are left out (see `unreadable`)."""
        return claims.read_open(self._hash(self.keys.open))

    def lease(self, name: str, holder: str, *, ttl_ms: int, release: bool = False) -> LeaseReply:
        """Take, renew or give back a lease for work that must not be done twice, like a notification."""
        return self.call(claims.lease(self.keys, name, holder, ttl_ms=ttl_ms, release=release))

    def heartbeats(self) -> dict[str, dict[str, object]]:
        """Instance → the fields of its last heartbeat."""
        return listen.heartbeats(self._hash(self.keys.instances))

    def log_end(self) -> str:
        """The cursor after the newest control event, for `wait_log`."""
        return listen.end_of(self._read("XREVRANGE", self.keys.log, "+", "-", "COUNT", 1))

    def wait_log(self, cursor: str, block_ms: int) -> list[tuple[str, dict[str, str]]]:
        """The control events after a cursor; waits for one up to `block_ms`. Wants a connection of its own."""
        return listen.events(self._read("XREAD", "COUNT", 1000, "BLOCK", block_ms, "STREAMS", self.keys.log, cursor))

    def read_flags(self, names: Sequence[str]) -> tuple[dict[str, str | None], dict[str, str]]:
        """Flags by name, and the Redis types of those that are no text. On a Cluster each flag may lie on another node:
        those are asked for there."""
        said = self._ask_flags(self.client, names)
        for address, moved in listen.moved(names, said).items():
            there = self._ask_flags(self._node(*address), moved)
            for number, name in enumerate(moved):
                where = 2 * names.index(name)
                said[where : where + 2] = there[2 * number : 2 * number + 2]
        return listen.flags(names, said)

    def _ask_flags(self, client: Any, names: Sequence[str]) -> list[Any]:
        try:
            with client.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.execute_command("GET", self.keys.flag(name))
                    pipe.execute_command("TYPE", self.keys.flag(name))
                said: list[Any] = pipe.execute(raise_on_error=False)
        except RedisError as error:
            raise translate(error, "flags") from error
        return said

    def _node(self, host: str, port: int) -> Any:
        """A connection like ours to another node of the Cluster; kept."""
        if (host, port) not in self._nodes:
            pool = self.client.connection_pool
            options = {**pool.connection_kwargs, "host": host, "port": port}
            self._nodes[host, port] = type(self.client)(connection_pool=type(pool)(**options))
        return self._nodes[host, port]

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
