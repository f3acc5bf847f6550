"""scratch.nn beside torch.nn: outputs, gradients, buffers, names."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from exact import bits
from scratch.nn import (
    BatchNorm1d,
    Conv2d,
    Dropout,
    Linear,
    Module,
    MultiheadAttention,
    Parameter,
    ReLU,
    Sequential,
    attention,
    conv2d,
    linear,
    window_numbers,
)
from scratch.optim import SGD, Adam

DTYPES = [torch.float32, torch.float64]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}

dtypes = st.sampled_from(DTYPES)
seeds = st.integers(0, 2**31)
bools = st.booleans()
some = settings(max_examples=60)
few = settings(max_examples=25)


def both_of(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


def assert_same(ours, theirs):
    """Equal to the last bit, the signs of zeros included."""
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        assert torch.equal(bits(a), bits(b))


def assert_close(ours, theirs, size=1.0):
    """Within 1e-5 or 1e-10 of the largest number, at least of 1."""
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        if not b.is_floating_point():
            assert torch.equal(a, b)
        elif b.numel():
            largest = max(size, b.abs().max().item())
            gap = (a - b).abs().max().item()
            assert gap <= TOLERANCE[b.dtype] * largest


def draw(*shape, dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=dtype)


def twin(ours, theirs):
    """Their state in ours and back, which must work both ways."""
    for t in ours.state_dict().values():
        if t.is_floating_point():
            t.uniform_(0.2, 1.5)  # buffers too, so that all of it counts
    assert str(theirs.load_state_dict(ours.state_dict())) == (
        "<All keys matched successfully>")
    for t in theirs.state_dict().values():
        if t.is_floating_point():
            t.mul_(-0.9 if t.dim() > 1 else 0.9)
    ours.load_state_dict(theirs.state_dict())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    return ours, theirs


def passes(module, *inputs, call=None):
    """Outputs, then gradients for inputs and parameters."""
    leaves = [x.clone().requires_grad_() for x in inputs]
    out = (call or module)(*leaves)
    wanted = [*leaves, *module.parameters()]
    weights = draw(*out.shape, dtype=out.dtype, seed=99)
    grads = torch.autograd.grad(out, wanted, weights)
    return [out.detach(), *grads]


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
    assert Leaf()._buffers == ("seen",) and Module._buffers == ()


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


@pytest.mark.parametrize("make", [
    lambda **kind: Linear(3, 2, **kind),
    lambda **kind: Conv2d(3, 2, 2, **kind),
    lambda **kind: BatchNorm1d(3, **kind),
    lambda **kind: MultiheadAttention(4, 2, **kind),
])
def test_layers_are_born_where_and_how_they_are_asked(make):
    layer = make(device="meta", dtype=torch.float64)
    for _, t in layer.named_tensors():
        assert t.is_meta
        assert t.dtype == torch.float64 or t.dtype == torch.int64
    assert all(not t.is_meta for _, t in make().named_tensors())


def test_windows_are_numbered_where_the_images_are():
    x = torch.empty(1, 1, 4, 4, device="meta")
    assert window_numbers(x, (2, 2), (1, 1), (0, 0)).is_meta
    assert not window_numbers(
        torch.empty(4, 4), (2, 2), (1, 1), (0, 0)).is_meta


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


# ---------------------------------------- Linear, ReLU, Sequential: bits


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bias", [True, False])
def test_the_same_seed_draws_torch_s_linear(bias, dtype):
    for seed, (size_in, size_out) in enumerate([
        (784, 128), (128, 10), (1, 1), (3, 7), (7, 3), (10, 10),
        (11, 2), (13, 5), (50, 4), (97, 3),
    ]):
        made = []
        for kind in (Linear, nn.Linear):
            torch.manual_seed(seed)
            layer = kind(size_in, size_out, bias=bias, dtype=dtype)
            made.append(list(layer.parameters()))
        assert_same(*made)


@some
@given(dtypes, seeds, st.integers(1, 40), st.integers(1, 40), bools,
       st.sampled_from([(), (1,), (64,), (0,), (3, 5), (2, 3, 4)]))
def test_linear_equals_torch_to_the_last_bit(
    dtype, seed, size_in, size_out, bias, batch
):
    ours, theirs = twin(
        Linear(size_in, size_out, bias, dtype=dtype),
        nn.Linear(size_in, size_out, bias, dtype=dtype),
    )
    x = draw(*batch, size_in, dtype=dtype, seed=seed)
    assert_same(passes(ours, x), passes(theirs, x))


@pytest.mark.parametrize("dtype", DTYPES)
def test_relu_equals_torch_to_the_last_bit_at_zero_too(dtype):
    edges = [0.0, -0.0, math.inf, -math.inf, math.nan, 1e-40, -1e-40]
    x = torch.cat([torch.tensor(edges, dtype=dtype),
                   draw(93, dtype=dtype, seed=0)])
    assert_same(passes(ReLU(), x), passes(nn.ReLU(), x))
    assert passes(ReLU(), torch.zeros(3, dtype=dtype))[1].any() == 0


@few
@given(dtypes, seeds, st.integers(1, 65),
       st.lists(st.integers(1, 30), min_size=2, max_size=5))
def test_a_network_equals_torch_to_the_last_bit(dtype, seed, n, sizes):
    def build(linear, relu, sequential):
        torch.manual_seed(seed)
        layers = []
        for size_in, size_out in zip(sizes, sizes[1:], strict=False):
            layers += [linear(size_in, size_out, dtype=dtype), relu()]
        return sequential(*layers[:-1])

    ours = build(Linear, ReLU, Sequential)
    theirs = build(nn.Linear, nn.ReLU, nn.Sequential)
    x = draw(n, sizes[0], dtype=dtype, seed=seed)
    assert_same(passes(ours, x), passes(theirs, x))


def test_training_a_network_equals_torch_in_every_bit():
    losses = []
    for lib, adam in ((None, Adam), (nn, torch.optim.Adam)):
        torch.manual_seed(3)
        net = (
            Sequential(Linear(20, 16), ReLU(), Linear(16, 5))
            if lib is None else
            nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 5))
        )
        optimizer = adam(net.parameters())
        x = draw(64, 20, dtype=torch.float32, seed=1)
        targets = torch.arange(64) % 5
        for _ in range(50):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), targets)
            loss.backward()
            optimizer.step()
        losses.append([*net.parameters(), loss])
    assert_same(*losses)


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


# -------------------------------------------------------------- Dropout


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("p", [0, 0.1, 0.3, 0.5, 0.77, 1])
def test_dropout_draws_torch_s_masks_from_the_same_seed(p, dtype):
    for shape in [(5,), (64, 128), (3, 0), (7, 9, 11)]:
        x, made = draw(*shape, dtype=dtype, seed=1), []
        for kind in (Dropout, nn.Dropout):
            torch.manual_seed(5)
            made.append(passes(kind(p), x))
        assert_same(*made)


def test_dropout_keeps_the_mean_and_scales_what_stays():
    torch.manual_seed(0)
    out = Dropout(0.2)(torch.ones(100_000))
    assert sorted(set(out.tolist())) == [0, 1.25]
    assert abs((out == 0).double().mean() - 0.2) < 0.005


def test_dropout_and_attention_have_torch_s_defaults():
    assert Dropout().p == nn.Dropout().p
    assert MultiheadAttention(4, 2).dropout.p == (
        nn.MultiheadAttention(4, 2).dropout)


def test_dropout_lets_everything_through_when_judging():
    x = torch.randn(5)
    assert Dropout(0.9).eval()(x) is x
    assert Dropout(1).eval()(x) is x and Dropout(0)(x) is x


def test_dropout_of_everything_is_zeros_with_a_gradient_of_zeros():
    x = torch.ones(4, requires_grad=True)
    out = Dropout(1.0)(x)
    out.sum().backward()
    assert out.tolist() == [0] * 4 == x.grad.tolist()


def test_dropout_works_out_of_place():
    x = torch.ones(1000)
    Dropout(0.5)(x)
    assert x.eq(1).all()


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_dropout_refuses_what_is_no_probability(p):
    with pytest.raises(ValueError, match="not from 0 to 1"):
        Dropout(p)


# --------------------------------------------------------------- Conv2d


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bias", [True, False])
def test_the_same_seed_draws_torch_s_conv(bias, dtype):
    for size in (1, 3, 5, (2, 3)):
        made = []
        for kind in (Conv2d, nn.Conv2d):
            torch.manual_seed(2)
            layer = kind(3, 4, size, bias=bias, dtype=dtype)
            made.append(list(layer.parameters()))
        assert_same(*made)


@some
@given(dtypes, seeds, st.integers(0, 4), st.integers(1, 4),
       st.integers(1, 5), both_of(1, 4), both_of(1, 3), both_of(0, 2),
       both_of(0, 6), bools)
def test_conv_equals_torch(
    dtype, seed, n, channels, out, kernel, stride, padding, more, bias
):
    H, W = (max(1, k - 2 * p) + m
            for k, p, m in zip(kernel, padding, more, strict=True))
    ours, theirs = twin(*(
        kind(channels, out, kernel, stride, padding, bias=bias,
             dtype=dtype) for kind in (Conv2d, nn.Conv2d)))
    x = draw(n, channels, H, W, dtype=dtype, seed=seed)
    assert_close(passes(ours, x), passes(theirs, x), size=10)


@few
@given(seeds, st.integers(1, 3), st.integers(1, 2), st.integers(0, 2))
def test_a_number_stands_for_a_pair(seed, kernel, stride, padding):
    x = draw(2, 1, 7, 7, dtype=torch.float64, seed=seed)
    square = Conv2d(1, 2, kernel, stride, padding, dtype=x.dtype)
    pairs = Conv2d(1, 2, (kernel, kernel), (stride, stride),
                   [padding, padding], dtype=x.dtype)
    pairs.load_state_dict(square.state_dict())
    assert_same([square(x)], [pairs(x)])


def test_conv_without_further_settings_equals_torch():
    ours, theirs = twin(Conv2d(2, 3, 2), nn.Conv2d(2, 3, 2))
    x = draw(2, 2, 5, 4, dtype=torch.float32, seed=0)
    assert_close(passes(ours, x), passes(theirs, x))
    assert_close([conv2d(x, ours.weight)],
                 [nn.functional.conv2d(x, theirs.weight)])


def loops(x, weight, bias, stride, padding):
    """The definition, one product at a time."""
    (sh, sw), (ph, pw) = stride, padding
    x = nn.functional.pad(x, (pw, pw, ph, ph))
    N, C, H, W = x.shape
    out, _, kh, kw = weight.shape
    rows, columns = (H - kh) // sh + 1, (W - kw) // sw + 1
    y = torch.zeros(N, out, rows, columns, dtype=x.dtype)
    for n in range(N):
        for o in range(out):
            for i in range(rows):
                for j in range(columns):
                    window = x[n, :, i * sh:i * sh + kh,
                               j * sw:j * sw + kw]
                    y[n, o, i, j] = (window * weight[o]).sum() + bias[o]
    return y


@settings(max_examples=10)
@given(seeds, both_of(1, 3), both_of(1, 2), both_of(0, 1))
def test_conv2d_is_what_the_loops_say(seed, kernel, stride, padding):
    x = draw(2, 2, 4, 5, dtype=torch.float64, seed=seed)
    weight = draw(3, 2, *kernel, dtype=torch.float64, seed=seed + 1)
    bias = draw(3, dtype=torch.float64, seed=seed + 2)
    assert_close([conv2d(x, weight, bias, stride, padding)],
                 [loops(x, weight, bias, stride, padding)])


def test_conv2d_refuses_other_channels_and_too_large_a_filter():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        Conv2d(3, 2, 2)(torch.zeros(1, 4, 5, 5))
    with pytest.raises(RuntimeError, match="maximum size"):
        Conv2d(1, 2, 6)(torch.zeros(1, 1, 5, 5))


# ---------------------------------------------------------- BatchNorm1d


@some
@given(dtypes, seeds, st.integers(2, 9), st.integers(1, 5),
       st.sampled_from([None, 1, 3]),
       st.sampled_from([0.1, 0.5, 1.0, None]),
       st.sampled_from([1e-5, 0.1]))
def test_batch_norm_equals_torch_buffers_included(
    dtype, seed, n, features, length, momentum, eps
):
    ours, theirs = twin(*(
        kind(features, eps=eps, momentum=momentum, dtype=dtype)
        for kind in (BatchNorm1d, nn.BatchNorm1d)))
    shape = (n, features) if length is None else (n, features, length)
    for i, mode in enumerate((True, True, False, True)):
        x = draw(*shape, dtype=dtype, seed=seed + i) * (i + 1) + i
        ours.train(mode), theirs.train(mode)
        a, b = passes(ours, x), passes(theirs, x)
        by_feature = x.transpose(0, 1).flatten(1)
        steep = 10 / (by_feature.var(1, correction=0) + eps).min().sqrt()
        assert_close(a, b, size=max(10, steep.item()))
        assert_close(ours.state_dict().values(),
                     theirs.state_dict().values())


def test_batch_norm_starts_like_torch():
    for momentum in (0.1, None):
        assert_close(BatchNorm1d(3, momentum=momentum).state_dict().values(),
                     nn.BatchNorm1d(3).state_dict().values())
    assert BatchNorm1d(3).eps == nn.BatchNorm1d(3).eps
    assert BatchNorm1d(3).momentum == nn.BatchNorm1d(3).momentum


def test_judging_leaves_the_statistics_alone():
    layer = BatchNorm1d(2)
    layer(torch.randn(5, 2) + 3)
    before = copy.deepcopy(layer.state_dict())
    layer.eval()(torch.randn(1, 2))  # one row is enough
    for name, t in layer.state_dict().items():
        assert torch.equal(t, before[name])


def test_the_running_variance_is_unbiased_and_has_no_gradient():
    layer = BatchNorm1d(1, momentum=1.0, dtype=torch.float64)
    x = torch.tensor([[0.0], [1.0], [5.0]], dtype=torch.float64,
                     requires_grad=True)
    layer(x)
    assert layer.running_var.item() == pytest.approx(7.0)
    assert layer.running_mean.item() == pytest.approx(2.0)
    assert not layer.running_var.requires_grad


@pytest.mark.parametrize("shape", [(4, 2), (4,), (4, 3, 2, 2), (3, 1, 3)])
def test_batch_norm_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match=r"is not \[N, 3\]"):
        BatchNorm1d(3)(torch.zeros(shape))


def test_a_feature_of_one_would_broadcast_and_is_refused():
    with pytest.raises(ValueError, match="is not"):
        BatchNorm1d(1)(torch.zeros(4, 3))


def test_a_single_row_has_no_variance_in_training():
    layer = BatchNorm1d(3)
    with pytest.raises(ValueError, match="no variance"):
        layer(torch.zeros(1, 3))
    assert layer.num_batches_tracked == 0
    layer(torch.zeros(1, 3, 2))  # two values a feature


# --------------------------------------------------- MultiheadAttention


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bias", [True, False])
def test_the_same_seed_draws_torch_s_attention(bias, dtype):
    for embed, heads in ((8, 2), (12, 3), (10, 1), (7, 7)):
        made = []
        for kind in (MultiheadAttention, nn.MultiheadAttention):
            torch.manual_seed(4)
            layer = kind(embed, heads, bias=bias, dtype=dtype)
            made.append(layer.state_dict())
        assert list(made[0]) == list(made[1])
        assert_same(*(state.values() for state in made))


def mask_of(draw_mask, shape, dtype, seed):
    if draw_mask == "bool":  # the first key is always open
        closed = draw(*shape, dtype=dtype, seed=seed) > 0
        return closed & (torch.arange(shape[-1]) > 0)
    return draw(*shape, dtype=dtype, seed=seed)


@settings(max_examples=120)
@given(dtypes, seeds, st.integers(1, 4), st.integers(1, 4),
       st.integers(1, 3), both_of(1, 5), st.sampled_from([None, 2, 3]),
       bools, st.sampled_from(["bool", "float"]), bools, bools, bools,
       st.sampled_from([0.0, 0.3]))
def test_attention_equals_torch(
    dtype, seed, heads, width, N, lengths, attn, padded, mask_kind,
    batch_first, bias, average, dropout
):
    embed, (L, S) = heads * width, lengths
    ours, theirs = twin(*(
        kind(embed, heads, dropout, bias, batch_first=batch_first,
             dtype=dtype)
        for kind in (MultiheadAttention, nn.MultiheadAttention)))
    options = {"average_attn_weights": average}
    if attn:
        shape = (L, S) if attn == 2 else (N * heads, L, S)
        options["attn_mask"] = mask_of(mask_kind, shape, dtype, seed)
    if padded:
        options["key_padding_mask"] = mask_of(
            mask_kind, (N, S), dtype, seed + 1)
    inputs = [
        draw(*((N, n, embed) if batch_first else (n, N, embed)),
             dtype=dtype, seed=seed + n) for n in (L, S, S)
    ]
    made = []
    for layer in (ours, theirs):
        torch.manual_seed(seed)
        looks = []

        def call(*qkv, layer=layer, looks=looks):
            out, weights = layer(*qkv, **options)
            looks.append(weights.detach())
            return out

        made.append([*passes(layer, *inputs, call=call), *looks])
    assert_close(*made, size=10)
    ours.eval(), theirs.eval()
    a, b = (m(*inputs, need_weights=False, **options)
            for m in (ours, theirs))
    assert_close(a[:1], b[:1], size=10)
    assert a[1] is None is b[1]


def test_attention_without_masks_in_default_settings():
    ours, theirs = twin(MultiheadAttention(6, 2),
                        nn.MultiheadAttention(6, 2))
    x = draw(4, 3, 6, dtype=torch.float32, seed=1)
    for a, b in zip(ours(x, x, x), theirs(x, x, x), strict=True):
        assert_close([a.detach()], [b.detach()])


def test_each_row_of_weights_adds_up_to_one_and_hides_what_is_masked():
    q, k, v = draw(3, 2, 4, 5, dtype=torch.float64, seed=0)
    causal = torch.full((4, 4), -math.inf, dtype=q.dtype).triu(1)
    out, weights = attention(q, k, v, causal)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 4).double())
    assert not weights.triu(1).any()
    assert torch.allclose(out[:, 0], v[:, 0])  # sees itself alone
    theirs = nn.functional.scaled_dot_product_attention(
        q, k, v, is_causal=True)
    assert_close([out], [theirs])


def test_a_query_that_may_look_nowhere_is_nan_in_both():
    ours, theirs = twin(MultiheadAttention(4, 2),
                        nn.MultiheadAttention(4, 2))
    x = draw(3, 1, 4, dtype=torch.float32, seed=0)
    mask = torch.zeros(3, 3, dtype=torch.bool)
    mask[1] = True
    for layer in (ours, theirs):
        out, _ = layer(x, x, x, attn_mask=mask)
        assert out.isnan().any(2).flatten().tolist() == [
            False, True, False]
    # torch's path without weights answers with zeros, and so the bias
    out, _ = ours(x, x, x, attn_mask=mask, need_weights=False)
    assert out.isnan().any(2).flatten().tolist() == [False, True, False]
    out, _ = theirs(x, x, x, attn_mask=mask, need_weights=False)
    assert torch.equal(out[1, 0], theirs.out_proj.bias)


def test_heads_must_share_evenly():
    with pytest.raises(ValueError, match="3 heads cannot share 8"):
        MultiheadAttention(8, 3)


# ------------------------------------------------------------ gradcheck


@pytest.mark.parametrize("layer, shapes", [
    (Linear(3, 2), [(4, 3)]),
    (Linear(3, 2, bias=False), [(2, 2, 3)]),
    (Conv2d(2, 3, (2, 3), (2, 1), (1, 0)), [(2, 2, 4, 5)]),
    (Conv2d(1, 2, 2, bias=False), [(1, 1, 3, 3)]),
    (BatchNorm1d(3), [(4, 3)]),
    (BatchNorm1d(2), [(2, 2, 3)]),
    (BatchNorm1d(3).eval(), [(2, 3)]),
    (MultiheadAttention(4, 2), [(3, 2, 4), (2, 2, 4), (2, 2, 4)]),
    (Sequential(Linear(3, 4), ReLU(), Linear(4, 2)), [(2, 3)]),
], ids=lambda v: type(v).__name__ if isinstance(v, Module) else "")
def test_gradients_agree_with_differences(layer, shapes):
    layer.to(torch.float64)
    for t in layer.parameters():
        t.data.copy_(draw(*t.shape, dtype=t.dtype, seed=t.numel()))
    inputs = [draw(*shape, dtype=torch.float64, seed=i).requires_grad_()
              for i, shape in enumerate(shapes)]
    names = [name for name, _ in layer.named_parameters()]
    spots = dict(layer.named_modules())

    def act(*values):
        for name, value in zip(names, values[len(inputs):], strict=True):
            path, _, last = name.rpartition(".")
            vars(spots[path])[last] = value
        out = layer(*values[:len(inputs)])
        return out[0] if isinstance(out, tuple) else out

    leaves = [p.detach().clone().requires_grad_()
              for p in layer.parameters()]
    assert torch.autograd.gradcheck(act, [*inputs, *leaves])


def test_linear_alone_takes_plain_tensors():
    x, W, b = (draw(*s, dtype=torch.float64, seed=0)
               for s in ((4, 3), (2, 3), (2,)))
    assert_same([linear(x, W, b)], [nn.functional.linear(x, W, b)])
    assert_same([linear(x, W)], [nn.functional.linear(x, W)])
