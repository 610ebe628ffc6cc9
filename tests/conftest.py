"""Fixtures for every test: a real Valkey, never a mock of one."""

from __future__ import annotations

import ast
import functools
import gc
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from console.store.keys import Keys
from console.store.server import embedded
from console.store.server.connect import connect, connect_sync
from tests.servers import Server

if TYPE_CHECKING:
    import redis
    import redis.asyncio

if sys.version_info < (3, 11, 8):
    # There `ast.parse` fails with a SystemError when garbage is collected in the middle of it (gh-106905): pytest
    # parses what it imports to rewrite its asserts, Hypothesis imports parts of itself in the middle of a test.
    _parse = ast.parse

    @functools.wraps(_parse)
    def _parse_without_collecting(*args: Any, **kwargs: Any) -> Any:
        collects = gc.isenabled()
        gc.disable()
        try:
            return _parse(*args, **kwargs)
        finally:
            if collects:
                gc.enable()

    ast.parse = _parse_without_collecting

hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)  # a gate gives the same answer twice
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


_NUMBERS = itertools.count()


@pytest.fixture(autouse=True)
def _own_memory(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of a store, beside the test's own: the next test's is another on the same address."""
    mine = tmp_path_factory.getbasetemp() / "states" / str(next(_NUMBERS))  # `mktemp` would look through all before it
    mine.mkdir(parents=True)
    monkeypatch.setenv("XDG_STATE_HOME", str(mine))


def pytest_collection_finish() -> None:
    """What was collected lives to the end: it is not looked through for garbage again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A folder whose path is short enough for a Unix socket (pytest's own are not).

    A store that a test had started in it, as a data folder of the user's, is stopped at the end.
    """
    folder = Path(tempfile.mkdtemp(prefix="ac-")).resolve()
    yield folder
    embedded.stop(folder / "store")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _session_store() -> Iterator[embedded.EmbeddedServer]:
    """One embedded store for this worker's whole run."""
    folder = Path(tempfile.mkdtemp(prefix="ac-")).resolve()
    try:
        yield embedded.start(folder)
    finally:
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def store_url(_session_store: embedded.EmbeddedServer) -> str:
    """The URL of an empty store."""
    with connect_sync(_session_store.url, timeout_s=10.0, name="test-flush") as client:
        client.flushall()
    return _session_store.url


@pytest.fixture
async def valkey(store_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    """A client for asyncio on an empty store."""
    client = await connect(store_url, timeout_s=10.0, name="test")
    yield client
    await client.aclose()


@pytest.fixture
def valkey_sync(store_url: str) -> Iterator[redis.Redis]:
    """A blocking client on the same empty store."""
    with connect_sync(store_url, timeout_s=10.0, name="test") as client:
        yield client


@pytest.fixture
def keys() -> Keys:
    """The default agent's keys."""
    return Keys.of()


@pytest.fixture
def valkey_server() -> Iterator[Callable[..., Server]]:
    """Starts servers of the test's own, with server options as keywords (`_` for `-`): to kill, hang and bring back."""
    with ExitStack() as cleanup:

        def start(program: Path | None = None, **options: str) -> Server:
            folder = Path(tempfile.mkdtemp(prefix="ac-")).resolve()
            cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
            server = Server(folder, {name.replace("_", "-"): value for name, value in options.items()}, program)
            cleanup.callback(server.kill)
            return server.start()

        yield start
