"""The side that would act is what it declared, and reads the state that it would take over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from console.domain.fence.deployment import Instance, Slot
from console.domain.gates.checklist import check, judged_line
from console.domain.gates.fact import known
from console.domain.gates.facts import GateFacts, ManifestsSeen
from console.domain.gates.gate import RAISES, Act, Judged, State
from console.domain.gates.items import BY_ID
from console.domain.manifest.manifest import Manifest
from console.domain.manifest.recorded import Declared, KeptBy, Recorded
from console.domain.text import Safe
from tests.domain.gates.stage import NOW, asked, deployment, facts, instance

OLD = Manifest.of(code="1", model="m", prompt="", tools=[], flags={}, state={"limit": "int"})
NEW = Manifest.of(code="2", model="m", prompt="", tools=[], flags={}, state={"risk": "int"})
KEPT = KeptBy(7, "blue", "2.4.0", 1, OLD.state.hash)


def recorded(version: str, manifest: Manifest | None, other: Manifest | None = None) -> Recorded:
    own, another = (Declared(one, NOW, Slot.GREEN, Safe("green-1")) for one in (manifest, other))
    return Recorded(version, own, another if other is not None else None)


def green(manifest: Manifest | None, name: str = "green-1") -> Instance:
    return instance(Slot.GREEN)._replace(name=Safe(name), manifest=Safe(manifest.hash if manifest else ""))


def gathered(held: Recorded | None, *living: Instance, kept: KeptBy | None = None, **seen: Any) -> GateFacts:
    every = {"2.4.0": recorded("2.4.0", OLD)} | ({held.version: held} if held is not None else {})
    return facts(
        deployment=deployment(instance(Slot.BLUE), *living),
        manifests=known("manifests", NOW, ManifestsSeen(every, kept, **seen)),
    )


def judged(all_facts: GateFacts, act: Act = Act.SWITCH) -> Judged:
    return judged_line(BY_ID["manifest"], all_facts, asked(act)).judged


WELL = gathered(recorded("2.5.0", NEW), green(NEW))


def test_a_side_that_runs_what_it_declared_opens_it_and_is_named_by_its_hash() -> None:
    assert judged(WELL)[:2] == (State.OPEN, f"2.5.0 is {NEW.short}")


def test_a_side_that_declares_none_is_not_checked_and_forbids_nothing() -> None:
    without = gathered(None, green(None))
    assert judged(without).state is State.NOT_CHECKED
    assert all(line.item.id != "manifest" for act in RAISES for line in check(without, asked(act)).forbidding)


def test_parts_that_nobody_declared_are_never_called_open() -> None:
    some = Manifest.of(code="2", state={"risk": "int"})
    line = judged(gathered(recorded("2.5.0", some), green(some)))
    assert line.state is State.NOT_CHECKED and "flags, model, prompt, tools" in line.words


@pytest.mark.parametrize(
    ("all_facts", "words"),
    [
        (gathered(recorded("2.5.0", NEW, replace(NEW, code=OLD.code)), green(NEW)), "changed while it runs: code"),
        (gathered(recorded("2.5.0", NEW), green(OLD)), "is held to"),
        (gathered(recorded("2.5.0", NEW), green(NEW), green(None, "green-2")), "green-2 runs not declared"),
        (gathered(None, green(NEW)), "nothing recorded"),
        (gathered(recorded("2.5.0", NEW), green(NEW), kept=KEPT), "state (-limit, +risk)"),
        (gathered(recorded("2.5.0", NEW), green(NEW), problems=("torn",)), "torn"),
    ],
)
def test_what_is_another_thing_than_it_declared_forbids_every_act_that_lets_it_take_over(
    all_facts: GateFacts, words: str
) -> None:
    line = judged(all_facts)
    assert line.state in (State.CLOSED, State.UNKNOWN) and words in line.words
    for act in (Act.SWITCH, Act.RESTORE, Act.CANARY_START, Act.CANARY_UP):
        assert "manifest" in [one.item.id for one in check(all_facts, asked(act)).forbidding]


def test_the_way_out_of_its_freeze_is_never_closed_by_it() -> None:
    changed = gathered(recorded("2.5.0", NEW, OLD), green(OLD))
    for act in (Act.LIFT, Act.RESUME):
        assert "manifest" not in [one.item.id for one in check(changed, asked(act)).forbidding]


def test_a_state_of_another_manifest_is_in_the_way_of_a_resume_too() -> None:
    line = judged(gathered(recorded("2.5.0", NEW), green(NEW), kept=KEPT), Act.RESUME)
    assert line.state is State.CLOSED


def test_a_state_that_the_side_migrates_is_in_nobodys_way() -> None:
    reads = replace(NEW, schema=2, reads=(1,))
    assert judged(gathered(recorded("2.5.0", reads), green(reads), kept=KEPT)).state is State.OPEN
