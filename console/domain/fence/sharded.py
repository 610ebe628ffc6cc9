"""What the doctor says of a Cluster: whether one shard that is lost takes the others with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from console.domain.fence.check import Check, Verdict
from console.domain.text import clean

COVERAGE: Final = "cluster-require-full-coverage"


def is_node(info: Mapping[str, Any]) -> bool:
    """Whether a server says of itself that it is a node of a Cluster.

    Args:
        info: INFO, all sections.
    """
    return "cluster" in (info.get("redis_mode"), info.get("server_mode"))


def coverage(settings: Mapping[str, str] | None) -> Check:
    """Whether every node goes on answering while some slots have none.

    Args:
        settings: CONFIG GET; None where it isn't permitted.
    """
    told = None if settings is None else settings.get(COVERAGE)
    if told is None:
        ask = f"Whoever runs the Cluster knows: {COVERAGE} is to be no."
        return Check("cluster", Verdict.UNKNOWN, f"{COVERAGE} can't be read", "", ask)
    if told != "no":
        risk = "While one shard has no node, no other answers: no agent acts anywhere, and no halt reaches one."
        return Check(
            "cluster", Verdict.WARN, f"{COVERAGE} {clean(told, 16)}", risk, f"CONFIG SET {COVERAGE} no, on each."
        )
    return Check("cluster", Verdict.OK, "a node of a Cluster; one shard that is lost leaves the others")
