# Tangled from book/12-autograd.qmd. Checksum 2a64478b.
from collections import namedtuple
from contextlib import contextmanager
from itertools import count

import torch
import torch.nn.functional as F

from scratch.backward import loss_and_push, relu_backward
from scratch.functional import relu


class Context:
    """One operation on the tape, and what its backward needs."""

    inputs = kept = None                         # inputs None: freed
    saved = ()

    def save_for_backward(self, *values):
        """Keep them, and how often each was changed so far."""
        self.saved = [(v, getattr(v, "_version", 0)) for v in values]

    @property
    def saved_tensors(self):
        """The kept ones. RuntimeError if one was changed since."""
        for v, version in self.saved:
            if getattr(v, "_version", 0) != version:
                raise RuntimeError(f"{self.function.__name__} saved "
                                   f"{list(v.shape)} numbers that were "
                                   "changed in place since")
        return [v for v, _ in self.saved]


class Tape:
    """Whether operations are recorded, and the next one's number."""

    on, numbers = True, count()


@contextmanager
def no_grad():
    """Record nothing: in a with block, or as a decorator."""
    before, Tape.on = Tape.on, False
    try:
        yield
    finally:
        Tape.on = before


def record(ctx, args, out):
    """Tie out to its operation, and that to where args are from."""
    ctx.number, ctx.inputs = next(Tape.numbers), []
    for a, needed in zip(args, ctx.needs_input_grad, strict=True):
        if needed and a.dtype != out.dtype:
            raise TypeError(f"{a.dtype} would become {out.dtype}")
        ctx.inputs.append(
            (a.grad_fn or a, a.shape) if needed else (None, None))
    out.requires_grad, out.grad_fn = True, ctx


def plain_of(a):
    """torch's tensor inside a Tensor; anything else as it is."""
    return a.data if isinstance(a, Tensor) else a


class Function:
    """An operation: forward(ctx, ...) on tensors of torch, and
    backward(ctx, grad) -> the gradients of its arguments."""

    @classmethod
    def apply(cls, *args):
        """Compute, and record where an argument wants a gradient."""
        ctx = Context()
        ctx.function = cls
        ctx.needs_input_grad = needs = [
            isinstance(a, Tensor) and a.requires_grad for a in args]
        plain = [plain_of(a) for a in args]
        try:
            out = cls.forward(ctx, *plain)
        except RuntimeError as error:
            shapes = [list(p.shape) for p in plain
                      if torch.is_tensor(p)]
            message = f"{cls.__name__} of {shapes}: {error}"
            raise RuntimeError(message) from error
        if out.requires_grad:
            raise TypeError("torch records this: wrap it in a Tensor")
        out = Tensor(out)
        if any(needs) and Tape.on and torch.is_grad_enabled():
            record(ctx, args, out)
        return out

    @classmethod
    def method(cls):
        """apply, as a method of Tensor."""
        return lambda *args: cls.apply(*args)


class Add(Function):
    """a + b."""

    def forward(ctx, a, b):
        return a + b

    def backward(ctx, grad):
        return grad, grad


class Mul(Function):
    """a * b."""

    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a * b

    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return grad * b, grad * a


class Pow(Function):
    """a ** n."""

    def forward(ctx, a, n):
        ctx.save_for_backward(a, n)
        return a ** n

    def backward(ctx, grad):
        a, n = ctx.saved_tensors
        return grad * (n * a ** (n - 1) if n else torch.zeros_like(a))


class Exp(Function):
    """e ** x."""

    def forward(ctx, x):
        out = x.exp()
        ctx.save_for_backward(out)
        return out

    def backward(ctx, grad):
        return grad * ctx.saved_tensors[0]


class Log(Function):
    """The natural logarithm of x."""

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.log()

    def backward(ctx, grad):
        return grad / ctx.saved_tensors[0]


class MatMul(Function):
    """a @ b, of matrices or of stacks of them."""

    def forward(ctx, a, b):
        if min(a.dim(), b.dim()) < 2:
            raise RuntimeError("@ needs matrices")
        ctx.save_for_backward(a, b)
        return a @ b

    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        need_a, need_b = ctx.needs_input_grad
        return (grad @ b.mT if need_a else None,
                a.mT @ grad if need_b else None)


class Relu(Function):
    """Zero where x is negative, x elsewhere."""

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return relu(x)

    def backward(ctx, grad):
        return relu_backward(ctx.saved_tensors[0], grad)


