"""Calls that once gave another answer than torch's, without a word."""

import copy
import gc
import weakref

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn as theirs

from scratch import nn
from scratch.autograd import Function, Tensor, no_grad
from scratch.autograd.tensor import adopt
from scratch.optim import SGD, Adam
from scratch.train import evaluate, train

# ------------------------------------------------------------- modules


@pytest.mark.parametrize("layer", [
    torch.relu, theirs.ReLU(), None, "ReLU", nn.ReLU, [nn.ReLU()]])
def test_a_row_of_layers_takes_layers_alone(layer):
    with pytest.raises(TypeError, match="layer 1.*no Module of scratch"):
        nn.Sequential(nn.Linear(2, 2), layer)


def test_a_part_of_a_row_is_no_list_in_silence():
    with pytest.raises(TypeError, match="slice"):
        nn.Sequential(nn.ReLU(), nn.ReLU())[0:1]


@pytest.mark.parametrize("foreign", [
    theirs.Linear(2, 2), theirs.Parameter(torch.ones(2))])
def test_what_is_torch_s_is_no_attribute_of_ours(foreign):
    module = nn.Module()
    with pytest.raises(TypeError, match="part is torch's.*scratch.nn"):
        module.part = foreign
    assert not hasattr(module, "part")


def test_a_layer_without_bias_takes_a_parameter_or_nothing():
    layer = nn.Linear(2, 3, bias=False)
    with pytest.raises(TypeError, match="bias is a parameter"):
        layer.bias = torch.ones(3)
    layer.bias = None
    layer.bias = nn.Parameter(torch.ones(3))
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_a_name_keeps_its_kind():
    module = nn.Module()
    module.part = nn.ReLU()
    module.register_buffer("seen", None)
    for name, value in (("part", 3), ("part", torch.ones(2)), ("seen", 3),
                        ("seen", "x")):
        with pytest.raises(TypeError, match=f"{name} is a"):
            setattr(module, name, value)
    assert module.state_dict() == {}
    module.seen = torch.ones(2)
    module.part = nn.Linear(1, 1)
    assert list(module.state_dict()) == ["seen", "part.weight", "part.bias"]
    module.seen = nn.Parameter(torch.ones(1))
    assert [n for n, _ in module.named_parameters()][0] == "seen"


@pytest.mark.parametrize("lib", [nn, theirs])
def test_what_is_registered_again_comes_last(lib):
    class Net(lib.Module):
        def __init__(self):
            super().__init__()
            self.a = None
            self.b = lib.Parameter(torch.ones(1))
            self.a = lib.Parameter(torch.ones(1))
    assert list(Net().state_dict()) == ["b", "a"]


@pytest.mark.parametrize("name", ["", "a.b", "training", "forward"])
def test_a_taken_or_impossible_name_is_refused(name):
    class Net(nn.Module):
        def forward(self, x):
            return x
    with pytest.raises(ValueError, match="taken, or is no name"):
        Net().register_buffer(name, torch.ones(1))


@pytest.mark.parametrize("lib", [nn, theirs])
def test_a_module_that_is_used_twice_is_visited_once(lib):
    layer, calls = lib.ReLU(), []
    net = lib.Sequential(layer, lib.Linear(2, 2), layer)
    for _, module in net.named_modules():
        if module is not net:
            module.register_forward_hook(
                lambda module, args, out: calls.append(module))
    net(torch.ones(1, 2))
    assert [m is layer for m in calls] == [True, False, True]


def test_an_adopted_module_still_has_its_weights():
    layer = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    before = {n: t.clone() for n, t in layer.state_dict().items()}
    params = adopt(layer, Tensor)
    assert list(layer.state_dict()) == list(before)
    assert all(type(t) is torch.Tensor for t in layer.state_dict().values())
    assert [id(p) for p in layer.parameters()] == [id(p) for p in params]
    with pytest.raises(RuntimeError, match="missing: 0.weight"):
        layer.load_state_dict({})
    layer.load_state_dict({n: t + 1 for n, t in before.items()})
    assert torch.equal(params[0].data, before["0.weight"] + 1)
    layer(torch.ones(4, 3)).sum().backward()
    SGD(layer.parameters(), lr=1.0).step()
    assert torch.equal(params[3].data, before["1.bias"] + 1 - 4)
    layer.to(torch.float64)
    assert params[0].dtype == params[0].grad.dtype == torch.float64


