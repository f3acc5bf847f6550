# Tangled from book/09-gpu.qmd. Checksum bcc645d7.
"""A record of how long our program takes on a machine.

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

import json
import os
import sys
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import torch

from scratch.data import read_idx
from scratch.timing.clocks import (
    Timing,
    is_cuda,
    pick_device,
    race,
    readable,
    waiting,
)
from scratch.timing.loops import BATCH, IMAGES, STEPS
from scratch.timing.machine import about
from scratch.timing.profiler import a_step
from scratch.timing.roofline import (
    layers,
    products,
    roof,
    threads,
    transfers,
)
from scratch.timing.ways import attempt, cases


def digits(root="data"):
    """X [60000, 784] in [0, 1], y [60000], and what they are.

    MNIST if its files lie under root, else random numbers: no time
    here depends on which.
    """
    folder = Path(root) / "MNIST" / "raw"
    try:
        images = read_idx(folder / "train-images-idx3-ubyte")
        labels = read_idx(folder / "train-labels-idx1-ubyte")
    except OSError:
        return (torch.rand(IMAGES, 784), torch.randint(10, (IMAGES,)),
                "random numbers of MNIST's shape")
    return images.flatten(1).float() / 255, labels.long(), "MNIST"


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
    """A TIME as text for a table, or why there is none."""
    if "absent" in result:
        return result["absent"]
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