class CrossEntropy(Function):
    """The mean of -log(probability of the right class)."""

    def forward(ctx, logits, targets):
        loss, push = loss_and_push(logits, targets)
        ctx.save_for_backward(push)
        return loss

    def backward(ctx, grad):
        return grad * ctx.saved_tensors[0], None


class Move(Function):
    """Copies numbers or adds them up: `go` there, and `back` from
    a gradient and the old shape. used: must not change meanwhile."""

    def forward(ctx, x, go, back, *used):
        ctx.back, ctx.shape = back, x.shape
        ctx.save_for_backward(*used)
        return go(x)

    def backward(ctx, grad):
        return ctx.back(grad, ctx.shape, *ctx.saved_tensors)


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
    """Hand each operation's gradient on to where it came from."""
    for node in order:
        grad = grads.pop(node)
        if node.kept is not None:
            node.kept.grad = grad
        parts = node.function.backward(node, grad)
        parts = (parts,) if torch.is_tensor(parts) else parts
        for (source, shape), part in zip(
                node.inputs, parts, strict=False):
            if source is None:
                continue
            if part.shape != shape:
                part = part.sum_to_size(shape)
            if isinstance(source, Tensor):
                source.accumulate(part)
            elif source in grads:
                grads[source] = grads[source] + part
            else:
                grads[source] = part
        if not retain_graph:
            vars(node).clear()                   # inputs: None again


class Leaf:
    """A tensor of torch, and beside it a gradient and a past."""

    def __init__(self, data, requires_grad=False):
        self.data = torch.as_tensor(data).detach()
        self.requires_grad = requires_grad
        self.grad = self.grad_fn = None
        if requires_grad and not self.data.is_floating_point():
            raise TypeError(f"no gradients for {self.dtype}")

    is_leaf = property(lambda self: self.grad_fn is None)
    shape = property(lambda self: self.data.shape)
    dtype = property(lambda self: self.data.dtype)
    device = property(lambda self: self.data.device)

    def accumulate(self, grad):
        """Add to .grad, which is a tensor of torch."""
        new = grad.clone() if self.grad is None else self.grad + grad
        self.grad = new

    def backward(self, gradient=None, retain_graph=False):
        """Add to .grad of every leaf its share in self.

        gradient: that of self, of its shape; 1 for a single number.
        """
        if not self.requires_grad:
            raise RuntimeError("nothing here requires a gradient")
        if gradient is None and self.data.numel() == 1:
            gradient = torch.ones_like(self.data)
        if gradient is None or gradient.shape != self.shape:
            raise RuntimeError("backward needs a gradient of shape "
                               f"{list(self.shape)}")
        if self.grad_fn is None:
            self.accumulate(gradient)
        else:
            order = behind(self.grad_fn)
            run(order, {self.grad_fn: gradient}, retain_graph)

    def detach(self):
        """The same numbers, without their past."""
        return Tensor(self.data)

    def retain_grad(self):
        """Keep .grad here too, though this is no leaf."""
        if self.grad_fn:
            self.grad_fn.kept = self


def shaped(name):
    """torch's method of that name, which changes only the shape."""
    return lambda self, *args: Move.apply(
        self, lambda x: getattr(x, name)(*args), torch.Tensor.reshape)


class Shapes(Leaf):
    """What moves numbers or adds them up, named as in torch."""

    reshape, flatten, unflatten, squeeze = map(
        shaped, ("reshape", "flatten", "unflatten", "squeeze"))
    T = property(lambda self: self.transpose(0, 1))

    def permute(self, *dims):
        dims = [d % len(dims) for d in dims]
        old = sorted(range(len(dims)), key=dims.__getitem__)
        return Move.apply(self, lambda x: x.permute(dims),
                          lambda grad, _: grad.permute(old))

    def transpose(self, a, b):
        def swap(x, _=None):
            return x.transpose(a, b)
        return Move.apply(self, swap, swap)

    def sum(self, dim=None, keepdim=False):
        total = Move.apply(self, lambda x: x.sum(dim, keepdim=True),
                           torch.Tensor.expand)
        if keepdim:
            return total
        return total.squeeze() if dim is None else total.squeeze(dim)

    def mean(self, dim=None, keepdim=False):
        total = self.sum(dim, keepdim)
        return total * (total.data.numel() / self.data.numel())


Extreme = namedtuple("Extreme", "values indices")


