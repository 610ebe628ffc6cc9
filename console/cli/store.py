"""`agent-console store …`: the embedded server's lifetime, which is its own and not a console's."""

from __future__ import annotations

import json

import click

from console import paths
from console.cli.options import Session, common
from console.domain.errors import EXIT_DONE, EXIT_NO
from console.store.server import embedded


@click.group("store", help="Start, stop and look at the embedded store.")
def store() -> None:
    """Start, stop and look at the embedded store."""


@store.command("start")
@common
def start(session: Session) -> int:
    """Start it, if it is not running; it goes on after this program ends."""
    return _show(session, embedded.start(paths.store_dir()), "running")


@store.command("stop")
@common
def stop(session: Session) -> int:
    """Stop it; its data is kept."""
    stopped = embedded.stop(paths.store_dir())
    if session.as_json:
        click.echo(json.dumps({"running": False, "stopped": stopped}))
    else:
        click.echo("stopped; its data is kept" if stopped else "it was not running")
    return EXIT_DONE


@store.command("status")
@common
def status(session: Session) -> int:
    """Whether it runs; exit code 1 when it does not."""
    server = embedded.status(paths.store_dir())
    if server is None:
        if session.as_json:
            click.echo(json.dumps({"running": False, "data": str(paths.store_dir())}))
        else:
            click.echo(f"not running; data in {paths.store_dir()}")
        return EXIT_NO
    return _show(session, server, "running")


def _show(session: Session, server: embedded.EmbeddedServer, word: str) -> int:
    if session.as_json:
        document = {
            "running": True,
            "url": server.url,
            "pid": server.pid,
            "version": server.version,
            "data": str(server.data_dir),
        }
        click.echo(json.dumps(document))
    else:
        click.echo(f"{word}  {server.version}  pid {server.pid}  {server.url}")
    return EXIT_DONE
