"""A snapshot in the console: its verdict and its whole document, however large, torn or hostile it is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.commands.base import Call
from console.commands.context import Context
from console.commands.gateway.gateway import Gateway
from console.commands.snapshot.show import MOST_LINES, MOST_WIDE, SnapshotShow
from console.domain.errors import Refused, UsageError
from console.domain.operator.command import Answer
from console.domain.state.snapshot import Snapshot, StateFile
from console.store.files import snapshots
from console.store.keys import Keys
from console.store.server.connect import connect


@pytest.fixture
async def ctx(store_url: str, tmp_path: Path) -> AsyncIterator[Context]:
    gateway = Gateway(await connect(store_url, name="t"), Keys.of(), url=store_url, registry={}, who="ana")
    yield Context(gateway, {}, tmp_path)
    await gateway.aclose()


def taken(ctx: Context, *, age_s: float = 1.0, text: str = "") -> str:
    """A snapshot's id."""
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    state = StateFile("/srv/state.json", text) if text else None
    snapshot = Snapshot("agent", at, "ana", flags={"game": "dice"}, state_file=state)
    return snapshots.save(snapshot, ctx.snapshots)[0]


async def shown(ctx: Context, name: str) -> Answer:
    return await SnapshotShow().answer(ctx, Call({"file": name}))


async def test_a_snapshot_is_shown_whole_with_whether_it_could_be_restored(ctx: Context) -> None:
    name = taken(ctx)
    answer = await shown(ctx, name)
    assert answer.yes and answer.lines[0].startswith("ok  snapshot")
    body = answer.lines[answer.lines.index("") + 1 :]
    assert json.loads("\n".join(body)) == json.loads(json.dumps(answer.document, default=str))
    assert '"game": "dice"' in "\n".join(body)


async def test_one_that_is_too_old_is_shown_all_the_same_and_says_so(ctx: Context) -> None:
    answer = await shown(ctx, taken(ctx, age_s=301))
    assert not answer.yes and "300 s is the limit" in "\n".join(answer.lines)
    assert '"game": "dice"' in "\n".join(answer.lines)


async def test_nothing_in_it_is_obeyed_by_a_terminal_and_no_line_is_without_end(ctx: Context) -> None:
    text = json.dumps({"a": "\x1b]52;c;x\x07\u202e\u2028", "b": "x" * 100_000}, ensure_ascii=False)
    answer = await shown(ctx, taken(ctx, text=text))
    told = "".join(answer.lines)
    assert not any(char in told for char in "\x1b\x07\u202e\u2028\x9b")
    assert max(map(len, answer.lines)) <= MOST_WIDE + 1


async def test_of_ten_thousand_lines_as_many_are_shown_as_somebody_reads_and_the_rest_is_counted(ctx: Context) -> None:
    at = datetime.now(UTC)
    many = Snapshot("agent", at, "ana", flags={f"f{number}": "1" for number in range(10_000)})
    answer = await shown(ctx, snapshots.save(many, ctx.snapshots)[0])
    assert len(answer.lines) <= MOST_LINES + 40
    assert "lines more" in answer.notes[0]


@pytest.mark.parametrize("keep", [0, 1, 40])
async def test_a_torn_one_is_refused_and_never_an_empty_one(ctx: Context, keep: int) -> None:
    name = taken(ctx)
    path = ctx.snapshots / f"{name}.json"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(Refused):
        await shown(ctx, name)


@pytest.mark.parametrize("name", ["nobody", "store:7", "store:x"])
async def test_one_that_is_not_there_is_named(ctx: Context, name: str) -> None:
    with pytest.raises((Refused, UsageError)):
        await shown(ctx, name)
