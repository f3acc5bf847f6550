"""Every public name of scratch.autograd, beside torch's tensor.

Hypothesis draws the calls: tests/support/calls.py. What counts as right:
tests/support/differ.py.
"""

import operator

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from calls import Draws, drawn
from differ import Tally, attempt, leaf_of
from scratch.autograd import Tensor, no_grad


def pair(d):
    return d.pair()


def one(d):
    return [d.tensor()]


def matrices(d):
    n, k, m = d.size(), d.size(), d.size()
    batch = d.pick((), (), (2,), (1,), (3, 2))
    return [d.tensor((*batch, n, k)),
            d.tensor((*d.pick((), batch), d.pick(k, k, k, 1), m))]


def summed(d):
    x = d.tensor()
    return [x, *d.pick((), (d.dims(x),), (d.dims(x), d.pick(True, False)))]


def indexed(d):
    x = d.tensor()
    n = x.shape[0] if x.dim() else 1
    inside = st.integers(-n, max(0, n - 1))
    some = d.draw(st.lists(inside, max_size=4))
    return [x, d.pick(
        0, -1, 5, slice(None), slice(1, None, 2), None, ..., True, some,
        (None, 0), (..., 0), (slice(None), some), torch.tensor(some).long(),
        (torch.tensor(some).long(), torch.tensor(some).long()),
        x.detach() > 0, [some, some], range(2), "a", 1.5, slice(-2, 9))]


def addmm(d):
    n, k, m = d.size(), d.size(), d.size()
    start = d.pick((m,), (n, m), (1, m), (), (1,), (n, 1), (2, n, m), (m, n))
    return [d.tensor(start), d.tensor((n, k)),
            d.tensor((d.pick(k, k, k, k + 1), m))]


def classes(d):
    N, C = d.size(), d.size()
    logits = d.tensor((N, C), special=False)
    targets = torch.arange(N) * 3 % max(C, 1)
    kind = d.pick(*[targets] * 5, targets + 1, targets - 1, targets.int(),
                  targets.float(), targets[:1], targets[:, None])
    return [logits, kind.to(d.device)]


def reshaped(d):
    x = d.tensor()
    n = x.numel()
    return [x, *d.pick((-1,), (n,), (n, 1), ((1, n),), (1, -1), x.shape,
                       (x.shape,), (2, -1), (n + 1,), ())]


def unflattened(d):
    x = d.tensor((4, d.size()))
    return [x, *d.pick((0, (2, 2)), (0, (-1, 2)), (0, (4,)), (0, (3, 2)),
                       (1, (1, -1)), (-1, (-1, 1)), (2, (1,)), (0, ()))]


def selected(d):
    x = d.tensor()
    dim = d.dim(x)
    n = x.shape[dim] if x.dim() else 1
    some = d.draw(st.lists(st.integers(0, max(n - 1, 0)), max_size=4))
    index = torch.tensor(some, dtype=torch.int64)
    kind = d.pick(*[index] * 4, index.int(), index - 1, index > 0,
                  index[None], torch.tensor(0), index.float())
    return [x, d.pick(dim, dim, dim, 4),
            kind.to(d.device) if d.often() else some]


def padded(d):
    x = d.tensor()
    return [x, *d.pick(([1, 0],), ((0, 1),), ([1, 2, 0, 1],), ([-1, 1],),
                       ([1],), ((1, 1, 1, 1, 1, 1, 1, 1),), ([],),
                       ([1, 1], "constant"), ([1, 1], "constant", 0.0),
                       ([1, 1], "constant", 2.0), ([1, 1], "reflect"))]


def with_dims(*many):
    def made(d):
        x = d.tensor()
        rest = d.pick(*many, tuple(range(x.dim()))[::-1])
        return [x, *rest]
    return made


def reduced_one(d):
    x = d.tensor()
    return [x, *d.pick((), (d.dim(x),), (d.dim(x), True),
                       (d.dim(x), False), (d.tensor(),), (None,))]


# name: (the arguments, the first being self; what torch's twin is called)
CASES = {
    **dict.fromkeys("""add __add__ __radd__ sub __sub__ __rsub__ mul
        __mul__ __rmul__ div __truediv__ eq ne lt le gt ge
        __eq__ __ne__ __lt__ __le__ __gt__ __ge__""".split(), pair),
    **dict.fromkeys("""exp log sqrt relu __neg__ detach dim numel item
        tolist __len__ __bool__ __iter__ T shape dtype device is_leaf
        requires_grad zeros_like empty_like""".split(), one),
    **dict.fromkeys("pow __pow__ __contains__ __rtruediv__".split(),
                    lambda d: [d.tensor(), d.number()]),
    **dict.fromkeys("matmul __matmul__".split(), matrices),
    **dict.fromkeys("sum mean".split(), summed),
    "max": reduced_one, "argmax": reduced_one, "addmm": addmm,
    "softmax": lambda d: [x := d.tensor(), d.dim(x)],
    "cross_entropy": classes, "__getitem__": indexed, "pad": padded,
    "reshape": reshaped, "unflatten": unflattened,
    "index_select": selected,
    "flatten": with_dims((), (0,), (1,), (0, 1), (-2, -1), (1, 0)),
    "squeeze": with_dims((), (0,), (-1,), ((0, 1),), (1,), (3,)),
    "transpose": with_dims((0, 1), (0, -1), (1, 2), (0, 0), (0, 3)),
    "permute": with_dims((0, 1), (1, 0), ((1, 0),), (-1, 0), (0, 0), (2, 0, 1),
                         (0, 3), ()),
    "chunk": with_dims((1,), (2,), (3,), (9,), (0,), (-2,), (2, 1)),
    "clamp": with_dims((0,), (0.25,), (-1e8,), (-1,), (None,), (0, 1)),
}
IN_PLACE = {
    **dict.fromkeys("add_ mul_ copy_ __iadd__ __isub__ __imul__ "
                    "__itruediv__ __ipow__".split(), pair),
    "zero_": one,
    "addcdiv_": lambda d: [*d.pair(), d.tensor(special=False)],
}
# Tested by themselves, or without a twin in torch.
ELSEWHERE = {"move", "max_along", "backward", "grad", "retain_grad", "is_like"}
NAMES = """dim keepdim dtype alpha out mode value min max other inplace
    start_dim beta requires_grad rounding_mode start end""".split()
