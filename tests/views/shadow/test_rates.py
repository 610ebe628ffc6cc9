"""Shadows in words: how much, how much of it is noise, in which fields; and a divergence side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.seen.observation import HungLog
from console.domain.shadow.compare import Kind, Rules
from console.domain.shadow.pairs import PairSums
from console.domain.shadow.report import DivergenceReading, divergence_reading
from console.domain.text import Safe
from console.views.shadow.divergence import MAX_ROWS, MAX_STATE_LINES, DiffRow, diff_rows, state_lines
from console.views.shadow.rates import FILES, divergence_rows, pairs_text, rate_rows, shadow_rows
from console.views.shadow.record import shadow_record
from console.views.status.report import status_report
from console.views.status.text import status_text
from console.views.tone import Tone
from tests.scenarios import observation
from tests.scenarios.proving import EVIL, divergence, shadow_report


def test_a_shadow_says_raw_and_noise_what_was_lost_and_what_it_tried() -> None:
    (row,) = shadow_rows(observation("shadow-diverging"))
    assert (row.rounds, row.diverged, row.noise) == ("1,204", "3.2 %", "0.8 %")
    assert (row.dropped, row.timed_out, row.raised, row.intents) == ("3", "1", "7", "4")
    assert (row.glyph, row.tone) == ("✖", Tone.BAD)


def test_the_money_of_live_and_shadow_stands_apart_with_its_currency() -> None:
    (row,) = shadow_rows(observation("shadow-diverging"))
    assert (row.live, row.shadow) == ("+118.20 USD", "+97.55 USD")
    noisy, _other = shadow_rows(observation("shadow-noise"))
    assert (noisy.live, noisy.shadow, noisy.note) == ("", "", "not priced")


def test_noise_that_was_not_measured_is_not_none() -> None:
    (row,) = shadow_rows(observation("shadow-no-noise"))
    assert row.noise == "–"
    assert "noise not measured" in row.note
    assert {rate.noise for rate in rate_rows(observation("shadow-no-noise"))} == {"–"}


def test_a_shadow_that_only_differs_as_it_does_from_itself_needs_no_attention() -> None:
    first = rate_rows(observation("shadow-noise"), "green-llm")
    assert [(rate.path, rate.rate, rate.noise, rate.excess, rate.glyph) for rate in first] == [
        ("reasoning", "82.0 %", "81.0 %", "1.0 %", "▲"),
        ("action", "6.2 %", "6.5 %", "0.0 %", "·"),
    ]


def test_fields_are_those_of_the_shadow_asked_for() -> None:
    seen = observation("shadow-noise")
    assert [rate.path for rate in rate_rows(seen)] == ["reasoning", "action"]
    assert [rate.path for rate in rate_rows(seen, "green-2.5.0")] == ["amount", "action", "orders.*.tag"]
    assert rate_rows(seen, "nobody") == ()
    assert rate_rows(seen, FILES) == ()


def test_a_field_that_moves_money_is_marked_by_a_sign_and_a_word() -> None:
    first, second, _third = rate_rows(observation("shadow-diverging"))
    assert (first.path, first.kind, first.money, first.glyph, first.tone) == ("amount", "value", "money", "✖", Tone.BAD)
    assert (second.money, second.glyph) == ("", "▲")


def test_a_shadow_that_was_not_heard_of_lately_is_marked() -> None:
    seen = observation("shadow-diverging")
    assert seen.store is not None
    late = seen.store.shadows[0]._replace(at=seen.store.server_at.replace(hour=13))
    (row,) = shadow_rows(seen._replace(store=seen.store._replace(shadows=(late,))))
    assert (row.heard, row.heard_tone) == ("▲ 60 min", Tone.WARN)


def test_files_of_plain_agents_are_a_row_of_their_own_that_says_what_was_refused() -> None:
    (row,) = shadow_rows(observation("shadow-files"))
    assert (row.key, row.name, row.rounds, row.diverged) == (FILES, "files", "3", "")
    assert row.note == "3 records, 3 differ; ▲ 3 refused: 2 missing field, 1 not JSON"
    assert [rate.path for rate in rate_rows(observation("shadow-files"), FILES)][:2] == ["amount", "side"]
    (row,) = shadow_rows(observation("shadow-files-gone"))
    assert row.note.startswith("▲ divergences.jsonl: no such file yet; 3 records")


def test_a_file_of_divergences_whose_disk_hangs_is_named_with_the_time() -> None:
    seen = observation("shadow-files")
    assert seen.divergences is not None
    hung = HungLog(Safe("/mnt/far/divergences.jsonl"), seen.now)
    (row,) = shadow_rows(seen._replace(divergences=seen.divergences._replace(hung=hung)))
    assert f"▲ divergences.jsonl: its disk has not answered since {seen.now:%H:%M:%S}" in row.note


def test_divergences_of_store_and_files_come_newest_last() -> None:
    seen = observation("shadow-diverging")._replace(divergences=observation("shadow-files").divergences)
    rows = divergence_rows(seen)
    assert len(rows) == 6
    assert all(one.reading.at <= other.reading.at for one, other in pairwise(rows))
    assert len({row.key for row in rows}) == 6


def test_a_row_says_the_field_that_matters_most_and_how_many_more_there_are() -> None:
    plain, money, raised = divergence_rows(observation("shadow-diverging"))
    assert (money.glyph, money.what, money.live, money.shadow) == ("✖", "amount +1", "2.5", "5.0")
    assert (plain.glyph, plain.what, plain.live, plain.shadow) == ("▲", "action", "HOLD", "CASH_OUT 1.9x")
    assert (raised.what, raised.live, raised.shadow) == ("action +2", "SKIP", "–")


def test_a_record_that_can_not_be_read_says_so_and_comes_first() -> None:
    seen = observation("shadow-diverging")
    assert seen.store is not None
    bad = divergence_reading("1-1", {"live": 1}, "x")
    rows = divergence_rows(seen._replace(store=seen.store._replace(divergences=(bad, *seen.store.divergences))))
    assert rows[0].what == "can't be read: missing state, shadow, timestamp"
    assert rows[0].tone is Tone.WARN


def diff(live: object, shadow: object, rules: Rules | None = None) -> list[DiffRow]:
    record = {"state": None, "live": live, "shadow": shadow, "timestamp": 1}
    return list(diff_rows(divergence_reading("1", record, "x", rules)))


def test_both_sides_stand_in_a_row_with_a_sign_and_a_word_where_they_differ() -> None:
    difference = diff({"action": "BET", "amount": 2.5, "why": "edge"}, {"action": "BET", "amount": 5, "why": "luck"})
    assert [(row.sign, row.path, row.live, row.shadow, row.note) for row in difference] == [
        ("✖", "amount", "2.5", "5", "value, money"),
        ("▲", "why", "edge", "luck", "value"),
        ("", "action", "BET", "BET", ""),
    ]


@pytest.mark.parametrize(
    ("live", "shadow", "path", "left", "right", "note"),
    [
        ({"a": 1}, {"a": "1"}, "a", "1", "1", "type"),
        ({"a": 1, "b": 2}, {"b": 2}, "a", "1", "–", "missing"),
        ({"b": 2}, {"a": 1, "b": 2}, "a", "–", "1", "extra"),
        ({"a": [1, 2]}, {"a": [2, 1]}, "a", "[1, 2]", "[2, 1]", "order"),
        ({"a": {"b": [{"c": 1}]}}, {"a": {"b": [{"c": 2}]}}, "a.b.0.c", "1", "2", "value"),
        ("HOLD", {"a": 1}, "the whole decision", "HOLD", "{'a': 1}", "type"),
        ({"a" * 100: {"amount": 1}}, {"a" * 100: {"amount": 2}}, "a" * 100 + ".amount", "1", "2", "value, money"),
        ({EVIL: {"side": 1}}, {EVIL: {"side": 2}}, None, "1", "2", "value, money"),
    ],
)
def test_every_kind_of_difference_is_marked(
    live: object, shadow: object, path: str | None, left: str, right: str, note: str
) -> None:
    first = diff(live, shadow)[0]
    assert first.sign
    assert (first.live, first.shadow, first.note) == (left, right, note)
    assert path is None or first.path == path


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["amount", "b", "c.d", ""]), inner),
    max_leaves=10,
)


@given(plain, plain)
def test_whatever_differs_is_marked_and_nothing_else_is(live: object, shadow: object) -> None:
    record = {"state": live, "live": live, "shadow": shadow, "timestamp": 1}
    reading = divergence_reading("1", record, "x")
    rows = diff_rows(reading)
    assert len([row for row in rows if row.sign]) == len(reading.mismatches)
    assert all(row.live == row.shadow for row in rows if not row.sign)
    assert all(text.isprintable() for row in rows for text in row[2:])
    assert all(line.isprintable() for line in state_lines(reading))


def test_a_decision_with_too_many_fields_is_cut_and_says_so() -> None:
    difference = diff({str(n): n for n in range(MAX_ROWS + 50)}, {str(n): -n for n in range(MAX_ROWS + 50)})
    assert len(difference) <= MAX_ROWS + 2
    assert difference[MAX_ROWS].live == "and 49 more that differ"
    same = diff({str(n): n for n in range(MAX_ROWS + 50)}, {str(n): n for n in range(MAX_ROWS + 50)})
    assert same[-1].live == "… and more that is the same"


def test_money_differs_first_even_where_it_stands_last() -> None:
    live = {f"f{n}": n for n in range(MAX_ROWS + 9)} | {"z": {"recipient": "a"}}
    shadow = {f"f{n}": -n for n in range(MAX_ROWS + 9)} | {"z": {"recipient": "b"}}
    assert diff(live, shadow)[0].path == "z.recipient"


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("depth", [10, 40, 500, 20_000])
def test_no_depth_of_nesting_fails(depth: int) -> None:
    record = {"state": nested(depth), "live": {"a": nested(depth)}, "shadow": {"b": nested(depth)}, "timestamp": 1}
    reading = divergence_reading("1", record, "x")
    assert diff_rows(reading) or reading.problem
    assert state_lines(reading) or reading.problem


def test_the_state_is_indented_keeps_its_digits_and_is_bounded() -> None:
    state = {"market": {"odds": Decimal("1.620"), "name": "crash"}, "n": "1", "open": [], "flags": [True, None]}
    reading = divergence(1, {"a": 1}, {"a": 2}, state)
    assert state_lines(reading) == (
        "market:",
        "  odds: 1.620",
        "  name: crash",
        'n: "1"',
        "open: []",
        "flags:",
        "  0: true",
        "  1: null",
    )
    long = state_lines(divergence(1, 1, 2, {str(n): n for n in range(5 * MAX_STATE_LINES)}))
    assert (len(long), long[-1]) == (MAX_STATE_LINES + 1, "… the rest is not shown")


def test_documents_have_the_promised_shape() -> None:
    document = json.loads(json.dumps(status_report(observation("shadow-diverging")).document()))
    (shadow,) = document["shadows"]
    assert list(shadow) == [
        "name",
        "at",
        "holder",
        "rounds",
        "diverged",
        "noise_rounds",
        "noise_diverged",
        "ignored",
        "tolerated",
        "dropped",
        "timed_out",
        "raised",
        "intents",
        "live_pnl",
        "shadow_pnl",
        "unpriced",
        "currency",
        "slot",
        "pairs",
        "returned",
        "own",
        "manifest",
        "fields",
    ]
    assert list(shadow["fields"][0]) == ["path", "kind", "rounds", "rate", "noise", "excess", "money"]
    assert (shadow["live_pnl"], shadow["shadow_pnl"]) == ("118.20", "97.55")
    assert document["divergences"] is None
    files = json.loads(json.dumps(status_report(observation("shadow-files")).document()))["divergences"]
    assert list(files) == ["total", "diverged", "rejected", "rejected_by_reason", "skipped_bytes", "files", "fields"]
    assert (files["total"], files["rejected"]) == (3, 3)
    assert shadow_record(shadow_report(noise=False)).document()["fields"][0]["noise"] is None


def test_status_tells_of_shadows_in_words() -> None:
    text = "\n".join(status_text(observation("shadow-diverging"), 200))
    assert "shadow     ✖ green-2.5.0   1,204 rounds, 3.2 % diverged, noise 0.8 %   3 dropped, 1 timed out" in text
    assert "shadow     ✖ files   3 records, 3 differ" in "\n".join(status_text(observation("shadow-files"), 200))


def test_nothing_hostile_stays_in_a_row() -> None:
    seen = observation("hostile-proofs")
    rows = (*shadow_rows(seen), *rate_rows(seen), *divergence_rows(seen))
    for row in rows:
        assert all(cell.isprintable() for cell in row if isinstance(cell, str))
    for one in divergence_rows(seen):
        assert isinstance(one.reading, DivergenceReading)
        assert all(cell.isprintable() for row in diff_rows(one.reading) for cell in row)


def test_kinds_are_all_known_to_the_sides() -> None:
    assert {kind.value for kind in Kind} >= {"missing", "extra", "too large"}
    wide = diff({str(n): [n] for n in range(2500)}, {str(n): [n] for n in range(2500)})
    assert (wide[0].note, wide[0].shadow) == ("too large", "not compared")


def test_priced_pairs_are_judged_and_not_only_totalled() -> None:
    worse, better, alike = (PairSums(400, mean, 400 * 0.04) for mean in (0.2, -0.2, 0.001))
    assert pairs_text(worse, "USD").startswith("the shadow earns less: -0.2")
    assert pairs_text(better, "USD").startswith("the shadow earns more: +0.1")
    assert pairs_text(alike, "USD").startswith("no difference yet: ")
    assert pairs_text(alike, "USD").endswith("USD a round over 400 pairs")
    assert pairs_text(PairSums(5, 1.0, 1.0), "USD") == pairs_text(None, "USD") == ""


def test_what_is_told_of_the_pairs_is_what_is_judged_per_usual_stake_where_most_rounds_say_theirs() -> None:
    money, stakes = PairSums(400, -0.2, 400 * 0.04), PairSums(400, 0.2, 400 * 0.04)
    seen = observation("shadow-diverging")
    assert seen.store is not None
    (report,) = seen.store.shadows
    for returned, said in (
        (stakes, "the shadow earns less: -0.2308 to -0.1692 of the usual stake a round over 400 pairs"),
        (PairSums(300, 0.2, 12.0), "USD a round over 400 pairs"),
        (None, "the shadow earns more"),
    ):
        reading = replace(report.reading, pairs=money, returned=returned)
        shown = seen._replace(store=seen.store._replace(shadows=(report._replace(reading=reading),)))
        assert said in shadow_rows(shown)[0].note
