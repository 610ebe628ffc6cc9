"""The agent library for asyncio: the same names as in `console.agent`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from console.agent.aio.claiming import Action
from console.agent.aio.controller import AgentController

if TYPE_CHECKING:
    from console.agent.canary.aio import CanaryDesk


def __getattr__(name: str) -> Any:
    if name != "CanaryDesk":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("console.agent.canary.aio").CanaryDesk


__all__ = ["Action", "AgentController", "CanaryDesk"]
