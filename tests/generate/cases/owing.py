"""Cases of what is owed: claims that name a commitment, and the script owe."""

from __future__ import annotations

from typing import Final

from tests.generate.cases.language import (
    ACTIONS,
    AUDIT,
    BESIDE,
    BLUE,
    LOG,
    SEVEN,
    Arg,
    Call,
    Case,
    Of,
    claim,
    ctl,
    redis,
    resolve,
    settle,
    switch,
)

ESCROW: Final = 'escrow\nnew adopts\n1750000000000\nin\n12500000\nUSD\n{"role":"creator"}'
ROUND: Final = "round\nold closes\n0\neither\n1000000\nUSD\n"
OPENS: Final = ("open", "esc_1", "2.4.0", ESCROW)
CLOSES: Final = ("close", "esc_1", "2.4.0", "")
ENDS: Final = ("close", "round_7", "2.4.0", "")
LIST: Final = redis("HGET", BESIDE + "owed", "esc_1")
ROUNDS: Final = redis("HGET", BESIDE + "owed", "round_7")
NAMED: Final = redis("HKEYS", BESIDE + "named")
LAST_ACTION: Final = redis("XREVRANGE", ACTIONS, "+", "-", "COUNT", "1")
GREEN: Final = switch("green", sid="switch-2")


def owe(*steps: str, slot: str = "blue", by: str = "worker-1", audit: tuple[str, ...] = ()) -> Call:
    """Changes of what is owed: op, id, value, …"""
    args: tuple[Arg, ...] = (by, slot, "2.4.0" if slot else "", "1", str(len(steps) // 3), *steps, *audit)
    return Call("owe", (*SEVEN, AUDIT), args)


PUT: Final = owe("put", "esc_1", ESCROW)
PUT_ROUND: Final = owe("put", "round_7", ROUND)

CASES: Final = (
    Case(
        "GRANTED: a claim that opens a commitment names it, and nothing is owed yet",
        (BLUE,),
        claim(names=OPENS),
        (LIST, NAMED, ctl("wn", "nn")),
    ),
    Case(
        "SETTLED: executed, it is owed, with the stamps of the claim",
        (BLUE, claim(names=OPENS)),
        settle(names=OPENS),
        (LIST, NAMED, LAST_ACTION, ctl("wn", "wr", "nn")),
    ),
    Case(
        "RELEASED: never sent, nothing is owed",
        (BLUE, claim(names=OPENS)),
        settle(outcome="abort", names=OPENS),
        (LIST, NAMED, ctl("wn", "nn")),
    ),
    Case(
        "DOUBT: nobody knows, and the commitment stays named",
        (BLUE, PUT, claim(names=CLOSES)),
        settle(outcome="unknown", names=CLOSES),
        (NAMED,),
    ),
    Case(
        "RESOLVED: on evidence that it was executed, it is over",
        (BLUE, PUT, claim(names=CLOSES), settle(outcome="unknown", names=CLOSES)),
        resolve("executed"),
        (LIST, NAMED, LAST_ACTION),
    ),
    Case(
        "LATE: a report that it was executed after all brings what it opened",
        (BLUE, claim(names=OPENS), settle(outcome="unknown", names=OPENS), resolve("not_executed", "burned")),
        settle(names=OPENS),
        (LIST,),
    ),
    Case("OWED: there is one of that id", (BLUE, PUT), claim(names=OPENS)),
    Case("NOT_OWED: it is over", (BLUE,), claim(names=CLOSES)),
    Case(
        "NAMED: another claim without an end names it",
        (BLUE, PUT, claim(names=CLOSES)),
        claim("bet-2", cid="claim-2", names=CLOSES),
    ),
    Case(
        "NOT_OWNER: it is pinned to the other side",
        (BLUE, PUT_ROUND, GREEN),
        claim(slot="green", direction="reduce", epoch=Of(2, 1), seen=Of(2, 1), names=ENDS),
    ),
    Case(
        "GRANTED: the side that it is pinned to may reduce it although it stands by",
        (BLUE, PUT_ROUND, GREEN),
        claim(direction="reduce", epoch=Of(2, 1), seen=Of(2, 1), names=ENDS),
    ),
    Case(
        "NOT_ACTIVE: and nothing but reduce",
        (BLUE, PUT_ROUND, GREEN),
        claim(epoch=Of(2, 1), seen=Of(2, 1), names=("change", "round_7", "2.4.0", ROUND)),
    ),
    Case("BADARG: what it is then can't be recorded", (BLUE,), claim(names=("open", "esc_1", "2.4.0", "escrow"))),
    Case("DONE: an instance puts what it knows of", (BLUE,), PUT, (LIST, LAST_ACTION, ctl("wn", "wr"))),
    Case(
        "DONE: it is over, whoever saw it",
        (BLUE, PUT),
        owe("close", "esc_1", "released by the venue", slot="green"),
        (LIST, LAST_ACTION),
    ),
    Case(
        "DONE: an operator gives it to a side, with an audit entry",
        (BLUE, PUT_ROUND),
        owe("give", "round_7", "green\nold closes", slot="", by="ann", audit=("verb", "commitments give")),
        (ROUNDS, redis("XRANGE", AUDIT, "-", "+")),
    ),
    Case("OWED: it should have been new", (BLUE, PUT), owe("open", "esc_1", ESCROW)),
    Case(
        "NOT_OWED: of several changes none is carried out",
        (BLUE,),
        owe("put", "esc_1", ESCROW, "close", "esc_2", "x"),
        (LIST,),
    ),
    Case("NAMED: a claim in flight decides", (BLUE, PUT, claim(names=CLOSES)), PUT),
    Case("BADARG: an operator owes nothing himself", (BLUE,), owe("put", "esc_1", ESCROW, slot="")),
    Case("NOINIT: a store without an authority", (), PUT),
    Case(
        "SWITCHED: what is not pinned passes over with the switch; the event says how many are owed",
        (BLUE, PUT, PUT_ROUND),
        GREEN,
        (LIST, ROUNDS, redis("XREVRANGE", LOG, "+", "-", "COUNT", "1")),
    ),
)
