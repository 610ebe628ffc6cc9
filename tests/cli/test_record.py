"""`record` and `replay`: what a real store and its logs show is kept, within its bound, ended by signals; a recording
holds no password; what is no recording is refused; a stretch becomes an asciicast."""

from __future__ import annotations

import itertools
import json
import os
import signal
import stat
import subprocess
import sys
import zlib
from datetime import timedelta
from pathlib import Path

import pytest

from console.domain.seen.observation import LinkState
from console.logs.options import LogOptions
from console.recording.chunks import DELTA, KEY, SIGNATURE, next_chunk, payload_of, size_of
from console.recording.errors import Damaged
from console.recording.opening import timeline_of
from console.recording.timeline import RecordedTimeline
from tests import ROOT
from tests.bench.records import write_log
from tests.cli.conftest import Cli
from tests.picture import Picture
from tests.recording.test_recording import recorded, stretch
from tests.waiting import until


def test_it_records_for_as_long_as_it_is_told_and_says_what_it_wrote(cli: Cli, home: Path) -> None:
    log = home / "decisions.jsonl"
    write_log(log, 50)
    assert cli("switch", "blue", "--yes").code == 0
    result = cli("record", "-o", str(home / "a.rec"), "--for", "1s", "--decisions", str(log), "--json")
    assert result.code == 0
    assert result.json["frames"] >= 1
    assert result.json["problem"] == ""
    file = home / "a.rec"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    timeline = RecordedTimeline([file])
    assert timeline.missing == ()
    last = timeline.at(timeline.bounds()[1])
    assert last.link.state is LinkState.LIVE
    assert last.store is not None
    assert last.store.deployment.active.raw == "blue"
    assert last.logs is not None
    assert last.logs.total == 50
    again = cli("record", "-o", str(file), "--for", "1s")
    assert again.code == 4
    assert "there already" in again.err


def test_exact_sums_over_whole_logs_are_recorded_too(cli: Cli, home: Path) -> None:
    log = home / "decisions.jsonl"
    write_log(log, 5_000)  # more than a console reads back by itself
    assert cli("record", "-o", str(home / "a.rec"), "--for", "2s", "--decisions", str(log)).code == 0
    timeline = RecordedTimeline([home / "a.rec"])
    logs = timeline.at(timeline.bounds()[1]).logs
    assert logs is not None and logs.counted is not None
    assert logs.counted.read_bytes == logs.counted.of_bytes == log.stat().st_size


def has_boards(path: Path) -> bool:
    """Whether both boards are in a recording, which reads them though nobody looks."""
    timeline = RecordedTimeline([path])
    boards = timeline.boards(timeline.bounds()[1])
    return boards is not None and boards.held is not None and boards.checks is not None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_recording_with_its_index(store_url: str, home: Path, number: int) -> None:
    words = ["--url", store_url, "record", "-o", str(home / "a.rec")]
    process = subprocess.Popen([sys.executable, "-m", "console", *words], cwd=ROOT, stderr=subprocess.PIPE)
    try:
        until(lambda: has_boards(home / "a.rec"), despite=(Damaged,))
        process.send_signal(number)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()
    assert RecordedTimeline([home / "a.rec"]).missing == ()


def test_a_recording_that_is_killed_can_be_played(store_url: str, home: Path) -> None:
    words = ["--url", store_url, "record", "-o", str(home / "a.rec")]
    process = subprocess.Popen([sys.executable, "-m", "console", *words], cwd=ROOT, stderr=subprocess.PIPE)
    until(lambda: RecordedTimeline([home / "a.rec"]).bounds(), despite=(Damaged,))
    process.kill()
    process.communicate()
    timeline = RecordedTimeline([home / "a.rec"])
    assert "was not ended" in timeline.missing[0]
    timeline.at(timeline.bounds()[1])


def test_no_password_of_a_store_stands_in_a_recording(cli: Cli, home: Path) -> None:
    url = "redis://ops:hunter2hunter2@127.0.0.1:1/0"
    process = subprocess.Popen(
        [sys.executable, "-m", "console", "--url", url, "record", "-o", str(home / "a.rec"), "--for", "1s"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    _out, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert "hunter2" not in told
    data = _plain(home / "a.rec")
    assert b"127.0.0.1" in data
    assert b"hunter2" not in data


def _plain(path: Path) -> bytes:
    """Everything that stands in a recording, unpacked."""
    whole = path.read_bytes()
    with path.open("rb") as file:
        place, stream = len(SIGNATURE), zlib.decompressobj()
        while (one := next_chunk(file, place, size_of(file))) is not None:
            if one.tag == KEY:
                stream = zlib.decompressobj()
            if one.tag in (KEY, DELTA):
                whole += stream.decompress(payload_of(file, one) or b"")
            place = one.end
    return whole


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--for", "soon"), "can't be understood"),
        (("--for", "0s"), "can't be understood"),
        (("--max", "10"), "can't be understood"),
        (("--max", "1kB"), "can't be bounded"),
        (("-o", "/nowhere/at/all.rec"), "No such file"),
    ],
)
def test_what_can_t_be_done_is_said_before_anything_is_recorded(
    cli: Cli, home: Path, words: tuple[str, ...], told: str
) -> None:
    result = cli("record", "-o", str(home / "a.rec"), *words)
    assert result.code != 0
    assert told in result.err
    assert not (home / "a.rec").exists()


