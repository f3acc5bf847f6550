"""Calls that once gave another answer than torch's, without a word."""

import copy

import pytest
import torch
from torch import nn as theirs

from scratch import nn
from scratch.autograd import Tensor
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


def test_a_rate_that_is_no_number_is_refused():
    for make in (SGD, Adam):
        with pytest.raises(TypeError, match="lr is '0.1', not a number"):
            make([torch.ones(1)], lr="0.1")


def test_a_momentum_that_is_no_number_is_refused_at_once():
    with pytest.raises(TypeError, match="momentum is no number"):
        nn.BatchNorm1d(2, 1e-5, (0, 1))
