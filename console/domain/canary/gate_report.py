"""What those say of the gates who ask them while nobody attends a canary: a guard, or whoever walks an upgrade.

A desk in an agent can't ask: it has neither the operator's settings nor the time. It goes by what others report, and
the store's own script lets it take a step up only on a report that is fresh and names nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from console.domain.lately import lately
from console.domain.text import Safe

FRESH_S: Final = 5.0
"""An older report lets nothing rise; canary.lua says the same."""
NOBODY: Final = "nobody asks the gates: run `agent-console guard`"


class GateReport(NamedTuple):
    """The gates in front of a canary's next step up, as one process saw them.

    Args:
        by: who asked.
        run: the canary's run that it was about.
        at: when it was begun to ask, by the store's clock.
        closed: gates that are closed, and that nobody went over in this run: its capital goes back.
        held: gates that let nothing rise, and take nothing back: unknown for a moment, required and not checked, or
            closed when an operator went over them.
    """

    by: Safe
    run: Safe
    at: datetime
    closed: tuple[str, ...] = ()
    held: tuple[str, ...] = ()

    def fresh(self, now: datetime) -> bool:
        """Whether it may let something rise."""
        return lately(self.at, now, FRESH_S)


def let_nothing_rise(reports: Iterable[GateReport], run: str, now: datetime) -> tuple[str, ...]:
    """What keeps a run's capital from rising by itself; empty where everybody who asked lately was let through."""
    lately = [one for one in reports if one.run == run and one.fresh(now)]
    if not lately:
        return (NOBODY,)
    return tuple(sorted({name for one in lately for name in (*one.closed, *one.held)}))


def take_back(reports: Iterable[GateReport], run: str, since: datetime) -> tuple[str, ...]:
    """Gates that closed while a run's capital is out; what was seen in this very step does not age.

    Args:
        reports: of everybody.
        run: the run's name.
        since: when its step began.
    """
    return tuple(sorted({name for one in reports if one.run == run and one.at >= since for name in one.closed}))
