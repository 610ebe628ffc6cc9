"""The guards on the screens: who guards, what each trigger sees, what tripped, and who has seen it."""

from __future__ import annotations

import pytest

from console.domain.guard.alerts import AlertKind
from console.domain.text import clean
from console.screens.parts.dialogs import TextScreen
from tests.scenarios import observation
from tests.scenarios.guarded import alert, guarded
from tests.scenarios.parts import logs, observed
from tests.screens.doubles import NARROW, WIDE, console, drawn, operator_of, source_of
from widgets.lists.grid import Grid

EVIL = "\x1b]0;own\x07[@click=app.quit]x[/] [/x] \u202egpj\x1b[2J"


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("guarded", ["guard ✔ guard-2 +1 0.4 s", "✔ PnL", "−0.4 of −3σ", "44 of 82 ms     n 180", "4 of 60 s"]),
        ("no-guard", ["guard ▲ NO GUARD", "nothing rolls back by itself", "Run `agent-console guard`."]),
        ("guard-silent", ["NO GUARD", "guard-2 is silent", "looked 90 s ago"]),
        ("guard-blind", ["can't see", "guard-2: the decision log can't"]),
        ("tripped", ["✖ ROLLED BACK 41 s ago: pnl: lost 60.5 USD", "✖ PnL", "−60.5 of −60 USD HARM"]),
        ("dry-and-off", ["91 of 82 ms       dry", "– escrow gap                     off"]),
        ("trigger-stale", ["◌ PnL", "STALE"]),
    ],
)
async def test_what_the_guards_see_is_said_at_a_glance(scenario: str, said: list[str]) -> None:
    app = console(scenario)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        for words in said:
            assert words in drawn(app)


@pytest.mark.parametrize("screen", ["1", "2", "5", "6", "8"])
@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_trip_stands_on_every_screen_until_it_is_acknowledged(screen: str, size: tuple[int, int]) -> None:
    app = console("tripped")
    async with app.run_test(size=size) as pilot:
        await pilot.press(screen)
        await pilot.pause()
        assert "ROLLED BACK 41 s ago" in drawn(app).splitlines()[1]
        source_of(app).say(observation("alert-acknowledged"))
        await pilot.pause(0.3)
        assert "ROLLED BACK" not in drawn(app).splitlines()[1]


async def test_zooming_the_triggers_shows_why_each_is_as_it_is() -> None:
    app = console("guarded")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        app.screen.query_one("#triggers-grid", Grid).focus()
        await pilot.press("z")
        await pilot.pause()
        assert "-0.40 σ; bound +0.31" in drawn(app)
        await pilot.press("z")
        await pilot.pause()
        assert app.focused is app.screen.query_one("#triggers-grid")


async def test_on_a_small_terminal_the_evidence_is_wrapped_and_not_cut() -> None:
    app = console("tripped")
    async with app.run_test(size=(60, 24)) as pilot:
        await pilot.pause()
        await pilot.press("exclamation_mark")
        await pilot.pause()
        text = drawn(app)
        assert "session bets 31 of 50; volatility" in text
        assert "above the band" in text
        assert "…" not in text


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_the_key_of_the_banner_shows_the_evidence(size: tuple[int, int]) -> None:
    app = console("tripped")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press("exclamation_mark")
        await pilot.pause()
        assert isinstance(app.screen, TextScreen)
        text = drawn(app)
        assert "rolled back (high)" in text
        assert "-60.5 of -60" in text
        assert "decisions.jsonl@18349" in text
        assert "nobody yet" in text


async def test_a_sample_decision_that_is_still_there_is_shown_whole() -> None:
    app = console("tripped")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("exclamation_mark")
        await pilot.pause()
        assert isinstance(app.screen, TextScreen)
        assert "the record as it was written" in drawn(app)


async def test_enter_on_a_trigger_says_what_each_guard_found() -> None:
    app = console("tripped")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        grid = app.screen.query_one("#triggers-grid", Grid)
        grid.focus()
        grid.go_to("pnl")
        await pilot.press("enter")
        await pilot.pause()
        assert "lost 60.5 USD: the budget was 60" in drawn(app)
        assert "HARM, armed; due: roll back" in drawn(app)


async def test_a_acknowledges_the_alert_in_the_banner_after_a_y() -> None:
    app = console("tripped")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("a")
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause(0.1)
        ((name, args, _reason),) = operator_of(app).done
        seen = observation("tripped").store
        assert seen is not None
        (rolled,) = [one for one in seen.alerts if one.kind is AlertKind.ROLLED_BACK]
        assert (name, args["ids"]) == ("guard ack", rolled.id)


async def test_on_the_audit_screen_a_acknowledges_the_alert_under_the_cursor() -> None:
    app = console("tripped")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("8")
        await pilot.pause()
        grid = app.screen.query_one("#alerts-grid", Grid)
        assert [row.cells[2] for row in grid.rows] == ["warning", "rolled back"]
        grid.focus()
        await pilot.press("up", "a")
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause(0.1)
        ((_name, args, _reason),) = operator_of(app).done
        assert args["ids"] == grid.rows[0].key


async def test_an_acknowledged_alert_says_who_saw_it_and_when() -> None:
    app = console("alert-acknowledged")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("8")
        await pilot.pause()
        assert "ana@ops-1 13:48:31" in drawn(app)


async def test_a_new_alert_rings_once_and_one_that_was_there_before_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    app = console("tripped")
    rung: list[int] = []
    async with app.run_test(size=WIDE) as pilot:
        monkeypatch.setattr(app, "bell", lambda: rung.append(1))
        await pilot.pause()
        assert (rung, list(app._notifications)) == ([], [])
        before = observation("tripped")
        assert before.store is not None
        new = alert(AlertKind.HALTED, 1, f"exception: {clean(EVIL)}", trigger_name="exception")
        after = before._replace(store=before.store._replace(alerts=(*before.store.alerts, new)))
        for _ in range(3):
            source_of(app).say(after)
            await pilot.pause(0.25)
        assert rung == [1]
        assert [note.title for note in app._notifications] == ["HALTED"]
        assert "HALTED 1.0 s ago" in drawn(app).splitlines()[1]
        assert "[@click=app.quit]x[/]" in drawn(app), "words from outside are drawn, not obeyed"


async def test_a_console_told_to_be_silent_does_not_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    app = console("guarded", bell=False)
    rung: list[int] = []
    async with app.run_test(size=WIDE) as pilot:
        monkeypatch.setattr(app, "bell", lambda: rung.append(1))
        await pilot.pause()
        source_of(app).say(observation("tripped"))
        await pilot.pause(0.3)
        assert rung == []
        assert len(app._notifications) == 1


async def test_of_several_trips_the_worst_stands_and_the_others_are_counted() -> None:
    alerts = (
        alert(AlertKind.HALTED, 90, "exception: KeyError", trigger_name="exception"),
        alert(AlertKind.FROZEN, 5, "pnl: -3.20 σ"),
        alert(AlertKind.ROLLED_BACK, 200, "auth: HTTP 401", trigger_name="auth"),
    )
    app = console(observed(guarded(alerts=alerts), logs()))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        line = drawn(app).splitlines()[1]
        assert "HALTED 90 s ago: exception: KeyError" in line
        assert "+2 more" in line
