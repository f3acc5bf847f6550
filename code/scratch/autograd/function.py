# Tangled from book/12-autograd.qmd. Checksum a39d3a54.
import torch

from scratch.autograd.tape import Context
from scratch.autograd.tensor import MIXED, Tensor, plain
from scratch.backward import loss_and_push, relu_backward
from scratch.functional import check_targets, relu


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
        if not torch.is_tensor(out):
            raise TypeError(f"{cls.__name__}.forward returned a "
                            f"{type(out).__name__}, not one tensor")
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


class Sub(Function):
    """a - b; b gets the negative gradient."""
    def forward(ctx, a, b):
        return a - b

    def backward(ctx, grad):
        return grad, -grad


class Div(Function):
    """a / b; the slopes are 1 / b and -a / b ** 2."""
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a / b

    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        need_a, need_b = ctx.needs_input_grad
        return (grad / b if need_a else None,
                -grad * (a / b / b) if need_b else None)


class Pow(Function):
    """a ** n for a number n; the slope is n * a ** (n - 1)."""
    def forward(ctx, a, n):
        if isinstance(n, bool) or not isinstance(n, int | float):
            raise TypeError("the exponent must be a number")
        ctx.save_for_backward(a, n)
        return a ** n

    def backward(ctx, grad):
        a, n = ctx.saved_tensors
        slope = n * a ** (n - 1) if n else torch.zeros_like(a)
        return grad * slope, None


class Sqrt(Function):
    """The root; the slope is half its inverse."""
    def forward(ctx, x):
        out = x.sqrt()
        ctx.save_for_backward(out)
        return out

    def backward(ctx, grad):
        return grad / (2 * ctx.saved_tensors[0])


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
        if not (torch.is_tensor(a) and torch.is_tensor(b)
                and min(a.dim(), b.dim()) >= 2):
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
    """scratch.backward.loss_and_push, for targets [N], int64."""
    def forward(ctx, logits, targets):
        check_targets(logits, targets)
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
        grad = ctx.back(grad, ctx.shape, *ctx.saved_tensors)
        return grad, *[None] * (len(ctx.inputs) - 1)


NAMES = {
    Add: "add __add__ __radd__", Mul: "mul __mul__ __rmul__",
    Sub: "sub __sub__", Div: "div __truediv__",
    Pow: "pow __pow__", Sqrt: "sqrt", Exp: "exp", Log: "log",
    MatMul: "matmul __matmul__", Relu: "relu",
    CrossEntropy: "cross_entropy", Move: "move",
}

for rule, names in NAMES.items():
    MIXED.update(names.split())
    for name in names.split():
        setattr(Tensor, name, rule.method())

Tensor.__rsub__ = lambda self, other: Sub.apply(other, self)
