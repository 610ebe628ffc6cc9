"""Results that can be none: one such would hide everything after it."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Final

ABSURD: Final = 10_000.0
"""A result so many times as large as any before it is set aside."""
FIRST: Final = 10
"""Of so many results that are not 0 the usual size is taken; what was absurd among them is found then."""


def too_large(sizes: Iterable[float]) -> float:
    """The size above which one of the first results is absurd, by the middle one of those that are not 0; infinite
    while there are fewer than three."""
    ordered = sorted(size for size in sizes if size > 0.0)
    return ABSURD * ordered[len(ordered) // 2] if len(ordered) > 2 else inf
