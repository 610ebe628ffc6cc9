"""The process behind a demo: starts the store, the venue and the agents, and clears everything away at the end.

It is a process of its own because somebody must be left to do so when the console is killed. It ends when the pipe from
the console does; its children hold the same pipe, so they end even if this process is killed as well.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from console.demo import leash
from console.demo.document import VENUE_FILE, write_document
from console.demo.files import BOOKS
from console.store.server.bare import ask
from console.store.server.embedded import find_server, server_arguments

START_TIMEOUT_S: Final = 20.0
GRACE_S: Final = 2.0
FLAGS: Final = {
    "game": "coinflip",
    "bet_sizing": "kelly_floor",
    "crash_target": "2.0",
    "accept_escrows": "True",
    "max_session_bets": "100000",
    "stop_loss_pct": "0.50",
}
"""What the operator finds set; the usual flags, so that each can be tried out."""


@dataclass(frozen=True, slots=True)
class Role:
    """One version of the agent in the play: how it differs from the other."""

    slot: str
    version: str
    second_guess: float
    greed: float


ROLES: Final = (Role("blue", "2.4.0", 0.0, 1.0), Role("green", "2.5.0", 0.35, 1.4))
"""Green is the new version, and deliberately a little worse."""
FAILS: Final = 0.15
"""Share of the rounds that green gets while it is proven and does not manage to decide: the guardrail's to find."""
PLAN_FILE: Final = "canary.toml"
PLAN: Final = """\
# The demo's ladder, made to be watched: shadow, 5 %, 20 %. A real one waits for hours, not for seconds.
canary = "green"
capital = "1000"
currency = "USD"
automatic = true          # a step whose every gate is open is taken without asking; a real plan had better ask
interval_s = 1.0
stale_after_s = 30.0
quiet_after_s = 60.0

[settings]
margin = 0.05             # at 20 % and above a loss of 5 cents for each dollar at stake is too much
sigma = 0.95
lowest = -1.0
highest = 0.9
due_rounds = 300
share = 0.2
min_blocks = 8
min_blocks_harm = 8

[[steps]]
share = "0"
min_rounds = 50
min_dwell_s = 8

[[steps]]
share = "0.05"
loss_budget = "30"        # so little money that the budget is the judge, and the margin wide
min_rounds = 10
min_dwell_s = 10
margin = 2.5

[[steps]]
share = "0.20"
loss_budget = "8"
min_rounds = 100
min_dwell_s = 20

[[steps]]
share = "0.50"
loss_budget = "20"
min_rounds = 100

[[steps]]
share = "1"
loss_budget = "20"
min_rounds = 100
"""


@dataclass(frozen=True, slots=True)
class Script:
    """What the console asks for, as JSON on the command line.

    Args:
        folder: everything lives in it.
        watch: descriptor of the pipe's read end.
        period_s: how often an agent looks at the store.
        seed: of all chance.
        guard: whether a guard watches, and a canary's capital can be moved.
        fenced: whether the agents use the library.
    """

    folder: str
    watch: int
    period_s: float
    seed: int
    guard: bool = False
    fenced: bool = False


