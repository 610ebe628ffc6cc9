"""What agent authors import: fenced actions, flags and the decision log. Never draws anything."""

from console.agent.action import Proposal
from console.agent.claiming import Action
from console.agent.controller import AgentController
from console.agent.core import Evidence, config_hash
from console.agent.decisions import DecisionLog, DecisionLogBroken
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
from console.agent.flags import Flags
from console.agent.settings import Settings
from console.domain.claims import Direction, Level, OpenClaim
from console.domain.flags import FlagSpec, FlagType
from console.store.claims import Proof, ResolveCode

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
