"""One run from blue to green, with real agents on a real store."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import redis

from console.agent import Commitment, Kind
from console.commands.upgrade.report import read_report, report_text, verified
from console.domain.errors import Refused
from console.domain.fence.deployment import Slot
from console.domain.fence.intent import Source
from console.domain.manifest.manifest import Manifest
from console.domain.manifest.recorded import Declared, Recorded
from console.domain.text import Safe, clean
from console.domain.upgrade.made_of import BothMadeOf, MadeOf, made_of
from console.domain.upgrade.run import UpgradePlan, UpgradeRun
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.fence.replies import SwitchCode
from console.store.keys import GuardKeys, Keys
from tests.cli.agents import Two
from tests.cli.conftest import Cli
from tests.processes import Process
from tests.waiting import until

KEYS = Keys.of()
NOW = datetime(2026, 3, 14, 15, 0, tzinfo=UTC)
A_RUN = UpgradeRun("c2e0", "agent", Slot.BLUE, Slot.GREEN, "2.4.0", "2.5.0", UpgradePlan(), "ann", NOW, 41)
PLAN = "shadow_rounds = 0\nreview = {review}\nreview_by_operator = {ask}\nwatch_s = {watch}\nwarm_s = {watch}\n"


@pytest.fixture
def guard(two: Two, valkey_sync: redis.Redis) -> Iterator[None]:
    """A guard's heartbeat, as often as a guard says it."""
    over = threading.Event()

    def beat() -> None:
        while not over.is_set():
            seconds, micros = valkey_sync.time()
            ms = int(seconds) * 1000 + int(micros) // 1000
            body = {"ms": ms, "started": ms, "watching": "blue", "every_s": 1.0, "triggers": []}
            valkey_sync.hset(GuardKeys.of(KEYS).guards, "guard-1", json.dumps(body))
            over.wait(0.3)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()


def plan(folder: Path, *, review: int = 0, ask: bool = False, watch: float = 0.0) -> str:
    file = folder / "upgrade.toml"
    file.write_text(PLAN.format(review=review, ask=str(ask).lower(), watch=watch))
    return str(file)


def switches(store: redis.Redis, identity: str) -> int:
    """How often the run's switch moved the active side."""
    return sum(1 for _id, fields in store.xrange(KEYS.log) if fields.get(b"sid") == identity.encode())


def run_of(cli: Cli) -> dict[str, object]:
    run: dict[str, object] = cli("upgrade", "show", "--json").json["run"]
    return run


def steps(cli: Cli) -> dict[str, str]:
    return {step["name"]: step["state"] for step in run_of(cli)["steps"]}  # type: ignore[attr-defined]


def escrow() -> Commitment:
    due = datetime.now(UTC) + timedelta(minutes=120)
    return Commitment("esc_1", Kind.ESCROW, Decimal(12), "USD", due=due)


def test_a_run_goes_from_its_snapshot_to_its_end_and_switches_once(
    cli: Cli, two: Two, guard: None, tmp_path: Path, valkey_sync: redis.Redis
) -> None:
    done = cli("upgrade", "start", "green", "--plan", plan(tmp_path, watch=0.5), "--yes")
    assert done.code == 0, (done.out, done.err)
    until(lambda: two.green.active, "green to be active")
    run = run_of(cli)
    assert run["state"] == "done" and switches(valkey_sync, str(run["id"])) == 1
    assert valkey_sync.hkeys(KEYS.good) == [b"blue"], "its steps have recorded that blue was healthy and reconciled"
    evidence = {step["name"]: step["evidence"] for step in run["steps"]}  # type: ignore[attr-defined]
    assert all(evidence[name] for name in ("snapshot", "gates", "health", "superset", "switch", "watch", "warm"))
    assert steps(cli) | {"shadow": "skipped", "state": "skipped", "canary": "skipped", "review": "skipped"} == steps(
        cli
    )


