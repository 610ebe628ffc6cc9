"""`guard --metrics`: served where only this machine reaches it, or to who shows a token; refused in words otherwise."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests import ROOT
from tests.cli.conftest import Cli
from tests.guard.metrics.sights import samples_of, value
from tests.waiting import until

PROBE = """
import sys
from console.cli.main import run
code = run(sys.argv[1:])
print(code, [name for name in sys.modules if name.startswith("prometheus_client")])
"""


def test_a_guard_serves_metrics_until_it_ends_and_logs_for_journald(store_url: str, home: Path) -> None:
    token = home / "token"
    token.write_text("a-token-of-twenty-four-chars\n")
    token.chmod(0o600)
    errors = home / "errors"
    words = ["--url", store_url, "guard", "--metrics", "127.0.0.1:0", "--metrics-token-file", str(token)]
    with errors.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "console", *words, "--log-format", "journald"], cwd=ROOT, stderr=stream
        )
    try:
        until(lambda: '"started"' in errors.read_text(), despite=(FileNotFoundError,))
        lines = errors.read_text().splitlines()
        assert {line[:3] for line in lines} <= {f"<{number}>" for number in range(2, 7)}
        told = {one["event"]: one for one in (json.loads(line[3:]) for line in lines)}
        url = told["metrics served"]["url"]
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(url)
        asking = urllib.request.Request(url, headers={"Authorization": "Bearer a-token-of-twenty-four-chars"})

        def there() -> bool:
            with urllib.request.urlopen(asking) as answer:
                return value(samples_of(answer.read()), "agent_up", agent="agent") is not None

        until(there)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--metrics", "0.0.0.0:0"), "a token is needed there"),
        (("--metrics", "[::]:0"), "a token is needed there"),
        (("--metrics", "ops-1:9464"), "a token is needed there"),
        (("--metrics", "9464"), "Write it like 127.0.0.1:9464"),
        (("--metrics", "127.0.0.1:99999"), "Write it like 127.0.0.1:9464"),
        (("--metrics", "::1:9464"), "Write it like 127.0.0.1:9464"),
        (("--metrics", "127.0.0.1:²"), "Write it like 127.0.0.1:9464"),
        (("--metrics", "127.0.0.1:0", "--once"), "no metrics to serve"),
        (("--metrics", "127.0.0.1:0", "--metrics-token-file", "/nowhere/token"), "can't be read"),
        (("--metrics-token-file", "/nowhere/token"), "--metrics says where"),
    ],
)
def test_what_can_not_be_served_is_refused_before_anything_begins(cli: Cli, words: tuple[str, ...], told: str) -> None:
    result = cli("guard", *words)
    assert (result.code, told in result.err) == (2, True), result.err


def test_a_port_that_is_taken_is_refused_in_words(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = cli("guard", "--metrics", f"127.0.0.1:{port}")
    assert (result.code, "Address already in use" in result.err, "--metrics" in result.err) == (2, True, True)


def test_without_the_extra_it_says_which_one(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("prometheus_client", "console.guard.metrics"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    result = cli("guard", "--metrics", "127.0.0.1:0")
    assert result.code == 2
    assert "agent-console[metrics]" in result.err


def test_a_guard_without_the_option_does_not_load_the_library(store_url: str, home: Path) -> None:
    words = [sys.executable, "-c", PROBE, "--url", store_url, "guard", "--once"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]"), done.stdout
