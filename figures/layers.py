"""The layers of Chapter 10, taken apart for their simulation."""

import inspect

from figures.anatomy import describe
from figures.scripts import write
from scratch import nn

HEAD = """\
Layers of scratch.nn: what each keeps, the operations of one call in
training mode, and its source. Written by a cell of Chapter 10.
"""
# What a layer's class leaves to others.
PARTS = {
    nn.Linear: [nn.linear],
    nn.Conv2d: [nn.window_numbers, nn.conv2d],
    nn.BatchNorm1d: [nn.RunningStatistics.track],
    nn.MultiheadAttention: [nn.Heads.project, nn.attention],
}


def taken_apart(shown):
    """`shown` is {layer: its inputs}; a list ready for JSON."""
    layers = []
    for layer, inputs in shown.items():
        kind = type(layer)
        found = describe(layer, inputs)
        found["source"] = [
            inspect.cleandoc("\n" + inspect.getsource(part)) for part in
            [*PARTS.get(kind, ()), kind.forward]
        ]
        layers.append(found)
    return layers


def export(shown, path):
    """Write the layers to `path` as a script; its size in bytes."""
    return write(path, "LAYERS", taken_apart(shown), HEAD)
