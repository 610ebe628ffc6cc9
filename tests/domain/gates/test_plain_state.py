"""A plain agent's state file is read leniently, and never more hopefully than it is written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.gates.facts import PlainEscrow
from console.domain.gates.plain_state import plain_state
from tests.domain.gates.stage import NOW, at

DUE = at(600)


def escrows(**document: Any) -> tuple[PlainEscrow, ...] | None:
    state = plain_state(document, NOW)
    assert state is not None
    return state.escrows


@pytest.mark.parametrize(
    ("document", "wanted"),
    [
        ({}, None),
        ({"escrow_ids": []}, ()),
        ({"escrow_ids": ["a"]}, (PlainEscrow("a"),)),
        ({"escrow_ids": {"a": DUE.isoformat()}}, (PlainEscrow("a", DUE),)),
        ({"escrow_ids": ["a"], "escrows": [{"id": "a", "due": DUE.timestamp()}]}, (PlainEscrow("a", DUE),)),
        ({"escrows": {"a": {"auto_release_at": DUE.isoformat()}}}, (PlainEscrow("a", DUE),)),
        ({"escrows": [{"escrow_id": "a", "status": "released"}]}, ()),
        ({"escrows": [{"escrow_id": "a", "status": "Disputed"}]}, (PlainEscrow("a", None, True),)),
        ({"escrows": [{"escrow_id": "a", "disputed_at": "x"}]}, (PlainEscrow("a", None, True),)),
        ({"escrows": [7]}, (PlainEscrow("escrows 1"),)),
        ({"escrows": "a"}, (PlainEscrow("a"),)),
        ({"escrows": [{"due": "soon"}]}, (PlainEscrow("escrows 1"),)),
    ],
)
def test_an_entry_that_can_t_be_read_is_an_escrow_of_which_nothing_is_known(document: Any, wanted: Any) -> None:
    assert escrows(**document) == wanted


def test_a_document_dates_itself_and_else_its_file_does() -> None:
    said, unsaid, odd = (plain_state({"timestamp": t}, NOW) for t in (Decimal("1700000000.5"), None, 1e300))
    assert said is not None and unsaid is not None and odd is not None
    assert said.written_at.timestamp() == 1700000000.5
    assert unsaid.written_at == odd.written_at == NOW


@pytest.mark.parametrize(
    ("value", "rounds"),
    [
        ([1], 1),
        ({"a": 1, "b": 2}, 2),
        (0, 0),
        (3, 3),
        (Decimal(3), 3),
        ("x", None),
        (-1, None),
        (Decimal("NaN"), None),
        (Decimal("Infinity"), None),
        (Decimal("0.5"), None),
    ],
)
def test_open_rounds_are_a_list_or_a_count(value: Any, rounds: int | None) -> None:
    state = plain_state({"open_rounds": value}, NOW)
    assert state is not None
    assert state.rounds == rounds


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "due", "status"]), inner),
    max_leaves=12,
)


@given(document=st.dictionaries(st.sampled_from(["timestamp", "escrows", "escrow_ids", "open_rounds"]), JSON))
def test_no_document_raises(document: dict[str, Any]) -> None:
    assert plain_state(document, NOW) is not None
