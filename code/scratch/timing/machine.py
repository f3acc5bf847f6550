# Tangled from book/09-gpu.qmd. Checksum 4152b1ed.
import datetime
import os
import platform
import subprocess
from pathlib import Path

import torch

from scratch.timing.clocks import is_cuda, pick_device
from scratch.timing.ways import attempt


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
