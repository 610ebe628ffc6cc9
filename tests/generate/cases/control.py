"""Cases of switch, halt, trip, restrain, limits and flag: what operators and guards do."""

from __future__ import annotations

from typing import Final

from tests.generate.cases.language import (
    AUDIT,
    BESIDE,
    BLUE,
    CTL,
    EPOCH,
    GREEN_READY,
    LOG,
    OPEN,
    PLAIN,
    SEVEN,
    UPGRADES,
    Arg,
    Call,
    Case,
    Of,
    beat,
    claim,
    ctl,
    halt,
    limits,
    redis,
    settle,
    switch,
)

LAST_EVENT: Final = redis("XREVRANGE", LOG, "+", "-", "COUNT", "1")
LAST_RECEIPT: Final = redis("XREVRANGE", AUDIT, "+", "-", "COUNT", "1")
MIRROR: Final = redis("GET", PLAIN)
GREEN: Final = switch("green", sid="switch-2")
TWO_SIDES: Final = (switch("green", sid="switch-0"), switch("blue"))
SECOND: Final = Of(1, 1)
DRAIN: Final = switch("green", mode="drain", drain_ms="60000", sid="switch-2")
FLAG: Final = "flag:crash_target"

SWITCHES: Final = (
    Case(
        "SWITCHED: a store without an authority gets one",
        (),
        switch("blue", "verb", "switch", "who", "ann", expected="0", why="first day"),
        (MIRROR, ctl("ep", "gen", "act", "ph", "ten", "lin"), LAST_EVENT, LAST_RECEIPT),
    ),
    Case(
        "SWITCHED: what plain agents follow is adopted first, so that there is a previous side",
        (redis("SET", PLAIN, "blue"),),
        switch("green"),
        (MIRROR, ctl("gen", "act", "prev")),
    ),
    Case("SWITCHED: at once, with a claim in flight", (BLUE, claim()), GREEN, (MIRROR, ctl("act", "prev", "on"))),
    Case("SWITCHED: to the previous side", (*TWO_SIDES,), switch("previous", sid="switch-2"), (MIRROR,)),
    Case(
        "SWITCHED: only if the epoch is still the one that was seen",
        (BLUE,),
        switch("green", expected=EPOCH, sid="switch-2"),
    ),
    Case("SWITCHED: a repeated switch id is the same switch", (BLUE,), switch("blue"), (ctl("gen"),)),
    Case(
        "SWITCHED: only to a side that is known healthy",
        (BLUE, GREEN_READY),
        switch("green", sid="switch-2", healthy="1"),
    ),
    Case(
        "SWITCHED: a halt is taken back with a reason",
        (BLUE, halt()),
        switch("blue", sid="switch-2", resume="1", why="venue is back"),
        (MIRROR, ctl("ph", "lvl")),
    ),
    Case(
        "SWITCHED: a mirror of another type is thrown away, aloud",
        (BLUE, redis("DEL", PLAIN), redis("RPUSH", PLAIN, "x")),
        switch("green", sid="switch-2"),
        (MIRROR, LAST_EVENT),
    ),
    Case("SWITCHED: a drain with nothing in flight is over at once", (BLUE,), DRAIN, (MIRROR,)),
    Case(
        "SWITCHED: a drain's dead time ends once every plain agent has read the key again",
        (BLUE, switch("green", mode="drain", drain_ms="60000", hold_ms="60000", sid="switch-2")),
        switch("green", mode="finish", sid="switch-2"),
        (MIRROR,),
    ),
    Case(
        "DRAINING: with a claim in flight nobody claims until it has ended",
        (BLUE, claim()),
        DRAIN,
        (MIRROR, ctl("ph", "act", "to", "prev", "dl"), LAST_EVENT),
    ),
    Case("DRAINING: the same switch again", (BLUE, claim(), DRAIN), DRAIN, (ctl("gen"),)),
    Case("NOOP: active already", (BLUE,), switch("blue", sid="switch-2"), (ctl("gen"),)),
    Case(
        "RESUMED: a level is taken back; the side keeps its tenure and its counters",
        (BLUE, claim(), halt("1")),
        switch("blue", sid="switch-2", resume="1", why="looked at it"),
        (ctl("lvl", "ten", "c_claim"),),
    ),
    Case(
        "CONFLICT: another epoch than was seen",
        (BLUE, halt("1")),
        switch("green", expected=EPOCH, sid="switch-2"),
        (MIRROR,),
    ),
    Case(
        "CONFLICT: the upgrade's run was changed since it was read",
        (BLUE, redis("HSET", UPGRADES, "current", "4\n{}")),
        switch("green", expected="any@3", sid="switch-2"),
        (MIRROR,),
    ),
    Case(
        "SWITCHED: the upgrade's run is as it was read",
        (BLUE, redis("HSET", UPGRADES, "current", "3\n{}")),
        switch("green", expected="any@3", sid="switch-2"),
        (MIRROR,),
    ),
    Case("CONFLICT: an epoch was seen, and here is no authority", (), switch("blue", expected="1750000000000")),
    Case(
        "CONFLICT: since gates were asked, somebody changed something",
        (BLUE,),
        switch("green", expected="any/9/0/0", sid="switch-2"),
    ),
    Case(
        "CONFLICT: since gates were asked, what is owed changed",
        (BLUE,),
        switch("green", expected="any//9/0", sid="switch-2"),
    ),
    Case(
        "CONFLICT: since gates were asked, what is in doubt changed",
        (BLUE,),
        switch("green", expected="any//0/9", sid="switch-2"),
    ),
    Case("CONFLICT: the drain to be finished is another's", (BLUE,), switch("green", mode="finish", sid="switch-9")),
    Case("HALTED: without resuming, a halt stays", (BLUE, halt()), GREEN, (MIRROR,)),
    Case(
        "HALTED: the plain key says so, on a store without an authority",
        (redis("SET", PLAIN, "halted"),),
        switch("blue"),
    ),
    Case("NO_PREVIOUS: nothing was active before", (BLUE,), switch("previous", sid="switch-2")),
    Case("BADTARGET: a side that nobody knows", (BLUE,), switch("red", sid="switch-2")),
    Case("UNHEALTHY: the target has no instance", (BLUE,), switch("green", sid="switch-2", healthy="1")),
    Case("NEEDS_REASON: to resume", (BLUE, halt()), switch("blue", sid="switch-2", resume="1")),
)

