"""What is said of the metrics in `docs/`: the tables of `docs/metrics.md` and the dashboard, from the declarations.

`make docs` writes both.
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from console.guard.metrics import declared as m
from console.guard.metrics.declared import DECLARED, LABELS, STANDARD
from tests import ROOT

DASHBOARD: Final = ROOT / "docs" / "grafana" / "agent-console.json"
AGENT: Final = 'agent=~"$agent"'


def metrics_table() -> str:
    """Every metric: its name, its kind, its labels, what it means."""
    rows = ["| metric | kind | labels | tells |", "|---|---|---|---|"]
    for one in DECLARED:
        labels = ", ".join(f"`{label}`" for label in one.labels)
        rows.append(f"| `{one.name}` | {one.kind.value} | {labels} | {one.help} |")
    rows += [f"| `{name}` | {_kind(name)} | | {text} |" for name, text in STANDARD.items()]
    return "\n".join(rows)


def _kind(name: str) -> str:
    return "counter" if name.endswith("_total") else "gauge"


def labels_table() -> str:
    """Every label, and what bounds its values."""
    rows = ["| label | values |", "|---|---|"]
    for label, values in LABELS.items():
        rows.append(f"| `{label}` | {values if isinstance(values, str) else ', '.join(f'`{one}`' for one in values)} |")
    return "\n".join(rows)


class Panel(NamedTuple):
    """One panel of the dashboard.

    Args:
        title: in words.
        kind: Grafana's type of panel.
        width: of 24 columns.
        queries: each with its legend.
        unit: Grafana's.
    """

    title: str
    kind: str
    width: int
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"


def _of(metric: m.Declared, by: str, *matchers: str) -> str:
    return f"max by ({by}) ({metric.name}{{{', '.join((AGENT, *matchers))}}})"


def _all(metric: m.Declared, by: str = "") -> str:
    """Over all agents of a store, each of which two guards tell of, where two run."""
    return f"sum by ({by}) ({metric.name}) / scalar(clamp_max(max({m.GUARDS.name}), 2))"


ROWS: Final[tuple[tuple[str, tuple[Panel, ...]], ...]] = (
    (
        "Fleet",
        (
            Panel("Guards", "stat", 3, ((f"max({m.GUARDS.name})", ""),)),
            Panel("Agents by phase", "stat", 6, ((_all(m.FLEET_PHASE, "phase"), "{{phase}}"),)),
            Panel("Worst verdicts", "stat", 9, ((_all(m.FLEET_VERDICT, "verdict"), "{{verdict}}"),)),
            Panel("Alerts open", "stat", 6, ((_all(m.FLEET_ALERTS, "severity"), "{{severity}}"),)),
            Panel(
                "Actions, all agents",
                "timeseries",
                12,
                (
                    (_all(m.FLEET_FLIGHT), "in flight"),
                    (_all(m.FLEET_DOUBT), "in doubt"),
                ),
            ),
            Panel(
                "Agents in care",
                "timeseries",
                12,
                ((f"max by (instance, care) ({m.AGENTS.name})", "{{instance}} {{care}}"),),
            ),
        ),
    ),
    (
        "Agents",
        (
            Panel("Active side", "state-timeline", 12, ((_of(m.ACTIVE, "agent, slot"), "{{agent}} {{slot}}"),)),
            Panel("Halted", "state-timeline", 12, ((_of(m.LEVEL, "agent, level"), "{{agent}} {{level}}"),)),
            Panel("PnL since active", "timeseries", 12, ((_of(m.PNL, "agent, currency"), "{{agent}} {{currency}}"),)),
            Panel("Rounds", "timeseries", 12, ((_of(m.ROUNDS, "agent, currency"), "{{agent}} {{currency}}"),)),
            Panel(
                "Actions in flight, in doubt",
                "timeseries",
                12,
                (
                    (_of(m.IN_FLIGHT, "agent"), "{{agent}} in flight"),
                    (_of(m.IN_DOUBT, "agent"), "{{agent}} in doubt"),
                ),
            ),
            Panel(
                "Late settlements, a day",
                "timeseries",
                12,
                ((f"max by (agent) (increase({m.LATE.name}{{{AGENT}}}[1d]))", "{{agent}}"),),
            ),
            Panel(
                "Triggers that find harm",
                "state-timeline",
                12,
                ((_of(m.VERDICT, "agent, trigger", 'verdict="harm"'), "{{agent}} {{trigger}}"),),
            ),
            Panel(
                "Sources that are known",
                "state-timeline",
                12,
                ((_of(m.SOURCE, "agent, source", 'state="ok"'), "{{agent}} {{source}}"),),
            ),
            Panel(
                "Age of what is known",
                "timeseries",
                12,
                (
                    (
                        f"min by (agent, source) ({m.SOURCE_AGE.name}{{{AGENT}}})",
                        "{{agent}} {{source}}",
                    ),
                ),
                "s",
            ),
            Panel("Alerts open", "timeseries", 12, ((_of(m.ALERTS, "agent, severity"), "{{agent}} {{severity}}"),)),
            Panel(
                "Decisions",
                "timeseries",
                12,
                ((f"max by (agent) (rate({m.DECISIONS.name}{{{AGENT}}}[5m]))", "{{agent}}"),),
                "ops",
            ),
            Panel(
                "Decisions not taken in",
                "timeseries",
                12,
                (
                    (
                        f"max by (agent, reason) (increase({m.UNREAD.name}{{{AGENT}}}[1h]))",
                        "{{agent}} {{reason}}",
                    ),
                ),
            ),
        ),
    ),
    (
        "Canary",
        (
            Panel(
                "Share of the money",
                "timeseries",
                12,
                ((_of(m.WANTED, "agent"), "{{agent}} wanted"), (_of(m.ACTUAL, "agent"), "{{agent}} actual")),
                "percentunit",
            ),
            Panel("Interval", "timeseries", 12, ((_of(m.INTERVAL, "agent, bound"), "{{agent}} {{bound}}"),)),
        ),
    ),
    (
        "Guards",
        (
            Panel(
                "The store's answers",
                "timeseries",
                12,
                tuple(
                    (
                        f"histogram_quantile({part}, sum by (instance, le) (rate({m.LATENCY.name}_bucket[5m])))",
                        f"{{{{instance}}}} p{int(float(part) * 100)}",
                    )
                    for part in ("0.5", "0.99")
                ),
                "s",
            ),
            Panel(
                "Calls that failed",
                "timeseries",
                12,
                (
                    (
                        f'sum by (instance, result) (rate({m.CALLS.name}{{result!="ok"}}[5m]))',
                        "{{instance}} {{result}}",
                    ),
                ),
            ),
            Panel("Loop: late by", "timeseries", 8, ((m.LAG.name, "{{instance}}"),), "s"),
            Panel("CPU", "timeseries", 8, (("rate(process_cpu_seconds_total[5m])", "{{instance}}"),), "percentunit"),
            Panel("Memory", "timeseries", 8, (("process_resident_memory_bytes", "{{instance}}"),), "bytes"),
            Panel(
                "Log",
                "timeseries",
                24,
                (
                    (
                        f"sum by (instance, log_level) (increase({m.LINES.name}[5m]))",
                        "{{instance}} {{log_level}}",
                    ),
                ),
            ),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """The dashboard, as Grafana imports it."""
    panels: list[dict[str, Any]] = []
    down = 0
    for title, row in ROWS:
        panels.append(_placed(len(panels), 24, 1, 0, down) | {"type": "row", "title": title, "panels": []})
        down, across = down + 1, 0
        for one in row:
            if across + one.width > 24:
                down, across = down + 8, 0
            panels.append(_placed(len(panels), one.width, 8, across, down) | _panel(one))
            across += one.width
        down += 8
    return {
        "title": "agent-console",
        "uid": "agent-console",
        "schemaVersion": 38,
        "tags": ["agent-console"],
        "timezone": "browser",
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [_source(), _agents()]},
        "panels": panels,
    }


def _placed(number: int, width: int, height: int, across: int, down: int) -> dict[str, Any]:
    return {"id": number + 1, "gridPos": {"w": width, "h": height, "x": across, "y": down}}


def _panel(one: Panel) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${source}"}
    targets = [
        {"refId": chr(65 + number), "datasource": source, "expr": query, "legendFormat": legend}
        for number, (query, legend) in enumerate(one.queries)
    ]
    defaults: dict[str, Any] = {"unit": one.unit, "noValue": "unknown"}
    if one.kind == "timeseries":
        defaults["custom"] = {"spanNulls": False}  # what is not known leaves a hole
    return {
        "type": one.kind,
        "title": one.title,
        "datasource": source,
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {},
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _agents() -> dict[str, Any]:
    return {
        "name": "agent",
        "label": "Agent",
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "query": f"label_values({m.UP.name}, agent)",
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def dashboard_text() -> str:
    """The file."""
    return json.dumps(dashboard(), indent=1) + "\n"


if __name__ == "__main__":
    DASHBOARD.write_text(dashboard_text(), "utf-8")
