"""Arguments for calls, drawn by hypothesis: most fit, some are odd."""

import math
import os

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

# 5,000 calls and more in all in the slow tier, which says so.
EXAMPLES = int(os.environ.get("EXAMPLES", "50"))
drawn = settings(
    max_examples=EXAMPLES, deadline=None, database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck))

FLOATS = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
OTHERS = [torch.int64, torch.int32, torch.uint8, torch.bool, torch.complex64]
SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-5, 1e-30, 100.0]


def numbers(shape, dtype, seed, scale=1.0, special=()):
    """A tensor of those numbers, some of them special."""
    g = torch.Generator().manual_seed(seed)
    t = torch.randn(shape, generator=g, dtype=torch.float64) * scale
    for n, value in enumerate(special):
        if n < t.numel():
            t.view(-1)[(seed + 3 * n) % t.numel()] = value
    if dtype == torch.bool:
        return t > 0
    if not dtype.is_floating_point and not dtype.is_complex:
        t = (t.nan_to_num(0, 9, -9) * 3).clamp(-9, 9)
        t = t.abs() if dtype == torch.uint8 else t
    return t.to(dtype)


def laid_out(t, how):
    """The same numbers, elsewhere in memory: each way of lying there."""
    if how == "transposed" and t.dim() > 1:
        return t.transpose(0, -1).contiguous().transpose(0, -1)
    if how == "sliced" and t.dim():
        wide = torch.stack([t, t], -1)
        return wide[..., 0]
    if how == "expanded" and t.dim() and t.shape[0] > 0:
        return t[:1].expand(t.shape)
    return t


class Draws:
    """What a call may be made of."""

    def __init__(self, data):
        self.draw = data.draw
        self.dtype = self.draw(st.sampled_from(
            FLOATS[:2] * 4 + FLOATS[2:]), label="dtype")
        self.device = self.draw(st.sampled_from(["cpu"] * 9 + ["meta"]))

    def pick(self, *values):
        return self.draw(st.sampled_from(values))

    def often(self, share=6):
        return self.draw(st.integers(0, share)) > 0

    def size(self, low=0, high=4):
        return self.draw(st.integers(low if not self.often() else max(
            low, 1), high))

    def shape(self, low=0, high=3):
        return tuple(self.size() for _ in range(
            self.draw(st.integers(low, high))))

    def tensor(self, shape=None, dtype=None, want=True, special=True,
               calm=False):
        """A tensor; of floats it mostly wants a gradient.

        calm: of numbers that an exponential does not blow up.
        """
        shape = self.shape() if shape is None else shape
        dtype = dtype or self.dtype
        some = self.draw(st.lists(st.sampled_from(SPECIAL), max_size=2)) \
            if special and not calm and not self.often(3) else []
        t = numbers(shape, dtype, self.draw(st.integers(0, 99)),
                    self.pick(1.0, 1.0, 1.0, 1e-3, 1.0 if calm else 30.0),
                    some)
        t = laid_out(t, self.pick(
            "plain", "plain", "transposed", "sliced", "expanded"))
        t = t.to(self.device)
        return t.requires_grad_(
            want and t.is_floating_point() and self.often(4))

    def pair(self):
        """Two that broadcast, or a tensor and a number."""
        full = self.shape()
        if not self.often(5):
            return [self.tensor(full), self.number()]
        less = [n if self.often(2) else 1 for n in full]
        return [self.tensor(full),
                self.tensor(less[self.draw(st.integers(0, len(less))):])]

    def number(self):
        return self.pick(0, 1, 2, -1, 3, 0.5, -0.5, 1.5, 0.0, 1e-8, -2.5)

    def dim(self, t):
        return self.draw(st.integers(-t.dim(), max(0, t.dim() - 1)))

    def dims(self, t):
        return self.pick(None, self.dim(t), (self.dim(t),), (), [self.dim(t)],
                         tuple(range(t.dim())))

    def odd(self):
        """Something that hardly any argument should be.

        No tensor of another device: of torch's own operations some do not
        look, and what they read is chance.
        """
        return self.pick(
            None, True, False, 0, -1, 2, 7, 0.5, math.nan, "mean", "same",
            (1, 2), [0, 1], (), (1, 2, 3), 1j,
            torch.tensor([0, 1]), torch.tensor(1), torch.tensor(True),
            torch.ones(2), torch.ones(()), torch.ones(2, 3),
            torch.ones(2, dtype=torch.complex64), torch.ones(1, 3).double(),
            torch.ones(3).half(), torch.ones(3, requires_grad=True) * 1,
            np.ones(3), torch.nn.ReLU(),
            self.tensor(dtype=self.pick(*FLOATS, *OTHERS)))

    def twisted(self, args, names=(), fixed=False):
        """The call as it is, or one that is odd in one place.

        fixed: an operator, whose number of arguments Python knows.
        """
        args, kwargs = list(args), {}
        how = self.pick(*["plain"] * 5, "replace", *(
            ["replace"] if fixed else ["more", "name", "fewer"]))
        if how == "replace" and args:
            place = self.draw(st.integers(0, len(args) - 1))
            args[place] = self.odd()
        elif how == "more":
            args += [self.odd() for _ in range(self.pick(1, 1, 2, 3))]
        elif how == "fewer" and args:
            args.pop()
        elif how == "name" and names:
            kwargs[self.pick(*names)] = self.odd()
        return args, kwargs
