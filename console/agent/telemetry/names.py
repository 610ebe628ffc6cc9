"""The names under which OpenTelemetry hears of an agent: its conventions' where there are any, else our own."""

from __future__ import annotations

from typing import Final

SCOPE: Final = "agent-console"
"""Of tracer and logger."""
AGENT: Final = "gen_ai.agent.name"
VERSION: Final = "gen_ai.agent.version"
ERROR: Final = "error.type"
SLOT: Final = "agent_console.slot"
INSTANCE: Final = "agent_console.instance"
EPOCH: Final = "agent_console.epoch"
KEY_HASH: Final = "agent_console.key.hash"
DIRECTION: Final = "agent_console.direction"
AMOUNT: Final = "agent_console.amount"
CURRENCY: Final = "agent_console.currency"
OUTCOME: Final = "agent_console.outcome"
PNL: Final = "agent_console.pnl"
TRIPPED: Final = "agent_console.tripped"
DRY: Final = "agent_console.dry"
TYPE: Final = "agent_console.decision.type"
ID: Final = "agent_console.decision.id"
KIND: Final = "agent_console.control.kind"
ACTIVE: Final = "agent_console.control.active"
PHASE: Final = "agent_console.control.phase"
BY: Final = "agent_console.control.by"
ATTRIBUTES: Final = (
    *(AGENT, VERSION, ERROR, SLOT, INSTANCE, EPOCH, KEY_HASH, DIRECTION, AMOUNT, CURRENCY, OUTCOME, PNL, TRIPPED, DRY),
    *(TYPE, ID, KIND, ACTIVE, PHASE, BY),
)
"""Every name that is used; docs/opentelemetry.md says what each means."""
DECISION_EVENT: Final = "agent_console.decision"
CONTROL_EVENT: Final = "agent_console.control"
REFUSED: Final = "refused"
"""The outcome of a span whose claim was not granted."""
