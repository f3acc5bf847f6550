"""A bound that is printed holds for the number behind it."""

import random

import pytest

from figures.bounds import at_least, at_most


def test_a_bound_is_rounded_to_its_own_side() -> None:
    assert at_most(1.1e-06) == "2e-06"
    assert at_most(0.301, 2) == "3.1e-01"
    assert at_most(9.2e-05) == "1e-04"
    assert at_least(9.9e-05) == "9e-05"
    assert at_most(-1.9) == "-1e+00"
    assert at_most(0.0) == at_least(0.0) == "0e+00"


def test_what_needs_no_rounding_is_not_rounded() -> None:
    assert at_most(0.1) == at_least(0.1) == "1e-01"
    assert at_most(0.5) == at_least(0.5) == "5e-01"
    assert at_most(250.0, 2) == at_least(250.0, 2) == "2.5e+02"


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_bounds_hold_and_are_close(digits: int) -> None:
    draw = random.Random(digits)
    for _ in range(1000):
        value = draw.uniform(1, 10) * 10 ** draw.randint(-12, 6)
        low, high = (float(f(value, digits)) for f in (at_least, at_most))
        assert low <= value <= high
        assert high - low <= 10.0 ** (1 - digits) * value * 1.0001
