"""Files of divergences: every complete line is counted once, hostile ones by reason, and each poll is bounded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from console.domain.seen.observation import DivergenceLog
from console.domain.shadow.compare import Kind, Rules
from console.domain.text import clean
from console.logs import divergences
from console.logs.divergences import KEPT, MAX_LINE_BYTES, DivergenceSet
from console.logs.files.form import form_of
from console.logs.files.places import LOOK_EVERY_S

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
T = NOW.timestamp() - 3600


def record(number: int = 0, live: object = None, shadow: object = None, **more: object) -> dict[str, object]:
    found = {"state": {"round": number}, "live": live or {"action": "HOLD"}, "shadow": shadow or {"action": "BET"}}
    return {**found, "timestamp": T + number, **more}


def line(number: int = 0, live: object = None, shadow: object = None, **more: object) -> bytes:
    return json.dumps(record(number, live, shadow, **more)).encode() + b"\n"


class Follower:
    """A DivergenceSet with a clock of its own."""

    def __init__(self, *patterns: Path | str, **options: object) -> None:
        self.files = DivergenceSet(patterns, **options)  # type: ignore[arg-type]
        self.now = NOW

    def read(self, after_s: float = 0.05) -> DivergenceLog:
        """Poll until all that is there was read and compared."""
        self.now += timedelta(seconds=after_s)
        self.files.poll(self.now)
        while self.files.behind:
            self.files.poll(self.now)
        return self.files.reading(self.now)

    def rounds(self, after_s: float = 0.05) -> list[object]:
        """Which rounds are kept."""
        return [found.divergence.state["round"] for found in self.read(after_s).recent]  # type: ignore[index]


Follow = Callable[..., Follower]


@pytest.fixture
def follow() -> Iterator[Follow]:
    opened: list[Follower] = []

    def make(*patterns: Path | str, **options: object) -> Follower:
        opened.append(Follower(*patterns, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.files.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "divergences.jsonl"


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as written:
        written.write(data)


def test_records_are_read_as_they_are_written_and_compared(file: Path, follow: Follow) -> None:
    file.write_bytes(line(1, {"action": "BET", "amount": 2.5}, {"action": "BET", "amount": 5}))
    one = follow(file)
    (found,) = one.read().recent
    (mismatch,) = found.mismatches
    assert (mismatch.path, mismatch.kind, mismatch.live, mismatch.shadow) == ("amount", Kind.VALUE, "2.5", "5")
    assert found.money
    assert found.source == clean(str(file), 80)
    assert found.at == datetime.fromtimestamp(T + 1, UTC)
    append(file, line(2))
    reading = one.read()
    assert (reading.total, reading.diverged) == (2, 2)
    assert [rate.path for rate in reading.fields] == ["amount", "action"]
    assert [rate.rate for rate in reading.fields] == [0.5, 0.5]


def test_amounts_keep_their_digits_and_one_is_one_point_nought(file: Path, follow: Follow) -> None:
    file.write_text(
        '{"state": 0, "live": {"amount": 0.1, "n": 1}, "shadow": {"amount": 0.10000000000000001, "n": 1.0}, '
        '"timestamp": 1.5}\n'
    )
    (found,) = follow(file).read().recent
    assert [(m.path, m.live, m.shadow) for m in found.mismatches] == [("amount", "0.1", "0.10000000000000001")]
    assert found.divergence.live["amount"] == Decimal("0.1")  # type: ignore[index]


def test_a_record_whose_decisions_agree_counts_and_is_no_divergence(file: Path, follow: Follow) -> None:
    file.write_bytes(line(1) + line(2, {"action": "BET"}, {"action": "BET"}))
    reading = follow(file).read()
    assert (reading.total, reading.diverged) == (2, 1)


def test_rules_are_obeyed_but_never_over_money(file: Path, follow: Follow) -> None:
    file.write_bytes(
        line(1, {"why": "a", "amount": 1}, {"why": "b", "amount": 1})
        + line(2, {"x": {"amount": 1}}, {"x": {"amount": 2}})
    )
    reading = follow(file, rules=Rules(ignore=("why", "x"))).read()
    assert (reading.total, reading.diverged) == (2, 1)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"nonsense", "not JSON"),
        (b"[1, 2]", "not an object"),
        (b'"text"', "not an object"),
        (b'{"state": 1, "live": 2, "timestamp": 3}', "missing field"),
        (b'{"state": 1, "live": 2, "shadow": 3, "timestamp": "now"}', "bad timestamp"),
        (b'{"state": 1, "live": 2, "shadow": 3, "timestamp": true}', "bad timestamp"),
        (b'{"state": 1, "live": 2, "shadow": 3, "timestamp": NaN}', "bad timestamp"),
        (b'{"state": 1, "live": 2, "shadow": 3, "timestamp": 1e400}', "bad timestamp"),
        (b'{"state": 1, "live": 2, "shadow": 3, "timestamp": 1e17}', "bad timestamp"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b'{"state": ' + b"[" * 5000 + b"]" * 5000 + b', "live": 2, "shadow": 3, "timestamp": 3}', "not JSON"),
        (b"x" * (MAX_LINE_BYTES + 1), "line too long"),
        (b"x" * (4 * MAX_LINE_BYTES), "line too long"),
    ],
)
def test_a_line_that_is_no_record_is_counted_under_its_reason(
    file: Path, follow: Follow, raw: bytes, reason: str
) -> None:
    file.write_bytes(line(1) + raw + b"\n" + line(2))
    one = follow(file)
    assert one.rounds() == [1, 2]
    assert one.read().rejected == {reason: 1}


@pytest.mark.parametrize("depth", [20, 100, 300, 700, 900, 980])
def test_whatever_the_depth_a_record_is_kept_or_counted_and_nothing_fails(
    file: Path, follow: Follow, depth: int
) -> None:
    nested = "[" * depth + "1" + "]" * depth
    file.write_text(f'{{"state": {nested}, "live": {{"a": {nested}}}, "shadow": {{"b": {nested}}}, "timestamp": 3}}\n')
    append(file, line(2))
    reading = follow(file).read()
    assert reading.total + sum(reading.rejected.values()) == 2


def test_blank_lines_are_no_lines(file: Path, follow: Follow) -> None:
    file.write_bytes(b"\n\r\n  \n" + line(1) + b"\n")
    reading = follow(file).read()
    assert (reading.total, reading.rejected) == (1, {})


def test_a_partial_line_waits_for_its_end(file: Path, follow: Follow) -> None:
    whole = line(1)
    file.write_bytes(whole[:20])
    one = follow(file)
    assert one.rounds() == []
    append(file, whole[20:])
    assert one.rounds() == [1]


def test_reading_begins_at_the_last_lines_and_says_what_was_left_out(file: Path, follow: Follow) -> None:
    file.write_bytes(b"".join(line(number) for number in range(20)))
    one = follow(file, last_lines=3)
    assert one.rounds() == [17, 18, 19]
    assert one.read().skipped_bytes == len(b"".join(line(number) for number in range(17)))


def test_a_truncated_file_is_read_again_and_a_renamed_one_to_its_end(file: Path, follow: Follow) -> None:
    file.write_bytes(line(1) + line(2))
    one = follow(file)
    assert one.rounds() == [1, 2]
    file.write_bytes(line(3))
    assert one.rounds() == [1, 2, 3]
    file.rename(file.with_suffix(".1"))
    append(file.with_suffix(".1"), line(4))
    file.write_bytes(line(5))
    assert one.rounds() == [1, 2, 3, 4, 5]


def test_patterns_are_looked_up_again_and_a_missing_file_is_a_problem_until_it_comes(
    tmp_path: Path, follow: Follow
) -> None:
    one = follow(str(tmp_path / "*.jsonl"), tmp_path / "sub" / "named")
    assert [found.problem for found in one.read().files] == ["no such file yet"]
    (tmp_path / "a.jsonl").write_bytes(line(1))
    (tmp_path / "b.jsonl").write_bytes(line(2))
    assert one.rounds(after_s=LOOK_EVERY_S) == [1, 2]


def test_only_the_newest_are_kept_and_all_are_counted(file: Path, follow: Follow) -> None:
    file.write_bytes(b"".join(line(number) for number in range(KEPT + 50)))
    one = follow(file)
    assert one.rounds() == list(range(50, KEPT + 50))
    assert one.read().total == KEPT + 50
    assert len({found.key for found in one.read().recent}) == KEPT


def test_what_is_kept_is_bounded_in_bytes_too(file: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(divergences, "MAX_KEPT_BYTES", 5 * len(line(10)))
    file.write_bytes(b"".join(line(number) for number in range(10, 30)))
    assert follow(file).rounds() == [25, 26, 27, 28, 29]


def test_a_poll_compares_at_least_one_line_and_leaves_the_rest_for_the_next(
    file: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(divergences, "MAX_SECONDS_A_POLL", 0.0)
    file.write_bytes(b"".join(line(number) for number in range(10)))
    one = follow(file)
    totals = []
    for _ in range(40):
        one.files.poll(NOW)
        totals.append(one.files.reading(NOW).total)
        if not one.files.behind:
            break
    assert totals[-1] == 10
    assert max(after - before for before, after in pairwise(totals)) <= 2


def test_the_worst_line_costs_a_poll_no_more_than_a_frame(file: Path, follow: Follow) -> None:
    wide = {f"field{number}": [number] for number in range(2500)}
    other = {f"field{number}": [-number] for number in range(2500)}
    worst = json.dumps({"state": 0, "live": wide, "shadow": other, "timestamp": 1}).encode()
    half = {name: wide[name] for name in list(wide)[:1000]}, {name: other[name] for name in list(other)[:1000]}
    worst = (
        worst
        if len(worst) < MAX_LINE_BYTES
        else json.dumps({"state": 0, "live": half[0], "shadow": half[1], "timestamp": 1}).encode()
    )
    assert len(worst) < MAX_LINE_BYTES
    file.write_bytes((worst + b"\n") * 8)
    one = follow(file)
    longest, polls = 0.0, 0
    while one.files.behind:
        started = time.process_time()
        one.files.poll(NOW)
        longest = max(longest, time.process_time() - started)
        polls += 1
    assert one.files.reading(NOW).total == 8
    assert polls > 1, "a poll that compares everything at once would be no bound"
    assert longest < 0.5


def test_nothing_new_means_the_same_objects(file: Path, follow: Follow) -> None:
    file.write_bytes(line(1))
    one = follow(file)
    before, after = one.read(), one.read()
    assert not one.files.poll(one.now)
    assert before.recent is after.recent
    assert before.fields is after.fields


lines = st.lists(
    st.one_of(
        st.binary(max_size=60).filter(lambda raw: b"\n" not in raw),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
            max_leaves=12,
        ).map(lambda value: json.dumps({"state": value, "live": value, "shadow": [value], "timestamp": 5}).encode()),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines)
def test_every_line_is_a_record_or_refused_whatever_it_holds(tmp_path: Path, raw: list[bytes]) -> None:
    file = tmp_path / "any.jsonl"
    data = b"".join(one + b"\n" for one in raw)
    assume(not form_of(data))
    file.write_bytes(data)
    one = Follower(file, last_lines=None)
    reading = one.read()
    one.files.close()
    assert reading.total + sum(reading.rejected.values()) == sum(bool(part.strip()) for part in raw)
