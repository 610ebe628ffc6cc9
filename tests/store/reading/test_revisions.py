"""What has not changed is not fetched, and whoever reads in turns sees what somebody who begins anew sees."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import redis.asyncio

from console.store import scripts
from console.store.keys import Keys
from console.store.reading import sections
from console.store.reading.reader import StoreReader
from tests.generate.cases.language import Call, Of, Step
from tests.generate.vectors import CASES
from tests.protocol_client import ByHash, Connection, empty, run
from tests.store.reading.alike import compare

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NEVER_S = 1e9


@pytest.fixture
def only_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is fetched again for safety: what is seen is seen by its mark."""
    monkeypatch.setattr(sections, "AGAIN_S", NEVER_S)
    monkeypatch.setattr(sections, "AGAIN_MOST_S", NEVER_S)


@pytest.fixture
def by_hand(valkey: redis.asyncio.Redis) -> Iterator[Connection]:
    """A connection of the protocol's, to the same server."""
    with Connection(valkey.connection_pool.connection_kwargs["path"]) as connection:
        yield connection


def play(step: Step, number: int, connection: Connection, plain: list[Any]) -> None:
    """One step of a case of the vectors."""
    if not isinstance(step, Call):
        plain.append(connection.command(*step.words))
        return
    args = [plain[arg.step][arg.element] if isinstance(arg, Of) else arg for arg in step.args]
    written = {"script": step.script, "keys": list(step.keys), "args": [*args, f"call-{number}"]}
    plain.append(run(written, connection, ByHash(connection), {}))


@pytest.mark.parametrize("name", scripts.NAMES)
@pytest.mark.usefixtures("only_marks")
async def test_what_a_script_did_is_seen_at_once_as_by_a_reader_that_begins_anew(
    valkey: redis.asyncio.Redis, by_hand: Connection, name: str
) -> None:
    cases = [case for case in CASES if case.call.script == name]
    assert cases
    for case in cases:
        empty(by_hand)
        reader, plain = None, list[Any]()
        for number, step in enumerate((*case.given, case.call)):
            if reader is None and isinstance(step, Call):
                reader = StoreReader(valkey, Keys.of(), {})
                await reader.read(NOW)
            play(step, number, by_hand, plain)
            if reader is not None and isinstance(step, Call):
                await compare(reader)
            else:
                reader = None  # what a hand wrote is seen later
