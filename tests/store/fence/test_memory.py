"""What a host remembers of a store's authority survives every process, and no disk stands in anybody's way."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from console.store.fence.memory import (
    MOST_LEFT,
    WIDTH,
    Memory,
    default_folder,
    default_memory,
    line_of,
    missing,
    newer,
    read_line,
    store_name,
)
from console.store.fence.replies import Mark, Seen
from tests import ROOT

LINEAGE, OTHER = "a" * 40, "b" * 40


def seen(number: int, *, epoch: int = 1_000, lineage: str = LINEAGE, events: int = 3) -> Seen:
    return Seen(epoch, lineage, Mark(number, f"{number}-0", "c" * 40), Mark(events, f"{events}-0", "d" * 40))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_line_holds_everything_in_one_sector_and_is_read_back() -> None:
    most = Mark((1 << 53) - 1, f"{(1 << 53) - 1}-{(1 << 53) - 1}", "f" * 40)
    whole = Seen((1 << 53) - 1, "f" * 40, most, most)
    for one in (Seen(), seen(7), whole):
        assert len(line_of(one)) == WIDTH
        assert read_line(line_of(one)) == one


TORN = [
    b"",
    b"\0" * WIDTH,
    line_of(seen(7))[:60].ljust(WIDTH),
    b"\xff\xfe",
    b"[" * WIDTH,
    b'[Infinity,"a",[0,"",""],[0,"",""]]',
    b'[1e400,"a",[0,"",""],[0,"",""]]',
    b'[%d,"a",[0,"",""],[0,"",""]]' % 10**300,
    b'[-1,"a",[0,"",""],[0,"",""]]',
    b'[true,"a",[0,"",""]]',
    b'{"epoch":1}',
    b'["1","a",[0,"",""],[0,"",""]]',
    b'[1,"a",[0],[0,"",""]]',
    b"null",
]


@pytest.mark.parametrize("line", TORN, ids=range(len(TORN)))
def test_a_torn_line_remembers_nothing_and_breaks_nothing(line: bytes, tmp_path: Path) -> None:
    assert read_line(line) == Seen()
    memory = Memory(tmp_path, "s", "agent")
    memory.take(seen(7))
    memory.close()
    files(tmp_path)[0].with_name("torn").write_bytes(line)
    again = Memory(tmp_path, "s", "agent")
    assert again.seen == seen(7)
    again.take(seen(8))
    assert not again.problem
    assert [read_line(path.read_bytes()) for path in files(tmp_path)] == [seen(8)]
    again.close()


def test_hashes_that_are_none_are_not_written(tmp_path: Path) -> None:
    memory = Memory(tmp_path, "s", "agent")
    memory.take(seen(7))
    for lineage in ('"],"', "x" * 1_000, "\n", "ä"):
        memory.take(seen(8, lineage=lineage))
        assert "can't be kept" in memory.problem
        assert read_line(files(tmp_path)[0].read_bytes()) == seen(7)
    memory.take(seen(9))
    assert not memory.problem
    memory.close()


def test_the_next_process_knows_what_a_killed_one_saw_and_clears_its_file_away(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from console.store.fence.memory import Memory\n"
        "from tests.store.fence.test_memory import seen\n"
        "memory = Memory(Path(sys.argv[1]), 's', 'agent')\n"
        "memory.take(seen(41))\n"
        "memory.note(42, at_once=True)\n"
        "memory.note(43, at_once=False)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, check=False)
    assert len(files(tmp_path)) == 1
    memory = Memory(tmp_path, "s", "agent")
    assert memory.seen.actions.number == 42
    memory.take(seen(44))
    assert len(files(tmp_path)) == 1
    memory.close()


def test_two_processes_that_live_keep_a_file_each_and_the_most_counts(tmp_path: Path) -> None:
    one, two = Memory(tmp_path, "s", "agent"), Memory(tmp_path, "s", "agent")
    one.take(seen(5))
    two.take(seen(9))
    assert len(files(tmp_path)) == 2
    assert Memory(tmp_path, "s", "agent").seen == seen(9)
    one.close()
    two.close()


def test_another_store_and_another_agent_are_remembered_apart(tmp_path: Path, valkey_sync: Any) -> None:
    import redis

    names = [
        store_name(redis.Redis.from_url(url))
        for url in ("redis://a:1/0", "redis://a:1/1", "redis://a:2/0", "redis://b:1/0", "redis://user:secret@a:1/0")
    ]
    assert len(set(names)) == 4
    assert names[0] == names[4]  # a password says nothing about where it is
    assert store_name(valkey_sync).endswith("/0")
    for number, (store, agent) in enumerate([("a:1/0", "x"), ("a:1/1", "x"), ("a:1/0", "y")]):
        memory = Memory(tmp_path, store, agent)
        assert memory.seen == Seen()
        memory.take(seen(number + 1))
        memory.close()
    assert Memory(tmp_path, "a:1/1", "x").seen == seen(2)


def test_a_memory_that_was_closed_is_kept_up_when_its_process_begins_again(tmp_path: Path) -> None:
    memory = Memory(tmp_path, "s", "agent")
    memory.take(seen(1))
    memory.close()
    memory.take(seen(2))
    memory.close()
    memory.close()
    assert Memory(tmp_path, "s", "agent").seen == seen(2)
    assert len(files(tmp_path)) == 1


def test_thousands_of_files_of_the_dead_are_read_and_cleared_away_bit_by_bit(tmp_path: Path) -> None:
    memory = Memory(tmp_path, "s", "agent")
    memory.take(seen(1))
    memory.close()
    folder = files(tmp_path)[0].parent
    for number in range(3_000):
        (folder / f"1-{number}").write_bytes(line_of(seen(number)))
    memory = Memory(tmp_path, "s", "agent")
    assert memory.seen == seen(2_999)
    memory.take(seen(3_000))
    assert not memory.problem
    assert len(files(tmp_path)) == 3_002 - MOST_LEFT
    assert Memory(tmp_path, "s", "agent").seen == seen(3_000)
    memory.close()


def test_what_is_no_file_of_ours_is_left_alone(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "m", "s", "agent")
    memory.take(seen(1))
    folder = files(tmp_path)[0].parent
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(line_of(seen(99)))
    (folder / "link").symlink_to(elsewhere)
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    again = Memory(tmp_path / "m", "s", "agent")
    assert again.seen == seen(1)
    again.take(seen(2))
    assert not again.problem
    assert elsewhere.exists()
    again.close()
    memory.close()


@pytest.mark.parametrize("what", ["no folder", "full"])
def test_a_disk_that_can_not_be_written_is_told_and_stands_in_nobodys_way(what: str, tmp_path: Path) -> None:
    if what == "no folder":
        (tmp_path / "state").write_text("a file where the folder should be")
        folder = tmp_path / "state"
    else:
        folder = Path("/dev/full")
    memory = Memory(folder, "s", "agent")
    memory.take(seen(7))
    memory.note(8, at_once=True)
    assert memory.seen.actions.number == 8
    assert memory.problem.startswith("what was seen of the store can't be kept on disk")
    if what == "no folder":
        (tmp_path / "state").unlink()
        memory.take(seen(9))
        assert memory.problem == ""
        assert Memory(folder, "s", "agent").seen == seen(9)
    memory.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may do everything")
@pytest.mark.parametrize("mode", [0o000, 0o500])
def test_a_folder_without_permission_is_told_and_stands_in_nobodys_way(mode: int, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(mode)
    memory = Memory(folder, "s", "agent")
    memory.take(seen(7))
    assert "Permission denied" in memory.problem
    assert memory.seen == seen(7)
    folder.chmod(0o700)
    memory.take(seen(8))
    assert memory.problem == ""
    memory.close()


def test_a_disk_that_is_full_keeps_what_was_there(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from console.store.fence.memory import Memory\n"
        "from tests.store.fence.test_memory import seen\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "before = Memory(Path(sys.argv[1]), 's', 'agent')\n"
        "before.take(seen(1)); before.close()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "memory = Memory(Path(sys.argv[1]), 's', 'agent')\n"
        "memory.take(seen(2))\n"
        "assert 'File too large' in memory.problem, memory.problem\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, check=True)
    assert Memory(tmp_path, "s", "agent").seen == seen(1)


def test_a_user_without_a_home_remembers_nothing_on_disk_and_is_told(
    monkeypatch: pytest.MonkeyPatch, valkey_sync: Any
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "relative/path")
    monkeypatch.setenv("HOME", "/home/of")
    assert default_folder() == Path("/home/of/.local/state/agent-console/seen")
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(os, "getuid", lambda: 4_123_456)  # a container's user, in no list of users
    assert default_folder() is None
    memory = default_memory(valkey_sync, "agent")
    memory.take(seen(3))
    assert memory.seen == seen(3)
    assert "no home" in memory.problem


def test_a_child_of_the_process_writes_nothing(tmp_path: Path) -> None:
    memory = Memory(tmp_path, "s", "agent")
    memory.take(seen(1))

    def child() -> None:
        memory.take(seen(99))
        memory.close()

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(20)
    assert process.exitcode == 0
    memory.take(seen(2))
    assert Memory(tmp_path, "s", "agent").seen == seen(2)
    memory.close()


def test_processes_that_begin_at_once_never_clear_away_each_others_files(tmp_path: Path) -> None:
    memories: list[Memory] = []
    barrier = threading.Barrier(8)

    def begin(number: int) -> None:
        barrier.wait()
        memory = Memory(tmp_path, "s", "agent")
        memory.take(seen(number))
        memories.append(memory)

    for turn in range(20):
        threads = [threading.Thread(target=begin, args=(turn * 8 + number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(files(tmp_path)) == len(memories) == 8
        assert all(os.fstat(memory._file).st_nlink for memory in memories)
        for memory in memories:
            memory.close()
        memories.clear()


def test_a_process_with_thousands_of_agents_keeps_few_files_open_and_remembers_all(tmp_path: Path) -> None:
    program = (
        "import resource, os, sys\n"
        "from pathlib import Path\n"
        "from console.store.fence.memory import Memory\n"
        "from tests.store.fence.test_memory import seen\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))\n"
        "memories = [Memory(Path(sys.argv[1]), 's', f'agent-{n}') for n in range(1_000)]\n"
        "for turn in (1, 2, 3):\n"
        "    for memory in memories:\n"
        "        memory.take(seen(turn))\n"
        "assert not any(memory.problem for memory in memories)\n"
        "assert len(os.listdir('/proc/self/fd')) < 100\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, check=True)
    assert len(files(tmp_path)) == 1_000
    assert all(Memory(tmp_path, "s", f"agent-{number}").seen == seen(3) for number in range(1_000))


# -- comparing --------------------------------------------------------------------------------------------------------


def test_the_newer_of_two_memories_is_that_of_the_higher_epoch_and_there_the_later_entries() -> None:
    assert newer(seen(9, epoch=1), seen(1, epoch=2)).epoch == 2
    assert newer(seen(9), seen(8)) == seen(9)
    assert newer(seen(9, events=1), seen(9, events=2)).events.number == 2


LOST = [
    (Seen(), Seen(), "", ""),
    (Seen(), seen(5), "", ""),
    (seen(5), seen(5), "", ""),
    (seen(5), seen(6), "", ""),
    (seen(5), Seen(), "", "no authority; epoch 1000 and 5 actions were seen"),
    (seen(5), seen(5, epoch=999), "", "epoch 999 < 1000"),
    (seen(5), seen(5, lineage=OTHER), "", "another authority than the one that was seen"),
    (seen(5), seen(1, lineage=OTHER), LINEAGE, ""),
    (seen(5), seen(4), "", "4 actions of 5 that were seen"),
    (seen(5), seen(5, events=1), "", "1 control events of 3 that were seen"),
]


@pytest.mark.parametrize(("before", "now", "was", "words"), LOST)
def test_what_a_store_has_lost_is_named(before: Seen, now: Seen, was: str, words: str) -> None:
    assert missing(before, now, was) == words
