"""What lies behind a roll back: what stays done, what goes along, and why the earlier side may be no good to go to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from console.domain.fence.deployment import Slot
from console.domain.fence.last_good import LastGood, Runs, told
from console.domain.text import clean


class StateSchemas(NamedTuple):
    """The schema of the state beside what the earlier side reads.

    Args:
        number: of the newest state that the other side kept; 0 where it kept none, and only says its schema.
        kept: its schema.
        reads: the newest schema that a process of the earlier side reads; None where no process of it is known.
        refused: why no version of the earlier side can take that state over, by its manifest; empty where it can.
        migrates: whether its manifest says that it can.
    """

    number: int
    kept: int
    reads: int | None
    refused: str = ""
    migrates: bool = False

    @property
    def irreversible(self) -> bool:
        """Whether the earlier side can't read it. Where nobody of it is known, nobody can be held to that."""
        return bool(self.refused) or (not self.migrates and self.reads is not None and self.kept > self.reads)

    def told(self, target: Slot) -> str:
        """Why it can't, in words."""
        if self.refused:
            return self.refused
        what = f"the state {self.number} has" if self.number else f"{target.other.value} works with"
        return f"{what} schema {self.kept}, and {target.value} reads schema {self.reads}"


class Fitness(NamedTuple):
    """Whether a side is fit to be rolled back to: the one judgement of the verb, a run's abort, `undo` and a guard.

    Args:
        target: that side.
        doubts: keys of its own actions whose outcome nobody knows.
        state: the schemas; None where the other side neither kept a state nor says its schema.
        last: when it was last healthy and reconciled; None where nobody recorded that.
        runs: what runs there now; empty where nobody says.
        recorded: whether anybody ever recorded that of a side of this agent.
        beats: whether a process of it is known by its heartbeats.
        bound: whether the side that acts obeys a freeze: a plain agent, of which no process ever beat, does not.
    """

    target: Slot
    doubts: tuple[str, ...] = ()
    state: StateSchemas | None = None
    last: LastGood | None = None
    runs: tuple[Runs, ...] = ()
    recorded: bool = False
    beats: bool = False
    bound: bool = True

    @property
    def good(self) -> bool:
        """Whether nothing speaks against it: reconciled, and able to read the state."""
        return not self.obstacle

    @property
    def obstacle(self) -> str:
        """What speaks against it, every reason; empty for nothing. Only a `switch` goes over it."""
        why = []
        if self.state is not None and self.state.irreversible:
            why.append(self.state.told(self.target))
        if self.doubts:
            first = ", ".join(clean(key, 40) for key in self.doubts[:3])
            more = f" and {len(self.doubts) - 3} more" if len(self.doubts) > 3 else ""
            why.append(f"{self.target.value} left {_count(len(self.doubts), 'action')} in doubt: {first}{more}")
        return "; ".join(why)

    @property
    def unproved(self) -> str:
        """Why nothing speaks for it, although somebody records when a side was well; empty where something does. A
        guard goes by it, a person may go over it."""
        side = self.target.value
        if self.last is None:
            return f"no record says that {side} was ever healthy and reconciled"
        other = [one for one in self.runs if one not in self.last.runs]
        if other:
            return f"{side} runs {told(other)}; healthy and reconciled was {self.last.told()}"
        return ""

    @property
    def speaks_for_it(self) -> str:
        """Since when it was healthy and reconciled; or that nobody could know."""
        if self.last is not None and not self.unproved:
            return f"{self.target.value} was healthy and reconciled as {self.last.told()}"
        if not self.recorded:
            return f"whether {self.target.value} was ever healthy and reconciled is not checked: nobody recorded it"
        return ""

    def frozen_by(self, *, strict: bool) -> str:
        """Why a roll back freezes instead; empty where it goes there.

        Args:
            strict: whether somebody is there who records when a side was well (a guard does), so that no record is one
                against it. Else that nobody ever recorded anything says nothing.
        """
        doubtful = self.unproved if strict or self.recorded else ""
        return "; ".join(text for text in (self.obstacle, doubtful) if text)


class Behind(NamedTuple):
    """What a roll back to a side would leave and find.

    Args:
        fitness: of that side.
        done: actions that were executed since the other side acts; they stay done.
        done_whole: whether that is all of them, not the newest alone.
        opened: kind → commitments that the other side opened since then; they stay, whoever owns them.
        goes_along: commitments that become the target's.
    """

    fitness: Fitness
    done: int = 0
    done_whole: bool = True
    opened: Mapping[str, int] = {}
    goes_along: int = 0

    @property
    def target(self) -> Slot:
        """That side."""
        return self.fitness.target

    @property
    def stays(self) -> str:
        """What stays done: `3 actions, 1 escrow stay done; 2 commitments go to blue`; empty for nothing."""
        least = "" if self.done_whole else "at least "
        done = [least + _count(self.done, "action")] if self.done else []
        done += [_count(number, kind) for kind, number in sorted(self.opened.items())]
        one = self.done + sum(self.opened.values()) == 1
        parts = [f"{', '.join(done)} {'stays' if one else 'stay'} done"] if done else []
        if self.goes_along:
            goes = "goes" if self.goes_along == 1 else "go"
            parts.append(f"{_count(self.goes_along, 'commitment')} {goes} to {self.target.value}")
        return "; ".join(parts)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
