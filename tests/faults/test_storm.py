"""Everything at once, in short: operators' command lines, a guard, a venue with moods, agents under attack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import storm
from tests.servers import programs, version


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "server",
    ["valkey", pytest.param("redis-8", marks=pytest.mark.long), pytest.param("redis-system", marks=pytest.mark.long)],
)
def test_whatever_is_done_at_once_nothing_is_executed_twice_or_lost(short_dir: Path, server: str) -> None:
    program = programs().get(server)
    if program is None:
        pytest.skip(f"there is no {server} here")
    for seconds in (6, 30):  # on a busy machine the first is over before much has happened
        folder = short_dir / str(seconds)
        folder.mkdir()
        outcome = storm.run(folder, seconds=seconds, program=program)
        assert outcome["violations"] == []
        if outcome["executions"] > 20:
            break
    assert outcome["executions"] > 20 and outcome["twice"] == 0 and outcome["lost_switches"] == 0
    assert outcome["kills"] > 4 and outcome["interrupts"] > 0 and outcome["values"] > 0


def test_the_redis_that_the_development_tools_bring_is_an_8() -> None:
    program = programs().get("redis-8")
    if program is None:
        pytest.skip("the wheel is not for this machine")
    assert version(program).startswith("Redis 8.")
