# Tangled from book/09-gpu.qmd. Checksum eca18af1.
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from scratch.timing.clocks import time_op, wait
from scratch.timing.loops import BATCH, fresh


class Ledger(TorchDispatchMode):
    """Notes each kernel: (name, multiply-adds, bytes).

    bytes: of all tensors read and written. Views are left out,
    since they compute nothing.
    """

    def __init__(self):
        super().__init__()
        self.rows = []

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        out = op(*args, **(kwargs or {}))
        if not op.is_view:
            name = op.overloadpacket.__name__
            read = [a for a in flat(args) if torch.is_tensor(a)]
            made = [a for a in flat([out]) if torch.is_tensor(a)]
            work = multiply_adds(name, read)
            if name == "index_select":           # only some rows
                read = [*made, *read[1:]]
            size = sum(t.nbytes for t in [*read, *made])
            self.rows.append((name, work, size))
        return out


def flat(items):
    """What is in a list, and in the lists in it."""
    for item in items:
        if isinstance(item, list | tuple):
            yield from flat(item)
        else:
            yield item


def multiply_adds(name, tensors):
    """How many a kernel of that name does; 0 for all but products."""
    if name not in ("mm", "addmm"):
        return 0
    a, b = tensors[-2:]                          # [n, k], [k, m]
    return a.shape[0] * a.shape[1] * b.shape[1]


def products(device, largest):
    """The time of [n, n] @ [n, n], n in powers of 2 from 16."""
    rows = []
    for n in (2**k for k in range(4, largest.bit_length())):
        a = torch.randn(n, n, device=device)
        rows.append({"n": n,
                     "time": time_op(lambda a=a: a @ a, device)})
    return rows


def layers(device, batches=(1, 4, 16, 64, 256, 1024, 4096)):
    """The time of x @ W1 for several numbers of images."""
    W1 = fresh(device)[0]                        # [784, 128]
    rows = []
    for batch in batches:
        x = torch.rand(batch, 784, device=device)
        rows.append({"batch": batch,
                     "time": time_op(lambda x=x: x @ W1, device)})
    return rows


def powers_to(most):
    """1, 2, 4 and so on, and `most` at the end."""
    return [*(2**k for k in range(most.bit_length()) if 2**k < most),
            most]


def threads(most, sizes=(64, 256, 1024)):
    """The CPU's time of [n, n] @ [n, n] with 1 to `most` threads."""
    before, rows = torch.get_num_threads(), []
    try:
        for n in sizes:
            a = torch.randn(n, n)                # [n, n]
            for count in powers_to(most):
                torch.set_num_threads(count)
                rows.append({"threads": count, "n": n,
                             "time": time_op(lambda a=a: a @ a)})
    finally:
        torch.set_num_threads(before)
    return rows


def roof(device, n, size):
    """What bounds a kernel on this device, measured.

    flops: a second, two for a multiply-add, in the best of three
    square products, the largest [n, n] @ [n, n]; bytes: a second,
    read and written, in a copy of `size` bytes; launch: the seconds
    of the smallest kernel there is.
    """
    def flops(m):
        a = torch.randn(m, m, device=device)     # [m, m]
        return 2 * m**3 / time_op(lambda: a @ a, device).median

    long = torch.zeros(size // 4, device=device) # [size / 4]
    other = torch.zeros_like(long)
    one = torch.zeros(1, device=device)          # [1]
    return {
        "flops": max(flops(m) for m in (n, n // 2, n // 4)),
        "bytes": 2 * long.nbytes
        / time_op(lambda: other.copy_(long), device).median,
        "launch": time_op(lambda: one.add_(1), device).median,
    }


def bound(rows, roof):
    """What a Ledger's kernels ask of a device: three sums, seconds.

    flops, bytes: of those that multiply longer than they move, and
    of the others; launch: of starting them all.
    """
    held = {"flops": 0.0, "bytes": 0.0,
            "launch": len(rows) * roof["launch"]}
    for _, work, size in rows:
        needs = {"flops": 2 * work / roof["flops"],
                 "bytes": size / roof["bytes"]}
        worst = max(needs, key=needs.get)
        held[worst] += needs[worst]
    return held


def together(held, queue):
    """The seconds of all: in turn, or side by side with a queue."""
    running = held["flops"] + held["bytes"]
    if queue:
        return max(held["launch"], running)
    return held["launch"] + running


def transfers(X, device):
    """The time of moving a batch, all images X, and one number."""
    batch = X[:BATCH].clone()                    # [64, 784]
    there, one = batch.to(device), torch.zeros((), device=device)
    locked = batch.pin_memory()
    moves = {
        "batch": (batch, lambda: batch.to(device)),
        "pinned batch": (locked, lambda: (
            locked.to(device, non_blocking=True), wait(device))),
        "images": (X, lambda: X.to(device)),
        "batch back": (there, lambda: there.cpu()),
        "item": (one, lambda: one.item()),
    }
    return {name: {"bytes": t.nbytes, "time": time_op(move, device)}
            for name, (t, move) in moves.items()}
