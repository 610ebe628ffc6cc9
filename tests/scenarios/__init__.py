"""Recorded observations by name, shared by view, screen and export tests; every one as of the same moment."""

from tests.scenarios.catalogue import NAMES, observation
from tests.scenarios.parts import NOW

__all__ = ["NAMES", "NOW", "observation"]
