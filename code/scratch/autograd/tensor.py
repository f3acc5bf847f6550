# Tangled from book/12-autograd.qmd. Checksum c10e4a29.
from itertools import accumulate as accumulated
from itertools import pairwise
from weakref import ref

import torch
import torch.nn.functional as F

from scratch.autograd.tape import accumulate, behind, run
from scratch.nn.module import Parameter


class Tensor:
    """A tensor of torch, and beside it a gradient and a past."""

    def __init__(self, data, requires_grad=False):
        if isinstance(data, Tensor):
            raise TypeError("this is a Tensor already")
        data = torch.as_tensor(data)
        if not data.is_floating_point():
            raise TypeError(f"no gradients for {data.dtype}: leave it "
                            "a tensor of torch")
        if data.grad_fn is not None:
            raise TypeError("torch records this: detach() it first")
        self.data, self.grad_fn = data.detach(), None
        self._wanted, self._grad = requires_grad, None

    def backward(self, gradient=None, retain_graph=False):
        """Add to .grad of every leaf its share in self.

        gradient: that of self, of its shape and dtype; 1 for a
        single number.
        """
        if not self.requires_grad:
            raise RuntimeError("nothing here requires a gradient")
        if gradient is None and self.numel() == 1:
            gradient = torch.ones_like(self.data)
        if not self.is_like(gradient):
            raise RuntimeError("backward needs a gradient of shape "
                               f"{list(self.shape)}, {self.dtype}")
        grads = {self.grad_fn or self: gradient}
        order = behind(self.grad_fn) if self.grad_fn else []
        run(order, grads, retain_graph)
        for leaf, grad in grads.items():
            accumulate(leaf, grad)

    def is_like(self, t):
        """Whether t is a tensor of torch that could be its gradient."""
        return torch.is_tensor(t) and (t.shape, t.dtype, t.device) == (
            self.shape, self.dtype, self.device)

    def sum(self, *dim, **more):
        return self.move(
            lambda x: x.sum(*dim, **more),
            lambda g, shape: copied(g, shape, *dim, **more))

    def mean(self, *dim, **more):
        return self.move(
            lambda x: x.mean(*dim, **more),
            lambda g, shape: copied(g, shape, *dim, **more) / (
                shape.numel() / max(1, g.numel())))

    @property
    def T(self):
        if self.dim() != 2:
            raise RuntimeError(f"T of {list(self.shape)}: no matrix")
        return self.transpose(0, 1)

    def __getitem__(self, index):
        parts = index if isinstance(index, tuple) else (index,)
        index = tuple(map(index_part, parts))

        def back(grad, shape, *_):
            places = torch.arange(shape.numel(), device=grad.device)
            places = places.reshape(shape)[index].flatten()
            d = grad.new_zeros(shape.numel())
            return d.index_add(0, places, grad.flatten()).reshape(shape)

        return self.move(lambda x: x[index], back,
                         *filter(torch.is_tensor, index))

    def max(self, *args, **kwargs):
        if args or kwargs:
            return self.max_along(*args, **kwargs)
        ties = same(self.data, self.data.max())
        return self.move(torch.max,              # they share evenly
                         lambda g, _: g * ties / ties.sum())

    def max_along(self, dim, keepdim=False):
        dim = whole(dim)
        if not isinstance(keepdim, bool):
            raise TypeError("keepdim is True or False, not "
                            f"{keepdim!r}")
        at = self.data.max(dim, keepdim=True).indices
        best = self.move(
            lambda x: x.gather(dim, at),
            lambda g, shape, at: g.new_zeros(shape).scatter(dim, at, g),
            at)
        both = (best, at) if keepdim else (
            best.squeeze(dim), at.squeeze(dim))
        return torch.return_types.max(both)

    def __neg__(self):
        return self * -1

    def __rtruediv__(self, number):
        return self ** -1 * number               # as torch has it

    def softmax(self, dim):
        dim = whole(dim)
        if not self.numel():
            return self.exp()                    # empty as well
        e = (self - self.data.amax(dim, keepdim=True)).exp()
        return e / e.sum(dim, keepdim=True)

    def permute(self, *dims):
        old = torch.tensor(dims).flatten().remainder(
            self.dim()).argsort().tolist()
        return self.move(lambda x: x.permute(*dims),
                         lambda grad, _: grad.permute(old))

    def transpose(self, a, b):
        def swap(x, _=None):
            return x.transpose(a, b)
        return self.move(swap, swap)

    def index_select(self, dim, index):
        def back(grad, shape, index):
            zeros = grad.new_zeros(shape)
            return zeros.index_add(dim, index, grad)
        return self.move(
            lambda x: x.index_select(dim, index), back, index)

    def chunk(self, chunks):
        sizes = map(len, torch.arange(len(self)).chunk(chunks))
        ends = [0, *accumulated(sizes)]
        return tuple(self[a:b] for a, b in pairwise(ends))

    def pad(self, amounts, mode="constant", value=None):
        if mode != "constant" or value:
            raise TypeError("pad adds zeros only")
        if not isinstance(amounts, tuple | list):
            raise TypeError(f"pad by a list, not {amounts!r}")
        amounts = tuple(amounts)
        return self.move(lambda x: F.pad(x, amounts),
                         lambda g, _: F.pad(g, [-n for n in amounts]))

    shape = property(lambda self: self.data.shape)
    dtype = property(lambda self: self.data.dtype)
    device = property(lambda self: self.data.device)
    is_leaf = property(lambda self: self.grad_fn is None)

    @property
    def requires_grad(self):
        return self.grad_fn is not None or self._wanted

    @requires_grad.setter
    def requires_grad(self, wanted):
        if self.grad_fn is not None:
            raise RuntimeError("only a leaf can be told: use detach()")
        self._wanted = wanted

    @property
    def grad(self):
        return self._grad

    @grad.setter
    def grad(self, grad):
        if grad is not None and not self.is_like(grad):
            raise TypeError("a gradient must be a tensor of torch, "
                            f"{list(self.shape)}, {self.dtype}")
        self._grad = grad

    def detach(self):
        """The same numbers, without their past: a tensor of torch."""
        return self.data

    def retain_grad(self):
        """Keep .grad here too, though this is no leaf."""
        if not self.requires_grad:
            raise RuntimeError("nothing here requires a gradient")
        if self.grad_fn:
            self.grad_fn.kept = ref(self)        # holds it not alive

    def __iter__(self):
        return iter([self[i] for i in range(len(self))])

    def clamp(self, min):
        if not isinstance(min, int | float):
            raise TypeError("clamp takes one number, min")
        if min == 0 and not self.data.isnan().any():
            return self.relu()
        above = self.data > min
        return self.move(lambda x: x.clamp(min),
                         lambda g, _: torch.where(above, g, 0))

    def addmm(self, a, b):
        out = a @ b
        shape = torch.broadcast_shapes(self.shape, out.shape)
        if out.dim() != 2 or shape != out.shape:
            raise RuntimeError("addmm needs matrices, and what is added"
                               f" must fit {list(out.shape)}")
        return self + out

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        own = getattr(cls, func.__name__, None)
        if not callable(own):
            raise TypeError(f"no backward for torch's {func.__name__}")
        if not args or not (isinstance(args[0], cls)
                            or func.__name__ in MIXED):
            raise TypeError(f"{func.__name__} of torch needs a Tensor "
                            "of ours in the first place")
        return own(*args, **(kwargs or {}))


