"""What agent authors import: fenced actions, flags, the decision log, and what proves a new version. Never draws.

All but fenced actions is loaded when it is first named: an agent that doesn't use it doesn't pay for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from console.agent.blocking.claiming import Action
from console.agent.blocking.controller import AgentController
from console.agent.fence.action import Proposal
from console.agent.fence.core import Evidence, config_hash
from console.agent.fence.ended import VenueErrors
from console.agent.fence.errors import (
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
    NoState,
    NotOurs,
    NotSent,
    StandBy,
    StateOfOtherSchema,
    StateTooOld,
)
from console.agent.fence.settings import Settings
from console.domain.fence.claims import Direction, Level, OpenClaim
from console.store.fence.claims import Proof, ResolveCode

if TYPE_CHECKING:
    from console.agent import venues
    from console.agent.canary.desk import CanaryDesk, Decided
    from console.agent.canary.router import CanaryRouter
    from console.agent.code_files import source_files
    from console.agent.decisions import DecisionLog, DecisionLogBroken
    from console.agent.experiment.reporter import Experiments
    from console.agent.experiment.trial import ABTest
    from console.agent.flags import Flags
    from console.agent.shadow.agent import ShadowAgent
    from console.agent.shadow.matching import Played
    from console.agent.shadow.reporter import Divergences, ShadowReporter
    from console.agent.shadow.standby import StandbyShadow
    from console.domain.commitments.commitment import Commitment, Flow, HandOver, Kind
    from console.domain.manifest.manifest import Manifest
    from console.domain.shadow.pricing import Priced
    from console.domain.state.flags import FlagSpec, FlagType
    from console.domain.state.kept import Acted, TakenOver
    from console.domain.state.migration import migration
    from console.domain.state.records import Balance, Credential, Escrow, Position, RateLimit, Role, Round, Side
    from console.domain.state.state import Plain, State
    from console.domain.venue.terms import KeyTerms

_WHEN_NAMED = {
    "ABTest": "console.agent.experiment.trial",
    "Acted": "console.domain.state.kept",
    "Balance": "console.domain.state.records",
    "CanaryDesk": "console.agent.canary.desk",
    "CanaryRouter": "console.agent.canary.router",
    "Commitment": "console.domain.commitments.commitment",
    "Credential": "console.domain.state.records",
    "Decided": "console.agent.canary.desk",
    "DecisionLog": "console.agent.decisions",
    "DecisionLogBroken": "console.agent.decisions",
    "Divergences": "console.agent.shadow.reporter",
    "Escrow": "console.domain.state.records",
    "Experiments": "console.agent.experiment.reporter",
    "FlagSpec": "console.domain.state.flags",
    "FlagType": "console.domain.state.flags",
    "Flags": "console.agent.flags",
    "Flow": "console.domain.commitments.commitment",
    "HandOver": "console.domain.commitments.commitment",
    "KeyTerms": "console.domain.venue.terms",
    "Kind": "console.domain.commitments.commitment",
    "Manifest": "console.domain.manifest.manifest",
    "Plain": "console.domain.state.state",
    "Played": "console.agent.shadow.matching",
    "Position": "console.domain.state.records",
    "Promise": "console.domain.fence.promise",
    "Priced": "console.domain.shadow.pricing",
    "RateLimit": "console.domain.state.records",
    "Role": "console.domain.state.records",
    "Round": "console.domain.state.records",
    "ShadowAgent": "console.agent.shadow.agent",
    "ShadowReporter": "console.agent.shadow.reporter",
    "Side": "console.domain.state.records",
    "StandbyShadow": "console.agent.shadow.standby",
    "State": "console.domain.state.state",
    "TakenOver": "console.domain.state.kept",
    "source_files": "console.agent.code_files",
    "migration": "console.domain.state.migration",
}


def __getattr__(name: str) -> Any:
    if name == "venues":
        return import_module("console.agent.venues")
    if name not in _WHEN_NAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHEN_NAMED[name]), name)


__all__ = [
    "ABTest",
    "Acted",
    "Action",
    "ActionRefused",
    "AgentController",
    "AlreadyDone",
    "AuthenticationFailure",
    "Balance",
    "Busy",
    "CanaryDesk",
    "CanaryRouter",
    "Commitment",
    "Credential",
    "Decided",
    "DecisionLog",
    "DecisionLogBroken",
    "DefinitiveFailure",
    "Direction",
    "Divergences",
    "Escrow",
    "Evidence",
    "Experiments",
    "FlagSpec",
    "FlagType",
    "Flags",
    "Flow",
    "Halted",
    "HandOver",
    "InDoubt",
    "KeyReused",
    "KeyTerms",
    "Kind",
    "LeaseEnded",
    "Level",
    "LimitReached",
    "Manifest",
    "NoState",
    "NotOurs",
    "NotSent",
    "OpenClaim",
    "Plain",
    "Played",
    "Position",
    "Priced",
    "Promise",
    "Proof",
    "Proposal",
    "RateLimit",
    "ResolveCode",
    "Role",
    "Round",
    "Settings",
    "ShadowAgent",
    "ShadowReporter",
    "Side",
    "StandBy",
    "StandbyShadow",
    "State",
    "StateOfOtherSchema",
    "StateTooOld",
    "TakenOver",
    "VenueErrors",
    "config_hash",
    "migration",
    "source_files",
    "venues",
]
