# Tangled from book/12-autograd.qmd. Checksum 5418a8ed.
import torch
import torch.nn.functional as F


def plain(a):
    """torch's tensor inside a Tensor; anything else as it is."""
    return a.data if isinstance(a, Methods) else a


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


def shaped(name):
    """torch's method of that name, which changes only the shape."""
    return lambda self, *args: self.move(
        lambda x: getattr(x, name)(*args), torch.Tensor.reshape)


class Shapes:
    """What moves numbers, named as in torch."""

    flatten, unflatten, squeeze = map(
        shaped, ("flatten", "unflatten", "squeeze"))

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


class Methods(Shapes):
    """What this book asks of a tensor, beside the operations."""

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


PASSED_ON = """dim numel item tolist argmax zeros_like empty_like
    eq ne lt le gt ge __len__ __repr__ add_ mul_ copy_ zero_ addcdiv_"""

for name in PASSED_ON.split():
    setattr(Methods, name, passed_on(name))


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
