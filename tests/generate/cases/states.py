"""Cases of what an agent hands over: states that are kept, taken, put back and dropped."""

from __future__ import annotations

from typing import Final

from tests.generate.cases.language import BESIDE, BLUE, EPOCH, SEVEN, Arg, Call, Case, Of, halt, redis, switch

STATES: Final = BESIDE + "states"
PIECES: Final = BESIDE + "state-pieces"
USES: Final = BESIDE + "state-uses"
KEYS: Final = (*SEVEN, STATES, PIECES, USES)
ONE, TWO, THREE = (letter * 22 for letter in "ABC")
REST: Final = "1\n20\n1772366400.5\nhead:1\n2.4.0\n"


def state(act: str, who: str, slot: str = "blue", epoch: Arg = EPOCH, *args: Arg) -> Call:
    """A call of the script."""
    return Call("state", KEYS, (act, who, slot, epoch, *args))


def keep(
    *names: str,
    slot: str = "blue",
    epoch: Arg = EPOCH,
    act: str = "keep",
    root: str = "root-1",
    sent: tuple[str, ...] = (),
    kept: str = "20",
    most: str = "1000",
) -> Call:
    """A state of pieces with these names, of which some travel."""
    pairs = [part for name in sent for part in (name, f"piece {name[0]}")]
    return state(act, "worker-1", slot, epoch, "0", root, "".join(names), kept, most, REST, *pairs)


FIRST: Final = keep(ONE, TWO, sent=(ONE, TWO))
SECOND: Final = keep(ONE, THREE, root="root-2", sent=(THREE,))
GREEN: Final = switch("green", sid="switch-2", mode="now")
LIST: Final = redis("HMGET", STATES, "n", "o", "b", "h:1", "h:2", "t:1")
ALL_USES: Final = redis("HMGET", USES, ONE, TWO, THREE)
HELD: Final = redis("HMGET", PIECES, ONE, TWO, THREE)

CASES: Final = (
    Case("KEPT: the first", (BLUE,), FIRST, (LIST, HELD, ALL_USES)),
    Case("KEPT: only what changed travels", (BLUE, FIRST), SECOND, (LIST, HELD, ALL_USES)),
    Case(
        "KEPT: the oldest beyond what stays goes, with the pieces that no newer one has",
        (BLUE, FIRST),
        keep(ONE, THREE, root="root-2", sent=(THREE,), kept="1"),
        (LIST, HELD, ALL_USES),
    ),
    Case("AGAIN: the same content from the same tenure", (BLUE, FIRST), keep(ONE, TWO), (LIST,)),
    Case("MISSING: pieces that were not sent", (BLUE, FIRST), keep(ONE, THREE, root="root-2"), (LIST,)),
    Case("NOT_ACTIVE: the other side", (BLUE,), keep(ONE, slot="green", sent=(ONE,)), (LIST,)),
    Case("STALE: of a tenure that is over", (BLUE,), keep(ONE, epoch="1", sent=(ONE,)), (LIST,)),
    Case("FULL: more than all may have", (BLUE,), keep(ONE, sent=(ONE,), most="5"), (LIST,)),
    Case("NOINIT: there is no authority", (), keep(ONE, epoch="1", sent=(ONE,))),
    Case("BADARG: half a name", (BLUE,), keep("A" * 21, sent=(ONE,))),
    Case(
        "TAKEN: by the side that acts now",
        (BLUE, FIRST, GREEN),
        state("take", "worker-2", "green", Of(2, 1), "1"),
    ),
    Case(
        "BEFORE: another instance of it was quicker",
        (BLUE, FIRST, GREEN, state("take", "worker-2", "green", Of(2, 1), "1")),
        state("take", "worker-3", "green", Of(2, 1), "1"),
    ),
    Case(
        "UNTAKEN: what the other side left is taken over first",
        (BLUE, FIRST, GREEN),
        keep(ONE, slot="green", epoch=Of(2, 1), root="root-2"),
        (LIST,),
    ),
    Case(
        "KEPT: on top of what was taken over",
        (BLUE, FIRST, GREEN, state("take", "worker-2", "green", Of(2, 1), "1")),
        keep(ONE, slot="green", epoch=Of(2, 1), root="root-2"),
        (redis("HMGET", STATES, "n", "o", "h:2"),),
    ),
    Case("NONE: nothing was kept", (BLUE,), state("take", "worker-1", "blue", EPOCH, "")),
    Case("PRUNED: never the newest", (BLUE, FIRST, SECOND), state("prune", "ann", "", "0", "1 2"), (LIST, HELD)),
    Case("NOT_HALTED: nothing is put under an agent that acts", (BLUE,), keep(ONE, act="put", sent=(ONE,))),
    Case("KEPT: put back while halted", (BLUE, halt("3")), keep(ONE, act="put", sent=(ONE,)), (LIST,)),
)
