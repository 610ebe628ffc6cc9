"""`agent-console snapshot …`: take, list, show and restore snapshots."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from console import paths
from console.cli.group import VerbGroup
from console.cli.options import Session, common
from console.domain.errors import EXIT_DONE, EXIT_NO
from console.domain.state.snapshot import MAX_AGE_S
from console.store.files import snapshots
from console.store.files.snapshots import Stored


@click.group("snapshot", cls=VerbGroup, help="Take, list, show and restore snapshots.")
def snapshot() -> None:
    """Take, list, show and restore snapshots."""


@snapshot.command("list")
@common
def list_snapshots(session: Session) -> int:
    """Every snapshot of the agent, newest first."""
    found = snapshots.listing(paths.snapshots_dir(session.settings().agent))
    now = datetime.now(UTC)
    if session.as_json:
        click.echo(json.dumps([_document(stored, now) for stored in found], ensure_ascii=False))
        return EXIT_DONE
    if not found:
        click.echo("No snapshots yet. `agent-console snapshot take` takes one.", err=True)
    for stored in found:
        click.echo(_line(stored, now))
    return EXIT_DONE


def _line(stored: Stored, now: datetime) -> str:
    taken = stored.snapshot
    if taken is None:
        return f"{stored.id}  DAMAGED: {stored.problem}"
    age = taken.age_s(now)
    fresh = "can be restored" if 0 <= age <= MAX_AGE_S else "too old to restore" if age > 0 else "from the future"
    why = f"  “{taken.why}”" if taken.why else ""
    return f"{stored.id}  {taken.active or '-':<8}  {len(taken.flags)} flags  {age:.0f} s old, {fresh}{why}"


def _document(stored: Stored, now: datetime) -> dict[str, Any]:
    taken = stored.snapshot
    base: dict[str, Any] = {"id": stored.id, "path": str(stored.path), "problem": stored.problem or None}
    if taken is None:
        return base
    age = taken.age_s(now)
    return {
        **base,
        "agent": taken.agent,
        "taken_at": taken.taken_at.isoformat().replace("+00:00", "Z"),
        "age_s": float(age),
        "restorable": 0 <= age <= MAX_AGE_S,
        "active": taken.active,
        "epoch": taken.epoch,
        "flags": len(taken.flags),
        "why": taken.why,
    }


@snapshot.command("show")
@click.argument("file", default="latest")
@common
def show(session: Session, file: str) -> int:
    """One snapshot's whole document; exit code 4 if it is damaged, 1 if it is too old to restore."""
    path = snapshots.resolve(file, paths.snapshots_dir(session.settings().agent))
    taken = snapshots.read(path)
    document = snapshots.parse_json(Path(path).read_bytes())
    click.echo(json.dumps(document, ensure_ascii=False, indent=None if session.as_json else 2, default=str))
    age = taken.age_s(datetime.now(UTC))
    return EXIT_DONE if 0 <= age <= MAX_AGE_S else EXIT_NO
