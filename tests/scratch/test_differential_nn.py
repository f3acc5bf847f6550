"""Every layer and function of ours, beside torch's: drawn calls.

Arguments come in torch's order, by place or by name. What counts as
right: tests/support/differ.py.
"""

import copy
import inspect
import warnings

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import scratch.nn
from calls import Draws, drawn
from differ import Tally, attempt, flat, leaf_of
from scratch import backward, functional

TALLY = Tally()


@pytest.fixture(autouse=True, scope="module")
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# ------------------------------------------------------------ the layers


def batch(d, features, low=1):
    lead = tuple(d.size() for _ in range(d.pick(1, 1, 2, 0, 3)))
    return d.tensor((*lead, d.pick(*[features] * 6, features + 1)))


def linear(d):
    size = d.size(), d.size()
    return [*size, *d.pick((), (True,), (False,))], [batch(d, size[0])]


def anything(d):
    return [], [d.tensor()]


def dropout(d):
    return [*d.pick((), (0.3,), (0.0,), (1.0,), (1,), (2.0,))], [d.tensor()]


def conv(d):
    C, out = d.size(), d.size()
    kernel = d.pick(1, 2, 3, (2, 1), [1, 3])
    rest = d.pick((), (2,), (1, 1), ((2, 1), (0, 2)), (1, -1), (0,),
                  (1, "same"), (1, 0, 1), (1, 0, 2), (1, 0, 1, 1, False),
                  (1, 3))
    shape = (d.size(), d.pick(C, C, C, C, C + 1), d.size(1, 6), d.size(1, 6))
    return [C, out, kernel, *rest], [d.tensor(
        d.pick(shape, shape, shape, shape, shape[1:], (*shape, 1)))]


def norm(d):
    n = d.size()
    rest = d.pick((), (1e-3,), (0.0,), (1e-5, 0.5), (1e-5, None),
                  (1e-5, 0.1, False), (1e-5, 0.1, True, False), (-1.0,))
    shape = d.pick((d.size(), n), (d.size(1, 6), n), (d.size(), n, d.size()),
                   (1, n), (n,), (2, n + 1), (2, n, 2, 2))
    return [n, *rest], [d.tensor(shape)]


def mask(d, *shapes):
    kind = d.pick("no", "no", "bool", "float", "other")
    if kind == "no":
        return None
    shape = d.pick(*shapes)
    made = torch.zeros(shape, dtype=torch.bool)
    if len(shape) > 1 and shape[-1] > 1:
        made[..., 1:] = torch.rand(
            shape, generator=torch.Generator().manual_seed(3))[..., 1:] > .5
    if kind == "bool":
        return made.to(d.device)
    dtype = d.dtype if kind == "float" else d.pick(
        torch.float64, torch.float32, torch.float16, torch.int64,
        torch.uint8)
    return (made.to(dtype) * -2).to(d.device)


def attend(d):
    heads, N, L, S = d.size(0, 3), d.size(), d.size(), d.size()
    E = heads * d.size(0, 3)
    q, k, v = (N, L, E), (d.pick(N, N, N, 1), S, E), (N, S, E)
    first = d.pick(True, False)
    shapes = [q, k, v] if first else [
        (b, a, c) for a, b, c in (q, k, v)]
    if not d.often(8):
        shapes = [s[1:] for s in shapes]
    made = [E, heads, *d.pick((), (0.0,), (0.5,), (0.0, False),
                              (0.0, True, True), (0.0, True, False, True))]
    asked = [*(d.tensor(s, calm=True) for s in shapes)]
    asked += d.pick([], [], [
        mask(d, (N, S), (N, S), (S,), (1, S)), d.pick(True, True, False),
        mask(d, (L, S), (L, S), (N * heads, L, S), (heads, L, S),
             (1, L, S), (N, L, S), (S,), (L, 1)), d.pick(True, False)])
    return made, asked, {"batch_first": first}


LAYERS = {"Linear": linear, "ReLU": anything, "Dropout": dropout,
          "Conv2d": conv, "BatchNorm1d": norm, "MultiheadAttention": attend}


def options(cls):
    """The names of torch's arguments, and one that it has not."""
    return [*list(inspect.signature(cls).parameters)[:-2], "foo", "layout",
            "out", "requires_grad"]


def made(lib, name, args, kwargs):
    torch.manual_seed(0)
    return getattr(lib, name)(*args, **kwargs)


def same_made(name, d, args, kwargs):
    """Our layer and theirs, or None where ours is refused."""
    layers = []
    calls = [attempt(lambda lib=lib: layers.append(
        made(lib, name, args, kwargs)) or list(
            layers[-1].state_dict().items()) and flat(
            list(layers[-1].state_dict().items())), [])
        for lib in (scratch.nn, nn)]
    if TALLY.note(name, *calls, (args, kwargs)) == "refused":
        return None
    return layers