class Stagehand:
    """Starts and ends the players.

    Args:
        script: what was asked for.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._folder = Path(script.folder)
        self._key = secrets.token_hex(8)
        self._players: dict[str, subprocess.Popen[bytes]] = {}
        self._port = 0
        self._began = time.time()

    def set_up(self) -> dict[str, object]:
        """Start every player; returns what the console needs to know."""
        socket = self._start_store()
        port = self._start_venue()
        (self._folder / PLAN_FILE).write_text(PLAN)
        write_document(self._folder, port, self._key)
        for number, role in enumerate(ROLES):
            self._start_agent(role, socket, port, self._script.seed + number)
        if self._script.guard:
            self._start_guard(socket)
        pids = {name: player.pid for name, player in self._players.items()}
        return {"socket": str(socket), "venue_port": port, "venue_key": self._key, "processes": pids}

    def clear_away(self) -> None:
        """End every player, then remove the folder."""
        for player in self._players.values():
            player.terminate()
        deadline = time.monotonic() + GRACE_S
        for player in self._players.values():
            try:
                player.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                player.kill()
                player.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start_store(self) -> Path:
        folder = self._folder / "store"
        folder.mkdir(mode=0o700)
        socket = folder / "store.sock"
        self._start("store", "leash", str(os.getpid()), str(find_server()), *server_arguments(folder, socket))
        deadline = time.monotonic() + START_TIMEOUT_S
        while ask(socket, [["PING"]], timeout_s=1.0) != ["PONG"]:
            if self._players["store"].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the demo's store did not start")
            time.sleep(0.005)
        flags = [word for name, text in FLAGS.items() for word in (f"flag:{name}", text)]
        ask(socket, [["MSET", "agent:active_version", "blue", *flags]], timeout_s=5.0)
        return socket

    def look_after(self) -> None:
        """Start the venue again where it has ended: agents go on with it, as with one that was away for a moment."""
        if self._players["venue"].poll() is not None:
            with contextlib.suppress(RuntimeError):  # its port is not free yet: tried again
                self._start_venue(self._port)

    def _start_venue(self, port: int = 0) -> int:
        words = ("--key", self._key, "--seed", str(self._script.seed), "--port", str(port), "--began", str(self._began))
        self._start("venue", "venue", *words, *self._leash())
        stdout = self._players["venue"].stdout
        assert stdout is not None
        line = stdout.readline()
        if not line.strip().isdigit():
            raise RuntimeError("the demo's venue did not start")
        self._port = int(line)
        return self._port

    def _start_agent(self, role: Role, socket: Path, port: int, seed: int) -> None:
        arguments = {
            "slot": role.slot,
            "version": role.version,
            "redis-url": f"unix://{socket}",
            "venue-port": port,
            "key": self._key,
            "log": self._folder / f"{role.slot}.jsonl",
            "state": self._folder / f"{role.slot}.state.json",
            "period-s": self._script.period_s,
            "seed": seed,
            "second-guess": role.second_guess,
            "greed": role.greed,
        }
        if self._script.fenced and role is ROLES[0]:
            other = ROLES[1]
            arguments |= {"other-second-guess": other.second_guess, "other-greed": other.greed}
        proves = role is ROLES[0] and self._script.guard and not self._script.fenced
        if proves:
            new = ROLES[1]
            arguments |= {
                "canary-version": new.version,
                "canary-second-guess": new.second_guess,
                "canary-greed": new.greed,
                "canary-fails": FAILS,
            }
        words = [word for name, value in arguments.items() for word in (f"--{name}", str(value))]
        module = "fenced" if self._script.fenced else "prover" if proves else "agent"
        self._start(role.slot, module, *words, *self._leash())

    def _start_guard(self, socket: Path) -> None:
        """A guard as an operator would run it, over the demo's own logs and with nobody's configuration.

        Its books are those of the money: what is owed it knows from the list of fenced agents. The plain ones keep
        none, so it lets their canary climb, which an escrow that is due forbids to whoever reads their state file.
        """
        empty = self._folder / "guard.toml"
        empty.write_text("# the guard's defaults\n")
        words = [
            "--url",
            f"unix://{socket}",
            "--decisions",
            str(self._folder / "*.jsonl"),
            "--slot",
            "blue=2.4.0",
            "--slot",
            "green=2.5.0",
            "--venue",
            str(self._folder / VENUE_FILE),
            "--state-file",
            str(self._folder / f"{ROLES[0].slot}{BOOKS}"),
            "guard",
            "--name",
            "guard-1",
            "--triggers",
            str(empty),
        ]
        self._start("guard", "leash", str(os.getpid()), sys.executable, "-P", "-m", "console", *words)

    def _leash(self) -> tuple[str, str]:
        return "--leash", f"{self._script.watch}:{os.getpid()}"

    def _start(self, name: str, module: str, *arguments: str) -> None:
        with (self._folder / f"{name}.err").open("ab") as errors:
            self._players[name] = subprocess.Popen(
                [sys.executable, "-P", "-m", f"console.demo.{module}", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if name == "venue" else subprocess.DEVNULL,
                stderr=errors,
                pass_fds=(self._script.watch,),
            )


def main() -> int:
    """`python -m console.demo.stagehand SCRIPT`: set up, say so in one line of JSON, wait for the end, clear away."""
    os.umask(0o077)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    script = Script(**json.loads(sys.argv[1]))
    hand = Stagehand(script)
    try:
        told = hand.set_up()
        os.write(1, json.dumps(told).encode() + b"\n")
        leash.wait_for_end(script.watch, hand.look_after)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        hand.clear_away()
    return 0


def script_words(script: Script) -> str:
    """The script as `main` takes it."""
    return json.dumps(asdict(script))


if __name__ == "__main__":
    sys.exit(main())
