"""What agent authors import: fenced actions, flags and the decision log. Never draws anything.

Flags and the decision log are loaded when they are first named: an agent that uses neither doesn't pay for them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from console.agent.action import Proposal
from console.agent.claiming import Action
from console.agent.controller import AgentController
from console.agent.core import Evidence, config_hash
from console.agent.errors import (
    ActionRefused,
    AlreadyDone,
    AuthenticationFailure,
    Busy,
    DefinitiveFailure,
    Halted,
    InDoubt,
    KeyReused,
    LeaseEnded,
    LimitReached,
    NotSent,
    StandBy,
)
from console.agent.settings import Settings
from console.domain.claims import Direction, Level, OpenClaim
from console.store.claims import Proof, ResolveCode

if TYPE_CHECKING:
    from console.agent.decisions import DecisionLog, DecisionLogBroken
    from console.agent.flags import Flags
    from console.domain.flags import FlagSpec, FlagType

_WHEN_NAMED = {
    "DecisionLog": "console.agent.decisions",
    "DecisionLogBroken": "console.agent.decisions",
    "Flags": "console.agent.flags",
    "FlagSpec": "console.domain.flags",
    "FlagType": "console.domain.flags",
}


def __getattr__(name: str) -> Any:
    if name not in _WHEN_NAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHEN_NAMED[name]), name)


__all__ = [
    "Action",
    "ActionRefused",
    "AgentController",
    "AlreadyDone",
    "AuthenticationFailure",
    "Busy",
    "DecisionLog",
    "DecisionLogBroken",
    "DefinitiveFailure",
    "Direction",
    "Evidence",
    "FlagSpec",
    "FlagType",
    "Flags",
    "Halted",
    "InDoubt",
    "KeyReused",
    "LeaseEnded",
    "Level",
    "LimitReached",
    "NotSent",
    "OpenClaim",
    "Proof",
    "Proposal",
    "ResolveCode",
    "Settings",
    "StandBy",
    "config_hash",
]
