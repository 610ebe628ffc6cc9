"""What an operator asks for is understood or refused, and a version gets of our environment what is on the list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.commands.base import Call
from console.commands.rehearse.asked import asked_for, checked_version
from console.commands.rehearse.environment import ALLOWED, environment_for
from console.domain.errors import UsageError

NOW = datetime(2026, 3, 14, 9, tzinfo=UTC)


def asked(tmp_path: Path, **args: str) -> object:
    (tmp_path / "d.jsonl").touch()
    return asked_for(Call({"command": "true", "log": str(tmp_path / "*.jsonl"), **args}), (), NOW)


@pytest.mark.parametrize(
    "args",
    [
        {"runs": "0"},
        {"runs": "6"},
        {"runs": "1.5"},
        {"runs": "nan"},
        {"max_rounds": "0"},
        {"max_rounds": "1e9"},
        {"timeout": "0"},
        {"timeout": "nan"},
        {"timeout": "inf"},
        {"deadline": "-1"},
        {"allow": "1.1"},
        {"allow": "-0.1"},
        {"allow": "nan"},
        {"max_loss": "5"},
        {"max_loss": "nan USD"},
        {"last": "yesterday"},
        {"last": "24h", "since": "2d"},
        {"since": "1d", "until": "2d"},
        {"tolerance": "output.x"},
        {"tolerance": "output.x=nan"},
        {"tolerance": "output.amount=1"},
        {"ignore": "output.side"},
        {"money": "bet", "ignore": "output.bet"},
        {"command": ""},
        {"command": '"'},
        {"log": "nothing/*.jsonl"},
    ],
)
def test_what_can_not_be_meant_is_refused_before_anything_runs(tmp_path: Path, args: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        asked(tmp_path, **args)


def test_yesterday_is_what_is_rehearsed_if_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").touch()
    plain = asked_for(Call({"command": "decide 'a b'"}), (str(tmp_path / "d.jsonl"),), NOW)
    assert plain.command == ("decide", "a b")
    assert (plain.since, plain.until, plain.runs, plain.most) == (NOW - timedelta(days=1), None, 2, 10_000)
    assert plain.logs == (tmp_path / "d.jsonl",)
    assert plain.allowances == ""


def test_all_that_is_allowed_is_told(tmp_path: Path) -> None:
    args = {"tolerance": "output.x=0.5,output.y=1%", "ignore": "output.id", "allow": "0.02", "max_loss": "5 USD"}
    (tmp_path / "d.jsonl").touch()
    told = asked_for(Call({"command": "true", "log": str(tmp_path / "d.jsonl"), **args}), (), NOW)
    assert told.allowances == "share 0.02; loss 5 USD; tolerance output.x=0.5,output.y=1%; not compared: output.id"
    assert (told.rules.absolute, told.rules.relative) == ({"output.x": 0.5}, {"output.y": 0.01})


@pytest.mark.parametrize("version", ["", " 2", "2\n", "\x1b[31m2", "x" * 65])
def test_a_version_that_can_not_be_kept_is_refused(version: str) -> None:
    with pytest.raises(UsageError):
        checked_version(version)
    assert checked_version("v2.5.0-rc.1+a b") == "v2.5.0-rc.1+a b"


OURS = {
    "PATH": "/bin",
    "LANG": "C.UTF-8",
    "HOME": "/home/ops",
    "AGENT_CONSOLE_URL": "redis://ops@store",
    "REDIS_URL": "redis://store",
    "API_KEY": "k",
    "MODEL_KEY": "m",
    "PYTHONPATH": "https://user:password@host/x",
}


def test_a_version_gets_no_address_of_a_store_and_no_credential() -> None:
    env = environment_for(OURS, (), "/tmp/empty")
    assert env == {"PATH": "/bin", "LANG": "C.UTF-8", "HOME": "/tmp/empty", "PYTHONUNBUFFERED": "1"}
    assert not {"HOME", "USER", "SSH_AUTH_SOCK", "XDG_CONFIG_HOME"} & set(ALLOWED)


def test_what_an_operator_names_is_passed_on_but_never_the_console_s_own_or_a_store() -> None:
    assert environment_for(OURS, ("MODEL_KEY",), "/tmp/empty")["MODEL_KEY"] == "m"
    for name in ("AGENT_CONSOLE_URL", "agent_console_url", "REDIS_URL", "NOT_SET"):
        with pytest.raises(UsageError):
            environment_for({**OURS, "agent_console_url": "x"}, (name,), "/tmp/empty")


@pytest.mark.parametrize("scheme", ["redis", "valkeys", "redis+sentinel", "VALKEY+CLUSTER", "unix"])
def test_no_form_of_a_stores_address_is_passed_on(scheme: str) -> None:
    with pytest.raises(UsageError):
        environment_for({**OURS, "ELSEWHERE": f"at {scheme}://ops-1/x"}, ("ELSEWHERE",), "/tmp/empty")
