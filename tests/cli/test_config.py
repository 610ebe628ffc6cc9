"""What is in force is told with where it came from, and a store's password is in no text, file or argument of ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.domain.errors import UsageError
from console.password import PasswordSource, with_password
from tests.cli.conftest import Cli
from tests.servers import free_port

PASSWORD = "correct horse/battery@staple#1"


@pytest.fixture
def configured(home: Path) -> Path:
    """The configuration file, still empty."""
    file = home / "config" / "config.toml"
    file.parent.mkdir()
    file.write_text("")
    return file


def test_each_setting_says_where_it_came_from(cli: Cli, configured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured.write_text(
        'agent = "one"\nwho = "filed"\n[profiles.prod]\nagent = "two"\nprotected = true\n'
        '[ui]\nhz = 4.0\n[flags.nerve]\ntype = "number"\n'
    )
    monkeypatch.setenv("AGENT_CONSOLE_STATE_FILE", "/tmp/state.json")

    shown = cli("--profile", "prod", "config", "show", "--json", "--slot", "blue=1", "--ascii").json

    origins = {name: setting["origin"] for name, setting in shown.items()}
    assert origins["url"] == "--url" and origins["slots"] == "--slot" and origins["ui.ascii"] == "--ascii"
    assert origins["agent"] == origins["protected"] == f"{configured} [profiles.prod]"
    assert origins["who"] == str(configured)
    assert origins["state_file"] == "AGENT_CONSOLE_STATE_FILE"
    assert origins["read_only"] == "protected profile"
    assert origins["ui.hz"] == f"{configured} [ui]" and origins["ui.theme"] == "default"
    assert origins["flags.nerve"] == f"{configured} [flags.nerve]" and origins["flags.game"] == "default"
    text = cli("--profile", "prod", "config", "show", "--origin").out
    assert any(line.split() == ["agent", "two", str(configured), "[profiles.prod]"] for line in text.splitlines())


def test_a_password_is_taken_from_a_variable_a_file_or_a_command(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    file.chmod(0o600)

    for source in (
        PasswordSource(env="OPS"),
        PasswordSource(file=str(file)),
        PasswordSource(command=("cat", str(file))),
    ):
        url = with_password("rediss://ops@ops-1:6380/0", source, {"OPS": PASSWORD})
        assert url == "rediss://ops:correct%20horse%2Fbattery%40staple%231@ops-1:6380/0"
    assert with_password("redis://ops-1", None) == "redis://ops-1"


@pytest.mark.parametrize(
    "source",
    [
        PasswordSource(),
        PasswordSource(env="A", file="/b"),
        PasswordSource(env="UNSET"),
        PasswordSource(env="EMPTY"),
        PasswordSource(env="CONTROL"),
        PasswordSource(file="/nowhere/at/all"),
        PasswordSource(file="/"),
        PasswordSource(file="/dev/zero"),
        PasswordSource(command=("false",)),
        PasswordSource(command=("/nowhere/at/all",)),
        PasswordSource(command=("printf", "a\\nb")),
        PasswordSource(command=("printf", "\\377")),
        PasswordSource(command=("a\x00b",)),
        PasswordSource(command=("sh", "-c", "echo hushhush; exit 3")),
    ],
    ids=str,
)
def test_a_password_that_cannot_be_had_is_no_password(source: PasswordSource) -> None:
    with pytest.raises(UsageError) as refused:
        with_password("redis://ops-1", source, {"EMPTY": "\n", "CONTROL": "x\x1b[31m"})
    assert "hushhush" not in str(refused.value) and "\x1b" not in str(refused.value)


def test_a_file_that_others_can_read_holds_no_password(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    file.chmod(0o644)

    with pytest.raises(UsageError, match="others than its owner"):
        with_password("redis://ops-1", PasswordSource(file=str(file)))


def test_two_passwords_are_none() -> None:
    with pytest.raises(UsageError, match="another one"):
        with_password("redis://:first@ops-1", PasswordSource(env="OPS"), {"OPS": "second"})


def test_a_password_goes_to_no_other_store_than_the_one_it_was_named_with(cli: Cli, configured: Path) -> None:
    configured.write_text('[profiles.prod]\nurl = "redis://ops-1"\npassword = { env = "OPS" }\n')

    named = cli("--profile", "prod", "config", "show", "--json", url=None).json["password"]
    other = cli("--profile", "prod", "config", "show", "--json", url="redis://127.0.0.1:1").json["password"]

    assert named["value"] == "env OPS" and other["value"] is None


def test_a_profile_with_a_password_in_a_command_reaches_its_store(
    cli: Cli, configured: Path, valkey_server: object
) -> None:
    port = free_port()
    valkey_server(port=str(port), requirepass=PASSWORD)  # type: ignore[operator]
    words = json.dumps(["printf", "%s", PASSWORD])
    configured.write_text(f'[profiles.prod]\nurl = "redis://127.0.0.1:{port}"\npassword = {{ command = {words} }}\n')

    assert cli("--profile", "prod", "flag", "set", "game", "dice", "--yes", url=None).code == 0
    shown = cli("--profile", "prod", "config", "show", "--json", url=None)
    assert PASSWORD not in shown.out + shown.err and shown.json["password"]["value"] == "command printf"
    assert cli("flag", "get", "game", url=f"redis://127.0.0.1:{port}").code != 0


def test_a_password_among_the_arguments_is_warned_of(cli: Cli) -> None:
    warned = cli("config", "show", url="redis://:s3cret@ops/0")

    assert "seen by every user" in warned.err and "s3cret" not in warned.out + warned.err
    assert cli("config", "show", url="redis://ops@ops-1:6379/0?db=1").err == ""
