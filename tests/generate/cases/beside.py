"""Cases of what stands beside the authority: leases, canaries, the book of rounds, documents, receipts."""

from __future__ import annotations

from typing import Final

from tests.generate.cases.language import (
    AUDIT,
    BESIDE,
    BLUE,
    PLAIN,
    RUN,
    SEVEN,
    UPGRADES,
    Arg,
    Call,
    Case,
    ctl,
    halt,
    redis,
    switch,
)

LAST_RECEIPT: Final = redis("XREVRANGE", AUDIT, "+", "-", "COUNT", "1")
WORK: Final = BESIDE + "sent-lease"
BOOK: Final = BESIDE + "book"
TRACK: Final = BESIDE + "track"
PAPERS: Final = BESIDE + "experiments"


def lease(holder: str, ttl_ms: str = "60000", release: str = "0") -> Call:
    """A lease for work that must not be done twice."""
    return Call("lease", (WORK,), (holder, ttl_ms, release))


LEASES: Final = (
    Case("taken", (), lease("guard-1"), (redis("HMGET", WORK, "holder", "token", "until"),)),
    Case("held by another", (lease("guard-1"),), lease("guard-2"), lasting=3),
    Case("renewed: the token stays", (lease("guard-1"),), lease("guard-1")),
    Case("given back", (lease("guard-1"),), lease("guard-1", release="1"), (redis("HMGET", WORK, "holder"),)),
    Case("taken after its end: the token rises", (lease("guard-1", "0"),), lease("guard-2")),
    Case("taken again by its holder after its end: the token rises too", (lease("guard-1", "0"),), lease("guard-1")),
)


def canary(
    act: str,
    *,
    run: str = "run-1",
    step: str = "0",
    revision: str = "1",
    target: str = "0",
    share: str = "0",
    budget: str = "",
    digest: str = "plan-1",
    source: str = "operator",
    audit: tuple[str, ...] = ("who", "ann"),
) -> Call:
    """A change of a canary's run; for `start` the target is how many steps there are."""
    args: tuple[Arg, ...] = (
        act,
        run,
        step,
        revision,
        "ann",
        "",
        target,
        share,
        budget,
        digest,
        "green",
        "{}",
        "USD",
        "1000",
        source,
    )
    return Call("canary", (*SEVEN, AUDIT, RUN), (*args, *audit))


START: Final = canary("start", step="0", revision="0", target="3", share="0.05", budget="10")
STEP: Final = canary("step", target="1", share="0.2", budget="40")
LAST_STEP: Final = canary("step", step="1", revision="2", target="2", share="1")
STATE: Final = redis("HMGET", RUN, "run", "state", "step", "rev", "share", "since")

CANARIES: Final = (
    Case("DONE: started", (BLUE,), START, (STATE, LAST_RECEIPT)),
    Case("DONE: one step up", (BLUE, START), STEP, (STATE,)),
    Case(
        "DONE: down", (BLUE, START, STEP), canary("lower", step="1", revision="2", target="0", share="0.05"), (STATE,)
    ),
    Case("DONE: paused: no capital moves, and the revision stays", (BLUE, START), canary("pause"), (STATE,)),
    Case("DONE: on again", (BLUE, START, canary("pause")), canary("resume"), (STATE,)),
    Case("DONE: out, from any revision", (BLUE, START, STEP), canary("abort", revision="any"), (STATE,)),
    Case("DONE: through", (BLUE, START, STEP, LAST_STEP), canary("finish", step="2", revision="3"), (STATE,)),
    Case("AGAIN: started already", (BLUE, START), START),
    Case("AGAIN: out already", (BLUE, START, canary("abort")), canary("abort")),
    Case("CONFLICT: from another step than was seen", (BLUE, START, STEP), STEP, (STATE,)),
    Case("CONFLICT: of another run", (BLUE, START), canary("pause", run="run-2")),
    Case("CONFLICT: by another plan", (BLUE, START), canary("step", target="1", digest="plan-2")),
    Case(
        "CONFLICT: since gates were asked, what is owed changed",
        (BLUE, START),
        canary("step", revision="1//9/0", target="1", share="0.2", budget="40"),
    ),
    Case(
        "CONFLICT: the upgrade's run that starts it was changed since it was read",
        (BLUE, redis("HSET", UPGRADES, "current", "4\n{}")),
        canary("start", step="0", revision="any@3", target="3", share="0.05", budget="10"),
        (STATE,),
    ),
    Case(
        "DONE: started by an upgrade's run that is as it was read",
        (BLUE, redis("HSET", UPGRADES, "current", "3\n{}")),
        canary("start", step="0", revision="any@3", target="3", share="0.05", budget="10"),
        (STATE,),
    ),
    Case("NONE: there is no run", (BLUE,), STEP),
    Case("OVER: the run has ended", (BLUE, START, canary("abort")), STEP),
    Case("ACTIVE: another run is on", (BLUE, START), canary("start", run="run-2")),
    Case("PAUSED: nothing rises while it is", (BLUE, START, canary("pause")), STEP),
    Case("CLOSED: nothing rises while new risk is stopped", (BLUE, START, halt("1")), STEP),
    Case("CLOSED: nothing rises while the side itself is active", (BLUE, START, switch("green", sid="switch-2")), STEP),
    Case(
        "CLOSED: nothing rises by itself while nobody asks the gates",
        (BLUE, START),
        canary("step", target="1", share="0.2", budget="40", source="agent"),
    ),
    Case("BADSTEP: two steps at once", (BLUE, START), canary("step", target="2")),
    Case("NOT_LAST: it ends after its last step", (BLUE, START), canary("finish")),
)


