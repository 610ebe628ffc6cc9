"""A console in this process, attached to a real store as `agent-console` attaches it, on no terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from console.app import ConsoleApp
from console.cli.attach import ui_settings
from console.cli.attaching import Attaching
from console.cli.options import Session
from console.domain.seen.observation import LinkState, Observation
from tests.waiting import until_async


@asynccontextmanager
async def attached(url: str, *, size: tuple[int, int] = (80, 24), **given: Any) -> AsyncIterator[Pilot[int]]:
    """A console that has read the store once.

    Args:
        url: of the store.
        size: columns and rows.
        given: as on the command line, by their names in `Settings`.
    """
    session = Session({"url": url, **given})
    settings = session.settings()
    attaching = Attaching(session, settings, url)
    first = attaching.attach(settings, url)
    app = ConsoleApp(
        first.source,
        first.operator,
        ui_settings(settings),
        boards=first.boards,
        browser=first.browser,
        fleet=first.fleet,
        attachments=attaching,
    )
    app.attached = first
    try:
        async with app.run_test(size=size) as pilot:
            await until_async(lambda: app.observation is not None and app.observation.link.state is LinkState.LIVE)
            yield pilot
    finally:
        await app.attached.aclose()
        await attaching.aclose()


def seen(app: Any) -> Observation:
    """What the console has observed last."""
    assert isinstance(app, ConsoleApp)
    assert app.observation is not None, "nothing was observed yet"
    return app.observation
