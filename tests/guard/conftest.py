"""Stages for guards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.guard.fleet_stage import FleetStage
from tests.guard.stage import Stage

if TYPE_CHECKING:
    import redis.asyncio


@pytest.fixture
async def stage(valkey: redis.asyncio.Redis, store_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    made = await Stage(valkey, store_url, tmp_path).begin()
    yield made
    await made.close()


@pytest.fixture
def many(valkey: redis.asyncio.Redis, store_url: str, tmp_path: Path) -> FleetStage:
    return FleetStage(valkey, store_url, tmp_path)
