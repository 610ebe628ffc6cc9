"""A day and more of everything that an agent, its guards and its operators do: once it is archived, no key of the store
has grown."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from console.domain.experiment.record import ExperimentState
from console.domain.fence.claims import Direction, Outcome
from console.domain.guard.alerts import Alert, AlertKind
from console.domain.shadow.report import ShadowReading, ShadowReport
from console.domain.text import Safe
from console.domain.triggers.finding import Severity
from console.guard.keep.state import GuardState
from console.guard.keep.tidy import forget_alerts, forget_guards, forget_tenures
from console.store.fence import calls
from console.store.fence.aio import AsyncFence
from console.store.fence.archive import archive
from console.store.fence.calls import FlagWrite, Heartbeat, SwitchRequest
from console.store.fence.claims import Intent, Resolution
from console.store.keys import Keys, ProofKeys, StateKeys
from console.store.reading.owed import forget_retired
from console.store.records import experiments, shadows
from tests.store.records.test_documents import RECORD

if TYPE_CHECKING:
    from pathlib import Path

    import redis
    import redis.asyncio

AT = datetime(2026, 3, 1, tzinfo=UTC)
KEEP = 50
CAPS = {"sent:": 10**9, "alerts": 400, "sent": 400, "trips": 505, "baselines": 505}
"""What is kept up to a number that was not reached at the first look; when a key was sent first is kept for as long as
any venue may know it, a year, of the few that evidence has ended."""
SIZE = {"hash": "HLEN", "stream": "XLEN", "zset": "ZCARD", "set": "SCARD", "list": "LLEN", "string": "STRLEN"}


async def sizes(client: redis.asyncio.Redis) -> dict[str, int]:
    """Entries of every key of the store; results and marks, which expire, as one."""
    told: dict[str, int] = {}
    async for key in client.scan_iter(count=1000):
        name = key.decode()
        kind = (await client.type(key)).decode()
        if kind == "none":
            continue  # it expired meanwhile
        size = int(await client.execute_command(SIZE[kind], key)) if kind != "string" else 1
        for family in ("done:", "sent:", "watch:"):
            if f"}}:{family}" in name:
                assert await client.pttl(key) != -1, name
                name = family
        told[name] = told.get(name, 0) + size
    return told


class Day:
    """One agent's day, an hour a turn."""

    def __init__(self, fence: AsyncFence, blocking: redis.Redis) -> None:
        self.fence, self.blocking, self.hours = fence, blocking, 0
        self.state = GuardState(fence.client, fence.keys)

    async def hour(self) -> None:
        fence = self.fence
        n, slot = self.hours, ("blue", "green")[self.hours % 2]
        self.hours += 1
        epoch = (await fence.switch(SwitchRequest(slot, expected_epoch="any", mode="now", by="op"))).epoch  # type: ignore[arg-type]
        own = Heartbeat(f"{slot}-{n}", slot, f"v{n}", in_flight=n % 2, manifest=f"{n:064x}\ncode {n:x}")
        await fence.beat(own, epoch=epoch, seen=epoch)
        for number in range(3):
            key, claim_id = f"k{n}-{number}", uuid.uuid4().hex
            claim = Intent(key, claim_id, slot, epoch, "me", Decimal(1), "USD", Direction.ENTER, "", 60_000, epoch)
            assert (await fence.claim(claim)).granted
            await fence.settle(claim, (Outcome.OK, Outcome.FAIL, Outcome.UNKNOWN)[number], retention_ms=200)
        evidence = Resolution(claim.key, claim.claim_id, executed=True, by="op", evidence="seen", retention_ms=200)
        assert (await fence.resolve(evidence)).code == "RESOLVED"
        await fence.set_flag(FlagWrite(f"f{n}", None, "1", {"id": str(n)}))
        await fence.set_flag(FlagWrite(f"f{n}", "1", None, {"id": str(n)}))
        await self.proofs(n, epoch, slot)
        await self.guards(n, epoch)
        if n % 3:
            await fence.beat(own, epoch=epoch, seen=epoch, leaving=True)
        else:  # its process dies, and two hours pass
            seconds, _micros = await fence.client.time()
            await fence.client.hset(
                fence.keys.instances, own.instance, f'{{"ms":1,"st":{(seconds - 7_200) * 1000},"epoch":1,{own.rest()}'
            )

    async def proofs(self, n: int, epoch: int, slot: str) -> None:
        fence, keys, client = self.fence, self.fence.keys, self.fence.client
        base, names = calls.base_keys(keys), ProofKeys.of(keys)
        await experiments.make_room(client, keys)
        over = RECORD._replace(experiment=replace(RECORD.experiment, name=f"e{n}"), state=ExperimentState.ADOPTED)
        await fence.call(experiments.put(keys, over, 0, before="", after="x", audit={"id": str(n)}))
        await client.hset(names.reports, f"e{n}", "{}")
        shadows.say(
            self.blocking, keys, ShadowReport(Safe(f"v{n}"), AT + timedelta(hours=n), Safe("p"), ShadowReading())
        )
        for number in range(5):
            shadows.record(self.blocking, keys, json.dumps({"n": number}))
        run = f"r{n}"
        start = ("start", run, "0", "any", "op", "", "3", "0.1", "", "d", {"blue": "green"}.get(slot, "blue"), "{}")
        await fence.runner.run("canary", (*base, keys.audit, names.run), (*start, "USD", "1", "operator", "id", run))
        (_code, token, _ms) = await fence.runner.run("book", (names.run, names.book, names.track), ("take", "me"))
        rev = await client.hget(names.run, "rev")
        for act in ("give", "end"):
            words = (act, token, run, rev, "round", "record", "ledger")
            assert (await fence.runner.run("book", (names.run, names.book, names.track), words))[0] == b"OK"
        words = ("report", token, run, rev, "report", "point", "100", "back")
        await fence.runner.run("book", (names.run, names.book, names.track), words)
        await fence.runner.run(
            "canary", (*base, keys.audit, names.run), ("abort", run, "0", "any", *start[4:], "USD", "1", "operator")
        )
        piece = f"{n:022d}"
        kept = ("keep", "me", slot, str(epoch), "0", piece, piece, "20", "1000000", "", piece, "text")
        await fence.runner.run("state", (*base, *StateKeys.of(keys)), kept)
        await client.hset(keys.retired, f"v{n}", json.dumps({"ms": 1_700_000_000_000 + n, "n": n, "who": "op"}))
        await forget_retired(client, keys)

    async def guards(self, n: int, epoch: int) -> None:
        client, names = self.fence.client, self.state.names
        alert = Alert(
            Safe(f"a{n}"),
            AT + timedelta(hours=n),
            Safe("agent"),
            AlertKind.WARNING,
            Severity.HIGH,
            "",
            reason=Safe("x"),
        )
        await client.hset(names.alerts, alert.id, json.dumps(alert.document()))
        await client.hset(names.sent, f"{alert.id}:hook", "1")
        for name in (names.trips, names.baselines):
            await client.hset(name, mapping={f"{epoch}/{number}": "{}" for number in range(5)})
        await client.hset(names.guards, f"g{n}", json.dumps({"ms": 1}))
        await forget_tenures(self.state)
        await forget_alerts(self.state, lambda *_words, **_fields: None)
        await forget_guards(self.state, names.guards, await self.state.server_ms())
        await self.fence.lease(f"hook-{n % 3}", f"g{n}", ttl_ms=1)
        await self.fence.tend()

    async def archived(self, folder: Path) -> dict[str, int]:
        await archive(self.fence.client, self.fence.keys, folder, keep=KEEP)
        return await sizes(self.fence.client)


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_no_key_of_the_store_has_grown_once_a_day_is_archived(
    valkey: redis.asyncio.Redis, valkey_sync: redis.Redis, tmp_path: Path
) -> None:
    day = Day(AsyncFence(valkey, Keys.of("atlas")), valkey_sync)
    await valkey.hset(day.fence.keys.left, mapping={f"old-{n}": '{"st":1}' for n in range(513)})
    for _ in range(230):  # until everything else that is kept up to a number is full
        await day.hour()
    first = await day.archived(tmp_path)
    for _ in range(120):
        await day.hour()
    second = await day.archived(tmp_path)
    grown = {
        name: (first.get(name, 0), size)
        for name, size in second.items()
        if size > max(first.get(name, 0) * 1.1 + 20, CAPS.get(name if name in CAPS else name.rpartition(":")[2], 0))
    }
    assert not grown
    assert {size for name, size in second.items() if name.endswith((":acts", ":log", ":audit"))} == {KEEP}
