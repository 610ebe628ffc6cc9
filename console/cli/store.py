"""`agent-console store …`: the embedded server's lifetime, which is its own and not a console's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from console import paths
from console.cli.options import Session, common
from console.cli.report import show
from console.domain.document import Report
from console.store.server import embedded


@dataclass(frozen=True, slots=True)
class RunningStore(Report):
    """The embedded store, running.

    Args:
        running: true.
        url: where it listens.
        pid: of its process.
        version: of the server.
        data: the folder of its data.
    """

    running: bool
    url: str
    pid: int
    version: str
    data: str

    def lines(self) -> Iterator[str]:
        yield f"running  {self.version}  pid {self.pid}  {self.url}"


@dataclass(frozen=True, slots=True)
class NoStore(Report):
    """The embedded store, not running.

    Args:
        running: false.
        data: the folder of its data.
    """

    running: bool
    data: str

    @property
    def well(self) -> bool:
        """No."""
        return False

    def lines(self) -> Iterator[str]:
        yield f"not running; data in {self.data}"


@dataclass(frozen=True, slots=True)
class StoppedStore(Report):
    """The embedded store, after a stop.

    Args:
        running: false.
        stopped: whether it was running until then.
    """

    running: bool
    stopped: bool

    def lines(self) -> Iterator[str]:
        yield "stopped; its data is kept" if self.stopped else "it was not running"


@click.group("store", help="Start, stop and look at the embedded store.")
def store() -> None:
    """Start, stop and look at the embedded store."""


@store.command("start")
@common
def start(session: Session) -> int:
    """Start it, if it is not running; it goes on after this program ends."""
    return show(session, _running(embedded.start(paths.store_dir())), ascii_only=True)


@store.command("stop")
@common
def stop(session: Session) -> int:
    """Stop it; its data is kept."""
    return show(session, StoppedStore(running=False, stopped=embedded.stop(paths.store_dir())), ascii_only=True)


@store.command("status")
@common
def status(session: Session) -> int:
    """Whether it runs; exit code 1 when it does not."""
    server = embedded.status(paths.store_dir())
    if server is None:
        return show(session, NoStore(running=False, data=str(paths.store_dir())), ascii_only=True)
    return show(session, _running(server), ascii_only=True)


def _running(server: embedded.EmbeddedServer) -> RunningStore:
    return RunningStore(True, server.url, server.pid, server.version, str(server.data_dir))
