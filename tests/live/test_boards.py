"""The boards are read beside the loop that draws: only while somebody looks, each part lacking on its own."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
import redis.asyncio

from console.commands.context import Context
from console.commands.gateway.gateway import Gateway
from console.commands.sources import GateSources
from console.demo.faulty import FaultyVenue
from console.domain.board.boards import Board
from console.domain.commitments.commitment import Commitment, Kind, to_record
from console.domain.errors import StoreUnreachable
from console.domain.fence.deployment import Slot
from console.domain.gates.fact import Lack
from console.live.boards import LiveBoards
from console.store.keys import Keys
from console.store.server.connect import connect
from tests.waiting import until, until_async


class Reader:
    """Opens contexts for boards, and remembers on which thread."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.threads: set[int] = set()
        self.closed = 0
        self.sources = GateSources()
        self.away = False

    async def open(self) -> Context:
        self.threads.add(threading.get_ident())
        if self.away:
            raise StoreUnreachable("The store does not answer.")
        gateway = Gateway(await connect(self.url, name="board"), Keys.of(), url=self.url, registry={}, who="ana")
        return replace(Context(gateway, {}, self.folder), sources=self.sources)

    async def close(self, ctx: Context) -> None:
        self.closed += 1
        await ctx.gateway.aclose()


class Restless(LiveBoards):
    """Reads without a pause, and counts how often."""

    taken = 0

    async def turn(self) -> float | None:
        await super().turn()
        self.taken += 1
        return 0.0


Make = Callable[[], tuple[LiveBoards, Reader]]


@pytest.fixture
async def make(store_url: str, tmp_path: Path) -> AsyncIterator[Make]:
    made: list[LiveBoards] = []

    def boards() -> tuple[LiveBoards, Reader]:
        reader = Reader(store_url, tmp_path)
        made.append(LiveBoards(reader.open, reader.close))
        return made[-1], reader

    yield boards
    for one in made:
        await one.aclose()


async def put(valkey: redis.asyncio.Redis, *commitments: Commitment) -> None:
    """As `…:owed` holds them, opened by 2.4.0 of blue."""
    fields = {one.id: f"\nblue\n2.4.0\n41\n1773490000000\n{to_record(one)}" for one in commitments}
    await valkey.hset(Keys.of().owed, mapping=fields)


async def test_what_is_held_is_read_on_another_thread_and_told_on_this_one(
    make: Make, valkey: redis.asyncio.Redis
) -> None:
    await put(valkey, Commitment("esc_1", Kind.ESCROW, Decimal(5), "USD", detail='{"disputed": true}'))
    boards, reader = make()
    told: list[int] = []
    boards.told = lambda: told.append(threading.get_ident())
    boards.look(Board.HELD)
    assert boards.seen.asking
    await until_async(lambda: boards.seen.held is not None)
    held = boards.seen.held
    assert held is not None
    assert held.left.value is not None
    assert [one.id for one in held.left.value.owed] == ["esc_1"]
    assert held.whole.disputed == {"esc_1"}
    assert [one.version for one in held.versions.value or ()] == ["2.4.0"]
    assert set(told) == {threading.get_ident()}
    assert threading.get_ident() not in reader.threads
    assert held.venue.lack is Lack.NOT_CHECKED
    assert held.whole.terms is None


async def test_a_change_is_seen_while_somebody_looks_and_nothing_is_read_once_it_is_left(
    make: Make, valkey: redis.asyncio.Redis
) -> None:
    boards, _reader = make()
    boards.look(Board.HELD)
    await until_async(lambda: boards.seen.held is not None)
    await put(valkey, Commitment("ord-1", Kind.LIMIT_ORDER, Decimal(5), "USD"))
    await until_async(lambda: boards.seen.held and boards.seen.held.left.value and boards.seen.held.left.value.owed)
    boards.leave(Board.CHECKS)
    boards.again()
    at = boards.seen.held
    await until_async(lambda: boards.seen.held is not at, "another board was left, not this one")
    boards.leave(Board.HELD)
    boards.look(Board.CHECKS, Slot.GREEN)
    await until_async(lambda: boards.seen.checks is not None)
    last = boards.seen.held
    boards.ask()
    before = boards.seen.checks
    await until_async(lambda: boards.seen.checks is not before and not boards.seen.asking)
    assert boards.seen.held is last
    assert boards.seen.checks is not None
    assert boards.seen.checks.checked.asked.target is Slot.GREEN


