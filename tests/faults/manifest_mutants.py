# ruff: noqa: E501
"""Single checks of manifests taken out of the scripts, each with the test that must notice; see `tests/faults/mutants.py`."""

from __future__ import annotations

from tests.faults.mutants import Mutant

MANIFEST_MUTANTS = [
    Mutant(
        "beat",
        "string.match(held, MANIFEST_MARK) or 'damaged'",
        "string.match(held, MANIFEST_MARK) or mark",
        "test_a_manifest_that_somebody_damaged_freezes_as_another_one_does_and_the_side_lives_on",
    ),
    Mutant(
        "beat",
        "if told >= MANIFESTS_TOLD then return mark end",
        "",
        "test_one_that_is_another_each_time_ends_neither_the_freeze_nor_the_life_of_the_epoch",
    ),
    Mutant(
        "beat",
        "local mark = declare(K, C, c, ms, inst, A[4], A[14] or '', old)",
        "local mark = ''",
        "test_another_manifest_of_the_same_version_freezes_new_risk_in_the_same_step",
    ),
    Mutant(
        "beat",
        "if c.ph ~= 'HALT' then c.lvl = math.max(c.lvl, 1) end",
        "",
        "test_another_manifest_of_the_same_version_freezes_new_risk_in_the_same_step",
    ),
    Mutant(
        "beat",
        "if c.ph ~= 'HALT' then c.lvl = math.max(c.lvl, 1) end",
        "if c.ph ~= 'HALT' then c.lvl = 1 end",
        "test_a_freeze_by_hand_is_never_lowered_by_a_manifest",
    ),
    Mutant(
        "beat",
        "if c.ph ~= 'HALT' then c.lvl = math.max(c.lvl, 1) end",
        "if c.ph == 'RUN' then c.lvl = math.max(c.lvl, 1) end",
        "test_a_change_while_a_switch_drains_is_in_force_after_it",
    ),
    Mutant(
        "beat",
        "if other and (said == mark or string.match(other, MANIFEST_MARK) == mark) then return mark end",
        "",
        "test_who_froze_and_for_what_is_data_and_it_is_one_row_however_often_it_beats",
    ),
    Mutant(
        "beat",
        "if other and (said == mark or string.match(other, MANIFEST_MARK) == mark) then return mark end",
        "if other then return mark end",
        "test_a_third_manifest_is_told_too_and_raises_the_epoch_although_it_is_frozen_already",
    ),
    Mutant(
        "beat",
        "(said == mark or string.match(other, MANIFEST_MARK) == mark)",
        "string.match(other, MANIFEST_MARK) == mark",
        "test_many_others_that_beat_in_turn_are_one_row_each_and_leave_the_epoch_alone",
    ),
    Mutant(
        "beat",
        "if said == mark and string.find(was",
        "if string.find(was",
        "test_what_runs_on_beside_what_was_accepted_is_not_frozen_again_but_comes_back_as_another",
    ),
    Mutant(
        "beat",
        "if said == mark and string.find(was",
        "if false and string.find(was",
        "test_what_runs_on_beside_what_was_accepted_is_not_frozen_again_but_comes_back_as_another",
    ),
    Mutant(
        "beat",
        "if mark == '' and said == '' then return mark end",
        "if mark == '' then return mark end",
        "test_a_version_that_declared_one_and_declares_none_any_more_is_frozen",
    ),
    Mutant(
        "beat",
        "if #mark ~= 64 or #text > MANIFEST_BYTES then",
        "if #text > MANIFEST_BYTES then",
        "test_what_is_no_manifest_is_taken_for_none",
    ),
    Mutant(
        "beat",
        "if #mark ~= 64 or #text > MANIFEST_BYTES then",
        "if #mark ~= 64 then",
        "test_what_is_no_manifest_is_taken_for_none[yyy]",
    ),
    Mutant(
        "beat",
        "if mark ~= '' then\n      redis",
        "if true then\n      redis",
        "test_a_version_that_declares_none_goes_on_as_ever",
    ),
    Mutant(
        "beat", "forget_manifests(key)\n    end", "end", "test_of_more_than_a_hundred_versions_the_oldest_is_forgotten"
    ),
    Mutant(
        "beat",
        "if not before and kept ~= text then",
        "if false then",
        "test_the_same_manifest_told_anew_says_what_it_reads_now",
    ),
    Mutant(
        "beat",
        "'agent', 'freeze', slot, { 'manifest' }",
        "'agent', nil, slot, nil",
        "test_who_froze_and_for_what_is_data_and_it_is_one_row_however_often_it_beats",
    ),
    Mutant(
        "beat",
        "c.ep, c.gen = math.max(c.ep + 1, ms), c.gen + 1\n  if c.ph ~= 'HALT'",
        "if c.ph ~= 'HALT'",
        "test_a_third_manifest_is_told_too_and_raises_the_epoch_although_it_is_frozen_already",
    ),
    Mutant(
        "control",
        "if runs(K, beats, ms, version, other) then",
        "if true then",
        "test_what_only_a_dead_process_declared_is_not_accepted",
    ),
    Mutant(
        "control",
        "redis.call('HDEL', key, '~' .. version)",
        "",
        "test_resuming_accepts_what_runs_and_the_audit_says_which",
    ),
    Mutant(
        "switch",
        "if accepted ~= '' then lifted[7], lifted[8] = 'accepts', accepted end",
        "",
        "test_resuming_accepts_what_runs_and_the_audit_says_which",
    ),
    Mutant(
        "switch",
        "local accepted = resume and C.accept(K, c, ms) or ''",
        "local accepted = ''",
        "test_a_change_while_all_is_halted_is_accepted_by_who_resumes_and_by_nobody_else",
    ),
    Mutant(
        "switch",
        "if #A > 14 then A[#A + 1] = 'accepts'; A[#A + 1] = accepted end",
        "",
        "test_a_change_while_all_is_halted_is_accepted_by_who_resumes_and_by_nobody_else",
    ),
]
