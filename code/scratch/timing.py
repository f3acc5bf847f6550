# Tangled from book/09-gpu.qmd. Checksum 2f2c03ea.
"""How long our program takes, on a CPU and on a GPU.

    python -m scratch.timing --json FILE

measures this machine and writes FILE, a record. It needs torch and
nothing else. All times are in seconds. What could not be measured
is {"absent": why} in the place of its result. A record is

    {"format": 1, "date", "torch", "python", "system", "load",
     "data": what was learned, "steps": of an epoch, "batch": 64,
     "cpu": {"name", "cores", "threads"},
     "gpu": {"name", "driver", "cuda", "bytes", ...}, or null,
     "results": {"cpu": RESULTS, "cuda": RESULTS, with a GPU}}

TIME is {"median", "low", "high", "turns", "calls"}: of so many
turns, each the mean of so many calls, the median and quartiles.
RESULTS is

    {"products": [{"n", "time": TIME}, ...],      [n, n] @ [n, n]
     "layers": [{"batch", "time": TIME}, ...],    x @ W1
     "waiting": {"n", "returns", "done", "event": on a GPU},
     "roof": {"flops": a second, "bytes": a second, "launch"},
     "threads": [{"threads", "n", "time": TIME}, ...],  on a CPU
     "transfers": {NAME: {"bytes", "time": TIME}, ...}, on a GPU
     "epochs": {CASE: TIME, ...},       an epoch of "steps" steps
     "launches": {CASE: {"operations", "launches", "copies",
         "waits", "graphs", "kernels", "busy"}, ...}    of a step}

The CASEs: "eager" (images in main memory, asks for two numbers a
step), "resident" (images on the GPU), "no item" (asks at the end),
"torch.nn" (the same with nn, autograd and optim), "tape" (kernels
replayed by Python), "compile" (torch.compile), "graph" (a CUDA
graph), "compiled graph" (both). So a device finishes
steps / epochs[CASE]["median"] batches a second.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from scratch.backward import linear_backward
from scratch.functional import linear, log_softmax, relu
from scratch.init import make_params
from scratch.optim import Adam


def pick_device():
    """The GPU if torch can use one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def is_cuda(device):
    """Whether a device, or its name, is a GPU that CUDA serves."""
    return torch.device(device).type == "cuda"


def wait(device):
    """Return when the device has done all that it was given."""
    if is_cuda(device):
        torch.cuda.synchronize(device)


def clock(fn, calls, device):
    """The seconds of so many calls, until the device is done."""
    wait(device)
    start = time.perf_counter()
    for _ in range(calls):
        fn()
    wait(device)
    return time.perf_counter() - start


@dataclass(frozen=True)
class Timing:
    """Seconds a call: the median of the turns, and the quartiles."""

    median: float
    low: float
    high: float
    turns: int
    calls: int = 1                               # in each turn

    def __str__(self):
        return (f"{readable(self.median)}"
                f" ({readable(self.low)} to {readable(self.high)})")


UNITS = {"s": 1, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}


def readable(seconds):
    """A time with three digits, in the unit that suits it."""
    for unit, size in UNITS.items():
        if seconds >= 0.9995 * size:             # 999.5 is 1e+03
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def summary(times, calls=1):
    """The Timing of turns that took so many seconds a call."""
    times = sorted(times)
    quarter = len(times) // 4
    return Timing(statistics.median(times), times[quarter],
                  times[-1 - quarter], len(times), calls)


def time_op(fn, device="cpu", *, turns=11, seconds=0.01):
    """The Timing of fn(), warmed up, waited for and repeated.

    A turn makes as many calls as take `seconds` or more.
    """
    fn()                                         # the first is slower
    calls = 1
    while clock(fn, calls, device) < seconds:
        calls *= 2
    return summary(
        [clock(fn, calls, device) / calls for _ in range(turns)], calls)


