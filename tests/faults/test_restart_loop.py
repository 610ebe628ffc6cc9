"""Instances that are killed and start again at once, again and again, never spend more than the cap."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.store.fence.blocking import Fence
from console.store.fence.calls import Limits, SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests.faults.venue import Venue
from tests.processes import Process
from tests.servers import Server
from tests.waiting import until

CAP = 30


@pytest.mark.parametrize("restarts", [30, pytest.param(600, marks=pytest.mark.long)])
def test_two_sides_of_five_in_a_restart_loop_spend_no_more_than_the_cap(
    valkey_server: Callable[..., Server], short_dir: Path, restarts: int
) -> None:
    server, venue = valkey_server(), Venue(short_dir)
    began = datetime.now(UTC).date()

    with connect_sync(server.url, timeout_s=30) as client:
        fence = Fence(client, Keys.of())
        fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        fence.set_limits(Limits(currency="USD", cap_day=Decimal(CAP)), by="op")
        told: dict[str, Any] = {"url": server.url, "venue": str(venue.path), "amount": "1", "seed": restarts}
        told |= {"resolve": True, "resolve_share": 0.2, "think_s": 0.01, "gap_s": 0.01}
        loop = Process("tests.faults.restart_loop", json.dumps(told))
        books = venue.client()
        until(lambda: books.size() > CAP // 3, "blue to spend")
        fence.switch(SwitchRequest("green", expected_epoch="any", by="op", mode="now"))
        until(lambda: any(one.slot == "green" for one in books.history()), "green to spend")
        until(lambda: len(loop.lines) >= restarts, "the loop to go on")
        until(lambda: _spent(client) >= CAP, "the cap to be what stops them")
        loop.process.send_signal(signal.SIGTERM)
        assert loop.process.wait(60) == 0, loop.errors
    spent = len(books.history())
    books.close()
    venue.stop()
    days = 1 + (datetime.now(UTC).date() - began).days
    assert CAP // 3 < spent <= CAP * days, "as the venue counts"


def _spent(client: Any) -> Decimal:
    """What the store has counted today and yesterday, in whole money."""
    sums = client.hmget(Keys.of().ctl, "b_amt", "d_amt")
    return sum((Decimal((one or b"0").decode()) for one in sums), Decimal(0)) / 1_000_000
