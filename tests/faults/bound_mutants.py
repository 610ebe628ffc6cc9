# ruff: noqa: E501
"""Bounds taken out of the scripts, each with the test of `tests/store/fence/test_bounds.py` that must notice."""

from tests.faults.mutants import Mutant

BOUND_MUTANTS = [
    Mutant("control", "redis.call('ZRANGE', K[3], 0, left - 1)", "redis.call('ZRANGE', K[3], 0, -1)",
           "test_a_crash_between_two_calls_of_a_long_drain_leaves_it_to_whoever_comes_next"),
    Mutant("control", "      if redis.call('ZCARD', K[3]) > 0 then return end", "",
           "test_a_drain_whose_deadline_passed_ends_a_hundred_claims_a_call_and_nobody_claims_until_the_last"),
    Mutant("control", "    C.count_doubt(K, slot, 1)\n", "", "test_whose_doubts_they_are_is_known_without_looking_at_each"),
    Mutant("control", "if by > 0 and doubts(K) == 1 then", "if false then",
           "test_whose_doubts_they_are_is_known_without_looking_at_each"),
    Mutant("settle", "  if state ~= 'C' then control().count_doubt(K, slot, -1) end\n", "",
           "test_a_doubt_that_has_an_end_is_no_longer_counted_as_its_sides[settled]"),
    Mutant("resolve", "  C.count_doubt(K, slot, -1)\n", "",
           "test_a_doubt_that_has_an_end_is_no_longer_counted_as_its_sides[resolved]"),
    Mutant("control", "      return 'whose ' ..", "      return nil and 'whose ' ..",
           "test_where_it_is_not_known_whose_many_doubts_are_nobody_goes_back_to_a_side_by_itself"),
    Mutant("beat", "redis.call('HSET', K[1], 'hr_' .. slot, inst)", "local _ = inst",
           "test_a_side_is_known_healthy_among_many_instances_by_the_one_that_beat_last"),
    Mutant("beat", "and (count > MANY or o.slot ~= c.act) then", "then",
           "test_instances_that_died_long_ago_leave_and_what_they_left_open_stays_their_versions"),
    Mutant("beat", "        leave_behind(K, some[i], some[i + 1])\n", "",
           "test_instances_that_died_long_ago_leave_and_what_they_left_open_stays_their_versions"),
    Mutant("beat", "count > MANY and CROWDED_MS or DEAD_MS", "DEAD_MS",
           "test_twenty_thousand_dead_instances_leave_however_young_they_are"),
    Mutant("beat", "  if oldest then redis.call('HDEL', key, oldest) end\n", "",
           "test_twenty_thousand_dead_instances_leave_however_young_they_are"),
    Mutant("control", "    if c.mv ~= 0 then move_leases(K, c) end\n", "",
           "test_many_leases_are_moved_along_with_the_servers_clock_and_none_ends_meanwhile"),
    Mutant("control", "    if c.mv ~= 0 then return end   -- leases", "    -- leases",
           "test_no_lease_ends_while_they_are_moved_along_with_the_servers_clock"),
]  # fmt: skip
