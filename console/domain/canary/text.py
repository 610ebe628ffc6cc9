"""A canary's plan as plain JSON values, and back: what the store keeps, what `--json` shows.

Reading is strict: a plan decides how much money is at risk.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from console.domain.canary.plan import Plan
from console.domain.document import record_from
from console.domain.errors import UsageError
from console.domain.statistics.evidence import Settings
from console.domain.text import clean

MAX_BYTES: Final = 65_536


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as plain JSON values; amounts and shares are exact texts."""
    document: dict[str, Any] = asdict(plan)
    document["steps"] = [
        {**step, "share": str(step["share"]), "loss_budget": str(step["loss_budget"])} for step in document["steps"]
    ]
    document["mode"] = plan.mode.value
    document["settings"] = settings_document(plan.settings)
    return document


def settings_document(settings: Settings) -> dict[str, Any]:
    """The settings of a judge as plain JSON values."""
    return {**asdict(settings), "form": settings.form.value, "metrics": list(settings.metrics)}


def plan_text(plan: Plan) -> str:
    """The plan in one line of JSON."""
    return json.dumps(plan_document(plan), separators=(",", ":"), sort_keys=True)


def read_plan(text: str) -> Plan:
    """The plan in a text of JSON.

    Raises:
        UsageError: it is none, or can't be followed.
    """
    if len(text) > MAX_BYTES:
        raise UsageError(f"A plan has at most {MAX_BYTES:,} characters.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The plan is not JSON: {clean(str(error), 120)}.") from error
    return record_from(Plan, document)
