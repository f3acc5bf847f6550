"""Softmax and the loss, beside torch's and at their edges."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from draws import draw, draw_targets, near
from scratch.functional import (
    check_targets,
    cross_entropy,
    log_softmax,
    softmax,
)

INF, NAN = math.inf, math.nan
few = settings(max_examples=25)
seeds = st.integers(0, 2**32)
sizes = st.integers(1, 40)
dtypes = st.sampled_from([torch.float32, torch.float64])
scales = st.sampled_from([1e-3, 1.0, 30.0, 1e4])
DTYPES = [torch.float32, torch.float64]


# -------------------------------------------------- softmax and log_softmax


@few
@given(sizes, st.integers(1, 12), seeds, dtypes, scales)
def test_softmax_is_close_to_torch_s(N, classes, seed, dtype, scale):
    logits = draw(seed, (N, classes), dtype=dtype) * scale
    near(softmax(logits), F.softmax(logits, 1))


@few
@given(sizes, st.integers(1, 12), seeds, dtypes, scales)
def test_log_softmax_is_close_to_torch_s(N, classes, seed, dtype, scale):
    logits = draw(seed, (N, classes), dtype=dtype) * scale
    near(log_softmax(logits), F.log_softmax(logits, 1), size=scale)


@few
@given(sizes, st.integers(1, 12), seeds, scales)
def test_float32_softmaxes_are_within_rounding_of_the_float64_formula(
    N, classes, seed, scale
):
    logits = draw(seed, (N, classes)) * scale
    wide = logits.double()
    wide = wide - wide.amax(1, keepdim=True)
    total = wide.exp().sum(1, keepdim=True)
    near(softmax(logits), (wide.exp() / total).float(), ulps=64)
    near(
        log_softmax(logits), (wide - total.log()).float(), size=scale
    )


@few
@given(sizes, st.integers(1, 12), seeds, dtypes, scales)
def test_each_row_of_softmax_sums_to_one_with_no_entry_below_zero(
    N, classes, seed, dtype, scale
):
    p = softmax(draw(seed, (N, classes), dtype=dtype) * scale)
    assert (p >= 0).all()
    near(p.sum(1), torch.ones(N, dtype=dtype))


@pytest.mark.parametrize("f", [softmax, log_softmax])
@few
@given(st.integers(1, 8), st.integers(1, 12), seeds, dtypes)
def test_a_shift_of_a_row_changes_no_bit(f, N, classes, seed, dtype):
    # Whole numbers this small are shifted without rounding.
    logits = (draw(seed, (N, classes), dtype=dtype) * 20).round()
    shift = (draw(seed + 1, (N, 1), dtype=dtype) * 1e4).round()
    assert torch.equal(f(logits + shift), f(logits))


@pytest.mark.parametrize("f", [softmax, log_softmax])
def test_rows_know_nothing_of_each_other(f):
    logits = draw(0, (5, 4)) * torch.tensor(
        [[1e-3], [1.0], [30.0], [1e4], [-1e4]]
    )
    alone = torch.cat([f(row[None]) for row in logits])
    assert torch.equal(f(logits), alone)


@pytest.mark.parametrize("classes", [1, 2, 4, 8])
def test_tied_logits_share_the_probability_equally(classes):
    logits = torch.full((3, classes), 7.5)
    assert (softmax(logits) == 1 / classes).all()
    near(
        log_softmax(logits), torch.full((3, classes), -math.log(classes))
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("big", [1e4, -1e4, 3e38])
def test_huge_logits_neither_overflow_nor_vanish(dtype, big):
    logits = torch.tensor([[big, big, big - abs(big)]], dtype=dtype)
    assert softmax(logits).tolist() == [[0.5, 0.5, 0.0]]
    half = -math.log(2)
    expected = [[half, half, half - abs(big)]]
    near(log_softmax(logits), torch.tensor(expected, dtype=dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_log_softmax_is_finite_where_the_log_of_softmax_is_not(dtype):
    logits = torch.tensor([[1e4, 0.0, -1e4]], dtype=dtype)
    assert softmax(logits).log().tolist() == [[0.0, -INF, -INF]]
    assert log_softmax(logits).tolist() == [[0.0, -1e4, -2e4]]


@pytest.mark.parametrize("row, probabilities", [
    ([0.0, -INF, 0.0], [0.5, 0.0, 0.5]),
    ([-INF, 3.0, -INF], [0.0, 1.0, 0.0]),
    ([-INF, -INF, -INF], [NAN, NAN, NAN]),
    ([INF, 0.0, 1.0], [NAN, NAN, NAN]),
    ([NAN, 0.0, 1.0], [NAN, NAN, NAN]),
])
def test_infinities_and_nan_fare_as_in_torch(row, probabilities):
    logits = torch.tensor([row, [0.0, 0.0, 0.0]])
    p, log_p = softmax(logits), log_softmax(logits)
    torch.testing.assert_close(
        p[0], torch.tensor(probabilities), equal_nan=True
    )
    near(p, F.softmax(logits, 1))
    near(log_p, F.log_softmax(logits, 1))
    assert p[1].isfinite().all() and log_p[1].isfinite().all()


@pytest.mark.parametrize("f", [softmax, log_softmax])
def test_no_rows_in_no_rows_out(f):
    assert f(torch.zeros(0, 10)).shape == (0, 10)


@pytest.mark.parametrize("f", [softmax, log_softmax])
def test_the_logits_are_left_as_they_were(f):
    logits = draw(0, (3, 4))
    before = logits.clone()
    f(logits)
    assert torch.equal(logits, before)


@pytest.mark.parametrize("f", [softmax, log_softmax])
@pytest.mark.parametrize("logits", [
    draw(0, (3, 4), dtype=torch.float64),
    torch.zeros(2, 3, dtype=torch.float64),                 # ties
    torch.tensor([[40.0, 0.0, -40.0]], dtype=torch.float64),
    torch.tensor([[5.0]], dtype=torch.float64),             # one class
])
def test_gradients_of_the_softmaxes_are_the_slopes(f, logits):
    assert gradcheck(f, logits.clone().requires_grad_())


# ----------------------------------------------------------- check_targets


@pytest.mark.parametrize("check", [check_targets, cross_entropy])
@pytest.mark.parametrize("bad", [-1, 4, -4, 255, -100, 2**40])
@pytest.mark.parametrize("place", [0, 2])
def test_a_target_that_is_no_class_is_named_and_refused(check, bad, place):
    targets = torch.tensor([0, 3, 1])
    targets[place] = bad
    with pytest.raises(IndexError, match=f"target {bad} .*4 classes, 0 to 3"):
        check(torch.zeros(3, 4), targets)


def test_of_several_bad_targets_the_lowest_is_named():
    with pytest.raises(IndexError, match="target -1 "):
        check_targets(torch.zeros(3, 4), torch.tensor([0, 9, -1]))


@pytest.mark.parametrize("targets", [
    [0, 3, 3], [0, 0, 0], [3, 3, 3], [1, 2, 0]
])
def test_every_class_from_first_to_last_is_admitted(targets):
    assert check_targets(torch.zeros(3, 4), torch.tensor(targets)) is None


@pytest.mark.parametrize("check", [check_targets, cross_entropy])
@pytest.mark.parametrize("shape", [(), (2,), (4,), (3, 1), (1, 3), (3, 4)])
def test_targets_of_another_shape_are_refused(check, shape):
    message = rf"int64 \[3\], not torch.int64 \[{', '.join(map(str, shape))}\]"
    with pytest.raises(ValueError, match=message):
        check(torch.zeros(3, 4), torch.zeros(shape, dtype=torch.int64))


# ----------------------------------------------------------- cross_entropy


@few
@given(sizes, st.integers(1, 12), seeds, dtypes, scales)
def test_cross_entropy_and_its_gradient_are_close_to_torch_s(
    N, classes, seed, dtype, scale
):
    logits = draw(seed, (N, classes), dtype=dtype) * scale
    logits.requires_grad_()
    targets = draw_targets(seed, N, classes)
    ours = cross_entropy(logits, targets)
    theirs = F.cross_entropy(logits, targets)
    near(ours, theirs, size=scale)
    d_ours, = torch.autograd.grad(ours, logits)
    d_theirs, = torch.autograd.grad(theirs, logits)
    near(d_ours, d_theirs, size=1 / N)


@few
@given(sizes, st.integers(1, 12), seeds, dtypes)
def test_cross_entropy_is_the_mean_log_of_the_right_class(
    N, classes, seed, dtype
):
    logits = draw(seed, (N, classes), dtype=dtype)
    targets = draw_targets(seed, N, classes)
    right = [
        -math.log(p[t].item())
        for p, t in zip(softmax(logits.double()), targets, strict=True)
    ]
    loss = cross_entropy(logits, targets)
    assert loss.shape == () and loss.dtype == dtype
    expected = torch.tensor(sum(right) / N, dtype=torch.float64)
    near(loss, expected.to(dtype), size=4.0)


@pytest.mark.parametrize("logits, targets", [
    (draw(0, (3, 4), dtype=torch.float64), [0, 3, 1]),
    (torch.zeros(2, 3, dtype=torch.float64), [0, 2]),       # ties
    (torch.tensor([[9.0, 9.0, 0.0]], dtype=torch.float64), [2]),
    (torch.tensor([[5.0], [6.0]], dtype=torch.float64), [0, 0]),
])
def test_gradients_of_cross_entropy_are_the_slopes(logits, targets):
    targets = torch.tensor(targets)
    assert gradcheck(
        lambda z: cross_entropy(z, targets),
        logits.clone().requires_grad_(),
    )


@pytest.mark.parametrize("classes", [2, 10])
def test_a_network_without_an_opinion_loses_the_log_of_the_classes(classes):
    targets = torch.arange(classes)
    loss = cross_entropy(torch.zeros(classes, classes), targets)
    assert loss.item() == pytest.approx(math.log(classes), rel=1e-6)


def test_one_class_leaves_nothing_to_lose():
    logits = torch.tensor([[5.0], [-1e4], [0.0]])
    targets = torch.zeros(3, dtype=torch.int64)
    assert cross_entropy(logits, targets) == 0


def test_a_wrong_answer_of_huge_certainty_costs_its_margin():
    logits = torch.tensor([[1e4, -1e4]], requires_grad=True)
    loss = cross_entropy(logits, torch.tensor([1]))
    loss.backward()
    assert loss.item() == 2e4
    assert logits.grad.tolist() == [[1.0, -1.0]]


def test_an_excluded_class_costs_nothing_unless_it_is_the_right_one():
    logits = torch.tensor([[0.0, 0.0, -INF]], requires_grad=True)
    loss = cross_entropy(logits, torch.tensor([0]))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2))
    assert logits.grad.tolist() == [[-0.5, 0.5, 0.0]]
    assert cross_entropy(logits, torch.tensor([2])).item() == INF


def test_one_image_without_a_number_leaves_the_batch_without_a_loss():
    logits = torch.tensor([[0.0, NAN], [0.0, 1.0]])
    targets = torch.tensor([0, 1])
    assert F.cross_entropy(logits, targets).isnan()
    assert cross_entropy(logits, targets).isnan()


def test_the_mean_of_an_empty_batch_is_nan_as_in_torch():
    logits, targets = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
    assert F.cross_entropy(logits, targets).isnan()
    assert cross_entropy(logits, targets).isnan()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bool, torch.int16])
def test_targets_that_are_no_indices_are_refused(dtype):
    logits = draw(0, (3, 4))
    targets = torch.tensor([0, 1, 1]).to(dtype)
    with pytest.raises((IndexError, TypeError, ValueError, RuntimeError)):
        cross_entropy(logits, targets)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.bool, torch.int32])
def test_labels_of_another_dtype_are_refused(dtype):
    logits, targets = draw(0, (4, 4)), torch.ones(4, dtype=torch.int64)
    with pytest.raises(ValueError, match="int64"):
        cross_entropy(logits, targets.to(dtype))


def test_the_default_device_has_no_say():
    logits, targets = draw(0, (3, 4)), torch.tensor([0, 3, 1])
    expected = cross_entropy(logits, targets)
    with torch.device("meta"):
        assert torch.equal(cross_entropy(logits, targets), expected)
