"""Our optimizers take torch's steps, bit for bit."""

import random

import pytest
import torch

from exact import bits
from scratch.optim import SGD, Adam

STEPS = 1000
DTYPES = [torch.float32, torch.float64]


def assert_same_bits(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        assert torch.equal(bits(a), bits(b))


def random_shapes(rng):
    """Several parameters of different sizes, a scalar among them."""
    shapes = [(), (rng.randint(1, 9),)]
    shapes += [
        (rng.randint(1, 40), rng.randint(1, 40)) for _ in range(2)
    ]
    shapes.append((2, 3, rng.randint(1, 5)))
    rng.shuffle(shapes)
    return shapes


def twins(shapes, dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    ours = [
        torch.randn(shape, generator=generator, dtype=dtype)
        for shape in shapes
    ]
    theirs = [p.clone() for p in ours]
    return (
        [p.requires_grad_() for p in ours],
        [p.requires_grad_() for p in theirs],
    )


def race(make_ours, make_theirs, dtype, seed, steps=STEPS):
    """Feed both the same gradients of many sizes, zeros and Nones."""
    rng = random.Random(seed)
    ours, theirs = twins(random_shapes(rng), dtype, seed)
    mine, its = make_ours(ours), make_theirs(theirs)
    generator = torch.Generator().manual_seed(seed + 1)
    total = sum(p.numel() for p in ours)
    for _ in range(steps):
        draws = torch.randn(total, generator=generator, dtype=dtype)
        pieces = draws.split([p.numel() for p in ours])
        for p, q, piece in zip(ours, theirs, pieces, strict=True):
            kind = rng.random()
            if kind < 0.1:
                p.grad = q.grad = None
                continue
            piece *= 10.0 ** rng.randint(-9, 3)
            if kind < 0.2:
                piece.zero_()
            elif kind < 0.3:
                piece.clamp_(min=0)  # some zeros among others
            p.grad = q.grad = piece.view(p.shape)
        mine.step()
        its.step()
    assert_same_bits(ours, theirs)
    return mine, its, ours, theirs


# ------------------------------------------------------ equal to torch


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed, lr", [
    (0, 0.0), (1, 1e-4), (2, 0.03), (3, 7.5),
])
def test_sgd_equals_torch_bit_for_bit(dtype, seed, lr):
    race(
        lambda params: SGD(params, lr),
        lambda params: torch.optim.SGD(params, lr),
        dtype, seed,
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed, lr, momentum", [
    (10, 0.01, 0.9), (11, 0.3, 0.5), (12, 0.1, 1.0),
])
def test_momentum_equals_torch_bit_for_bit(dtype, seed, lr, momentum):
    mine, its, ours, theirs = race(
        lambda params: SGD(params, lr, momentum=momentum),
        lambda params: torch.optim.SGD(params, lr, momentum=momentum),
        dtype, seed,
    )
    assert_same_bits(
        [mine.velocity[p] for p in ours],
        [its.state[q]["momentum_buffer"] for q in theirs],
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed, options", [
    (20, {}),
    (21, {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-4}),
    (22, {"lr": 0.003, "betas": (0.0, 0.99)}),
    (23, {"lr": 0.02, "betas": (0.95, 0.0), "eps": 1e-3}),
])
def test_adam_equals_torch_bit_for_bit(dtype, seed, options):
    mine, its, ours, theirs = race(
        lambda params: Adam(params, **options),
        lambda params: torch.optim.Adam(params, **options),
        dtype, seed,
    )
    for p, q in zip(ours, theirs, strict=True):
        t, m, v = mine.state[p]
        assert t == its.state[q]["step"].item() < STEPS  # some were None
        assert_same_bits(
            [m, v], [its.state[q]["exp_avg"], its.state[q]["exp_avg_sq"]]
        )


@pytest.mark.parametrize("make_ours, make_theirs", [
    (lambda p: SGD(p, 0.1, 0.9),
     lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)),
    (lambda p: Adam(p), lambda p: torch.optim.Adam(p)),
])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_problem_that_feeds_back_is_equal_too(
    dtype, make_ours, make_theirs
):
    """Least squares by autograd: each follows its own gradients."""
    torch.manual_seed(3)
    A = torch.randn(30, 7, dtype=dtype)
    B = torch.randn(30, 2, dtype=dtype)
    ends = []
    for make in (make_ours, make_theirs):
        W = torch.zeros(7, 2, dtype=dtype, requires_grad=True)
        b = torch.zeros(2, dtype=dtype, requires_grad=True)
        optimizer = make([W, b])
        for _ in range(300):
            optimizer.zero_grad()
            ((A @ W + b - B) ** 2).mean().backward()
            optimizer.step()
        ends.append([W, b])
    assert_same_bits(*ends)
    assert ends[0][0].abs().max() > 0.01


