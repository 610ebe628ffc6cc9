"""Fixtures of the attacks: controllers on the worker's store, or on a server of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from console.agent import AgentController
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests.attacks.scene import Scene
from tests.servers import Server


@pytest.fixture
def scene(store_url: str, valkey_sync: Any, keys: Keys) -> Iterator[Scene]:
    """The worker's store, emptied, with blue active."""
    scene = Scene(store_url, Fence(valkey_sync, keys))
    scene.fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    yield scene
    scene.close()


@pytest.fixture
def own_scene(valkey_server: Callable[..., Server], keys: Keys) -> Iterator[Callable[..., Scene]]:
    """Scenes on servers of the test's own, with server options as keywords, blue active."""
    made: list[Scene] = []

    def start(**options: str) -> Scene:
        server = valkey_server(**options)
        scene = Scene(server.url, Fence(connect_sync(server.url, timeout_s=5.0, name="test"), keys), server)
        scene.fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        made.append(scene)
        return scene

    yield start
    for scene in made:
        scene.close()


@pytest.fixture
def controller(scene: Scene) -> AgentController:
    """A blue controller that has started."""
    return scene.agent()
