"""The words in which cases are declared: calls with their script's arguments by name, and what earlier steps gave."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

PLAIN: Final = "agent:active_version"
BESIDE: Final = "ac:{agent:active_version}:"
SEVEN: Final = (
    BESIDE + "ctl",
    BESIDE + "open",
    BESIDE + "infl",
    BESIDE + "acts",
    PLAIN,
    BESIDE + "log",
    BESIDE + "inst",
)
CTL, OPEN, LEASES, ACTIONS, _, LOG, INSTANCES = SEVEN
AUDIT: Final = BESIDE + "audit"
RUN: Final = BESIDE + "canary"
UPGRADES: Final = BESIDE + "upgrades"


class Of(NamedTuple):
    """What an earlier step of the same case was answered.

    Args:
        step: its number in `given`, from 0.
        element: of the reply.
    """

    step: int
    element: int


Arg: TypeAlias = str | Of


class Call(NamedTuple):
    """A call of a script, without the call's id."""

    script: str
    keys: tuple[str, ...]
    args: tuple[Arg, ...]


class Command(NamedTuple):
    """A plain Redis command."""

    words: tuple[str, ...]


Step: TypeAlias = Call | Command


class Case(NamedTuple):
    """One case.

    Args:
        name: a sentence, after the reply's code and a colon where the script answers with one.
        given: what makes the start state, on an empty store.
        call: what is called.
        then: what is looked at afterwards.
        lasting: the reply's element that is a duration, which is never the same twice; -1 for none.
    """

    name: str
    given: tuple[Step, ...]
    call: Call
    then: tuple[Command, ...] = ()
    lasting: int = -1


EPOCH: Final = Of(0, 1)
"""The epoch of the switch that most cases begin with."""


def redis(*words: str) -> Command:
    """A plain command."""
    return Command(words)


def ctl(*fields: str) -> Command:
    """A look at fields of the authority."""
    return Command(("HMGET", CTL, *fields))


def done(key: str) -> str:
    """The key of a recorded end."""
    return f"{BESIDE}done:{key}"


def claim(
    key: str = "bet-1",
    *,
    slot: str = "blue",
    epoch: Arg = EPOCH,
    cid: str = "claim-1",
    instance: str = "worker-1",
    fingerprint: str = "5 on red",
    lease_ms: str = "30000",
    amount: str = "0",
    currency: str = "USD",
    direction: str = "enter",
    seen: Arg = EPOCH,
    lineage: Arg = "",
    newest: Arg = "0",
    action: str = "bet",
    names: tuple[str, ...] = (),
    window: str = "",
) -> Call:
    """A claim; a lease of 0 ms is over at once. `names` is the commitment: op, id, version, what it is then;
    `window` for how long after its first sending the key may be granted again."""
    keys = (*SEVEN, done(key))
    args = (slot, epoch, key, cid, instance, fingerprint, lease_ms, amount, currency, direction, seen, lineage, newest)
    named = names if not window else (*names, "", "", "", "")[:4]
    return Call("claim", keys, (*args, action, *named, *((window,) if window else ())))


def settle(
    key: str = "bet-1",
    outcome: str = "ok",
    *,
    cid: str = "claim-1",
    retention_ms: str = "0",
    pnl: str = "0",
    instance: str = "worker-1",
    fingerprint: str = "5 on red",
    trigger: str = "",
    epoch: Arg = EPOCH,
    slot: str = "blue",
    amount: str = "0",
    currency: str = "USD",
    direction: str = "enter",
    result: str = "",
    names: tuple[str, ...] = (),
) -> Call:
    """How a claim ended."""
    args = (key, cid, outcome, retention_ms, pnl, instance, fingerprint, trigger, epoch, slot, amount, currency)
    return Call("settle", (*SEVEN, done(key)), (*args, direction, result, *names))


def resolve(
    verdict: str,
    proof: str = "",
    *,
    key: str = "bet-1",
    cid: str = "claim-1",
    by: str = "ann",
    quarantine_ms: str = "0",
    wake_ms: str = "60000",
    retention_ms: str = "0",
    pnl: str = "0",
    result: str = "",
    evidence: str = "the venue's ledger",
    begins: str = "",
    clock: str = "",
    looked: str = "",
) -> Call:
    """The end of a doubt."""
    args = (key, cid, verdict, proof, by, quarantine_ms, wake_ms, retention_ms, pnl, result, evidence, begins, clock)
    return Call("resolve", (*SEVEN, done(key)), (*args, looked))


def switch(
    target: str,
    *audit: str,
    expected: Arg = "any",
    mode: str = "now",
    drain_ms: str = "0",
    sid: str = "switch-1",
    by: str = "ann",
    why: str = "",
    resume: str = "0",
    hold_ms: str = "0",
    healthy: str = "0",
    source: str = "operator",
    aim: str = "",
    trigger: str = "",
) -> Call:
    """An operator's switch."""
    args = (target, expected, mode, drain_ms, sid, by, why, resume, hold_ms, healthy, source, aim, trigger, *audit)
    return Call("switch", (*SEVEN, AUDIT), args)


def halt(level: str = "3", *audit: str, by: str = "ann", why: str = "odd fills", source: str = "operator") -> Call:
    """A halt, or a lower level."""
    return Call("halt", (*SEVEN, AUDIT), (by, why, level, source, "", "", *audit))


class Memory(NamedTuple):
    """What a client remembers of a store: number, stream id and hash of the newest action and control event."""

    lineage: Arg = ""
    actions: tuple[Arg, Arg, Arg] = ("0", "", "")
    events: tuple[Arg, Arg, Arg] = ("0", "", "")


NOTHING: Final = Memory()


def remembered(step: int) -> Memory:
    """What the reply to a beat gave to remember."""
    actions = (Of(step, 16), Of(step, 17), Of(step, 18))
    return Memory(Of(step, 14), actions, (Of(step, 19), Of(step, 20), Of(step, 21)))


def beat(
    instance: str = "worker-1",
    *,
    epoch: Arg = EPOCH,
    seen: Arg = EPOCH,
    slot: str = "blue",
    more: str = "",
    leaving: str = "0",
    memory: Memory = NOTHING,
    clock: str = "",
) -> Call:
    """A heartbeat."""
    fields = f'"slot":"{slot}","ready":true,"schema":1{more}}}'
    args = (instance, epoch, seen, fields, leaving, memory.lineage, *memory.actions, *memory.events, clock)
    return Call("beat", SEVEN, args)


def tend(*, seen: Arg = "0", memory: Memory = NOTHING, clock: str = "") -> Call:
    """Housekeeping alone."""
    return Call("beat", SEVEN, ("", "0", seen, "", "0", memory.lineage, *memory.actions, *memory.events, clock))


def limits(*pairs: str, by: str = "ann", why: str = "") -> Call:
    """Caps and trip-wires."""
    return Call("limits", (*SEVEN, AUDIT), (by, why, str(len(pairs) // 2), *pairs))


BLUE: Final = switch("blue")
"""Makes an authority: blue is active."""
GREEN_READY: Final = beat("worker-2", slot="green")
"""A healthy standby."""
