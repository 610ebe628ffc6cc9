"""What lies behind a roll back: what stays done, what goes along, and why the earlier side may be no good to go to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from console.domain.fence.deployment import Slot
from console.domain.text import clean


class StateSchemas(NamedTuple):
    """The schema in which the state was kept last, beside what the earlier side reads.

    Args:
        number: of the kept state.
        kept: its schema.
        reads: the newest schema that a process of the earlier side reads; None where no process of it is known.
    """

    number: int
    kept: int
    reads: int | None

    @property
    def irreversible(self) -> bool:
        """Whether the earlier side can't read it. Where nobody of it is known, nobody can be held to that."""
        return self.reads is not None and self.kept > self.reads


class Behind(NamedTuple):
    """What a roll back to a side would leave and find.

    Args:
        target: that side.
        done: actions that were executed since the other side acts; they stay done.
        done_whole: whether that is all of them, not the newest alone.
        opened: kind → commitments that the other side opened since then; they stay, whoever owns them.
        goes_along: commitments that become the target's.
        doubts: keys of the target's own actions whose outcome nobody knows.
        state: the schemas; None where no state was kept by the other side.
    """

    target: Slot
    done: int = 0
    done_whole: bool = True
    opened: Mapping[str, int] = {}
    goes_along: int = 0
    doubts: tuple[str, ...] = ()
    state: StateSchemas | None = None

    @property
    def reconciled(self) -> bool:
        """Whether the target left nothing of which nobody knows how it ended."""
        return not self.doubts

    @property
    def good(self) -> bool:
        """Whether the target may be put in charge: reconciled, and able to read the state."""
        return self.reconciled and not (self.state is not None and self.state.irreversible)

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

    @property
    def obstacle(self) -> str:
        """Why the target is no good to go to, every reason; empty where it is."""
        why = []
        if self.state is not None and self.state.irreversible:
            why.append(
                f"the state {self.state.number} has schema {self.state.kept}, and {self.target.value} reads schema"
                f" {self.state.reads}"
            )
        if self.doubts:
            first = ", ".join(clean(key, 40) for key in self.doubts[:3])
            more = f" and {len(self.doubts) - 3} more" if len(self.doubts) > 3 else ""
            why.append(f"{self.target.value} left {_count(len(self.doubts), 'action')} in doubt: {first}{more}")
        return "; ".join(why)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
