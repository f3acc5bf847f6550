# Tangled from book/10-nn.qmd. Checksum c11f369e.
import gc
from types import CellType


class Empty:
    """What this one has, every class has."""

    note: int


def extends(old):
    """A decorator: add the body of the class below to the class old.

    Raises TypeError for a member that old has already.
    """
    def add(new):
        body = {name: member for name, member in vars(new).items()
                if name not in vars(Empty)}
        notes, known = new.__annotations__, old.__annotations__
        if new.__doc__:
            raise TypeError(f"{old.__name__} has its docstring above")
        for name in [*body, *notes]:
            if name in vars(old) or name in known:
                raise TypeError(f"{old.__name__} already has {name}")
        for name, member in body.items():
            setattr(old, name, member)
        known.update(notes)
        for cell in gc.get_referrers(new):       # who holds new?
            if isinstance(cell, CellType):
                cell.cell_contents = old
        return old
    return add
