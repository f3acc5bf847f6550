# Tangled from book/08-reveal.qmd. Checksum d2778575.
import argparse
import math
import sys
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from tqdm import tqdm

from scratch.data import DataLoader, load_mnist
from scratch.functional import relu
from scratch.init import make_params
from scratch.train import RATES, count, make_optimizer, move

BITS = {2: torch.int16, 4: torch.int32, 8: torch.int64}  # by bytes


def bits(t):
    """The bits of the floats in t, read as integers."""
    return t.view(BITS[t.itemsize])


def places(t):
    """Where each float of t stands in the row of all floats.

    Neighbors differ by 1. 0.0 has the place 0, and -0.0 has -1.
    """
    others = torch.iinfo(bits(t).dtype).max      # all but the sign
    return torch.where(bits(t) < 0, bits(t) ^ others, bits(t))


@dataclass(frozen=True)
class Verdict:
    """What `compare` found."""

    exact: bool                                  # in every bit
    close: bool                                  # exact, or rounding
    gap: float                                   # largest difference
    ulps: int                                    # most places apart

    def __str__(self):
        if self.exact:
            return "exact"
        word = "close" if self.close else "different"
        if math.isnan(self.gap):
            return f"{word}, NaN on one side only"
        return (f"{word}, largest difference {self.gap:.1e},"
                f" up to {self.ulps:,} ulp")


def compare(ours, theirs):
    """The verdict on two float tensors of one shape and dtype.

    exact: the same bits, or NaN on both sides. close: gap at most
    sqrt(eps) times the largest finite number of theirs. Raises
    ValueError if shape or dtype differ.
    """
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        raise ValueError(
            f"ours is {list(ours.shape)} {ours.dtype},"
            f" theirs is {list(theirs.shape)} {theirs.dtype}"
        )
    a, b = (t.detach().cpu().flatten() for t in (ours, theirs))
    finite = b[b.isfinite()].abs()               # [any]
    size = finite.max().item() if len(finite) else 0.0
    unequal = (bits(a) != bits(b)) & ~(a.isnan() & b.isnan())
    a, b = a[unequal], b[unequal]                # [any], [any]
    if len(a) == 0:
        return Verdict(True, True, 0.0, 0)
    gap = (a.double() - b.double()).abs().max().item()
    ulps = max(abs(p - q) for p, q in zip(
        places(a).tolist(), places(b).tolist(), strict=True))
    close = gap <= torch.finfo(ours.dtype).eps ** 0.5 * size
    return Verdict(False, close, gap, ulps)


def torch_net(params):
    """The same network in torch.nn, with copies of our numbers.

    params [W1, b1, W2, b2]; Linear holds each W as [out, in].
    """
    W1, _, W2, _ = params
    kind = {"device": W1.device, "dtype": W1.dtype}
    net = nn.Sequential(nn.Linear(*W1.shape, **kind), nn.ReLU(),
                        nn.Linear(*W2.shape, **kind))
    with torch.no_grad():
        for q, p in zip(net.parameters(), params, strict=True):
            q.copy_(p.t())                       # a vector stays
    return net


def torch_optimizer(name, params, lr=None):
    """torch.optim's counterpart of scratch.train.make_optimizer."""
    lr = RATES[name] if lr is None else lr
    if name == "adam":
        return torch.optim.Adam(params, lr)
    momentum = 0.9 if name == "momentum" else 0.0
    return torch.optim.SGD(params, lr, momentum=momentum)


def epochs_of(loader, epochs):
    """The batches of so many epochs, one after the other."""
    for _ in range(epochs):
        yield from loader


