"""Quantiles and newest values in constant memory."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.statistics.sketch import Ring, Sketch

positive = st.floats(min_value=1e-2, max_value=1e8)


@given(st.lists(positive, min_size=1, max_size=200), st.floats(min_value=0.01, max_value=1.0))
def test_a_quantile_is_at_most_two_percent_off(values: list[float], share: float) -> None:
    sketch = Sketch()
    for value in values:
        sketch.add(value)
    exact = sorted(values)[max(0, ceil(share * len(values)) - 1)]
    assert sketch.quantile(share) == pytest.approx(exact, rel=0.02)


def test_without_values_there_is_no_quantile() -> None:
    assert Sketch().quantile(0.5) is None


@pytest.mark.parametrize("value", [0.0, -1.0, 1e300, float("inf")])
def test_values_out_of_range_count_at_the_ends(value: float) -> None:
    sketch = Sketch()
    sketch.add(value)
    median = sketch.quantile(0.5)
    assert median is not None
    assert 1e-3 <= median <= 1.1e9


def test_any_number_of_values_takes_a_bounded_number_of_buckets() -> None:
    sketch = Sketch()
    for power in range(-4000, 4000):
        sketch.add(10 ** (power / 200))
    assert len(sketch._buckets) <= 1400


@given(st.lists(st.integers(-1000, 1000), max_size=60), st.integers(1, 20))
def test_a_ring_holds_the_newest_values(values: list[int], size: int) -> None:
    ring = Ring(size)
    for second, value in enumerate(values):
        ring.add(second, value)
    newest = values[-size:]
    assert sorted(ring) == sorted(newest)
    assert ring.mean == pytest.approx(sum(newest) / len(newest) if newest else 0.0)
    assert sorted(ring.since(len(values) - 3)) == sorted(values[-min(3, size) :])
