"""`agent-console demo --upgrade`: one whole run from blue to green, without a terminal, by the verbs that all have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from console.demo.fenced import RELEASE_FILE
from console.demo.owed import ESCROWS, ORDER, POSITION, ROUND
from console.demo.stage import Stage
from console.domain.errors import EXIT_DONE, EXIT_NO, EXIT_REFUSED

PERIOD_S: Final = 0.2
WHO: Final = "demo"
WATCH_S: Final = 20
WARM_S: Final = 25
LONGEST_S: Final = 170.0
"""After so long the run is aborted: the demo promises to be over within three minutes."""
SHADOWED_S: Final = 12.0
PLAN: Final = f"""\
shadow_rounds = 50
review = 10
review_by_operator = true
watch_s = {WATCH_S}       # 30 minutes stand here as {WATCH_S} s
warm_s = {WARM_S}        # and 24 hours as {WARM_S} s
"""

Say = Callable[[str], None]


class Walk:
    """The run, and who walks it.

    Args:
        stage: with fenced agents and a guard.
        out: takes each line.
    """

    def __init__(self, stage: Stage, out: Say) -> None:
        self._stage = stage
        self._out = out
        self._words = [
            *(sys.executable, "-P", "-m", "console", "--url", stage.url, "--who", WHO),
            *(word for log in stage.decision_logs for word in ("--decisions", str(log))),
            *("--slot", "blue=2.4.0", "--slot", "green=2.5.0"),
            *("--state-file", str(stage.state_files[0]), "--venue", str(stage.venue_file)),
        ]

    def verb(self, *words: str, silent: bool = False) -> tuple[int, str]:
        """One verb, its lines passed on as they come; its exit code, and all that it said."""
        if not silent:
            self._out(f"$ agent-console {' '.join(words)}")
        env = {**os.environ, "AGENT_CONSOLE_DATA_DIR": str(self._stage.folder)}
        with subprocess.Popen(
            [*self._words, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
        ) as process:
            assert process.stdout is not None
            told = []
            for line in process.stdout:
                told.append(line)
                if not silent:
                    self._out(f"  {line.rstrip()}")
        return process.returncode, "".join(told)

    def whole(self, report: Path) -> int:
        """From a switch that is refused to the sealed report; 0 where everything went as it should."""
        began = time.monotonic()
        self._out("blue acts. It owes two escrows (one is paid out in 20 minutes) and a round that is open.")
        self._owed()
        code, _told = self.verb("switch", "green", "--yes")
        if code != EXIT_REFUSED:
            self._out("the switch should have been refused: what is owed forbids it")
            return EXIT_NO
        self._out("The counterparty delivers: blue pays it out and the round ends. What forbade the switch is over.")
        (self._stage.folder / RELEASE_FILE).touch()
        plan = self._stage.folder / "upgrade.toml"
        plan.write_text(PLAN)
        self._out(f"30 minutes stand here as {WATCH_S} s, 24 hours as {WARM_S} s.")
        code, _told = self.verb("upgrade", "start", "green", "--plan", str(plan), "--yes")
        while code == EXIT_NO and time.monotonic() - began < LONGEST_S:
            if self._asks_for_review():
                self.verb("upgrade", "review", "--yes")
            else:
                time.sleep(1.0)
            code, _told = self.verb("upgrade", "go")
        if code != EXIT_DONE:
            self.verb("upgrade", "abort", "--reason", "the demo's time is over")
            self.verb("upgrade", "show")
            return EXIT_NO
        code, _told = self.verb("upgrade", "report", "-o", str(report))
        verified, _told = self.verb("upgrade", "verify", str(report))
        self._out("")
        self._out(report.read_text().rstrip())
        self._out("")
        self._out(f"done in {time.monotonic() - began:.0f} s")
        return EXIT_DONE if code == verified == EXIT_DONE else EXIT_NO

    def _owed(self) -> None:
        """Wait until all that is owed is listed, and watched by both."""
        deadline = time.monotonic() + 30.0
        while time.monotonic() < deadline:
            _code, told = self.verb("commitments", "list", "--json", silent=True)
            if all(f'"{name}"' in told for name in (*ESCROWS, ROUND, POSITION, ORDER)):
                break
            time.sleep(0.3)
        self.verb("commitments", "list")
        self.verb("balances")
        self.verb("guard", "status")  # whose the dead man's switch is, and its countdown
        time.sleep(SHADOWED_S)  # green decides beside blue meanwhile

    def _asks_for_review(self) -> bool:
        """Whether the first decisions wait to be looked at."""
        _code, shown = self.verb("upgrade", "show", "--json", silent=True)
        steps = json.loads(shown)["run"]["steps"]
        return any((step["name"], step["state"]) == ("review", "blocked") for step in steps)


def run_upgrade(report: Path | None, *, out: Say) -> int:
    """Set the stage, walk the run, print its report, clear everything away.

    Args:
        report: where the report is written, too; None for nowhere that stays.
        out: takes each line.

    Returns:
        0 if the run is done and its report verified, 1 if not.

    Raises:
        ConsoleError: the stage could not be set up.
    """
    with Stage(period_s=PERIOD_S, guard=True, fenced=True) as stage:
        return Walk(stage, out).whole(report.expanduser().resolve() if report else stage.folder / "report.txt")
