"""OpenTelemetry's SDK, for these tests alone."""

from __future__ import annotations

import sys

from console.agent.telemetry import beside
from tests.agent.telemetry.sdk import FOLDER

if str(FOLDER) not in sys.path:
    sys.path.append(str(FOLDER))
    beside.api.cache_clear()
