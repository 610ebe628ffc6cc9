"""What the scripts answer, as values."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from console.domain.fence.claims import Level

if TYPE_CHECKING:
    from console.domain.fence.deployment import Authority, Phase, Slot

Code = TypeVar("Code", bound=StrEnum)


class SwitchCode(StrEnum):
    """How a switch ended. Only SWITCHED, DRAINING and RESUMED changed anything (or an earlier call of the same id
    did)."""

    SWITCHED = "SWITCHED"
    DRAINING = "DRAINING"
    """Nobody may claim until what is in flight has ended or the deadline has come; then the target is active."""
    RESUMED = "RESUMED"
    """The same side stays active; the level of the halt was lifted."""
    NOOP = "NOOP"
    CONFLICT = "CONFLICT"
    """The expected epoch is not the running one: somebody else was quicker, or wrote the plain key by hand."""
    HALTED = "HALTED"
    """Halted: only a switch that resumes, with a reason, takes that back."""
    NO_PREVIOUS = "NO_PREVIOUS"
    BADTARGET = "BADTARGET"
    UNHEALTHY = "UNHEALTHY"
    """A healthy target was asked for and it is not known to be one; `detail` says why."""
    NEEDS_REASON = "NEEDS_REASON"


class HaltCode(StrEnum):
    """How a halt ended."""

    HALTED = "HALTED"
    LEVEL = "LEVEL"
    AGAIN = "AGAIN"
    """At least as much was already stopped."""
    NOINIT = "NOINIT"
    """There is no authority whose level could be raised; only a full halt works here."""


class Mark(NamedTuple):
    """An entry of a chained stream: its number, its stream id and its hash; 0 and empty for none."""

    number: int = 0
    id: str = ""
    hash: str = ""


class Seen(NamedTuple):
    """What somebody remembers of a store's authority; a store that is behind it went back in time.

    Args:
        epoch: the highest epoch.
        lineage: which authority it was; another one only follows an operator's decision to begin anew.
        actions, events: the newest entries of `…:acts` and `…:log`.
    """

    epoch: int = 0
    lineage: str = ""
    actions: Mark = Mark()
    events: Mark = Mark()


class BeatCode(StrEnum):
    """How a heartbeat or a round of housekeeping ended."""

    OK = "OK"
    NOINIT = "NOINIT"
    REGRESSED = "REGRESSED"
    """The store went back in time and is halted; `detail` says what is missing."""
    DAMAGED = "DAMAGED"
    """A key of the authority was missing or held what it must not: halted; `detail` says which."""
    BADEPOCH = "BADEPOCH"


class FlagCode(StrEnum):
    """How the compare-and-set of a flag ended."""

    SET = "SET"
    CONFLICT = "CONFLICT"
    WRONGTYPE = "WRONGTYPE"


class TripCode(StrEnum):
    """How a trip-wire that was touched from outside a settle ended."""

    ROLLBACK = "ROLLBACK"
    HALT = "HALT"
    STALE = "STALE"
    """The evidence belongs to an earlier tenure, or nobody is active: nothing was changed."""
    NOINIT = "NOINIT"


class ControlReply(NamedTuple, Generic[Code]):
    """The answer of a control script: its code, and who may act as it left it.

    Args:
        code: how the call ended.
        epoch, generation, phase, active, target, previous, deadline_ms, in_flight, in_doubt: see `Authority`.
        level: how much is stopped.
        server_ms: the server's clock.
        detail: why, in words, where the code alone doesn't tell.
        event_id: the last control event this call wrote, in `…:log`; empty for none.
        epoch_before: of a switch or halt: the epoch when the call arrived; 0 on a store without authority.
        plain_before: of a switch or halt: the plain key's text when the call arrived, or its type where it was no
            text; empty when missing.
        audit_id: the audit entry written in the same step; empty for none.
        seen: of a heartbeat or housekeeping: what is to be remembered of this store.
        before: the lineages that this authority is the successor of.
        steady_ms: of a heartbeat: the steady clock, which no change of the server's clock moves.
        late: of a heartbeat: how many reports came for claims that had been taken for not executed, or were lost.
    """

    code: Code
    epoch: int
    generation: int
    phase: Phase
    active: Slot | None
    target: Slot | None
    previous: Slot | None
    deadline_ms: int
    level: Level
    in_flight: int
    in_doubt: int
    server_ms: int
    detail: str
    event_id: str
    epoch_before: int = 0
    plain_before: str = ""
    audit_id: str = ""
    seen: Seen = Seen()
    before: str = ""
    steady_ms: int = 0
    late: int = 0


SwitchReply = ControlReply[SwitchCode]
HaltReply = ControlReply[HaltCode]
BeatReply = ControlReply[BeatCode]
TripReply = ControlReply[TripCode]


class FlagReply(NamedTuple):
    """The answer to the compare-and-set of a flag.

    Args:
        code: SET, CONFLICT (it held something else) or WRONGTYPE (it is no text).
        before: the raw text that was there; None when the key was missing; for WRONGTYPE the name of its type.
        server_ms: the server's clock.
        audit_id: the audit entry; empty for none.
    """

    code: FlagCode
    before: str | None
    server_ms: int
    audit_id: str


def text(value: Any) -> str:
    """A reply's element as text, whether or not the client decodes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def texts(reply: Any) -> list[str]:
    """A reply as texts."""
    return [text(value) for value in reply]


