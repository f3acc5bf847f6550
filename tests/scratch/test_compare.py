"""The verdicts of scratch.compare, at the edges of the floats."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scratch.compare import Verdict, bits, compare, places

INF, NAN = math.inf, math.nan
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
few = settings(max_examples=50)


def of(*values, dtype=torch.float32):
    return torch.tensor(values, dtype=dtype)


def up(t, steps=1):
    """The float so many steps above each of t."""
    for _ in range(steps):
        t = torch.nextafter(t, torch.full_like(t, INF))
    return t


# ------------------------------------------------------------------ places


@few
@given(
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_the_next_float_has_the_next_place(value, dtype):
    t = of(value, dtype=dtype)
    after = up(t)
    if t == 0 or after == 0:                     # nextafter knows one zero
        t, after = t.abs(), after.abs()
        assert (places(t) - places(after)).abs().item() == 1
    else:
        assert (places(after) - places(t)).item() == 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_places_sort_as_the_floats_do(dtype):
    t = of(-INF, -2.0, -1.0, -1e-3, -0.0, 0.0, 1e-3, 1.0, 2.0, INF,
           dtype=dtype)
    found = places(t).tolist()
    assert found == sorted(found)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("dtype", DTYPES)
def test_zero_is_at_0_and_minus_zero_one_below(dtype):
    assert places(of(-0.0, 0.0, dtype=dtype)).tolist() == [-1, 0]


def test_bits_are_those_of_ieee_754():
    assert bits(of(1.0)).item() == 0x3F800000
    assert bits(of(1.0, dtype=torch.float64)).item() == 0x3FF0 << 48


# ------------------------------------------------------------------- ulps


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("value", [1.0, -1.0, 3e-5, -1e20, 2.0])
def test_ulps_count_the_steps(value, steps, dtype):
    a = of(value, dtype=dtype)
    assert compare(a, up(a, steps)).ulps == steps
    assert compare(up(a, steps), a).ulps == steps


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ulps_are_counted_across_zero(dtype):
    tiny = torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps
    assert compare(of(-tiny, dtype=dtype), of(tiny, dtype=dtype)).ulps == 3
    assert compare(of(-0.0, dtype=dtype), of(0.0, dtype=dtype)).ulps == 1


def test_ulps_do_not_overflow_between_large_float64_of_both_signs():
    a, b = (of(v, dtype=torch.float64) for v in (-3.0, 3.0))
    place = 0x4008 << 48                         # of 3.0
    assert compare(a, b).ulps == 2 * place + 1 > 2**63


def test_ulps_and_gap_are_the_largest_of_all_elements():
    a = of(1.0, 1000.0, 5.0)
    b = of(1.0 + 2**-20, 1000.0 + 2**-10, 5.0)
    verdict = compare(a, b)
    assert verdict.gap == 2**-10                 # at 1000
    assert verdict.ulps == 16                    # at 1000: 16 of 2**-14
    b[0] += 2**-18
    assert compare(a, b).ulps == 40              # at 1: 40 of 2**-23


# --------------------------------------------------------------- verdicts


@pytest.mark.parametrize("dtype", DTYPES)
def test_equal_bits_are_exact(dtype):
    t = of(1.0, -0.0, INF, -INF, NAN, 1e-6, dtype=dtype)
    assert compare(t, t.clone()) == Verdict(True, True, 0.0, 0)


def test_nan_on_both_sides_is_exact_whatever_its_bits():
    odd = torch.tensor([0x7FC00001], dtype=torch.int32).view(torch.float32)
    assert odd.isnan().item() and bits(odd) != bits(of(NAN))
    assert compare(odd, of(NAN)).exact


def test_the_two_zeros_are_not_exact_but_close():
    verdict = compare(of(0.0, 1.0), of(-0.0, 1.0))
    assert (verdict.exact, verdict.close, verdict.gap) == (False, True, 0)


@pytest.mark.parametrize("ours, theirs", [
    (NAN, 1.0), (1.0, NAN), (INF, 1.0), (1.0, INF), (INF, -INF),
    (NAN, INF),
])
def test_nan_or_infinity_on_one_side_is_different(ours, theirs):
    verdict = compare(of(ours, 1e30), of(theirs, 1e30))
    assert not verdict.exact and not verdict.close


@pytest.mark.parametrize("theirs", [NAN, INF])
def test_theirs_may_have_no_finite_number_at_all(theirs):
    assert not compare(of(1.0), of(theirs)).close
    assert compare(of(theirs), of(theirs)).exact


def test_a_common_infinity_does_not_excuse_the_other_numbers():
    assert not compare(of(INF, 1.0), of(INF, 2.0)).close
    assert compare(of(INF, 1.0), of(INF, 1.0)).exact


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_close_ends_at_half_of_the_digits_of_the_largest_number(dtype):
    limit = torch.finfo(dtype).eps ** 0.5
    theirs = of(0.0, -8.0, dtype=dtype)
    for factor, close in ((0.99, True), (1.01, False)):
        ours = theirs + of(8 * limit * factor, 0.0, dtype=dtype)
        assert compare(ours, theirs).close is close


def test_the_limit_itself_is_close():
    limit = torch.finfo(torch.float64).eps ** 0.5  # a power of two
    ours = of(limit, 1.0, dtype=torch.float64)
    assert compare(ours, of(0.0, 1.0, dtype=torch.float64)).close


def test_close_measures_against_theirs():
    assert compare(of(0.0), of(1e-20)).close is False
    assert compare(of(1e-20), of(0.0)).close is False


@pytest.mark.parametrize("verdict, text", [
    (Verdict(True, True, 0.0, 0), "exact"),
    (Verdict(False, True, 4.8e-7, 3),
     "close, largest difference 4.8e-07, up to 3 ulp"),
    (Verdict(False, False, 2.0, 1234567),
     "different, largest difference 2.0e+00, up to 1,234,567 ulp"),
    (Verdict(False, False, NAN, 5), "different, NaN on one side only"),
])
def test_verdicts_in_words(verdict, text):
    assert str(verdict) == text


def test_a_single_number_and_no_number_can_be_compared():
    assert compare(torch.tensor(1.0), torch.tensor(1.0)).exact
    assert compare(torch.empty(0, 3), torch.empty(0, 3)).exact


def test_strides_and_gradients_do_not_matter():
    a = torch.randn(5, 7, requires_grad=True)
    assert compare(a, a.detach().t().contiguous().t()).exact


def test_shapes_that_differ_are_named_and_refused():
    with pytest.raises(ValueError, match=r"\[2, 3\].*\[3, 2\]"):
        compare(torch.zeros(2, 3), torch.zeros(3, 2))
    with pytest.raises(ValueError, match=r"\[1\].*\[\]"):
        compare(torch.zeros(1), torch.tensor(0.0))


def test_dtypes_that_differ_are_named_and_refused():
    with pytest.raises(ValueError, match=r"float32.*float64"):
        compare(torch.zeros(2), torch.zeros(2).double())


def test_a_verdict_cannot_be_changed():
    with pytest.raises(AttributeError):
        compare(of(1.0), of(1.0)).exact = False
