"""Logs that rotation packed are read wherever whole logs are read; a torn archive and a bomb are named."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

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
    return (path for path in cache.rglob("*") if path.is_file() and path.suffix not in (".idx", ".words"))


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


def zstd(text: bytes, **how: int) -> bytes:
    how = {"window_log": 20, "compression_level": 3, **how}
    made = zstandard.ZstdCompressionParameters(write_checksum=True, write_content_size=False, **how)
    packer = zstandard.ZstdCompressor(compression_params=made).compressobj()
    return packer.compress(text) + packer.flush()


NO_TEXT = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
"""A frame that holds none, as parallel packers write it first."""


@pytest.mark.parametrize("before", [b"", NO_TEXT])
def test_a_log_packed_by_zstd_in_any_number_of_frames_gives_the_rounds_of_its_text(
    tmp_path: Path, cache: Path, before: bytes
) -> None:
    log, plain = tmp_path / "d.jsonl.zst", tmp_path / "plain.jsonl"
    text = lines(3000)
    cut = len(text) // 3
    log.write_bytes(before + zstd(text[:cut]) + NO_TEXT + zstd(b"") + zstd(text[cut:]))
    plain.write_bytes(text)
    assert readable(log, cache).name == "d.jsonl"
    with indexed([str(log)], OPTIONS, cache) as index, indexed([str(plain)], OPTIONS, cache) as beside:
        assert not index.left
        assert [hit.line for hit in index.newest(Ask(), 5)] == [hit.line for hit in beside.newest(Ask(), 5)]
        assert index.earned(Ask()) == beside.earned(Ask())


@pytest.mark.parametrize("cut", [5, 12, 400, 600, -9, -1])
@pytest.mark.parametrize("before", [b"", zstd(b"{}\n")])
def test_a_torn_zstd_frame_is_named_and_nothing_of_the_archive_counts(
    tmp_path: Path, cache: Path, cut: int, before: bytes
) -> None:
    log = tmp_path / "d.zst"
    log.write_bytes(before + zstd(lines(5000))[:cut])
    index = LogIndex([str(log)], OPTIONS, cache)
    assert [left.why for left in index.left] == ["is a torn zstd archive: it can't be unpacked to its end"]
    assert not list(texts(cache)), "no part of it is left behind"


def test_a_zstd_archive_with_a_flipped_byte_or_with_anything_behind_it_is_torn(tmp_path: Path, cache: Path) -> None:
    data = zstd(lines(500))
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 0xFF
    for number, spoiled in enumerate((bytes(flipped), data + b"x", data + b"{}\n{}\n")):
        log = tmp_path / f"{number}.zst"
        log.write_bytes(spoiled)
        with pytest.raises(NotAFile, match="torn"):
            readable(log, cache)


def test_a_zstd_bomb_is_named_before_it_fills_the_disk_or_the_memory(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "SMALL_BYTES", 1 << 20)
    log = tmp_path / "d.zst"
    log.write_bytes(zstd(b"0" * (8 << 20)) * 20)
    tracemalloc.start()
    with pytest.raises(NotAFile, match="no log is packed so tight"):
        readable(log, cache)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 40 << 20
    log.write_bytes(zstd(lines(10), window_log=27))
    with pytest.raises(NotAFile, match="takes more than 64 MiB of memory"):
        readable(log, cache)
    assert not list(texts(cache))
