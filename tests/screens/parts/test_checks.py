"""The health panel: a name and its text never touch, however long the name."""

from __future__ import annotations

import pytest

from console.screens.parts.checks import check_lines
from console.views.check import Check
from console.views.guard.guards import LAST_DOOR
from console.views.tone import Tone


@pytest.mark.parametrize("tone", [Tone.GOOD, Tone.WARN, Tone.BAD])
@pytest.mark.parametrize("name", [LAST_DOOR, "not kept", "log"])
def test_a_check_s_name_and_its_text_have_a_blank_between_them_and_all_texts_begin_in_one_column(
    name: str, tone: Tone
) -> None:
    checks = (Check(name, tone, "armed"), Check("store", tone, "answers"))
    lines = ["".join(text for text, _ in line) for line in check_lines(checks, 50, 9)]
    assert f" {name} " in lines[0]
    assert lines[0].index("armed") == lines[1].index("answers")
