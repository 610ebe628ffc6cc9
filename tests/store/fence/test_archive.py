"""Streams are trimmed only past what is archived, and archive and stream verify as one chain."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.domain.errors import Refused
from console.domain.fence.chain import Finding, link, verify_chain
from console.domain.fence.claims import Direction, Outcome
from console.store.fence.aio import AsyncFence
from console.store.fence.archive import archive, verify_with_stream
from console.store.fence.archive_file import line_of, locked, read_archive, verify_archive
from console.store.fence.calls import SwitchRequest
from console.store.fence.chains import chains_of, verify_stream
from console.store.fence.claims import Intent
from console.store.fence.restore import restore
from console.store.keys import Keys


@pytest.fixture
async def fence(valkey: Any, keys: Keys) -> AsyncFence:
    fence = AsyncFence(valkey, keys)
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


async def busy(fence: AsyncFence, flips: int) -> None:
    for number in range(flips):
        await fence.switch(SwitchRequest(("green", "blue")[number % 2], expected_epoch="any", by="ü⚡"))


async def test_what_is_trimmed_is_in_the_file_and_both_verify_as_one(fence: AsyncFence, tmp_path: Path) -> None:
    await busy(fence, 20)
    _acts, log, _audit = await archive(fence.client, fence.keys, tmp_path / "a", keep=5)
    assert (log.written, log.trimmed, log.left) == (21, 16, 5)
    await busy(fence, 3)
    _acts, log, _audit = await archive(fence.client, fence.keys, tmp_path / "a", keep=5)
    assert (log.written, log.trimmed, log.left) == (3, 3, 5)
    authority = await fence.authority()
    assert authority is not None and log.head == authority.log_head
    path = tmp_path / "a" / "agent-log.jsonl"
    assert verify_archive(path, head=authority.log_head).entries == 24
    left: Any = await fence.client.xrange(fence.keys.log)
    archived = list(read_archive(path))
    before = archived[len(archived) - len(left) - 1][1][b"h"].decode()
    assert verify_chain(left, after=before, head=authority.log_head).ok
    assert os.stat(path).st_mode & 0o777 == 0o600


async def test_nothing_is_trimmed_while_everything_is_to_be_kept(fence: AsyncFence, tmp_path: Path) -> None:
    await busy(fence, 3)
    _acts, log, _audit = await archive(fence.client, fence.keys, tmp_path)
    assert (log.written, log.trimmed, log.left) == (4, 0, 4)


async def test_a_stream_that_was_tampered_with_is_neither_archived_nor_trimmed(
    fence: AsyncFence, tmp_path: Path
) -> None:
    await busy(fence, 5)
    entries: Any = await fence.client.xrange(fence.keys.log)
    await fence.client.xdel(fence.keys.log, entries[2][0])
    with pytest.raises(Refused, match="does not verify"):
        await archive(fence.client, fence.keys, tmp_path, keep=1)
    assert await fence.client.xlen(fence.keys.log) == 5
    assert list(read_archive(tmp_path / "agent-log.jsonl")) == []


async def test_a_torn_last_line_is_written_again(fence: AsyncFence, tmp_path: Path) -> None:
    await busy(fence, 3)
    await archive(fence.client, fence.keys, tmp_path)
    path = tmp_path / "agent-log.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    _acts, log, _audit = await archive(fence.client, fence.keys, tmp_path)
    assert log.written == 1 and verify_archive(path).entries == 4


async def test_bytes_that_are_no_text_survive(valkey: Any, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(line_of("1-1", {b"a": b"\xff\x00", b"b": "ü".encode()}))
    assert list(read_archive(path)) == [("1-1", {b"a": b"\xff\x00", b"b": "ü".encode()})]


async def act(fence: AsyncFence, times: int, *, since: int = 0) -> None:
    """Claim and settle: two entries each."""
    authority = await fence.authority()
    assert authority is not None
    for number in range(since, since + times):
        intent = Intent(
            f"key-{number}",
            f"claim-{number}",
            "blue",
            authority.epoch,
            "inst",
            Decimal(5),
            "USD",
            Direction.ENTER,
            "bet\nü",
            60_000,
            authority.epoch,
        )
        assert (await fence.claim(intent)).granted
        await fence.settle(intent, Outcome.OK)


async def receipts(client: Any, keys: Keys, count: int) -> None:
    """Chained entries of the audit, as the scripts write them, and the head beside."""
    number, head = ((value or b"").decode() for value in await client.hmget(keys.ctl, "xn", "xh"))
    for at in range(int(number or 0) + 1, int(number or 0) + count + 1):
        fields = {"id": f"r{at}", "command": "flag set", "who": "op"}
        head = link(head, fields.items())
        await client.xadd(keys.audit, {"h": head} | fields)
        await client.hset(keys.ctl, mapping={"xn": at, "xh": head})


async def verdicts(fence: AsyncFence) -> list[tuple[str, list[tuple[Finding, int]]]]:
    """Chain → what is wrong with it."""
    wrong = []
    for chain in chains_of(fence.keys):
        verdict = await verify_stream(fence.client, fence.keys, chain)
        wrong.append((chain.name, [(one.kind, one.missing) for one in verdict.findings]))
    return wrong


WHOLE: list[tuple[str, list[tuple[Finding, int]]]] = [("acts", []), ("log", []), ("audit", [])]


async def test_all_three_streams_stay_bounded_and_whole_over_many_runs(fence: AsyncFence, tmp_path: Path) -> None:
    await fence.client.xadd(fence.keys.audit, {"id": "old", "command": "halt"})  # from before the audit was chained
    for turn in range(4):
        await act(fence, 6, since=6 * turn)
        await receipts(fence.client, fence.keys, 7)
        done = await archive(fence.client, fence.keys, tmp_path, keep=(5, 0, 3, 100)[turn])
        assert tuple(one.left for one in done) == [(5, 1, 5), (0, 0, 0), (3, 0, 3), (15, 0, 10)][turn]
        assert await verdicts(fence) == WHOLE
    for chain in chains_of(fence.keys):
        verdict = await verify_with_stream(fence.client, fence.keys, tmp_path, chain)
        assert verdict.ok, verdict.problem
    assert verify_archive(tmp_path / "agent-audit.jsonl", prefix=True).last == 28


async def test_each_finding_gets_its_name_in_the_store(fence: AsyncFence, tmp_path: Path) -> None:
    client, keys = fence.client, fence.keys
    await act(fence, 4)
    await receipts(client, keys, 6)
    assert await verdicts(fence) == WHOLE
    acts: Any = await client.xrange(keys.actions)
    await client.xdel(keys.actions, acts[2][0], acts[3][0])
    log: Any = await client.xrange(keys.log)
    await client.xdel(keys.log, log[0][0])
    audit: Any = await client.xrange(keys.audit)
    await client.xdel(keys.audit, audit[1][0])
    assert await verdicts(fence) == [
        ("acts", [(Finding.HOLE, 2)]),
        ("log", [(Finding.CUT, 1)]),
        ("audit", [(Finding.HOLE, 1)]),
    ]
    with pytest.raises(Refused, match="2 entries are missing"):
        await archive(client, keys, tmp_path, keep=0)
    assert await client.xlen(keys.actions) == 6


async def test_a_beginning_that_nobody_archived_is_a_hole(fence: AsyncFence) -> None:
    await act(fence, 4)
    await fence.client.xtrim(fence.keys.actions, maxlen=3, approximate=False)
    assert (await verdicts(fence))[0] == ("acts", [(Finding.HOLE, 5)])


async def test_only_what_is_younger_is_looked_at_where_that_is_wanted(fence: AsyncFence) -> None:
    await act(fence, 3)
    entries: Any = await fence.client.xrange(fence.keys.actions)
    await fence.client.xdel(fence.keys.actions, entries[0][0])
    acts = chains_of(fence.keys)[0]
    since = int(entries[-1][0].split(b"-")[0])
    verdict = await verify_stream(fence.client, fence.keys, acts, since_ms=since)
    assert verdict.ok
    assert verdict.last == 6
    assert not (await verify_stream(fence.client, fence.keys, acts, since_ms=0)).ok


async def test_a_key_of_another_type_is_no_whole_chain(fence: AsyncFence) -> None:
    await fence.client.delete(fence.keys.log)
    await fence.client.set(fence.keys.log, "x")
    assert (await verdicts(fence))[1] == ("log", [(Finding.CHANGED, 0)])


async def test_an_archive_of_another_store_is_not_gone_on_with_and_nothing_is_trimmed(
    fence: AsyncFence, tmp_path: Path
) -> None:
    await act(fence, 3)
    await archive(fence.client, fence.keys, tmp_path, keep=2)
    await fence.client.flushall()
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    await act(fence, 9)
    with pytest.raises(Refused, match="does not end where the stream acts goes on"):
        await archive(fence.client, fence.keys, tmp_path, keep=0)
    path = tmp_path / "agent-acts.jsonl"
    path.write_bytes(path.read_bytes() + line_of("9999999999999-0", {b"h": b"x", b"d": b"y"}))
    with pytest.raises(Refused, match="does not end where the stream acts goes on"):
        await archive(fence.client, fence.keys, tmp_path, keep=0)
    assert await fence.client.xlen(fence.keys.actions) == 18


async def test_a_new_folder_goes_on_where_the_last_one_ended_and_says_so(fence: AsyncFence, tmp_path: Path) -> None:
    await act(fence, 3)
    await archive(fence.client, fence.keys, tmp_path / "one", keep=2)
    await act(fence, 3, since=3)
    acts, _log, _audit = await archive(fence.client, fence.keys, tmp_path / "two", keep=2)
    assert (acts.begins, acts.written) == (4, 8)
    path = tmp_path / "two" / "agent-acts.jsonl"
    assert verify_archive(path, head=acts.head).first == 5
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[2:]))
    assert not verify_archive(path, head=acts.head).ok
    with pytest.raises(Refused, match="does not end where"):
        await archive(fence.client, fence.keys, tmp_path / "one", keep=2)


async def test_one_run_at_a_time_writes_into_a_folder(fence: AsyncFence, tmp_path: Path) -> None:
    with locked(tmp_path, fence.keys), pytest.raises(Refused, match="under way"):
        await archive(fence.client, fence.keys, tmp_path)


@pytest.mark.parametrize("keep", [0, 4])
async def test_what_was_restored_verifies_and_the_chains_go_on_from_there(
    fence: AsyncFence, tmp_path: Path, keep: int
) -> None:
    client, keys = fence.client, fence.keys
    await act(fence, 5)
    await receipts(client, keys, 5)
    await archive(client, keys, tmp_path, keep=keep)
    with pytest.raises(Refused, match="restored into a store without"):
        await restore(client, keys, tmp_path)
    await client.flushall()
    back = await restore(client, keys, tmp_path)
    assert [(one.stream, one.entries) for one in back] == [("acts", 10), ("log", 1), ("audit", 5)]
    assert await verdicts(fence) == WHOLE
    assert await fence.authority() is None
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    await act(fence, 2, since=5)
    assert await verdicts(fence) == WHOLE
    acts, log, _audit = await archive(client, keys, tmp_path, keep=1)
    assert (acts.written, log.written) == (4, 1)
    assert sorted(await client.keys("*restoring*")) == []


async def test_a_changed_archive_is_not_restored(fence: AsyncFence, tmp_path: Path) -> None:
    await act(fence, 5)
    await archive(fence.client, fence.keys, tmp_path)
    await fence.client.flushall()
    path = tmp_path / "agent-acts.jsonl"
    path.write_bytes(path.read_bytes().replace(b"key-3", b"key-4", 1))
    with pytest.raises(Refused, match="does not verify"):
        await restore(fence.client, fence.keys, tmp_path)
    path.write_bytes(b"[]\n" + path.read_bytes())
    with pytest.raises(Refused, match="line 1 of"):
        await restore(fence.client, fence.keys, tmp_path)
    assert await fence.client.dbsize() == 0