def test_an_escrow_that_green_does_not_watch_blocks_the_run_until_it_does(
    cli: Cli, two: Two, guard: None, tmp_path: Path
) -> None:
    two.blue.commitments.put(escrow())
    blocked = cli("upgrade", "start", "green", "--plan", plan(tmp_path), "--yes")
    assert blocked.code == 1
    assert "green does not watch 1 of 1: esc_1" in blocked.out
    assert two.blue.active and steps(cli)["gates"] == "blocked"
    two.green.commitments.watch(["esc_1"])
    assert cli("upgrade", "go").code == 0
    until(lambda: two.green.active, "green to be active")


def test_a_second_run_is_refused_while_one_goes_on(cli: Cli, two: Two, tmp_path: Path) -> None:
    words = ("upgrade", "start", "green", "--plan", plan(tmp_path), "--detach", "--yes")
    assert cli(*words).code == 0
    assert cli(*words).code == 4


def test_a_change_by_hand_holds_the_run_until_it_is_handed_back(
    cli: Cli, two: Two, guard: None, tmp_path: Path
) -> None:
    assert cli("upgrade", "start", "green", "--plan", plan(tmp_path), "--detach", "--yes").code == 0
    assert cli("switch", "green", "--yes").code == 0
    assert cli("switch", "blue", "--yes").code == 0
    until(lambda: two.blue.active, "blue to be active again")
    held = cli("upgrade", "go")
    assert held.code == 1 and "switched blue" in held.out
    assert run_of(cli)["state"] == "held" and cli("upgrade", "go").code == 1
    assert cli("upgrade", "resume").code == 0
    assert cli("upgrade", "go").code == 0
    until(lambda: two.green.active, "green to be active")


def test_an_abort_before_the_switch_leaves_blue_with_all_the_capital(cli: Cli, two: Two, tmp_path: Path) -> None:
    assert cli("upgrade", "start", "green", "--plan", plan(tmp_path), "--detach", "--yes").code == 0
    assert cli("upgrade", "abort").code == 2, "an abort says why"
    assert cli("upgrade", "abort", "--reason", "not today").code == 0
    run = run_of(cli)
    assert (run["state"], run["safe_state"]) == ("aborted", "BLUE acts, with all the capital")
    assert two.blue.active and cli("upgrade", "go").code == 1


def test_an_abort_after_the_switch_rolls_back(cli: Cli, two: Two, guard: None, tmp_path: Path) -> None:
    waits = cli("upgrade", "start", "green", "--plan", plan(tmp_path, review=1, ask=True), "--yes")
    assert waits.code == 1 and "no decision log is followed" in waits.out
    until(lambda: two.green.active, "green to be active")
    assert cli("upgrade", "abort", "--reason", "it is odd").code == 0
    assert run_of(cli)["safe_state"] == "BLUE acts, rolled back"
    until(lambda: two.blue.active, "blue to be active again")


def test_where_the_old_side_is_dead_an_abort_after_the_switch_stops_all(
    cli: Cli, two: Two, guard: None, tmp_path: Path
) -> None:
    assert cli("upgrade", "start", "green", "--plan", plan(tmp_path, review=1), "--yes").code == 1
    two.blue.stop()
    assert cli("upgrade", "abort", "--reason", "it is odd").code == 0
    assert run_of(cli)["safe_state"] == "all is halted"
    until(lambda: not two.green.active, "green to stop")


@pytest.mark.parametrize(
    "at",
    [
        pytest.param("snapshot", marks=pytest.mark.long),
        pytest.param("gates", marks=pytest.mark.long),
        pytest.param("health", marks=pytest.mark.long),
        pytest.param("superset", marks=pytest.mark.long),
        "switch",
        pytest.param("watch", marks=pytest.mark.long),
    ],
)
def test_a_walker_that_is_killed_at_a_step_is_followed_by_another_and_the_switch_happens_once(
    cli: Cli, two: Two, guard: None, tmp_path: Path, store_url: str, valkey_sync: redis.Redis, at: str
) -> None:
    assert cli("upgrade", "start", "green", "--plan", plan(tmp_path, watch=0.8), "--detach", "--yes").code == 0
    walker = Process("console", "--url", store_url, "upgrade", "go")
    walker.until(f" {at} ")
    os.kill(walker.process.pid, signal.SIGKILL)
    walker.process.wait()
    gone_on = cli("upgrade", "go")
    assert gone_on.code == 0, (gone_on.out, gone_on.err)
    run = run_of(cli)
    assert run["state"] == "done" and switches(valkey_sync, str(run["id"])) == 1
    assert valkey_sync.hkeys(KEYS.good) == [b"blue"], "its steps have recorded that blue was healthy and reconciled"
    assert two.green.active and not two.blue.active