HALTS: Final = (
    Case(
        "HALTED: at once, whoever acts",
        (BLUE, claim()),
        halt("3", "verb", "halt"),
        (MIRROR, ctl("ph", "act", "prev", "lvl"), LAST_EVENT, LAST_RECEIPT),
    ),
    Case("HALTED: on an empty store", (), halt(), (MIRROR, ctl("ph"))),
    Case(
        "HALTED: whatever the authority's key is, it is put aside",
        (BLUE, redis("DEL", CTL), redis("SET", CTL, "x")),
        halt(),
        (MIRROR, ctl("ph"), redis("KEYS", BESIDE + "ctl:damaged:*")),
    ),
    Case(
        "HALTED: open claims that were overwritten are in doubt again, out of the actions",
        (BLUE, claim(), redis("SET", OPEN, "x")),
        halt(),
        (redis("HGET", OPEN, "bet-1"), ctl("on")),
    ),
    Case("LEVEL: no new entries", (BLUE,), halt("1"), (MIRROR, ctl("lvl", "ph", "ten"))),
    Case("LEVEL: more than before", (BLUE, halt("1")), halt("2"), (ctl("lvl"),)),
    Case("AGAIN: halted already", (BLUE, halt()), halt(), (ctl("gen"),)),
    Case("AGAIN: a lower level never replaces a higher one", (BLUE, halt("2")), halt("1"), (ctl("lvl"),)),
    Case("NOINIT: a level on a store without an authority", (), halt("1"), (ctl("ep"),)),
)


def trip(epoch: Arg = EPOCH, why: str = "exception while deciding", by: str = "worker-1") -> Call:
    """A critical trigger."""
    return Call("trip", SEVEN, (epoch, why, by, "exception"))


def restrain(level: str, epoch: Arg = EPOCH, side: str = "blue") -> Call:
    """A guard's stop."""
    return Call(
        "restrain", SEVEN, (epoch, side, level, "guard-1", "drawdown", "freeze" if level == "1" else "stop", "", "pnl")
    )


