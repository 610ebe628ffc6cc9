# ruff: noqa: E501
"""Single checks of a venue's window taken out of the scripts, each with the test that must notice; see `tests/faults/mutants.py`."""

from __future__ import annotations

from tests.faults.mutants import Mutant

WINDOW_MUTANTS = [
    Mutant("claim", "  if late then\n", "  if false then\n", "test_a_key_is_never_sent_again_past_the_venues_window"),
    Mutant(
        "claim",
        "    control().too_late(K, load(K), ms, idem, cid, mark)\n",
        "",
        "test_a_key_is_never_sent_again_past_the_venues_window",
    ),
    Mutant(
        "claim",
        "if late == nil then return { 'DAMAGED', v[1], 'sent' } end",
        "",
        "test_a_mark_that_can_not_be_read_is_damage_and_no_permission[garbage]",
    ),
    Mutant(
        "claim",
        "local mark, late, first = window ~= '' and redis.pcall",
        "local mark, late, first = window ~= '' and redis.call",
        "test_a_mark_that_can_not_be_read_is_damage_and_no_permission[None]",
    ),
    Mutant(
        "claim",
        "tonumber(window), tonumber(A[7]))",
        "tonumber(window), 0)",
        "test_a_lease_that_a_clock_has_shortened_is_as_long_as_the_next_one",
    ),
    Mutant(
        "control",
        "return ms < tonumber(first) or math.max",
        "return math.max",
        "test_a_sending_that_lies_ahead_was_before_the_clock_was_set_back",
    ),
    Mutant(
        "control",
        "math.max(ms - first, steady) >= window",
        "ms - first >= window",
        "test_a_key_gets_no_younger_by_a_clock_that_was_set_back",
    ),
    Mutant(
        "control",
        "math.max(ms - first, steady) >= window",
        "steady >= window",
        "test_a_key_gets_no_younger_while_the_steady_clock_stands_still",
    ),
    Mutant(
        "control",
        "math.max(ms - first, steady) >= window",
        "math.max(ms - first, steady) > window + 1e6",
        "test_a_key_is_never_sent_again_past_the_venues_window",
    ),
    Mutant(
        "control",
        "- since + math.max(tonumber(span), lease)",
        "- since",
        "test_the_steady_clock_counts_from_the_beginning_of_the_lease",
    ),
    Mutant(
        "control",
        "local mark = is[1] and table.concat(is, '\\n') or first and",
        "local mark = first and",
        "test_the_window_is_counted_from_the_first_sending_whatever_came_after_it",
    ),
    Mutant(
        "control",
        "string.find(mark, SENT) and mark or NOBODY_KNOWS, SENT)",
        "mark, SENT)",
        "test_evidence_is_recorded_beside_a_damaged_mark_and_the_sending_is_the_longest_ago[garbage]",
    ),
    Mutant(
        "control",
        "if kept == 0 then redis.call('SET', name, mark) else",
        "if false then else",
        "test_a_result_that_is_kept_for_ever_keeps_the_first_sending_for_ever",
    ),
    Mutant(
        "control",
        "int(kept + LONGEST)",
        "int(kept)",
        "test_a_first_sending_is_known_for_longer_than_the_result_and_every_window[True]",
    ),
    Mutant(
        "control",
        ".. cid, 'KEEPTTL')",
        ".. cid, 'PX', 1000)",
        "test_a_result_that_is_kept_for_ever_keeps_the_first_sending_for_ever",
    ),
    Mutant(
        "resolve",
        "  C.mark_sent(K, key, A[8], at,",
        "  local _ = (function() end)(at,",
        "test_a_key_is_never_sent_again_past_the_venues_window",
    ),
    Mutant(
        "resolve",
        "local never = refused == cid",
        "local never = false",
        "test_what_came_too_late_and_was_not_executed_uses_its_key_up",
    ),
    Mutant(
        "resolve",
        "local never = refused == cid",
        "local never = refused and refused ~= ''",
        "test_only_what_came_too_late_is_ended_without_a_proof",
    ),
    Mutant(
        "resolve",
        "if never then put(K,",
        "if false then put(K,",
        "test_what_came_too_late_and_was_not_executed_uses_its_key_up",
    ),
    Mutant(
        "settle",
        "      C.mark_sent(K, key, A[4])",
        "",
        "test_a_late_doubt_of_a_claim_that_the_store_has_lost_was_sent_nobody_knows_when",
    ),
]
