"""A recording's file: every frame comes back at its time, by its index or without; what is torn or damaged costs no
more than what stood there, and is told; it stays within its bound."""

from __future__ import annotations

import zlib
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from console.domain.errors import ConsoleError, Refused
from console.domain.operator.receipt import Change
from console.domain.seen.observation import Observation
from console.domain.seen.timeline import MarkKind
from console.domain.text import Safe
from console.recording.chunks import HEAD, SIGNATURE, chunk
from console.recording.errors import Damaged
from console.recording.recorder import Recorder
from console.recording.ring import Ring, parts_of
from console.recording.timeline import RecordedTimeline
from tests.scenarios import NOW, observation
from tests.scenarios.parts import decision, entry
from tests.waiting import until

FIRST = observation("both-decide")
assert FIRST.store is not None
assert FIRST.logs is not None


def stretch(count: int, every_s: float = 0.2) -> list[Observation]:
    """What a console sees in so many turns: decisions come, and once somebody switches."""
    seen: list[Observation] = []
    store, logs = FIRST.store, FIRST.logs
    assert store is not None
    assert logs is not None
    for turn in range(count):
        at = NOW + timedelta(seconds=turn * every_s)
        recent = (*logs.recent[-99:], decision(1000 + turn, -turn * every_s))
        logs = logs._replace(at=at, recent=recent, total=logs.total + 1)
        audit = store.audit
        if turn == count // 2:
            audit = (*audit, entry(9, -turn * every_s, "switch", Change("active version", "blue", "green")))
        store = store._replace(at=at, server_at=at, audit=audit)
        seen.append(FIRST._replace(now=at, store=store, logs=logs))
    return seen


def recorded(path: Path, seen: list[Observation], *, key_every_s: float = 5.0, end: bool = True) -> Path:
    """A file of these."""
    ring = Ring(path, key_every_s=key_every_s)
    for one in seen:
        ring.add(one)
    if end:
        ring.close()
    return path


@pytest.mark.parametrize("end", [True, False], ids=["ended", "not ended"])
def test_every_frame_comes_back_at_its_time_forwards_and_backwards(tmp_path: Path, end: bool) -> None:
    seen = stretch(24)
    timeline = RecordedTimeline([recorded(tmp_path / "a.rec", seen, key_every_s=1.5, end=end)])
    assert timeline.bounds() == (seen[0].now, seen[-1].now)
    for one in (*seen, *reversed(seen), seen[7], seen[20], seen[3]):
        assert timeline.at(one.now) == one
    between = timeline.at(seen[9].now + timedelta(seconds=0.1))
    assert between == (seen[9]._replace(now=seen[9].now + timedelta(seconds=0.1)))
    with pytest.raises(Refused, match="begins at"):
        timeline.at(seen[0].now - timedelta(seconds=1))
    assert bool(timeline.missing) is not end


def test_one_can_step_from_frame_to_frame_and_to_the_event(tmp_path: Path) -> None:
    seen = stretch(60)
    timeline = RecordedTimeline([recorded(tmp_path / "a.rec", seen)])
    at = seen[0].now
    for one in seen[1:]:
        at = timeline.beside(at, forward=True) or at
        assert at == one.now
    assert timeline.beside(at, forward=True) is None
    assert timeline.beside(at + timedelta(hours=1), forward=False) == seen[-2].now
    assert timeline.beside(seen[0].now, forward=False) is None
    assert [(mark.at, mark.kind) for mark in timeline.marks()] == [(seen[30].now, MarkKind.SWITCH)]
    assert timeline.marks()[0].text == "switch: active version blue → green (ana@ops-1)"


def test_a_torn_tail_loses_only_the_last_frame_and_is_told(tmp_path: Path) -> None:
    seen = stretch(40)
    whole = recorded(tmp_path / "a.rec", seen, end=False).read_bytes()
    for cut in (1, 5, 19, 20, 40):
        torn = tmp_path / f"torn{cut}.rec"
        torn.write_bytes(whole[:-cut])
        timeline = RecordedTimeline([torn])
        assert timeline.bounds()[1] == seen[-2].now
        assert timeline.at(seen[-2].now) == seen[-2]
        assert "can't be read" in timeline.missing[0]


def test_every_place_at_which_a_file_can_be_torn_leaves_what_was_whole(tmp_path: Path) -> None:
    seen = stretch(6)
    whole = recorded(tmp_path / "a.rec", seen, key_every_s=0.4).read_bytes()
    path = tmp_path / "torn.rec"
    for cut in range(0, len(whole), 211):
        path.write_bytes(whole[:cut])
        try:
            timeline = RecordedTimeline([path])
        except Damaged:
            continue
        last = timeline.bounds()[1]
        known = next(one for one in seen if one.now == last)
        assert timeline.at(last) == known
        timeline.close()


