"""Lines of others: they read to the rows that the same plain lines read to, or are refused like those."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.domain.seen.decision import Rejection
from console.domain.triggers.windows import Row as GuardRow
from console.guard.hear.rows import RowReader
from console.guard.setup.signals import Signals
from console.logs.lines.parse import Parsed, Parser, version_text
from console.logs.lines.rewrite import MOST_RECORDS
from console.logs.lines.shape import Row
from console.logs.mapping.mapping import Mapping
from console.logs.options import LogOptions

MAPPING = Mapping(
    version="who.v",
    slot="who.side",
    time="at",
    time_format="s",
    type='"what.kind"',
    latency="took",
    latency_unit="ms",
    pnl="money[0]",
    currency="attrs{ccy}",
    dry="paper",
    reasoning="why",
    inputs="given",
    output="out",
    key="once",
    epoch="n",
    id="id",
)
OTEL = Mapping(format="otel-genai", currency="=USD")
MONEY = [
    "1.25",
    "-3",
    '"0.1"',
    "0.1000000000000000055",
    "1e400",
    "NaN",
    "true",
    "[1]",
    '"x"',
    '"1e30"',
    "1e-70",
    "null",
]


def parse(block: bytes, mapping: Mapping = MAPPING, **options: Any) -> Parsed:
    return Parser(LogOptions(**options).mapped(mapping)).parse(block)


def rows(of: dict[str, Any] | bytes, mapping: Mapping = MAPPING) -> list[Row]:
    return parse(of if isinstance(of, bytes) else json.dumps(of).encode(), mapping).rows()


def maybe(*texts: str) -> st.SearchStrategy[str | None]:
    return st.sampled_from([None, *texts])


FIELDS = st.fixed_dictionaries(
    {
        "version": maybe('"2.4.0"', '"green-1"', "4", "2.5", "true", '"\\ud800"'),
        "slot": maybe('"green"', '" Blue "', "5"),
        "time": maybe("1760000000.25", "0", '"1760000000"', "-1", "true", '"soon"', "1e300"),
        "kind": maybe('"bet"', '"exception"', "7"),
        "latency": maybe("4.5", "-1", "1e400", "NaN", "true"),
        "pnl": maybe(*MONEY),
        "currency": maybe('"USD"', "3", '""'),
        "dry": maybe("true", "false", '"true"', "0"),
        "reasoning": maybe('"because"', "[1,2]"),
        "inputs": maybe('{"round_id":7,"x":1.5}', "[1]", '"x"'),
        "action": maybe('"BUY"', '"SELL","exception":"boom"', '"BUY","http_status":401'),
        "key": maybe('"k1"', "17"),
        "epoch": maybe("3", '"4"'),
        "id": maybe('"d1"'),
    }
)


def members(**texts: str | None) -> str:
    return "{" + ",".join(f'"{name}":{text}' for name, text in texts.items() if text is not None) + "}"


def plain(given: dict[str, str | None]) -> bytes:
    output = members(pnl=given["pnl"], currency=given["currency"], dry=given["dry"], action=given["action"])
    return members(
        agent_version=given["version"],
        timestamp=given["time"],
        decision_type=given["kind"],
        slot=given["slot"],
        latency_ms=given["latency"],
        output=output,
        reasoning=given["reasoning"],
        inputs=given["inputs"],
        idempotency_key=given["key"],
        epoch=given["epoch"],
        decision_id=given["id"],
    ).encode()


def foreign(given: dict[str, str | None]) -> bytes:
    currency = given["currency"]
    pairs = "" if currency is None else f'{{"key":"ccy","value":{currency}}}'
    return members(
        **{
            "who": members(v=given["version"], side=given["slot"]),
            "at": given["time"],
            "what.kind": given["kind"],
            "took": given["latency"],
            "money": None if given["pnl"] is None else f"[{given['pnl']}]",
            "attrs": f"[{pairs}]",
            "paper": given["dry"],
            "why": given["reasoning"],
            "given": given["inputs"],
            "out": members(action=given["action"]),
            "once": given["key"],
            "n": given["epoch"],
            "id": given["id"],
        }
    ).encode()


def texts(parsed: Parsed) -> list[Row]:
    return [row._replace(version=version_text(row.version)) for row in parsed.rows()]


def guard_rows(block: bytes, options: LogOptions) -> list[GuardRow]:
    reader = RowReader(options, Signals())
    return [row._replace(id="", fault_text="") for row in reader.rows(reader.parse(block), "log", 0)]


@settings(max_examples=150)
@given(st.lists(FIELDS, min_size=1, max_size=4))
def test_a_plain_log_that_is_rewritten_reads_to_the_same_rows(records: list[dict[str, str | None]]) -> None:
    one, other = b"\n".join(map(plain, records)), b"\n".join(map(foreign, records))
    ours, theirs = Parser(LogOptions()).parse(one), parse(other)
    assert repr(texts(theirs)) == repr(texts(ours))
    assert theirs.index == (ours.index if ours.index is not None else list(range(len(records))))
    assert theirs.rejected.total() == ours.rejected.total()
    assert theirs.rejected[Rejection.BAD_PNL] == ours.rejected[Rejection.BAD_PNL]
    mapped = LogOptions().mapped(MAPPING)
    assert repr(guard_rows(other, mapped)) == repr(guard_rows(one, LogOptions()))


def span(**attributes: Any) -> dict[str, Any]:
    return {
        "spanId": "00f067aa0ba902b7",
        "name": "chat",
        "startTimeUnixNano": "1760000000250000000",
        "endTimeUnixNano": "1760000001062345678",
        "attributes": [{"key": name.replace("__", "."), "value": value} for name, value in attributes.items()],
    }


def spans(*several: object, version: str = "2.4.0") -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.version", "value": {"stringValue": version}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "x"}, "spans": list(several)}]}]}


CHAT = {"gen_ai__operation__name": {"stringValue": "chat"}}


def test_several_spans_of_one_line_are_as_many_decisions_and_other_spans_are_passed_over() -> None:
    line = spans(
        span(**CHAT, agent_console__pnl={"stringValue": "-1.50"}),
        span(http__method={"stringValue": "GET"}),
        span(**CHAT, gen_ai__agent__version={"stringValue": "3"}, agent_console__pnl={"doubleValue": 0.1}),
    )
    parsed = parse(json.dumps(line).encode(), OTEL)
    assert parsed.rows() == [
        Row("2.4.0", 1760000000.25, "chat", Decimal("-1.50"), "USD", None, 812.345678, None),
        Row("3", 1760000000.25, "chat", Decimal("0.1"), "USD", None, 812.345678, None),
    ]
    assert parsed.places(100) == [100, 101]
    assert not parsed.rejected


def test_a_number_is_read_by_its_digits_and_never_by_the_float_next_to_it() -> None:
    line = json.dumps(spans(span(**CHAT, agent_console__pnl={"doubleValue": 7.5}))).replace(
        "7.5", "12345678901234567890.123456789012345678"
    )
    (row,) = rows(line.encode(), OTEL)
    assert row.amount == Decimal("12345678901234567890.123456789012345678")


@pytest.mark.parametrize(
    "value", [{"stringValue": "NaN"}, {"doubleValue": "NaN"}, {"boolValue": True}, {"stringValue": 5}, {"x": 1}, [1]]
)
def test_a_pnl_that_is_no_amount_leaves_the_record_without_one_and_is_counted(value: object) -> None:
    parsed = parse(json.dumps(spans(span(**CHAT, agent_console__pnl=value))).encode(), OTEL)
    assert [row.amount for row in parsed.rows()] == [None]
    assert parsed.rejected == {Rejection.BAD_PNL: 1}


def test_an_amount_whose_currency_nobody_says_states_none_as_in_a_plain_log() -> None:
    (row,) = rows(spans(span(**CHAT, agent_console__pnl={"intValue": "3"})), Mapping(format="otel-genai"))
    assert (row.amount, row.currency) == (Decimal(3), None)


@pytest.mark.parametrize(
    ("form", "value", "seconds"),
    [
        ("rfc3339", "2026-03-14T14:00:00.25Z", 1773496800.25),
        ("rfc3339", "2026-03-14T15:00:00.25+01:00", 1773496800.25),
        ("rfc3339", "2026-03-14T14:00:00", None),
        ("rfc3339", 1773496800, None),
        ("rfc3339", "1773496800", None),
        ("s", 1773496800.25, 1773496800.25),
        ("s", 1773496800250, None),
        ("ms", 1773496800250, 1773496800.25),
        ("ms", 1773496800, 1773496.8),
        ("us", "1773496800250000", 1773496800.25),
        ("ns", "1773496800250000000", 1773496800.25),
        ("ns", "2026-03-14T14:00:00Z", None),
        ("s", True, None),
        ("s", -1, None),
        ("s", "1e3", None),
        ("s", {}, None),
    ],
)
def test_a_time_is_read_as_it_was_declared_and_never_guessed(form: Any, value: object, seconds: float | None) -> None:
    mapping = Mapping(version="=1", type="=x", time="t", time_format=form)
    parsed = parse(json.dumps({"t": value}).encode(), mapping)
    assert parsed.times == ([] if seconds is None else [seconds])
    assert parsed.rejected == ({Rejection.BAD_TIMESTAMP: 1} if seconds is None else {})


def test_a_path_that_is_never_there_is_told_by_its_name_with_how_many_records_lacked_it() -> None:
    mapping = Mapping(version="v", type="=x", time="t", time_format="s", pnl="money.total", error="err")
    parsed = parse(b'{"v":"1","t":1}\n{"v":"1","t":2,"money":{}}\n{"t":3}', mapping)
    assert parsed.missed is not None
    assert parsed.missed.never(mapping) == {"pnl (money.total)": 3}
    assert parsed.missed.lacked == {"pnl": 3, "version": 1, "error": 3}
    assert parsed.rejected == {Rejection.MISSING_FIELD: 1}


def test_lines_that_lead_to_no_record_are_told_as_such() -> None:
    parsed = parse(b'{"resourceLogs":[]}\n{"resourceLogs":[]}', OTEL)
    assert parsed.missed is not None
    assert list(parsed.missed.never(OTEL).values()) == [2]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", Rejection.NOT_JSON),
        (b"{", Rejection.NOT_JSON),
        (b"[]", Rejection.NOT_AN_OBJECT),
        (b"null", Rejection.NOT_AN_OBJECT),
        (b"\xff", Rejection.NOT_UTF8),
        (b"[" * 10_000, Rejection.NOT_JSON),
        (b'"' + b"x" * 2_000_000 + b'"', Rejection.TOO_LONG),
        (b'{"at":1,"who":{"v":1}}', Rejection.MISSING_FIELD),
        (b'{"at":1,"who":{"v":[]},"what.kind":"x"}', Rejection.WRONG_TYPE),
    ],
)
def test_what_holds_no_record_is_refused_for_its_reason(line: bytes, reason: Rejection) -> None:
    assert parse(line).rejected == {reason: 1}


def test_of_a_member_that_is_there_twice_the_last_counts() -> None:
    (row,) = rows(b'{"at":1,"at":2,"who":{"v":"1"},"what.kind":"x","money":[1],"money":[2]}')
    assert (row.time_s, row.amount) == (2.0, Decimal(2))


@pytest.mark.parametrize("digits", ["9" * 20, "9" * 5000, "-" + "9" * 400, "1" * 31 + ".5"])
@pytest.mark.parametrize("why", ['"why"', '"\\ud800"'])
def test_a_number_of_any_length_loses_no_record(digits: str, why: str) -> None:
    line = f'{{"at":1,"who":{{"v":{digits}}},"what.kind":"x","why":{why},"money":[{digits}],"given":{digits}}}'
    parsed = parse(line.encode())
    assert [version_text(version) for version in parsed.versions] == [str(Decimal(digits))]
    told = parse(json.dumps(spans(span(**CHAT, agent_console__pnl={"intValue": digits}))).encode(), OTEL)
    assert len(told) == 1


def test_what_is_said_to_be_nothing_is_not_expected() -> None:
    mapping = Mapping(format="otel-genai", pnl="=")
    parsed = parse(json.dumps(spans(span(**CHAT, agent_console__pnl={"intValue": "3"}))).encode(), mapping)
    assert [row.amount for row in parsed.rows()] == [None]
    assert parsed.missed is not None
    assert parsed.missed.never(mapping) == {}


def test_what_is_nested_ten_thousand_deep_costs_nothing_but_itself() -> None:
    deep = b"[" * 10_000 + b"]" * 10_000
    (row,) = rows(b'{"at":1,"who":{"v":"1"},"what.kind":"x","money":[3],"given":' + deep + b',"more":' + deep + b"}")
    assert row.amount == Decimal(3)


def test_a_hundred_thousand_attributes_are_gathered_once_and_the_last_of_a_key_counts() -> None:
    many = ",".join('{"key":"k","value":{}}' for _ in range(40_000))
    line = json.dumps(spans(span(**CHAT, agent_console__pnl={"intValue": "7"}))).encode()
    line = line.replace(b'"attributes": [{"key": "gen', b'"attributes": [' + many.encode() + b',{"key": "gen')
    assert [row.amount for row in rows(line, OTEL)] == [Decimal(7)]


def test_of_very_many_records_in_one_line_the_first_are_read_and_the_rest_is_refused() -> None:
    line = json.dumps(spans(*[{}] * (MOST_RECORDS + 5))).encode()
    parsed = parse(line, OTEL)
    assert parsed.rejected == {Rejection.TOO_LONG: 1}
    assert parsed.missed is not None
    assert parsed.missed.records == MOST_RECORDS


def test_half_of_a_surrogate_pair_and_a_byte_order_mark_lose_no_record() -> None:
    line = b'\xef\xbb\xbf{"at":1,"who":{"v":"1"},"what.kind":"x","why":"\\ud800","money":[1.5]}\r'
    assert [row.amount for row in rows(line)] == [Decimal("1.5")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["key", "value", "stringValue", "values", "spans", "a"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=30), JSON.map(lambda value: json.dumps(spans(value, span(**CHAT, a=value))).encode())
        )
    )
)
def test_whatever_the_bytes_every_line_is_read_or_refused_and_nothing_is_raised(lines: list[bytes]) -> None:
    block = b"\n".join(lines)
    parsed = parse(block, OTEL)
    assert len(parsed.accepted()) == len(parsed) == len(parsed.places(0)) == len(parsed.rows())
    assert all(b"\n" not in record for record in parsed.accepted())
    assert len(set(parsed.places(0))) == len(parsed)
