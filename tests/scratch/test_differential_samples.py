"""Ours on the inputs that torch's developers try torch's with.

torch.testing._internal, which has them, imports expecttest.
"""

import warnings

import pytest
import torch
from torch import nn
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.common_modules import module_db
from torch.testing._internal.common_optimizers import optim_db

import scratch.nn
from differ import Tally, attempt
from scratch import optim
from scratch.autograd import Tensor

TALLY = Tally()
# op of torch's list: the method of ours
METHODS = {
    **{n: n for n in """add sub mul div exp log sqrt matmul addmm sum mean
        max softmax reshape flatten unflatten squeeze transpose permute
        index_select chunk clamp pow eq ne lt le gt ge argmax __getitem__
        __radd__ __rmul__ __rsub__ zeros_like empty_like T""".split()},
    "nn.functional.relu": "relu", "nn.functional.pad": "pad",
    "nn.functional.cross_entropy": "cross_entropy", "neg": "__neg__",
    "__rdiv__": "__rtruediv__",
}
OPS = [op for op in op_db if op.name in METHODS and hasattr(
    Tensor, METHODS[op.name])]
LAYERS = [m for m in module_db if m.module_cls.__name__ in (
    "Linear", "ReLU", "Dropout", "Conv2d", "BatchNorm1d",
    "MultiheadAttention")]
DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16]


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def pair_of(value, ours):
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        fresh = value.detach().clone()
        if ours:
            return Tensor(fresh, value.requires_grad)
        return fresh.requires_grad_(value.requires_grad)
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(pair_of(v, ours) for v in value)
    return value


def compare(op, sample):
    """The method of ours and torch's operation, on one sample."""
    method, calls = METHODS[op.name], []
    for ours in (True, False):
        first, *rest = (pair_of(v, ours) for v in (
            sample.input, *sample.args))
        if not torch.is_tensor(sample.input) or (
                not sample.input.is_floating_point()):
            return
        named = {n: pair_of(v, ours) for n, v in sample.kwargs.items()}
        every = [first, *rest, *named.values()]
        leaves = [v for v, w in zip(every, (
            sample.input, *sample.args, *sample.kwargs.values()),
            strict=True) if torch.is_tensor(w) and w.is_floating_point()]

        def act(ours=ours, first=first, rest=rest, named=named):
            if method == "T":
                return first.T
            if ours:
                return getattr(first, method)(*rest, **named)
            return op.op(first, *rest, **named)
        calls.append(attempt(act, leaves))
    if method == "empty_like":
        for call in calls:
            call.result = [torch.zeros_like(r) for r in call.result]
    TALLY.note(method, *calls, (sample.input, *sample.args,
                                str(sample.kwargs)))


@pytest.mark.daily
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.formatted_name)
def test_an_operation_on_torch_s_own_samples(op, dtype):
    if dtype not in op.dtypes:
        pytest.skip("torch has none for this dtype")
    for sample in op.sample_inputs("cpu", dtype, requires_grad=True):
        compare(op, sample)
    if op.error_inputs_func is not None and dtype == torch.float32:
        for wrong in op.error_inputs("cpu"):
            compare(op, wrong.sample_input)


@pytest.mark.daily
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", DTYPES[:2], ids=str)
@pytest.mark.parametrize("info", LAYERS, ids=lambda m: m.name)
def test_a_layer_on_torch_s_own_samples(info, dtype, training):
    name = info.module_cls.__name__
    samples = info.module_inputs_func(
        info, device="cpu", dtype=dtype, requires_grad=True,
        training=training)
    if info.module_error_inputs_func is not None:
        samples += [e.module_error_input for e in
                    info.module_error_inputs_func(
                        info, device="cpu", dtype=dtype, requires_grad=True,
                        training=training)]
    for sample in samples:
        made, asked = sample.constructor_input, sample.forward_input
        layers, calls = [], []
        kind = {} if name in ("ReLU", "Dropout") else {"dtype": dtype}
        for lib in (scratch.nn, nn):
            def make(lib=lib, layers=layers, given=made, kind=kind):
                torch.manual_seed(0)
                layers.append(getattr(lib, name)(
                    *given.args, **{**kind, **given.kwargs}))
                return list(layers[-1].state_dict().values())
            calls.append(attempt(make, []))
        if TALLY.note(name, *calls, str(made)) == "refused" or not asked:
            continue
        calls = []
        for layer in layers:
            args = [pair_of(a, False) for a in asked.args]
            named = {n: pair_of(a, False) for n, a in asked.kwargs.items()}
            layer.train(training)

            def act(layer=layer, args=args, named=named):
                torch.manual_seed(1)
                return layer(*args, **named)
            calls.append(attempt(act, [
                t for t in (*args, *named.values()) if torch.is_tensor(t)],
                layer.state_dict))
        if calls[0].error is not None:
            calls[0].state = calls[1].state
        TALLY.note(name, *calls, (str(made), *asked.args,
                                  str(asked.kwargs)))


@pytest.mark.daily
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_an_optimizer_on_torch_s_own_samples(name):
    info, = (i for i in optim_db if i.optim_cls.__name__ == name)
    for sample in info.optim_inputs_func(device="cpu"):
        calls = []
        for lib in (optim, torch.optim):
            p = torch.linspace(-1, 1, 5).requires_grad_()

            def act(lib=lib, p=p, sample=sample):
                optimizer = getattr(lib, name)([p], **sample.kwargs)
                for n in range(3):
                    p.grad = torch.linspace(0, n, 5)
                    optimizer.step()
                return []
            calls.append(attempt(act, [], lambda p=p: [p.detach()]))
        if calls[0].error is not None:
            calls[0].state = calls[1].state
        TALLY.note(name, *calls, str(sample.kwargs))
