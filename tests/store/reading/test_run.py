"""The upgrade run as every console reads it: seen where it differs, and never made up where it can't be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import redis.asyncio

from console.commands.gateway.upgrade import LEASE
from console.domain.upgrade.reading import UpgradeReading
from console.domain.upgrade.run import UpgradeRun
from console.domain.upgrade.stored import run_text
from console.store.fence.aio import AsyncFence
from console.store.keys import Keys
from console.store.reading.reader import StoreReader
from tests.scenarios.upgrading import BLOCKED
from tests.waiting import until_async

KEYS = Keys.of()
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def reader(valkey: redis.asyncio.Redis) -> StoreReader:
    return StoreReader(valkey, KEYS, {})


async def seen_by(reader: StoreReader) -> UpgradeReading | None:
    return (await reader.read(NOW)).upgrade


async def put(valkey: redis.asyncio.Redis, run: UpgradeRun, revision: int) -> None:
    await valkey.hset(KEYS.upgrades, "current", f"{revision}\n{run_text(run)}")


async def test_a_run_is_read_with_its_revision_and_who_walks_it(
    valkey: redis.asyncio.Redis, reader: StoreReader
) -> None:
    assert await seen_by(reader) is None
    await put(valkey, BLOCKED, 3)
    assert await seen_by(reader) == UpgradeReading(BLOCKED, 3)
    await AsyncFence(valkey, KEYS).lease(LEASE, "bob@ops-2 4fa01c7f", ttl_ms=60_000)
    await put(valkey, replace(BLOCKED, note="longer"), 4)
    told = await seen_by(reader)
    assert told is not None and (told.revision, told.walker) == (4, "bob@ops-2")
    await valkey.delete(KEYS.upgrades)
    assert await seen_by(reader) is None


async def test_a_revision_that_is_as_long_as_the_one_before_it_is_seen_too(
    valkey: redis.asyncio.Redis, reader: StoreReader
) -> None:
    await put(valkey, replace(BLOCKED, note="27 of 50"), 3)
    await seen_by(reader)
    await put(valkey, replace(BLOCKED, note="28 of 50"), 4)

    async def seen() -> bool:
        told = await seen_by(reader)
        return told is not None and told.run is not None and told.run.note == "28 of 50"

    await until_async(seen, "the note to be the newer one")


async def test_a_run_that_stands_still_is_the_same_object_at_every_reading(
    valkey: redis.asyncio.Redis, reader: StoreReader
) -> None:
    await put(valkey, BLOCKED, 3)
    first = await seen_by(reader)
    assert first is not None and await seen_by(reader) is first


@pytest.mark.parametrize(
    "torn", ["1", "1\n{}", "x\n{}", "1\n[" + "[" * 50_000, '1\n{"id": NaN}', "1\n" + "x" * 400_000]
)
async def test_what_is_no_run_is_said_and_never_taken_for_none(
    valkey: redis.asyncio.Redis, reader: StoreReader, torn: str
) -> None:
    await valkey.hset(KEYS.upgrades, "current", torn)
    told = await seen_by(reader)
    assert told is not None and told.run is None and told.problem
    await put(valkey, BLOCKED, 3)
    assert await seen_by(reader) == UpgradeReading(BLOCKED, 3)


async def test_a_key_of_another_type_is_said(valkey: redis.asyncio.Redis, reader: StoreReader) -> None:
    await valkey.set(KEYS.upgrades, "text")
    told = await seen_by(reader)
    assert told is not None and "another Redis type" in told.problem


@pytest.mark.parametrize(
    "lease", [{"holder": b"\xff\xfe \x1b[31m"}, {"until": "9" * 400}, {"holder": "x", "until": "-1"}]
)
async def test_a_lease_that_holds_anything_costs_no_reading(
    valkey: redis.asyncio.Redis, reader: StoreReader, lease: dict[str, object]
) -> None:
    await put(valkey, BLOCKED, 3)
    await valkey.hset(KEYS.beside("lease:upgrade"), mapping={"holder": "y", "until": "0", **lease})  # type: ignore[arg-type]
    told = await seen_by(reader)
    assert told is not None and (told.run, told.walker) == (BLOCKED, "")
