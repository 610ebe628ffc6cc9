"""The file that says what an upgrade asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from console.documents.model import model_of, record_of
from console.documents.reading import read
from console.domain.upgrade.run import UpgradePlan

UpgradeFile: Final[Any] = model_of(UpgradePlan)


def read_upgrade_file(path: Path) -> UpgradePlan:
    """Read a plan; a canary's plan file that it names lies beside it, unless its path is absolute.

    Raises:
        UsageError: it can't be read, or something in it is unknown or can't be followed.
    """
    plan: UpgradePlan = record_of(UpgradePlan, read(path, UpgradeFile))
    if not plan.canary:
        return plan
    from dataclasses import replace

    from console.documents.canary import read_plan_file

    canary = (path.parent / Path(plan.canary).expanduser()).resolve()
    read_plan_file(canary)
    return replace(plan, canary=str(canary))
