"""A file is put in its place whole; what is no file is written to and stays what it is."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from console.store.files.private import write_private
from tests.cli.conftest import Cli, cli, home

__all__ = ["cli", "home"]


def test_what_is_no_file_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_private(pipe, b"drawn" * 50_000)
    reader.join(20)
    assert read == [b"drawn" * 50_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    device = tmp_path / "null"
    device.symlink_to("/dev/null")
    write_private(device, b"drawn")
    assert device.is_symlink()
    assert stat.S_ISCHR(device.stat().st_mode)


def test_a_folder_is_refused_and_a_full_device_says_so(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        write_private(tmp_path, b"x")
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space"):
        write_private(full, b"x")


def test_a_link_stays_one_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    file, link = tmp_path / "a", tmp_path / "link"
    file.write_text("old")
    link.symlink_to(file)
    write_private(link, b"new")
    assert link.is_symlink()
    assert file.read_text() == "new"
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a", "link"]


def test_a_device_that_a_screen_is_drawn_into_is_refused_and_stays_what_it_is(cli: Cli, tmp_path: Path) -> None:
    null = tmp_path / "null"
    null.symlink_to("/dev/null")
    assert cli("export", "-o", str(null)).code == 4
    assert null.is_symlink() and null.is_char_device()
