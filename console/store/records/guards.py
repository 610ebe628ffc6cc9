"""What guards keep in the store: their heartbeats, trips, alerts, baselines, and one agent's own thresholds.

All of it is text from outside when it is read back. Which keys: `…:guards` (hash, guard → heartbeat), `…:trips` (hash,
tenure and trigger → evidence), `…:alerts` (hash, id → alert), `…:sent` (hash, id and webhook → how it stands),
`…:baselines` (hash, tenure → baseline), `…:triggers` (hash, setting → text). And one of the whole store: `ac:guards`
(hash, guard → heartbeat of its process), by which guards share the agents out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import islice
from typing import Any, Final

from console.domain.fence.intent import Aim
from console.domain.guard.alerts import Alert, GuardReading, alert_from, guard_from
from console.domain.guard.members import Member, member_from
from console.domain.secrets import without_secrets
from console.store.fence.calls import Call, base_keys
from console.store.fence.replies import ControlReply, control_reply, decode_json, text
from console.store.keys import Keys

FLEET: Final = "ac:guards"
"""Hash: guard → its process's heartbeat; one for all agents of a store."""
MAX_GUARDS: Final = 64
MAX_MEMBERS: Final = 1024
MAX_ALERTS: Final = 500
MAX_BYTES: Final = 32_768
"""An entry larger than this is not read."""


class RestrainCode(StrEnum):
    """How a guard's restraint ended."""

    HALTED = "HALTED"
    LEVEL = "LEVEL"
    AGAIN = "AGAIN"
    """As much was stopped already."""
    STALE = "STALE"
    """The evidence speaks of a tenure that is over, or nobody is active: nothing was changed."""
    NOINIT = "NOINIT"


RestrainReply = ControlReply[RestrainCode]


def _restrain_reply(reply: Any) -> RestrainReply:
    return control_reply(reply, RestrainCode)


def restrain(
    keys: Keys, *, epoch: int, slot: str, level: int, by: str, why: str, aim: Aim, target: str = "", trigger: str = ""
) -> Call[RestrainReply]:
    """Stop new entries (1), all but reducing (2) or everything (3), if the tenure of the evidence still runs.

    Args:
        keys: whose.
        epoch: of the evidence.
        slot: the side it speaks of.
        level: how much is stopped.
        by, why: for the control event; at most 1,000 characters each.
        aim: what for: to freeze, to stop, or to go back.
        target: of going back: the side that is to act next.
        trigger: the name of what was seen.
    """
    args = (str(epoch), slot, str(level), by[:1000], without_secrets(why)[:1000], aim.value, target, trigger)
    return Call("restrain", base_keys(keys), args, _restrain_reply)


def read_guards(raw: object) -> tuple[GuardReading, ...]:
    """Guards from the hash of their heartbeats, newest heartbeat first; what is none is left out."""
    guards = (guard_from(name, document) for name, document in _documents(raw, MAX_GUARDS))
    return tuple(sorted((guard for guard in guards if guard), key=lambda guard: guard.heartbeat_at, reverse=True))


def read_members(raw: object) -> tuple[Member, ...]:
    """Guards' processes from the hash of their heartbeats, by name; what is none is left out."""
    members = (member_from(name, document) for name, document in _documents(raw, MAX_MEMBERS))
    return tuple(sorted(member for member in members if member))


def read_alerts(raw: object, most: int = MAX_ALERTS) -> tuple[Alert, ...]:
    """Alerts from their hash, oldest first, `most` at the most; what is none is left out."""
    alerts = (alert_from(name, document) for name, document in _documents(raw, most))
    return tuple(sorted((alert for alert in alerts if alert), key=lambda alert: (alert.at, alert.id)))


def _documents(raw: object, most: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The first `most` JSON objects in a hash."""
    entries = raw.items() if isinstance(raw, Mapping) else ()
    sound = ((text(name), value) for name, value in entries if isinstance(value, bytes | str))
    documents = ((name, decode_json(value)) for name, value in sound if len(value) <= MAX_BYTES)
    return islice(((name, document) for name, document in documents if isinstance(document, dict)), most)
