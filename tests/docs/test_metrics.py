"""Alert rules, dashboard and document name the metrics that a guard has: none that it has not, and all of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.guard.metrics.declared import DECLARED, LABELS, STANDARD, Kind
from tests import ROOT
from tests.docs.promql import read
from tests.generate.metrics import DASHBOARD, dashboard_text
from tests.waiting import until

RULES = ROOT / "docs" / "prometheus" / "rules.yml"
SCRAPED = {"instance", "job"}
"""Labels that Prometheus adds to whatever it scrapes."""
_ENTRY = re.compile(r"^      - alert: (\w+)\n((?:        \S.*\n)+)", re.MULTILINE)
_FIELD = re.compile(r"^        (expr|for|labels|annotations): (.+)$", re.MULTILINE)


def metrics() -> dict[str, set[str]]:
    """Every name that a query may use, with its labels."""
    names = {one.name: {*one.labels} for one in DECLARED if one.kind is not Kind.HISTOGRAM}
    for one in DECLARED:
        if one.kind is Kind.HISTOGRAM:
            names |= {f"{one.name}_bucket": {"le"}, f"{one.name}_sum": set(), f"{one.name}_count": set()}
    return names | {name: set() for name in STANDARD}


def problems(query: str) -> Iterator[str]:
    """What a query names that there is not."""
    asked, known = read(query), metrics()
    for name, matchers in asked.metrics:
        if name not in known:
            yield f"there is no {name}"
            continue
        for label, operator, value in matchers:
            allowed = LABELS.get(label, "")
            if label not in known[name] | SCRAPED:
                yield f"{name} has no {label}"
            elif not isinstance(allowed, str) and not value.startswith("$"):
                parts = value.split("|") if operator in ("=~", "!~") else [value]
                yield from (f"{label} is never {part}" for part in parts if part not in allowed)
    yield from (f"nothing is labelled {label}" for label in asked.labels - {*LABELS} - SCRAPED - {"le"})


def rules() -> dict[str, dict[str, str]]:
    """The alert rules by name, each as its fields; the file holds nothing that this does not read."""
    text = RULES.read_text("utf-8")
    entries = {name: dict(_FIELD.findall(fields)) for name, fields in _ENTRY.findall(text)}
    rest = _ENTRY.sub("", text)
    assert re.fullmatch(r"(#.*\n)+groups:\n(  - name: [\w-]+\n    rules:\n\n?)+", rest), rest
    return entries


def test_every_alert_rule_names_metrics_labels_and_values_that_there_are() -> None:
    every = rules()
    assert len(every) == RULES.read_text("utf-8").count("- alert:") > 20
    for name, rule in every.items():
        query = re.fullmatch(r"'([^']+)'", rule["expr"])
        assert query, name
        assert list(problems(query[1])) == [], name
        severity = re.fullmatch(r"\{ severity: (critical|warning|info) \}", rule["labels"])
        assert severity, name
        named = {*re.findall(r"\$labels\.(\w+)", rule["annotations"])}
        assert named <= {*LABELS} | SCRAPED, name
        for label in named - SCRAPED:
            assert label in read(query[1]).labels, f"{name}: {label} is not kept"
        assert re.fullmatch(r"\{ summary: '[^'\n]+' \}", rule["annotations"]), name


def test_every_query_of_the_dashboard_names_what_there_is_and_every_legend_what_is_kept() -> None:
    panels = [panel for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"] if panel["type"] != "row"]
    assert len(panels) > 15
    for panel in panels:
        for target in panel["targets"]:
            assert list(problems(target["expr"])) == [], panel["title"]
            legend = {*re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])}
            assert legend <= read(target["expr"]).labels | SCRAPED, panel["title"]


def test_the_dashboard_is_the_one_that_the_declarations_give() -> None:
    assert DASHBOARD.read_text("utf-8") == dashboard_text(), "run `make docs`"
    panels = json.loads(dashboard_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [
        (row, column)
        for panel in panels
        for row in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
        for column in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
    ]
    assert len({*places}) == len(places), "panels lie over each other"
    assert max(column for _row, column in places) == 23


def test_rules_and_dashboard_together_use_most_of_what_there_is() -> None:
    queries = [rule["expr"].strip("'") for rule in rules().values()]
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        queries += [target["expr"] for target in panel.get("targets", ())]
    used = {name for query in queries for name, _matchers in read(query).metrics}
    unused = {*metrics()} - used
    assert unused == {
        "agent_console_agent_failures_total",
        "agent_console_build_info",
        "agent_console_canary_rounds",
        "agent_console_canary_state",
        "agent_console_epoch",
        "agent_console_guard_notifies",
        "agent_console_guard_start_time_seconds",
        "agent_console_store_age_seconds",
        "agent_console_store_latency_seconds_count",
        "agent_console_store_latency_seconds_sum",
        "process_max_fds",
        "process_open_fds",
        "process_start_time_seconds",
        "process_virtual_memory_bytes",
    }, "one that nobody asks for is named here, so that none is forgotten"


@pytest.mark.parametrize(
    "query",
    [
        "agent_console_nothing",
        'agent_console_phase{nothing="run"}',
        'agent_console_phase{phase="RUN"}',
        'agent_console_phase{phase=~"run|stopped"}',
        "sum by (nothing) (agent_console_phase)",
        "agent_console_store_latency_seconds",
        'agent_console_guard_events_total{event="not said"}',
    ],
)
def test_a_query_for_what_there_is_not_is_noticed(query: str) -> None:
    assert list(problems(query))


@pytest.mark.parametrize("query", ["", "1 + 1", "frobnicate(up)", "sum(up", "up{a}", "{a='b'}", "up @ 5", 'up{a="b}'])
def test_what_is_no_query_of_ours_is_refused(query: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        read(query)


@pytest.mark.parametrize("metric", DECLARED, ids=lambda metric: metric.name)
def test_names_follow_the_conventions_of_prometheus(metric: Any) -> None:
    assert re.fullmatch(r"agent_console_[a-z]+(_[a-z]+)*", metric.name)
    assert metric.name.endswith("_total") is (metric.kind is Kind.COUNTER)
    assert metric.name.endswith("_info") is (metric.kind is Kind.INFO)
    assert not re.search(r"_(ms|milliseconds|minutes|hours|days|percent|kb|mb)\b", metric.name)
    assert metric.help.endswith(".") and "\n" not in metric.help
    assert {*metric.labels} <= {*LABELS}
    assert len({*metric.labels}) == len(metric.labels)


def test_every_label_is_somebody_s() -> None:
    assert {*LABELS} == {label for metric in DECLARED for label in metric.labels}
    assert len({metric.name for metric in DECLARED}) == len(DECLARED)


def tool(name: str) -> str:
    """A program that a machine may have or not; AGENT_CONSOLE_PROMETHEUS names the folder of those of Prometheus."""
    path = shutil.which(
        name, path=os.pathsep.join((os.environ.get("AGENT_CONSOLE_PROMETHEUS", ""), os.environ["PATH"]))
    )
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


@pytest.mark.long
def test_prometheus_takes_the_rules_and_they_fire_when_they_should() -> None:
    promtool = tool("promtool")
    for words in (("check", "rules", str(RULES)), ("test", "rules", str(ROOT / "tests" / "docs" / "rules.test.yml"))):
        done = subprocess.run([promtool, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_the_unit_in_the_document_is_one_that_systemd_takes(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    (unit,) = re.findall(r"```ini\n(.*?)```", (ROOT / "docs" / "metrics.md").read_text("utf-8"), re.DOTALL)
    file = tmp_path / "agent-console-guard.service"
    file.write_text(unit.replace("/usr/local/bin/agent-console", sys.executable))
    done = subprocess.run([analyze, "verify", "--man=no", str(file)], capture_output=True, text=True, check=False)
    assert file.name not in done.stderr, done.stderr


@pytest.mark.long
def test_prometheus_scrapes_a_guard_and_its_rules_load(store_url: str, tmp_path: Path) -> None:
    prometheus = tool("prometheus")
    errors, settings = tmp_path / "errors", tmp_path / "prometheus.yml"
    own = {**os.environ, "AGENT_CONSOLE_DATA_DIR": str(tmp_path), "AGENT_CONSOLE_CONFIG_DIR": str(tmp_path)}
    words = [sys.executable, "-m", "console", "--url", store_url]
    subprocess.run([*words, "switch", "blue", "--yes"], env=own, check=True, capture_output=True)
    with errors.open("wb") as stream:
        guard = subprocess.Popen([*words, "guard", "--metrics", "127.0.0.1:0"], env=own, stderr=stream)
    running = None
    try:
        until(lambda: '"metrics served"' in errors.read_text())
        lines = [json.loads(line) for line in errors.read_text().splitlines()]
        (place,) = [one["url"].split("/")[2] for one in lines if one["event"] == "metrics served"]
        settings.write_text(
            f"global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: ['{RULES}']\n"
            f"scrape_configs: [{{ job_name: guard, static_configs: [{{ targets: ['{place}'] }}] }}]\n"
        )
        running = subprocess.Popen(
            [
                prometheus,
                f"--config.file={settings}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                "--web.listen-address=127.0.0.1:19465",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        def asked(path: str) -> Any:
            with urllib.request.urlopen(f"http://127.0.0.1:19465/api/v1/{path}", timeout=5) as answer:
                return json.load(answer)["data"]

        def told(query: str) -> list[Any]:
            return list(asked("query?" + urllib.parse.urlencode({"query": query}))["result"])

        away = (OSError, KeyError)
        until(lambda: told('agent_console_active{slot="blue"} == 1'), despite=away)
        assert told("agent_console_guard_info"), "served with its labels"
        groups = asked("rules")["groups"]
        assert {rule["health"] for group in groups for rule in group["rules"]} <= {"ok", "unknown"}
        time.sleep(2.5)  # each rule was evaluated once
        health = {rule["name"]: rule["health"] for group in asked("rules")["groups"] for rule in group["rules"]}
        assert {*health.values()} == {"ok"}, health
        panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
        for panel in panels:
            for target in panel.get("targets", ()):
                told(target["expr"].replace("$agent", ".*"))
    finally:
        for process in (guard, running):
            if process is not None:
                process.terminate()
                process.wait(30)
