"""Cases of beat: heartbeats, housekeeping, what is remembered of a store, damage, the steady clock."""

from __future__ import annotations

from typing import Final

from tests.generate.cases.language import (
    ACTIONS,
    BLUE,
    CTL,
    INSTANCES,
    LEASES,
    LOG,
    OPEN,
    PLAIN,
    Case,
    Of,
    beat,
    claim,
    ctl,
    halt,
    limits,
    redis,
    remembered,
    settle,
    switch,
    tend,
)

LAST_EVENT: Final = redis("XREVRANGE", LOG, "+", "-", "COUNT", "1")
MIRROR: Final = redis("GET", PLAIN)
SEEN: Final = (BLUE, claim(), settle(), beat())
"""A store, and a client that has seen an action and its end: the beat is the fourth step."""
SEEN_BY_BEAT: Final = remembered(3)
UNREMEMBERED: Final = Of(1, 1)

CASES: Final = (
    Case(
        "OK: a first heartbeat is an acknowledgement of the epoch",
        (BLUE,),
        beat(more=',"every":500'),
        (redis("HGET", INSTANCES, "worker-1"), LAST_EVENT),
    ),
    Case("OK: the next one is only a heartbeat", (BLUE, beat()), beat(), (ctl("ln"),)),
    Case("OK: leaving", (BLUE, beat()), beat(leaving="1"), (redis("HEXISTS", INSTANCES, "worker-1"), LAST_EVENT)),
    Case("OK: what is remembered is there", SEEN, beat(memory=SEEN_BY_BEAT), (ctl("ph"),)),
    Case(
        "OK: what is remembered was archived: only the newest entry is left",
        (*SEEN, claim("bet-2", cid="claim-2"), redis("XTRIM", ACTIONS, "MAXLEN", "1")),
        beat(memory=SEEN_BY_BEAT),
        (ctl("ph"),),
    ),
    Case(
        "OK: a lease that has ended without a word becomes a doubt",
        (BLUE, claim(lease_ms="0")),
        tend(),
        (redis("HGET", OPEN, "bet-1"), redis("ZCARD", LEASES), ctl("c_doubt")),
    ),
    Case(
        "OK: one doubt too many trips, whoever sweeps",
        (BLUE, limits("t_doubt", "1"), claim(lease_ms="0")),
        tend(),
        (ctl("ph"), MIRROR, LAST_EVENT),
    ),
    Case(
        "OK: a drain whose deadline is over is finished by whoever comes next",
        (BLUE, claim(), switch("green", mode="drain", drain_ms="0", sid="switch-2")),
        tend(),
        (MIRROR, redis("HGET", OPEN, "bet-1"), LAST_EVENT),
    ),
    Case(
        "OK: a plain key that was written by hand is adopted, under a new epoch",
        (BLUE, redis("SET", PLAIN, "green")),
        tend(),
        (ctl("act", "prev"), LAST_EVENT),
    ),
    Case(
        "OK: a plain key that says anything else halts",
        (BLUE, redis("SET", PLAIN, "purple")),
        tend(),
        (MIRROR, LAST_EVENT),
    ),
    Case(
        "OK: a halt wins over what is written by hand", (BLUE, halt(), redis("SET", PLAIN, "blue")), tend(), (MIRROR,)
    ),
    Case(
        "OK: who never saw an epoch takes over a plain deployment as it finds it",
        (redis("SET", PLAIN, "green"),),
        beat(epoch="0", seen="0", slot="green"),
        (ctl("act", "ph"),),
    ),
    Case(
        "OK: nothing of the authority may expire",
        (BLUE, redis("PEXPIRE", CTL, "600000")),
        tend(),
        (redis("TTL", CTL), LAST_EVENT),
    ),
    Case(
        "OK: the steady clock goes by the host's, and a jump of the server's is named",
        (BLUE, beat(clock="boot-a:1000"), claim()),
        beat(clock="boot-a:61000"),
        (LAST_EVENT,),
    ),
    Case("NOINIT: no authority, and nothing to adopt", (), beat(epoch="0", seen="0"), (ctl("ep"), MIRROR)),
    Case("NOINIT: housekeeping never makes an authority", (redis("SET", PLAIN, "blue"),), tend(), (ctl("ep"),)),
    Case(
        "REGRESSED: the authority is gone that the client remembers: latched",
        (*SEEN, redis("FLUSHALL")),
        beat(memory=SEEN_BY_BEAT),
        (ctl("ph", "act"), MIRROR, LAST_EVENT),
    ),
    Case(
        "REGRESSED: the epoch is behind the one that was seen",
        (*SEEN, redis("HSET", CTL, "ep", "1000")),
        beat(),
        (ctl("ph"), MIRROR),
    ),
    Case(
        "REGRESSED: fewer actions than were seen, within the same epoch",
        (*SEEN, redis("HSET", CTL, "an", "1")),
        beat(memory=SEEN_BY_BEAT),
        (ctl("ph"), LAST_EVENT),
    ),
    Case(
        "REGRESSED: the newest action that was seen is missing, whatever came after",
        (
            BLUE,
            claim(),
            beat(),
            redis("XTRIM", ACTIONS, "MAXLEN", "0"),
            redis("HSET", CTL, "an", "0", "ah", ""),
            claim("bet-2", cid="claim-2", newest="0"),
        ),
        beat(memory=remembered(2)),
        (ctl("ph"),),
    ),
    Case(
        "REGRESSED: another authority than the one that was seen",
        (*SEEN, redis("HSET", CTL, "lin", "0" * 39 + "1")),
        beat(memory=SEEN_BY_BEAT),
        (ctl("ph"),),
    ),
    Case(
        "REGRESSED: a loss stays one until an operator resumes",
        (*SEEN, redis("FLUSHALL"), beat(memory=SEEN_BY_BEAT)),
        beat(memory=SEEN_BY_BEAT),
        (ctl("ph"),),
    ),
    Case(
        "OK: an operator who resumes begins anew: the lost lineage is one before the new",
        (
            *SEEN,
            redis("FLUSHALL"),
            beat(memory=SEEN_BY_BEAT),
            switch("blue", sid="switch-9", resume="1", why="restored"),
        ),
        beat(epoch=Of(6, 1), seen=Of(6, 1), memory=SEEN_BY_BEAT),
        (ctl("ph", "lin", "was"),),
    ),
    Case(
        "DAMAGED: open claims have vanished: they are in doubt again, out of the actions",
        (BLUE, claim(), redis("DEL", OPEN)),
        beat(),
        (ctl("ph", "on"), redis("HGET", OPEN, "bet-1"), LAST_EVENT),
    ),
    Case(
        "DAMAGED: leases have vanished: put right out of the open claims",
        (BLUE, claim(), redis("DEL", LEASES)),
        beat(),
        (ctl("ph", "fn"), redis("ZCARD", LEASES)),
    ),
    Case(
        "DAMAGED: the newest entry of a chain is missing",
        (BLUE, claim(), redis("DEL", ACTIONS)),
        beat(),
        (ctl("ph"), LAST_EVENT),
    ),
    Case(
        "DAMAGED: a key holds another type than it must: it is put aside",
        (BLUE, redis("DEL", CTL), redis("SET", CTL, "x")),
        beat(),
        (ctl("ph"), MIRROR, redis("KEYS", CTL.replace("{", "\\{") + ":damaged:*")),
    ),
    Case(
        "BADEPOCH: an epoch far in the future changes nothing", (BLUE,), beat(seen="9999999999999"), (ctl("ph", "ln"),)
    ),
)