def side_by_side(ours, net, batches, name, gradient, lr=None):
    """Train both on the same batches; yield both losses each step.

    ours: four tensors, trained with our optimizer of that name and
    the gradient of `gradient`, a function like scratch.backward's
    backward. net: as torch_net makes it, trained with torch.optim.
    """
    first = make_optimizer(name, ours, lr)
    second = torch_optimizer(name, net.parameters(), lr)
    for x, targets in batches:
        loss, grads = gradient(x, targets, *ours)
        for p, grad in zip(ours, grads, strict=True):
            p.grad = grad
        first.step()
        second.zero_grad()
        their_loss = F.cross_entropy(net(x), targets)
        their_loss.backward()
        second.step()
        yield loss, their_loss.detach()


def torch_loss_and_push(logits, targets):
    """cross_entropy and its gradient, by torch's own kernels.

    logits [N, classes], targets [N] -> loss [], d_logits [N, classes]
    """
    z = logits.detach().requires_grad_()         # [N, classes]
    loss = F.cross_entropy(z, targets)           # []
    (d_logits,) = torch.autograd.grad(loss, z)   # [N, classes]
    return loss.detach(), d_logits


def torch_layout(params):
    """Copies with the same numbers, each W held as [out, in]."""
    return [p.detach().t().clone(
        memory_format=torch.contiguous_format).t() for p in params]


def fused_backward(
    x, targets, W1, b1, W2, b2, *, loss_of=torch_loss_and_push
):
    """scratch.backward.backward, in torch's order of operations.

    The parameters as torch_layout returns them.
    """
    h_pre = torch.addmm(b1, x, W1)               # [N, hidden]
    h = relu(h_pre)                              # [N, hidden]
    logits = torch.addmm(b2, h, W2)              # [N, classes]
    loss, d_logits = loss_of(logits, targets)
    d_W2 = (d_logits.t() @ h).t()                # [hidden, classes]
    d_h = d_logits @ W2.t()                      # [N, hidden]
    d_h_pre = torch.where(h_pre > 0, d_h, 0)     # [N, hidden]
    d_W1 = (d_h_pre.t() @ x).t()                 # [in, hidden]
    return loss, [d_W1, d_h_pre.sum(0), d_W2, d_logits.sum(0)]


def same_bits(ours, net):
    """Whether all weights of both have the same bits."""
    return all(torch.equal(bits(p), bits(q.detach().t()))
               for p, q in zip(ours, net.parameters(), strict=True))


def exact_steps(name, X, y, epochs, gradient=fused_backward):
    """Train beside torch: (steps with the same bits, all steps).

    The optimizer of that name; X [N, 784] and y [N] on one device,
    which is the one that the answer holds for.
    """
    ours = torch_layout(
        [p.to(X.device) for p in make_params(seed=0)])
    net = torch_net(ours)
    generator = torch.Generator().manual_seed(0)
    loader = DataLoader(X, y, generator=generator)
    steps = epochs * len(loader)
    run = side_by_side(
        ours, net, epochs_of(loader, epochs), name, gradient)
    bar = tqdm(run, name, total=steps, leave=False, disable=None)
    return sum(same_bits(ours, net) for _ in bar), steps


def make_parser():
    """The command line of `python -m scratch.compare`."""
    parser = argparse.ArgumentParser(
        prog="scratch.compare", allow_abbrev=False,
        description="Train beside torch.nn, and count the equal steps.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--epochs", type=count, default=10, help="passes over the data")
    add("--optimizer", choices=RATES, default="adam", help="who steps")
    add("--device", default="cpu", help="where to compute")
    add("--data", default="data", help="folder of MNIST")
    return parser


def main(arguments=None):
    """Print how many steps are exact; 1 unless all of them are."""
    parser = make_parser()
    args = parser.parse_args(arguments)
    try:
        X, y = move(load_mnist(args.data), args.device)
    except (AssertionError, OSError, RuntimeError, ValueError) as error:
        parser.error(str(error))
    equal, steps = exact_steps(args.optimizer, X, y, args.epochs)
    print(f"{args.optimizer} on {args.device}, torch"
          f" {torch.__version__}: {equal:,} of {steps:,} steps exact")
    return 0 if equal == steps else 1


if __name__ == "__main__":
    sys.exit(main())
