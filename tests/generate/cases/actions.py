"""Cases of claim, settle and resolve."""

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
    done,
    halt,
    limits,
    redis,
    resolve,
    settle,
    switch,
)

OPEN_CLAIM: Final = redis("HGET", OPEN, "bet-1")
END: Final = redis("GET", done("bet-1"))
LAST_ACTION: Final = redis("XREVRANGE", ACTIONS, "+", "-", "COUNT", "1")
LAST_EVENT: Final = redis("XREVRANGE", LOG, "+", "-", "COUNT", "1")
TINY: Final = "0.000000000001"
"""The least amount that is counted: a millionth of a millionth of a millionth of a unit, 10^-18."""
BLUE_AFTER_GREEN: Final = (
    switch("green", sid="switch-0"),
    switch("blue"),
    beat("worker-2", slot="green", epoch=Of(1, 1)),
)
"""Blue is active, green was before it and is healthy: a trip-wire may roll back."""
SECOND: Final = Of(1, 1)

CLAIMS: Final = (
    Case(
        "GRANTED: the active side claims, and the intent is recorded before anything is sent",
        (BLUE,),
        claim(amount="5000000"),
        (
            OPEN_CLAIM,
            redis("ZRANGE", LEASES, "0", "-1", "WITHSCORES"),
            LAST_ACTION,
            ctl("an", "ah", "on", "fn", "c_claim"),
        ),
    ),
    Case("DUP: the very same claim again", (BLUE, claim()), claim(), (ctl("an", "c_claim"),)),
    Case(
        "STALE_HELD: the same claim again after its epoch is over: to be aborted, never sent",
        (BLUE, claim(), switch("green", sid="switch-2")),
        claim(),
        (ctl("act"),),
    ),
    Case(
        "DONE: a key that has an end gives its record",
        (BLUE, claim(amount="5000000"), settle(amount="5000000", pnl="-1250000", result='{"id":"bet_17"}')),
        claim(cid="claim-2", amount="5000000"),
    ),
    Case("BUSY: another claim holds the key", (BLUE, claim()), claim(cid="claim-2", instance="worker-2")),
    Case(
        "IN_DOUBT: the lease of the claim that holds the key has ended, swept or not",
        (BLUE, claim(lease_ms="0")),
        claim(cid="claim-2"),
        (OPEN_CLAIM, LAST_ACTION, ctl("fn", "c_doubt")),
    ),
    Case("MISMATCH: an open key with other parameters", (BLUE, claim()), claim(cid="claim-2", fingerprint="6 on red")),
    Case("MISMATCH: an ended key with other parameters", (BLUE, claim(), settle()), claim(fingerprint="6 on red")),
    Case(
        "DRAINING: nobody claims while a switch drains",
        (BLUE, claim(), switch("green", mode="drain", drain_ms="60000", sid="switch-2")),
        claim("bet-2", cid="claim-2", epoch=Of(2, 1), seen=Of(2, 1)),
        (ctl("ph", "act", "to"), redis("GET", PLAIN)),
    ),
    Case(
        "NOT_ACTIVE: a drain whose deadline is over is finished by whoever claims next",
        (BLUE, claim(), switch("green", mode="drain", drain_ms="0", sid="switch-2")),
        claim("bet-2", cid="claim-2", epoch=Of(2, 1), seen=Of(2, 1)),
        (ctl("ph", "act"), OPEN_CLAIM),
    ),
    Case("NOT_ACTIVE: the other side", (BLUE,), claim(slot="green")),
    Case("DIVERGED: the plain key was written by hand", (BLUE, redis("SET", PLAIN, "green")), claim()),
    Case("DIVERGED: the plain key is gone", (BLUE, redis("DEL", PLAIN)), claim()),
    Case("LIMIT: too many open claims", (BLUE, limits("cap_open", "1"), claim()), claim("bet-2", cid="claim-2")),
    Case(
        "LIMIT: the tenure's amount, by 10^-18 of a unit",
        (BLUE, limits("cur", "USD", "cap_amt", "1000000"), claim(amount="1000000")),
        claim("bet-2", cid="claim-2", amount=TINY),
        (ctl("c_amt"),),
    ),
    Case(
        "LIMIT: the day's amount, over both sides",
        (BLUE, limits("cur", "USD", "cap_day", "1000000"), claim(amount="900000"), switch("green", sid="switch-2")),
        claim("bet-2", cid="claim-2", slot="green", amount="100001", epoch=Of(3, 1), seen=Of(3, 1)),
        (ctl("b_day", "b_amt", "c_amt"),),
    ),
    Case(
        "LIMIT: another currency than the caps'",
        (BLUE, limits("cur", "USD", "cap_amt", "1000000")),
        claim(amount="1", currency="EUR"),
    ),
    Case(
        "GRANTED: caps never stand in the way of reducing risk",
        (BLUE, limits("cur", "USD", "cap_amt", "1000000")),
        claim(amount="5000000", direction="reduce"),
        (ctl("c_amt"),),
    ),
    Case(
        "GRANTED: amounts with 18 decimals are summed exactly, by limbs",
        (
            BLUE,
            limits("cur", "ETH", "cap_amt", "999999999999999999999999"),
            claim(amount="1" + TINY[1:], currency="ETH"),
        ),
        claim("bet-2", cid="claim-2", amount="123456789012345678.999999999999", currency="ETH"),
        (ctl("c_amt", "b_amt"),),
    ),
    Case("LEVEL: no new entries", (BLUE, halt("1")), claim(epoch=Of(1, 1), seen=Of(1, 1))),
    Case(
        "GRANTED: at `reduce only`, reducing is allowed",
        (BLUE, halt("2")),
        claim(direction="reduce", epoch=Of(1, 1), seen=Of(1, 1)),
    ),
    Case("STALE: another epoch is running", (BLUE, halt("1")), claim()),
    Case("STALE: another lineage than the client knows", (BLUE,), claim(lineage="0" * 39 + "1")),
    Case("STALE: fewer actions than the client has seen", (BLUE,), claim(newest="7")),
    Case("DAMAGED: the authority is no hash", (redis("SET", CTL, "x"),), claim(epoch="0", seen="0")),
    Case("DAMAGED: open claims have vanished", (BLUE, claim(), redis("DEL", OPEN)), claim("bet-2", cid="claim-2")),
    Case("DAMAGED: the leases are no sorted set", (BLUE, redis("SET", LEASES, "x")), claim()),
    Case("DAMAGED: the recorded end is no record", (BLUE, redis("SET", done("bet-1"), "x")), claim()),
    Case("HALTED: a halt is latched", (BLUE, halt()), claim(epoch=Of(1, 1), seen=Of(1, 1)), (ctl("ph", "lvl"),)),
    Case("NOINIT: a store without an authority", (), claim(epoch="0", seen="0")),
    Case(
        "REGRESSED: a store behind the epoch that the client has seen went back, and halts",
        (BLUE, redis("HSET", CTL, "ep", "1000")),
        claim(epoch="1000"),
        (ctl("ph"), redis("GET", PLAIN), LAST_EVENT),
    ),
    Case(
        "BADEPOCH: an epoch far in the future changes nothing", (BLUE,), claim(seen="9999999999999"), (ctl("ph", "an"),)
    ),
    Case("BADARG: an amount with more than 18 decimals", (BLUE,), claim(amount="0.0000000000001")),
    Case("BADARG: an amount below zero", (BLUE,), claim(amount="-1")),
    Case("BADARG: an amount that is no decimal text", (BLUE,), claim(amount="1e6")),
    Case("BADARG: a control character in a field", (BLUE,), claim(instance="worker\n1")),
    Case("BADARG: a direction that nobody knows", (BLUE,), claim(direction="sideways")),
)