def slot(name: str) -> Slot | None:
    """The slot of that name, if there is one."""
    from console.domain.fence.deployment import Slot

    return Slot(name) if name in ("blue", "green") else None


def control_reply(reply: Any, code: Callable[[str], Code]) -> ControlReply[Code]:
    """What C.state returned, with what switch.lua and halt.lua add."""
    from console.domain.fence.deployment import Phase

    parts = texts(reply)
    name, epoch, generation, phase, active, target, previous, deadline, level, flying, unended, ms, detail, event = (
        parts[:14]
    )
    before, plain, audit = parts[14:17] or ("0", "", "")
    return ControlReply(
        code=code(name),
        epoch=int(epoch),
        generation=int(generation),
        phase=Phase(phase),
        active=slot(active),
        target=slot(target),
        previous=slot(previous),
        deadline_ms=int(deadline),
        level=Level.of_rank(int(level)),
        in_flight=int(flying),
        in_doubt=max(0, int(unended) - int(flying)),
        server_ms=int(ms),
        detail=detail,
        event_id=event,
        epoch_before=int(before),
        plain_before=plain,
        audit_id=audit,
    )


def switch_reply(reply: Any) -> SwitchReply:
    """Parse the answer of switch.lua."""
    return control_reply(reply, SwitchCode)


def halt_reply(reply: Any) -> HaltReply:
    """Parse the answer of halt.lua."""
    return control_reply(reply, HaltCode)


def beat_reply(reply: Any) -> BeatReply:
    """Parse the answer of beat.lua or limits.lua."""
    short = control_reply(reply[:14], BeatCode)
    if len(reply) == 14:
        return short
    lineage, before, actions, action_id, action_hash, events, event_id, event_hash, steady, late = texts(reply[14:])
    seen = Seen(
        short.epoch, lineage, Mark(int(actions), action_id, action_hash), Mark(int(events), event_id, event_hash)
    )
    return short._replace(seen=seen, before=before, steady_ms=int(steady), late=int(late))


def trip_reply(reply: Any) -> TripReply:
    """Parse the answer of trip.lua."""
    return control_reply(reply, TripCode)


def flag_reply(reply: Any) -> FlagReply:
    """Parse the answer of flag.lua."""
    code, kind, before, ms, audit_id = texts(reply)
    return FlagReply(FlagCode(code), None if kind == "absent" else before, int(ms), audit_id)


_AUTHORITY_FIELDS = ("ep", "gen", "ph", "act", "to", "prev", "dl", "rb", "ah", "lh", "lvl", "c_late", "ln", "wr")


def authority_fields() -> tuple[str, ...]:
    """The fields of `…:ctl` that `authority` wants, in its order."""
    return _AUTHORITY_FIELDS


def authority(values: Any, in_flight: Any, unended: Any) -> Authority | None:
    """The authority from HMGET, ZCARD and HLEN; None on a store that has none (flag events alone don't make one)."""
    from console.domain.fence.deployment import Authority, Phase

    if values[0] is None:
        return None
    words = ["" if value is None else text(value) for value in values]
    epoch, generation, phase, active, target, previous, deadline, rolled_back, actions, log, level, *counts = words
    late, events, commitments = (int(count or 0) for count in counts)
    return Authority(
        epoch=int(epoch),
        generation=int(generation or 0),
        phase=Phase(phase),
        active=slot(active),
        target=slot(target),
        previous=slot(previous),
        deadline_ms=int(deadline or 0),
        automatic_rollback_used=rolled_back == "1",
        in_flight=int(in_flight),
        in_doubt=max(0, int(unended) - int(in_flight)),
        action_head=actions,
        log_head=log,
        level=Level.of_rank(int(level or 0)),
        late=late,
        events=events,
        commitments=commitments,
    )


def decode_json(raw: str | bytes) -> object:
    """JSON as values; None where it is none."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def json_object(raw: str | bytes | None) -> dict[str, Any]:
    """The JSON object in a text; empty where there is none in it."""
    document = decode_json(raw) if raw else None
    return document if isinstance(document, dict) else {}
