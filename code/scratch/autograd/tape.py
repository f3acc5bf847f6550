# Tangled from book/12-autograd.qmd. Checksum 9b8aa60e.
from contextlib import contextmanager
from itertools import count

import torch


class Context:
    """One operation on the tape, and what it keeps."""

    saved = ()

    def save_for_backward(self, *values):
        """Keep them, and how often each was changed so far."""
        self.saved = [(v, getattr(v, "_version", 0)) for v in values]

    @property
    def saved_tensors(self):
        """The kept ones. RuntimeError if one was changed since."""
        for v, version in self.saved:
            if getattr(v, "_version", 0) != version:
                raise RuntimeError(f"{type(self).__name__} saved "
                                   f"{list(v.shape)} numbers that were "
                                   "changed in place since")
        return [v for v, _ in self.saved]

    inputs = kept = None                         # inputs None: freed
    numbers = count()

    def record(self, args, out):
        """Tie out to this operation, and this to its arguments."""
        self.number, self.inputs = next(Context.numbers), []
        for a, needed in zip(args, self.needs_input_grad, strict=True):
            if needed and a.dtype != out.dtype:
                raise TypeError(f"{a.dtype} would become {out.dtype}")
            self.inputs.append(
                (a.grad_fn or a, a.shape) if needed else (None, None))
        out.requires_grad, out.grad_fn = True, self


@contextmanager
def no_grad():
    """Record nothing: in a with block, or as a decorator."""
    before = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    try:
        yield
    finally:
        torch.set_grad_enabled(before)


def behind(node):
    """node and the operations that led to it, the youngest first."""
    found, stack = {node}, [node]
    while stack:
        inputs = stack.pop().inputs
        if inputs is None:
            raise RuntimeError("this tape was freed: pass "
                               "retain_graph=True the first time")
        new = {n for n, _ in inputs if isinstance(n, Context)} - found
        found |= new
        stack += new
    return sorted(found, key=lambda n: n.number, reverse=True)


def run(order, grads, retain_graph):
    """Hand each operation's gradient on to where it came from.

    grads: the first one, by its operation. Those of the leaves are
    left in it.
    """
    for node in order:
        grad = grads.pop(node)
        if node.kept is not None:
            node.kept.grad = grad
        parts = node.backward(grad)
        parts = (parts,) if torch.is_tensor(parts) else parts
        for (source, shape), part in zip(
                node.inputs, parts, strict=False):
            if source is not None:
                part = part.sum_to_size(shape)
                grads[source] = (
                    grads[source] + part if source in grads else part)
        if not retain_graph:
            vars(node).clear()                   # inputs: None again


def accumulate(grads):
    """Add each gradient to the .grad of its leaf."""
    for leaf, grad in grads.items():
        leaf.grad = (
            grad.clone() if leaf.grad is None else leaf.grad + grad)