SETTLEMENTS: Final = (
    Case(
        "SETTLED: executed; the record is what DONE gives",
        (BLUE, limits("cur", "USD"), claim(amount="5000000")),
        settle(amount="5000000", pnl="-1250000", result='{"id":"bet_17"}'),
        (OPEN_CLAIM, END, LAST_ACTION, redis("ZCARD", LEASES), ctl("on", "fn", "c_ok", "c_pnl", "c_amt")),
    ),
    Case(
        "SETTLED: a record that is kept for a while",
        (BLUE, claim()),
        settle(retention_ms="86400000"),
        (redis("PTTL", done("bet-1")),),
    ),
    Case(
        "SETTLED: refused by the venue: the key is used up",
        (BLUE, claim()),
        settle(outcome="fail", result="insufficient funds"),
        (END, ctl("c_fail", "c_streak")),
    ),
    Case(
        "SETTLED: allowed in another epoch: the old side must be able to report",
        (BLUE, claim(), switch("green", sid="switch-2")),
        settle(),
        (END, ctl("act", "c_ok")),
    ),
    Case(
        "SETTLED: the last one in flight finishes a drain",
        (BLUE, claim(), switch("green", mode="drain", drain_ms="60000", sid="switch-2")),
        settle(),
        (ctl("ph", "act", "prev"), redis("GET", PLAIN)),
    ),
    Case(
        "SETTLED: a loss of exactly the budget, to 10^-18, halts where there is nothing to go back to",
        (
            BLUE,
            limits("cur", "USD", "t_loss", "1.000000000001"),
            claim(),
            settle(pnl="-1"),
            claim("bet-2", cid="claim-2"),
        ),
        settle("bet-2", cid="claim-2", pnl="-" + TINY),
        (ctl("ph", "c_pnl"), redis("GET", PLAIN), LAST_EVENT),
    ),
    Case(
        "SETTLED: a loss by less than the budget, by 10^-18, halts nothing",
        (BLUE, limits("cur", "USD", "t_loss", "1.000000000001"), claim()),
        settle(pnl="-1"),
        (ctl("ph", "c_pnl"),),
    ),
    Case(
        "SETTLED: a streak of failures rolls back to a healthy side",
        (*BLUE_AFTER_GREEN, limits("t_streak", "1"), claim(epoch=SECOND, seen=SECOND)),
        settle(outcome="fail", epoch=SECOND),
        (ctl("ph", "act", "rb"), redis("GET", PLAIN)),
    ),
    Case(
        "SETTLED: a critical trigger of the agent's own",
        (BLUE, claim()),
        settle(trigger="authentication failed"),
        (ctl("ph"), LAST_EVENT),
    ),
    Case(
        "SETTLED: the end of a doubt by the claim that is in doubt",
        (BLUE, claim(), settle(outcome="unknown")),
        settle(),
        (OPEN_CLAIM, END, ctl("c_doubt")),
    ),
    Case(
        "RELEASED: never sent: the key is free and its amount is given back",
        (BLUE, limits("cur", "USD", "cap_amt", "10000000"), claim(amount="5000000" + TINY[1:])),
        settle(outcome="abort", amount="5000000" + TINY[1:]),
        (OPEN_CLAIM, END, ctl("c_amt", "b_amt", "on", "fn")),
    ),
    Case(
        "DOUBT: nobody knows: visible, and the key stays taken",
        (BLUE, claim()),
        settle(outcome="unknown", result="timed out"),
        (OPEN_CLAIM, LAST_ACTION, redis("ZCARD", LEASES), ctl("c_doubt", "on", "fn")),
    ),
    Case(
        "DOUBT: one doubt too many trips",
        (*BLUE_AFTER_GREEN, limits("t_doubt", "1"), claim(epoch=SECOND, seen=SECOND)),
        settle(outcome="unknown", epoch=SECOND),
        (ctl("ph", "act"),),
    ),
    Case("ALREADY: the same settlement again", (BLUE, claim(), settle()), settle(), (ctl("an", "c_ok"),)),
    Case(
        "LATE: executed, and the key had been resolved as not executed: it is used up",
        (BLUE, claim(), settle(outcome="unknown"), resolve("not_executed", "burned")),
        settle(result='{"id":"bet_17"}'),
        (END, LAST_ACTION, LAST_EVENT, ctl("x_late", "c_late", "ph")),
    ),
    Case(
        "LATE: nobody knows, and the key was free: it is in doubt again",
        (BLUE, claim(), settle(outcome="unknown"), resolve("not_executed", "burned")),
        settle(outcome="unknown"),
        (OPEN_CLAIM, ctl("x_late", "c_doubt", "on")),
    ),
    Case(
        "LATE: executed, while another claim holds the key: a double spend, which halts",
        (
            BLUE,
            claim(),
            settle(outcome="unknown"),
            resolve("not_executed", "burned"),
            claim(cid="claim-2", instance="worker-2"),
        ),
        settle(),
        (ctl("ph", "x_late"), LAST_EVENT),
    ),
    Case(
        "LATE: executed, and another claim of the key was executed too: a double spend rolls back",
        (
            *BLUE_AFTER_GREEN,
            claim(epoch=SECOND, seen=SECOND),
            settle(outcome="unknown", epoch=SECOND),
            resolve("not_executed", "burned"),
            claim(cid="claim-2", epoch=SECOND, seen=SECOND),
            settle(cid="claim-2", epoch=SECOND),
        ),
        settle(epoch=SECOND),
        (ctl("ph", "act", "x_late"), END),
    ),
    Case(
        "LATE: refused by the venue: recorded, and nothing else",
        (BLUE,),
        settle(outcome="fail"),
        (LAST_ACTION, ctl("x_late", "ph"), END),
    ),
    Case("LATE: never sent: nothing to be loud about", (BLUE,), settle(outcome="abort"), (ctl("an", "x_late"),)),
    Case("DAMAGED: the authority is no hash", (redis("SET", CTL, "x"),), settle(epoch="0")),
    Case("DAMAGED: the open claims are no hash", (BLUE, redis("SET", OPEN, "x")), settle()),
    Case("DAMAGED: the recorded end is no record", (BLUE, redis("SET", done("bet-1"), "x")), settle()),
    Case("NOINIT: a store without an authority", (), settle(epoch="0")),
    Case("BADARG: an outcome that nobody knows", (BLUE, claim()), settle(outcome="perhaps"), (ctl("an"),)),
    Case("BADARG: a result in money that is no decimal text", (BLUE, claim()), settle(pnl="NaN"), (ctl("an"),)),
)

