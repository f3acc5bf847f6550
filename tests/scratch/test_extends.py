"""A class may grow, and stays what it was."""

import pickle

import pytest

from scratch.extends import extends


class Growing:
    """A class that can be pickled."""


Known = Growing


@extends(Growing)
class Growing:
    def size(self):
        return self.number


def test_objects_are_pickled_as_those_of_the_old_class():
    made = Growing()
    made.number = 3
    again = pickle.loads(pickle.dumps(made))
    assert type(again) is Growing is Known and again.size() == 3


def test_super_looks_behind_the_old_class():
    class First:
        def name(self):
            return "first"

    class Second(First):
        pass
    old, made_before = Second, Second()

    @extends(Second)
    class Second:
        def name(self):
            return "second, " + super().name()

        @property
        def twice(self):
            return 2 * super().name()

        @staticmethod
        def own():
            return __class__
    assert Second is old and made_before.name() == "second, first"
    assert made_before.twice == "firstfirst" and Second.own() is old


@pytest.mark.parametrize("body, says", [
    ({"a": 1}, "Old already has a"),
    ({"__init__": lambda self: None}, "Old already has __init__"),
    ({"b": 1, "__doc__": "Mine."}, "Old has its docstring above"),
    ({"__annotations__": {"n": int}}, "Old already has n"),
    ({"n": 1}, "Old already has n"),
])
def test_nothing_is_replaced_in_silence(body, says):
    class Old:
        """Mine."""
        a: str = ""
        n: int

        def __init__(self):
            self.a = 2
    before = dict(vars(Old))
    with pytest.raises(TypeError, match=f"^{says}$"):
        extends(Old)(type("Old", (), {"z": 0, **body}))
    assert dict(vars(Old)) == before


def test_annotations_are_added():
    class Old:
        n: int

    @extends(Old)
    class Old:
        m: float = 1.5
    assert Old.__annotations__ == {"n": int, "m": float} and Old.m == 1.5
