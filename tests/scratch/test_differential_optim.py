"""Our optimizers and our loader beside torch's: drawn calls."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from calls import Draws, drawn
from differ import Tally, attempt
from scratch import optim
from scratch.data import DataLoader

TALLY = Tally()
ARGUMENTS = {
    "SGD": [(), (0.1,), (0.1, 0.9), (0.0,), (-0.1,), (0.1, -1),
            (0.1, 0.9, 0.1), (0.1, 0.9, 0, 0.1, True), (float("nan"),),
            (1,), (0.1, True)],
    "Adam": [(), (0.01,), (0.01, (0.5, 0.9)), (0.01, (0.9, 0.99), 1e-3),
             (0.01, (0.9, 0.99), -1.0), (0.01, (1.0, 0.9)), (-1,),
             (0.01, (0.9,)), (0.01, [0.9, 0.99]), (0.01, (0.9, 0.99, 0.9)),
             (0.01, (0.9, 0.99), 1e-8, 0.1), (0.01, 0.9)],
}
NAMES = """lr momentum dampening weight_decay nesterov maximize foreach betas
    eps amsgrad capturable differentiable fused foo""".split()


def parameters(d):
    """What an optimizer is given: mostly leaves with gradients."""
    made = [d.tensor(calm=True) for _ in range(d.pick(1, 2, 3, 1, 0))]
    for t in made:
        if t.requires_grad and d.often(3):
            t.grad = torch.ones_like(t) * 0.3
    return made


ODD = {
    "one tensor": lambda made: made[0] if made else torch.ones(2),
    "a name each": lambda made: [(str(i), p) for i, p in enumerate(made)],
    "groups": lambda made: [{"params": made, "lr": 0.5}],
    "no tensor": lambda made: [*made, 1.0],
    "no leaf": lambda made: [torch.ones(2, requires_grad=True) * 2],
    "twice": lambda made: [*made, *made],
    "whole numbers": lambda made: [torch.arange(3)],
    "complex": lambda made: [torch.ones(2, dtype=torch.complex64)],
    "an iterator": iter,
}


@pytest.mark.daily
@pytest.mark.parametrize("name", ARGUMENTS)
@drawn
@given(data=st.data())
def test_an_optimizer_steps_as_torch_or_refuses(name, data):
    d = Draws(data)
    d.device = "cpu"
    made = parameters(d)
    args, kwargs = d.twisted(d.pick(*ARGUMENTS[name]), NAMES)
    given_as = d.pick(*["a list"] * 8, *ODD)
    steps, clear = d.pick(0, 1, 3), d.pick(None, True, False)
    calls = []
    for lib in (optim, torch.optim):
        mine = copy.deepcopy([p.detach() for p in made])
        for p, q in zip(mine, made, strict=True):
            p.requires_grad_(q.requires_grad)
            p.grad = None if q.grad is None else q.grad.clone()

        def act(lib=lib, mine=mine):
            shown = ODD.get(given_as, list)(mine)
            if lib is optim and given_as == "twice" and mine:
                raise ValueError("torch only warns of it, for now")
            optimizer = getattr(lib, name)(shown, *args, **kwargs)
            for _ in range(steps):
                optimizer.step()
            if clear is not None:
                optimizer.zero_grad(clear)
            return []
        calls.append(attempt(
            act, mine, lambda mine=mine: [p.detach() for p in mine]))
    if calls[0].error is not None:
        calls[0].state = calls[1].state
    TALLY.note(name, *calls, (given_as, args, kwargs, tuple(made)))


def test_a_parameter_that_is_there_twice_is_refused():
    p = torch.ones(2, requires_grad=True)
    for make in (optim.SGD, optim.Adam):
        with pytest.raises(ValueError, match="twice"):
            make([p, p], 0.1)


@pytest.mark.daily
@drawn
@given(data=st.data())
def test_the_loader_deals_as_torch_or_refuses(data):
    d = Draws(data)
    d.device = "cpu"
    N = d.size(0, 9)
    X = d.tensor((d.pick(*[N] * 6, N + 1), 2), want=False)
    y = torch.arange(N)
    args, kwargs = d.twisted([X, y, d.pick(1, 2, 3, 64), d.pick(True, False)],
                             ["drop_last", "sampler", "num_workers", "foo"])
    if d.often(3):
        kwargs["drop_last"] = d.pick(True, False)
    if len(args) < 4:                            # ours has other defaults
        return
    calls = []
    for ours in (True, False):
        torch.manual_seed(4)
        generator = torch.Generator().manual_seed(5) if d.dtype in (
            torch.float32,) else None

        def act(ours=ours, generator=generator):
            X, y, size, *rest = args
            if ours:
                return list(DataLoader(X, y, size, *rest, **kwargs,
                                       generator=generator))
            if any(isinstance(t, list | tuple) for t in (X, y)):
                raise TypeError("a list is a dataset of another kind")
            data = torch.utils.data.TensorDataset(X, y)
            if not len(data):
                raise ValueError("no samples")
            return [tuple(b) for b in torch.utils.data.DataLoader(
                data, size, *rest, **kwargs, generator=generator)]
        calls.append(attempt(act, []))
    TALLY.note("DataLoader", *calls, (args, kwargs))


@pytest.mark.daily
def test_hardly_a_name_is_always_refused():
    TALLY.check()
