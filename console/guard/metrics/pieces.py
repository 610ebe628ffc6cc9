"""A page in one format, put into words by pieces: what an agent's samples of a metric were worded as stands until they
change.

How a sample is written is prometheus-client's business; what is new goes through it, and nothing else.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from console.guard.metrics.declared import DECLARED, Declared
from console.guard.metrics.samples import Rows, Table

Encode = Callable[[Collector], bytes]
"""Writes families down."""
_FAMILY: Final = re.compile(rb"^(?=# HELP )", re.MULTILINE)
_END: Final = b"# EOF\n"


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        for family in self._families:
            time.sleep(0)  # whoever waits for the interpreter gets it
            yield family


class Pieces:
    """What was put into words of each agent, and of which samples.

    Args:
        encode: writes families down, in the format.
    """

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._kept: dict[str, dict[Declared, tuple[Rows, bytes]]] = {}
        self.worded = 0
        """Samples of agents that were put into words so far."""

    def page(
        self,
        fixed: Mapping[Declared, Metric],
        agents: Mapping[str, Table],
        family: Callable[[Declared, Rows], Metric],
        others: Iterable[Metric],
    ) -> bytes:
        """A page, in the order in which metrics are declared.

        Args:
            fixed: the families that are of no agent.
            agents: each agent's samples, in the order in which they are told.
            family: makes one of samples.
            others: families that nobody declared; they come last.
        """
        fresh = self._fresh(agents)
        families: list[tuple[Declared | None, Metric]] = []
        for metric in DECLARED:
            if metric in fixed:
                families.append((None, fixed[metric]))
            elif metric in fresh:
                rows = [row for agent in fresh[metric] for row in agents[agent][metric]]
                families.append((metric, family(metric, rows)))
        families += [(None, other) for other in others]
        whole = self._encode(_Families(one for _metric, one in families))
        end = _END if whole.endswith(_END) else b""
        blocks = [block for block in _FAMILY.split(whole.removesuffix(end)) if block]
        page: list[bytes] = []
        self._kept = {agent: self._kept.get(agent, {}) for agent in agents}
        for (of_agents, _family), block in zip(families, blocks, strict=True):
            time.sleep(0)
            page += [block] if of_agents is None else self._put(of_agents, block, fresh[of_agents], agents)
        return b"".join((*page, end))

    def _fresh(self, agents: Mapping[str, Table]) -> dict[Declared, list[str]]:
        """Every metric that is told of an agent, and those of whom it says something else than it did."""
        fresh: dict[Declared, list[str]] = {}
        for agent, table in agents.items():
            before = self._kept.get(agent, {})
            for metric, rows in table.items():
                told = fresh.setdefault(metric, [])
                if metric not in before or before[metric][0] != rows:
                    told.append(agent)
        return fresh

    def _put(
        self, metric: Declared, block: bytes, fresh: Iterable[str], agents: Mapping[str, Table]
    ) -> Iterator[bytes]:
        """A family: its head, what is new of it, and what stands, in the order of the agents."""
        lines = block.removesuffix(b"\n").split(b"\n")
        start = sum(line.startswith(b"# ") for line in lines)
        yield b"\n".join((*lines[:start], b""))
        for agent in fresh:
            rows = agents[agent][metric]
            self._kept[agent][metric] = rows, b"\n".join((*lines[start : start + len(rows)], b""))
            start += len(rows)
            self.worded += len(rows)
        assert start == len(lines), metric.name
        for agent, table in agents.items():
            if metric in table:
                yield self._kept[agent][metric][1]
