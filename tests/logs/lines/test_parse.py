"""Lines of a decision log: what is accepted, what is refused, and why."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import UsageError
from console.domain.seen.decision import Rejection
from console.domain.text import is_clean
from console.logs.lines.money import is_money, surely_money
from console.logs.lines.parse import Parsed, Parser, version_text
from console.logs.lines.shape import Row
from console.logs.newest.present import words
from console.logs.options import LogOptions

PLAIN = {"agent_version": "2.4.0", "timestamp": 1760000000.25, "decision_type": "bet"}


def line(**fields: object) -> bytes:
    return json.dumps(PLAIN | fields).encode()


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in PLAIN.items() if key != name}).encode()


def raw(extra: str) -> bytes:
    return b'{"agent_version":"2.4.0","timestamp":1760000000.25,"decision_type":"bet",' + extra.encode() + b"}"


def parse(*lines: bytes, options: LogOptions | None = None) -> Parsed:
    return Parser(options or LogOptions()).parse(b"\n".join(lines))


def row(of: bytes, options: LogOptions | None = None) -> Row:
    (only,) = parse(of, options=options).rows()
    return only


def refused(of: bytes) -> Rejection:
    parsed = parse(of)
    assert len(parsed) == 0
    (reason,) = parsed.rejected.elements()
    return reason


def test_a_record_of_the_three_mandatory_fields_is_accepted() -> None:
    assert row(line()) == Row("2.4.0", 1760000000.25, "bet")


def test_extra_fields_are_welcome() -> None:
    assert row(line(colour="red", nested={"a": [1, 2, {"b": None}]})) == Row("2.4.0", 1760000000.25, "bet")


@pytest.mark.parametrize("value", [None, 1, 1.5, True, "text", [], [1, {}], {}, {"a": 1}])
@pytest.mark.parametrize("name", ["inputs", "output", "reasoning"])
def test_inputs_output_and_reasoning_may_be_of_any_type(name: str, value: object) -> None:
    assert row(line(**{name: value})).version == "2.4.0"


@pytest.mark.parametrize("name", ["agent_version", "timestamp", "decision_type"])
def test_a_mandatory_field_that_is_missing_is_a_missing_field(name: str) -> None:
    assert refused(without(name)) is Rejection.MISSING_FIELD


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"agent_version": None}, Rejection.WRONG_TYPE),
        ({"agent_version": True}, Rejection.WRONG_TYPE),
        ({"agent_version": ["2"]}, Rejection.WRONG_TYPE),
        ({"decision_type": 7}, Rejection.WRONG_TYPE),
        ({"decision_type": None}, Rejection.WRONG_TYPE),
        ({"timestamp": True}, Rejection.BAD_TIMESTAMP),
        ({"timestamp": None}, Rejection.BAD_TIMESTAMP),
        ({"timestamp": "soon"}, Rejection.BAD_TIMESTAMP),
        ({"timestamp": "2025-10-09"}, Rejection.BAD_TIMESTAMP),
        ({"timestamp": ""}, Rejection.BAD_TIMESTAMP),
        ({"timestamp": "NaN"}, Rejection.BAD_TIMESTAMP),
        ({"timestamp": "-5"}, Rejection.BAD_TIMESTAMP),
        ({"timestamp": "1e999"}, Rejection.BAD_TIMESTAMP),
        ({"timestamp": "2026-11-27T18:06:45[Europe/Paris]"}, Rejection.BAD_TIMESTAMP),
        ({"timestamp": "2026-11-27T18:06:61Z"}, Rejection.BAD_TIMESTAMP),
        ({"timestamp": "2026-11-27T24:00:01Z"}, Rejection.BAD_TIMESTAMP),
        ({"timestamp": "11/27/2026 18:06:45"}, Rejection.BAD_TIMESTAMP),
        ({"timestamp": "0001-01-01T00:00:00Z"}, Rejection.BAD_TIMESTAMP),
        ({"timestamp": 10**17}, Rejection.BAD_TIMESTAMP),
        ({"timestamp": -0.001}, Rejection.BAD_TIMESTAMP),
        ({"timestamp": 253402300800}, Rejection.BAD_TIMESTAMP),
        ({"timestamp": 10**400}, Rejection.BAD_TIMESTAMP),
    ],
)
def test_a_mandatory_field_of_the_wrong_kind_is_refused_by_reason(fields: dict[str, object], reason: Rejection) -> None:
    assert refused(line(**fields)) is reason


@pytest.mark.parametrize(
    ("written", "time_s"),
    [
        ("2016-12-31T23:59:60Z", 1483228800),
        ("2016-12-31T23:59:60.5Z", 1483228800),
        ("2026-11-27T24:00:00Z", 1795824000),
    ],
)
def test_a_leap_second_and_the_end_of_a_day_are_times(written: str, time_s: float) -> None:
    assert row(line(timestamp=written)).time_s == time_s


@pytest.mark.parametrize("timestamp", [0, 253402300799])
def test_timestamps_of_the_years_1970_to_9999_are_accepted(timestamp: int) -> None:
    assert row(line(timestamp=timestamp)).time_s == timestamp


@pytest.mark.parametrize(
    "written",
    [
        1795802805538,
        1795802805538698,
        1795802805538698752,
        "1795802805.538",
        "1795802805538",
        "2026-11-27T18:06:45.538Z",
        "2026-11-27T18:06:45.538698+00:00",
        "2026-11-27T18:06:45.538698752z",
        "2026-11-27 18:06:45,538",
        "2026-11-27T19:36:45.538+01:30",
        "20261127T180645.538Z",
        "2026-11-27t18:06:45.538z",
        "2026-11-27 18:06:45.538 UTC",
        "2026-11-27 18:06:45.538 +00:00",
        "2026-11-27T13:06:45.538\u221205:00",
        "2026-11-27T19:06:45.538+01:00[Europe/Paris]",
        "2026-W48-5T18:06:45.538Z",
        "2026/11/27 18:06:45.538",
        "1795802805,538",
        "1.795802805538e9",
        "1.795802805538E+12",
    ],
)
def test_a_timestamp_is_read_in_every_unit_and_form_that_logs_have(written: object) -> None:
    assert row(line(timestamp=written)).time_s == pytest.approx(1795802805.538, abs=0.001)
    odd = line(timestamp=written, output={"pnl": float("nan")})
    assert row(odd).time_s == pytest.approx(1795802805.538, abs=0.001)
    assert parse(line(timestamp=written), line(), line(timestamp=written)).index is None, "as fast as any other block"


@pytest.mark.parametrize(
    ("written", "text"), [("3", "3"), ("2.10", "2.10"), ("123456789012345678901", "123456789012345678901")]
)
def test_a_version_that_is_a_number_keeps_its_digits(written: str, text: str) -> None:
    assert version_text(row(raw(f'"agent_version":{written}')).version) == text


@pytest.mark.parametrize(
    "of", [b"", b"   ", b"{", b'{"a":1', b"hello", b"\x00\x00", b"{'a':1}", b'{"a":01}', line() + b"}"]
)
def test_what_is_no_json_is_refused_as_such(of: bytes) -> None:
    assert refused(of) is Rejection.NOT_JSON


@pytest.mark.parametrize("of", [b"[]", b"null", b"1", b'"text"', b"[{}]"])
def test_json_that_is_no_object_is_refused_as_such(of: bytes) -> None:
    assert refused(of) is Rejection.NOT_AN_OBJECT


@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\x80", b"\xc3"])
@pytest.mark.parametrize("field", [b"reasoning", b"agent_version", b"unknown"])
def test_bytes_that_are_no_utf8_are_refused_wherever_they_stand(field: bytes, bad: bytes) -> None:
    assert refused(line()[:-1] + b',"' + field + b'":"a' + bad + b'"}') is Rejection.NOT_UTF8


def test_a_nul_byte_in_a_line_is_refused_and_the_lines_around_it_are_not() -> None:
    parsed = parse(line(), line()[:-1] + b',"reasoning":"a\x00b"}', line(decision_type="hold"))
    assert [found.kind for found in parsed.rows()] == ["bet", "hold"]
    assert parsed.rejected == {Rejection.NOT_JSON: 1}
    assert parsed.index == [0, 2]


def test_json_nested_a_hundred_thousand_deep_hides_nothing_else_of_its_record() -> None:
    deep = raw('"inputs":' + "[" * 100_000 + "]" * 100_000)
    assert row(deep) == row(raw('"inputs":1'))


def test_json_that_is_nested_deeply_and_never_closed_is_refused() -> None:
    assert refused(raw('"inputs":' + "[" * 100_000)) is Rejection.NOT_JSON


def test_a_line_of_more_bytes_than_allowed_is_too_long() -> None:
    options = LogOptions(max_line_bytes=len(line()))
    parsed = parse(line(), line() + b" ", options=options)
    assert (len(parsed), parsed.rejected) == (1, {Rejection.TOO_LONG: 1})


def test_a_byte_order_mark_before_the_first_record_is_passed_over() -> None:
    assert row(b"\xef\xbb\xbf" + line()).version == "2.4.0"


def test_a_line_that_ends_in_a_carriage_return_is_accepted() -> None:
    assert row(line() + b"\r").kind == "bet"


def test_a_lone_surrogate_as_python_writes_it_does_not_cost_the_record() -> None:
    assert row(line(reasoning="\ud800", output={"pnl": 1.5})).amount == Decimal("1.5")


@pytest.mark.parametrize(
    "digits", ["0.1", "-0.30", "1E-9", "12345678901234567890.123456789", "0.1000000000000000055511151231257827"]
)
def test_pnl_keeps_exactly_the_digits_of_the_line(digits: str) -> None:
    assert str(row(raw(f'"output":{{"pnl":{digits}}}')).amount) == digits


def test_pnl_written_as_text_by_an_agent_that_keeps_decimals_is_taken_exactly() -> None:
    assert row(line(output={"pnl": "12.30"})).amount == Decimal("12.30")


@pytest.mark.parametrize(
    "written",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        '"NaN"',
        '"sNaN"',
        '"Infinity"',
        '"much"',
        '""',
        "true",
        "[]",
        "[1]",
        "{}",
        "1e30",
        "1e400",
        "-1e999999999999999999999",
        "1e-60",
        "0.1" + "0" * 60 + "1",
        "1" * 5000,
    ],
)
def test_a_pnl_that_is_no_amount_of_money_is_counted_and_the_record_accepted_without_it(written: str) -> None:
    parsed = parse(raw(f'"output":{{"pnl":{written}}}'))
    assert [found.amount for found in parsed.rows()] == [None]
    assert parsed.rejected == {Rejection.BAD_PNL: 1}


@pytest.mark.parametrize("output", [None, "HOLD", {}, {"pnl": None}, {"currency": "USD"}, [{"pnl": 1}]])
def test_a_record_that_states_no_pnl_is_no_bad_pnl(output: object) -> None:
    parsed = parse(line(output=output))
    assert (len(parsed), parsed.rejected) == (1, {})


@pytest.mark.parametrize("dry", ["no", 0, 1, [], {}])
def test_a_pnl_of_which_nobody_knows_whether_money_moved_is_left_out_and_counted(dry: object) -> None:
    parsed = parse(line(output={"pnl": 5, "dry": dry}))
    assert [found.amount for found in parsed.rows()] == [None]
    assert parsed.rejected == {Rejection.BAD_PNL: 1}


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ('"timestamp":NaN', Rejection.BAD_TIMESTAMP),
        ('"timestamp":1e400', Rejection.BAD_TIMESTAMP),
        ('"timestamp":-Infinity', Rejection.BAD_TIMESTAMP),
        ('"agent_version":NaN', Rejection.WRONG_TYPE),
        ('"decision_type":Infinity', Rejection.WRONG_TYPE),
    ],
)
def test_nan_and_infinity_in_a_mandatory_field_are_refused(extra: str, reason: Rejection) -> None:
    assert refused(raw(extra)) is reason


def test_nan_among_the_inputs_does_not_cost_the_record() -> None:
    decision = row(raw('"inputs":{"features":[NaN,-Infinity]},"output":{"pnl":-0.5},"latency_ms":NaN'))
    assert (decision.amount, decision.latency_ms) == (Decimal("-0.5"), None)


@pytest.mark.parametrize("latency", ["fast", True, [], {}, 10**400])
def test_a_latency_that_is_no_number_is_left_out(latency: object) -> None:
    assert row(line(latency_ms=latency)).latency_ms is None


def test_values_are_found_at_the_configured_paths() -> None:
    options = LogOptions(
        pnl_path="result.money.net",
        currency_path="result.money.unit",
        dry_path="paper",
        latency_path="result.took",
        slot_path="side",
    )
    nested = {"result": {"money": {"net": 1.25, "unit": "EUR"}, "took": 12}, "paper": True, "side": "green"}
    decision = row(line(**nested, output={"pnl": 99}), options)
    assert decision == Row("2.4.0", 1760000000.25, "bet", Decimal("1.25"), "EUR", True, 12.0, "green")


def test_paths_that_cross_each_other_still_find_what_is_there() -> None:
    options = LogOptions(pnl_path="output", currency_path="output.unit", slot_path="agent_version")
    decision = row(line(agent_version="blue", output=3.5), options)
    assert (decision.amount, decision.slot) == (Decimal("3.5"), "blue")


def test_an_empty_path_reads_nothing() -> None:
    decision = row(line(output={"pnl": 1, "dry": True}, latency_ms=3), LogOptions(latency_path="", dry_path=""))
    assert (decision.amount, decision.dry, decision.latency_ms) == (1, None, None)


@pytest.mark.parametrize(
    "wrong", [{"pnl_path": "a..b"}, {"last_lines": -1}, {"recent": -1}, {"max_line_bytes": 0}, {"slots": {"red": ()}}]
)
def test_options_that_make_no_sense_are_a_usage_error(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        LogOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("version", "stated", "slot"),
    [
        ("2.4.0", "green", "green"),
        ("2.4.0", "red", "blue"),
        ("2.4.0", None, "blue"),
        ("blue", None, "blue"),
        ("green-9", None, "green"),
        ("greenish", None, ""),
        ("green-old ", None, "blue"),
        *((name, None, "") for name in ("", " ", "greenvale", "greenblue", "bluegreen", "the green one", "v2-green")),
        *((name, None, "green") for name in (" green", "green\n", "\tGreen 2", "greenv2", "green\u20142", "green")),
        *(("9", name, "green") for name in ("Green", " green", "GREEN\n")),
        *(("green-2", name, "green") for name in ("", "canary", "greenish")),
        *((name, None, "green") for name in ("green 2.5", "green_2.5", "green2.5", "green/2", "green@2", "green:v2")),
        ("Green", None, "green"),
        ("GREEN-2", None, "green"),
        ("green-old", None, "blue"),
        ("blue-1", "green", "green"),
        ("9", None, ""),
    ],
)
def test_a_slot_is_what_the_record_states_or_its_version_says_or_the_mapping_tells(
    version: str, stated: str | None, slot: str
) -> None:
    assert LogOptions(slots={"blue": ("2.4.0", "green-old"), "green": ()}).slot_of(version, stated) == slot


@pytest.mark.parametrize(
    ("of", "outcome", "reasoning"),
    [
        (line(output="HOLD", reasoning="below target"), "HOLD", "below target"),
        (line(output={"qty": 3, "action": "BUY", "pnl": 1, "currency": "USD"}), "BUY qty=3", ""),
        (line(output=[1, 2], reasoning={"a": 1}), "[1, 2]", "a=1"),
        (line(output=None, reasoning=None), "", ""),
        (raw('"output":{"action":"BUY","x":NaN},"reasoning":"why"'), "BUY x=NaN", "why"),
        (line(output="\x1b[31mred\n", reasoning="a\u202eb"), "␛[31mred␤", "a�b"),
    ],
)
def test_the_words_of_a_record_are_one_safe_line_each(of: bytes, outcome: str, reasoning: str) -> None:
    assert words(of) == (outcome, reasoning)


def test_words_nested_too_deeply_to_be_shown_say_so() -> None:
    assert words(raw('"output":' + "[" * 100_000 + "]" * 100_000)) == ("(nested too deeply to be shown)", "")


def test_amounts_out_of_range_that_cancel_each_other_are_still_no_money() -> None:
    assert not surely_money([Decimal("-9e29"), Decimal("1.5e30")])


AMOUNTS = st.decimals(allow_nan=True, allow_infinity=True) | st.decimals(
    min_value=-(10**9), max_value=10**9, places=2, allow_nan=False
)


@given(st.lists(AMOUNTS, max_size=20))
def test_the_fast_look_at_amounts_never_passes_one_that_is_no_money(amounts: list[Decimal]) -> None:
    if surely_money(amounts):
        assert all(map(is_money, amounts))


@given(st.lists(st.decimals(min_value=-(10**12), max_value=10**12, places=8), max_size=50))
def test_the_fast_look_passes_ordinary_amounts(amounts: list[Decimal]) -> None:
    assert surely_money(amounts)


ODD = st.sampled_from(
    [
        line(output={"pnl": 1.25, "currency": "USD"}, latency_ms=4),
        line(output={"pnl": 2, "dry": True}, slot="green"),
        line(output="HOLD", agent_version=4),
        line(agent_version=2.5),
        raw('"output":{"pnl":NaN}'),
        raw('"output":{"pnl":1e40}'),
        b"",
        b"{}",
        b"null",
        b"\xff",
        b"\x00",
        line(timestamp=-1),
    ]
)
PIECES = st.lists(st.binary(max_size=40) | ODD | st.sampled_from([b"\n", b"{", b"}", b'"']), max_size=30)


@given(PIECES)
def test_whatever_the_bytes_every_line_is_accepted_or_refused_once(pieces: list[bytes]) -> None:
    block = b"\n".join(pieces)
    parsed = Parser(LogOptions()).parse(block)
    refusals = sum(parsed.rejected.values()) - parsed.rejected[Rejection.BAD_PNL]
    assert len(parsed) + refusals == block.count(b"\n") + 1
    for found in parsed.rows():
        datetime.fromtimestamp(found.time_s, UTC)
        assert found.amount is None or is_money(found.amount)


@given(PIECES)
def test_a_line_is_read_the_same_alone_and_among_others(pieces: list[bytes]) -> None:
    lines = b"\n".join(pieces).split(b"\n")
    together = parse(*lines)
    alone = [parse(one) for one in lines]
    assert together.rows() == [found for one in alone for found in one.rows()]
    assert together.rejected == sum((one.rejected for one in alone), Counter())


@given(st.text(max_size=300), st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_the_words_shown_are_always_clean(text: str, value: object) -> None:
    for of in (line(output=text, reasoning=value), line(output={"action": text, text: value})):
        assert all(is_clean(shown) and len(shown) <= 256 for shown in words(of))
