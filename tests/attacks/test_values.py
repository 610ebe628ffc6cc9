"""What an author hands over is refused before anything is sent, or recorded after: never lost, and no heart dies."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from enum import Enum, StrEnum
from fractions import Fraction
from typing import Any

import pytest

from console.agent import AgentController, AlreadyDone, Direction, Flags, FlagSpec, FlagType, Settings
from console.domain.errors import ConsoleError
from tests.attacks.scene import QUICK, Scene
from tests.waiting import until


class Speechless:
    """Can't be put into words."""

    def __repr__(self) -> str:
        raise RuntimeError("no words")

    __str__ = __repr__


class Float64(float):
    """As numpy's: a float with another repr."""

    def __repr__(self) -> str:
        return f"np.float64({float(self)})"

    def __str__(self) -> str:
        return float.__repr__(self)


class Array:
    """As numpy's: compares elementwise, and has no truth value."""

    def __eq__(self, _other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise ValueError("the truth value of an array is ambiguous")

    __hash__ = None  # type: ignore[assignment]


class Key(StrEnum):
    """Keys as an enumeration."""

    BET = "bet"


class Odd(str):
    """A text that lies about itself."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def circular() -> dict[str, Any]:
    it: dict[str, Any] = {}
    it["it"] = it
    return it


def nested(depth: int = 100_000) -> list[Any]:
    it: list[Any] = []
    for _ in range(depth):
        it = [it]
    return it


def alive(scene: Scene, controller: AgentController) -> None:
    """The heart beats on, and the next action is possible."""
    seen = controller.core.beaten_at
    until(lambda: controller.core.beaten_at > seen, "the next heartbeat")
    assert not controller.core.defects
    if scene.phase() == "RUN":
        assert scene.attempt(controller, f"next-{seen}") == "ok"


REFUSED: dict[str, dict[str, Any]] = {
    "a float": {"amount": 0.1},
    "a bool": {"amount": True},
    "a fraction": {"amount": Fraction(1, 3)},
    "numpy's float": {"amount": Float64(0.5)},
    "an array": {"amount": Array()},
    "an amount without words": {"amount": Speechless()},
    "a text": {"amount": "5"},
    "NaN": {"amount": Decimal("NaN")},
    "a signalling NaN": {"amount": Decimal("sNaN")},
    "infinity": {"amount": Decimal("Infinity")},
    "less than nothing": {"amount": Decimal(-1)},
    "a third": {"amount": Decimal(1) / 3},
    "too fine": {"amount": Decimal("1e-19")},
    "absurdly fine": {"amount": Decimal("1e-999999")},
    "too much": {"amount": Decimal(10) ** 18},
    "absurdly much": {"amount": Decimal("1e999999")},
    "a huge int": {"amount": 10**5000},
    "no amount": {"amount": None},
    "a bytes key": {"key": b"bet"},
    "an int key": {"key": 5},
    "no key": {"key": None},
    "an empty key": {"key": ""},
    "a key of 10 kB": {"key": "x" * 10_000},
    "half an emoji": {"key": "bet-\ud83d"},
    "a key of two lines": {"key": "a\nb"},
    "a key with a null": {"key": "a\x00b"},
    "a key with a separator of C1": {"key": "a\x85b"},
    "a list for a key": {"key": ["bet"]},
    "a key without words": {"key": Speechless()},
    "a currency of two lines": {"currency": "U\nS"},
    "a currency of bytes": {"currency": b"USD"},
    "a long currency": {"currency": "x" * 1_000},
    "an action of 10 MB": {"action": "x" * 10_000_000},
    "an action that is none": {"action": {"a": 1}},
    "half an emoji in an action": {"action": "x\ud800"},
    "no direction": {"direction": "sideways"},
    "a list for a direction": {"direction": []},
    "a negative retention": {"retention_ms": -1},
    "a fractional retention": {"retention_ms": 1.5},
    "a bool for a retention": {"retention_ms": True},
    "an eternal retention": {"retention_ms": 10**30},
}


@pytest.mark.parametrize("options", REFUSED.values(), ids=REFUSED.keys())
def test_what_can_not_be_recorded_is_refused_before_anything_is_sent(
    scene: Scene, controller: AgentController, options: dict[str, Any]
) -> None:
    with pytest.raises(ConsoleError), controller.action(**{"key": "bet", **options}):
        pytest.fail("it must not run")
    assert scene.open() == {} and scene.phase() == "RUN"
    alive(scene, controller)


ACCEPTED: dict[str, dict[str, Any]] = {
    "an int": {"amount": 5, "currency": "USD"},
    "the least there is": {"amount": Decimal("1e-18"), "currency": "ETH"},
    "the most there is": {"amount": Decimal("9" * 18 + "." + "9" * 18), "currency": "ETH"},
    "less than nothing that is nothing": {"amount": Decimal("-0"), "currency": "USD"},
    "a text for a direction": {"direction": "reduce"},
    "a direction": {"direction": Direction.ADJUST},
    "an enumeration's key": {"key": Key.BET},
    "a key of words": {"key": "wette-é-日本-🎲"},
    "a key of 200": {"key": "🎲" * 200},
    "an action of 64 kB": {"action": "🎲" * 65_536},
    "for ever": {"retention_ms": 0},
}


@pytest.mark.parametrize("options", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_can_be_recorded_is_executed_once(
    scene: Scene, controller: AgentController, options: dict[str, Any]
) -> None:
    options = {"key": "bet", **options}
    assert scene.attempt(controller, **options) == "ok"
    assert scene.attempt(scene.agent(), **options) == "AlreadyDone"
    alive(scene, controller)


RESULTS: dict[str, Any] = {
    "circular": circular,
    "nested too deeply": nested,
    "without words": Speechless,
    "a list without words": lambda: [Speechless()],
    "half an emoji": lambda: "won \ud83d",
    "half an emoji inside": lambda: {"why": "won \ud83d"},
    "70 kB": lambda: "r" * 70_000,
    "10 MB": lambda: {"r": "r" * 10_000_000},
    "bytes": lambda: b"won",
    "NaN": lambda: float("nan"),
    "a huge int": lambda: 10**5000,
    "keys that are tuples": lambda: {(1, 2): 3},
    "an array": Array,
    "a class": lambda: Array,
    "a text that lies": lambda: Odd("won"),
    "an exception": lambda: ValueError("won"),
    "control characters": lambda: "a\x00b\nc\x1b[31m",
}


@pytest.mark.parametrize("how", ["settle", "failed", "unknown"])
@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS.keys())
def test_a_result_of_any_kind_is_recorded(scene: Scene, controller: AgentController, result: Any, how: str) -> None:
    with controller.action("bet") as act:
        scene.executed["bet"] += 1
        getattr(act, how)(result())
    assert scene.attempt(controller, "bet") == ("InDoubt" if how == "unknown" else "AlreadyDone")
    assert len(controller.spool) == 0 and scene.phase() == "RUN"
    alive(scene, controller)


MONEY: dict[str, tuple[Any, Decimal]] = {
    "an int": (5, Decimal(5)),
    "a float": (0.1, Decimal("0.1")),
    "numpy's float": (Float64(0.25), Decimal("0.25")),
    "a text": ("-1.5", Decimal("-1.5")),
    "eight decimals": (Decimal("0.12345678"), Decimal("0.12345678")),
    "a wei": (Decimal("-1e-18"), Decimal("-1e-18")),
    "a third of a gain": (Decimal(1) / 3, Decimal("0.333333333333333333")),
    "a third of a loss": (Decimal(-1) / 3, Decimal("-0.333333333333333334")),
    "absurdly small": (Decimal("1e-999999"), Decimal(0)),
    "an absurdly small loss": (Decimal("-1e-999999"), Decimal("-1e-18")),
}


@pytest.mark.parametrize(("pnl", "counted"), MONEY.values(), ids=MONEY.keys())
def test_a_profit_of_any_kind_is_counted_on_the_safe_side(
    scene: Scene, controller: AgentController, pnl: Any, counted: Decimal
) -> None:
    from console.store.fence.calls import Limits

    scene.fence.set_limits(Limits(currency="USD"), by="op")
    with controller.action("bet", currency="USD") as act:
        act.settle("won", pnl=pnl)
    assert Decimal(scene.client.hget(scene.fence.keys.ctl, "c_pnl").decode()) / 1_000_000 == counted
    assert scene.phase() == "RUN"
    alive(scene, controller)


@pytest.mark.parametrize(
    "pnl",
    [
        float("nan"),
        float("inf"),
        Decimal("sNaN"),
        True,
        None,
        Fraction(1, 3),
        10**5000,
        "five",
        Speechless(),
        Array(),
        b"5",
    ],
    ids=["nan", "inf", "snan", "bool", "none", "fraction", "huge", "words", "speechless", "array", "bytes"],
)
def test_a_profit_that_is_no_amount_leaves_the_action_in_doubt_and_trips(
    scene: Scene, controller: AgentController, pnl: Any
) -> None:
    with controller.action("bet", amount=Decimal(1), currency="USD") as act:
        scene.executed["bet"] += 1
        act.settle("won", pnl=pnl)
    assert scene.open() == {"bet": True}
    assert scene.phase() == "HALT"  # there is no other side
    alive(scene, controller)


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError("bad \ud800"),
        TimeoutError(Speechless()),
        TimeoutError("x" * 10_000_000),
        TimeoutError("two\nlines\x00"),
        ExceptionGroup("several", [TimeoutError("one"), TimeoutError("two")]),
    ],
    ids=["half an emoji", "speechless", "long", "control characters", "a group"],
)
def test_an_exception_of_any_words_leaves_a_doubt_that_is_seen(
    scene: Scene, controller: AgentController, error: Exception
) -> None:
    with pytest.raises(type(error)), controller.action("bet"):
        raise error
    assert scene.open() == {"bet": True} and scene.attempt(controller, "bet") == "InDoubt"
    alive(scene, controller)


@pytest.mark.parametrize("trigger", ["two\nlines", "\ud800", "x" * 10_000, Speechless(), 5])
def test_a_trigger_of_any_words_trips(scene: Scene, controller: AgentController, trigger: Any) -> None:
    with controller.action("bet") as act:
        act.failed("refused", trigger=trigger)
    assert act.tripped == "halt" and scene.phase() == "HALT"
    assert scene.open() == {} and len(controller.spool) == 0


@pytest.mark.parametrize("words", ["two\nlines", "half \ud800", "x" * 100_000, "nul\x00"])
def test_a_halt_for_any_reason_halts(scene: Scene, controller: AgentController, words: str) -> None:
    controller.halt(words)
    assert scene.phase() == "HALT"


@pytest.mark.parametrize("words", ["two\nlines", "half \ud800", "x" * 100_000])
def test_a_trip_for_any_reason_trips(scene: Scene, controller: AgentController, words: str) -> None:
    controller.trip(words)
    assert scene.phase() == "HALT"


@pytest.mark.parametrize("name", ["instance", "version", "build", "config"])
@pytest.mark.parametrize("words", ["half \ud800", "two\nlines", "x" * 10_000, b"bytes", 5, "\x7f"])
def test_a_name_that_can_not_be_recorded_is_refused_when_the_controller_is_made(
    scene: Scene, name: str, words: Any
) -> None:
    with pytest.raises(ConsoleError):
        AgentController(scene.url, **{"slot": "blue", "version": "1", name: words})


@pytest.mark.parametrize("instance", ["../../evil", "a/b", "a\\b", ".hidden", "con~1", "🎲", "a b"])
def test_an_instance_of_any_name_beats_and_spools_inside_its_folder(scene: Scene, tmp_path: Any, instance: str) -> None:
    folder = tmp_path / "deep" / "spool"
    controller = scene.agent(instance=instance, settings=QUICK._replace(spool_dir=folder))
    assert scene.attempt(controller, "bet") == "ok"
    assert {path.parent for path in tmp_path.rglob("*.spool")} == {folder}


def test_a_flag_that_can_not_be_read_any_more_keeps_its_last_value_and_is_told(scene: Scene) -> None:
    flags = Flags([FlagSpec("accept_escrows", FlagType.BOOL, "True"), FlagSpec("target", FlagType.NUMBER, "2.0")])
    client, keys = scene.client, scene.fence.keys
    client.set(keys.flag("accept_escrows"), "False")
    controller = scene.agent(flags=flags)
    until(lambda: flags.on("accept_escrows") is False, "the flag to be read")
    with client.pipeline() as pipe:
        pipe.delete(keys.flag("accept_escrows"))
        pipe.hset(keys.flag("accept_escrows"), "a", "b")
        pipe.execute()
    until(lambda: flags.problems, "the trouble to be seen")
    assert flags.on("accept_escrows") is False and not controller.core.defects
    client.delete(keys.flag("accept_escrows"))
    until(lambda: flags.on("accept_escrows"), "a missing flag to read as its default")
    client.set(keys.flag("accept_escrows"), "perhaps")
    until(lambda: flags.problems, "the trouble to be seen")
    assert flags.on("accept_escrows") is True


def test_flags_that_may_not_be_read_any_more_keep_their_values_and_grow_old(own_scene: Callable[..., Scene]) -> None:
    """A rule that took the agent's rights on them: it may only reduce what it has, and says why."""
    scene = own_scene()
    assert scene.server is not None
    scene.client.set(scene.fence.keys.flag("accept_escrows"), "False")
    scene.client.acl_setuser("agent", enabled=True, passwords=["+p"], commands=["+@all"], keys=["*"])
    flags = Flags([FlagSpec("accept_escrows", FlagType.BOOL, "True")], stale_after_s=0.5)
    controller = AgentController(
        scene.url.replace("unix://", "unix://agent:p@"), slot="blue", version="1", settings=QUICK, flags=flags
    )
    controller.start()
    scene.agents.append(controller)
    assert scene.attempt(controller, "bet") == "ok" and flags.on("accept_escrows") is False
    scene.server.command("ACL", "SETUSER", "agent", "resetkeys", "~ac:*", "~agent:*")
    until(lambda: flags.stale, "the flags to grow old", timeout_s=5)
    assert flags.on("accept_escrows") is False
    assert scene.attempt(controller, "next") == "StandBy"
    assert scene.attempt(controller, "exit", direction=Direction.REDUCE) == "ok"


def test_settings_that_mean_nothing_are_refused() -> None:
    from console.agent.fence.settings import check_settings

    for wrong in (
        Settings(lease_ms=True),
        Settings(lease_ms=5.0),  # type: ignore[arg-type]
        Settings(lease_ms=100, margin_ms=100),
        Settings(heartbeat_ms=0),
        Settings(quarantine_ms=-1),
        Settings(retention_ms=10**30),
        Settings(doubtful=[TimeoutError]),  # type: ignore[arg-type]
    ):
        with pytest.raises(ConsoleError):
            check_settings(wrong)


class Colour(Enum):
    """No text."""

    BLUE = "blue"


@pytest.mark.parametrize("slot", ["Blue", "", None, 0, Colour.BLUE, b"blue", ["blue"]])
def test_a_slot_that_is_none_is_refused(scene: Scene, slot: Any) -> None:
    with pytest.raises(ConsoleError):
        AgentController(scene.url, slot=slot, version="1")


def test_the_recorded_result_is_what_was_told(scene: Scene, controller: AgentController) -> None:
    told = {"won": True, "odds": [1.5, 2], "text": "日本 \n\t 🎲"}
    with controller.action("bet") as act:
        act.settle(told)
    with pytest.raises(AlreadyDone) as before, controller.action("bet"):
        pytest.fail("it must not run")
    assert json.loads(before.value.done.result) == told
