"""A group whose changing verbs are built when they are asked for: `flag get` never pays for `flag set`."""

from __future__ import annotations

import click


class VerbGroup(click.Group):
    """A click group with verbs that are declared in `console.commands`.

    Attributes:
        declared: their names within the group.
    """

    declared: tuple[str, ...] = ()

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Own and declared verbs, sorted."""
        return sorted({*self.commands, *self.declared})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a verb, or build it."""
        if cmd_name not in self.declared:
            return super().get_command(ctx, cmd_name)
        from console.cli.operate import build

        return build(f"{self.name} {cmd_name}")


def declaring(*names: str) -> type[VerbGroup]:
    """The class of a group that declares these verbs."""
    return type("DeclaringGroup", (VerbGroup,), {"declared": names})
