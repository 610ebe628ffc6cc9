"""The desk of a trader that acts: it splits its capital between both versions, and writes down who was given what.

Each round has one name, whoever ends it: one that was open when its process died is ended by the next that acts.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from console.agent import CanaryDesk
from console.domain.canary.routing import Assignment
from console.domain.errors import Refused

GIVEN: Final = "given"
"""The file of rounds: name, revision, step, the canary's stake, the stable version's. A line when it is given out, and
one when it ends."""
ROUNDS: Final = 5
"""Between two orders."""
STAKE: Final = Decimal(1)
LADDER: Final = ("0.20", "0.50", "1")
"""A canary's shares, step by step."""
SETTINGS: Final = """\
capital = "1000"
currency = "USD"
automatic = true
interval_s = 0.05

[settings]
margin = 5.0
sigma = 1.0
lowest = -1.0
highest = 9.0
due_rounds = 200
min_blocks = 2
"""
"""A canary's plan, but for whose it is, and its steps."""


def step(share: str, budget: int = 900, rounds: int = 5) -> str:
    """A step of a canary's plan that waits for nothing but its rounds."""
    return f'\n[[steps]]\nshare = "{share}"\nloss_budget = "{budget}"\nmin_rounds = {rounds}\nmin_dwell_s = 0\n'


PLAN: Final = SETTINGS + "".join(map(step, LADDER))
"""A canary's plan, but for whose it is."""


class Split:
    """Shares out while its process acts, with a desk of its own each time that it does.

    Args:
        url: of the store.
        name: of the process.
        dice: what rounds bring.
        note: writes a line into a file, whole or not at all.
    """

    def __init__(self, url: str, name: str, dice: random.Random, note: Callable[[str, str], None]) -> None:
        self._url, self._name, self._dice, self._note = url, name, dice, note
        self._desk: CanaryDesk | None = None
        self._desks = self._number = 0

    def play(self) -> None:
        """A few rounds; those that were left open are ended first.

        Raises:
            ConsoleError: the store is away, or another process shares out by now.
        """
        desk = self._desk = self._desk or self._opened()
        try:
            self.end_all()
            for _ in range(ROUNDS):
                self._number += 1
                given = desk.assign(f"{self._name}-{self._number}", STAKE)
                self._told(given)
                won = Decimal(str(round(self._dice.uniform(-0.48, 0.52), 4)))
                mine, theirs = (won, Decimal(0)) if given.to_canary else (Decimal(0), won)
                self._told(desk.settle(given.round_id, canary_pnl=mine, stable_pnl=theirs))
        except Refused:  # another one has taken over: if this process acts again, it begins anew
            self.stop()
            raise

    def end_all(self) -> None:
        """End what is open; what it brought nobody knows any more."""
        if self._desk is not None:
            for round_id in self._desk.open_rounds:
                self._told(self._desk.settle(round_id))

    def stop(self) -> None:
        """Another one acts: nothing is shared out here."""
        if self._desk is not None:
            self.end_all()
            self._desk.stop()
            self._desk = None

    def _opened(self) -> CanaryDesk:
        self._desks += 1
        holder = f"{self._name}-{self._desks}"
        desk = CanaryDesk(self._url, cap=Decimal(1000), currency="USD", holder=holder, report_s=0.1)
        desk.start()
        return desk

    def _told(self, given: Assignment) -> None:
        at = given.position
        self._note(GIVEN, f"{given.round_id} {at.revision} {at.step} {given.canary} {given.stable}")
