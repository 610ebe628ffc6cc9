"""What the keys of the view do on every screen: the alert, a pause, back, going elsewhere, help, copying, a detail."""

from __future__ import annotations

from console.domain.seen.browsing import Spot
from console.domain.seen.decision import Decision
from console.domain.seen.observation import Observation
from console.screens.frame.arranging import Arranging
from console.screens.frame.commanding import Commanding
from console.screens.frame.playing import Playing
from console.screens.parts.feeding import DecisionFeed
from console.views.guard.alerts import banner
from console.views.guard.before import newest_open
from widgets.frame.banner import BannerBar
from widgets.lists.feed import Feed
from widgets.lists.grid import Grid
from widgets.text.plain import plain


class ViewActions(Playing, Arranging, Commanding):
    """A screen with the keys of the view, none of which reaches the store."""

    def show(self, observation: Observation) -> None:
        """Show an observation."""
        raise NotImplementedError

    def hinted_keys(self) -> list[str]:
        """The keys that the footer names."""
        raise NotImplementedError

    def action_alert(self) -> None:
        """The alert in the banner, or else the newest that nobody has seen, with its evidence and what came before."""
        told = banner(self.shown) if self.shown is not None else None
        alert = told.alert if told is not None else newest_open(self.shown) if self.shown is not None else None
        if alert is None:
            self.say("There is no alert that nobody has seen. 8 lists every alert.", "info")
        else:
            self._open(alert)

    def on_banner_bar_pressed(self, event: BannerBar.Pressed) -> None:
        """A click on the banner: its evidence."""
        self.action_alert()

    def action_pause(self) -> None:
        """Stop the lists, or let them go on; in a replay, time."""
        if self.toggle_replay():
            return
        feeds = list(self.query(Feed))
        if not feeds:
            self.say("There is nothing to pause here.", "info")
            return
        paused = not feeds[0].paused
        for feed in feeds:
            feed.paused = paused
        self.say("Paused: decisions are still collected; p goes on." if paused else "Going on.", "info")
        if self.shown is not None:
            self.show(self.shown)

    def action_only_active(self) -> None:
        """Decisions of whoever plays for money, or of both sides."""
        feeds = list(self.query(DecisionFeed))
        if not feeds:
            self.say("There are no decisions here.", "info")
            return
        only = not feeds[0].only_active
        for feed in feeds:
            feed.only_active = only
        again = self.key_of("view.only_active")
        what = "Decisions of whoever plays for money" if only else "Decisions of both sides"
        self.say(f"{what}; {again} shows {'both sides' if only else 'only who plays for money'}.", "info")
        if self.shown is not None:
            self.show(self.shown)

    def action_look_again(self) -> None:
        """Read again, without waiting for the next turn."""
        self.host.source.refresh()
        self.say("Read again.", "info")

    def action_other_side(self) -> None:
        """Only the checklist is about one side."""
        self.say("This screen is not about one side; 7 is the checklist of one.", "info")

    def action_back(self) -> None:
        """Out of a zoom, a filter, a place in the list, this screen: one thing a press."""
        current = self.current_list
        if self.has_class("-zoomed"):
            self.remove_class("-zoomed")
        elif self.end_filter():
            return
        elif isinstance(current, Feed) and not current.following:
            current.follow()
        else:
            self.host.leave_screen()

    def action_prefix(self) -> None:
        """The prefix key: the next letter is a screen's."""
        from console.screens.frame.chords import chords
        from console.screens.parts.prefix import PrefixScreen

        async def go(name: str | None) -> None:
            if name:
                await self.host.go_to(name)

        self.app.push_screen(PrefixScreen("go to", [(c.key, c.title, c.screen) for c in chords()], self.size.width), go)

    def action_jump(self) -> None:
        """Letters on panels and rows."""
        from console.screens.frame.jump import JumpScreen, jump, spots

        if places := spots(self):
            self.app.push_screen(JumpScreen(places), lambda spot: jump(self, spot))
        else:
            self.say("There is nowhere to jump to here.", "info")

    async def action_go_to(self, name: str) -> None:
        """A digit was pressed."""
        await self.host.go_to(name)

    async def action_show_flags(self) -> None:
        """To the flags."""
        await self.host.go_to("flags")

    def action_next_theme(self) -> None:
        """The next theme."""
        self.host.next_theme()

    def action_export(self) -> None:
        """Write what is on screen to a file."""
        self.host.start_export("")

    def action_command_palette(self) -> None:
        """Search all commands."""
        self.host.action_command_palette()

    async def action_quit(self) -> None:
        """Leave."""
        await self.host.action_quit()

    def action_help(self) -> None:
        """What the keys do here."""
        from console.screens.frame.help import help_lines
        from console.screens.parts.dialogs import TextScreen

        panel = self.current_panel
        title = f"Keys · {panel.title}" if panel is not None else "Keys"
        self.host.push_screen(TextScreen(title, help_lines(self, self.hinted_keys())))

    def action_copy(self) -> None:
        """The row under the cursor, as text, to the clipboard of the operator's terminal."""
        row = self.current_list.current if isinstance(self.current_list, Feed | Grid) else None
        if row is None:
            self.say("There is no row to copy.", "info")
            return
        text = plain("  ".join(cell for cell in row.cells if cell.strip()))
        self.host.copy(text)
        self.say(f"Copied: {text}", "ok")

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Everything about a decision."""
        self._open(event.row.detail)

    def on_grid_selected(self, event: Grid.Selected) -> None:
        """Everything about a row."""
        self._open(event.row.detail)

    def _open(self, detail: object) -> None:
        from console.screens.frame.round import RoundScreen
        from console.screens.parts.details import FRAME, detail_of
        from console.screens.parts.dialogs import TextScreen

        if isinstance(detail, Spot):
            self.host.push_screen(RoundScreen(detail.decision, detail.key))
            return
        if isinstance(detail, Decision):
            place = f"{detail.source}:{detail.offset}" if detail.source and self.host.browser.able else ""
            self.host.push_screen(RoundScreen(detail, place))
            return
        shown = detail_of(detail, self.shown, self.host.size.width - FRAME)
        if shown is not None:
            self.host.push_screen(TextScreen(*shown))
