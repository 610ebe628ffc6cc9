"""A shadow in one line: how often it decides otherwise, and the newest round in which it did."""

from __future__ import annotations

import pytest

from console.views.shadow.told import shadow_facts, shadow_title
from console.views.tone import Tone
from tests.scenarios import observation


def test_a_shadow_is_told_by_the_share_of_its_rounds_and_the_noise() -> None:
    assert shadow_title(observation("shadow-diverging")) == "Shadow: 3.2 % of 1,204 rounds diverged (noise 0.8 %)"


def test_of_several_shadows_the_one_that_differs_most_gravely_is_told() -> None:
    seen = observation("shadow-noise")
    assert shadow_title(seen) == "Worst of 2 shadows: 3.2 % of 1,204 rounds diverged (noise 0.8 %)"
    assert shadow_facts(seen)[0] == ("✖ 3.2 % of 1,204 rounds diverged", Tone.BAD)
    assert shadow_facts(seen)[-1] == ("and 1 more shadow", Tone.MUTED)


def test_files_of_divergences_are_told_by_their_records() -> None:
    assert shadow_title(observation("shadow-files")) == "Shadow: 3 of 3 records differ"


def test_without_a_shadow_nothing_is_told() -> None:
    assert shadow_facts(observation("blue-active")) == ()


@pytest.mark.parametrize("name", ["shadow-diverging", "shadow-files"])
def test_the_newest_round_is_told_with_what_live_and_shadow_had(name: str) -> None:
    assert "action +2 SKIP → –" in [text for text, _ in shadow_facts(observation(name))]