def test_transposed_gradients_are_handled_as_torch_does():
    for make in (SGD, torch.optim.SGD):
        p = torch.zeros(3, 2)
        p.grad = torch.arange(6.0).reshape(2, 3).T
        make([p], lr=1.0, momentum=0.9).step()
        assert p.tolist() == [[0, -3], [-1, -4], [-2, -5]]


# --------------------------------------------- what a step does, and not


@pytest.mark.parametrize("make", [
    lambda p: SGD(p, 0.1), lambda p: SGD(p, 0.1, 0.9), lambda p: Adam(p),
])
class TestStep:
    def test_parameters_change_in_place(self, make):
        p = torch.randn(4, 3, requires_grad=True)
        address, before = p.data_ptr(), p.detach().clone()
        optimizer = make([p])
        for _ in range(3):
            p.grad = torch.ones(4, 3)
            optimizer.step()
        assert optimizer.params[0] is p
        assert p.data_ptr() == address
        assert p.is_leaf and p.requires_grad and p.grad_fn is None
        assert (p < before).all()

    def test_the_gradient_is_left_as_it_was(self, make):
        p = torch.zeros(5)
        optimizer = make([p])
        p.grad = torch.arange(5.0)
        grad = p.grad
        for _ in range(2):
            optimizer.step()
        assert p.grad is grad
        assert torch.equal(grad, torch.arange(5.0))

    def test_no_state_shares_memory_with_the_gradient(self, make):
        """A caller may write the next gradient into the same tensor."""
        p, q = torch.zeros(5), torch.zeros(5)
        reused, fresh = make([p]), make([q])
        p.grad = torch.empty(5)
        for t in range(4):
            q.grad = torch.full((5,), 3.0 - t)
            p.grad.copy_(q.grad)
            reused.step()
            fresh.step()
        assert_same_bits([p], [q])

    def test_without_a_gradient_nothing_moves(self, make):
        p, q = torch.ones(3), torch.ones(3)
        optimizer = make([p, q])
        p.grad = torch.ones(3)
        optimizer.step()
        once = p.clone()
        optimizer.zero_grad()
        for _ in range(5):
            optimizer.step()
        assert torch.equal(p, once)
        assert torch.equal(q, torch.ones(3))

    def test_params_may_be_a_generator(self, make):
        tensors = [torch.zeros(2), torch.zeros(3)]
        optimizer = make(p for p in tensors)
        for _ in range(2):
            for p in tensors:
                p.grad = torch.ones_like(p)
            optimizer.step()
            optimizer.zero_grad()
        assert all((p < -1e-3).all() for p in tensors)
        assert all(p.grad is None for p in tensors)

    @pytest.mark.filterwarnings("ignore:Using backward")
    def test_nothing_is_recorded(self, make):
        p = torch.zeros(2, requires_grad=True)
        scale = torch.ones(2, requires_grad=True)
        optimizer = make([p])
        for _ in range(2):
            (p * scale).sum().backward(create_graph=True)
            optimizer.step()
        assert p.is_leaf and p.grad_fn is None


@pytest.mark.parametrize("make, moves", [
    (lambda p: SGD(p, 0.1), False),
    (lambda p: SGD(p, 0.1, 0.9), True),
    (lambda p: Adam(p), True),
])
def test_a_zero_gradient_moves_what_has_momentum(make, moves):
    p = torch.ones(3)
    p.grad = torch.ones(3)
    optimizer = make([p])
    optimizer.step()
    once = p.clone()
    optimizer.zero_grad(set_to_none=False)
    optimizer.step()
    assert torch.equal(p, once) != moves


def test_a_constant_gradient_drives_the_velocity_to_ten():
    p = torch.zeros((), dtype=torch.float64)
    p.grad = torch.ones_like(p)
    optimizer = SGD([p], lr=1.0, momentum=0.9)
    for _ in range(400):
        optimizer.step()
    assert optimizer.velocity[p].item() == pytest.approx(10)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_adams_first_step_is_lr_whatever_the_gradient(size):
    params = [torch.zeros(2, dtype=torch.float64) for _ in range(4)]
    for p in params:
        p.grad = torch.tensor([size, -size]).double()
    Adam(params, lr=0.01).step()
    for p in params:  # the fourth as the first: one step, one count
        assert p.tolist() == pytest.approx([-0.01, 0.01], rel=2e-5)


