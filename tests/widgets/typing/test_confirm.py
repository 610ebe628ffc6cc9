"""The strip of a question: nothing of its evidence is cut, and what doesn't fit is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from widgets.typing.question import BeforeAfter, ConfirmData, Gate, evidence_lines

QUESTION = ConfirmData(
    "Halt atlas?",
    changes=(BeforeAfter("in flight", "1 action of 123,456.78 USD", "settled, or in doubt after 30 s at the latest"),),
    gates=(Gate("rounds", True, "1,204"), Gate("loss", False, "−1,234.50 USD of −1,000.00 USD since 14:03:11Z")),
    warnings=("Plain agents obey at their next poll; until then they may still act.",),
    irreversible=("3 trades stay.",),
)


def text_of(width: int, most: int = 1000) -> list[str]:
    return ["".join(text for text, _tone in line) for line in evidence_lines(QUESTION, width, most)]


@pytest.mark.parametrize("width", [44, 60, 76, 158])
def test_every_word_of_the_evidence_stands_at_every_width(width: int) -> None:
    lines = text_of(width)
    words = " ".join(lines).split()
    for text in (
        *QUESTION.warnings,
        *QUESTION.irreversible,
        QUESTION.title,
        *(gate.evidence for gate in QUESTION.gates),
    ):
        assert [word for word in text.split() if word not in words] == []
    assert "123,456.78" in words
    assert max(map(len, lines)) <= width


def test_a_closed_gate_stands_before_the_open_ones() -> None:
    lines = text_of(158)
    assert lines.index(next(line for line in lines if "CLOSED" in line)) < lines.index(
        next(line for line in lines if "1,204" in line)
    )


def test_what_there_is_no_room_for_is_counted() -> None:
    whole = text_of(76)
    cut = text_of(76, most=4)
    assert cut[:3] == whole[:3]
    assert cut[3].strip() == f"… {len(whole) - 3} more lines need a higher terminal"


def test_where_there_is_little_room_open_gates_are_only_named_before_anything_is_cut() -> None:
    gates = (*QUESTION.gates, *(Gate(f"quiet-{n}", True, "nothing is wrong with it") for n in range(8)))
    gates += tuple(Gate(f"blind-{n}", False, "no source is configured", "not checked") for n in range(8))
    question = replace(QUESTION, gates=gates, facts=(("commitments", "3 for green then"), ("", "all of them watched")))
    whole, shorter, shortest = (
        ["".join(text for text, _tone in line) for line in evidence_lines(question, 158, most)]
        for most in (1000, 20, 12)
    )
    assert sum("nothing is wrong" in line for line in whole) == 8
    for lines in (shorter, shortest):
        text = "\n".join(lines)
        assert "more lines" not in text and "nothing is wrong" not in text
        assert all(f"quiet-{n}" in text and f"blind-{n}" in text for n in range(8))
        assert "−1,234.50 USD of −1,000.00 USD since 14:03:11Z" in text and "3 for green then" in text
    assert ("no source" in "\n".join(shorter), "no source" in "\n".join(shortest)) == (True, False)
    assert "more lines need a higher terminal" in "".join(text for text, _ in evidence_lines(question, 158, 6)[-1])
