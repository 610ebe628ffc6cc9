"""*Not executed* is taken on proof that is checked, and a report that comes after it is never silent."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.agent import AgentController, Evidence, Proof, ResolveCode
from console.domain.fence.claims import Outcome
from console.store.fence.calls import Limits, SwitchRequest
from tests.attacks.scene import QUICK, Scene, program
from tests.waiting import until

LONG = QUICK._replace(wake_ms=600_000, lease_ms=300, margin_ms=10)
HOLDER = """
    import os, sys, time
    from console.agent import AgentController, Settings
    settings = Settings(lease_ms=400, margin_ms=10, heartbeat_ms=50, quarantine_ms=0)
    controller = AgentController(sys.argv[1], slot="blue", version="1", settings=settings, instance=sys.argv[2])
    controller.start()
    act = controller.action("bet")
    act.__enter__()
    print("claimed", flush=True)
    for word in sys.stdin:
        if word.strip() == "unknown":
            act.unknown("the venue did not answer")
        elif word.strip() == "settle":
            act.settle("executed after all")
        elif word.strip() == "failed":
            act.failed("refused by the venue")
        elif word.strip() == "claim":
            with controller.action("another") as again:
                again.settle("x")
        print(word.strip(), flush=True)
"""


def holder(scene: Scene, instance: str = "") -> subprocess.Popen[str]:
    process = program(HOLDER, scene.url, instance)
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first == "claimed\n", first + process.stdout.read()
    return process


def say(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(word + "\n")
    process.stdin.flush()
    while (line := process.stdout.readline()) != word + "\n":
        assert line, "it died"


@pytest.fixture
def held(scene: Scene) -> Any:
    process = holder(scene)
    until(lambda: scene.open() == {"bet": True} or (scene.fence.tend() and False), "the lease to end")
    yield process
    process.kill()
    process.communicate()


def not_executed(controller: AgentController, proof: Proof | None = None) -> ResolveCode:
    answers = controller.resolve(lambda _claim: Evidence(False, "the venue's list", proof=proof))
    return answers["bet"]


@pytest.mark.parametrize("proof", [None, Proof.SELF, Proof.SILENT, Proof.GONE])
def test_no_proof_is_taken_about_a_process_that_lives_and_beats(scene: Scene, held: Any, proof: Proof | None) -> None:
    controller = scene.agent(settings=LONG)
    for _ in range(3):
        assert not_executed(controller, proof) is ResolveCode.HOLDER_ALIVE
    assert scene.attempt(controller, "bet") == "InDoubt"


@pytest.mark.parametrize("proof", [None, Proof.SELF, Proof.SILENT, Proof.GONE])
def test_no_proof_is_taken_about_a_process_that_is_frozen_for_less_than_it_may_wake(
    scene: Scene, held: Any, proof: Proof | None
) -> None:
    os.kill(held.pid, signal.SIGSTOP)
    controller = scene.agent(settings=LONG)
    if proof is not Proof.GONE:  # whoever says so has looked: the store only knows of heartbeats
        assert not_executed(controller, proof) is ResolveCode.HOLDER_ALIVE
    assert (
        controller.core.proof(scene.fence.open_claims()[0], next(iter(scene.fence.heartbeats().values()))) is not None
    )
    os.kill(held.pid, signal.SIGCONT)
    say(held, "settle")
    assert scene.attempt(controller, "bet") == "AlreadyDone"


def test_a_process_that_is_gone_is_gone_at_once(scene: Scene, held: Any) -> None:
    held.kill()
    held.wait()
    controller = scene.agent(settings=LONG)
    until(lambda: not_executed(controller) is ResolveCode.RESOLVED, "its last heartbeat to be old", timeout_s=5)
    assert scene.attempt(controller, "bet") == "ok"


def test_a_namesake_never_speaks_for_the_holder(scene: Scene) -> None:
    """A pod's name is stable: the next process has it while the last one is frozen."""
    process = holder(scene, "pod-0")
    try:
        os.kill(process.pid, signal.SIGSTOP)
        until(lambda: scene.fence.tend().code and scene.open() == {"bet": True}, "the lease to end")
        namesake = scene.agent(settings=LONG, instance="pod-0")
        for proof in (None, Proof.SELF, Proof.SILENT):
            assert not_executed(namesake, proof) is ResolveCode.HOLDER_ALIVE
        assert len(scene.fence.heartbeats()) == 2
        os.kill(process.pid, signal.SIGCONT)
        say(process, "settle")
        assert scene.attempt(namesake, "bet") == "AlreadyDone"
    finally:
        process.kill()
        process.communicate()


def test_two_objects_of_one_process_and_name_never_speak_for_each_other(scene: Scene) -> None:
    one, two = scene.agent(settings=LONG, instance="pod-0"), scene.agent(settings=LONG, instance="pod-0")
    act: Any = one.action("bet")
    act.__enter__()
    until(lambda: scene.open() == {"bet": True}, "the lease to end")
    assert not_executed(two) is ResolveCode.HOLDER_ALIVE
    act.settle("executed after all")
    assert scene.attempt(two, "bet") == "AlreadyDone"


