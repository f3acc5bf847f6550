# Tangled from book/09-gpu.qmd. Checksum 3d6a2943.
"""What a GPU would take, by its published figures."""

import torch

from scratch.optim import Adam
from scratch.timing.loops import (
    BATCH,
    IMAGES,
    STEPS,
    Learner,
    gradients,
)
from scratch.timing.roofline import Ledger, bound, together


def counted(batch=BATCH, hidden=128):
    """The rows of a step by hand, from its shapes alone: on "meta"."""
    shapes = (784, hidden), (hidden,), (hidden, 10), (10,)
    params = [torch.empty(s, device="meta") for s in shapes]
    x = torch.empty(batch, 784, device="meta")
    targets = torch.empty(batch, dtype=torch.int64, device="meta")
    adam = Adam(params)
    for _ in range(2):                           # the first makes m, v
        with Ledger() as ledger:
            *_, grads = gradients(x, targets, *params)
            for p, grad in zip(params, grads, strict=True):
                p.grad = grad
            adam.step()
    return ledger.rows


H100 = {
    "name": "NVIDIA H100 SXM",
    "flops": 67e12, "bytes": 3.35e12,            # a second, float32
    "carry": 64e9,                               # bytes a second, to it
    "launch": 3.8e-6,                            # seconds an order
    "wait": 9.6e-6 - 3.8e-6 - 2.9e-6,            # for an answer
    "gap": 3.4e-6 - 2.9e-6,                      # in a recording
}


def predict(rows, card, orders=None, *, waits=0, carried=0, gap=0.0):
    """What a step of a Ledger's rows would take, with a queue.

    orders: of the processor, one a kernel unless told; waits: for an
    answer; carried: bytes to the card; gap: seconds a kernel.
    -> {"orders", "waits", "ordering", "running", "step"}, in seconds.
    """
    orders = len(rows) if orders is None else orders
    held = bound(rows, card) | {"launch": orders * card["launch"]}
    held["bytes"] += gap * len(rows)
    rest = waits * card["wait"] + carried / card["carry"]
    return {"orders": orders, "waits": waits,
            "ordering": held["launch"],
            "running": held["flops"] + held["bytes"],
            "step": together(held, queue=True) + rest}


def ways_on(card):
    """{name: predict(...)} for the ways of training that we count.

    A copy between the processor and the card is an order too.
    """
    X = torch.empty(BATCH, 784, device="meta")
    y = torch.empty(BATCH, dtype=torch.int64, device="meta")
    by_hand, learner = counted(), Learner(X, y, "meta")
    with Ledger() as pick:
        X.index_select(0, learner.idx)
        y.index_select(0, learner.idx)
    with Ledger() as whole:
        learner.step()
    resident = pick.rows + by_hand
    return {
        "eager": predict(by_hand, card, len(by_hand) + 4, waits=4,
                         carried=X.nbytes + y.nbytes),
        "resident": predict(resident, card, len(resident) + 2, waits=2),
        "no item": predict(whole.rows, card, len(whole.rows) + 1),
        "graph": predict(whole.rows, card, 2, gap=card["gap"]),
    }


def predicted(card):
    """As much of a record's RESULTS as a card's figures tell."""
    def product(n, k, m):
        size = 4 * (n * k + k * m + n * m)
        return {"median": predict([("mm", n * k * m, size)],
                                  card)["step"]}

    def moved(size):
        return {"bytes": size, "time": {"median": predict(
            [], card, 1, waits=1, carried=size)["step"]}}

    batch = 4 * 784 * BATCH
    return {
        "name": card["name"],
        "roof": {k: card[k] for k in ("flops", "bytes", "launch")},
        "products": [{"n": n, "time": product(n, n, n)}
                     for n in (2**k for k in range(4, 14))],
        "layers": [{"batch": b, "time": product(b, 784, 128)}
                   for b in (4**k for k in range(7))],
        "transfers": {"batch": moved(batch), "images": moved(
            4 * 784 * IMAGES), "batch back": moved(batch),
            "item": moved(4)},
        "epochs": {name: {"median": STEPS * way["step"]}
                   for name, way in ways_on(card).items()},
    }


def gain(card, roof, batch, hidden):
    """How many times as fast a step would be as on a CPU of that roof.

    The images are on the card, and it is asked twice a step.
    """
    rows = counted(batch, hidden)
    there = predict(rows, card, len(rows) + 2, waits=2)["step"]
    return together(bound(rows, roof), queue=False) / there
