"""Lines become rows: whatever else a record holds, its signals are read."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from console.domain.triggers.windows import Row
from console.guard.hear.rows import RowReader
from console.guard.setup.signals import Preset, Signals
from console.logs.options import LogOptions

FAULT = {"action": "BET", "exception": "KeyError: BTC"}
DEEP = '{"a":' + "[" * 5000 + "]" * 5000 + "}"


def record(**members: Any) -> dict[str, Any]:
    return {
        "agent_version": "green",
        "timestamp": 1795800020,
        "decision_type": "bet",
        "inputs": {"x": 1},
        "output": {"action": "BET"},
        "reasoning": "r",
    } | members


def read(*lines: bytes, signals: Signals | None = None) -> list[Row]:
    reader = RowReader(LogOptions(), signals or Signals())
    parsed = reader.parse(b"\n".join(lines))
    return list(reader.rows(parsed, "log", 0))


def row(**members: Any) -> Row:
    (only,) = read(json.dumps(record(**members)).encode())
    return only


@pytest.mark.parametrize(
    "odd", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5000, r'"cut emoji \ud83d"', DEEP]
)
@pytest.mark.parametrize("where", ["inputs", "output", "reasoning", "extra"])
def test_whatever_else_a_record_holds_its_exception_is_read(odd: str, where: str) -> None:
    whole = record(output=FAULT | {"odd": "HERE"} if where == "output" else FAULT)
    if where != "output":
        whole[where] = {"odd": "HERE"}
    (only,) = read(json.dumps(whole).replace('"HERE"', odd).encode())
    assert (only.fault, only.fault_text) == ("exception", "KeyError: BTC")


@pytest.mark.parametrize("odd", [b"connexion refus\xe9e", "half \ud83d".encode("utf-8", "surrogatepass"), b"\x80"])
@pytest.mark.parametrize("where", ["reasoning", "inputs"])
def test_bytes_that_are_no_text_hide_no_signal(odd: bytes, where: str) -> None:
    (only,) = read(json.dumps(record(output=FAULT) | {where: "HERE"}).encode().replace(b"HERE", odd))
    assert only.fault == "exception"


def test_a_byte_order_mark_hides_no_signal() -> None:
    (only,) = read(b"\xef\xbb\xbf" + json.dumps(record(output=FAULT, epoch=7, decision_id="d1")).encode())
    assert (only.fault, only.epoch, only.id) == ("exception", 7, "d1")


@pytest.mark.parametrize("status", [401, "401", 401.0, "403 "])
def test_a_refusal_is_read_from_numbers_in_any_spelling(status: object) -> None:
    assert row(output={"http_status": status}).fault == "auth"


@pytest.mark.parametrize("status", [True, None, "", "40x", 200, "NaN", [401]])
def test_what_is_no_refusal_is_none(status: object) -> None:
    assert row(output={"http_status": status}).fault == ""


def test_a_name_that_is_spelled_with_escapes_is_read() -> None:
    line = json.dumps(record(output=FAULT)).replace('"exception"', '"\\u0065xception"').encode()
    assert read(line)[0].fault == "exception"
    signals = Signals(exception_fields=("défaut",))
    (only,) = read(json.dumps(record(output={"défaut": "x"})).encode(), signals=signals)
    assert only.fault == "exception"


def test_content_with_what_json_does_not_know_is_compared_all_the_same() -> None:
    line = json.dumps(record(inputs={"round_id": "r1", "edge": float("nan")}, output={"pnl": "1"})).encode()
    other = line.replace(b'"r1"', b'"r2"')
    first, second, third = read(line, line, other)
    assert first.content == second.content != third.content


@pytest.mark.parametrize("key", ["k-1", 77, 7.5])
def test_a_key_may_be_a_number(key: object) -> None:
    assert row(output={"pnl": "1", "key": key}).key == str(key)


def test_trades_with_different_ids_are_different_actions() -> None:
    outputs = ({"idempotency_key": "o-77", "exchange_trade_id": number, "pnl": "0.01"} for number in (1, 2))
    first, second = (row(decision_type="fill", inputs={"order_id": "o-77"}, output=output) for output in outputs)
    assert first.key != second.key
    first, second = (
        row(decision_type="order", inputs={"order_id": "o-77"}, output={"pnl": "0.01", "fill_id": number})
        for number in ("a", "b")
    )
    assert first.content != second.content


@pytest.mark.parametrize(
    ("kind", "status", "fill"),
    [("fill", None, True), ("order", "PARTIALLY_FILLED", True), ("bet", None, False), ("order", "new", False)],
)
def test_a_part_of_an_order_is_known_by_its_kind_or_status(kind: str, status: str | None, fill: bool) -> None:
    output = {"pnl": "0.01", "status": status}
    assert row(decision_type=kind, inputs={"order_id": "o-77"}, output=output).fill is fill


@pytest.mark.parametrize("kind", ["PARTIALLY-FILLED", "Partial Fill", "partiallyFilled", "PART_FILLED"])
def test_a_part_of_an_order_is_known_however_it_is_spelled(kind: str) -> None:
    acted = {"inputs": {"order_id": "o"}, "outcome": "ok"}
    assert row(decision_type=kind, **acted).fill
    assert row(output={"status": kind}, **acted).fill


@pytest.mark.parametrize("place", ["venue", "exchange", "symbol", "account"])
@pytest.mark.parametrize("within", ["inputs", "output", "record"])
def test_the_same_number_of_an_order_at_two_venues_names_two_orders(place: str, within: str) -> None:
    def one(where: str) -> Row:
        members: dict[str, Any] = {"inputs": {"order_id": "7"}, "output": {"action": "BET"}, "outcome": "ok"}
        (members if within == "record" else members[within])[place] = where
        return row(**members)

    assert one("a").content != one("b").content
    assert one("a").content == one("a").content


def test_to_play_the_game_of_crash_is_no_crash_unless_it_is_configured() -> None:
    line = json.dumps(record(decision_type="crash", output={"pnl": "1"})).encode()
    assert read(line)[0].fault == ""
    assert read(line, signals=Signals(preset=Preset.SERVICES))[0].fault == "exception"
    assert read(line, signals=Signals(exception_kinds=frozenset({"crash"})))[0].fault == "exception"


@pytest.mark.parametrize(
    ("path", "members", "stake"),
    [
        ("output.amount_bet", {"output": {"pnl": 1, "amount_bet": "2.50"}}, Decimal("2.50")),
        ("inputs.risk.money", {"inputs": {"risk": {"money": 3}}, "output": {"pnl": 1}}, Decimal(3)),
        ("stake", {"stake": 4, "output": {"pnl": 1}}, Decimal(4)),
        ("output.amount_bet", {"output": {"pnl": 1, "amount_bet": 0}}, None),
        ("output.amount_bet", {"output": {"pnl": 1, "amount_bet": -3}}, None),
        ("output.amount_bet", {"output": {"pnl": 1, "amount_bet": "much"}}, None),
        ("output.amount_bet", {"output": {"pnl": 1}}, None),
        ("", {"output": {"pnl": 1, "amount_bet": 2}}, None),
    ],
)
def test_what_was_at_risk_is_read_where_the_path_says(
    path: str, members: dict[str, Any], stake: Decimal | None
) -> None:
    reader = RowReader(LogOptions(stake_path=path), Signals())
    parsed = reader.parse(json.dumps(record(**members)).encode())
    assert [one.stake for one in reader.rows(parsed, "log", 0)] == [stake]


@pytest.mark.parametrize("pnl", ["NaN", "1e30", "-Infinity", '"a lot"', "[1]"])
def test_a_pnl_that_is_no_amount_of_money_is_a_row_that_says_so(pnl: str) -> None:
    line = json.dumps(record(output={"pnl": "HERE"})).replace('"HERE"', pnl).encode()
    odd, plain = read(line, json.dumps(record()).encode())
    assert odd.amount is not None
    assert odd.amount.is_nan()
    assert plain.amount is None
