"""What Chapter 9 measured, drawn and handed to its simulation.

`records` are those of scratch.timing: one a machine, newest first.
"""

import matplotlib.pyplot as plt

from figures.book import PALETTE
from figures.scripts import write

NAMES = {"cpu": "CPU", "cuda": "GPU"}
ROLES = {"cpu": "forward", "cuda": "weights"}
HEAD = """\
Rates measured by scratch.timing, from book/recorded/, newest first.
products: n and the seconds of [n, n] @ [n, n]; batches: how many batches
of training a second, by the way of training. Written by a cell of Chapter 9.
"""


def short(value):
    """Four digits are more than a timing is good for."""
    return float(f"{value:.4g}")


def rates(records):
    """What the simulation needs of the records, ready for JSON."""
    return [
        {
            "torch": record["torch"], "date": record["date"],
            "batch": record["batch"],
            "names": {
                "cpu": f"{record['cpu']['name']}, "
                f"{record['cpu']['threads']} of {record['cpu']['cores']}"
                " cores",
                **({"cuda": record["gpu"]["name"]} if record["gpu"] else {}),
            },
            "devices": {
                device: {
                    "products": [
                        [row["n"], short(row["time"]["median"])]
                        for row in results["products"]
                    ],
                    "batches": {
                        case: short(record["steps"] / time["median"])
                        for case, time in results["epochs"].items()
                        if "median" in time
                    },
                }
                for device, results in record["results"].items()
            },
        }
        for record in records
    ]


def export(records, path):
    """Write the rates to `path` as a script; its size in bytes."""
    return write(path, "RATES", rates(records), HEAD)


def chosen(records):
    """The newest record with a GPU, or else the newest."""
    return next((r for r in records if r["gpu"]), records[0])


def products(records):
    """The time of a product over its size, for each device."""
    record = chosen(records)
    _, ax = plt.subplots(figsize=(5.6, 3.4))
    for device, results in record["results"].items():
        ns, times = zip(*(
            (row["n"], row["time"]["median"]) for row in results["products"]
        ), strict=True)
        ax.loglog(
            ns, times, color=PALETTE[ROLES[device]], marker="o",
            markersize=3.5, linestyle="-" if device == "cpu" else "--",
        )
        ax.annotate(
            NAMES[device], (ns[-1], times[-1]), (6, 0),
            textcoords="offset points", va="center",
            color=PALETTE[ROLES[device]], annotation_clip=False,
        )
    ax.set(xlabel="n", ylabel="seconds of [n, n] @ [n, n]")
    ax.set_xscale("log", base=2)
