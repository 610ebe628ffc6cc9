"""Screen 1: who is active, is it well, what is it worth, what is blocked and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Size

from console.domain.fence.deployment import Slot
from console.domain.seen.observation import Observation
from console.screens.frame.base import ConsoleScreen
from console.screens.parts.checks import CheckList
from console.screens.parts.feeding import DecisionFeed
from console.screens.parts.lines import Lines
from console.screens.parts.shapes import (
    ACTION_COLUMNS,
    DECISION_COLUMNS,
    FLAG_COLUMNS,
    INSTANCE_COLUMNS,
    NEWEST_LAST,
    TRIGGER_COLUMNS,
    TRIGGER_COLUMNS_WIDE,
    action_grid_row,
    card_data,
    flag_grid_row,
    instance_grid_row,
    observation_age,
    trigger_grid_row,
)
from console.screens.parts.summary import health_line, tab_line, trigger_line
from console.views.fence.instances import acknowledged_text, instance_rows
from console.views.fence.slots import never_switched, slot_view
from console.views.guard.before import suspect
from console.views.guard.triggers import trigger_rows, triggers_age, why_no_triggers
from console.views.health import health_view, overall
from console.views.lists import action_rows, flag_rows
from console.views.tone import Tone
from widgets.frame.panel import Panel
from widgets.frame.slot_card import SlotCard, SlotCardData
from widgets.lists.grid import Grid

if TYPE_CHECKING:
    from widgets.charts.pnl_chart import PnlChart


BROAD_COLUMNS: Final = 160
"""From this width on the triggers stand beside the slots."""
TALL_ROWS: Final = 44
"""From this height on an upgrade has room for its steps by name."""
VAST_COLUMNS: Final = 200
"""From this width on, what one side has over the other stands beside them."""
TABS: Final = {
    "decisions": "Decisions",
    "actions": "Actions",
    "flags": "Flags",
    "pnl": "PnL",
    "checks": "Health",
    "watch": "Triggers",
    "instances": "Instances",
    "shadow": "Shadow",
}
"""The lists of a small terminal, in the order of `tab`."""
NO_INSTANCE: Final = "No fenced agent is connected.\nPlain agents are seen by their decisions alone."
NOTHING_DONE: Final = "Nothing was done yet.\nA switch, a flag, a snapshot comes here."
CHART_AFTER_S: Final = 1.0
"""When the chart is drawn at the latest, should the store not answer."""


class OverviewScreen(ConsoleScreen):
    """Everything at a glance; below 118×30, one list at a time."""

    DEFAULT_CSS = """
    OverviewScreen #cards { layout: horizontal; height: 10; width: 1fr; }
    OverviewScreen #cards SlotCard { width: 2fr; max-width: 52; height: 10; }
    OverviewScreen #cards #health { width: 3fr; height: 10; }
    OverviewScreen #cards #delta { display: none; width: 40; height: 10; }
    OverviewScreen #cards #triggers { display: none; width: 39; height: 10; }
    OverviewScreen.-broad #cards #triggers { display: block; }
    OverviewScreen.-vast #cards #delta { display: block; }
    OverviewScreen #glyphs, OverviewScreen #tabs { display: none; height: 1; }
    OverviewScreen #glyphs { height: 2; }
    OverviewScreen #lists { layout: grid; grid-size: 2 2; grid-columns: 13fr 8fr; grid-rows: 17fr 16fr; height: 1fr; }
    OverviewScreen #pnl { column-span: 2; }
    OverviewScreen.-shadowed #pnl { column-span: 1; }
    OverviewScreen #shadow-line { display: none; height: 1; }
    OverviewScreen.-narrow.-shadowed #shadow-line { display: block; }
    OverviewScreen.-zoomed #shadow-line { display: none; }
    OverviewScreen #checks, OverviewScreen #watch, OverviewScreen #flags { display: none; }
    OverviewScreen #flags.-current { display: block; }
    OverviewScreen.-flags #actions { display: none; }
    OverviewScreen Panel.-absent { display: none; }
    OverviewScreen #canary-panel { height: 3; }
    OverviewScreen #upgrade-panel { height: 3; }
    OverviewScreen.-tall #upgrade-panel { height: 6; }
    OverviewScreen.-narrow #canary-panel, OverviewScreen.-narrow #upgrade-panel { height: 1; border: none; }
    OverviewScreen.-zoomed #canary-panel, OverviewScreen.-zoomed #upgrade-panel { display: none; }
    OverviewScreen.-fenced #lists { grid-size: 2 3; grid-columns: 12fr 8fr; grid-rows: 6fr 3fr 3fr; }
    OverviewScreen.-fenced #decisions { row-span: 2; }

    OverviewScreen.-narrow #cards { height: 3; }
    OverviewScreen.-narrow #cards SlotCard { width: 1fr; max-width: 100; height: 3; }
    OverviewScreen.-narrow #cards #health, OverviewScreen.-narrow #cards #triggers { display: none; }
    OverviewScreen.-narrow #glyphs, OverviewScreen.-narrow #tabs { display: block; }
    OverviewScreen.-narrow #lists { layout: vertical; }
    OverviewScreen.-narrow .zoomable { display: none; }
    OverviewScreen.-narrow #lists Panel, OverviewScreen.-narrow #lists Panel:focus-within { border: none; }
    OverviewScreen.-narrow .zoomable.-current { display: block; }
    OverviewScreen.-narrow #checks.-current, OverviewScreen.-narrow #watch.-current { display: block; }
    OverviewScreen.-zoomed #cards, OverviewScreen.-broad.-zoomed #cards #triggers { display: none; }
    OverviewScreen.-zoomed #glyphs { display: none; }
    OverviewScreen.-zoomed #watch.-current { display: block; }
    OverviewScreen.-zoomed #lists { layout: vertical; }
    """
    HINTS: ClassVar[Sequence[str]] = (
        "run.switch",
        "run.rollback",
        "run.halt",
        "view.filter",
        "view.command",
        "view.next_panel",
        "view.only_active",
        "view.flags",
        "run.flag_toggle",
        "run.undo",
        "run.snapshot_take",
        "run.snapshot_restore",
        "view.pause",
        "view.zoom",
        "view.theme",
        "run.upgrade_review",
    )

    def __init__(self) -> None:
        super().__init__()
        self._cards = {slot: SlotCard(SlotCardData(slot.value), id=f"card-{slot.value}") for slot in Slot}
        self._health = CheckList(id="health-lines")
        self._health_panel = Panel("Health", self._health, id="health")
        self._triggers = Grid(TRIGGER_COLUMNS, empty="No guard has looked yet.", id="triggers-grid")
        self._triggers_panel = Panel("Rollback triggers", self._triggers, id="triggers", classes="zoomable")
        self._watch = Grid(TRIGGER_COLUMNS_WIDE, empty="No guard has looked yet.", id="watch-grid")
        self._delta = Lines(id="delta-lines")
        self._glyphs = Lines(id="glyphs")
        self._tabs = Lines(id="tabs")
        self._checks = CheckList(id="checks-lines")
        self._feed = DecisionFeed(DECISION_COLUMNS, id="decisions-feed", only_active=True)
        self._flags = Grid(FLAG_COLUMNS, empty="No flag is set. :flag set NAME VALUE sets one.", id="flags-grid")
        self._instances = Grid(
            INSTANCE_COLUMNS,
            empty=NO_INSTANCE,
            id="instances-grid",
        )
        self._actions = Grid(
            ACTION_COLUMNS,
            empty=NOTHING_DONE,
            follows=True,
            id="actions-grid",
        )
        self._canary = Lines(id="canary-line")
        self._canary_panel = Panel("Canary", self._canary, id="canary-panel", classes="-absent")
        self._upgrade = Lines(id="upgrade-lines")
        self._upgrade_panel = Panel("Upgrade", self._upgrade, id="upgrade-panel", classes="-absent")
        self._chart: PnlChart | None = None
        self._shadow_line = Lines(id="shadow-line")
        self._shadows: Grid | None = None
        self._panels = {
            "decisions": Panel("Decisions", self._feed, id="decisions", classes="zoomable"),
            "flags": Panel("Flags", self._flags, id="flags", classes="zoomable"),
            "pnl": Panel("PnL", id="pnl", classes="zoomable"),
            "shadow": Panel("Shadow", id="shadow", classes="zoomable -absent"),
            "instances": Panel("Instances", self._instances, id="instances", classes="zoomable -absent"),
            "actions": Panel(f"Actions ({NEWEST_LAST})", self._actions, id="actions", classes="zoomable"),
            "checks": Panel("Health", self._checks, id="checks", classes="zoomable"),
            "watch": Panel("Rollback triggers", self._watch, id="watch", classes="zoomable"),
        }

    def compose_body(self) -> ComposeResult:
        self.update_classes(self.classes_at(self.host.size), update=False)  # before there is a widget to be styled anew
        for card in self._cards.values():
            card.begin(compact=self.narrow)
        with Container(id="body"):
            with Container(id="cards"):
                yield from self._cards.values()
                yield Panel("Δ green − blue", self._delta, id="delta")
                yield self._triggers_panel
                yield self._health_panel
            yield self._glyphs
            yield self._upgrade_panel
            yield self._canary_panel
            yield self._shadow_line
            yield self._tabs
            with Container(id="lists"):
                yield self._panels["pnl"]
                yield self._panels["shadow"]
                yield self._panels["flags"]
                yield self._panels["decisions"]
                yield self._panels["instances"]
                yield self._panels["actions"]
                yield self._panels["checks"]
                yield self._panels["watch"]

    def on_mount(self) -> None:
        """The chart comes after the first live frame, or a second later: nobody waits for it."""
        super().on_mount()
        self.set_timer(CHART_AFTER_S, self._add_chart)

    async def _add_chart(self) -> None:
        from widgets.charts.pnl_chart import PnlChart

        if self._chart is not None or not self._panels["pnl"].is_attached:
            return  # it is there, or the console was left before its first frame
        self._chart = PnlChart(id="pnl-chart")
        await self._panels["pnl"].mount(self._chart)
        if self.shown is not None:
            self._show_chart(self.shown)

    @property
    def panels(self) -> list[Panel]:
        """The checks are a panel of their own only where they don't stand beside the cards; instances, where there are
        any. The triggers beside the cards have a list with room for their reasons in their stead while one is zoomed.
        """
        zoomed = self.has_class("-zoomed")
        hidden = {
            "checks": not self.narrow,
            "watch": not (self.narrow or zoomed),
            "triggers": zoomed or not self.has_class("-broad"),
            "instances": not self.has_class("-fenced"),
            "shadow": not self.has_class("-shadowed"),
        }
        panels = [panel for panel in super().panels if not hidden.get(panel.id or "")]
        return sorted(panels, key=lambda panel: list(TABS).index(panel.id or "")) if self.narrow else panels

    def focus_first(self) -> None:
        """The decisions have the keys at first."""
        self.focus_in(self._panels["decisions"])

    def size_changed(self, narrow: bool) -> None:
        """Boxes or lines."""
        for card in self._cards.values():
            card.compact = narrow

    def classes_at(self, size: Size) -> dict[str, bool]:
        """From `BROAD_COLUMNS` on there is room for the triggers beside the cards, from `VAST_COLUMNS` on for more."""
        narrow = super().classes_at(size)["-narrow"]
        return {
            "-narrow": narrow,
            "-broad": not narrow and size.width >= BROAD_COLUMNS,
            "-vast": not narrow and size.width >= VAST_COLUMNS,
            "-tall": not narrow and size.height >= TALL_ROWS,
        }

    def on_resize(self, event: events.Resize) -> None:
        """What depends on the room is drawn anew."""
        super().on_resize(event)
        if self.shown is not None:
            self._show_health(self.shown)
            self._show_upgrade(self.shown)
            self._show_canary(self.shown)
            self._show_shadows(self.shown)
            self._show_delta(self.shown)
            self._show_tabs()
        self._leave_watch()
        if self.current_panel is None:
            self.focus_first()

    # showing

    def show_body(self, observation: Observation) -> None:
        """Every panel."""
        age = observation_age(observation)
        for slot, card in self._cards.items():
            card.show(card_data(slot_view(observation, slot)))
            card.stale = bool(age)
        self._show_health(observation)
        self._show_triggers(observation)
        self._show_upgrade(observation)
        self._show_canary(observation)
        self._show_shadows(observation)
        self._show_decisions(observation)
        self._show_instances(observation)
        self._show_grids(observation)
        for name in ("flags", "instances", "actions"):
            self._panels[name].age = age or "live"
            self._panels[name].stale = bool(age)
        self._flags.stale = self._instances.stale = self._actions.stale = bool(age)
        self._show_chart(observation)
        self._show_delta(observation)
        self._show_tabs()

    def _make_current(self, panel: Panel) -> None:
        """The flags have the place of the actions while they have the keys."""
        super()._make_current(panel)
        self.set_class(panel is self._panels["flags"], "-flags")
        self._show_tabs()

    def _show_tabs(self) -> None:
        self._tabs.show([tab_line(self.panels, self.current_panel, TABS, self.size.width)])

    def _show_delta(self, observation: Observation) -> None:
        """What one side has over the other, where there is room for it."""
        if not self.has_class("-vast"):
            return
        from console.views.delta import deltas

        self._delta.show([[(f" {label:<12}", "dim"), (text, tone.value)] for label, text, tone in deltas(observation)])
        self._delta.stale = bool(observation_age(observation))

    def _show_health(self, observation: Observation) -> None:
        checks = health_view(observation)
        self._health.tell(
            checks, () if self.has_class("-broad") else trigger_line(observation, self._health.content_size.width)
        )
        self._checks.tell(checks)
        self._health_panel.title = {Tone.BAD: "Health: bad", Tone.WARN: "Health: look here"}.get(
            overall(checks), "Health"
        )
        width = self.size.width
        self._glyphs.show([trigger_line(observation, width), health_line(checks, width)])

    def _show_upgrade(self, observation: Observation) -> None:
        """The run that goes on as a ladder, or the last one while that is news."""
        there = observation.store is not None and observation.store.upgrade is not None
        if not there:
            self._upgrade_panel.set_class(True, "-absent")
            return
        from console.views.ladder import ladder, ladder_line, ladder_lines

        told, age = ladder(observation), observation_age(observation)
        self._upgrade_panel.set_class(told is None, "-absent")
        if told is None:
            return
        key = "" if observation.read_only else self.key_of("run.switch")
        lines = ladder_lines(told, key) if self.has_class("-tall") else (ladder_line(told, key),)
        lead = [(" upgrade", Tone.MUTED.value)] if self.narrow else []
        old = Tone.STALE.value if age else ""
        self._upgrade.show([[*lead, *((text, old or tone.value) for text, tone in spans)] for spans in lines])
        self._upgrade_panel.title = told.title
        self._upgrade_panel.age = age or "live"
        self._upgrade_panel.stale = bool(age)

    def _show_canary(self, observation: Observation) -> None:
        """The canary in one line, where there is or was one."""
        there = observation.store is not None and observation.store.canary is not None
        self._canary_panel.set_class(not there, "-absent")
        if there:
            from console.views.canary.told import canary_line

            spans = canary_line(observation, narrow=self.narrow, room=self.size.width - 2)
            age = observation_age(observation)
            lead = [(" canary", Tone.MUTED.value)] if self.narrow else []
            self._canary.show([[*lead, *((text, Tone.STALE.value if age else tone.value) for text, tone in spans)]])
            self._canary_panel.age = age or "live"
            self._canary_panel.stale = bool(age)

    def _show_shadows(self, observation: Observation) -> None:
        """What shadows decided otherwise, from the first report on: beside the chart, or as a line and a list."""
        panel, reported = self._panels["shadow"], observation.divergences is not None
        there = reported or (observation.store is not None and bool(observation.store.shadows))
        if there != self.has_class("-shadowed"):
            if not there and self.current_panel is panel:
                self.focus_first()
            self.set_class(there, "-shadowed")
            panel.set_class(not there, "-absent")
        if not there:
            return
        from console.screens.parts.shadowing import divergence_grid, shadow_line, show_divergences

        if self._shadows is None:
            self._shadows = divergence_grid()
            panel.mount(self._shadows)
        show_divergences(panel, self._shadows, observation)
        self._shadow_line.show([shadow_line(observation, self.size.width)])

    def _show_triggers(self, observation: Observation) -> None:
        """What the guard sees: beside the cards, or as one of the lists."""
        rows, why = trigger_rows(observation), why_no_triggers(observation)
        age, old = triggers_age(observation)
        for grid, panel, wide in (
            (self._triggers, self._triggers_panel, False),
            (self._watch, self._panels["watch"], True),
        ):
            grid.empty = why
            grid.set_rows([trigger_grid_row(row, wide=wide) for row in rows])
            panel.age = age
            panel.stale = grid.stale = old

    def _show_decisions(self, observation: Observation) -> None:
        self._feed.take(observation)
        first = self.host.settings.first_run
        if first and observation.logs is None and never_switched(observation):
            self._feed.empty = "\n".join(first)
        panel = self._panels["decisions"]
        panel.title = self._feed.title
        panel.note = self._feed.note
        panel.age = self._feed.age or "live"
        panel.stale = bool(self._feed.age)

    def _show_instances(self, observation: Observation) -> None:
        """Who is fenced, while anybody is: else there is no such panel."""
        rows = instance_rows(observation)
        if bool(rows) != self.has_class("-fenced"):
            if not rows and self.current_panel is self._panels["instances"]:
                self.focus_first()
            self.set_class(bool(rows), "-fenced")
            self._panels["instances"].set_class(not rows, "-absent")
        self._instances.set_rows([instance_grid_row(row) for row in rows])
        if rows and observation.store is not None:
            told = acknowledged_text(observation.store)
            self._panels["instances"].title = f"Instances: {told}" if told else "Instances"

    def _show_grids(self, observation: Observation) -> None:
        self._flags.set_rows([flag_grid_row(row) for row in flag_rows(observation)])
        self._actions.set_rows([action_grid_row(row) for row in action_rows(observation)])

    def _show_chart(self, observation: Observation) -> None:
        if self._chart is None:
            if observation.store is not None:
                self.call_after_refresh(self._add_chart)
            return
        from console.screens.parts.charting import chart_data, why_no_chart

        self._chart.empty = why_no_chart(observation)
        self._chart.show(chart_data(observation, self.host.operator.catalogue))

    def action_zoom(self) -> None:
        """As everywhere; the triggers beside the cards get the list that has room for their reasons."""
        triggers = self.current_panel is self._triggers_panel
        super().action_zoom()
        if triggers and self.has_class("-zoomed"):
            if (row := self._triggers.current) is not None:
                self._watch.go_to(row.key)
            self.focus_in(self._panels["watch"])
        else:
            self._leave_watch()

    def action_back(self) -> None:
        """As everywhere; out of the zoomed triggers it is back to those beside the cards."""
        super().action_back()
        self._leave_watch()

    def _leave_watch(self) -> None:
        """The keys go where they can be seen to be."""
        watch = self._panels["watch"]
        if watch.has_class("-current") and not self.narrow and not self.has_class("-zoomed"):
            self.focus_in(self._triggers_panel if self.has_class("-broad") else self._panels["decisions"])

    async def action_show_flags(self) -> None:
        """To the flags; the cursor goes to the one that was changed last before an alert."""
        self.focus_in(self._panels["flags"])
        if self.shown is not None:
            self._flags.go_to(suspect(self.shown))

    def row_at_cursor(self, kind: str) -> str:
        """The flag under the cursor, while the flags have the keys; else as on every screen."""
        row = self._flags.current if kind == "flag" and self._flags.has_focus else None
        return super().row_at_cursor(kind) if row is None else row.key

    def on_grid_selected(self, event: Grid.Selected) -> None:
        """Enter on a divergence shows both sides; everything about anything else, every screen shows."""
        from console.domain.shadow.report import DivergenceReading
        from console.screens.places.divergence import DivergenceScreen

        if isinstance(event.row.detail, DivergenceReading):
            self.host.push_screen(DivergenceScreen(event.row.detail))

    def on_grid_toggled(self, event: Grid.Toggled) -> None:
        """Space on a row."""
        self.run_at_cursor("flag")
