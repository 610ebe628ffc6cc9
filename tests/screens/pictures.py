"""The documents' pictures, exported by the console itself from a recorded scenario: `make docs`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from console.commands.catalogue import commands
from console.picture import export
from tests.scenarios.catalogue import observation

FOLDER: Final = Path(__file__).parent / "pictures"
PICTURES: Final = {"overview": ("fenced", (160, 48)), "small": ("both-decide", (80, 24))}


async def draw() -> None:
    """Write every picture."""
    FOLDER.mkdir(exist_ok=True)
    for name, (recorded, size) in PICTURES.items():
        data = await export(observation(recorded), size=size, catalogue=[command.info for command in commands()])
        (FOLDER / f"{name}.svg").write_bytes(data)


if __name__ == "__main__":
    asyncio.run(draw())