def test_a_state_of_other_things_than_tensors_copies_nothing():
    layer = nn.Linear(2, 2)
    kept = copy.deepcopy(layer.state_dict())
    for wrong in ([1.0, 2.0], None, 3):
        with pytest.raises(RuntimeError, match="bias: no tensor"):
            layer.load_state_dict({"weight": torch.zeros(2, 2),
                                   "bias": wrong})
    assert all(torch.equal(a, b) for a, b in zip(
        kept.values(), layer.state_dict().values(), strict=True))


@pytest.mark.parametrize("where", [
    (torch.int64,), (torch.ones(2),), (torch.float64, "cpu"),
    ("cpu", torch.bool), (None, torch.complex64)])
def test_a_module_moves_to_devices_and_floats_alone(where):
    layer = nn.Linear(2, 2)
    with pytest.raises(TypeError, match="to a device, or to a float"):
        layer.to(*where)
    assert layer.weight.dtype == torch.float32


def test_a_mode_is_true_or_false():
    with pytest.raises(TypeError, match="mode is 1"):
        nn.ReLU().train(1)


# ---------------------------------------------- arguments in torch's order


@pytest.mark.parametrize("make", [
    lambda: nn.Conv2d(1, 2, 3, 1, 0, 2),
    lambda: nn.Conv2d(1, 2, 3, padding="same"),
    lambda: nn.Conv2d(1, 2, 3, foo=1),
    lambda: nn.BatchNorm1d(3, 1e-5, 0.1, False),
    lambda: nn.MultiheadAttention(4, 2, 0.0, True, True),
    lambda: nn.MultiheadAttention(4, 2, layout=torch.strided),
    lambda: nn.Linear(2, 3, requires_grad=False),
])
def test_what_stands_elsewhere_in_torch_is_given_by_name(make):
    with pytest.raises(TypeError):
        make()


@pytest.mark.parametrize("make", [
    lambda: nn.Linear(0, 3), lambda: nn.Conv2d(0, 1, 3),
    lambda: nn.Conv2d(1, 1, 0), lambda: nn.MultiheadAttention(0, 1),
    lambda: nn.MultiheadAttention(4, 0), lambda: nn.BatchNorm1d(3, eps=0),
])
def test_sizes_of_nothing_are_refused(make):
    with pytest.raises(ValueError, match="."):
        make()


# ------------------------------------------------------------- attention


def asked(**masks):
    x = torch.ones(2, 3, 4)
    return nn.MultiheadAttention(4, 2, batch_first=True)(x, x, x, **masks)


@pytest.mark.parametrize("dtype", [
    torch.uint8, torch.int64, torch.float64, torch.float16])
def test_a_mask_of_another_dtype_is_no_number(dtype):
    for masks in ({"attn_mask": torch.ones(3, 3, dtype=dtype)},
                  {"key_padding_mask": torch.ones(2, 3, dtype=dtype)},
                  {"key_padding_mask": torch.ones(2, 3, dtype=dtype),
                   "attn_mask": torch.zeros(3, 3, dtype=torch.bool)}):
        with pytest.raises(TypeError, match=r"mask must be torch.float32"):
            asked(**masks)


def test_scores_do_not_grow_to_a_mask():
    q = torch.ones(3, 4)
    with pytest.raises(ValueError, match=r"mask is \[2, 3, 3\], the scores"):
        nn.attention(q, q, q, torch.zeros(2, 3, 3))


@pytest.mark.parametrize("masks", [
    {"attn_mask": torch.zeros(shape, dtype=torch.bool)}
    for shape in [(2, 3, 3), (1, 3, 3), (3,), (1, 3), (6, 3, 3), (2, 2, 3, 3)]
] + [{"key_padding_mask": torch.zeros(shape, dtype=torch.bool)}
     for shape in [(1, 3), (3,), (2, 1), (4, 3)]])
def test_a_mask_of_another_shape_is_not_repeated(masks):
    with pytest.raises(ValueError, match="mask is"):
        asked(**masks)


def test_another_batch_of_keys_is_not_repeated():
    attend = nn.MultiheadAttention(4, 2, batch_first=True)
    x = torch.ones(2, 3, 4)
    with pytest.raises(RuntimeError, match="attention: k is"):
        attend(x, x[:1], x[:1])
    with pytest.raises(RuntimeError, match="value is .* k = 2"):
        attend(x, x, x[:1])


