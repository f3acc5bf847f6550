# Tangled from book/12-autograd.qmd. Checksum e01d69ff.
import torch

from scratch.backward import loss_and_push, relu_backward
from scratch.functional import relu
from scratch.methods import Methods, passed_on, plain, shaped
from scratch.tape import Context, accumulate, behind, no_grad, run

__all__ = ["Function", "Tensor", "no_grad"]


class Function(Context):
    """An operation: forward(ctx, ...) on tensors of torch, and
    backward(ctx, grad) -> the gradients of its arguments."""

    @classmethod
    def apply(cls, *args):
        """Compute, and record where an argument wants a gradient."""
        ctx, inside = cls(), [plain(a) for a in args]
        ctx.needs_input_grad = [
            isinstance(a, Tensor) and a.requires_grad for a in args]
        try:
            out = ctx.forward(*inside)
        except RuntimeError as error:
            shapes = [list(a.shape) for a in inside
                      if torch.is_tensor(a)]
            raise RuntimeError(
                f"{cls.__name__} of {shapes}: {error}") from error
        if out.requires_grad:
            raise TypeError("torch records this: wrap it in a Tensor")
        out = Tensor(out)
        if any(ctx.needs_input_grad) and torch.is_grad_enabled():
            ctx.record(args, out)
        return out

    @classmethod
    def method(cls):
        """apply, as a method of Tensor."""
        return lambda *args: cls.apply(*args)


class Add(Function):
    """a + b; each argument gets the gradient as it is."""
    def forward(ctx, a, b):
        return a + b

    def backward(ctx, grad):
        return grad, grad


class Mul(Function):
    """a * b; each gets the gradient times the other."""
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a * b

    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        return grad * b, grad * a


class Pow(Function):
    """a ** n for a number n; the slope is n * a ** (n - 1)."""
    def forward(ctx, a, n):
        ctx.save_for_backward(a, n)
        return a ** n

    def backward(ctx, grad):
        a, n = ctx.saved_tensors
        return grad * (n * a ** (n - 1) if n else torch.zeros_like(a))


class Exp(Function):
    """The exponential, which is its own slope."""
    def forward(ctx, x):
        out = x.exp()
        ctx.save_for_backward(out)
        return out

    def backward(ctx, grad):
        return grad * ctx.saved_tensors[0]


class Log(Function):
    """The natural logarithm; the slope is 1 / x."""
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.log()

    def backward(ctx, grad):
        return grad / ctx.saved_tensors[0]


class MatMul(Function):
    """a @ b [..., n, k] @ [..., k, m]; see linear_backward."""
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
    """relu and relu_backward of Chapters 2 and 4."""
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return relu(x)

    def backward(ctx, grad):
        return relu_backward(ctx.saved_tensors[0], grad)


class CrossEntropy(Function):
    """loss_and_push of Chapter 4, for targets [N], int64."""
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


class Leaf(Methods):
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


class Moving(Leaf):
    """What copies numbers, takes some, or adds some up."""

    move, reshape = Move.method(), shaped("reshape")
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


class Tensor(Moving):
    """torch's arithmetic, recorded on a tape of our own."""

    add = __add__ = __radd__ = Add.method()
    mul = __mul__ = __rmul__ = Mul.method()
    matmul = __matmul__ = MatMul.method()
    exp, log, relu = Exp.method(), Log.method(), Relu.method()
    cross_entropy = CrossEntropy.method()
    __eq__, __ne__, __lt__, __le__, __gt__, __ge__ = map(
        passed_on, ("eq", "ne", "lt", "le", "gt", "ge"))
    __hash__ = object.__hash__

    def pow(self, n):
        if isinstance(n, int | float):
            return Pow.apply(self, n)
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
