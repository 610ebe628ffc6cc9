"""An evidence file stands at its place when it is whole, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.domain.errors import Refused
from console.evidence.bundle import bundle
from console.evidence.entries import entry_line, read_entries
from console.evidence.names import is_sound, sound

AT = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)


def test_what_ends_before_it_is_whole_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), bundle(tmp_path / "one.zip", AT) as out:
        out.add("report.md", b"text")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_of_two_that_write_the_same_file_the_second_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.zip"
    with pytest.raises(Refused), bundle(path, AT) as first:
        first.add("report.md", b"first")
        with bundle(path, AT) as second:
            second.add("report.md", b"second")
    with pytest.raises(Refused), bundle(path, AT):
        raise AssertionError("nothing is begun where something stands")
    assert [one.name for one in tmp_path.iterdir()] == ["one.zip"]


def test_entries_are_written_and_read_byte_for_byte(tmp_path: Path) -> None:
    fields = {b"n": b"1", b"\xff\x00": b"\xed\xa0\x80", b"text": "ü\u2028\u202e".encode(), b"": b""}
    file = tmp_path / "entries.jsonl"
    line = entry_line("1-0", fields)
    file.write_bytes(line)
    assert line.isascii() and line.count(b"\n") == 1
    with file.open("rb") as opened:
        assert list(read_entries(opened)) == [("1-0", fields)]


@pytest.mark.parametrize(
    "name", ["../a", "/a", "a/../b", "a//b", ".a", "a/.b", "a\nb", "a\\b", "C:a", "", "a/b/c/d", "a..b"]
)
def test_a_name_that_could_do_harm_is_none(name: str) -> None:
    assert not is_sound(name)
    assert is_sound(sound(name)) and "/" not in sound(name)
