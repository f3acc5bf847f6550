"""Packages whose parts import from one another."""

import sys


def put(monkeypatch, package, name, value):
    """Replace a name in every module of a package that has it."""
    inside = f"{package.__name__}."
    holders = [module for known, module in sorted(sys.modules.items())
               if f"{known}.".startswith(inside) and hasattr(module, name)]
    assert holders, name
    for module in holders:
        monkeypatch.setattr(module, name, value)
