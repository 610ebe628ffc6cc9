"""Groups of verbs: what `console.cli` writes by hand, and what the catalogue declares, built when it is asked for.

`flag get` never pays for `flag set`.
"""

from __future__ import annotations

import click

from console.commands import catalogue


class VerbGroup(click.Group):
    """A click group whose name is the first word of declared verbs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Own and declared verbs, sorted."""
        return sorted({*self.commands, *catalogue.names_in(str(self.name))})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a verb, or build it."""
        own = super().get_command(ctx, cmd_name)
        if own is not None or cmd_name not in catalogue.names_in(str(self.name)):
            return own
        from console.cli.operate import build

        return build(f"{self.name} {cmd_name}")


def declared_group(name: str) -> click.Group:
    """The group of declared verbs with this first word, where no module of ours has one."""
    return VerbGroup(name, help=catalogue.GROUPS.get(name))
