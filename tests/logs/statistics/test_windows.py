"""Statistics by version and slot: exact in money, bounded in memory, indifferent to the order of rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.seen.observation import PnlTotal, VersionReading
from console.logs.lines.money import EXACT
from console.logs.lines.parse import Parser
from console.logs.options import LogOptions
from console.logs.statistics import windows
from console.logs.statistics.ledger import MAX_POINTS
from console.logs.statistics.tally import LATENCIES
from console.logs.statistics.windows import Windows

NOW = 1_760_000_000.0
DAY = 86_400


def record(at: float = NOW - 10, version: str = "blue-1", pnl: object = None, **fields: object) -> dict[str, Any]:
    output = (
        {} if pnl is None else {"pnl": pnl, "currency": fields.pop("currency", "USD"), "dry": fields.pop("dry", False)}
    )
    return {"agent_version": version, "timestamp": at, "decision_type": "bet", "output": output} | fields


def feed(statistics: Windows, records: Iterable[dict[str, Any]], now: float = NOW) -> int:
    block = b"\n".join(json.dumps(one, default=str).encode() for one in records)
    parsed = Parser(LogOptions()).parse(block)
    assert not parsed.rejected
    return statistics.add(parsed, now)


def of(*records: dict[str, Any], now: float = NOW) -> Windows:
    statistics = Windows(LogOptions())
    feed(statistics, records, now)
    statistics.tick(now)
    return statistics


def only(statistics: Windows) -> VersionReading:
    (reading,) = statistics.by_version().values()
    return reading


def only_total(statistics: Windows) -> PnlTotal:
    (total,) = only(statistics).pnl
    return total


def test_each_version_and_each_slot_is_counted_on_its_own() -> None:
    statistics = of(record(version="blue-1"), record(version="green-2"), record(version="blue-3"), record(version="x"))
    assert {name: one.decisions for name, one in statistics.by_version().items()} == {
        "blue-1": 1,
        "green-2": 1,
        "blue-3": 1,
        "x": 1,
    }
    assert {name: one.decisions for name, one in statistics.by_slot().items()} == {"blue": 2, "green": 1}
    assert [one.slot for one in statistics.by_version().values()] == ["blue", "green", "blue", ""]


def test_the_slot_a_record_states_counts_before_its_version() -> None:
    statistics = of(record(version="blue-1", slot="blue"), record(version="blue-1", slot="green"))
    assert set(statistics.by_slot()) == {"blue", "green"}
    assert only(statistics).slot == "green"
    feed(statistics, [record(slot="blue"), record(slot="green"), record(slot="blue")])
    assert only(statistics).slot == "blue", "that of the last record"


def test_first_and_last_are_the_log_s_own_times() -> None:
    reading = only(of(record(NOW - 5), record(NOW - 500), record(NOW - 50)))
    assert reading.first_at == datetime.fromtimestamp(NOW - 500, UTC)
    assert reading.last_at == datetime.fromtimestamp(NOW - 5, UTC)


def test_the_rate_counts_the_last_sixty_seconds_and_follows_the_clock() -> None:
    statistics = of(*(record(NOW - age) for age in (0, 1, 30, 59, 60, 61, 3600)))
    assert only(statistics).rate_per_s == 4 / 60
    assert statistics.tick(NOW + 30)
    assert only(statistics).rate_per_s == 2 / 60
    assert statistics.tick(NOW + 3600)
    assert only(statistics).rate_per_s == 0
    assert not statistics.tick(NOW + 3601)


def test_a_clock_a_little_ahead_does_not_lose_rate_but_is_counted_when_its_second_comes() -> None:
    statistics = of(record(NOW + 5))
    assert only(statistics).rate_per_s == 0
    assert statistics.tick(NOW + 5)
    assert only(statistics).rate_per_s == 1


def test_a_log_that_was_just_opened_has_its_rate_over_the_seconds_that_were_read() -> None:
    statistics = of(*(record(NOW - age) for age in (0, 1, 2, 3)))
    assert only(statistics).rate_per_s == 1


def test_latency_quantiles_are_exact_over_the_newest_rows() -> None:
    statistics = of(*(record(latency_ms=latency) for latency in range(1, 101)))
    assert (only(statistics).p50_ms, only(statistics).p99_ms) == (50, 99)
    feed(statistics, [record(latency_ms=7) for _ in range(LATENCIES)])
    assert (only(statistics).p50_ms, only(statistics).p99_ms) == (7, 7)


def test_where_no_record_states_a_latency_there_is_no_quantile() -> None:
    reading = only(of(record(), record(latency_ms=-1)))
    assert (reading.p50_ms, reading.p99_ms) == (None, None)


def test_currencies_and_dry_rounds_are_never_summed_and_live_comes_first() -> None:
    statistics = of(
        record(pnl=1, dry=True),
        record(pnl=2),
        record(pnl=4, currency="EUR"),
        record(pnl=8),
        record(),
    )
    assert [(one.currency, one.dry, one.total, one.rounds) for one in only(statistics).pnl] == [
        ("EUR", False, 4, 1),
        ("USD", False, 10, 2),
        ("USD", True, 1, 1),
    ]


def test_a_sum_that_binary_floats_get_wrong_is_exact() -> None:
    statistics = of(*(record(pnl=0.1) for _ in range(10)))
    assert str(only_total(statistics).total) == "1.0"


def test_a_penny_beside_a_fortune_is_not_rounded_away() -> None:
    statistics = of(record(pnl="99999999999999999999999999999"), record(pnl="0.00000000000000000001"))
    assert str(only_total(statistics).total) == "99999999999999999999999999999.00000000000000000001"


def test_the_last_24_hours_end_now_whoever_decided_last_and_when() -> None:
    statistics = of(record(NOW - 2 * DAY, "blue-1", pnl=1), record(NOW - 0.5 * DAY, "blue-1", pnl=2))
    assert (only_total(statistics).total, only_total(statistics).last_24h) == (3, 2)
    feed(statistics, [record(NOW - 0.9 * DAY, "green-1", pnl=4)])
    assert [one.pnl[0].last_24h for one in statistics.by_version().values()] == [2, 4]
    assert statistics.tick(NOW + 0.2 * DAY)
    assert [(one.pnl[0].total, one.pnl[0].last_24h) for one in statistics.by_version().values()] == [(3, 2), (4, 0)]
    assert statistics.tick(NOW + DAY)
    assert [one.pnl[0].last_24h for one in statistics.by_version().values()] == [0, 0]


def test_an_old_record_that_arrives_late_counts_in_the_total_and_not_in_the_last_24_hours() -> None:
    statistics = of(record(NOW, pnl=1))
    feed(statistics, [record(NOW - 3 * DAY, pnl=2)])
    assert (only_total(statistics).total, only_total(statistics).last_24h) == (3, 1)
    assert only_total(statistics).series[0] == 2
    assert only_total(statistics).series[-1] == 3


def test_a_record_from_the_far_future_that_was_not_read_as_it_came_counts_beside_its_neighbour() -> None:
    statistics = Windows(LogOptions())
    rows = [record(NOW - 2 * DAY, pnl=1), record(NOW + 9e9, pnl=2), record(NOW - 60, pnl=4), record(NOW + 9e9, pnl=8)]
    parsed = Parser(LogOptions()).parse(b"\n".join(json.dumps(one).encode() for one in rows))
    statistics.add(parsed, NOW, live=False)
    assert (only_total(statistics).total, only_total(statistics).last_24h) == (15, 12)


def test_a_record_from_the_far_future_counts_when_it_was_read() -> None:
    statistics = of(record(NOW - 60, pnl=1), record(NOW + 9e9, pnl=2))
    total = only_total(statistics)
    assert (total.total, total.last_24h, total.series_step_s) == (3, 3, 1.0)
    assert len(total.series) == 61


def test_records_from_the_far_future_do_not_disturb_the_order_of_those_from_the_near_future() -> None:
    rows = [record(NOW - 30, pnl=1), *(record(NOW + 200, pnl=1) for _ in range(2000)), record(NOW + 9e9, pnl=5)]
    total = only_total(of(*rows))
    assert (total.series[0], total.series[30], total.series[-1]) == (1, 6, 2006)


def test_the_series_is_the_running_total_at_equal_steps() -> None:
    total = only_total(of(record(100, pnl=1), record(102, pnl=2), record(102.5, pnl=-5)))
    assert total.series == (1, 1, -2)
    assert (total.series_start, total.series_step_s) == (datetime.fromtimestamp(100, UTC), 1.0)


def test_a_series_that_is_full_doubles_its_step() -> None:
    statistics = Windows(LogOptions())
    for hour in range(24 * 90):
        feed(statistics, [record(NOW + hour * 3600, pnl=1)], NOW + hour * 3600)
        assert len(only_total(statistics).series) <= MAX_POINTS
    total = only_total(statistics)
    assert total.series[-1] == float(total.total) == 24 * 90
    assert total.series_step_s == 2**15
    assert len(total.series) > MAX_POINTS / 2


def test_versions_beyond_the_bound_are_counted_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "MAX_VERSIONS", 3)
    statistics = of(*(record(version=f"blue-{number}", pnl=1) for number in (1, 2, 3, 4, 5, 4, 1)))
    assert list(statistics.by_version()) == ["blue-1", "blue-2", "blue-3"]
    assert statistics.versions_more == 2
    assert statistics.by_slot()["blue"].decisions == 7
    assert statistics.by_slot()["blue"].pnl[0].total == 7


def test_a_flood_of_versions_is_held_in_bounded_memory() -> None:
    statistics = Windows(LogOptions())
    for start in range(0, 20_000, 1000):
        feed(statistics, [record(version=f"v{number}", pnl=1) for number in range(start, start + 1000)])
    assert len(statistics.by_version()) == windows.MAX_VERSIONS
    assert statistics.versions_more == windows.MAX_VERSIONS_COUNTED


def test_a_flood_of_currencies_is_refused_and_told_and_the_first_ones_stay_exact() -> None:
    statistics = Windows(LogOptions())
    lost = feed(statistics, [record(pnl=1, currency=f"C{number % 20:02}") for number in range(200)])
    assert len(only(statistics).pnl) == windows.MAX_LEDGERS_EACH
    assert sum(one.total for one in only(statistics).pnl) + lost == 200
    assert only(statistics).decisions == 200


def test_a_hostile_version_is_shown_safe_and_short() -> None:
    statistics = of(record(version="\x1b[31m" + "x" * 10_000))
    assert len(only(statistics).version) == windows.VERSION_LIMIT
    assert only(statistics).version.startswith("␛[31m")


def test_a_reading_with_nothing_new_is_the_same_object() -> None:
    statistics = of(record(pnl=1), record(version="green-1", pnl=2))
    before = statistics.by_version()
    feed(statistics, [record(version="green-1", pnl=3)])
    after = statistics.by_version()
    assert after["blue-1"] is before["blue-1"]
    assert after["green-1"] is not before["green-1"]


ROWS = st.lists(
    st.builds(
        record,
        at=st.floats(0, NOW + 400) | st.floats(NOW - 2 * DAY, NOW),
        version=st.sampled_from(["blue-1", "green-1", "blue-2", "x"]),
        pnl=st.none() | st.decimals(-1000, 1000, places=4) | st.decimals(-1, 1, places=20),
        currency=st.sampled_from(["USD", "EUR"]),
        dry=st.booleans(),
        slot=st.sampled_from([None, "blue", "green"]),
        latency_ms=st.none() | st.floats(-1, 1000),
    ),
    min_size=1,
    max_size=60,
)


@given(ROWS)
def test_totals_equal_the_plain_sum_of_the_rows(rows: list[dict[str, Any]]) -> None:
    statistics = of(*rows)
    for name, reading in statistics.by_version().items():
        mine = [one for one in rows if one["agent_version"] == name]
        assert reading.decisions == len(mine)
        expected: dict[tuple[str, bool], Decimal] = {}
        with localcontext(EXACT):
            for one in mine:
                output = one["output"]
                if output:
                    kind = output["currency"], output["dry"]
                    expected[kind] = expected.get(kind, Decimal(0)) + output["pnl"]
        assert {(total.currency, total.dry): total.total for total in reading.pnl} == expected
        for total in reading.pnl:
            assert total.series[-1] == pytest.approx(float(total.total))
            assert len(total.series) <= MAX_POINTS


@given(ROWS, st.lists(st.integers(0, 60), max_size=6))
def test_blocks_of_any_size_give_the_same_statistics(rows: list[dict[str, Any]], cuts: list[int]) -> None:
    whole = of(*rows)
    parts = Windows(LogOptions())
    places = [0, *sorted(cuts), len(rows)]
    for start, end in pairwise(places):
        if rows[start:end]:
            feed(parts, rows[start:end])
    parts.tick(NOW)
    assert parts.by_version() == whole.by_version()
    assert parts.by_slot() == whole.by_slot()


@given(ROWS, st.randoms(use_true_random=False))
def test_rows_out_of_order_give_the_same_money_and_counts(rows: list[dict[str, Any]], random: Any) -> None:
    mixed = list(rows)
    random.shuffle(mixed)

    def money(statistics: Windows) -> dict[str, tuple[Any, ...]]:
        return {
            name: (one.decisions, one.first_at, one.last_at, one.rate_per_s, one.pnl)
            for name, one in statistics.by_version().items()
        }

    assert money(of(*mixed)) == money(of(*rows))
