"""The manual page and the completion are made of the declarations: no verb is missing in either."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from console.cli.main import cli as command_line
from console.cli.manual import leaves, page
from tests.cli.conftest import Cli


def test_every_verb_and_every_option_of_it_stands_in_the_manual_page() -> None:
    text = page(command_line).replace(r"\-", "-")

    common = re.findall(r"--[a-z-]+", text[: text.index(".SH VERBS")])

    for words, verb in leaves(command_line, ()):
        match = re.search(rf'\.SS "{" ".join(words)}[ "]', text)
        assert match, words
        part = text[match.start() :]
        part = part[: part.find(".SS ", 4) if ".SS " in part[4:] else None]
        for param in verb.params:
            for option in param.opts:
                if option.startswith("--"):
                    assert option in part or option in common, (words, option)


def test_no_text_of_a_declaration_is_a_request_of_the_page() -> None:
    requests = {line.split()[0] for line in page(command_line).splitlines() if line.startswith((".", "'"))}

    assert requests == {".TH", ".SH", ".SS", ".TP", ".PP", ".B"}


@pytest.mark.skipif(shutil.which("man") is None, reason="no man on this machine")
def test_man_reads_the_page_without_a_complaint() -> None:
    read = subprocess.run(
        ["man", "--warnings", "-l", "-"],
        input=page(command_line),
        capture_output=True,
        text=True,
        check=True,
        env={"MANWIDTH": "100", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"},
    )

    assert read.stderr == "" and "switch [blue|green]" in re.sub(".\b", "", read.stdout)


def test_the_page_is_put_where_man_looks(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    written = Path(cli("man", "--install", url=None).out.strip())

    assert written == tmp_path / ".local/share/man/man1/agent-console.1"
    assert written.read_text() == cli("man", url=None).out


@pytest.mark.parametrize(
    ("shell", "where"),
    [
        ("bash", ".local/share/bash-completion/completions/agent-console"),
        ("zsh", ".local/share/zsh/site-functions/_agent-console"),
        ("fish", ".config/fish/completions/agent-console.fish"),
    ],
)
def test_completion_is_put_where_the_shell_looks(
    shell: str, where: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")

    installed = cli("completion", "install", url=None)

    assert installed.code == 0 and installed.out.strip() == str(tmp_path / where)
    assert (tmp_path / where).read_text() == cli("completion", "show", shell, url=None).out
    assert (tmp_path / where).stat().st_mode & 0o777 == 0o644


def test_a_shell_that_completes_nothing_is_named_by_hand(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for shell in ("", "/bin/false"):
        monkeypatch.setenv("SHELL", shell)
        assert cli("completion", "install", url=None).code == 2
