"""A Cluster of three primaries for the tests of this folder, empty before each."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.store.server import nodes
from tests.cli.conftest import cli, home  # noqa: F401 - fixtures
from tests.clusters import Cluster


@pytest.fixture(scope="session")
def three() -> Iterator[Cluster]:
    """Three primaries without replicas, each of which answers while another is away."""
    folder = Path(tempfile.mkdtemp(prefix="ac-")).resolve()
    cluster = Cluster(folder, options={"cluster-require-full-coverage": "no"})
    yield cluster
    cluster.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def cluster(three: Cluster) -> Cluster:
    """The same, with nothing in it."""
    for node in three.primaries:
        node.command("FLUSHALL")
    nodes._KNOWN.clear()
    return three


@pytest.fixture
def store_url(cluster: Cluster) -> str:
    """One node's own URL, which says nothing of a Cluster: what `cli` and `Two` are given."""
    return cluster.url_of(cluster.nodes[1])
