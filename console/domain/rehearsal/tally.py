"""Counting round by round, in bounded memory: what differs from the record, what differs from itself, what it costs.

Which fields count can only be told at the end, when it is known how noisy each is. So rounds are counted by the set of
fields that differ in them, and the first round of each field is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from console.domain.rehearsal.answer import Answer
from console.domain.rehearsal.chance import beyond_noise
from console.domain.rehearsal.compared import Compared, FieldDifference, FirstDifference, Recorded, Rounds
from console.domain.rehearsal.money import Paths, is_stated, without
from console.domain.shadow.compare import MAX_DEPTH, Comparison, Kind, Mismatch, Raised, Rules, compare
from console.domain.shadow.rates import MAX_PATHS, OTHER, field_of
from console.domain.text import Safe, clean

MAX_SETS: Final = 2000
"""Beyond so many different sets of fields, a round counts as differing whatever its fields are."""
SHOWN: Final = 400
MISMATCHES_SHOWN: Final = 5
_ALWAYS: Final = frozenset({Kind.RAISED, Kind.TOO_LARGE})
"""Kinds that no noise explains: it failed to decide, or what it decided was not compared."""
_OVERFLOW: Final = frozenset({(OTHER, Kind.TOO_LARGE)})

Field = tuple[Safe, Kind]


@dataclass(slots=True)
class _Count:
    rounds: int = 0
    noise: int = 0
    apart: int = 0
    unsteady: int = 0
    money: bool = False
    first: FirstDifference | None = None


class Tally:
    """Takes in rounds.

    Args:
        rules: what may differ.
        paths: where outcomes lie, which the recorded version knew and the rehearsed one can't.
    """

    def __init__(self, rules: Rules, paths: Paths) -> None:
        self._rules = rules
        self._paths = paths
        self._rounds = self._unsteady = 0
        self._runs = 1
        self._counts: dict[Field, _Count] = {}
        self._sets: dict[frozenset[Field], Rounds] = {}
        self._currencies: set[str] = set()
        # where an output's outcome lies; a field that moves money is a decision, whatever else it is
        self._outcome = [path for path in paths if path.startswith("output.") and not rules.moves_money(path)]

    def add(self, recorded: Recorded, answers: Sequence[Answer]) -> None:
        """One round, with the answer of every run."""
        self._runs = len(answers)
        first, *others = answers
        found = self._from_record(recorded, first)
        if not found.mismatches and found.matched + found.tolerated < 2:
            return  # but for its type, all of it is ignored: a round of which nothing was compared proves nothing
        self._rounds += 1
        differs = self._fields(found.mismatches)
        noise = [self._between(recorded, first, other) for other in others]
        self._unsteady += any(noise)
        second: Mapping[Field, Mismatch] = noise[0] if noise else {}
        for key in differs:
            self._counts[key].rounds += 1
            self._counts[key].apart += key not in second
        for run, own in enumerate(noise):
            for key in own:
                self._counts[key].noise += 1
                self._counts[key].unsteady += run == 0 and key not in differs
        alone = {key: one for key, one in differs.items() if key not in second or one.money}
        by = first
        for other in others:  # of what moves money, each run stands for itself
            money = {
                key: one
                for key, one in self._fields(self._from_record(recorded, other).mismatches).items()
                if one.money
            }
            by = other if money and not alone else by
            alone = {**money, **alone}
        if alone:
            self._differ(recorded, by, alone)

    def end(self) -> Compared:
        """What there was."""
        fields = {key: self._field(key, count) for key, count in self._counts.items()}
        counting = {key for key, one in fields.items() if one.counts} | _OVERFLOW
        total = Rounds()
        for keys, rounds in self._sets.items():
            if not keys.isdisjoint(counting):
                total.take_in(rounds)
        firsts = [count.first for key, count in self._counts.items() if key in counting and count.first is not None]
        order = sorted(fields.values(), key=lambda one: (not one.counts, not one.money, -one.rounds, one.path))
        return Compared(
            rounds=self._rounds,
            differing=total.rounds,
            unsteady=self._unsteady,
            fields=tuple(order),
            priced=total.priced(),
            unpriced=total.unpriced,
            earned=total.earned.by_currency,
            first=min(firsts, key=lambda one: one.round, default=None),
        )

    def _from_record(self, recorded: Recorded, answer: Answer) -> Comparison:
        """How an answer differs from the record; what only the record can know is left out."""
        hidden = [path for path in self._outcome if path == self._paths.pnl or not is_stated(answer.document, path)]
        was = _decided(recorded.document, recorded.kind, hidden)
        return compare(was, self._answered(recorded, answer, hidden), self._rules)

    def _between(self, recorded: Recorded, one: Answer, other: Answer) -> Mapping[Field, Mismatch]:
        """How two runs differ from each other; what each says that it would earn is no part of it."""
        hidden = [path for path in self._outcome if path == self._paths.pnl]
        left, right = self._answered(recorded, one, hidden), self._answered(recorded, other, hidden)
        return self._fields(compare(left, right, self._rules).mismatches)

    def _answered(self, recorded: Recorded, answer: Answer, hidden: Sequence[str]) -> Mapping[str, object]:
        kind = recorded.kind if answer.kind is None else answer.kind
        return _decided({**answer.document, "output": answer.output}, kind, hidden)

    def _fields(self, mismatches: Sequence[Mismatch]) -> Mapping[Field, Mismatch]:
        """Mismatches by field, each field with a count; beyond the bound they are one."""
        fields: dict[Field, Mismatch] = {}
        for mismatch in mismatches:
            key = field_of(mismatch)
            if key not in self._counts and len(self._counts) >= MAX_PATHS:
                key = (OTHER, mismatch.kind)
            count = self._counts.setdefault(key, _Count())
            count.money = count.money or mismatch.money
            fields.setdefault(key, mismatch)
        return fields

    def _differ(self, recorded: Recorded, by: Answer, alone: Mapping[Field, Mismatch]) -> None:
        """A round that differs, in fields on which the runs agree or that move money."""
        keys = frozenset(alone)
        if keys not in self._sets and len(self._sets) >= MAX_SETS:
            keys = _OVERFLOW
            self._counts.setdefault((OTHER, Kind.TOO_LARGE), _Count())
        rounds = self._sets.setdefault(keys, Rounds())
        rounds.add(recorded.price, by.price, self._currencies)
        fresh = [count for key in {*alone, *keys} if (count := self._counts[key]).first is None]
        if fresh:
            first = _first(recorded, by, tuple(alone.values()))
            for count in fresh:
                count.first = first

    def _field(self, key: Field, count: _Count) -> FieldDifference:
        path, kind = key
        always = count.money or kind in _ALWAYS
        counts = always or (count.rounds > 0 and not count.noise) or beyond_noise(count.apart, count.unsteady)
        noise = count.noise if self._runs > 1 else None
        return FieldDifference(path, kind, count.rounds, noise, count.money, counts)


def _decided(document: Mapping[str, object], kind: str, hidden: Sequence[str]) -> Mapping[str, object]:
    """What is compared of a document: its type and its output."""
    whole: Mapping[str, object] = {"decision_type": kind, "output": document.get("output")}
    for path in hidden:
        whole = without(whole, path)
    return whole


def _first(recorded: Recorded, by: Answer, mismatches: Sequence[Mismatch]) -> FirstDifference:
    ordered = sorted(mismatches, key=lambda one: not one.money)
    return FirstDifference(
        round=recorded.number,
        at=recorded.at,
        decision_type=clean(recorded.kind, 64),
        version=clean(recorded.version, 64),
        recorded=_text(recorded.document.get("output")),
        rehearsed=_text(by.output),
        fields=tuple(
            clean(f"{one.path} ({one.kind.value}): {one.live or '-'} -> {one.shadow or '-'}", SHOWN)
            for one in ordered[:MISMATCHES_SHOWN]
        ),
    )


def _text(output: object) -> Safe:
    """An output on one safe line, its numbers with the digits that they have."""
    return clean(f"raised {output.error}" if isinstance(output, Raised) else "".join(_shown(output, SHOWN, 0)), SHOWN)


def _shown(value: object, left: int, depth: int) -> Iterator[str]:
    """A value nearly as JSON, at most about so many characters of it."""
    if isinstance(value, Mapping | list | tuple) and depth < MAX_DEPTH:
        opens, closes = "{}" if isinstance(value, Mapping) else "[]"
        yield opens
        between = ""
        for item in value:
            if left <= 0:
                break
            name = f"{json.dumps(str(item)[:SHOWN])}: " if isinstance(value, Mapping) else ""
            text = "".join(_shown(value[item] if isinstance(value, Mapping) else item, left, depth + 1))
            yield f"{between}{name}{text}"
            between, left = ", ", left - len(name) - len(text) - 2
        yield closes
    elif isinstance(value, str):
        yield json.dumps(value[:SHOWN], ensure_ascii=False)
    else:
        yield json.dumps(value) if value is None or isinstance(value, bool) else str(value)
