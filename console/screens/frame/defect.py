"""What a console that ends on a defect of its own says: where, and what; never the values that were in its hands,
among which are passwords."""

from __future__ import annotations

import traceback
from typing import Final

from console.domain.text import redact

FRAMES: Final = 12
"""Of the newest calls; what led there before is left out."""
ENDS: Final = "A defect of the console ended it. Agents, guards and the store go on without it; start it again."


def defect_lines(error: BaseException) -> list[str]:
    """The end of an error's stack, its type and words, as safe lines; what looks like a secret is left out.

    Args:
        error: as it was raised.
    """
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    lines = [str(redact(f"  {frame.filename}:{frame.lineno} in {frame.name}", 300)) for frame in frames]
    return [ENDS, *lines, str(redact(f"{type(error).__name__}: {error}", 1_000))]
