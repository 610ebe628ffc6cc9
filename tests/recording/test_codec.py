"""Recording observations: each comes back as it was, whole or as a change; a recording is text from outside."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.domain.board.boards import Seen
from console.domain.seen.observation import Observation
from console.domain.text import Safe, clean, is_clean
from console.recording.codec import Plans
from console.recording.errors import Damaged
from console.recording.frame import UNREAD, Frame, FrameCodec
from console.recording.shape import fields_of
from tests.recording.values import BOARDS, EXAMPLES, changed, records, values_of, written
from tests.scenarios import NAMES, boards, observation

CODEC = FrameCodec()
PLANS = Plans(None)
SLOW = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
FIELDS = [(record, one) for record in records() for one in fields_of(record)]


def whole(observation: Observation) -> bytes:
    """It, as a frame without boards."""
    return CODEC.whole(Frame(observation))


def again(before: Frame, after: Frame) -> Frame:
    """The second one, read as a change of the first, which is read as a whole."""
    return CODEC.read_change(CODEC.read_whole(CODEC.whole(before)), CODEC.change(before, after))


def test_every_record_that_a_frame_can_hold_is_known_to_the_codec() -> None:
    assert {name.rpartition(":")[2] for name in CODEC.names} == {
        record.__name__ for record in records() if record is not Frame
    }
    assert len(records()) > 90


@pytest.mark.parametrize("record", records(), ids=lambda record: record.__name__)
def test_every_field_of_every_record_comes_back_exactly(record: type) -> None:
    plan = PLANS.of(record)

    @settings(max_examples=5, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(values_of(record), values_of(record))
    def holds(before: Any, after: Any) -> None:
        packed, delta = (_through(one) for one in (plan.pack(before), plan.diff(before, after)))
        assert written(plan.unpack(packed)) == written(before)
        assert written(plan.patch(before, delta) if delta is not None else before) == written(after)
        assert plan.diff(before, before) is None

    holds()


def _through(value: Any) -> Any:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value))


def test_a_change_of_each_field_alone_is_told_and_comes_back() -> None:
    told = 0
    for record, field in FIELDS:
        plan = PLANS.of(record)
        for one in EXAMPLES.get(record, [])[:1]:
            others = [getattr(other, field.name) for other in EXAMPLES[record]]
            new = next((other for other in others if written(other) != written(getattr(one, field.name))), None)
            if new is None:
                continue
            try:
                after = changed(one, field.name, new)
            except Exception:
                continue
            told += 1
            assert written(plan.patch(one, _through(plan.diff(one, after)))) == written(after), (record, field.name)
    assert told > 100


@SLOW
@given(values_of(Frame), values_of(Frame))
def test_any_frame_comes_back_exactly_whole_and_as_a_change(before: Frame, after: Frame) -> None:
    assert written(CODEC.read_whole(CODEC.whole(before))) == written(before)
    assert written(again(before, after)) == written(after)


def test_every_scenario_comes_back_exactly_after_every_other() -> None:
    said = [boards.seen(name) for name in BOARDS]
    seen = [Frame(observation(name), [None, *said][at % 6]) for at, name in enumerate(NAMES)]
    for before, after in list(zip(seen, [*seen[1:], seen[0]], strict=True))[::5]:
        assert written(CODEC.read_whole(CODEC.whole(before))) == written(before)
        assert written(again(before, after)) == written(after)
        assert CODEC.change(before, before) == b""


@given(st.lists(st.integers(0, 9), max_size=12), st.lists(st.integers(0, 9), max_size=12))
def test_rows_that_moved_came_or_went_come_back_exactly(before: list[int], after: list[int]) -> None:
    plan = PLANS.of(tuple[str, ...])
    old, new = tuple(map(str, before)), tuple(map(str, after))
    delta = plan.diff(old, new)
    assert (plan.patch(old, _through(delta)) if delta is not None else old) == new


HOSTILE = ("\x1b]52;c;aGk=\x07", "a\u202eb", "red\x1b[31m", "line\nline", "e" + "\u0301" * 50, "\x9b2J", "x" * 100_000)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_in_a_recording_is_made_safe_again(text: str) -> None:
    seen = observation("canary-paused") if "canary-paused" in NAMES else observation(NAMES[0])
    link = seen.link._replace(error=text, url=text)  # type: ignore[arg-type] - what a recording can claim
    back = CODEC.read_whole(whole(seen._replace(agent=text, link=link))).observation  # type: ignore[arg-type]
    for told in (back.agent, back.link.error, back.link.url):
        assert is_clean(told)
        assert told == clean(text, 65_536)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_frame_that_was_tampered_with_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    name, board = data.draw(st.sampled_from(NAMES)), data.draw(st.sampled_from(BOARDS))
    packed = bytearray(CODEC.whole(Frame(observation(name), boards.seen(board))))
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    try:
        back = CODEC.read_whole(bytes(packed))
    except Damaged:
        return
    assert isinstance(back.observation, Observation)
    assert isinstance(back.boards, Seen | None)


def _names(**changes: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {**{name: tuple(names) for name, names in CODEC.names.items()}, **changes}


def test_a_recording_of_a_release_with_more_and_fewer_fields_is_read_by_their_names() -> None:
    seen = observation(NAMES[0])
    link = next(name for name in CODEC.names if name.endswith(":Link"))
    other = FrameCodec(_names(**{link: ("novelty", "url", "state")}))
    packed = msgspec.msgpack.decode(whole(seen))
    packed[2] = [["?"], str(seen.link.url), seen.link.state.value]
    back = other.read_whole(msgspec.msgpack.encode(packed))
    told = back.observation.link
    assert (told.url, told.state, told.attempts) == (seen.link.url, seen.link.state, 0)
    after = other.read_change(back, msgspec.msgpack.encode({2: {0: [7], 2: ["OFFLINE"]}}))
    assert after.observation.link.state == "OFFLINE"


def test_a_recording_of_a_release_that_knew_no_boards_says_that_it_has_none() -> None:
    name = next(name for name in CODEC.names if name.endswith(":Observation"))
    other = FrameCodec(_names(**{name: CODEC.names[name][:-1]}))
    packed = msgspec.msgpack.decode(whole(observation(NAMES[0])))[:-1]
    back = other.read_whole(msgspec.msgpack.encode(packed))
    assert back.boards is None
    assert written(back.observation) == written(observation(NAMES[0]))


def test_boards_of_another_release_that_can_not_be_read_say_so_until_whole_ones_come() -> None:
    seen, held = observation(NAMES[0]), next(name for name in CODEC.names if name.endswith(":Held"))
    other = FrameCodec(_names(**{held: (*CODEC.names[held][:-1], "keeps")}))
    blank, here = Frame(seen, Seen()), Frame(seen, boards.seen("draining-version"))
    later = Frame(seen, here.boards._replace(problem=Safe("The store does not answer.")))  # type: ignore[union-attr]
    back = other.read_whole(CODEC.whole(here))
    assert (written(back.observation), back.boards) == (written(seen), UNREAD)
    back = other.read_change(back, CODEC.change(here, later))
    assert back.boards is UNREAD, "a change of what can't be read is none that can"
    assert other.read_change(back, CODEC.whole(blank).join((b"\x91", b""))).boards == Seen()


def test_a_recording_without_a_field_that_has_no_default_is_refused_with_its_name() -> None:
    observation_ = next(name for name in CODEC.names if name.endswith(":Observation"))
    other = FrameCodec(_names(**{observation_: ("agent", "link")}))
    with pytest.raises(Damaged, match="lacks now"):
        other.read_whole(msgspec.msgpack.encode(["a", None]))


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "1e999999", "1e-999999", "money", "9" * 10_000])
def test_an_amount_that_no_money_has_is_refused(amount: str) -> None:
    with pytest.raises(Damaged):
        PLANS.of(Decimal).unpack(amount)


@pytest.mark.parametrize("text", ["[" * 150 + "]" * 150, "[" * 100_000, '{"a":' * 200 + "1" + "}" * 200, "nonsense"])
def test_a_value_that_is_nested_too_deeply_to_be_drawn_is_refused(text: str) -> None:
    with pytest.raises(Damaged):
        PLANS.of(object).unpack(text)
