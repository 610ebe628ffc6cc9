"""What the live source keeps of the first decisions after a switch, read from real files."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import redis.asyncio

from console.domain.fence.deployment import Slot
from console.logs.follower import LogSet
from console.logs.options import LogOptions
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from tests.live.test_source import Watch, source_on


async def test_the_first_ten_after_a_switch_stay_while_a_thousand_newer_ones_come(
    valkey: redis.asyncio.Redis, store_url: str, tmp_path: Path
) -> None:
    log = tmp_path / "decisions.jsonl"
    log.write_text("")

    def decide(numbers: range) -> None:
        with log.open("a") as file:
            for number in numbers:
                record = {"agent_version": "2.5.0", "timestamp": time.time(), "decision_type": "bet", "inputs": {}}
                file.write(json.dumps({**record, "output": f"n{number}", "reasoning": ""}) + "\n")

    options = LogOptions(slots={"green": ("2.5.0",)}, recent=50)
    watch = Watch()
    task = asyncio.create_task(source_on(store_url, LogSet([str(log)], options=options)).run(watch.publish))
    await watch.until(lambda seen: seen.store is not None)
    await AsyncFence(valkey, Keys.of()).switch(SwitchRequest(Slot.GREEN.value, 0, "ada"))
    await watch.until(lambda seen: seen.first is not None)
    decide(range(4))
    await watch.until(lambda seen: seen.first is not None and len(seen.first.decisions) == 4)
    decide(range(4, 14))
    await watch.until(lambda seen: seen.first is not None and len(seen.first.decisions) == 10)
    decide(range(14, 1000))
    seen = await watch.until(lambda seen: seen.logs is not None and seen.logs.total == 1000)
    assert seen.first is not None and (seen.first.slot, seen.first.whole) == ("green", True)
    assert [str(one.outcome) for one in seen.first.decisions] == [f"n{number}" for number in range(10)]
    task.cancel()