def test_of_two_walkers_one_acts(
    cli: Cli, two: Two, guard: None, tmp_path: Path, store_url: str, valkey_sync: redis.Redis
) -> None:
    assert cli("upgrade", "start", "green", "--plan", plan(tmp_path, watch=1.0), "--detach", "--yes").code == 0
    walkers = [Process("console", "--url", store_url, "upgrade", "go") for _ in range(2)]
    for walker in walkers:
        walker.process.wait(40)
    time.sleep(0.1)
    run = run_of(cli)
    assert run["state"] == "done" and switches(valkey_sync, str(run["id"])) == 1
    assert valkey_sync.hkeys(KEYS.good) == [b"blue"], "its steps have recorded that blue was healthy and reconciled"
    taken = [fields for _id, fields in valkey_sync.xrange(KEYS.audit) if fields.get(b"command") == b"snapshot take"]
    assert len(taken) == 1


def test_a_report_verifies_without_a_store_and_any_flipped_byte_or_tear_fails_with_the_reason(
    cli: Cli, two: Two, guard: None, tmp_path: Path
) -> None:
    assert cli("upgrade", "start", "green", "--plan", plan(tmp_path), "--yes").code == 0
    file = tmp_path / "report.md"
    assert cli("upgrade", "report", "-o", str(file)).code == 0
    assert cli("upgrade", "verify", str(file), url=None).code == 0
    whole = file.read_bytes()
    assert "| gates | none closed |" in whole.decode()
    seal = len(whole) - len("sha256: \n") - 64
    for bit in (1, 128):
        for place in range(len(whole)):
            flipped = whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :]
            word = "has no seal" if 0 <= place - seal + 1 < len("\nsha256: ") else "is not as it was written"
            with pytest.raises(Refused, match=word):
                verified(flipped)
    for end in range(len(whole)):
        with pytest.raises(Refused, match=r"has no seal|is not as it was written"):
            verified(whole[:end])
    for torn in (b"", whole[: len(whole) // 2], whole + b"\n", whole + whole):
        file.write_bytes(torn)
        refused = cli("upgrade", "verify", str(file), url=None)
        assert refused.code == 4 and ("no seal" in refused.err or "as it was written" in refused.err)


def _text_at(store: redis.Redis) -> None:
    store.delete(KEYS.manifests)
    store.set(KEYS.manifests, "no hash")


def test_a_report_that_tells_otherwise_than_what_is_recorded_fails_though_its_seal_is_right(
    cli: Cli, two: Two, valkey_sync: redis.Redis, tmp_path: Path
) -> None:
    assert cli("upgrade", "start", "green", "--plan", plan(tmp_path), "--detach", "--yes").code == 0
    file = tmp_path / "report.md"
    for spoil in (lambda: valkey_sync.hset(KEYS.manifests, "=2.4.0", "x" * 9000), lambda: _text_at(valkey_sync)):
        spoil()
        assert cli("upgrade", "report", "-o", str(file)).code == 0
        assert "Not all of it can be read" in file.read_text(), "and what can't be read takes no report down"
        assert cli("upgrade", "verify", str(file), url=None).code == 0
    body = file.read_bytes().rpartition(b"sha256: ")[0].replace(b"- not switched", b"- switched")
    file.write_bytes(body + b"sha256: " + hashlib.sha256(body).hexdigest().encode() + b"\n")
    refused = cli("upgrade", "verify", str(file), url=None)
    assert refused.code == 4 and "not what is recorded" in refused.err


def made(version: str, manifest: Manifest | None) -> MadeOf:
    recorded = Recorded(version, Declared(manifest, NOW, Slot.BLUE, Safe("blue-1")))
    return made_of(version, recorded)


@pytest.mark.parametrize("hostile", ["| a |", "```json", "<b>", "x\ny", "[a](b)"])
def test_a_report_holds_both_manifests_as_a_diff_and_verifies_with_it(hostile: str) -> None:
    old = Manifest.of(code={"bot.py": "1", "same.py": "2"}, model="m-1", prompt={"system": "a"})
    new = Manifest.of(code={"bot.py": "3", "same.py": "2"}, model="m-2", prompt={"system": "a", hostile: "b"})
    both = BothMadeOf(NOW, made("2.4.0", old), made(hostile, new), str(clean(hostile)))
    data = report_text(A_RUN, both)
    told = data.decode()
    assert f"| code | changed | {old.code.short} | {new.code.short} | bot.py |" in told
    assert "| model | changed |" in told and "m-1 → m-2" in told
    assert "| tools | unknown |" in told
    assert old.hash in told and new.hash in told
    assert read_report(data) == (A_RUN, both)
    body = data.rpartition(b"sha256: ")[0].replace(b"| code | changed |", b"| code | same |")
    with pytest.raises(Refused, match="not what is recorded"):
        read_report(body + b"sha256: " + hashlib.sha256(body).hexdigest().encode() + b"\n")


def test_a_version_that_declared_nothing_is_named_and_what_differs_is_never_nothing() -> None:
    both = BothMadeOf(NOW, made("2.4.0", Manifest.of(code="1")), made_of("2.5.0", None))
    told = report_text(A_RUN, both).decode()
    assert "- 2.5.0: not declared" in told and "What differs can't be told" in told
    assert read_report(report_text(A_RUN, both)).both == both


def test_a_report_of_an_earlier_release_without_manifests_still_verifies() -> None:
    assert read_report(report_text(A_RUN)) == (A_RUN, None)


def test_the_first_decisions_wait_for_a_person_who_says_that_they_were_looked_at(
    cli: Cli, two: Two, guard: None, tmp_path: Path
) -> None:
    log = tmp_path / "decisions.jsonl"
    log.write_text("")
    more = ("--decisions", str(log), "--slot", "green=2.5.0")
    start = ("upgrade", "start", "green", "--plan", plan(tmp_path, review=2, ask=True, watch=0.2), "--yes", "--detach")
    assert cli(*more, *start).code == 0
    over = threading.Event()

    def decide() -> None:
        until(lambda: two.green.active, "green to be active")
        for number in range(1, 4):
            record = {
                "agent_version": "2.5.0",
                "timestamp": time.time(),
                "decision_type": "bet",
                "inputs": {},
                "output": {"bet": number},
                "reasoning": "because",
            }
            with log.open("a") as file:
                file.write(json.dumps(record) + "\n")
            over.wait(0.2)

    thread = threading.Thread(target=decide, daemon=True)
    thread.start()
    assert cli("upgrade", "review").code == 4, "there is nothing to look at yet"
    waits = cli(*more, "upgrade", "go")
    thread.join()
    assert waits.code == 1 and "2 decisions wait to be looked at" in waits.out
    shown = cli("upgrade", "show")
    assert "bet" in shown.out and shown.code == 1
    assert cli("--who", "ann", "upgrade", "review").code == 0
    assert cli(*more, "upgrade", "go").code == 0
    review = next(step for step in run_of(cli)["steps"] if step["name"] == "review")  # type: ignore[attr-defined]
    assert review["by"] == "ann" and review["evidence"][0]["value"] == "ann"


@pytest.mark.parametrize(
    "torn", ["", "1", "1\n", "1\n{}", "x\n{}", "1\n[" + "[" * 50_000, '1\n{"id": NaN}', "1\n" + "x" * 300_000]
)
def test_a_run_that_can_t_be_read_is_refused_and_never_taken_for_none(
    cli: Cli, two: Two, valkey_sync: redis.Redis, torn: str
) -> None:
    valkey_sync.hset(KEYS.upgrades, "current", torn)
    for words in (("show",), ("go",), ("start", "green", "--yes"), ("abort", "--reason", "x")):
        refused = cli("upgrade", *words)
        assert refused.code == 4 and "stored upgrade" in refused.err, (words, refused)
    valkey_sync.delete(KEYS.upgrades)
    valkey_sync.set(KEYS.upgrades, "text")
    assert cli("upgrade", "show").code == 4


def walking_into_the_drain(store_url: str, store: redis.Redis) -> Process:
    """A walker whose run drains; one that found a heartbeat too old on a busy machine is followed by another."""
    while True:
        walker = Process("console", "--url", store_url, "upgrade", "go")
        until(
            lambda: store.get(KEYS.active) == b"draining" or walker.process.poll() is not None,  # noqa: B023
            "the drain to begin",
        )
        if walker.process.poll() is None:
            return walker


@pytest.mark.long
def test_a_walker_that_is_killed_in_the_middle_of_a_drain_is_followed_and_nothing_in_flight_is_cut(
    cli: Cli, two: Two, guard: None, tmp_path: Path, store_url: str, valkey_sync: redis.Redis
) -> None:
    assert cli("upgrade", "start", "green", "--plan", plan(tmp_path), "--detach", "--yes").code == 0
    with two.blue.action("bet-1", amount=Decimal(5), currency="USD") as action:
        walker = walking_into_the_drain(store_url, valkey_sync)
        os.kill(walker.process.pid, signal.SIGKILL)
        walker.process.wait()
        action.settle("won")
    assert cli("upgrade", "go").code == 0
    run = run_of(cli)
    drains = [f for _id, f in valkey_sync.xrange(KEYS.log) if f.get(b"k") == b"drain"]
    assert run["state"] == "done" and len(drains) == 1 and cli("doubts", "list").code == 0


def test_an_abort_in_the_middle_of_a_drain_ends_with_blue_or_with_all_halted(
    cli: Cli, two: Two, guard: None, tmp_path: Path, store_url: str, valkey_sync: redis.Redis
) -> None:
    assert cli("upgrade", "start", "green", "--plan", plan(tmp_path), "--detach", "--yes").code == 0
    with two.blue.action("bet-1", amount=Decimal(5), currency="USD") as action:
        walker = walking_into_the_drain(store_url, valkey_sync)
        aborted = cli("upgrade", "abort", "--reason", "stop it")
        action.settle("won")
    walker.process.wait(40)
    assert aborted.code == 0, aborted.err
    run = run_of(cli)
    assert run["state"] == "aborted"
    assert run["safe_state"] in ("BLUE acts, rolled back", "all is halted")
    assert not two.green.active


def test_a_freeze_by_hand_holds_the_run_and_moves_nothing(cli: Cli, two: Two, guard: None, tmp_path: Path) -> None:
    assert cli("upgrade", "start", "green", "--plan", plan(tmp_path), "--detach", "--yes").code == 0
    assert cli("halt", "--level", "no-new-entries").code == 0
    held = cli("upgrade", "go")
    assert held.code == 1 and run_of(cli)["state"] == "held" and two.blue.active


def test_a_roll_back_by_a_guard_after_the_switch_aborts_the_run(
    cli: Cli, two: Two, guard: None, tmp_path: Path, valkey_sync: redis.Redis
) -> None:
    assert cli("upgrade", "start", "green", "--plan", plan(tmp_path, review=1), "--yes").code == 1
    until(lambda: two.green.active, "green to be active")
    fence = Fence(valkey_sync, KEYS)
    authority = fence.authority()
    assert authority is not None
    request = SwitchRequest("blue", expected_epoch=authority.epoch, by="guard-1", why="pnl", source=Source.GUARD)
    assert fence.switch(request).code is SwitchCode.SWITCHED
    assert cli("upgrade", "go").code == 1
    run = run_of(cli)
    assert run["state"] == "aborted" and "guard-1" in str(run["note"])
    assert run["safe_state"] == "BLUE acts, with all the capital" and cli("upgrade", "show").code == 1
