# Tangled from book/07-training.qmd. Checksum 83fd4b32.
import argparse
import os
from pathlib import Path

import torch
from tqdm import tqdm

from scratch.backward import backward
from scratch.data import DataLoader, load_mnist
from scratch.functional import cross_entropy, forward
from scratch.init import make_params
from scratch.optim import SGD, Adam


def evaluate(params, loader):
    """The mean loss of all images, and the share read correctly.

    params [W1, b1, W2, b2]; the loader yields x [n, in] and
    targets [n]. Changes nothing.
    """
    total = right = images = 0
    with torch.no_grad():
        for x, targets in loader:
            logits = forward(x, *params)         # [n, classes]
            loss = cross_entropy(logits, targets)
            total += loss.item() * len(x)
            right += (logits.argmax(1) == targets).sum().item()
            images += len(x)
    if not images:
        raise ValueError("the loader yields no images")
    return total / images, right / images


def train(params, loader, optimizer):
    """One epoch: a step for each batch that the loader yields.

    params [W1, b1, W2, b2], changed in place; the optimizer holds
    the same tensors. Returns the mean loss of the images, each
    taken just before its own batch's step.
    """
    total = images = 0
    for x, targets in loader:
        loss, grads = backward(x, targets, *params)
        for p, grad in zip(params, grads, strict=True):
            p.grad = grad
        optimizer.step()
        total += loss.item() * len(x)
        images += len(x)
    if not images:
        raise ValueError("the loader yields no images")
    return total / images


SHAPES = {"W1": [784, 128], "b1": [128], "W2": [128, 10], "b2": [10]}


def save(params, path):
    """Write the four tensors as a dict, all of the file or none."""
    path = Path(path)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    state = {n: p.detach().cpu()
             for n, p in zip(SHAPES, params, strict=True)}
    try:
        torch.save(state, aside)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def load(path):
    """[W1, b1, W2, b2] from a file that `save` wrote.

    Raises OSError if there is none to read, ValueError if it holds
    anything else.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        shapes = {name: list(p.shape) for name, p in state.items()}
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{path}: no file of tensors") from error
    if shapes != SHAPES:
        raise ValueError(f"{path}: {shapes}, not {SHAPES}")
    return [state[name] for name in SHAPES]


RATES = {"sgd": 0.1, "momentum": 0.03, "adam": 0.001}


def make_optimizer(name, params, lr=None):
    """The optimizer of that name in RATES; lr None is its rate."""
    lr = RATES[name] if lr is None else lr
    if name == "adam":
        return Adam(params, lr)
    return SGD(params, lr, momentum=0.9 if name == "momentum" else 0.0)


def count(text):
    """A whole number above 0; anything else is an error."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return int(text)


def rate(text):
    """A number above 0, and finite; anything else is an error."""
    if not 0 < float(text) < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no learning rate")
    return float(text)


def make_parser():
    """The command line of `python -m scratch.train`."""
    parser = argparse.ArgumentParser(
        prog="scratch.train", allow_abbrev=False,
        description="Train a network to read digits, and save it.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--epochs", type=count, default=10, help="passes over the data")
    add("--optimizer", choices=RATES, default="adam", help="who steps")
    add("--lr", type=rate, help=f"learning rate; None: one of {RATES}")
    add("--batch-size", type=count, default=64, help="images a step")
    add("--seed", type=int, default=0, help="of weights and shuffling")
    add("--device", default="cpu", help="where to compute")
    add("--data", default="data", help="folder of MNIST")
    add("--out", type=Path, default="model.pt", help="file to write")
    add("--evaluate", metavar="FILE", help="judge this, do not train")
    return parser


def fit(args, X, y, test):
    """Train as `args` say, print each epoch; the four tensors."""
    params = [p.detach().to(X.device)
              for p in make_params(seed=args.seed)]
    optimizer = make_optimizer(args.optimizer, params, args.lr)
    generator = torch.Generator().manual_seed(args.seed)
    loader = DataLoader(X, y, args.batch_size, generator=generator)
    seen = DataLoader(X, y, 1000, shuffle=False)
    for epoch in range(1, args.epochs + 1):
        bar = tqdm(loader, f"epoch {epoch}", leave=False, disable=None)
        loss = train(params, bar, optimizer)
        print(f"epoch {epoch:2}  loss {loss:.4f}"
              f"  train {evaluate(params, seen)[1]:.4f}"
              f"  test {evaluate(params, test)[1]:.4f}", flush=True)
    return params


def move(tensors, device):
    """The tensors, on the device. Raises RuntimeError or, where
    torch was built without it, AssertionError if there is none."""
    return [t.to(device) for t in tensors]


def check_writable(path):
    """Raise OSError unless a file can be made at `path`."""
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise OSError(f"{path} cannot be written")


def main(arguments=None):
    """Do what the command line says; exit with 2 if it cannot."""
    parser = make_parser()
    args = parser.parse_args(arguments)
    try:
        if args.evaluate:
            params = move(load(args.evaluate), args.device)
        else:
            check_writable(args.out)
            X, y = move(load_mnist(args.data), args.device)
        test = move(load_mnist(args.data, "test"), args.device)
    except (AssertionError, OSError, RuntimeError, ValueError) as error:
        parser.error(str(error))
    test = DataLoader(*test, 1000, shuffle=False)
    if args.evaluate:
        loss, accuracy = evaluate(params, test)
        print(f"test loss {loss:.4f}, accuracy {accuracy:.4f}")
    else:
        save(fit(args, X, y, test), args.out)


if __name__ == "__main__":
    main()
