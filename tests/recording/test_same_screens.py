"""A replay shows the same screens as live did, letter by letter."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from console.app import ConsoleApp
from console.cli.main import run
from console.commands.context import Context
from console.commands.gateway.gateway import Gateway
from console.domain.board.boards import NoBoards, Seen
from console.domain.seen.observation import Observation
from console.domain.state.flags import USUAL_FLAGS
from console.live.boards import LiveBoards
from console.live.source import Identity, LiveSource, OpenReader
from console.logs.follower import LogSet
from console.logs.options import LogOptions
from console.picture import export, screen_text
from console.recording.frame import Frame
from console.recording.ring import Ring, parts_of
from console.recording.timeline import RecordedTimeline
from console.screens.frame.ui_settings import UiSettings
from console.store.keys import Keys
from console.store.reading.reader import StoreReader
from console.store.server.connect import connect
from tests.bench.records import halves, stamped
from tests.scenarios import NAMES, NOW, observation
from tests.scenarios.parts import instances
from tests.screens.doubles import RecordingOperator, ScriptedSource
from tests.waiting import until, until_async

SCREENS = ("overview", "decisions", "canary", "shadow", "flags", "state", "checklist", "audit", "experiments")
"""By their digits, from 1 on."""
MOMENTS = 20


class Console:
    """A console on observations that are handed to it, at whose screens one looks.

    Args:
        first: its first.
    """

    def __init__(self, first: Observation) -> None:
        self._now, self._source, self._boards = first.now, ScriptedSource(first), NoBoards()
        look, clock = UiSettings(hz=10), lambda: self._now
        self.app = ConsoleApp(self._source, RecordingOperator(), look, clock=clock, boards=self._boards)

    async def show(self, seen: Frame, digit: str, pilot: Pilot[int]) -> None:
        """Show this on that screen."""
        self._now, self._boards.seen = seen.observation.now, seen.boards or Seen()
        self.app.call_later(self._source.say, seen.observation)
        await pilot.press(digit)

    def text(self) -> str:
        """What stands there."""
        return screen_text(self.app)


async def same(pairs: Sequence[tuple[Frame, Frame, str]]) -> None:
    """What was seen live, what a recording says was, and the digit of the screen on which both have to look the same.

    A chart is drawn at most once a second, so it is waited for.
    """
    live, again = Console(pairs[0][0].observation), Console(pairs[0][1].observation)
    async with live.app.run_test(size=(160, 48)) as one, again.app.run_test(size=(160, 48)) as other:
        for was, said, digit in pairs:
            assert was.observation.now == said.observation.now
            await live.show(was, digit, one)
            await again.show(said, digit, other)
            clock = f"{was.observation.now:%H:%M:%S}Z"
            try:
                await until_async(lambda: clock in live.text() and live.text() == again.text(), timeout_s=30)  # noqa: B023
            except AssertionError:
                assert again.text() == live.text(), (was.observation.now, digit)


def at(timeline: RecordedTimeline, moment: datetime) -> Frame:
    """What a recording says that was to be seen."""
    return Frame(timeline.at(moment), timeline.boards(moment))


async def watched(url: str, log: Path, recorded: Path, act: Callable[[list[Frame]], None]) -> list[Frame]:
    """What a console sees of a real store and a log that is written to; all of it recorded."""
    seen: list[Frame] = []
    ring = Ring(recorded, key_every_s=1.0)

    async def open_board() -> Context:
        gateway = Gateway(await connect(url, name="board"), Keys.of(), url=url, registry={}, who="ana")
        return Context(gateway, {}, recorded.parent)

    async def close_board(ctx: Context) -> None:
        await ctx.gateway.aclose()

    boards = LiveBoards(open_board, close_board)
    boards.keep(True)

    async def open_reader() -> OpenReader:
        client = await connect(url, name="test")
        return OpenReader(StoreReader(client, Keys.of(), USUAL_FLAGS), client.aclose)

    def publish(one: Observation) -> None:
        seen.append(Frame(one, boards.seen))
        ring.add(*seen[-1])

    source = LiveSource(Identity("agent", url), open_reader, LogSet([log], options=LogOptions()), hz=50)
    watching = asyncio.create_task(source.run(publish))
    acting = asyncio.create_task(asyncio.to_thread(act, seen))
    try:
        await asyncio.wait((watching, acting), return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
        await acting
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await boards.aclose()
        ring.close()
    return seen


async def test_a_replay_of_a_real_store_shows_the_same_screens_as_live_did(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"AGENT_CONSOLE_{name}_DIR", str(tmp_path / name))
    log, parts = tmp_path / "decisions.jsonl", halves(200)
    log.write_bytes(b"")
    known: list[int] = []

    def act(seen: list[Frame]) -> None:
        """Somebody works: decisions come, flags are set, the active side moves; the console sees each."""
        for turn in range(12):
            before = len(seen)
            with log.open("ab") as file:
                file.write(stamped(parts, turn * 9, iter([datetime.now(UTC).timestamp()] * 9)))
            slot = ("blue", "green")[turn // 4 % 2]
            word = ("flag", "set", "crash_target", f"2.{turn}") if turn % 4 else ("switch", slot)
            known.append(run(["--url", store_url, *word, "--yes", "--reason", "try"]))
            until(lambda before=before: len(seen) > before)
        until(lambda: seen[-1].boards and seen[-1].boards.held and seen[-1].boards.checks)

    live = await watched(store_url, log, tmp_path / "a.rec", act)
    assert set(known) == {0}
    assert len(live) >= 12
    timeline = RecordedTimeline([tmp_path / "a.rec"])
    first, last = timeline.bounds()
    chance = random.Random(5)
    moments = sorted(first + (last - first) * chance.random() for _ in range(MOMENTS))
    moments += [last] * 2  # the screens 6 and 7, when both had been read for certain
    pairs = []
    for number, moment in enumerate(moments):
        was = next(one for one in reversed(live) if one.observation.now <= moment)
        was = was._replace(observation=was.observation._replace(now=moment))
        digit = number % len(SCREENS) + 1 if number < MOMENTS else number - MOMENTS + 6
        pairs.append((was, at(timeline, moment), str(digit)))
    await same(pairs)
    assert all(was.boards and said.boards and was.boards.held == said.boards.held for was, said, _digit in pairs[-2:])
    assert len({mark.kind for mark in timeline.marks()}) >= 2


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_every_scenario_looks_the_same_from_a_recording(tmp_path: Path) -> None:
    ring = Ring(tmp_path / "a.rec", key_every_s=3.0)
    seen = [observation(name)._replace(now=NOW + timedelta(seconds=n)) for n, name in enumerate(NAMES)]
    for one in seen:
        ring.add(one)
    ring.close()
    timeline = RecordedTimeline([tmp_path / "a.rec"])
    await same([(Frame(one), at(timeline, one.now), "1") for one in seen])


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_a_replay_of_a_simulated_hour_exports_the_same_text_at_twenty_moments(tmp_path: Path) -> None:
    log, parts = tmp_path / "decisions.jsonl", halves()
    log.write_bytes(b"")
    logs = LogSet([log], options=LogOptions(built=100))
    base = observation("fenced")
    assert base.store is not None
    ring, live = Ring(tmp_path / "a.rec", most_bytes=200_000_000), []
    kept = sorted(random.Random(9).sample(range(18_000), MOMENTS))
    for turn in range(18_000):
        at = NOW + timedelta(seconds=turn / 5)
        with log.open("ab") as file:
            file.write(stamped(parts, turn * 2, iter([at.timestamp()] * 2)))
        logs.poll(at)
        beating = base.store.deployment._replace(instances=instances(base.store.deployment.authority.epoch))  # type: ignore[union-attr]
        store = base.store._replace(at=at, server_at=at, deployment=beating)
        one = base._replace(now=at, store=store, logs=logs.reading(at))
        ring.add(one)
        if turn in kept:
            live.append(one)
    ring.close()
    timeline = RecordedTimeline(parts_of(tmp_path / "a.rec"))
    assert sum(part.stat().st_size for part in parts_of(tmp_path / "a.rec")) < 20_000_000
    for number, one in enumerate(live):
        screen = SCREENS[number % len(SCREENS)]
        again = await export(timeline.at(one.now), screen=screen, format="txt")
        assert again == await export(one, screen=screen, format="txt"), (one.now, screen)
