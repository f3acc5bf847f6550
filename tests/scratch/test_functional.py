"""The forward pass, beside torch's and at its edges."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from draws import draw, draw_targets, near
from exact import bits
from scratch.functional import cross_entropy, forward, linear, relu

INF, NAN = math.inf, math.nan
few = settings(max_examples=25)
seeds = st.integers(0, 2**32)
sizes = st.integers(1, 40)
dtypes = st.sampled_from([torch.float32, torch.float64])
DTYPES = [torch.float32, torch.float64]


# ------------------------------------------------------------------ linear


@few
@given(sizes, sizes, sizes, seeds, dtypes)
def test_linear_is_close_to_torch_s_with_the_weights_transposed(
    N, fan_in, fan_out, seed, dtype
):
    x, W, b = draw(
        seed, (N, fan_in), (fan_in, fan_out), (fan_out,), dtype=dtype
    )
    near(linear(x, W, b), F.linear(x, W.T, b), size=fan_in)


def test_linear_is_exact_where_nothing_is_rounded():
    x = torch.tensor([[1.0, 2.0, 3.0], [-1.0, 0.0, 4.0]])
    W = torch.tensor([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    b = torch.tensor([0.5, -0.5])
    assert linear(x, W, b).tolist() == [[17.5, 169.5], [15.5, 149.5]]


def test_linear_of_a_blank_image_is_the_bias_to_the_last_bit():
    W, b = draw(0, (784, 128), (128,))
    assert torch.equal(linear(torch.zeros(1, 784), W, b)[0], b)


def test_linear_of_no_rows_has_no_rows():
    W, b = draw(0, (3, 4), (4,))
    assert linear(torch.zeros(0, 3), W, b).shape == (0, 4)


@pytest.mark.parametrize("x, W, b", [
    ((2, 3), (4, 3), (3,)),             # inner sizes differ
    ((2, 3), (4, 3), (4,)),             # torch's layout of W
    ((2, 3), (3, 4), (3,)),             # a bias for the inputs
    ((2, 3), (3, 4), (2,)),             # a bias for the rows
])
def test_linear_refuses_sizes_that_do_not_fit(x, W, b):
    with pytest.raises(RuntimeError):
        linear(torch.ones(x), torch.ones(W), torch.ones(b))


def test_linear_refuses_a_mixture_of_precisions():
    with pytest.raises(TypeError, match="W is torch.float32, not .*64"):
        linear(torch.ones(2, 3).double(), torch.ones(3, 4), torch.ones(4))


def test_gradients_flow_through_linear_to_all_three_arguments():
    args = draw(0, (3, 4), (4, 2), (2,), dtype=torch.float64)
    assert gradcheck(linear, [a.requires_grad_() for a in args])


# -------------------------------------------------------------------- relu


@few
@given(st.lists(sizes, max_size=3), seeds, dtypes)
def test_relu_equals_torch_s_bit_for_bit(shape, seed, dtype):
    x = draw(seed, tuple(shape), dtype=dtype)
    assert torch.equal(bits(relu(x)), bits(torch.relu(x)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_relu_equals_torch_s_bit_for_bit_at_the_edges(dtype):
    tiny = torch.finfo(dtype).smallest_normal
    x = torch.tensor(
        [0.0, -0.0, INF, -INF, NAN, tiny, -tiny, tiny / 4, -tiny / 4,
         1.0, -1.0, 1e4, -1e4],
        dtype=dtype,
    ).repeat(5)                         # long enough for vector lanes
    assert torch.equal(bits(relu(x)), bits(torch.relu(x)))


def test_relu_makes_a_new_tensor():
    x = torch.tensor([-1.0, 2.0])
    assert relu(x).tolist() == [0.0, 2.0] and x.tolist() == [-1.0, 2.0]


@few
@given(sizes, sizes, seeds, dtypes)
def test_relu_passes_gradients_as_torch_s_does(N, M, seed, dtype):
    x, d_out = draw(seed, (N, M), (N, M), dtype=dtype)
    x.requires_grad_()
    ours, = torch.autograd.grad(relu(x), x, d_out)
    theirs, = torch.autograd.grad(torch.relu(x), x, d_out)
    assert torch.equal(ours, theirs)


# ----------------------------------------------------------------- forward


@few
@given(sizes, sizes, sizes, st.integers(1, 12), seeds, dtypes)
def test_forward_and_its_gradients_are_close_to_those_of_torch_s_layers(
    N, fan_in, hidden, classes, seed, dtype
):
    x, *params = draw(
        seed, (N, fan_in), (fan_in, hidden), (hidden,),
        (hidden, classes), (classes,), dtype=dtype,
    )
    W1, b1, W2, b2 = (p.requires_grad_() for p in params)
    net = torch.nn.Sequential(
        torch.nn.Linear(fan_in, hidden, dtype=dtype),
        torch.nn.ReLU(),
        torch.nn.Linear(hidden, classes, dtype=dtype),
    )
    with torch.no_grad():
        for theirs, ours in zip(
            net.parameters(), (W1.T, b1, W2.T, b2), strict=True
        ):
            theirs.copy_(ours)
    ours, theirs = forward(x, W1, b1, W2, b2), net(x)
    size = fan_in * hidden
    near(ours, theirs, size=size)

    targets = draw_targets(seed, N, classes)
    cross_entropy(ours, targets).backward()
    F.cross_entropy(theirs, targets).backward()
    for p, q in zip((W1, b1, W2, b2), net.parameters(), strict=True):
        near(p.grad.T if p.ndim == 2 else p.grad, q.grad, size=size)


def test_forward_solves_xor_with_the_chapter_s_weights():
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    logits = forward(
        x, torch.ones(2, 2), torch.tensor([0.0, -1.0]),
        torch.tensor([[1.0], [-2.0]]), torch.tensor([0.25]),
    )
    assert logits.flatten().tolist() == [0.25, 1.25, 1.25, 0.25]


def test_forward_of_a_blank_image_through_fresh_params_is_a_tie_of_zeros():
    W1, W2 = draw(0, (784, 128), (128, 10))
    logits = forward(
        torch.zeros(1, 784), W1, torch.zeros(128), W2, torch.zeros(10)
    )
    assert logits.shape == (1, 10) and not logits.any()


def test_forward_treats_each_row_by_itself():
    x, *params = draw(
        3, (5, 6), (6, 4), (4,), (4, 3), (3,), dtype=torch.float64
    )
    alone = torch.cat([forward(row[None], *params) for row in x])
    near(forward(x, *params), alone)