class Picks(Shapes):
    """What takes some of the numbers, named as in torch."""

    def __getitem__(self, index):
        def back(grad, shape, *_):
            d = grad.new_zeros(shape.numel())
            places = torch.arange(len(d), device=d.device)
            places = places.reshape(shape)[index].flatten()
            return d.index_add(0, places, grad.flatten()).reshape(shape)

        parts = index if isinstance(index, tuple) else (index,)
        return Move.apply(self, lambda x: x[index], back,
                          *filter(torch.is_tensor, parts))

    def index_select(self, dim, index):
        return self[(slice(None),) * (dim % self.data.dim()) + (index,)]

    def chunk(self, chunks):
        size = -(-len(self.data) // chunks)
        return [self[i:i + size]
                for i in range(0, len(self.data), size)]

    def pad(self, amounts, mode="constant", value=None):
        if mode != "constant" or value:
            raise TypeError("pad adds zeros only")
        return Move.apply(self, lambda x: F.pad(x, amounts),
                          lambda g, _: F.pad(g, [-n for n in amounts]))

    def max(self, dim=None, keepdim=False):
        if dim is None:                          # ties share evenly
            ties = self.data == self.data.max()
            return Move.apply(self, torch.max,
                              lambda g, _: g * ties / ties.sum())
        at = self.data.max(dim, keepdim=True).indices
        best = Move.apply(
            self, lambda x: x.gather(dim, at),
            lambda g, shape: g.new_zeros(shape).scatter(dim, at, g))
        if keepdim:
            return Extreme(best, at)
        return Extreme(best.squeeze(dim), at.squeeze(dim))


class Tensor(Picks):
    """torch's arithmetic, recorded on a tape of our own."""

    add = __add__ = __radd__ = Add.method()
    mul = __mul__ = __rmul__ = Mul.method()
    matmul = __matmul__ = MatMul.method()
    exp, log, relu = Exp.method(), Log.method(), Relu.method()
    cross_entropy = CrossEntropy.method()

    def pow(self, n):
        if isinstance(n, int | float):
            return Pow.apply(self, n)
        return (self.log() * n).exp()            # of numbers above 0

    def __neg__(self):
        return self * -1

    def sub(self, other):
        return self + -other

    def div(self, other):
        return self * other ** -1

    def __rsub__(self, other):
        return -self + other

    def __rtruediv__(self, other):
        return self ** -1 * other

    def sqrt(self):
        return self ** 0.5

    def clamp(self, min):
        return (self - min).relu() + min if min else self.relu()

    def addmm(self, a, b):
        return self + a @ b

    def softmax(self, dim):
        e = (self - self.data.amax(dim, keepdim=True)).exp()
        return e / e.sum(dim, keepdim=True)

    __pow__, __sub__, __truediv__ = pow, sub, div

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        own = getattr(cls, func.__name__, None)
        if own is None:
            raise TypeError(f"no backward for torch's {func.__name__}")
        first, *others = args
        first = first if isinstance(first, cls) else cls(first)
        return own(first, *others, **(kwargs or {}))


def passed_on(name):
    """torch's function of that name, on what is inside."""
    own = getattr(torch.Tensor, name, None) or getattr(torch, name)
    changes = name.endswith("_") and not name.endswith("__")

    def method(self, *args, **kwargs):
        on = Tape.on and torch.is_grad_enabled()
        if changes and self.requires_grad and on:
            raise RuntimeError(f"{name} would overwrite a recorded "
                               "tensor: do it in no_grad()")
        plain = [plain_of(a) for a in (self, *args)]
        out = own(*plain, **kwargs)
        return self if changes else out

    return method


PASSED_ON = """dim numel item tolist argmax zeros_like empty_like
    eq ne lt le gt ge __len__ __eq__ __ne__ __lt__ __le__ __gt__
    __ge__ __repr__ add_ mul_ copy_ zero_ addcdiv_"""

for name in PASSED_ON.split():
    setattr(Tensor, name, passed_on(name))


def adopt(module):
    """Put a Tensor in the place of each Parameter; list them.

    module: of scratch.nn. The memory stays shared, so state_dict
    taken before sees what is learned.
    """
    ours = {}
    for _, part in module.named_modules():
        for name, value in vars(part).items():
            if torch.is_tensor(value) and value.requires_grad:
                new = ours.setdefault(value, Tensor(value, True))
                vars(part)[name] = new
    return list(ours.values())