def book(act: str, *args: str) -> Call:
    """An entry of the process that shares rounds out."""
    return Call("book", (RUN, BOOK, TRACK), (act, *args))


TAKE: Final = book("take", "desk-1")
GIVE: Final = book("give", "1", "run-1", "1", "round-1", "canary 5", "ledger-1")

BOOKS: Final = (
    Case("OK: taken over", (), TAKE, (redis("HMGET", BOOK, "holder", "token", "taken"),)),
    Case(
        "OK: a stake is booked before it is played",
        (BLUE, START, TAKE),
        GIVE,
        (redis("HMGET", BOOK, "o:round-1", "ledger"),),
    ),
    Case(
        "OK: a turn",
        (BLUE, START, TAKE),
        book("turn", "1", "run-1", "1", "", "", "ledger-2"),
        (redis("HMGET", BOOK, "ledger"),),
    ),
    Case(
        "OK: what came back",
        (BLUE, START, TAKE, GIVE),
        book("end", "1", "run-1", "1", "round-1", "", "ledger-2"),
        (redis("HMGET", BOOK, "o:round-1", "ledger"),),
    ),
    Case(
        "OK: a report, with a point of its interval",
        (BLUE, START, TAKE),
        book("report", "1", "run-1", "1", "report-1", "point-1", "100", "state-1"),
        (redis("HMGET", BOOK, "report", "state"), redis("LRANGE", TRACK, "0", "-1")),
    ),
    Case(
        "MOVED: the recorded step is another by now",
        (BLUE, START, TAKE, STEP),
        GIVE,
        (redis("HEXISTS", BOOK, "o:round-1"),),
    ),
    Case("TAKEN: another process has taken over", (BLUE, START, TAKE, book("take", "desk-2")), GIVE),
)


def document(revision: str, text: str, most: str = "10", name: str = "entries") -> Call:
    """A document, compared and set."""
    return Call("document", (*SEVEN, AUDIT, PAPERS), (name, revision, text, "ann", "", "", text, most, "who", "ann"))


DOCUMENTS: Final = (
    Case("DONE: a first one", (BLUE,), document("0", "a"), (redis("HGET", PAPERS, "entries"), LAST_RECEIPT)),
    Case(
        "DONE: from the revision that was seen",
        (BLUE, document("0", "a")),
        document("1", "b"),
        (redis("HGET", PAPERS, "entries"),),
    ),
    Case(
        "CONFLICT: it is another by now",
        (BLUE, document("0", "a")),
        document("0", "b"),
        (redis("HGET", PAPERS, "entries"),),
    ),
    Case(
        "CONFLICT: since gates were asked, what is owed changed",
        (BLUE, document("0", "a")),
        document("1//9/0", "b"),
        (redis("HGET", PAPERS, "entries"),),
    ),
    Case("FULL: there are as many as may be", (BLUE, document("0", "a")), document("0", "b", "1", "exits")),
)


def receipt(*fields: str) -> Call:
    """An audit entry."""
    return Call("receipt", (*SEVEN, AUDIT), fields)


RECEIPTS: Final = (
    Case("the first of the chain", (BLUE,), receipt("verb", "snapshot", "who", "ann"), (LAST_RECEIPT, ctl("xn", "xh"))),
    Case(
        "the next is chained to it",
        (BLUE, receipt("verb", "snapshot")),
        receipt("verb", "export"),
        (redis("XRANGE", AUDIT, "-", "+"), ctl("xn", "xh")),
    ),
    Case("on a store without an authority", (), receipt("verb", "snapshot"), (ctl("xn", "xh"), redis("EXISTS", PLAIN))),
)

CASES: Final = (*LEASES, *CANARIES, *BOOKS, *DOCUMENTS, *RECEIPTS)
