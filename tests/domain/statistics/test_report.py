"""The documents' section on the simulations says what was recorded, and what was recorded holds."""

import json

from tests.generate.tables import FIGURES
from tests.simulate.report import section
from tests.simulate.shapes import MORE_SHAPES, SHAPES

FOUND = json.loads((FIGURES / "simulate.json").read_text())


def test_no_version_like_the_old_one_is_rolled_back_in_more_than_one_run_of_twenty() -> None:
    shapes = {line["shape"] for line in FOUND["false_alarms"]}
    assert shapes == {shape.name for shape in (*SHAPES, *MORE_SHAPES)}
    assert len(shapes) >= 20
    for line in FOUND["false_alarms"]:
        assert line["false_roll_back"] <= 0.05, line
        assert line["false_promotion_1sd"] <= 0.01, line
        assert line["false_promotion_at_margin"] <= 0.01, line


def test_the_section_shows_every_payoff_and_every_way_of_sharing_out() -> None:
    text = section(FOUND)
    for line in FOUND["false_alarms"]:
        assert f"| {line['shape']} |" in text
        assert line["design"] in text
    for line in FOUND["power"]:
        assert line["design"] in text
    assert max(len(line) for line in text.splitlines() if not line.startswith("|")) <= 125
