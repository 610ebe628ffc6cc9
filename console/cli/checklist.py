"""`agent-console checklist`: every item with its evidence; `checklist tick` ticks a manual one."""

from __future__ import annotations

import click

from console.cli.group import VerbGroup
from console.cli.operate import ask
from console.cli.options import Session, common
from console.commands.base import Query
from console.commands.catalogue import find
from console.domain.errors import EXIT_DONE


def _query() -> Query:
    query = find("checklist")
    assert isinstance(query, Query)
    return query


_PHASE, _TARGET, _WAIT = _query().info.params


@click.group("checklist", cls=VerbGroup, invoke_without_command=True, help=_query().info.summary)
@click.option("--phase", type=click.Choice(_PHASE.choices), help=_PHASE.help)
@click.option("--target", type=click.Choice(_TARGET.choices), help=_TARGET.help)
@click.option("--wait", is_flag=True, help=_WAIT.help)
@common
def checklist(session: Session, phase: str | None, target: str | None, wait: bool) -> int:
    """Every item of the checklist with its evidence and age."""
    if click.get_current_context().invoked_subcommand is not None:
        return EXIT_DONE
    args = {"phase": phase or "", "target": target or "", "wait": "yes" if wait else ""}
    return ask(session, _query(), {name: value for name, value in args.items() if value})
