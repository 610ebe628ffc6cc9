"""Every control script's arguments, built once for the blocking and the asyncio client alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple, TypeVar

from console.domain.errors import UsageError
from console.domain.fence.claims import Level, to_store
from console.domain.fence.intent import Aim, Source
from console.domain.secrets import without_secrets
from console.store.fence import replies
from console.store.fence.ids import host_clock, new_id
from console.store.fence.replies import Seen
from console.store.keys import Keys

if TYPE_CHECKING:
    from console.domain.fence.deployment import Authority

T = TypeVar("T")
Expected = int | Literal["any"]
Mode = Literal["drain", "now", "finish"]
Target = Literal["blue", "green", "previous"]

CONTROL: Final = 1_000
"""Most characters of a reason or a name in a control event."""


class Call(NamedTuple, Generic[T]):
    """One script call: its name, its keys, its arguments, and how its reply is read."""

    name: str
    keys: tuple[str, ...]
    args: tuple[str, ...]
    parse: Callable[[Any], T]


def base_keys(keys: Keys) -> tuple[str, ...]:
    """The first seven keys, which every script declares."""
    return (keys.ctl, keys.open, keys.in_flight, keys.actions, keys.active, keys.log, keys.instances)


def audit_pairs(audit: Mapping[str, str] | None) -> list[str]:
    """The fields of an audit entry as a script takes them: name, value, name, value …"""
    return [part for pair in audit.items() for part in pair] if audit else []


def checked_words(value: str, what: str) -> str:
    """A name or a reason that is short enough for a control event.

    Raises:
        UsageError: it is longer than `CONTROL`.
    """
    if len(value) > CONTROL:
        raise UsageError(f"{what} may have at most {CONTROL} characters; this one has {len(value)}.")
    return value


class SwitchRequest(NamedTuple):
    """Make another side active.

    Args:
        target: "blue", "green", or "previous": the side that was active before.
        expected_epoch: the epoch that the request is based on; 0 for "I saw no authority"; "any" for emergencies.
        by, why: for the control event, at most `CONTROL` characters each.
        mode: "drain" waits for what is in flight, up to `drain_ms`; "now" lets the target claim at once, while the
            old side's claims end under their leases. "finish" ends the dead time of this `switch_id`.
        drain_ms: the deadline of a drain; what is in flight then is in doubt.
        switch_id: makes a repeated call the same switch; empty for a new one.
        resume: lift a halt or a lower level; needs a reason.
        hold_ms: dead time for plain agents: nobody is active for that long (or until "finish").
        require_healthy: refuse a target that has no ready instance with a fresh heartbeat.
        audit: fields for an entry of `…:audit`, written in the same step if anything changed; the script adds
            `before`, `after`, `epoch` and `ms`.
        source, aim: who acts, and what for; in the control event.
        trigger: the name of what was seen, where a trigger acts; in the control event.
        run_revision: of the upgrade's run that switches: refused where that was changed since; 0 for no run.
        basis: what gates were asked about, as `basis` tells: otherwise by then is a conflict. Empty for nothing.
    """

    target: str
    expected_epoch: Expected
    by: str
    why: str = ""
    mode: str = "drain"
    drain_ms: int = 10_000
    switch_id: str = ""
    resume: bool = False
    hold_ms: int = 0
    require_healthy: bool = False
    audit: Mapping[str, str] | None = None
    source: Source = Source.OPERATOR
    aim: Aim = Aim.NONE
    trigger: str = ""
    run_revision: int = 0
    basis: str = ""


def basis(authority: Authority | None) -> str:
    """What gates were asked about, to bind an act to: EVENTS/COMMITMENTS/DOUBTS; empty on a store without authority.

    An event is whatever an operator or a guard changed.
    """
    return "" if authority is None else f"{authority.events}/{authority.commitments}/{authority.in_doubt}"


def bound(expected: object, basis: str) -> str:
    """An expected epoch or revision, with what gates were asked about beside it."""
    return f"{expected}/{basis}" if basis else str(expected)


def switch(keys: Keys, request: SwitchRequest) -> Call[replies.SwitchReply]:
    """The call that makes another side active.

    Raises:
        UsageError: a value of the request means nothing.
    """
    if request.mode not in ("drain", "now", "finish"):
        raise UsageError(f"{request.mode!r} is no way to switch.", "Say drain or now.")
    if request.expected_epoch != "any" and request.expected_epoch < 0:
        raise UsageError("An expected epoch is 0 or more, or 'any'.")
    if request.drain_ms < 0 or request.hold_ms < 0:
        raise UsageError("Durations are 0 ms or more.")
    args = (
        request.target,
        bound(
            f"{request.expected_epoch}@{request.run_revision}" if request.run_revision else request.expected_epoch,
            request.basis,
        ),
        request.mode,
        str(request.drain_ms),
        request.switch_id or new_id(),
        checked_words(request.by, "A name"),
        checked_words(without_secrets(request.why), "A reason"),
        "1" if request.resume else "0",
        str(request.hold_ms),
        "1" if request.require_healthy else "0",
        request.source.value,
        request.aim.value,
        request.trigger,
        *audit_pairs(request.audit),
    )
    return Call("switch", (*base_keys(keys), keys.audit), args, replies.switch_reply)


def receipt(keys: Keys, fields: Mapping[str, str]) -> Call[str]:
    """The call that writes an audit entry for what no script changed; its stream id."""
    return Call(
        "receipt", (*base_keys(keys), keys.audit), tuple(audit_pairs(fields)), lambda reply: replies.text(reply[0])
    )


def halt(
    keys: Keys, by: str, why: str, *, level: Level, audit: Mapping[str, str] | None, source: Source
) -> Call[replies.HaltReply]:
    if level is Level.NONE:
        raise UsageError("A halt is no new entries, reduce only, or halt.", "To resume, switch with a reason.")
    args = (
        checked_words(by, "A name"),
        checked_words(without_secrets(why), "A reason"),
        str(level.rank),
        source.value,
        "",
        "",
        *audit_pairs(audit),
    )
    return Call("halt", (*base_keys(keys), keys.audit), args, replies.halt_reply)


class Heartbeat(NamedTuple):
    """What an instance tells about itself with every heartbeat.

    Args:
        instance: its id, unique to the process.
        slot: "blue" or "green".
        version: the agent version it runs.
        build: hash of its build; config: hash of its configuration.
        schema: the newest state schema it reads; a roll back never goes to a side that reads less than the active one.
        ready: whether it could take over now: flags parse, the decision log can be written, nothing halts it locally.
        host, pid: where it runs.
        info: further text; why it is not ready.
        in_flight, in_doubt: its own claims, as it counts them.
        own: what its claim ids begin with.
        every_ms: how often it beats.
        started: what tells its process from an earlier one with its pid; empty where the system doesn't say.
        manifest: the text of what it is made of (`console.domain.manifest.lines`); empty for none declared.
        window_ms: for how long after its first sending it may be granted a key again; None where it was not told.
    """

    instance: str
    slot: str
    version: str = ""
    build: str = ""
    config: str = ""
    schema: int = 0
    ready: bool = True
    host: str = ""
    pid: int = 0
    info: str = ""
    in_flight: int = 0
    in_doubt: int = 0
    own: str = ""
    every_ms: int = 500
    started: str = ""
    manifest: str = ""
    window_ms: int | None = None

    def rest(self) -> str:
        """Its fields as the rest of the JSON object that beat.lua begins with `ms` and `epoch`."""
        body = json.dumps(
            {
                "slot": self.slot,
                "version": self.version,
                "build": self.build,
                "config": self.config,
                "schema": self.schema,
                "ready": self.ready,
                "host": self.host,
                "pid": self.pid,
                "info": self.info[:256],
                "in_flight": self.in_flight,
                "in_doubt": self.in_doubt,
                "own": self.own,
                "every": self.every_ms,
                "started": self.started,
                **({} if self.window_ms is None else {"window": self.window_ms}),
            },
            separators=(",", ":"),
        )
        return body[1:]


def beat(
    keys: Keys, heartbeat: Heartbeat | None, *, epoch: int, seen: int | Seen, leaving: bool
) -> Call[replies.BeatReply]:
    memory = seen if isinstance(seen, Seen) else Seen(seen)
    args = (
        heartbeat.instance if heartbeat else "",
        str(epoch),
        str(memory.epoch),
        heartbeat.rest() if heartbeat else "",
        "1" if leaving else "0",
        memory.lineage,
        *(str(value) for value in (*memory.actions, *memory.events)),
        host_clock(),
        heartbeat.manifest if heartbeat else "",
    )
    return Call("beat", base_keys(keys), args, replies.beat_reply)


def trip(keys: Keys, *, epoch: int, why: str, by: str, trigger: str = "") -> Call[replies.TripReply]:
    return Call(
        "trip",
        base_keys(keys),
        (str(epoch), checked_words(without_secrets(why), "A reason"), checked_words(by, "A name"), trigger),
        replies.trip_reply,
    )


class Limits(NamedTuple):
    """Caps on claims and trip-wires on results; None takes a limit away.

    Args:
        currency: the account's; money limits hold for claims in it, and one in another currency is refused while a
            money limit is set, since it can't be counted.
        cap_open: most claims without an end.
        cap_amount: most money claimed in one tenure of a side; money_day: in one UTC day, over both sides.
        loss: the loss in one tenure that trips; streak: failures in a row that trip; doubts: claims in doubt that trip.
        heartbeat_ms: how old a heartbeat may be for its side to count as healthy.
    """

    currency: str | None = None
    cap_open: int | None = None
    cap_amount: Any = None
    cap_day: Any = None
    loss: Any = None
    streak: int | None = None
    doubts: int | None = None
    heartbeat_ms: int | None = 5000


def limits(
    keys: Keys, wanted: Limits, *, by: str, why: str, audit: Mapping[str, str] | None
) -> Call[replies.BeatReply]:
    money = {"cap_amt": wanted.cap_amount, "cap_day": wanted.cap_day, "t_loss": wanted.loss}
    if not wanted.currency and any(value is not None for value in money.values()):
        raise UsageError("A limit on money needs the account's currency.")
    counts = {
        "cap_open": wanted.cap_open,
        "t_streak": wanted.streak,
        "t_doubt": wanted.doubts,
        "hb": wanted.heartbeat_ms,
    }
    fields = {"cur": wanted.currency or ""}
    for name, amount in money.items():
        if amount is not None and amount < 0:
            raise UsageError("A limit on money is 0 or more.")
        fields[name] = "" if amount is None else to_store(amount)
    for name, count in counts.items():
        if count is not None and count < 1:
            raise UsageError("A limit on a number is 1 or more.")
        fields[name] = "" if count is None else str(count)
    pairs = [part for pair in fields.items() for part in pair]
    args = (
        checked_words(by, "A name"),
        checked_words(without_secrets(why), "A reason"),
        str(len(fields)),
        *pairs,
        *audit_pairs(audit),
    )
    return Call("limits", (*base_keys(keys), keys.audit), args, replies.beat_reply)


class FlagWrite(NamedTuple):
    """Compare-and-set of a flag.

    Args:
        name: without its prefix.
        expected: the raw text the request is based on; None for "it is missing".
        value: the new text; None deletes.
        audit: fields of the audit entry; the script adds `before`, `after`, `epoch` and `ms`.
    """

    name: str
    expected: str | None
    value: str | None
    audit: Mapping[str, str] | None = None


def flag(keys: Keys, write: FlagWrite) -> Call[replies.FlagReply]:
    """The call that writes a flag, its audit entry and control event."""
    args = (
        write.name,
        "absent" if write.expected is None else "text",
        write.expected or "",
        "del" if write.value is None else "set",
        write.value or "",
        *audit_pairs(write.audit),
    )
    return Call("flag", (*base_keys(keys), keys.audit, keys.flag(write.name)), args, replies.flag_reply)