DOUBT: Final = (BLUE, claim(lease_ms="0"), settle(outcome="unknown"))
"""A doubt whose lease has ended, from which a quarantine is counted."""
BEATING: Final = (BLUE, beat(clock="boot-a:1000"), claim(), settle(outcome="unknown"))
"""A doubt whose holder beats; its host has been up for a second."""

RESOLUTIONS: Final = (
    Case(
        "RESOLVED: executed, with what the venue shows",
        (BLUE, limits("cur", "USD"), claim(amount="5000000"), settle(outcome="unknown")),
        resolve("executed", pnl="-1250000" + TINY[1:], result='{"id":"bet_17"}'),
        (OPEN_CLAIM, END, LAST_ACTION, ctl("on", "c_pnl", "c_doubt", "c_amt")),
    ),
    Case(
        "RESOLVED: not executed, and the venue will refuse the key from now on: no wait",
        (BLUE, limits("cur", "USD", "cap_day", "9000000"), claim(amount="5000000"), settle(outcome="unknown")),
        resolve("not_executed", "burned", quarantine_ms="60000"),
        (OPEN_CLAIM, END, ctl("on", "c_amt", "b_amt")),
    ),
    Case(
        "RESOLVED: not executed, said by the object that made the claim",
        (BLUE, claim(cid="maker-77:1", lease_ms="0"), settle(cid="maker-77:1", outcome="unknown")),
        resolve("not_executed", "self", cid="maker-77:1", begins="maker-77"),
        (OPEN_CLAIM,),
    ),
    Case(
        "RESOLVED: not executed, the holder's process is gone and no heartbeat says otherwise",
        DOUBT,
        resolve("not_executed", "gone"),
    ),
    Case(
        "RESOLVED: not executed, the holder has been silent for longer than any pause it could wake from",
        BEATING,
        resolve("not_executed", "silent", quarantine_ms="60000", clock="boot-a:100000"),
        (redis("HEXISTS", INSTANCES, "worker-1"),),
    ),
    Case(
        "RESOLVED: a claim whose lease has ended is a doubt, swept or not",
        (BLUE, claim(lease_ms="0")),
        resolve("executed"),
    ),
    Case("ALREADY: the same resolution again", (*DOUBT, resolve("executed")), resolve("executed"), (ctl("an"),)),
    Case("DAMAGED: the recorded end is no record", (BLUE, redis("SET", done("bet-1"), "x")), resolve("executed")),
    Case("NOT_IN_DOUBT: its lease is running", (BLUE, claim()), resolve("executed")),
    Case("NOT_IN_DOUBT: there is no such claim", (BLUE,), resolve("executed")),
    Case("NOT_IN_DOUBT: another claim holds the key", DOUBT, resolve("executed", cid="claim-2")),
    Case("NEEDS_EVIDENCE: without any", DOUBT, resolve("executed", evidence=""), (ctl("on"),)),
    Case("HOLDER_ALIVE: no proof given", DOUBT, resolve("not_executed")),
    Case(
        "HOLDER_ALIVE: *self* by another object than the one that made the claim",
        DOUBT,
        resolve("not_executed", "self", begins="maker-78"),
    ),
    Case(
        "HOLDER_ALIVE: *gone* beside a fresh heartbeat",
        BEATING,
        resolve("not_executed", "gone", clock="boot-a:1100"),
        (OPEN_CLAIM,),
    ),
    Case(
        "HOLDER_ALIVE: not silent for long enough",
        BEATING,
        resolve("not_executed", "silent", clock="boot-a:1100"),
        lasting=2,
    ),
    Case(
        "TOO_EARLY: the quarantine is not over; the milliseconds that are left of it",
        DOUBT,
        resolve("not_executed", "gone", quarantine_ms="60000"),
        lasting=2,
    ),
    Case(
        "TOO_EARLY: the quarantine is over (0 ms are left), and was not yet when the evidence was looked for",
        (BLUE, beat(clock="boot-a:1000"), claim(cid="maker-77:1"), settle(cid="maker-77:1", outcome="unknown")),
        resolve(
            "not_executed",
            "self",
            cid="maker-77:1",
            begins="maker-77",
            quarantine_ms="60000",
            clock="boot-a:100000",
            looked="1",
        ),
        (OPEN_CLAIM,),
    ),
    Case("NOINIT: a store without an authority", (), resolve("executed")),
    Case("BADARG: a verdict that nobody knows", DOUBT, resolve("perhaps")),
    Case("BADARG: money that is no decimal text", DOUBT, resolve("executed", pnl="1,5")),
    Case("BADARG: a control character in the name", DOUBT, resolve("executed", by="a\nb")),
)

CASES: Final = (*CLAIMS, *SETTLEMENTS, *RESOLUTIONS)
