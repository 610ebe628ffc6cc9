"""Whatever a venue sends, hostile or torn: the reading is unknown with a reason, and nothing raises."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.domain.venue.reading import Why
from console.venue import extract
from console.venue.http import _http_date, _parsed
from console.venue.setup import load
from tests.venue.test_document import REST

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = (
    *("available", "currency", "as_of", "positions", "source", "id", "symbol", "size", "side", "orders", "type", "at"),
    *(
        "running",
        "last_check",
        "pending",
        "next",
        "escrows",
        "status",
        "amount",
        "creator",
        "counterparty",
        "release_at",
    ),
    *("ended_at", "entries", "client_id", "pnl", "database", "next"),
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(),
    st.text(max_size=20),
    st.sampled_from(
        ["USD", "ok", "funded", "released", "connected", "2026-03-01T00:00:00Z", "1.50", "NaN", "\x1b[31m"]
    ),
)
DOCUMENTS = st.recursive(
    VALUES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(NAMES), inner, max_size=8)),
    max_leaves=25,
)


def probes(folder: Path) -> Any:
    path = folder / "venue.toml"
    path.write_text(REST)
    return load(path, {"K": "sk_live_0123456789abcdef"}).document.probes


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return probes(tmp_path_factory.mktemp("venue"))


@given(document=DOCUMENTS)
@settings(max_examples=200, deadline=None)
def test_no_answer_whatsoever_raises_anything_but_a_reason(asked: Any, document: Any) -> None:
    tried = (
        lambda: extract.health(asked.health, document),
        lambda: extract.key(asked.key, document),
        lambda: extract.balance(asked.balance, document, "USD", NOW, 60.0),
        lambda: extract.positions(asked.positions, document),
        lambda: extract.orders(asked.orders, document),
        lambda: extract.monitor(asked.monitor, document),
        lambda: extract.escrow(asked.escrow, document, "USD"),
        lambda: extract.escrows(asked.escrow, document, "USD"),
        lambda: extract.history(asked.history, document),
        lambda: extract.check_source(asked.positions, document),
    )
    for one in tried:
        try:
            value = one()
        except extract.Unfit as unfit:
            assert unfit.detail.isprintable()
        else:
            assert value is None or isinstance(value, tuple)


@given(
    headers=st.dictionaries(
        st.sampled_from(["x-ratelimit-remaining", "x-ratelimit-limit", "x-ratelimit-reset"]), st.text(max_size=20)
    )
)
@settings(deadline=None)
def test_no_header_whatsoever_raises_anything_but_a_reason(asked: Any, headers: dict[str, str]) -> None:
    try:
        (limit,) = extract.limits(asked.limits, {}, headers, NOW)
    except extract.Unfit:
        return
    assert limit.remaining >= 0


@given(st.binary(max_size=200))
def test_no_bytes_whatsoever_raise_anything_but_a_reason(raw: bytes) -> None:
    try:
        _parsed(raw)
    except Exception as error:
        assert type(error).__name__ == "_Failed"


@pytest.mark.parametrize(
    "raw", [b"[" * 100_000, b'{"a":1,"a":2}', b"1" * 5000, b"\xff", b"", b"Infinity", b"1e999999999999999999999"]
)
def test_what_is_no_plain_json_is_malformed(raw: bytes) -> None:
    try:
        value = _parsed(raw)
    except Exception as error:
        assert type(error).__name__ == "_Failed"
    else:
        assert isinstance(value, Decimal)  # an amount of no size, which no reader of amounts takes


@given(st.text(max_size=40))
def test_no_date_whatsoever_raises(text: str) -> None:
    at = _http_date(text)
    assert at is None or at.tzinfo is not None


@pytest.mark.parametrize("more", ["b2f1", "/v1/orders?after=o1", True, 1, {}, [], {"cursor": None}])
@pytest.mark.parametrize("what", ["positions", "orders", "escrow"])
def test_a_list_that_has_another_page_is_cut_and_never_taken_for_the_whole(asked: Any, what: str, more: object) -> None:
    probe = getattr(asked, what)
    read: Any = {"positions": extract.positions, "orders": extract.orders}.get(
        what, lambda probe, document: extract.escrows(probe, document, "USD")
    )
    name = probe.items.removeprefix("/")
    with pytest.raises(extract.Unfit) as cut:
        read(probe, {name: [], "next": more})
    assert cut.value.why is Why.TOO_LARGE
    for end in ({}, {"next": None}, {"next": False}, {"next": ""}):
        assert read(probe, {name: [], **end}) == ()
