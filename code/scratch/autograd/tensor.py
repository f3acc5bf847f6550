# Tangled from book/12-autograd.qmd. Checksum f1fa004f.
import torch
import torch.nn.functional as F

from scratch.autograd.tape import accumulate, behind, run


class Tensor:
    """A tensor of torch, and beside it a gradient and a past."""

    def __init__(self, data, requires_grad=False):
        self.data = torch.as_tensor(data).detach()
        self.requires_grad = requires_grad
        self.grad = self.grad_fn = None
        if requires_grad and not self.data.is_floating_point():
            raise TypeError(f"no gradients for {self.dtype}")

    def backward(self, gradient=None, retain_graph=False):
        """Add to .grad of every leaf its share in self.

        gradient: that of self, of its shape; 1 for a single number.
        """
        if not self.requires_grad:
            raise RuntimeError("nothing here requires a gradient")
        if gradient is None and self.numel() == 1:
            gradient = torch.ones_like(self.data)
        if gradient is None or gradient.shape != self.shape:
            raise RuntimeError("backward needs a gradient of shape "
                               f"{list(self.shape)}")
        grads = {self.grad_fn or self: gradient}
        order = behind(self.grad_fn) if self.grad_fn else []
        run(order, grads, retain_graph)
        accumulate(grads)

    T = property(lambda self: self.transpose(0, 1))

    def __getitem__(self, index):
        def back(grad, shape, *_):
            places = torch.arange(shape.numel(), device=grad.device)
            places = places.reshape(shape)[index].flatten()
            d = grad.new_zeros(shape.numel())
            return d.index_add(0, places, grad.flatten()).reshape(shape)

        parts = index if isinstance(index, tuple) else (index,)
        return self.move(lambda x: x[index], back,
                         *filter(torch.is_tensor, parts))

    def sum(self, dim=None, keepdim=False):
        dim = tuple(range(self.dim())) if dim is None else dim
        total = self.move(lambda x: x.sum(dim, keepdim=True),
                          torch.Tensor.expand)
        return total if keepdim else total.squeeze(dim)

    def max(self, dim=None, keepdim=False):
        if dim is None:                          # ties share evenly
            ties = self.data == self.data.max()
            return self.move(torch.max,
                             lambda g, _: g * ties / ties.sum())
        at = self.data.max(dim, keepdim=True).indices
        best = self.move(
            lambda x: x.gather(dim, at),
            lambda g, shape: g.new_zeros(shape).scatter(dim, at, g))
        both = (best, at) if keepdim else (
            best.squeeze(dim), at.squeeze(dim))
        return torch.return_types.max(both)

    def pow(self, n):
        if isinstance(n, int | float):
            return self.power(n)
        return (self.log() * n).exp()            # of numbers above 0

    def __neg__(self):
        return self * -1

    def sub(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def div(self, other):
        return self * other ** -1

    def __rtruediv__(self, other):
        return self ** -1 * other

    __pow__, __sub__, __truediv__ = pow, sub, div

    def mean(self, dim=None, keepdim=False):
        total = self.sum(dim, keepdim)
        return total * (total.numel() / self.numel())

    def softmax(self, dim):
        e = (self - self.data.amax(dim, keepdim=True)).exp()
        return e / e.sum(dim, keepdim=True)

    def permute(self, *dims):
        dims = [d % len(dims) for d in dims]
        old = sorted(range(len(dims)), key=dims.__getitem__)
        return self.move(lambda x: x.permute(dims),
                         lambda grad, _: grad.permute(old))

    def transpose(self, a, b):
        def swap(x, _=None):
            return x.transpose(a, b)
        return self.move(swap, swap)

    def index_select(self, dim, index):
        return self[(slice(None),) * (dim % self.dim()) + (index,)]

    def chunk(self, chunks):
        size = -(-len(self) // chunks)
        return [self[i:i + size] for i in range(0, len(self), size)]

    def pad(self, amounts, mode="constant", value=None):
        if mode != "constant" or value:
            raise TypeError("pad adds zeros only")
        return self.move(lambda x: F.pad(x, amounts),
                         lambda g, _: F.pad(g, [-n for n in amounts]))

    shape = property(lambda self: self.data.shape)
    dtype = property(lambda self: self.data.dtype)
    device = property(lambda self: self.data.device)
    is_leaf = property(lambda self: self.grad_fn is None)

    def detach(self):
        """The same numbers, without their past."""
        return type(self)(self.data)

    def retain_grad(self):
        """Keep .grad here too, though this is no leaf."""
        if self.grad_fn:
            self.grad_fn.kept = self

    def sqrt(self):
        return self ** 0.5

    def clamp(self, min):
        return (self - min).relu() + min if min else self.relu()

    def addmm(self, a, b):
        return self + a @ b

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        own = getattr(cls, func.__name__, None)
        if own is None:
            raise TypeError(f"no backward for torch's {func.__name__}")
        first, *others = args
        first = first if isinstance(first, cls) else cls(first)
        return own(first, *others, **(kwargs or {}))


def shaped(name):
    """torch's method of that name, which changes only the shape."""
    return lambda self, *args: self.move(
        lambda x: getattr(x, name)(*args), torch.Tensor.reshape)


for name in ("reshape", "flatten", "unflatten", "squeeze"):
    setattr(Tensor, name, shaped(name))


def plain(a):
    """torch's tensor inside a Tensor; anything else as it is."""
    return a.data if isinstance(a, Tensor) else a


def passed_on(name):
    """torch's function of that name, on what is inside."""
    own = getattr(torch.Tensor, name, None) or getattr(torch, name)
    changes = name.endswith("_") and not name.endswith("__")

    def method(self, *args, **kwargs):
        if changes and self.requires_grad and torch.is_grad_enabled():
            raise RuntimeError(f"{name} would overwrite a recorded "
                               "tensor: do it in no_grad()")
        out = own(*map(plain, (self, *args)), **kwargs)
        return self if changes else out

    return method


PASSED_ON = """dim numel item tolist argmax zeros_like empty_like
    eq ne lt le gt ge __eq__ __ne__ __lt__ __le__ __gt__ __ge__
    __len__ __repr__ add_ mul_ copy_ zero_ addcdiv_"""

for name in PASSED_ON.split():
    setattr(Tensor, name, passed_on(name))


def adopt(module, kind):
    """Put a kind in the place of each Parameter; list them.

    module: of scratch.nn; kind: Tensor. The memory stays shared, so
    a state_dict taken before sees what is learned.
    """
    ours = {}
    for _, part in module.named_modules():
        for name, value in vars(part).items():
            if torch.is_tensor(value) and value.requires_grad:
                new = ours.setdefault(value, kind(value, True))
                vars(part)[name] = new
    return list(ours.values())
