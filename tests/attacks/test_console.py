"""What a command says of a damaged store: never that nothing is in doubt, and a halt's receipt is true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from console.cli.main import run
from tests.attacks.scene import QUICK, Scene
from tests.attacks.test_damage import named, wrong


class Console:
    """`agent-console`, in this process."""

    def __init__(self, url: str, capfd: pytest.CaptureFixture[str]) -> None:
        self._url, self._capfd = url, capfd

    def __call__(self, *words: str) -> tuple[int, str]:
        self._capfd.readouterr()
        code = run(["--url", self._url, "--yes", *words])
        captured = self._capfd.readouterr()
        return code, captured.out + captured.err


@pytest.fixture
def console(
    scene: Scene, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Console:
    monkeypatch.setenv("AGENT_CONSOLE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("AGENT_CONSOLE_DATA_DIR", str(tmp_path / "data"))
    controller = scene.agent(settings=QUICK)
    scene.attempt(controller, "paid")
    scene.doubt(controller, "doubtful")
    controller.stop()
    return Console(scene.url, capfd)


def doubt_line(output: str) -> str:
    return next(line for line in output.splitlines() if "in doubt" in line)


DAMAGE = [("open", "del"), ("open", "string"), ("open", "list"), ("infl", "string"), ("ctl", "string"), ("ctl", "del")]


@pytest.mark.parametrize(("name", "how"), DAMAGE)
def test_status_never_says_that_nothing_is_in_doubt_on_a_damaged_store(
    scene: Scene, console: Console, name: str, how: str
) -> None:
    code, output = console("status")
    assert code == 1 and "✖" in doubt_line(output)
    key = named(scene.fence.keys)[name]
    if how == "del":
        scene.client.delete(key)
    else:
        wrong(scene.client, key, how)
    code, output = console("status")
    assert code == 1 and "✖" in doubt_line(output), doubt_line(output)


@pytest.mark.parametrize("how", ["del", "string"])
@pytest.mark.parametrize("name", ["ctl", "open", "infl", "acts", "log", "inst", "audit", "plain"])
def test_halt_on_the_command_line_works_on_a_damaged_store_and_says_what_it_did(
    scene: Scene, console: Console, name: str, how: str
) -> None:
    key = named(scene.fence.keys)[name]
    if how == "del":
        scene.client.delete(key)
    elif name != "plain":
        wrong(scene.client, key, "string")
    else:
        wrong(scene.client, key, "hash")
    code, output = console("halt")
    assert code == 0 and "halted" in output and "nothing was changed" not in output
    assert scene.phase() == "HALT" and scene.client.get(scene.fence.keys.active) == b"halted"
    entry: dict[bytes, Any] = scene.client.xrevrange(scene.fence.keys.audit, count=1)[0][1]
    assert entry[b"after"] == b"halted"
    code, output = console("halt")
    assert scene.phase() == "HALT"
