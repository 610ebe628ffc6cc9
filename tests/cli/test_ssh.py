"""At 3 a.m., over a real ssh, in a tmux of 80×24: from an alert to its cause, the flag that was changed, the roll back
and the evidence file, in the keys that docs/operators.md tells."""

from __future__ import annotations

import getpass
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.domain.guard.alerts import Alert, AlertKind, alert_id
from console.domain.text import Safe
from console.domain.triggers.finding import Severity
from console.evidence.check import check
from console.store.keys import GuardKeys, Keys
from tests import ROOT
from tests.bench.figures import cpu_s
from tests.bench.records import write_log
from tests.cli.agents import Two
from tests.cli.conftest import Cli
from tests.screens.terminal.test_tmux import Tmux
from tests.servers import free_port
from tests.waiting import until

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/sbin")
MOST_KEYS, WITHIN_S = 15, 30.0

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(SSHD is None, reason="no sshd on this machine (openssh-server)"),
    pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh on this machine (openssh-client)"),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux on this machine"),
]


@pytest.fixture
def ssh(short_dir: Path) -> Iterator[str]:
    """The words that log in on this machine, at an sshd of the test's own."""
    host, user, port = short_dir / "host", short_dir / "user", free_port()
    for key in (host, user):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    shutil.copy(user.with_suffix(".pub"), short_dir / "authorized")
    (short_dir / "known").write_text(f"[127.0.0.1]:{port} {host.with_suffix('.pub').read_text()}")
    settings = {
        "Port": port, "ListenAddress": "127.0.0.1", "HostKey": host, "AuthorizedKeysFile": short_dir / "authorized",
        "PidFile": "none", "StrictModes": "no", "UsePAM": "no", "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
    }  # fmt: skip
    (short_dir / "sshd").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # an sshd that is started by root separates itself there
    assert SSHD is not None
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(short_dir / "sshd")], stderr=subprocess.PIPE, text=True)
    words = ["ssh", "-tt", "-q", "-F", "none", "-p", str(port), "-i", str(user)]
    words += ["-o", f"UserKnownHostsFile={short_dir / 'known'}", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"]
    words.append(f"{getpass.getuser()}@127.0.0.1")
    try:
        until(lambda: subprocess.run([*words, "true"], capture_output=True).returncode == 0, "sshd lets us in")
        yield shlex.join(words)
    finally:
        server.terminate()
        server.communicate()


@pytest.fixture
def tmux(short_dir: Path) -> Iterator[Tmux]:
    """A tmux, ended after the test."""
    one = Tmux(short_dir)
    yield one
    one("kill-server")


def is_console(line: Path, url: str) -> bool:
    """Whether a process is the console on this store, and no shell that started it."""
    try:
        words = line.read_bytes().split(b"\0")
    except OSError:
        return False  # it has ended meanwhile
    return words[1:3] == [b"-m", b"console"] and url.encode() in words


def documented_keys() -> list[str]:
    """The keys of the scenario, in the order in which the document tells them."""
    text = (ROOT / "docs/operators.md").read_text()
    table = re.search(r"### At 3 a\.m\.\n(.*?)\n###? ", text, re.DOTALL)
    assert table is not None
    return [
        key for row in re.findall(r"^\| (`[^|]+) \|", table[1], re.MULTILINE) for key in re.findall(r"`([^`]+)`", row)
    ]


def test_from_the_alert_to_the_cause_the_flag_the_roll_back_and_the_evidence(
    cli: Cli, two: Two, store_url: str, home: Path, valkey_sync: Any, ssh: str, tmux: Tmux
) -> None:
    log, out = home / "decisions.jsonl", home / "out"
    write_log(log, 2_000)
    out.mkdir()
    two.to_green()
    assert cli("flag", "set", "crash_target", "9", "--yes", "--reason", "more variance").code == 0
    alert = Alert(
        alert_id("agent", "x"), datetime.now(UTC), Safe("agent"), AlertKind.WARNING, Severity.HIGH, Safe("pnl"),
        Safe("pnl: lost 250 USD of 200"), 7,
    )  # fmt: skip
    valkey_sync.hset(GuardKeys.of(Keys.of()).alerts, alert.id, json.dumps(alert.document()))
    there = {name: value for name, value in os.environ.items() if name.startswith(("AGENT_CONSOLE_", "XDG_"))}
    there |= {"LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "console", "--url", store_url, "--decisions", str(log)]
    started = (
        f"cd {shlex.quote(str(out))} && env {shlex.join(f'{n}={v}' for n, v in there.items())} {shlex.join(words)}"
    )
    (home / "start").write_text(f"{ssh} {shlex.quote(started)}\n")
    tmux.type(f"clear; . {home / 'start'}", "Enter")
    tmux.until("LIVE")

    (console,) = (int(one.parent.name) for one in Path("/proc").glob("[0-9]*/cmdline") if is_console(one, store_url))
    worked_s = cpu_s(console)
    keys, pressed, began_s = iter(documented_keys()), list[str](), time.monotonic()

    def press(key: str, then: str, gone: str = "\0") -> None:
        """The next key of the document, which has to be this one; what is on the screen then, and what is not."""
        pressed.append(next(keys))
        assert pressed[-1] == key
        tmux.type({"enter": "Enter", "esc": "Escape"}.get(key, key))
        until(lambda: then in (shown := tmux.screen) and gone not in shown, f"{then} after {pressed}", every_s=0.02)

    press("!", "pnl: lost 250 USD of 200")
    assert "crash_target" in tmux.screen and "more variance" in tmux.screen, "what came before is told beside it"
    press("esc", "GREEN", gone="esc closes")
    press("f", "[Flags")
    press("enter", "more variance")
    press("esc", "Flags", gone="esc closes")
    press("R", "y Roll back")
    press("y", "BLUE", gone="y Roll back")
    until(lambda: two.blue.active, "blue acts")
    press("E", "From when")
    press("enter", "every chain is whole")
    took_s, worked_s = time.monotonic() - began_s, cpu_s(console) - worked_s
    print(f"{len(pressed)} keys, {took_s:.1f} s, {worked_s:.1f} s of processor time")
    (file,) = out.glob("evidence-agent-*.zip")
    assert check(file).problems == ()
    assert list(keys) == []
    assert len(pressed) <= MOST_KEYS
    assert worked_s < WITHIN_S, "by processor time: how many share the machine decides no test"
