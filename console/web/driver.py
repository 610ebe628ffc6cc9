"""The terminal driver of a console in a browser: ends with the server that it writes to."""

from __future__ import annotations

from textual.drivers.web_driver import WebDriver
from textual.messages import ExitApp


class ConsoleWebDriver(WebDriver):
    """Textual's, which would go on for ever when the server has gone."""

    def run_input_thread(self) -> None:
        """Read until there is nothing to read any more: then nobody looks."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._app.call_from_thread(self._app.post_message, ExitApp())
