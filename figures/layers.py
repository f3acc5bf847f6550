"""The layers of Chapter 10, handed to their simulation."""

from figures.scripts import write

HEAD = """\
Layers of scratch.nn as figures.anatomy.describe takes them apart: what
each keeps, the operations of one call in training mode, its source.
Written by a cell of Chapter 10.
"""


def export(layers, path):
    """Write what `describe` returned for each to `path` as a script;
    its size in bytes."""
    return write(path, "LAYERS", layers, HEAD)
