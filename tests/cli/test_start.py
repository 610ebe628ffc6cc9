"""What a console loads at its start, and what it loads once its first frame stands."""

from __future__ import annotations

import subprocess
import sys

from console.cli.warm import LATER

_ATTACHED = (
    "import sys\n"
    "from console.cli.attaching import Attaching\n"
    "from console.cli.options import Session\n"
    "import console.app, console.cli.attach\n"
    "session = Session({'decisions': ('log.jsonl',)})\n"
    "settings = session.settings(environ={})\n"
    "url = 'redis://127.0.0.1:1/0'\n"
    "first = Attaching(session, settings, url).attach(settings, url)\n"
)


def _prints(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_a_console_is_attached_without_what_only_its_keys_need() -> None:
    needless = (
        *(name for name in LATER),
        *("console.domain.canary.plan", "console.domain.state.kept", "console.logs.index.logs", "pydantic", "httpx"),
    )
    assert _prints(f"{_ATTACHED}print(sorted(set({needless!r}) & set(sys.modules)))") == "[]\n"


def test_what_keys_lead_to_is_loaded_on_a_thread_after_the_first_frame() -> None:
    code = (
        "import sys, threading\n"
        "from console.cli import warm\n"
        "from console.screens.frame.names import SCREENS\n"
        "warm.FIRST_S = warm.PAUSE_S = 0.0\n"
        "warm.warm_up()\n"
        "[thread.join() for thread in threading.enumerate() if thread.name == 'warm-up']\n"
        "screens = {'console.screens.places.' + info.where.partition(':')[0] for info in SCREENS}\n"
        "print(sorted({*screens, *warm.LATER} - set(sys.modules)), 'pydantic' in sys.modules)\n"
    )
    assert _prints(code) == "[] False\n"
