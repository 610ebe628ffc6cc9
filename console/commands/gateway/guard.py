"""The part of the gateway that tells the guards: thresholds, and that somebody has seen an alert."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from console.commands.gateway.door import Door, Order
from console.domain.errors import Conflict
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean
from console.store.keys import GuardKeys
from console.store.records.revisions import Part, moved
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from console.domain.guard.alerts import Alert

_TRIES: Final = 20


class GuardGate:
    """Alerts and thresholds.

    Args:
        door: what it goes through.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    async def alerts(self) -> tuple[Alert, ...]:
        """Every alert, oldest first.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        from console.store.records.guards import read_alerts

        with wrap_errors():
            return read_alerts(await self._door.client.hgetall(GuardKeys.of(self._door.keys).alerts))

    async def acknowledge(self, ids: Sequence[str], order: Order) -> tuple[Receipt, list[Alert]]:
        """Mark alerts as seen. Of two operators one does, and the other's receipt says nothing of it.

        Returns:
            The receipt, and the alerts that were open until now.

        Raises:
            ReadOnly, StoreUnreachable: as named.
        """
        begun = self._door.begin(order)
        seen = [alert for identity in ids if (alert := await self._seen(identity)) is not None]
        if not seen:
            return begun.receipt(note="nothing was open"), seen
        changes = tuple(Change(f"alert {alert.id}", "open", "acknowledged") for alert in seen)
        note = clean("; ".join(alert.reason for alert in seen), 240)
        return await begun.record(begun.receipt(*changes, note=note)), seen

    async def _seen(self, identity: str) -> Alert | None:
        """The alert, marked as seen; None where it is not open (any more)."""
        from redis.exceptions import WatchError

        from console.domain.guard.alerts import alert_from
        from console.store.fence.replies import json_object

        name = GuardKeys.of(self._door.keys).alerts
        with wrap_errors():
            for _ in range(_TRIES):
                async with self._door.client.pipeline(transaction=True) as pipe:
                    await pipe.watch(name)
                    raw: Any = await pipe.hget(name, identity)
                    alert = alert_from(identity, json_object(raw))
                    if alert is None or not alert.open:
                        return None
                    done = alert.acknowledged(self._door.who, self._door.clock())
                    pipe.multi()  # type: ignore[no-untyped-call]
                    pipe.hset(name, identity, json.dumps(done.document()))
                    pipe.execute_command(*moved(self._door.keys, Part.ALERTS))
                    try:
                        kept, _mark = await pipe.execute(raise_on_error=False)
                    except WatchError:
                        continue  # a guard raised another alert, or somebody else was quicker: look again
                    if isinstance(kept, Exception):
                        raise kept
                    return done
        raise Conflict("The alerts change faster than one can be acknowledged.", "Try again.")

    async def thresholds(self) -> dict[str, str]:
        """This agent's own thresholds and arming, as they are stored.

        Raises:
            StoreUnreachable: the store did not answer.
        """
        from console.store.fence.replies import text

        with wrap_errors():
            stored: Any = await self._door.client.hgetall(GuardKeys.of(self._door.keys).triggers)
        return {text(name): text(value) for name, value in stored.items()}

    async def set_thresholds(self, pairs: Sequence[tuple[str, str]], order: Order) -> Receipt:
        """Change this agent's own thresholds; an empty value removes one.

        Raises:
            UsageError: one means nothing; none is changed.
            ReadOnly, StoreUnreachable: as named.
        """
        from console.domain.triggers.settings import TriggerSettings, changed

        begun = self._door.begin(order)
        before = await self.thresholds()
        after = {name: value for name, value in {**before, **dict(pairs)}.items() if value}
        changed(TriggerSettings(), {name: value for name, value in pairs if value})
        changed(TriggerSettings(), after)
        stored = GuardKeys.of(self._door.keys).triggers
        with wrap_errors():
            async with self._door.client.pipeline(transaction=True) as pipe:
                for name, value in pairs:
                    if value:
                        pipe.hset(stored, name, value)
                    else:
                        pipe.hdel(stored, name)
                await begun.once(pipe.execute())
        changes = tuple(Change(f"trigger {name}", before.get(name), after.get(name)) for name, _value in pairs)
        return await begun.record(begun.receipt(*changes))