# ----------------------------------------------------------- the engine


def leaf(*numbers, dtype=torch.float32):
    return Tensor(torch.tensor(numbers, dtype=dtype), True)


@pytest.mark.parametrize("write", [
    lambda free, x: free.add_(x), lambda free, x: free.add_(other=x),
    lambda free, x: free.copy_(x), lambda free, x: free.mul_(x * 2),
    lambda free, x: free.addcdiv_(x, x), lambda free, x: free.__iadd__(x),
    lambda free, x: free.add_(torch.ones(2, requires_grad=True) * 1),
])
def test_a_gradient_is_not_lost_by_writing(write):
    free, x = Tensor(torch.ones(2)), leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="would be lost"):
        write(free, x)
    with no_grad():
        write(free, x)


def test_in_place_arithmetic_is_in_place_or_refused():
    x, free = leaf(1.0, 2.0), Tensor(torch.ones(2))
    alias = free
    free += 2
    assert alias is free and alias.tolist() == [3, 3]
    for act in ("__iadd__", "__isub__", "__imul__", "__itruediv__"):
        with pytest.raises(RuntimeError, match="would be lost"):
            getattr(x, act)(1)


def test_an_index_that_max_gave_out_is_guarded():
    x = leaf(1.0, 3.0, 2.0)
    best, at = x.max(0)
    at.zero_()
    with pytest.raises(RuntimeError, match="changed in place"):
        best.backward()


def test_a_rate_that_is_no_number_is_refused():
    for make in (SGD, Adam):
        with pytest.raises(TypeError, match="lr is '0.1', not a number"):
            make([leaf(1.0).data], lr="0.1")


def test_an_array_of_floats_is_no_index():
    with pytest.raises(TypeError, match="whole numbers or bools"):
        leaf(1.0, 2.0)[np.array([1.0, 0.0])]


def test_a_momentum_that_is_no_number_is_refused_at_once():
    with pytest.raises(TypeError, match="momentum is no number"):
        nn.BatchNorm1d(2, 1e-5, (0, 1))


def test_a_list_that_indexed_may_change():
    x, index, amounts = leaf(1.0, 2.0, 3.0), [0, 1], [1, 0]
    y, z = x[index], x[:, None][index, index[:1] * 2]
    wide = F.pad(x, amounts)
    index[0], amounts[0] = 2, 0
    (y.sum() + z.sum() + wide.sum()).backward()
    assert x.grad.tolist() == [3, 3, 1]


class Half(Function):
    """Of two arguments one gets a gradient."""
    def forward(ctx, a, b):
        return a * b

    def backward(ctx, grad):
        return grad


class Wide(Function):
    def forward(ctx, a):
        return a * 1

    def backward(ctx, grad):
        return grad.double()


class Listed(Function):
    def forward(ctx, a):
        ctx.save_for_backward([a])
        return a * 1


class Many(Function):
    def forward(ctx, a):
        return a, a


class None_(Function):
    def forward(ctx, a):
        return a * 1

    def backward(ctx, grad):
        return None


def test_a_function_that_forgets_is_named():
    a, b = leaf(2.0), leaf(3.0)
    with pytest.raises(RuntimeError, match="Half.* 1 gradients for 2"):
        Half.apply(a, b).backward()
    with pytest.raises(TypeError, match="Wide.*float64, not torch.float32"):
        Wide.apply(a).backward()
    with pytest.raises(TypeError, match="a list cannot be guarded"):
        Listed.apply(a)
    with pytest.raises(TypeError, match="Many.*tuple, not one tensor"):
        Many.apply(a)
    assert a.grad is None
    (None_.apply(a * 2) + a).sum().backward()
    assert a.grad.item() == 1


@pytest.mark.parametrize("f", [
    lambda x: x / x, lambda x: (x / 2e-5).sum(), lambda x: 3e-5 - x,
    lambda x: x.mean(), lambda x: x.sqrt(),
])
def test_small_and_large_numbers_of_half_precision(f):
    for numbers in ([1e-5, 2e-5], [100.0] * 1000):
        x = torch.tensor(numbers, dtype=torch.float16)
        assert torch.allclose(f(Tensor(x, True)).data, f(x), rtol=1e-3)


def test_clamp_leaves_small_numbers_what_they_are():
    x = leaf(1e-3, -2e8, 5.0)
    y = x.clamp(min=-1e8)
    assert y.tolist() == torch.tensor([1e-3, -1e8, 5.0]).tolist()
    y.sum().backward()
    assert x.grad.tolist() == [1, 0, 1]


