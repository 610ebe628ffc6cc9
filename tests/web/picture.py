"""The document's picture of the console in a browser, taken from a real one: `python -m tests.web.picture`.

It needs Chromium, and so stands apart from `make docs`.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import tempfile
from pathlib import Path
from typing import Final

from tests import ROOT
from tests.processes import Process
from tests.web.browser import page

PICTURE: Final = ROOT / "docs" / "browser.png"
_PLAYED_S: Final = 40.0
_DRAWN_S: Final = 4.0


def exported(line: str) -> dict[str, str]:
    """The variables that a line for a shell sets."""
    return dict(word.split("=", 1) for word in shlex.split(line) if "=" in word)


async def take() -> None:
    """Let the demo play for a while, and take a picture of it."""
    with tempfile.TemporaryDirectory() as folder:
        own = {f"AGENT_CONSOLE_{name}_DIR": f"{folder}/{name.lower()}" for name in ("CONFIG", "DATA", "CACHE")}
        with Process("console", "demo", "--serve", environment=own) as demo:
            demo.until("export ")
            line = next(line for line in (*demo.lines, *demo.errors) if line.startswith("export "))
            await asyncio.sleep(_PLAYED_S)
            with Process("console", "serve", "--port", "0", environment={**own, **exported(line)}) as server:
                server.until("ctrl+c")
                address = next(line.split()[0] for line in server.errors if "ctrl+c" in line)
                async with page(Path(folder) / "browser", 1440, 900) as one:
                    await one.go(address)
                    await one.until("document.body.classList.contains('-first-byte')")
                    await asyncio.sleep(_DRAWN_S)
                    PICTURE.write_bytes(await one.picture())
    print(f"{PICTURE}  {os.path.getsize(PICTURE)} bytes")


if __name__ == "__main__":
    asyncio.run(take())