def waiting(device, n, turns=11):
    """When a product of [n, n] returns, and when it is done.

    Medians, in seconds. On a GPU also what lies between two events
    on the device's own clock.
    """
    a = torch.randn(n, n, device=device)         # [n, n]
    cuda = is_cuda(device)
    times = {"returns": [], "done": [], "event": []}
    for _ in range(turns + 1):
        wait(device)
        if cuda:
            first = torch.cuda.Event(enable_timing=True)
            last = torch.cuda.Event(enable_timing=True)
            first.record()
        start = time.perf_counter()
        a @ a
        times["returns"].append(time.perf_counter() - start)
        if cuda:
            last.record()
        wait(device)
        times["done"].append(time.perf_counter() - start)
        if cuda:
            times["event"].append(first.elapsed_time(last) / 1000)
    found = {name: statistics.median(t[1:])      # the first warms up
             for name, t in times.items() if t}
    return {"n": n, **found}


IMAGES, BATCH = 60_000, 64
STEPS = -(-IMAGES // BATCH)                      # 938, rounded up


def fresh(device):
    """The four tensors on a device, without autograd.

    Drawn on the CPU, so that every device starts from the same.
    """
    return [p.detach().to(device) for p in make_params(seed=0)]


@torch.no_grad()
def gradients(x, targets, W1, b1, W2, b2):
    """As scratch.backward.backward, and how many are right.

    x [N, in], targets [N] and the parameters of forward
    -> loss [], right [], [d_W1, d_b1, d_W2, d_b2]. Asks for no
    number of a tensor, so it does not check the targets.
    """
    h_pre = linear(x, W1, b1)                    # [N, hidden]
    h = relu(h_pre)                              # [N, hidden]
    logits = linear(h, W2, b2)                   # [N, classes]
    labels = targets[:, None]                    # [N, 1]
    log_probs = log_softmax(logits)              # [N, classes]
    picked = log_probs.gather(1, labels)         # [N, 1]
    loss = -picked.mean()                        # []
    right = (logits.argmax(1) == targets).sum()  # []
    d_logits = log_probs.exp()                   # [N, classes]
    d_logits.scatter_add_(1, labels, torch.full_like(picked, -1))
    d_logits = d_logits / len(x)
    d_h, d_W2, d_b2 = linear_backward(h, W2, d_logits)
    d_h.masked_fill_(h_pre <= 0, 0)              # [N, hidden]
    _, d_W1, d_b1 = linear_backward(x, W1, d_h, need_x=False)
    return loss, right, [d_W1, d_b1, d_W2, d_b2]


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
    """An estimate of the seconds that a Ledger's kernels take.

    Each waits for what it needs most of: "flops", "bytes" or
    "launch". A dict of the three sums.
    """
    held = dict.fromkeys(roof, 0.0)
    for _, work, size in rows:
        needs = {"flops": 2 * work / roof["flops"],
                 "bytes": size / roof["bytes"],
                 "launch": roof["launch"]}
        worst = max(needs, key=needs.get)
        held[worst] += needs[worst]
    return held


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


def pieces(images, steps, batch, device):
    """The indices [batch] of so many steps, in random order.

    Where the images run out they begin again, so that every step
    has the same shapes.
    """
    order = torch.randperm(images, device=device)            # [images]
    order = order.repeat(-(-steps * batch // images))
    return order[: steps * batch].split(batch)


def eager(X, y, device, batch=BATCH):
    """run(steps) as Chapter 7 trains, asking twice each step.

    X, y: where they lie, from there each batch goes to the device.
    """
    params = fresh(device)
    adam = Adam(params)

    def run(steps):
        total = hits = 0
        for idx in pieces(len(X), steps, batch, X.device):
            x = X.index_select(0, idx).to(device)
            targets = y.index_select(0, idx).to(device)
            loss, right, grads = gradients(x, targets, *params)
            for p, grad in zip(params, grads, strict=True):
                p.grad = grad
            adam.step()
            total += loss.item()
            hits += right.item()
        return total / steps, hits / steps / batch
    return run


class Learner:
    """What a step of training reads and changes, on one device.

    X [N, 784], y [N]; idx [batch] says which images come next. The
    sums of losses and of right answers stay on the device too.
    """

    def __init__(self, X, y, device, batch=BATCH):
        self.X, self.y = X.to(device), y.to(device)
        self.params = fresh(device)
        self.adam = TensorAdam(self.params)
        self.idx = torch.arange(batch, device=device)        # [batch]
        self.loss = torch.zeros((), device=device)           # []
        self.right = torch.zeros((), dtype=torch.int64, device=device)

    def state(self):
        """The tensors that a step changes."""
        adam = self.adam
        return [*self.params, adam.t, *adam.m, *adam.v,
                self.loss, self.right]

    @torch.no_grad()
    def step(self):
        """A step with the images idx; nothing is asked."""
        x = self.X.index_select(0, self.idx)     # [batch, 784]
        targets = self.y.index_select(0, self.idx)           # [batch]
        loss, right, grads = gradients(x, targets, *self.params)
        self.adam.step(grads)
        self.loss.add_(loss)
        self.right.add_(right)


class TensorAdam:
    """scratch.optim.Adam with its count in a tensor.

    A recording repeats what is done to tensors. A count in Python
    would stay what it was.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params, self.lr = params, lr
        self.betas, self.eps = betas, eps
        self.t = torch.zeros(
            (), dtype=torch.float64, device=params[0].device)
        self.m = [torch.zeros_like(p) for p in params]
        self.v = [torch.zeros_like(p) for p in params]

    @torch.no_grad()
    def step(self, grads):
        """Change the parameters in place, by grads of their shapes."""
        beta1, beta2 = self.betas
        self.t.add_(1)
        root_of = (1 - beta2**self.t).sqrt()     # []
        step_size = self.lr / (1 - beta1**self.t)            # []
        for p, g, m, v in zip(
            self.params, grads, self.m, self.v, strict=True
        ):
            m.lerp_(g, 1 - beta1)
            v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
            root = v.sqrt().div_(root_of).add_(self.eps)
            p.sub_(m.div(root).mul_(step_size))


def unasked(learner, step):
    """run(steps) that asks for its two sums at the end."""
    def run(steps):
        device, batch = learner.X.device, len(learner.idx)
        learner.loss.zero_()
        learner.right.zero_()
        for idx in pieces(len(learner.X), steps, batch, device):
            learner.idx.copy_(idx)
            step()
        return (learner.loss.item() / steps,
                learner.right.item() / steps / batch)
    return run


class Tape(TorchDispatchMode):
    """Records kernels and the memory they work in; replays them.

    A CUDA graph in Python: what is between the kernels, names,
    loops and Python's numbers, is not on the tape.
    """

    def __init__(self):
        super().__init__()
        self.kernels = []

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out = op(*args, **kwargs)
        if not op.is_view:                       # a view stays one
            new = None if op._schema.is_mutable else out
            self.kernels.append((op, args, kwargs, new))
        return out

    def replay(self):
        """Run the kernels again, into the same memory."""
        for op, args, kwargs, new in self.kernels:
            out = op(*args, **kwargs)
            if torch.is_tensor(new):
                new.copy_(out)
            elif new is not None:
                for old, now in zip(new, out, strict=True):
                    old.copy_(now)


def record(step, state, device):
    """A function that repeats step() without its Python.

    state: the tensors that step changes. They are put back, so that
    recording leaves no trace. On a GPU this is a CUDA graph, on a
    CPU a Tape.
    """
    before = [t.clone() for t in state]
    if is_cuda(device):
        replay = record_graph(step)
    else:
        with Tape() as tape:
            step()
        replay = tape.replay
    for t, old in zip(state, before, strict=True):
        t.copy_(old)
    return replay


def record_graph(step):
    """step() as a CUDA graph; it has run three times before."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):                # not the default one
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):                # recorded, not run
        step()
    return graph.replay


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


def race(runs, device, rounds):
    """Let functions take turns; {name: Timing}.

    A machine that is busy for a moment slows all of them.
    """
    for run in runs.values():
        run()
    times = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(clock(run, 1, device))
    return {name: summary(t) for name, t in times.items()}


def profiled(fn, device):
    """What torch's profiler sees of fn(): counts by kind."""
    kinds = torch.profiler.ProfilerActivity
    seen = [kinds.CPU]
    if is_cuda(device):
        seen.append(kinds.CUDA)
    for _ in range(2):                           # the first warms up
        wait(device)
        with torch.profiler.profile(activities=seen) as profile:
            fn()
            wait(device)
    return tally(profile.events())


def tally(events):
    """Counts of a profile's events; busy, in seconds.

    operations: calls of torch's that no other contains; launches,
    copies, waits and graphs: calls of CUDA; kernels: what then ran
    on the GPU, and was busy for so long.
    """
    names = [e.name for e in events]
    kernels = [
        e for e in events if str(e.device_type).endswith("CUDA")
        and not getattr(e, "is_user_annotation", False)
        and not e.name.startswith(("Mem", "##", "Torch-Compiled"))]
    def is_torch(event):
        return event is not None and event.name.startswith("aten::")

    outer = [e for e in events
             if is_torch(e) and not is_torch(e.cpu_parent)]
    return {
        "operations": len(outer),
        "launches": sum("LaunchKernel" in name for name in names),
        "copies": sum("MemcpyAsync" in name for name in names),
        "waits": names.count("cudaStreamSynchronize"),
        "graphs": names.count("cudaGraphLaunch"),
        "kernels": len(kernels),
        "busy": sum(e.time_range.elapsed_us() for e in kernels) / 1e6,
    }


def a_step(run, device, steps=10):
    """What the profiler sees of one step, a mean over `steps`.

    What an epoch does once, before and after its steps, is in a run
    of one step too, and cancels.
    """
    one = profiled(lambda: run(1), device)
    more = profiled(lambda: run(1 + steps), device)
    return {name: (more[name] - one[name]) / steps for name in one}


def digits(root="data"):
    """X [60000, 784] in [0, 1], y [60000], and what they are.

    MNIST if its files lie under root, else random numbers: no time
    here depends on which.
    """
    folder = Path(root) / "MNIST" / "raw"
    try:
        images = (folder / "train-images-idx3-ubyte").read_bytes()
        labels = (folder / "train-labels-idx1-ubyte").read_bytes()
    except OSError:
        return (torch.rand(IMAGES, 784), torch.randint(10, (IMAGES,)),
                "random numbers of MNIST's shape")
    kind = {"dtype": torch.uint8}
    X = torch.frombuffer(bytearray(images), offset=16, **kind)
    y = torch.frombuffer(bytearray(labels), offset=8, **kind)
    return X.reshape(-1, 784).float() / 255, y.long(), "MNIST"


def cpu_name():
    """What the processor calls itself, as far as it can be found."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    for line in text.splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def driver_version():
    """The version of NVIDIA's driver."""
    found = subprocess.run(
        ["nvidia-smi", "--query-gpu=driver_version",
         "--format=csv,noheader"],
        capture_output=True, text=True, check=True, timeout=60)
    return found.stdout.split()[0]


def about():
    """The machine, torch and the date, as a record begins."""
    facts = {
        "format": 1,
        "date": datetime.date.today().isoformat(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load": attempt(lambda: os.getloadavg()[0]),
        "cpu": {"name": cpu_name(), "cores": os.cpu_count(),
                "threads": torch.get_num_threads()},
        "gpu": None,
    }
    if is_cuda(pick_device()):
        card = torch.cuda.get_device_properties(0)
        facts["gpu"] = {
            "name": card.name, "bytes": card.total_memory,
            "processors": card.multi_processor_count,
            "driver": attempt(driver_version),
            "cuda": torch.version.cuda,
            "precision": attempt(torch.get_float32_matmul_precision),
        }
    return facts


@dataclass(frozen=True)
class Sizes:
    """How much to measure: small ones are for tests and previews."""

    steps: int = STEPS                           # of an epoch
    rounds: int = 5                              # of the race
    largest: int = 2048                          # n of the products
    copy: int = 2**22                            # bytes, in the cache


def measure(device, X, y, sizes):
    """The RESULTS of one device, as the head of this file says."""
    def say(what):
        print(f"{device}: {what}", file=sys.stderr, flush=True)

    cuda = is_cuda(device)
    say("products, transfers")
    found = {
        "products": products(device, sizes.largest),
        "layers": layers(device),
        "waiting": waiting(device, sizes.largest),
        "roof": roof(device, sizes.largest, sizes.copy),
        "threads": {"absent": "a matter of CPUs"} if cuda
        else threads(os.cpu_count()),
        "transfers": transfers(X, device) if cuda
        else {"absent": "needs CUDA"},
    }
    say("training")
    ways = cases(X, y, device)
    runs = {name: partial(run, sizes.steps)
            for name, run in ways.items() if callable(run)}
    epochs = ways | race(runs, device, sizes.rounds)
    say("launches")
    seen = {name: attempt(partial(a_step, run, device))
            if callable(run) else run for name, run in ways.items()}
    return found | {"epochs": epochs, "launches": seen}


def plain(found):
    """found with each Timing as a dict, ready for JSON."""
    if isinstance(found, Timing):
        return asdict(found)
    if isinstance(found, dict):
        return {name: plain(value) for name, value in found.items()}
    if isinstance(found, list):
        return [plain(value) for value in found]
    return found


def make_record(sizes, largest_gpu=8192):
    """A record of this machine, as the head of this file says."""
    X, y, name = digits()
    facts = about() | {"data": name, "steps": sizes.steps,
                       "batch": BATCH}
    results = {}
    if facts["gpu"]:                             # it may fail: first
        large = replace(sizes, largest=largest_gpu, copy=2**30)
        results["cuda"] = measure(pick_device(), X, y, large)
    results["cpu"] = measure(torch.device("cpu"), X, y, sizes)
    return plain(facts | {"results": results})


def write(record, path):
    """Write a record as JSON, all of the file or none."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(json.dumps(record, indent=1) + "\n",
                         encoding="utf-8")
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def read(folder):
    """The records in a folder, the newest first; [] if none.

    Raises ValueError for a JSON file that is none of ours.
    """
    records = []
    for path in sorted(Path(folder).glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(record, dict) or record.get("format") != 1:
            raise ValueError(f"{path}: not a record of scratch.timing")
        records.append(record)
    return sorted(records, key=lambda r: r["date"], reverse=True)


def label(record):
    """What a record is true of: device, driver, torch and date."""
    gpu = record["gpu"]
    device = f"{gpu['name']}, driver {gpu['driver']}" if gpu else (
        f"{record['cpu']['name']}, {record['cpu']['threads']} of "
        f"{record['cpu']['cores']} cores")
    return f"{device}, torch {record['torch']}, {record['date']}"


def shown(result):
    """A TIME as text for a table; a dash where there is none."""
    if not result or "absent" in result:
        return "–"
    return readable(result["median"])


def crossover(first, second, key):
    """From which size on `second` stays faster; None if it does not.

    Rows as of products or layers, plain; key names their size.
    """
    times = {row[key]: row["time"]["median"] for row in first}
    found = None
    for row in sorted(second, key=lambda r: r[key], reverse=True):
        if row[key] in times:
            if row["time"]["median"] >= times[row[key]]:
                break
            found = row[key]
    return found


def main(arguments=None):
    """Measure this machine and write the record."""
    parser = argparse.ArgumentParser(
        prog="scratch.timing", allow_abbrev=False,
        description="Time this machine; write the results as JSON.")
    parser.add_argument("--json", metavar="FILE", type=Path,
                        required=True, help="file to write")
    args = parser.parse_args(arguments)
    folder = args.json.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if args.json.is_dir() or not os.access(folder, os.W_OK):
            raise OSError(f"{args.json} cannot be written")
    except OSError as error:
        parser.error(str(error))
    record = make_record(Sizes())
    write(record, args.json)
    print(f"{args.json}: {label(record)}")


if __name__ == "__main__":
    main()