@pytest.mark.daily
@pytest.mark.parametrize("name", LAYERS)
@drawn
@given(data=st.data())
def test_a_layer_does_as_torch_or_refuses(name, data):
    d = Draws(data)
    args, inputs, *more = LAYERS[name](d)
    args, kwargs = d.twisted(args, options(getattr(nn, name)))
    kwargs = {"dtype": d.dtype, "device": d.device, **(
        more[0] if more else {}), **kwargs}
    if name in ("ReLU", "Dropout"):
        del kwargs["dtype"], kwargs["device"]
    if not d.often(4) and "dtype" in kwargs:
        del kwargs["dtype"]
    layers = same_made(name, d, args, kwargs)
    if layers is None:
        return
    training = d.pick(True, True, False)
    inputs, named = d.twisted(inputs, [
        "need_weights", "attn_mask", "is_causal", "input", "x", "query",
        "average_attn_weights", "key_padding_mask"])
    turns = d.pick(1, 1, 2)
    calls = []
    for layer in layers:
        layer.train(training)
        mine = list(map(leaf_of, inputs))

        def act(layer=layer, mine=mine):
            torch.manual_seed(1)
            return [layer(*mine, **named) for _ in range(turns)]
        leaves = [t for t in mine if torch.is_tensor(t) and t.is_leaf]
        calls.append(attempt(act, [*leaves, *layer.parameters()],
                             layer.state_dict))
    ours, theirs = calls
    if theirs.error is None and ours.error is None and blind(inputs):
        return                                   # documented, see chapter
    if ours.error is not None:
        ours.state = theirs.state
    TALLY.note(name, ours, theirs, (args, kwargs, inputs, named, training))


def blind(inputs):
    """Whether a query may see nothing: NaN, and torch has two answers."""
    return any(torch.is_tensor(t) and t.dtype == torch.bool and t.numel()
               and t.device.type == "cpu" and bool(t.all(-1).any())
               for t in inputs[3:])


# -------------------------------------------------------- the functions


def reference(act, *leaves):
    """What autograd of torch says of act(): the gradients of leaves."""
    leaves = [t.detach().requires_grad_() for t in leaves]
    out = act(*leaves)
    return out, leaves


def their_linear_backward(x, W, d_out, *, need_x=True):
    out, leaves = reference(
        lambda x, W, b: F.linear(x, W.T, b), x, W, torch.zeros_like(
            W[:1].sum(0)))
    if out.dim() != 2 or x.dim() != 2:
        raise RuntimeError("rows")
    grads = torch.autograd.grad(out, leaves, d_out)
    return (grads[0] if need_x else None), *grads[1:]


def their_cross_entropy_backward(logits, targets):
    loss, leaves = reference(lambda z: strict_loss(z, targets), logits)
    return torch.autograd.grad(loss, leaves)[0]


def strict_loss(logits, targets):
    if not targets.is_meta and (targets == -100).any():
        raise IndexError("no class is ignored here")
    return F.cross_entropy(logits, targets)


def their_network(x, W1, b1, W2, b2):
    return F.linear(F.relu(F.linear(x, W1.T, b1)), W2.T, b2)


def their_backward(x, targets, *params):
    loss, leaves = reference(
        lambda *p: strict_loss(their_network(x, *p), targets), *params)
    return loss.detach(), list(torch.autograd.grad(loss, leaves))


def sized(d):
    n, k, m = d.size(), d.size(), d.size()
    return [d.tensor((n, k)), d.tensor((k, m)), d.tensor(d.pick(
        *[(m,)] * 6, (n, m), (1,), (n, 1), (m + 1,), ()))]


def rows(d):
    return [d.tensor((d.size(), d.size()) if d.often() else None)]


def labelled(d):
    N, C = d.size(), d.size()
    t = torch.arange(N) * 3 % max(C, 1)
    return [d.tensor((N, C), special=False), d.pick(
        *[t] * 6, t + 1, t - 1, t - 100, t.int(), t.float(), t[:1],
        t[:, None], t > 0).to(d.device)]


def network(d):
    n, k, h, c = d.size(), d.size(), d.size(), d.size(1)
    return [d.tensor((n, k)), d.tensor((k, h)), d.tensor((h,)),
            d.tensor((h, c)), d.tensor((d.pick(*[c] * 6, c + 1),))]


def taught(d):
    x, *params = (t.detach() for t in network(d))
    t = torch.arange(len(x)) % params[-1].shape[0]
    return [x, d.pick(t, t, t, t + 1, t.int()).to(d.device), *params]


def detached(make):
    return lambda d: [t.detach() for t in make(d)]


