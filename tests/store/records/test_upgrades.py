"""Upgrade runs in the store: the newest that are over are kept, and whatever stands there is never taken for none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from console.domain.errors import Refused
from console.domain.upgrade.run import RunState, UpgradeRun
from console.domain.upgrade.stored import run_text
from console.store.keys import Keys
from console.store.records.upgrades import CURRENT, MAX_OVER, Stored, keep_over, read_current, read_over, stored_run
from tests.scenarios.upgrading import REVIEW

if TYPE_CHECKING:
    from redis.asyncio import Redis


def over(number: int) -> UpgradeRun:
    """A run that is over; the higher its number, the later it began."""
    began = REVIEW.began_at + timedelta(seconds=number)
    return replace(REVIEW, id=f"run-{number}", began_at=began, state=RunState.DONE)


async def test_of_the_runs_that_are_over_the_newest_twenty_are_kept_whatever_their_order(
    valkey: Redis, keys: Keys
) -> None:
    await valkey.hset(keys.upgrades, CURRENT, f"7\n{run_text(over(0))}")
    numbers = [*range(1, MAX_OVER + 6, 2), *range(MAX_OVER + 6, 1, -2)]
    for number in numbers:
        await keep_over(valkey, keys, Stored(over(number), number))
    names = {name.decode() for name in await valkey.hkeys(keys.upgrades)}
    newest = MAX_OVER + 6
    assert names == {CURRENT, *(f"run-{number}" for number in range(newest, newest - MAX_OVER, -1))}
    assert await read_over(valkey, keys, f"run-{newest}") == over(newest)
    assert await read_over(valkey, keys, "run-6") is None
    assert await read_current(valkey, keys) == Stored(over(0), 7), "the current one is none of them"


async def test_what_can_t_be_read_goes_before_any_run_that_can(valkey: Redis, keys: Keys) -> None:
    for number in range(MAX_OVER):
        await keep_over(valkey, keys, Stored(over(number), 1))
    await valkey.hset(keys.upgrades, mapping={"torn": "1\n{", "": "", "no-revision": run_text(over(3))})
    await keep_over(valkey, keys, Stored(over(MAX_OVER), 1))
    names = {name.decode() for name in await valkey.hkeys(keys.upgrades)}
    assert names == {f"run-{number}" for number in range(1, MAX_OVER + 1)}


async def test_a_run_that_is_kept_twice_is_there_once(valkey: Redis, keys: Keys) -> None:
    for _ in range(3):
        await keep_over(valkey, keys, Stored(over(1), 1))
    await keep_over(valkey, keys, Stored(None, 0))
    assert await valkey.hlen(keys.upgrades) == 1


def test_a_stored_run_torn_at_any_byte_is_refused_and_never_taken_for_none() -> None:
    raw = f"12\n{run_text(REVIEW)}".encode()
    for end in range(len(raw)):
        with pytest.raises(Refused, match="stored upgrade"):
            stored_run(raw[:end])
    assert stored_run(raw) == Stored(REVIEW, 12)
