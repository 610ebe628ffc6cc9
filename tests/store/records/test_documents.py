"""Documents in the store: compare-and-set of a revision, with an audit entry."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from console.domain.experiment.record import MAX_EXPERIMENTS, ExperimentRecord, ExperimentState
from console.domain.experiment.trial import Experiment
from console.domain.fence.chain import verify_chain
from console.domain.shadow.report import ShadowReading, ShadowReport
from console.domain.statistics.evidence import Settings
from console.domain.text import Safe
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest, basis
from console.store.keys import Keys, ProofKeys
from console.store.reading.owed import forget_retired
from console.store.records.experiments import (
    MAX_REPORT_BYTES,
    ROOM,
    DocumentCode,
    DocumentReply,
    make_room,
    put,
    read_experiments,
)
from console.store.records.shadows import MAX_SHADOWS, say
from console.views.experiment_record import experiment_record
from console.views.experiments import verdict_words
from console.views.tone import Tone
from tests.store.fence.test_control import otherwise

if TYPE_CHECKING:
    import redis
    from redis.asyncio import Redis


RECORD = ExperimentRecord(
    Experiment("sizing", "bet_sizing", "kelly_floor", "flat", Settings(0.05, 1.0, -1.0, 9.0)),
    ExperimentState.DEFINED,
    0,
    Decimal("1000.50"),
    Safe("USD"),
    datetime(2026, 3, 1, tzinfo=UTC),
    by=Safe("op"),
)


@pytest.fixture
def fence(valkey: Redis, keys: Keys) -> AsyncFence:
    return AsyncFence(valkey, keys)


async def write(fence: AsyncFence, record: ExperimentRecord, expected: int, asked: str = "") -> DocumentReply:
    audit = {"id": "a", "command": "experiment define"}
    return await fence.call(put(fence.keys, record, expected, before="", after="x", audit=audit, basis=asked))


async def test_a_document_reads_back_as_it_was_written(fence: AsyncFence) -> None:
    assert (await write(fence, RECORD, 0)).code is DocumentCode.DONE
    (view,) = read_experiments(await fence.client.hgetall(ProofKeys.of(fence.keys).experiments), {})
    assert view.record == RECORD._replace(revision=1)


async def test_of_two_who_change_a_document_one_wins(fence: AsyncFence) -> None:
    await write(fence, RECORD, 0)
    started = RECORD._replace(state=ExperimentState.RUNNING)
    assert (await write(fence, started, 1)).revision == 2
    late = await write(fence, RECORD._replace(state=ExperimentState.STOPPED), 1)
    assert (late.code, late.revision) == (DocumentCode.CONFLICT, 2)


async def test_a_name_is_not_used_twice(fence: AsyncFence) -> None:
    await write(fence, RECORD, 0)
    assert (await write(fence, RECORD, 0)).code is DocumentCode.CONFLICT


async def test_what_somebody_else_wrote_there_is_not_overwritten(fence: AsyncFence) -> None:
    await fence.client.hset(ProofKeys.of(fence.keys).experiments, "sizing", "something else")
    assert (await write(fence, RECORD, 0)).code is DocumentCode.CONFLICT
    (view,) = read_experiments(await fence.client.hgetall(ProofKeys.of(fence.keys).experiments), {})
    assert view.record is None and view.problem


@pytest.mark.parametrize(
    ("report", "problem"),
    [
        (b"x" * (MAX_REPORT_BYTES + 1), "its agent's report has 262,145 bytes, at most 262,144 are read"),
        (b"{", "its agent's report is none"),
        (b"\xff\xfe", "its agent's report is none"),
    ],
)
async def test_a_report_that_can_not_be_read_is_told_and_not_taken_for_none(
    fence: AsyncFence, report: bytes, problem: str
) -> None:
    await write(fence, RECORD, 0)
    (view,) = read_experiments(
        await fence.client.hgetall(ProofKeys.of(fence.keys).experiments), {RECORD.name.encode(): report}
    )
    assert view.record is not None
    assert (view.report, view.problem, verdict_words(view)) == (None, problem, (f"▲ {problem}", Tone.WARN))
    assert experiment_record(view).document()["problem"] == problem


@pytest.mark.parametrize("part", ["events", "commitments", "doubts"])
async def test_a_start_is_a_conflict_once_what_gates_were_asked_about_is_otherwise(
    fence: AsyncFence, part: str
) -> None:
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    await write(fence, RECORD, 0)
    asked = basis(await fence.authority())
    await otherwise(fence, part)
    reply = await write(fence, RECORD._replace(state=ExperimentState.RUNNING), 1, asked)
    assert (reply.code, reply.otherwise, reply.revision, reply.audit_id) == (DocumentCode.CONFLICT, part, 1, "")
    asked = basis(await fence.authority())
    assert (await write(fence, RECORD._replace(state=ExperimentState.RUNNING), 1, asked)).code is DocumentCode.DONE


async def test_there_are_only_so_many(fence: AsyncFence) -> None:
    await fence.client.hset(ProofKeys.of(fence.keys).experiments, mapping={str(n): "1\n{}" for n in range(200)})
    assert (await write(fence, RECORD, 0)).code is DocumentCode.FULL


async def test_a_change_of_a_document_is_audited(fence: AsyncFence) -> None:
    reply = await write(fence, RECORD, 0)
    ((stream_id, entry),) = await fence.client.xrevrange(fence.keys.audit, count=1)
    assert (stream_id.decode(), entry[b"after"]) == (reply.audit_id, b"x")
    assert verify_chain(await fence.client.xrange(fence.keys.log)).ok


async def test_names_of_experiments_that_are_over_are_freed_and_the_201st_starts(fence: AsyncFence) -> None:
    names, at = ProofKeys.of(fence.keys), RECORD.changed_at
    for number in range(MAX_EXPERIMENTS):
        state = (ExperimentState.RUNNING, ExperimentState.STOPPED, ExperimentState.ADOPTED)[number % 3]
        one = RECORD._replace(
            experiment=replace(RECORD.experiment, name=f"e{number:03d}"),
            state=state,
            changed_at=at + timedelta(minutes=MAX_EXPERIMENTS - number),
        )
        await write(fence, one, 0)
    await fence.client.hset(names.reports, mapping={"e199": "{}", "e000": "{}", "nobody": "{}"})
    assert (await write(fence, RECORD, 0)).code is DocumentCode.FULL
    gone = await make_room(fence.client, fence.keys)
    assert len(gone) == ROOM
    assert set(gone) <= {f"e{number:03d}" for number in range(160, 200) if number % 3}  # the oldest, and none that runs
    left = {name.decode() for name in await fence.client.hkeys(names.reports)}
    assert left == {"e000", "e199"} - set(gone)
    assert (await write(fence, RECORD, 0)).code is DocumentCode.DONE
    assert await make_room(fence.client, fence.keys) == ()


def test_of_many_shadows_those_go_that_spoke_longest_ago(valkey_sync: redis.Redis, keys: Keys) -> None:
    name = ProofKeys.of(keys).shadows
    valkey_sync.hset(name, "odd", "text")
    for number in range(MAX_SHADOWS + 5):
        at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=number)
        say(valkey_sync, keys, ShadowReport(Safe(f"v{number}"), at, Safe("p"), ShadowReading()))
    kept = {one.decode() for one in valkey_sync.hkeys(name)}  # type: ignore[union-attr]
    assert kept == {f"v{number}" for number in range(5, MAX_SHADOWS + 5)}


async def test_versions_that_were_retired_longest_ago_are_forgotten(valkey: Redis, keys: Keys) -> None:
    await valkey.hset(
        keys.retired,
        mapping={f"v{n}": json.dumps({"ms": 1_700_000_000_000 + n, "n": 1, "who": "op"}) for n in range(150)},
    )
    await valkey.hset(keys.retired, "odd", "text")
    await forget_retired(valkey, keys)
    assert {name.decode() for name in await valkey.hkeys(keys.retired)} == {f"v{n}" for n in range(50, 150)}