TALLY = Tally()
AS_FUNCTION = {"zeros_like", "empty_like", "cross_entropy", "pad"}
AS_VALUE = {"T", "shape", "dtype", "device", "is_leaf", "requires_grad"}
UNKNOWN = {"empty_like"}                         # whatever was there


def test_every_public_name_is_called():
    offered = {n for n in vars(Tensor) if not n.startswith("_")} | {
        n for n in vars(Tensor) if n.startswith("__") and n not in vars(
            object) and n not in {"__dict__", "__weakref__", "__module__",
                                  "__torch_function__", "__annotations__"}}
    offered |= {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"}
    assert offered - {"__doc__"} == {*CASES, *IN_PLACE, *ELSEWHERE}


def ours_of(value, first, wrap):
    """A value as our side gets it."""
    if isinstance(value, tuple) and not hasattr(value, "numel"):
        return tuple(ours_of(v, False, wrap) for v in value)
    if not torch.is_tensor(value) or value.grad_fn is not None:
        return value
    if value.requires_grad or (
            value.is_floating_point() and (first or wrap)):
        return Tensor(value.detach(), value.requires_grad)
    return value


def find(side, name, how):
    """The function of that name: of the class, of torch or of F."""
    if name in AS_VALUE:
        return lambda x: getattr(x, name)
    if name == "__iter__":
        return lambda x: list(x)
    if how == "function" or name in AS_FUNCTION and (
            side is torch.Tensor or name != "cross_entropy"):
        return getattr(torch, name, None) or getattr(F, name)
    if how == "operator" and name[:2] == "__" and name[:3] != "__r":
        operation = getattr(operator, name, None)
        if operation:
            return operation
    return lambda x, *args, **kwargs: getattr(x, name)(*args, **kwargs)


def compare(name, args, kwargs, how, wrap=False, state=False):
    mine = [ours_of(leaf_of(a, own=state), n == 0, wrap)
            for n, a in enumerate(args)]
    their = [leaf_of(a, own=state) for a in args]
    leaves = ([a for a in mine if isinstance(a, Tensor)],
              [b for a, b in zip(mine, their, strict=True)
               if isinstance(a, Tensor)])
    ours = attempt(lambda: find(Tensor, name, how)(*mine, **kwargs),
                   leaves[0], lambda: mine[:1] if state else [])
    theirs = attempt(lambda: find(torch.Tensor, name, how)(*their, **kwargs),
                     leaves[1], lambda: their[:1] if state else [])
    if name in UNKNOWN and not (ours.error or theirs.error):
        for call in (ours, theirs):
            call.result = [torch.zeros_like(r) for r in call.result]
    if name == "detach":                         # ours is torch's tensor
        ours.wants = theirs.wants
    told = (how, args, kwargs)
    return TALLY.note(name, ours, theirs, told)


@pytest.mark.daily
@pytest.mark.parametrize("name", CASES)
@drawn
@given(data=st.data())
def test_a_name_does_as_torch_or_refuses(name, data):
    d = Draws(data)
    first, *rest = CASES[name](d)
    rest, kwargs = d.twisted(rest, NAMES, name.startswith("__"))
    how = d.pick("method", "method", "operator", "function" if hasattr(
        torch, name) and not name.startswith("_") else "method")
    compare(name, [first, *rest], kwargs, how, d.pick(True, False))


@pytest.mark.daily
@pytest.mark.parametrize("name", IN_PLACE)
@drawn
@given(data=st.data())
def test_overwriting_does_as_torch_or_is_refused(name, data):
    d = Draws(data)
    first, *rest = IN_PLACE[name](d)
    rest, kwargs = d.twisted(rest, NAMES, fixed=True)
    if not d.often(2):
        with d.pick(no_grad, torch.no_grad)():
            compare(name, [first, *rest], kwargs, "method", state=True)
    else:
        compare(name, [first, *rest], kwargs, "method", state=True)


@pytest.mark.daily
def test_hardly_a_name_is_always_refused():
    TALLY.check()
