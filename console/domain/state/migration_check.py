"""Whether an author's migrations lose nothing silently: tried on states that were really kept."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.errors import Refused
from console.domain.state import values
from console.domain.state.document import from_document, to_document
from console.domain.state.migration import Migration, apply, chain
from console.domain.state.secrets import refuse_secrets
from console.domain.state.state import PLAIN_FIELDS, State
from console.domain.text import clean


@dataclass(frozen=True, slots=True)
class StepCheck:
    """One migration, tried on one state.

    Args:
        step: the function, with its versions.
        state: of which state.
        dropped: fields that the result lacks.
        undeclared: of those, what no way back brings again and the migration does not declare.
        round_trip: whether the way back gave the same state; None where there is no way back.
        irreversible: whether the migration says that there is none.
        problem: why it fails; empty where it holds.
    """

    step: str
    state: str
    dropped: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()
    round_trip: bool | None = None
    irreversible: bool = False
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether it holds."""
        return not self.problem


def check(states: Mapping[str, State], steps: Iterable[Migration]) -> tuple[StepCheck, ...]:
    """Try every migration on every state that leads to it, the ways back too.

    Args:
        states: name → state, for errors and for the result.
        steps: the author's.
    """
    known = tuple(steps)
    return tuple(result for name, state in states.items() for result in _tried(name, state, known))


def _tried(name: str, state: State, steps: tuple[Migration, ...]) -> Iterator[StepCheck]:
    reached = False
    for step in steps:
        try:
            document = to_document(state)
            for before in chain(steps, state.schema, step.before):
                document = to_document(from_document(apply(before, document), f"What {before.name} made"))
        except Refused:
            continue  # this one does not lead from that state; a step that fails is told where it is tried itself
        reached = True
        yield _check_one(name, document, step, steps)
    if not reached:
        yield StepCheck(
            "none", name, problem=f"no migration leads from its schema {state.schema}; it was not tried on any"
        )


def _check_one(name: str, document: dict[str, Any], step: Migration, steps: tuple[Migration, ...]) -> StepCheck:
    try:
        made, problem = _twice(step, document)
        after = to_document(from_document(made, f"what {step.name} made"))
        refuse_secrets(after)
        dropped = tuple(sorted(_own(document) - _own(after)))
        back = next((one for one in steps if (one.before, one.after) == (step.after, step.before)), None)
        lost, round_trip = set(dropped), None
        if back is not None:
            again = to_document(from_document(apply(back, after), f"what {back.name} made"))
            lost = {path for path, value in _leaves(document) if dict(_leaves(again)).get(path, _GONE) != value}
            lost = {path for path in lost if not _is_derived(path)}
            round_trip = not lost
    except Refused as error:
        return StepCheck(step.name, name, problem=error.message, irreversible=step.irreversible)
    undeclared = tuple(sorted(path for path in lost if not _declared(path, step.drops)))
    if not problem and undeclared:
        where = "does not come back" if back is not None else "is dropped and has no way back"
        problem = f"{', '.join(undeclared[:8])} {where}, and is not declared (drops=…)"
    if not problem and step.irreversible and back is not None:
        problem = f"it is declared irreversible, and {back.name} leads back"
    return StepCheck(step.name, name, dropped, undeclared, round_trip, step.irreversible, problem)


_GONE = object()


def _twice(step: Migration, document: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What a step makes, and what is wrong with how: it must make the same of the same."""
    state = random.getstate()
    try:
        random.seed(1)
        made = apply(step, copy.deepcopy(document))
        random.seed(2)
        again = apply(step, copy.deepcopy(document))
    finally:
        random.setstate(state)
    try:
        same = values.dump(made) == values.dump(again)
    except (ValueError, TypeError) as error:
        raise Refused(f"what {step.name} made is no JSON: {clean(error, 200)}") from error
    return made, "" if same else "it makes two different states of the same one: it must read no clock and draw no lots"


def _leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted name → value; an item of a list has its number."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{at}.{name}" if at else str(name))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{at}[{index}]")
    elif at not in ("schema", "") and value is not None:
        yield at, (type(value) is bool, value)


def _is_derived(path: str) -> bool:
    return path.partition(".")[0].partition("[")[0] in PLAIN_FIELDS


def _own(document: Mapping[str, Any]) -> set[str]:
    return {path for path, _ in _leaves(document) if not _is_derived(path)}


def _declared(path: str, drops: tuple[str, ...]) -> bool:
    return any(path == drop or path.startswith((f"{drop}.", f"{drop}[")) for drop in drops)
