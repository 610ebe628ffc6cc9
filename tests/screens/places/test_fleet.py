"""Screen 0: thousands of agents in order, marks and what is said to them by name, and the way into one and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest

from console.app import ConsoleApp
from console.domain.attached import Attached
from console.domain.errors import Refused, UsageError
from console.domain.fleet.agents import FleetAgent, FleetReading, Found
from console.domain.fleet.board import FleetSeen, NoFleet
from console.domain.seen.browsing import NoBrowser
from console.domain.text import Safe
from console.screens.frame.ui_settings import UiSettings
from console.screens.parts.dialogs import ConfirmScreen
from console.screens.parts.fleet_look import FleetGrid
from console.screens.places.fleet import FleetScreen
from console.screens.places.overview import OverviewScreen
from tests.scenarios import NOW, observation
from tests.scenarios.fleet import FLEET, agent
from tests.screens.doubles import NARROW, WIDE, RecordingOperator, ScriptedSource, drawn, status_of
from tests.waiting import until_async


def seen(*agents: FleetAgent, whole: bool = True) -> FleetSeen:
    return FleetSeen(FleetReading(NOW, NOW, agents, Found(passes=int(whole), looked=430, keys=1000)))


class Several(RecordingOperator):
    """Remembers whom it was said to."""

    def __init__(self, agents: Sequence[str], failing: Sequence[str]) -> None:
        super().__init__()
        self.agents, self.failing = tuple(agents), tuple(failing)
        self.told: Callable[[int], None] = lambda _done: None

    @property
    def lines(self) -> Sequence[tuple[str, str, bool]]:
        return [
            (name, "refused: x" if name in self.failing else "done", name not in self.failing) for name in self.agents
        ]


class Attaching:
    """Attaches doubles, and remembers what was asked for."""

    def __init__(self, fleet: NoFleet) -> None:
        self.fleet = fleet
        self.agents: Sequence[str] = tuple(one.name for one in FLEET)
        self.profiles: Sequence[tuple[str, str]] = (("prod", "redis://ops-1"), ("lab", "redis://lab"))
        self.asked: list[str] = []
        self.closed: list[str] = []
        self.said: list[Several] = []
        self.failing: tuple[str, ...] = ()
        self.let = asyncio.Event()
        self.let.set()

    def _attached(self, name: str, profile: str, fleet: NoFleet) -> Attached:
        async def aclose() -> None:
            self.closed.append(name)

        from console.domain.board.boards import NoBoards

        source = ScriptedSource(observation("blue-active")._replace(agent=Safe(name), profile=Safe(profile)))
        return Attached(
            source, RecordingOperator(), NoBoards(), NoBrowser(), fleet, name, profile, profile == "prod", aclose
        )

    async def to_agent(self, name: str) -> Attached:
        self.asked.append(name)
        await self.let.wait()
        if name not in self.agents:
            raise UsageError(f"There is no agent {name!r} in this store.", f"Known: {', '.join(self.agents)}.")
        return self._attached(name, "", self.fleet)

    async def to_profile(self, name: str) -> Attached:
        if name not in dict(self.profiles):
            raise UsageError(f"There is no profile {name!r}.", "Known profiles: lab, prod.")
        return self._attached("other", name, NoFleet())

    def several(self, agents: Sequence[str]) -> Several:
        self.said.append(Several(agents, self.failing))
        return self.said[-1]


def console(*agents: FleetAgent, whole: bool = True, **settings: object) -> tuple[ConsoleApp, Attaching]:
    fleet = NoFleet(seen(*(agents or FLEET), whole=whole))
    attaching = Attaching(fleet)
    app = ConsoleApp(
        ScriptedSource(observation("blue-active")),
        RecordingOperator(),
        UiSettings(**settings),  # type: ignore[arg-type]
        clock=lambda: NOW,
        fleet=fleet,
        attachments=attaching,
    )
    return app, attaching


def names_of(app: ConsoleApp) -> list[str]:
    return [str(one.name) for one in app.screen.query_one(FleetGrid).kept]


async def test_the_worst_stand_first_and_any_column_sorts_either_way_with_what_is_not_known_last() -> None:
    app, _ = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("0")
        await pilot.pause()
        assert names_of(app) == ["bree", "eli", "dora", "cleo", "atlas", "fay"]
        text = drawn(app)
        assert "6 agents, 3 not well" in text.splitlines()[0]
        assert "1 HALTED   1 FROZEN   1 SILENT   1 CANARY   2 ACTIVE   settled +8.50 USD" in text
        assert "g 20.0>18.7 %" in text
        assert "+12.50 USD" in text
        for _ in range(20):
            if app.arrangements.of("fleet", "").order.column == "pnl":
                break
            await pilot.press("greater_than_sign")
        assert names_of(app)[:2] == ["cleo", "atlas"]
        await pilot.press("I")
        assert names_of(app)[:2] == ["atlas", "cleo"]
        assert names_of(app)[2:] == ["bree", "dora", "eli", "fay"], "what is not known stands last"
        assert "PnL settled↓" in drawn(app)
        await pilot.press("less_than_sign")
        assert app.arrangements.of("fleet", "").order.column == "canary"


@pytest.mark.parametrize(
    ("agents", "words"),
    [((FLEET[0],), "✔ 1 agent  "), ((FLEET[1], FLEET[0]), "✖ 2 agents, 1 not well")],
)
async def test_the_header_counts_one_agent_as_one_and_its_sign_says_whether_all_are_well(
    agents: tuple[FleetAgent, ...], words: str
) -> None:
    app, _ = console(*agents)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("0")
        await pilot.pause()
        assert words in drawn(app).splitlines()[0]


async def test_a_store_without_an_agent_says_so_and_no_key_does_anything_to_nobody() -> None:
    app, attaching = console(agent("gone"))
    app.fleet = NoFleet(seen())
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("0")
        await pilot.pause()
        assert "No agent was found" in drawn(app)
        for key in ("greater_than_sign", "less_than_sign", "I", "space", "asterisk", "enter", "H", "R", "y", "J"):
            await pilot.press(key)
            await pilot.pause()
            await pilot.press("escape")
        assert attaching.asked == []
        assert all(one.agents == () or not one.done for one in attaching.said)


async def test_columns_are_chosen_by_a_key_and_by_the_configuration() -> None:
    app, _ = console(columns={"fleet": ("agent", "level", "phase")})
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("0")
        await pilot.pause()
        assert "stopped" in drawn(app)
        assert "PnL" not in drawn(app)
        await pilot.press("C")
        await pilot.pause()
        await pilot.press("g", "enter")
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert "state" in app.arrangements.of("fleet", "").columns


async def test_a_word_said_to_the_marked_names_them_in_its_question_and_is_said_to_no_other() -> None:
    app, attaching = console()
    attaching.failing = ("eli",)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("0")
        await pilot.pause()
        await pilot.press("space", "space")
        assert app.fleet_look.marks == {"bree", "eli"}
        assert "2 marked" in drawn(app)
        await pilot.press("H")
        await until_async(lambda: isinstance(app.screen, ConfirmScreen))
        assert attaching.said[-1].agents == ("bree", "eli")
        assert attaching.said[-1].done == []
        await pilot.press("y")
        await until_async(lambda: bool(attaching.said[-1].done))
        assert attaching.said[-1].done[0][0] == "halt"
        assert isinstance(app.operator, RecordingOperator)
        assert app.operator.done == []
        await until_async(lambda: "what came of each" in drawn(app))
        text = drawn(app)
        assert text.index("✖ eli") < text.index("✔ bree"), "who failed stands first"
        await pilot.press("escape", "escape")
        assert app.fleet_look.marks == set()


async def test_what_is_about_one_agent_is_never_said_to_the_one_that_the_console_is_attached_to() -> None:
    app, attaching = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("0")
        await pilot.pause()
        for key in ("s", "S", "L", "u", "c"):
            await pilot.press(key)
            await pilot.pause()
        app.submit("switch green")
        await pilot.pause()
        assert "about one agent" in status_of(app)
        assert isinstance(app.operator, RecordingOperator)
        assert not app.operator.done
        assert not app.operator.previewed
        assert [one.agents for one in attaching.said] == [("bree",)] * len(attaching.said)


async def test_enter_goes_into_one_the_path_shows_it_and_escape_leads_back_to_the_same_row() -> None:
    app, attaching = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("0")
        await pilot.pause()
        before = app.source
        attaching.let.clear()
        await pilot.press("j", "j", "enter", "enter", "H")
        await pilot.pause()
        assert attaching.asked == ["dora"], "it is gone into once"
        assert attaching.said == [], "nothing is said to either while it is on its way"
        attaching.let.set()
        await until_async(lambda: app.source is not before and isinstance(app.screen, OverviewScreen))
        await until_async(lambda: "fleet › dora" in drawn(app))
        assert isinstance(before, ScriptedSource)
        assert before.cancelled.is_set()
        await until_async(lambda: not app.changing)
        await pilot.press("escape")
        await until_async(lambda: isinstance(app.screen, FleetScreen))
        await pilot.pause()
        grid = app.screen.query_one(FleetGrid)
        assert grid.current is not None
        assert grid.current.key == "dora"
        await pilot.press("enter")
        await until_async(lambda: attaching.closed == ["dora"] and not app.changing)
        assert len(app.screen_stack) == 1


async def test_an_unknown_agent_and_an_unknown_profile_are_refused_with_those_that_there_are() -> None:
    app, attaching = console()
    async with app.run_test(size=(200, 24)) as pilot:
        app.submit("agent nobody")
        await until_async(lambda: "Known: atlas, bree" in status_of(app))
        app.submit("profile nowhere")
        await until_async(lambda: "Known profiles: lab, prod" in status_of(app))
        app.submit("agent")
        await until_async(lambda: "agent NAME" in status_of(app))
        await pilot.press("R")
        await until_async(lambda: isinstance(app.screen, ConfirmScreen))
        app.submit("agent atlas")
        await pilot.pause()
        assert attaching.asked == ["nobody"], "nothing changes under a question that stands"


async def test_another_profile_forgets_marks_and_paints_its_band() -> None:
    app, attaching = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("0")
        await pilot.pause()
        await pilot.press("space")
        app.submit("profile prod")
        await until_async(lambda: app.settings.profile == "prod")
        assert app.settings.protected
        assert app.fleet_look.marks == set()
        await until_async(lambda: drawn(app).startswith(" PROD"))
        await until_async(lambda: not app.changing)
        app.submit("agent atlas")
        await until_async(lambda: attaching.closed == ["other"] and not app.changing)


async def test_nothing_hostile_reaches_the_screen_columns_stay_in_line_and_a_search_says_how_far_it_is() -> None:
    odd = agent("zed", problem=Safe("\x1b[31mred\x07"), currency=Safe("\u202eUSD"), pnl=Decimal(1))
    app, _ = console(odd, *FLEET, whole=False)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("0")
        await pilot.pause()
        text = drawn(app)
        assert not any(ord(char) < 32 and char != "\n" for char in text)
        assert {len(line) for line in text.splitlines()[4:12]} == {80}
        assert "searching 43 %, more may come" in text
        await pilot.press("asterisk")
        assert "more may come" in status_of(app)


async def test_a_picture_attaches_to_nothing_else() -> None:
    from console.domain.attached import NoAttachments

    for asked in (NoAttachments().to_agent, NoAttachments().to_profile):
        with pytest.raises(Refused):
            await asked("atlas")
