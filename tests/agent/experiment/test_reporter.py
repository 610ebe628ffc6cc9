"""Experiments as an operator runs them, followed by an agent: assignment, evidence, restart, one keeper."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from console.agent.experiment.reporter import Experiments
from console.domain.errors import Refused, UsageError
from console.domain.experiment.record import ExperimentRecord, ExperimentState, ExperimentView
from console.domain.experiment.trial import Experiment, ExperimentVerdict
from console.domain.statistics.evidence import Settings
from console.domain.text import Safe
from console.store.fence.blocking import Fence
from console.store.keys import Keys
from console.store.records.experiments import DocumentCode, put, read
from tests.waiting import until

if TYPE_CHECKING:
    import redis

RECORD = ExperimentRecord(
    Experiment("sizing", "bet_sizing", "kelly", "flat", Settings(0.05, 0.3, -1.0, 1.0, min_blocks=10), 200),
    ExperimentState.DEFINED,
    0,
    Decimal(1000),
    Safe("USD"),
    datetime(2026, 3, 1, tzinfo=UTC),
    by=Safe("op"),
)


class Stage:
    def __init__(self, client: redis.Redis, url: str) -> None:
        self.client, self.url, self.keys = client, url, Keys.of()
        self.fence = Fence(client, self.keys)
        self.open: list[Experiments] = []

    def write(self, state: ExperimentState, record: ExperimentRecord = RECORD) -> None:
        known = {view.name: view.record for view in read(self.client, self.keys)}
        before = known.get(Safe(record.name))
        call = put(
            self.keys, record._replace(state=state), before.revision if before else 0, before="", after="x", audit=None
        )
        assert self.fence.call(call).code is DocumentCode.DONE

    def follow(self, holder: str = "one") -> Experiments:
        experiments = Experiments(self.url, holder=holder)
        self.open.append(experiments)
        experiments.start()
        return experiments

    def view(self) -> ExperimentView:
        (found,) = [view for view in read(self.client, self.keys) if view.name == "sizing"]
        return found


@pytest.fixture
def stage(valkey_sync: redis.Redis, store_url: str) -> Iterator[Stage]:
    made = Stage(valkey_sync, store_url)
    yield made
    for one in made.open:
        one.stop()


def values(experiments: Experiments) -> set[str]:
    return {experiments.value("bet_sizing", f"u{number}", "default") for number in range(50)}


def test_units_get_both_values_only_while_it_runs(stage: Stage) -> None:
    stage.write(ExperimentState.DEFINED)
    experiments = stage.follow()
    assert values(experiments) == {"default"}
    stage.write(ExperimentState.RUNNING)
    until(lambda: values(experiments) == {"kelly", "flat"})
    assert experiments.value("bet_sizing", "u1", "x") == experiments.value("bet_sizing", "u1", "y")
    stage.write(ExperimentState.STOPPED)
    until(lambda: values(experiments) == {"default"})


def test_the_evidence_is_told_and_goes_on_in_the_next_process(stage: Stage) -> None:
    stage.write(ExperimentState.RUNNING)
    first = stage.follow()
    rng = random.Random(1)
    for number in range(400):
        better = first.value("bet_sizing", f"u{number}", "") == "flat"
        pnl = Decimal(str(round(rng.uniform(0.0, 0.8) if better else rng.uniform(-0.5, 0.3), 3)))
        first.record("bet_sizing", f"u{number}", pnl=pnl, at_risk=Decimal(1), currency="USD")
    first.stop()
    told = stage.view().report
    assert told is not None
    assert told.reading.verdict is ExperimentVerdict.B_BETTER
    assert told.reading.rounds_a + told.reading.rounds_b == 400
    second = stage.follow("two")
    until(lambda: stage.view().report is not None and str(stage.view().report.holder) == "two")  # type: ignore[union-attr]
    again = stage.view().report
    assert again is not None
    assert (again.reading, again.money_a, again.money_b) == (told.reading, told.money_a, told.money_b)
    assert second.record("other_flag", "u", pnl=Decimal(1), at_risk=Decimal(1), currency="USD") is False


def test_clusters_are_known_by_the_log_from_before_it_began_and_one_that_names_none_is_refused(
    stage: Stage, tmp_path: Path
) -> None:
    log = tmp_path / "decisions.jsonl"
    lines = []
    for at in range(40):
        output = {"pnl": 0.1 * (at % 4), "amount_bet": 1, "currency": "USD"}
        when = RECORD.changed_at.timestamp() + (3600 if at >= 30 else -3600)
        line = {"agent_version": "blue", "timestamp": when, "decision_type": "bet", "output": output}
        lines.append(json.dumps({**line, "inputs": {"customer": f"c{at}"}}))
    log.write_text("\n".join(lines))
    named = replace(RECORD.experiment, cluster="inputs.customer")
    stage.write(ExperimentState.RUNNING, RECORD._replace(experiment=named))
    with Experiments(stage.url, history=[log]) as experiments:
        with pytest.raises(UsageError, match="counts by"):
            experiments.value("bet_sizing", "r1", "default")
        for at in range(80):
            assert experiments.value("bet_sizing", f"r{at}", "default", f"c{at % 40}") in ("kelly", "flat")
            pnl = Decimal(at % 4) / 10
            experiments.record(
                "bet_sizing", f"r{at}", pnl=pnl, at_risk=Decimal(1), currency="USD", cluster=f"c{at % 40}"
            )
    told = stage.view().report
    assert told is not None
    assert (sum(told.reading.clusters or ()), told.reading.known_before) == (40, 30)
    assert stage.view().record == RECORD._replace(experiment=named, state=ExperimentState.RUNNING, revision=1)
    log.unlink()
    with Experiments(stage.url, history=[log]) as experiments:
        assert "can't be read" in experiments.last_error
        assert experiments.value("bet_sizing", "r1", "default", "c1") == "default"


def test_one_process_keeps_an_experiment_and_a_second_goes_by_the_default(stage: Stage) -> None:
    stage.write(ExperimentState.RUNNING)
    first, second = stage.follow("one"), stage.follow("two")
    assert values(first) == {"kelly", "flat"}
    assert values(second) == {"default"}
    first.stop()


def test_another_currency_is_never_summed(stage: Stage) -> None:
    stage.write(ExperimentState.RUNNING)
    experiments = stage.follow()
    with pytest.raises(Refused, match="USD"):
        experiments.record("bet_sizing", "u1", pnl=Decimal(1), at_risk=Decimal(1), currency="EUR")


def test_the_capital_is_split_evenly_and_more_is_refused(stage: Stage) -> None:
    stage.write(ExperimentState.RUNNING, RECORD._replace(capital=Decimal(10)))
    experiments = stage.follow()
    refused = 0
    for number in range(40):
        try:
            experiments.stake("bet_sizing", f"u{number}", Decimal(1), currency="USD")
        except Refused:
            refused += 1
    assert refused == 30
    until(lambda: stage.view().report is not None and stage.view().report.refused == 30)  # type: ignore[union-attr]


def test_evidence_of_other_settings_is_none(stage: Stage) -> None:
    stage.write(ExperimentState.RUNNING)
    first = stage.follow()
    first.record("bet_sizing", "u1", pnl=Decimal(1), at_risk=Decimal(1), currency="USD")
    first.stop()
    other = replace(RECORD.experiment, settings=replace(RECORD.experiment.settings, margin=0.2))
    stage.write(ExperimentState.RUNNING, RECORD._replace(experiment=other))
    stage.follow("two")
    report = stage.view().report
    assert report is not None and report.reading.rounds_a + report.reading.rounds_b == 0
