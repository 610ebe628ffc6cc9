"""`agent-console experiment …`: A/B tests of two values of a flag within one version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from console.cli.group import VerbGroup
from console.cli.options import Session, common
from console.cli.runtime import run_with
from console.domain.errors import EXIT_DONE, EXIT_NO, Refused
from console.domain.text import clean

if TYPE_CHECKING:
    from console.commands.context import Context
    from console.domain.experiment.record import ExperimentView


@click.group(
    "experiment",
    cls=VerbGroup,
    help="A/B tests of two values of a flag: define, start, show, stop, adopt. What the file of `define` holds: "
    "`agent-console schema experiment`; one to begin with stands in docs/proving.md.",
)
def experiment() -> None:
    """A/B tests of two values of a flag."""


@experiment.command("show", help="Every experiment, or one with everything; exit code 1 where there is none.")
@click.argument("name", required=False)
@common
def show(session: Session, name: str | None) -> int:
    """What the experiments' screen says, without one."""
    from console.views.experiment_record import experiment_record
    from console.views.experiments import experiment_facts, verdict_words

    async def work(ctx: Context) -> tuple[ExperimentView, ...]:
        return await ctx.gateway.experiments.read()

    views = [view for view in run_with(session.settings(), work, starts=False) if name is None or view.name == name]
    if name is not None and not views:
        raise Refused(f"There is no experiment {clean(name, 64)!r}.", "`experiment show` lists all.")
    if session.as_json:
        documents = [experiment_record(view).document() for view in views]
        click.echo(json.dumps(documents if name is None else documents[0], ensure_ascii=False))
    elif not views:
        click.echo("No experiment is defined. `agent-console experiment define NAME FILE` writes one down.", err=True)
    elif name is not None:
        for label, text in experiment_facts(views[0]):
            if text:
                click.echo(f"{label:<10} {text}")
    else:
        for view in views:
            state = view.record.state.value if view.record is not None else "?"
            click.echo(f"{view.name:<24} {state:<8} {verdict_words(view)[0] if view.record else view.problem}")
    return EXIT_DONE if views else EXIT_NO
