# Tangled from book/10-nn.qmd. Checksum f1595826.
"""What torch.nn adds: a Module, and layers made of it."""

from scratch.nn.batchnorm import BatchNorm1d
from scratch.nn.conv import Conv2d, conv2d, pair, window_numbers
from scratch.nn.layers import (
    Dropout, Linear, ReLU, Sequential, first_weights, linear,
    uniform)
from scratch.nn.module import Handle, Module, Parameter, join
from scratch.nn.multihead import (
    MultiheadAttention, additive, attention, fit_mask)
