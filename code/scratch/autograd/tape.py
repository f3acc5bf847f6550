# Tangled from book/12-autograd.qmd. Checksum bfd0c9bb.
from functools import wraps
from inspect import isgeneratorfunction
from itertools import count

import torch


class Context:
    """One operation on the tape, and what it keeps."""

    saved = ()

    def save_for_backward(self, *values):
        """Keep them, and how often each was changed so far.

        Raises TypeError for what could change without being counted.
        """
        for v in values:
            if not isinstance(v, torch.Tensor | float | int | None):
                raise TypeError(f"a {type(v).__name__} cannot be "
                                "guarded: save a tensor or a number")
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
            self.inputs.append((a.grad_fn or a, a.shape, a.device)
                               if needed else (None, None, None))
        out.grad_fn = self

    def share(self, grad):
        """Pairs of where an argument came from, and its gradient.

        RuntimeError unless backward returned one for each argument,
        TypeError for one that is no tensor of grad's dtype or None.
        """
        parts, name = self.backward(grad), type(self).__name__
        parts = parts if isinstance(parts, tuple) else (parts,)
        if len(parts) != len(self.inputs):
            raise RuntimeError(f"{name}.backward returned {len(parts)} "
                               f"gradients for {len(self.inputs)} "
                               "arguments: None where none is wanted")
        for (source, shape, device), part in zip(
                self.inputs, parts, strict=True):
            if source is None or part is None:
                continue
            if not torch.is_tensor(part) or part.dtype != grad.dtype:
                kind = getattr(part, "dtype", type(part).__name__)
                raise TypeError(f"{name}.backward returned a gradient "
                                f"of {kind}, not {grad.dtype}")
            yield source, part.sum_to_size(shape).to(device)


class no_grad:
    """Record nothing: in a with block, or as a decorator."""

    def __enter__(self):
        self.before = torch.is_grad_enabled()
        torch.set_grad_enabled(False)

    def __exit__(self, *error):
        torch.set_grad_enabled(self.before)

    def __call__(self, act):
        if isgeneratorfunction(act):             # runs after the call
            raise TypeError("say with no_grad() inside the generator")

        @wraps(act)
        def quiet(*args, **kwargs):
            with no_grad():
                return act(*args, **kwargs)
        return quiet


def behind(node):
    """node and the operations that led to it, the youngest first."""
    found, stack = {node}, [node]
    while stack:
        inputs = stack.pop().inputs
        if inputs is None:
            raise RuntimeError("this tape was freed: pass "
                               "retain_graph=True the first time")
        new = {n for n, *_ in inputs if isinstance(n, Context)} - found
        found |= new
        stack += new
    return sorted(found, key=lambda n: n.number, reverse=True)


def run(order, grads, retain_graph):
    """Hand each operation's gradient on to where it came from.

    grads: the first one, by its operation. Those of the leaves are
    left in it.
    """
    for node in order:
        grad = grads.pop(node, None)             # None: none arrived
        if grad is not None:
            result = node.kept() if node.kept else None
            if result is not None:
                accumulate(result, grad)
            for source, part in node.share(grad):
                grads[source] = (
                    grads[source] + part if source in grads else part)
        if not retain_graph:
            vars(node).clear()                   # inputs: None again


def accumulate(tensor, grad):
    """Add a gradient to the .grad of its tensor."""
    if tensor.grad is None:
        tensor.grad = grad.clone()
    else:
        tensor.grad.add_(grad)
