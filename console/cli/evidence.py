"""`agent-console evidence`: what is known of a time in one file; `evidence verify` looks whether one is as it was."""

from __future__ import annotations

import click

from console.cli.group import VerbGroup
from console.cli.operate import ask
from console.cli.options import Session, common
from console.commands.base import Query
from console.commands.catalogue import find
from console.domain.errors import EXIT_DONE


def _query() -> Query:
    query = find("evidence")
    assert isinstance(query, Query)
    return query


_FROM, _TO, _OUTPUT, _RECORDING, _NO_PICTURES = _query().info.params


@click.group("evidence", cls=VerbGroup, invoke_without_command=True, help=_query().info.summary)
@click.option("--from", "since", metavar="TIME", help=_FROM.help)
@click.option("--to", "until", metavar="TIME", help=_TO.help)
@click.option("--output", "-o", metavar="FILE", help=_OUTPUT.help)
@click.option("--recording", metavar="FILE", help=_RECORDING.help)
@click.option("--no-pictures", is_flag=True, help=_NO_PICTURES.help)
@common
def evidence(
    session: Session,
    since: str | None,
    until: str | None,
    output: str | None,
    recording: str | None,
    no_pictures: bool,
) -> int:
    """What is known of a time in one file."""
    if click.get_current_context().invoked_subcommand is not None:
        return EXIT_DONE
    args = {"from": since, "to": until, "output": output, "recording": recording}
    args["no_pictures"] = "yes" if no_pictures else None
    return ask(session, _query(), {name: value for name, value in args.items() if value})