def test_a_damaged_frame_costs_what_hangs_on_it_and_no_more(tmp_path: Path) -> None:
    seen = stretch(60)
    path = recorded(tmp_path / "a.rec", seen, key_every_s=2.0)
    data = bytearray(path.read_bytes())
    keys = [at for at in range(len(data)) if data[at : at + 4] == b"KEYF"]
    data[keys[2] + 50] ^= 0xFF
    path.write_bytes(data)
    timeline = RecordedTimeline([path])
    assert timeline.at(seen[19].now) == seen[19]
    with pytest.raises(Damaged):
        timeline.at(seen[25].now)
    assert timeline.at(seen[30].now) == seen[30]


def test_without_an_index_a_stretch_of_garbage_is_skipped_to_the_next_key_frame(tmp_path: Path) -> None:
    seen = stretch(60)
    path = recorded(tmp_path / "a.rec", seen, key_every_s=2.0, end=False)
    data = path.read_bytes()
    second = data.index(b"KEYF", data.index(b"KEYF") + 4)
    path.write_bytes(data[: second - 300] + b"\0" * 500 + data[second + 200 :])
    timeline = RecordedTimeline([path])
    assert timeline.at(seen[1].now) == seen[1]
    assert timeline.at(seen[-1].now) == seen[-1]
    assert "can't be read" in timeline.missing[0]


def test_a_newer_format_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "new.rec"
    path.write_bytes(SIGNATURE + chunk(HEAD, 0, msgspec.msgpack.encode({"format": 2, "novel": True})))
    with pytest.raises(Refused, match="format 2, and this release reads up to 1"):
        RecordedTimeline([path])


@pytest.mark.parametrize("data", [b"", b"{}\n", SIGNATURE, SIGNATURE + chunk(HEAD, 0, b"\xc1"), b"\0" * 4096])
def test_what_is_no_recording_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "no.rec"
    path.write_bytes(data)
    with pytest.raises(Damaged):
        RecordedTimeline([path])


def test_a_frame_that_unpacks_to_more_than_any_observation_is_refused(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.rec", stretch(3), end=False)
    stream = zlib.compressobj()
    bomb = stream.compress(bytes(70_000_000)) + stream.flush(zlib.Z_SYNC_FLUSH)
    at = int((NOW + timedelta(minutes=5)).timestamp() * 1_000_000)
    path.write_bytes(path.read_bytes() + chunk(b"KEYF", at, bomb))
    timeline = RecordedTimeline([path])
    with pytest.raises(Damaged, match="larger"):
        timeline.at(NOW + timedelta(minutes=6))


def test_a_bounded_recording_keeps_the_newest_within_its_bound(tmp_path: Path) -> None:
    most = 1024 * 1024
    ring = Ring(tmp_path / "a.rec", most_bytes=most, key_every_s=1.0)
    largest, seen = 0, stretch(1200)
    for one in seen:
        ring.add(one)
        largest = max(largest, sum(path.stat().st_size for path in parts_of(tmp_path / "a.rec")))
    ring.close()
    parts = parts_of(tmp_path / "a.rec")
    assert not (tmp_path / "a.rec").exists()
    assert most // 2 < largest <= most
    timeline = RecordedTimeline(parts)
    first, last = timeline.bounds()
    assert first > seen[0].now
    assert last == seen[-1].now
    assert timeline.missing == ()
    index = next(place for place, one in enumerate(seen) if one.now == first)
    for one in seen[index::90]:
        assert timeline.at(one.now) == one


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.rec.2").write_text("mine")
    with pytest.raises(Refused, match="there already"):
        Ring(tmp_path / "a.rec")
    assert (tmp_path / "a.rec.2").read_text() == "mine"


def test_a_clock_that_goes_back_stands_still_in_a_recording(tmp_path: Path) -> None:
    seen = stretch(10)
    back = [*seen, *(one._replace(agent=Safe(f"b{n}")) for n, one in enumerate(seen))]
    timeline = RecordedTimeline([recorded(tmp_path / "a.rec", back)])
    assert timeline.bounds() == (seen[0].now, seen[-1].now)
    assert timeline.at(seen[-1].now).agent == "b9"


def test_a_full_disk_ends_a_recording_with_the_reason_and_what_was_written_is_whole() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(ConsoleError):
        Ring(full)


def test_a_recorder_takes_at_once_and_leaves_out_what_a_slow_disk_has_no_time_for(tmp_path: Path) -> None:
    ring = Ring(tmp_path / "a.rec")
    recorder = Recorder(ring)
    seen = stretch(30)
    for one in seen:
        recorder.take(one)
    state = recorder.close(60)
    assert state.frames + state.lost == len(seen)
    assert state.problem == ""
    assert RecordedTimeline([tmp_path / "a.rec"]).at(seen[-1].now) == seen[-1]


def test_a_recorder_that_can_t_write_says_why_once_and_takes_no_more(tmp_path: Path) -> None:
    ended: list[str] = []
    ring = Ring(tmp_path / "a.rec")
    recorder = Recorder(ring, lambda: ended.append(str(recorder.state.problem)))
    assert ring._file is not None
    ring._file.close()
    ring._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 - the ring closes it
    recorder.take(FIRST)
    until(lambda: bool(ended))
    recorder.take(FIRST)
    assert "No space left" in ended[0]
    assert recorder.close().problem == ended[0]
    assert len(ended) == 1