def test_replay_needs_a_terminal_and_says_what_works_without(cli: Cli, home: Path) -> None:
    result = cli("replay", str(recorded(home / "a.rec", stretch(3))), url=None)
    assert result.code == 2
    assert "--cast" in result.err


def test_a_stretch_becomes_an_asciicast_that_shows_what_the_screens_did(cli: Cli, home: Path) -> None:
    seen = stretch(60)
    file = recorded(home / "a.rec", seen)
    words = ("--at", "14:03:13", "--until", "14:03:20", "--speed", "2", "--size", "100x30")
    result = cli("replay", str(file), "--cast", str(home / "a.cast"), *words, url=None)
    assert result.code == 0, result.err
    first, *rest = (home / "a.cast").read_text().splitlines()
    header, events = json.loads(first), [json.loads(line) for line in rest]
    assert (header["version"], header["width"], header["height"]) == (2, 100, 30)
    assert header["timestamp"] == int(seen[0].now.replace(second=13).timestamp())
    assert all(len(event) == 3 and event[1] == "o" for event in events)
    times = [event[0] for event in events]
    assert times == sorted(times)
    assert 3 < times[-1] < 6
    assert max(b - a for a, b in itertools.pairwise(times)) <= 2.0
    picture = Picture(100, 30)
    for event in events:
        picture.feed(event[2].encode())
    assert picture.has("REPLAY 14:03:19 ×2") or picture.has("REPLAY 14:03:20 ×2")
    again = cli("replay", str(file), "--cast", str(home / "a.cast"), url=None)
    assert again.code == 4
    assert "there already" in again.err


def test_idle_time_of_an_asciicast_is_cut(cli: Cli, home: Path) -> None:
    seen = stretch(3)
    quiet = seen[-1]._replace(now=seen[-1].now + timedelta(minutes=10))
    file = recorded(home / "a.rec", [*seen, quiet])
    words = ("--speed", "100", "--screen", "flags", "--size", "80x24")
    assert cli("replay", str(file), "--cast", str(home / "a.cast"), *words, url=None).code == 0
    last = json.loads((home / "a.cast").read_text().splitlines()[-1])
    assert last[0] < 10


@pytest.mark.parametrize("data", [b"", b"no decisions\n", b"PK\x03\x04....", b"\x89ACR\r\n\x1a\n"])
def test_what_can_t_be_replayed_is_refused_by_its_content(cli: Cli, home: Path, data: bytes) -> None:
    (home / "what.rec").write_bytes(data)
    result = cli("replay", str(home / "what.rec"), "--cast", str(home / "a.cast"), url=None)
    assert result.code in (1, 2, 4)
    assert not (home / "a.cast").exists()


def test_decision_logs_alone_are_replayed_without_a_store(home: Path) -> None:
    log = home / "decisions.jsonl"
    write_log(log, 400, span_s=400)
    other = home / "other.jsonl"
    other.write_bytes(log.read_bytes().replace(b'"2.4.0"', b'"2.6.0"'))
    opened = timeline_of([log, other], LogOptions())
    first, last = opened.timeline.bounds()
    assert (last - first).total_seconds() == pytest.approx(399, abs=2)
    for share in (0.5, 1.0, 0.1, 0.75):
        moment = first + (last - first) * share
        seen = opened.timeline.at(moment)
        assert seen.store is None
        assert seen.logs is not None
        assert seen.logs.total == pytest.approx(2 * (1 + 399 * share), abs=4)
        assert max(one.at for one in seen.logs.recent) <= moment
        assert sum(one.decisions for one in seen.logs.by_version.values()) == seen.logs.total
    assert "not known" in opened.missing[0]


def test_a_recording_s_first_part_names_the_others(home: Path) -> None:
    seen = stretch(40)
    recorded(home / "a.rec", seen[:20])
    os.rename(recorded(home / "b.rec", seen[20:]), home / "a.rec.2")
    opened = timeline_of([home / "a.rec"], LogOptions())
    assert opened.timeline.bounds() == (seen[0].now, seen[-1].now)
