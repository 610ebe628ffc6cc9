"""Two real agents beside the command line."""

from __future__ import annotations

from console.agent import AgentController, Settings
from tests.cli.conftest import Cli
from tests.waiting import until


class Two:
    """A blue and a green agent on the same store, blue active."""

    def __init__(self, url: str, cli: Cli) -> None:
        self.cli = cli
        self.blue = AgentController(url, slot="blue", version="2.4.0", settings=Settings(money=False))
        self.green = AgentController(url, slot="green", version="2.5.0", settings=Settings(money=False))
        for one in (self.blue, self.green):
            one.start()
        assert cli("switch", "blue", "--yes").code == 0
        until(lambda: self.blue.active, "blue to be active")

    def to_green(self) -> None:
        """Over whatever gate is closed."""
        over = ("--override", "what is owed is what this is about", "--confirm", "agent")
        assert self.cli("switch", "green", "--yes", *over).code == 0
        until(lambda: self.green.active and not self.blue.active, "green to be active")

    def stop(self) -> None:
        """End both."""
        for one in (self.blue, self.green):
            one.stop()
