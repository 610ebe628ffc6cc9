"""The file that a canary is started from: the plan, and whose capital it moves (`docs/examples/canary.toml`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field, StrictStr

from console.documents.model import Amount, model_of, plain_text, record_of
from console.documents.reading import read
from console.domain.canary.plan import Plan, misfit
from console.domain.errors import UsageError
from console.domain.statistics.evidence import digest_of

Currency: TypeAlias = Annotated[StrictStr, plain_text(16)]
Capital = Annotated[Amount, Field(gt=0)]


@dataclass(frozen=True, slots=True)
class PlanFile:
    """What a plan file says.

    Args:
        slot: whose version is the canary.
        capital: that both versions share; above 0, in `currency`.
        currency: of the capital and of every loss budget.
        plan: the ladder.
    """

    slot: str
    capital: Decimal
    currency: str
    plan: Plan

    @property
    def digest(self) -> str:
        """SHA-256 of all that it says: whoever begins by it later begins what was looked at."""
        return digest_of(asdict(self))


CanaryFile: Final[Any] = model_of(
    Plan,
    canary=(Literal["blue", "green"], Field(description="the slot whose version is proven")),
    capital=(Capital, Field(description="that both versions share")),
    currency=(Currency, Field(description="of the capital and of every loss budget")),
)


def read_plan_file(path: Path) -> PlanFile:
    """Read a plan file.

    Raises:
        UsageError: it can't be read, or something in it is missing, unknown, or can't be followed.
    """
    file = read(path, CanaryFile)
    plan = record_of(Plan, file)
    if wrong := misfit(plan):
        raise UsageError(wrong, 'Use form = "adjusted", or a single share between 0 and 1.')
    return PlanFile(file.canary, file.capital, file.currency, plan)