TRIPS: Final = (
    Case(
        "ROLLBACK: to the previous side, which is healthy",
        (*TWO_SIDES, beat("worker-2", slot="green", epoch=SECOND, seen=SECOND)),
        trip(SECOND),
        (MIRROR, ctl("act", "rb"), LAST_EVENT),
    ),
    Case("HALT: there is no previous side", (BLUE,), trip(), (MIRROR, LAST_EVENT)),
    Case(
        "HALT: the previous side left an action in doubt",
        (BLUE, claim(), settle(outcome="unknown"), GREEN, beat("worker-1", epoch=Of(3, 1), seen=Of(3, 1))),
        trip(Of(3, 1)),
        (MIRROR, LAST_EVENT),
    ),
    Case(
        "HALT: one automatic roll back for each operator's switch",
        (
            *TWO_SIDES,
            beat("worker-2", slot="green", epoch=SECOND, seen=SECOND),
            beat("worker-1", epoch=SECOND, seen=SECOND),
            trip(SECOND),
        ),
        trip(Of(4, 1)),
        (MIRROR,),
    ),
    Case("STALE: evidence from before the running tenure", (*TWO_SIDES,), trip(), (MIRROR,)),
    Case("STALE: halted already", (BLUE, halt()), trip(Of(1, 1))),
    Case("NOINIT: a store without an authority", (), trip("0")),
)

RESTRAINTS: Final = (
    Case("LEVEL: no new entries", (BLUE,), restrain("1"), (ctl("lvl", "ten"), LAST_EVENT)),
    Case("HALTED: everything", (BLUE,), restrain("3"), (MIRROR,)),
    Case("AGAIN: as much is stopped already", (BLUE, halt("2")), restrain("1", Of(1, 1)), (ctl("lvl"),)),
    Case("STALE: evidence from before the running tenure", (BLUE, GREEN), restrain("3", side="green"), (MIRROR,)),
    Case("STALE: of the side that is not active", (BLUE,), restrain("3", side="green"), (MIRROR,)),
    Case("NOINIT: a store without an authority", (), restrain("3", "0")),
)

LIMITS: Final = (
    Case(
        "OK: caps and trip-wires, in millionths with up to 12 decimals",
        (BLUE,),
        limits("cur", "ETH", "cap_amt", "1000000.000000000001", "t_loss", "500000", "t_streak", "3", "cap_open", "2"),
        (ctl("cur", "cap_amt", "t_loss", "t_streak", "cap_open"), LAST_EVENT),
    ),
    Case("OK: nothing takes one away", (BLUE, limits("cap_open", "2")), limits("cap_open", ""), (ctl("cap_open"),)),
    Case(
        "NOINIT: set all the same, and in force as soon as there is an authority",
        (),
        limits("cap_open", "2"),
        (ctl("cap_open"),),
    ),
    Case("a limit that nobody knows is an error", (BLUE,), limits("cap_luck", "2")),
)


def flag(kind: str, text: str, write: str, value: str, *audit: str) -> Call:
    """A flag, compared and set."""
    return Call("flag", (*SEVEN, AUDIT, FLAG), ("crash_target", kind, text, write, value, *audit))


FLAGS: Final = (
    Case(
        "SET: a new flag, with its audit entry and a control event",
        (BLUE,),
        flag("absent", "", "set", "2.5", "who", "ann"),
        (redis("GET", FLAG), LAST_EVENT, LAST_RECEIPT),
    ),
    Case(
        "SET: from the text that was seen",
        (BLUE, redis("SET", FLAG, "2.0")),
        flag("text", "2.0", "set", "2.5"),
        (redis("GET", FLAG),),
    ),
    Case(
        "SET: taken away",
        (BLUE, redis("SET", FLAG, "2.0")),
        flag("any", "", "del", ""),
        (redis("EXISTS", FLAG),),
    ),
    Case(
        "CONFLICT: it is another than was seen",
        (BLUE, redis("SET", FLAG, "3")),
        flag("text", "2.0", "set", "2.5"),
        (redis("GET", FLAG),),
    ),
    Case("CONFLICT: it is gone", (BLUE,), flag("text", "2.0", "set", "2.5"), (redis("EXISTS", FLAG),)),
    Case(
        "WRONGTYPE: it is no text",
        (BLUE, redis("RPUSH", FLAG, "x")),
        flag("any", "", "set", "2.5"),
        (redis("TYPE", FLAG),),
    ),
)

CASES: Final = (*SWITCHES, *HALTS, *TRIPS, *RESTRAINTS, *LIMITS, *FLAGS)
