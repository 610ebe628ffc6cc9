# ruff: noqa: E501
"""Single checks taken out of `state.lua`, each with the test that must notice; see `tests/faults/mutants.py`."""

from __future__ import annotations

from tests.faults.mutants import Mutant

STATE_MUTANTS = [
    Mutant("state", "elseif slot ~= mine or", "elseif", "test_the_standby_side_changes_nothing_of_what_the_active_one_kept"),
    Mutant("state", "(tonumber(A[4]) or 0) < c.ten or", "", "test_an_old_tenure_changes_nothing_even_when_its_side_is_active_again"),
    Mutant("state", "or tonumber(A[4]) > c.ep", "", "test_an_epoch_that_is_not_yet_is_refused"),
    Mutant("state", "if c.ph ~= 'RUN' then mine = c.prev end", "", "test_who_acted_last_may_still_keep_while_halted_and_nobody_takes"),
    Mutant("state", "if c.ph ~= 'RUN' then mine = c.prev end", "if c.ph == 'HALT' then mine = c.prev end",
           "test_who_is_to_stop_acting_may_keep_until_a_drain_is_over"),
    Mutant("state", "(act == 'take' and c.ph ~= 'RUN')", "false", "test_who_acted_last_may_still_keep_while_halted_and_nobody_takes"),
    Mutant("state", "if c.new then return reply('NOINIT') end", "", "test_a_store_without_authority_keeps_nothing"),
    Mutant("state", "if #missing > 0 then return reply('MISSING', n, table.concat(missing)) end", "",
           "test_only_pieces_that_the_store_lacks_are_asked_for"),
    Mutant("state", "if known == root and", "if", "test_the_list_is_bounded_and_so_are_the_pieces"),
    Mutant("state", "and (tonumber(epoch) or 0) >= c.ten then", "then",
           "test_the_same_content_from_the_other_side_is_a_state_of_its_own"),
    Mutant("state", "if known == root and", "if false and", "test_the_same_again_is_as_new_as_now_and_nothing_travels"),
    Mutant("state", "int(math.min(action, c.an))", "int(action)", "test_the_action_counter_is_what_the_state_knows_of"),
    Mutant("state", "int(math.min(action, c.an))", "int(c.an)", "test_the_action_counter_is_what_the_state_knows_of"),
    Mutant("state", "if used[i] == int(number) then", "if true then", "test_the_list_is_bounded_and_so_are_the_pieces"),
    Mutant("state", "if used[i] == int(number) then", "if false then", "test_the_list_is_bounded_and_so_are_the_pieces"),
    Mutant("state", "while n - oldest + 1 > keep do", "while false do", "test_the_list_is_bounded_and_so_are_the_pieces"),
    Mutant("state", "if more > most then return reply('FULL', n, int(more)) end", "",
           "test_what_is_too_much_for_the_store_is_refused_and_the_old_ones_stay"),
    Mutant("state", "while bytes + more > most and oldest < n do", "while false do",
           "test_older_states_make_room_for_the_newest"),
    Mutant("state", "local whole = redis.call('HLEN', K[9]) == redis.call('HLEN', K[10])", "local whole = true",
           "test_pieces_that_somebody_took_away_are_asked_for_again"),
    Mutant("state", "if taken and string.match(taken, '^[^\\n]*') ~= A[2] then", "if false then",
           "test_a_state_is_handed_over_once_and_whoever_comes_later_is_told_to_whom"),
    Mutant("state", "if not taken then", "if false then",
           "test_a_state_is_handed_over_once_and_whoever_comes_later_is_told_to_whom"),
    Mutant("state", "if tonumber(number) < n then drop", "if true then drop", "test_pruning_drops_what_is_named_and_never_the_newest"),
    Mutant("state", "if c.ph ~= 'HALT' then return reply('NOT_HALTED', n, c.act) end", "",
           "test_an_operator_puts_a_state_back_only_while_halted"),
    Mutant("state", "or string.find(A[2] .. root, '%c')", "", "test_a_record_that_could_not_be_read_back_is_refused"),
]  # fmt: skip
