"""Tests, in folders that mirror `console/`; faults, simulations, benchmarks and scenarios stand apart."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
"""The repository."""
