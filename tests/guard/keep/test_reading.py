"""What the console's reader sees of guards and alerts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console.domain.guard.alerts import AlertKind
from console.domain.triggers.finding import Trigger, Verdict
from console.store.keys import GuardKeys, Keys
from console.store.reading.reader import StoreReader
from tests.guard.stage import Stage

if TYPE_CHECKING:
    import redis.asyncio


async def test_guards_their_triggers_and_alerts_are_in_a_reading(stage: Stage) -> None:
    guard = await stage.guard()
    stage.write(stage.now(decision_type="exception", pnl=None), stage.now("blue"))
    await guard.step()
    await guard.step(force=True)
    await guard.tend()
    reader = StoreReader(stage.client, stage.keys, {})
    reading = await reader.read(datetime.now(UTC))
    (seen,) = reading.guards
    assert (seen.name, seen.watching) == ("g1", "blue")
    assert abs((reading.server_at - seen.heartbeat_at).total_seconds()) < 60
    assert {one.trigger: one.verdict for one in seen.triggers}[Trigger.EXCEPTION] is Verdict.SAFE
    assert [alert.kind for alert in reading.alerts] == [AlertKind.ROLLED_BACK]
    assert reading.alerts[0].open


async def test_without_guards_there_are_none_and_keys_of_a_wrong_type_are_none(
    valkey: redis.asyncio.Redis, keys: Keys
) -> None:
    reader = StoreReader(valkey, keys, {})
    assert (await reader.read(datetime.now(UTC))).guards == ()
    names = GuardKeys.of(keys)
    await valkey.set(names.guards, "text")
    await valkey.rpush(names.alerts, "list")
    reading = await reader.read(datetime.now(UTC))
    assert (reading.guards, reading.alerts) == ((), ())


async def test_a_flood_in_the_guards_keys_is_not_fetched(valkey: redis.asyncio.Redis, keys: Keys) -> None:
    names = GuardKeys.of(keys)
    await valkey.hset(names.guards, mapping={f"g{n}": "x" * 60_000 for n in range(100)})
    reading = await StoreReader(valkey, keys, {}).read(datetime.now(UTC))
    assert reading.guards == ()
