"""Cases of a key that was perhaps sent: it is sent again only while its venue surely knows it."""

from __future__ import annotations

from typing import Final

from tests.generate.cases.language import (
    ACTIONS,
    BESIDE,
    BLUE,
    OPEN,
    Case,
    claim,
    ctl,
    done,
    redis,
    resolve,
    settle,
)

MARK: Final = redis("GET", BESIDE + "sent:bet-1")
OPEN_CLAIM: Final = redis("HGET", OPEN, "bet-1")
END: Final = redis("GET", done("bet-1"))
HOUR: Final = "3600000"
DAY: Final = "86400000"
FREED: Final = (BLUE, claim(), settle(outcome="unknown"), resolve("not_executed", "burned"))
"""A claim was in doubt, and taken for not executed: its key is free again, and was perhaps sent."""
PAST: Final = (*FREED, claim(cid="claim-2", window="0"))

CASES: Final = (
    Case("RESOLVED: when the key was sent first is kept", FREED[:-1], resolve("not_executed", "burned"), (MARK,)),
    Case(
        "RESOLVED: for as long as the result and any venue's window",
        FREED[:-1],
        resolve("executed", retention_ms=DAY),
        (redis("PTTL", BESIDE + "sent:bet-1"),),
    ),
    Case("GRANTED: sent again within the window", FREED, claim(cid="claim-2", window=HOUR), (MARK, ctl("on", "fn"))),
    Case("GRANTED: nobody says what the window is", FREED, claim(cid="claim-2")),
    Case("GRANTED: a window says nothing of a key that was not sent", (BLUE,), claim(window="0"), (MARK,)),
    Case(
        "GRANTED: what was never sent is no sending",
        (BLUE, claim(), settle(outcome="abort")),
        claim(cid="claim-2", window="0"),
        (MARK,),
    ),
    Case(
        "PAST_WINDOW: in doubt from now on, and never sent again",
        FREED,
        claim(cid="claim-2", window="0"),
        (
            OPEN_CLAIM,
            MARK,
            redis("XREVRANGE", ACTIONS, "+", "-", "COUNT", "2"),
            ctl("an", "on", "fn", "c_claim", "c_doubt"),
        ),
    ),
    Case(
        "PAST_WINDOW: a sending that lies ahead was before the server's clock was set back",
        (BLUE, redis("SET", BESIDE + "sent:bet-1", "9999999999999\n0\n0\n")),
        claim(window=HOUR),
    ),
    Case(
        "PAST_WINDOW: nobody knows when it was sent",
        (BLUE, settle(outcome="unknown"), resolve("not_executed", "burned")),
        claim(cid="claim-2", window=HOUR),
        (MARK,),
    ),
    Case("IN_DOUBT: what came too late, again", PAST, claim(cid="claim-2", window=HOUR)),
    Case(
        "RESOLVED: what came too late takes no proof, and its key is used up",
        PAST,
        resolve("not_executed", cid="claim-2", quarantine_ms=HOUR),
        (OPEN_CLAIM, END, ctl("on", "c_doubt")),
    ),
    Case("RESOLVED: what came too late was executed before", PAST, resolve("executed", cid="claim-2"), (END,)),
    Case("DAMAGED: the mark is none", (BLUE, redis("SET", BESIDE + "sent:bet-1", "x")), claim(window=HOUR)),
    Case("BADARG: a window that is no number", (BLUE,), claim(window="1e9")),
)
