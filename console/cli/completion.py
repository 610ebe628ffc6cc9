"""`agent-console completion …`: the shell completes verbs, options and their values."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click
from click.shell_completion import get_completion_class

from console.cli.options import Session, common
from console.domain.errors import EXIT_DONE, ConsoleError, UsageError
from console.store.files.private import write_private

PROGRAM: Final = "agent-console"
VARIABLE: Final = "_AGENT_CONSOLE_COMPLETE"
SHELLS: Final = ("bash", "zsh", "fish")
_NEXT: Final = {
    "bash": "It works in the next shell, where the package bash-completion is set up.",
    "zsh": "It works in the next shell, if ~/.zshrc has, before compinit: fpath=({folder} $fpath)",
    "fish": "It works in the next shell.",
}


def script(shell: str) -> str:
    """What the shell reads so that it completes.

    Raises:
        UsageError: the shell is too old, or can't be asked how old it is.
    """
    from console.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    try:
        return kind(cli, {}, PROGRAM, VARIABLE).source()
    except (RuntimeError, OSError) as error:
        raise UsageError(f"{shell} can't complete: {error}.") from error


def place(shell: str) -> Path:
    """Where the shell looks for it by itself."""
    home = Path.home()
    if shell == "fish":
        return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "fish" / "completions" / f"{PROGRAM}.fish"
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    if shell == "bash":
        return data / "bash-completion" / "completions" / PROGRAM
    return data / "zsh" / "site-functions" / f"_{PROGRAM}"


def shell_in_use() -> str:
    """The shell of the user's account.

    Raises:
        UsageError: it is none that can be told to complete.
    """
    name = Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        raise UsageError("Which shell it is can't be told from SHELL.", f"Name it: {', '.join(SHELLS)}.")
    return name


@click.group("completion", help="The shell completes verbs, options and their values.")
def completion() -> None:
    """The shell completes verbs, options and their values."""


@completion.command("show")
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@common
def show(session: Session, shell: str | None) -> int:
    """The script that a shell reads, on stdout."""
    click.echo(script(shell or shell_in_use()), nl=False)
    return EXIT_DONE


@completion.command("install")
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@common
def install(session: Session, shell: str | None) -> int:
    """Put that script where the shell looks for it; by default for the shell of your account."""
    name = shell or shell_in_use()
    target = place(name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_private(target, script(name).encode(), mode=0o644)
    except OSError as error:
        raise ConsoleError(f"{target} can't be written: {error.strerror}.") from error
    click.echo(str(target))
    click.echo(_NEXT[name].format(folder=target.parent), err=True)
    return EXIT_DONE
