"""The gates in the dialog of a promotion: how much there is of how much is needed, and what binds."""

from __future__ import annotations

import pytest

from console.domain.canary.run import CanaryReading, propose
from console.domain.operator.command import GateLine
from console.domain.statistics.evidence import Verdict
from console.views.canary.canary import now_of
from console.views.canary.figures import figures_of
from console.views.canary.gates import ASKED, gate_lines
from tests.scenarios import NAMES, observation
from tests.scenarios.proving import canary, evidence, proving

UNREADABLE = ("canary-none", "canary-no-plan", "canary-nowhere")
CANARIES = [name for name in NAMES if name.startswith("canary-") and name not in UNREADABLE]


def gates(name: str) -> dict[str, GateLine]:
    seen = observation(name)
    assert seen.store is not None and seen.store.canary is not None
    reading: CanaryReading = seen.store.canary
    proposal = propose(reading, now_of(seen), approved=reading.run.position)
    assert proposal is not None
    return {line.name: line for line in gate_lines(reading, proposal, now_of(seen))}


def test_every_open_gate_says_its_figures() -> None:
    lines = gates("canary-ready")
    assert len(lines) == len(ASKED)
    assert all(line.open for line in lines.values())
    evidence = {name: line.evidence for name, line in lines.items()}
    assert evidence["loss budget"] == "PnL −14.25 USD, 23.8 % of −60.00 USD used"
    assert evidence["minimum sample"] == "n 412 of 100 rounds, 60 min of 10 min, 201 of 30 blocks"
    assert evidence["signal"].startswith("SAFE: Δ +0.0040 [−0.0310, +0.0400] a round, margin −")
    assert evidence["fresh analysis"] == "0.5 s old, 3 min at most"
    assert evidence["capital in force"] == "20 % in force, 20 % by the plan"
    assert evidence["who may act"] == "nothing forbids more capital"


def test_what_binds_comes_first_though_the_rounds_are_full() -> None:
    seen = proving(
        canary(Verdict.NOT_ENOUGH, found=evidence(Verdict.NOT_ENOUGH, 0.0, -0.9, 0.9, 18)._replace(blocks=12))
    )
    assert seen.store is not None and seen.store.canary is not None
    reading = seen.store.canary
    proposal = propose(reading, now_of(seen), approved=reading.run.position)
    assert proposal is not None
    (held,) = [line for line in gate_lines(reading, proposal, now_of(seen)) if not line.open]
    assert held[:3] == (
        "minimum sample",
        False,
        "Too few blocks to compare. 12 of 30 blocks, n 412 of 100 rounds, 60 min of 10 min",
    )
    (rounds,) = [figure for figure in figures_of(reading.run, reading.desk, now_of(seen)) if figure.label == "rounds"]
    assert (rounds.value, rounds.fraction) == ("412 of 100, 12 of 30 blocks", 0.4)


@pytest.mark.parametrize("name", CANARIES)
def test_no_gate_has_a_word_for_evidence(name: str) -> None:
    for line in gates(name).values():
        assert line.evidence not in ("", "open", "closed")
