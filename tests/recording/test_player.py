"""Playing: time passes at a speed and stands still, one steps and seeks, and nothing can be changed; what can't be read
is shown as not known."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from console.domain.errors import UsageError
from console.domain.seen.looking import LookingKind
from console.domain.seen.observation import LinkState, Observation
from console.domain.seen.playback import Playback
from console.recording.player import Player
from console.recording.timeline import RecordedTimeline
from tests.recording.test_recording import recorded, stretch
from tests.scenarios import NOW
from tests.waiting import until_async

SEEN = stretch(60)
MIDDLE = SEEN[30].now
"""When somebody switched."""


class Watching:
    """A player that plays, with what it published, and a clock that a test turns."""

    def __init__(self, path: Path, **options: object) -> None:
        self.now_s = 0.0
        self.seen: list[Observation] = []
        self.said: list[str] = []
        timeline = RecordedTimeline([path])
        self.player = Player(timeline, clock=lambda: self.now_s, hz=100, **options)  # type: ignore[arg-type]
        self.player.told = lambda text, tone: self.said.append(text)

    async def until(self, at: datetime) -> Observation:
        """What is published of that moment."""
        await until_async(lambda: self.seen and self.seen[-1].now == at, f"{at}")
        return self.seen[-1]


@asynccontextmanager
async def watching(folder: Path, **options: object) -> AsyncIterator[Watching]:
    """One of them, over a minute in which somebody switches."""
    one = Watching(recorded(folder / "a.rec", SEEN, key_every_s=3.0), **options)
    playing = asyncio.create_task(one.player.run(one.seen.append))
    try:
        yield one
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)


async def test_it_plays_at_its_speed_to_the_end_and_stands_there(tmp_path: Path) -> None:
    async with watching(tmp_path, speed=10.0) as one:
        first = await one.until(NOW)
        assert first.looking is not None
        assert (first.looking.kind, first.looking.speed, first.looking.playing) == (LookingKind.REPLAY, 10, True)
        one.now_s += 0.5
        seen = await one.until(NOW + timedelta(seconds=5))
        assert seen.store is not None
        assert seen.store.at == SEEN[25].now
        one.now_s += 60
        await one.until(SEEN[-1].now)
        await until_async(lambda: one.seen[-1].looking is not None and not one.seen[-1].looking.playing)
        assert one.said == ["It ends here."]
        one.player.toggle()
        await one.until(NOW)


async def test_nothing_can_be_changed_in_what_it_shows(tmp_path: Path) -> None:
    async with watching(tmp_path) as one:
        assert (await one.until(NOW)).read_only
        assert isinstance(one.player, Playback)


async def test_one_steps_from_frame_to_frame_standing_still(tmp_path: Path) -> None:
    async with watching(tmp_path) as one:
        await one.until(NOW)
        one.player.to_frame(forward=True)
        one.player.to_frame(forward=True)
        seen = await one.until(SEEN[2].now)
        assert seen.looking is not None
        assert not seen.looking.playing
        one.player.to_frame(forward=False)
        await one.until(SEEN[1].now)
        one.now_s += 100
        one.player.refresh()
        await one.until(SEEN[1].now)


async def test_one_steps_from_event_to_event_and_is_told_which(tmp_path: Path) -> None:
    async with watching(tmp_path) as one:
        await one.until(NOW)
        one.player.to_event(forward=True)
        await one.until(MIDDLE)
        one.player.to_event(forward=True)
        await until_async(lambda: len(one.said) == 2)
        assert "switch: active version blue → green" in one.said[0]
        assert one.said[1] == "There is no event after this."
        one.player.to_frame(forward=True)
        one.player.to_event(forward=False)
        await one.until(MIDDLE)


async def test_one_seeks_as_an_operator_writes_a_time_and_no_further_than_there_is(tmp_path: Path) -> None:
    async with watching(tmp_path, playing=False) as one:
        one.player.seek("14:03:15")
        await one.until(NOW.replace(second=15, microsecond=0))
        one.player.seek("5s")
        await one.until(SEEN[-1].now - timedelta(seconds=5))
        one.player.seek("1h")
        await one.until(NOW)
        assert one.said[-1].startswith("This goes from 2026-03-14 14:03:11 to")
        with pytest.raises(UsageError, match="is no time"):
            one.player.seek("\x1b[2J")


async def test_the_speed_has_steps_and_ends(tmp_path: Path) -> None:
    one = Watching(recorded(tmp_path / "a.rec", SEEN))
    speeds = []
    for _ in range(8):
        one.player.change_speed(faster=True)
        speeds.append(one.player.speed)
    assert speeds == [2, 5, 10, 20, 50, 100, 100, 100]
    for _ in range(8):
        one.player.change_speed(faster=False)
    assert one.player.speed == 1


async def test_a_moment_that_can_t_be_read_is_shown_as_not_known_and_never_as_the_one_before(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.rec", SEEN, key_every_s=3.0)
    data = bytearray(path.read_bytes())
    keys = [at for at in range(len(data)) if data[at : at + 4] == b"KEYF"]
    data[keys[1] + 60] ^= 0xFF
    path.write_bytes(data)
    one = Watching(path, playing=False)
    playing = asyncio.create_task(one.player.run(one.seen.append))
    await one.until(NOW)
    one.player.seek("14:03:15")
    seen = await one.until(NOW.replace(second=15, microsecond=0))
    assert (seen.store, seen.logs, seen.link.state) == (None, None, LinkState.OFFLINE)
    assert "damaged" in seen.link.error
    assert seen.agent == SEEN[0].agent
    one.player.seek("14:03:20")
    assert (await one.until(NOW.replace(second=20, microsecond=0))).store is not None
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)


async def test_files_that_do_not_answer_are_a_state_of_their_own_and_are_waited_for(tmp_path: Path) -> None:
    one = Watching(recorded(tmp_path / "a.rec", SEEN), playing=False)
    answers, at = threading.Event(), one.player._timeline.at

    def hung(moment: datetime) -> Observation:
        answers.wait(60)
        return at(moment)

    one.player._timeline.at = hung  # type: ignore[method-assign]
    playing = asyncio.create_task(one.player.run(one.seen.append))
    await until_async(lambda: one.seen)
    assert one.seen[0].store is None
    assert "do not answer" in one.seen[0].link.error
    answers.set()
    await until_async(lambda: one.seen[-1].store is not None)
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)
