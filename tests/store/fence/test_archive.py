"""Streams are trimmed only past what is archived, and archive and stream verify as one chain."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from console.domain.errors import Refused
from console.domain.fence.chain import verify_chain
from console.store.fence.aio import AsyncFence
from console.store.fence.archive import archive, read_archive, verify_archive
from console.store.fence.calls import SwitchRequest
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
    _acts, log = await archive(fence.client, fence.keys, tmp_path / "a", keep=5)
    assert (log.written, log.trimmed, log.left) == (21, 16, 5)
    await busy(fence, 3)
    _acts, log = await archive(fence.client, fence.keys, tmp_path / "a", keep=5)
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
    _acts, log = await archive(fence.client, fence.keys, tmp_path)
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
    _acts, log = await archive(fence.client, fence.keys, tmp_path)
    assert log.written == 1 and verify_archive(path).entries == 4


async def test_bytes_that_are_no_text_survive(valkey: Any, tmp_path: Path) -> None:
    from console.store.fence.archive import line_of

    path = tmp_path / "x"
    path.write_bytes(line_of("1-1", {b"a": b"\xff\x00", b"b": "ü".encode()}))
    assert list(read_archive(path)) == [("1-1", {b"a": b"\xff\x00", b"b": "ü".encode()})]
