"""The README's tables of keys and verbs, drawn from the declarations: `python -m tests.readme` writes them in."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import click

from console.cli.main import cli
from console.commands.catalogue import commands
from console.screens.registry import global_bindings, key_text

README = Path(__file__).parent.parent / "README.md"


def keys_table() -> str:
    """Every key of the console: key, what it does, its id in the configuration."""
    rows = ["| key | does | id |", "|---|---|---|"]
    for binding in global_bindings([command.info for command in commands()]):
        rows.append(f"| `{key_text(binding.key)}` | {binding.tooltip} | `{binding.id}` |")
    return "\n".join(rows)


def verbs_table() -> str:
    """Every verb: how it is called, what it does."""
    rows = ["| verb | does |", "|---|---|"]
    for name, command in _leaves(cli, ""):
        arguments = "".join(
            f" {parameter.make_metavar(click.Context(command))}"
            for parameter in command.params
            if isinstance(parameter, click.Argument)
        )
        usage = f"{name}{arguments}".replace("|", "\\|")
        rows.append(f"| `{usage}` | {command.get_short_help_str(200)} |")
    return "\n".join(rows)


def _leaves(group: click.Group, prefix: str) -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        full = f"{prefix}{name}"
        found += _leaves(command, f"{full} ") if isinstance(command, click.Group) else [(full, command)]
    return found


SECTIONS: dict[str, Callable[[], str]] = {"keys": keys_table, "verbs": verbs_table}


def rewritten(text: str) -> str:
    """The README with its generated sections as they should be."""
    for name, make in SECTIONS.items():
        pattern = rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)"
        text, count = re.subn(pattern, lambda m, make=make: f"{m[1]}{make()}\n{m[2]}", text, flags=re.DOTALL)
        assert count == 1, f"README has no section {name}"
    return text


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text()))
