"""What is left of every version, from one reading."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from console.domain.commitments.commitment import Commitment, Kind, Owed
from console.domain.commitments.left import Acts, Left, version_facts
from console.domain.commitments.sight import Sight
from console.domain.commitments.versions import VersionFacts, VersionState, judge
from console.domain.fence.claims import OpenClaim
from console.domain.fence.deployment import ActiveKey, ActiveState, Authority, Deployment, Instance, Phase, Slot
from console.domain.text import Safe

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GREEN = Deployment(ActiveKey(ActiveState.SLOT, Slot.GREEN), Authority(9, 2, Phase.RUN, Slot.GREEN, previous=Slot.BLUE))


def instance(name: str, slot: Slot, version: str, age_s: float = 0.0) -> Instance:
    return Instance(Safe(name), slot, Safe(version), 9, NOW - timedelta(seconds=age_s))


def left(*known: Instance, **changes: Any) -> Left:
    versions: Mapping[str, Slot | None] = {"2.4.0": Slot.BLUE}
    return Left((), (), 0, known, versions, {}, NOW)._replace(**changes)


def facts(reading: Left, acts: Acts) -> dict[str, VersionFacts]:
    return {one.version: one for one in version_facts(reading, acts, GREEN, sight=Sight(None, looked_at=NOW))}


def test_a_version_whose_every_instance_said_goodbye_is_still_listed() -> None:
    assert facts(left(), Acts({}, None))["2.4.0"].slots == (Slot.BLUE,)


@pytest.mark.parametrize(("acted", "state"), [(NOW, VersionState.UNKNOWN), (NOW - timedelta(1), VersionState.DRAINED)])
def test_what_an_instance_did_whose_version_nobody_knows_any_more_counts_for_every_version(
    acted: datetime, state: VersionState
) -> None:
    reading = left(instance("green-1", Slot.GREEN, "2.5.0"))
    acts = Acts({"blue-gone": acted, "green-1": NOW}, None)
    assert judge(facts(reading, acts)["2.4.0"]).state is state


def test_an_act_that_lies_beyond_what_was_looked_through_counts_as_of_there() -> None:
    assert judge(facts(left(), Acts({}, NOW))["2.4.0"]).state is VersionState.UNKNOWN


def test_the_version_of_a_living_instance_of_the_active_side_is_the_active_one() -> None:
    reading = left(instance("green-1", Slot.GREEN, "2.5.0"), instance("green-2", Slot.GREEN, "2.4.9", age_s=60))
    seen = facts(reading, Acts({}, None))
    assert (seen["2.5.0"].is_active, seen["2.4.9"].is_active) == (True, False)


def test_an_unreadable_claim_makes_every_version_unknown() -> None:
    verdict = judge(facts(left(unreadable=1), Acts({}, None))["2.4.0"])
    assert verdict.state is VersionState.UNKNOWN and "1 claims" in verdict.why


def test_a_claim_of_a_process_that_nobody_knows_may_be_of_every_version() -> None:
    claim = OpenClaim("k", "c", "gone-1", "blue", 7, 0, 1_000, False, "f", Decimal(1), "USD", "enter", "")
    seen = facts(left(claims=(claim,)), Acts({}, None))
    assert judge(seen[""]).state is VersionState.DRAINING
    assert judge(seen["2.4.0"]).state is VersionState.UNKNOWN
    known = left(instance("gone-1", Slot.GREEN, "2.5.0", 60), claims=(claim,))
    assert judge(facts(known, Acts({}, None))["2.4.0"]).state is VersionState.DRAINED


def test_only_living_instances_watch() -> None:
    owed = Owed(Commitment("esc_1", Kind.ESCROW), None, Slot.BLUE, "2.4.0", 7, NOW)
    watched = {"green-1": frozenset({"esc_1"})}
    for age_s, items in ((0.0, 0), (60.0, 1)):
        reading = left(instance("green-1", Slot.GREEN, "2.5.0", age_s), owed=(owed,), watched=watched)
        assert len(facts(reading, Acts({}, None))["2.4.0"].items) == items
