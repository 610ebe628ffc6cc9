"""What a venue has executed is settled, whatever its answer and its profit look like, and the loss counts.

From hummingbot/hummingbot#4365, nautechsystems/nautilus_trader#1019, celery/celery#3604.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import redis

from console.agent import AgentController
from console.store.fence.blocking import Fence
from console.store.fence.calls import Limits
from console.store.keys import Keys
from tests.cli.conftest import Cli

RESULTS: dict[str, tuple[Any, Any]] = {
    "satoshi": ({"ok": 1}, Decimal("-0.00012345")),
    "wei": ({"ok": 1}, Decimal("-1.000000000000000001")),
    "float": ({"ok": 1}, -7.1),
    "int": ({"ok": 1}, -7),
    "idr": ({"ok": 1}, Decimal(-9_500_000_000)),
    "long answer": ({"t": "y" * 70_000}, Decimal(-1)),
}


@pytest.mark.parametrize(("result", "pnl"), RESULTS.values(), ids=RESULTS)
def test_what_was_executed_is_settled_and_its_loss_counts(
    cli: Cli, valkey_sync: redis.Redis, store_url: str, result: Any, pnl: Any
) -> None:
    for side in ("blue", "green"):
        assert cli("switch", side, "--yes").code == 0
    keys = Keys.of()
    Fence(valkey_sync, keys).set_limits(Limits(currency="BTC"), by="op")
    controller = AgentController(store_url, slot="green", version="g1")
    controller.start()
    try:
        with controller.action("k", amount=Decimal(5), currency="BTC") as action:
            action.settle(result, pnl=pnl)
    finally:
        controller.stop()
    counted = valkey_sync.hget(keys.ctl, "c_pnl")
    assert counted is not None
    assert Decimal(counted.decode()) / 1_000_000 == Decimal(str(pnl))
    assert cli("doubts", "list", "--json").json == []
