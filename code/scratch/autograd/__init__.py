# Tangled from book/12-autograd.qmd. Checksum 6d6501f3.
"""An engine for gradients: tensors, and the tape that they are on."""

from scratch.autograd.function import (
    Add, CrossEntropy, Div, Exp, Function, Log, MatMul, Move, Mul,
    Pow, Relu, Sqrt, Sub)
from scratch.autograd.tape import Context, no_grad
from scratch.autograd.tensor import Tensor

__all__ = ["Function", "Tensor", "no_grad"]