def test_a_gradient_must_fit():
    x = leaf(1.0, 2.0)
    y = x * 2
    for wrong in (torch.ones(2).double(), torch.ones(3), [1.0, 1.0], 1.0,
                  Tensor(torch.ones(2))):
        with pytest.raises(RuntimeError, match=r"gradient of shape \[2\]"):
            y.backward(wrong)
        with pytest.raises(TypeError, match="gradient must be a tensor"):
            x.grad = wrong
    assert x.grad is None


def test_a_tensor_is_true_as_torch_s_is():
    assert not Tensor([0.0]) and Tensor([2.0])
    with pytest.raises(RuntimeError, match="ambiguous"):
        bool(Tensor([1.0, 0.0]))
    with pytest.raises(TypeError, match="0-d"):
        list(Tensor(1.0))
    assert 2.0 in Tensor([1.0, 2.0])


def test_kept_gradients_add_up_as_torch_s_do():
    found = []
    for x in (leaf(1.0, 2.0), torch.tensor([1.0, 2.0], requires_grad=True)):
        y = x * 2
        y.retain_grad()
        z = (y * y).sum()
        for _ in range(2):
            z.backward(retain_graph=True)
        found.append((y.grad.tolist(), x.grad.tolist()))
    assert found[0] == found[1]
    with pytest.raises(RuntimeError, match="nothing here requires"):
        Tensor([1.0]).retain_grad()


def test_a_tape_goes_with_its_result():
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0)
        y = x * 2
        y.retain_grad()
        tape = weakref.ref(y.grad_fn)
        del y
        assert tape() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("act", [
    lambda x: torch.max(x, x), lambda x: x.max(torch.ones(2)),
    lambda x: x[Tensor([0.0])], lambda x: x ** x, lambda x: x ** 1j,
    lambda x: x ** False,
    lambda x: x.max(keepdim=True), lambda x: x.softmax(None),
    lambda x: x.softmax((0,)), lambda x: x.T, lambda x: x.index_select(1, 0),
    lambda x: x.permute(1), lambda x: x.chunk(-2), lambda x: x.chunk(0),
    lambda x: Tensor(x), lambda x: torch.add(input=x, other=1),
    lambda x: torch.index_select(torch.ones(2), 0, x),
    lambda x: torch.ones(2, requires_grad=True) * x,
    lambda x: torch.addmm(x, torch.ones(2, 2, 2), torch.ones(2, 2, 2)),
])
def test_what_torch_does_otherwise_is_refused(act):
    with pytest.raises((TypeError, ValueError, RuntimeError, IndexError)) as e:
        act(leaf(1.0, 2.0))
    assert not isinstance(e.value, RecursionError) and str(e.value)


def test_a_recorded_tensor_of_torch_is_not_cut_off():
    p = torch.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match="detach"):
        Tensor(p * 2)
    with pytest.raises(RuntimeError, match="only a leaf"):
        (leaf(1.0) * 2).requires_grad = False


def test_a_generator_is_not_decorated():
    with pytest.raises(TypeError, match="inside the generator"):
        @no_grad()
        def numbers():
            yield 1


def test_whole_numbers_subtract_as_they_are():
    x = leaf(5.0, 5.0)
    for y in (torch.tensor([1, 2]), torch.tensor([1, 2]).byte()):
        assert (x - y).tolist() == [4, 3]


# ---------------------------------------------------- training and steps


@pytest.mark.parametrize("make", [SGD, Adam])
@pytest.mark.parametrize("params, error", [
    ([torch.arange(3)], TypeError), ([{"params": []}], TypeError),
    ([("w", torch.ones(2))], TypeError), ([1.0], TypeError),
    ([torch.ones(2, dtype=torch.complex64)], TypeError),
    (Tensor(torch.ones(2)), TypeError),
])
def test_an_optimizer_holds_tensors_of_floats(make, params, error):
    with pytest.raises(error):
        make(params, 0.1)


def test_no_images_have_no_mean():
    params = [torch.zeros(2, 2), torch.zeros(2)] * 2
    for act in (lambda: evaluate(params, []),
                lambda: train(params, [], SGD(params[:2], 0.1))):
        with pytest.raises(ValueError, match="no images"):
            act()
