"""Every key says what it did; a dangerous one asks first, with *no* as the answer it takes for granted."""

from __future__ import annotations

import asyncio

import pytest

from console.domain.errors import Conflict, ReadOnly, StoreUnreachable, UsageError
from console.domain.operator.command import GateLine
from console.screens.parts.dialogs import ChoiceScreen, ConfirmScreen, TextScreen
from tests.screens.doubles import NARROW, WIDE, console, drawn, operator_of, source_of, status_of
from tests.waiting import until_async

BOTH_SIZES = pytest.mark.parametrize("size", [WIDE, NARROW])


@BOTH_SIZES
async def test_a_switch_shows_its_evidence_and_y_carries_it_out_on_what_the_dialog_showed(
    size: tuple[int, int],
) -> None:
    app = console()
    async with app.run_test(size=size) as pilot:
        await pilot.press("s")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        assert "plain agents obey at their next poll" in drawn(app)
        assert operator_of(app).done == []
        await pilot.press("y")
        await pilot.pause()
        assert operator_of(app).done == [("switch", {"expect_epoch": "41"}, "")]
        assert status_of(app) == "Switch: active version blue → green · 1.4 ms · u undoes"
        assert source_of(app).refreshed == 1


@pytest.mark.parametrize("answer", ["n", "escape", "enter"])
@pytest.mark.parametrize("key", ["s", "R", "H", "u"])
async def test_anything_but_y_changes_nothing_and_says_so(key: str, answer: str) -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press(answer)
        await pilot.pause()
        assert operator_of(app).done == []
        assert "nothing was changed" in status_of(app)


async def test_roll_back_is_one_key_and_one_y() -> None:
    app = console()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("R", "y")
        await pilot.pause()
        assert [name for name, _args, _reason in operator_of(app).done] == ["rollback"]


async def test_a_roll_back_is_asked_for_even_when_what_is_can_not_be_read() -> None:
    app = console()
    operator_of(app).preview_error = StoreUnreachable("The store did not answer.")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("R")
        await pilot.pause()
        assert "The store did not answer." in drawn(app)
        await pilot.press("y")
        await pilot.pause()
        assert [name for name, _args, _reason in operator_of(app).done] == ["rollback"]


async def test_a_switch_is_not_asked_for_when_what_is_can_not_be_read() -> None:
    app = console()
    operator_of(app).preview_error = StoreUnreachable("The store did not answer.", "It is tried again.")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("s")
        await pilot.pause()
        assert not isinstance(app.screen, ConfirmScreen)
        assert status_of(app) == "Switch: store unreachable. The store did not answer. It is tried again."


async def test_closed_gates_are_shown_with_their_evidence() -> None:
    app = console()
    operator_of(app).gates = (GateLine("shadow rounds", False, "12 of 50"),)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("s")
        await pilot.pause()
        assert "CLOSED" in drawn(app)
        assert "12 of 50" in drawn(app)


async def test_space_toggles_the_flag_under_the_cursor_at_once() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("f", "down", "up", "space")
        await pilot.pause()
        assert operator_of(app).done == [("flag toggle", {"name": "accept_escrows"}, "")]


async def test_on_a_protected_profile_a_toggle_is_asked_for() -> None:
    app = console("protected", protected=True)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("f", "space")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        assert operator_of(app).done == []


async def test_space_away_from_the_flags_toggles_nothing_and_says_where_to_go() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("space")
        await pilot.pause()
        assert operator_of(app).done == []
        assert "f goes to the flags" in status_of(app)


async def test_restore_lets_one_choose_a_snapshot_and_shows_what_can_not_be_undone() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("L")
        await pilot.pause()
        assert isinstance(app.screen, ChoiceScreen)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert "3 trades since the snapshot" in drawn(app)
        await pilot.press("y")
        await pilot.pause()
        name, args, _reason = operator_of(app).done[0]
        assert (name, args["file"]) == ("snapshot restore", "20260314T131131Z")


async def test_restore_without_any_snapshot_says_how_to_take_one() -> None:
    app = console()
    operator_of(app).snapshots = ()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("L")
        await pilot.pause()
        assert "S takes one." in status_of(app)


