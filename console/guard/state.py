"""What a guard reads and keeps in the store: who is active since when, baselines, evidence, alerts, its heartbeat."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from console.domain.alerts import Alert, alert_document
from console.domain.baseline import Baseline, as_document, from_document
from console.domain.deployment import Phase
from console.domain.errors import Refused, UsageError
from console.domain.text import Safe, clean
from console.domain.triggers_facts import Tenure
from console.domain.triggers_settings import TriggerSettings, changed
from console.store.guards import GuardKeys
from console.store.keys import Keys
from console.store.replies import text
from console.store.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

EVENTS: Final = 500
"""Control events looked back through for the last automatic roll backs."""
BY: Final = "guard "
"""How a guard's name begins in control events."""


@dataclass(frozen=True, slots=True)
class Event:
    """A control event, as far as a guard needs it.

    Args:
        id: in the stream.
        kind: "switched", "rollback", "halt", "level", …
        epoch: that it led to.
        at: the server's time.
        active, previous: after it; empty for nobody.
        by, why: in words.
        level: how much is stopped after it.
    """

    id: str
    kind: str
    epoch: int
    at: datetime
    active: str
    previous: str
    by: Safe
    why: Safe
    level: int

    @property
    def automatic_rollback(self) -> bool:
        """Whether this made a side active because of a trigger."""
        return self.kind == "rollback" or (self.kind == "switched" and self.by.startswith(BY))


@dataclass(frozen=True, slots=True)
class Control:
    """Who may act.

    Args:
        tenure: the running one; None while nobody is active.
        epoch: the running epoch.
        phase: RUN, DRAIN or HALT; None on a store without authority.
        previous: who was active before; empty for nobody.
        level: how much is stopped.
        plain: the plain key's text; empty when missing.
        began_back: whether the running tenure began with an automatic roll back.
    """

    tenure: Tenure | None
    epoch: int
    phase: Phase | None
    previous: str
    level: int
    plain: str
    began_back: bool = False


