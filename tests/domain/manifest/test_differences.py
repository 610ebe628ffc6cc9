"""What differs between two manifests, and whether a kept state may be taken by a version."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from console.domain.fence.deployment import Slot
from console.domain.manifest.differences import Verdict, changed, differences, same
from console.domain.manifest.manifest import Manifest
from console.domain.manifest.mark import Part
from console.domain.manifest.recorded import Declared, KeptBy, Recorded, obstacle
from console.domain.text import Safe

BLUE = Manifest.of(
    code="a", model="m-1", prompt="p", tools=[], flags={"a": 1, "b": 1, "c": 1}, state={"extra.limit": "int", "n": 1}
)
GREEN = replace(
    Manifest.of(
        code="a", model="m-2", prompt="p", tools=[], flags={"a": 2, "c": 1, "d": 1}, state={"extra.risk": "int", "n": 1}
    ),
    schema=1,
)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_difference_names_the_part_and_its_members() -> None:
    told = {one.part: one for one in differences(BLUE, GREEN)}
    assert [one.verdict for one in told.values()] == [
        Verdict.SAME, Verdict.CHANGED, Verdict.SAME, Verdict.SAME, Verdict.CHANGED, Verdict.CHANGED,
    ]  # fmt: skip
    assert told[Part.FLAGS].words == "flags (a, -b, +d)"
    assert told[Part.STATE].words == "state (-extra.limit, +extra.risk)"
    assert changed(BLUE, GREEN)[0].words == "model"


def test_unknown_is_never_the_same_not_even_beside_unknown() -> None:
    some = Manifest.of(code="a")
    assert not same(some, some) and same(BLUE, BLUE)
    assert differences(some, some)[1].verdict is Verdict.UNKNOWN
    assert [one.part for one in changed(some, Manifest.of(code="a", model="m"))] == [Part.MODEL]
    assert changed(some, some) == ()


def kept(schema: int = 1, mark: str = BLUE.state.hash) -> KeptBy:
    return KeptBy(7, "blue", "2.4.0", schema, mark)


@pytest.mark.parametrize(
    ("state", "reader"),
    [
        (kept(), replace(BLUE, schema=1)),
        (kept(), replace(GREEN, schema=2, reads=(1,))),
        (kept(mark=""), GREEN),
        (kept(), Manifest.of(code="x")),
    ],
    ids=["the same schema", "migrated", "its keeper declared none", "its reader declares none"],
)
def test_a_state_may_be_taken_that_is_of_the_same_schema_migrated_or_of_no_known_one(
    state: KeptBy, reader: Manifest
) -> None:
    assert obstacle(state, reader, BLUE) == ""


def test_what_stands_in_the_way_names_the_field_where_the_keeper_is_known() -> None:
    assert "state (-extra.limit, +extra.risk)" in obstacle(kept(), GREEN, BLUE)
    assert f"of another manifest: state, {BLUE.state.short} → " in obstacle(kept(), GREEN, None)
    assert "both say schema 1" in obstacle(kept(), GREEN, GREEN)


def test_a_migration_from_another_number_does_not_read_this_one() -> None:
    assert "nothing migrates schema 1 to 3" in obstacle(kept(), replace(GREEN, schema=3, reads=(2,)), BLUE)
    assert "both say schema 1" in obstacle(kept(), replace(GREEN, reads=(1,)), BLUE)


@pytest.mark.parametrize("mark", ["", BLUE.state.hash])
def test_a_number_that_nothing_migrates_is_in_the_way_whatever_is_known_of_the_schema_itself(mark: str) -> None:
    told = obstacle(kept(mark=mark), replace(BLUE, schema=2), BLUE)
    assert "the schema's number; nothing migrates schema 1 to 2" in told
    assert obstacle(kept(mark=mark), replace(BLUE, schema=2, reads=(1,)), BLUE) == ""


def test_a_change_is_told_with_both_hashes() -> None:
    held = Declared(BLUE, NOW, Slot.BLUE, Safe("blue-1"))
    assert Recorded("2.4.0", held).change() == ""
    told = Recorded("2.4.0", held, held._replace(manifest=replace(BLUE, prompt=GREEN.model))).change()
    assert told.startswith("prompt (") and BLUE.short in told
    assert "not declared any more" in Recorded("2.4.0", held, held._replace(manifest=None)).change()
