"""The trained weights, as a script that a page can load."""

import base64
import json
import os
from pathlib import Path

import torch

HEAD = """\
// The trained network of Chapter 7, written by one of its cells.
// A matrix W [rows, columns] is W[i][j] = scale[j] * int8[i * columns + j];
// int8 is base64, one signed byte a number. A bias is a list.
"""


def quantized(W):
    """W [in, out] as int8 [in, out], and a scale for each column."""
    scale = W.abs().amax(0) / 127                # [out]
    return (W / scale).round().to(torch.int8), scale


def export(params, path):
    """Write [W1, b1, W2, b2] to `path`, if that changes the file.

    Returns the parameters as the page will see them, and the size of
    the file in bytes.
    """
    entries, rounded = {}, []
    for name, p in zip(("W1", "b1", "W2", "b2"), params, strict=True):
        if p.ndim == 1:
            entries[name] = [float(f"{v:.6g}") for v in p.tolist()]
            rounded.append(torch.tensor(entries[name]))
            continue
        whole, scale = quantized(p)
        short = [float(f"{v:.6g}") for v in scale.tolist()]
        data = base64.b64encode(whole.numpy().tobytes()).decode()
        entries[name] = {
            "shape": list(p.shape), "scale": short, "int8": data,
        }
        rounded.append(whole * torch.tensor(short))
    body = json.dumps(entries, separators=(",", ":"))
    text = f"{HEAD}globalThis.TRAINED = {body};\n"
    path = Path(path)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_text(text, encoding="utf-8", newline="\n")
        os.replace(aside, path)
    return rounded, len(text.encode())
