"""`agent-console experiment …`: A/B tests of two values of a flag within one version."""

from __future__ import annotations

import click

from console.cli.operate import build


@click.group("experiment", help="A/B tests of two values of a flag: define, start, show, stop, adopt.")
def experiment() -> None:
    """A/B tests of two values of a flag."""


for _verb in ("define", "start", "stop", "adopt"):
    experiment.add_command(build(f"experiment {_verb}"))
