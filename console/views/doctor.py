"""What `agent-console doctor` says of the server that money will depend on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from console.domain.document import KEY, Report
from console.domain.fence.check import Check, Verdict, refusals

_GLYPHS: Final = {Verdict.OK: "✔", Verdict.WARN: "▲", Verdict.FAIL: "✖", Verdict.UNKNOWN: "?"}


@dataclass(frozen=True, slots=True)
class Examined:
    """One check.

    Args:
        verdict: `ok`, `warn`, `fail` or `unknown`.
        seen: what was found.
        risk: what could happen; empty where it is ok.
        remedy: what to do; empty where it is ok.
        promised_by: who promised it, where it could not be measured; empty where it was.
    """

    verdict: Verdict
    seen: str
    risk: str
    remedy: str
    promised_by: str


@dataclass(frozen=True, slots=True)
class DoctorReport(Report):
    """Whether money may depend on a server.

    Args:
        money_mode: whether it may.
        checks: what was looked at, by name.
        refused: the checks for which it may not.
    """

    money_mode: bool
    checks: Mapping[str, Examined]
    refused: tuple[str, ...] = field(metadata={KEY: ""})

    @classmethod
    def of(cls, checks: Sequence[Check]) -> DoctorReport:
        """The report of a server's checks."""
        refused = tuple(check.name for check in refusals(checks))
        examined = {
            check.name: Examined(check.verdict, check.seen, check.risk, check.remedy, check.promised_by)
            for check in checks
        }
        return cls(not refused, examined, refused)

    @property
    def well(self) -> bool:
        """Whether money may depend on it."""
        return self.money_mode

    def lines(self) -> Iterator[str]:
        for name, check in self.checks.items():
            yield f"{_GLYPHS[check.verdict]} {check.verdict.value:<8}{name:<16}{check.seen}"
            if check.risk:
                yield f"{'':10}what could happen: {check.risk}"
            if check.remedy:
                yield f"{'':10}what to do: {check.remedy}"
        yield f"money mode refuses: {', '.join(self.refused)}" if self.refused else "money mode may start"
