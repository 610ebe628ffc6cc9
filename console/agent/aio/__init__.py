"""The agent library for asyncio: `AgentController` and `Action` with the same names as in `console.agent`."""

from console.agent.aio.claiming import Action
from console.agent.aio.controller import AgentController

__all__ = ["Action", "AgentController"]
