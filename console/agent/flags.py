"""Flags as an agent reads them: typed, registered, from a local copy that knows how old it is.

A read is a dictionary lookup. The copy is renewed by the controller at each heartbeat, and at once when a control
event says that a flag was set. A missing flag reads as its registered default. One that can't be understood keeps the
value that it had, and is a problem that makes the instance *not ready*.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from console.domain.errors import UsageError
from console.domain.state.flags import UNREADABLE, FlagSpec, FlagType, FlagValue, parse_value, read_flag

_EMPTY: Final[Mapping[str, str]] = {}


class Flags:
    """The local copy of the registered flags.

    Args:
        specs: every flag that this agent reads; each needs a default, since a flag may be missing.
        stale_after_s: how old the copy may be; beyond it, the agent may only reduce risk.
    """

    def __init__(self, specs: Iterable[FlagSpec] = (), *, stale_after_s: float = 5.0) -> None:
        self.specs: dict[str, FlagSpec] = {spec.name: spec for spec in specs}
        self.stale_after_s = stale_after_s
        self._defaults: dict[str, FlagValue] = {}
        for spec in self.specs.values():
            if spec.default is None:
                raise UsageError(f"Flag {spec.name} has no default.", "A flag may be missing: say what it means then.")
            self._defaults[spec.name] = _value(spec, spec.default)
        self._values: dict[str, FlagValue] = dict(self._defaults)
        self._problems: dict[str, str] = {}
        self._read_at = float("-inf")

    def __getitem__(self, name: str) -> FlagValue:
        """The value of a registered flag: a bool, a Decimal or a string.

        Raises:
            KeyError: no flag of that name is registered.
        """
        return self._values[name]

    def on(self, name: str) -> bool:
        """A bool flag's value."""
        value = self._values[name]
        if not isinstance(value, bool):
            raise UsageError(f"Flag {name} is no bool.")
        return value

    def number(self, name: str) -> Decimal:
        """A number flag's value."""
        value = self._values[name]
        if not isinstance(value, Decimal):
            raise UsageError(f"Flag {name} is no number.")
        return value

    def text(self, name: str) -> str:
        """A string flag's value."""
        return str(self._values[name])

    @property
    def age_s(self) -> float:
        """How long ago the copy was read; infinite before the first time."""
        return time.monotonic() - self._read_at

    @property
    def stale(self) -> bool:
        """Whether the copy is older than it may be; an agent without flags is never stale."""
        return bool(self.specs) and self.age_s > self.stale_after_s

    @property
    def problems(self) -> Mapping[str, str]:
        """Flags whose text doesn't fit their registration, and why; they keep the value they had."""
        return self._problems

    def update(self, raw: Mapping[str, str | None], wrong_types: Mapping[str, str] = _EMPTY) -> tuple[str, ...]:
        """Take a fresh reading; the names whose value changed. A flag that can't be understood keeps its value, and as
        long as one can't be read at all the copy grows old.

        Args:
            raw: name → text, None where missing, for every registered flag.
            wrong_types: name → Redis type, where that is no string.
        """
        values, problems = {}, {}
        for name, spec in self.specs.items():
            reading = read_flag(name, raw.get(name), spec, wrong_types.get(name, ""))
            if reading.problem:
                problems[name] = str(reading.problem)
            text = raw.get(name)
            if reading.problem:
                values[name] = self._values[name]
            else:
                values[name] = self._defaults[name] if text is None else _value(spec, text)
        changed = tuple(name for name, value in values.items() if self._values[name] != value)
        self._values, self._problems = values, problems
        if UNREADABLE not in wrong_types.values():
            self._read_at = time.monotonic()
        return changed


def _value(spec: FlagSpec, text: str) -> FlagValue:
    return text if spec.type is FlagType.STRING else parse_value(text, spec.type)
