# Tangled from book/09-gpu.qmd. Checksum be627d73.
import torch

from scratch.timing.clocks import is_cuda
from scratch.timing.loops import BATCH, Learner, eager, pieces, unasked
from scratch.timing.replay import record


def by_torch(X, y, batch=BATCH):
    """run(steps) of torch.nn, autograd and torch.optim."""
    nn, device = torch.nn, X.device
    net = nn.Sequential(
        nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)).to(device)
    adam = torch.optim.Adam(net.parameters())

    def run(steps):
        total = torch.zeros((), device=device)   # []
        hits = torch.zeros((), device=device)    # []
        for idx in pieces(len(X), steps, batch, device):
            x, targets = X.index_select(0, idx), y.index_select(0, idx)
            logits = net(x)                      # [batch, 10]
            loss = nn.functional.cross_entropy(logits, targets)
            adam.zero_grad()
            loss.backward()
            adam.step()
            total += loss.detach()
            hits += (logits.argmax(1) == targets).sum()
        return total.item() / steps, hits.item() / steps / batch
    return run


def attempt(make):
    """make(), or {"absent": why} where this machine cannot."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001
        why = " ".join(f"{type(error).__name__}: {error}".split())
        return {"absent": why[:200]}


def cases(X, y, device, *, compiling=True):
    """{name: run(steps), or {"absent": why}} for every way to train.

    X [N, 784] and y [N] lie in main memory. torch.compile takes
    half a minute on a CPU; compiling=False leaves it out.
    """
    there, labels = X.to(device), y.to(device)
    cuda = is_cuda(device)

    def learner():
        return Learner(there, labels, device)

    def recorded(faster=lambda step: step):
        one = learner()
        step = faster(one.step)
        step()                                   # compiles, if it must
        run = unasked(one, record(step, one.state(), device))
        run(2)
        return run

    def compiled():
        one = learner()
        run = unasked(one, torch.compile(one.step))
        run(2)
        return run

    def no_item():
        one = learner()
        return unasked(one, one.step)

    only = {"absent": "needs CUDA"}
    return {
        "eager": eager(X, y, device),
        "resident": eager(there, labels, device) if cuda else only,
        "no item": no_item(),
        "torch.nn": by_torch(there, labels),
        "tape": only if cuda else recorded(),
        "compile": attempt(compiled) if compiling
        else {"absent": "left out"},
        "graph": attempt(recorded) if cuda else only,
        "compiled graph":
            attempt(lambda: recorded(torch.compile)) if cuda else only,
    }
