"""Each reading tells what the store has lost of what was seen of it, and what it holds wrong: nobody need watch it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.domain.fence.claims import Direction, Outcome
from console.domain.fence.deployment import Phase
from console.domain.state.flags import USUAL_FLAGS
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.fence.claims import Intent
from console.store.fence.memory import Memory, default_folder, store_name
from console.store.fence.replies import Seen
from console.store.keys import Keys
from console.store.reading.reader import StoreReader, read_store
from console.store.server.connect import connect
from tests.servers import Server

KEYS = Keys.of()


async def read(client: Any, agent: str = "agent") -> tuple[str, ...]:
    """What a console that is started now says."""
    reader = StoreReader(client, Keys.of(agent), USUAL_FLAGS)
    return (await reader.read(datetime.now(UTC))).damage


@pytest.fixture
async def fence(valkey: Any) -> AsyncFence:
    """A store on which three actions were done, and a fourth is under way."""
    fence = AsyncFence(valkey, KEYS)
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    for number in range(4):
        wanted = await claim(fence, f"bet-{number}")
        if number < 3:
            await fence.settle(wanted, Outcome.OK)
    return fence


async def claim(fence: AsyncFence, key: str) -> Intent:
    authority = await fence.authority()
    assert authority is not None
    wanted = Intent(
        key, key, "blue", authority.epoch, "i", Decimal(1), "USD", Direction.ENTER, "", 60_000, authority.epoch
    )
    assert (await fence.claim(wanted)).granted
    return wanted


async def test_of_a_whole_store_nothing_is_said(fence: AsyncFence) -> None:
    for _ in range(2):
        assert await read(fence.client) == ()


async def test_of_a_store_without_authority_that_nobody_saw_nothing_is_said(valkey: Any) -> None:
    assert await read(valkey) == ()
    await valkey.set(KEYS.active, "blue")
    assert await read(valkey) == ()


LOSSES = [
    (KEYS.open, "0 of 1 open claims are there"),
    (KEYS.in_flight, "0 of 1 leases are there"),
    (KEYS.actions, "the newest actions are missing"),
    (KEYS.log, "the newest control events are missing"),
]


@pytest.mark.parametrize(("key", "words"), LOSSES)
async def test_what_was_deleted_is_named(fence: AsyncFence, key: str, words: str) -> None:
    await fence.client.delete(key)
    assert words in await read(fence.client)


@pytest.mark.parametrize("key", [KEYS.open, KEYS.in_flight, KEYS.actions, KEYS.log])
async def test_a_key_of_another_type_is_named_and_breaks_no_reading(fence: AsyncFence, key: str) -> None:
    await fence.client.delete(key)
    await fence.client.set(key, "text")
    assert any("can't be read" in words for words in await read(fence.client))


@pytest.mark.parametrize(("stream", "words"), [(KEYS.actions, "actions"), (KEYS.log, "control events")])
async def test_the_newest_entry_that_was_deleted_is_missed(fence: AsyncFence, stream: str, words: str) -> None:
    newest: Any = await fence.client.xrevrange(stream, count=1)
    await fence.client.xdel(stream, newest[0][0])
    assert f"the newest {words} are missing" in await read(fence.client)


async def test_a_store_that_was_emptied_is_missed_by_a_console_that_saw_it_and_by_the_next(fence: AsyncFence) -> None:
    reader = StoreReader(fence.client, KEYS, USUAL_FLAGS)
    seen = (await reader.read(datetime.now(UTC))).deployment.authority
    assert seen is not None
    await fence.client.flushall()
    lost = f"the store went back: no authority; epoch {seen.epoch} and 7 actions were seen"
    assert (await reader.read(datetime.now(UTC))).damage == (lost,)
    assert await read(fence.client) == (lost,)
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="somebody"))
    assert await read(fence.client) == ("the store went back: another authority than the one that was seen",)


async def test_a_store_that_was_emptied_is_no_news_to_somebody_who_never_saw_it(
    fence: AsyncFence, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await read(fence.client)
    await fence.client.flushall()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another host"))
    assert await read(fence.client) == ()


async def test_a_store_that_was_put_back_is_missed(valkey_server: Callable[..., Server]) -> None:
    import shutil

    server = valkey_server()
    client = await connect(server.url, timeout_s=10.0)
    fence = AsyncFence(client, KEYS)
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    await fence.settle(await claim(fence, "bet-1"), Outcome.OK)
    kept, data = server.folder / "kept", server.folder / "appendonlydir"
    shutil.copytree(data, kept)
    await fence.settle(await claim(fence, "bet-2"), Outcome.OK)
    assert await read(client) == ()
    server.kill()
    shutil.rmtree(data)
    shutil.move(kept, data)
    server.start()
    await client.aclose()
    client = await connect(server.url, timeout_s=10.0)
    assert await read(client) == ("the store went back: 2 actions of 4 that were seen",)
    authority = await AsyncFence(client, KEYS).authority()
    assert authority is not None and authority.phase is Phase.RUN  # reading changes nothing
    await client.aclose()


async def test_after_an_operator_began_anew_nothing_is_missed_any_more(fence: AsyncFence) -> None:
    await read(fence.client)
    memory = Memory(default_folder(), store_name(fence.client), "agent")
    await fence.client.flushall()
    await fence.tend(memory.seen)
    assert await read(fence.client) != ()
    await fence.switch(
        SwitchRequest("blue", expected_epoch="any", mode="now", by="op", why="emptied on purpose", resume=True)
    )
    assert await read(fence.client) == ()


async def test_another_agent_s_keys_are_remembered_apart(fence: AsyncFence) -> None:
    await read(fence.client)
    assert await read(fence.client, "other") == ()


@pytest.mark.parametrize("lineage", ['"],[', "\n", "x" * 2_000, "ä"])
async def test_a_lineage_that_is_none_breaks_no_reading(fence: AsyncFence, lineage: str) -> None:
    await read(fence.client)
    await fence.client.hset(KEYS.ctl, "lin", lineage)
    assert await read(fence.client) == ("the store went back: another authority than the one that was seen",)


async def test_numbers_that_are_none_break_no_reading(fence: AsyncFence) -> None:
    for value in ("-1", "1e999", "nine", "", "9" * 400):
        for field in ("an", "ln", "on", "fn"):
            await fence.client.hset(KEYS.ctl, field, value)
            await read(fence.client)


async def test_a_console_without_a_place_to_remember_still_knows_what_it_saw_itself(
    fence: AsyncFence, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    reader = StoreReader(fence.client, KEYS, USUAL_FLAGS)
    assert (await reader.read(datetime.now(UTC))).damage == ()
    await fence.client.flushall()
    assert "went back" in (await reader.read(datetime.now(UTC))).damage[0]


def test_nothing_remembered_is_nothing_lost() -> None:
    assert Seen() == Seen(0, "")


async def test_a_reading_that_saw_something_new_keeps_no_file_open(fence: AsyncFence) -> None:
    def files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    await read_store(fence.client, KEYS, USUAL_FLAGS, now=datetime.now(UTC))
    before = files()
    for number in range(4, 8):
        await fence.settle(await claim(fence, f"bet-{number}"), Outcome.OK)
        await read_store(fence.client, KEYS, USUAL_FLAGS, now=datetime.now(UTC))
    assert files() == before
    folder = default_folder()
    assert folder is not None
    assert len([*folder.rglob("*-*")]) <= 2, "a folder, and the newest word in it"
