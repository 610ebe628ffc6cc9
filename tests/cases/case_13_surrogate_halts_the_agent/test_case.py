"""Half an emoji in what an agent says of a decision ends nothing: it is executed, logged, and the agent goes on.

From microsoft/playwright-mcp#1410, rllm-org/rllm#879.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from console.agent import AgentController, DecisionLog, Proposal
from tests.cli.conftest import Cli


def test_half_an_emoji_in_the_reasoning_ends_no_run(cli: Cli, store_url: str, tmp_path: Path) -> None:
    for side in ("blue", "green"):
        assert cli("switch", side, "--yes").code == 0
    log, asked, executed = tmp_path / "decisions.jsonl", [0], list[str]()

    def decide(_state: object) -> Proposal | None:
        asked[0] += 1
        if asked[0] > 6:
            return None
        words = "buy the dip \ud83d" if asked[0] == 3 else "fine"
        return Proposal(
            key=f"s{asked[0]}", amount=Decimal(1), currency="USD", kind="bet", inputs={"x": 1}, reasoning=words
        )

    def execute(proposal: Proposal, action: Any) -> dict[str, Any]:
        executed.append(proposal.key)
        action.settle({"ok": 1}, pnl=Decimal(-1))
        return {"action": "BET", "pnl": -1}

    controller = AgentController(
        store_url,
        slot="green",
        version="green-1",
        log=DecisionLog(log, version="green-1", slot="green"),
        read_state=dict,
        decide=decide,
        execute=execute,
    )
    controller.start()
    try:
        controller.run(interval_s=0.01, until=lambda: asked[0] > 6)
    finally:
        controller.stop()
    assert len(executed) == 6
    assert len(log.read_bytes().splitlines()) == 6
    assert "active   GREEN" in cli("status").out
