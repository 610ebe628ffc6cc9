"""Logs are read on a thread of their own: a disk that hangs is named, and delays neither the loop nor the store."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.domain.seen.observation import LogReading, Observation
from console.live.beside import HUNG_AFTER_S, Beside
from console.logs.follower import LogSet
from console.logs.options import LogOptions
from console.views.health import health_view
from console.views.tone import Tone
from tests.live.test_source import Watch, source_on
from tests.waiting import until_async

LINE = json.dumps({"agent_version": "blue", "timestamp": 1.0, "decision_type": "bet"}) + "\n"


class Disk:
    """Reads of this machine's files, which hang while it is told to: no user may mount a disk that does."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()
        self.readers: set[int] = set()
        self._pread = os.pread

    def pread(self, fd: int, length: int, offset: int) -> bytes:
        self.readers.add(threading.get_ident())
        self.answers.wait()
        return self._pread(fd, length, offset)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    one = Disk()
    monkeypatch.setattr(os, "pread", one.pread)
    yield one
    one.answers.set()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "d.jsonl"
    path.write_text(LINE)
    return path


def hung(observation: Observation) -> bool:
    return observation.logs is not None and observation.logs.hung is not None


async def test_no_log_is_read_on_the_loop(store_url: str, log: Path, disk: Disk) -> None:
    watch = Watch()
    task = asyncio.create_task(source_on(store_url, LogSet([log], options=LogOptions())).run(watch.publish))
    await watch.until(lambda o: o.logs is not None and o.logs.total == 1)
    task.cancel()
    assert disk.readers
    assert threading.get_ident() not in disk.readers


async def test_a_log_that_hangs_is_named_with_its_time_while_the_store_is_read_on(
    store_url: str, log: Path, disk: Disk
) -> None:
    watch = Watch()
    disk.answers.clear()
    task = asyncio.create_task(source_on(store_url, LogSet([log], options=LogOptions())).run(watch.publish))
    seen = await watch.until(hung)
    assert seen.logs is not None
    assert seen.logs.hung is not None
    assert seen.logs.hung.path == str(log)
    assert (seen.now - seen.logs.hung.since).total_seconds() >= HUNG_AFTER_S
    assert seen.store is not None
    check = next(check for check in health_view(seen) if check.name == "log")
    assert check.tone is Tone.BAD
    assert check.text.startswith(f"{log.name}: has not answered for")
    before = seen.store.at
    await watch.until(lambda o: o.store is not None and o.store.at > before)
    disk.answers.set()
    mended = await watch.until(lambda o: not hung(o) and o.logs is not None and o.logs.total == 1)
    assert next(check for check in health_view(mended) if check.name == "log").tone is not Tone.BAD
    task.cancel()


async def test_the_end_of_the_console_waits_for_no_disk(store_url: str, log: Path, disk: Disk) -> None:
    watch = Watch()
    disk.answers.clear()
    task = asyncio.create_task(source_on(store_url, LogSet([log], options=LogOptions())).run(watch.publish))
    await watch.until(lambda o: o.store is not None)
    task.cancel()
    await asyncio.wait([task])
    assert not disk.answers.is_set(), "it ended while the disk hung"
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "log reader")


class Failing:
    """Files that no poll survives."""

    behind = False
    touching = ""

    def poll(self, now: datetime) -> bool:
        raise MemoryError(now)

    def reading(self, now: datetime) -> LogReading:
        return LogReading(now)


async def test_what_ends_the_reader_is_raised_where_its_reading_is_asked_for() -> None:
    beside = Beside(Failing(), lambda: datetime.now(UTC), 0.01)
    beside.start(lambda: None)
    await until_async(lambda: beside.polled)
    with pytest.raises(MemoryError):
        beside.reading()


class Slow:
    """Files on a disk that always has a question open, and answers each."""

    behind = False
    touching = "slow.jsonl"

    def __init__(self) -> None:
        self.polls = 0

    def poll(self, now: datetime) -> bool:
        self.polls += 1
        time.sleep(0.001)
        return False

    def reading(self, now: datetime) -> LogReading:
        return LogReading(now)


async def test_a_disk_that_is_slow_and_answers_is_not_called_hung() -> None:
    files = Slow()
    beside = Beside(files, lambda: datetime.now(UTC), 0.001)
    beside.start(lambda: None)
    start = datetime.now(UTC)
    for second in range(10):
        polls = files.polls
        await until_async(_more(files, polls))
        assert beside.hung(start + timedelta(seconds=5 * second)) is None
    beside.stop()


def _more(files: Slow, polls: int) -> Callable[[], bool]:
    return lambda: files.polls > polls + 1
