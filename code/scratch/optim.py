# Tangled from book/05-optimizers.qmd. Checksum 264157fc.
import torch


def check_not_negative(**numbers):
    """Raise ValueError for a number below 0 or NaN, TypeError for
    what is no number."""
    for name, number in numbers.items():
        if not isinstance(number, int | float):
            raise TypeError(f"{name} is {number!r}, not a number")
        if not number >= 0:
            raise ValueError(f"{name} is {number}, not 0 or more")


def list_of_leaves(params):
    """The parameters as a list of leaf tensors of floats.

    Raises TypeError for a single tensor and for anything else in the
    list, ValueError for none at all, for a tensor that is not a leaf
    and for one that is there twice.
    """
    if hasattr(params, "is_leaf"):
        raise TypeError("params is one tensor: put it in a list")
    params = list(params)
    if not params:
        raise ValueError("there are no parameters")
    for p in params:
        if not (hasattr(p, "is_leaf") and p.dtype.is_floating_point):
            raise TypeError("a parameter is no tensor of floats, "
                            f"but a {type(p).__name__}")
    if not all(p.is_leaf for p in params):
        raise ValueError("a parameter is not a leaf")
    if len({id(p) for p in params}) < len(params):
        raise ValueError("a parameter is there twice")
    return params


class Optimizer:
    """Holds the parameters, and clears their gradients.

    params: leaf tensors of floats, in a list or any other iterable,
    each once. Raises as list_of_leaves does.
    """

    def __init__(self, params):
        self.params = list_of_leaves(params)

    @torch.no_grad()
    def zero_grad(self, set_to_none=True):
        """Set each gradient to None, or else to zeros."""
        for p in self.params:
            if set_to_none:
                p.grad = None
            elif p.grad is not None:
                p.grad.zero_()


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked.

    v <- momentum * v + grad;  p <- p - lr * v
    As torch.optim.SGD. Raises ValueError for negative numbers.
    """

    def __init__(self, params, lr, momentum=0.0):
        check_not_negative(lr=lr, momentum=momentum)
        super().__init__(params)
        self.lr, self.momentum = lr, momentum
        self.velocity = {}                       # by parameter

    @torch.no_grad()
    def step(self):
        """Change every parameter that has a gradient, in place."""
        for p in self.params:
            if p.grad is None:
                continue
            if not self.momentum:
                v = p.grad
            elif p in self.velocity:
                v = self.velocity[p].mul_(self.momentum).add_(p.grad)
            else:
                v = self.velocity[p] = p.grad.clone()
            p.add_(v, alpha=-self.lr)


class Adam(Optimizer):
    """Steps along mean gradient / root of mean squared gradient.

    Kingma and Ba (2015), Algorithm 1, as torch.optim.Adam. Raises
    ValueError for a negative lr or eps, or a beta outside [0, 1).
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        beta1, beta2 = betas
        check_not_negative(lr=lr, eps=eps, beta1=beta1, beta2=beta2)
        for beta in betas:
            if not 0 <= beta < 1:
                raise ValueError(f"beta {beta} is not in [0, 1)")
        super().__init__(params)
        self.lr, self.betas, self.eps = lr, betas, eps
        self.state = {}                          # t, m, v by parameter

    @torch.no_grad()
    def step(self):
        """Change every parameter that has a gradient, in place."""
        beta1, beta2 = self.betas
        for p in self.params:
            if p.grad is None:
                continue
            if p not in self.state:
                zeros = torch.zeros_like
                self.state[p] = 0, zeros(p), zeros(p)
            t, m, v = self.state[p]
            t += 1
            self.state[p] = t, m, v
            m.lerp_(p.grad, 1 - beta1)
            v.mul_(beta2).addcmul_(p.grad, p.grad, value=1 - beta2)
            root = v.sqrt().div_((1 - beta2**t) ** 0.5)
            step_size = self.lr / (1 - beta1**t)
            p.addcdiv_(m, root.add_(self.eps), value=-step_size)
