"""Parameters, names, state dicts, hooks and modes, as torch.nn has them."""

import copy

import pytest
import torch
from torch import nn

from scratch.nn import BatchNorm1d, Linear, Module, Parameter, ReLU, Sequential
from scratch.optim import SGD, Adam

# ------------------------------------------------------------ Parameter


def test_a_parameter_is_a_leaf_on_the_memory_it_was_given():
    data = torch.arange(3.0)
    p = Parameter(data)
    assert isinstance(p, torch.Tensor) and p.is_leaf
    assert p.requires_grad and not Parameter(data, False).requires_grad
    data[0] = 7.0
    assert p[0].item() == 7.0


def test_a_parameter_of_a_result_is_cut_off_from_it():
    x = torch.ones(2, requires_grad=True)
    p = Parameter(x * 2)
    assert p.is_leaf and p.grad_fn is None and not data_is(p, x)


def data_is(a, b):
    return a.data_ptr() == b.data_ptr()


def test_what_is_computed_from_a_parameter_is_a_plain_tensor():
    p = Parameter(torch.ones(2, 2))
    for result in (p * 2, p.T, p @ p, p[0], p.detach(), p.clone()):
        assert type(result) is torch.Tensor


def test_optimizers_take_parameters():
    for kind in (SGD, Adam):
        layer = Linear(3, 2)
        before = copy.deepcopy(layer)
        layer(torch.ones(4, 3)).sum().backward()
        kind(layer.parameters(), lr=0.1).step()
        assert (layer.weight != before.weight).all()
        assert (layer.bias != before.bias).all()


def test_a_deep_copy_has_parameters_of_its_own():
    net = Sequential(Linear(3, 2), BatchNorm1d(2))
    net[0].bias.requires_grad_(False)
    twin_of = copy.deepcopy(net)
    pairs = zip(net.named_tensors(), twin_of.named_tensors(), strict=True)
    for (name, a), (other, b) in pairs:
        assert name == other and torch.equal(a, b)
        assert type(a) is type(b) and not data_is(a, b)
        assert a.requires_grad == b.requires_grad


# ----------------------------------------------------------- the tree


class Leaf(Module):
    def __init__(self, size=2):
        super().__init__()
        self.register_buffer("seen", torch.zeros(size))
        self.w = Parameter(torch.ones(size))
        self.note = "no tensor"
        self.plain = torch.ones(5)

    def forward(self, x):
        return x * self.w


class Nest(Module):
    def __init__(self):
        super().__init__()
        self.first = Leaf()
        self.scale = Parameter(torch.tensor(2.0))
        self.inner = Sequential(Leaf(3), ReLU(), Sequential(Leaf(4)))

    def forward(self, x):
        return self.inner(x) * self.scale


NAMES = ["scale", "first.w", "inner.0.w", "inner.2.0.w"]


def test_parameters_are_named_by_the_way_that_leads_to_them():
    net = Nest()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [p.numel() for p in net.parameters()] == [1, 2, 3, 4]
    assert dict(net.named_parameters())["inner.2.0.w"] is (
        net.inner[2][0].w)


def test_modules_are_named_by_the_way_that_leads_to_them():
    net = Nest()
    assert [name for name, _ in net.named_modules()] == [
        "", "first", "inner", "inner.0", "inner.1", "inner.2",
        "inner.2.0"]
    assert dict(net.named_modules())["inner.2"] is net.inner[2]


def test_the_names_of_a_deep_network_are_torch_s():
    def build(lib):
        return lib.Sequential(
            lib.Conv2d(1, 2, 3), lib.ReLU(),
            lib.Sequential(lib.Linear(4, 4), lib.BatchNorm1d(4)),
            lib.MultiheadAttention(4, 2), lib.Dropout(),
            lib.Linear(4, 3, bias=False),
        )

    import scratch.nn
    ours, theirs = build(scratch.nn), build(nn)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for kind in ("named_parameters", "named_modules"):
        a = [name for name, _ in getattr(ours, kind)()]
        b = [name for name, _ in getattr(theirs, kind)()]
        assert [n for n in a if not n.endswith("dropout")] == b


def test_an_assigned_attribute_belongs_and_a_deleted_one_does_not():
    net = Nest()
    net.extra = Parameter(torch.zeros(1))
    net.first.w = Parameter(torch.zeros(6))
    assert [name for name, _ in net.named_parameters()] == [
        "scale", "extra", *NAMES[1:]]
    assert dict(net.named_parameters())["first.w"].numel() == 6
    del net.inner
    net.scale = None
    assert [name for name, _ in net.named_parameters()] == [
        "extra", "first.w"]