def shaped(name):
    """torch's method of that name, which changes only the shape."""
    return lambda self, *args: self.move(
        lambda x: getattr(x, name)(*args), torch.Tensor.reshape)


for name in ("reshape", "flatten", "unflatten", "squeeze"):
    setattr(Tensor, name, shaped(name))


def copied(grad, shape, dim=None, *more, **others):
    """The gradient of a sum over dim, copied to the old shape."""
    kept = torch.empty(shape, device="meta").sum(dim, keepdim=True)
    return grad.reshape(kept.shape).expand(shape)


def index_part(part):
    """A part of an index, as it is now: a list could change."""
    if isinstance(part, Tensor):
        raise TypeError("an index is a tensor of torch, not a Tensor")
    if torch.is_tensor(part) or not hasattr(part, "__len__"):
        return part
    if any(hasattr(p, "__len__") and not torch.is_tensor(p)
           for p in part):
        raise TypeError("a list in a list is no index: make a tensor")
    part = torch.tensor(part, dtype=None if len(part) else torch.int64)
    if part.is_floating_point():
        raise TypeError("an index holds whole numbers or bools")
    return part


def whole(dim):
    """A number of a dimension. TypeError for anything else."""
    if type(dim) is not int:
        raise TypeError(f"dim is {dim!r}, not a whole number")
    return dim


def same(a, b):
    """Where two tensors are equal, or both are NaN."""
    return (a == b) | (a.isnan() & b.isnan())


def plain(a):
    """torch's tensor inside a Tensor; anything else as it is, but
    TypeError for an array, which would take over."""
    if isinstance(a, Tensor):
        return a.data
    if not torch.is_tensor(a) and getattr(a, "ndim", 0):
        raise TypeError("make the array a tensor first")
    return a


def passed_on(name):
    """torch's function of that name, on what is inside."""
    own = getattr(torch.Tensor, name, None) or getattr(torch, name)
    changes = name[:3] == "__i" or name.strip("_") + "_" == name

    def method(self, *args, **kwargs):
        given = [self, *args, *kwargs.values()]
        if changes and torch.is_grad_enabled() and any(
                getattr(a, "requires_grad", False) for a in given):
            raise RuntimeError(f"{name} is not recorded, and a gradient"
                               " would be lost: do it in no_grad()")
        out = own(*map(plain, (self, *args)),
                  **{n: plain(a) for n, a in kwargs.items()})
        done = changes and out is not NotImplemented
        return self if done else out

    return method


PASSED_ON = """dim numel item tolist argmax zeros_like empty_like
    eq ne lt le gt ge __eq__ __ne__ __lt__ __le__ __gt__ __ge__
    __len__ __bool__ __contains__ __repr__ add_ mul_ copy_ zero_
    addcdiv_ __iadd__ __isub__ __imul__ __itruediv__ __ipow__"""

for name in PASSED_ON.split():
    setattr(Tensor, name, passed_on(name))

# The first argument of these may be a tensor of torch.
MIXED = {"addmm", *PASSED_ON.split()}


def adopt(module, kind):
    """Put a kind in the place of each Parameter; list them.

    module: of scratch.nn; kind: Tensor. The memory stays shared, so
    a state_dict taken before sees what is learned.
    """
    ours = {}
    for _, part in module.named_modules():
        for name, value in part.named(Parameter):
            if torch.is_tensor(value) and value.requires_grad:
                new = ours.setdefault(value, kind(value, True))
                vars(part)[name] = new
    return list(ours.values())
