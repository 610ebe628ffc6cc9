"""Where OpenTelemetry's SDK stands for these tests: beside the environment, since redis-py loads what it finds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

FOLDER: Final = Path(sys.prefix) / "telemetry"
