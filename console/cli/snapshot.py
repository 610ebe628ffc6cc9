"""`agent-console snapshot …`: take, list, show and restore snapshots."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from console import paths
from console.cli.group import VerbGroup
from console.cli.options import Session, common
from console.cli.report import show_all
from console.domain.errors import EXIT_DONE, EXIT_NO
from console.domain.state.snapshot import MAX_AGE_S
from console.regular import read_regular
from console.store.files import snapshots
from console.views.snapshots import listed


@click.group("snapshot", cls=VerbGroup, help="Take, list, show and restore snapshots.")
def snapshot() -> None:
    """Take, list, show and restore snapshots."""


@snapshot.command("list")
@common
def list_snapshots(session: Session) -> int:
    """Every snapshot of the agent, newest first."""
    now = datetime.now(UTC)
    stored = snapshots.listing(paths.snapshots_dir(session.settings().agent))
    nothing = "No snapshots yet. `agent-console snapshot take` takes one."
    return show_all(
        session, (listed(each.id, str(each.path), each.snapshot, each.problem, now) for each in stored), nothing
    )


@snapshot.command("show")
@click.argument("file", default="latest")
@common
def show(session: Session, file: str) -> int:
    """One snapshot's whole document; exit code 4 if it is damaged, 1 if it is too old to restore."""
    path = snapshots.resolve(file, paths.snapshots_dir(session.settings().agent))
    taken = snapshots.read(path)
    document = snapshots.parse_json(read_regular(path, snapshots.MAX_FILE_BYTES))
    click.echo(json.dumps(document, ensure_ascii=False, indent=None if session.as_json else 2, default=str))
    age = taken.age_s(datetime.now(UTC))
    return EXIT_DONE if 0 <= age <= MAX_AGE_S else EXIT_NO
