"""Migrations between schema versions of a state: plain functions of the author, put in a row by themselves."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from console.domain.errors import ConsoleError, Refused, UsageError
from console.domain.state.document import from_document, to_document
from console.domain.state.state import State
from console.domain.text import clean

Function = Callable[[dict[str, Any]], Any]
F = TypeVar("F", bound=Function)
_MARK: Final = "__agent_console_migration__"


class Migration(NamedTuple):
    """One step between two schema versions.

    Args:
        before, after: the versions.
        function: takes the document of a state, as `agent-console snapshot show` shows it, and returns the new one;
            `schema` is set for it.
        drops: what it leaves out on purpose: dotted names, like `extra.old`.
        irreversible: whether what it leaves out can't be got back: after it nobody rolls back across it.
    """

    before: int
    after: int
    function: Function
    drops: tuple[str, ...] = ()
    irreversible: bool = False

    @property
    def name(self) -> str:
        """Of its function, with the versions."""
        return f"{getattr(self.function, '__qualname__', 'a function')} ({self.before} → {self.after})"


_registered: dict[tuple[int, int], Migration] = {}


def migration(before: int, after: int, *, drops: Sequence[str] = (), irreversible: bool = False) -> Callable[[F], F]:
    """Declare a function as the step from one schema version to another; the way back is a step of its own.

        @migration(1, 2)
        def to_2(state):
            state["extra"]["risk"] = {"limit": state["extra"].pop("limit")}
            return state

    Args:
        before, after: the versions.
        drops: what it leaves out on purpose: dotted names. What else gets lost fails `state migrate --check`.
        irreversible: whether there is no way back.

    Raises:
        UsageError: the versions mean nothing.
    """
    for version in (before, after):
        if type(version) is not int or version < 0:
            raise UsageError(f"A schema version is a whole number from 0 on, not {version!r:.40}.")
    if before == after:
        raise UsageError(f"A migration leads to another version than {before}.")
    if isinstance(drops, str):
        raise UsageError("drops is a list of names.")

    def mark(function: F) -> F:
        step = Migration(before, after, function, tuple(drops), irreversible)
        setattr(function, _MARK, step)
        other = _registered.get((before, after))
        if other is not None and (other.function.__module__, other.name) != (function.__module__, step.name):
            raise UsageError(f"{step.name} is declared twice: {other.function.__module__} has {other.name}.")
        _registered[before, after] = step
        return function

    return mark


def declared_in(namespace: Mapping[str, Any]) -> tuple[Migration, ...]:
    """The migrations among the names of a module.

    Raises:
        UsageError: there are two for the same step.
    """
    steps: dict[tuple[int, int], Migration] = {}
    for value in namespace.values():
        step = getattr(value, _MARK, None)
        if isinstance(step, Migration):
            if (step.before, step.after) in steps and steps[step.before, step.after] != step:
                raise UsageError(f"{step.name} is declared twice.")
            steps[step.before, step.after] = step
    return tuple(steps.values())


def registered() -> tuple[Migration, ...]:
    """Every migration that this process has declared."""
    return tuple(_registered.values())


def chain(steps: Iterable[Migration], before: int, after: int) -> tuple[Migration, ...]:
    """The shortest row of steps from one version to another.

    Raises:
        Refused: there is none; the text says how far the steps lead.
    """
    if before == after:
        return ()
    leads: dict[int, list[Migration]] = {}
    for step in steps:
        leads.setdefault(step.before, []).append(step)
    ways: dict[int, tuple[Migration, ...]] = {before: ()}
    waiting = deque([before])
    while waiting:
        at = waiting.popleft()
        for step in leads.get(at, ()):
            if step.after not in ways:
                ways[step.after] = (*ways[at], step)
                waiting.append(step.after)
    if after in ways:
        return ways[after]
    kind = "newer" if before > after else "older"
    reached = ", ".join(str(version) for version in sorted(ways) if version != before)
    raise Refused(
        f"The state has the {kind} schema {before}; this version reads {after}, and no migration leads there"
        + (f" (from {before} they lead to {reached})." if reached else "."),
        f"Declare @migration({before}, …), or let a version take over that reads schema {before}.",
    )


class Migrated(NamedTuple):
    """A state after its migrations.

    Args:
        state: in the wanted schema.
        steps: what was done, in order.
    """

    state: State
    steps: tuple[Migration, ...]

    @property
    def irreversible(self) -> bool:
        """Whether a step was taken that has no way back."""
        return any(step.irreversible for step in self.steps)


def migrate(state: State, after: int, steps: Iterable[Migration] | None = None) -> Migrated:
    """A state in another schema.

    Args:
        state: as it was kept.
        after: the schema that is wanted.
        steps: the migrations; None for all that were declared.

    Raises:
        Refused: no migrations lead there, or one fails, or makes no state; the text names it and the field.
    """
    row = chain(registered() if steps is None else steps, state.schema, after)
    for step in row:
        state = from_document(apply(step, to_document(state)), f"What {step.name} made")
    return Migrated(state, row)


def apply(step: Migration, document: Mapping[str, Any]) -> dict[str, Any]:
    """The document that a step makes of another, which it gets to keep.

    Raises:
        Refused: the function failed, or returned no document.
    """
    try:
        made = step.function(copy.deepcopy(dict(document)))
    except ConsoleError as error:
        raise Refused(f"{step.name} refused the state: {error.message}", error.hint) from error
    except Exception as error:
        missing = f"the state has no {error}" if isinstance(error, KeyError) else clean(error, 200)
        raise Refused(f"{step.name} failed: {type(error).__name__}: {missing}.") from error
    if not isinstance(made, dict):
        raise Refused(f"{step.name} returned a {type(made).__name__}, not the document.", "Return the state.")
    return made | {"schema": step.after}
