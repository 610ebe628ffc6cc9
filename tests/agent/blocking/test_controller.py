"""The controller as an agent author uses it, on a real server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.agent import (
    ActionRefused,
    AgentController,
    AlreadyDone,
    AuthenticationFailure,
    Busy,
    DecisionLog,
    DefinitiveFailure,
    Direction,
    Evidence,
    Flags,
    FlagSpec,
    FlagType,
    Halted,
    InDoubt,
    KeyReused,
    LeaseEnded,
    Level,
    LimitReached,
    NotSent,
    Proof,
    Proposal,
    ResolveCode,
    Settings,
    StandBy,
)
from console.domain.errors import Refused, UsageError
from console.domain.fence.deployment import Phase, Slot
from console.store.fence.blocking import Fence
from console.store.fence.calls import FlagWrite, Limits, SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests import ROOT
from tests.servers import Server
from tests.waiting import until

Make = Callable[..., AgentController]
FIVE = Decimal(5)


@pytest.fixture
def fence(valkey_sync: Any, keys: Keys) -> Fence:
    fence = Fence(valkey_sync, keys)
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


@pytest.fixture
def make(store_url: str, fence: Fence) -> Iterator[Make]:
    made: list[AgentController] = []

    def start(slot: str = "blue", **options: Any) -> AgentController:
        controller = AgentController(store_url, slot=slot, version="2.4.0", **options)
        controller.start()
        made.append(controller)
        return controller

    yield start
    for controller in made:
        controller.stop()


def act(controller: AgentController, key: str = "bet-1", **options: Any) -> str:
    with controller.action(key, amount=FIVE, currency="USD", **options) as action:
        action.settle({"won": True}, pnl=Decimal("1.5"))
    return key


# -- one action -------------------------------------------------------------------------------------------------------


def test_an_action_is_claimed_sent_and_settled(make: Make, fence: Fence) -> None:
    controller = make()
    with controller.action("bet-1", amount=FIVE, currency="USD") as action:
        assert [c.key for c in fence.open_claims()] == ["bet-1"]
        assert action.provider_key.startswith("ac-agent-bet-1-") and action.remaining_s > 4
        action.settle({"won": True})
    assert fence.open_claims() == []


def test_the_second_claim_of_a_key_gets_the_recorded_result(make: Make) -> None:
    act(make())
    with pytest.raises(AlreadyDone) as refused, make("blue").action("bet-1", amount=FIVE, currency="USD"):
        pytest.fail("it must not run")
    assert refused.value.done.result == '{"won":true}'


def test_once_hands_out_the_recorded_result(make: Make) -> None:
    calls: list[str] = []

    def send(_action: object) -> tuple[object, Decimal]:
        calls.append("sent")
        return "won", Decimal(1)

    for controller in (make(), make()):
        assert controller.once(Proposal("bet-1", FIVE, "USD"), send) == "won"
    assert calls == ["sent"]


def test_the_same_key_with_other_parameters_is_an_error(make: Make) -> None:
    controller = make()
    act(controller)
    with pytest.raises(KeyReused), controller.action("bet-1", amount=Decimal(6), currency="USD"):
        pytest.fail("it must not run")


def test_a_key_that_is_being_acted_on_is_busy(make: Make) -> None:
    one, other = make(), make()
    with one.action("bet-1") as action:
        with pytest.raises(Busy), other.action("bet-1"):
            pytest.fail("it must not run")
        with pytest.raises(ActionRefused), one.action("bet-1"):
            pytest.fail("it must not run")
        action.settle()


def test_the_standby_side_is_refused(make: Make) -> None:
    with pytest.raises(StandBy, match="blue is active"), make("green").action("bet-1"):
        pytest.fail("it must not run")


def test_a_cap_is_told_as_a_limit(make: Make, fence: Fence) -> None:
    fence.set_limits(Limits(currency="USD", cap_amount=Decimal(4)), by="op")
    with pytest.raises(LimitReached), make().action("bet-1", amount=FIVE, currency="USD"):
        pytest.fail("it must not run")


# -- how a block ends -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "outcome", "rolled_back"),
    [
        (RuntimeError("boom"), "in doubt", True),
        (TimeoutError("venue"), "in doubt", False),
        (ConnectionResetError("venue"), "in doubt", False),
        (KeyboardInterrupt(), "in doubt", False),
        (DefinitiveFailure("no funds"), "fail", False),
        (AuthenticationFailure("401"), "fail", True),
        (NotSent("bad odds"), "free", False),
        (LeaseEnded("late"), "free", False),
        (None, "in doubt", False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_what_a_block_is_left_with_decides_how_the_action_ends(
    make: Make, fence: Fence, error: BaseException | None, outcome: str, rolled_back: bool
) -> None:
    make("green")
    fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    make("blue")
    controller = make("green")
    try:
        with controller.action("bet-1"):
            if error is not None:
                raise error
    except BaseException as raised:
        assert raised is error
    claims = fence.open_claims()
    authority = fence.authority()
    assert authority is not None
    assert (authority.active is Slot.BLUE) is rolled_back
    if outcome == "in doubt":
        assert [(c.key, c.in_doubt) for c in claims] == [("bet-1", True)]
    else:
        assert claims == []
        assert bool(fence.client.exists(fence.keys.done("bet-1"))) is (outcome == "fail")


def test_an_action_is_settled_once(make: Make) -> None:
    with make().action("bet-1") as action:
        action.settle()
        with pytest.raises(UsageError):
            action.failed("no")


def test_declared_exceptions_are_definitive(make: Make, fence: Fence) -> None:
    class VenueRefused(Exception):
        pass

    controller = make(settings=Settings(definitive=(VenueRefused,)))
    with pytest.raises(VenueRefused), controller.action("bet-1"):
        raise VenueRefused
    with pytest.raises(AlreadyDone), controller.action("bet-1"):
        pytest.fail("it must not run")


def test_an_action_in_doubt_is_never_repeated_blindly(make: Make) -> None:
    controller = make()
    with pytest.raises(TimeoutError), controller.action("bet-1"):
        raise TimeoutError
    for side in (controller, make()):
        with pytest.raises(InDoubt), side.action("bet-1"):
            pytest.fail("it must not run")


def test_an_action_whose_lease_is_over_may_not_be_sent(make: Make, fence: Fence) -> None:
    controller = make(settings=Settings(lease_ms=31_000, margin_ms=30_000))
    sent = []
    with pytest.raises(LeaseEnded), controller.action("bet-1") as action:
        until(lambda: action.remaining_s <= 0)
        action.check()
        sent.append(1)
    assert sent == [] and not fence.client.exists(fence.keys.done("bet-1"))


# -- who may act ------------------------------------------------------------------------------------------------------


def test_a_switch_reaches_both_sides_and_is_acknowledged_by_name(make: Make, fence: Fence) -> None:
    blue, green = make("blue"), make("green")
    reply = fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    until(lambda: green.active and not blue.active)

    def acknowledged() -> bool:
        return {n: b["epoch"] for n, b in fence.heartbeats().items()} == {
            blue.instance: reply.epoch,
            green.instance: reply.epoch,
        }

    until(acknowledged)
    act(green)


def test_an_agent_that_missed_a_switch_back_and_forth_acts_in_the_new_epoch(make: Make, fence: Fence) -> None:
    controller = make(settings=Settings(heartbeat_ms=60_000))
    old = controller.epoch
    fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    fence.switch(SwitchRequest("blue", expected_epoch="any", by="op"))
    act(controller)
    assert controller.epoch > old


def test_a_hand_written_key_is_adopted_at_the_next_heartbeat(make: Make, fence: Fence) -> None:
    green = make("green", settings=Settings(heartbeat_ms=20))
    fence.client.set(fence.keys.active, "green")
    until(lambda: green.active)
    act(green)


def test_agents_alone_finish_a_drain(make: Make, fence: Fence) -> None:
    green = make("green", settings=Settings(heartbeat_ms=20))
    blue = make("blue")
    with pytest.raises(TimeoutError), blue.action("bet-1"):
        fence.switch(SwitchRequest("green", expected_epoch="any", drain_ms=30, by="op"))
        until(lambda: green.active)
        raise TimeoutError
    assert [c.in_doubt for c in fence.open_claims()] == [True]


@pytest.mark.parametrize("door", ["command", "key", "file"])
def test_a_halt_works_through_three_doors(make: Make, fence: Fence, tmp_path: Path, door: str) -> None:
    file = tmp_path / "halt"
    blue = make("blue", settings=Settings(heartbeat_ms=20, halt_file=file))
    act(blue)
    if door == "command":
        fence.halt("op", "stop")
    elif door == "key":
        fence.client.set(fence.keys.active, "halted")
    else:
        file.write_text("")
    until(lambda: blue.level is Level.HALT and not blue.active)
    with pytest.raises(ActionRefused), blue.action("bet-2"):
        pytest.fail("it must not run")
    until(lambda: fence.authority().phase is Phase.HALT)  # type: ignore[union-attr]


def test_a_halt_file_is_looked_at_before_every_claim(make: Make, tmp_path: Path) -> None:
    file = tmp_path / "halt"
    blue = make("blue", settings=Settings(heartbeat_ms=60_000, halt_file=file))
    file.write_text("reduce only")
    with pytest.raises(Halted, match="halt file"), blue.action("bet-1"):
        pytest.fail("it must not run")
    act(blue, "bet-2", direction=Direction.REDUCE)


def test_a_halt_file_that_can_not_be_looked_at_halts_this_process_alone(
    make: Make, fence: Fence, tmp_path: Path
) -> None:
    folder = tmp_path / "gone"
    blue = make("blue", settings=Settings(heartbeat_ms=20, halt_file=folder / "halt"))
    with pytest.raises(Halted), blue.action("bet-1"):
        pytest.fail("it must not run")
    until(lambda: fence.heartbeats()[blue.instance]["ready"] is False)
    assert fence.authority().phase is Phase.RUN  # type: ignore[union-attr]


# -- the store goes away ----------------------------------------------------------------------------------------------


@pytest.fixture
def own(valkey_server: Callable[..., Server]) -> Iterator[tuple[Server, Fence, Make]]:
    """A server to be killed, and agents on it."""
    from console.store.server.connect import connect_sync

    server = valkey_server()
    client = connect_sync(server.url, timeout_s=5)
    fence = Fence(client, Keys.of())
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    made: list[AgentController] = []

    def start(slot: str = "blue", **options: Any) -> AgentController:
        controller = AgentController(server.url, slot=slot, version="1", **options)
        controller.start()
        made.append(controller)
        return controller

    yield server, fence, start
    for controller in made:
        controller.stop()
    client.close()


def test_without_the_store_there_is_no_action_and_no_active_side(own: tuple[Server, Fence, Make]) -> None:
    server, _fence, start = own
    blue = start(settings=Settings(claim_patience_ms=50, stale_after_ms=200, heartbeat_ms=20))
    server.kill()
    with pytest.raises(StandBy), blue.action("bet-1"):
        pytest.fail("it must not run")
    until(lambda: blue.level is Level.REDUCE_ONLY and not blue.active)


def test_a_result_waits_on_disk_while_the_store_is_away(own: tuple[Server, Fence, Make], tmp_path: Path) -> None:
    server, fence, start = own
    blue = start(settings=Settings(heartbeat_ms=20, spool_dir=tmp_path))
    with blue.action("bet-1", amount=FIVE, currency="USD") as action:
        server.kill()
        action.settle("won")
    assert len(blue.spool) == 1 and b"bet-1" in (tmp_path / f"agent+{blue.instance}.spool").read_bytes()
    server.start()
    until(lambda: len(blue.spool) == 0)
    fence.client.close()
    assert [c.key for c in fence.open_claims()] == []
    until(lambda: (tmp_path / f"agent+{blue.instance}.spool").read_bytes() == b"", "its file to be emptied after it")


def test_what_a_dead_process_left_in_the_spool_is_sent_by_the_next(
    own: tuple[Server, Fence, Make], tmp_path: Path
) -> None:
    server, fence, start = own
    program = (
        "import os, sys\n"
        "from console.agent import AgentController, Settings\n"
        "from pathlib import Path\n"
        "c = AgentController(sys.argv[1], slot='blue', version='1', settings=Settings(spool_dir=Path(sys.argv[2])))\n"
        "c.start()\n"
        "with c.action('bet-1') as act:\n"
        "    print('sent', flush=True)\n"
        "    sys.stdin.readline()\n"
        "    act.settle('won')\n"
        "    os._exit(9)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, server.url, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert child.stdout is not None and child.stdin is not None
    assert child.stdout.readline() == "sent\n"
    server.kill()
    child.stdin.write("\n")
    child.stdin.flush()
    assert child.wait(30) == 9
    child.stdout.close()
    child.stdin.close()
    server.start()
    start(settings=Settings(heartbeat_ms=20, spool_dir=tmp_path))
    fence.client.close()
    until(lambda: fence.client.exists(fence.keys.done("bet-1")))


# -- doubts -----------------------------------------------------------------------------------------------------------


def doubtful(controller: AgentController, key: str) -> None:
    with pytest.raises(TimeoutError), controller.action(key):
        raise TimeoutError


def test_a_probe_resolves_what_the_venue_did(make: Make) -> None:
    controller = make()
    doubtful(controller, "bet-1")
    asked: list[str] = []

    def probe(claim: Any) -> Evidence | None:
        asked.append(claim.key)
        return Evidence(True, "bet_77 in the history", result="won", pnl=Decimal(3))

    assert controller.resolve(probe) == {"bet-1": ResolveCode.RESOLVED}
    assert asked == ["bet-1"]
    with pytest.raises(AlreadyDone), controller.action("bet-1"):
        pytest.fail("it must not run")


def test_a_probe_that_knows_nothing_leaves_the_doubt(make: Make, fence: Fence) -> None:
    controller = make()
    doubtful(controller, "bet-1")
    assert controller.resolve(lambda _claim: None) == {}
    assert len(fence.open_claims()) == 1


def test_the_holder_itself_may_say_not_executed_after_the_quarantine(make: Make) -> None:
    controller = make(settings=Settings(lease_ms=60, margin_ms=10, quarantine_ms=0))
    doubtful(controller, "bet-1")
    answer: dict[str, ResolveCode] = {}

    def resolved() -> bool:
        answer.update(controller.resolve(lambda _claim: Evidence(False, "not in the history")))
        return answer["bet-1"] is ResolveCode.RESOLVED

    until(resolved)
    act(controller)


def test_what_a_probe_saw_before_the_quarantine_was_over_is_no_evidence_after_it(make: Make) -> None:
    """The venue executes late; the probe has looked before that, and its answer took until the quarantine was over."""
    controller = make(settings=Settings(lease_ms=100, margin_ms=20, quarantine_ms=300))
    with pytest.raises(TimeoutError), controller.action("bet-1"):
        raise TimeoutError("the venue did not answer")

    def slow(_claim: object) -> Evidence:
        time.sleep(0.6)
        return Evidence(False, "not in the history")

    assert controller.resolve(slow) == {"bet-1": ResolveCode.TOO_EARLY}
    assert controller.resolve(slow) == {"bet-1": ResolveCode.RESOLVED}  # the quarantine was over when it looked


def test_another_agents_doubt_is_not_called_not_executed_while_it_is_alive(make: Make) -> None:
    holder = make()
    doubtful(holder, "bet-1")
    answers = make(settings=Settings(quarantine_ms=0)).resolve(lambda _claim: Evidence(False, "not in the history"))
    assert answers == {"bet-1": ResolveCode.HOLDER_ALIVE}


def test_a_holder_whose_process_is_gone_is_dead(make: Make, fence: Fence, store_url: str) -> None:
    program = (
        "import os, sys\n"
        "from console.agent import AgentController, Settings\n"
        "c = AgentController(sys.argv[1], slot='blue', version='1', settings=Settings(lease_ms=300, margin_ms=100))\n"
        "c.start()\n"
        "with c.action('bet-1'):\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program, store_url], check=False, cwd=ROOT)
    other = make(settings=Settings(quarantine_ms=0, heartbeat_ms=20))
    until(lambda: fence.open_claims()[0].in_doubt)
    asked: set[Proof] = set()

    def probe(claim: Any) -> Evidence:
        asked.add(other.core.proof(claim, fence.heartbeats()[claim.instance]))
        return Evidence(False, "not in the history")

    assert other.resolve(probe) == {"bet-1": ResolveCode.HOLDER_ALIVE}  # its last heartbeat is fresh
    until(lambda: other.resolve(probe) == {"bet-1": ResolveCode.RESOLVED})
    assert asked == {Proof.GONE}


# -- flags, log, loop -------------------------------------------------------------------------------------------------

SPECS = (FlagSpec("game", FlagType.STRING, "dice"), FlagSpec("max_bets", FlagType.NUMBER, "50"))


def test_a_flag_that_is_set_reaches_the_agent_by_push(make: Make, fence: Fence) -> None:
    flags = Flags(SPECS)
    make(flags=flags, settings=Settings(heartbeat_ms=60_000))
    assert (flags.text("game"), flags.number("max_bets")) == ("dice", Decimal(50))
    fence.set_flag(FlagWrite("game", expected=None, value="crash"))
    until(lambda: flags["game"] == "crash")


def test_a_flag_written_by_hand_reaches_the_agent_at_the_next_heartbeat(make: Make, fence: Fence) -> None:
    flags = Flags(SPECS)
    make(flags=flags, settings=Settings(heartbeat_ms=20))
    fence.client.set(fence.keys.flag("max_bets"), "7")
    until(lambda: flags.number("max_bets") == 7)


def test_a_flag_of_another_type_reads_as_its_default_and_the_instance_is_not_ready(make: Make, fence: Fence) -> None:
    fence.client.set(fence.keys.flag("max_bets"), "many")
    fence.client.rpush(fence.keys.flag("game"), "x")
    flags = Flags(SPECS)
    controller = make(flags=flags, settings=Settings(heartbeat_ms=20))
    assert flags.number("max_bets") == 50 and set(flags.problems) == {"game", "max_bets"}
    until(lambda: fence.heartbeats()[controller.instance]["ready"] is False)


def test_with_stale_flags_an_agent_may_only_reduce(own: tuple[Server, Fence, Make]) -> None:
    _server, _fence, start = own
    flags = Flags(SPECS, stale_after_s=0.02)
    controller = start(flags=flags, settings=Settings(heartbeat_ms=60_000))
    until(lambda: flags.stale)
    assert controller.level is Level.REDUCE_ONLY
    with pytest.raises(StandBy, match="flags"), controller.action("bet-1"):
        pytest.fail("it must not run")
    act(controller, "bet-2", direction=Direction.REDUCE)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_decision_log_that_can_not_be_written_stops_money_actions(make: Make) -> None:
    log = DecisionLog("/dev/full", version="2.4.0")
    controller = make(
        log=log,
        settings=Settings(heartbeat_ms=60_000),
        decide=lambda _s: Proposal("bet-1"),
        execute=lambda _w, _a: "done",
    )
    controller.round()
    assert "can't be written" in log.problem
    with pytest.raises(Halted), controller.action("bet-2"):
        pytest.fail("it must not run")
    log.close()


def test_the_loop_acts_when_its_side_becomes_active_and_records_what_it_did(
    make: Make, fence: Fence, store_url: str, tmp_path: Path
) -> None:
    acted: list[str] = []
    done = threading.Event()

    class Green(AgentController):
        def read_state(self) -> int:
            return len(acted)

        def decide(self, state: int) -> Proposal | None:
            return Proposal(f"bet-{state}", FIVE, "USD", kind="bet", inputs={"n": state}, reasoning="why not")

        def execute(self, wanted: Proposal, act: Any) -> object:
            acted.append(wanted.key)
            return {"won": True}

        def write_state(self, result: object) -> None:
            done.set()

    log = DecisionLog(tmp_path / "d.jsonl", version="2.4.0", slot="green")
    make("blue")
    green = Green(store_url, slot="green", version="2.4.0", log=log)
    thread = threading.Thread(target=green.run, kwargs={"interval_s": 60.0, "until": done.is_set}, daemon=True)
    thread.start()
    until(lambda: green.instance in fence.heartbeats())
    fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    assert done.wait(10)
    fence.halt("op", "enough")
    thread.join(10)
    green.stop()
    assert acted == ["bet-0"]
    record = (tmp_path / "d.jsonl").read_text()
    assert '"decision_type":"bet"' in record and '"outcome":"ok"' in record
    log.close()


def test_an_exception_while_deciding_rolls_the_active_side_back(make: Make, fence: Fence) -> None:
    fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    make("blue")

    def broken(_state: object) -> Proposal:
        raise ZeroDivisionError("odds")

    green = make("green", decide=broken)
    with pytest.raises(ZeroDivisionError):
        green.round()
    assert fence.authority().active is Slot.BLUE  # type: ignore[union-attr]


def test_an_exception_on_the_standby_side_changes_nothing(make: Make, fence: Fence) -> None:
    def broken(_state: object) -> Proposal:
        raise ZeroDivisionError("odds")

    green = make("green", decide=broken)
    with pytest.raises(ZeroDivisionError):
        green.round()
    assert fence.authority().active is Slot.BLUE  # type: ignore[union-attr]
    assert fence.authority().phase is Phase.RUN  # type: ignore[union-attr]


def test_stopping_says_goodbye(make: Make, fence: Fence) -> None:
    controller = make()
    controller.stop()
    assert fence.heartbeats() == {}


def test_the_library_draws_nothing() -> None:
    program = (
        "import sys, console.agent, console.agent.aio\n"
        "print([m for m in ('textual', 'rich', 'click') if m in sys.modules])"
    )
    process = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert process.stdout == "[]\n"


def test_money_mode_refuses_to_start_where_a_double_execution_would_be_possible(
    valkey_server: Callable[..., Server],
) -> None:
    url = valkey_server(maxmemory_policy="allkeys-lru").url
    controller = AgentController(url, slot="blue", version="1")
    with pytest.raises(Refused, match="eviction"):
        controller.start()
    rehearsal = AgentController(url, slot="blue", version="1", settings=Settings(money=False))
    rehearsal.start()
    rehearsal.stop()


def test_a_server_that_was_away_at_the_start_is_examined_before_the_first_action(
    valkey_server: Callable[..., Server],
) -> None:
    server = valkey_server(maxmemory_policy="allkeys-lru")
    with connect_sync(server.url) as client:
        Fence(client, Keys.of()).switch(SwitchRequest("blue", expected_epoch=0, by="test"))
    server.kill()
    with AgentController(server.url, slot="blue", version="1") as controller:
        with pytest.raises(ActionRefused, match="could not be examined"), controller.action("bet-1"):
            pytest.fail("nothing may be sent")
        server.start()
        deadline = time.monotonic() + 30
        while "not fit" not in controller.core.unexamined:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with pytest.raises(ActionRefused, match="eviction"), controller.action("bet-1"):
            pytest.fail("nothing may be sent")