async def test_a_first_switch_asks_which_version_shall_act() -> None:
    app = console("never-switched")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("s")
        await pilot.pause()
        assert isinstance(app.screen, ChoiceScreen)
        await pilot.press("down", "enter")
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause()
        assert operator_of(app).done[0][1]["slot"] == "green"


async def test_h_resumes_a_halted_agent_and_asks_why() -> None:
    app = console("halted")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("H")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press(*"checked", "enter")
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause()
        name, _args, reason = operator_of(app).done[0]
        assert (name, reason) == ("resume", "checked")


async def test_what_is_being_carried_out_is_said_at_once_and_not_started_twice() -> None:
    app = console()
    operator_of(app).hold = asyncio.Event()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("S")  # a command is a worker of its own, for which no pause of the pilot waits
        await until_async(lambda: status_of(app) == "Take a snapshot …" and operator_of(app).done)
        await pilot.press("S")
        await until_async(lambda: "still being carried out" in status_of(app))
        assert len(operator_of(app).done) == 1
        operator_of(app).hold.set()
        await until_async(lambda: "1.4 ms" in status_of(app))


@pytest.mark.parametrize(
    "error",
    [
        ReadOnly("This console may look and not touch.", "Start it without --read-only."),
        Conflict("Somebody else switched to green.", "Look again, then decide."),
        StoreUnreachable("The store did not answer; whether it took effect is unknown.", "Look at the active key."),
    ],
)
async def test_a_refusal_says_what_happened_and_what_to_do(error: Exception) -> None:
    app = console()
    operator_of(app).error = error  # type: ignore[assignment]
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("S")
        await pilot.pause()
        assert error.message in status_of(app)
        assert error.hint in status_of(app)


async def test_a_command_that_fails_unforeseen_is_told_and_the_console_stays() -> None:
    app = console()
    operator_of(app).error = ZeroDivisionError("oh")  # type: ignore[assignment]
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("S")
        await pilot.pause()
        assert "Whether it took effect is not known" in status_of(app)
        assert app.is_running


async def test_help_lists_the_keys_of_the_panel_with_the_focus_and_every_command() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("f", "question_mark")
        await pilot.pause()
        assert isinstance(app.screen, TextScreen)
        text = drawn(app)
        assert "Keys · Flags" in text
        assert "Toggle the row under the cursor" in text
        assert "flag set NAME VALUE" in "\n".join("".join(t for t, _ in line) for line in app.screen._lines)
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, TextScreen)


async def test_every_binding_has_an_id_and_a_tooltip() -> None:
    app = console()
    async with app.run_test(size=WIDE):
        for node, bindings in app.screen._binding_chain:
            if node is app:
                continue
            for _key, binding in bindings:
                assert binding.id, binding
                assert binding.tooltip, binding


async def test_no_binding_is_on_a_key_that_terminals_take() -> None:
    app = console()
    async with app.run_test(size=WIDE):
        keys = {key for _node, bindings in app.screen._binding_chain for key, _binding in bindings}
        assert not keys & {"ctrl+a", "ctrl+b", "ctrl+s", "ctrl+z", "ctrl+q", "ctrl+enter"}
        assert not [key for key in keys if key.startswith("alt+")]


async def test_a_binding_can_be_moved() -> None:
    app = console(keys={"run.switch": "w"})
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("s")
        await pilot.pause()
        assert not isinstance(app.screen, ConfirmScreen)
        await pilot.press("w")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert "w switch" in drawn(app)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"run.swich": "w"}, "there is no binding 'run.swich'"),
        ({"run.switch": "p"}, "run.switch and view.pause would both be on p"),
        ({"run.switch": "j"}, "list.down and run.switch would both be on j"),
        ({"run.switch": "ctrl+s"}, "terminals take it"),
        ({"run.switch": ""}, "no key is given"),
    ],
)
def test_an_override_that_can_not_be_obeyed_is_refused_with_its_reason(keys: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        console(keys=keys)
    assert said in refused.value.message


async def test_two_bindings_may_change_places() -> None:
    app = console(keys={"run.switch": "p", "view.pause": "s"})
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("p")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)


async def test_q_leaves_with_exit_code_0_and_stops_watching() -> None:
    app = console()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0
    assert source_of(app).cancelled.is_set()
