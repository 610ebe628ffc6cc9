"""No two states are apart by colour alone: where a tone says that something is wrong, a glyph or a word says it too."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from console.domain.fence.deployment import Slot
from console.domain.seen.observation import Observation
from console.views.canary.canary import canary_view
from console.views.fence.instances import instance_rows
from console.views.fence.link import header_view
from console.views.fence.slots import slot_view
from console.views.guard.guards import guard_word
from console.views.guard.triggers import trigger_rows
from console.views.health import health_view
from console.views.lists import flag_rows
from console.views.shadow.rates import divergence_rows, rate_rows, shadow_rows
from console.views.tone import GLYPHS, Tone
from tests.scenarios import NAMES, observation

State = tuple[str, str, Tone]


def states(seen: Observation) -> Iterator[State]:
    """What stands on the screen for each state, without its figures, and the tone that it is drawn in."""
    header, guard, canary = header_view(seen), guard_word(seen), canary_view(seen)
    yield "header", f"{header.active_text} {header.role} {header.warning}", header.tone
    yield "guard", guard.text, guard.tone
    for slot in Slot:
        card = slot_view(seen, slot)
        yield "card", card.role, card.role_tone
    for check in health_view(seen):
        yield "check", f"{GLYPHS.get(check.tone, '')} {check.name} {check.text}", check.tone
    for trigger in trigger_rows(seen):
        yield "trigger", trigger.glyph, trigger.tone
    for one in instance_rows(seen):
        yield "acknowledged", one.acknowledged, one.tone
        yield "heartbeat", one.beat, one.beat_tone
    for flag in flag_rows(seen):
        yield "flag", f"{flag.glyph} {flag.value}", flag.value_tone
    for row in (*shadow_rows(seen), *rate_rows(seen), *divergence_rows(seen)):
        yield "shadow", row.glyph, row.tone
    if canary is not None:
        yield "canary", f"{canary.state} {canary.ladder}", canary.state_tone
        yield "verdict", canary.verdict, canary.verdict_tone


def test_no_two_states_are_told_apart_by_their_colour_alone() -> None:
    tones: dict[tuple[str, str], set[Tone]] = defaultdict(set)
    for name in NAMES:
        for where, text, tone in states(observation(name)):
            if tone is not Tone.STALE:  # that all is old stands in the header and in every panel's corner, in words
                figures = "0 %" if text.endswith(" 0 %") else "#"
                tones[where, re.sub(r"\d[\d.,]*", figures, text)].add(tone)
    assert len(tones) > 100
    assert {state: sorted(tones_of) for state, tones_of in tones.items() if len(tones_of) > 1} == {}


def test_every_tone_that_asks_for_attention_has_a_glyph_of_its_own() -> None:
    assert len(set(GLYPHS.values())) == len(GLYPHS)
    assert {Tone.GOOD, Tone.WARN, Tone.BAD} <= set(GLYPHS)


def test_a_gain_and_a_loss_are_told_by_their_sign() -> None:
    for name in NAMES:
        for slot in Slot:
            for pnl in slot_view(observation(name), slot).pnl:
                sign = {Tone.GAIN: "+", Tone.LOSS: "−"}.get(pnl.tone)
                assert sign is None or pnl.amount.startswith(sign), (name, pnl)