def test_a_plain_tensor_in_a_parameter_s_place_is_refused():
    layer = Linear(2, 2)
    kept = layer.weight
    with pytest.raises(TypeError, match="weight is a parameter.*Tensor"):
        layer.weight = layer.weight * 0.5
    assert layer.weight is kept
    with torch.no_grad():
        layer.weight *= 0.5  # in place it stays the same
    assert layer.weight is kept
    layer.other = torch.ones(2)
    layer.other = torch.zeros(2)  # never a parameter


def test_a_shared_parameter_is_named_once_and_saved_twice():
    for lib in (None, nn):
        if lib is None:
            net = Sequential(Linear(3, 3), ReLU(), Linear(3, 3))
        else:
            net = nn.Sequential(
                nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
        net[2].weight = net[0].weight
        assert [name for name, _ in net.named_parameters()] == [
            "0.weight", "0.bias", "2.bias"]
        assert list(net.state_dict()) == [
            "0.weight", "0.bias", "2.weight", "2.bias"]


def test_a_buffer_is_saved_and_not_trained():
    leaf = Leaf()
    assert list(leaf.state_dict()) == ["w", "seen"]
    assert [name for name, _ in leaf.named_parameters()] == ["w"]
    leaf.seen = torch.ones(2)  # the name is what is registered
    assert leaf.state_dict()["seen"].tolist() == [1, 1]
    assert Module._kinds == {}


# -------------------------------------------------------- state dicts


def test_a_state_dict_shares_memory_and_asks_for_no_gradients():
    layer = Linear(3, 2)
    state = layer.state_dict()
    assert not any(t.requires_grad for t in state.values())
    assert all(type(t) is torch.Tensor for t in state.values())
    state["bias"].fill_(3.0)
    assert layer.bias.tolist() == [3, 3]


def test_loading_copies_and_keeps_the_parameters_in_place():
    a, b = Linear(3, 2), Linear(3, 2)
    weight = a.weight
    a.load_state_dict(b.state_dict())
    assert a.weight is weight and weight.is_leaf
    assert torch.equal(weight, b.weight) and not data_is(weight, b.weight)
    a.load_state_dict(dict(b.named_parameters()))  # these do ask for
    assert a.weight.is_leaf and a.weight.grad_fn is None


def test_loading_casts_to_the_dtype_that_is_there():
    layer = Linear(3, 2, dtype=torch.float64)
    other = Linear(3, 2)
    layer.load_state_dict(other.state_dict())
    assert layer.weight.dtype == torch.float64
    assert torch.equal(layer.weight, other.weight.double())


def test_a_state_dict_survives_a_file(tmp_path):
    net = Sequential(Linear(3, 2), BatchNorm1d(2))
    net(torch.randn(5, 3))
    torch.save(net.state_dict(), tmp_path / "net.pt")
    again = Sequential(Linear(3, 2), BatchNorm1d(2))
    again.load_state_dict(torch.load(tmp_path / "net.pt",
                                     weights_only=True))
    for a, b in zip(net.state_dict().values(),
                    again.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_every_fault_of_a_state_dict_is_named_and_nothing_copied():
    net = Sequential(Linear(3, 2), ReLU(), Linear(2, 1))
    before = copy.deepcopy(net)
    state = {name: t + 1 for name, t in net.state_dict().items()}
    state["2.weight"] = torch.zeros(5, 2)
    state["3.weight"] = state.pop("0.bias")
    with pytest.raises(RuntimeError) as info:
        net.load_state_dict(state)
    assert str(info.value).split("\n  ") == [
        "cannot load into Sequential",
        "missing: 0.bias",
        "unexpected: 3.weight",
        "2.weight: [5, 2] does not fit [1, 2]",
    ]
    for a, b in zip(net.parameters(), before.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("change, words", [
    (lambda s: s.pop("bias"), "missing: bias"),
    (lambda s: s.update(extra=torch.ones(1)), "unexpected: extra"),
    (lambda s: s.update(bias=torch.ones(1)),
     r"bias: \[1\] does not fit \[2\]"),
    (lambda s: s.update(weight=s["weight"].T),
     r"weight: \[3, 2\] does not fit \[2, 3\]"),
])
def test_one_fault_is_enough(change, words):
    layer = Linear(3, 2)
    state = layer.state_dict()
    change(state)
    with pytest.raises(RuntimeError, match=words):
        layer.load_state_dict(state)


# ------------------------------------------------- calls, hooks, modes


def test_hooks_see_module_inputs_and_output_in_order():
    net, seen = Sequential(Linear(3, 2), ReLU()), []
    x = torch.randn(4, 3)
    for layer in net:
        layer.register_forward_hook(
            lambda *what: seen.append(what))
    out = net(x)
    assert [what[0] for what in seen] == list(net)
    assert seen[0][1][0] is x and seen[1][1][0] is seen[0][2]
    assert seen[1][2] is out


def test_a_hook_may_replace_the_output_and_the_next_hook_sees_it():
    layer, seen = ReLU(), []
    layer.register_forward_hook(lambda m, args, out: out + 1)
    layer.register_forward_hook(lambda m, args, out: seen.append(out))
    layer.register_forward_hook(lambda m, args, out: out * 10)
    assert layer(torch.zeros(2)).tolist() == [10, 10]
    assert seen[0].tolist() == [1, 1]


def test_a_removed_hook_is_silent_and_the_others_are_not():
    layer, seen = ReLU(), []
    handles = [
        layer.register_forward_hook(lambda *_, i=i: seen.append(i))
        for i in range(3)
    ]
    handles[1].remove()
    handles[1].remove()
    layer(torch.zeros(1))
    assert seen == [0, 2]
    handles[0].remove(), handles[2].remove()
    layer(torch.zeros(1))
    assert seen == [0, 2] and layer._hooks == () == Module._hooks


def test_a_hook_may_take_itself_off():
    layer, seen = ReLU(), []

    def once(*_):
        seen.append(1)
        handle.remove()

    handle = layer.register_forward_hook(once)
    layer.register_forward_hook(lambda *_: seen.append(2))
    layer(torch.zeros(1)), layer(torch.zeros(1))
    assert seen == [1, 2, 2]


def test_a_call_hands_names_on_to_forward():
    class Scale(Module):
        def forward(self, x, *, by=1):
            return x * by

    assert Scale()(torch.ones(1), by=3).item() == 3


def test_train_and_eval_reach_every_module():
    net = Nest()
    modules = [module for _, module in net.named_modules()]
    assert all(m.training for m in modules)
    assert net.eval() is net and not any(m.training for m in modules)
    net.inner.train()
    assert net.inner[2][0].training and not net.first.training
    assert net.train() is net and all(m.training for m in modules)
    net.train(False)
    assert not net.training


def test_to_changes_floats_in_place_and_leaves_counts():
    net = Sequential(Linear(3, 2), BatchNorm1d(2))
    optimizer = SGD(net.parameters(), lr=0.1)
    before = list(net.parameters())
    net(torch.randn(4, 3)).sum().backward()
    assert net.to(torch.float64) is net
    kinds = {name: t.dtype for name, t in net.named_tensors()}
    assert kinds.pop("1.num_batches_tracked") == torch.int64
    assert set(kinds.values()) == {torch.float64}
    assert all(p is q for p, q in
               zip(before, net.parameters(), strict=True))
    assert all(p.grad.dtype == torch.float64 for p in before)
    assert all(p.is_leaf and p.requires_grad for p in before)
    was = net[0].weight.detach().clone()
    net[0](torch.randn(4, 3).double()).pow(2).sum().backward()
    optimizer.step()
    assert (net[0].weight != was).any()


def test_to_takes_a_device_and_a_dtype():
    net = Sequential(Linear(3, 2), BatchNorm1d(2))
    net.to("cpu", torch.float64)
    assert net[0].weight.dtype == torch.float64
    net.to(device="cpu")
    assert net[0].weight.dtype == torch.float64
    net.to(dtype=torch.float32)
    assert net[0].weight.dtype == torch.float32
    with pytest.raises(RuntimeError, match="Expected one of cpu"):
        net.to("nowhere")


def test_layers_in_a_plain_list_are_not_found_as_in_torch():
    class Listed(Module):
        def __init__(self):
            self.layers = [Linear(2, 2)]

    assert list(Listed().parameters()) == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_to_moves_to_the_gpu():
    net = Sequential(Linear(3, 2), BatchNorm1d(2)).to("cuda")
    net(torch.randn(4, 3, device="cuda")).sum().backward()
    assert all(p.grad.is_cuda for p in net.parameters())


def test_sequential_is_iterable_and_a_module_is_not():
    layers = Linear(3, 2), ReLU(), Linear(2, 2)
    net = Sequential(*layers)
    assert tuple(net) == layers and len(net) == 3
    assert net[0] is layers[0] and net[-1] is layers[2]
    with pytest.raises(IndexError):
        net[3]
    with pytest.raises(TypeError, match="not iterable"):
        iter(Nest())
    x = torch.ones(1)
    assert Sequential()(x) is x