# ----------------------------------------------------- clearing, adding


def test_gradients_add_up_until_they_are_cleared():
    w = torch.tensor(2.0, requires_grad=True)
    optimizer = SGD([w], lr=0.0)
    for expected in (4, 8, 12):
        (w**2).backward()
        optimizer.step()
        assert w.grad.item() == expected
    optimizer.zero_grad()
    (w**2).backward()
    assert w.grad.item() == 4


def test_two_half_batches_are_one_whole():
    torch.manual_seed(0)
    x, y = torch.randn(64, 5).double(), torch.randn(64).double()
    ends = []
    for size in (64, 32):
        w = torch.zeros(5, dtype=torch.float64, requires_grad=True)
        optimizer = Adam([w])
        for part in torch.arange(64).split(size):
            loss = ((x[part] @ w - y[part]) ** 2).mean()
            (loss * len(part) / 64).backward()
        grad = w.grad
        optimizer.step()
        ends.append((grad, w.detach()))
    for whole, halves in zip(*ends, strict=True):
        assert torch.allclose(whole, halves, rtol=1e-12)


def test_zero_grad_sets_none():
    params = [torch.ones(2), torch.ones(3)]
    params[0].grad = torch.ones(2)
    SGD(params, lr=0.1).zero_grad()
    assert params[0].grad is None and params[1].grad is None


def test_zero_grad_can_write_zeros_in_place():
    params = [torch.ones(2), torch.ones(3)]
    grad = params[0].grad = torch.ones(2)
    Adam(params).zero_grad(set_to_none=False)
    assert params[0].grad is grad
    assert grad.tolist() == [0, 0]
    assert params[1].grad is None


def test_zeros_can_be_written_into_a_gradient_that_asks_for_one():
    w = torch.ones(2, requires_grad=True)
    w.grad = torch.ones(2, requires_grad=True)
    SGD([w], lr=0.1).zero_grad(set_to_none=False)
    assert w.grad.tolist() == [0, 0]
    assert w.grad.grad_fn is None


# --------------------------------------------------------------- errors


@pytest.mark.parametrize("make", [lambda p: SGD(p, 0.1), Adam])
def test_no_parameters_is_an_error(make):
    for nothing in ([], iter(())):
        with pytest.raises(ValueError, match="no parameters"):
            make(nothing)


@pytest.mark.parametrize("make", [lambda p: SGD(p, 0.1), Adam])
def test_a_single_tensor_is_an_error(make):
    with pytest.raises(TypeError, match="list"):
        make(torch.ones(3, requires_grad=True))


@pytest.mark.parametrize("make", [lambda p: SGD(p, 0.1), Adam])
def test_a_tensor_that_is_not_a_leaf_is_an_error(make):
    leaf = torch.ones(3, requires_grad=True)
    with pytest.raises(ValueError, match="leaf"):
        make([leaf, leaf * 2])


@pytest.mark.parametrize("bad", [-1e-9, -1.0, float("nan")])
@pytest.mark.parametrize("make, name", [
    (lambda p, x: SGD(p, lr=x), "lr"),
    (lambda p, x: SGD(p, lr=0.1, momentum=x), "momentum"),
    (lambda p, x: Adam(p, lr=x), "lr"),
    (lambda p, x: Adam(p, eps=x), "eps"),
    (lambda p, x: Adam(p, betas=(x, 0.9)), "beta"),
    (lambda p, x: Adam(p, betas=(0.9, x)), "beta"),
])
def test_a_negative_number_is_an_error_that_names_it(make, name, bad):
    with pytest.raises(ValueError, match=f"{name}.*{bad}|{name} {bad}"):
        make([torch.ones(2)], bad)


@pytest.mark.parametrize("betas", [(1.0, 0.9), (0.9, 1.0), (1.5, 0.9)])
def test_a_beta_of_one_or_more_is_an_error(betas):
    with pytest.raises(ValueError, match=r"\[0, 1\)"):
        Adam([torch.ones(2)], betas=betas)


def test_the_defaults_are_torchs():
    p = torch.ones(1)
    ours, theirs = Adam([p]), torch.optim.Adam([p]).defaults
    assert (ours.lr, ours.betas, ours.eps) == (
        theirs["lr"], theirs["betas"], theirs["eps"]
    )
    assert SGD([p], 0.1).momentum == torch.optim.SGD([p]).defaults["momentum"]
