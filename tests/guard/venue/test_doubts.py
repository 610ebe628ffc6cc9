"""A doubt ends by the venue's own record and the protocol's rules; what is not clear is asked of a person."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest

from console.demo.faulty import Fault
from console.domain.triggers.finding import Severity
from console.guard.venue.doubts import Doubts
from console.store.records.audit import recent
from tests.guard.venue.conftest import IMPATIENT, Care


def telling(care: Care) -> Doubts:
    return care.watch()[2]


async def test_executed_is_told_by_the_venues_record_with_the_evidence_kept(care: Care) -> None:
    await care.doubt("k1")
    id_ = care.venue.holdings.execute("k1", Decimal(5), Decimal("0.40"))
    await telling(care).look(care.clock())
    assert await care.fence.open_claims() == []
    (entry,) = await recent(care.client, care.keys, 1)
    assert entry.command == "doubts resolve"
    assert id_ in entry.why
    assert entry.who == "guard g1"
    assert care.venue.holdings.executions == {"k1": 1}


async def test_what_the_history_does_not_have_stays_in_doubt_while_its_holder_might_send_it(care: Care) -> None:
    await care.doubt("k1")
    care.venue.holdings.execute("other", Decimal(5))
    for _ in range(2):
        await telling(care).look(care.clock())
    (claim,) = await care.fence.open_claims()
    assert claim.key == "k1"


@IMPATIENT
async def test_an_unreadable_history_ends_no_doubt(care: Care) -> None:
    await care.doubt("k1")
    care.venue.holdings.execute("k1", Decimal(5))
    for fault in (Fault.SERVER_ERROR, Fault.MALFORMED, Fault.TIMEOUT_AFTER_COMMIT, Fault.CLOCK_SKEW):
        care.venue.turn("")
        care.venue.turn(fault)
        await telling(care).look(care.clock())
        assert len(await care.fence.open_claims()) == 1
    care.venue.turn("")
    await telling(care).look(care.clock())
    assert await care.fence.open_claims() == []


async def test_a_double_execution_is_no_end_but_an_alarm(care: Care) -> None:
    await care.doubt("k1")
    care.venue.holdings.execute("k1", Decimal(5))
    care.venue.holdings.execute("k1", Decimal(5))
    for _ in range(2):
        await telling(care).look(care.clock())
    assert len(await care.fence.open_claims()) == 1
    (alert,) = await care.alerts()
    assert alert.severity is Severity.CRITICAL
    assert "EXECUTED 2 TIMES" in alert.reason


async def test_without_a_doubt_the_history_is_not_asked_for(care: Care) -> None:
    assert await telling(care).look(care.clock()) is None
    assert not care.venue.received["GET /v1/history"]


async def test_what_timed_out_after_it_was_done_is_found_executed_once(care: Care) -> None:
    await care.doubt("k7")
    care.venue.turn(Fault.TIMEOUT_AFTER_COMMIT, "/v1/orders")
    headers = {"Authorization": f"Bearer {care.venue.key}"}
    async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
        with pytest.raises(httpx.TimeoutException):
            body = {"client_id": "k7", "amount": "5"}
            await client.post(f"{care.venue.url}/v1/orders", json=body, timeout=0.3)
    await telling(care).look(care.clock())
    assert await care.fence.open_claims() == []
    assert care.venue.holdings.executions == {"k7": 1}


@pytest.mark.parametrize(("silent_s", "left"), [(400, 1), (700, 0)])
async def test_not_executed_takes_a_holder_that_has_been_silent_for_longer_than_any_pause(
    care: Care, silent_s: int, left: int
) -> None:
    await care.doubt("k1")
    raw = (await care.client.hget(care.keys.open, "k1")).decode().split("\n")  # as it would be so much later
    for place in (4, 5):
        raw[place] = str(int(raw[place]) - silent_s * 1000)
    raw[6] = f"D{int(raw[6][1:]) - silent_s * 1000}"
    await care.client.hset(care.keys.open, "k1", "\n".join(raw))
    await telling(care).look(care.clock())
    assert len(await care.fence.open_claims()) == left
    assert len(await recent(care.client, care.keys, 5)) == 1 - left


async def test_a_venue_that_keeps_no_keys_is_asked_nothing(care: Care) -> None:
    await care.doubt("k1")
    doubts = telling(care)
    object.__setattr__(doubts._prober.venue.document.probes.history, "key", None)
    assert await doubts.look(care.clock()) is None
    assert not care.venue.received["GET /v1/history"]
