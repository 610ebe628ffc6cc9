"""The state that crosses over: a round trip is the identity, digits included; nothing torn or secret is taken."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.domain.errors import Refused, UsageError
from console.domain.state.document import checksum, decode, encode, encode_plain, to_document
from console.domain.state.records import Balance, Credential, Escrow, Position, RateLimit, Role, Round, Side
from console.domain.state.sections import DECISIONS_KEPT
from console.domain.state.state import SEVEN, Plain, State

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=7)
times = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
amounts = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18)
numbers = amounts | st.integers(-(2**70), 2**70) | st.sampled_from([Decimal("1.10"), Decimal("-0"), Decimal("1E+2")])
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(texts, inner, max_size=12),
    max_leaves=20,
)
objects = st.dictionaries(texts, json_values, max_size=12)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def some(*args: Any, kind: Any) -> st.SearchStrategy[Any]:
    return maybe(st.lists(st.builds(kind, *args), max_size=12))


states = st.builds(
    State,
    schema=st.integers(0, 1000),
    version=texts | numbers,
    timestamp=maybe(numbers),
    session_id=maybe(texts),
    balances=some(amounts, texts, times, texts, st.booleans(), kind=Balance),
    rounds=some(texts, texts, amounts, texts, times, maybe(times), texts, kind=Round),
    escrows=some(
        texts, st.sampled_from(Role), texts, amounts, texts, texts, st.lists(texts, max_size=2), maybe(times),
        maybe(times), kind=Escrow,
    ),
    positions=some(
        texts, texts, st.sampled_from(Side), amounts, amounts, texts, maybe(times), maybe(amounts), kind=Position
    ),
    parameters=maybe(objects),
    signals=maybe(st.lists(json_values, max_size=12)),
    rate_limits=some(texts, amounts, maybe(amounts), maybe(times), kind=RateLimit),
    last_actions=maybe(st.dictionaries(texts, times, max_size=3)),
    idempotency=maybe(st.lists(texts, max_size=12)),
    decision_log=maybe(st.lists(json_values, max_size=4)),
    credentials=maybe(st.lists(st.builds(Credential.of, texts, st.just("env:VENUE_KEY"), texts), max_size=2)),
    extra=objects,
    plain=st.builds(
        Plain, escrow_ids=json_values, open_positions=json_values, last_action_time=json_values,
        rate_limit_tokens=json_values,
    ),
)  # fmt: skip

EXAMPLE = State(
    version="2.4.0",
    timestamp=Decimal("1772366400.123456789"),
    session_id="s-17",
    balances=[Balance(Decimal("1200.50"), "USD", NOW, "venue", verified=True)],
    rounds=[Round("r1", "crash", Decimal("5.00"), "USD", NOW, NOW + timedelta(minutes=1), "bet-1")],
    escrows=[Escrow("esc_1", Role.CREATOR, "funded", Decimal("10.10"), "USD", "bob", ("zed",), NOW, NOW)],
    positions=[Position("p1", "BTC", Side.LONG, Decimal("0.10"), Decimal("43000.50"), "USD", NOW)],
    parameters={"kelly": 0.25},
    signals=[{"at": 1, "score": Decimal("0.70")}],
    rate_limits=[RateLimit("orders", Decimal(12), Decimal(60), NOW)],
    last_actions={"bet": NOW, "escrow": NOW - timedelta(hours=1)},
    idempotency=["bet-1"],
    decision_log=[{"output": {"pnl": Decimal("0.10")}}],
    credentials=[Credential.of("venue", "env:VENUE_KEY", "pf_live_1234567890abcdef")],
    extra={"regime": "calm"},
)


@given(states)
@settings(max_examples=25)
def test_a_round_trip_is_the_identity_on_every_field_digits_included(state: State) -> None:
    data = encode(state)
    again = decode(data, "x")
    assert again == state
    assert encode(again) == data
    assert [str(one) for one in _numbers(to_document(again))] == [str(one) for one in _numbers(to_document(state))]


def _numbers(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [number for name in sorted(value) for number in _numbers(value[name])]
    if isinstance(value, list):
        return [number for inner in value for number in _numbers(inner)]
    return [value] if isinstance(value, int | Decimal) else []


def test_the_seven_fields_of_the_contract_stand_at_the_top_for_a_plain_agent() -> None:
    read = json.loads(encode(EXAMPLE))
    assert read["escrow_ids"] == ["esc_1"]
    assert read["open_positions"][0]["entry_price"] == 43000.5
    assert read["last_action_time"] == 1772366400.123456
    assert read["rate_limit_tokens"] == {"orders": 12}
    assert list(json.loads(encode_plain(EXAMPLE))) == sorted(SEVEN)


def test_a_plain_snapshot_opens_and_what_it_lacks_is_named() -> None:
    plain = (
        b'{"version": "1.9", "timestamp": 1772366400.123456789, "escrow_ids": ["esc_1"], "open_positions": '
        b'{"BTC": 1.10}, "last_action_time": 1772366399.50, "rate_limit_tokens": {"orders": 12}, "decision_log": [], '
        b'"mood": "calm"}'
    )
    state = decode(plain, "x")
    assert state.escrow_ids == ("esc_1",)
    assert str(state.open_positions["BTC"]) == "1.10"
    assert str(state.timestamp) == "1772366400.123456789"
    assert state.extra == {"mood": "calm"}
    assert state.missing() == (
        "session_id", "balances", "rounds", "escrows (expected completion, arbitrators, auto-release)",
        "positions (entry prices)", "parameters", "signals", "last_actions (per kind)", "rate_limits (resets)",
        "idempotency",
    )  # fmt: skip
    assert json.loads(encode_plain(state)) == {k: v for k, v in json.loads(plain).items() if k != "mood"}
    assert EXAMPLE.missing() == ()


@pytest.mark.parametrize("data", [encode(EXAMPLE), encode_plain(EXAMPLE)], ids=["ours", "plain"])
def test_a_file_that_is_cut_at_any_byte_is_refused_with_the_reason(data: bytes) -> None:
    for end in range(len(data.rstrip())):
        with pytest.raises(Refused, match="x "):
            decode(data[:end], "x")


def test_a_file_in_which_any_byte_was_changed_is_refused_or_the_same() -> None:
    data = encode(EXAMPLE).rstrip()
    for place in range(len(data)):
        with pytest.raises(Refused):
            decode(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], "x")


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"null", b'{"a": 1}', b"\xff", b'{"version": NaN}', b'{"timestamp": "yesterday"}',
     b'{"version": 1, "version": 2}', b'{"timestamp": 1e999999999999999999999}', b"[" * 100_000,
     b'{"version": "1", "extra": ' + b'{"a":' * 100 + b"1" + b"}" * 101, b'{"version": "\\ud800"}',
     b'{"version": ' + b"9" * 5000 + b"}"],
    ids=range(14),
)  # fmt: skip
def test_what_is_no_state_is_refused_and_never_an_empty_one(data: bytes) -> None:
    with pytest.raises(Refused):
        decode(data, "x")


@pytest.mark.parametrize("change", [{"state_version": 2}, {"balances": [{}]}, {"new": 1}, {"schema": None}])
def test_another_form_a_field_too_many_and_one_too_few_are_refused(change: dict[str, Any]) -> None:
    document = to_document(EXAMPLE) | change
    data = json.dumps({**document, "checksum": "sha256:0"}, default=str).encode()
    with pytest.raises(Refused):
        decode(data, "x")
    if "new" in change:
        body = json.loads(json.dumps(document, default=str))
        with pytest.raises(Refused, match="unknown field new"):
            decode(json.dumps({**body, "checksum": checksum(body)}).encode(), "x")


@pytest.mark.parametrize(
    "extra",
    [{"api_key": "pf_live_1234567890abcdef"}, {"url": "redis://ann:hunter22@host/0"}, {"db": {"password": "hunter222"}},
     {"headers": ["Authorization: Bearer abcdefghijklmnop"]}],
)  # fmt: skip
def test_a_secret_is_refused_with_its_place_and_never_written(extra: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=next(iter(extra))) as refused:
        encode(replace(EXAMPLE, extra=extra))
    assert "hunter" not in str(refused.value)


def test_a_coins_name_is_no_secret() -> None:
    encode(replace(EXAMPLE, extra={"token": "USDC.ethereum", "api_key": "env:VENUE_KEY", "tokens": {"orders": 3}}))


@pytest.mark.parametrize(
    "make",
    [lambda: State(extra={"x": float("nan")}), lambda: State(extra={"x": {1, 2}}), lambda: State(extra={1: 2}),  # type: ignore[dict-item]
     lambda: Balance(1.5, "USD", NOW, "venue"), lambda: Balance(Decimal("nan"), "USD", NOW, "venue"),  # type: ignore[arg-type]
     lambda: Balance(Decimal(1), "USD", datetime(2026, 3, 1), "venue"), lambda: State(positions=[{"id": 1}]),  # type: ignore[list-item]
     lambda: State(timestamp=True), lambda: State(schema=-1), lambda: State(extra=None), lambda: State(signals={}),  # type: ignore[arg-type]
     lambda: State(last_actions={"bet": 1.5}), lambda: Credential("venue", "env:X", "hunter2")],  # type: ignore[dict-item]
    ids=range(13),
)  # fmt: skip
def test_a_value_that_means_nothing_is_refused_where_it_is_made(make: Any) -> None:
    with pytest.raises(UsageError):
        make()


def test_a_state_can_not_be_changed_not_even_deep_inside() -> None:
    inner = {"list": [1]}
    state = State(extra=inner)
    inner["list"].append(2)
    assert state.extra == {"list": (1,)}
    with pytest.raises(TypeError):
        state.extra["list"] = 2  # type: ignore[index]


PIECES = [b"null", b"NaN", b"1e999", b"-0", b'"\\ud800"', *(bytes([one]) for one in b'[]{},:"\x00\xff'), b"9" * 500]


def test_whatever_is_done_to_a_file_it_is_refused_or_a_state_that_can_be_handed_over() -> None:
    chance, kept = random.Random(5), 0
    for _ in range(5_000):
        data = bytearray(chance.choice([encode_plain(EXAMPLE), b'{"version":"1","timestamp":1,"x":[1,{"b":"c"}]}']))
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(data))
            data[place : place + chance.randint(0, 6)] = chance.choice(PIECES)
        try:
            state = decode(bytes(data), "x")
            assert decode(encode(state), "y") == state
            kept += 1
        except Refused:
            continue
    assert kept > 100


def test_the_newest_fifty_decisions_are_kept() -> None:
    assert State(decision_log=list(range(70))).decision_log == tuple(range(20, 70))
    assert DECISIONS_KEPT == 50
