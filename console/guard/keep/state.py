"""What a guard reads and keeps in the store: who is active since when, baselines, evidence, alerts, thresholds.

Who may act, and what happened to that, has to be readable, or the agent can't be watched. Everything else only helps:
where such a key holds something else than ours, the guard goes on without it, and says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import ResponseError

from console.domain.errors import Refused, UsageError
from console.domain.guard.alerts import Alert
from console.domain.text import clean, redact
from console.domain.triggers.baseline import Baseline, as_document, from_document
from console.domain.triggers.facts import Tenure
from console.domain.triggers.settings import TriggerSettings, changed
from console.guard.keep.control import FIELDS, Control, Event, control_of, event_of
from console.store.fence.replies import json_object, text
from console.store.keys import GuardKeys, Keys
from console.store.records.revisions import Part, write
from console.store.server.clock import server_ms
from console.store.server.trouble import explain, wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

EVENTS: Final = 500
"""Control events looked back through for the last automatic roll backs."""
UNREADABLE: Final = (ValueError, RecursionError)


class GuardState:
    """One agent's keys, as guards use them.

    Args:
        client: connected, its retries off.
        keys: whose.
    """

    __slots__ = ("_client", "agent", "keys", "names", "raised", "spoiled")

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self.keys = keys
        self.agent = keys.agent
        self.names = GuardKeys.of(keys)
        self.raised = 0
        """Alerts that were raised through this object, to be sent."""
        self.spoiled: dict[str, str] = {}
        """Keys that hold something else than ours, and what the store said about them."""

    async def control(self) -> Control:
        """Who may act now.

        Raises:
            StoreUnreachable: no answer.
            Refused: the authority is not what a script of ours has written.
        """
        with wrap_errors():
            pipe: Any = self._client.pipeline(transaction=True)
            pipe.hmget(self.keys.ctl, FIELDS)
            pipe.execute_command("GETRANGE", self.keys.active, 0, 64)
            values, plain = await pipe.execute(raise_on_error=False)
            if isinstance(values, Exception) and explain(values) is not None:
                raise values
        if isinstance(values, Exception):
            raise _refused(self.keys.ctl, values)
        return control_of(values, text(plain) if isinstance(plain, bytes) else "", self.keys.ctl)

    async def events(self, after: str = "-", count: int = EVENTS) -> list[Event]:
        """Control events after a stream id, oldest first; "-" for the newest ones.

        Raises:
            StoreUnreachable: no answer.
            Refused: it is no stream.
        """
        execute: Any = self._client.execute_command
        try:
            with wrap_errors():
                if after == "-":
                    entries = [*reversed(await execute("XREVRANGE", self.keys.log, "+", "-", "COUNT", count))]
                else:
                    entries = await execute("XRANGE", self.keys.log, f"({after}", "+", "COUNT", count)
        except ResponseError as error:
            raise _refused(self.keys.log, error) from error
        return [event_of(text(stream_id), fields) for stream_id, fields in entries]

    async def server_ms(self) -> int:
        """The server's clock, in milliseconds since the epoch."""
        return await server_ms(self._client)

    async def baseline(self, tenure: Tenure, mine: Baseline | None) -> Baseline | None:
        """The tenure's baseline: the first one that any guard froze; ours, if that is the first."""
        field, raw = str(tenure.epoch), None
        with self.kept(self.names.baselines):
            if mine is not None:
                await self._client.hsetnx(self.names.baselines, field, json.dumps(as_document(mine)))
            raw = await self._client.hget(self.names.baselines, field)
        with suppress(*UNREADABLE):
            if raw is not None:
                return from_document(json.loads(raw))
        return mine

    async def overrides(self, settings: TriggerSettings) -> tuple[TriggerSettings, str]:
        """The agent's own thresholds over the file's, and what is wrong with them (then none of them counts)."""
        raw = await self.hash(self.names.triggers)
        if not raw:
            return settings, self.spoiled.get(self.names.triggers, "")
        try:
            return changed(settings, {text(name): text(value) for name, value in raw.items()}), ""
        except UsageError as error:
            return settings, error.message

    async def note(self, field: str, evidence: Mapping[str, Any]) -> bool:
        """Write down evidence, once; whether this was the first of its name (or none can be kept)."""
        with self.kept(self.names.trips):
            return bool(await self._client.hsetnx(self.names.trips, field, json.dumps(evidence)))
        return True

    async def noted(self, field: str) -> dict[str, Any]:
        """Evidence of that name; empty where there is none."""
        raw = None
        with self.kept(self.names.trips):
            raw = await self._client.hget(self.names.trips, field)
        return json_object(raw)

    async def forget(self, field: str) -> None:
        """Let go of evidence of something that is over."""
        await self.drop(self.names.trips, [field])

    async def remember(self, field: str, value: Mapping[str, Any]) -> None:
        """Keep what has to survive a restart."""
        with self.kept(self.names.trips):
            await self._client.hset(self.names.trips, field, json.dumps(value))

    async def raise_alert(self, alert: Alert) -> bool:
        """Keep an alert, once for everybody who sees the same transition; whether this was the first (and it
        was kept)."""
        first = False
        alert = replace(alert, reason=redact(alert.reason))
        with self.kept(self.names.alerts):
            words = json.dumps(alert.document())
            first = bool(
                await write(self._client, self.keys, Part.ALERTS, "HSETNX", self.names.alerts, alert.id, words)
            )
        self.raised += first
        return first

    async def leave(self, name: str) -> None:
        """A guard says goodbye."""
        await self.drop(self.names.guards, [name])

    async def drop(self, name: str, fields: Sequence[str | bytes]) -> None:
        """Take fields out of a hash."""
        if fields:
            part = {self.names.alerts: Part.ALERTS, self.names.guards: Part.GUARDS}.get(name)
            with self.kept(name):
                if part is None:
                    await self._client.hdel(name, *fields)
                else:
                    await write(self._client, self.keys, part, "HDEL", name, *fields)

    async def size(self, name: str) -> int:
        """How many fields a hash has."""
        with self.kept(name):
            return int(await self._client.hlen(name))
        return 0

    async def hash(self, name: str) -> dict[Any, Any]:
        """A whole hash."""
        with self.kept(name):
            fields: dict[Any, Any] = await self._client.hgetall(name)
            return fields
        return {}

    def kept(self, name: str) -> _Kept:
        """Go on where a key that only helps holds something else than ours; it is in `spoiled` until it does not.

        Raises:
            StoreUnreachable: no answer.
        """
        return _Kept(self, name)

    def spoil(self, name: str, error: Exception) -> None:
        """A key that only helps holds something else than ours."""
        self.spoiled[name] = _refused(name, error).message


class _Kept:
    """What happens to one key that only helps."""

    __slots__ = ("_name", "_state")

    def __init__(self, state: GuardState, name: str) -> None:
        self._state = state
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if error is None:
            if self._state.spoiled:
                self._state.spoiled.pop(self._name, None)
            return False
        trouble = explain(error)
        if trouble is not None:
            raise trouble from error
        if isinstance(error, ResponseError):
            self._state.spoil(self._name, error)
            return True
        return False


def _refused(name: str, error: Exception) -> Refused:
    return Refused(f"{name} can't be used: {clean(str(error), 120)}.", "Nothing else may use this key.")