def swept(d):
    x = d.tensor()
    return [x, *d.pick((), (0.3,), (0.0,), (1.0,), (1.5,), (0.5, False))]


def convolved(d):
    (C, out, kernel, *rest), (x,) = conv(d)
    kernel = (kernel, kernel) if isinstance(kernel, int) else tuple(kernel)
    bias = d.pick(None, *[d.tensor((out,))] * 3, d.tensor((1,)))
    # 0 * inf: whether the padding takes part is up to a backend of torch's
    return [x, d.tensor((out, C, *kernel), special=False), bias, *rest]


def asked(d):
    lead = d.pick((), (2,), (1, 2))
    L, S, n = d.size(), d.size(), d.size(1)
    return [d.tensor((*d.pick(lead, lead, lead, (1,)), L, n), calm=True),
            d.tensor((*lead, S, n), calm=True),
            d.tensor((*lead, S, d.pick(n, 2)), calm=True),
            *d.pick((), (), (mask(d, (L, S), (S,), (2, L, S), (1, S)),))]


def their_attention(q, k, v, mask=None, drop=None):
    if mask is not None and mask.dtype == torch.bool:
        raise TypeError("of torch's two meanings of bool, none")
    if drop is not None and not callable(drop):
        raise TypeError("drop is a function")
    scores = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(-2, -1))
    whole = torch.matmul(scores, v)
    if mask is not None:
        scores = scores + mask
    weights = F.softmax(scores, -1)
    weights = weights if drop is None else drop(weights)
    if drop is None:
        return F.scaled_dot_product_attention(q, k, v, mask), weights
    return torch.matmul(weights, v) + 0 * whole, weights


FUNCTIONS = {
    "functional.linear": (sized, lambda x, W, b: F.linear(x, W.T, b)),
    "functional.relu": (lambda d: [d.tensor()], F.relu),
    "functional.forward": (network, their_network),
    "functional.softmax": (rows, lambda z: F.softmax(z, 1)),
    "functional.log_softmax": (rows, lambda z: F.log_softmax(z, 1)),
    "functional.cross_entropy": (labelled, strict_loss),
    "functional.dropout": (swept, F.dropout),
    "backward.cross_entropy_backward": (
        detached(labelled), their_cross_entropy_backward),
    "backward.linear_backward": (
        lambda d: [x := d.tensor((d.size(), d.size())).detach(),
                   d.tensor((x.shape[1], d.size())).detach(),
                   d.tensor((len(x), d.size())).detach()],
        their_linear_backward),
    "backward.relu_backward": (
        lambda d: [x := d.tensor().detach(), d.tensor(x.shape).detach()],
        lambda x, g: torch.autograd.grad(
            *reference(F.relu, x), g)[0]),
    "backward.loss_and_push": (
        detached(labelled), lambda z, t: (
            strict_loss(z, t), their_cross_entropy_backward(z, t))),
    "backward.backward": (taught, their_backward),
    "nn.linear": (lambda d: [batch(d, k := d.size()), d.tensor(
        (m := d.size(), k)), *d.pick((), (None,), (d.tensor((m,)),), (
            d.tensor((1,)),))], F.linear),
    "nn.conv2d": (convolved, F.conv2d),
    "nn.attention": (asked, their_attention),
}


MODULES = {"nn": scratch.nn, "functional": functional, "backward": backward}


@pytest.mark.daily
@pytest.mark.parametrize("name", FUNCTIONS)
@drawn
@given(data=st.data())
def test_a_function_does_as_torch_or_refuses(name, data):
    d = Draws(data)
    make, theirs = FUNCTIONS[name]
    module, act = name.split(".")
    ours = getattr(MODULES[module], act)
    args, kwargs = d.twisted(make(d), ["input", "weight", "dim",
                                       "reduction", "need_x", "training"])
    calls = []
    for f in (ours, theirs):
        mine = list(map(leaf_of, args))
        leaves = [t for t in mine if torch.is_tensor(t) and t.is_leaf]

        def call(f=f, mine=mine):
            torch.manual_seed(1)
            return f(*mine, **kwargs)
        calls.append(attempt(call, leaves))
    if name == "functional.relu" or name == "functional.forward":
        calls[0].grads = calls[1].grads = []     # the corner: Chapter 2
    TALLY.note(name, *calls, (args, kwargs))


def test_deep_copies_are_whole():
    layers = scratch.nn.Sequential(
        scratch.nn.Linear(3, 2, False), scratch.nn.BatchNorm1d(2))
    again = copy.deepcopy(layers)
    assert list(again.state_dict()) == list(layers.state_dict())


@pytest.mark.daily
def test_hardly_a_name_is_always_refused():
    TALLY.check()