def test_the_holder_says_nothing_of_what_it_is_acting_on(scene: Scene) -> None:
    controller = scene.agent(settings=LONG)
    with controller.action("bet") as act:
        until(lambda: scene.open() == {"bet": True}, "the lease to end")
        assert controller.resolve(lambda _claim: Evidence(False, "the venue's list")) == {}
        act.settle("executed after all")
    assert scene.attempt(controller, "bet") == "AlreadyDone"


def wrongly_resolved(scene: Scene) -> AgentController:
    """Somebody has taken the frozen holder's claim for not executed, on a proof that was none."""
    controller = scene.agent(settings=LONG)
    assert not_executed(controller, Proof.BURNED) is ResolveCode.RESOLVED
    return controller


def late_events(scene: Scene) -> list[bytes]:
    return [event[b"why"] for _id, event in scene.client.xrange(scene.fence.keys.log) if event[b"k"] == b"late"]


@pytest.mark.parametrize("word", ["settle", "unknown", "failed"])
def test_a_late_report_of_a_free_key_uses_it_up_or_puts_it_into_doubt(scene: Scene, held: Any, word: str) -> None:
    controller = wrongly_resolved(scene)
    say(held, word)
    until(lambda: late_events(scene), "the late report")
    expected = {"settle": "AlreadyDone", "unknown": "InDoubt", "failed": "ok"}[word]
    assert scene.attempt(controller, "bet") == expected
    assert scene.client.hget(scene.fence.keys.ctl, "x_late") == b"1"
    assert (scene.open() == {"bet": True}) == (word == "unknown")


@pytest.mark.parametrize("word", ["settle", "unknown", "failed"])
@pytest.mark.parametrize("state", ["done", "under way", "in doubt"])
def test_a_late_report_of_a_key_that_another_claim_has_trips(scene: Scene, held: Any, word: str, state: str) -> None:
    """It may have been executed twice: that stops everything, and says which key."""
    controller = wrongly_resolved(scene)
    act: Any = controller.action("bet")
    act.__enter__()
    if state == "done":
        act.settle("sent")
    elif state == "in doubt":
        act.unknown("no answer")
    say(held, word)
    until(lambda: late_events(scene), "the late report")
    assert b"bet" in late_events(scene)[0]
    assert scene.phase() == ("RUN" if word == "failed" else "HALT")
    if state == "under way":
        act.settle("sent")


def test_a_late_report_survives_the_death_of_its_process(scene: Scene, tmp_path: Path) -> None:
    """Told to nobody but the spool, it is as loud when the next process on the host sends it."""
    from tests.attacks.test_spools import left_behind

    left_behind(scene, tmp_path)
    until(lambda: scene.fence.tend().code and scene.open() == {"bet": True}, "the lease to end")
    wrongly_resolved(scene)
    assert scene.attempt(scene.agents[0], "bet") == "ok"
    scene.agent(settings=QUICK._replace(spool_dir=tmp_path))
    until(lambda: late_events(scene), "the late report", timeout_s=5)
    assert scene.phase() == "HALT"


def test_a_late_report_that_is_told_again_is_told_once(scene: Scene, held: Any) -> None:
    """An answer that was lost, and the same result from the spool: one doubt, one late report, no second trip."""
    controller = wrongly_resolved(scene)
    say(held, "unknown")
    until(lambda: late_events(scene), "the late report")
    claim = scene.fence.open_claims()[0]
    intent = controller.core.intent(_proposal("bet"))._replace(claim_id=claim.claim_id, instance=claim.instance)
    for _ in range(3):
        scene.fence.settle(intent, Outcome.UNKNOWN)
    assert len(late_events(scene)) == 1 and scene.open() == {"bet": True}


def _proposal(key: str) -> Any:
    from console.agent import Proposal

    return Proposal(key)


def test_a_doubt_that_came_back_counts_towards_the_wire_of_doubts(scene: Scene, held: Any) -> None:
    scene.fence.set_limits(Limits(doubts=1), by="op")
    controller = scene.agent(settings=LONG)
    if scene.phase() == "HALT":
        scene.fence.switch(SwitchRequest("blue", expected_epoch="any", by="op", why="on", resume=True))
    not_executed(controller, Proof.BURNED)
    assert scene.open() == {}
    if scene.phase() == "HALT":
        scene.fence.switch(SwitchRequest("blue", expected_epoch="any", by="op", why="on", resume=True))
    say(held, "unknown")
    until(lambda: late_events(scene), "the late report")
    assert scene.open() == {"bet": True}


def test_a_settle_of_a_claim_that_was_never_made_is_late_and_loud(scene: Scene, controller: AgentController) -> None:
    intent = controller.core.intent(_proposal("never"))
    scene.fence.settle(intent, Outcome.OK, result="x")
    assert late_events(scene) and scene.attempt(controller, "never") == "AlreadyDone"


Make = Callable[..., Scene]


def test_gone_is_refused_beside_a_fresh_heartbeat_on_the_command_line_too(scene: Scene, held: Any) -> None:
    from tests import ROOT

    done = subprocess.run(
        [
            ROOT / ".venv/bin/agent-console",
            "--url",
            scene.url,
            "--yes",
            "doubts",
            "resolve",
            "bet",
            "--not-executed",
            "--proof",
            "gone",
            "--evidence",
            "the venue's list",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0 and scene.open() == {"bet": True}, done.stdout + done.stderr
