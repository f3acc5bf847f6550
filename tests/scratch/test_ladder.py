"""The rungs of Chapter 8 on 300 batches: bits, distances, the command."""

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from scratch.backward import backward
from scratch.compare import (
    compare,
    epochs_of,
    exact_steps,
    fused_backward,
    main,
    make_parser,
    same_bits,
    side_by_side,
    torch_layout,
    torch_loss_and_push,
    torch_net,
    torch_optimizer,
)
from scratch.data import DataLoader, load_mnist
from scratch.functional import cross_entropy, forward
from scratch.init import make_params
from scratch.train import RATES, make_optimizer

STEPS = 300
NAMES = list(RATES)


@pytest.fixture(scope="module")
def digits():
    """Random ink in the middle, labels that follow from it; the last
    batch is short."""
    generator = torch.Generator().manual_seed(0)
    N = 64 * (STEPS - 1) + 32
    X = torch.rand(N, 28, 28, generator=generator)
    X[:, :4], X[:, :, :4] = 0, 0                 # never inked
    X = (X * (X > 0.7)).flatten(1)
    way = torch.randn(784, 10, generator=generator)
    return X, (X @ way).argmax(1)


def batches(X, y):
    return DataLoader(X, y, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def apart(ours, net):
    return max((p - q.t()).abs().max().item()
               for p, q in zip(ours, net.parameters(), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_every_step_has_the_bits_of_torch(name, digits):
    assert exact_steps(name, *digits, epochs=1) == (STEPS, STEPS)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_step_of_ten_epochs_of_digits_has_the_bits_of_torch(name):
    X, y = load_mnist(Path(__file__).parents[2] / "data")
    X, y = X[:20_000], y[:20_000]
    assert exact_steps(name, X, y, epochs=10) == (3130, 3130)


def test_the_steps_of_several_epochs_are_counted(digits):
    X, y = (t[:160] for t in digits)
    assert exact_steps("adam", X, y, epochs=4) == (12, 12)


@pytest.mark.parametrize("name", NAMES)
def test_by_hand_in_float64_stays_within_rounding(name, digits):
    X, y = digits
    ours = [p.detach().double() for p in make_params(seed=0)]
    net = torch_net(ours)
    run = side_by_side(ours, net, batches(X.double(), y), name, backward)
    losses = [(a.item(), b.item()) for a, b in run]
    assert len(losses) == STEPS
    assert 0 < apart(ours, net) < 1e-11
    assert max(abs(a - b) for a, b in losses) < 1e-11
    assert losses[-1][0] < losses[0][0]


def test_by_hand_in_float32_is_not_bitwise(digits):
    X, y = (t[:640] for t in digits)
    equal, steps = exact_steps("adam", X, y, 1, backward)
    assert (equal, steps) == (0, 10)


def test_a_gradient_that_is_wrong_in_its_twelfth_bit_is_noticed(digits):
    def spoiled(x, targets, *params):
        loss, grads = fused_backward(x, targets, *params)
        grads[0] = grads[0] * (1 + 2**-12)
        return loss, grads

    X, y = (t[:640] for t in digits)
    assert exact_steps("momentum", X, y, 1, spoiled) == (0, 10)


def test_the_same_seed_gives_no_equal_weight():
    torch.manual_seed(0)
    layer = nn.Linear(784, 128)
    ours = make_params(seed=0)[0]
    assert not (ours == layer.weight.t()).any()
    assert not compare(ours, layer.weight.t()).close


def test_the_same_draws_give_the_same_weights():
    torch.manual_seed(0)
    layer = nn.Linear(784, 128)
    torch.manual_seed(0)
    edge = 784**-0.5
    weight = torch.empty(128, 784).uniform_(-edge, edge)
    bias = torch.empty(128).uniform_(-edge, edge)
    assert compare(weight, layer.weight).exact
    assert compare(bias, layer.bias).exact


# ------------------------------------------------------------ its pieces


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_torch_net_holds_copies_and_computes_the_same(dtype):
    params = [p.detach() for p in
              make_params((6, 5, 3), seed=1, dtype=dtype)]
    params[1] += 0.5
    net = torch_net(params)
    assert [list(p.shape) for p in net.parameters()] == [
        [5, 6], [5], [3, 5], [3]]
    assert all(p.dtype == dtype and p.requires_grad
               for p in net.parameters())
    x = torch.randn(4, 6, dtype=dtype)
    assert compare(forward(x, *params), net(x)).close
    params[0].zero_()
    assert net[0].weight.any()


def test_torch_layout_changes_strides_and_nothing_else():
    params = make_params((6, 5, 3), seed=1)
    held = torch_layout(params)
    for p, q in zip(params, held, strict=True):
        assert compare(p, q).exact
        assert p.data_ptr() != q.data_ptr()
        assert not q.requires_grad
    assert held[0].stride() == (1, 6) and held[2].stride() == (1, 5)


def test_same_bits_sees_one_bit_and_the_sign_of_zero():
    params = torch_layout(make_params((6, 5, 3), seed=1))
    net = torch_net(params)
    assert same_bits(params, net)
    params[1][0] = -0.0
    assert not same_bits(params, net)
    params[1][0] = 0.0
    params[2][0, 0] = torch.nextafter(
        params[2][0, 0], torch.tensor(math.inf))
    assert not same_bits(params, net)


@pytest.mark.parametrize("N", [1, 32, 64])
def test_fused_backward_has_the_bits_of_autograd(N, digits):
    X, y = digits
    params = torch_layout(make_params(seed=2))
    for p in params:
        p += 0.01 * torch.randn(p.shape)
    net = torch_net(params)
    expected = F.cross_entropy(net(X[:N]), y[:N])
    expected.backward()
    loss, grads = fused_backward(X[:N], y[:N], *params)
    assert compare(loss, expected).exact
    for grad, q in zip(grads, net.parameters(), strict=True):
        assert compare(grad, q.grad.t()).exact
        assert not grad.requires_grad


def test_a_blank_image_is_not_passed_back_at_the_corner():
    params = torch_layout(make_params(seed=2))   # its sums are all 0
    net = torch_net(params)
    x, t = torch.zeros(4, 784), torch.tensor([0, 1, 2, 3])
    F.cross_entropy(net(x), t).backward()
    _, grads = fused_backward(x, t, *params)
    for grad, q in zip(grads, net.parameters(), strict=True):
        assert compare(grad, q.grad.t()).exact


def test_tensors_that_have_no_partner_are_an_error(digits):
    params = torch_layout(make_params(seed=1))
    with pytest.raises(ValueError):
        same_bits(params[:3], torch_net(params))

    def too_few(x, targets, *params):
        loss, grads = fused_backward(x, targets, *params)
        return loss, grads[:3]
    with pytest.raises(ValueError):
        next(side_by_side(params, torch_net(params), batches(*digits),
                          "sgd", too_few))


def test_torch_net_goes_where_the_numbers_are():
    params = [p.to("meta") for p in make_params((6, 5, 3), seed=1)]
    assert {q.device.type for q in torch_net(params).parameters()} == {
        "meta"}


def test_the_count_begins_with_seed_0_and_its_batches(digits):
    seen = []

    def spy(x, targets, *params):
        seen.append((x, targets, params[0].clone()))
        return fused_backward(x, targets, *params)
    exact_steps("sgd", *digits, epochs=1, gradient=spy)
    x, targets, W1 = seen[0]
    expected, labels = next(iter(batches(*digits)))
    assert torch.equal(x, expected) and torch.equal(targets, labels)
    assert torch.equal(W1, make_params(seed=0)[0])


def test_the_command_has_defaults_and_no_short_forms(capsys):
    assert vars(make_parser().parse_args([])) == {
        "epochs": 10, "optimizer": "adam", "device": "cpu", "data": "data",
    }
    with pytest.raises(SystemExit):
        make_parser().parse_args(["--epo", "1"])
    capsys.readouterr()


def test_fused_backward_is_close_to_backward_in_float64(digits):
    X, y = (t[:64] for t in digits)
    params = [p.detach().double() for p in make_params(seed=3)]
    loss, grads = backward(X.double(), y, *params)
    fused_loss, fused = fused_backward(
        X.double(), y, *torch_layout(params))
    assert compare(loss, fused_loss).close
    for a, b in zip(grads, fused, strict=True):
        assert compare(a, b).close


def test_fused_backward_takes_another_loss():
    params = torch_layout(make_params((6, 5, 3), seed=1))
    x, t = torch.randn(4, 6), torch.tensor([0, 1, 2, 0])
    loss, grads = fused_backward(
        x, t, *params,
        loss_of=lambda z, t: (z.sum() * 0 + 7, torch.zeros_like(z)))
    assert loss.item() == 7
    assert not any(g.any() for g in grads)


def test_loss_and_push_is_cross_entropy_and_leaves_no_trace():
    z, t = torch.randn(8, 3, requires_grad=True), torch.randint(3, (8,))
    loss, push = torch_loss_and_push(z, t)
    assert compare(loss, cross_entropy(z, t)).close
    assert not loss.requires_grad and z.grad is None
    (expected,) = torch.autograd.grad(F.cross_entropy(z, t), z)
    assert compare(push, expected).exact


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lr", [None, 0.02])
def test_both_optimizers_of_a_name_have_the_same_settings(name, lr):
    p, q = torch.zeros(3), torch.zeros(3)
    ours, theirs = make_optimizer(name, [p], lr), torch_optimizer(
        name, [q], lr)
    assert theirs.param_groups[0]["lr"] == ours.lr == (lr or RATES[name])
    assert theirs.param_groups[0].get("momentum") == getattr(
        ours, "momentum", None)


def test_epochs_of_repeats_the_loader_with_new_orders(digits):
    X, y = (t[:128] for t in digits)
    first, second, third, fourth = epochs_of(batches(X, y), 2)
    assert torch.equal(torch.cat([first[0], second[0]]).sum(0).round(),
                       torch.cat([third[0], fourth[0]]).sum(0).round())
    assert not torch.equal(first[0], third[0])


# ----------------------------------------------------------- the command


@pytest.fixture
def few_digits(monkeypatch, digits):
    X, y = (t[:640] for t in digits)
    monkeypatch.setattr("scratch.compare.load_mnist", lambda root: (X, y))


@pytest.mark.parametrize("name", NAMES)
def test_the_command_counts_the_exact_steps(name, few_digits, capsys):
    assert main(["--optimizer", name, "--epochs", "2"]) == 0
    assert capsys.readouterr().out.endswith("20 of 20 steps exact\n")


def test_the_command_says_1_if_a_step_is_not_exact(
    few_digits, monkeypatch, capsys
):
    monkeypatch.setattr(
        "scratch.compare.exact_steps", lambda *a, **k: (19, 20))
    assert main(["--epochs", "2"]) == 1
    assert "19 of 20" in capsys.readouterr().out


@pytest.mark.parametrize("words", [
    ["--device", "abacus"], ["--optimizer", "adagrad"],
    ["--epochs", "0"], ["--data", "no/such/folder"],
])
def test_a_command_that_cannot_work_stops_with_2(
    words, capsys, monkeypatch
):
    monkeypatch.setattr("scratch.compare.exact_steps", None)
    if "--data" not in words:
        monkeypatch.setattr(
            "scratch.compare.load_mnist",
            lambda root: (torch.zeros(2, 784), torch.zeros(2).long()))
    else:
        def missing(root):
            raise FileNotFoundError(root)
        monkeypatch.setattr("scratch.compare.load_mnist", missing)
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_error_in_words(
    few_digits, capsys
):
    with pytest.raises(SystemExit) as end:
        main(["--device", "cuda"])
    assert end.value.code == 2


def test_a_torch_without_cuda_is_an_error_in_words(monkeypatch, capsys):
    def asked(root):
        raise AssertionError("Torch not compiled with CUDA enabled")

    monkeypatch.setattr("scratch.compare.load_mnist", asked)
    with pytest.raises(SystemExit) as end:
        main(["--device", "cuda"])
    assert end.value.code == 2
    assert "not compiled with CUDA" in capsys.readouterr().err
