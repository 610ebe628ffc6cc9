"""`agent-console snapshot …`: list, show, verify, compare and export snapshots, in files and in the store."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import paths
from console.cli.group import VerbGroup
from console.cli.options import Session, common
from console.cli.report import show as show_report
from console.cli.report import show_all
from console.commands.snapshot.show import STORE, document_text, opened_from, verified, whole_document
from console.domain.errors import EXIT_DONE, EXIT_NO, Refused, StoreUnreachable
from console.domain.text import clean
from console.store.files import snapshots
from console.views.snapshots import ExportedSnapshot, KeptSnapshot, SnapshotDifference, VerifiedSnapshot, listed

if TYPE_CHECKING:
    from console.commands.context import Context
    from console.domain.document import Report
    from console.domain.state.kept import KeptStates
    from console.store.files.states import Opened


@click.group("snapshot", cls=VerbGroup, help="Take, list, show, verify, compare, export, prune, restore snapshots.")
def snapshot() -> None:
    """Take, list, show, verify, compare, export, prune and restore snapshots."""


@snapshot.command("list")
@common
def list_snapshots(session: Session) -> int:
    """Every snapshot of the agent, newest first: files, then what it kept in the store."""
    now = datetime.now(UTC)
    settings = session.settings()
    stored = snapshots.listing(paths.snapshots_dir(settings.agent))
    reports: list[Report] = [listed(each.id, str(each.path), each.snapshot, each.problem, now) for each in stored]
    code = EXIT_DONE
    try:
        kept = _kept(session)
        reports += [KeptSnapshot.of(one, kept.now) for one in kept.states]
        for problem in kept.problems:
            click.echo(problem, err=True)
    except (StoreUnreachable, Refused) as error:
        code = error.exit_code if settings.url else EXIT_DONE  # who names no store has none to be away
        click.echo(f"What agents kept in the store is not listed: {error.message}", err=True)
    show_all(session, reports, "No snapshots yet. `agent-console snapshot take` takes one.")
    return code


@snapshot.command("show")
@click.argument("file", default="latest")
@common
def show(session: Session, file: str) -> int:
    """One snapshot's whole document; exit code 4 if it is damaged, 1 if it is too old to restore.

    FILE is `latest`, an id, a file, or `store:` with a number or a hash.
    """
    opened = _open(session, file)
    whole = whole_document(opened, file, paths.snapshots_dir(session.settings().agent))
    click.echo(document_text(whole, indent=None if session.as_json else 2))
    for name in () if session.as_json else opened.state.missing():
        click.echo(f"lacks {clean(name, 160)}", err=True)
    return EXIT_DONE if _verified(session, opened).ok else EXIT_NO


@snapshot.command("verify")
@click.argument("file", default="latest")
@common
def verify(session: Session, file: str) -> int:
    """Whether a snapshot is whole and young enough; what it lacks is named. 4 if it is damaged, 1 if it is too old.

    FILE is `latest`, an id, a file (a plain agent's too), or `store:` with a number or a hash.
    """
    return show_report(session, _verified(session, _open(session, file)))


@snapshot.command("diff")
@click.argument("before")
@click.argument("after")
@common
def diff(session: Session, before: str, after: str) -> int:
    """What differs between two snapshots, field by field; 1 if anything does."""
    from console.domain.state.differences import differences

    different = differences(_open(session, before).state, _open(session, after).state)
    show_all(session, (SnapshotDifference(*one) for one in different), "Nothing differs.")
    return EXIT_NO if different else EXIT_DONE


@snapshot.command("export")
@click.argument("file")
@click.option("--output", "-o", required=True, help="The file to write; mode 0600.")
@click.option("--plain", is_flag=True, help="The contract's seven fields alone, for a plain agent.")
@click.option("--force", is_flag=True, help="Write over a file that is there: no agent may be reading it.")
@common
def export(session: Session, file: str, output: str, plain: bool, force: bool) -> int:
    """Write a snapshot's state to a file, in our form or as a plain agent reads it; what is left out is named."""
    from console.domain.state.state import FIELDS, SEVEN
    from console.store.files.states import write_state

    state, path = _open(session, file).state, Path(output).expanduser()
    if path.exists() and not force:
        raise Refused(f"{path} is there already; an agent may be reading it.", "Name another file, or say --force.")
    data = write_state(state, path, plain=plain)
    beyond = [name for name in FIELDS if name not in (*SEVEN, "schema") and getattr(state, name)]
    kind = "plain" if plain else "state"
    return show_report(session, ExportedSnapshot(file, str(path), kind, len(data), tuple(beyond) if plain else ()))


def _verified(session: Session, opened: Opened) -> VerifiedSnapshot:
    return verified(opened, session.settings().agent, datetime.now(UTC))


def _open(session: Session, name: str) -> Opened:
    """What an operator named, whole."""
    from console.store.files.states import open_file

    if name.startswith(STORE):
        return _open_kept(session, name)
    return open_file(snapshots.resolve(name, paths.snapshots_dir(session.settings().agent)))


def _kept(session: Session) -> KeptStates:
    from console.cli.runtime import run_with
    from console.store.reading.kept import kept_states

    async def read(ctx: Context) -> KeptStates:
        return await kept_states(ctx.gateway.client, ctx.gateway.keys)

    return run_with(session.settings(), read, starts=False)


def _open_kept(session: Session, name: str) -> Opened:
    from console.cli.runtime import run_with

    return run_with(session.settings(), lambda ctx: opened_from(ctx, name), starts=False)
