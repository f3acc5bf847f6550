# Tangled from book/12-autograd.qmd. Checksum 31e8f423.
"""An engine for gradients: tensors, and the tape that they are on."""

from scratch.autograd.function import (
    Add, CrossEntropy, Div, Exp, Function, Log, MatMul, Move, Mul,
    Pow, Relu, Sub)
from scratch.autograd.tape import Context, no_grad
from scratch.autograd.tensor import Tensor

__all__ = ["Function", "Tensor", "no_grad"]
