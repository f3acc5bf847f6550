"""Ours beside torch: one call, and whether both do the same.

A call of ours is right if it does what torch's does, in value, dtype, shape
and gradient, within the bound of its dtype; or if it is refused with a
TypeError, ValueError or RuntimeError that says something. What torch
refuses, ours must refuse too.
"""

import atexit
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import torch

from scratch.autograd import Tensor

# |ours - theirs| <= bound * (the largest finite number of theirs, or 1)
BOUND = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 2e-2,
         torch.bfloat16: 1e-1, torch.complex64: 1e-4}
REFUSALS = TypeError, ValueError, RuntimeError


@dataclass
class Call:
    """What came of one call: a result or an error, and what it left."""

    result: list = field(default_factory=list)
    grads: list = field(default_factory=list)
    state: list = field(default_factory=list)
    wants: list = field(default_factory=list)
    error: BaseException | None = None


def plain(value):
    return value.data if isinstance(value, Tensor) else value


def flat(value):
    """The leaves of tuples, lists and dicts, in order."""
    if isinstance(value, dict):
        return [leaf for v in value.values() for leaf in flat(v)]
    if isinstance(value, tuple | list):
        return [leaf for v in value for leaf in flat(v)]
    return [value]


def leaf_of(value, *, own=False):
    """A tensor for one side of a comparison: a leaf, or a fresh result of
    torch's tape where it is one; its memory is its own if that is asked."""
    if not torch.is_tensor(value):
        return value
    leaf = value.detach().clone() if own else value.detach()
    if value.grad_fn is not None:
        return leaf.requires_grad_() * 1
    return leaf.requires_grad_(value.requires_grad)


def push_back(outputs):
    """Go back from every output that wants it, with fixed numbers."""
    wanting = [o for o in outputs if getattr(o, "requires_grad", False)]
    for n, out in enumerate(wanting):
        numbers = torch.linspace(-1, 2, max(1, out.numel()),
                                 dtype=torch.float64)[:out.numel()]
        if plain(out).device.type == "meta":
            numbers = numbers.to("meta")
        grad = numbers.reshape(out.shape).to(plain(out).dtype)
        out.backward(grad, retain_graph=n < len(wanting) - 1)
    return [bool(getattr(o, "requires_grad", False)) for o in outputs]


def attempt(act, leaves, state=lambda: []):
    """Call act(), go back, and note what came of it.

    leaves: whose .grad is looked at; state: what else may have changed.
    """
    call = Call()
    try:
        call.result = flat(act())
        call.wants = push_back(call.result)
    except Exception as error:
        call.error = error
    call.result = [plain(r) for r in call.result]
    call.grads = [leaf.grad for leaf in leaves]
    call.state = [plain(t) for t in flat(state())]
    return call


def verdict(ours, theirs):
    """same, refused, or what is wrong, in words."""
    if ours.error is not None:
        error = ours.error
        clear = isinstance(error, REFUSALS) and not isinstance(
            error, RecursionError) and str(error)
        if clear or type(error) is type(theirs.error) is IndexError:
            return "refused"
        return f"an unclear error: {error!r}"
    if theirs.error is not None:
        return f"torch refuses it: {theirs.error!r}"[:300]
    if ours.wants != theirs.wants:
        return f"{ours.wants} want gradients, torch's {theirs.wants}"
    for what in ("result", "grads", "state"):
        a, b = getattr(ours, what), getattr(theirs, what)
        if len(a) != len(b):
            return f"{len(a)} in {what}, torch has {len(b)}"
        for n, pair in enumerate(zip(a, b, strict=True)):
            wrong = unlike(*pair)
            if wrong:
                return f"{what} {n}: {wrong}"
    return "same"


def unlike(a: Any, b: Any):
    """What differs between two values, or nothing."""
    if not (torch.is_tensor(a) and torch.is_tensor(b)):
        alike = type(a) is type(b) and (a == b or a != a and b != b)
        return None if alike else f"{a!r}, torch {b!r}"
    if (a.shape, a.dtype, a.device) != (b.shape, b.dtype, b.device):
        return (f"{list(a.shape)} {a.dtype} {a.device}, torch "
                f"{list(b.shape)} {b.dtype} {b.device}")
    if a.device.type == "meta" or not a.numel():
        return None
    a, b = a.detach(), b.detach()
    if b.dtype not in BOUND:
        return None if torch.equal(a, b) else f"{shown(a)}, torch {shown(b)}"
    wide = torch.complex128 if b.is_complex() else torch.float64
    x, y = a.to(wide), b.to(wide)
    odd = ~(x.isfinite() & y.isfinite())
    if not torch.equal(x[odd].nan_to_num(7e300), y[odd].nan_to_num(7e300)):
        return (f"{shown(x[odd][:3])} where torch has {shown(y[odd][:3])},"
                f" in {list(a.shape)} {a.dtype}")
    gap = (x[~odd] - y[~odd]).abs()
    size = max(1.0, y[~odd].abs().max().item()) if gap.numel() else 1.0
    if gap.numel() and gap.max() > BOUND[b.dtype] * size:
        return f"{shown(a)}, torch {shown(b)}, {gap.max():.1e} apart"
    return None


def shown(value):
    """A value on one line: of a large tensor the shape alone."""
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(shown, value)) + ")"
    if not torch.is_tensor(value) or value.numel() < 4:
        return " ".join(repr(value).split())
    return f"{list(value.shape)} {value.dtype}{'*' * value.requires_grad}"


class Tally:
    """How often a name did the same and was refused; failures raise.

    With TALLY in the environment, the counts are added to that file.
    """

    def __init__(self):
        self.count: dict[str, Counter[str]] = {}
        if path := os.environ.get("TALLY"):
            atexit.register(self.write, path)

    def write(self, path):
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(self.count) + "\n")

    def check(self):
        """Fail where more than one name in ten was always refused: chance
        may draw odd calls alone for one, and for each where it draws few."""
        never = [n for n, c in self.count.items()
                 if not c["same"] and c.total() >= 30]
        assert len(never) <= len(self.count) / 10, never

    def note(self, name, ours, theirs, told):
        what = verdict(ours, theirs)
        if what not in ("same", "refused"):
            raise AssertionError(f"{name} {shown(told)}: {what}")
        self.count.setdefault(name, Counter())[what] += 1
        return what
