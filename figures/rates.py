"""What Chapter 9 measured, handed to its simulation.

`records` are those of scratch.timing: one a machine, newest first.
`paper` is what it predicts of a card by its published figures.
"""

from figures.scripts import write

HEAD = """\
Rates measured by scratch.timing, from book/recorded/, newest first;
those of "paper" are computed from a card's published figures.
products: n and the seconds of [n, n] @ [n, n]; batches: how many batches
of training a second, by the way of training. Written by a cell of Chapter 9.
"""


def short(value):
    """Four digits are more than a timing is good for."""
    return float(f"{value:.4g}")


def device_rates(results, steps):
    """Products and batches a second of a device's RESULTS."""
    return {
        "products": [
            [row["n"], short(row["time"]["median"])]
            for row in results["products"]
        ],
        "batches": {
            case: short(steps / time["median"])
            for case, time in results["epochs"].items()
            if "median" in time
        },
    }


def rates(records, paper):
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
                "paper": paper["name"],
            },
            "devices": {
                device: device_rates(results, record["steps"])
                for device, results in [
                    *record["results"].items(), ("paper", paper)]
            },
        }
        for record in records
    ]


def export(records, paper, path):
    """Write the rates to `path` as a script; its size in bytes."""
    return write(path, "RATES", rates(records, paper), HEAD)
