"""A doubt ends by the venue's own record and the protocol's rules; what is not clear is asked of a person."""

from __future__ import annotations

from decimal import Decimal

from console.demo.faulty import Fault
from console.domain.triggers.finding import Severity
from console.guard.venue.doubts import Doubts
from console.store.records.audit import recent
from tests.guard.venue.conftest import Care


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
