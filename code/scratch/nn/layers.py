# Tangled from book/10-nn.qmd. Checksum 6883d986.
import math
from operator import index

import torch

from scratch.nn.module import Module, Parameter
from scratch.shapes import shapes


class Sequential(Module):
    """Modules, each applied to what the one before returned."""

    def __init__(self, *layers):
        for i, layer in enumerate(layers):
            if not isinstance(layer, Module):
                raise TypeError(f"layer {i}, a {type(layer).__name__}, "
                                "is no Module of scratch.nn")
            setattr(self, str(i), layer)

    def layers(self):
        """All of them, in order."""
        return [m for m in vars(self).values() if isinstance(m, Module)]

    def __iter__(self):
        return iter(self.layers())

    def __len__(self):
        return len(self.layers())

    def __getitem__(self, i):
        return self.layers()[index(i)]

    def forward(self, x):
        """x through all of them, in order."""
        for layer in self.layers():
            x = layer(x)
        return x


def uniform(shape, edge, **kind):
    """A Parameter with numbers drawn evenly from -edge to edge."""
    return Parameter(torch.empty(shape, **kind).uniform_(-edge, edge))


def first_weights(shape, bias, **kind):
    """weight of that shape and bias [shape[0]] or None, as torch's.

    Uniform within 1 / sqrt(fan_in), where fan_in is how many
    products one output adds up. Raises ValueError for a size of 0.
    """
    if min(shape) < 1:
        raise ValueError(f"sizes {shape}: each must be at least 1")
    fan_in = math.prod(shape[1:])
    gain = math.sqrt(2 / (1 + math.sqrt(5) ** 2))
    edge = math.sqrt(3) * (gain / math.sqrt(fan_in))
    weight = uniform(shape, edge, **kind)
    if not bias:
        return weight, None
    return weight, uniform(shape[:1], 1 / math.sqrt(fan_in), **kind)


@shapes
def linear(x, weight, bias=None):
    """x [..., in], weight [out, in], bias [out] -> [..., out]."""
    *many, fan_in = x.shape
    rows = x.reshape(math.prod(many), fan_in)    # [n, in]
    if bias is None:
        out = rows @ weight.T                    # [n, out]
    else:
        out = torch.addmm(bias, rows, weight.T)  # [n, out]
    return out.reshape(*many, weight.shape[0])


class Linear(Module):
    """Weighted sums, as torch.nn.Linear: weight [out, in]."""

    def __init__(self, in_features, out_features, bias=True,
                 device=None, dtype=None):
        self.weight, bias = first_weights(
            (out_features, in_features), bias,
            device=device, dtype=dtype,
        )
        self.register_parameter("bias", bias)

    def forward(self, x):
        """x [..., in] -> [..., out]."""
        return linear(x, self.weight, self.bias)


class ReLU(Module):
    """Zero where x is negative. Its slope at zero is zero too."""

    @shapes
    def forward(self, x):
        """x [...] -> [...], the same shape."""
        return x.relu()


class Dropout(Module):
    """While training, zero with probability p, else x / (1 - p).

    Srivastava et al. (2014), as torch.nn.Dropout. Raises ValueError
    for p outside [0, 1].
    """

    def __init__(self, p=0.5):
        if not 0 <= p <= 1:
            raise ValueError(f"p is {p}, not from 0 to 1")
        self.p = p

    @shapes
    def forward(self, x):
        """x [...] -> [...], the same shape."""
        if not self.training or self.p == 0:
            return x
        if self.p == 1:
            return x * 0.0
        keep = torch.empty_like(x).bernoulli_(1 - self.p)
        return x * (keep / (1 - self.p))
