"""`agent-console state …`: what authors try before a version with another schema takes over."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli.options import Session, common
from console.cli.report import show_all
from console.domain.errors import EXIT_DONE, EXIT_NO, UsageError
from console.domain.text import clean
from console.views.snapshots import MigrationStep

if TYPE_CHECKING:
    from console.domain.state.migration import Migration


@click.group("state", help="Try an author's migrations of an agent's state.")
def state() -> None:
    """Try an author's migrations of an agent's state."""


@state.command("migrate")
@click.option("--check", "module", metavar="MODULE|FILE", required=True, help="The module or file with the migrations.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@common
def migrate(session: Session, module: str, files: tuple[Path, ...]) -> int:
    """Try every @migration of a module on states in FILES: pure, whole, nothing lost silently. 1 if one fails.

    Nothing is written. The module's code is run.
    """
    from console.domain.state.migration_check import check
    from console.store.files.states import open_file

    steps = _declared(module)
    results = check({str(path): open_file(path).state for path in files}, steps)
    shown = (
        MigrationStep(
            one.step, one.state, one.ok, one.problem, one.dropped, one.undeclared, one.round_trip, one.irreversible
        )
        for one in results
    )
    show_all(session, shown, "No migration was tried.")
    return EXIT_DONE if all(one.ok for one in results) else EXIT_NO


def _declared(name: str) -> tuple[Migration, ...]:
    from console.domain.state.migration import declared_in

    try:
        loaded = _from_file(Path(name)) if name.endswith(".py") or "/" in name else importlib.import_module(name)
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"{clean(name, 80)} can't be loaded: {type(error).__name__}: {clean(error, 200)}.") from error
    steps = declared_in(vars(loaded))
    if not steps:
        raise UsageError(f"{clean(name, 80)} declares no migration.", "Mark each function with @migration(from, to).")
    return steps


def _from_file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"_migrations_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
