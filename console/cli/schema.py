"""`agent-console schema`: what the files that people write may hold, as JSON Schema."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Final

import click

from console.cli.options import Session, common
from console.domain.errors import EXIT_DONE

DOCUMENTS: Final = {
    "canary": "console.documents.canary:CanaryFile",
    "experiment": "console.documents.experiment:ExperimentFile",
    "guard": "console.guard.setup.file:GuardDocument",
    "upgrade": "console.documents.upgrade:UpgradeFile",
    "venue": "console.venue.document:VenueDocument",
}
"""Name → the model of the file."""


@click.command("schema", help="The JSON Schema of a file that people write; without a name, the names.")
@click.argument("name", required=False, type=click.Choice(list(DOCUMENTS)))
@common
def schema(session: Session, name: str | None) -> int:
    """The schema, always as JSON; or one name a line."""
    if name is None:
        click.echo(json.dumps(list(DOCUMENTS)) if session.as_json else "\n".join(DOCUMENTS))
        return EXIT_DONE
    module, _, attribute = DOCUMENTS[name].partition(":")
    model = getattr(import_module(module), attribute)
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    click.echo(json.dumps(dialect | model.model_json_schema(by_alias=True), indent=2, ensure_ascii=False))
    return EXIT_DONE
