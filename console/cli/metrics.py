"""`guard --metrics`: where a monitoring system reads what a guard knows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.domain.errors import UsageError
from console.domain.text import clean

if TYPE_CHECKING:
    import socket

    from console.guard.run.fleet import Fleet
    from console.guard.run.process import Guard
    from console.guard.telling import Log


@dataclass(frozen=True, slots=True)
class Place:
    """Where metrics are served: it listens already.

    Args:
        sock: the socket.
        token: what has to be shown; empty for none.
        most_agents: that have samples of their own.
    """

    sock: socket.socket
    token: str
    most_agents: int


def listen(where: str | None, token_file: Path | None, most_agents: int, *, once: bool) -> Place | None:
    """Listen, before anything else is begun; None where nobody asked for it.

    Args:
        where: HOST:PORT; None for nowhere.
        token_file: holds what has to be shown.
        most_agents: that have samples of their own.
        once: whether the guard looks once and ends.

    Raises:
        UsageError: nothing can listen there, others would reach it without a token, or what is needed is not installed.
    """
    if where is None:
        if token_file is not None:
            raise UsageError("There is a token for metrics, and none are served.", "--metrics says where they are.")
        return None
    if once:
        raise UsageError("A look that ends has no metrics to serve.", "Leave out --once, or --metrics.")
    from console.web.access import is_loopback, read_token

    try:
        from console.guard.metrics.server import listening
    except ModuleNotFoundError as error:
        raise UsageError(
            f"Metrics need {error.name}, which is not installed.",
            "`pip install 'agent-console[metrics]'` installs it.",
        ) from error
    host, colon, number = where.rpartition(":")
    port = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else -1
    if not (host and colon and 0 <= port <= 65_535) or (":" in host and not host.startswith("[")):
        raise UsageError(f"{clean(where, 80)!r} is no place to serve metrics.", "Write it like 127.0.0.1:9464.")
    token = read_token({}, token_file.expanduser()) if token_file is not None else ""
    if not token and not is_loopback(host):
        raise UsageError(
            f"Others than this machine reach {clean(host, 80)}, and metrics tell of money: a token is needed there.",
            "Put one into a file of mode 600 that --metrics-token-file names, or serve on 127.0.0.1.",
        )
    return Place(listening(host, port), token, most_agents)


@asynccontextmanager
async def served(place: Place, watcher: Fleet | Guard, log: Log) -> AsyncIterator[None]:
    """Serve what a guard knows while the block runs; it may still be about to open.

    Args:
        place: where.
        watcher: the guard.
        log: its log.
    """
    from console.guard.metrics.exposition import Pages
    from console.guard.metrics.gather import Gatherer
    from console.guard.metrics.server import MetricsServer

    gatherer = Gatherer(watcher)
    watcher.beside = gatherer.loops
    pages = Pages(
        gatherer.gathered,
        watcher.options.clock,
        counts=log.counts,
        dropped=lambda: log.dropped,
        most_agents=place.most_agents,
        tell=lambda count: log("metrics leave agents out", agents=count, most=place.most_agents),
    )
    server = MetricsServer(place.sock, pages, place.token)
    server.start()
    log("metrics served", url=server.url, token=bool(place.token))
    try:
        yield
    finally:
        server.close()
