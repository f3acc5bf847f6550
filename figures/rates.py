"""What Chapter 9 measured, handed to its simulation.

`records` are those of scratch.timing: one a machine, newest first.
"""

from figures.scripts import write

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
