"""A log that is missing for a moment, while it is rotated, is no blindness.

From grafana/loki#12928, #6503.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.cases.situation import Situation


def test_a_gap_while_a_log_is_rotated_freezes_nobody(situation: Callable[..., Situation]) -> None:
    scene = situation()
    scene.both()
    scene.guard()
    for _ in range(6):
        scene.both()
    scene.looked()
    scene.log.rename(scene.folder / "decisions.jsonl.1")
    scene.looked(0.6)
    for _ in range(6):
        scene.both()
    scene.looked(0.6)
    assert scene.acts() == []
    assert "new risk" not in scene.cli("--decisions", str(scene.pattern), "status").out
    scene.fault()
    assert [act[:2] for act in scene.acts()] == [("rolled back", "exception")], "it reads the log that came back"
