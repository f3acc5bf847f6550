"""The backward pass, beside autograd, finite differences and edges."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from draws import draw, draw_network
from scratch.backward import (
    backward,
    cross_entropy_backward,
    linear_backward,
    loss_and_push,
    relu_backward,
)
from scratch.data import load_mnist
from scratch.functional import cross_entropy, forward, softmax
from scratch.init import make_params

few = settings(max_examples=25)
seeds = st.integers(0, 2**32)
sizes = st.integers(1, 40)
dtypes = st.sampled_from([torch.float32, torch.float64])


def torchs_own(x, targets, params):
    """Loss and gradients, with torch's relu, loss and autograd.

    The hidden sums are ours, so that none lies on the other side of 0.
    """
    W1, b1, W2, b2 = [p.detach().clone().requires_grad_() for p in params]
    h = F.relu(x @ W1 + b1)
    loss = F.cross_entropy(F.linear(h, W2.T, b2), targets)
    loss.backward()
    return loss.detach(), [p.grad for p in (W1, b1, W2, b2)]


def near(ours, theirs, ulps=64, least=0.0):
    """Equal but for the rounding of numbers as large as the largest, or as
    `least`, where those that it is made of are larger."""
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    size = theirs.abs().max().item() if theirs.numel() else 0.0
    size = max(size, least)
    slack = ulps * torch.finfo(ours.dtype).eps
    torch.testing.assert_close(ours, theirs, rtol=slack, atol=slack * size)


def both_near(x, targets, params):
    loss, grads = backward(x, targets, *params)
    their_loss, theirs = torchs_own(x, targets, params)
    # A loss is the logarithm of a sum of 1 or more, a push on a logit is a
    # probability less 1: where they are tiny, they are what rounding left.
    near(loss, their_loss, least=1.0)
    for ours, reference, least in zip(
        grads, theirs, pushed_by_one(x, *params), strict=True
    ):
        near(ours, reference, least=least)


def pushed_by_one(x, W1, b1, W2, b2):
    """How large gradients are of a push of 1 on each logit, at most."""
    h = F.relu(x @ W1 + b1).abs().max().item()
    on_h = (len(b2) * W2.abs().max()).item()
    return on_h * x.abs().max().item(), on_h, h, 1.0


def central(function, t, step=1e-5):
    """The slope of function() in each number of t, by nudging t."""
    slopes = torch.zeros_like(t)
    flat, found = t.view(-1), slopes.view(-1)
    for k in range(len(flat)):
        sides = []
        kept = flat[k].item()
        for s in (step, -step):
            flat[k] = kept + s
            sides.append(function().item())
        flat[k] = kept
        found[k] = (sides[0] - sides[1]) / (2 * step)
    return slopes


# ------------------------------------------------- against torch's autograd


@few
@given(seeds, sizes, sizes, sizes, st.integers(2, 20), dtypes)
def test_the_four_gradients_are_torch_s_to_rounding(
    seed, N, width, hidden, classes, dtype
):
    x, targets, params = draw_network(
        seed, N, width, hidden, classes, dtype
    )
    both_near(x, targets, params)


@few
@given(seeds, sizes, st.integers(1, 20), dtypes,
       st.sampled_from([1e-3, 1.0, 30.0, 1e4]))
def test_d_logits_is_torch_s_to_rounding(seed, N, classes, dtype, scale):
    z = draw(seed, (N, classes), dtype=dtype)
    z = (scale * z).requires_grad_()
    targets = torch.arange(N) % classes
    F.cross_entropy(z, targets).backward()
    ours = cross_entropy_backward(z.detach(), targets)
    # a probability is rounded relative to 1, and then divided by N
    slack = 64 * torch.finfo(dtype).eps / N
    torch.testing.assert_close(ours, z.grad, rtol=slack, atol=slack)


@few
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(seed=seeds, N=st.integers(1, 70), classes=st.integers(1, 12))
def test_the_loss_and_its_push_are_torch_s_in_one_pass(
    seed, N, classes, dtype
):
    logits = draw(seed, (N, classes), dtype=dtype)
    logits *= 3
    targets = torch.arange(N) % classes
    loss, push = loss_and_push(logits, targets)
    leaf = logits.clone().requires_grad_()
    theirs = F.cross_entropy(leaf, targets)
    theirs.backward()
    slack = 64 * torch.finfo(dtype).eps / N
    assert torch.equal(loss, cross_entropy(logits, targets))
    torch.testing.assert_close(push, leaf.grad, rtol=slack, atol=slack)
    with pytest.raises(IndexError, match=f"target {classes} "):
        backward(logits, torch.full((N,), classes), *(
            torch.zeros(s, dtype=dtype) for s in (
                (classes, 2), (2,), (2, classes), (classes,))))


@few
@given(seeds, sizes, sizes, sizes, dtypes)
def test_a_linear_layer_s_gradients_are_torch_s(seed, N, wide, out, dtype):
    x, W, b, d_out = draw(
        seed, (N, wide), (wide, out), (out,), (N, out), dtype=dtype
    )
    leaves = [t.clone().requires_grad_() for t in (x, W, b)]
    theirs = torch.autograd.grad(
        leaves[0] @ leaves[1] + leaves[2], leaves, d_out
    )
    for ours, reference in zip(
        linear_backward(x, W, d_out), theirs, strict=True
    ):
        near(ours, reference)


@few
@given(seeds, sizes, sizes, dtypes)
def test_relu_s_gradient_equals_torch_s_with_ties_at_zero(
    seed, N, hidden, dtype
):
    generator = torch.Generator().manual_seed(seed)
    h_pre = torch.randint(-1, 2, (N, hidden), generator=generator)
    h_pre = h_pre.to(dtype)
    d_h = draw(seed, (N, hidden), dtype=dtype)
    z = h_pre.clone().requires_grad_()
    (theirs,) = torch.autograd.grad(torch.relu(z), z, d_h)
    assert torch.equal(relu_backward(h_pre, d_h), theirs)


def test_relu_s_slope_is_0_at_both_zeros_and_1_at_the_least_float():
    least = torch.finfo(torch.float32).smallest_normal
    h_pre = torch.tensor([-1.0, -least, -0.0, 0.0, least, 1.0])
    d_h = torch.full((6,), 7.0)
    assert relu_backward(h_pre, d_h).tolist() == [0, 0, 0, 0, 7, 7]


def test_relu_s_gradient_has_torch_s_bits_even_for_infinite_blame():
    inf = float("inf")
    h_pre = torch.tensor([-1.0, 0.0, 1.0, -1.0, -1.0, 1.0])
    d_h = torch.tensor([inf, -inf, inf, -2.0, 2.0, -0.0])
    z = h_pre.clone().requires_grad_()
    (theirs,) = torch.autograd.grad(torch.relu(z), z, d_h)
    ours = relu_backward(h_pre, d_h)
    assert torch.equal(ours.view(torch.int32), theirs.view(torch.int32))


def test_given_autograd_s_d_logits_all_else_is_equal_bit_for_bit():
    x, targets, params = draw_network(0, 64, 784, 128, 10)
    W1, b1, W2, b2 = leaves = [p.requires_grad_() for p in params]
    h_pre = x @ W1 + b1
    h = torch.relu(h_pre)
    logits = h @ W2 + b2
    d_logits, *theirs = torch.autograd.grad(
        cross_entropy(logits, targets), [logits, h, h_pre, *leaves]
    )
    with torch.no_grad():
        d_h, d_W2, d_b2 = linear_backward(h, W2, d_logits)
        d_h_pre = relu_backward(h_pre, d_h)
        _, d_W1, d_b1 = linear_backward(x, W1, d_h_pre, need_x=False)
    for ours, reference in zip(
        [d_h, d_h_pre, d_W1, d_b1, d_W2, d_b2], theirs, strict=True
    ):
        assert torch.equal(
            ours.view(torch.int32), reference.view(torch.int32)
        )


def test_on_real_digits_the_gradients_are_torch_s():
    X, y = load_mnist(split="test")
    params = [p.detach() for p in make_params(seed=3)]
    both_near(X[:64], y[:64], params)
    both_near(X[-16:], y[-16:], params)


# ---------------------------------------------- against finite differences


@few
@given(seeds, st.integers(1, 6), st.integers(1, 5), st.integers(1, 5),
       st.integers(2, 5))
def test_the_four_gradients_are_the_slopes(seed, N, width, hidden, classes):
    x, targets, params = draw_network(
        seed, N, width, hidden, classes, torch.float64
    )
    # a nudge must carry no hidden sum across its corner
    assume((x @ params[0] + params[1]).abs().min() > 1e-3)

    def loss():
        return cross_entropy(forward(x, *params), targets)

    _, grads = backward(x, targets, *params)
    for grad, p in zip(grads, params, strict=True):
        torch.testing.assert_close(
            grad, central(loss, p), rtol=1e-6, atol=1e-8
        )


@few
@given(seeds, st.integers(1, 6), st.integers(2, 6))
def test_d_logits_is_the_slope_of_our_loss(seed, N, classes):
    z = draw(seed, (N, classes), dtype=torch.float64)
    targets = torch.arange(N) % classes
    slopes = central(lambda: cross_entropy(z, targets), z)
    torch.testing.assert_close(
        cross_entropy_backward(z, targets), slopes, rtol=1e-6, atol=1e-8
    )


def test_d_x_is_the_slope_in_the_input():
    x, W, d_out = draw(0, (3, 4), (4, 5), (3, 5), dtype=torch.float64)
    slopes = central(lambda: ((x @ W) * d_out).sum(), x)
    torch.testing.assert_close(linear_backward(x, W, d_out)[0], slopes)


def test_a_small_step_lowers_the_loss_by_the_rate_times_the_norm_squared():
    x, targets, params = draw_network(1, 8, 6, 5, 3, torch.float64)
    loss, grads = backward(x, targets, *params)
    moved = [p - 1e-6 * g for p, g in zip(params, grads, strict=True)]
    fall = (loss - cross_entropy(forward(x, *moved), targets)).item()
    square = sum((g * g).sum().item() for g in grads)
    assert fall == pytest.approx(1e-6 * square, rel=1e-3)


# ------------------------------------------------------------------- edges


def test_one_sample():
    x, targets, params = draw_network(0, 1, 784, 128, 10)
    both_near(x, targets, params)


def test_an_image_twice_has_the_gradient_of_one():
    x, targets, params = draw_network(0, 1, 30, 20, 10, torch.float64)
    _, once = backward(x, targets, *params)
    _, twice = backward(
        x.repeat(2, 1), targets.repeat(2), *params
    )
    for a, b in zip(once, twice, strict=True):
        near(a, b)


def test_the_last_batch_of_32_is_divided_by_32():
    z = torch.zeros(32, 10)
    targets = torch.arange(32) % 10
    d_logits = cross_entropy_backward(z, targets)
    picked = d_logits[torch.arange(32), targets]
    assert torch.allclose(picked, torch.tensor((0.1 - 1) / 32))
    both_near(*draw_network(5, 32, 784, 128, 10))


def test_a_blank_image_moves_only_the_last_bias():
    params = make_params()
    blank, target = torch.zeros(1, 784), torch.tensor([7])
    _, (d_W1, d_b1, d_W2, d_b2) = backward(blank, target, *params)
    assert not d_W1.any() and not d_b1.any() and not d_W2.any()
    wanted = torch.full((10,), 0.1)
    wanted[7] -= 1
    assert torch.allclose(d_b2, wanted)
    both_near(blank, target, params)


def test_zero_weights_move_only_the_last_bias():
    params = make_params(scheme="zeros")
    x, targets, _ = draw_network(0, 64, 784, 128, 10)
    _, (d_W1, d_b1, d_W2, d_b2) = backward(x, targets, *params)
    assert not d_W1.any() and not d_b1.any() and not d_W2.any()
    assert d_b2.any()


def test_ties_at_zero_in_the_hidden_layer():
    generator = torch.Generator().manual_seed(0)

    def small(*shape):
        return torch.randint(-1, 2, shape, generator=generator).double()

    x, targets = small(50, 4), torch.arange(50) % 3
    params = [small(4, 20), torch.zeros(20).double(), small(20, 3),
              torch.zeros(3).double()]
    assert (x @ params[0] == 0).sum() > 100
    both_near(x, targets, params)


@pytest.mark.parametrize("margin", [20.0, 200.0, 1e30])
def test_a_row_confidently_right_pushes_with_nearly_nothing(margin):
    z = torch.zeros(2, 10)
    z[:, 7] = margin
    right, wrong = cross_entropy_backward(z, torch.tensor([7, 3]))
    assert right.abs().max() < 1e-8
    assert wrong[3].item() == pytest.approx(-0.5)
    assert wrong[7].item() == pytest.approx(0.5)


@few
@given(seeds, sizes, st.integers(1, 20))
def test_every_row_of_d_logits_adds_up_to_zero(seed, N, classes):
    z = draw(seed, (N, classes), dtype=torch.float64)
    d_logits = cross_entropy_backward(z, torch.arange(N) % classes)
    assert d_logits.sum(1).abs().max() < 1e-15 * classes


@few
@given(seeds, sizes)
def test_d_logits_is_softmax_minus_one_hot_over_N(seed, N):
    z = draw(seed, (N, 10))
    targets = torch.arange(N) % 10
    expected = (softmax(z) - F.one_hot(targets, 10)) / N
    assert torch.equal(cross_entropy_backward(z, targets), expected)


@pytest.mark.parametrize("bad", [-1, 10, -100])
def test_a_target_that_is_no_class_is_refused(bad):
    z, targets = torch.zeros(2, 10), torch.tensor([3, bad])
    with pytest.raises(IndexError, match=str(bad)):
        cross_entropy_backward(z, targets)
    params = make_params((4, 3, 10))
    with pytest.raises(IndexError, match=str(bad)):
        backward(torch.zeros(2, 4), targets, *params)


def test_targets_of_another_shape_are_refused():
    with pytest.raises(ValueError):
        cross_entropy_backward(torch.zeros(4, 10), torch.zeros(4, 1).long())