class GuardState:
    """One agent's keys, as guards use them.

    Args:
        client: connected, its retries off.
        keys: whose.
    """

    __slots__ = ("_client", "agent", "keys", "names", "raised")

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self.keys = keys
        self.agent = keys.agent
        self.names = GuardKeys.of(keys)
        self.raised = 0
        """Alerts that were raised through this object, to be sent."""

    async def control(self) -> Control:
        """Who may act now.

        Raises:
            StoreUnreachable: no answer.
            Refused: the authority is not what a script of ours has written.
        """
        with wrap_errors():
            pipe: Any = self._client.pipeline(transaction=True)
            pipe.hmget(self.keys.ctl, ("ep", "ten", "ph", "act", "prev", "lvl"))
            pipe.execute_command("GETRANGE", self.keys.active, 0, 64)
            values, plain = await pipe.execute(raise_on_error=False)
        plain_text = text(plain) if isinstance(plain, bytes) else ""
        if isinstance(values, Exception):
            raise Refused(
                f"{self.keys.ctl} can't be read: {clean(str(values), 120)}.", "Nothing else may use this key."
            )
        if values[0] is None:
            return Control(None, 0, None, "", 0, plain_text)
        epoch, began, phase, active, previous, level = ("" if value is None else text(value) for value in values)
        tenure = None
        if phase == Phase.RUN.value and active in ("blue", "green"):
            since = self._number("ten", began)
            tenure = Tenure(active, since, _moment(since))
        return Control(
            tenure, self._number("ep", epoch), Phase(phase) if phase in set(Phase) else None, previous,
            self._number("lvl", level), plain_text,
        )  # fmt: skip

    def _number(self, name: str, value: str) -> int:
        if value == "":
            return 0
        if not (value.isascii() and value.isdigit() and len(value) < 17):
            raise Refused(f"{self.keys.ctl} holds no number as {name}, but {clean(value, 40)!r}.")
        return int(value)

    async def server_ms(self) -> int:
        """The server's clock, in milliseconds since the epoch."""
        with wrap_errors():
            seconds, micros = await self._client.time()
        return int(seconds) * 1000 + int(micros) // 1000

    async def events(self, after: str = "-", count: int = EVENTS) -> list[Event]:
        """Control events after a stream id, oldest first; "-" for the newest ones.

        Raises:
            StoreUnreachable: no answer.
        """
        execute: Any = self._client.execute_command
        with wrap_errors():
            if after == "-":
                found: Any = await execute("XREVRANGE", self.keys.log, "+", "-", "COUNT", count)
                found = list(reversed(found))
            else:
                found = await execute("XRANGE", self.keys.log, f"({after}", "+", "COUNT", count)
        return [event_of(text(stream_id), fields) for stream_id, fields in found]

    async def baseline(self, tenure: Tenure, mine: Baseline | None) -> Baseline | None:
        """The tenure's baseline: the first one that any guard froze; ours, if that is the first."""
        field = str(tenure.epoch)
        with wrap_errors():
            if mine is not None:
                await self._client.hsetnx(self.names.baselines, field, json.dumps(as_document(mine)))
            raw = await self._client.hget(self.names.baselines, field)
        with suppress(ValueError):
            if raw is not None:
                return from_document(json.loads(raw))
        return mine

    async def overrides(self, settings: TriggerSettings) -> tuple[TriggerSettings, str]:
        """The agent's own thresholds over the file's, and what is wrong with them (then none of them counts)."""
        with wrap_errors():
            raw = await self._client.hgetall(self.names.triggers)
        if not raw:
            return settings, ""
        try:
            return changed(settings, {text(name): text(value) for name, value in raw.items()}), ""
        except UsageError as error:
            return settings, error.message

    async def note(self, field: str, evidence: Mapping[str, Any]) -> bool:
        """Write down evidence, once; whether this was the first of its name."""
        with wrap_errors():
            return bool(await self._client.hsetnx(self.names.trips, field, json.dumps(evidence)))

    async def noted(self, field: str) -> dict[str, Any]:
        """Evidence of that name; empty where there is none."""
        with wrap_errors():
            raw = await self._client.hget(self.names.trips, field)
        with suppress(ValueError):
            found = json.loads(raw) if raw is not None else {}
            return found if isinstance(found, dict) else {}
        return {}

    async def forget(self, field: str) -> None:
        """Let go of evidence of something that is over."""
        with wrap_errors():
            await self._client.hdel(self.names.trips, field)

    async def remember(self, field: str, value: Mapping[str, Any]) -> None:
        """Keep what has to survive a restart."""
        with wrap_errors():
            await self._client.hset(self.names.trips, field, json.dumps(value))

    async def raise_alert(self, alert: Alert) -> bool:
        """Keep an alert, once for everybody who sees the same transition; whether this was the first."""
        with wrap_errors():
            first = bool(await self._client.hsetnx(self.names.alerts, alert.id, json.dumps(alert_document(alert))))
        self.raised += first
        return first

    async def beat(self, name: str, document: Mapping[str, Any]) -> None:
        """A guard's heartbeat."""
        with wrap_errors():
            await self._client.hset(self.names.guards, name, json.dumps(document, separators=(",", ":")))

    async def leave(self, name: str) -> None:
        """A guard says goodbye."""
        with wrap_errors():
            await self._client.hdel(self.names.guards, name)

    async def drop(self, name: str, fields: Sequence[str | bytes]) -> None:
        """Take fields out of a hash."""
        if fields:
            with wrap_errors():
                await self._client.hdel(name, *fields)

    async def size(self, name: str) -> int:
        """How many fields a hash has."""
        with wrap_errors():
            return int(await self._client.hlen(name))

    async def hash(self, name: str) -> dict[Any, Any]:
        """A whole hash."""
        with wrap_errors():
            found: dict[Any, Any] = await self._client.hgetall(name)
            return found


def event_of(stream_id: str, fields: Mapping[Any, Any]) -> Event:
    """A control event from its fields."""
    said = {text(name): text(value) for name, value in fields.items()}

    def number(name: str) -> int:
        value = said.get(name, "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else 0

    return Event(
        stream_id, said.get("k", ""), number("ep"), _moment(number("ts")), said.get("act", ""), said.get("prev", ""),
        clean(said.get("by", ""), 128), clean(said.get("why", "")), number("lvl"),
    )  # fmt: skip


def _moment(milliseconds: int) -> datetime:
    """Epochs and times are server milliseconds; an epoch from a store with a wild clock is held at the year 9999."""
    return datetime.fromtimestamp(min(milliseconds, 253_402_300_799_000) / 1000, UTC)