async def test_a_list_that_can_not_be_read_whole_is_unknown_and_takes_no_other_part_down(
    make: Make, valkey: redis.asyncio.Redis
) -> None:
    await valkey.hset(Keys.of().owed, "esc_1", "no record")
    boards, _reader = make()
    boards.look(Board.HELD)
    await until_async(lambda: boards.seen.held is not None)
    held = boards.seen.held
    assert held is not None
    assert (held.left.value, held.left.lack) == (None, Lack.ERROR)
    assert held.versions.value is None
    assert held.snapshots.value == ()
    assert held.kept.value is not None


async def test_a_store_that_goes_away_is_told_and_what_was_read_stays_with_its_age(make: Make) -> None:
    boards, reader = make()
    boards.look(Board.CHECKS)
    await until_async(lambda: boards.seen.checks is not None)
    before = boards.seen.checks
    other, away = make()
    away.away = True
    other.look(Board.CHECKS)
    await until_async(lambda: other.seen.problem)
    assert other.seen.problem == "The store does not answer."
    assert other.seen.checks is None
    away.away = False
    other.ask()
    await until_async(lambda: other.seen.checks is not None and not other.seen.problem)
    assert before is not None
    assert reader.closed == 0


def health_at(boards: LiveBoards) -> datetime | None:
    """When the health address was asked, as the board shows it."""
    assert boards.seen.checks is not None
    return next(line.judged.at for line in boards.seen.checks.checked.lines if line.item.id == "health")


async def test_health_is_asked_when_somebody_asks_and_keeps_its_own_age_until_then(make: Make) -> None:
    with FaultyVenue() as venue:
        boards, reader = make()
        reader.sources = GateSources(health={Slot.GREEN: f"{venue.url}/health"})
        boards.look(Board.CHECKS, Slot.GREEN)
        await until_async(lambda: boards.seen.checks is not None)
        first, asked = boards.seen.checks, health_at(boards)
        assert first is not None
        await until_async(lambda: boards.seen.checks is not first)
        again = boards.seen.checks
        assert again is not None
        assert health_at(boards) == asked
        assert again.outside_at == first.outside_at
        boards.ask()
        await until_async(lambda: boards.seen.checks and boards.seen.checks.outside_at > first.outside_at)
        assert asked is not None
        assert (health_at(boards) or asked) > asked


async def test_health_is_asked_once_however_long_the_screen_takes_to_hear_of_it(make: Make) -> None:
    with FaultyVenue() as venue:
        _others, reader = make()
        reader.sources = GateSources(health={Slot.GREEN: f"{venue.url}/health"})
        boards = Restless(reader.open, reader.close)
        boards.look(Board.CHECKS, Slot.GREEN)
        until(lambda: boards.taken >= 3)  # the loop of the screen stands still meanwhile
        assert boards.seen.checks is None
        assert venue.received == {"GET /health": 1}
        await boards.aclose()


async def test_while_it_is_recorded_every_board_is_read_though_nobody_looks(make: Make) -> None:
    boards, reader = make()
    boards.keep(True)
    await until_async(lambda: boards.seen.held is not None and boards.seen.checks is not None)
    assert not boards.seen.asking
    boards.look(Board.HELD)
    before = boards.seen
    await until_async(lambda: boards.seen.held is not before.held and boards.seen.checks is not before.checks)
    boards.leave(Board.HELD)
    before = boards.seen
    await until_async(lambda: boards.seen.held is not before.held and boards.seen.checks is not before.checks)
    boards.keep(False)
    await boards.aclose()
    assert (reader.closed, len(reader.threads)) == (1, 1)


async def test_snapshot_files_are_listed_with_size_and_hash_and_a_torn_one_with_its_problem(
    make: Make, tmp_path: Path
) -> None:
    (tmp_path / "20260314T101500-00aa11bb.json").write_bytes(b'{"format": "agent-con')
    (tmp_path / "20260314T101501-hostile.json").mkdir()
    boards, _reader = make()
    boards.look(Board.HELD)
    await until_async(lambda: boards.seen.held is not None)
    held = boards.seen.held
    assert held is not None
    folder, torn = held.snapshots.value or ()
    assert (torn.size, len(torn.hash)) == (21, 12)
    assert "not a snapshot" in torn.problem
    assert "can't be read" in folder.problem


async def test_boards_that_were_ended_read_no_more(make: Make) -> None:
    boards, reader = make()
    boards.look(Board.HELD)
    await until_async(lambda: boards.seen.held is not None)
    await boards.aclose()
    await until_async(lambda: reader.closed == 1)
    boards.look(Board.CHECKS)
    assert boards.seen.checks is None
    assert "boards" not in {thread.name for thread in threading.enumerate() if thread.ident in reader.threads}
