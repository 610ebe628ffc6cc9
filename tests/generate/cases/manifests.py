"""Cases of beat and switch: what a version is held to, another manifest, and who accepts it."""

from __future__ import annotations

from typing import Final

from tests.generate.cases.language import AUDIT, BESIDE, BLUE, Call, Case, beat, ctl, halt, redis, switch
from tests.generate.cases.memory import LAST_EVENT

HELD: Final = redis("HGET", BESIDE + "manifests", "=2.4.0")
OTHER: Final = redis("HGET", BESIDE + "manifests", "~2.4.0")
OLD: Final = "a" * 64 + "\ncode " + "c" * 64 + " \nprompt " + "1" * 64 + " "
NEW: Final = "b" * 64 + "\ncode " + "c" * 64 + " \nprompt " + "2" * 64 + " "


def declares(manifest: str, instance: str = "worker-1") -> Call:
    """A heartbeat of version 2.4.0 with a manifest."""
    plain = beat(instance, more=',"version":"2.4.0"')
    return plain._replace(args=(*plain.args, manifest))


CASES: Final = (
    Case(
        "OK: the first manifest of a version is the one that it is held to",
        (BLUE,),
        declares(OLD),
        (HELD, OTHER, ctl("lvl")),
    ),
    Case("OK: a version that declares none is held to none", (BLUE,), declares(""), (HELD, OTHER, ctl("lvl"))),
    Case(
        "OK: another manifest of the same version stops new entries, in the same step",
        (BLUE, declares(OLD)),
        declares(NEW),
        (HELD, OTHER, ctl("lvl", "ph", "act"), LAST_EVENT),
    ),
    Case(
        "OK: it is told once, however often it beats",
        (BLUE, declares(OLD), declares(NEW), ctl("ln")),
        declares(NEW, "worker-2"),
        (ctl("lvl"), redis("XLEN", BESIDE + "log")),
    ),
    Case(
        "OK: one that declares none any more is another",
        (BLUE, declares(OLD)),
        declares("", "worker-2"),
        (HELD, OTHER, ctl("lvl")),
    ),
    Case(
        "RESUMED: who lifts the freeze accepts the manifest that runs",
        (BLUE, declares(OLD), declares(NEW)),
        switch("blue", "id", "r-1", "what", "allowed", resume="1", why="meant", sid="switch-2"),
        (HELD, OTHER, ctl("lvl"), LAST_EVENT, redis("XREVRANGE", AUDIT, "+", "-")),
    ),
    Case(
        "SWITCHED: who ends a halt accepts the manifest that runs",
        (BLUE, declares(OLD), halt(), declares(NEW)),
        switch("blue", "id", "r-1", "what", "active version", resume="1", why="meant", sid="switch-2"),
        (HELD, OTHER, ctl("lvl"), LAST_EVENT, redis("XREVRANGE", AUDIT, "+", "-")),
    ),
)
