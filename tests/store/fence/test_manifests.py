"""A version is held to its manifest, by the script that takes its heartbeat."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.domain.fence.chain import verify_chain
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Phase
from console.domain.manifest.lines import to_text
from console.domain.manifest.manifest import Manifest
from console.domain.manifest.recorded import Recorded
from console.store.fence.blocking import Fence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.fence.replies import BeatCode, SwitchCode
from console.store.reading.decode import instance
from console.store.records.manifests import declaration, decode

if TYPE_CHECKING:
    from redis import Redis

    from console.store.keys import Keys

OLD = Manifest.of(code="a = 1", model="m-2026-01-01", prompt="be careful", tools=[], flags={}, state={"limit": "int"})
NEW = Manifest.of(code="a = 1", model="m-2026-01-01", prompt="be bold", tools=[], flags={}, state={"limit": "int"})
THIRD = Manifest.of(code="a = 2", model="m-2026-01-01", prompt="be bold", tools=[], flags={}, state={"limit": "int"})


@pytest.fixture(params=[True, False], ids=["functions", "scripts"])
def fence(valkey_sync: Redis, keys: Keys, request: pytest.FixtureRequest) -> Fence:
    fence = Fence(valkey_sync, keys, functions=request.param)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


def beat(fence: Fence, manifest: Manifest | str | None, name: str = "blue-1", version: str = "2.4.0") -> Level:
    """Beat once, and again by the epoch that was learnt; what is allowed then."""
    text = to_text(manifest) if isinstance(manifest, Manifest) else manifest or ""
    heartbeat = Heartbeat(name, name.partition("-")[0], version, schema=1, manifest=text)
    for _ in range(2):
        authority = fence.authority()
        assert authority is not None
        reply = fence.beat(heartbeat, epoch=authority.epoch, seen=authority.epoch)
        assert reply.code in (BeatCode.OK, BeatCode.REGRESSED, BeatCode.DAMAGED)
    authority = fence.authority()
    assert authority is not None
    return authority.level


def recorded(fence: Fence, version: str = "2.4.0") -> Recorded | None:
    return decode(fence.client.hgetall(fence.keys.manifests)).recorded.get(version)


def freezes(fence: Fence) -> list[dict[str, str]]:
    entries: Any = fence.client.xrange(fence.keys.log)
    events = [{name.decode(): value.decode() for name, value in fields.items()} for _id, fields in entries]
    return [event for event in events if event["k"] == "level"]


def resume(fence: Fence, slot: str = "blue") -> SwitchCode:
    authority = fence.authority()
    assert authority is not None
    request = SwitchRequest(
        slot, expected_epoch=authority.epoch, by="ann", why="meant", mode="now", resume=True, audit={"id": "r1"}
    )
    return fence.switch(request).code


def test_the_first_manifest_that_a_version_declares_is_the_one_that_it_is_held_to(fence: Fence) -> None:
    assert beat(fence, OLD) is Level.NONE
    held = recorded(fence)
    assert held is not None and held.declared.manifest == OLD and held.declared.instance == "blue-1"
    assert held.other is None


def test_a_version_that_declares_none_goes_on_as_ever(fence: Fence) -> None:
    assert beat(fence, None) is Level.NONE
    assert recorded(fence) is None and not fence.client.exists(fence.keys.manifests)


@pytest.mark.parametrize("name", ["blue-1", "blue-2"], ids=["the same process", "another instance"])
def test_another_manifest_of_the_same_version_freezes_new_risk_in_the_same_step(fence: Fence, name: str) -> None:
    beat(fence, OLD)
    before = fence.authority()
    assert beat(fence, NEW, name) is Level.NO_NEW_ENTRIES
    after = fence.authority()
    assert before is not None and after is not None
    assert after.epoch > before.epoch and after.active == before.active and after.phase is Phase.RUN
    held = recorded(fence)
    assert held is not None and held.other is not None
    assert (held.declared.manifest, held.other.manifest, held.other.instance) == (OLD, NEW, name)
    assert verify_chain(fence.client.xrange(fence.keys.log)).ok


def test_who_froze_and_for_what_is_data_and_it_is_one_row_however_often_it_beats(fence: Fence) -> None:
    beat(fence, OLD)
    for _ in range(5):
        beat(fence, NEW)
        beat(fence, NEW, "blue-2")
    (event,) = freezes(fence)
    wanted = {
        "src": "agent",
        "aim": "freeze",
        "side": "blue",
        "trigger": "manifest",
        "by": "blue-1",
        "version": "2.4.0",
    }
    assert wanted.items() <= event.items()
    assert (event["manifest0"], event["manifest"]) == (OLD.hash, NEW.hash)
    assert event["why"] == "manifest of 2.4.0 changed: prompt"


def test_a_third_manifest_is_told_too_and_raises_the_epoch_although_it_is_frozen_already(fence: Fence) -> None:
    beat(fence, OLD)
    beat(fence, NEW)
    seen = fence.authority()
    beat(fence, THIRD, "blue-2")
    assert seen is not None
    stale = SwitchRequest("blue", expected_epoch=seen.epoch, by="ann", why="meant", mode="now", resume=True)
    assert fence.switch(stale).code is SwitchCode.CONFLICT, "nobody accepts what he has not seen"
    assert [event["why"].rpartition(": ")[2] for event in freezes(fence)] == ["prompt", "code, prompt"]


def test_many_others_that_beat_in_turn_are_one_row_each_and_leave_the_epoch_alone(fence: Fence) -> None:
    beat(fence, OLD)
    for name, other in (("blue-2", NEW), ("blue-3", THIRD), ("blue-4", None)):
        beat(fence, other, name)
    before = fence.authority()
    for _ in range(3):
        for name, other in (("blue-1", OLD), ("blue-2", NEW), ("blue-3", THIRD), ("blue-4", None)):
            beat(fence, other, name)
    after = fence.authority()
    assert len(freezes(fence)) == 3 and before is not None and after is not None and after.epoch == before.epoch


def test_one_that_is_another_each_time_ends_neither_the_freeze_nor_the_life_of_the_epoch(fence: Fence) -> None:
    beat(fence, OLD)
    for number in range(12):
        beat(fence, replace(OLD, prompt=OLD.prompt._replace(hash=f"{number:064x}")))
    assert len(freezes(fence)) == 8
    held = recorded(fence)
    assert held is not None and held.other is not None and held.other.manifest is not None
    assert held.other.manifest.prompt.hash == f"{7:064x}"
    assert resume(fence) is SwitchCode.RESUMED
    assert beat(fence, replace(OLD, prompt=OLD.prompt._replace(hash=f"{12:064x}"))) is Level.NO_NEW_ENTRIES
    held = recorded(fence)
    assert held is not None and held.declared.manifest == OLD, "what nobody was told of is not accepted"


def test_a_version_that_declared_one_and_declares_none_any_more_is_frozen(fence: Fence) -> None:
    beat(fence, OLD)
    assert beat(fence, None, "blue-2") is Level.NO_NEW_ENTRIES
    held = recorded(fence)
    assert held is not None and held.other is not None and held.other.manifest is None
    assert freezes(fence)[0]["manifest"] == ""


@pytest.mark.parametrize("text", [OLD.hash[:63], "x" * 5_000, "zz", OLD.hash + "\n" + "y" * 4_096])
def test_what_is_no_manifest_is_taken_for_none(fence: Fence, text: str) -> None:
    beat(fence, OLD)
    assert beat(fence, text, "blue-2") is Level.NO_NEW_ENTRIES
    assert beat(fence, text, "green-1", "9") is Level.NO_NEW_ENTRIES
    assert not fence.client.hexists(fence.keys.manifests, "=9")


def test_other_versions_have_manifests_of_their_own(fence: Fence) -> None:
    beat(fence, OLD)
    assert beat(fence, NEW, "green-1", "2.5.0") is Level.NONE
    held = recorded(fence, "2.5.0")
    assert held is not None and held.declared.manifest == NEW


def test_resuming_accepts_what_runs_and_the_audit_says_which(fence: Fence) -> None:
    beat(fence, OLD)
    beat(fence, NEW)
    assert resume(fence) is SwitchCode.RESUMED
    assert beat(fence, NEW) is Level.NONE
    held = recorded(fence)
    assert held is not None and held.declared.manifest == NEW and held.other is None
    (entry,) = fence.client.xrange(fence.keys.audit)
    assert entry[1].get(b"accepts", b"").decode() == f"2.4.0 {NEW.short}"


def test_what_runs_on_beside_what_was_accepted_is_not_frozen_again_but_comes_back_as_another(fence: Fence) -> None:
    beat(fence, OLD, "blue-1")
    beat(fence, NEW, "blue-2")
    resume(fence)
    assert beat(fence, OLD, "blue-1") is Level.NONE
    assert beat(fence, OLD, "blue-3") is Level.NO_NEW_ENTRIES, "it is begun anew, and is another than the accepted"


def test_what_only_a_dead_process_declared_is_not_accepted(fence: Fence) -> None:
    beat(fence, OLD, "blue-1")
    beat(fence, NEW, "blue-2")
    fence.beat(Heartbeat("blue-2", "blue", "2.4.0", manifest=to_text(NEW)), epoch=0, seen=0, leaving=True)
    assert resume(fence) is SwitchCode.RESUMED
    held = recorded(fence)
    assert held is not None and held.declared.manifest == OLD and held.other is None
    assert beat(fence, NEW, "blue-2") is Level.NO_NEW_ENTRIES


def test_a_change_while_all_is_halted_is_accepted_by_who_resumes_and_by_nobody_else(fence: Fence) -> None:
    beat(fence, OLD)
    fence.halt("ann", "looking")
    beat(fence, NEW)
    held = recorded(fence)
    assert held is not None and held.other is not None
    assert resume(fence, "green") is SwitchCode.SWITCHED
    held = recorded(fence)
    assert held is not None and held.declared.manifest == NEW
    assert b"accepts" in fence.client.xrange(fence.keys.audit)[-1][1]


def test_a_change_while_a_switch_drains_is_in_force_after_it(fence: Fence) -> None:
    beat(fence, OLD)
    authority = fence.authority()
    assert authority is not None
    fence.switch(SwitchRequest("green", expected_epoch=authority.epoch, by="op", hold_ms=50, drain_ms=50))
    assert beat(fence, NEW) is Level.NO_NEW_ENTRIES


def test_a_freeze_by_hand_is_never_lowered_by_a_manifest(fence: Fence) -> None:
    beat(fence, OLD)
    fence.halt("ann", "careful", level=Level.REDUCE_ONLY)
    assert beat(fence, NEW) is Level.REDUCE_ONLY


def test_the_same_manifest_told_anew_says_what_it_reads_now(fence: Fence) -> None:
    beat(fence, replace(OLD, schema=2))
    assert beat(fence, replace(OLD, schema=2, reads=(1,)), "blue-2") is Level.NONE
    held = recorded(fence)
    assert held is not None and held.declared.manifest is not None and held.declared.manifest.reads == (1,)


def test_a_list_of_another_type_halts_and_is_put_aside(fence: Fence) -> None:
    beat(fence, OLD)
    fence.client.set(fence.keys.manifests, "x")
    beat(fence, OLD)
    authority = fence.authority()
    assert authority is not None and authority.phase is Phase.HALT
    assert recorded(fence) is not None, "it is declared anew"


def test_the_list_never_expires(fence: Fence) -> None:
    beat(fence, OLD)
    fence.client.expire(fence.keys.manifests, 100)
    beat(fence, OLD)
    assert fence.client.ttl(fence.keys.manifests) == -1


def test_of_more_than_a_hundred_versions_the_oldest_is_forgotten(fence: Fence) -> None:
    records = {f"=v{number}": f"{number}\nblue\nb\n\n{to_text(OLD)}" for number in range(100)}
    fence.client.hset(fence.keys.manifests, mapping=records | {"~v0": f"7\nblue\nb\n1\n{to_text(NEW)}"})
    beat(fence, OLD, "blue-1", "v100")
    assert len(fence.client.hkeys(fence.keys.manifests)) == 100
    assert recorded(fence, "v0") is None and recorded(fence, "v100") is not None


def test_a_heartbeat_shows_the_hash_of_what_it_declared(fence: Fence) -> None:
    beat(fence, OLD)
    raw: Any = fence.client.hget(fence.keys.instances, "blue-1")
    assert instance(b"blue-1", raw).manifest == OLD.hash


def test_of_a_record_that_is_damaged_the_rest_is_read() -> None:
    good = f"17\nblue\nb\n\n{to_text(OLD)}"
    read = decode({"=a": good, "=b": "x", "=c": good.replace(OLD.hash, NEW.hash), "~a": "18\n\ng\n\n"})
    assert list(read.recorded) == ["a"] and len(read.problems) == 2
    assert read.recorded["a"].other is not None and read.recorded["a"].other.manifest is None
    assert declaration(good).manifest == OLD


STEPS = st.tuples(
    st.sampled_from(["blue-1", "blue-2", "green-1"]), st.sampled_from([OLD, NEW, THIRD, None]),
    st.sampled_from(["beat", "beat", "beat", "leave", "resume", "switch", "halt"]),
)  # fmt: skip


@given(st.lists(STEPS, max_size=14))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_nothing_new_is_opened_by_what_nobody_accepted(
    valkey_sync: Redis, keys: Keys, steps: list[tuple[str, Manifest | None, str]]
) -> None:
    valkey_sync.flushall()
    fence = Fence(valkey_sync, keys)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    last: dict[str, str | None] = {}
    meant: set[str | None] = set()
    for name, manifest, what in steps:
        if what == "beat":
            level, held = beat(fence, manifest, name), recorded(fence)
            own = manifest.hash if manifest is not None else None
            first = held.declared.manifest if held is not None else None
            meant |= {first.hash if first is not None else None}
            runs_on = last.get(name, "nothing") == own and own in meant
            accepted = held is None or manifest == first or runs_on
            authority = fence.authority()
            assert authority is not None
            assert accepted or level is not Level.NONE or authority.phase is Phase.HALT
            last[name] = own
        elif what == "leave":
            fence.beat(Heartbeat(name, name.partition("-")[0], "2.4.0"), epoch=0, seen=0, leaving=True)
            last.pop(name, None)
        elif what == "resume":
            resume(fence)
        elif what == "halt":
            fence.halt("ann", "looking")
        else:
            fence.switch(SwitchRequest(name.partition("-")[0], expected_epoch="any", by="op", mode="now"))
    assert verify_chain(valkey_sync.xrange(keys.log)).ok


@pytest.mark.parametrize("manifest", [OLD, None])
def test_a_manifest_that_somebody_damaged_freezes_as_another_one_does_and_the_side_lives_on(
    fence: Fence, manifest: Manifest | None
) -> None:
    beat(fence, manifest)
    fence.client.hset(fence.keys.manifests, "=2.4.0", "torn")
    assert beat(fence, manifest, "blue-2") is Level.NO_NEW_ENTRIES
    assert freezes(fence)[-1]["manifest0"] == "damaged"
    assert resume(fence) is SwitchCode.RESUMED
    assert beat(fence, manifest, "blue-2") is Level.NONE
