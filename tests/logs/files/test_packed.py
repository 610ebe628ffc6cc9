"""Logs that rotation packed are read wherever whole logs are read; a torn archive and a bomb are named."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.domain.seen.asking import Ask
from console.logs.files import packed
from console.logs.files.openfile import NotAFile
from console.logs.files.packed import readable
from console.logs.index.logs import LogIndex, indexed
from console.logs.options import LogOptions
from tests.logs.index.test_build import lines as written
from tests.logs.index.test_build import record

OPTIONS = LogOptions()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def lines(count: int) -> bytes:
    return written(*(record(number) for number in range(count)))


def pack(path: Path, text: bytes) -> bytes:
    data = gzip.compress(text)
    path.write_bytes(data)
    return data


def texts(cache: Path) -> Iterator[Path]:
    return (path for path in cache.rglob("*") if path.is_file() and path.suffix != ".idx")


def test_a_packed_log_gives_the_rounds_of_its_text_under_its_own_name(tmp_path: Path, cache: Path) -> None:
    text = lines(3000)
    log, plain = tmp_path / "d.jsonl.1.gz", tmp_path / "plain.jsonl"
    pack(log, text)
    plain.write_bytes(text)
    with indexed([str(log)], OPTIONS, cache) as index, indexed([str(plain)], OPTIONS, cache) as beside:
        assert not index.left
        hits = index.newest(Ask(), 5)
        assert [hit.line for hit in hits] == [hit.line for hit in beside.newest(Ask(), 5)]
        assert {hit.path for hit in hits} == {log}
        assert index.earned(Ask()) == beside.earned(Ask())
        assert index.at(log.name, hits[0].offset) == hits[0]


def test_it_is_unpacked_once_and_anew_where_the_archive_was_replaced(tmp_path: Path, cache: Path) -> None:
    log = tmp_path / "d.gz"
    pack(log, lines(10))
    first = readable(log, cache)
    assert readable(log, cache) == first
    with log.open("r+b") as file:
        file.truncate(0)
        file.write(gzip.compress(lines(20)))
    second = readable(log, cache)
    assert second.read_bytes() == lines(20)
    assert list(texts(cache)) == [second], "what is over takes no room"


def test_a_log_and_the_packed_copy_of_it_count_once(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "d.jsonl").write_bytes(lines(50))
    pack(tmp_path / "d.jsonl.gz", lines(50))
    with indexed([str(tmp_path / "d.*")], OPTIONS, cache) as index:
        assert sum(total.rounds for total in index.earned(Ask()).values()) == 50


@pytest.mark.parametrize("cut", [5, 12, 400, -9, -1])
def test_a_torn_archive_is_named_and_nothing_of_it_counts(tmp_path: Path, cache: Path, cut: int) -> None:
    log = tmp_path / "d.gz"
    log.write_bytes(pack(log, lines(500))[:cut])
    index = LogIndex([str(log)], OPTIONS, cache)
    assert not index.files
    assert [left.why for left in index.left] == ["is a torn gzip archive: it can't be unpacked to its end"]
    assert not list(texts(cache)), "no part of it is left behind"


def test_an_archive_with_a_flipped_byte_is_torn(tmp_path: Path, cache: Path) -> None:
    log = tmp_path / "d.gz"
    data = bytearray(pack(log, lines(500)))
    data[len(data) // 2] ^= 0xFF
    log.write_bytes(data)
    with pytest.raises(NotAFile, match="torn"):
        readable(log, cache)


def test_a_bomb_is_named_before_it_fills_the_disk(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "SMALL_BYTES", 1 << 20)
    log = tmp_path / "d.gz"
    pack(log, b"0" * (64 << 20))
    with pytest.raises(NotAFile, match="no log is packed so tight"):
        readable(log, cache)
    assert not list(texts(cache))


def test_a_disk_that_is_full_is_named(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "FREE_BYTES", 1 << 62)
    log = tmp_path / "d.gz"
    pack(log, json.dumps({}).encode())
    with pytest.raises(NotAFile, match="does not fit"):
        readable(log, cache)
