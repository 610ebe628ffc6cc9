"""What every test of the screens has in common."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _pictures_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that a key draws lands in the folder where the console was started: never in the repository's."""
    monkeypatch.chdir(tmp_path)
